// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wgns/str.h"
#include "wgns/uapi.h"

#define DIGITS_63 "77076d0a7318a57d3c16c17251b26645c6db92c1eb5ad1ff6d8ff5e2e2e2e2a"
#define PEER_1 "0101010101010101010101010101010101010101010101010101010101010101"
#define PEER_2 "0202020202020202020202020202020202020202020202020202020202020202"
#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"
/* RFC 7748, section 6.1 */
#define SECRET "77076d0a7318a57d3c16c17251b26645df4c2f92ebc099270c7eaafe2cfb8b29"

static struct wg_peer *add_peer(struct wg_device *dev, int byte)
{
	struct wg_peer *peer = wg_device_add_peer(dev);

	assert_non_null(peer);
	memset(peer->public_key.bytes, byte, KEY_LEN);
	return peer;
}

static void add_ip(struct wg_peer *peer, const char *text, bool is_remove)
{
	struct addr a;

	assert_int_equal(addr_parse_prefix(text, strlen(text), &a), 0);
	assert_int_equal(wg_peer_add_allowed_ip(peer, &a, is_remove), 0);
}

static void test_build_set(void **state)
{
	struct wg_device dev = { .name = "wg0",
				 .has_private_key = true,
				 .has_listen_port = true,
				 .listen_port = 51820,
				 .has_fwmark = true,
				 .fwmark = 0xca6c };

	(void)state;
	struct wg_peer *peer = add_peer(&dev, 1);
	peer->has_preshared_key = true;
	peer->has_keepalive = true;
	peer->keepalive = 25;
	assert_int_equal(wg_endpoint_numeric("2001:db8::1", "53", &peer->endpoint), 0);
	peer->endpoint.v6.sin6_scope_id = 3;
	add_ip(peer, "0.0.0.0/0", false);
	add_ip(peer, "::/0", false);
	peer = add_peer(&dev, 2);
	peer->is_incremental = true;
	peer->is_update_only = true;
	add_ip(peer, "10.0.0.0/8", true);
	peer = add_peer(&dev, 1);
	peer->should_remove = true;

	AUTO_FREE char *text = uapi_build_set(&dev, true);
	assert_non_null(text);
	assert_string_equal(text, "set=1\nprivate_key=" ZERO "\nlisten_port=51820\nfwmark=51820\n"
				  "replace_peers=true\npublic_key=" PEER_1 "\npreshared_key=" ZERO
				  "\nendpoint=[2001:db8::1%3]:53\n"
				  "persistent_keepalive_interval=25\nreplace_allowed_ips=true\n"
				  "allowed_ip=0.0.0.0/0\nallowed_ip=::/0\npublic_key=" PEER_2
				  "\nupdate_only=true\nallowed_ip=-10.0.0.0/8\npublic_key=" PEER_1
				  "\nremove=true\n\n");
	wg_device_free(&dev);
}

static void test_build_set_of_nothing(void **state)
{
	const struct wg_device dev = { .name = "wg0" };

	(void)state;
	AUTO_FREE char *text = uapi_build_set(&dev, false);
	assert_string_equal(text, "set=1\n\n");
}

