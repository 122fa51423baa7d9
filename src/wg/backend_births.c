// SPDX-License-Identifier: GPL-2.0-or-later
/* what wgns made and nobody knows of any more, found by its random name */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wgns/backend.h"
#include "wgns/fd.h"
#include "wgns/nl.h"
#include "wgns/rtnl.h"
#include "wgns/str.h"

#include "wg_internal.h"

#define BIRTH_STEM "wgns"
#define BIRTH_DIGITS 8
#define SOCKET_SUFFIX ".sock"

bool backend_is_birth_name(const char *name)
{
	size_t stem = strlen(BIRTH_STEM);

	return strncmp(name, BIRTH_STEM, stem) == 0 &&
	       strspn(name + stem, "0123456789abcdef") == BIRTH_DIGITS &&
	       strlen(name) == stem + BIRTH_DIGITS;
}

static bool can_be_tunnel(const struct rtnl_link *link)
{
	return strcmp(link->kind, "wireguard") == 0 || strcmp(link->kind, "tun") == 0;
}

/* the name that a tunnel was born with; NULL when wgns did not make it */
static const char *birth_of(const struct rtnl_link *link)
{
	size_t prefix = strlen(BACKEND_ALIAS);

	if (!can_be_tunnel(link))
		return NULL;
	if (strncmp(link->alias, BACKEND_ALIAS, prefix) == 0 &&
	    backend_is_birth_name(link->alias + prefix))
		return link->alias + prefix;
	return backend_is_birth_name(link->name) ? link->name : NULL;
}

static int add_once(char ***names, size_t *n, const char *name, struct err *e)
{
	for (size_t i = 0; i < *n; i++) {
		if (strcmp((*names)[i], name) == 0)
			return 0;
	}
	if (str_list_add(names, n, name, strlen(name)) < 0)
		return err_set(e, ENOMEM, "list what is left");
	return 0;
}

static int read_links(int ns_fd, struct rtnl_links *out, struct err *e)
{
	AUTO_NL struct nl *nl = NULL;
	int rc = nl_open_in(NETLINK_ROUTE, ns_fd, &nl, e);

	return rc < 0 ? rc : rtnl_dump_links(nl, out, e);
}

static int add_devices(int ns_fd, char ***names, size_t *n, struct err *e)
{
	struct rtnl_links links = { 0 };

	if (ns_fd < 0)
		return 0;
	int rc = read_links(ns_fd, &links, e);
	for (size_t i = 0; rc == 0 && i < links.n; i++) {
		const char *birth = birth_of(&links.items[i]);
		rc = birth ? add_once(names, n, birth, e) : 0;
	}
	rtnl_links_free(&links);
	return rc;
}

/* "wgns0123abcd.sock" -> "wgns0123abcd" */
static bool birth_of_socket(const char *name, char out[IFNAMSIZ])
{
	size_t len = strcspn(name, ".");

	if (len >= IFNAMSIZ || strcmp(name + len, SOCKET_SUFFIX) != 0)
		return false;
	(void)snprintf(out, IFNAMSIZ, "%.*s", (int)len, name);
	return backend_is_birth_name(out);
}

/* what a link in the folder leads to, when that is a socket of a birth name */
static bool birth_of_link(int dir_fd, const char *name, char out[IFNAMSIZ])
{
	char target[UAPI_SOCKET_NAME_MAX];
	ssize_t len = readlinkat(dir_fd, name, target, sizeof(target) - 1);

	if (len < 0)
		return false;
	target[len] = '\0';
	return birth_of_socket(target, out);
}

/* for each name of the folder, until @see fails or says 1; Return: as @see, 0 when the folder is not there */
static int each_socket(int (*see)(int dir_fd, const char *name, void *ctx, struct err *e),
		       void *ctx, struct err *e)
{
	const struct dirent *entry;
	int rc = 0;
	AUTO_FD int dir_fd = uapi_socket_open_dir(false, e);

	if (dir_fd < 0)
		return dir_fd == -ENOENT ? 0 : dir_fd;
	int list_fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = list_fd < 0 ? NULL : fdopendir(list_fd);
	if (!dir) {
		rc = err_set(e, errno, "list " UAPI_SOCKET_DIR);
		fd_close_indirect(&list_fd);
		return rc;
	}
	while (rc == 0) {
		errno = 0;
		entry = readdir(dir);
		if (!entry && errno)
			rc = err_set(e, errno, "list " UAPI_SOCKET_DIR);
		if (!entry)
			break;
		rc = see(dir_fd, entry->d_name, ctx, e);
	}
	(void)closedir(dir); /* it was only read */
	return rc;
}

