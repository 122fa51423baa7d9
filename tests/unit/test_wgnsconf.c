// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wgns/wgnsconf.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define DIR_ROOT "/mnt/wgns"
#define DIR_WG "/mnt/wireguard"

static int parse(const char *text, size_t len, struct wgnsconf *conf, struct diag_list *diags)
{
	wgnsconf_init(conf);
	return wgnsconf_parse(text, len, conf, diags);
}

static void test_wgnsconf_defaults(void **state)
{
	struct diag_list diags = { 0 };
	struct wgnsconf conf;

	(void)state;
	assert_int_equal(parse("\n# nothing\n", 11, &conf, &diags), 0);
	assert_false(conf.has_uplinks);
	assert_int_equal(conf.n_uplinks, 0);
	assert_string_equal(conf.backend, "auto");
	assert_string_equal(conf.daemon, "/usr/bin/wireguard-go");
	assert_false(conf.should_trust_hooks);
	assert_string_equal(conf.group, "wgns");
	wgnsconf_free(&conf);
}

static void test_wgnsconf_values(void **state)
{
	static const char text[] = "[physical]\nuplinks = eth0, wlan0 wwan0 # three\n"
				   "[Tunnel]\nBackend=Userspace\nDaemon = /opt/my go\nHooks = YES\n"
				   "[Box]\nGroup = net.admins\n[Physical]\n";
	struct diag_list diags = { 0 };
	struct wgnsconf conf;

	(void)state;
	assert_int_equal(parse(text, strlen(text), &conf, &diags), 0);
	assert_true(conf.has_uplinks);
	assert_int_equal(conf.n_uplinks, 3);
	assert_string_equal(conf.uplinks[1], "wlan0");
	assert_string_equal(conf.backend, "userspace");
	assert_string_equal(conf.daemon, "/opt/my go");
	assert_true(conf.should_trust_hooks);
	assert_string_equal(conf.group, "net.admins");

	/* a second file lies over the first */
	static const char over[] = "[Physical]\nUplinks=auto\n[Tunnel]\nHooks=no\n";
	assert_int_equal(wgnsconf_parse(over, strlen(over), &conf, &diags), 0);
	assert_false(conf.has_uplinks);
	assert_int_equal(conf.n_uplinks, 0);
	assert_false(conf.should_trust_hooks);
	assert_string_equal(conf.backend, "userspace");
	wgnsconf_free(&conf);
}

static void test_wgnsconf_refused(void **state)
{
	static const struct {
		const char *text;
		unsigned line, col;
		const char *says;
	} row[] = {
		{ "[Physcal]\n", 1, 1, "perhaps meant: [Physical]" },
		{ "[Vrf]\nUrl=x\n", 1, 1, "unknown section `[Vrf]'" },
		{ "[Physical\n", 1, 1, "unknown section" },
		{ "Hooks=yes\n", 1, 1, "belongs in [Tunnel]" },
		{ "[Box]\n  Hooks=yes\n", 2, 3, "belongs in [Tunnel]" },
		{ "[Tunnel]\nHook=yes\n", 2, 1, "perhaps meant: Hooks" },
		{ "[Tunnel]\nAgent=auto\n", 2, 1, "[Physical]" },
		{ "[Tunnel]\nHooks\n", 2, 1, "neither" },
		{ "[Tunnel]\nHooks = maybe\n", 2, 9, "yes or no" },
		{ "[Tunnel]\nHooks = yes\nhooks = no\n", 3, 1, "in line 2 already" },
		{ "[Tunnel]\nBackend = boringtun\n", 2, 11, "auto, kernel or userspace" },
		{ "[Tunnel]\nDaemon = wireguard-go\n", 2, 10, "absolute path" },
		{ "[Tunnel]\nDaemon = /usr/bin/\n", 2, 10, "absolute path" },
		{ "[Physical]\nUplinks =\n", 2, 10, "names of interfaces" },
		{ "[Physical]\nUplinks = eth0 auto\n", 2, 11, "names of interfaces" },
		{ "[Physical]\nUplinks = ../x\n", 2, 11, "names of interfaces" },
		{ "[Physical]\nUplinks = ..\n", 2, 11, "names of interfaces" },
		{ "[Physical]\nUplinks = abcdefghijklmnop\n", 2, 11, "names of interfaces" },
		{ "[Physical]\nAgent =\n", 2, 8, "names of profiles" },
		{ "[Physical]\nAgent = dhcp none\n", 2, 9, "names of profiles" },
		{ "[Physical]\nAgent = ../x\n", 2, 9, "names of profiles" },
		{ "[Physical]\nAgent = dhcp@eth0\n", 2, 9, "names of profiles" },
		{ "[Physical]\nAgent = systemd:\n", 2, 9, "names of profiles" },
		{ "[Physical]\nAgent = systemd:a/b\n", 2, 9, "names of profiles" },
		{ "[Box]\nGroup = -x\n", 2, 9, "name of a group" },
		{ "[Box]\nGroup = a b\n", 2, 9, "name of a group" },
		{ "[Box]\nGroup =\n", 2, 8, "name of a group" },
		{ "\xef\xbb\xbf[Box]\n", 1, 1, "byte order mark" },
	};

	(void)state;
	for (size_t i = 0; i < N(row); i++) {
		struct diag_list diags = { 0 };
		struct wgnsconf conf;

		if (parse(row[i].text, strlen(row[i].text), &conf, &diags) != -EINVAL)
			fail_msg("accepted: %s", row[i].text);
		const struct diag *d = &diags.items[0];
		if (d->line != row[i].line || d->col != row[i].col || !strstr(d->text, row[i].says))
			fail_msg("row %zu: %u:%u: %s", i, d->line, d->col, d->text);
		wgnsconf_free(&conf);
		diag_free(&diags);
	}

	struct diag_list diags = { 0 };
	struct wgnsconf conf;
	assert_int_equal(parse("[Box]\nGr\0up=x\n", 14, &conf, &diags), -EINVAL);
	assert_int_equal(diags.items[0].col, 3);
	wgnsconf_free(&conf);
	diag_free(&diags);
}

