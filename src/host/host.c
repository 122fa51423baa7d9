// SPDX-License-Identifier: GPL-2.0-or-later
/* the facts of the machine that a plan is made of: reads everything, changes nothing */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host_internal.h"
#include "wgns/fd.h"
#include "wgns/folder.h"
#include "wgns/host.h"
#include "wgns/host_agents.h"
#include "wgns/netns.h"
#include "wgns/plan.h"
#include "wgns/str.h"

#define PPPOE_MAX (1u << 20)
#define MOUNTINFO_MAX (1u << 24)

void host_free(struct host *host)
{
	rtnl_links_free(&host->links);
	free(host->devices);
	rtnl_list_free(&host->addrs);
	rtnl_list_free(&host->routes);
	free(host->tunnels);
	host_agents_free(&host->agents);
	host_units_free(&host->units);
	*host = (struct host){ 0 };
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* /proc/net/pppoe: "Id Address Device", one session a line; absent without the module */
static bool has_pppoe(const char *name)
{
	AUTO_FREE char *text = NULL;
	char device[IFNAMSIZ];
	struct err ignored; /* no such file: no such sessions */
	size_t len;

	if (fd_read_file_at(AT_FDCWD, "/proc/self/net/pppoe", PPPOE_MAX, &text, &len, &ignored) < 0)
		return false;
	char *rest = text;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		if (sscanf(line, "%*s %*s %15s", device) == 1 && strcmp(device, name) == 0)
			return true;
	}
	return false;
}

/* cfg80211 links the phy into the device's folder; the caller's /sys shows the caller's namespace */
static bool is_wireless(const char *name)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/sys/class/net/%s/phy80211", name);
	return exists(path);
}

/* before Linux 5.14 there is no IFLA_PARENT_DEV_NAME */
static bool has_device_in_sysfs(const char *name)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/sys/class/net/%s/device", name);
	return exists(path);
}

/* a tun device whose daemon wg(8) can ask */
static bool has_daemon(const struct rtnl_link *link)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/var/run/wireguard/%s.sock", link->name);
	return strcmp(link->kind, "tun") == 0 && exists(path);
}

static int read_device(struct nl *nl, int home_fd, struct rtnl_link *link, struct host_device *dev,
		       struct err *e)
{
	struct err why;
	uint32_t ids[1];

	int rc = rtnl_probe_movable(nl, link->ifindex, home_fd, &why);
	if (rc < 0 && rc != -EPERM) /* who may not ask learns nothing, neither way */
		(void)snprintf(dev->immutable, sizeof(dev->immutable), "%.255s",
			       why.kernel[0] ? why.kernel : why.text);
	dev->is_wireless = dev->is_wireless || is_wireless(link->name);
	dev->is_pppoe = has_pppoe(link->name);
	rc = rtnl_nexthops_on(nl, link->ifindex, ids, 1, e);
	if (rc < 0)
		return err_context(e, "read the nexthop objects of %s", link->name);
	dev->n_nexthops = (unsigned)rc;
	rc = rtnl_qdiscs_on(nl, link->ifindex, dev->qdiscs, sizeof(dev->qdiscs), e);
	return rc < 0 ? err_context(e, "read the queueing disciplines of %s", link->name) : 0;
}

static bool is_stackable(const struct rtnl_link *link)
{
	return strcmp(link->kind, "vlan") == 0 || strcmp(link->kind, "macsec") == 0;
}

