// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guard's tables as constants: what is made from them is what is compared with them later.
 *
 * No name in them is a keyword of nft(8): a saved ruleset has to load again.
 */
#include <netinet/in.h> /* before the kernel's, which then leave out what it has */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_bridge.h>

#include "guard_internal.h"

#define TABLE "wgns"
#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define RULE(x)                                                                                    \
	{                                                                                          \
		x, LEN(x)                                                                          \
	}

/* After everybody else's chains, so that the counters say what really would have left; a drop is final anywhere. */
#define PRIORITY_LAST 1000
#define PRIORITY_FILTER 0 /* NF_IP_PRI_FILTER: after conntrack (-200) and destination NAT (-100) */

/* nft(8)'s numbers for what a set holds, of its src/datatype.h: they only decide how it prints */
enum { TYPE_INET_SERVICE = 13, TYPE_ICMP_TYPE = 14, TYPE_ICMPV6_TYPE = 29, TYPE_IFNAME = 41 };

#define META(k)                                                                                    \
	{                                                                                          \
		.kind = NFT_KIND_META, .key = (k)                                                  \
	}
#define IS(...) IS_LEN(sizeof((uint8_t[]){ __VA_ARGS__ }), __VA_ARGS__)
#define IS_LEN(n, ...)                                                                             \
	{                                                                                          \
		.kind = NFT_KIND_CMP, .key = NFT_CMP_EQ, .len = (n), .data = { __VA_ARGS__ }       \
	}
#define TRANSPORT(at, n)                                                                           \
	{                                                                                          \
		.kind = NFT_KIND_PAYLOAD, .key = NFT_PAYLOAD_TRANSPORT_HEADER, .offset = (at),     \
		.len = (n)                                                                         \
	}
#define IN_SET(name)                                                                               \
	{                                                                                          \
		.kind = NFT_KIND_LOOKUP, .set = name                                               \
	}
#define COUNTER                                                                                    \
	{                                                                                          \
		.kind = NFT_KIND_COUNTER                                                           \
	}
#define ACCEPT                                                                                     \
	{                                                                                          \
		.kind = NFT_KIND_VERDICT, .key = NF_ACCEPT                                         \
	}
#define DROP                                                                                       \
	{                                                                                          \
		.kind = NFT_KIND_VERDICT, .key = NF_DROP                                           \
	}
#define PORT(n) IS((n) >> 8, (n)&0xff)
#define DESTINATION_PORT TRANSPORT(2, 2) /* the same place in UDP and TCP */

static const struct nft_expr count_and_drop[] = { COUNTER, DROP };

/* home: table inet wgns */

const struct nft_set guard_allowed = {
	.name = "allowed", .type = TYPE_IFNAME, .len = GUARD_NAME_LEN, .is_host_order = true
};
static const struct nft_expr to_allowed[] = { META(NFT_META_OIFNAME), IN_SET("allowed"), ACCEPT };
static const struct nft_rule leaving_home[] = { RULE(to_allowed), RULE(count_and_drop) };
/*
 * Postrouting and not output: a chain of type route in output chooses another device afterwards, and what is forwarded
 * for containers, and what a new device says by itself (router solicitations, MLD), passes here too.
 */
static const struct nft_chain home_chains[] = { { .name = "postrouting",
						  .type = "filter",
						  .hook = NF_INET_POST_ROUTING,
						  .priority = PRIORITY_LAST,
						  .policy = NF_DROP,
						  .rules = leaving_home,
						  .n_rules = LEN(leaving_home) } };

const struct nft_table *guard_home_table(void)
{
	static const struct nft_table table = { .family = NFPROTO_INET,
						.name = TABLE,
						.sets = &guard_allowed,
						.n_sets = 1,
						.chains = home_chains,
						.n_chains = LEN(home_chains) };

	return &table;
}

/* home: table bridge wgns */

const struct nft_set guard_uplinks = {
	.name = "uplinks", .type = TYPE_IFNAME, .len = GUARD_NAME_LEN, .is_host_order = true
};
/*
 * Kinds of devices that end in this machine, in another namespace of it, or go on by a route that the inet table sees.
 * Not vlan, macvlan, bond and the like, which hang on another device; nor wlan, dsa, wwan, netdevsim, which are hardware
 * that has a kind. A device without a kind, as most hardware, ends the rule: NFT_META_OIFKIND is NFT_BREAK without
 * rtnl_link_ops (net/netfilter/nft_meta.c, Linux 5.1).
 */
static const char kinds[][GUARD_NAME_LEN] = {
	"veth",	  "tun",    "dummy",	 "ifb",	   "vxlan",
	"geneve", "gretap", "ip6gretap", "erspan", "ip6erspan"
};
static const struct nft_set bridge_sets[] = {
	{ .name = "uplinks", .type = TYPE_IFNAME, .len = GUARD_NAME_LEN, .is_host_order = true },
	{ .name = "kinds",
	  .type = TYPE_IFNAME,
	  .len = GUARD_NAME_LEN,
	  .is_host_order = true,
	  .elems = kinds,
	  .n_elems = LEN(kinds) },
};
static const struct nft_expr by_uplink[] = { META(NFT_META_OIFNAME), IN_SET("uplinks"), COUNTER,
					     DROP };
