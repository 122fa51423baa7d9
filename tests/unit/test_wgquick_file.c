// SPDX-License-Identifier: GPL-2.0-or-later
/* files of wg-quick(8) as a whole: names, kinds, sizes */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wgns/str.h"
#include "wgns/wgquick.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define KEY "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="

static void test_wgquick_resolve_path(void **state)
{
	static const struct {
		const char *arg, *path, *name; /* path NULL: name is in the message */
	} row[] = {
		{ "wg0", "/d/wg0.conf", "wg0" },
		{ "a_=+.-9", "/d/a_=+.-9.conf", "a_=+.-9" },
		{ "wg0.conf", "/d/wg0.conf.conf", "wg0.conf" },
		{ "./wg0.conf", "./wg0.conf", "wg0" },
		{ "/x y/wg0.conf", "/x y/wg0.conf", "wg0" },
		{ "abcdefghijklmno", "/d/abcdefghijklmno.conf", "abcdefghijklmno" },
		{ "/abcdefghijklmno.conf", "/abcdefghijklmno.conf", "abcdefghijklmno" },
		/* no tunnel's name, because it is too long for one, but a file's */
		{ "abcdefghijkl.conf", "abcdefghijkl.conf", "abcdefghijkl" },
		{ "abcdefghijklmnop", NULL, "neither a tunnel's name" },
		{ "/abcdefghijklmnop.conf", NULL, "16 characters" },
		{ "", NULL, "neither" },
		{ ".", NULL, "called `.'" },
		{ "..", NULL, "called `..'" },
		{ "/d/...conf", NULL, "called `..'" },
		{ "/d/.conf", NULL, "no interface name" },
		{ "all", NULL, "called `all'" },
		{ "/d/w g.conf", NULL, "only have" },
		{ "w g", NULL, "neither" },
		{ "/d/wg0", NULL, "neither" },
		{ "/d/wg0.conf/", NULL, "neither" },
		{ "w\xc3\xa4.conf", NULL, "only have" },
	};

	(void)state;
	for (size_t i = 0; i < N(row); i++) {
		char *path = NULL, name[IFNAMSIZ];
		struct err e;
		int rc = wgquick_resolve_path(row[i].arg, "/d", &path, name, &e);

		assert_int_equal(rc, row[i].path ? 0 : -EINVAL);
		if (rc < 0) {
			if (!strstr(e.text, row[i].name))
				fail_msg("%s: %s", row[i].arg, e.text);
			continue;
		}
		assert_string_equal(path, row[i].path);
		assert_string_equal(name, row[i].name);
		free(path);
	}
}

static char dir[] = "/tmp/wgns-test-XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir) || chdir(dir) < 0)
		return -1;
	return mkdir("folder", 0700) < 0 || mkfifo("fifo", 0600) < 0 || symlink("loop", "loop") < 0;
}

static int remove_dir(void **state)
{
	(void)state;
	return unlink("fifo") < 0 || unlink("loop") < 0 || rmdir("folder") < 0 || chdir("/") < 0 ||
	       rmdir(dir) < 0;
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	FILE *f = fopen(name, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fchmod(fileno(f), mode), 0);
	assert_int_equal(fclose(f), 0);
}

static void test_wgquick_read_refuses_what_is_no_file(void **state)
{
	static const struct {
		const char *path;
		int rc;
		const char *says;
	} row[] = {
		{ "folder", -EISDIR, "folder is a folder, not a file" },
		{ "fifo", -EINVAL, "fifo is a FIFO, not a file" },
		{ "loop", -ELOOP, "open loop: Too many levels of symbolic links" },
		{ "missing", -ENOENT, "open missing: No such file or directory" },
		{ "/dev/null", -EINVAL, "/dev/null is a device, not a file" },
	};

	(void)state;
	for (size_t i = 0; i < N(row); i++) {
		struct diag_list diags = { 0 };
		struct wgquick_file file;
		struct err e;

		assert_int_equal(wgquick_read(row[i].path, &file, &diags, &e), row[i].rc);
		assert_string_equal(e.text, row[i].says);
	}
}

