// SPDX-License-Identifier: GPL-2.0-or-later
#include "browser_lab.h"

#define BASE ".mozilla/firefox"
#define LINE "/usr/bin/firefox-esr http://a/"

static int open_lock(const char *dir)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/.parentlock", dir);
	return open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
}

/* as Firefox does it, with its own name in `lock` */
static int locks(const char *dir)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[512], text[64];
	int fd = open_lock(dir);

	(void)snprintf(path, sizeof(path), "%s/lock", dir);
	(void)snprintf(text, sizeof(text), "127.0.0.1:+%d", (int)getpid());
	return fd >= 0 && fcntl(fd, F_SETLK, &lock) == 0 && symlink(text, path) == 0 ? fd : -1;
}

/* for reading: Firefox, which wants to write, could not lock it either */
static int locks_without_an_owner(const char *dir)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	int fd = open_lock(dir);

	return fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock) == 0 ? fd : -1;
}

static pid_t start_browser(struct lab *lab, const char *profile, int ns_fd, uid_t uid)
{
	char dir[256], inside[256];

	(void)snprintf(inside, sizeof(inside), "%s/x", profile);
	(void)lab_path(lab, inside);
	(void)snprintf(dir, sizeof(dir), "%s", lab_path(lab, profile));
	assert_return_code(chmod(dir, 0777), errno);
	return lab_start(lab, ns_fd, uid, locks, dir);
}

static void write_ini(const struct lab *lab, const char *text)
{
	lab_file(lab, BASE "/profiles.ini", text, strlen(text));
}

static void test_firefox_is_free_when_nothing_is_there(void **state)
{
	struct lab *lab = *state;

	lab_assert_free(lab, LINE);
	(void)lab_path(lab, BASE "/p.default/x");
	lab_file(lab, BASE "/p.default/.parentlock", "", 0);
	lab_link(lab, "127.0.0.1:+1", BASE "/p.default/lock"); /* of one that crashed */
	write_ini(lab, "[Profile0]\nName=default\nIsRelative=1\nPath=p.default\n");
	lab_assert_free(lab, LINE);
	lab_assert_free(lab, "firefox -P default");
	lab_assert_free(lab, "firefox --profile /nonexistent");
	lab_assert_free(lab, "firefox --profile /etc/passwd");
}

static void test_firefox_is_taken_by_who_holds_the_lock(void **state)
{
	struct lab *lab = *state;

	(void)lab_path(lab, BASE "/other.default/x");
	pid_t pid = start_browser(lab, BASE "/p.default-esr", -1, 0);
	lab_assert_taken(lab, LINE, "firefox-esr", pid);
	lab_assert_taken(lab, "firefox", "firefox", pid);
	lab_assert_free(lab, "librewolf");
	lab_assert_free(lab, "thunderbird");
	lab_assert_free(lab, "firefox --version");
}

static void test_firefox_that_crashed_is_no_obstacle(void **state)
{
	struct lab *lab = *state;
	pid_t pid = start_browser(lab, BASE "/p.default", -1, 0);

	lab_assert_taken(lab, LINE, "firefox-esr", pid);
	assert_return_code(kill(pid, SIGKILL), errno);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	lab->n_children = 0;
	lab_assert_free(lab, LINE);
}

static void test_firefox_and_its_kin_have_folders_of_old_and_of_new(void **state)
{
	struct lab *lab = *state;
	pid_t settings = start_browser(lab, ".config/mozilla/firefox/p", -1, 0);
	pid_t wolf = start_browser(lab, ".librewolf/p", -1, 0);
	pid_t bird = start_browser(lab, ".thunderbird/p", -1, 0);
	pid_t water = start_browser(lab, "xdg/waterfox/p", -1, 0);

	lab_assert_taken(lab, LINE, "firefox-esr", settings);
	lab_assert_taken(lab, "librewolf", "librewolf", wolf);
	lab_assert_taken(lab, "thunderbird", "thunderbird", bird);
	lab_assert_free(lab, "waterfox");
	assert_return_code(setenv("XDG_CONFIG_HOME", lab_path(lab, "xdg"), 1), errno);
	lab_assert_taken(lab, "waterfox", "waterfox", water);
	lab_assert_free(lab, LINE);
}