static const struct nft_expr by_virtual[] = { META(NFT_META_OIFKIND), IN_SET("kinds"), ACCEPT };
static const struct nft_rule leaving_bridge[] = { RULE(by_uplink), RULE(by_virtual),
						  RULE(count_and_drop) };
/* What a bridge forwards from port to port passes here as well as what home sends through it. */
static const struct nft_chain bridge_chains[] = { { .name = "postrouting",
						    .type = "filter",
						    .hook = NF_BR_POST_ROUTING,
						    .priority = PRIORITY_LAST,
						    .policy = NF_DROP,
						    .rules = leaving_bridge,
						    .n_rules = LEN(leaving_bridge) } };

const struct nft_table *guard_bridge_table(void)
{
	static const struct nft_table table = { .family = NFPROTO_BRIDGE,
						.name = TABLE,
						.sets = bridge_sets,
						.n_sets = LEN(bridge_sets),
						.chains = bridge_chains,
						.n_chains = LEN(bridge_chains) };

	return &table;
}

/* physical: table inet wgns */

const struct nft_set guard_ports = { .name = "ports", .type = TYPE_INET_SERVICE, .len = 2 };
/*
 * echo-request (8), so that the machine can be pinged; and the errors destination-unreachable (3), time-exceeded (11) and
 * parameter-problem (12), which "related" lets in only while the connection is remembered: a tunnel that was silent for a
 * while learns its path MTU from them. The kernel looks at the packet that they quote.
 */
static const uint8_t icmp_types[] = { 3, 8, 11, 12 };
/*
 * Likewise unreachable, packet-too-big, time-exceeded, parameter-problem (1 to 4), echo-request (128). Multicast listener
 * queries (130): unanswered, a switch that snoops sends us no neighbour solicitations. Router advertisements (134),
 * neighbour solicitations and advertisements (135, 136): conntrack does not track them; RFC 4890 section 4.4.
 * Not redirects (137): a stranger on the link would choose our gateway.
 */
static const uint8_t icmpv6_types[] = { 1, 2, 3, 4, 128, 130, 134, 135, 136 };
static const struct nft_set physical_sets[] = {
	{ .name = "ports", .type = TYPE_INET_SERVICE, .len = 2 },
	{ .name = "icmp_in",
	  .type = TYPE_ICMP_TYPE,
	  .len = 1,
	  .elems = icmp_types,
	  .n_elems = LEN(icmp_types) },
	{ .name = "icmpv6_in",
	  .type = TYPE_ICMPV6_TYPE,
	  .len = 1,
	  .elems = icmpv6_types,
	  .n_elems = LEN(icmpv6_types) },
};
static const struct nft_expr from_lo[] = { META(NFT_META_IIFNAME), IS_LEN(GUARD_NAME_LEN, 'l', 'o'),
					   ACCEPT };
/* NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED), in the host's order */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define KNOWN 6, 0, 0, 0
#else
#define KNOWN 0, 0, 0, 6
#endif
static const struct nft_expr known[] = { { .kind = NFT_KIND_CT, .key = NFT_CT_STATE },
					 { .kind = NFT_KIND_BITWISE, .len = 4, .data = { KNOWN } },
					 { .kind = NFT_KIND_CMP, .key = NFT_CMP_NEQ, .len = 4 },
					 ACCEPT };
static const struct nft_expr icmp[] = { META(NFT_META_NFPROTO),
					IS(NFPROTO_IPV4),
					META(NFT_META_L4PROTO),
					IS(IPPROTO_ICMP),
					TRANSPORT(0, 1),
					IN_SET("icmp_in"),
					ACCEPT };
static const struct nft_expr icmpv6[] = { META(NFT_META_NFPROTO),
					  IS(NFPROTO_IPV6),
					  META(NFT_META_L4PROTO),
					  IS(IPPROTO_ICMPV6),
					  TRANSPORT(0, 1),
					  IN_SET("icmpv6_in"),
					  ACCEPT };
/* A client without an address listens on a packet socket; with one it may get its answer by broadcast. RFC 2131, 4.1 */
static const struct nft_expr dhcp[] = { META(NFT_META_NFPROTO),
					IS(NFPROTO_IPV4),
					META(NFT_META_L4PROTO),
					IS(IPPROTO_UDP),
					DESTINATION_PORT,
					PORT(68),
					ACCEPT };
