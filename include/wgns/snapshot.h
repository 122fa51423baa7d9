/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * snapshot - the whole configuration of some devices in one namespace, and putting it back in another
 *
 * Moving a device sets it down and drops its addresses, routes, neighbours and per-device sysctls. The snapshot
 * keeps them as the kernel reported them (rtnl.h) and as text files below /proc/sys/net.
 */
#ifndef WGNS_SNAPSHOT_H
#define WGNS_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>

#include "wgns/err.h"
#include "wgns/nl.h"
#include "wgns/rtnl.h"

/* /proc/sys/net/ipv4 and ipv6 as they are in one namespace, wherever the process is; see sysctl_open_dirs() */
struct sysctl_dirs {
	int ipv4_fd; /* -1: not open */
	int ipv6_fd; /* -1: the kernel has no IPv6 */
};

struct snapshot_sysctl {
	char dev[IFNAMSIZ];
	char path[96]; /* "ipv6/conf/accept_ra": the device's name left out */
	char *value; /* owned, without newline */
};

/* Of a wireless device: what is left of it when its phy has moved, and the kernel has given it another name. */
struct snapshot_wdev {
	char dev[IFNAMSIZ];
	uint32_t phy; /* number of the phy */
	uint64_t id; /* NL80211_ATTR_WDEV */
};

struct snapshot {
	struct rtnl_list raw_links; /* as dumped */
	struct rtnl_links links; /* the same, read; in the order in which they move */
	struct rtnl_list addrs, neighs, rules;
	struct rtnl_list routes; /* all tables, over these devices only */
	/*
	 * routes over other devices that the kernel drops with these: they name an address of
	 * theirs, or share a multipath route
	 */
	struct rtnl_list orphans;
	struct snapshot_sysctl *sysctls;
	size_t n_sysctls;
	struct snapshot_wdev *wdevs; /* of those links that are wireless */
	size_t n_wdevs;
};

/**
 * snapshot_take - what the devices called @names (@n of them, in that order) are now
  * @nl: rtnetlink talker in the namespace of @dirs
 *
 * Return: 0, -ENODEV when one of them is not there, -errno
 */
int snapshot_take(struct nl *nl, const struct sysctl_dirs *dirs, char *const *names, size_t n,
		  struct snapshot *out, struct err *e);
/** snapshot_take_wdevs - which of the links in @s are wireless; @genl: NETLINK_GENERIC, in the same namespace */
int snapshot_take_wdevs(struct nl *genl, struct snapshot *s, struct err *e);
/** snapshot_find_wdev - of the device called @dev then; NULL when it was not wireless */
const struct snapshot_wdev *snapshot_find_wdev(const struct snapshot *s, const char *dev);
/** snapshot_add_wdev - Return: 0 or -ENOMEM */
int snapshot_add_wdev(struct snapshot *s, const struct snapshot_wdev *wdev);
void snapshot_free(struct snapshot *s);
/** snapshot_write - as text into @file of @dir_fd, atomically; snapshot_read - -EINVAL with the line that is damaged */
int snapshot_write(const struct snapshot *s, int dir_fd, const char *file, struct err *e);
int snapshot_read(int dir_fd, const char *file, struct snapshot *out, struct err *e);
int snapshot_parse(const char *text, size_t len, struct snapshot *out, struct err *e);

/**
 * snapshot_find_link - the device that @old was, among those of a namespace
 *
 * By name first; what does not change when somebody renames or replaces a device decides: kind, bus address,
 * permanent address, or the hardware address of a device that has none. NULL when it is not there. The devices of one
 * phy may have one permanent address: of those that are not called as before the most similar one.
 */
const struct rtnl_link *snapshot_find_link(const struct rtnl_links *now,
					   const struct rtnl_link *old);

/** snapshot_part - a copy with those devices that @is_in wants, and what belongs to them; rules and orphans are all taken */
int snapshot_part(const struct snapshot *from,
		  bool (*is_in)(const struct rtnl_link *link, void *ctx), void *ctx,
		  struct snapshot *out, struct err *e);
