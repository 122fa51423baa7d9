// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A dumped object, made into the request that makes it again. Attributes are copied except those that
 * are known to be state or to be refused, so that what a newer kernel adds is kept.
 */
#include <errno.h>
#include <linux/fib_rules.h>
#include <stdio.h>
#include <string.h>

#include "rtnl_internal.h"

/* What inet6_rtm_newaddr() and rtm_to_ifaddr() take; the kernel computes the others itself. */
#define ADDR_FLAGS                                                                                 \
	(IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE |            \
	 IFA_F_MCAUTOJOIN)
/* of ndm_flags; NTF_USE, NTF_SELF and NTF_MASTER are commands, 0x20 (NTF_OFFLOADED) is state */
#define NEIGH_FLAGS (NTF_PROXY | NTF_EXT_LEARNED | NTF_ROUTER)
#define NO_ATTR UINT16_MAX

static int map_index(const struct rtnl_ifindex_map *map, int ifindex)
{
	for (size_t i = 0; map && i < map->n; i++) {
		if (map->pairs[i].from == ifindex)
			return map->pairs[i].to;
	}
	return ifindex;
}

static bool put_copy(struct nl_msg *out, const struct nlattr *a)
{
	/* nla_type as it is: NLA_F_NESTED is part of it */
	return nl_put(out, a->nla_type, mnl_attr_get_payload(a), mnl_attr_get_payload_len(a));
}

static bool is_among(uint16_t type, const uint16_t *types)
{
	for (; *types != NO_ATTR; types++) {
		if (*types == type)
			return true;
	}
	return false;
}

/* Copy all attributes but those of @dropped, which ends in NO_ATTR. */
static int copy_attrs(const struct nlmsghdr *from, size_t offset, const uint16_t *dropped,
		      struct nl_msg *out)
{
	struct nl_walk w = nl_walk_msg(from, offset);
	const struct nlattr *a = NULL;
	int r;

	for (r = nl_walk_next(&w, &a); r > 0; r = nl_walk_next(&w, &a)) {
		if (is_among(mnl_attr_get_type(a), dropped))
			continue;
		if (!put_copy(out, a))
			return -EMSGSIZE;
	}
	return r;
}

/* A label begins with the device's name, and the kernel renames it with the device: "eth0", "eth0:1" */
static bool put_label(const struct nlattr *label, int ifindex, const struct rtnl_ifindex_map *map,
		      struct nl_msg *out)
{
	char old[IFNAMSIZ], mapped[2 * IFNAMSIZ];

	if (!label)
		return true;
	if (!nl_attr_text(label, old, sizeof(old)))
		return put_copy(out, label);
	for (size_t i = 0; map && i < map->n; i++) {
		size_t len = strlen(map->pairs[i].from_name);

		if (map->pairs[i].from != ifindex || !len || !map->pairs[i].to_name[0] ||
		    strncmp(old, map->pairs[i].from_name, len) != 0 ||
		    (old[len] && old[len] != ':'))
			continue;
		/* what does not fit behind a longer name is cut, as the kernel does it */
		(void)snprintf(mapped, sizeof(mapped), "%s%s", map->pairs[i].to_name, old + len);
		mapped[IFNAMSIZ - 1] = '\0';
		return nl_put(out, IFA_LABEL, mapped, strlen(mapped) + 1);
	}
	return put_copy(out, label);
}

static int restore_addr(const struct nlmsghdr *from, const struct rtnl_ifindex_map *map,
			struct nl_msg *out)
{
	static const uint16_t dropped[] = { IFA_FLAGS, IFA_CACHEINFO, IFA_TARGET_NETNSID, IFA_LABEL,
					    NO_ATTR };
	const struct nlattr *tb[IFA_CACHEINFO + 1];
	struct rtnl_addr a;

	if (rtnl_parse_addr(from, &a) < 0 ||
	    nl_attr_table(from, sizeof(struct ifaddrmsg), tb, IFA_CACHEINFO) < 0)
		return -EINVAL;

	uint32_t flags = a.flags & ADDR_FLAGS;
	struct ifaddrmsg *ifa = nl_msg_begin(out, RTM_NEWADDR, 0, sizeof(*ifa));
	ifa->ifa_family = a.family;
	ifa->ifa_prefixlen = a.local.bits;
	ifa->ifa_flags = (uint8_t)flags;
	ifa->ifa_scope = a.scope;
	ifa->ifa_index = (uint32_t)map_index(map, a.ifindex);

	int r = copy_attrs(from, sizeof(*ifa), dropped, out);
	if (r < 0)
		return r;
	if (!nl_put(out, IFA_FLAGS, &flags, sizeof(flags)) ||
	    !put_label(tb[IFA_LABEL], a.ifindex, map, out))
		return -EMSGSIZE;
	if (!tb[IFA_CACHEINFO])
		return 0;

