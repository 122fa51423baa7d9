// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "wgns/fd.h"
#include "wgns/hook.h"
#include "wgns/netns.h"
#include "wgns/str.h"

static void test_hook_expand(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "", "" },	   { "echo", "echo" },
		{ "%i", "wg0" },   { "ip -d l sh %i; a%ib%i%", "ip -d l sh wg0; awg0bwg0%" },
		{ "%%i", "%wg0" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO_FREE char *got = hook_expand(rows[i].in, "wg0");
		assert_string_equal(got, rows[i].out);
	}
	AUTO_FREE char *same = hook_expand("%i %i", "%i"); /* is not expanded again */
	assert_string_equal(same, "%i %i");
}

static void test_hook_run_reports_the_end(void **state)
{
	(void)state;
	static const struct {
		const char *command;
		int rc;
		const char *text;
	} rows[] = {
		{ "true", 0, "" },
		{ "test %i = wg0", 0, "" },
		{ "exit 3", -ECHILD, "hook \"exit 3\": exit status 3" },
		{ "false; true", -ECHILD, "hook \"false; true\": exit status 1" },
		{ "false | true", -ECHILD, "hook \"false | true\": exit status 1" },
		{ "kill -TERM $$", -ECHILD,
		  "hook \"kill -TERM $$\": killed by signal 15 (Terminated)" },
		{ "if then", -ECHILD, "hook \"if then\": exit status 2" },
		{ "[[ ab == @(ab|c) ]]", 0, "" }, /* extglob */
		{ "case a#b in a#b) ;; *) exit 9;; esac # comment", 0, "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = { 0 };
		AUTO_FD int keep = dup(STDERR_FILENO);
		AUTO_FD int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		assert_return_code(dup2(null, STDERR_FILENO), errno); /* the syntax error's words */
		int rc = hook_run(rows[i].command, "wg0", -1, &e);
		assert_return_code(dup2(keep, STDERR_FILENO), errno);
		if (rc != rows[i].rc)
			print_error("%s\n", rows[i].command);
		assert_int_equal(rc, rows[i].rc);
		assert_string_equal(e.text, rows[i].text);
	}
}

static void test_hook_run_surroundings(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"test \"$WGNS_HOOK\" = 1",
		"test \"$HOME\" = /root",
		"test \"$LC_ALL\" = C",
		"test \"$PATH\" = /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"test -z \"${TEST_HOOK_LEAK+x}\"",
		"test \"$(pwd -P)\" = /",
		"! read -r line", /* standard input is at its end */
		"test \"$(readlink /proc/self/fd/0)\" = /dev/null",
		"for n in 3 4 5 6 7 8 9 100; do test ! -e /proc/$$/fd/$n || exit 1; done",
		/* 32 and 33 are libc's own, and nobody can set them: make(1) starts its commands with both ignored */
		"test $((0x$(grep ^SigIgn /proc/self/status | cut -f2) & ~0x180000000)) = 0",
		"test \"$(grep ^SigBlk /proc/self/status | cut -f2)\" = 0000000000000000",
	};
	sigset_t set, old;

	assert_int_equal(setenv("TEST_HOOK_LEAK", "1", 1), 0);
	AUTO_FD int leak = dup2(STDERR_FILENO, 100); /* without CLOEXEC */
	assert_int_equal(leak, 100);
	assert_int_equal(sigemptyset(&set) | sigaddset(&set, SIGUSR1), 0);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, &old), 0);
	void (*was)(int) = signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = { 0 };
		if (hook_run(rows[i], "wg0", -1, &e) < 0)
			fail_msg("%s", e.text);
	}
	(void)signal(SIGPIPE, was);
	assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
}

static void test_hook_run_enters_the_namespace(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct netns_id ns;
	char command[128];

	if (geteuid() != 0) {
		print_message("needs root: makes a network namespace\n");
		skip();
	}
	AUTO_FD int fd = netns_create(&e);
	assert_return_code(fd, -fd);
	assert_int_equal(netns_identify(fd, &ns, &e), 0);
	(void)snprintf(command, sizeof(command),
		       "test $(readlink /proc/self/ns/net) = 'net:[%llu]'",
		       (unsigned long long)ns.ino);
	assert_int_equal(hook_run(command, "wg0", -1, &e), -ECHILD);
	assert_int_equal(hook_run(command, "wg0", fd, &e), 0);
}

static void test_hook_run_does_not_run_elsewhere(void **state)
{
	(void)state;
	struct err e = { 0 };
	char path[] = "/tmp/test_hook.XXXXXX", command[64];

	AUTO_FD int fd = mkstemp(path);
	assert_return_code(fd, errno);
	(void)snprintf(command, sizeof(command), "rm %s", path);
	assert_int_equal(hook_run(command, "wg0", fd, &e), -EINVAL); /* no namespace */
	assert_non_null(strstr(e.text, "enter the network namespace: Invalid argument"));
	assert_int_equal(hook_run(command, "wg0", 999, &e), -EBADF);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(hook_run(command, "wg0", -1, &e), 0);
	assert_int_equal(access(path, F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hook_expand),
		cmocka_unit_test(test_hook_run_reports_the_end),
		cmocka_unit_test(test_hook_run_surroundings),
		cmocka_unit_test(test_hook_run_enters_the_namespace),
		cmocka_unit_test(test_hook_run_does_not_run_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