static void test_firefox_is_judged_by_the_namespace_of_the_holder(void **state)
{
	struct lab *lab = *state;
	struct err e = { 0 };
	struct netns_id box;
	char text[128];

	lab_require_root();
	AUTO_FD int box_fd = netns_create(&e);
	assert_int_equal(netns_identify(box_fd, &box, &e), 0);
	(void)start_browser(lab, BASE "/a", box_fd, 0);
	assert_int_equal(lab_check(lab, LINE, &box, &e), 0);
	assert_int_equal(lab_check(lab, LINE, &lab->here, &e), -EBUSY);

	/* one in the box and one outside: it may be the one outside */
	pid_t outside = start_browser(lab, BASE "/b", -1, 0);
	assert_int_equal(lab_check(lab, LINE, &box, &e), -EBUSY);
	(void)snprintf(text, sizeof(text),
		       "firefox-esr already runs outside of the box (pid %d): ", (int)outside);
	assert_int_equal(strncmp(e.text, text, strlen(text)), 0);
}

static void test_firefox_options_say_which_profile(void **state)
{
	struct lab *lab = *state;
	pid_t usual = start_browser(lab, BASE "/usual", -1, 0);
	pid_t named = start_browser(lab, "named", -1, 0);
	char line[512];
	const struct {
		const char *options; /* a %s is HOME */
		pid_t pid;
	} rows[] = {
		{ "", usual },
		{ "--profile %s/named", named },
		{ "-profile %s/named", named },
		{ "http://a/ -PROFILE=%s/named", named },
		{ "--profile %s/free", 0 },
		{ "--profile=%s/free http://a/", 0 },
		{ "--profile --headless", usual }, /* Firefox refuses that itself */
		{ "--profile", usual },
		{ "--profiles %s/free", usual },
		{ "--new-instance", 0 },
		{ "-NEW-INSTANCE --profile %s/named", 0 },
		{ "--new-instance=1", usual },
		{ "--no-remote", usual }, /* means nothing any more */
		{ "--no-remote --profile %s/free", 0 },
		{ "--no-remote --profile %s/named", named },
		{ "-ProfileManager", usual },
		{ "--headless", usual },
		{ "-P free", 0 },
		{ "-p free", 0 },
		{ "--P=free", 0 },
		{ "-P usual", usual },
		{ "-P named", named },
		{ "-P unknown", usual },
		{ "-P USUAL", usual },
		{ "-P", usual },
		{ "-P --headless", usual },
		{ "-P free --profile %s/named", named }, /* --profile is the stronger one */
	};
	char ini[1024];

	(void)lab_path(lab, BASE "/free/x");
	(void)snprintf(ini, sizeof(ini),
		       "[General]\nPath=usual\nName=free\n\n"
		       "[Profile2]\r\nName=free\r\nIsRelative=1\r\nPath=free\r\n"
		       "[Profile1]\nPath=%s/named\nIsRelative=0\nName=named\n"
		       "[Profile0]\nName=usual\nIsRelative=1\nPath=usual",
		       lab->home);
	write_ini(lab, ini);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *at = strstr(rows[i].options, "%s");
		int len = (int)(at ? at - rows[i].options : (ptrdiff_t)strlen(rows[i].options));
		(void)snprintf(line, sizeof(line), "firefox %.*s%s%s", len, rows[i].options,
			       at ? lab->home : "", at ? at + 2 : "");
		if (rows[i].pid)
			lab_assert_taken(lab, line, "firefox", rows[i].pid);
		else
			lab_assert_free(lab, line);
	}
	assert_return_code(setenv("XRE_PROFILE_PATH", lab_path(lab, "named"), 1), errno);
	(void)snprintf(line, sizeof(line), "firefox --profile %s/free", lab->home);
	lab_assert_taken(lab, line, "firefox", named);
}

