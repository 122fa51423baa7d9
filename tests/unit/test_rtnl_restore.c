// SPDX-License-Identifier: GPL-2.0-or-later
/* Builders on values alone: what is sent back of a dump, to the byte. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "wgns/rtnl.h"

#include "rtnl_samples.h"

static void test_rtnl_restore_route_drops_state_and_maps(void **state)
{
	(void)state;
	struct rtnl_ifindex_map map = { .pairs = { { 7, 70 }, { 8, 80 } }, .n = 2 };
	struct rtnl_route r;
	struct nl_msg m, out;

	build_route(&m);
	assert_int_equal(rtnl_build_restore(RTNL_ROUTE, nl_msg_hdr(&m), &map, true, &out), 0);
	assert_int_equal(nl_msg_hdr(&out)->nlmsg_type, RTM_NEWROUTE);
	assert_int_equal(nl_msg_hdr(&out)->nlmsg_flags, NLM_F_CREATE | NLM_F_APPEND);
	assert_int_equal(rtnl_parse_route(nl_msg_hdr(&out), &r), 0);
	assert_int_equal(r.flags, RTNH_F_ONLINK);
	assert_int_equal(r.table, 51820);
	assert_int_equal(r.metric, 100);
	assert_int_equal(r.mtu, 1280);
	assert_int_equal(r.n_oifs, 2);
	assert_int_equal(r.oifs[0], 70);
	assert_int_equal(r.oifs[1], 80);
	assert_true(r.has_prefsrc && memcmp(r.prefsrc.bytes, host_v4, 4) == 0);

	const struct nlattr *tb[RTA_MULTIPATH + 4];
	assert_int_equal(nl_attr_table(nl_msg_hdr(&out), sizeof(struct rtmsg), tb, RTA_CACHEINFO),
			 0);
	assert_null(tb[RTA_CACHEINFO]);
	const struct rtnexthop *hop = mnl_attr_get_payload(tb[RTA_MULTIPATH]);
	assert_int_equal(hop->rtnh_flags, RTNH_F_ONLINK);
	assert_true(rtnl_equal(RTNL_ROUTE, nl_msg_hdr(&m), &map, nl_msg_hdr(&out)));
	assert_false(rtnl_equal(RTNL_ROUTE, nl_msg_hdr(&m), NULL, nl_msg_hdr(&out)));
}

static void test_rtnl_restore_turns_ticks_into_seconds(void **state)
{
	(void)state;
	long hz = sysconf(_SC_CLK_TCK);
	struct {
		int32_t ticks;
		uint32_t seconds;
	} cases[] = {
		{ 0, 0 }, { (int32_t)hz * 600, 600 }, { 1, 1 }, { (int32_t)hz + 1, 2 }, { -5, 1 }
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rta_cacheinfo ci = { .rta_expires = cases[i].ticks };
		const struct nlattr *tb[RTA_EXPIRES + 1];
		uint32_t seconds = 0;
		struct nl_msg m, out;

		struct rtmsg *rtm = nl_msg_begin(&m, RTM_NEWROUTE, 0, sizeof(*rtm));
		rtm->rtm_family = AF_INET6;
		put_u32(&m, RTA_PRIORITY, 1024);
		put(&m, RTA_CACHEINFO, &ci, sizeof(ci));
		assert_int_equal(rtnl_build_restore(RTNL_ROUTE, nl_msg_hdr(&m), NULL, false, &out),
				 0);
		assert_int_equal(nl_attr_table(nl_msg_hdr(&out), sizeof(*rtm), tb, RTA_EXPIRES), 0);
		assert_int_equal(nl_attr_u32(tb[RTA_EXPIRES], &seconds), cases[i].seconds != 0);
		assert_int_equal(seconds, cases[i].seconds);
	}
}

static void test_rtnl_restore_of_a_nexthop_object_has_no_path(void **state)
{
	(void)state;
	const struct nlattr *tb[RTA_NH_ID + 1];
	struct nl_msg m, out;

	build_route(&m);
	put_u32(&m, RTA_OIF, 7);
	put_u32(&m, RTA_NH_ID, 12);
	assert_int_equal(rtnl_build_restore(RTNL_ROUTE, nl_msg_hdr(&m), NULL, false, &out), 0);
	assert_int_equal(nl_msg_hdr(&out)->nlmsg_flags, NLM_F_CREATE | NLM_F_REPLACE);
	assert_int_equal(nl_attr_table(nl_msg_hdr(&out), sizeof(struct rtmsg), tb, RTA_NH_ID), 0);
	assert_non_null(tb[RTA_NH_ID]);
	assert_null(tb[RTA_OIF]);
	assert_null(tb[RTA_MULTIPATH]);
}

static void test_rtnl_restore_addr_golden(void **state)
{
	(void)state;
	/* clang-format off */
	static const uint8_t golden[] = {
		0x58, 0, 0, 0, RTM_NEWADDR, 0, 0x00, 0x06, 0, 0, 0, 0, 0, 0, 0, 0, AF_INET6, 64, 0,
		0, 70, 0, 0, 0, 20, 0, IFA_ADDRESS, 0, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 2, 5, 0, IFA_PROTO, 0, 3, 0, 0, 0, 8, 0, 99, 0, 0x04, 0x03, 0x02, 0x01,
		8, 0, IFA_FLAGS, 0, 0x00, 0x02, 0, 0, 20, 0, IFA_CACHEINFO, 0, 50, 0, 0, 0, 100, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	};
	/* clang-format on */
	struct rtnl_ifindex_map map = { .pairs = { { 7, 70 } }, .n = 1 };
	struct nl_msg m, out;

	memset(&out, 0xee, sizeof(out));
	build_addr(&m);
	assert_int_equal(rtnl_build_restore(RTNL_ADDR, nl_msg_hdr(&m), &map, true, &out), 0);
	assert_int_equal(nl_msg_hdr(&out)->nlmsg_len, sizeof(golden));
	assert_memory_equal(out.buf, golden, sizeof(golden));
}

