// SPDX-License-Identifier: GPL-2.0-or-later
#include <poll.h>

#include "browser_lab.h"

#define DATA ".config/chromium"
#define SINGLETON DATA "/SingletonSocket"
#define LINE "/usr/bin/chromium http://a/"

static int listen_with(const char *path, int backlog)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    chmod(path, 0666) < 0 || listen(fd, backlog) < 0)
		return -1;
	return fd;
}

static int listens(const char *path)
{
	return listen_with(path, 5);
}

static int listens_for_one(const char *path)
{
	return listen_with(path, 0);
}

/* the socket is there, and nobody has listened on it */
static int only_binds(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? fd : -1;
}

static int binds_datagrams(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? fd : -1;
}

/* takes the first caller, reads until it hangs up and writes into the FIFO PATH.got how much came; it answers nothing */
static int accepts_and_keeps_silent(const char *path)
{
	char name[256], text[32], buf[64];
	int fd = listens(path);

	(void)snprintf(name, sizeof(name), "%s.got", path);
	if (fd < 0 || mkfifo(name, 0600) < 0)
		return -1;
	pid_t pid = fork();
	if (pid != 0)
		return pid < 0 ? -1 : fd;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	long total = 0;
	int peer = accept(fd, NULL, NULL);
	for (ssize_t got = 1; peer >= 0 && got > 0; total += got)
		got = read(peer, buf, sizeof(buf));
	(void)snprintf(text, sizeof(text), "%ld", total);
	int out = open(name, O_WRONLY | O_CLOEXEC);
	_exit(out >= 0 && write(out, text, strlen(text)) > 0 ? 0 : 1);
}

/* what a Chromium leaves in @data, its socket being in @data.tmp */
static pid_t start_browser(struct lab *lab, const char *data, int ns_fd, uid_t uid, lab_work *work)
{
	char path[256], target[256];

	(void)snprintf(path, sizeof(path), "%s.tmp/SingletonSocket", data);
	(void)snprintf(target, sizeof(target), "%s", lab_path(lab, path));
	(void)snprintf(path, sizeof(path), "%s.tmp/SingletonCookie", data);
	lab_link(lab, "8262483864006146780", path);
	(void)snprintf(path, sizeof(path), "%s.tmp", data);
	assert_return_code(chmod(lab_path(lab, path), 0777), errno);
	(void)snprintf(path, sizeof(path), "%s/SingletonCookie", data);
	lab_link(lab, "8262483864006146780", path);
	(void)snprintf(path, sizeof(path), "%s/SingletonSocket", data);
	lab_link(lab, target, path);
	pid_t pid = lab_start(lab, ns_fd, uid, work, target);
	char lock[64];
	(void)snprintf(lock, sizeof(lock), "some-host.example-%d", (int)pid);
	(void)snprintf(path, sizeof(path), "%s/SingletonLock", data);
	lab_link(lab, lock, path);
	return pid;
}

static void test_chromium_is_free_when_nothing_is_there(void **state)
{
	struct lab *lab = *state;

	lab_assert_free(lab, LINE);
	(void)lab_path(lab, DATA "/x");
	lab_assert_free(lab, LINE);
	lab_assert_free(lab, "chromium --user-data-dir=/nonexistent/x");
	lab_assert_free(lab, "chromium --user-data-dir=/etc/passwd");
}

static void test_chromium_is_taken_by_who_answers(void **state)
{
	struct lab *lab = *state;
	pid_t pid = start_browser(lab, DATA, -1, 0, listens);

	lab_assert_taken(lab, LINE, "chromium", pid);
	lab_assert_taken(lab, "chromium", "chromium", pid);
	lab_assert_taken(lab, "chromium-browser", "chromium-browser", pid);
	lab_assert_free(lab, "google-chrome");
	lab_assert_free(lab, "curl");
}

