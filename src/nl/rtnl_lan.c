// SPDX-License-Identifier: GPL-2.0-or-later
/* builders for a pair of devices, and for routes over it; pure, and as in rtnl_build.c nothing of it can be too long */
#include <linux/veth.h>
#include <string.h>

#include "rtnl_internal.h"

static bool put_u32(struct nl_msg *m, uint16_t type, uint32_t value)
{
	return mnl_attr_put_u32_check(nl_msg_hdr(m), NL_MSG_MAX, type, value);
}

static bool put_text(struct nl_msg *m, uint16_t type, const char *text)
{
	return nl_put(m, type, text, strlen(text) + 1);
}

/* VETH_INFO_PEER begins with a family header, as a message does (drivers/net/veth.c of Linux) */
static bool put_peer(struct nl_msg *m, const char *name, int ns_fd)
{
	static const struct ifinfomsg none;
	struct nlmsghdr *h = nl_msg_hdr(m);

	struct nlattr *peer = mnl_attr_nest_start_check(h, NL_MSG_MAX, VETH_INFO_PEER);
	if (!peer || h->nlmsg_len + NLMSG_ALIGN(sizeof(none)) > NL_MSG_MAX)
		return false;
	memcpy(m->buf + h->nlmsg_len, &none, sizeof(none));
	h->nlmsg_len += (uint32_t)NLMSG_ALIGN(sizeof(none));
	if (!put_text(m, IFLA_IFNAME, name) || !put_u32(m, IFLA_NET_NS_FD, (uint32_t)ns_fd))
		return false;
	mnl_attr_nest_end(h, peer);
	return true;
}

void rtnl_build_veth(struct nl_msg *m, const char *name, const char *peer, int peer_ns_fd)
{
	struct nlmsghdr *h = nl_msg_hdr(m);

	(void)nl_msg_begin(m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
	put_text(m, IFLA_IFNAME, name);
	struct nlattr *info = mnl_attr_nest_start_check(h, NL_MSG_MAX, IFLA_LINKINFO);
	if (!info || !put_text(m, IFLA_INFO_KIND, "veth"))
		return;
	struct nlattr *data = mnl_attr_nest_start_check(h, NL_MSG_MAX, IFLA_INFO_DATA);
	if (!data || !put_peer(m, peer, peer_ns_fd))
		return;
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
}

bool rtnl_put_addr_flags(struct nl_msg *m, uint32_t flags)
{
	return put_u32(m, IFA_FLAGS, flags);
}

void rtnl_build_route_via(struct nl_msg *m, const struct rtnl_route_via *via)
{
	struct rtmsg *rtm = nl_msg_begin(m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof(*rtm));
	struct addr net = via->dst;
	size_t len = addr_len(&net);

	addr_mask(&net); /* the kernel refuses host bits */
	rtm->rtm_family = net.family;
	rtm->rtm_dst_len = net.bits;
	rtm->rtm_table = RT_TABLE_MAIN;
	rtm->rtm_protocol = via->protocol;
	rtm->rtm_scope = RT_SCOPE_UNIVERSE;
	rtm->rtm_type = RTN_UNICAST;
	nl_put(m, RTA_DST, net.bytes, len);
	nl_put(m, RTA_GATEWAY, via->gateway.bytes, len);
	nl_put(m, RTA_PREFSRC, via->prefsrc.bytes, len);
	put_u32(m, RTA_OIF, (uint32_t)via->ifindex);
	put_u32(m, RTA_PRIORITY, via->metric);
}
