// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
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

/* attributes of one nest in their order, without the library's own readers */
struct attrs {
	const struct nlattr *a[8192];
	size_t n;
};

static struct attrs read_attrs(const void *from, size_t len)
{
	struct attrs out = { .n = 0 };
	const char *at = from, *end = at + len;

	while (end - at >= (long)sizeof(struct nlattr)) {
		const struct nlattr *a = (const void *)at;
		assert_true(a->nla_len >= sizeof(*a));
		assert_true(at + a->nla_len <= end);
		assert_true(out.n < sizeof(out.a) / sizeof(out.a[0]));
		out.a[out.n++] = a;
		at += MNL_ALIGN(a->nla_len);
	}
	return out;
}

static uint16_t type_of(const struct nlattr *a)
{
	return a->nla_type & NLA_TYPE_MASK;
}

static struct attrs inside(const struct nlattr *nest)
{
	return read_attrs(mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest));
}

static const struct nlattr *find(const struct attrs *attrs, uint16_t type)
{
	for (size_t i = 0; i < attrs->n; i++) {
		if (type_of(attrs->a[i]) == type)
			return attrs->a[i];
	}
	return NULL;
}

/* What a kernel would make of the messages: WGDEVICE_F_REPLACE_PEERS and the like carried out */
struct sink {
	struct wg_device dev;
	size_t n_messages, largest;
	size_t n_replace_peers, n_private_keys;
	size_t n_replace_ips, n_removed;
	size_t n_update_only;
};

static struct wg_peer *sink_peer(struct sink *s, const struct nlattr *key)
{
	assert_non_null(key);
	assert_int_equal(mnl_attr_get_payload_len(key), KEY_LEN);
	struct wg_peer *last = s->dev.n_peers ? &s->dev.peers[s->dev.n_peers - 1] : NULL;
	if (last && memcmp(last->public_key.bytes, mnl_attr_get_payload(key), KEY_LEN) == 0)
		return last;
	struct wg_peer *peer = wg_device_add_peer(&s->dev);
	assert_non_null(peer);
	memcpy(peer->public_key.bytes, mnl_attr_get_payload(key), KEY_LEN);
	return peer;
}

static void sink_allowed_ip(struct wg_peer *peer, const struct nlattr *nest)
{
	struct attrs attrs = inside(nest);
	struct addr prefix = { 0 };
	bool is_remove = find(&attrs, 4) != NULL; /* WGALLOWEDIP_A_FLAGS */

	prefix.family = (uint8_t)mnl_attr_get_u16(find(&attrs, WGALLOWEDIP_A_FAMILY));
	prefix.bits = mnl_attr_get_u8(find(&attrs, WGALLOWEDIP_A_CIDR_MASK));
	const struct nlattr *ip = find(&attrs, WGALLOWEDIP_A_IPADDR);
	assert_int_equal(mnl_attr_get_payload_len(ip), addr_len(&prefix));
	memcpy(prefix.bytes, mnl_attr_get_payload(ip), addr_len(&prefix));
	if (is_remove)
		assert_int_equal(mnl_attr_get_u32(find(&attrs, 4)), 1);
	assert_return_code(wg_peer_add_allowed_ip(peer, &prefix, is_remove), 0);
}

