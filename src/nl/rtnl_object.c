// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/fib_rules.h>
#include <string.h>
#include <unistd.h>

#include "rtnl_internal.h"

bool rtnl_is(const struct nlmsghdr *msg, uint16_t new_type, size_t len)
{
	return (msg->nlmsg_type == new_type || msg->nlmsg_type == new_type + 1) &&
	       msg->nlmsg_len >= MNL_NLMSG_HDRLEN + len;
}

bool rtnl_opt_u8(const struct nlattr *a, uint8_t *out)
{
	return !a || nl_attr_u8(a, out);
}

bool rtnl_opt_u32(const struct nlattr *a, uint32_t *out)
{
	return !a || nl_attr_u32(a, out);
}

static size_t family_len(uint8_t family)
{
	return family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
}

bool rtnl_read_addr(const struct nlattr *a, uint8_t family, uint8_t bits, struct addr *out)
{
	struct addr value = { .family = family, .bits = bits };
	size_t len = family_len(family);

	if (len == 0 || bits > len * 8 || !nl_attr_bytes(a, value.bytes, len))
		return false;
	*out = value;
	return true;
}

static bool opt_addr(const struct nlattr *a, uint8_t family, struct addr *out, bool *has)
{
	*has = a != NULL;
	return !a || rtnl_read_addr(a, family, (uint8_t)(family_len(family) * 8), out);
}

int rtnl_parse_addr(const struct nlmsghdr *msg, struct rtnl_addr *out)
{
	const struct nlattr *tb[IFA_FLAGS + 1];
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(msg);
	struct rtnl_addr a = { .valid = UINT32_MAX, .preferred = UINT32_MAX };
	struct ifa_cacheinfo ci;

	if (!rtnl_is(msg, RTM_NEWADDR, sizeof(*ifa)) ||
	    nl_attr_table(msg, sizeof(*ifa), tb, IFA_FLAGS) < 0)
		return -EINVAL;

	a.ifindex = (int)ifa->ifa_index;
	a.family = ifa->ifa_family;
	a.scope = ifa->ifa_scope;
	a.flags = ifa->ifa_flags;
	/* with a peer IFA_ADDRESS is the peer's; IPv6 has IFA_LOCAL only then (rtnetlink(7), if_addr.h) */
	const struct nlattr *local = tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];
	if (!rtnl_read_addr(local, a.family, ifa->ifa_prefixlen, &a.local) ||
	    !rtnl_opt_u32(tb[IFA_FLAGS], &a.flags))
		return -EINVAL;
	if (tb[IFA_CACHEINFO]) {
		if (!nl_attr_bytes(tb[IFA_CACHEINFO], &ci, sizeof(ci)))
			return -EINVAL;
		a.valid = ci.ifa_valid;
		a.preferred = ci.ifa_prefered;
	}

	*out = a;
	return 0;
}

int rtnl_hops_next(struct rtnl_hops *h, const struct rtnexthop **out)
{
	if (h->left == 0)
		return 0;

	const struct rtnexthop *hop = (const void *)h->pos;
	if (h->left < sizeof(*hop) || hop->rtnh_len < sizeof(*hop) || hop->rtnh_len > h->left)
		return -EINVAL;

	size_t step = MNL_ALIGN(hop->rtnh_len);
	step = step < h->left ? step : h->left;
	h->pos += step;
	h->left -= step;
	*out = hop;
	return 1;
}

struct nl_walk rtnl_hop_attrs(const struct rtnexthop *hop)
{
	return nl_walk_bytes((const char *)hop + sizeof(*hop), hop->rtnh_len - sizeof(*hop));
}

bool rtnl_expires(const struct nlattr *cacheinfo, uint32_t *out)
{
	struct rta_cacheinfo ci;
	long hz = sysconf(_SC_CLK_TCK);

	*out = 0;
	if (!cacheinfo)
		return true;
	if (!nl_attr_bytes(cacheinfo, &ci, sizeof(ci)))
		return false;
	if (ci.rta_expires == 0)
		return true;

	/* In clock ticks of user space (rtnl_put_cacheinfo()); negative: over, and about to be removed. */
	int64_t ticks = ci.rta_expires > 0 ? ci.rta_expires : 1;
	hz = hz > 0 ? hz : 100;
	*out = (uint32_t)((ticks + hz - 1) / hz);
	return true;
}

int rtnl_gateway(const struct nlattr *gateway, const struct nlattr *via, uint8_t family,
		 struct addr *out)
{
	if (gateway) {
		uint8_t bits = (uint8_t)(family_len(family) * 8);
		return rtnl_read_addr(gateway, family, bits, out) ? 1 : -EINVAL;
	}
	if (!via)
		return 0;

	const char *payload = mnl_attr_get_payload(via);
	size_t len = mnl_attr_get_payload_len(via);
	uint16_t via_family;
	if (len < sizeof(via_family))
		return -EINVAL;
	memcpy(&via_family, payload, sizeof(via_family));
	if (via_family != AF_INET && via_family != AF_INET6)
		return -EINVAL;

	size_t want = family_len((uint8_t)via_family);
	if (len != sizeof(via_family) + want)
		return -EINVAL;
	*out = (struct addr){ .family = (uint8_t)via_family, .bits = (uint8_t)(want * 8) };
	memcpy(out->bytes, payload + sizeof(via_family), want);
	return 1;
}