static void test_chromium_of_other_makers_has_other_folders(void **state)
{
	struct lab *lab = *state;
	pid_t brave = start_browser(lab, ".config/BraveSoftware/Brave-Browser", -1, 0, listens);
	pid_t beta = start_browser(lab, ".config/google-chrome-beta", -1, 0, listens);

	lab_assert_taken(lab, "brave-browser", "brave-browser", brave);
	lab_assert_taken(lab, "google-chrome-beta", "google-chrome-beta", beta);
	lab_assert_free(lab, "google-chrome-stable");
	lab_assert_free(lab, "chromium");
}

static void test_chromium_is_judged_by_the_namespace_of_the_listener(void **state)
{
	struct lab *lab = *state;
	struct err e = { 0 };
	struct netns_id box, other;

	lab_require_root();
	AUTO_FD int box_fd = netns_create(&e);
	AUTO_FD int other_fd = netns_create(&e);
	assert_int_equal(netns_identify(box_fd, &box, &e), 0);
	assert_int_equal(netns_identify(other_fd, &other, &e), 0);
	pid_t pid = start_browser(lab, DATA, box_fd, 0, listens);
	char text[128];
	(void)snprintf(text, sizeof(text),
		       "chromium already runs outside of the box (pid %d): ", (int)pid);

	assert_int_equal(lab_check(lab, LINE, &box, &e), 0);
	assert_int_equal(lab_check(lab, LINE, &lab->here, &e), -EBUSY);
	assert_int_equal(strncmp(e.text, text, strlen(text)), 0);
	assert_int_equal(lab_check(lab, LINE, &other, &e), -EBUSY); /* in another box */
	assert_int_equal(strncmp(e.text, text, strlen(text)), 0);
}

static void test_chromium_that_crashed_is_no_obstacle(void **state)
{
	struct lab *lab = *state;
	pid_t pid = start_browser(lab, DATA, -1, 0, listens);

	lab_assert_taken(lab, LINE, "chromium", pid);
	assert_return_code(kill(pid, SIGKILL), errno);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	lab->n_children = 0;
	lab_assert_free(lab, LINE); /* the socket is there still */
	assert_return_code(unlink(lab_path(lab, DATA ".tmp/SingletonSocket")), errno);
	lab_assert_free(lab, LINE);
	assert_return_code(unlink(lab_path(lab, DATA ".tmp/SingletonCookie")), errno);
	assert_return_code(rmdir(lab_path(lab, DATA ".tmp")), errno);
	lab_assert_free(lab, LINE);
}

static void test_chromium_socket_on_which_nobody_listens_is_no_obstacle(void **state)
{
	struct lab *lab = *state;

	(void)start_browser(lab, DATA, -1, 0, only_binds);
	lab_assert_free(lab, LINE);
	(void)start_browser(lab, ".config/opera", -1, 0, binds_datagrams);
	lab_assert_free(lab, "opera");
}

static void test_chromium_socket_without_the_cookie_is_not_its_own(void **state)
{
	struct lab *lab = *state;

	(void)start_browser(lab, DATA, -1, 0, listens);
	assert_return_code(unlink(lab_path(lab, DATA ".tmp/SingletonCookie")), errno);
	lab_assert_free(lab, LINE);
	lab_link(lab, "1", DATA ".tmp/SingletonCookie");
	lab_assert_free(lab, LINE);
	assert_return_code(unlink(lab_path(lab, DATA "/SingletonCookie")), errno);
	lab_assert_free(lab, LINE);
	assert_return_code(unlink(lab_path(lab, DATA ".tmp/SingletonCookie")), errno);
	lab_assert_free(lab, LINE);
}

static void test_chromium_socket_in_the_folder_itself_counts(void **state)
{
	struct lab *lab = *state;
	char path[256];

	(void)snprintf(path, sizeof(path), "%s", lab_path(lab, SINGLETON));
	pid_t pid = lab_start(lab, -1, 0, listens, path);
	lab_assert_taken(lab, LINE, "chromium", pid);
}

