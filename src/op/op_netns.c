// SPDX-License-Identifier: GPL-2.0-or-later
/* the namespace `physical`: made, pinned, named, prepared */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "op_internal.h"
#include "wgns/dns.h"
#include "wgns/fd.h"
#include "wgns/folder.h"
#include "wgns/group.h"
#include "wgns/netns.h"
#include "wgns/seal.h"
#include "wgns/str.h"
#include "wgns/units_moved.h"

#define PINNED STATE_DIR "/" OP_BOX_PATH "/netns"

/* the folder itself was made before the first step: the journal lives in it */
int netns_create_run(struct op_env *env, const struct step *step, struct err *e)
{
	struct err why;
	gid_t gid;

	(void)step;
	AUTO_FD int dir_fd = state_openat(env->run_fd, OP_BOX_PATH, O_RDONLY | O_DIRECTORY, e);
	if (dir_fd < 0)
		return dir_fd;
	/* without the group nobody but root enters: the plan has warned */
	if (group_find(env->group, &gid, &why) < 0)
		gid = 0;
	if (fchown(dir_fd, 0, gid) < 0 || fchmod(dir_fd, 0750) < 0)
		return err_set(e, errno, "set the group of " STATE_DIR "/" OP_BOX_PATH);
	AUTO_FD int ns_fd = netns_create(e);
	if (ns_fd < 0)
		return ns_fd;
	int rc = netns_pin(ns_fd, PINNED, e);
	if (rc < 0)
		return rc;
	env->physical_fd = fd_take(&ns_fd);
	return netns_identify(env->physical_fd, &env->tunnel.birth, e);
}

/*
 * Invariant: a namespace is never given up while a device is in it that would fall back to init. Those that wgns moved
 * have gone home by now; what else has hardware behind it is named, and the namespace stays.
 */
static int check_empty(struct op_env *env, struct err *e)
{
	struct rtnl_links links = { 0 };
	struct nl *nl;
	int rc = op_env_nl_physical(env, &nl, e);

	if (rc == 0)
		rc = rtnl_dump_links(nl, &links, e);
	for (size_t i = 0; rc == 0 && i < links.n; i++) {
		const struct rtnl_link *link = &links.items[i];
		if (!link->has_parent_device)
			continue;
		rc = err_say(e, EBUSY, "%s is still in physical", link->name);
		err_hint(e, "`ip -n physical link set %s netns 1` moves it to home", link->name);
	}
	rtnl_links_free(&links);
	return rc < 0 ? rc : op_phys_left(env, e);
}

int netns_create_undo(struct op_env *env, const struct step *step, struct err *e)
{
	(void)step;
	if (env->physical_fd >= 0) {
		int rc = op_uplinks_left(env, e);
		if (rc == 0)
			rc = check_empty(env, e);
		if (rc < 0)
			return rc;
	}
	/* sockets keep a namespace alive as much as mounts do */
	nl_close(&env->physical_nl);
	sysctl_close_dirs(&env->physical_dirs);
	fd_close_indirect(&env->physical_fd);
	return netns_unpin(PINNED, e);
}

/*
 * As ip-netns(8): /run/netns is made a mount of its own, shared, so that names made here are seen in mount namespaces
 * that are slaves of this one, and the other way round.
 */
int netns_share_run(struct op_env *env, const struct step *step, struct err *e)
{
	(void)env;
	(void)step;
	if (mkdir(OP_NETNS_DIR, 0755) < 0 && errno != EEXIST)
		return err_set(e, errno, "create " OP_NETNS_DIR);
	if (mount(OP_NETNS_DIR, OP_NETNS_DIR, NULL, MS_BIND | MS_REC, NULL) < 0)
		return err_set(e, errno, "bind " OP_NETNS_DIR " to itself");
	if (mount("", OP_NETNS_DIR, NULL, MS_SHARED | MS_REC, NULL) < 0)
		return err_set(e, errno, "make " OP_NETNS_DIR " shared");
	return 0;
}

/* what /run/netns/physical leads to */
enum name_target { NAME_NOTHING, NAME_OURS, NAME_ANOTHER };

static enum name_target name_target(const struct op_env *env)
{
	struct netns_id named, ours;
	struct err ignored; /* gone, or a file on which nothing is mounted */

	AUTO_FD int fd = netns_open_at(AT_FDCWD, OP_NETNS_PATH, &ignored);
	if (fd < 0 || env->physical_fd < 0 || netns_identify(fd, &named, &ignored) < 0 ||
	    netns_identify(env->physical_fd, &ours, &ignored) < 0)
		return NAME_NOTHING;
	return netns_same(&named, &ours) ? NAME_OURS : NAME_ANOTHER;
}

/* somebody else's names may have come meanwhile: then it stays, as ip-netns(8) leaves it */
int netns_share_undo(struct op_env *env, const struct step *step, struct err *e)
{
	(void)step;
	/* with nothing mounted on it it is what the undo of netns.name could not remove */
	enum name_target target = name_target(env);
	if (target == NAME_OURS ||
	    (target == NAME_NOTHING &&
	     faccessat(AT_FDCWD, OP_NETNS_PATH, F_OK, AT_SYMLINK_NOFOLLOW) == 0))
		return err_say(e, EBUSY, OP_NETNS_PATH " is still there");
	if (!folder_is_empty(OP_NETNS_DIR))
		return 0;
	if (umount2(OP_NETNS_DIR, MNT_DETACH) < 0 && errno != EINVAL && errno != ENOENT)
		return err_set(e, errno, "unmount " OP_NETNS_DIR);
	if (rmdir(OP_NETNS_DIR) < 0 && errno != ENOTEMPTY && errno != ENOENT && errno != EBUSY)
		return err_set(e, errno, "remove " OP_NETNS_DIR);
	return 0;
}