static void test_firefox_profiles_may_be_anywhere(void **state)
{
	struct lab *lab = *state;
	char ini[1024];

	pid_t nested = start_browser(lab, BASE "/Profiles/nested", -1, 0);
	write_ini(lab, "[Profile0]\nName=n\nIsRelative=1\nPath=Profiles/nested\n");
	lab_assert_taken(lab, LINE, "firefox-esr", nested);
	pid_t far = start_browser(lab, "elsewhere/with # in it", -1, 0);
	(void)snprintf(ini, sizeof(ini), "[Profile0]\nIsRelative=0\nPath=%s/elsewhere/with # in it",
		       lab->home);
	write_ini(lab, ini);
	lab_assert_taken(lab, LINE, "firefox-esr", far);
	write_ini(lab, "[Profile0]\nIsRelative=0\nPath=/nonexistent\n");
	lab_assert_free(lab, LINE);

	/* the folder of all may be a link to another disk, and so may a profile */
	lab_link(lab, lab_path(lab, BASE "/Profiles"), ".librewolf");
	lab_assert_taken(lab, "librewolf", "librewolf", nested);
	(void)lab_path(lab, ".thunderbird/x");
	lab_link(lab, lab_path(lab, BASE "/Profiles/nested"), ".thunderbird/p");
	lab_assert_taken(lab, "thunderbird", "thunderbird", nested);
}

static void test_firefox_is_found_among_ten_thousand_profiles(void **state)
{
	struct lab *lab = *state;
	char name[128];
	pid_t pid = start_browser(lab, BASE "/profile-5000", -1, 0);

	for (int i = 0; i < 10000; i++) {
		(void)snprintf(name, sizeof(name), "%s/" BASE "/profile-%d", lab->home, i);
		assert_true(mkdir(name, 0700) == 0 || errno == EEXIST);
	}
	lab_assert_taken(lab, LINE, "firefox-esr", pid);
}

static void test_firefox_lock_that_has_no_owner_is_an_obstacle(void **state)
{
	struct lab *lab = *state;
	struct err e;

	(void)lab_path(lab, BASE "/p/x");
	(void)lab_start(lab, -1, 0, locks_without_an_owner, lab_path(lab, BASE "/p"));
	assert_int_equal(lab_check(lab, LINE, &lab->here, &e), -EBUSY);
	assert_string_equal(e.text, "firefox-esr already runs as a process that cannot be seen "
				    "from here: it may be outside of the box and open this there");
	assert_string_equal(e.hint, HINT);
}

static void test_firefox_of_another_user_or_pid_namespace_is_an_obstacle(void **state)
{
	struct lab *lab = *state;
	char text[512], wanted[128];

	lab_require_root();
	pid_t pid = start_browser(lab, BASE "/p", -1, 1);
	(void)snprintf(
		wanted, sizeof(wanted),
		"firefox-esr already runs (pid %d) and may be outside of the box: open network "
		"namespace",
		(int)pid);
	assert_int_equal(lab_check_as(lab, 65534, false, LINE, text, sizeof(text)), -EBUSY);
	assert_int_equal(strncmp(text, wanted, strlen(wanted)), 0);
	assert_int_equal(lab_check_as(lab, 0, true, LINE, text, sizeof(text)), -EBUSY);
	assert_non_null(strstr(text, "cannot be seen from here"));
	lab_assert_taken(lab, LINE, "firefox-esr", pid);
}

static void test_firefox_folder_that_is_closed_to_the_user_is_no_obstacle(void **state)
{
	struct lab *lab = *state;
	char text[512];

	lab_require_root();
	(void)start_browser(lab, BASE "/p", -1, 0);
	lab_file(lab, BASE "/profiles.ini", "", 0);
	assert_int_equal(lab_check_as(lab, 65534, false, LINE, text, sizeof(text)), -EBUSY);
	/* Firefox could not use it either */
	assert_return_code(chmod(lab_path(lab, BASE "/p/.parentlock"), 0600), errno);
	assert_int_equal(lab_check_as(lab, 65534, false, LINE, text, sizeof(text)), 0);
	assert_return_code(chmod(lab_path(lab, BASE "/p"), 0700), errno);
	assert_int_equal(lab_check_as(lab, 65534, false, LINE, text, sizeof(text)), 0);
	assert_return_code(chmod(lab_path(lab, BASE), 0700), errno);
	assert_int_equal(lab_check_as(lab, 65534, false, LINE, text, sizeof(text)), 0);
}

static void test_firefox_lock_behind_a_link_is_followed_by_users_alone(void **state)
{
	struct lab *lab = *state;
	char text[512], wanted[128];
	struct err e;

	lab_require_root();
	pid_t pid = start_browser(lab, "far", -1, 1);
	(void)lab_path(lab, BASE "/p/x");
	lab_link(lab, lab_path(lab, "far/.parentlock"), BASE "/p/.parentlock");
	(void)snprintf(wanted, sizeof(wanted), "firefox-esr already runs (pid %d)", (int)pid);
	assert_int_equal(lab_check_as(lab, 65534, false, LINE, text, sizeof(text)), -EBUSY);
	assert_int_equal(strncmp(text, wanted, strlen(wanted)), 0);
	assert_int_equal(lab_check(lab, LINE, &lab->here, &e), -ELOOP);
	assert_string_equal(e.text, "look for a running firefox-esr: root does not follow the "
				    "symlink p/.parentlock");
}

