// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/frame.h"

#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#ifndef ETH_P_MACSEC
#define ETH_P_MACSEC 0x88e5
#endif
#define HEADERS_MAX 8 /* IPv6 extension headers: real packets have one or two */
#define PORT_DNS 53
#define UDP_HEADER 8
/* types of ICMPv6 (RFC 4443; RFC 4861 and RFC 3810 for the ranges below), RFC 792 of ICMP */
#define ICMP6_ERROR_MAX 127
#define ICMP6_ECHO_REPLY 129
#define ICMP_ECHO_REPLY 0
#define ICMP_UNREACHABLE 3
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETER_PROBLEM 12

/* the part of a packet behind its network header */
struct payload {
	const uint8_t *bytes;
	size_t len; /* captured */
	bool is_later_fragment; /* it has no transport header */
};

static const char *const names[FRAME_N_KINDS] = {
	[FRAME_WIREGUARD] = "wireguard",
	[FRAME_WIREGUARD_ROAMED] = "wireguard-roamed",
	[FRAME_ARP] = "arp",
	[FRAME_ND] = "nd",
	[FRAME_MEMBERSHIP] = "membership",
	[FRAME_ICMP_ANSWER] = "icmp-answer",
	[FRAME_DHCP] = "dhcp",
	[FRAME_DHCPV6] = "dhcpv6",
	[FRAME_EAPOL] = "eapol",
	[FRAME_MACSEC] = "macsec",
	[FRAME_DNS] = "dns",
	[FRAME_LAN] = "lan",
	[FRAME_OTHER] = "other",
};

const char *frame_kind_name(enum frame_kind kind)
{
	return names[kind];
}

static uint16_t read_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static struct addr address(uint8_t family, const uint8_t *bytes)
{
	struct addr a = { .family = family, .bits = family == AF_INET ? 32 : 128 };

	memcpy(a.bytes, bytes, addr_len(&a));
	return a;
}

/* RFC 791 */
static bool read_v4(struct frame *f, const uint8_t *bytes, size_t len, struct payload *out)
{
	if (len < 20 || bytes[0] >> 4 != 4)
		return false;
	size_t header = (size_t)(bytes[0] & 15) * 4;
	if (header < 20 || header > len)
		return false;
	f->has_addresses = true;
	f->from = address(AF_INET, bytes + 12);
	f->to = address(AF_INET, bytes + 16);
	f->transport = bytes[9];
	*out = (struct payload){ .bytes = bytes + header,
				 .len = len - header,
				 .is_later_fragment = read_u16(bytes + 6) & 0x1fff };
	return true;
}

/* RFC 8200: hop-by-hop, routing, destination options and fragment headers stand before the transport's */
static bool read_v6(struct frame *f, const uint8_t *bytes, size_t len, struct payload *out)
{
	if (len < 40 || bytes[0] >> 4 != 6)
		return false;
	f->has_addresses = true;
	f->from = address(AF_INET6, bytes + 8);
	f->to = address(AF_INET6, bytes + 24);
	uint8_t next = bytes[6];
	bool is_later = false;
	bytes += 40;
	len -= 40;
	for (int i = 0; i < HEADERS_MAX; i++) {
		size_t header;
		if (next == IPPROTO_FRAGMENT)
			header = 8;
		else if (next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING ||
			 next == IPPROTO_DSTOPTS)
			header = len >= 2 ? ((size_t)bytes[1] + 1) * 8 : 8;
		else
			break;
		if (len < header)
			return false;
		if (next == IPPROTO_FRAGMENT)
			is_later = is_later || (read_u16(bytes + 2) & 0xfff8);
		next = bytes[0];
		bytes += header;
		len -= header;
		if (is_later)
			break;
	}
	f->transport = next;
	*out = (struct payload){ .bytes = bytes, .len = len, .is_later_fragment = is_later };
	return true;
}

