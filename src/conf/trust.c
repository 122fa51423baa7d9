// SPDX-License-Identifier: GPL-2.0-or-later
#include "trust.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "wgns/fd.h"

/* An ACL that lets others write shows in the group's bits (acl(5)). */
static bool is_roots_alone(const struct stat *st, const char *path, char *why, size_t cap)
{
	if (st->st_uid != 0) {
		(void)snprintf(why, cap, "%s belongs to uid %u, not to root", path, st->st_uid);
		return false;
	}
	if (st->st_mode & (S_IWGRP | S_IWOTH)) {
		(void)snprintf(why, cap, "%s is writable by %s", path,
			       st->st_mode & S_IWOTH ? "everyone" : "its group");
		return false;
	}
	return true;
}

/* walks @path, which readlink(2) gave without symlinks; true when it still leads to the file of @st */
static bool walk(char *path, const struct stat *st, struct stat *parent, char *why, size_t cap)
{
	AUTO_FD int dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool is_trusted = true;
	struct stat here;
	char *part = path + 1;

	for (char *slash = strchr(part, '/'); dir >= 0; slash = strchr(part, '/')) {
		if (fstat(dir, &here) < 0)
			return false;
		if (is_trusted) {
			/* name the folder, for the message, by the path up to here */
			char cut = part[0];
			part[0] = '\0';
			is_trusted = is_roots_alone(&here, path, why, cap);
			part[0] = cut;
		}
		if (!slash)
			break;
		*slash = '\0';
		int next = openat(dir, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		*slash = '/';
		part = slash + 1;
		fd_close_indirect(&dir);
		dir = next;
	}
	if (dir < 0 || fstatat(dir, part, parent, AT_SYMLINK_NOFOLLOW) < 0 ||
	    parent->st_dev != st->st_dev || parent->st_ino != st->st_ino) {
		parent->st_mode = 0;
		(void)snprintf(why, cap, "its place in the file system changes");
		return false;
	}
	*parent = here;
	return is_trusted;
}

bool trust_check(int fd, const struct stat *st, struct stat *parent, char *why, size_t cap)
{
	char link[32], path[PATH_MAX];

	*parent = (struct stat){ 0 };
	(void)snprintf(why, cap, "its folders cannot be examined");
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t len = readlink(link, path, sizeof(path) - 1);
	if (len <= 1 || path[0] != '/') {
		(void)snprintf(why, cap, "its folders cannot be found: is /proc mounted?");
		return false;
	}
	path[len] = '\0';
	if (!walk(path, st, parent, why, cap) || !is_roots_alone(st, path, why, cap))
		return false;
	why[0] = '\0';
	return true;
}

int trust_require(int fd, const struct stat *st, const char *path, struct diag_list *diags,
		  struct err *e)
{
	struct stat parent;
	char why[400];

	if (trust_check(fd, st, &parent, why, sizeof(why)))
		return 0;
	(void)err_say(e, EPERM, "%s grants rights and is not root's alone: %s", path, why);
	err_hint(e, "make the file and the folders above it root's, writable by root only");
	diag_add(diags, DIAG_ERROR, 0, 0, "grants rights and is not root's alone: %s", why);
	return -EPERM;
}
