// SPDX-License-Identifier: GPL-2.0-or-later
/* the per-device sysctls: a move between namespaces resets them all to the new namespace's defaults */
#include "wgns/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wgns/fd.h"
#include "wgns/netns.h"
#include "wgns/str.h"

#define VALUE_MAX 1024

static const char *const folders[] = { "ipv4/conf", "ipv4/neigh", "ipv6/conf", "ipv6/neigh" };
#define N_FOLDERS (sizeof(folders) / sizeof(folders[0]))

int sysctl_open_dirs(int ns_fd, struct sysctl_dirs *out, struct err *e)
{
	struct err why;
	AUTO_FD int ipv4_fd = netns_open_dir(ns_fd, "/proc/sys/net/ipv4", e);

	if (ipv4_fd < 0)
		return ipv4_fd;
	AUTO_FD int ipv6_fd = netns_open_dir(ns_fd, "/proc/sys/net/ipv6", &why);
	if (ipv6_fd < 0 && ipv6_fd != -ENOENT) {
		*e = why;
		return ipv6_fd;
	}
	*out = (struct sysctl_dirs){ .ipv4_fd = fd_take(&ipv4_fd),
				     .ipv6_fd = ipv6_fd < 0 ? -1 : fd_take(&ipv6_fd) };
	return 0;
}

void sysctl_close_dirs(struct sysctl_dirs *dirs)
{
	fd_close_indirect(&dirs->ipv4_fd);
	fd_close_indirect(&dirs->ipv6_fd);
}

/* @folder is one of folders[]. Return: its folder for @dev; -ENOENT where the protocol is off on it */
static int open_device(const struct sysctl_dirs *dirs, const char *folder, const char *dev,
		       struct err *e)
{
	int base_fd = strncmp(folder, "ipv4", 4) == 0 ? dirs->ipv4_fd : dirs->ipv6_fd;
	char path[64];