static bool is_endpoint(const struct frame_rules *rules, const struct addr *a, const uint16_t *port)
{
	for (size_t i = 0; i < rules->n_endpoints; i++) {
		const struct frame_endpoint *e = &rules->endpoints[i];
		if (addr_equal(&e->address, a) && (!port || e->port == *port))
			return true;
	}
	return false;
}

static bool is_port(const struct frame_rules *rules, uint16_t port)
{
	for (size_t i = 0; i < rules->n_ports; i++) {
		if (rules->ports[i] == port)
			return true;
	}
	return false;
}

static bool is_resolver(const struct frame_rules *rules, const struct addr *a)
{
	for (size_t i = 0; i < rules->n_resolvers; i++) {
		if (addr_equal(&rules->resolvers[i], a))
			return true;
	}
	return false;
}

static bool is_lan(const struct frame_rules *rules, const struct addr *a)
{
	for (size_t i = 0; i < rules->n_lan; i++) {
		if (addr_contains(&rules->lan[i], a))
			return true;
	}
	return false;
}

/*
 * A message of WireGuard (whitepaper 5.4): its type, three zero bytes, and a length that the type gives; data is padded to
 * 16. Several of one length may come in one piece (UDP_SEGMENT), so multiples are as good.
 */
static bool is_message(const struct payload *udp)
{
	if (udp->len < UDP_HEADER + 4)
		return false;
	const uint8_t *m = udp->bytes + UDP_HEADER;
	size_t len = read_u16(udp->bytes + 4);
	if (len < UDP_HEADER || m[1] || m[2] || m[3])
		return false;
	len -= UDP_HEADER;
	switch (m[0]) {
	case 1:
		return len == 148;
	case 2:
		return len == 92;
	case 3:
		return len == 64;
	case 4:
		return len >= 32 && len % 16 == 0;
	default:
		return false;
	}
}

static enum frame_kind classify_udp(const struct frame_rules *rules, const struct frame *f,
				    const struct payload *udp, bool is_outgoing)
{
	uint16_t own = is_outgoing ? f->from_port : f->to_port;
	uint16_t other = is_outgoing ? f->to_port : f->from_port;
	const struct addr *peer = is_outgoing ? &f->to : &f->from;

	if (is_port(rules, own) && is_message(udp))
		return is_endpoint(rules, peer, &other) ? FRAME_WIREGUARD : FRAME_WIREGUARD_ROAMED;
	bool is_v4 = f->from.family == AF_INET;
	if (is_v4 && (own == 68 || own == 67) && (other == 67 || other == 68))
		return FRAME_DHCP;
	if (!is_v4 && (own == 546 || own == 547) && (other == 546 || other == 547))
		return FRAME_DHCPV6;
	return other == PORT_DNS && is_resolver(rules, peer) ? FRAME_DNS : FRAME_OTHER;
}

static enum frame_kind classify_icmp(const struct frame *f, const struct payload *p)
{
	if (p->len < 1)
		return FRAME_OTHER;
	uint8_t type = p->bytes[0];
	if (f->from.family == AF_INET)
		return type == ICMP_ECHO_REPLY || type == ICMP_UNREACHABLE ||
				       type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETER_PROBLEM
			       ? FRAME_ICMP_ANSWER
			       : FRAME_OTHER;
	if (type >= 133 && type <= 137)
		return FRAME_ND;
	if ((type >= 130 && type <= 132) || type == 143)
		return FRAME_MEMBERSHIP;
	return type <= ICMP6_ERROR_MAX || type == ICMP6_ECHO_REPLY ? FRAME_ICMP_ANSWER
								   : FRAME_OTHER;
}

