/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rtnl - rtnetlink(7): builders and parsers, pure
 *
 * Links are parsed into struct rtnl_link. Addresses, routes, rules and neighbours are kept as the kernel
 * sent them (struct rtnl_object): what a dump says can be sent back without knowing every attribute, so
 * nothing is lost that a newer kernel adds. A few fields are read out for decisions.
 */
#ifndef WGNS_RTNL_H
#define WGNS_RTNL_H

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wgns/addr.h"
#include "wgns/err.h"
#include "wgns/nl.h"

#define RTNL_HWADDR_MAX 32 /* MAX_ADDR_LEN of the kernel */
#define RTNL_ALTNAMES_MAX 8
#define RTNL_ALTNAME_LEN 128 /* ALTIFNAMSIZ */

struct rtnl_link {
	int ifindex;
	char name[IFNAMSIZ];
	char kind[32]; /* IFLA_INFO_KIND: "veth", "vlan", "wireguard"; "" for hardware */
	uint16_t type; /* ARPHRD_* */
	uint32_t flags; /* IFF_* */
	uint32_t mtu, txqlen, group, promiscuity;
	uint8_t operstate; /* IF_OPER_* */
	bool has_carrier;
	int master; /* ifindex or 0 */
	int lower; /* IFLA_LINK: ifindex of the device below (VLAN, macvlan) or veth's peer; 0 */
	bool has_lower_netnsid; /* the lower device is in another namespace */
	int32_t lower_netnsid;
	bool has_parent_device; /* hardware behind it: IFLA_PARENT_DEV_NAME, Linux 5.14 */
	char parent_device[64]; /* "0000:00:1f.6", "1-2:1.0" */
	uint8_t hwaddr[RTNL_HWADDR_MAX], hwaddr_len;
	uint8_t permaddr[RTNL_HWADDR_MAX], permaddr_len; /* IFLA_PERM_ADDRESS, Linux 5.6 */
	char alias[256];
	char altnames[RTNL_ALTNAMES_MAX][RTNL_ALTNAME_LEN];
	size_t n_altnames;
	uint8_t addr_gen_mode; /* IN6_ADDR_GEN_MODE_*; 0xff when IPv6 is off on it */
	char qdisc[32];
	bool has_xdp;
};

/* An address, route, rule or neighbour: the whole message of a dump. */
struct rtnl_object {
	struct nlmsghdr *msg; /* owned */
};

enum rtnl_kind { RTNL_ADDR, RTNL_ROUTE, RTNL_RULE, RTNL_NEIGH };

struct rtnl_list {
	struct rtnl_object *items;
	size_t n;
};

struct rtnl_links {
	struct rtnl_link *items;
	size_t n;
};

/* ---- dumps: everything of @family (AF_UNSPEC: both) in the talker's namespace ---- */
int rtnl_dump_links(struct nl *nl, struct rtnl_links *out, struct err *e);
/** rtnl_dump - RTNL_ROUTE leaves out cloned routes (RTM_F_CLONED); RTNL_NEIGH gives permanent and proxy entries only */
int rtnl_dump(struct nl *nl, enum rtnl_kind kind, int family, struct rtnl_list *out, struct err *e);
void rtnl_links_free(struct rtnl_links *links);
void rtnl_list_free(struct rtnl_list *list);
/** rtnl_list_add - copies @msg; Return: 0 or -ENOMEM */
int rtnl_list_add(struct rtnl_list *list, const struct nlmsghdr *msg);
/** rtnl_get_link - by ifindex, or by name when @ifindex is 0; Return: 0, -ENODEV, -errno */
int rtnl_get_link(struct nl *nl, int ifindex, const char *name, struct rtnl_link *out,
		  struct err *e);

const struct rtnl_link *rtnl_links_by_index(const struct rtnl_links *links, int ifindex);
const struct rtnl_link *rtnl_links_by_name(const struct rtnl_links *links, const char *name);

/* ---- parsers: -EINVAL for a message that is too short or lies about its lengths ---- */
int rtnl_parse_link(const struct nlmsghdr *msg, struct rtnl_link *out);

struct rtnl_addr { /* what decisions need of an address */
	int ifindex;
	uint8_t family, scope;
	uint32_t flags; /* IFA_F_* */
	struct addr local; /* the address itself, with its prefix length */
	uint32_t valid, preferred; /* seconds; UINT32_MAX is for ever */
};
int rtnl_parse_addr(const struct nlmsghdr *msg, struct rtnl_addr *out);

