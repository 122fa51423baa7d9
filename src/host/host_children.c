// SPDX-License-Identifier: GPL-2.0-or-later
/* devices that hang on others, wherever they are */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/net_namespace.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host_internal.h"
#include "wgns/fd.h"
#include "wgns/netns.h"

#define NAMESPACES_MAX 16384

struct seen {
	struct netns_id *ids;
	size_t n;
};

static bool is_new(struct seen *seen, const struct netns_id *id)
{
	for (size_t i = 0; i < seen->n; i++) {
		if (netns_same(&seen->ids[i], id))
			return false;
	}
	if (seen->n == NAMESPACES_MAX)
		return false;
	struct netns_id *grown = reallocarray(seen->ids, seen->n + 1, sizeof(*grown));
	if (!grown)
		return false;
	seen->ids = grown;
	seen->ids[seen->n++] = *id;
	return true;
}

/* not VLANs of the same namespace: those move along */
static bool is_child(const struct rtnl_link *link, bool is_elsewhere)
{
	static const char *const kinds[] = { "macvlan", "macvtap", "ipvlan", "ipvtap" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(link->kind, kinds[i]) == 0)
			return true;
	}
	return is_elsewhere &&
	       (strcmp(link->kind, "vlan") == 0 || strcmp(link->kind, "macsec") == 0);
}

static void note_child(struct host *host, int ifindex, const struct rtnl_link *child,
		       const char *where)
{
	const struct rtnl_link *link = rtnl_links_by_index(&host->links, ifindex);

	if (!link)
		return;
	struct host_device *dev = &host->devices[link - host->links.items];
	if (!dev->child[0])
		(void)snprintf(dev->child, sizeof(dev->child), "the %s %s%s%s", child->kind,
			       child->name, where[0] ? " in " : "", where);
}

static int keep_nsid(const struct nlmsghdr *reply, void *ctx, struct err *e)
{
	const struct nlattr *tb[NETNSA_MAX + 1];
	uint32_t nsid;

	(void)e; /* an answer without an id is one more namespace that does not know home */
	if (nl_attr_table(reply, sizeof(struct rtgenmsg), tb, NETNSA_MAX) == 0 &&
	    nl_attr_u32(tb[NETNSA_NSID], &nsid))
		*(int32_t *)ctx = (int32_t)nsid;
	return 0;
}

/* by which number the talker's namespace knows home; -1 when it does not (rtnetlink RTM_GETNSID, Linux 4.0) */
static int32_t nsid_of_home(struct nl *nl, int home_fd)
{
	int32_t nsid = -1;
	struct nl_msg m;
	struct err ignored; /* then nothing there can name a device of home */

	(void)nl_msg_begin(&m, RTM_GETNSID, 0, NLMSG_ALIGN(sizeof(struct rtgenmsg)));
	if (!mnl_attr_put_u32_check(nl_msg_hdr(&m), sizeof(m.buf), NETNSA_FD, (uint32_t)home_fd))
		return -1;
	return nl_get(nl, &m, keep_nsid, &nsid, &ignored) == 0 ? nsid : -1;
}

static void read_namespace(int ns_fd, int home_fd, const char *where, struct host *host)
{
	AUTO_NL struct nl *nl = NULL;
	struct rtnl_links links = { 0 };
	struct err
		ignored; /* one that cannot be entered is of another user namespace that is ending */

	if (nl_open_in(NETLINK_ROUTE, ns_fd, &nl, &ignored) < 0)
		return;
	int32_t nsid = nsid_of_home(nl, home_fd);
	if (nsid < 0 || rtnl_dump_links(nl, &links, &ignored) < 0)
		return;
	for (size_t i = 0; i < links.n; i++) {
		const struct rtnl_link *link = &links.items[i];
		if (is_child(link, true) && link->has_lower_netnsid && link->lower_netnsid == nsid)
			note_child(host, link->lower, link, where);
	}
	rtnl_links_free(&links);
}

static void visit(int dir_fd, const char *path, const char *where, int home_fd, struct seen *seen,
		  struct host *host)
{
	struct stat st;
	struct err ignored; /* a process that ended, a file that is no namespace */

	if (fstatat(dir_fd, path, &st, 0) < 0)
		return;
	const struct netns_id id = { .dev = st.st_dev, .ino = st.st_ino };
	if (!is_new(seen, &id))
		return;
	AUTO_FD int ns_fd = netns_open_at(dir_fd, path, &ignored);
	if (ns_fd >= 0)
		read_namespace(ns_fd, home_fd, where, host);
}

static int visit_folder(const char *folder, bool is_proc, int home_fd, struct seen *seen,
			struct host *host)
{
	int rc = 0;
	DIR *dir = opendir(folder);
	char path[300], where[300];
	const struct dirent *entry;

	if (!dir)
		return errno == ENOENT ? 0 : -errno; /* no /run/netns: no named namespaces */
	while (rc == 0) {
		errno = 0;
		entry = readdir(dir);
		if (!entry) {
			rc = -errno;
			break;
		}
		if (entry->d_name[0] == '.' ||
		    (is_proc && !isdigit((unsigned char)entry->d_name[0])))
			continue;
		(void)snprintf(path, sizeof(path), is_proc ? "%s/ns/net" : "%s", entry->d_name);
		(void)snprintf(where, sizeof(where),
			       is_proc ? "the namespace of process %s" : "the namespace %s",
			       entry->d_name);
		visit(dirfd(dir), path, where, home_fd, seen, host);
	}
	(void)closedir(dir); /* it was only read */
	return rc;
}

int host_read_children(int home_fd, struct host *host, struct err *e)
{
	struct seen seen = { 0 };
	struct netns_id home;

	int rc = netns_identify(home_fd, &home, e);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < host->links.n; i++) {
		const struct rtnl_link *link = &host->links.items[i];
		if (is_child(link, false) && !link->has_lower_netnsid)
			note_child(host, link->lower, link, "");
	}
	(void)is_new(&seen, &home);
	rc = visit_folder("/run/netns", false, home_fd, &seen, host);
	if (rc == 0)
		rc = visit_folder("/proc", true, home_fd, &seen, host);
	free(seen.ids);
	/* what is not seen could go on sending in clear */
	return rc < 0 ? err_set(e, -rc, "look for devices on the uplinks") : 0;
}