static int read_devices(struct nl *nl, int home_fd, char *const *named, size_t n_named,
			struct host *host, struct err *e)
{
	host->devices = calloc(host->links.n + 1, sizeof(*host->devices));
	if (!host->devices)
		return err_set(e, ENOMEM, "read the devices");
	int rc_wireless = host_read_wireless(host, e);
	if (rc_wireless < 0)
		return rc_wireless;
	for (size_t i = 0; i < host->links.n; i++) {
		struct rtnl_link *link = &host->links.items[i];

		host->devices[i].is_wireguard =
			strcmp(link->kind, "wireguard") == 0 || has_daemon(link);
		if (!link->kind[0] && !link->has_parent_device && has_device_in_sysfs(link->name))
			link->has_parent_device = true;
		/* a device below a candidate, a VLAN that may be on one, or one of the same phy moves along */
		bool may_move = host_is_candidate(host, link, named, n_named) ||
				is_stackable(link) || host->devices[i].is_wireless;
		for (size_t k = 0; k < host->links.n && !may_move; k++)
			may_move = is_stackable(&host->links.items[k]) &&
				   host->links.items[k].lower == link->ifindex;
		if (!may_move)
			continue;
		int rc = read_device(nl, home_fd, link, &host->devices[i], e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static bool has_user(const struct host *host)
{
	for (size_t i = 0; i < host->n_tunnels; i++) {
		if (strcmp(host->tunnels[i].birthplace, "physical") == 0)
			return true;
	}
	return false;
}

static int read_state(int run_fd, int home_fd, struct host *host, struct err *e)
{
	struct err why;

	if (run_fd >= 0) {
		int rc = state_tunnels(run_fd, &host->tunnels, &host->n_tunnels, e);
		if (rc < 0)
			return rc;
		host->has_orphan_layout = !has_user(host) && faccessat(run_fd, "box/physical", F_OK,
								       AT_SYMLINK_NOFOLLOW) == 0;
		AUTO_FD int ns_fd = state_box_open_netns(run_fd, "physical", &why);
		host->is_layout_up = ns_fd >= 0;
		struct netns_id home, physical;
		if (ns_fd >= 0) {
			rc = netns_identify(home_fd, &home, e);
			if (rc == 0)
				rc = netns_identify(ns_fd, &physical, e);
			if (rc < 0)
				return rc;
			host->is_inside_physical = netns_same(&home, &physical);
		}
	}
	host->has_foreign_physical = !host->is_layout_up && exists("/run/netns/physical");
	return 0;
}

/*
 * The overlay on /etc in a box has the folder below it, without what is mounted inside: proc_pid_mountinfo(5), field 5. The box
 * has a resolv.conf and nsswitch.conf of its own.
 */
static int find_etc_mount(char *out, size_t cap, struct err *e)
{
	AUTO_FREE char *text = NULL;
	char place[PATH_MAX];
	size_t len;

	int rc = fd_read_file_at(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text, &len, e);
	if (rc < 0)
		return rc;
	char *rest = text;
	for (char *line = strsep(&rest, "\n"); line && !*out; line = strsep(&rest, "\n")) {
		if (sscanf(line, "%*s %*s %*s %*s %4095s", place) != 1 ||
		    strncmp(place, "/etc/", 5) != 0 || strcmp(place, "/etc/resolv.conf") == 0 ||
		    strcmp(place, "/etc/nsswitch.conf") == 0)
			continue;
		/* the beginning names it well enough */
		(void)snprintf(out, cap, "%.*s", (int)cap - 1, place);
	}
	return 0;
}

static int read_folders(struct host *host, struct err *e)
{
	enum host_folder netns_dir;
	int rc = folder_look("/run/netns", &netns_dir, e);

	host->is_netns_dir_shared = rc == 0 && netns_dir == HOST_FOLDER_MOUNTED;
	if (rc == 0)
		rc = find_etc_mount(host->etc_mount, sizeof(host->etc_mount), e);
	for (size_t i = 0; rc == 0 && i < PLAN_N_FOLDERS; i++)
		rc = folder_look(plan_folders[i].path, &host->folders[i], e);
	return rc;
}

enum depth { DEPTH_USUAL, DEPTH_NEW_DEVICE, DEPTH_DEVICES };

static int read_host(int run_fd, char *const *named, size_t n_named, enum depth depth,
		     struct host *out, struct err *e)
{
	struct host host = { 0 };
	AUTO_NL struct nl *nl = NULL;
	AUTO_FD int home_fd = netns_open_self(e);

	if (home_fd < 0)
		return home_fd;
	int rc = nl_open_in(NETLINK_ROUTE, -1, &nl, e);
	if (rc == 0)
		rc = read_state(run_fd, home_fd, &host, e);
	if (rc == 0)
		host_read_guard(run_fd, home_fd, &host);
	if (rc == 0)
		rc = read_folders(&host, e);
	if (rc == 0)
		rc = rtnl_dump_links(nl, &host.links, e);
	if (rc == 0)
		rc = rtnl_dump(nl, RTNL_ADDR, AF_UNSPEC, &host.addrs, e);
	if (rc == 0)
		rc = rtnl_dump(nl, RTNL_ROUTE, AF_UNSPEC, &host.routes, e);
	if (rc == 0 && (!host.is_layout_up || depth != DEPTH_USUAL))
		rc = read_devices(nl, home_fd, named, n_named, &host, e);
	if (rc == 0 && host.devices && depth != DEPTH_NEW_DEVICE)
		rc = host_read_children(home_fd, &host, e);
	if (rc < 0) {
		host_free(&host);
		return rc;
	}
	*out = host;
	return 0;
}

int host_read(int run_fd, char *const *named, size_t n_named, struct host *out, struct err *e)
{
	return read_host(run_fd, named, n_named, DEPTH_USUAL, out, e);
}

int host_read_devices(int run_fd, char *const *named, size_t n_named, bool is_new, struct host *out,
		      struct err *e)
{
	return read_host(run_fd, named, n_named, is_new ? DEPTH_NEW_DEVICE : DEPTH_DEVICES, out, e);
}
