// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "wgns/addr.h"
#include "wgns/wg.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static struct addr prefix(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse_prefix(text, strlen(text), &a), 0);
	return a;
}

static void test_addr_parse_prefix(void **state)
{
	static const struct {
		const char *text, *formatted; /* NULL: refused */
	} row[] = {
		{ "10.0.0.1", "10.0.0.1/32" },
		{ "10.0.0.1/0", "10.0.0.1/0" },
		{ "10.0.0.1/32", "10.0.0.1/32" },
		{ "10.0.0.1/008", "10.0.0.1/8" },
		{ "2001:DB8::1", "2001:db8::1/128" },
		{ "fd00::/8", "fd00::/8" },
		{ "::ffff:1.2.3.4/128", "::ffff:1.2.3.4/128" },
		{ "", NULL },
		{ "/8", NULL },
		{ "10.0.0.1/", NULL },
		{ "10.0.0.1/33", NULL },
		{ "10.0.0.1/-1", NULL },
		{ "10.0.0.1/+8", NULL },
		{ "10.0.0.1/4294967304", NULL },
		{ "10.0.0.1/8/8", NULL },
		{ "10.0.0.1/255.0.0.0", NULL },
		{ "10.0.0", NULL },
		{ "0/0", NULL },
		{ "010.0.0.1", NULL },
		{ "::/129", NULL },
		{ "fe80::1%eth0", NULL },
		{ "1111:2222:3333:4444:5555:6666:7777:8888:9999", NULL },
		{ "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000", NULL },
		{ " 10.0.0.1", NULL },
	};

	(void)state;
	for (size_t i = 0; i < N(row); i++) {
		char text[ADDR_TEXT_MAX];
		struct addr a;
		int rc = addr_parse_prefix(row[i].text, strlen(row[i].text), &a);

		if (!row[i].formatted) {
			if (rc != -EINVAL)
				fail_msg("accepted: %s", row[i].text);
			continue;
		}
		if (rc != 0)
			fail_msg("refused: %s", row[i].text);
		addr_format_prefix(&a, text);
		assert_string_equal(text, row[i].formatted);
	}
}

static void test_addr_parse_takes_no_mask_and_no_nul(void **state)
{
	struct addr a = { .family = 77 };

	(void)state;
	assert_int_equal(addr_parse("10.0.0.1/8", 10, &a), -EINVAL);
	assert_int_equal(addr_parse("10.0.0.1\0x", 10, &a), -EINVAL);
	assert_int_equal(a.family, 77);
}

static void test_addr_mask(void **state)
{
	static const struct {
		const char *text, *masked;
		bool has_host_bits;
	} row[] = {
		{ "10.1.2.3/32", "10.1.2.3/32", false },  { "10.1.2.3/8", "10.0.0.0/8", true },
		{ "10.1.2.3/0", "0.0.0.0/0", true },	  { "10.128.0.0/9", "10.128.0.0/9", false },
		{ "10.255.0.0/9", "10.128.0.0/9", true }, { "fd00::1/128", "fd00::1/128", false },
		{ "fd00::1/127", "fd00::/127", true },	  { "::/0", "::/0", false },
	};

	(void)state;
	for (size_t i = 0; i < N(row); i++) {
		struct addr a = prefix(row[i].text);
		char text[ADDR_TEXT_MAX];

		assert_int_equal(addr_has_host_bits(&a), row[i].has_host_bits);
		addr_mask(&a);
		addr_format_prefix(&a, text);
		assert_string_equal(text, row[i].masked);
	}
}

static void test_addr_contains(void **state)
{
	static const struct {
		const char *net, *inner;
		bool is_inside;
	} row[] = {
		{ "0.0.0.0/0", "10.0.0.1", true },     { "10.0.0.0/8", "10.255.0.1", true },
		{ "10.0.0.0/8", "11.0.0.1", false },   { "10.0.0.0/8", "10.0.0.0/8", true },
		{ "10.0.0.0/8", "10.0.0.0/7", false }, { "::/0", "10.0.0.1", false },
		{ "fd00::/8", "fd12::1", true },       { "10.1.2.3/8", "10.9.9.9", true },
	};

	(void)state;
	for (size_t i = 0; i < N(row); i++) {
		struct addr net = prefix(row[i].net), inner = prefix(row[i].inner);

		assert_int_equal(addr_contains(&net, &inner), row[i].is_inside);
	}
}

static void test_wg_endpoint(void **state)
{
	static const struct {
		const char *host, *port, *formatted; /* NULL: needs a resolver */
	} row[] = {
		{ "192.0.2.1", "51820", "192.0.2.1:51820" },
		{ "2001:db8::1", "0", "[2001:db8::1]:0" },
		{ "192.0.2.1", "65536", NULL },
		{ "192.0.2.1", "domain", NULL },
		{ "192.0.2", "1", NULL },
		{ "vpn.example.com", "1", NULL },
		{ "fe80::1%eth0", "1", NULL },
	};

	(void)state;
	for (size_t i = 0; i < N(row); i++) {
		char text[WG_ENDPOINT_TEXT_MAX];
		union wg_endpoint ep;
		int rc = wg_endpoint_numeric(row[i].host, row[i].port, &ep);

		assert_int_equal(rc, row[i].formatted ? 0 : -EAGAIN);
		if (rc < 0)
			continue;
		wg_endpoint_format(&ep, text);
		assert_string_equal(text, row[i].formatted);
		assert_true(wg_endpoint_len(&ep) > 0);
	}

	union wg_endpoint unknown = { .sa.sa_family = AF_UNSPEC };
	char text[WG_ENDPOINT_TEXT_MAX];
	wg_endpoint_format(&unknown, text);
	assert_string_equal(text, "");
	assert_int_equal(wg_endpoint_len(&unknown), 0);
}

static void test_wg_endpoint_format_shows_the_scope(void **state)
{
	union wg_endpoint ep;
	char text[WG_ENDPOINT_TEXT_MAX];

	(void)state;
	assert_int_equal(wg_endpoint_numeric("fe80::1", "51820", &ep), 0);
	ep.v6.sin6_scope_id = 3;
	wg_endpoint_format(&ep, text);
	assert_string_equal(text, "[fe80::1%3]:51820");
}

static void test_wg_device_grows(void **state)
{
	struct addr a = prefix("10.0.0.0/8");
	struct wg_device dev = { 0 };

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		struct wg_peer *peer = wg_device_add_peer(&dev);
		assert_non_null(peer);
		assert_int_equal(peer->keepalive, 0);
		peer->keepalive = (uint16_t)i;
		for (unsigned j = 0; j <= i; j++)
			assert_int_equal(wg_peer_add_allowed_ip(peer, &a, j % 2), 0);
	}
	assert_int_equal(dev.n_peers, 100);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(dev.peers[i].keepalive, i);
		assert_int_equal(dev.peers[i].n_allowed_ips, i + 1);
		assert_int_equal(dev.peers[i].allowed_ips[i].is_remove, i % 2);
	}
	wg_device_free(&dev);
	assert_int_equal(dev.n_peers, 0);
	assert_null(dev.peers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addr_parse_prefix),
		cmocka_unit_test(test_addr_parse_takes_no_mask_and_no_nul),
		cmocka_unit_test(test_addr_mask),
		cmocka_unit_test(test_addr_contains),
		cmocka_unit_test(test_wg_endpoint),
		cmocka_unit_test(test_wg_endpoint_format_shows_the_scope),
		cmocka_unit_test(test_wg_device_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
