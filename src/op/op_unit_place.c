// SPDX-License-Identifier: GPL-2.0-or-later
/* what a manager finds in physical: a sysfs of the namespace, and files that it must not share with home */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "op_internal.h"
#include "op_unit.h"
#include "wgns/fd.h"
#include "wgns/folder.h"
#include "wgns/nm.h"
#include "wgns/str.h"
#include "wgns/units_moved.h"

#define MANAGED_MAX (NM_DEVICES_MAX * IFNAMSIZ)
#define BOX STATE_DIR "/" OP_BOX_PATH

int netns_sysfs_run(struct op_env *env, const struct step *step, struct err *e)
{
	(void)step;
	/* 0700: who may enter the box looks at its devices there, and not from here */
	int rc = state_mkdir(env->run_fd, OP_BOX_PATH "/" UNITS_SYS, 0700, 0, e);
	return rc < 0 ? rc : netns_mount_sysfs(env->physical_fd, BOX "/" UNITS_SYS, e);
}

int netns_sysfs_undo(struct op_env *env, const struct step *step, struct err *e)
{
	(void)step;
	/* EINVAL: nothing is mounted there */
	if (umount2(BOX "/" UNITS_SYS, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL &&
	    errno != ENOENT)
		return err_set(e, errno, "unmount " BOX "/" UNITS_SYS);
	if (unlinkat(env->run_fd, OP_BOX_PATH "/" UNITS_SYS, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_set(e, errno, "remove " BOX "/" UNITS_SYS);
	return 0;
}

static const char *const netif_folders[] = { "links", "leases", "lldp" };
#define N_NETIF (sizeof(netif_folders) / sizeof(netif_folders[0]))

/* its own /run/systemd/netif, owned as the machine's is */
int op_units_make_netif(struct op_env *env, struct err *e)
{
	static const char box[] = OP_BOX_PATH "/" UNITS_BOX_NETIF;
	char path[64];
	struct stat st;

	AUTO_FD int like_fd = folder_open(UNITS_NETIF, O_RDONLY, e);
	if (like_fd < 0)
		return like_fd;
	if (fstat(like_fd, &st) < 0)
		return err_set(e, errno, "examine " UNITS_NETIF);
	int rc = state_mkdir(env->run_fd, box, 0755, 0, e);
	for (size_t i = 0; rc == 0 && i < N_NETIF; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", box, netif_folders[i]);
		rc = state_mkdir(env->run_fd, path, 0755, 0, e);
		if (rc == 0 &&
		    fchownat(env->run_fd, path, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
			rc = err_set(e, errno, "set the owner of %s", path);
	}
	if (rc == 0 && fchownat(env->run_fd, box, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		rc = err_set(e, errno, "set the owner of %s", box);
	return rc;
}

/* networkd leaves what it knew of a device, and the next device with that number would be taken for it */
int op_units_forget_links(struct op_env *env, struct err *e)
{
	struct rtnl_links links = { 0 };
	struct err ignored; /* no such folder: nothing to forget */
	char path[64], number[16];
	struct nl *nl;

	int rc = op_env_nl_home(env, &nl, e);
	if (rc == 0)
		rc = rtnl_dump_links(nl, &links, e);
	for (size_t i = 0; rc == 0 && i < env->plan->n_uplinks; i++) {
		const struct rtnl_link *link = rtnl_links_by_name(&links, env->plan->uplinks[i]);
		for (size_t k = 0; link && k < N_NETIF; k++) {
			(void)snprintf(path, sizeof(path), UNITS_NETIF "/%s", netif_folders[k]);
			(void)snprintf(number, sizeof(number), "%d", link->ifindex);
			AUTO_FD int dir_fd = folder_open(path, O_RDONLY, &ignored);
			if (dir_fd >= 0 && unlinkat(dir_fd, number, 0) < 0 && errno != ENOENT)
				rc = err_set(e, errno, "remove %s/%s", path, number);
		}
	}
	rtnl_links_free(&links);
	return rc;
}

#define DEPTH_MAX 8

/* an open folder, and how its own folder calls it */
struct level {
	DIR *dir;
	char name[NAME_MAX + 1];
};

static int enter(struct level *level, int parent_fd, const char *name, struct err *e)
{
	int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	level->dir = fd < 0 ? NULL : fdopendir(fd);
	if (!level->dir) {
		(void)err_set(e, errno, "open %s", name);
		fd_close_indirect(&fd);
		return -e->code;
	}
	(void)snprintf(level->name, sizeof(level->name), "%s", name);
	/* the manager's user owns it, and a unit of few capabilities may not write there; without that the next says so */
	(void)!fchown(fd, 0, 0);
	return 0;
}

/* Return: 0, 1 when it is a folder, -errno */
static int remove_entry(int dir_fd, const char *name, struct err *e)
{
	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	return errno == EISDIR ? 1 : err_set(e, errno, "remove %s", name);
}

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* a folder in that of the box, with all that managers put into it */
int op_units_remove_folder(struct op_env *env, const char *name, struct err *e)
{
	struct level levels[DEPTH_MAX];
	size_t depth = 0;
	struct err why;

	AUTO_FD int box_fd = state_openat(env->run_fd, OP_BOX_PATH, O_RDONLY | O_DIRECTORY, &why);
	if (box_fd < 0 || faccessat(box_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0; /* there is none */
	int rc = enter(&levels[depth], box_fd, name, e);
	if (rc == 0)
		depth++;
	while (depth) {
		struct level *level = &levels[depth - 1];
		const struct dirent *entry = rc == 0 ? readdir(level->dir) : NULL;

		if (!entry) {
			(void)closedir(level->dir); /* it was only read */
			depth--;
			if (rc == 0 && unlinkat(depth ? dirfd(level[-1].dir) : box_fd, level->name,
						AT_REMOVEDIR) < 0)
				rc = err_set(e, errno, "remove %s", level->name);
			continue;
		}
		if (is_dot(entry->d_name))
			continue;
		rc = remove_entry(dirfd(level->dir), entry->d_name, e);
		if (rc == 1 && depth == DEPTH_MAX)
			rc = err_set(e, ELOOP, "remove %s", entry->d_name);
		else if (rc == 1 &&
			 (rc = enter(level + 1, dirfd(level->dir), entry->d_name, e)) == 0)
			depth++;
	}
	return rc < 0 ? err_context(e, STATE_DIR "/" OP_BOX_PATH "/%s", name) : 0;
}

/* iwd tells systemd-resolved or resolvconf of home, unless it is told not to */
int op_units_make_iwd_conf(struct op_env *env, struct err *e)
{
	static const char line[] = "NameResolvingService=none\n";
	AUTO_STRBUF struct strbuf out = { 0 };
	AUTO_FREE char *text = NULL;
	bool is_said = false;
	struct err why;
	size_t len;

	int rc = fd_read_file_at(AT_FDCWD, "/etc/iwd/main.conf", 65536, &text, &len, &why);
	if (rc == -ENOENT)
		return 0; /* then it does not configure addresses at all */
	if (rc < 0) {
		*e = why;
		return rc;
	}
	char *rest = text;
	for (char *at = strsep(&rest, "\n"); at; at = strsep(&rest, "\n")) {
		const char *begin = at + strspn(at, " \t");
		if (strncmp(begin, "NameResolvingService", 20) == 0)
			continue;
		strbuf_addf(&out, "%s\n", at);
		if (strncmp(begin, "[Network]", 9) == 0 && !is_said) {
			strbuf_addf(&out, "%s", line);
			is_said = true;
		}
	}
	if (!is_said)
		strbuf_addf(&out, "[Network]\n%s", line);
	if (out.is_failed)
		return err_set(e, ENOMEM, "write the configuration of iwd");
	AUTO_FD int dir_fd = state_openat(env->run_fd, OP_BOX_PATH, O_RDONLY | O_DIRECTORY, e);
	return dir_fd < 0 ? dir_fd
			  : fd_replace_file_at(dir_fd, UNITS_BOX_IWD, out.s, out.len, 0644, e);
}

int op_units_replace_wdevs(struct op_env *env, struct nl *genl, const struct nl80211_wdevs *before,
			   struct err *e)
{
	struct rtnl_links links = { 0 };
	struct nl *nl;

	int rc = op_env_nl_home(env, &nl, e);
	if (rc == 0)
		rc = rtnl_dump_links(nl, &links, e);
	for (size_t i = 0; rc == 0 && i < before->n; i++) {
		const struct nl80211_wdev *wdev = &before->items[i];

		for (size_t k = 0; rc == 0 && k < env->plan->n_uplinks; k++) {
			if (strcmp(env->plan->uplinks[k], wdev->name) == 0 &&
			    !rtnl_links_by_name(&links, wdev->name))
				rc = nl80211_new_interface(genl, wdev->phy, wdev->name, e);
		}
	}
	rtnl_links_free(&links);
	return rc;
}

static int drop_addresses(struct nl *nl, const struct rtnl_list *addrs, int ifindex, struct err *e)
{
	struct rtnl_addr addr;
	struct nl_msg m;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < addrs->n; i++) {
		if (rtnl_parse_addr(addrs->items[i].msg, &addr) < 0 || addr.ifindex != ifindex ||
		    addr.scope == RT_SCOPE_LINK ||
		    rtnl_build_delete(RTNL_ADDR, addrs->items[i].msg, &m) < 0)
			continue;
		rc = nl_talk(nl, &m, e);
		if (rc == -EADDRNOTAVAIL)
			rc = 0; /* gone with the one before */
	}
	return rc;
}

/* names of devices have no blanks */
static bool has_line(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		if (strncmp(line, name, len) == 0 && line[len] == '\n')
			return true;
	}
	return false;
}

int op_units_record_managed(struct op_env *env, struct err *e)
{
	AUTO_STRBUF struct strbuf text = { 0 };
	AUTO_FREE char *before = NULL;
	struct nm_device *list = NULL;
	struct err ignored; /* nothing is recorded yet */
	size_t n = 0, len;

	AUTO_FD int dir_fd = state_openat(env->run_fd, OP_BOX_PATH, O_RDONLY | O_DIRECTORY, e);
	if (dir_fd < 0)
		return dir_fd;
	int rc = nm_devices(&list, &n, e);
	if (rc < 0)
		return rc;
	/* one that came while the layout was up has gone home again, and out of its sight, before it ends */
	if (fd_read_file_at(dir_fd, UNITS_BOX_MANAGED, MANAGED_MAX, &before, &len, &ignored) == 0)
		strbuf_addf(&text, "%s", before);
	for (size_t i = 0; i < n; i++) {
		if (list[i].is_managed && !(before && has_line(before, list[i].name)))
			strbuf_addf(&text, "%s\n", list[i].name);
	}
	free(list);
	return text.is_failed ? err_set(e, ENOMEM, "write the devices of NetworkManager")
			      : fd_replace_file_at(dir_fd, UNITS_BOX_MANAGED,
						   text.len ? text.s : "", text.len, 0600, e);
}

void op_units_remember(struct op_env *env)
{
	struct err ignored; /* who does not run manages nothing */

	if (units_is_moved(UNITS_NETWORKMANAGER))
		(void)op_units_record_managed(env, &ignored);
}

/* it goes on with what it has written down of a device when it ended; the number may be another device's by now */
static bool is_remembered(const struct rtnl_link *now, const struct rtnl_link *old)
{
	char path[64];

	(void)snprintf(path, sizeof(path), UNITS_NM "/devices/%d", now->ifindex);
	return now->ifindex == old->ifindex && access(path, F_OK) == 0;
}

int op_units_drop_carried(struct op_env *env, struct nl *nl, const struct snapshot *old,
			  struct err *e)
{
	AUTO_FREE char *managed = NULL;
	struct rtnl_links links = { 0 };
	struct rtnl_list addrs = { 0 };
	struct err ignored; /* it was never stopped: then it has configured nothing */
	size_t len;

	AUTO_FD int dir_fd = state_openat(env->run_fd, OP_BOX_PATH, O_RDONLY | O_DIRECTORY, e);
	if (dir_fd < 0)
		return dir_fd;
	if (fd_read_file_at(dir_fd, UNITS_BOX_MANAGED, MANAGED_MAX, &managed, &len, &ignored) < 0)
		return 0;
	int rc = rtnl_dump_links(nl, &links, e);
	if (rc == 0)
		rc = rtnl_dump(nl, RTNL_ADDR, AF_UNSPEC, &addrs, e);
	for (size_t i = 0; rc == 0 && i < old->links.n; i++) {
		const struct rtnl_link *now = snapshot_find_link(&links, &old->links.items[i]);

		if (now && !is_remembered(now, &old->links.items[i]) &&
		    has_line(managed, old->links.items[i].name))
			rc = drop_addresses(nl, &addrs, now->ifindex, e);
	}
	rtnl_list_free(&addrs);
	rtnl_links_free(&links);
	return rc;
}