static void test_parse_get(void **state)
{
	static const char text[] =
		"private_key=" SECRET "\nlisten_port=4711\nfwmark=7\nfuture_key=what=ever\n"
		"public_key=" PEER_1 "\npreshared_key=" ZERO "\nprotocol_version=1\n"
		"endpoint=192.0.2.1:51820\nlast_handshake_time_sec=1700000000\n"
		"last_handshake_time_nsec=5\ntx_bytes=3\nrx_bytes=18446744073709551615\n"
		"persistent_keepalive_interval=25\nallowed_ip=10.0.0.0/8\nallowed_ip=fd00::/64\n"
		"public_key=" PEER_2 "\npreshared_key=" SECRET "\nendpoint=[fe80::1%9]:1\n"
		"errno=0\n\n";
	struct wg_device got;
	struct key public_key;
	struct err e;

	(void)state;
	assert_int_equal(uapi_parse_get(text, strlen(text), &got, &e), 0);
	assert_true(got.has_private_key);
	assert_int_equal(got.private_key.bytes[0], 0x77);
	assert_int_equal(key_public(&got.private_key, &public_key), 0);
	assert_true(got.has_public_key);
	assert_memory_equal(&got.public_key, &public_key, KEY_LEN);
	assert_int_equal(got.listen_port, 4711);
	assert_int_equal(got.fwmark, 7);
	assert_int_equal(got.n_peers, 2);
	const struct wg_peer *peer = &got.peers[0];
	assert_false(peer->has_preshared_key);
	assert_int_equal(peer->endpoint.v4.sin_port, htons(51820));
	assert_int_equal(peer->last_handshake, 1700000000);
	assert_true(peer->rx_bytes == UINT64_MAX);
	assert_int_equal(peer->tx_bytes, 3);
	assert_int_equal(peer->keepalive, 25);
	assert_int_equal(peer->n_allowed_ips, 2);
	assert_int_equal(peer->allowed_ips[1].prefix.bits, 64);
	assert_true(got.peers[1].has_preshared_key);
	assert_int_equal(got.peers[1].endpoint.v6.sin6_scope_id, 9);
	assert_false(got.peers[1].has_keepalive);
	wg_device_free(&got);
}

static void test_parse_get_rows(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} rows[] = {
		{ "errno=0\n\n", 0 },
		{ "errno=0\n", 0 },
		{ "unknown=\nerrno=0\n\n", 0 },
		{ "=\nerrno=0\n\n", 0 },
		{ "public_key=" PEER_1 "\nendpoint=[fe80::1%eth0]:1\nerrno=0\n\n", 0 },
		/* wireguard-go negates it */
		{ "errno=-22\n\n", -EINVAL },
		{ "errno=98\n\n", -EADDRINUSE },
		{ "errno=5000\n\n", -EINVAL },
		{ "errno=\n\n", -EINVAL },
		{ "errno=-\n\n", -EINVAL },
		{ "errno=1 \n\n", -EINVAL },
		{ "", -EINVAL },
		{ "\n", -EINVAL },
		{ "errno=0", -EINVAL },
		{ "listen_port=1\n\n", -EINVAL },
		{ "no equals sign\nerrno=0\n\n", -EINVAL },
		{ "listen_port=65536\nerrno=0\n\n", -EINVAL },
		{ "listen_port=\nerrno=0\n\n", -EINVAL },
		{ "listen_port=+1\nerrno=0\n\n", -EINVAL },
		{ "fwmark=4294967296\nerrno=0\n\n", -EINVAL },
		{ "fwmark=0x1\nerrno=0\n\n", -EINVAL },
		{ "private_key=12\nerrno=0\n\n", -EINVAL },
		{ "private_key=" SECRET "00\nerrno=0\n\n", -EINVAL },
		{ "public_key=" DIGITS_63 "\nerrno=0\n\n", -EINVAL }, /* 63 digits */
		{ "allowed_ip=10.0.0.0/8\nerrno=0\n\n", -EINVAL }, /* of no peer */
		{ "public_key=" PEER_1 "\nallowed_ip=10.0.0.0/33\nerrno=0\n\n", -EINVAL },
		{ "public_key=" PEER_1 "\nendpoint=192.0.2.1\nerrno=0\n\n", -EINVAL },
		{ "public_key=" PEER_1 "\nendpoint=:1\nerrno=0\n\n", -EINVAL },
		{ "public_key=" PEER_1 "\nendpoint=[::1:1\nerrno=0\n\n", -EINVAL },
		{ "public_key=" PEER_1 "\nendpoint=]:1\nerrno=0\n\n", -EINVAL },
		{ "public_key=" PEER_1 "\nendpoint=[:1\nerrno=0\n\n", -EINVAL },
		{ "public_key=" PEER_1 "\nendpoint=host:1\nerrno=0\n\n", -EINVAL },
		{ "public_key=" PEER_1 "\nlast_handshake_time_sec=-1\nerrno=0\n\n", -EINVAL },
		{ "public_key=" PEER_1 "\nrx_bytes=18446744073709551616\nerrno=0\n\n", -EINVAL },
		{ "public_key=" PEER_1 "\npersistent_keepalive_interval=off\nerrno=0\n\n",
		  -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wg_device got = { .n_peers = 12345 };
		struct err e = { 0 };
		/* exactly as large as the text, so that a sanitizer sees a byte too many */
		size_t len = strlen(rows[i].text);
		AUTO_FREE char *copy = malloc(len ? len : 1);
		assert_non_null(copy);
		memcpy(copy, rows[i].text, len);
		int rc = uapi_parse_get(copy, len, &got, &e);
		if (rc != rows[i].rc)
			fail_msg("%s: %d, %s", rows[i].text, rc, e.text);
		if (rc < 0)
			assert_int_equal(got.n_peers, 12345); /* untouched */
		else
			wg_device_free(&got);
	}
}

