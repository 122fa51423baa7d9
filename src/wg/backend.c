// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wgns/fd.h"

#include "wg_internal.h"

const struct backend *backend_by_name(const char *name)
{
	if (strcmp(name, backend_kernel.name) == 0)
		return &backend_kernel;
	if (strcmp(name, backend_userspace.name) == 0)
		return &backend_userspace;
	return NULL;
}

static int choose_named(const char *wanted, const struct backend_device *dev,
			const struct backend **out, char why[256], struct err *e)
{
	const struct backend *b = backend_by_name(wanted);

	if (!b) {
		(void)err_say(e, EINVAL, "no backend \"%s\": auto, kernel or userspace", wanted);
		return err_as(e, ERR_KIND_USAGE);
	}
	int rc = b->usable(dev, e);
	if (rc < 0)
		return rc;
	(void)snprintf(why, 256, "%s WireGuard, as asked for", b->name);
	*out = b;
	return 0;
}

int backend_choose(const char *wanted, const struct backend_device *dev, const struct backend **out,
		   char why[256], struct err *e)
{
	struct err no_kernel, no_daemon;

	if (strcmp(wanted, "auto") != 0)
		return choose_named(wanted, dev, out, why, e);
	if (backend_kernel.usable(dev, &no_kernel) == 0) {
		(void)snprintf(why, 256, "kernel WireGuard");
		*out = &backend_kernel;
		return 0;
	}
	if (backend_userspace.usable(dev, &no_daemon) == 0) {
		(void)snprintf(why, 256, "userspace WireGuard (%.100s): %.100s", dev->daemon,
			       no_kernel.text);
		*out = &backend_userspace;
		return 0;
	}
	(void)err_say(e, no_daemon.code, "no WireGuard here: %s; %s", no_kernel.text,
		      no_daemon.text);
	err_hint(e, "%s", no_daemon.hint);
	return err_as(e, ERR_KIND_MACHINE);
}

struct link_names {
	char link[UAPI_SOCKET_NAME_MAX]; /* NAME.sock */
	char target[UAPI_SOCKET_NAME_MAX]; /* BIRTHNAME.sock, relative */
};

static int name_link(const struct backend_device *dev, struct link_names *out, struct err *e)
{
	if (uapi_socket_name(dev->name, out->link, e) < 0)
		return -e->code;
	return uapi_socket_name(dev->birth_name, out->target, e);
}

/* Return: 1 when the link is ours, 0 when not or absent, -errno */
static int is_ours(int dir_fd, const struct link_names *names, struct err *e)
{
	char target[UAPI_SOCKET_NAME_MAX];
	ssize_t n = readlinkat(dir_fd, names->link, target, sizeof(target));

	if (n < 0 && errno != ENOENT && errno != EINVAL) /* no link */
		return err_set(e, errno, "read the link " UAPI_SOCKET_DIR "/%s", names->link);
	return n > 0 && (size_t)n == strlen(names->target) &&
	       memcmp(target, names->target, (size_t)n) == 0;
}

/* Return: 0 when what has the name may be replaced: a socket, or a link to one, that nobody serves */
static int check_stale(int dir_fd, const struct backend_device *dev, const struct link_names *names,
		       struct err *e)
{
	struct stat st;
	struct err refused;
	bool is_socket = fstatat(dir_fd, names->link, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			 (S_ISSOCK(st.st_mode) || S_ISLNK(st.st_mode));
	AUTO_FD int fd = is_socket ? uapi_socket_connect(dev->name, NULL, &refused) : -1;

	if (is_socket && (fd == -ECONNREFUSED || fd == -ENOENT))
		return 0;
	(void)err_say(e, EEXIST, UAPI_SOCKET_DIR "/%s is %s", names->link,
		      is_socket ? "another daemon's socket" : "not a socket");
	return err_as(e, ERR_KIND_STATE);
}

int backend_link_socket(const struct backend_device *dev, struct err *e)
{
	struct link_names names;
	char tmp[UAPI_SOCKET_NAME_MAX + 16];

	if (name_link(dev, &names, e) < 0)
		return -e->code;
	AUTO_FD int dir_fd = uapi_socket_open_dir(true, e);
	if (dir_fd < 0)
		return dir_fd;
	if (symlinkat(names.target, dir_fd, names.link) == 0)
		return 0;
	if (errno != EEXIST)
		return err_set(e, errno, "link " UAPI_SOCKET_DIR "/%s", names.link);
	int rc = is_ours(dir_fd, &names, e);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	if (check_stale(dir_fd, dev, &names, e) < 0)
		return -e->code;

	/* a name without ".sock" at its end: wg(8) does not look at it */
	(void)snprintf(tmp, sizeof(tmp), ".%s.%d", names.link, (int)getpid());
	(void)unlinkat(dir_fd, tmp, 0); /* of a dead process; symlinkat(2) says if it stayed */
	if (symlinkat(names.target, dir_fd, tmp) < 0)
		return err_set(e, errno, "link " UAPI_SOCKET_DIR "/%s", tmp);
	if (renameat(dir_fd, tmp, dir_fd, names.link) < 0) {
		(void)err_set(e, errno, "link " UAPI_SOCKET_DIR "/%s", names.link);
		(void)unlinkat(dir_fd, tmp, 0); /* the error that matters is in @e */
		return -e->code;
	}
	return 0;
}

int backend_unlink_socket(const struct backend_device *dev, struct err *e)
{
	struct link_names names;

	if (name_link(dev, &names, e) < 0)
		return -e->code;
	AUTO_FD int dir_fd = uapi_socket_open_dir(false, e);
	if (dir_fd < 0)
		return dir_fd == -ENOENT ? 0 : dir_fd;
	int rc = is_ours(dir_fd, &names, e);
	if (rc < 0)
		return rc;
	if (rc && unlinkat(dir_fd, names.link, 0) < 0 && errno != ENOENT)
		return err_set(e, errno, "remove " UAPI_SOCKET_DIR "/%s", names.link);
	return 0;
}