static bool read_hops(const struct nlattr *tb_oif, const struct nlattr *multipath,
		      struct rtnl_route *out)
{
	const struct rtnexthop *hop = NULL;

	if (tb_oif) {
		if (!nl_attr_bytes(tb_oif, &out->oifs[0], sizeof(out->oifs[0])))
			return false;
		out->n_oifs = 1;
	}
	if (!multipath)
		return true;

	struct rtnl_hops h = { .pos = mnl_attr_get_payload(multipath),
			       .left = mnl_attr_get_payload_len(multipath) };
	int r = rtnl_hops_next(&h, &hop);
	for (out->n_oifs = 0; r > 0; r = rtnl_hops_next(&h, &hop)) {
		if (out->n_oifs < RTNL_NEXTHOPS_MAX)
			out->oifs[out->n_oifs++] = hop->rtnh_ifindex;
	}
	return r == 0;
}

static bool read_mtu(const struct nlattr *metrics, uint32_t *mtu)
{
	const struct nlattr *tb[RTAX_MTU + 1];

	if (!metrics)
		return true;
	return nl_attr_table_nested(metrics, tb, RTAX_MTU) == 0 && rtnl_opt_u32(tb[RTAX_MTU], mtu);
}

int rtnl_parse_route(const struct nlmsghdr *msg, struct rtnl_route *out)
{
	const struct nlattr *tb[RTA_NH_ID + 1];
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(msg);

	if (!rtnl_is(msg, RTM_NEWROUTE, sizeof(*rtm)) ||
	    nl_attr_table(msg, sizeof(*rtm), tb, RTA_NH_ID) < 0)
		return -EINVAL;

	struct rtnl_route r = { .family = rtm->rtm_family,
				.protocol = rtm->rtm_protocol,
				.scope = rtm->rtm_scope,
				.type = rtm->rtm_type,
				.table = rtm->rtm_table,
				.flags = rtm->rtm_flags,
				.dst = { .family = rtm->rtm_family, .bits = rtm->rtm_dst_len } };
	size_t len = family_len(r.family);
	if (len == 0 || rtm->rtm_dst_len > len * 8)
		return -EINVAL;
	if (tb[RTA_DST] && !rtnl_read_addr(tb[RTA_DST], r.family, rtm->rtm_dst_len, &r.dst))
		return -EINVAL;

	int has_gateway = rtnl_gateway(tb[RTA_GATEWAY], tb[RTA_VIA], r.family, &r.gateway);
	r.has_gateway = has_gateway > 0;
	if (has_gateway < 0 || !opt_addr(tb[RTA_PREFSRC], r.family, &r.prefsrc, &r.has_prefsrc) ||
	    !rtnl_opt_u32(tb[RTA_TABLE], &r.table) || !rtnl_opt_u32(tb[RTA_PRIORITY], &r.metric) ||
	    !rtnl_opt_u32(tb[RTA_NH_ID], &r.nexthop_id) || !read_mtu(tb[RTA_METRICS], &r.mtu) ||
	    !read_hops(tb[RTA_OIF], tb[RTA_MULTIPATH], &r) ||
	    !rtnl_expires(tb[RTA_CACHEINFO], &r.expires))
		return -EINVAL;

	*out = r;
	return 0;
}

int rtnl_parse_rule(const struct nlmsghdr *msg, struct rtnl_rule *out)
{
	const struct nlattr *tb[FRA_OIFNAME + 1];
	const struct fib_rule_hdr *frh = mnl_nlmsg_get_payload(msg);

	if (!rtnl_is(msg, RTM_NEWRULE, sizeof(*frh)) ||
	    nl_attr_table(msg, sizeof(*frh), tb, FRA_OIFNAME) < 0)
		return -EINVAL;

	struct rtnl_rule r = { .family = frh->family, .action = frh->action, .table = frh->table };
	if (!rtnl_opt_u32(tb[FRA_TABLE], &r.table) || !rtnl_opt_u32(tb[FRA_PRIORITY], &r.priority))
		return -EINVAL;
	if (tb[FRA_IIFNAME] && !nl_attr_text(tb[FRA_IIFNAME], r.iif, sizeof(r.iif)))
		return -EINVAL;
	if (tb[FRA_OIFNAME] && !nl_attr_text(tb[FRA_OIFNAME], r.oif, sizeof(r.oif)))
		return -EINVAL;

	*out = r;
	return 0;
}

int rtnl_parse_neigh(const struct nlmsghdr *msg, struct rtnl_neigh *out)
{
	const struct nlattr *tb[NDA_DST + 1];
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(msg);

	if (!rtnl_is(msg, RTM_NEWNEIGH, sizeof(*ndm)) ||
	    nl_attr_table(msg, sizeof(*ndm), tb, NDA_DST) < 0)
		return -EINVAL;

	struct rtnl_neigh n = { .ifindex = ndm->ndm_ifindex,
				.family = ndm->ndm_family,
				.state = ndm->ndm_state,
				.flags = ndm->ndm_flags };
	uint8_t bits = (uint8_t)(family_len(n.family) * 8);
	if (!rtnl_read_addr(tb[NDA_DST], n.family, bits, &n.dst))
		return -EINVAL;

	*out = n;
	return 0;
}
