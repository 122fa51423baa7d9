// SPDX-License-Identifier: GPL-2.0-or-later
/* Parsers: what a message says, and messages that lie. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wgns/rtnl.h"

#include "rtnl_samples.h"

/* a copy of exactly the message's length, so that reading past the end is seen */
static struct nlmsghdr *exact(const struct nl_msg *m, size_t len)
{
	struct nlmsghdr *h = malloc(len);

	assert_non_null(h);
	memcpy(h, m->buf, len);
	h->nlmsg_len = (uint32_t)len;
	return h;
}

static int parse_link(const struct nlmsghdr *msg)
{
	struct rtnl_link link;

	return rtnl_parse_link(msg, &link);
}

static int parse_and_use(enum rtnl_kind kind, const struct nlmsghdr *msg)
{
	struct nl_msg out;
	char text[64];

	rtnl_describe(kind, msg, NULL, text, sizeof(text));
	(void)rtnl_equal(kind, msg, NULL, msg); /* must not read outside, whatever it finds */
	int r = rtnl_build_restore(kind, msg, NULL, true, &out);
	int deleted = rtnl_build_delete(kind, msg, &out);
	assert_int_equal(r == 0 || r == -EALREADY, deleted == 0);
	return r == -EALREADY ? 0 : r;
}

static int use_addr(const struct nlmsghdr *msg)
{
	return parse_and_use(RTNL_ADDR, msg);
}

static int use_route(const struct nlmsghdr *msg)
{
	return parse_and_use(RTNL_ROUTE, msg);
}

static int use_rule(const struct nlmsghdr *msg)
{
	return parse_and_use(RTNL_RULE, msg);
}

static int use_neigh(const struct nlmsghdr *msg)
{
	return parse_and_use(RTNL_NEIGH, msg);
}

static const struct parser {
	void (*build)(struct nl_msg *m);
	int (*use)(const struct nlmsghdr *msg);
	size_t header;
} parsers[] = {
	{ build_link, parse_link, sizeof(struct ifinfomsg) },
	{ build_addr, use_addr, sizeof(struct ifaddrmsg) },
	{ build_route, use_route, sizeof(struct rtmsg) },
	{ build_rule, use_rule, sizeof(struct fib_rule_hdr) },
	{ build_neigh, use_neigh, sizeof(struct ndmsg) },
};
#define N_PARSERS (sizeof(parsers) / sizeof(parsers[0]))

static void test_rtnl_parse_cut_at_every_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_PARSERS; i++) {
		struct nl_msg m;
		parsers[i].build(&m);
		size_t whole = nl_msg_hdr(&m)->nlmsg_len;
		for (size_t len = sizeof(struct nlmsghdr); len <= whole; len++) {
			struct nlmsghdr *h = exact(&m, len);
			int r = parsers[i].use(h);
			if (len < sizeof(struct nlmsghdr) + parsers[i].header)
				assert_int_equal(r, -EINVAL);
			if (len == whole)
				assert_int_equal(r, 0);
			free(h);
		}
	}
}

static void test_rtnl_parse_every_byte_changed(void **state)
{
	(void)state;
	static const uint8_t values[] = { 0x00, 0x01, 0x03, 0x7f, 0x80, 0xff };

	for (size_t i = 0; i < N_PARSERS; i++) {
		struct nl_msg m;
		parsers[i].build(&m);
		size_t whole = nl_msg_hdr(&m)->nlmsg_len;
		for (size_t at = sizeof(struct nlmsghdr); at < whole; at++) {
			for (size_t v = 0; v < sizeof(values); v++) {
				struct nlmsghdr *h = exact(&m, whole);
				((uint8_t *)h)[at] = values[v];
				int r = parsers[i].use(h);
				assert_true(r == 0 || r == -EINVAL);
				free(h);
			}
		}
	}
}

static void test_rtnl_parse_another_type_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_PARSERS; i++) {
		struct nl_msg m;
		parsers[i].build(&m);
		nl_msg_hdr(&m)->nlmsg_type = RTM_NEWQDISC;
		assert_int_equal(parsers[i].use(nl_msg_hdr(&m)), -EINVAL);
	}
}

static void test_rtnl_parse_wrong_lengths_are_refused(void **state)
{
	(void)state;
	static const struct {
		size_t parser;
		uint16_t type, len;
	} cases[] = {
		{ 0, IFLA_MTU, 2 },	     { 0, IFLA_ADDRESS, 33 }, { 0, IFLA_CARRIER, 4 },
		{ 0, IFLA_LINK_NETNSID, 8 }, { 0, IFLA_LINKINFO, 3 }, { 0, IFLA_XDP, 5 },
		{ 0, IFLA_PROP_LIST, 6 },    { 1, IFA_ADDRESS, 4 },   { 1, IFA_FLAGS, 1 },
		{ 1, IFA_CACHEINFO, 15 },    { 2, RTA_DST, 16 },      { 2, RTA_OIF, 2 },
		{ 2, RTA_TABLE, 1 },	     { 2, RTA_MULTIPATH, 7 }, { 2, RTA_MULTIPATH, 8 },
		{ 2, RTA_METRICS, 3 },	     { 2, RTA_VIA, 1 },	      { 2, RTA_VIA, 6 },
		{ 2, RTA_GATEWAY, 16 },	     { 2, RTA_CACHEINFO, 4 }, { 3, FRA_TABLE, 1 },
		{ 3, FRA_PRIORITY, 8 },	     { 4, NDA_DST, 3 },	      { 4, NDA_DST, 16 },
	};
	static const uint8_t zeros[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nl_msg m;
		parsers[cases[i].parser].build(&m);
		/* the last of several counts */
		put(&m, cases[i].type, zeros, cases[i].len);
		struct nlmsghdr *h = exact(&m, nl_msg_hdr(&m)->nlmsg_len);
		if (parsers[cases[i].parser].use(h) != -EINVAL)
			fail_msg("case %zu was taken", i);
		free(h);
	}
}

static void test_rtnl_parse_link_reads_all(void **state)
{
	(void)state;
	struct rtnl_link l;
	struct nl_msg m;

	build_link(&m);
	assert_int_equal(rtnl_parse_link(nl_msg_hdr(&m), &l), 0);
	assert_int_equal(l.ifindex, 7);
	assert_string_equal(l.name, "eth7");
	assert_string_equal(l.kind, "vlan");
	assert_string_equal(l.alias, "the uplink");
	assert_string_equal(l.parent_device, "0000:00:1f.6");
	assert_int_equal(l.n_altnames, 2);
	assert_string_equal(l.altnames[0], "enp0s31f6");
	assert_string_equal(l.altnames[1], "second");
	assert_int_equal(l.mtu, 1420);
	assert_int_equal(l.lower, 2);
	assert_true(l.has_lower_netnsid);
	assert_int_equal(l.lower_netnsid, 3);
	assert_int_equal(l.permaddr_len, 6);
	assert_int_equal(l.permaddr[5], 1);
	assert_int_equal(l.addr_gen_mode, 3);
	assert_true(l.has_carrier && l.has_xdp && l.has_parent_device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rtnl_parse_cut_at_every_byte),
		cmocka_unit_test(test_rtnl_parse_every_byte_changed),
		cmocka_unit_test(test_rtnl_parse_another_type_is_refused),
		cmocka_unit_test(test_rtnl_parse_wrong_lengths_are_refused),
		cmocka_unit_test(test_rtnl_parse_link_reads_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
