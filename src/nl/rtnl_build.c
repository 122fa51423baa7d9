// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The void builders put a few short attributes into an empty message of NL_MSG_MAX bytes. Only a text
 * from outside could be too long; the kernel then misses the attribute and refuses the request.
 */
#include <string.h>

#include "rtnl_internal.h"

static bool put(struct nl_msg *m, uint16_t type, const void *data, size_t len)
{
	return nl_put(m, type, data, len);
}

static bool put_text(struct nl_msg *m, uint16_t type, const char *text)
{
	return nl_put(m, type, text, strlen(text) + 1);
}

static bool put_u32(struct nl_msg *m, uint16_t type, uint32_t value)
{
	return mnl_attr_put_u32_check(nl_msg_hdr(m), NL_MSG_MAX, type, value);
}

static void begin_link(struct nl_msg *m, uint16_t type, uint16_t flags, int ifindex)
{
	struct ifinfomsg *ifi = nl_msg_begin(m, type, flags, sizeof(*ifi));

	ifi->ifi_index = ifindex;
}

void rtnl_build_link_move(struct nl_msg *m, int ifindex, int ns_fd, const char *new_name,
			  int new_ifindex)
{
	begin_link(m, RTM_NEWLINK, 0, ifindex);
	put_u32(m, IFLA_NET_NS_FD, (uint32_t)ns_fd);
	if (new_name)
		put_text(m, IFLA_IFNAME, new_name);
	if (new_ifindex > 0)
		put_u32(m, IFLA_NEW_IFINDEX, (uint32_t)new_ifindex);
}

void rtnl_build_link_create(struct nl_msg *m, const char *name, const char *kind)
{
	begin_link(m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	put_text(m, IFLA_IFNAME, name);

	struct nlattr *info = mnl_attr_nest_start_check(nl_msg_hdr(m), NL_MSG_MAX, IFLA_LINKINFO);
	if (!info)
		return;
	put_text(m, IFLA_INFO_KIND, kind);
	mnl_attr_nest_end(nl_msg_hdr(m), info);
}

void rtnl_build_link_delete(struct nl_msg *m, int ifindex)
{
	begin_link(m, RTM_DELLINK, 0, ifindex);
}

void rtnl_build_link_flags(struct nl_msg *m, int ifindex, uint32_t flags, uint32_t mask)
{
	rtnl_build_link_set(m, ifindex, flags, mask);
}

void rtnl_build_link_set(struct nl_msg *m, int ifindex, uint32_t flags, uint32_t mask)
{
	struct ifinfomsg *ifi = nl_msg_begin(m, RTM_NEWLINK, 0, sizeof(*ifi));

	ifi->ifi_index = ifindex;
	ifi->ifi_flags = flags & mask;
	ifi->ifi_change = mask;
}

bool rtnl_put_link_name(struct nl_msg *m, const char *name)
{
	return put_text(m, IFLA_IFNAME, name);
}

bool rtnl_put_link_mtu(struct nl_msg *m, uint32_t mtu)
{
	return put_u32(m, IFLA_MTU, mtu);
}

bool rtnl_put_link_txqlen(struct nl_msg *m, uint32_t txqlen)
{
	return put_u32(m, IFLA_TXQLEN, txqlen);
}

bool rtnl_put_link_group(struct nl_msg *m, uint32_t group)
{
	return put_u32(m, IFLA_GROUP, group);
}

bool rtnl_put_link_alias(struct nl_msg *m, const char *alias)
{
	return put_text(m, IFLA_IFALIAS, alias);
}

bool rtnl_put_link_hwaddr(struct nl_msg *m, const uint8_t *hwaddr, uint8_t len)
{
	return put(m, IFLA_ADDRESS, hwaddr, len);
}

bool rtnl_put_link_addr_gen_mode(struct nl_msg *m, uint8_t mode)
{
	struct nlmsghdr *h = nl_msg_hdr(m);

	struct nlattr *spec = mnl_attr_nest_start_check(h, NL_MSG_MAX, IFLA_AF_SPEC);
	if (!spec)
		return false;

	struct nlattr *inet6 = mnl_attr_nest_start_check(h, NL_MSG_MAX, AF_INET6);
	if (!inet6 || !nl_put(m, IFLA_INET6_ADDR_GEN_MODE, &mode, 1)) {
		mnl_attr_nest_cancel(h, spec);
		return false;
	}
	mnl_attr_nest_end(h, inet6);
	mnl_attr_nest_end(h, spec);
	return true;
}

void rtnl_build_altname(struct nl_msg *m, int ifindex, const char *altname)
{
	begin_link(m, RTM_NEWLINKPROP, NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND, ifindex);

	struct nlattr *list =
		mnl_attr_nest_start_check(nl_msg_hdr(m), NL_MSG_MAX, IFLA_PROP_LIST | NLA_F_NESTED);
	if (!list)
		return;
	put_text(m, IFLA_ALT_IFNAME, altname);
	mnl_attr_nest_end(nl_msg_hdr(m), list);
}

void rtnl_build_addr_add(struct nl_msg *m, int ifindex, const struct addr *a)
{
	struct ifaddrmsg *ifa =
		nl_msg_begin(m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(*ifa));

	ifa->ifa_family = a->family;
	ifa->ifa_prefixlen = a->bits;
	ifa->ifa_index = (uint32_t)ifindex;
	/* ip-address(8): addresses of 127.0.0.0/8 are of scope host unless told otherwise */
	if (a->family == AF_INET && a->bytes[0] == 127)
		ifa->ifa_scope = RT_SCOPE_HOST;
	put(m, IFA_LOCAL, a->bytes, addr_len(a));
	put(m, IFA_ADDRESS, a->bytes, addr_len(a));
}

void rtnl_build_route_add(struct nl_msg *m, int ifindex, const struct addr *dst, uint32_t table)
{
	struct rtmsg *rtm = nl_msg_begin(m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof(*rtm));
	struct addr net = *dst;

	addr_mask(&net); /* the kernel refuses host bits */
	rtm->rtm_family = net.family;
	rtm->rtm_dst_len = net.bits;
	rtm->rtm_table = table < 256 ? (uint8_t)table : RT_TABLE_COMPAT;
	rtm->rtm_protocol = RTPROT_BOOT;
	/* IPv4: what is reached without a gateway is on the link; IPv6 knows no scopes of routes */
	rtm->rtm_scope = net.family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	rtm->rtm_type = RTN_UNICAST;
	if (net.bits > 0)
		put(m, RTA_DST, net.bytes, addr_len(&net));
	put_u32(m, RTA_TABLE, table);
	put_u32(m, RTA_OIF, (uint32_t)ifindex);
}

void rtnl_build_route_get(struct nl_msg *m, const struct addr *dst)
{
	struct rtmsg *rtm = nl_msg_begin(m, RTM_GETROUTE, 0, sizeof(*rtm));

	rtm->rtm_family = dst->family;
	rtm->rtm_dst_len = (uint8_t)(addr_len(dst) * 8);
	/* IPv6 tells the table in any case and refuses the flag under strict checks */
	if (dst->family == AF_INET)
		rtm->rtm_flags = RTM_F_LOOKUP_TABLE;
	put(m, RTA_DST, dst->bytes, addr_len(dst));
}
