// SPDX-License-Identifier: GPL-2.0-or-later
/* wireless uplinks: once a phy, with all that is on it, or not at all; and which device is which afterwards */
#include <linux/nl80211.h>
#include <net/if_arp.h>

#include "plan_fixture.h"
#include "wgns/snapshot.h"

static struct host_device *add_wifi(struct fixture *f, const char *name, uint32_t phy)
{
	struct rtnl_link *link = add_link(f, name, "");
	struct host_device *dev = &f->devices[link - f->links];

	link->has_parent_device = true;
	dev->is_wireless = true;
	dev->wireless_type = NL80211_IFTYPE_STATION;
	dev->phy = (struct nl80211_phy){ .is_there = true, .index = phy, .can_move = true };
	(void)snprintf(dev->phy.name, sizeof(dev->phy.name), "phy%u", phy);
	/* as the kernel says of every wireless device */
	strcpy(dev->immutable, "The interface netns is immutable");
	return dev;
}

/* the steps that move devices, or have to do with them, one a line */
static void moves(const struct plan *p, char *out, size_t cap)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < p->n; i++) {
		const char *text = p->steps[i].text;
		if (strncmp(text, "link.move", 9) == 0 || strncmp(text, "link.restore", 12) == 0 ||
		    strncmp(text, "phy.move", 8) == 0)
			used += (size_t)snprintf(out + used, cap - used, "%s\n", text);
		assert_true(used < cap);
	}
}

static size_t count_warnings(const struct plan *p, const char *part)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_warnings; i++)
		n += strstr(p->warnings[i], part) != NULL;
	return n;
}

static void end(struct fixture *f, struct plan *p)
{
	plan_free(p);
	free(f);
}

static void test_each_phy_moves_once_with_its_devices(void **state)
{
	struct fixture *f = laptop();
	struct plan p;
	struct err e;
	char text[1024];

	(void)state;
	add_wifi(f, "wlan0", 3);
	add_wifi(f, "wlan1", 0);
	add_wifi(f, "mon0", 3);
	struct rtnl_link *vlan = add_link(f, "mon0.5", "vlan");
	vlan->lower = 5;
	assert_int_equal(plan(f, &p, &e), 0);
	moves(&p, text, sizeof(text));
	assert_string_equal(text, "link.move eth0 -> physical\n"
				  "phy.move phy3 -> physical: phy#3 with wlan0, mon0\n"
				  "phy.move phy0 -> physical: phy#0 with wlan1\n"
				  "link.move mon0.5 -> physical\n"
				  "link.restore eth0 in physical\n"
				  "link.restore wlan0 in physical\n"
				  "link.restore wlan1 in physical\n"
				  "link.restore mon0 in physical\n"
				  "link.restore mon0.5 in physical\n");
	end(f, &p);
}

static void test_what_is_on_a_named_ones_phy_goes_along(void **state)
{
	struct fixture *f = laptop();
	struct plan p;
	struct err e;
	char text[512];

	(void)state;
	add_wifi(f, "ap0", 1);
	add_wifi(f, "wlan0", 1);
	f->named[0] = (char *)(uintptr_t) "wlan0";
	f->rq.uplinks = f->named;
	f->rq.n_uplinks = 1;
	assert_int_equal(plan(f, &p, &e), 0);
	moves(&p, text, sizeof(text));
	assert_string_equal(text, "phy.move phy1 -> physical: phy#1 with ap0, wlan0\n"
				  "link.restore wlan0 in physical\n"
				  "link.restore ap0 in physical\n");
	/* eth0 was left at home on purpose, and ap0 was not */
	assert_int_equal(count_warnings(&p, "eth0 stays in home"), 1);
	assert_int_equal(count_warnings(&p, "ap0 stays"), 0);
	plan_free(&p);

	/* it cannot stay behind, so what forbids it forbids all */
	struct rtnl_link *bridge = add_link(f, "br0", "bridge");
	f->links[2].master = bridge->ifindex;
	assert_int_equal(plan(f, &p, &e), -EOPNOTSUPP);
	assert_int_equal(e.kind, ERR_KIND_MACHINE);
	assert_string_equal(e.text, "ap0 cannot move to physical: it belongs to bridge br0");
	end(f, &p);
}

static void test_a_driver_that_cannot_is_named(void **state)
{
	struct fixture *f = laptop();
	struct plan p;
	struct err e;

	(void)state;
	struct host_device *dev = add_wifi(f, "wlan0", 0);
	dev->phy.can_move = false;
	assert_int_equal(plan(f, &p, &e), -EOPNOTSUPP);
	assert_int_equal(e.kind, ERR_KIND_MACHINE);
	assert_string_equal(e.text,
			    "wlan0 cannot move to physical: the driver of its phy phy0 cannot "
			    "change namespaces (no set_wiphy_netns in `iw phy`)");
	assert_string_equal(e.hint, "name other uplinks with --uplink");
	/* its phy is in another namespace, or the kernel does not tell of it */
	dev->phy.is_there = false;
	assert_int_equal(plan(f, &p, &e), -EOPNOTSUPP);
	assert_non_null(
		strstr(e.text, "wlan0 cannot move to physical: it is wireless, and its phy"));
	end(f, &p);
}