static bool has_private_mnt;

/* a place that is root's all the way up, and nobody else sees */
static int make_mnt(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/mnt", "tmpfs", 0, "mode=0755") < 0) {
		print_message("no private mount namespace (not root): trust is not tested\n");
		return 0;
	}
	has_private_mnt = true;
	return mkdir(DIR_ROOT, 0755) < 0 || mkdir(DIR_WG, 0755) < 0;
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fchmod(fileno(f), mode), 0);
	assert_int_equal(fclose(f), 0);
}

static void need_mnt(void)
{
	const char *must = getenv("WGNS_MUST_RUN");

	if (has_private_mnt)
		return;
	if (must && strcmp(must, "1") == 0)
		fail_msg("needs root for a private mount namespace");
	skip();
}

static void test_wgnsconf_read_two_files(void **state)
{
	struct diag_list diags = { 0 };
	struct wgnsconf conf;
	char text[300];
	struct err e;

	(void)state;
	need_mnt();
	assert_int_equal(wgnsconf_read(DIR_ROOT, "wg0", &conf, &diags, &e), 0);
	assert_string_equal(conf.group, "wgns");
	wgnsconf_free(&conf);

	write_file(DIR_ROOT "/wgns.conf", "[Box]\nGroup=one\n[Tunnel]\nBackend=kernel\n", 0644);
	write_file(DIR_ROOT "/wg0.conf", "[Box]\nGroup=two\n", 0644);
	assert_int_equal(wgnsconf_read(DIR_ROOT, NULL, &conf, &diags, &e), 0);
	assert_string_equal(conf.group, "one");
	wgnsconf_free(&conf);
	assert_int_equal(wgnsconf_read(DIR_ROOT, "wg0", &conf, &diags, &e), 0);
	assert_string_equal(conf.group, "two");
	assert_string_equal(conf.backend, "kernel");
	wgnsconf_free(&conf);

	write_file(DIR_ROOT "/wg0.conf", "[Box]\nGruop=two\n", 0644);
	assert_int_equal(wgnsconf_read(DIR_ROOT, "wg0", &conf, &diags, &e), -EINVAL);
	assert_string_equal(e.text, DIR_ROOT "/wg0.conf:2:1: unknown key; perhaps meant: Group");
	diag_format(&diags, &diags.items[0], text, sizeof(text));
	assert_string_equal(text, e.text);
	diag_free(&diags);
}