static void test_rtnl_restore_rule_has_a_priority(void **state)
{
	(void)state;
	const struct nlattr *tb[FRA_PRIORITY + 1];
	struct nl_msg m, out;
	uint32_t priority = 1;

	build_rule(&m);
	assert_int_equal(rtnl_build_restore(RTNL_RULE, nl_msg_hdr(&m), NULL, false, &out), 0);
	const struct fib_rule_hdr *frh = mnl_nlmsg_get_payload(nl_msg_hdr(&out));
	assert_int_equal(frh->flags, FIB_RULE_INVERT);
	assert_int_equal(nl_msg_hdr(&out)->nlmsg_flags, NLM_F_CREATE | NLM_F_EXCL);
	assert_int_equal(nl_attr_table(nl_msg_hdr(&out), sizeof(*frh), tb, FRA_PRIORITY), 0);
	assert_true(nl_attr_u32(tb[FRA_PRIORITY], &priority));
	assert_int_equal(priority, 0);
}

static void test_rtnl_equal_sees_what_differs(void **state)
{
	(void)state;
	struct nl_msg a, b;

	build_addr(&a);
	build_addr(&b);
	struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nl_msg_hdr(&b));
	ifa->ifa_flags = 0;
	struct ifa_cacheinfo ci = { .ifa_valid = 90, .ifa_prefered = 40 };
	const struct nlattr *tb[IFA_CACHEINFO + 1];
	assert_int_equal(nl_attr_table(nl_msg_hdr(&b), sizeof(*ifa), tb, IFA_CACHEINFO), 0);
	size_t at = (size_t)((const char *)tb[IFA_CACHEINFO] - b.buf) + MNL_ATTR_HDRLEN;
	memcpy(b.buf + at, &ci, sizeof(ci));
	assert_true(rtnl_equal(RTNL_ADDR, nl_msg_hdr(&a), NULL, nl_msg_hdr(&b)));

	ci.ifa_valid = UINT32_MAX;
	memcpy(b.buf + at, &ci, sizeof(ci));
	assert_false(rtnl_equal(RTNL_ADDR, nl_msg_hdr(&a), NULL, nl_msg_hdr(&b)));

	build_rule(&a);
	build_rule(&b);
	assert_true(rtnl_equal(RTNL_RULE, nl_msg_hdr(&a), NULL, nl_msg_hdr(&b)));
	put_u32(&b, FRA_FWMARK, 1);
	assert_false(rtnl_equal(RTNL_RULE, nl_msg_hdr(&a), NULL, nl_msg_hdr(&b)));
}

static void test_rtnl_describe_in_words(void **state)
{
	(void)state;
	struct rtnl_link link = { .ifindex = 7, .name = "eth0" };
	struct rtnl_links links = { .items = &link, .n = 1 };
	static const struct {
		enum rtnl_kind kind;
		void (*build)(struct nl_msg *m);
		const char *text;
	} cases[] = {
		{ RTNL_ADDR, build_addr, "2001:db8::2/64 dev eth0" },
		{ RTNL_ROUTE, build_route,
		  "192.0.2.0/24 nexthop via 192.0.2.1 dev eth0 weight 1 nexthop via 192.0.2.1 dev "
		  "if8 "
		  "weight 1 table 51820 src 192.0.2.2 metric 100 mtu 1280" },
		{ RTNL_RULE, build_rule, "not from 192.0.2.0/24 iif eth7 lookup 100 priority 0" },
		{ RTNL_NEIGH, build_neigh, "192.0.2.2 lladdr 02:00:00:00:00:09 dev eth0" },
		{ RTNL_RULE, build_addr, "an entry that cannot be read" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nl_msg m;
		char text[256], cut[9];

		cases[i].build(&m);
		rtnl_describe(cases[i].kind, nl_msg_hdr(&m), &links, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
		rtnl_describe(cases[i].kind, nl_msg_hdr(&m), &links, cut, sizeof(cut));
		assert_int_equal(strlen(cut), sizeof(cut) - 1);
		assert_memory_equal(cut, text, sizeof(cut) - 1);
	}
}

static void test_rtnl_build_link_move_golden(void **state)
{
	(void)state;
	/* clang-format off */
	static const uint8_t golden[] = {
		0x38, 0, 0, 0, RTM_NEWLINK, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 8, 0, IFLA_NET_NS_FD, 0, 9, 0, 0, 0, 8, 0, IFLA_IFNAME, 0,
		'w', 'g', '0', 0, 8, 0, IFLA_NEW_IFINDEX, 0, 42, 0, 0, 0,
	};
	/* clang-format on */
	struct nl_msg m;

	memset(&m, 0xee, sizeof(m));
	rtnl_build_link_move(&m, 7, 9, "wg0", 42);
	assert_int_equal(nl_msg_hdr(&m)->nlmsg_len, sizeof(golden));
	assert_memory_equal(m.buf, golden, sizeof(golden));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rtnl_restore_route_drops_state_and_maps),
		cmocka_unit_test(test_rtnl_restore_turns_ticks_into_seconds),
		cmocka_unit_test(test_rtnl_restore_of_a_nexthop_object_has_no_path),
		cmocka_unit_test(test_rtnl_restore_addr_golden),
		cmocka_unit_test(test_rtnl_restore_rule_has_a_priority),
		cmocka_unit_test(test_rtnl_equal_sees_what_differs),
		cmocka_unit_test(test_rtnl_describe_in_words),
		cmocka_unit_test(test_rtnl_build_link_move_golden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