	/* A lifetime of 0 is refused: the address that is just running out gets its last second. */
	struct ifa_cacheinfo ci = { .ifa_valid = a.valid ? a.valid : 1,
				    .ifa_prefered = a.preferred };
	if (ci.ifa_prefered > ci.ifa_valid)
		ci.ifa_prefered = ci.ifa_valid;
	return nl_put(out, IFA_CACHEINFO, &ci, sizeof(ci)) ? 0 : -EMSGSIZE;
}

/* The copy at the end of @out is changed in place; its lengths were checked by rtnl_parse_route(). */
static void map_hops(struct nl_msg *out, size_t at, const struct rtnl_ifindex_map *map)
{
	size_t left = nl_msg_hdr(out)->nlmsg_len - at;

	for (char *pos = out->buf + at; left >= sizeof(struct rtnexthop);) {
		struct rtnexthop *hop = (void *)pos;
		size_t step = MNL_ALIGN(hop->rtnh_len);

		hop->rtnh_ifindex = map_index(map, hop->rtnh_ifindex);
		hop->rtnh_flags &= RTNH_F_ONLINK;
		if (step < sizeof(*hop) || step > left)
			return;
		pos += step;
		left -= step;
	}
}

static int put_path(const struct nlattr **tb, const struct rtnl_ifindex_map *map,
		    struct nl_msg *out)
{
	const struct nlattr *oif = tb[RTA_OIF], *multipath = tb[RTA_MULTIPATH];

	/* "Nexthop specification and nexthop id are mutually exclusive", though a dump has both */
	if (tb[RTA_NH_ID])
		return 0;
	if (oif) {
		int ifindex;
		memcpy(&ifindex, mnl_attr_get_payload(oif), sizeof(ifindex));
		ifindex = map_index(map, ifindex);
		if (!nl_put(out, RTA_OIF, &ifindex, sizeof(ifindex)))
			return -EMSGSIZE;
	}
	for (uint16_t type = 0; type <= RTA_NH_ID; type++) {
		bool is_copied = type == RTA_GATEWAY || type == RTA_VIA || type == RTA_ENCAP_TYPE ||
				 type == RTA_ENCAP;
		if (is_copied && tb[type] && !put_copy(out, tb[type]))
			return -EMSGSIZE;
	}
	if (multipath) {
		size_t at = nl_msg_hdr(out)->nlmsg_len + MNL_ATTR_HDRLEN;
		if (!put_copy(out, multipath))
			return -EMSGSIZE;
		map_hops(out, at, map);
	}
	return 0;
}

static int restore_route(const struct nlmsghdr *from, const struct rtnl_ifindex_map *map,
			 struct nl_msg *out)
{
	static const uint16_t dropped[] = { RTA_IIF,	   RTA_OIF,	  RTA_GATEWAY,
					    RTA_VIA,	   RTA_ENCAP,	  RTA_ENCAP_TYPE,
					    RTA_MULTIPATH, RTA_CACHEINFO, RTA_EXPIRES,
					    RTA_UID,	   RTA_MARK,	  RTA_SESSION,
					    RTA_PAD,	   RTA_MFC_STATS, NO_ATTR };
	const struct nlattr *tb[RTA_NH_ID + 1];
	const struct rtmsg *old = mnl_nlmsg_get_payload(from);
	struct rtnl_route route;

	if (rtnl_parse_route(from, &route) < 0 ||
	    nl_attr_table(from, sizeof(*old), tb, RTA_NH_ID) < 0)
		return -EINVAL;

	struct rtmsg *rtm = nl_msg_begin(out, RTM_NEWROUTE, 0, sizeof(*rtm));
	*rtm = *old;
	/* DEAD and LINKDOWN are refused; OFFLOAD, TRAP and RTM_F_* are state */
	rtm->rtm_flags = old->rtm_flags & RTNH_F_ONLINK;

	int r = copy_attrs(from, sizeof(*rtm), dropped, out);
	if (r < 0)
		return r;
	r = put_path(tb, map, out);
	if (r < 0)
		return r;
	if (route.family == AF_INET6 && route.expires &&
	    !nl_put(out, RTA_EXPIRES, &route.expires, sizeof(route.expires)))
		return -EMSGSIZE;
	return 0;
}

static int restore_rule(const struct nlmsghdr *from, struct nl_msg *out)
{
	static const uint16_t dropped[] = { FRA_PAD, NO_ATTR };
	const struct nlattr *tb[FRA_PRIORITY + 1];
	const struct fib_rule_hdr *old = mnl_nlmsg_get_payload(from);
	struct rtnl_rule rule;

	if (rtnl_parse_rule(from, &rule) < 0 ||
	    nl_attr_table(from, sizeof(*old), tb, FRA_PRIORITY) < 0)
		return -EINVAL;

	struct fib_rule_hdr *frh = nl_msg_begin(out, RTM_NEWRULE, 0, sizeof(*frh));
	*frh = *old;
	frh->res1 = 0;
	frh->res2 = 0;
	/* the others say that a device or a goto's target is missing just now */
	frh->flags = old->flags & FIB_RULE_INVERT;

	int r = copy_attrs(from, sizeof(*frh), dropped, out);
	if (r < 0)
		return r;
	/* A dump leaves out priority 0, a request without one gets another (fib_default_rule_pref()). */
	if (!tb[FRA_PRIORITY] &&
	    !mnl_attr_put_u32_check(nl_msg_hdr(out), NL_MSG_MAX, FRA_PRIORITY, 0))
		return -EMSGSIZE;
	return 0;
}