static void test_wgnsconf_read_trusts_root_alone(void **state)
{
	static const struct {
		mode_t folder, file;
		uid_t owner;
		int rc;
		const char *says;
	} row[] = {
		{ 0755, 0644, 0, 0, NULL },
		{ 0755, 0664, 0, -EPERM, "wgns.conf is writable by its group" },
		{ 0755, 0646, 0, -EPERM, "wgns.conf is writable by everyone" },
		{ 0755, 0644, 1234, -EPERM, "wgns.conf belongs to uid 1234" },
		{ 0775, 0644, 0, -EPERM, DIR_ROOT "/ is writable by its group" },
		{ 01777, 0644, 0, -EPERM, DIR_ROOT "/ is writable by everyone" },
	};

	(void)state;
	need_mnt();
	for (size_t i = 0; i < N(row); i++) {
		struct diag_list diags = { 0 };
		struct wgnsconf conf;
		struct err e;

		write_file(DIR_ROOT "/wgns.conf", "[Tunnel]\nHooks=yes\n", row[i].file);
		assert_int_equal(chown(DIR_ROOT "/wgns.conf", row[i].owner, 0), 0);
		assert_int_equal(chmod(DIR_ROOT, row[i].folder), 0);
		assert_int_equal(wgnsconf_read(DIR_ROOT, NULL, &conf, &diags, &e), row[i].rc);
		if (row[i].rc < 0)
			assert_non_null(strstr(e.text, row[i].says));
		else
			wgnsconf_free(&conf);
		diag_free(&diags);
		assert_int_equal(chown(DIR_ROOT "/wgns.conf", 0, 0), 0);
	}
	assert_int_equal(chmod(DIR_ROOT, 0755), 0);
}

static void test_wgnsconf_is_system_tunnel_by_identity(void **state)
{
	struct diag_list diags = { 0 };
	struct wgquick_file file;
	struct err e;

	(void)state;
	need_mnt();
	write_file(DIR_WG "/wg0.conf", "[Interface]\n", 0600);
	write_file("/mnt/wg0.conf", "[Interface]\n", 0600);
	assert_int_equal(symlink(DIR_WG "/wg0.conf", "/mnt/link.conf"), 0);

	assert_int_equal(wgquick_read("/mnt/wg0.conf", &file, &diags, &e), 0);
	assert_true(file.is_trusted);
	assert_false(wgnsconf_is_system_tunnel(DIR_WG, "wg0", &file));
	wgquick_file_free(&file);

	assert_int_equal(wgquick_read("/mnt/link.conf", &file, &diags, &e), 0);
	assert_true(file.is_trusted);
	assert_string_equal(file.untrusted, "");
	assert_true(wgnsconf_is_system_tunnel(DIR_WG, "wg0", &file));
	assert_false(wgnsconf_is_system_tunnel(DIR_WG, "link", &file));
	wgquick_file_free(&file);
}

static void test_wgnsconf_portal(void **state)
{
	static const struct {
		const char *text, *url, *expect;
	} rows[] = {
		{ "", PORTAL_DEFAULT_URL, PORTAL_DEFAULT_EXPECT },
		/* a URL of the user's own has no text of another's */
		{ "Url = http://a/204\n", "http://a/204", "" },
		{ "Url = http://a/\nExpect = all is well\n", "http://a/", "all is well" },
		{ "Expect = all is well\nUrl = http://a/\n", "http://a/", "all is well" },
		{ "Expect = 204\n", PORTAL_DEFAULT_URL, "" },
	};
	static const char *const bad[] = {
		"Url = https://a/\n",  "Url = a\n",   "Url =\n",	   "Expect =\n",
		"Expect = \xc3\xa4\n", "Browser =\n", "Browser = a\033b\n"
	};
	struct diag_list diags = { 0 };
	struct wgnsconf conf;
	char text[256];

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		(void)snprintf(text, sizeof(text), "[Portal]\n%s", rows[i].text);
		assert_int_equal(parse(text, strlen(text), &conf, &diags), 0);
		assert_string_equal(conf.portal_url, rows[i].url);
		assert_string_equal(conf.portal_expect, rows[i].expect);
		assert_string_equal(conf.portal_browser, "");
		wgnsconf_free(&conf);
	}
	assert_int_equal(parse("[Portal]\nBrowser = lynx -x\n", 27, &conf, &diags), 0);
	assert_string_equal(conf.portal_browser, "lynx -x");
	wgnsconf_free(&conf);
	for (size_t i = 0; i < N(bad); i++) {
		(void)snprintf(text, sizeof(text), "[Portal]\n%s", bad[i]);
		if (parse(text, strlen(text), &conf, &diags) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
		wgnsconf_free(&conf);
	}
	diag_free(&diags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wgnsconf_defaults),
		cmocka_unit_test(test_wgnsconf_values),
		cmocka_unit_test(test_wgnsconf_portal),
		cmocka_unit_test(test_wgnsconf_refused),
		cmocka_unit_test(test_wgnsconf_read_two_files),
		cmocka_unit_test(test_wgnsconf_read_trusts_root_alone),
		cmocka_unit_test(test_wgnsconf_is_system_tunnel_by_identity),
	};

	return cmocka_run_group_tests(tests, make_mnt, NULL);
}
