/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frame - what a frame on an uplink is: a pure function over its bytes
 *
 * Bytes begin at the network layer, as a packet(7) socket of type SOCK_DGRAM gives them; what follows the first hundred or so
 * may be missing. Nothing in them is trusted.
 */
#ifndef WGNS_FRAME_H
#define WGNS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wgns/addr.h"

enum frame_kind {
	FRAME_WIREGUARD, /* between a tunnel's port and an endpoint of its peers */
	FRAME_WIREGUARD_ROAMED, /* of a tunnel's port, with another address: a peer that has moved */
	FRAME_ARP,
	FRAME_ND, /* neighbour and router discovery, RFC 4861 */
	FRAME_MEMBERSHIP, /* IGMP, MLD: the kernel joins groups for ND */
	FRAME_ICMP_ANSWER, /* the kernel's, to a ping or a stray packet; path MTU discovery */
	FRAME_DHCP,
	FRAME_DHCPV6,
	FRAME_EAPOL, /* 802.1X and MACsec key agreement */
	FRAME_MACSEC, /* encrypted; its content is seen on the device above */
	FRAME_DNS, /* to or from a resolver of the uplink */
	FRAME_LAN, /* between an uplink and its own network, for Lan = yes */
	FRAME_OTHER, /* everything else: in clear */
	FRAME_N_KINDS,
};

/** frame_kind_name - "wireguard", "arp", ..., "other" */
const char *frame_kind_name(enum frame_kind kind);

struct frame_endpoint {
	struct addr address;
	uint16_t port; /* host order */
};

#define FRAME_RULES_MAX 256
/* What is known of the uplink; entries beyond the limits are left out by whoever fills it. */
struct frame_rules {
	struct frame_endpoint endpoints[FRAME_RULES_MAX]; /* of all peers */
	size_t n_endpoints;
	uint16_t ports[FRAME_RULES_MAX]; /* of all tunnels, host order */
	size_t n_ports;
	struct addr resolvers[FRAME_RULES_MAX];
	size_t n_resolvers;
	struct addr lan[FRAME_RULES_MAX]; /* the uplinks' own prefixes; none unless Lan = yes */
	size_t n_lan;
};

struct frame {
	enum frame_kind kind;
	uint16_t protocol; /* ETH_P_*, host order */
	bool has_addresses; /* the following are known: it is IP */
	struct addr from, to;
	uint8_t transport; /* IPPROTO_* */
	bool has_ports;
	uint16_t from_port, to_port; /* host order */
};

/**
 * frame_classify - what is it?
 * @protocol: ETH_P_* in host order, as sll_protocol says
 * @bytes, @len: from the network header on, as many as were captured
 * @is_outgoing: this machine has sent it
 */
struct frame frame_classify(const struct frame_rules *rules, uint16_t protocol,
			    const uint8_t *bytes, size_t len, bool is_outgoing);

#define FRAME_TEXT_MAX 192
/** frame_describe - "tcp 192.0.2.10:40000 -> 203.0.113.80:80", "ethertype 0x88cc" */
void frame_describe(const struct frame *f, char out[FRAME_TEXT_MAX]);

#endif
