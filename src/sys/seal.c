// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

/* linux/mount.h and glibc's sys/mount.h cannot be included together before glibc 2.37 */
#ifndef MOVE_MOUNT_F_EMPTY_PATH
#define MOVE_MOUNT_F_EMPTY_PATH 0x00000004
#endif

/* mounts below /sys that belong to the machine and not to a network namespace */
static const char *const below_sys[] = {
	"/sys/fs/cgroup",	    "/sys/fs/bpf",
	"/sys/fs/pstore",	    "/sys/fs/selinux",
	"/sys/fs/fuse/connections", "/sys/kernel/security",
	"/sys/kernel/debug",	    "/sys/kernel/tracing",
	"/sys/kernel/config",	    "/sys/firmware/efi/efivars",
};
#define N_BELOW_SYS (sizeof(below_sys) / sizeof(below_sys[0]))

/* where nscd and systemd-resolved listen; a folder that is not there yet cannot be hidden */
static const char *const masked[] = { "/run/nscd", "/run/systemd/resolve" };
#define N_MASKED (sizeof(masked) / sizeof(masked[0]))

int seal_is_box_name(const char *name)
{
	size_t len = strlen(name);

	return len >= 1 && len <= SEAL_NAME_MAX && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-") ==
		       len;
}

int seal_open_box(const char *name)
{
	char path[sizeof(SEAL_BOX_DIR) + SEAL_NAME_MAX + sizeof("//netns")];
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
					   RESOLVE_NO_MAGICLINKS };

	if (!seal_is_box_name(name))
		return -EINVAL;
	(void)snprintf(path, sizeof(path), SEAL_BOX_DIR "/%s/netns",
		       name); /* fits: checked above */
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	/*
	 * RESOLVE_NO_XDEV is left out: a pinned namespace is a mount point (openat2(2), Linux 5.6)
	 */
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	int code = errno;
	(void)close(root); /* nothing was written */
	return fd < 0 ? -code : fd;
}

/*
 * Everything is looked up through lower folders at each access, so a rename on the host changes
 * nothing here
 */
static int cover_etc(const char *etc_dir, const char **what)
{
	char options[PATH_MAX + 32];

	*what = "mount an overlay on /etc";
	if (strpbrk(etc_dir, ":,\\"))
		return -EINVAL;
	if ((size_t)snprintf(options, sizeof(options), "lowerdir=%s:/etc", etc_dir) >=
	    sizeof(options))
		return -ENAMETOOLONG;
	return mount("wgns", "/etc", "overlay", MS_RDONLY | MS_NOSUID | MS_NODEV, options) < 0
		       ? -errno
		       : 0;
}

static int mask_resolvers(const char **what)
{
	static const char *const attempts[N_MASKED] = { "hide /run/nscd",
							"hide /run/systemd/resolve" };

	for (size_t i = 0; i < N_MASKED; i++) {
		*what = attempts[i];
		if (mount("wgns", masked[i], "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
			  "mode=0755,size=4k") < 0 &&
		    errno != ENOENT)
			return -errno;
	}
	return 0;
}

/* Which namespace's devices a sysfs shows is decided when it is mounted (sysfs(5)) */
static int replace_sys(const char **what)
{
	int moved[N_BELOW_SYS];
	struct statvfs sys;
	struct statfs fs;

	*what = "examine /sys";
	if (statvfs("/sys", &sys) < 0)
		return -errno;
	for (size_t i = 0; i < N_BELOW_SYS; i++) {
		moved[i] = -1;
		if (statfs(below_sys[i], &fs) < 0 || fs.f_type == SYSFS_MAGIC)
			continue; /* not there, or an empty folder of sysfs itself */
		*what = "open what is mounted below /sys";
		moved[i] = open(below_sys[i], O_PATH | O_CLOEXEC);
		if (moved[i] < 0)
			return -errno;
	}

	*what = "mount sysfs on /sys";
	unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	if (mount("wgns", "/sys", "sysfs", flags | (sys.f_flag & ST_RDONLY ? MS_RDONLY : 0), NULL) <
	    0)
		return -errno;

	/* the mounts are this namespace's own, so they are moved, with all below them; Linux 5.2 */
	*what = "move what is mounted below /sys";
	for (size_t i = 0; i < N_BELOW_SYS; i++) {
		if (moved[i] < 0)
			continue;
		if (syscall(SYS_move_mount, moved[i], "", AT_FDCWD, below_sys[i],
			    MOVE_MOUNT_F_EMPTY_PATH) < 0)
			return -errno;
		(void)close(moved[i]); /* O_PATH: nothing can be lost */
	}
	return 0;
}

int seal_enter(int ns_fd, const char *etc_dir, const char **what)
{
	*what = "enter the network namespace";
	if (setns(ns_fd, CLONE_NEWNET) < 0)
		return -errno;
	*what = "make a mount namespace";
	if (unshare(CLONE_NEWNS) < 0)
		return -errno;
	*what = "make / a slave of the mounts outside";
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return -errno;

	int rc = etc_dir ? cover_etc(etc_dir, what) : 0;
	if (rc == 0)
		rc = mask_resolvers(what);
	if (rc == 0)
		rc = replace_sys(what);
	return rc;
}