static int restore_neigh(const struct nlmsghdr *from, const struct rtnl_ifindex_map *map,
			 struct nl_msg *out)
{
	static const uint16_t dropped[] = { NDA_CACHEINFO, NDA_PROBES, NO_ATTR };
	struct rtnl_neigh n;

	if (rtnl_parse_neigh(from, &n) < 0)
		return -EINVAL;

	struct ndmsg *ndm = nl_msg_begin(out, RTM_NEWNEIGH, 0, sizeof(*ndm));
	ndm->ndm_family = n.family;
	ndm->ndm_ifindex = map_index(map, n.ifindex);
	ndm->ndm_state = n.state;
	ndm->ndm_flags = n.flags & NEIGH_FLAGS;
	return copy_attrs(from, sizeof(*ndm), dropped, out);
}

int rtnl_canonical(enum rtnl_kind kind, const struct nlmsghdr *from,
		   const struct rtnl_ifindex_map *map, struct nl_msg *out)
{
	switch (kind) {
	case RTNL_ADDR:
		return restore_addr(from, map, out);
	case RTNL_ROUTE:
		return restore_route(from, map, out);
	case RTNL_RULE:
		return restore_rule(from, out);
	case RTNL_NEIGH:
		return restore_neigh(from, map, out);
	}
	return -EINVAL;
}

static uint16_t restore_flags(enum rtnl_kind kind, uint8_t family, bool is_exclusive)
{
	/*
	 * NLM_F_EXCL and NLM_F_REPLACE of a route look at destination and metric only: fe80::/64 on a
	 * second device would be refused, or take the place of the first. With NLM_F_APPEND a
	 * route is compared as a whole, and only an identical one is -EEXIST
	 * (fib_table_insert(), fib6_add_rt2node()). Rules know no NLM_F_REPLACE and would be doubled.
	 */
	if (kind == RTNL_ROUTE && (is_exclusive || family == AF_INET6))
		return NLM_F_CREATE | NLM_F_APPEND;
	if (kind == RTNL_RULE || is_exclusive)
		return NLM_F_CREATE | NLM_F_EXCL;
	return NLM_F_CREATE | NLM_F_REPLACE;
}

bool rtnl_is_automatic(enum rtnl_kind kind, const struct nlmsghdr *dumped)
{
	struct rtnl_route r;

	if (kind != RTNL_ROUTE || rtnl_parse_route(dumped, &r) < 0)
		return false;
	/* Metric 0 of IPv6 is the kernel's own: a request with it gets 1024 (ip6_route_info_create()). */
	return (r.family == AF_INET6 && r.metric == 0) ||
	       (r.table == RT_TABLE_LOCAL && r.protocol == RTPROT_KERNEL);
}

int rtnl_build_restore(enum rtnl_kind kind, const struct nlmsghdr *dumped,
		       const struct rtnl_ifindex_map *map, bool exclusive, struct nl_msg *out)
{
	if (rtnl_is_automatic(kind, dumped))
		return -EALREADY;

	int r = rtnl_canonical(kind, dumped, map, out);
	if (r < 0)
		return r;

	const uint8_t *family = mnl_nlmsg_get_payload(dumped);
	nl_msg_hdr(out)->nlmsg_flags = restore_flags(kind, *family, exclusive);
	return 0;
}

static int delete_addr(const struct nlmsghdr *from, struct nl_msg *out)
{
	/* what __inet_del_ifa's caller compares; a label or a lifetime may have changed since */
	static const uint16_t dropped[] = { IFA_LABEL,	     IFA_BROADCAST, IFA_ANYCAST, IFA_PROTO,
					    IFA_RT_PRIORITY, IFA_CACHEINFO, IFA_FLAGS,	 NO_ATTR };
	struct nl_msg full;
	int r = restore_addr(from, NULL, &full);
	if (r < 0)
		return r;

	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nl_msg_hdr(&full));
	memcpy(nl_msg_begin(out, RTM_DELADDR, 0, sizeof(*ifa)), ifa, sizeof(*ifa));
	return copy_attrs(nl_msg_hdr(&full), sizeof(*ifa), dropped, out);
}

int rtnl_build_delete(enum rtnl_kind kind, const struct nlmsghdr *dumped, struct nl_msg *out)
{
	/* RTM_DEL* is RTM_NEW* + 1 for all of them (rtnetlink.h) */
	int r = kind == RTNL_ADDR ? delete_addr(dumped, out)
				  : rtnl_canonical(kind, dumped, NULL, out);
	if (r < 0)
		return r;
	if (kind != RTNL_ADDR)
		nl_msg_hdr(out)->nlmsg_type++;
	nl_msg_hdr(out)->nlmsg_flags = 0;
	return 0;
}
