// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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

#include "wgns/compiled.h"

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

/*
 * Where path sockets lead out of the box: names by nscd and systemd-resolved, everything by the system bus. A folder is hidden and
 * not a socket, because sockets are made anew.
 */
static const struct {
	const char *path, *what;
	unsigned option; /* only with it; 0: always */
} hidden[] = {
	{ "/run/nscd", "hide /run/nscd", 0 },
	{ "/run/systemd/resolve", "hide /run/systemd/resolve", 0 },
	{ "/run/dbus", "hide /run/dbus", COMPILED_HIDE_BUS },
};
#define N_HIDDEN (sizeof(hidden) / sizeof(hidden[0]))

int seal_is_box_name(const char *name)
{
	size_t len = strlen(name);

	return len >= 1 && len <= SEAL_NAME_MAX && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-") ==
		       len;
}

int seal_open(const char *path)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
					   RESOLVE_NO_MAGICLINKS };
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return -errno;
	/* not RESOLVE_NO_XDEV: a pinned namespace is a mount point (openat2(2), Linux 5.6) */
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	int code = errno;
	(void)close(root); /* nothing was written */
	return fd < 0 ? -code : fd;
}

int seal_open_box(const char *name)
{
	char path[sizeof(SEAL_BOX_DIR "//netns") + SEAL_NAME_MAX];

	if (!seal_is_box_name(name))
		return -EINVAL;
	(void)snprintf(path, sizeof(path), SEAL_BOX_DIR "/%s/netns", name); /* fits */
	return seal_open(path);
}

static int cover(const char *path, const char *type, unsigned long flags, const char *options)
{
	return mount("wgns", path, type, flags | MS_NOSUID | MS_NODEV, options) < 0 ? -errno : 0;
}

/*
 * Everything is looked up through lower folders at each access, so a rename on the host changes
 * nothing here
 */
static int cover_etc(const char *dir)
{
	char options[PATH_MAX];

	if (strpbrk(dir, ":,\\"))
		return -EINVAL;
	if ((size_t)snprintf(options, sizeof(options), "lowerdir=%s/etc:/etc", dir) >=
	    sizeof(options))
		return -ENAMETOOLONG;
	return cover("/etc", "overlay", MS_RDONLY, options);
}

static int hide_sockets(unsigned options, const char **what)
{
	for (size_t i = 0; i < N_HIDDEN; i++) {
		if (hidden[i].option && !(options & hidden[i].option))
			continue;
		*what = hidden[i].what;
		int rc = cover(hidden[i].path, "tmpfs", MS_RDONLY | MS_NOEXEC, "mode=0755,size=4k");
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int make_fresh(const char *dir, uid_t uid)
{
	char path[PATH_MAX], options[48];

	if ((size_t)snprintf(path, sizeof(path), "%s/" SEAL_FRESH_NAME, dir) >= sizeof(path))
		return -ENAMETOOLONG;
	(void)snprintf(options, sizeof(options), "mode=0700,size=25%%,uid=%u",
		       (unsigned)uid); /* fits */
	return cover(path, "tmpfs", 0, options);
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
	int rc = cover("/sys", "sysfs", MS_NOEXEC | (sys.f_flag & ST_RDONLY ? MS_RDONLY : 0), NULL);
	if (rc < 0)
		return rc;

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

int seal_enter(int ns_fd, const char *dir, unsigned options, uid_t uid, const char **what)
{
	*what = "enter the network namespace (out of a user namespace?)";
	if (setns(ns_fd, CLONE_NEWNET) < 0)
		return -errno;
	*what = "make a mount namespace";
	if (unshare(CLONE_NEWNS) < 0)
		return -errno;
	*what = "make / a slave of the mounts outside (is this a chroot?)";
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return -errno;

	*what = "mount an overlay on /etc";
	int rc = cover_etc(dir);
	if (rc == 0)
		rc = hide_sockets(options, what);
	if (rc == 0 && options & COMPILED_FRESH) {
		*what = "mount a fresh folder";
		rc = make_fresh(dir, uid);
	}
	return rc < 0 ? rc : replace_sys(what);
}