static void sink_one_peer(struct sink *s, const struct nlattr *nest)
{
	struct attrs attrs = inside(nest);
	struct wg_peer *peer = sink_peer(s, find(&attrs, WGPEER_A_PUBLIC_KEY));
	const struct nlattr *a = find(&attrs, WGPEER_A_FLAGS);

	if (a && mnl_attr_get_u32(a) == WGPEER_F_REMOVE_ME) {
		assert_int_equal(attrs.n, 2); /* and nothing else than its key */
		s->n_removed++;
	} else if (a) {
		const uint32_t flags = mnl_attr_get_u32(a);
		assert_int_equal(flags & ~(WGPEER_F_REPLACE_ALLOWEDIPS | WGPEER_F_UPDATE_ONLY), 0);
		assert_int_equal(peer->n_allowed_ips, 0); /* else it would forget some */
		s->n_replace_ips += (flags & WGPEER_F_REPLACE_ALLOWEDIPS) != 0;
		s->n_update_only += (flags & WGPEER_F_UPDATE_ONLY) != 0;
	}
	a = find(&attrs, WGPEER_A_PRESHARED_KEY);
	if (a) {
		peer->has_preshared_key = true;
		memcpy(peer->preshared_key.bytes, mnl_attr_get_payload(a), KEY_LEN);
	}
	a = find(&attrs, WGPEER_A_ENDPOINT);
	if (a)
		memcpy(&peer->endpoint, mnl_attr_get_payload(a), mnl_attr_get_payload_len(a));
	a = find(&attrs, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL);
	if (a) {
		peer->has_keepalive = true;
		peer->keepalive = mnl_attr_get_u16(a);
	}
	a = find(&attrs, WGPEER_A_ALLOWEDIPS);
	if (!a)
		return;
	struct attrs ips = inside(a);
	for (size_t i = 0; i < ips.n; i++)
		sink_allowed_ip(peer, ips.a[i]);
}

static void sink_message(struct sink *s, struct nl_msg *m)
{
	const struct nlmsghdr *h = nl_msg_hdr(m);
	const struct genlmsghdr *g = mnl_nlmsg_get_payload(h);
	const size_t head = sizeof(*h) + sizeof(*g);

	assert_int_equal(h->nlmsg_type, FAMILY);
	assert_int_equal(g->cmd, WG_CMD_SET_DEVICE);
	assert_true(h->nlmsg_len <= NL_MSG_MAX);
	s->largest = h->nlmsg_len > s->largest ? h->nlmsg_len : s->largest;
	s->n_messages++;

	struct attrs attrs = read_attrs(m->buf + head, h->nlmsg_len - head);
	assert_string_equal(mnl_attr_get_str(find(&attrs, WGDEVICE_A_IFNAME)), "wg0");
	const struct nlattr *a = find(&attrs, WGDEVICE_A_FLAGS);
	if (a) {
		assert_int_equal(mnl_attr_get_u32(a), WGDEVICE_F_REPLACE_PEERS);
		s->n_replace_peers++;
	}
	if (find(&attrs, WGDEVICE_A_PRIVATE_KEY))
		s->n_private_keys++;
	a = find(&attrs, WGDEVICE_A_PEERS);
	if (!a)
		return;
	struct attrs peers = inside(a);
	for (size_t i = 0; i < peers.n; i++)
		sink_one_peer(s, peers.a[i]);
}

static void send_all(const struct wg_device *dev, bool should_replace_peers, struct sink *s)
{
	struct wgnl_cursor cursor = { 0 };
	struct nl_msg m;
	int more;

	do {
		memset(&m, 0xa5, sizeof(m));
		more = wgnl_build_set(&m, FAMILY, dev, should_replace_peers, &cursor);
		assert_true(more == 0 || more == 1);
		sink_message(s, &m);
		assert_true(s->n_messages < 10000);
	} while (more);
}

static void fill_key(struct key *key, uint8_t kind, size_t number)
{
	memset(key, kind, sizeof(*key));
	memcpy(key->bytes, &number, sizeof(number));
}

static void add_ips(struct wg_peer *peer, size_t n, uint8_t family)
{
	for (size_t i = 0; i < n; i++) {
		struct addr a = { .family = family, .bits = family == AF_INET ? 32 : 128 };
		uint32_t number = htonl((uint32_t)i + 1);
		memcpy(a.bytes + addr_len(&a) - 4, &number, 4);
		a.bytes[0] |= family == AF_INET ? 10 : 0xfd;
		assert_return_code(wg_peer_add_allowed_ip(peer, &a, false), 0);
	}
}

static struct wg_peer *add_peer(struct wg_device *dev, size_t number)
{
	struct wg_peer *peer = wg_device_add_peer(dev);

	assert_non_null(peer);
	fill_key(&peer->public_key, 0x11, number);
	return peer;
}