static enum frame_kind classify_ip(const struct frame_rules *rules, struct frame *f,
				   const struct payload *p, bool is_outgoing)
{
	const struct addr *peer = is_outgoing ? &f->to : &f->from;
	enum frame_kind kind = FRAME_OTHER;

	/* of whatever went in clear the first fragment has told it: it has the ports */
	if (p->is_later_fragment)
		return f->transport == IPPROTO_UDP && is_endpoint(rules, peer, NULL)
			       ? FRAME_WIREGUARD
			       : FRAME_OTHER;
	f->has_ports = (f->transport == IPPROTO_UDP || f->transport == IPPROTO_TCP) && p->len >= 4;
	if (f->has_ports) {
		f->from_port = read_u16(p->bytes);
		f->to_port = read_u16(p->bytes + 2);
	}
	if (f->transport == IPPROTO_UDP && p->len >= UDP_HEADER)
		kind = classify_udp(rules, f, p, is_outgoing);
	else if (f->transport == IPPROTO_TCP && f->has_ports && is_resolver(rules, peer) &&
		 (is_outgoing ? f->to_port : f->from_port) == PORT_DNS)
		kind = FRAME_DNS;
	else if (f->transport == IPPROTO_ICMP && f->from.family == AF_INET)
		kind = classify_icmp(f, p);
	else if (f->transport == IPPROTO_ICMPV6 && f->from.family == AF_INET6)
		kind = classify_icmp(f, p);
	else if (f->transport == IPPROTO_IGMP && f->from.family == AF_INET)
		kind = FRAME_MEMBERSHIP;
	return kind == FRAME_OTHER && is_lan(rules, peer) ? FRAME_LAN : kind;
}

struct frame frame_classify(const struct frame_rules *rules, uint16_t protocol,
			    const uint8_t *bytes, size_t len, bool is_outgoing)
{
	struct frame f = { .kind = FRAME_OTHER, .protocol = protocol };
	struct payload p;

	switch (protocol) {
	case ETH_P_ARP:
		f.kind = FRAME_ARP;
		break;
	case ETH_P_PAE:
		f.kind = FRAME_EAPOL;
		break;
	case ETH_P_MACSEC:
		f.kind = FRAME_MACSEC;
		break;
	case ETH_P_IP:
		if (read_v4(&f, bytes, len, &p))
			f.kind = classify_ip(rules, &f, &p, is_outgoing);
		break;
	case ETH_P_IPV6:
		if (read_v6(&f, bytes, len, &p))
			f.kind = classify_ip(rules, &f, &p, is_outgoing);
		break;
	default:
		break;
	}
	return f;
}

static void transport_name(uint8_t transport, char *out, size_t cap)
{
	static const struct {
		uint8_t number;
		const char *name;
	} known[] = {
		{ IPPROTO_TCP, "tcp" },	  { IPPROTO_UDP, "udp" },      { IPPROTO_ICMP, "icmp" },
		{ IPPROTO_SCTP, "sctp" }, { IPPROTO_ICMPV6, "icmp6" }, { IPPROTO_ESP, "esp" },
	};

	(void)snprintf(out, cap, "protocol %u", transport);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].number == transport)
			(void)snprintf(out, cap, "%s", known[i].name);
	}
}

void frame_describe(const struct frame *f, char out[FRAME_TEXT_MAX])
{
	char transport[24], from[ADDR_TEXT_MAX], to[ADDR_TEXT_MAX];
	bool is_v6 = f->from.family == AF_INET6;
	const char *open = is_v6 ? "[" : "", *end = is_v6 ? "]" : "";

	if (!f->has_addresses) {
		(void)snprintf(out, FRAME_TEXT_MAX, "ethertype 0x%04x", f->protocol);
		return;
	}
	transport_name(f->transport, transport, sizeof(transport));
	addr_format(&f->from, from);
	addr_format(&f->to, to);
	if (f->has_ports)
		(void)snprintf(out, FRAME_TEXT_MAX, "%s %s%s%s:%u -> %s%s%s:%u", transport, open,
			       from, end, f->from_port, open, to, end, f->to_port);
	else
		(void)snprintf(out, FRAME_TEXT_MAX, "%s %s -> %s", transport, from, to);
}
