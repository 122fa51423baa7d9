// SPDX-License-Identifier: GPL-2.0-or-later
/* names and arguments of browsers, snaps, X servers; who runs already is in test_browser_running.c */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../cmd/browser.h"
#include "wgns/fd.h"

static void test_browser_kind_is_told_by_the_last_part_of_the_name(void **state)
{
	(void)state;
	static const struct {
		const char *program;
		enum browser kind;
	} rows[] = {
		{ "chromium", BROWSER_CHROMIUM },
		{ "/usr/bin/chromium", BROWSER_CHROMIUM },
		{ "../google-chrome-beta", BROWSER_CHROMIUM },
		{ "brave-browser", BROWSER_CHROMIUM },
		{ "microsoft-edge-stable", BROWSER_CHROMIUM },
		{ "vivaldi", BROWSER_CHROMIUM },
		{ "opera", BROWSER_CHROMIUM },
		{ "firefox", BROWSER_FIREFOX },
		{ "/usr/lib/firefox-esr/firefox-esr", BROWSER_FIREFOX },
		{ "librewolf", BROWSER_FIREFOX },
		{ "thunderbird", BROWSER_FIREFOX },
		{ "", BROWSER_NONE },
		{ "curl", BROWSER_NONE },
		{ "chromium/", BROWSER_NONE },
		{ "chromium-bsu", BROWSER_NONE },
		{ "Chromium", BROWSER_NONE },
		{ "/chromium/x", BROWSER_NONE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(browser_kind(rows[i].program), rows[i].kind);
}

/* argv of one line, cut at blanks; @words is what it is cut in */
static char **cut(char *words, char *argv[16])
{
	size_t n = 0;
	char *rest = NULL;

	for (char *w = strtok_r(words, " ", &rest); w; w = strtok_r(NULL, " ", &rest)) {
		assert_in_range(n, 0, 14);
		argv[n++] = w;
	}
	argv[n] = NULL;
	return argv;
}

static int fresh(const char *line, const char *dir, char joined[1024], struct err *e)
{
	char words[256], *argv[16], buf[BROWSER_ARGS_CAP], *args[BROWSER_ARGS_MAX];

	(void)snprintf(words, sizeof(words), "%s", line);
	memset(buf, 'x', sizeof(buf));
	int n = browser_fresh_args(cut(words, argv), dir, buf, args, e);
	joined[0] = '\0';
	for (int i = 0; i < n; i++) {
		strncat(joined, i ? " " : "", 1023 - strlen(joined));
		strncat(joined, args[i], 1023 - strlen(joined));
	}
	return n;
}

static void test_browser_fresh_args_of_chromium(void **state)
{
	(void)state;
	struct err e = { 0 };
	char joined[1024];

	assert_int_equal(fresh("/usr/bin/chromium http://a/ --incognito", "/run/d", joined, &e), 4);
	assert_string_equal(joined, "--user-data-dir=/run/d --no-first-run "
				    "--no-default-browser-check --password-store=basic");
	assert_int_equal(e.code, 0);
}

static void test_browser_fresh_args_of_firefox(void **state)
{
	(void)state;
	struct err e = { 0 };
	char joined[1024];

	assert_int_equal(fresh("firefox-esr --private-window", "/run/d", joined, &e), 4);
	assert_string_equal(joined, "--profile /run/d --new-instance --no-remote");
	assert_int_equal(e.code, 0);
}

static void test_browser_fresh_args_refuse_a_second_profile(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"chromium --user-data-dir=/d",
		"chromium -user-data-dir=/d",
		"chromium http://a/ --user-data-dir",
		"chromium -- --user-data-dir=/d",
		"firefox --profile /d",
		"firefox http://a/ -PROFILE=/d",
		"firefox -P",
		"firefox -P work",
		"firefox --p=work",
		"firefox -ProfileManager",
		"firefox --CreateProfile x",
	};
	char joined[1024];

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct err e = { 0 };
		assert_int_equal(fresh(lines[i], "/d", joined, &e), -EINVAL);
		assert_non_null(strstr(e.text, "would get a fresh profile, and -"));
		assert_string_equal(e.hint, "leave one of the two away");
	}

	struct err e = { 0 };
	assert_int_equal(
		fresh("chromium --profile /d --user-data-dirs=/x user-data-dir", "/d", joined, &e),
		4);
	assert_int_equal(
		fresh("firefox --profiles x --user-data-dir=x P --private", "/d", joined, &e), 4);
	assert_int_equal(fresh("firefox --profile /d", "/d", joined, &e), -EINVAL);
	assert_string_equal(e.text,
			    "firefox would get a fresh profile, and --profile names another");
}