	if (base_fd < 0)
		return err_set(e, ENOENT, "open /proc/sys/net/%s", folder);
	(void)snprintf(path, sizeof(path), "%s/%s", folder + sizeof("ipvX/") - 1, dev);
	int fd = openat(base_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_set(e, errno, "open /proc/sys/net/%s/%s", folder, dev) : fd;
}

/* Return: the length without the newline, or -errno (stable_secret answers EIO while it is unset) */
static ssize_t read_opened(int dir_fd, const char *name, int flags, char value[VALUE_MAX])
{
	AUTO_FD int fd = openat(dir_fd, name, flags | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	ssize_t len = read(fd, value, VALUE_MAX - 1);
	if (len < 0)
		return -errno;
	while (len > 0 && value[len - 1] == '\n')
		len--;
	value[len] = '\0';
	return len;
}

static ssize_t read_value(int dir_fd, const char *name, char value[VALUE_MAX])
{
	return read_opened(dir_fd, name, O_RDONLY, value);
}

static int write_value(int dir_fd, const char *name, const char *value, struct err *e)
{
	AUTO_FD int fd = openat(dir_fd, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_set(e, errno, "open sysctl %s", name);
	if (write(fd, value, strlen(value)) < 0)
		return err_set(e, errno, "set sysctl %s = %s", name, value);
	return 0;
}

static int keep(struct snapshot_sysctl **list, size_t *n, const char *dev, const char *folder,
		const char *name, const char *value)
{
	struct snapshot_sysctl *grown = reallocarray(*list, *n + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	*list = grown;
	struct snapshot_sysctl *s = &grown[*n];
	*s = (struct snapshot_sysctl){ .value = strdup(value) };
	if (!s->value)
		return -ENOMEM;
	(void)snprintf(s->dev, sizeof(s->dev), "%s", dev);
	(void)snprintf(s->path, sizeof(s->path), "%s/%s", folder, name);
	(*n)++;
	return 0;
}

static int read_folder(int dir_fd, const char *folder, const char *dev,
		       struct snapshot_sysctl **list, size_t *n)
{
	char value[VALUE_MAX];
	const struct dirent *entry;
	int rc = 0, list_fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = list_fd < 0 ? NULL : fdopendir(list_fd);

	if (!dir)
		return -errno;
	while (rc == 0) {
		errno = 0;
		entry = readdir(dir);
		if (!entry) {
			rc = -errno;
			break;
		}
		if (entry->d_name[0] == '.' || strlen(entry->d_name) > 64)
			continue;
		/* what cannot be written is a figure, not a setting */
		if (read_opened(dir_fd, entry->d_name, O_RDWR, value) >= 0)
			rc = keep(list, n, dev, folder, entry->d_name, value);
	}
	(void)closedir(dir); /* it was only read */
	return rc;
}

int sysctl_read_device(const struct sysctl_dirs *dirs, const char *dev,
		       struct snapshot_sysctl **list, size_t *n, struct err *e)
{
	for (size_t i = 0; i < N_FOLDERS; i++) {
		struct err why;
		AUTO_FD int dir_fd = open_device(dirs, folders[i], dev, &why);
		if (dir_fd == -ENOENT)
			continue;
		if (dir_fd < 0) {
			*e = why;
			return dir_fd;
		}
		int rc = read_folder(dir_fd, folders[i], dev, list, n);
		if (rc < 0)
			return err_set(e, -rc, "read the sysctls of %s", dev);
	}
	return 0;
}

/* Is the setting written in this phase, and with which value? NULL: leave it alone */
static const char *value_in_phase(const struct restore *r, const struct snapshot_sysctl *s,
				  enum sysctl_phase phase)
{
	bool is_dad = strcmp(s->path, "ipv6/conf/accept_dad") == 0;
	/* setting the device up makes it the device's own (addrconf_notify() of Linux, NETDEV_UP) */
	bool is_mtu = strcmp(s->path, "ipv6/conf/mtu") == 0;

	if (phase == SYSCTL_AFTER_ROUTES)
		return is_dad || is_mtu ? s->value : NULL;
	if (is_dad)
		return "0";
	if (is_mtu || strcmp(s->path, "ipv6/conf/addr_gen_mode") == 0)
		return NULL; /* the mode is set by restore_link(), after the secret that it needs */
	bool is_forwarding = strstr(s->path, "/forwarding") || strstr(s->path, "/mc_forwarding");
	if (is_forwarding && (r->is_host || r->is_present))
		return NULL;
	if (r->is_present && strcmp(s->path, "ipv6/conf/stable_secret") == 0)
		return NULL;
	return s->value;
}

int sysctl_write_device(const struct restore *r, const char *old, const char *now,
			enum sysctl_phase phase, struct err *e)
{
	char present[VALUE_MAX];

	for (size_t f = 0; f < N_FOLDERS; f++) {
		AUTO_FD int dir_fd = -1;
		size_t len = strlen(folders[f]);

		for (size_t i = 0; i < r->snap->n_sysctls; i++) {
			const struct snapshot_sysctl *s = &r->snap->sysctls[i];
			if (strcmp(s->dev, old) != 0 || strncmp(s->path, folders[f], len) != 0)
				continue;
			const char *value = value_in_phase(r, s, phase), *name = s->path + len + 1;
			if (!value)
				continue;
			if (dir_fd < 0)
				dir_fd = open_device(r->dirs, folders[f], now, e);
			if (dir_fd < 0)
				return dir_fd;
			if (read_value(dir_fd, name, present) >= 0 && strcmp(present, value) == 0)
				continue;
			int rc = write_value(dir_fd, name, value, e);
			if (rc < 0)
				return err_context(e, "%s of %s", folders[f], now);
		}
	}
	return 0;
}

static int copy_value(int from_dir, int to_dir, const char *name)
{
	char value[VALUE_MAX];
	struct err ignored;

	if (read_value(from_dir, name, value) < 0)
		return 0; /* not in this kernel: then there is nothing that programs could rely on */
	return write_value(to_dir, name, value, &ignored);
}

/* `all` and `default` decide for devices that come later, each on its own */
static int stop_forwarding(const struct sysctl_dirs *dirs, const char *folder, struct err *e)
{
	static const char *const groups[] = { "all", "default" };

	for (size_t i = 0; i < 2; i++) {
		char now[VALUE_MAX];
		struct err why;
		AUTO_FD int dir_fd = open_device(dirs, folder, groups[i], &why);
		if (dir_fd == -ENOENT)
			return 0; /* a kernel without IPv6 */
		if (dir_fd < 0) {
			*e = why;
			return dir_fd;
		}
		if (read_value(dir_fd, "forwarding", now) >= 0 && strcmp(now, "0") == 0)
			continue;
		int rc = write_value(dir_fd, "forwarding", "0", e);
		if (rc < 0)
			return err_context(e, "switch forwarding off");
	}
	return 0;
}

/*
 * A range that is empty, the kernel's default, allows nobody to send an echo request by a socket of its own (icmp(7)). ping(8) lives of
 * a file capability then, which programs in a box have not.
 */
static int open_ping(int dir)
{
	char value[VALUE_MAX];
	unsigned long first, last;
	struct err ignored;

	if (read_value(dir, "ping_group_range", value) < 0 ||
	    sscanf(value, "%lu %lu", &first, &last) != 2 || first <= last)
		return 0;
	return write_value(dir, "ping_group_range", "0 2147483647", &ignored);
}

int sysctl_prepare_netns(const struct sysctl_dirs *from, const struct sysctl_dirs *to,
			 struct err *e)
{
	/* ping without privileges, ports below 1024, and the range that a firewall may expect */
	static const char *const names[] = { "ping_group_range", "ip_unprivileged_port_start",
					     "ip_local_port_range" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int rc = copy_value(from->ipv4_fd, to->ipv4_fd, names[i]);
		if (rc < 0)
			return err_set(e, -rc, "copy the sysctl %s", names[i]);
	}
	(void)open_ping(
		to->ipv4_fd); /* a user namespace may not have all of these groups: then ping fails as in home */
	/* new devices take it over, and their address mode with it; unset it cannot be read */
	int rc = from->ipv6_fd < 0 || to->ipv6_fd < 0
			 ? 0
			 : copy_value(from->ipv6_fd, to->ipv6_fd, "conf/default/stable_secret");
	if (rc < 0)
		return err_set(e, -rc, "copy the sysctl stable_secret");
	rc = stop_forwarding(to, "ipv4/conf", e);
	return rc < 0 ? rc : stop_forwarding(to, "ipv6/conf", e);
}

int sysctl_set_device(const struct sysctl_dirs *dirs, const char *folder, const char *dev,
		      const char *name, const char *value, struct err *e)
{
	struct err why;
	AUTO_FD int dir_fd = open_device(dirs, folder, dev, &why);

	if (dir_fd == -ENOENT)
		return 0; /* a kernel without IPv6 */
	if (dir_fd < 0) {
		*e = why;
		return dir_fd;
	}
	int rc = write_value(dir_fd, name, value, e);
	return rc < 0 ? err_context(e, "%s of %s", folder, dev) : 0;
}

int sysctl_forward_netns(const struct sysctl_dirs *dirs, struct err *e)
{
	int rc = sysctl_set_device(dirs, "ipv4/conf", "default", "forwarding", "1", e);

	/* this sets the default too */
	if (rc == 0)
		rc = sysctl_set_device(dirs, "ipv6/conf", "all", "forwarding", "1", e);
	if (rc == 0)
		rc = sysctl_set_device(dirs, "ipv6/conf", "default", "forwarding", "0", e);
	return rc < 0 ? err_context(e, "switch forwarding on in physical") : 0;
}
