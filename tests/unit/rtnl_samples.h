/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rtnl_samples - messages as the kernel dumps them, for the tests of parsers and builders */
#ifndef WGNS_TESTS_RTNL_SAMPLES_H
#define WGNS_TESTS_RTNL_SAMPLES_H

#include <linux/fib_rules.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wgns/rtnl.h"

static const uint8_t net_v4[] = { 192, 0, 2, 0 }, host_v4[] = { 192, 0, 2, 2 },
		     gate_v4[] = { 192, 0, 2, 1 };
static const uint8_t host_v6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 2 };

static inline void put(struct nl_msg *m, uint16_t type, const void *data, size_t len)
{
	assert_true(nl_put(m, type, data, len));
}

static inline void put_u32(struct nl_msg *m, uint16_t type, uint32_t value)
{
	put(m, type, &value, sizeof(value));
}

static inline void build_link(struct nl_msg *m)
{
	static const uint8_t mac[] = { 2, 0, 0, 0, 0, 1 };
	struct ifinfomsg *ifi = nl_msg_begin(m, RTM_NEWLINK, 0, sizeof(*ifi));
	struct nlmsghdr *h = nl_msg_hdr(m);
	int32_t nsid = 3;

	ifi->ifi_index = 7;
	ifi->ifi_flags = IFF_UP;
	ifi->ifi_type = 1;
	put(m, IFLA_IFNAME, "eth7", 5);
	put_u32(m, IFLA_MTU, 1420);
	put_u32(m, IFLA_TXQLEN, 1000);
	put_u32(m, IFLA_LINK, 2);
	put(m, IFLA_LINK_NETNSID, &nsid, sizeof(nsid));
	put(m, IFLA_ADDRESS, mac, sizeof(mac));
	put(m, IFLA_PERM_ADDRESS, mac, sizeof(mac));
	put(m, IFLA_CARRIER, "\1", 1);
	put(m, IFLA_IFALIAS, "the uplink", 11);
	put(m, IFLA_PARENT_DEV_NAME, "0000:00:1f.6", 13);
	struct nlattr *nest = mnl_attr_nest_start(h, IFLA_LINKINFO);
	put(m, IFLA_INFO_KIND, "vlan", 5);
	mnl_attr_nest_end(h, nest);
	nest = mnl_attr_nest_start(h, IFLA_PROP_LIST);
	put(m, IFLA_ALT_IFNAME, "enp0s31f6", 10);
	put(m, IFLA_ALT_IFNAME, "second", 7);
	mnl_attr_nest_end(h, nest);
	nest = mnl_attr_nest_start(h, IFLA_AF_SPEC);
	struct nlattr *inet6 = mnl_attr_nest_start(h, AF_INET6);
	put(m, IFLA_INET6_ADDR_GEN_MODE, "\3", 1);
	mnl_attr_nest_end(h, inet6);
	mnl_attr_nest_end(h, nest);
	nest = mnl_attr_nest_start(h, IFLA_XDP);
	put(m, IFLA_XDP_ATTACHED, "\1", 1);
	mnl_attr_nest_end(h, nest);
}

static inline void build_addr(struct nl_msg *m)
{
	struct ifaddrmsg *ifa = nl_msg_begin(m, RTM_NEWADDR, 0, sizeof(*ifa));
	struct ifa_cacheinfo ci = {
		.ifa_valid = 100, .ifa_prefered = 50, .cstamp = 5, .tstamp = 6
	};

	ifa->ifa_family = AF_INET6;
	ifa->ifa_prefixlen = 64;
	ifa->ifa_index = 7;
	ifa->ifa_flags = IFA_F_TENTATIVE;
	put(m, IFA_ADDRESS, host_v6, sizeof(host_v6));
	put_u32(m, IFA_FLAGS, IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_NOPREFIXROUTE);
	put(m, IFA_CACHEINFO, &ci, sizeof(ci));
	put(m, IFA_PROTO, "\3", 1);
	put_u32(m, 99, 0x01020304); /* of a newer kernel */
}

static inline void build_route(struct nl_msg *m)
{
	struct rtmsg *rtm = nl_msg_begin(m, RTM_NEWROUTE, NLM_F_MULTI, sizeof(*rtm));
	struct rta_cacheinfo ci = { .rta_expires = 0 };
	struct {
		struct rtnexthop hop;
		struct nlattr gateway;
		uint8_t addr[4];
	} hops[2] = { 0 };

	rtm->rtm_family = AF_INET;
	rtm->rtm_dst_len = 24;
	rtm->rtm_table = RT_TABLE_COMPAT;
	rtm->rtm_type = RTN_UNICAST;
	rtm->rtm_flags = RTNH_F_ONLINK | RTNH_F_LINKDOWN | RTM_F_OFFLOAD;
	for (size_t i = 0; i < 2; i++) {
		hops[i].hop.rtnh_len = sizeof(hops[i]);
		hops[i].hop.rtnh_ifindex = 7 + (int)i;
		hops[i].hop.rtnh_flags = RTNH_F_DEAD | RTNH_F_ONLINK;
		hops[i].gateway = (struct nlattr){ .nla_len = 8, .nla_type = RTA_GATEWAY };
		memcpy(hops[i].addr, gate_v4, 4);
	}
	put(m, RTA_DST, net_v4, 4);
	put_u32(m, RTA_TABLE, 51820);
	put_u32(m, RTA_PRIORITY, 100);
	put(m, RTA_PREFSRC, host_v4, 4);
	struct nlattr *metrics = mnl_attr_nest_start(nl_msg_hdr(m), RTA_METRICS);
	put_u32(m, RTAX_MTU, 1280);
	mnl_attr_nest_end(nl_msg_hdr(m), metrics);
	put(m, RTA_MULTIPATH, hops, sizeof(hops));
	put(m, RTA_CACHEINFO, &ci, sizeof(ci));
}

static inline void build_rule(struct nl_msg *m)
{
	struct fib_rule_hdr *frh = nl_msg_begin(m, RTM_NEWRULE, 0, sizeof(*frh));

	frh->family = AF_INET;
	frh->src_len = 24;
	frh->action = FR_ACT_TO_TBL;
	frh->flags = FIB_RULE_INVERT | FIB_RULE_IIF_DETACHED;
	put(m, FRA_SRC, net_v4, 4);
	put_u32(m, FRA_TABLE, 100);
	put(m, FRA_IIFNAME, "eth7", 5);
	put_u32(m, FRA_SUPPRESS_PREFIXLEN, UINT32_MAX);
}

static inline void build_neigh(struct nl_msg *m)
{
	static const uint8_t mac[] = { 2, 0, 0, 0, 0, 9 };
	struct ndmsg *ndm = nl_msg_begin(m, RTM_NEWNEIGH, 0, sizeof(*ndm));
	struct nda_cacheinfo ci = { .ndm_used = 9 };

	ndm->ndm_family = AF_INET;
	ndm->ndm_ifindex = 7;
	ndm->ndm_state = NUD_PERMANENT;
	ndm->ndm_flags = NTF_ROUTER | NTF_OFFLOADED;
	put(m, NDA_DST, host_v4, 4);
	put(m, NDA_LLADDR, mac, sizeof(mac));
	put_u32(m, NDA_PROBES, 1);
	put(m, NDA_CACHEINFO, &ci, sizeof(ci));
}

#endif
