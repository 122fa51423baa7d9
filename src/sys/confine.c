// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "wgns/fd.h"

/* what Landlock knew from the beginning, bits 0 to 12; later versions add to it */
#define ACCESS_1 ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)
#define ACCESS_REFER (1ULL << 13) /* version 2, Linux 5.19 */
#define ACCESS_TRUNCATE (1ULL << 14) /* version 3, Linux 6.2 */
#define ACCESS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

static int limit(int what, unsigned long value)
{
	const struct rlimit both = { value, value };
	struct rlimit old;

	if (getrlimit((__rlimit_resource_t)what, &old) < 0)
		return -errno;
	if (old.rlim_max <= value)
		return 0; /* it is lower already */
	return setrlimit((__rlimit_resource_t)what, &both) < 0 ? -errno : 0;
}

static int allow_reading(int rules_fd, const char *path)
{
	struct stat st;

	AUTO_FD int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == EACCES ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	const struct landlock_path_beneath_attr rule = {
		.allowed_access = S_ISDIR(st.st_mode) ? ACCESS_READ : LANDLOCK_ACCESS_FS_READ_FILE,
		.parent_fd = fd,
	};
	if (syscall(SYS_landlock_add_rule, rules_fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0U) < 0)
		return -errno;
	return 0;
}

static int lock_files(const struct confine *c)
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0UL, LANDLOCK_CREATE_RULESET_VERSION);
	if (version < 1)
		return 0; /* ENOSYS, or EOPNOTSUPP: not among the kernel's modules of security */
	struct landlock_ruleset_attr handled = { .handled_access_fs = ACCESS_1 };
	if (version >= 2)
		handled.handled_access_fs |= ACCESS_REFER;
	if (version >= 3)
		handled.handled_access_fs |= ACCESS_TRUNCATE;
	AUTO_FD int rules_fd = (int)syscall(SYS_landlock_create_ruleset, &handled,
					    sizeof(handled.handled_access_fs), 0U);
	if (rules_fd < 0)
		return -errno;
	for (size_t i = 0; i < c->n_readable; i++) {
		int rc = allow_reading(rules_fd, c->readable[i]);
		if (rc < 0)
			return rc;
	}
	return syscall(SYS_landlock_restrict_self, rules_fd, 0U) < 0 ? -errno : 0;
}

int confine_self(const struct confine *c, struct err *e)
{
	int rc = limit(RLIMIT_CORE, 0);

	if (rc == 0)
		rc = limit(RLIMIT_FSIZE, 0);
	if (rc == 0)
		rc = limit(RLIMIT_AS, c->memory);
	if (rc == 0)
		rc = limit(RLIMIT_CPU, c->cpu_s);
	if (rc < 0)
		return err_set(e, -rc, "limit this process");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(e, errno, "set no_new_privs");
	rc = lock_files(c);
	return rc < 0 ? err_set(e, -rc, "give up the files") : 0;
}