int netns_name_run(struct op_env *env, const struct step *step, struct err *e)
{
	(void)step;
	return netns_pin(env->physical_fd, OP_NETNS_PATH, e);
}

int netns_name_undo(struct op_env *env, const struct step *step, struct err *e)
{
	(void)step;
	AUTO_STRBUF struct strbuf units = { 0 };
	int rc = op_uplinks_left(env, e);
	if (rc == 0)
		rc = units_left(&units, e);
	if (rc < 0)
		return rc;
	/* without it they could not start at all */
	if (units.len)
		return err_say(e, EBUSY, "systemd starts in it:%s", units.s);
	/* somebody may have made another namespace of that name after deleting ours */
	return name_target(env) == NAME_ANOTHER ? 0 : netns_unpin(OP_NETNS_PATH, e);
}

int netns_prepare_run(struct op_env *env, const struct step *step, struct err *e)
{
	struct rtnl_link lo;
	struct nl_msg m;
	const struct sysctl_dirs *home, *physical;
	struct nl *nl;

	(void)step;
	int rc = op_env_dirs_home(env, &home, e);
	if (rc == 0)
		rc = op_env_dirs_physical(env, &physical, e);
	if (rc == 0)
		rc = sysctl_prepare_netns(home, physical, e);
	if (rc == 0)
		rc = op_env_nl_physical(env, &nl, e);
	if (rc == 0)
		rc = rtnl_get_link(nl, 0, "lo", &lo, e);
	if (rc < 0)
		return rc;
	rtnl_build_link_flags(&m, lo.ifindex, IFF_UP, IFF_UP);
	rc = nl_talk(nl, &m, e);
	return rc < 0 ? err_context(e, "set lo up in physical") : 0;
}

int resolv_write_run(struct op_env *env, const struct step *step, struct err *e)
{
	char warning[256] = "";
	AUTO_FREE char *resolv = dns_box_resolv_conf(warning);
	AUTO_FREE char *nsswitch = dns_box_nsswitch();

	(void)step;
	if (!resolv || !nsswitch)
		return err_set(e, ENOMEM, "prepare the resolver of physical");
	if (warning[0])
		op_env_note(env, "%s", warning);
	int rc = state_mkdir(env->run_fd, OP_BOX_PATH "/etc", 0755, 0, e);
	if (rc == 0)
		rc = state_mkdir(env->run_fd, OP_BOX_PATH "/" SEAL_FRESH_NAME, 0755, 0, e);
	if (rc < 0)
		return rc;
	AUTO_FD int dir_fd =
		state_openat(env->run_fd, OP_BOX_PATH "/etc", O_RDONLY | O_DIRECTORY, e);
	if (dir_fd < 0)
		return dir_fd;
	rc = fd_replace_file_at(dir_fd, "resolv.conf", resolv, strlen(resolv), 0644, e);
	if (rc < 0)
		return rc;
	return fd_replace_file_at(dir_fd, "nsswitch.conf", nsswitch, strlen(nsswitch), 0644, e);
}

/*
 * The kernel's WireGuard switches redirects off for the whole namespace when a device is set up (wg_open() of
 * drivers/net/wireguard/device.c) and never on again.
 */
#define REDIRECTS "send_redirects"

static int open_redirects(struct op_env *env, int flags, struct err *e)
{
	const struct sysctl_dirs *dirs;
	int rc = op_env_dirs_home(env, &dirs, e);

	if (rc < 0)
		return rc;
	int fd = openat(dirs->ipv4_fd, "conf/all/" REDIRECTS, flags | O_CLOEXEC);
	return fd < 0 ? err_set(e, errno, "open the sysctl " REDIRECTS) : fd;
}

int sysctl_save_run(struct op_env *env, const struct step *step, struct err *e)
{
	AUTO_FREE char *value = NULL;
	size_t len;

	(void)step;
	AUTO_FD int fd = open_redirects(env, O_RDONLY, e);
	if (fd < 0)
		return fd;
	int rc = fd_read_all(fd, 16, &value, &len, REDIRECTS, e);
	if (rc < 0)
		return rc;
	AUTO_FD int dir_fd = state_openat(env->run_fd, OP_BOX_PATH, O_RDONLY | O_DIRECTORY, e);
	return dir_fd < 0 ? dir_fd : fd_replace_file_at(dir_fd, REDIRECTS, value, len, 0600, e);
}

int sysctl_save_undo(struct op_env *env, const struct step *step, struct err *e)
{
	AUTO_FREE char *value = NULL;
	struct err why;
	size_t len;

	(void)step;
	AUTO_FD int dir_fd = state_openat(env->run_fd, OP_BOX_PATH, O_RDONLY | O_DIRECTORY, e);
	if (dir_fd < 0)
		return dir_fd;
	int rc = fd_read_file_at(dir_fd, REDIRECTS, 16, &value, &len, &why);
	if (rc == -ENOENT)
		return 0; /* it was not saved: nothing has changed it */
	if (rc < 0) {
		*e = why;
		return rc;
	}
	AUTO_FD int fd = open_redirects(env, O_WRONLY, e);
	return fd < 0 ? fd : fd_write_all(fd, value, len, REDIRECTS, e);
}