static void test_browser_fresh_args_refuse_other_programs(void **state)
{
	(void)state;
	struct err e = { 0 };
	char joined[1024];

	assert_int_equal(fresh("curl http://a/", "/d", joined, &e), -EINVAL);
	assert_string_equal(
		e.text, "curl is no browser that wgns knows: it cannot be given a fresh profile");
}

static void test_browser_fresh_args_refuse_a_folder_that_does_not_fit(void **state)
{
	(void)state;
	char dir[BROWSER_ARGS_CAP + 1], joined[1024];

	for (size_t len = 1; len < sizeof(dir); len++) {
		struct err e = { 0 };
		memset(dir, 'd', len);
		dir[len] = '\0';
		int n = fresh("chromium", dir, joined, &e);
		assert_int_equal(n, len <= BROWSER_ARGS_CAP / 2 ? 4 : -ENAMETOOLONG);
		assert_true(n < 0 || strstr(joined, "basic"));
	}
}

/* a temporary folder with a script in it */
struct folder {
	char path[32], program[64];
};

static void make_script_in(const struct folder *f, const char *text, size_t len, mode_t mode)
{
	struct err e = { 0 };

	AUTO_FD int dir = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(fd_replace_file_at(dir, "prog", text, len, mode, &e), 0);
}

static void make_script(struct folder *f, const char *text, size_t len, mode_t mode)
{
	(void)snprintf(f->path, sizeof(f->path), "/tmp/test_browser.XXXXXX");
	assert_non_null(mkdtemp(f->path));
	(void)snprintf(f->program, sizeof(f->program), "%s/prog", f->path);
	make_script_in(f, text, len, mode);
}

static void remove_script(const struct folder *f)
{
	assert_return_code(unlink(f->program), errno);
	assert_return_code(rmdir(f->path), errno);
}

static void test_browser_check_snap_finds_a_script_that_starts_one(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int rc;
	} rows[] = {
		{ "#!/bin/sh\nexec /snap/bin/firefox \"$@\"\n", -EPERM },
		{ "#!/bin/sh\n[ -x /snap/bin/x ] || exit\n", -EPERM },
		{ "exec /snap/bin/firefox\n", 0 },
		{ "!!/snap/bin/firefox\n", 0 },
		{ "#!/bin/sh\nPATH=/snap/bin:$PATH exec firefox\n", 0 },
		{ "#!", 0 },
		{ "", 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = { 0 };
		struct folder f;
		make_script(&f, rows[i].text, strlen(rows[i].text), 0755);
		int rc = browser_check_snap(f.program, NULL, &e);
		remove_script(&f);
		assert_int_equal(rc, rows[i].rc);
		assert_int_equal(e.code, -rows[i].rc);
	}
}

static void test_browser_check_snap_reads_the_beginning_of_a_script_only(void **state)
{
	(void)state;
	static char text[8192];
	struct folder f;
	struct err e = { 0 };

	memset(text, ' ', sizeof(text));
	memcpy(text, "#!/bin/sh\n", 10);
	memcpy(text + 4096 - 10, "/snap/bin/", 10);
	make_script(&f, text, sizeof(text), 0755);
	assert_int_equal(browser_check_snap(f.program, NULL, &e), -EPERM);
	remove_script(&f);
	memset(text + 4096 - 10, ' ', 10);
	memcpy(text + 4096 - 9, "/snap/bin/", 10);
	make_script(&f, text, sizeof(text), 0755);
	assert_int_equal(browser_check_snap(f.program, NULL, &e), 0);
	remove_script(&f);
}

