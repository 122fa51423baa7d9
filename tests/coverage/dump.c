// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dump - which lines of the helper ran, written down before it is over; scripts/coverage links it
 *
 * The helper ends by _exit(2) or becomes the program, and neither runs what gcov writes its counters by. By then it is
 * another user's, without capabilities, perhaps with a filter or with faults that a test injects: so every process writes
 * into a new folder of its own, and none where it cannot.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define ROOM (1 << 20) /* more than the files take */

void __gcov_dump(void);
void __gcov_reset(void);
_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);
int __wrap___gcov_execvp(const char *file, char *const argv[]);

static int can_write(char *folder)
{
	struct rlimit size;

	if (getrlimit(RLIMIT_FSIZE, &size) < 0 || size.rlim_cur < ROOM)
		return 0; /* SIGXFSZ would end the process */
	if (!mkdtemp(folder))
		return 0;
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	(void)close(fd); /* nothing was written */
	return 1;
}

static void dump(void)
{
	char folder[] = COVERAGE_DATA "/XXXXXX";
	int code = errno;

	/* libgcov looks at the environment in this moment; the program gets its own one */
	if (can_write(folder) && setenv("GCOV_PREFIX", folder, 1) == 0 &&
	    setenv("GCOV_PREFIX_STRIP", "99", 1) == 0)
		__gcov_dump();
	(void)unsetenv("GCOV_PREFIX"); /* fails for bad names only */
	(void)unsetenv("GCOV_PREFIX_STRIP");
	errno = code;
}

_Noreturn void __wrap__exit(int status)
{
	dump();
	__real__exit(status);
}

int __wrap___gcov_execvp(const char *file, char *const argv[])
{
	dump();
	__gcov_reset(); /* what is in the files is not counted again */
	return execvp(file, argv);
}
