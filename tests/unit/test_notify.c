// SPDX-License-Identifier: GPL-2.0-or-later
/* messages to whoever started the watch, over a real socket */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wgns/fd.h"
#include "wgns/str.h"
#include "wgns/watch.h"

#define MANY 100000

static int listen_at(const char *name, struct sockaddr_un *at, socklen_t *len)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(watch_notify_address(name, at, len), 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)at, *len), 0);
	return fd;
}

/* proc_pid_stat(5): S, it waits for the reader; Z, it waits for nobody any more */
static bool is_waiting_or_over(pid_t pid)
{
	AUTO_FREE char *text = NULL;
	char path[64];
	struct err e;
	size_t size;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	assert_int_equal(fd_read_file_at(AT_FDCWD, path, 4096, &text, &size, &e), 0);
	const char *end = strrchr(text, ')');
	assert_non_null(end);
	return end[2] == 'S' || end[2] == 'Z';
}

static void test_a_reader_who_is_behind_is_told_all_the_same(void **state)
{
	struct sockaddr_un at;
	socklen_t len;
	char name[64], text[64] = "";
	int n = 0, status;

	(void)state;
	(void)snprintf(name, sizeof(name), "@wgns-test-%d", (int)getpid());
	AUTO_FD int fd = listen_at(name, &at, &len);
	AUTO_FD int full_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	while (n < MANY &&
	       sendto(full_fd, "STATUS=x", 8, MSG_DONTWAIT, (const struct sockaddr *)&at, len) == 8)
		n++;
	assert_in_range(n, 1, MANY - 1);

	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		watch_tell(name, "READY=1");
		_exit(0);
	}
	while (!is_waiting_or_over(child))
		;
	for (int i = 0; i < n; i++)
		assert_int_equal(recv(fd, text, sizeof(text) - 1, 0), 8);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), 7);
	assert_memory_equal(text, "READY=1", 7);
}

static void test_nobody_is_told_nothing(void **state)
{
	(void)state;
	watch_tell(NULL, "READY=1");
	watch_tell("@wgns-test-nobody", "READY=1");
	watch_tell("nonsense", "READY=1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_reader_who_is_behind_is_told_all_the_same),
		cmocka_unit_test(test_nobody_is_told_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