#define RTNL_NEXTHOPS_MAX 32
struct rtnl_route { /* what decisions need of a route */
	uint8_t family, protocol, scope, type; /* RTPROT_*, RT_SCOPE_*, RTN_* */
	uint32_t table, flags;
	struct addr dst; /* bits 0 and zero bytes for a default route */
	bool has_prefsrc;
	struct addr prefsrc;
	bool has_gateway;
	struct addr gateway; /* of a single next hop; may be of the other family (RTA_VIA) */
	uint32_t metric, nexthop_id, mtu;
	int oifs[RTNL_NEXTHOPS_MAX]; /* one for a single next hop */
	size_t n_oifs;
	uint32_t expires; /* seconds left of an IPv6 route, 0: for ever */
};
int rtnl_parse_route(const struct nlmsghdr *msg, struct rtnl_route *out);

struct rtnl_rule {
	uint8_t family, action;
	uint32_t table, priority;
	char iif[IFNAMSIZ], oif[IFNAMSIZ];
};
int rtnl_parse_rule(const struct nlmsghdr *msg, struct rtnl_rule *out);

struct rtnl_neigh {
	int ifindex;
	uint8_t family;
	uint16_t state; /* NUD_* */
	uint8_t flags; /* NTF_* */
	struct addr dst;
};
int rtnl_parse_neigh(const struct nlmsghdr *msg, struct rtnl_neigh *out);

/* ---- builders ---- */
/*
 * rtnl_build_restore - the request that makes a dumped object again
 * @map: ifindex in the dump -> ifindex now; NULL or no entry: unchanged
 * @exclusive: NLM_F_CREATE|NLM_F_EXCL, else NLM_F_CREATE|NLM_F_REPLACE, with two exceptions that the kernel
 *             asks for. Routes (IPv6 always, IPv4 when exclusive): NLM_F_CREATE|NLM_F_APPEND; an identical
 *             route is answered with EEXIST, another one to the same destination stays beside it.
 *             Rules: always NLM_F_EXCL, EEXIST says that it is there. Routes want an order: rtnl_order_routes().
 *
 * Removes what the kernel does not take back or what would be wrong (RTA_CACHEINFO, IFA_F_TENTATIVE,
 * IFA_F_DADFAILED, IFA_F_TEMPORARY, RTNH_F_DEAD, RTNH_F_LINKDOWN ...), turns the expiry of an IPv6 route into
 * RTA_EXPIRES, keeps IFA_CACHEINFO with the remaining lifetimes.
 * An address of the kernel's own making (::1, link-local) wants @exclusive and EEXIST accepted: replacing ::1
 * gives it a prefix route that it had not.
 * Return: 0, -EALREADY for rtnl_is_automatic(), or -EINVAL / -EMSGSIZE
 */
#define RTNL_MAP_MAX 256
struct rtnl_ifindex_map {
	struct {
		int from, to;
		char from_name[IFNAMSIZ], to_name[IFNAMSIZ]; /* for IPv4 labels; "": as they are */
	} pairs[RTNL_MAP_MAX];
	size_t n;
};
int rtnl_build_restore(enum rtnl_kind kind, const struct nlmsghdr *dumped,
		       const struct rtnl_ifindex_map *map, bool exclusive, struct nl_msg *out);
/** rtnl_is_automatic - a route that the kernel makes with an address or device: local, broadcast, multicast, anycast */
bool rtnl_is_automatic(enum rtnl_kind kind, const struct nlmsghdr *dumped);
/** rtnl_order_routes - gateways after the routes by which they are reached, else as they came; Return: 0 or -ENOMEM */
int rtnl_order_routes(struct rtnl_list *list);
/** rtnl_build_delete - the request that deletes a dumped object */
int rtnl_build_delete(enum rtnl_kind kind, const struct nlmsghdr *dumped, struct nl_msg *out);
/**
 * rtnl_equal - the same object? Attributes compared in canonical order, volatile ones (cache info,
 * expiry, RTNH_F_DEAD/LINKDOWN/OFFLOAD, tentative) left out, ifindexes of @a mapped
 */
bool rtnl_equal(enum rtnl_kind kind, const struct nlmsghdr *a, const struct rtnl_ifindex_map *map,
		const struct nlmsghdr *b);
/** rtnl_describe - one object in the words of ip(8), for messages and -v: "default via 192.0.2.1 dev eth0" */
void rtnl_describe(enum rtnl_kind kind, const struct nlmsghdr *msg, const struct rtnl_links *links,
		   char *buf, size_t cap);

