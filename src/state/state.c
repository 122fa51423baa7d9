// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "wgns/fd.h"
#include "wgns/seal.h"

#define LOCK_NAME "lock"
#define ENTER_TRIES 50

int state_open(bool should_create, struct err *e)
{
	struct stat st;

	if (should_create && mkdir(STATE_DIR, 0755) < 0 && errno != EEXIST)
		return err_set(e, errno, "create %s", STATE_DIR);
	AUTO_FD int fd = open(STATE_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, errno, "open %s", STATE_DIR);
	if (fstat(fd, &st) < 0)
		return err_set(e, errno, "stat %s", STATE_DIR);
	if (st.st_uid != 0 || (st.st_mode & 022)) {
		err_say(e, EPERM, "%s is not root's alone (owner %u, mode %04o)", STATE_DIR,
			st.st_uid, st.st_mode & 07777);
		return err_as(e, ERR_KIND_MACHINE);
	}
	if (should_create && geteuid() == 0 && (st.st_mode & 0777) != 0755 && fchmod(fd, 0755) < 0)
		return err_set(e, errno, "chmod %s",
			       STATE_DIR); /* an odd umask of mkdir's caller */
	return fd_take(&fd);
}

int state_openat(int run_fd, const char *path, int flags, struct err *e)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC),
		.mode = flags & O_CREAT ? 0600 : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	int fd = (int)syscall(SYS_openat2, run_fd, path, &how, sizeof(how));

	return fd < 0 ? err_set(e, errno, "open %s/%s", STATE_DIR, path) : fd;
}

/* Return: the locked file, -ESTALE when it was removed while we waited */
static int lock_file(int run_fd, int wait_ms, struct err *e)
{
	const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
	struct stat st;
	AUTO_FD int fd = state_openat(run_fd, LOCK_NAME, O_RDWR | O_CREAT, e);

	if (fd < 0)
		return fd;
	/* flock(2) has no time-out of its own, and an alarm would be the whole process's */
	for (int waited = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; waited += 20) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_set(e, errno, "lock %s/%s", STATE_DIR, LOCK_NAME);
		if (waited >= wait_ms) {
			err_say(e, EBUSY, "another wgns is changing the network");
			return err_as(e, ERR_KIND_STATE);
		}
		(void)nanosleep(&pause, NULL); /* cut short by a signal: tried again at once */
	}
	if (fstat(fd, &st) < 0)
		return err_set(e, errno, "stat %s/%s", STATE_DIR, LOCK_NAME);
	return st.st_nlink ? fd_take(&fd) : -ESTALE;
}

int state_enter(bool should_create, int wait_ms, int *run_fd, int *lock_fd, struct err *e)
{
	/* whoever had the lock may have been the last and have removed the folder: then there is a new one */
	for (int i = 0; i < ENTER_TRIES; i++) {
		struct err why;
		AUTO_FD int dir_fd = state_open(should_create, e);
		if (dir_fd < 0)
			return dir_fd;
		int fd = lock_file(dir_fd, wait_ms, &why);
		if (fd == -ESTALE || fd == -ENOENT)
			continue;
		if (fd < 0) {
			*e = why;
			return fd;
		}
		*run_fd = fd_take(&dir_fd);
		*lock_fd = fd;
		return 0;
	}
	err_say(e, EBUSY, "other wgns processes change the network all the time");
	return err_as(e, ERR_KIND_STATE);
}

void state_leave(int *run_fd, int *lock_fd)
{
	/* a folder that is not empty stays, which is what is meant */
	(void)unlinkat(*run_fd, "tunnel", AT_REMOVEDIR);
	(void)unlinkat(*run_fd, "box", AT_REMOVEDIR);
	if (faccessat(*run_fd, "tunnel", F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
	    faccessat(*run_fd, "box", F_OK, AT_SYMLINK_NOFOLLOW) < 0) {
		(void)unlinkat(*run_fd, LOCK_NAME,
			       0); /* who waits for it finds that it has no name */
		(void)rmdir(STATE_DIR);
	}
	fd_close_indirect(lock_fd);
	fd_close_indirect(run_fd);
}

int state_mkdir(int run_fd, const char *path, unsigned mode, unsigned gid, struct err *e)
{
	if (mkdirat(run_fd, path, 0700) < 0)
		return err_set(e, errno, "create %s/%s", STATE_DIR, path);
	AUTO_FD int fd = state_openat(run_fd, path, O_RDONLY | O_DIRECTORY, e);
	if (fd < 0)
		return fd;
	if (fchown(fd, 0, gid) < 0 || fchmod(fd, mode) < 0)
		return err_set(e, errno, "set the mode of %s/%s", STATE_DIR, path);
	return 0;
}

/* the files of one folder; folders in it are left to the caller, who knows how deep it goes */
static int remove_files(int dir_fd, const char *path, struct err *e)
{
	int list_fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = list_fd < 0 ? NULL : fdopendir(list_fd);
	const struct dirent *entry;
	int rc = 0;

	if (!dir) {
		rc = err_set(e, errno, "list %s/%s", STATE_DIR, path);
		if (list_fd >= 0)
			(void)close(list_fd);
		return rc;
	}
	while (rc == 0) {
		errno = 0;
		entry = readdir(dir);
		if (!entry)
			break;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(dir_fd, entry->d_name, 0) < 0 && errno != ENOENT && errno != EISDIR)
			rc = err_set(e, errno, "remove %s/%s/%s", STATE_DIR, path, entry->d_name);
	}
	(void)closedir(dir); /* it was only read */
	return rc;
}

int state_remove_tree(int run_fd, const char *path, struct err *e)
{
	static const char *const subfolders[] = { "etc", SEAL_FRESH_NAME, "agent", "lease" };
	struct err why;
	int fd = state_openat(run_fd, path, O_RDONLY | O_DIRECTORY, &why);

	if (fd == -ENOENT)
		return 0;
	if (fd < 0) {
		*e = why;
		return fd;
	}
	AUTO_FD int dir_fd = fd;
	/* a namespace that is pinned there still needs everything else that is in the folder */
	if (unlinkat(dir_fd, "netns", 0) < 0 && errno != ENOENT)
		return err_set(e, errno, "remove %s/%s/netns", STATE_DIR, path);
	for (size_t i = 0; i < sizeof(subfolders) / sizeof(subfolders[0]); i++) {
		AUTO_FD int sub_fd = openat(dir_fd, subfolders[i],
					    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub_fd < 0)
			continue; /* not there: then there is nothing to empty */
		int rc = remove_files(sub_fd, path, e);
		if (rc < 0)
			return rc;
		if (unlinkat(dir_fd, subfolders[i], AT_REMOVEDIR) < 0)
			return err_set(e, errno, "remove %s/%s/%s", STATE_DIR, path, subfolders[i]);
	}
	int rc = remove_files(dir_fd, path, e);
	if (rc < 0)
		return rc;
	if (unlinkat(run_fd, path, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_set(e, errno, "remove %s/%s", STATE_DIR, path);
	return 0;
}

int state_box_open_netns(int run_fd, const char *name, struct err *e)
{
	char path[STATE_PLACE_MAX + 32];

	(void)snprintf(path, sizeof(path), "box/%s/netns", name);
	AUTO_FD int fd = state_openat(run_fd, path, O_RDONLY, e);
	if (fd < 0)
		return fd;
	int rc = netns_check(fd, path, e);
	if (rc == 0)
		return fd_take(&fd);
	/* a plain file: whoever made it was killed before the namespace was mounted on it */
	return rc == -EINVAL ? err_set(e, ENOENT, "%s/%s is not a namespace", STATE_DIR, path) : rc;
}
