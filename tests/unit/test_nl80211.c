// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/nl80211.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wgns/nl80211.h"

#define FAMILY 0x1d

/* one part of what a phy says of itself; the list of commands ends with 0 */
static struct nlmsghdr *part(struct nl_msg *m, uint32_t index, const char *name,
			     const uint32_t *commands)
{
	struct nlmsghdr *h = nl_msg_hdr(m);

	nl_msg_begin(m, FAMILY, 0, sizeof(struct genlmsghdr));
	mnl_attr_put_u32(h, NL80211_ATTR_WIPHY, index);
	mnl_attr_put_strz(h, NL80211_ATTR_WIPHY_NAME, name);
	if (!commands)
		return h;
	struct nlattr *list = mnl_attr_nest_start(h, NL80211_ATTR_SUPPORTED_COMMANDS);
	for (uint16_t i = 0; commands[i]; i++)
		mnl_attr_put_u32(h, i, commands[i]);
	mnl_attr_nest_end(h, list);
	return h;
}

static const uint32_t movable[] = { NL80211_CMD_NEW_INTERFACE, NL80211_CMD_SET_WIPHY_NETNS, 0 };
static const uint32_t fixed[] = { NL80211_CMD_NEW_INTERFACE, NL80211_CMD_SET_CHANNEL, 0 };

static void test_request_names_the_phy(void **state)
{
	const struct nlattr *tb[NL80211_ATTR_SPLIT_WIPHY_DUMP + 1];
	struct nl_msg m;
	uint32_t index;

	(void)state;
	nl80211_build_find_phy(&m, FAMILY, 7);
	const struct nlmsghdr *h = nl_msg_hdr(&m);
	const struct genlmsghdr *g = mnl_nlmsg_get_payload(h);
	assert_int_equal(h->nlmsg_type, FAMILY);
	assert_true(h->nlmsg_flags & NLM_F_DUMP);
	assert_int_equal(g->cmd, NL80211_CMD_GET_WIPHY);
	assert_int_equal(nl_attr_table(h, sizeof(*g), tb, NL80211_ATTR_SPLIT_WIPHY_DUMP), 0);
	assert_true(nl_attr_u32(tb[NL80211_ATTR_WIPHY], &index));
	assert_int_equal(index, 7);
	assert_non_null(tb[NL80211_ATTR_SPLIT_WIPHY_DUMP]);
	assert_int_equal(mnl_attr_get_payload_len(tb[NL80211_ATTR_SPLIT_WIPHY_DUMP]), 0);
}

static void test_a_phy_in_parts(void **state)
{
	struct nl80211_phy phy = { 0 };
	struct nl_msg m;
	struct err e;

	(void)state;
	assert_int_equal(nl80211_parse_phy(part(&m, 3, "phy3", NULL), &phy, &e), 0);
	assert_true(phy.is_there);
	assert_false(phy.can_move);
	assert_int_equal(nl80211_parse_phy(part(&m, 3, "phy3", movable), &phy, &e), 0);
	assert_true(phy.can_move);
	/* a part that comes later says nothing of commands */
	assert_int_equal(nl80211_parse_phy(part(&m, 3, "phy3", NULL), &phy, &e), 0);
	assert_true(phy.can_move);
	assert_int_equal(phy.index, 3);
	assert_string_equal(phy.name, "phy3");
}

static void test_a_phy_that_stays(void **state)
{
	struct nl80211_phy phy = { 0 };
	struct nl_msg m;
	struct err e;

	(void)state;
	assert_int_equal(nl80211_parse_phy(part(&m, 0, "phy0", fixed), &phy, &e), 0);
	assert_true(phy.is_there);
	assert_false(phy.can_move);
}

/* kernels before 3.10 pass over the filter and tell of all */
static void test_another_phy_does_not_count(void **state)
{
	struct nl80211_phy phy = { 0 };
	struct nl_msg m;
	struct err e;

	(void)state;
	assert_int_equal(nl80211_parse_phy(part(&m, 0, "phy0", fixed), &phy, &e), 0);
	assert_int_equal(nl80211_parse_phy(part(&m, 1, "phy1", movable), &phy, &e), 0);
	assert_string_equal(phy.name, "phy0");
	assert_false(phy.can_move);
}