struct found {
	char ***names;
	size_t *n;
};

static int add_socket(int dir_fd, const char *name, void *ctx, struct err *e)
{
	const struct found *found = ctx;
	char birth[IFNAMSIZ];

	if (!birth_of_socket(name, birth) && !birth_of_link(dir_fd, name, birth))
		return 0;
	return add_once(found->names, found->n, birth, e);
}

int backend_find_births(int birth_fd, int inside_fd, char ***names, size_t *n, struct err *e)
{
	char **list = NULL;
	size_t n_list = 0;
	struct found found = { &list, &n_list };

	int rc = add_devices(birth_fd, &list, &n_list, e);
	if (rc == 0)
		rc = add_devices(inside_fd, &list, &n_list, e);
	if (rc == 0)
		rc = each_socket(add_socket, &found, e);
	if (rc < 0) {
		str_list_free(&list, &n_list);
		return rc;
	}
	*names = list;
	*n = n_list;
	return 0;
}

/* links to the socket of @ctx, a birth name */
static int drop_link(int dir_fd, const char *name, void *ctx, struct err *e)
{
	char birth[IFNAMSIZ];

	if (!birth_of_link(dir_fd, name, birth) || strcmp(birth, ctx) != 0)
		return 0;
	if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
		return err_set(e, errno, "remove " UAPI_SOCKET_DIR "/%s", name);
	return 0;
}

/* the device of that birth; its kind says whose it is */
static int find_device(int ns_fd, struct backend_device *dev, bool *is_kernel, struct err *e)
{
	struct rtnl_links links = { 0 };

	if (ns_fd < 0)
		return 0;
	int rc = read_links(ns_fd, &links, e);
	for (size_t i = 0; rc == 0 && i < links.n; i++) {
		const struct rtnl_link *link = &links.items[i];
		const char *birth = birth_of(link);
		if (!birth || strcmp(birth, dev->birth_name) != 0)
			continue;
		memcpy(dev->name, link->name, sizeof(dev->name));
		*is_kernel = strcmp(link->kind, "wireguard") == 0;
	}
	rtnl_links_free(&links);
	return rc;
}

int backend_end_birth(const char *birth_name, int birth_fd, int inside_fd, struct err *e)
{
	struct backend_device dev = { 0 };
	char birth[IFNAMSIZ];
	bool is_kernel = false;

	(void)snprintf(birth, sizeof(birth), "%s", birth_name);
	memcpy(dev.birth_name, birth, sizeof(birth));
	int rc = find_device(birth_fd, &dev, &is_kernel, e);
	dev.name[0] = '\0'; /* there it has the name that it was born with */
	if (rc == 0)
		rc = find_device(inside_fd, &dev, &is_kernel, e);
	if (rc < 0)
		return rc;
	const struct backend *backend = is_kernel ? &backend_kernel : &backend_userspace;
	rc = backend->destroy(&dev, birth_fd, inside_fd, e);
	/* a daemon that lost its socket ends with its device */
	if (rc == 0 && !is_kernel)
		rc = wg_link_delete(inside_fd, dev.name, "tun", e);
	return rc < 0 ? rc : each_socket(drop_link, birth, e);
}

/* ".wg0.sock.1234": see backend_link_socket() */
static int drop_unfinished(int dir_fd, const char *name, void *ctx, struct err *e)
{
	size_t *n = ctx;
	char birth[IFNAMSIZ];

	if (name[0] != '.' || !birth_of_link(dir_fd, name, birth))
		return 0;
	if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
		return err_set(e, errno, "remove " UAPI_SOCKET_DIR "/%s", name);
	++*n;
	return 0;
}

int backend_sweep_links(struct err *e)
{
	size_t n = 0;
	int rc = each_socket(drop_unfinished, &n, e);

	return rc < 0 ? rc : (int)n;
}