static void test_parse_get_nul_bytes(void **state)
{
	static const char text[] = "listen_port=1\0002\nerrno=0\n\n";
	static const char key[] = "listen\0port=1\nerrno=0\n\n";
	struct wg_device got;
	struct err e;

	(void)state;
	assert_int_equal(uapi_parse_get(text, sizeof(text) - 1, &got, &e), -EINVAL);
	assert_int_equal(uapi_parse_get(key, sizeof(key) - 1, &got, &e), 0);
	assert_false(got.has_listen_port);
	wg_device_free(&got);
}

static void test_parse_get_never_shows_a_key(void **state)
{
	static const char text[] = "private_key=" SECRET "ff\nerrno=0\n\n";
	struct wg_device got;
	struct err e;

	(void)state;
	assert_int_equal(uapi_parse_get(text, strlen(text), &got, &e), -EINVAL);
	assert_null(strstr(e.text, "77076d0a"));
	assert_non_null(strstr(e.text, "private_key"));
}

/* what set says is what get says, but for the first line and the end */
static void test_10000_peers_there_and_back(void **state)
{
	struct wg_device dev = { .name = "wg0" }, got;
	struct err e;

	(void)state;
	for (uint32_t i = 0; i < 10000; i++) {
		struct wg_peer *peer = add_peer(&dev, 3);
		memcpy(peer->public_key.bytes, &i, sizeof(i));
		struct addr a = { .family = AF_INET, .bits = 32 };
		memcpy(a.bytes, &i, sizeof(i));
		assert_int_equal(wg_peer_add_allowed_ip(peer, &a, false), 0);
		assert_int_equal(wg_endpoint_numeric("192.0.2.1", "7", &peer->endpoint), 0);
	}
	char *text = uapi_build_set(&dev, true);
	assert_non_null(text);
	struct strbuf b = { 0 };
	strbuf_add(&b, text + strlen("set=1\n"), strlen(text) - strlen("set=1\n") - 1);
	strbuf_addf(&b, "errno=0\n\n");
	free(text);
	assert_int_equal(uapi_parse_get(b.s, b.len, &got, &e), 0);
	strbuf_free(&b);
	assert_int_equal(got.n_peers, 10000);
	for (size_t i = 0; i < got.n_peers; i++) {
		assert_memory_equal(&got.peers[i].public_key, &dev.peers[i].public_key, KEY_LEN);
		assert_memory_equal(&got.peers[i].endpoint.v4, &dev.peers[i].endpoint.v4,
				    sizeof(struct sockaddr_in));
		assert_int_equal(got.peers[i].n_allowed_ips, 1);
		assert_true(addr_equal(&got.peers[i].allowed_ips[0].prefix,
				       &dev.peers[i].allowed_ips[0].prefix));
	}
	wg_device_free(&got);
	wg_device_free(&dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build_set),
		cmocka_unit_test(test_build_set_of_nothing),
		cmocka_unit_test(test_parse_get),
		cmocka_unit_test(test_parse_get_rows),
		cmocka_unit_test(test_parse_get_nul_bytes),
		cmocka_unit_test(test_parse_get_never_shows_a_key),
		cmocka_unit_test(test_10000_peers_there_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