static void test_firefox_folder_may_hold_anything(void **state)
{
	struct lab *lab = *state;
	char lock[256], ini[256], *big = calloc(1, (1u << 20) + 1);
	struct err e;

	assert_non_null(big);
	(void)snprintf(lock, sizeof(lock), "%s", lab_path(lab, BASE "/p/.parentlock"));
	(void)snprintf(ini, sizeof(ini), "%s", lab_path(lab, BASE "/profiles.ini"));
	assert_return_code(mkfifo(lock, 0600), errno);
	lab_assert_free(lab, LINE);
	assert_return_code(unlink(lock), errno);
	assert_return_code(mkdir(lock, 0700), errno);
	lab_assert_free(lab, LINE);

	lab_link(lab, "a", BASE "/b");
	lab_link(lab, "b", BASE "/a");
	lab_link(lab, "..", BASE "/up");
	lab_link(lab, "/nonexistent", BASE "/dangling");
	lab_link(lab, "/dev/null", BASE "/device");
	lab_file(lab, BASE "/file", "x", 1);
	assert_return_code(mkfifo(lab_path(lab, BASE "/fifo"), 0600), errno);
	assert_return_code(mkfifo(ini, 0600), errno);
	lab_assert_free(lab, LINE);
	lab_assert_free(lab, "firefox -P x");
	assert_return_code(unlink(ini), errno);
	lab_link(lab, "profiles.ini", BASE "/profiles.ini");
	lab_assert_free(lab, LINE);
	assert_return_code(unlink(ini), errno);

	static const char *const texts[] = {
		"[Profile",
		"[Profile0]",
		"[Profile0]\nPath",
		"[Profile0]\nPath=",
		"[Profile0]\nPath=\nName=x",
		"Path=p\nName=x\n[",
		"[Profile0]\nName=x\nPath=../../../../../../../../dev\n[Profile1]\nPath=.\n",
		"[]\n[[[[\n====\n\r\r\n[Profile0]\n[Profile1]\nPath=a\nPath=b\n",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_ini(lab, texts[i]);
		lab_assert_free(lab, LINE);
		lab_assert_free(lab, "firefox -P x");
	}
	lab_file(lab, BASE "/profiles.ini", "[Profile0]\nPath=a\0b\nName=\0", 27);
	lab_assert_free(lab, LINE);
	memset(big, 'p', 1u << 20);
	memcpy(big, "[Profile0]\nPath=", 16);
	lab_file(lab, BASE "/profiles.ini", big, 1u << 20);
	lab_assert_free(lab, LINE);
	lab_file(lab, BASE "/profiles.ini", big, (1u << 20) + 1);
	assert_int_equal(lab_check(lab, LINE, &lab->here, &e), -EFBIG);
	assert_int_equal(strncmp(e.text, "look for a running firefox-esr: read ", 37), 0);
	char line[8192] = "firefox --profile ";
	memset(line + 18, 'x', 5000);
	lab_assert_free(lab, line);
	free(big);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_firefox_is_free_when_nothing_is_there),
		TEST(test_firefox_is_taken_by_who_holds_the_lock),
		TEST(test_firefox_that_crashed_is_no_obstacle),
		TEST(test_firefox_and_its_kin_have_folders_of_old_and_of_new),
		TEST(test_firefox_is_judged_by_the_namespace_of_the_holder),
		TEST(test_firefox_options_say_which_profile),
		TEST(test_firefox_profiles_may_be_anywhere),
		TEST(test_firefox_is_found_among_ten_thousand_profiles),
		TEST(test_firefox_lock_that_has_no_owner_is_an_obstacle),
		TEST(test_firefox_of_another_user_or_pid_namespace_is_an_obstacle),
		TEST(test_firefox_folder_that_is_closed_to_the_user_is_no_obstacle),
		TEST(test_firefox_lock_behind_a_link_is_followed_by_users_alone),
		TEST(test_firefox_folder_may_hold_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
