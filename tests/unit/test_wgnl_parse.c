// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wgns/wgnl.h"

#define FAMILY 0x1c

struct reply {
	struct nl_msg m;
	struct nlattr *peers, *peer;
};

static struct nlmsghdr *begin_reply(struct reply *r)
{
	nl_msg_begin(&r->m, FAMILY, 0, sizeof(struct genlmsghdr));
	return nl_msg_hdr(&r->m);
}

static void begin_peer(struct reply *r, size_t key_len)
{
	const uint8_t key[64] = { 1, 2, 3 };

	r->peers = mnl_attr_nest_start(nl_msg_hdr(&r->m), WGDEVICE_A_PEERS);
	r->peer = mnl_attr_nest_start(nl_msg_hdr(&r->m), 0);
	mnl_attr_put(nl_msg_hdr(&r->m), WGPEER_A_PUBLIC_KEY, key_len, key);
}

static void end_peer(struct reply *r)
{
	mnl_attr_nest_end(nl_msg_hdr(&r->m), r->peer);
	mnl_attr_nest_end(nl_msg_hdr(&r->m), r->peers);
}

static void test_parse_counters(void **state)
{
	struct reply r;
	struct wg_device got = { 0 };
	const int64_t time[2] = { 1700000000, 5 };
	const uint8_t zero[KEY_LEN] = { 0 };
	struct err e;

	(void)state;
	mnl_attr_put_u32(begin_reply(&r), WGDEVICE_A_FWMARK, 7);
	mnl_attr_put(nl_msg_hdr(&r.m), WGDEVICE_A_PRIVATE_KEY, KEY_LEN, zero);
	begin_peer(&r, KEY_LEN);
	mnl_attr_put(nl_msg_hdr(&r.m), WGPEER_A_PRESHARED_KEY, KEY_LEN, zero);
	mnl_attr_put(nl_msg_hdr(&r.m), WGPEER_A_LAST_HANDSHAKE_TIME, sizeof(time), time);
	mnl_attr_put_u64(nl_msg_hdr(&r.m), WGPEER_A_RX_BYTES, 1ull << 40);
	mnl_attr_put_u64(nl_msg_hdr(&r.m), WGPEER_A_TX_BYTES, 3);
	mnl_attr_put_u32(nl_msg_hdr(&r.m), 99, 0); /* of a newer kernel */
	end_peer(&r);
	assert_int_equal(wgnl_parse(nl_msg_hdr(&r.m), &got, &e), 0);
	assert_int_equal(got.fwmark, 7);
	assert_false(got.has_private_key);
	assert_int_equal(got.n_peers, 1);
	assert_false(got.peers[0].has_preshared_key);
	assert_int_equal(got.peers[0].last_handshake, 1700000000);
	assert_int_equal(got.peers[0].rx_bytes, 1ull << 40);
	assert_int_equal(got.peers[0].tx_bytes, 3);
	wg_device_free(&got);
}

static void test_parse_refuses_wrong_lengths(void **state)
{
	static const struct {
		const char *what;
		bool is_of_peer;
		uint16_t type;
		size_t len;
		uint16_t family; /* first two bytes of the payload */
	} rows[] = {
		{ "short private key", false, WGDEVICE_A_PRIVATE_KEY, 31, 0 },
		{ "long public key", false, WGDEVICE_A_PUBLIC_KEY, 33, 0 },
		{ "port of 4 bytes", false, WGDEVICE_A_LISTEN_PORT, 4, 0 },
		{ "mark of 2 bytes", false, WGDEVICE_A_FWMARK, 2, 0 },
		{ "short preshared key", true, WGPEER_A_PRESHARED_KEY, 8, 0 },
		{ "endpoint of 1 byte", true, WGPEER_A_ENDPOINT, 1, AF_INET },
		{ "v4 endpoint of 28 bytes", true, WGPEER_A_ENDPOINT, 28, AF_INET },
		{ "v6 endpoint of 16 bytes", true, WGPEER_A_ENDPOINT, 16, AF_INET6 },
		{ "endpoint of another family", true, WGPEER_A_ENDPOINT, 16, AF_UNIX },
		{ "time of 8 bytes", true, WGPEER_A_LAST_HANDSHAKE_TIME, 8, 0 },
		{ "counter of 4 bytes", true, WGPEER_A_RX_BYTES, 4, 0 },
		{ "keepalive of 1 byte", true, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, 1, 0 },
		{ "peer with a short key", true, WGPEER_A_RX_BYTES, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct reply r;
		struct wg_device got = { 0 };
		uint8_t payload[64] = { 0 };
		struct err e = { 0 };
		memcpy(payload, &rows[i].family, sizeof(rows[i].family));
		(void)begin_reply(&r);
		if (rows[i].is_of_peer)
			begin_peer(&r, rows[i].len ? KEY_LEN : 16);
		mnl_attr_put(nl_msg_hdr(&r.m), rows[i].type, rows[i].len, payload);
		if (rows[i].is_of_peer)
			end_peer(&r);
		int rc = wgnl_parse(nl_msg_hdr(&r.m), &got, &e);
		if (rc != -EBADMSG)
			fail_msg("%s: %d", rows[i].what, rc);
		assert_int_equal(e.code, EBADMSG);
		wg_device_free(&got);
	}
}

static void test_parse_refuses_bad_prefixes(void **state)
{
	static const struct {
		uint16_t family;
		uint8_t bits;
		size_t len;
		int rc;
	} rows[] = {
		{ AF_INET, 32, 4, 0 },		 { AF_INET, 33, 4, -EBADMSG },
		{ AF_INET, 32, 16, -EBADMSG },	 { AF_INET6, 128, 16, 0 },
		{ AF_INET6, 129, 16, -EBADMSG }, { AF_INET6, 64, 4, -EBADMSG },
		{ AF_UNIX, 0, 4, -EBADMSG },	 { 0x102, 0, 4, -EBADMSG },
	};
	const uint8_t ip[16] = { 10 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct reply r;
		struct wg_device got = { 0 };
		struct err e;
		struct nlmsghdr *h = begin_reply(&r);
		begin_peer(&r, KEY_LEN);
		struct nlattr *ips = mnl_attr_nest_start(h, WGPEER_A_ALLOWEDIPS);
		struct nlattr *one = mnl_attr_nest_start(h, 0);
		mnl_attr_put_u16(h, WGALLOWEDIP_A_FAMILY, rows[i].family);
		mnl_attr_put(h, WGALLOWEDIP_A_IPADDR, rows[i].len, ip);
		mnl_attr_put_u8(h, WGALLOWEDIP_A_CIDR_MASK, rows[i].bits);
		mnl_attr_nest_end(h, one);
		mnl_attr_nest_end(h, ips);
		end_peer(&r);
		assert_int_equal(wgnl_parse(h, &got, &e), rows[i].rc);
		wg_device_free(&got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_counters),
		cmocka_unit_test(test_parse_refuses_wrong_lengths),
		cmocka_unit_test(test_parse_refuses_bad_prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
