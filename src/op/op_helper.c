// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * what the helper needs in home: folders that it can lay an empty file system over, and profiles
 *
 * A folder that is a mount point only in another mount namespace can be removed, and the helper's mount with it. One that
 * is a mount point in home cannot: therefore each is bound onto itself (see tests/platform/mask_pinned.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "op_internal.h"
#include "wgns/fd.h"
#include "wgns/folder.h"
#include "wgns/profile_store.h"
#include "wgns/programs.h"

#define PROC_PATH_MAX 64

/*
 * `down --force` leaves programs alive, in a namespace without an uplink. What hides the host's resolvers from them lies on these
 * folders, and would be lost with them. Return: 1, 0 or -errno
 */
static int has_programs_left(struct op_env *env, struct err *e)
{
	struct netns_proc procs[PROGRAMS_MAX];
	size_t n = 0;

	if (env->has_programs_left >= 0)
		return env->has_programs_left;
	int rc = programs_find(env->run_fd, &env->tunnel.birth, procs, &n, e);
	if (rc < 0)
		return rc;
	env->has_programs_left = n > 0;
	if (n > 0)
		op_env_note(env,
			    "programs that were in physical are still running: what hides nscd and "
			    "systemd-resolved from them stays");
	return env->has_programs_left;
}

int dir_create_run(struct op_env *env, const struct step *step, struct err *e)
{
	const char *path = step->words[1], *name;

	(void)env;
	AUTO_FD int parent_fd = folder_open_parent(path, &name, e);
	if (parent_fd < 0)
		return parent_fd;
	if (mkdirat(parent_fd, name, 0755) < 0)
		return err_set(e, errno, "create %s", path);
	AUTO_FD int fd = folder_open(path, O_RDONLY, e);
	if (fd < 0)
		return fd;
	if (fchown(fd, 0, 0) < 0 || fchmod(fd, 0755) < 0)
		return err_set(e, errno, "set the owner and mode of %s", path);
	return 0;
}

/*
 * A folder that stays because another step could not be undone stays undone itself: else nobody would remove it later.
 * Return: 0 when what is in @path, or on it, is somebody else's
 */
static int check_not_ours(const char *path, struct err *e)
{
	size_t len = strlen(path);
	int rc = folder_is_pinned(path, e);

	if (rc != 0)
		return rc < 0 ? rc : err_say(e, EBUSY, "%s is still bound onto itself", path);
	for (size_t i = 0; i < PLAN_N_FOLDERS; i++) {
		const char *inner = plan_folders[i].path;

		if (strncmp(inner, path, len) != 0 || inner[len] != '/')
			continue;
		rc = folder_is_pinned(inner, e);
		if (rc < 0)
			return rc;
		if (rc > 0 || folder_is_empty(inner))
			return err_say(e, EBUSY, "%s is still in it", inner);
	}
	return 0;
}

/* it was absent: as long as it is root's and empty, nobody has any use for it */
int dir_create_undo(struct op_env *env, const struct step *step, struct err *e)
{
	const char *path = step->words[1], *name;
	struct stat st;
	struct err why;

	int rc = has_programs_left(env, e);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	AUTO_FD int parent_fd = folder_open_parent(path, &name, &why);
	if (parent_fd == -ENOENT)
		return 0;
	if (parent_fd < 0) {
		*e = why;
		return parent_fd;
	}
	if (fstatat(parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_set(e, errno, "examine %s", path);
	if (!S_ISDIR(st.st_mode) || st.st_uid != 0)
		return 0;
	if (unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST && errno != EBUSY)
		return err_set(e, errno, "remove %s", path);
	return check_not_ours(path, e);
}

int mask_pin_run(struct op_env *env, const struct step *step, struct err *e)
{
	const char *path = step->words[1];
	char self[PROC_PATH_MAX];
	enum host_folder now;

	(void)env;
	int rc = folder_look(path, &now, e);
	if (rc < 0)
		return rc;
	if (now == HOST_FOLDER_MOUNTED)
		return err_say(e, EBUSY, "something was mounted on %s meanwhile", path);
	AUTO_FD int fd = folder_open(path, O_PATH, e);
	if (fd < 0)
		return fd;
	/* with MS_REC what is mounted in it is still found there */
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (mount(self, self, NULL, MS_BIND | MS_REC, NULL) < 0)
		return err_set(e, errno, "bind %s onto itself", path);
	return 0;
}

int mask_pin_undo(struct op_env *env, const struct step *step, struct err *e)
{
	const char *path = step->words[1], *name;
	char self[PROC_PATH_MAX];

	/* programs in a box that could not be closed rely on it */
	if (faccessat(env->run_fd, OP_BOX_PATH "/netns", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return err_say(e, EBUSY, "physical is still there");
	int rc = has_programs_left(env, e);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = folder_is_pinned(path, e);
	if (rc <= 0)
		return rc; /* not there, or somebody else's mount */
	AUTO_FD int parent_fd = folder_open_parent(path, &name, e);
	if (parent_fd < 0)
		return parent_fd;
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d/%s", parent_fd, name);
	/* where /run is shared, what others mount in it is in the folder below as well, and must not go from there too */
	if (mount(NULL, self, NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_set(e, errno, "make %s private", path);
	/* MNT_DETACH: sockets in it are open */
	if (umount2(self, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT)
		return err_set(e, errno, "unmount %s", path);
	return 0;
}

static void pass_note(void *ctx, const char *text)
{
	const struct op_env *env = ctx;

	op_env_note(env, "%s", text);
}

int profile_compile_run(struct op_env *env, const struct step *step, struct err *e)
{
	(void)step;
	return profile_store_make(env->run_fd, env->profile_dirs, env->n_profile_dirs, pass_note,
				  env, e);
}

int profile_compile_undo(struct op_env *env, const struct step *step, struct err *e)
{
	(void)step;
	return profile_store_remove(env->run_fd, e);
}