/** snapshot_add - copies of everything in @more behind what is in @to; after a failure @to may have a part of it */
int snapshot_add(struct snapshot *to, const struct snapshot *more, struct err *e);

/* Where a snapshot is put back. */
struct restore {
	struct nl *nl; /* rtnetlink talker in the namespace */
	const struct sysctl_dirs *dirs; /* of the same namespace */
	const struct snapshot *snap;
	bool is_host; /* a namespace that forwards nothing: forwarding sysctls stay off */
	bool is_present; /* the snapshot was taken in physical: what that namespace itself gave stays behind */
};

/**
 * restore_map - the numbers of the snapshot's devices in the namespace
 * @now: receives every device that is there; owned by the caller
 */
int restore_map(const struct restore *r, struct rtnl_ifindex_map *map, struct rtnl_links *now,
		struct err *e);

/* The parts, in the order in which the kernel wants them. Each may be repeated. */
int restore_link(const struct restore *r, const struct rtnl_link *link, struct err *e);
int restore_addrs(const struct restore *r, struct err *e);
int restore_neighs(const struct restore *r, struct err *e);
int restore_rules(const struct restore *r, struct err *e);
/** restore_routes - adds what is missing in any order that works, removes what the kernel made by itself and was not there */
int restore_routes(const struct restore *r, struct err *e);
/** restore_orphans - those that can be put back; what is in the way by now stays */
int restore_orphans(const struct restore *r, struct err *e);
/** restore_finish - accept_dad as it was */
int restore_finish(const struct restore *r, struct err *e);

/* ---- per-device sysctls: src/state/sysctl.c ---- */
/**
 * sysctl_open_dirs - both folders of the namespace @ns_fd
 *
 * A descriptor of them goes on showing its namespace (tests/unit/test_netns.c); one of /proc/sys/net itself does not.
 */
int sysctl_open_dirs(int ns_fd, struct sysctl_dirs *out, struct err *e);
void sysctl_close_dirs(struct sysctl_dirs *dirs);
/** sysctl_read_device - every readable and writable file of @dev below /proc/sys/net/ipv{4,6}/{conf,neigh} */
int sysctl_read_device(const struct sysctl_dirs *dirs, const char *dev,
		       struct snapshot_sysctl **list, size_t *n, struct err *e);
enum sysctl_phase { SYSCTL_BEFORE_UP, SYSCTL_AFTER_ROUTES };
/**
 * sysctl_write_device - make those of @now as @old had them; only values that differ are written
 *
 * BEFORE_UP leaves accept_dad at 0, because IPv6 routes with a source address are refused while duplicate address
 * detection runs; AFTER_ROUTES sets accept_dad.
 */
int sysctl_write_device(const struct restore *r, const char *old, const char *now,
			enum sysctl_phase phase, struct err *e);
/** sysctl_prepare_netns - a fresh namespace is not a fresh machine: copies from home what programs rely on, forwarding off */
int sysctl_prepare_netns(const struct sysctl_dirs *from, const struct sysctl_dirs *to,
			 struct err *e);
/**
 * sysctl_forward_netns - let a namespace forward that has no device but lo yet; every one that comes is a host for IPv6 still
 *
 * IPv4 asks the device by which a packet comes (conf/DEV/forwarding, here by the default for new ones). IPv6 asks conf/all
 * only (ip6_forward() of Linux), and conf/DEV/forwarding says whether a device is a router's: a router's takes no
 * router advertisements, and its default routes go. That is why this happens before any device comes.
 */
int sysctl_forward_netns(const struct sysctl_dirs *dirs, struct err *e);
/** sysctl_set_device - one setting of one device; @folder as in the path of a snapshot_sysctl. Absent: success */
int sysctl_set_device(const struct sysctl_dirs *dirs, const char *folder, const char *dev,
		      const char *name, const char *value, struct err *e);

#endif