static void test_browser_check_snap_takes_what_path_finds_first(void **state)
{
	(void)state;
	static const char snap[] = "#!/bin/sh\nexec /snap/bin/prog\n", other[] = "#!/bin/sh\n";
	struct folder a, b, c;
	char path[128];
	struct err e = { 0 };

	make_script(&a, snap, sizeof(snap) - 1, 0644); /* not executable: passed over */
	make_script(&b, other, sizeof(other) - 1, 0755);
	make_script(&c, snap, sizeof(snap) - 1, 0755);
	(void)snprintf(path, sizeof(path), "/nonexistent:%s:%s:%s", a.path, b.path, c.path);
	assert_int_equal(browser_check_snap("prog", path, &e), 0);
	/* a folder of that name is no program */
	assert_return_code(unlink(a.program), errno);
	assert_return_code(mkdir(a.program, 0755), errno);
	(void)snprintf(path, sizeof(path), "%s:%s", a.path, c.path);
	assert_int_equal(browser_check_snap("prog", path, &e), -EPERM);
	assert_return_code(rmdir(a.program), errno);
	make_script_in(&a, snap, sizeof(snap) - 1, 0644);
	(void)snprintf(path, sizeof(path), "%s:/etc/passwd:%s:%s", a.path, c.path, b.path);
	assert_int_equal(browser_check_snap("prog", path, &e), -EPERM);
	assert_string_equal(
		e.text, "prog is a snap: its set-user-ID start-up cannot work under no_new_privs");
	assert_non_null(strstr(e.hint, "another package"));
	assert_int_equal(browser_check_snap("prog", NULL, &e), 0);
	assert_int_equal(browser_check_snap("prog", "", &e), 0);
	assert_int_equal(browser_check_snap("", path, &e), 0);

	/* an empty part is the working directory */
	AUTO_FD int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_return_code(chdir(c.path), errno);
	int rc = browser_check_snap("prog", "/nonexistent:", &e);
	int rc_first = browser_check_snap("prog", ":/nonexistent", &e);
	assert_return_code(fchdir(here), errno);
	assert_int_equal(rc, -EPERM);
	assert_int_equal(rc_first, -EPERM);
	remove_script(&a);
	remove_script(&b);
	remove_script(&c);
}

static void test_browser_check_snap_takes_any_path(void **state)
{
	(void)state;
	static char path[3 * 8192];
	struct err e = { 0 };

	memset(path, 'p', sizeof(path) - 1);
	assert_int_equal(browser_check_snap("prog", path, &e), 0);
	memset(path, ':', sizeof(path) - 1);
	assert_int_equal(browser_check_snap("no-such-program", path, &e), 0);
	memset(path, '/', sizeof(path) - 1);
	assert_int_equal(browser_check_snap(path, "/bin", &e), 0);
	assert_int_equal(browser_check_snap("/dev/null", NULL, &e), 0);
	assert_int_equal(browser_check_snap("/", NULL, &e), 0);
}

static void require_root(void)
{
	if (geteuid() == 0)
		return;
	print_message("needs root: makes mounts of its own\n");
	skip();
}

/* @work in a child with mounts of its own; it returns 0 or the number of a line */
static void in_own_mounts(int (*work)(void))
{
	int status;
	pid_t pid = fork();

	assert_return_code(pid, errno);
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) < 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
			_exit(255);
		_exit(work());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static bool make_program(const char *path)
{
	AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	return fd >= 0 && fchmod(fd, 0755) == 0;
}

static int look_for_snaps(void)
{
	static const struct {
		const char *program;
		int rc;
	} rows[] = {
		{ "firefox", -EPERM }, /* /snap/bin style: a link to snap */
		{ "link-to-link", -EPERM }, { "/usr/bin/snap", -EPERM }, { "inside", -EPERM },
		{ "snapper", 0 },	    { "dangling", 0 },		 { "loop", 0 },
		{ "no-such", 0 },
	};
	struct err e = { 0 };

	if (mount("t", "/usr/bin", "tmpfs", 0, "mode=0755") < 0 ||
	    mount("t", "/var/lib", "tmpfs", 0, "mode=0755") < 0)
		return 1;
	if (!make_program("/usr/bin/snap") || !make_program("/usr/bin/snapper") ||
	    mkdir("/var/lib/snapd", 0755) < 0 || mkdir("/var/lib/snapd/snap", 0755) < 0 ||
	    !make_program("/var/lib/snapd/snap/inside"))
		return 2;
	if (symlink("snap", "/usr/bin/firefox") < 0 ||
	    symlink("/usr/bin/firefox", "/usr/bin/link-to-link") < 0 ||
	    symlink("/nonexistent", "/usr/bin/dangling") < 0 ||
	    symlink("loop", "/usr/bin/loop") < 0)
		return 3;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (browser_check_snap(rows[i].program, "/usr/bin:/var/lib/snapd/snap", &e) !=
		    rows[i].rc)
			return 10 + (int)i;
	}
	/* the default of execvp(3) has /usr/bin */
	return browser_check_snap("firefox", NULL, &e) == -EPERM ? 0 : 4;
}