/* a step is cut into words: whoever names a phy does not name a step */
static void test_the_name_of_a_phy_is_one_word(void **state)
{
	struct fixture *f = laptop();
	struct plan p;
	struct err e;
	char text[512];

	(void)state;
	struct host_device *dev = add_wifi(f, "wlan0", 7);
	strcpy(dev->phy.name, "a -> b: phy#9\n");
	assert_int_equal(plan(f, &p, &e), 0);
	moves(&p, text, sizeof(text));
	assert_non_null(strstr(text, "phy.move a?-??b??phy?9? -> physical: phy#7 with wlan0\n"));
	end(f, &p);
}

static void test_a_radio_that_is_off_and_a_network_that_is_left(void **state)
{
	struct fixture *f = laptop();
	struct plan p;
	struct err e;

	(void)state;
	struct host_device *dev = add_wifi(f, "wlan0", 0);
	struct host_device *monitor = add_wifi(f, "mon0", 0);
	dev->is_radio_off = monitor->is_radio_off = true;
	monitor->wireless_type = NL80211_IFTYPE_MONITOR;
	f->links[2].operstate = f->links[3].operstate = 6; /* IF_OPER_UP */
	f->rq.agent = AGENT_NONE; /* as the user wants it */
	assert_int_equal(plan(f, &p, &e), 0);
	assert_int_equal(count_warnings(&p, "the radio of phy0 is off: `rfkill unblock wlan`"), 1);
	assert_int_equal(count_warnings(&p, "wlan0 leaves its wireless network"), 1);
	assert_int_equal(count_warnings(&p, "mon0 leaves"), 0);
	plan_free(&p);
	dev->is_radio_locked = monitor->is_radio_locked = true;
	assert_int_equal(plan(f, &p, &e), 0);
	assert_int_equal(count_warnings(&p, "by a switch of the machine"), 1);
	assert_int_equal(count_warnings(&p, "unblock"), 0);
	end(f, &p);
}

static void test_a_network_that_nobody_would_join_again_is_kept(void **state)
{
	struct fixture *f = laptop();
	struct plan p;
	struct err e;

	(void)state;
	struct host_device *dev = add_wifi(f, "wlan0", 0);
	f->links[2].operstate = 6; /* IF_OPER_UP */
	assert_int_equal(plan(f, &p, &e), -ENOENT);
	assert_int_equal(e.kind, ERR_KIND_MACHINE);
	assert_non_null(strstr(e.text, "wlan0 is associated"));
	dev->wireless_type = NL80211_IFTYPE_AP;
	assert_int_equal(plan(f, &p, &e), 0);
	assert_int_equal(count_warnings(&p, "wireless network"), 0);
	end(f, &p);
}

/* devices of one phy have one permanent address where the card has only one */
static void test_devices_of_one_phy_are_told_apart(void **state)
{
	static const uint8_t card[] = { 2, 0, 0, 0, 0, 1 };
	struct rtnl_link wlan = { .ifindex = 3, .name = "wlan0", .type = ARPHRD_ETHER };
	struct rtnl_link now[2];
	struct rtnl_links there = { now, 2 };

	(void)state;
	memcpy(wlan.permaddr, card, sizeof(card));
	memcpy(wlan.hwaddr, card, sizeof(card));
	wlan.permaddr_len = wlan.hwaddr_len = sizeof(card);
	struct rtnl_link monitor = wlan, ap = wlan;
	strcpy(monitor.name, "mon0");
	monitor.type = ARPHRD_IEEE80211_RADIOTAP;
	strcpy(ap.name, "ap0");
	ap.hwaddr[5] = 2;

	now[0] = monitor;
	now[1] = wlan;
	strcpy(now[1].name, "wlan7");
	assert_ptr_equal(snapshot_find_link(&there, &wlan), &now[1]);
	assert_ptr_equal(snapshot_find_link(&there, &monitor), &now[0]);
	now[0] = ap;
	strcpy(now[0].name, "wlan8");
	assert_ptr_equal(snapshot_find_link(&there, &wlan), &now[1]);
	assert_ptr_equal(snapshot_find_link(&there, &ap), &now[0]);
	/* made a monitor meanwhile it is the card all the same */
	there.n = 1;
	now[0] = monitor;
	assert_ptr_equal(snapshot_find_link(&there, &wlan), &now[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_phy_moves_once_with_its_devices),
		cmocka_unit_test(test_what_is_on_a_named_ones_phy_goes_along),
		cmocka_unit_test(test_a_driver_that_cannot_is_named),
		cmocka_unit_test(test_the_name_of_a_phy_is_one_word),
		cmocka_unit_test(test_a_radio_that_is_off_and_a_network_that_is_left),
		cmocka_unit_test(test_a_network_that_nobody_would_join_again_is_kept),
		cmocka_unit_test(test_devices_of_one_phy_are_told_apart),
	};

	return cmocka_run_group_tests_name("plan_wireless", tests, NULL, NULL);
}
