// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "wgns/fd.h"
#include "wgns/netns.h"

/* a child that has done @work and waits; its pid, killed with the test when that fails */
static pid_t start_resident(int ns_fd, const char *comm, bool is_deaf)
{
	int ready[2];
	char byte;

	assert_return_code(pipe2(ready, O_CLOEXEC), errno);
	pid_t pid = fork();
	assert_return_code(pid, errno);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)prctl(PR_SET_NAME, comm);
		if (is_deaf)
			(void)signal(SIGTERM, SIG_IGN);
		if (setns(ns_fd, CLONE_NEWNET) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	return pid;
}

static void require_root(void)
{
	if (geteuid() == 0)
		return;
	print_message("needs root: makes network namespaces\n");
	skip();
}

static void test_netns_create_leaves_the_caller(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct netns_id before, after, made;

	require_root();
	AUTO_FD int self = netns_open_self(&e);
	assert_return_code(self, -self);
	assert_int_equal(netns_identify(self, &before, &e), 0);
	AUTO_FD int fd = netns_create(&e);
	assert_return_code(fd, -fd);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(netns_identify(fd, &made, &e), 0);
	AUTO_FD int again = netns_open_self(&e);
	assert_return_code(again, -again);
	assert_int_equal(netns_identify(again, &after, &e), 0);
	assert_true(netns_same(&before, &after));
	assert_false(netns_same(&before, &made));
	assert_int_equal(e.code, 0);
	assert_int_equal(waitpid(-1, NULL, __WALL | WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void test_netns_create_without_privilege(void **state)
{
	(void)state;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct err e = { 0 };
		if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
			_exit(2);
		_exit(netns_create(&e) == -EPERM && e.code == EPERM &&
				      strncmp(e.text, "make a network namespace", 24) == 0
			      ? 0
			      : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_netns_open_at_refuses(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		int code;
		const char *text;
	} rows[] = {
		{ "/proc/self/ns/mnt", EINVAL, "is not a network namespace" },
		{ "/proc/self/ns/user", EINVAL, "is not a network namespace" },
		{ "/proc/self/ns/pid", EINVAL, "is not a network namespace" },
		{ "/dev/null", EINVAL, "is not a namespace" },
		{ "/etc/passwd", EINVAL, "is not a namespace" },
		{ "/", EINVAL, "is not a namespace" },
		{ "/nonexistent", ENOENT, "No such file" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = { 0 };
		assert_int_equal(netns_open_at(AT_FDCWD, rows[i].path, &e), -rows[i].code);
		assert_non_null(strstr(e.text, rows[i].text));
	}
}

static void test_netns_open_at_does_not_wait_for_a_fifo(void **state)
{
	(void)state;
	char dir[] = "/tmp/test_netns.XXXXXX";
	struct err e = { 0 };

	assert_non_null(mkdtemp(dir));
	AUTO_FD int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_return_code(dir_fd, errno);
	assert_return_code(mkfifoat(dir_fd, "fifo", 0600), errno);
	assert_int_equal(netns_open_at(dir_fd, "fifo", &e), -EINVAL);
	assert_return_code(unlinkat(dir_fd, "fifo", 0), errno);
	assert_return_code(rmdir(dir), errno);
}

static void test_netns_open_dir_shows_the_other_namespace(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct stat st;

	require_root();
	AUTO_FD int fd = netns_create(&e);
	assert_return_code(fd, -fd);
	AUTO_FD int dir = netns_open_dir(fd, "/proc/sys/net/ipv4", &e);
	assert_return_code(dir, -dir);
	assert_int_equal(fstatat(dir, "conf/lo", &st, 0), 0);

	/* forwarding of lo differs between the two, in both directions of reading */
	AUTO_FD int there = openat(dir, "conf/lo/forwarding", O_RDWR | O_CLOEXEC);
	AUTO_FD int here = open("/proc/sys/net/ipv4/conf/lo/forwarding", O_RDONLY | O_CLOEXEC);
	char a[2] = "", b[2] = "", c[2] = "";
	assert_int_equal(pread(here, a, 1, 0), 1);
	assert_int_equal(write(there, a[0] == '0' ? "1" : "0", 1), 1);
	assert_int_equal(pread(here, b, 1, 0), 1);
	assert_int_equal(pread(there, c, 1, 0), 1);
	assert_int_equal(a[0], b[0]);
	assert_int_not_equal(b[0], c[0]);
}

static void test_netns_open_dir_refuses(void **state)
{
	(void)state;
	struct err e = { 0 };

	require_root();
	AUTO_FD int fd = netns_create(&e);
	assert_return_code(fd, -fd);
	assert_int_equal(netns_open_dir(fd, "/nonexistent", &e), -ENOENT);
	assert_string_equal(e.text, "open /nonexistent: No such file or directory");
	AUTO_FD int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(netns_open_dir(null, "/proc/sys/net", &e), -EINVAL);
	assert_string_equal(e.text, "enter the namespace to open /proc/sys/net: Invalid argument");
}

/* runs in a child with its own mount namespace: 0 when all is as it should be, else a line number */
static int pin_and_unpin(void)
{
	struct err e = { 0 };
	struct netns_id made, pinned;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", "/run", "tmpfs", 0, NULL) < 0)
		return 1;
	AUTO_FD int fd = netns_create(&e);
	if (fd < 0 || netns_pin(fd, "/run/ns", &e) < 0)
		return 2;
	if (netns_pin(fd, "/run/ns", &e) != -EEXIST)
		return 3;
	AUTO_FD int again = netns_open_at(AT_FDCWD, "/run/ns", &e);
	if (again < 0 || netns_identify(fd, &made, &e) < 0 ||
	    netns_identify(again, &pinned, &e) < 0 || !netns_same(&made, &pinned))
		return 4;
	if (netns_unpin("/run/ns", &e) < 0 || access("/run/ns", F_OK) == 0)
		return 5;
	if (netns_unpin("/run/ns", &e) < 0)
		return 6;
	AUTO_FD int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	fd_close_indirect(&null); /* a descriptor that is closed: nothing is left behind */
	if (netns_pin(999, "/run/ns", &e) >= 0 || access("/run/ns", F_OK) == 0)
		return 7;
	AUTO_FD int plain = open("/run/ns", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (plain < 0 || netns_unpin("/run/ns", &e) < 0 || access("/run/ns", F_OK) == 0)
		return 8;
	return 0;
}

static void test_netns_pin_and_unpin(void **state)
{
	(void)state;
	int status;

	require_root();
	pid_t pid = fork();
	if (pid == 0)
		_exit(pin_and_unpin());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_netns_procs_finds_residents(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct netns_id ns;
	struct netns_proc procs[4] = { 0 };
	unsigned long long start;

	require_root();
	AUTO_FD int fd = netns_create(&e);
	assert_return_code(fd, -fd);
	assert_int_equal(netns_identify(fd, &ns, &e), 0);
	assert_int_equal(netns_procs(&ns, procs, 4, &e), 0);

	pid_t a = start_resident(fd, "a) \033[2J(", false), b = start_resident(fd, "b", false);
	assert_int_equal(netns_procs(&ns, procs, 4, &e), 2);
	size_t ia = procs[0].pid == a ? 0 : 1;
	assert_int_equal(procs[ia].pid, a);
	assert_int_equal(procs[1 - ia].pid, b);
	assert_string_equal(procs[ia].comm, "a) ?[2J(");
	assert_int_equal(procs[ia].uid, 0);
	assert_int_equal(proc_start_time(a, &start), 0);
	assert_true(procs[ia].start_time == start);
	const struct netns_proc first = procs[ia];
	assert_true(netns_has_proc(&ns, &first));
	const struct netns_proc another = { .pid = a, .start_time = start + 1 };
	assert_false(netns_has_proc(&ns, &another));

	memset(procs, 0, sizeof(procs));
	assert_int_equal(netns_procs(&ns, procs, 1, &e), 2);
	assert_int_equal(procs[1].pid, 0);

	assert_int_equal(kill(a, SIGKILL), 0);
	siginfo_t info;
	assert_int_equal(waitid(P_PID, (id_t)a, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(netns_procs(&ns, procs, 4, &e), 1); /* a zombie lives nowhere */
	assert_false(netns_has_proc(&ns, &first));
	assert_int_equal(waitpid(a, NULL, 0), a);
	assert_int_equal(proc_start_time(a, &start), -ESRCH);
	assert_int_equal(kill(b, SIGKILL), 0);
	assert_int_equal(waitpid(b, NULL, 0), b);
}

/* does it end? pidfd_open(2): its descriptor is readable from then on. A kernel thread does not */
static bool is_ending(pid_t pid)
{
	AUTO_FD int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd ended = { .fd = fd, .events = POLLIN };

	return fd < 0 || poll(&ended, 1, 10000) == 1;
}

static void test_netns_procs_leaves_kernel_threads_out(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct netns_id ns;
	char path[64], exe[8];

	require_root();
	AUTO_FD int fd = netns_open_self(&e);
	assert_int_equal(netns_identify(fd, &ns, &e), 0);
	struct netns_proc *procs = calloc(100000, sizeof(*procs));
	assert_non_null(procs);
	long n = netns_procs(&ns, procs, 100000, &e);
	bool is_here = false;
	assert_true(n > 0 && n <= 100000);
	for (long i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)procs[i].pid);
		if (readlink(path, exe, sizeof(exe)) < 0 && errno == ENOENT) {
			/* no program behind it: it is ending, or is a kernel thread, which must not be here */
			assert_true(is_ending(procs[i].pid));
		}
		is_here |= procs[i].pid == getpid();
	}
	free(procs);
	assert_true(is_here);
}

static void test_netns_kill_ends_the_willing_and_the_deaf(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct netns_id ns;
	struct netns_proc procs[4];
	int status;

	require_root();
	AUTO_FD int fd = netns_create(&e);
	assert_int_equal(netns_identify(fd, &ns, &e), 0);
	pid_t willing = start_resident(fd, "willing", false);
	pid_t deaf = start_resident(fd, "deaf", true);
	assert_int_equal(netns_procs(&ns, procs, 4, &e), 2);
	assert_int_equal(netns_kill(procs, 2, 100, &e), 0);
	assert_int_equal(waitpid(willing, &status, WNOHANG), willing);
	assert_int_equal(WTERMSIG(status), SIGTERM);
	assert_int_equal(waitpid(deaf, &status, WNOHANG), deaf);
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_int_equal(netns_kill(procs, 2, 100, &e), 0); /* both are gone */
}

static void test_netns_kill_leaves_a_reused_pid_alone(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct netns_id ns;
	struct netns_proc p;

	require_root();
	AUTO_FD int fd = netns_create(&e);
	assert_int_equal(netns_identify(fd, &ns, &e), 0);
	pid_t pid = start_resident(fd, "other", false);
	assert_int_equal(netns_procs(&ns, &p, 1, &e), 1);
	p.start_time++;
	assert_int_equal(netns_kill(&p, 1, 100, &e), 0);
	assert_int_equal(kill(pid, 0), 0);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	p.start_time--;
	assert_int_equal(netns_kill(&p, 1, 100, &e), 0);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), pid);
}

/* as process 1 of a pid namespace with its own proc: 0, else which of the checks failed */
static int mount_is_init_as_first(void)
{
	struct err e = { 0 };
	int status;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("proc", "/proc", "proc", 0, NULL) < 0)
		return 2;
	if (netns_mount_is_init(&e) != 1)
		return 3;
	pid_t pid = fork();
	if (pid == 0)
		_exit(unshare(CLONE_NEWNS) == 0 && netns_mount_is_init(&e) == 0 ? 0 : 4);
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 5;
}

static void test_netns_mount_is_init(void **state)
{
	(void)state;
	int status;

	require_root();
	pid_t pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWPID | CLONE_NEWNS) < 0)
			_exit(1);
		pid_t first = fork();
		if (first == 0)
			_exit(mount_is_init_as_first());
		_exit(waitpid(first, &status, 0) == first && WIFEXITED(status) ? WEXITSTATUS(status)
									       : 6);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_netns_create_leaves_the_caller),
		cmocka_unit_test(test_netns_create_without_privilege),
		cmocka_unit_test(test_netns_open_at_refuses),
		cmocka_unit_test(test_netns_open_at_does_not_wait_for_a_fifo),
		cmocka_unit_test(test_netns_open_dir_shows_the_other_namespace),
		cmocka_unit_test(test_netns_open_dir_refuses),
		cmocka_unit_test(test_netns_pin_and_unpin),
		cmocka_unit_test(test_netns_procs_finds_residents),
		cmocka_unit_test(test_netns_procs_leaves_kernel_threads_out),
		cmocka_unit_test(test_netns_kill_ends_the_willing_and_the_deaf),
		cmocka_unit_test(test_netns_kill_leaves_a_reused_pid_alone),
		cmocka_unit_test(test_netns_mount_is_init),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