static void test_chromium_that_is_stopped_counts_by_its_lock(void **state)
{
	struct lab *lab = *state;
	struct err e;
	pid_t pid = start_browser(lab, DATA, -1, 0, listens_for_one);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s",
		       lab_path(lab, DATA ".tmp/SingletonSocket"));
	AUTO_FD int first = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_return_code(connect(first, (struct sockaddr *)&address, sizeof(address)), errno);
	AUTO_FD int second = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(connect(second, (struct sockaddr *)&address, sizeof(address)), -1);
	assert_int_equal(errno, EAGAIN);
	lab_assert_taken(lab, LINE, "chromium", pid);

	static const char *const locks[] = {
		"host", "host-", "-", "host-0", "host-99999999999999", "host-1x", NULL
	};
	for (size_t i = 0; i < sizeof(locks) / sizeof(locks[0]); i++) {
		(void)unlink(lab_path(lab, DATA "/SingletonLock"));
		if (locks[i])
			lab_link(lab, locks[i], DATA "/SingletonLock");
		assert_int_equal(lab_check(lab, LINE, &lab->here, &e), -EBUSY);
		assert_non_null(strstr(e.text, "as a process that cannot be seen from here"));
	}
}

static void test_chromium_options_say_whose_socket(void **state)
{
	struct lab *lab = *state;
	pid_t usual = start_browser(lab, DATA, -1, 0, listens);
	pid_t named = start_browser(lab, "named", -1, 0, listens);
	char line[512];
	const struct {
		const char *options; /* %s is HOME */
		pid_t pid;
	} rows[] = {
		{ "--user-data-dir=%s/named", named },
		{ "-user-data-dir=%s/named", named },
		{ "http://a/ --user-data-dir=%s/named", named },
		{ "--user-data-dir=%s/free", 0 },
		{ "--user-data-dir=%s/free --user-data-dir=%s/named", named },
		/* in two words it means nothing to Chromium, nor in capitals, nor without a value */
		{ "--user-data-dir %s/free", usual },
		{ "--User-Data-Dir=%s/free", usual },
		{ "--user-data-dir=", usual },
		{ "--user-data-dirs=%s/free", usual },
		/* Debian's launcher drops the first "--" */
		{ "-- --user-data-dir=%s/named", named },
		{ "-- --user-data-dir=%s/free", usual },
		{ "--headless", 0 },
		{ "--headless=new", 0 },
		{ "--headless --user-data-dir=%s/named", named },
		{ "-- --headless", usual },
		{ "--version", 0 },
		{ "-- --version", usual },
		{ "--temp-profile", usual }, /* of some launchers only */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char options[256];
		(void)snprintf(options, sizeof(options), "chromium %s", rows[i].options);
		/* every %s is HOME */
		char *out = line;
		for (const char *p = options; *p; p++) {
			if (strncmp(p, "%s", 2) == 0) {
				out += snprintf(out, sizeof(line) - (size_t)(out - line), "%s",
						lab->home);
				p++;
			} else {
				*out++ = *p;
			}
		}
		*out = '\0';
		if (rows[i].pid)
			lab_assert_taken(lab, line, "chromium", rows[i].pid);
		else
			lab_assert_free(lab, line);
	}
}

static void test_chromium_environment_says_where_the_folders_are(void **state)
{
	struct lab *lab = *state;
	pid_t usual = start_browser(lab, DATA, -1, 0, listens);
	pid_t xdg = start_browser(lab, "xdg/chromium", -1, 0, listens);
	pid_t config = start_browser(lab, "config/chromium", -1, 0, listens);
	pid_t data = start_browser(lab, "data", -1, 0, listens);

	assert_return_code(setenv("XDG_CONFIG_HOME", "", 1), errno);
	lab_assert_taken(lab, LINE, "chromium", usual);
	assert_return_code(setenv("XDG_CONFIG_HOME", lab_path(lab, "xdg"), 1), errno);
	lab_assert_taken(lab, LINE, "chromium", xdg);
	assert_return_code(setenv("CHROME_CONFIG_HOME", lab_path(lab, "config"), 1), errno);
	lab_assert_taken(lab, LINE, "chromium", config);
	assert_return_code(setenv("CHROME_USER_DATA_DIR", lab_path(lab, "data"), 1), errno);
	lab_assert_taken(lab, LINE, "chromium", data);
	lab_assert_taken(lab, "chromium --headless", "chromium", data);
	lab_assert_free(lab, "chromium --user-data-dir=/nonexistent");
}

