// SPDX-License-Identifier: GPL-2.0-or-later
/* profiles in files: where they are looked for, who could have written them, and those that are shipped */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wgns/profile.h"
#include "wgns/str.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define BIT(number) (UINT64_C(1) << (number))
#define DIR_ETC "/mnt/etc"
#define DIR_SHARE "/mnt/share"

static const char *const dirs[] = { DIR_ETC, DIR_SHARE };

/* @expected: the strings with a blank behind each */
static void assert_list(char *const *list, size_t n, const char *expected)
{
	AUTO_STRBUF struct strbuf b = { 0 };

	for (size_t i = 0; i < n; i++)
		strbuf_addf(&b, "%s ", list[i]);
	AUTO_FREE char *text = strbuf_finish(&b);
	assert_string_equal(text, expected);
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
	return mkdir(DIR_ETC, 0755) < 0 || mkdir(DIR_SHARE, 0755) < 0;
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

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fchmod(fileno(f), mode), 0);
	assert_int_equal(fclose(f), 0);
}

/* empty folders again */
static int clean_mnt(void **state)
{
	(void)state;
	return has_private_mnt && system("rm -rf " DIR_ETC "/* " DIR_SHARE "/*") != 0;
}

static void test_profile_read_first_folder_wins(void **state)
{
	static const char *const later[] = { "/mnt/nowhere", DIR_ETC, DIR_SHARE };
	struct diag_list diags = { 0 };
	struct profile p;
	struct err e;

	(void)state;
	need_mnt();
	write_file(DIR_SHARE "/web.profile", "[Profile]\nBox=one\n[Filter]\nAllow=@base\n", 0644);
	write_file(DIR_SHARE "/base.list", "execve @more\n", 0644);
	write_file(DIR_SHARE "/more.list", "read\n", 0644);
	assert_int_equal(profile_read(later, N(later), "web", &p, &diags, &e), 0);
	assert_string_equal(p.name, "web");
	assert_string_equal(p.path, DIR_SHARE "/web.profile");
	assert_string_equal(p.box, "one");
	assert_list(p.allow, p.n_allow, "execve read ");
	profile_free(&p);

	/* a list of the first folder is the list of every profile */
	write_file(DIR_ETC "/more.list", "write\n", 0644);
	assert_int_equal(profile_read(dirs, N(dirs), "web", &p, &diags, &e), 0);
	assert_string_equal(p.path, DIR_SHARE "/web.profile");
	assert_list(p.allow, p.n_allow, "execve write ");
	profile_free(&p);

	write_file(DIR_ETC "/web.profile", "[Profile]\nBox=two\n[Filter]\nDeny=@base2\n", 0644);
	write_file(DIR_ETC "/base2.list", "ptrace\n", 0644);
	assert_int_equal(profile_read(dirs, N(dirs), "web", &p, &diags, &e), 0);
	assert_string_equal(p.path, DIR_ETC "/web.profile");
	assert_string_equal(p.box, "two");
	assert_int_equal(p.n_allow, 0);
	profile_free(&p);
	assert_int_equal(diags.n_items, 0);
}

static int64_t stamp(void)
{
	struct diag_list diags = { 0 };
	struct profile p;
	struct err e;

	assert_int_equal(profile_read(dirs, N(dirs), "web", &p, &diags, &e), 0);
	int64_t value = p.stamp;
	profile_free(&p);
	assert_true(value >= 0);
	return value;
}

/* by contents: what is installed anew with the same text has not changed */
static void test_profile_read_stamps_all_texts(void **state)
{
	static const char *const files[] = { DIR_ETC "/web.profile", DIR_ETC "/deep.list",
					     DIR_SHARE "/base.list" };
	static const char *const before[] = { "[Filter]\nAllow=@base\n", "execve\n", "@deep\n" };
	static const char *const after[] = { "[Filter]\nAllow=@base\n#\n", "execve\nread\n",
					     "@deep\n\n" };

	(void)state;
	need_mnt();
	for (size_t i = 0; i < N(files); i++)
		write_file(files[i], before[i], 0644);
	int64_t first = stamp();
	for (size_t i = 0; i < N(files); i++) {
		write_file(files[i], after[i], 0644);
		assert_true(stamp() != first);
		write_file(files[i], before[i], 0644);
		assert_true(stamp() == first);
	}
	/* a file that takes the place of another one, with the text of it moved elsewhere */
	write_file(files[1], "execve", 0644);
	write_file(files[2], "\n@deep\n", 0644);
	assert_true(stamp() != first);
}