static void assert_same_peers(const struct wg_device *a, const struct wg_device *b)
{
	assert_int_equal(a->n_peers, b->n_peers);
	for (size_t i = 0; i < a->n_peers; i++) {
		const struct wg_peer *p = &a->peers[i], *q = &b->peers[i];
		assert_memory_equal(&p->public_key, &q->public_key, KEY_LEN);
		assert_int_equal(p->has_preshared_key, q->has_preshared_key);
		assert_memory_equal(&p->preshared_key, &q->preshared_key, KEY_LEN);
		assert_memory_equal(&p->endpoint, &q->endpoint, sizeof(p->endpoint));
		assert_int_equal(p->keepalive, q->keepalive);
		assert_int_equal(p->has_keepalive, q->has_keepalive);
		assert_int_equal(p->n_allowed_ips, q->n_allowed_ips);
		for (size_t j = 0; j < p->n_allowed_ips; j++) {
			assert_true(
				addr_equal(&p->allowed_ips[j].prefix, &q->allowed_ips[j].prefix));
			assert_int_equal(p->allowed_ips[j].is_remove, q->allowed_ips[j].is_remove);
		}
	}
}

static void set_endpoint(struct wg_peer *peer, const char *host)
{
	assert_return_code(wg_endpoint_numeric(host, "51820", &peer->endpoint), 0);
}

static void test_build_all_settings(void **state)
{
	struct wg_device dev = { .name = "wg0",
				 .has_private_key = true,
				 .has_listen_port = true,
				 .listen_port = 51820,
				 .has_fwmark = true,
				 .fwmark = 0xca6c };
	struct sink s = { 0 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct wg_peer *peer = add_peer(&dev, i);
		peer->has_preshared_key = true;
		fill_key(&peer->preshared_key, 0x22, i);
		peer->has_keepalive = true;
		peer->keepalive = 25;
		set_endpoint(peer, i ? "2001:db8::1" : "192.0.2.1");
		add_ips(peer, 2, i ? AF_INET6 : AF_INET);
	}
	dev.peers[1].is_incremental = true;
	dev.peers[1].is_update_only = true;
	dev.peers[1].allowed_ips[1].is_remove = true;
	send_all(&dev, true, &s);
	assert_same_peers(&dev, &s.dev);
	assert_int_equal(s.n_messages, 1);
	assert_int_equal(s.n_replace_peers, 1);
	assert_int_equal(s.n_private_keys, 1);
	assert_int_equal(s.n_replace_ips, 1); /* not the incremental one */
	assert_int_equal(s.n_update_only, 1);
	wg_device_free(&s.dev);
	wg_device_free(&dev);
}

static void test_build_a_peer_that_goes(void **state)
{
	struct wg_device dev = { .name = "wg0" };
	struct sink s = { 0 };

	(void)state;
	add_peer(&dev, 1)->should_remove = true;
	send_all(&dev, false, &s);
	assert_int_equal(s.n_removed, 1);
	assert_int_equal(s.n_replace_ips + s.n_replace_peers, 0);
	wg_device_free(&s.dev);
	wg_device_free(&dev);
}

static void test_build_without_peers(void **state)
{
	struct wg_device dev = { .name = "wg0", .has_listen_port = true };
	struct sink s = { 0 };

	(void)state;
	send_all(&dev, false, &s);
	assert_int_equal(s.n_messages, 1);
	assert_int_equal(s.n_replace_peers, 0);
	assert_int_equal(s.n_private_keys, 0);
	assert_int_equal(s.dev.n_peers, 0);
}

static void test_build_peer_of_5000_ips(void **state)
{
	struct wg_device dev = { .name = "wg0", .has_private_key = true };
	struct sink s = { 0 };

	(void)state;
	add_peer(&dev, 0);
	add_ips(&dev.peers[0], 5000, AF_INET6);
	add_peer(&dev, 1);
	add_ips(&dev.peers[1], 3, AF_INET);
	send_all(&dev, true, &s);
	assert_same_peers(&dev, &s.dev);
	assert_true(s.n_messages > 1);
	assert_int_equal(s.n_replace_peers, 1);
	assert_int_equal(s.n_private_keys, 1);
	assert_int_equal(s.n_replace_ips, 2); /* once for each peer */
	wg_device_free(&s.dev);
	wg_device_free(&dev);
}