/** rtnl_build_link_move - into the namespace @ns_fd, renamed in the same message
 * @new_name: NULL keeps it
 * @new_ifindex: IFLA_NEW_IFINDEX (Linux 5.13; older ones refuse: 0 leaves it to the kernel) */
void rtnl_build_link_move(struct nl_msg *m, int ifindex, int ns_fd, const char *new_name,
			  int new_ifindex);
void rtnl_build_link_create(struct nl_msg *m, const char *name, const char *kind);
void rtnl_build_link_delete(struct nl_msg *m, int ifindex);
/** rtnl_build_link_flags - set the bits of @mask to those of @flags */
void rtnl_build_link_flags(struct nl_msg *m, int ifindex, uint32_t flags, uint32_t mask);
/* The following complete a message begun by rtnl_build_link_set(); each adds one attribute. */
void rtnl_build_link_set(struct nl_msg *m, int ifindex, uint32_t flags, uint32_t mask);
bool rtnl_put_link_name(struct nl_msg *m, const char *name);
bool rtnl_put_link_mtu(struct nl_msg *m, uint32_t mtu);
bool rtnl_put_link_txqlen(struct nl_msg *m, uint32_t txqlen);
bool rtnl_put_link_group(struct nl_msg *m, uint32_t group);
bool rtnl_put_link_alias(struct nl_msg *m, const char *alias);
bool rtnl_put_link_hwaddr(struct nl_msg *m, const uint8_t *hwaddr, uint8_t len);
bool rtnl_put_link_addr_gen_mode(struct nl_msg *m, uint8_t mode);
/** rtnl_build_altname - RTM_NEWLINKPROP (Linux 5.5) */
void rtnl_build_altname(struct nl_msg *m, int ifindex, const char *altname);
void rtnl_build_addr_add(struct nl_msg *m, int ifindex, const struct addr *a);
void rtnl_build_route_add(struct nl_msg *m, int ifindex, const struct addr *dst, uint32_t table);
void rtnl_build_route_get(struct nl_msg *m, const struct addr *dst);
/** rtnl_build_veth - two devices, one in the talker's namespace and its peer in @peer_ns_fd; names that are taken are refused */
void rtnl_build_veth(struct nl_msg *m, const char *name, const char *peer, int peer_ns_fd);
/** rtnl_put_addr_flags - IFA_F_* for a message of rtnl_build_addr_add() */
bool rtnl_put_addr_flags(struct nl_msg *m, uint32_t flags);
/** rtnl_build_route_via - to @dst by a gateway of the same family, in the main table; IPv4 and IPv6 take the same words */
struct rtnl_route_via {
	int ifindex;
	struct addr dst, gateway, prefsrc;
	uint8_t protocol;
	uint32_t metric;
};
void rtnl_build_route_via(struct nl_msg *m, const struct rtnl_route_via *via);

/** rtnl_route_lookup - RTM_GETROUTE for one destination, as `ip route get`; Return: 0, -ENETUNREACH, ... */
int rtnl_route_lookup(struct nl *nl, const struct addr *dst, struct rtnl_route *out, struct err *e);

/**
 * rtnl_probe_movable - would the kernel let this device go to another namespace?
 *
 * Changes nothing and nobody is notified. Linux 6.15 tells it with the link (IFLA_NETNS_IMMUTABLE). Before 6.13
 * a move to where the device is was checked first and then found to be nothing (tests/platform/probe_movable.c).
 * 6.13 and 6.14 tell neither: there the move itself is refused.
 * @own_ns_fd: the namespace in which the device is
 * Return: 0, -EINVAL with the kernel's words for an immutable one, -errno
 */
int rtnl_probe_movable(struct nl *nl, int ifindex, int own_ns_fd, struct err *e);

/** rtnl_nexthops_on - ids of nexthop objects (RTM_GETNEXTHOP, Linux 5.3) that use @ifindex; Return: count or -errno; 0 on older kernels */
int rtnl_nexthops_on(struct nl *nl, int ifindex, uint32_t *ids, size_t cap, struct err *e);

/** rtnl_qdiscs_on - kinds of queueing disciplines and filters set by hand on @ifindex, "htb, ingress"; "" for none */
int rtnl_qdiscs_on(struct nl *nl, int ifindex, char *kinds, size_t cap, struct err *e);

#endif