static void test_wgquick_read_warns_of_modes(void **state)
{
	static const struct {
		mode_t folder, file;
		const char *says[2];
	} row[] = {
		{ 0755, 0600, { NULL, NULL } },
		{ 0755, 0644, { "world-readable", NULL } },
		{ 0755, 0640, { "group-readable", NULL } },
		{ 0755, 0660, { "group-readable", "group-writable" } },
		{ 0755, 0602, { "world-writable", NULL } },
		{ 0700, 0666, { NULL, NULL } },
		{ 0710, 0644, { "group-readable", NULL } },
	};

	(void)state;
	for (size_t i = 0; i < N(row); i++) {
		struct diag_list diags = { 0 };
		struct wgquick_file file;
		struct err e;

		write_file("folder/wg0.conf", "[Interface]\n", row[i].file);
		assert_int_equal(chmod("folder", row[i].folder), 0);
		assert_int_equal(wgquick_read("folder/wg0.conf", &file, &diags, &e), 0);
		assert_string_equal(file.text, "[Interface]\n");
		size_t n = 0;
		while (n < 2 && row[i].says[n])
			n++;
		assert_int_equal(diags.n_items, n);
		for (size_t k = 0; k < n; k++)
			assert_non_null(strstr(diags.items[k].text, row[i].says[k]));
		wgquick_file_free(&file);
		diag_free(&diags);
		assert_int_equal(chmod("folder", 0700), 0);
		assert_int_equal(unlink("folder/wg0.conf"), 0);
	}
}

/* everyone may write into /tmp */
static void test_wgquick_read_trusts_no_folder_of_others(void **state)
{
	struct diag_list diags = { 0 };
	struct wgquick_file file;
	struct stat st;
	struct err e;

	(void)state;
	write_file("wg0.conf", "", 0600);
	assert_int_equal(stat("wg0.conf", &st), 0);
	assert_int_equal(symlink("../wg0.conf", "folder/wg1.conf"), 0);
	assert_int_equal(wgquick_read("folder/wg1.conf", &file, &diags, &e), 0);
	assert_false(file.is_trusted);
	assert_true(file.untrusted[0] != '\0');
	assert_true(file.ino == st.st_ino);
	wgquick_file_free(&file);
	assert_int_equal(unlink("folder/wg1.conf"), 0);
	assert_int_equal(unlink("wg0.conf"), 0);
}

static void test_wgquick_parse_takes_large_and_binary_files(void **state)
{
	static const char *const head[] = { "",
					    "[Interface]\nAddress=",
					    "[Interface]\nPostUp=",
					    "[Peer]\nAllowedIPs=",
					    "[Peer]\nEndpoint=[",
					    "[" };
	const size_t len = 10u << 20;
	char *text = malloc(len);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < N(head); i++) {
		/* one line, then bytes of every value */
		for (unsigned kind = 0; kind < 2; kind++) {
			struct diag_list diags = { 0 };
			struct wgquick conf;

			memset(text, 'x', len);
			for (size_t k = 0; kind && k < len; k++)
				text[k] = (char)(k * 2654435761u >> 13);
			memcpy(text, head[i], strlen(head[i]));
			if (wgquick_parse(text, len, "wg0", &conf, &diags) == 0)
				wgquick_free(&conf);
			diag_free(&diags);
		}
	}
	free(text);
}

static void test_wgquick_parse_ignores_nul_bytes_aloud(void **state)
{
	static const char text[] = "[Interface]\nMT\0U = 14\0"
				   "00\n";
	struct diag_list diags = { 0 };
	struct wgquick conf;

	(void)state;
	assert_int_equal(wgquick_parse(text, sizeof(text) - 1, "wg0", &conf, &diags), 0);
	assert_int_equal(conf.mtu, 1400);
	assert_int_equal(diags.items[0].line, 2);
	assert_int_equal(diags.items[0].col, 3);
	assert_non_null(strstr(diags.items[0].text, "2 NUL bytes"));
	wgquick_free(&conf);
	diag_free(&diags);
}

static void test_wgquick_parse_takes_many_peers(void **state)
{
	struct diag_list diags = { 0 };
	struct strbuf b = { 0 };
	struct wgquick conf;

	(void)state;
	strbuf_addf(&b, "[Interface]\nPrivateKey=" KEY "\n");
	for (unsigned i = 0; i < 10000; i++) {
		struct key key = { { 0 } };
		char text[KEY_BASE64_LEN + 1];

		memcpy(key.bytes, &i, sizeof(i));
		key.bytes[31] = 1;
		key_format(&key, text);
		strbuf_addf(&b, "[Peer]\nPublicKey=%s\nAllowedIPs=10.%u.%u.0/24,fd00:%x::/32\n",
			    text, i >> 8, i & 255, i);
	}
	assert_int_equal(wgquick_parse(b.s, b.len, "wg0", &conf, &diags), 0);
	assert_int_equal(conf.device.n_peers, 10000);
	assert_int_equal(conf.device.peers[9999].n_allowed_ips, 2);
	assert_int_equal(diags.n_items, 0);
	wgquick_free(&conf);
	strbuf_free(&b);
}