static void test_profile_read_taken_away(void **state)
{
	struct diag_list diags = { 0 };
	struct profile p;
	struct err e;

	(void)state;
	need_mnt();
	write_file(DIR_SHARE "/web.profile", "", 0644);
	assert_int_equal(symlink("/dev/null", DIR_ETC "/web.profile"), 0);
	assert_int_equal(profile_read(dirs, N(dirs), "web", &p, &diags, &e), -ENODEV);
	assert_string_equal(e.text, DIR_ETC "/web.profile leads to /dev/null: it is taken away");
	diag_free(&diags);
}

static void test_profile_read_refuses_names(void **state)
{
	static const char *const bad[] = { "",	  ".",	  "..",	 ".a",	 "-a",
					   "a/b", "../a", "a b", "a\nb", "\xc3\xa4" };
	char name[PROFILE_NAME_MAX + 2];
	struct diag_list diags = { 0 };
	struct profile p;
	struct err e;

	(void)state;
	for (size_t i = 0; i < N(bad); i++) {
		if (profile_read(dirs, N(dirs), bad[i], &p, &diags, &e) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
		assert_non_null(strstr(e.text, "is not the name of a profile"));
	}
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(profile_read(dirs, N(dirs), name, &p, &diags, &e), -EINVAL);
	name[PROFILE_NAME_MAX] = '\0';
	assert_int_equal(profile_read(dirs, N(dirs), name, &p, &diags, &e), -ENOENT);
	assert_int_equal(profile_read(dirs, N(dirs), "_a.b+c-9", &p, &diags, &e), -ENOENT);
	assert_string_equal(e.text, "there is no profile _a.b+c-9: no _a.b+c-9.profile in " DIR_ETC
				    ", " DIR_SHARE);
	assert_int_equal(diags.n_items, 0);
}

static void test_profile_read_says_the_first_problem(void **state)
{
	struct diag_list diags = { 0 };
	struct profile p;
	char text[600];
	struct err e;

	(void)state;
	need_mnt();
	write_file(DIR_ETC "/web.profile", "[Profile]\nBox=physical\n[Filter]\nAllow=@base @x\n",
		   0644);
	write_file(DIR_SHARE "/base.list", "execve\nsockett\n", 0644);
	assert_int_equal(profile_read(dirs, N(dirs), "web", &p, &diags, &e), -EINVAL);
	assert_string_equal(e.text,
			    DIR_SHARE "/base.list:2:1: unknown system call; perhaps meant: socket");
	assert_int_equal(diags.n_items, 2);
	diag_format(&diags, &diags.items[1], text, sizeof(text));
	assert_string_equal(text, DIR_ETC "/web.profile:4:13: `@x': there is no such list");
	diag_free(&diags);

	assert_int_equal(unlink(DIR_ETC "/web.profile"), 0);
	assert_int_equal(symlink("nowhere", DIR_ETC "/web.profile"), 0);
	write_file(DIR_SHARE "/web.profile", "", 0644);
	assert_int_equal(profile_read(dirs, N(dirs), "web", &p, &diags, &e), -EINVAL);
	assert_string_equal(e.text, DIR_ETC "/web.profile is a symlink to nothing");

	/* as for systemd's units, a way to take a profile away */
	assert_int_equal(unlink(DIR_ETC "/web.profile"), 0);
	assert_int_equal(symlink("/dev/zero", DIR_ETC "/web.profile"), 0);
	assert_int_equal(profile_read(dirs, N(dirs), "web", &p, &diags, &e), -EINVAL);
	assert_string_equal(e.text, DIR_ETC "/web.profile is not a regular file");

	/* a symlink is as good as what it leads to */
	assert_int_equal(unlink(DIR_ETC "/web.profile"), 0);
	assert_int_equal(symlink(DIR_SHARE "/web.profile", DIR_ETC "/web.profile"), 0);
	assert_int_equal(profile_read(dirs, N(dirs), "web", &p, &diags, &e), 0);
	profile_free(&p);

	assert_int_equal(truncate(DIR_SHARE "/web.profile", PROFILE_FILE_MAX + 1), 0);
	assert_int_equal(profile_read(dirs, N(dirs), "web", &p, &diags, &e), -EFBIG);
	assert_int_equal(diags.n_items, 0);
}

static void test_profile_read_trusts_root_alone(void **state)
{
	static const struct {
		mode_t folder, file, list;
		uid_t owner;
		int rc;
		const char *says;
	} row[] = {
		{ 0755, 0644, 0644, 0, 0, NULL },
		{ 0755, 0664, 0644, 0, -EPERM, "web.profile is writable by its group" },
		{ 0755, 0646, 0644, 0, -EPERM, "web.profile is writable by everyone" },
		{ 0755, 0644, 0644, 1234, -EPERM, "web.profile belongs to uid 1234" },
		{ 0775, 0644, 0644, 0, -EPERM, DIR_ETC " is writable by its group" },
		{ 01777, 0644, 0644, 0, -EPERM, DIR_ETC " is writable by everyone" },
		{ 0755, 0644, 0664, 0, -EPERM, "base.list is writable by its group" },
	};

	(void)state;
	need_mnt();
	for (size_t i = 0; i < N(row); i++) {
		struct diag_list diags = { 0 };
		struct profile p;
		struct err e = { 0 };

		write_file(DIR_ETC "/web.profile", "[Filter]\nAllow=@base\n", row[i].file);
		write_file(DIR_SHARE "/base.list", "execve\n", row[i].list);
		assert_int_equal(chown(DIR_ETC "/web.profile", row[i].owner, 0), 0);
		assert_int_equal(chmod(DIR_ETC, row[i].folder), 0);
		assert_int_equal(profile_read(dirs, N(dirs), "web", &p, &diags, &e), row[i].rc);
		if (row[i].rc < 0) {
			if (!strstr(e.text, row[i].says))
				fail_msg("row %zu: %s", i, e.text);
			assert_non_null(strstr(e.text, "grants rights and is not root's alone: "));
			assert_non_null(strstr(e.hint, "writable by root only"));
			assert_non_null(strstr(diags.items[0].text, row[i].says));
		} else {
			profile_free(&p);
		}
		diag_free(&diags);
		assert_int_equal(chown(DIR_ETC "/web.profile", 0, 0), 0);
	}
	assert_int_equal(chmod(DIR_ETC, 0755), 0);
}

/* who can write to the first folder could have taken the file away, or put a symlink there */
static void test_profile_read_trusts_no_folder_of_others(void **state)
{
	struct diag_list diags = { 0 };
	struct profile p;
	struct err e;

	(void)state;
	need_mnt();
	write_file(DIR_SHARE "/web.profile", "", 0644);
	assert_int_equal(chown(DIR_ETC, 1234, 0), 0);
	assert_int_equal(profile_read(dirs, N(dirs), "web", &p, &diags, &e), -EPERM);
	assert_non_null(strstr(e.text, DIR_ETC " belongs to uid 1234"));
	diag_free(&diags);
	assert_int_equal(symlink(DIR_SHARE "/web.profile", DIR_ETC "/web.profile"), 0);
	assert_int_equal(profile_read(dirs, N(dirs), "web", &p, &diags, &e), -EPERM);
	diag_free(&diags);
	assert_int_equal(chown(DIR_ETC, 0, 0), 0);
	assert_int_equal(profile_read(dirs, N(dirs), "web", &p, &diags, &e), 0);
	profile_free(&p);
}

static void test_profile_names(void **state)
{
	static const char *const more[] = { "/mnt/nowhere", DIR_ETC, DIR_SHARE };
	static const char *const no_folder[] = { DIR_ETC "/web.profile" };
	char **names = NULL;
	size_t n = 0;
	struct err e;

	(void)state;
	need_mnt();
	write_file(DIR_ETC "/web.profile", "", 0644);
	write_file(DIR_ETC "/base.list", "", 0644);
	write_file(DIR_ETC "/web.profile~", "", 0644);
	write_file(DIR_ETC "/.profile", "", 0644);
	write_file(DIR_ETC "/.x.profile", "", 0644);
	write_file(DIR_SHARE "/web.profile", "", 0644);
	write_file(DIR_SHARE "/strict.profile", "", 0644);
	write_file(DIR_SHARE "/a b.profile", "", 0644);
	write_file(DIR_SHARE "/Zoo.profile", "", 0644);
	assert_int_equal(profile_names(more, N(more), &names, &n, &e), 0);
	assert_list(names, n, "Zoo strict web ");
	str_list_free(&names, &n);
	assert_int_equal(profile_names(more, 1, &names, &n, &e), 0);
	assert_int_equal(n, 0);
	str_list_free(&names, &n);
	assert_int_equal(profile_names(no_folder, 1, &names, &n, &e), -ENOTDIR);
	assert_non_null(strstr(e.text, DIR_ETC "/web.profile"));
}

/* the shipped file NAME, wherever this is built: its folder need not be root's alone */
static int give_shipped(void *ctx, const char *name, const char **file, const char **text,
			size_t *len)
{
	static char buffers[16][8192];
	size_t *n = ctx;
	char path[200];

	assert_true(*n < N(buffers));
	(void)snprintf(path, sizeof(path), "profiles/%s", name);
	if (!strchr(name, '.'))
		(void)snprintf(path, sizeof(path), "profiles/%s.list", name);
	FILE *f = fopen(path, "re");
	if (!f)
		return -errno;
	*len = fread(buffers[*n], 1, sizeof(buffers[0]), f);
	assert_true(*len < sizeof(buffers[0]) && !ferror(f));
	assert_int_equal(fclose(f), 0);
	*file = name;
	*text = buffers[(*n)++];
	return 0;
}

static void parse_text(const char *name, const char *text, size_t len, struct profile *p)
{
	size_t n = 8; /* below are those of the caller */
	const struct profile_source source = { .list = give_shipped, .ctx = &n };
	struct diag_list diags = { .file = name };
	char line[600];

	profile_init(p);
	int rc = profile_parse(text, len, &source, p, &diags);
	if (rc < 0 || diags.n_items) {
		diag_format(&diags, &diags.items[0], line, sizeof(line));
		fail_msg("%s", line);
	}
}

static void parse_shipped(const char *name, struct profile *p)
{
	const char *file, *text;
	size_t len, n = 0;

	assert_int_equal(give_shipped(&n, name, &file, &text, &len), 0);
	parse_text(name, text, len, p);
}

static void test_profile_shipped_files(void **state)
{
	static const char *const expected = "browser default dhcp shell strict supplicant ";
	static const char *const here[] = { "profiles" };
	char **names = NULL;
	size_t n = 0;
	struct err e;

	(void)state;
	assert_int_equal(profile_names(here, 1, &names, &n, &e), 0);
	assert_list(names, n, expected);
	for (size_t i = 0; i < n; i++) {
		AUTO_FREE char *file = NULL;
		struct profile p;

		assert_true(asprintf(&file, "%s.profile", names[i]) > 0);
		parse_shipped(file, &p);
		assert_string_not_equal(p.description, "");
		assert_string_equal(p.group, "");
		profile_free(&p);
	}
	str_list_free(&names, &n);
}

static void test_profile_shipped_meaning(void **state)
{
	const uint64_t net = BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW);
	static const char all_lists[] = "[Filter]\nDeny = @debug @admin @ipc\n";
	struct profile p, lists_of;

	(void)state;
	parse_shipped("default.profile", &p);
	assert_false(profile_is_for_root(&p) || profile_needs_helper(&p) || !p.may_listen);
	assert_string_equal(p.box, "");
	profile_free(&p);

	parse_shipped("browser.profile", &p);
	assert_string_equal(p.box, "physical");
	assert_true(p.is_fresh && p.hides_bus);
	assert_false(profile_is_for_root(&p) || profile_has_filter(&p));
	profile_free(&p);

	parse_shipped("dhcp.profile", &p);
	assert_true(p.capabilities == (net | BIT(CAP_NET_BIND_SERVICE)));
	assert_true(p.n_allow > 0 && p.n_families == 5 && p.has_no_new_privs);
	assert_string_equal(p.box, "physical");
	profile_free(&p);

	parse_shipped("supplicant.profile", &p);
	assert_true(p.capabilities == net);
	assert_true(p.n_allow > 0 && p.n_families == 6 && p.has_no_new_privs);
	profile_free(&p);

	parse_shipped("shell.profile", &p);
	assert_false(p.has_no_new_privs || profile_has_filter(&p));
	assert_true(p.capabilities == BIT(CAP_LAST_CAP + 1) - 1);
	profile_free(&p);

	/* what is there to be denied is in no allow-list */
	parse_shipped("strict.profile", &p);
	assert_true(p.hides_bus && !p.may_listen && !profile_is_for_root(&p));
	assert_int_equal(p.n_families, 4);
	assert_true(p.n_allow > 200);
	parse_text("all", all_lists, strlen(all_lists), &lists_of);
	assert_true(lists_of.n_deny > 80);
	for (size_t i = 0; i < p.n_allow; i++) {
		for (size_t k = 0; k < lists_of.n_deny; k++) {
			if (strcmp(p.allow[i], lists_of.deny[k]) == 0)
				fail_msg("strict allows %s", p.allow[i]);
		}
	}
	profile_free(&lists_of);
	profile_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_profile_read_first_folder_wins, clean_mnt),
		cmocka_unit_test_teardown(test_profile_read_stamps_all_texts, clean_mnt),
		cmocka_unit_test_teardown(test_profile_read_taken_away, clean_mnt),
		cmocka_unit_test_teardown(test_profile_read_refuses_names, clean_mnt),
		cmocka_unit_test_teardown(test_profile_read_says_the_first_problem, clean_mnt),
		cmocka_unit_test_teardown(test_profile_read_trusts_root_alone, clean_mnt),
		cmocka_unit_test_teardown(test_profile_read_trusts_no_folder_of_others, clean_mnt),
		cmocka_unit_test_teardown(test_profile_names, clean_mnt),
		cmocka_unit_test(test_profile_shipped_files),
		cmocka_unit_test(test_profile_shipped_meaning),
	};

	return cmocka_run_group_tests(tests, make_mnt, NULL);
}
