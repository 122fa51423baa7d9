// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * the files that make a manager start in physical
 *
 * They are below /run, and a machine that crashed starts without them. Each is made whole and at once, and never over another;
 * only what still reads as it was written is removed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "op_internal.h"
#include "op_unit.h"
#include "wgns/fd.h"
#include "wgns/folder.h"
#include "wgns/nm.h"
#include "wgns/str.h"
#include "wgns/units_moved.h"

#define FILE_MAX 4096

/* a folder of root's, made with those above it where they are missing; /run is there */
static int open_made(const char *path, struct err *e)
{
	char part[PATH_MAX];

	for (const char *at = path + sizeof("/run") - 1; at; at = strchr(at + 1, '/')) {
		const char *end = strchr(at + 1, '/'), *name;

		(void)snprintf(part, sizeof(part), "%.*s",
			       end ? (int)(end - path) : (int)strlen(path), path);
		AUTO_FD int parent_fd = folder_open_parent(part, &name, e);
		if (parent_fd < 0)
			return parent_fd;
		if (mkdirat(parent_fd, name, 0755) < 0 && errno != EEXIST)
			return err_set(e, errno, "create %s", part);
	}
	return folder_open(path, O_RDONLY, e);
}

/* whole or not at all, and not over another: a file without a name gets one (open(2), O_TMPFILE) */
static int write_file(const struct units_file *file, struct err *e)
{
	char self[48];

	AUTO_FD int dir_fd = open_made(file->dir, e);
	if (dir_fd < 0)
		return dir_fd;
	AUTO_FD int fd = openat(dir_fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_set(e, errno, "make a file in %s", file->dir);
	int rc = fd_write_all(fd, file->text, strlen(file->text), file->name, e);
	if (rc < 0)
		return rc;
	if (fchmod(fd, 0644) < 0)
		return err_set(e, errno, "set the mode of %s/%s", file->dir, file->name);
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, self, dir_fd, file->name, AT_SYMLINK_FOLLOW) < 0) {
		rc = err_set(e, errno, "make %s/%s", file->dir, file->name);
		if (rc == -EEXIST)
			err_hint(e, "it is not of this tunnel's doing: look at it, and remove it");
		return rc;
	}
	return 0;
}

/* one that was edited, or was made by another version: nobody may remove it, and the unit would not start without the namespace */
static int check_gone(const struct units_file *file, struct err *e)
{
	AUTO_FREE char *text = NULL;
	struct err ignored; /* not there */
	char path[PATH_MAX];
	size_t len;

	(void)snprintf(path, sizeof(path), "%.*s/%s", (int)sizeof(file->dir), file->dir,
		       file->name);
	if (fd_read_file_at(AT_FDCWD, path, FILE_MAX, &text, &len, &ignored) < 0 ||
	    strncmp(text, UNITS_MARK, sizeof(UNITS_MARK) - 1) != 0)
		return 0;
	(void)err_say(e, EBUSY, "%s was changed meanwhile, and is left as it is", path);
	err_hint(e, "remove it");
	return -EBUSY;
}

/* Return: 1 when it is there and says that, 0 when it is not there or says something else, -errno */
static int is_ours(int dir_fd, const struct units_file *file, struct err *e)
{
	AUTO_FREE char *text = NULL;
	struct err why;
	size_t len;

	int rc = fd_read_file_at(dir_fd, file->name, FILE_MAX, &text, &len, &why);
	if (rc == -ENOENT || rc == -EFBIG || rc == -ELOOP)
		return 0;
	if (rc < 0) {
		*e = why;
		return rc;
	}
	return len == strlen(file->text) && memcmp(text, file->text, len) == 0;
}

static int remove_file(const struct units_file *file, struct err *e)
{
	const char *name;
	struct err why;

	AUTO_FD int dir_fd = folder_open(file->dir, O_RDONLY, &why);
	if (dir_fd == -ENOENT || dir_fd == -ENOTDIR || dir_fd == -ELOOP)
		return 0;
	if (dir_fd < 0) {
		*e = why;
		return dir_fd;
	}
	int rc = is_ours(dir_fd, file, e);
	if (rc < 0)
		return rc;
	if (rc && unlinkat(dir_fd, file->name, 0) < 0 && errno != ENOENT)
		return err_set(e, errno, "remove %s/%s", file->dir, file->name);
	AUTO_FD int parent_fd = folder_open_parent(file->dir, &name, &why);
	/* one that has something else in it stays, and an empty one is nobody's */
	if (parent_fd >= 0)
		(void)unlinkat(parent_fd, name, AT_REMOVEDIR);
	return 0;
}

static int write_units(const struct op_units *units, struct err *e)
{
	struct units_file files[UNITS_FILES_MAX];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < units->n; i++) {
		size_t n = units_files(units->names[i], files);
		for (size_t k = 0; rc == 0 && k < n; k++)
			rc = write_file(&files[k], e);
	}
	return rc;
}

int unit_dropin_run(struct op_env *env, const struct step *step, struct err *e)
{
	struct op_units units;
	int rc = op_units_read(step, &units, e);

	if (rc == 0 && op_units_has(&units, UNITS_NETWORKD))
		rc = op_units_make_netif(env, e);
	if (rc == 0 && op_units_has(&units, UNITS_NETWORKD))
		rc = op_units_forget_links(env, e);
	if (rc == 0 && op_units_has(&units, UNITS_NETWORKMANAGER))
		rc = state_mkdir(env->run_fd, OP_BOX_PATH "/" UNITS_BOX_NM, 0755, 0, e);
	if (rc == 0 && op_units_has(&units, UNITS_IWD))
		rc = op_units_make_iwd_conf(env, e);
	if (rc == 0)
		rc = write_units(&units, e);
	if (rc == 0 && op_units_has(&units, UNITS_NETWORKMANAGER))
		rc = nm_check_names(e);
	return rc < 0 ? rc : systemd_reload(e);
}

int op_units_remove(struct op_env *env, const struct op_units *units, struct err *e)
{
	static const char *const folders[] = { UNITS_BOX_NETIF, UNITS_BOX_NM };
	struct units_file files[UNITS_FILES_MAX];
	struct err why;
	int rc = 0;

	/* everything that can be removed is, and the first failure is told */
	for (size_t i = 0; i < units->n; i++) {
		size_t n = units_files(units->names[i], files);
		for (size_t k = 0; k < n; k++) {
			int failed = remove_file(&files[k], &why);
			if (failed == 0)
				failed = check_gone(&files[k], &why);
			if (failed < 0 && rc == 0) {
				*e = why;
				rc = -why.code;
			}
		}
	}
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		int failed = op_units_remove_folder(env, folders[i], &why);
		if (failed < 0 && rc == 0) {
			*e = why;
			rc = failed;
		}
	}
	return rc;
}

int unit_dropin_undo(struct op_env *env, const struct step *step, struct err *e)
{
	struct op_units units;
	struct err why;
	int rc = op_units_read(step, &units, e);

	if (rc < 0)
		return rc;
	rc = op_units_remove(env, &units, e);
	/*
	 * Also when nothing was found: whoever was killed may have removed them and not said so. And when something is left:
	 * the rest is gone, and as long as systemd does not know that it starts a manager where nobody reaches it.
	 */
	int failed = systemd_reload(&why);
	if (failed < 0 && rc == 0) {
		*e = why;
		rc = failed;
	}
	return rc;
}