static void test_damage_is_refused(void **state)
{
	struct nl80211_phy phy = { 0 };
	struct nl_msg m;
	struct err e;

	(void)state;
	nl_msg_begin(&m, FAMILY, 0, sizeof(struct genlmsghdr));
	assert_int_equal(nl80211_parse_phy(nl_msg_hdr(&m), &phy, &e), -EBADMSG);
	assert_false(phy.is_there);

	/* a command of two bytes */
	struct nlmsghdr *h = part(&m, 0, "phy0", NULL);
	struct nlattr *list = mnl_attr_nest_start(h, NL80211_ATTR_SUPPORTED_COMMANDS);
	mnl_attr_put_u16(h, 0, NL80211_CMD_SET_WIPHY_NETNS);
	mnl_attr_nest_end(h, list);
	assert_int_equal(nl80211_parse_phy(h, &phy, &e), -EBADMSG);
	assert_false(phy.can_move);

	/* a list that ends inside of a command */
	h = part(&m, 0, "phy0", NULL);
	mnl_attr_put(h, NL80211_ATTR_SUPPORTED_COMMANDS, 6, "\x0c\0\0\0\x31\0");
	assert_int_equal(nl80211_parse_phy(h, &phy, &e), -EBADMSG);

	/* a name that is longer than there is room for is cut, not refused */
	char name[200];
	memset(name, 'p', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(nl80211_parse_phy(part(&m, 0, name, NULL), &phy, &e), 0);
	assert_int_equal(strlen(phy.name), NL80211_NAME_MAX - 1);
}

/* what the kernel says of a device; NULL for one without a network device */
static struct nlmsghdr *wdev(struct nl_msg *m, uint32_t phy, uint64_t id, const char *name,
			     uint32_t ifindex)
{
	struct nlmsghdr *h = nl_msg_hdr(m);

	nl_msg_begin(m, FAMILY, 0, sizeof(struct genlmsghdr));
	mnl_attr_put_u32(h, NL80211_ATTR_WIPHY, phy);
	mnl_attr_put_u32(h, NL80211_ATTR_IFTYPE, NL80211_IFTYPE_STATION);
	if (name) {
		mnl_attr_put_u32(h, NL80211_ATTR_IFINDEX, ifindex);
		mnl_attr_put_strz(h, NL80211_ATTR_IFNAME, name);
	}
	mnl_attr_put_u64(h, NL80211_ATTR_WDEV, id);
	return h;
}

static void test_devices_of_phys(void **state)
{
	struct nl80211_wdevs list = { 0 };
	struct nl_msg m;
	struct err e;

	(void)state;
	nl80211_build_get_wdevs(&m, FAMILY);
	const struct genlmsghdr *g = mnl_nlmsg_get_payload(nl_msg_hdr(&m));
	assert_true(nl_msg_hdr(&m)->nlmsg_flags & NLM_F_DUMP);
	assert_int_equal(g->cmd, NL80211_CMD_GET_INTERFACE);

	assert_int_equal(nl80211_parse_wdev(wdev(&m, 3, 0x300000001, "wlan0", 7), &list, &e), 0);
	/* a P2P device of the same phy goes along unseen */
	assert_int_equal(nl80211_parse_wdev(wdev(&m, 3, 0x300000002, NULL, 0), &list, &e), 0);
	assert_int_equal(nl80211_parse_wdev(wdev(&m, 4, 0x400000001, "wlan1", 9), &list, &e), 0);
	assert_int_equal(list.n, 2);
	assert_null(nl80211_wdevs_find(&list, 8));
	const struct nl80211_wdev *found = nl80211_wdevs_find(&list, 9);
	assert_ptr_equal(found, &list.items[1]);
	assert_string_equal(found->name, "wlan1");
	assert_int_equal(found->phy, 4);
	assert_true(found->id == 0x400000001);
	assert_int_equal(found->type, NL80211_IFTYPE_STATION);
	nl80211_wdevs_free(&list);
	assert_int_equal(list.n, 0);
}

static void test_damaged_devices_are_refused(void **state)
{
	struct nl80211_wdevs list = { 0 };
	struct nl_msg m;
	struct err e;

	(void)state;
	nl_msg_begin(&m, FAMILY, 0, sizeof(struct genlmsghdr));
	mnl_attr_put_u32(nl_msg_hdr(&m), NL80211_ATTR_WIPHY, 3);
	assert_int_equal(nl80211_parse_wdev(nl_msg_hdr(&m), &list, &e), -EBADMSG);
	mnl_attr_put_u32(nl_msg_hdr(&m), NL80211_ATTR_WDEV, 1); /* half of the number */
	assert_int_equal(nl80211_parse_wdev(nl_msg_hdr(&m), &list, &e), -EBADMSG);
	assert_int_equal(nl80211_parse_wdev(wdev(&m, 3, 1, "wlan0", 0), &list, &e), -EBADMSG);
	assert_int_equal(nl80211_parse_wdev(wdev(&m, 3, 1, "wlan0", 0x80000000), &list, &e),
			 -EBADMSG);
	/* a number without a name */
	struct nlmsghdr *h = wdev(&m, 3, 1, NULL, 0);
	mnl_attr_put_u32(h, NL80211_ATTR_IFINDEX, 7);
	assert_int_equal(nl80211_parse_wdev(h, &list, &e), -EBADMSG);
	assert_int_equal(list.n, 0);

	/* no machine has so many */
	int rc = 0;
	for (uint32_t i = 1; i <= 5000 && rc == 0; i++)
		rc = nl80211_parse_wdev(wdev(&m, 3, i, "wlan0", i), &list, &e);
	assert_int_equal(rc, -EBADMSG);
	nl80211_wdevs_free(&list);
}

static void test_a_move_names_phy_and_namespace(void **state)
{
	const struct nlattr *tb[NL80211_ATTR_NETNS_FD + 1];
	struct nl_msg m;
	uint32_t phy, ns_fd;

	(void)state;
	nl80211_build_move(&m, FAMILY, 3, 11);
	const struct nlmsghdr *h = nl_msg_hdr(&m);
	const struct genlmsghdr *g = mnl_nlmsg_get_payload(h);
	assert_int_equal(g->cmd, NL80211_CMD_SET_WIPHY_NETNS);
	assert_int_equal(nl_attr_table(h, sizeof(*g), tb, NL80211_ATTR_NETNS_FD), 0);
	assert_true(nl_attr_u32(tb[NL80211_ATTR_WIPHY], &phy));
	assert_true(nl_attr_u32(tb[NL80211_ATTR_NETNS_FD], &ns_fd));
	assert_int_equal(phy, 3);
	assert_int_equal(ns_fd, 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_names_the_phy),
		cmocka_unit_test(test_a_phy_in_parts),
		cmocka_unit_test(test_a_phy_that_stays),
		cmocka_unit_test(test_another_phy_does_not_count),
		cmocka_unit_test(test_damage_is_refused),
		cmocka_unit_test(test_devices_of_phys),
		cmocka_unit_test(test_damaged_devices_are_refused),
		cmocka_unit_test(test_a_move_names_phy_and_namespace),
	};

	return cmocka_run_group_tests_name("nl80211", tests, NULL, NULL);
}