/* no piece of eight characters of a key comes back in any message, whatever is wrong around it */
static void test_wgquick_parse_keeps_keys_out_of_messages(void **state)
{
	static const char *const around[] = {
		"[Interface]\nPrivateKey=%sx\n",
		"[Interface]\nPrivatKey=%s\n",
		"[Interface]\nPrivateKey %s\n",
		"[Interface]\n%s\n",
		"[Interface]\nMTU=%s\n",
		"[Interface]\nTable=%s\n",
		"[Interface]\nAddress=%s\n",
		"[Interface]\nDNS=%s,1.2.3.4:5:6\n",
		"[Interface]\nListenPort=%s\n",
		"[Interface]\nFwMark=%s\n",
		"[Interface]\nSaveConfig=%s\n",
		"[%s]\n",
		"[Interface]\n%s=x\n",
		"[Peer]\nPresharedKey=\"%s\"\n",
		"[Peer]\nAllowedIPs=%s/8\n",
		"[Peer]\nEndpoint=%s\n",
		"[Peer]\nEndpoint=%s:x\n",
		"[Peer]\nPersistentKeepalive=%s\n",
		"[Interface]\nPrivateKey=x;%s\n",
		"%s\n",
	};
	char line[1024], piece[9] = "";

	(void)state;
	for (size_t i = 0; i < N(around) * 2; i++) {
		/* whole, or where a key belongs broken after the 12th character */
		static const char *const keys[] = { KEY, "AQIDBAUGBwgJ\nCgsMDQ4PEBESExQVFhcY" };
		struct diag_list diags = { 0 };
		struct strbuf b = { 0 };
		struct wgquick conf;

		if (i % 2 && i / 2 > 3)
			continue;
		const char *at = strstr(around[i / 2], "%s");
		strbuf_addf(&b, "%.*s%s%s", (int)(at - around[i / 2]), around[i / 2], keys[i % 2],
			    at + 2);
		if (wgquick_parse(b.s, b.len, "wg0", &conf, &diags) == 0)
			wgquick_free(&conf);
		strbuf_free(&b);
		for (size_t d = 0; d < diags.n_items; d++) {
			diag_format(&diags, &diags.items[d], line, sizeof(line));
			for (size_t k = 0; k + 8 <= strlen(KEY); k++) {
				memcpy(piece, &KEY[k], 8);
				if (strstr(line, piece))
					fail_msg("%s in: %s", piece, line);
			}
		}
		diag_free(&diags);
	}
}

static void test_wgquick_table_by_name(void **state)
{
	static const struct {
		const char *name;
		int rc;
		uint32_t number;
	} row[] = {
		{ "main", 0, 254 },	 { "first", 0, 100 },	    { "hex", 0, 0x20 },
		{ "extra", 0, 7777 },	 { "comment", -ENOENT, 0 }, { "100", -ENOENT, 0 },
		{ "other", -ENOENT, 0 },
	};
	const char *const dirs[] = { "missing", "." };

	(void)state;
	write_file("rt_tables", "#\n100\tfirst # x\n0x20 hex\n#9 comment\nx broken\n", 0600);
	assert_int_equal(mkdir("rt_tables.d", 0700), 0);
	write_file("rt_tables.d/a.conf", "7777 extra\n", 0600);
	write_file("rt_tables.d/a.txt", "1 other\n", 0600);
	for (size_t i = 0; i < N(row); i++) {
		uint32_t number = 0;

		assert_int_equal(wgquick_table_by_name(dirs, 2, row[i].name, &number), row[i].rc);
		if (row[i].rc == 0)
			assert_int_equal(number, row[i].number);
	}
	assert_int_equal(unlink("rt_tables.d/a.conf"), 0);
	assert_int_equal(unlink("rt_tables.d/a.txt"), 0);
	assert_int_equal(rmdir("rt_tables.d"), 0);
	assert_int_equal(unlink("rt_tables"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wgquick_resolve_path),
		cmocka_unit_test(test_wgquick_read_refuses_what_is_no_file),
		cmocka_unit_test(test_wgquick_read_warns_of_modes),
		cmocka_unit_test(test_wgquick_read_trusts_no_folder_of_others),
		cmocka_unit_test(test_wgquick_parse_takes_large_and_binary_files),
		cmocka_unit_test(test_wgquick_parse_ignores_nul_bytes_aloud),
		cmocka_unit_test(test_wgquick_parse_takes_many_peers),
		cmocka_unit_test(test_wgquick_parse_keeps_keys_out_of_messages),
		cmocka_unit_test(test_wgquick_table_by_name),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
