// SPDX-License-Identifier: GPL-2.0-or-later
/* what is left to a process that has confined itself */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wgns/confine.h"

#define MEMORY (1UL << 46) /* more than a sanitizer's shadow */

static bool has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0UL, LANDLOCK_CREATE_RULESET_VERSION) > 0;
}

/* in a child, confined to the folder @readable; Return: what it exits with, 99 when it could not confine itself */
static int in_child(const char *readable, unsigned long memory, int (*fn)(const char *dir),
		    const char *dir)
{
	const struct confine c = {
		.readable = &readable, .n_readable = 1, .memory = memory, .cpu_s = 60
	};
	struct err e;
	int status;

	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(confine_self(&c, &e) < 0 ? 99 : fn(dir));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int answer(int fd)
{
	return fd < 0 ? errno : 0;
}

static int read_inside(const char *dir)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/in/file", dir);
	return answer(open(path, O_RDONLY));
}

static int read_outside(const char *dir)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/file", dir);
	return answer(open(path, O_RDONLY));
}

static int write_inside(const char *dir)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/in/file", dir);
	return answer(open(path, O_WRONLY));
}

static int make_inside(const char *dir)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/in/new", dir);
	return answer(open(path, O_WRONLY | O_CREAT, 0600));
}

static int remove_inside(const char *dir)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/in/file", dir);
	return answer(unlink(path));
}

static int execute(const char *dir)
{
	(void)dir;
	(void)execl("/bin/true", "true", (char *)NULL); /* when it returns it failed */
	return errno;
}

static int has_limits(const char *dir)
{
	struct rlimit core, size;

	(void)dir;
	if (getrlimit(RLIMIT_CORE, &core) < 0 || getrlimit(RLIMIT_FSIZE, &size) < 0)
		return 1;
	return core.rlim_max != 0 || size.rlim_max != 0 ||
	       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1;
}

static int take_memory(const char *dir)
{
	(void)dir;
	return answer(mmap(NULL, MEMORY, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			   0) == MAP_FAILED
			      ? -1
			      : 0);
}

static void make_files(char *dir)
{
	char path[128];

	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/in", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/in/file", dir);
	assert_return_code(close(open(path, O_WRONLY | O_CREAT, 0600)), errno);
	(void)snprintf(path, sizeof(path), "%s/file", dir);
	assert_return_code(close(open(path, O_WRONLY | O_CREAT, 0600)), errno);
}

static void remove_files(const char *dir)
{
	static const char *const names[] = { "in/file", "file" };
	char path[128];

	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		assert_return_code(unlink(path), errno);
	}
	(void)snprintf(path, sizeof(path), "%s/in", dir);
	assert_return_code(rmdir(path), errno);
	assert_return_code(rmdir(dir), errno);
}

static void test_confine_limits(void **state)
{
	(void)state;
	assert_int_equal(in_child("/", MEMORY, has_limits, NULL), 0);
	assert_int_equal(in_child("/", MEMORY, take_memory, NULL), ENOMEM);
}

static void test_confine_leaves_reading_of_what_is_named(void **state)
{
	char dir[] = "/tmp/wgns-confine.XXXXXX", readable[64];

	(void)state;
	if (!has_landlock()) {
		if (getenv("WGNS_MUST_RUN"))
			print_message("this kernel has no Landlock\n");
		skip();
	}
	make_files(dir);
	(void)snprintf(readable, sizeof(readable), "%s/in", dir);
	assert_int_equal(in_child(readable, MEMORY, read_inside, dir), 0);
	assert_int_equal(in_child(readable, MEMORY, read_outside, dir), EACCES);
	assert_int_equal(in_child(readable, MEMORY, write_inside, dir), EACCES);
	assert_int_equal(in_child(readable, MEMORY, make_inside, dir), EACCES);
	assert_int_equal(in_child(readable, MEMORY, remove_inside, dir), EACCES);
	assert_int_equal(in_child("/", MEMORY, execute, dir), EACCES);
	/* what is not there is passed over */
	assert_int_equal(in_child("/nonexistent", MEMORY, read_outside, dir), EACCES);
	remove_files(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_confine_limits),
		cmocka_unit_test(test_confine_leaves_reading_of_what_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