static void test_chromium_whose_namespace_may_not_be_read_is_an_obstacle(void **state)
{
	struct lab *lab = *state;
	char text[512], wanted[128];

	lab_require_root();
	pid_t pid = start_browser(lab, DATA, -1, 1, listens);
	(void)snprintf(wanted, sizeof(wanted),
		       "chromium already runs (pid %d) and may be outside of the box: open network "
		       "namespace /proc/%d/ns/net: ",
		       (int)pid, (int)pid);
	assert_int_equal(lab_check_as(lab, 65534, false, LINE, text, sizeof(text)), -EBUSY);
	assert_int_equal(strncmp(text, wanted, strlen(wanted)), 0);
	assert_non_null(strstr(text, "Permission denied"));
	lab_assert_taken(lab, LINE, "chromium", pid); /* root may */
}

static void test_chromium_that_cannot_be_seen_is_an_obstacle(void **state)
{
	struct lab *lab = *state;
	char text[512];

	lab_require_root();
	(void)start_browser(lab, DATA, -1, 0, listens);
	assert_int_equal(lab_check_as(lab, 0, true, LINE, text, sizeof(text)), -EBUSY);
	assert_string_equal(text, "chromium already runs as a process that cannot be seen from "
				  "here: it may be outside of the box and open this there");
}

static void test_chromium_is_told_nothing_and_not_waited_for(void **state)
{
	struct lab *lab = *state;
	struct err e;
	char got[16] = "";

	pid_t pid = start_browser(lab, DATA, -1, 0, accepts_and_keeps_silent);
	assert_int_equal(lab_check(lab, LINE, &lab->elsewhere, &e), -EBUSY);
	char name[16];
	(void)snprintf(name, sizeof(name), "(pid %d)", (int)pid);
	assert_non_null(strstr(e.text, name));
	AUTO_FD int fd = open(lab_path(lab, DATA ".tmp/SingletonSocket.got"), O_RDWR | O_CLOEXEC);
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	assert_int_equal(poll(&wait, 1, 60000), 1);
	assert_int_equal(read(fd, got, sizeof(got) - 1), 1);
	assert_string_equal(got, "0");
}

static void test_chromium_socket_may_have_a_long_name(void **state)
{
	struct lab *lab = *state;
	char name[200], path[512], short_path[300], target[512], line[600];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	(void)snprintf(path, sizeof(path), "%s/x", name);
	(void)lab_path(lab, path);
	/* bound under a short name that leads there */
	(void)snprintf(short_path, sizeof(short_path), "%s/s", lab->home);
	lab_link(lab, name, "s");
	(void)snprintf(path, sizeof(path), "%s/SingletonSocket", short_path);
	pid_t pid = lab_start(lab, -1, 0, listens, path);
	(void)snprintf(path, sizeof(path), "%s/SingletonCookie", name);
	lab_link(lab, "1", path);
	lab_link(lab, "1", "d/SingletonCookie");
	(void)snprintf(target, sizeof(target), "%s/%s/SingletonSocket", lab->home, name);
	lab_link(lab, target, "d/SingletonSocket");
	(void)snprintf(line, sizeof(line), "chromium --user-data-dir=%s/d", lab->home);
	lab_assert_taken(lab, line, "chromium", pid);
	(void)snprintf(line, sizeof(line), "chromium --user-data-dir=%s/%s", lab->home, name);
	lab_assert_taken(lab, line, "chromium", pid);
}

