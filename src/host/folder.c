// SPDX-License-Identifier: GPL-2.0-or-later

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "wgns/fd.h"
#include "wgns/folder.h"
#include "wgns/str.h"

/* linux/mount.h and glibc's sys/mount.h cannot be included together before glibc 2.37 */
#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#define MOUNTINFO_MAX (1u << 26)
#define LOOK_FLAGS (AT_NO_AUTOMOUNT | AT_SYMLINK_NOFOLLOW)

int folder_open(const char *path, int flags, struct err *e)
{
	/* openat2(2): Linux 5.6 */
	struct open_how how = { .flags = (unsigned)(flags | O_DIRECTORY | O_CLOEXEC),
				.resolve = RESOLVE_NO_SYMLINKS };
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	return fd < 0 ? err_set(e, errno, "open %s", path) : fd;
}

int folder_open_parent(const char *path, const char **name, struct err *e)
{
	char parent[PATH_MAX];
	const char *slash = strrchr(path, '/');

	if (!slash || slash == path || (size_t)(slash - path) >= sizeof(parent))
		return err_say(e, EINVAL, "'%s' is no path of a folder in another one", path);
	(void)snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
	*name = slash + 1;
	return folder_open(parent, O_PATH, e);
}

int folder_look(const char *path, enum host_folder *out, struct err *e)
{
	struct statx st;

	if (statx(AT_FDCWD, path, LOOK_FLAGS, STATX_TYPE, &st) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			return err_set(e, errno, "examine %s", path);
		*out = HOST_FOLDER_ABSENT;
	} else if (!S_ISDIR(st.stx_mode)) {
		*out = HOST_FOLDER_OTHER;
	} else {
		/* Linux 5.8; before it a bind mount of the same file system could not be told from a folder */
		*out = st.stx_attributes & STATX_ATTR_MOUNT_ROOT ? HOST_FOLDER_MOUNTED
								 : HOST_FOLDER_THERE;
	}
	return 0;
}

bool folder_is_empty(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	bool is_empty = true;

	if (!dir)
		return false;
	do {
		errno = 0;
		entry = readdir(dir);
		/* one that cannot be read is not known to be empty */
		is_empty =
			entry ? strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0
			      : errno == 0;
	} while (entry && is_empty);
	(void)closedir(dir); /* it was only read */
	return is_empty;
}

/* proc_pid_mountinfo(5): "ID PARENT MAJOR:MINOR ROOT MOUNT-POINT ..."; Return: how many mounts lie on @path, -errno */
static int count_mounts(const char *path, struct err *e)
{
	AUTO_FREE char *text = NULL;
	size_t len, path_len = strlen(path);
	int n = 0;

	int rc = fd_read_file_at(AT_FDCWD, "/proc/thread-self/mountinfo", MOUNTINFO_MAX, &text,
				 &len, e);
	if (rc < 0)
		return rc;
	char *rest = text;
	for (const char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		for (int word = 0; line && word < 4; word++) {
			line = strchr(line, ' ');
			line = line ? line + 1 : NULL;
		}
		n += line && strncmp(line, path, path_len) == 0 && line[path_len] == ' ';
	}
	return n;
}

int folder_is_pinned(const char *path, struct err *e)
{
	struct statx top, below;
	const char *name;

	if (statx(AT_FDCWD, path, LOOK_FLAGS, STATX_INO, &top) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0
							   : err_set(e, errno, "examine %s", path);
	if (!(top.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return 0;
	AUTO_FD int parent_fd = folder_open_parent(path, &name, e);
	if (parent_fd < 0)
		return parent_fd;
	/* a copy of the mount that the parent is on, without those on it, shows what lies below (Linux 5.2) */
	AUTO_FD int copy_fd = (int)syscall(SYS_open_tree, parent_fd, "",
					   OPEN_TREE_CLONE | O_CLOEXEC | AT_EMPTY_PATH);
	if (copy_fd < 0)
		return err_set(e, errno, "look below the mount on %s", path);
	if (statx(copy_fd, name, LOOK_FLAGS, STATX_INO, &below) < 0)
		return errno == ENOENT ? 0 : err_set(e, errno, "examine %s below its mount", path);
	if (top.stx_dev_major == below.stx_dev_major && top.stx_dev_minor == below.stx_dev_minor &&
	    top.stx_ino == below.stx_ino)
		return 1;
	int n = count_mounts(path, e);
	if (n <= 1)
		return n < 0 ? n : 0;
	err_say(e, EBUSY, "something else was mounted over %s", path);
	err_hint(e, "`umount %s` takes it away, when it is not needed there", path);
	return -EBUSY;
}