static void test_build_10000_peers(void **state)
{
	struct wg_device dev = { .name = "wg0" };
	struct sink s = { 0 };

	(void)state;
	for (size_t i = 0; i < 10000; i++) {
		add_ips(add_peer(&dev, i), 1 + i % 3, i % 2 ? AF_INET : AF_INET6);
		if (i % 5 == 0)
			set_endpoint(&dev.peers[i], "192.0.2.1");
	}
	send_all(&dev, true, &s);
	assert_same_peers(&dev, &s.dev);
	assert_int_equal(s.n_replace_peers, 1);
	assert_int_equal(s.n_replace_ips, 10000);
	/* every message is used: no more of them than the bytes need, and one */
	assert_true(s.n_messages <= 10000 * 160 / (NL_MSG_MAX - 160) + 1);
	wg_device_free(&s.dev);
	wg_device_free(&dev);
}

/* every length around the limit, in steps of the smallest attribute, so that one message is exactly full */
static void test_build_at_the_boundary(void **state)
{
	bool was_full = false;

	(void)state;
	for (size_t n_v6 = 0; n_v6 < 8; n_v6++) {
		for (size_t n_v4 = 560; n_v4 < 600; n_v4++) {
			struct wg_device dev = { .name = "wg0" };
			struct sink s = { 0 };
			add_ips(add_peer(&dev, 0), n_v6, AF_INET6);
			add_ips(&dev.peers[0], n_v4, AF_INET);
			add_ips(add_peer(&dev, 1), 1, AF_INET);
			add_peer(&dev, 2);
			send_all(&dev, false, &s);
			assert_same_peers(&dev, &s.dev);
			assert_int_equal(s.n_replace_ips, 3);
			was_full = was_full || s.largest == NL_MSG_MAX;
			wg_device_free(&s.dev);
			wg_device_free(&dev);
		}
	}
	assert_true(was_full);
}

/* ---- replies ---- */

/* a reply of the kernel: the builder's messages have the same form apart from what only it knows */
static struct nl_msg *as_replies(const struct wg_device *dev, size_t *n)
{
	struct wgnl_cursor cursor = { 0 };
	struct nl_msg *all = NULL;
	int more;

	*n = 0;
	do {
		all = reallocarray(all, *n + 1, sizeof(*all));
		assert_non_null(all);
		more = wgnl_build_set(&all[(*n)++], FAMILY, dev, false, &cursor);
		assert_true(more >= 0);
	} while (more);
	return all;
}

static void test_parse_joins_continued_peers(void **state)
{
	struct wg_device dev = {
		.name = "wg0", .has_private_key = true, .has_listen_port = true, .listen_port = 4711
	};
	struct wg_device got = { 0 };
	struct err e;
	size_t n;

	(void)state;
	fill_key(&dev.private_key, 0x33, 1);
	for (size_t i = 0; i < 10000; i++)
		add_ips(add_peer(&dev, i), i == 77 ? 5000 : 1, AF_INET);
	set_endpoint(&dev.peers[77], "2001:db8::1");
	dev.peers[77].has_preshared_key = true;
	fill_key(&dev.peers[77].preshared_key, 0x44, 1);
	struct nl_msg *all = as_replies(&dev, &n);
	assert_true(n > 10);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(wgnl_parse(nl_msg_hdr(&all[i]), &got, &e), 0);
	assert_same_peers(&dev, &got);
	assert_string_equal(got.name, "wg0");
	assert_memory_equal(&got.private_key, &dev.private_key, KEY_LEN);
	assert_int_equal(got.listen_port, 4711);
	assert_false(got.has_fwmark);
	free(all);
	wg_device_free(&got);
	wg_device_free(&dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build_all_settings),
		cmocka_unit_test(test_build_a_peer_that_goes),
		cmocka_unit_test(test_build_without_peers),
		cmocka_unit_test(test_build_peer_of_5000_ips),
		cmocka_unit_test(test_build_10000_peers),
		cmocka_unit_test(test_build_at_the_boundary),
		cmocka_unit_test(test_parse_joins_continued_peers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
