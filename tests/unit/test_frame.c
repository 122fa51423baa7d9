// SPDX-License-Identifier: GPL-2.0-or-later
/* what a frame on an uplink is, by its bytes */
#include <linux/if_ether.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "wgns/frame.h"

#define OWN                                                                                        \
	{                                                                                          \
		192, 0, 2, 10                                                                      \
	}
#define PEER                                                                                       \
	{                                                                                          \
		198, 51, 100, 2                                                                    \
	}
#define RESOLVER                                                                                   \
	{                                                                                          \
		192, 0, 2, 1                                                                       \
	}
#define WEB                                                                                        \
	{                                                                                          \
		203, 0, 113, 80                                                                    \
	}
#define PORT 40000
#define PEER_PORT 51820

static const struct frame_rules rules = {
	.endpoints = { { { AF_INET, 32, PEER }, PEER_PORT },
		       { { AF_INET6, 128, { 0x20, 1, 0xd, 0xb8, [15] = 2 } }, PEER_PORT } },
	.n_endpoints = 2,
	.ports = { PORT },
	.n_ports = 1,
	.resolvers = { { AF_INET, 32, RESOLVER } },
	.n_resolvers = 1,
};

struct packet {
	uint8_t bytes[2048];
	size_t len;
};

static void put16(uint8_t *p, unsigned value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static struct packet v4(uint8_t transport, const uint8_t from[4], const uint8_t to[4],
			const uint8_t *payload, size_t len)
{
	struct packet p = { .bytes = { 0x45 }, .len = 20 + len };

	put16(p.bytes + 2, (unsigned)p.len);
	p.bytes[9] = transport;
	memcpy(p.bytes + 12, from, 4);
	memcpy(p.bytes + 16, to, 4);
	memcpy(p.bytes + 20, payload, len);
	return p;
}

static size_t udp(uint8_t out[1600], unsigned from, unsigned to, uint8_t type, size_t len)
{
	memset(out, 0, 1600);
	put16(out, from);
	put16(out + 2, to);
	put16(out + 4, (unsigned)len + 8);
	out[8] = type;
	return len + 8;
}

/* own:from -> peer:to, outgoing, as WireGuard would send @type with @len bytes */
static enum frame_kind sent(const uint8_t to[4], unsigned from_port, unsigned to_port, uint8_t type,
			    size_t len)
{
	const uint8_t own[] = OWN;
	uint8_t payload[1600];
	size_t n = udp(payload, from_port, to_port, type, len);
	struct packet p = v4(17, own, to, payload, n);

	return frame_classify(&rules, ETH_P_IP, p.bytes, p.len, true).kind;
}

static void test_frame_wireguard_is_of_its_port_and_form(void **state)
{
	const uint8_t peer[] = PEER, web[] = WEB;
	static const struct {
		uint8_t type;
		size_t len;
		enum frame_kind kind;
	} forms[] = {
		{ 1, 148, FRAME_WIREGUARD },  { 1, 147, FRAME_OTHER },
		{ 2, 92, FRAME_WIREGUARD },   { 2, 148, FRAME_OTHER },
		{ 3, 64, FRAME_WIREGUARD },   { 4, 32, FRAME_WIREGUARD },
		{ 4, 1456, FRAME_WIREGUARD }, { 4, 16, FRAME_OTHER },
		{ 4, 33, FRAME_OTHER },	      { 0, 32, FRAME_OTHER },
		{ 5, 32, FRAME_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		assert_int_equal(sent(peer, PORT, PEER_PORT, forms[i].type, forms[i].len),
				 forms[i].kind);
	/* another program, to the same endpoint */
	assert_int_equal(sent(peer, PORT + 1, PEER_PORT, 4, 32), FRAME_OTHER);
	/* the tunnel, to somebody else: that peer has roamed */
	assert_int_equal(sent(web, PORT, PEER_PORT, 4, 32), FRAME_WIREGUARD_ROAMED);
	assert_int_equal(sent(peer, PORT, 1, 4, 32), FRAME_WIREGUARD_ROAMED);
	/* clear text by the tunnel's own port is clear text */
	assert_int_equal(sent(peer, PORT, PEER_PORT, 'G', 32), FRAME_OTHER);
}

static void test_frame_reserved_bytes_are_zero(void **state)
{
	const uint8_t own[] = OWN, peer[] = PEER;
	uint8_t payload[1600];
	size_t n = udp(payload, PORT, PEER_PORT, 4, 32);

	(void)state;
	payload[10] = 1;
	struct packet p = v4(17, own, peer, payload, n);
	assert_int_equal(frame_classify(&rules, ETH_P_IP, p.bytes, p.len, true).kind, FRAME_OTHER);
}

static void test_frame_direction_decides_whose_port_it_is(void **state)
{
	const uint8_t own[] = OWN, peer[] = PEER;
	uint8_t payload[1600];
	size_t n = udp(payload, PEER_PORT, PORT, 4, 32);
	struct packet p = v4(17, peer, own, payload, n);

	(void)state;
	assert_int_equal(frame_classify(&rules, ETH_P_IP, p.bytes, p.len, false).kind,
			 FRAME_WIREGUARD);
	assert_int_equal(frame_classify(&rules, ETH_P_IP, p.bytes, p.len, true).kind, FRAME_OTHER);
}

static void test_frame_fragments_belong_to_the_endpoint_of_the_first(void **state)
{
	const uint8_t own[] = OWN, peer[] = PEER, web[] = WEB, rest[32] = { 0 };
	struct packet to_peer = v4(17, own, peer, rest, sizeof(rest));
	struct packet to_web = v4(17, own, web, rest, sizeof(rest));

	(void)state;
	put16(to_peer.bytes + 6, 185);
	put16(to_web.bytes + 6, 185);
	assert_int_equal(frame_classify(&rules, ETH_P_IP, to_peer.bytes, to_peer.len, true).kind,
			 FRAME_WIREGUARD);
	assert_int_equal(frame_classify(&rules, ETH_P_IP, to_web.bytes, to_web.len, true).kind,
			 FRAME_OTHER);
}

static void test_frame_what_agents_need(void **state)
{
	const uint8_t resolver[] = RESOLVER, web[] = WEB, all[] = { 255, 255, 255, 255 };

	(void)state;
	assert_int_equal(sent(all, 68, 67, 1, 300), FRAME_DHCP);
	assert_int_equal(sent(resolver, 33333, 53, 1, 40), FRAME_DNS);
	assert_int_equal(sent(web, 33333, 53, 1, 40), FRAME_OTHER);
	assert_int_equal(sent(web, 33333, 443, 1, 40), FRAME_OTHER);
	assert_int_equal(frame_classify(&rules, ETH_P_ARP, NULL, 0, true).kind, FRAME_ARP);
	assert_int_equal(frame_classify(&rules, ETH_P_PAE, NULL, 0, true).kind, FRAME_EAPOL);
	assert_int_equal(frame_classify(&rules, 0x88e5, NULL, 0, true).kind, FRAME_MACSEC);
	assert_int_equal(frame_classify(&rules, 0x88cc, NULL, 0, true).kind, FRAME_OTHER);
}

/* an IPv6 packet with @n_options hop-by-hop headers before ICMPv6 of @type */
static enum frame_kind icmp6(uint8_t type, unsigned n_options)
{
	struct packet p = { .bytes = { 0x60 }, .len = 40 };

	p.bytes[6] = n_options ? 0 : 58;
	for (unsigned i = 0; i < n_options; i++) {
		p.bytes[p.len] = i + 1 < n_options ? 0 : 58;
		p.len += 8;
	}
	p.bytes[p.len++] = type;
	return frame_classify(&rules, ETH_P_IPV6, p.bytes, p.len, true).kind;
}

static void test_frame_icmp6(void **state)
{
	(void)state;
	for (uint8_t type = 133; type <= 137; type++)
		assert_int_equal(icmp6(type, 0), FRAME_ND);
	assert_int_equal(icmp6(143, 1), FRAME_MEMBERSHIP);
	assert_int_equal(icmp6(131, 1), FRAME_MEMBERSHIP);
	assert_int_equal(icmp6(2, 0), FRAME_ICMP_ANSWER);
	assert_int_equal(icmp6(128, 0), FRAME_OTHER); /* ping */
	assert_int_equal(icmp6(129, 0), FRAME_ICMP_ANSWER); /* to somebody's ping */
	assert_int_equal(icmp6(135, 9), FRAME_OTHER); /* more headers than are read: not trusted */
}

static void test_frame_ping_is_in_clear_and_errors_are_not(void **state)
{
	const uint8_t own[] = OWN, web[] = WEB, ping[8] = { 8 }, unreachable[8] = { 3, 3 };
	struct packet a = v4(1, own, web, ping, sizeof(ping));
	struct packet b = v4(1, own, web, unreachable, sizeof(unreachable));

	(void)state;
	assert_int_equal(frame_classify(&rules, ETH_P_IP, a.bytes, a.len, true).kind, FRAME_OTHER);
	assert_int_equal(frame_classify(&rules, ETH_P_IP, b.bytes, b.len, true).kind,
			 FRAME_ICMP_ANSWER);
}

static void test_frame_lan_is_only_where_it_is_wanted(void **state)
{
	const uint8_t own[] = OWN, printer[] = { 192, 0, 2, 40 }, web[] = WEB;
	struct frame_rules with = rules;
	uint8_t payload[1600];

	(void)state;
	with.lan[0] = (struct addr){ AF_INET, 26, { 192, 0, 2, 0 } };
	with.n_lan = 1;
	size_t n = udp(payload, 1234, 631, 9, 20);
	struct packet p = v4(17, own, printer, payload, n), q = v4(17, own, web, payload, n);
	assert_int_equal(frame_classify(&rules, ETH_P_IP, p.bytes, p.len, true).kind, FRAME_OTHER);
	assert_int_equal(frame_classify(&with, ETH_P_IP, p.bytes, p.len, true).kind, FRAME_LAN);
	assert_int_equal(frame_classify(&with, ETH_P_IP, q.bytes, q.len, true).kind, FRAME_OTHER);
}

/* cut at any byte it is other, or what its first bytes say; and nothing behind the cut is read: see the fuzzer */
static void test_frame_cut_anywhere_is_never_wireguard(void **state)
{
	const uint8_t own[] = OWN, peer[] = PEER;
	uint8_t payload[1600];
	size_t n = udp(payload, PORT, PEER_PORT, 4, 32);
	struct packet p = v4(17, own, peer, payload, n);

	(void)state;
	for (size_t len = 0; len < 20 + 8 + 4; len++) {
		uint8_t *copy = malloc(len + 1);
		assert_non_null(copy);
		memcpy(copy, p.bytes, len);
		assert_int_equal(frame_classify(&rules, ETH_P_IP, copy, len, true).kind,
				 FRAME_OTHER);
		free(copy);
	}
	assert_int_equal(frame_classify(&rules, ETH_P_IP, p.bytes, 32, true).kind, FRAME_WIREGUARD);
	/* the length of its header lies */
	p.bytes[0] = 0x4f;
	assert_int_equal(frame_classify(&rules, ETH_P_IP, p.bytes, p.len, true).kind, FRAME_OTHER);
	p.bytes[0] = 0x41;
	assert_int_equal(frame_classify(&rules, ETH_P_IP, p.bytes, p.len, true).kind, FRAME_OTHER);
}

static void test_frame_describe(void **state)
{
	const uint8_t own[] = OWN, web[] = WEB;
	uint8_t payload[1600];
	char text[FRAME_TEXT_MAX];
	size_t n = udp(payload, 1234, 80, 0, 20);
	struct packet p = v4(6, own, web, payload, n);
	struct frame f = frame_classify(&rules, ETH_P_IP, p.bytes, p.len, true);

	(void)state;
	frame_describe(&f, text);
	assert_string_equal(text, "tcp 192.0.2.10:1234 -> 203.0.113.80:80");
	p.bytes[9] = 47;
	f = frame_classify(&rules, ETH_P_IP, p.bytes, p.len, true);
	frame_describe(&f, text);
	assert_string_equal(text, "protocol 47 192.0.2.10 -> 203.0.113.80");
	f = frame_classify(&rules, 0x88cc, NULL, 0, true);
	frame_describe(&f, text);
	assert_string_equal(text, "ethertype 0x88cc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frame_wireguard_is_of_its_port_and_form),
		cmocka_unit_test(test_frame_reserved_bytes_are_zero),
		cmocka_unit_test(test_frame_direction_decides_whose_port_it_is),
		cmocka_unit_test(test_frame_fragments_belong_to_the_endpoint_of_the_first),
		cmocka_unit_test(test_frame_what_agents_need),
		cmocka_unit_test(test_frame_icmp6),
		cmocka_unit_test(test_frame_ping_is_in_clear_and_errors_are_not),
		cmocka_unit_test(test_frame_lan_is_only_where_it_is_wanted),
		cmocka_unit_test(test_frame_cut_anywhere_is_never_wireguard),
		cmocka_unit_test(test_frame_describe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
