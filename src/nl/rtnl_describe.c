// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/fib_rules.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rtnl_internal.h"

struct text {
	char *buf;
	size_t cap, len;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(t->buf + t->len, t->cap - t->len, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	t->len += (size_t)n;
	if (t->len >= t->cap) /* cut */
		t->len = t->cap - 1;
}

static void add_dev(struct text *t, const struct rtnl_links *links, int ifindex)
{
	const struct rtnl_link *link = links ? rtnl_links_by_index(links, ifindex) : NULL;

	if (link)
		add(t, " dev %s", link->name);
	else
		add(t, " dev if%d", ifindex);
}

static void add_table(struct text *t, const char *word, uint32_t table)
{
	if (table == RT_TABLE_LOCAL)
		add(t, " %s local", word);
	else if (table == RT_TABLE_MAIN)
		add(t, " %s main", word);
	else if (table == RT_TABLE_DEFAULT)
		add(t, " %s default", word);
	else
		add(t, " %s %u", word, table);
}

static void add_gateway(struct text *t, uint8_t family, const struct addr *gateway)
{
	char text[ADDR_TEXT_MAX];

	addr_format(gateway, text);
	add(t, " via %s%s", gateway->family != family ? "inet6 " : "", text);
}

static bool describe_addr(struct text *t, const struct nlmsghdr *msg,
			  const struct rtnl_links *links)
{
	const struct nlattr *tb[IFA_LABEL + 1];
	char local[ADDR_TEXT_MAX], peer[ADDR_TEXT_MAX];
	struct rtnl_addr a;
	struct addr other;

	if (rtnl_parse_addr(msg, &a) < 0 ||
	    nl_attr_table(msg, sizeof(struct ifaddrmsg), tb, IFA_LABEL) < 0)
		return false;

	addr_format_prefix(&a.local, local);
	if (tb[IFA_LOCAL] && rtnl_read_addr(tb[IFA_ADDRESS], a.family, a.local.bits, &other) &&
	    !addr_equal(&a.local, &other)) {
		addr_format_prefix(&other, peer);
		addr_format(&a.local, local);
		add(t, "%s peer %s", local, peer);
	} else {
		add(t, "%s", local);
	}
	add_dev(t, links, a.ifindex);
	return true;
}

static void add_hops(struct text *t, const struct nlattr *multipath, uint8_t family,
		     const struct rtnl_links *links)
{
	struct rtnl_hops h = { .pos = mnl_attr_get_payload(multipath),
			       .left = mnl_attr_get_payload_len(multipath) };
	const struct rtnexthop *hop = NULL;

	for (int r = rtnl_hops_next(&h, &hop); r > 0; r = rtnl_hops_next(&h, &hop)) {
		const struct nlattr *gateway = NULL, *via = NULL, *a = NULL;
		struct nl_walk w = rtnl_hop_attrs(hop);
		struct addr addr;

		while (nl_walk_next(&w, &a) > 0) {
			gateway = mnl_attr_get_type(a) == RTA_GATEWAY ? a : gateway;
			via = mnl_attr_get_type(a) == RTA_VIA ? a : via;
		}
		add(t, " nexthop");
		if (rtnl_gateway(gateway, via, family, &addr) > 0)
			add_gateway(t, family, &addr);
		add_dev(t, links, hop->rtnh_ifindex);
		add(t, " weight %d", hop->rtnh_hops + 1);
	}
}

static const char *type_word(uint8_t type)
{
	static const char *const words[] = {
		[RTN_LOCAL] = "local ",		[RTN_BROADCAST] = "broadcast ",
		[RTN_ANYCAST] = "anycast ",	[RTN_MULTICAST] = "multicast ",
		[RTN_BLACKHOLE] = "blackhole ", [RTN_UNREACHABLE] = "unreachable ",
		[RTN_PROHIBIT] = "prohibit ",	[RTN_THROW] = "throw ",
	};

	return type < sizeof(words) / sizeof(words[0]) && words[type] ? words[type] : "";
}

static bool describe_route(struct text *t, const struct nlmsghdr *msg,
			   const struct rtnl_links *links)
{
	const struct nlattr *tb[RTA_MULTIPATH + 1];
	char text[ADDR_TEXT_MAX];
	struct rtnl_route r;

	if (rtnl_parse_route(msg, &r) < 0 ||
	    nl_attr_table(msg, sizeof(struct rtmsg), tb, RTA_MULTIPATH) < 0)
		return false;

	addr_format_prefix(&r.dst, text);
	add(t, "%s%s", type_word(r.type), r.dst.bits ? text : "default");
	if (r.nexthop_id)
		add(t, " nhid %u", r.nexthop_id);
	if (r.has_gateway)
		add_gateway(t, r.family, &r.gateway);
	if (tb[RTA_MULTIPATH])
		add_hops(t, tb[RTA_MULTIPATH], r.family, links);
	else if (r.n_oifs == 1)
		add_dev(t, links, r.oifs[0]);
	if (r.table != RT_TABLE_MAIN)
		add_table(t, "table", r.table);
	if (r.has_prefsrc) {
		addr_format(&r.prefsrc, text);
		add(t, " src %s", text);
	}
	if (r.metric)
		add(t, " metric %u", r.metric);
	if (r.mtu)
		add(t, " mtu %u", r.mtu);
	return true;
}

static void add_selector(struct text *t, const char *word, const struct nlattr *a, uint8_t family,
			 uint8_t bits)
{
	char text[ADDR_TEXT_MAX];
	struct addr addr;

	if (!rtnl_read_addr(a, family, bits, &addr))
		return;
	addr_format_prefix(&addr, text);
	add(t, "%s %s", word, text);
}

static void add_action(struct text *t, const struct rtnl_rule *rule)
{
	if (rule->action == FR_ACT_TO_TBL)
		add_table(t, "lookup", rule->table);
	else if (rule->action == FR_ACT_GOTO)
		add(t, " goto");
	else if (rule->action == FR_ACT_NOP)
		add(t, " nop");
	else if (rule->action == FR_ACT_BLACKHOLE)
		add(t, " blackhole");
	else if (rule->action == FR_ACT_UNREACHABLE)
		add(t, " unreachable");
	else if (rule->action == FR_ACT_PROHIBIT)
		add(t, " prohibit");
}

static bool describe_rule(struct text *t, const struct nlmsghdr *msg)
{
	const struct nlattr *tb[FRA_OIFNAME + 1];
	const struct fib_rule_hdr *frh = mnl_nlmsg_get_payload(msg);
	struct rtnl_rule rule;
	uint32_t value;

	if (rtnl_parse_rule(msg, &rule) < 0 ||
	    nl_attr_table(msg, sizeof(*frh), tb, FRA_OIFNAME) < 0)
		return false;

	if (frh->flags & FIB_RULE_INVERT)
		add(t, "not ");
	if (!tb[FRA_SRC])
		add(t, "from all");
	add_selector(t, "from", tb[FRA_SRC], rule.family, frh->src_len);
	add_selector(t, " to", tb[FRA_DST], rule.family, frh->dst_len);
	if (nl_attr_u32(tb[FRA_FWMARK], &value))
		add(t, " fwmark 0x%x", value);
	if (rule.iif[0])
		add(t, " iif %s", rule.iif);
	if (rule.oif[0])
		add(t, " oif %s", rule.oif);
	add_action(t, &rule);
	if (nl_attr_u32(tb[FRA_SUPPRESS_PREFIXLEN], &value) && value != UINT32_MAX)
		add(t, " suppress_prefixlength %u", value);
	add(t, " priority %u", rule.priority);
	return true;
}

static bool describe_neigh(struct text *t, const struct nlmsghdr *msg,
			   const struct rtnl_links *links)
{
	const struct nlattr *tb[NDA_LLADDR + 1];
	char text[ADDR_TEXT_MAX];
	struct rtnl_neigh n;

	if (rtnl_parse_neigh(msg, &n) < 0 ||
	    nl_attr_table(msg, sizeof(struct ndmsg), tb, NDA_LLADDR) < 0)
		return false;

	addr_format(&n.dst, text);
	add(t, "%s%s", n.flags & NTF_PROXY ? "proxy " : "", text);
	if (tb[NDA_LLADDR]) {
		const uint8_t *bytes = mnl_attr_get_payload(tb[NDA_LLADDR]);
		for (uint16_t i = 0; i < mnl_attr_get_payload_len(tb[NDA_LLADDR]); i++)
			add(t, "%s%02x", i ? ":" : " lladdr ", bytes[i]);
	}
	if (n.ifindex)
		add_dev(t, links, n.ifindex);
	return true;
}

void rtnl_describe(enum rtnl_kind kind, const struct nlmsghdr *msg, const struct rtnl_links *links,
		   char *buf, size_t cap)
{
	struct text t = { .buf = buf, .cap = cap };
	bool is_readable = false;

	if (cap == 0)
		return;
	buf[0] = '\0';
	switch (kind) {
	case RTNL_ADDR:
		is_readable = describe_addr(&t, msg, links);
		break;
	case RTNL_ROUTE:
		is_readable = describe_route(&t, msg, links);
		break;
	case RTNL_RULE:
		is_readable = describe_rule(&t, msg);
		break;
	case RTNL_NEIGH:
		is_readable = describe_neigh(&t, msg, links);
		break;
	}
	if (!is_readable)
		add(&t, "an entry that cannot be read");
}