static void test_browser_check_snap_follows_links_to_snap(void **state)
{
	(void)state;
	require_root();
	in_own_mounts(look_for_snaps);
}

static void test_browser_check_display_knows_tcp_and_paths(void **state)
{
	(void)state;
	static const struct {
		const char *display;
		bool can_reach;
	} rows[] = {
		{ NULL, true },
		{ "", true },
		{ "nonsense", true }, /* X itself refuses it, everywhere */
		{ ":", true },
		{ ":x", true },
		{ "/tmp/launch-1/org.xquartz:0", true },
		{ "unix:/tmp/socket", true },
		{ "unix:/tmp/socket:0", true },
		{ "localhost:10.0", false },
		{ "127.0.0.1:0", false },
		{ "[::1]:10", false },
		{ "::1:10", false },
		{ "host.example:0.1", false },
		{ "tcp/localhost:10", false },
		{ "inet6/unixen:1", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char why[256] = "";
		assert_int_equal(browser_check_display(rows[i].display, why, sizeof(why)),
				 rows[i].can_reach);
		assert_int_equal(why[0] == '\0', rows[i].can_reach);
		assert_true(rows[i].can_reach || strstr(why, "TCP"));
	}
}

static bool listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); /* until the child ends */

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	       listen(fd, 1) == 0;
}

static int look_for_displays(void)
{
	static const struct {
		const char *display;
		bool can_reach;
	} rows[] = {
		{ ":7", true },
		{ ":7.0", true },
		{ "unix:7", true },
		{ "unix/host:7.1", true },
		{ "/x:8", true },
		{ ":8", false },
		{ "unix:8.0", false },
		{ "tcp/unix:7", true },
		{ "unix/:8", false },
		{ ":9", false },
		{ ":10", false },
		{ ":11", false },
		{ ":99999999999999999999", false },
	};
	char why[256];

	if (mount("t", "/tmp", "tmpfs", 0, "mode=1777") < 0 || mkdir("/tmp/.X11-unix", 01777) < 0)
		return 1;
	if (!listen_at("/tmp/.X11-unix/X7") || mkfifo("/tmp/.X11-unix/X9", 0600) < 0 ||
	    symlink("X10", "/tmp/.X11-unix/X10") < 0 || mkdir("/tmp/.X11-unix/X11", 0700) < 0)
		return 2;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (browser_check_display(rows[i].display, why, sizeof(why)) != rows[i].can_reach)
			return 10 + (int)i;
	}
	if (browser_check_display(":8", why, sizeof(why)) ||
	    strcmp(why, "the X server of DISPLAY has no socket /tmp/.X11-unix/X8: an abstract one "
			"cannot be reached from a box") != 0)
		return 3;
	memset(why, '#', sizeof(why));
	return !browser_check_display(":8", why, 10) && strlen(why) == 9 && why[10] == '#' ? 0 : 4;
}

static void test_browser_check_display_wants_a_path_socket(void **state)
{
	(void)state;
	require_root();
	in_own_mounts(look_for_displays);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_browser_kind_is_told_by_the_last_part_of_the_name),
		cmocka_unit_test(test_browser_fresh_args_of_chromium),
		cmocka_unit_test(test_browser_fresh_args_of_firefox),
		cmocka_unit_test(test_browser_fresh_args_refuse_a_second_profile),
		cmocka_unit_test(test_browser_fresh_args_refuse_other_programs),
		cmocka_unit_test(test_browser_fresh_args_refuse_a_folder_that_does_not_fit),
		cmocka_unit_test(test_browser_check_snap_finds_a_script_that_starts_one),
		cmocka_unit_test(test_browser_check_snap_reads_the_beginning_of_a_script_only),
		cmocka_unit_test(test_browser_check_snap_takes_what_path_finds_first),
		cmocka_unit_test(test_browser_check_snap_takes_any_path),
		cmocka_unit_test(test_browser_check_snap_follows_links_to_snap),
		cmocka_unit_test(test_browser_check_display_knows_tcp_and_paths),
		cmocka_unit_test(test_browser_check_display_wants_a_path_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