/* RFC 8415, 7.2; asked by multicast, so that the answer belongs to no connection. fe80::/10: servers and relays on the link */
static const struct nft_expr dhcpv6[] = {
	META(NFT_META_NFPROTO),
	IS(NFPROTO_IPV6),
	{ .kind = NFT_KIND_PAYLOAD, .key = NFT_PAYLOAD_NETWORK_HEADER, .offset = 8, .len = 16 },
	{ .kind = NFT_KIND_BITWISE, .len = 16, .data = { 0xff, 0xc0 } },
	IS_LEN(16, 0xfe, 0x80),
	META(NFT_META_L4PROTO),
	IS(IPPROTO_UDP),
	DESTINATION_PORT,
	PORT(546),
	ACCEPT
};
static const struct nft_expr tunnels[] = { META(NFT_META_L4PROTO), IS(IPPROTO_UDP),
					   DESTINATION_PORT, IN_SET("ports"), ACCEPT };
static const struct nft_rule coming_in[] = { RULE(from_lo), RULE(known),	 RULE(icmp),
					     RULE(icmpv6),  RULE(dhcp),		 RULE(dhcpv6),
					     RULE(tunnels), RULE(count_and_drop) };
static const struct nft_rule passing[] = { RULE(count_and_drop) };
/* Lan = yes: which destinations, by which uplink, is said in a table of its own (lan_guard.h), which drops the others */
static const struct nft_expr from_lan[] = { META(NFT_META_IIFNAME),
					    IS_LEN(GUARD_NAME_LEN, GUARD_LAN_DEVICE), ACCEPT };
static const struct nft_expr to_lan[] = { META(NFT_META_OIFNAME),
					  IS_LEN(GUARD_NAME_LEN, GUARD_LAN_DEVICE),
					  { .kind = NFT_KIND_CT, .key = NFT_CT_STATE },
					  { .kind = NFT_KIND_BITWISE, .len = 4, .data = { KNOWN } },
					  { .kind = NFT_KIND_CMP, .key = NFT_CMP_NEQ, .len = 4 },
					  ACCEPT };
static const struct nft_rule passing_lan[] = { RULE(from_lan), RULE(to_lan), RULE(count_and_drop) };
/*
 * Of what leaves, which was started with `exec --physical`, one thing is dropped: "no such port". A tunnel that went down a
 * moment ago would answer its peer's packets so, and quote them.
 */
static const struct nft_expr no_port[] = { META(NFT_META_NFPROTO),
					   IS(NFPROTO_IPV4),
					   META(NFT_META_L4PROTO),
					   IS(IPPROTO_ICMP),
					   TRANSPORT(0, 2),
					   IS(3, 3),
					   COUNTER,
					   DROP };
static const struct nft_expr no_port6[] = { META(NFT_META_NFPROTO),
					    IS(NFPROTO_IPV6),
					    META(NFT_META_L4PROTO),
					    IS(IPPROTO_ICMPV6),
					    TRANSPORT(0, 2),
					    IS(1, 4),
					    COUNTER,
					    DROP };
static const struct nft_expr to_lo[] = { META(NFT_META_OIFNAME), IS_LEN(GUARD_NAME_LEN, 'l', 'o'),
					 ACCEPT };
static const struct nft_rule going_out[] = { RULE(to_lo), RULE(no_port), RULE(no_port6) };
#define INPUT                                                                                      \
	{                                                                                          \
		.name = "input", .type = "filter", .hook = NF_INET_LOCAL_IN,                       \
		.priority = PRIORITY_FILTER, .policy = NF_DROP, .rules = coming_in,                \
		.n_rules = LEN(coming_in)                                                          \
	}
#define FORWARD(r)                                                                                 \
	{                                                                                          \
		.name = "forward", .type = "filter", .hook = NF_INET_FORWARD,                      \
		.priority = PRIORITY_FILTER, .policy = NF_DROP, .rules = (r), .n_rules = LEN(r)    \
	}
#define OUTPUT                                                                                     \
	{                                                                                          \
		.name = "output", .type = "filter", .hook = NF_INET_LOCAL_OUT,                     \
		.priority = PRIORITY_FILTER, .policy = NF_ACCEPT, .rules = going_out,              \
		.n_rules = LEN(going_out)                                                          \
	}
static const struct nft_chain physical_chains[] = { INPUT, OUTPUT, FORWARD(passing) };
static const struct nft_chain lan_chains[] = { INPUT, OUTPUT, FORWARD(passing_lan) };

const struct nft_table *guard_physical_table(bool has_lan)
{
	static const struct nft_table table = { .family = NFPROTO_INET,
						.name = TABLE,
						.sets = physical_sets,
						.n_sets = LEN(physical_sets),
						.chains = physical_chains,
						.n_chains = LEN(physical_chains) };
	static const struct nft_table with_lan = { .family = NFPROTO_INET,
						   .name = TABLE,
						   .sets = physical_sets,
						   .n_sets = LEN(physical_sets),
						   .chains = lan_chains,
						   .n_chains = LEN(lan_chains) };

	return has_lan ? &with_lan : &table;
}