static void test_chromium_folder_may_hold_anything(void **state)
{
	struct lab *lab = *state;
	char self[256], long_target[4096];

	(void)snprintf(self, sizeof(self), "%s", lab_path(lab, SINGLETON));
	assert_return_code(mkfifo(self, 0600), errno);
	lab_assert_free(lab, LINE);
	assert_return_code(unlink(self), errno);
	assert_return_code(mkdir(self, 0700), errno);
	lab_assert_free(lab, LINE);
	assert_return_code(rmdir(self), errno);
	lab_file(lab, SINGLETON, "x", 1);
	lab_assert_free(lab, LINE);
	assert_return_code(unlink(self), errno);

	memset(long_target, 'x', sizeof(long_target) - 1);
	long_target[sizeof(long_target) - 1] = '\0';
	assert_return_code(mkfifo(lab_path(lab, "there/fifo"), 0600), errno);
	lab_link(lab, "1", "there/SingletonCookie");
	lab_link(lab, "1", DATA "/SingletonCookie");
	lab_link(lab, "/dev/null", "there/device");
	lab_link(lab, "loop", "there/loop");
	const char *const targets[] = {
		lab_path(lab, "there/fifo"),
		lab_path(lab, "there/device"),
		lab_path(lab, "there/loop"),
		self,
		"SingletonSocket",
		"/",
		"/SingletonSocket",
		"there/",
		"..",
		"/dev/zero",
		lab_path(lab, "there"),
		long_target,
	};
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		lab_link(lab, targets[i], SINGLETON);
		lab_assert_free(lab, LINE);
		assert_return_code(unlink(self), errno);
	}
	lab_link(lab, "folder-loop", "folder-loop");
	lab_assert_free(lab, "chromium --user-data-dir=folder-loop");
	assert_return_code(setenv("CHROME_USER_DATA_DIR", lab_path(lab, "folder-loop"), 1), errno);
	lab_assert_free(lab, LINE);
	assert_return_code(setenv("CHROME_USER_DATA_DIR", long_target, 1), errno);
	lab_assert_free(lab, LINE);
}

/* the socket is some daemon's: a link to it in a folder with a cookie does not make root connect */
static void test_chromium_socket_is_not_reached_through_a_last_link(void **state)
{
	struct lab *lab = *state;
	char daemon[256];

	(void)snprintf(daemon, sizeof(daemon), "%s", lab_path(lab, "daemon.sock"));
	(void)lab_start(lab, -1, 0, listens, daemon);
	lab_link(lab, "1", "there/SingletonCookie");
	lab_link(lab, "1", DATA "/SingletonCookie");
	lab_link(lab, daemon, "there/SingletonSocket");
	lab_link(lab, lab_path(lab, "there/SingletonSocket"), SINGLETON);
	lab_assert_free(lab, LINE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_chromium_is_free_when_nothing_is_there),
		TEST(test_chromium_is_taken_by_who_answers),
		TEST(test_chromium_of_other_makers_has_other_folders),
		TEST(test_chromium_is_judged_by_the_namespace_of_the_listener),
		TEST(test_chromium_that_crashed_is_no_obstacle),
		TEST(test_chromium_socket_on_which_nobody_listens_is_no_obstacle),
		TEST(test_chromium_socket_without_the_cookie_is_not_its_own),
		TEST(test_chromium_socket_in_the_folder_itself_counts),
		TEST(test_chromium_that_is_stopped_counts_by_its_lock),
		TEST(test_chromium_options_say_whose_socket),
		TEST(test_chromium_environment_says_where_the_folders_are),
		TEST(test_chromium_whose_namespace_may_not_be_read_is_an_obstacle),
		TEST(test_chromium_that_cannot_be_seen_is_an_obstacle),
		TEST(test_chromium_is_told_nothing_and_not_waited_for),
		TEST(test_chromium_socket_may_have_a_long_name),
		TEST(test_chromium_folder_may_hold_anything),
		TEST(test_chromium_socket_is_not_reached_through_a_last_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
