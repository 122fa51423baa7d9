// SPDX-License-Identifier: GPL-2.0-or-later
/* which prefixes are the LAN's, which addresses the pair gets, and where the steps stand in a plan */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/veth.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "plan_fixture.h"
#include "wgns/lan.h"

static struct addr prefix(const char *text)
{
	struct addr a = { 0 };

	assert_int_equal(addr_parse_prefix(text, strlen(text), &a), 0);
	return a;
}

static void put_addr(struct rtnl_list *list, int ifindex, const char *text)
{
	struct addr a = prefix(text);
	struct nl_msg m;

	rtnl_build_addr_add(&m, ifindex, &a);
	assert_int_equal(rtnl_list_add(list, nl_msg_hdr(&m)), 0);
}

static void put_route(struct rtnl_list *list, int ifindex, const char *text)
{
	struct addr a = prefix(text);
	struct nl_msg m;

	rtnl_build_route_add(&m, ifindex, &a, RT_TABLE_MAIN);
	assert_int_equal(rtnl_list_add(list, nl_msg_hdr(&m)), 0);
}

static void put_route_via(struct rtnl_list *list, int ifindex, const char *text, const char *via)
{
	struct rtnl_route_via r = { .ifindex = ifindex,
				    .dst = prefix(text),
				    .gateway = prefix(via),
				    .prefsrc = prefix(via),
				    .protocol = LAN_PROTOCOL,
				    .metric = LAN_METRIC };
	struct nl_msg m;

	rtnl_build_route_via(&m, &r);
	assert_int_equal(rtnl_list_add(list, nl_msg_hdr(&m)), 0);
}

static void test_lan_builders(void **state)
{
	struct rtnl_list routes = { 0 };
	struct rtnl_route route;
	struct rtnl_link link;
	struct nl_msg m;

	(void)state;
	put_route_via(&routes, 7, "192.0.2.60/26", "169.254.255.3");
	assert_int_equal(rtnl_parse_route(routes.items[0].msg, &route), 0);
	struct addr dst = prefix("192.0.2.0/26"), gateway = prefix("169.254.255.3");
	assert_true(addr_equal(&route.dst, &dst));
	assert_true(route.has_gateway);
	assert_true(addr_equal(&route.gateway, &gateway));
	assert_int_equal(route.protocol, LAN_PROTOCOL);
	assert_int_equal(route.metric, LAN_METRIC);
	assert_int_equal(route.oifs[0], 7);
	rtnl_list_free(&routes);

	rtnl_build_veth(&m, "one", "two", 5);
	nl_msg_hdr(&m)->nlmsg_type = RTM_NEWLINK;
	struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nl_msg_hdr(&m));
	ifi->ifi_index = 1; /* a dumped one has a number */
	assert_int_equal(rtnl_parse_link(nl_msg_hdr(&m), &link), 0);
	assert_string_equal(link.name, "one");
	assert_string_equal(link.kind, "veth");
}

static void check_on_link(const struct rtnl_list *addrs, const struct rtnl_list *routes,
			  const char *want)
{
	static struct rtnl_link items[] = { { .ifindex = 2, .name = "eth0" },
					    { .ifindex = 3, .name = "wlan0" },
					    { .ifindex = 4, .name = "br0" } };
	const struct rtnl_links links = { items, 3 };
	const int uplinks[] = { 2, 3 };
	struct lan_prefixes got;
	char text[1024] = "", net[ADDR_TEXT_MAX];

	lan_on_link(&links, addrs, routes, uplinks, 2, &got);
	for (size_t i = 0; i < got.n; i++) {
		addr_format_prefix(&got.items[i].net, net);
		strcat(strcat(strcat(text, i ? " " : ""), got.items[i].uplink), "=");
		strcat(text, net);
	}
	assert_string_equal(text, want);
}

static void test_lan_on_link(void **state)
{
	struct rtnl_list addrs = { 0 }, routes = { 0 };

	(void)state;
	check_on_link(&addrs, &routes, "");
	put_addr(&addrs, 2, "192.168.7.5/24");
	put_addr(&addrs, 2, "fd00:1::5/128"); /* as DHCPv6 gives it */
	put_addr(&addrs, 2, "fe80::5/64");
	put_addr(&addrs, 3, "192.168.7.6/24");
	put_addr(&addrs, 4, "10.4.0.1/24");
	put_addr(&addrs, 2, "10.5.0.1/32");
	put_route(&routes, 2, "0.0.0.0/0");
	put_route(&routes, 2, "192.168.7.0/24");
	put_route(&routes, 2, "192.168.7.0/24"); /* once */
	put_route(&routes, 2, "fd00:1::/64");
	put_route(&routes, 2, "fe80::/64");
	put_route(&routes, 2, "ff00::/8");
	put_route(&routes, 2, "::/0");
	put_route(&routes, 3, "192.168.7.0/24");
	put_route(&routes, 4, "10.4.0.0/24"); /* no uplink */
	put_route(&routes, 2, "10.5.0.1/32"); /* a host */
	put_route(&routes, 2, "10.6.0.0/16"); /* no address in it */
	put_route(&routes, 2, "128.0.0.0/1"); /* holds groups, and is no network */
	put_route_via(&routes, 2, "192.168.7.128/25", "192.168.7.1");
	check_on_link(&addrs, &routes, "eth0=192.168.7.0/24 eth0=fd00:1::/64 wlan0=192.168.7.0/24");
	rtnl_list_free(&addrs);
	rtnl_list_free(&routes);
}

static void test_lan_on_link_bounded(void **state)
{
	static struct rtnl_link item = { .ifindex = 2, .name = "eth0" };
	const struct rtnl_links links = { &item, 1 };
	const int uplink = 2;
	struct rtnl_list addrs = { 0 }, routes = { 0 };
	struct lan_prefixes got;
	char text[32];

	(void)state;
	for (unsigned i = 0; i < LAN_PREFIXES_MAX + 20; i++) {
		(void)snprintf(text, sizeof(text), "10.%u.%u.1/24", i / 256, i % 256);
		put_addr(&addrs, 2, text);
		put_route(&routes, 2, text);
	}
	lan_on_link(&links, &addrs, &routes, &uplink, 1, &got);
	assert_int_equal(got.n, LAN_PREFIXES_MAX);
	rtnl_list_free(&addrs);
	rtnl_list_free(&routes);
}

static void test_lan_public(void **state)
{
	static const char *const public[] = { "8.8.8.0/24",    "0.0.0.0/1",	 "10.0.0.0/7",
					      "172.32.0.0/16", "100.128.0.0/10", "2000::/3",
					      "2620:fe::/64",  "2001:db7::/32",	 "::/1" };
	static const char *const local[] = {
		"10.0.0.0/8",	 "10.1.0.0/16", "172.31.0.0/16", "192.168.0.0/24", "169.254.0.0/16",
		"100.64.0.0/10", "fd00::/8",	"fc00:1::/64",	 "2001:db8:1::/64"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(public) / sizeof(public[0]); i++) {
		struct addr a = prefix(public[i]);
		assert_true(lan_is_public(&a));
	}
	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
		struct addr a = prefix(local[i]);
		assert_false(lan_is_public(&a));
	}
}

static void test_lan_tunnel_wins(void **state)
{
	struct wg_allowed_ip ips[] = { { .prefix = prefix("0.0.0.0/0") },
				       { .prefix = prefix("192.168.0.0/16") },
				       { .prefix = prefix("10.8.3.0/24") } };
	struct wg_peer peer = { .allowed_ips = ips, .n_allowed_ips = 3 };
	struct addr own = prefix("10.9.0.2/24"), dns = prefix("10.10.0.53");
	struct wgquick conf = { .device = { .peers = &peer, .n_peers = 1 },
				.addresses = &own,
				.n_addresses = 1,
				.dns = &dns,
				.n_dns = 1 };
	static const struct {
		const char *net;
		bool is_tunnels;
	} cases[] = {
		{ "10.8.3.0/24", true }, /* equal */
		{ "10.8.0.0/16", true }, /* it names a part */
		{ "10.8.4.0/24", false },
		{ "192.168.7.0/24", false }, /* a part of what it names, as of a default route */
		{ "192.168.0.0/16", true },
		{ "10.9.0.0/16", true }, /* its own address */
		{ "10.10.0.0/24", true }, /* its DNS server */
		{ "10.11.0.0/24", false },
		{ "fd00::/64", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct addr net = prefix(cases[i].net);
		assert_int_equal(lan_is_of_tunnel(&conf, &net), cases[i].is_tunnels);
	}
}

static void test_lan_home_wins(void **state)
{
	struct rtnl_list routes = { 0 };
	const int except[] = { 7 };
	static const struct {
		const char *net;
		bool is_homes;
	} cases[] = {
		{ "10.1.0.0/16", true },  { "10.1.2.0/24", true }, { "10.0.0.0/8", false },
		{ "10.2.0.0/16", false }, { "fd00:1::/64", true }, { "fd00:2::/64", false },
		{ "10.7.0.0/16", false },
	};

	(void)state;
	put_route(&routes, 2, "0.0.0.0/0");
	put_route(&routes, 2, "0.0.0.0/1");
	put_route(&routes, 2, "10.1.0.0/16");
	put_route(&routes, 2, "2000::/3");
	put_route(&routes, 2, "fc00::/7");
	put_route(&routes, 2, "fd00:1::/48");
	put_route(&routes, 7, "10.7.0.0/16"); /* of the pair itself */
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct addr net = prefix(cases[i].net);
		assert_int_equal(lan_is_of_home(&routes, except, 1, &net), cases[i].is_homes);
	}
	rtnl_list_free(&routes);
}

static void check_pair(const struct rtnl_list *addrs, const struct rtnl_list *routes,
		       const struct wgquick *conf, const char *v4, const char *v6)
{
	char text[ADDR_TEXT_MAX];
	struct lan_pair pair;
	struct err e;

	assert_int_equal(lan_pair_choose(addrs, routes, conf, &pair, &e), 0);
	addr_format_prefix(&pair.v4, text);
	assert_string_equal(text, v4);
	addr_format_prefix(&pair.v6, text);
	assert_string_equal(text, v6);
}

static void test_lan_pair(void **state)
{
	struct rtnl_list addrs = { 0 }, routes = { 0 };
	struct addr own = prefix("169.254.255.6/32");
	struct wgquick conf = { 0 };
	struct lan_pair pair;
	struct err e;

	(void)state;
	put_addr(&addrs, 2, "169.254.3.4/16");
	put_route(&routes, 2, "169.254.0.0/16");
	put_route(&routes, 2, "0.0.0.0/0");
	put_route(&routes, 2, "fd4e:8a1c:b0d7::/48");
	check_pair(&addrs, &routes, &conf, "169.254.255.2/31", "fd4e:8a1c:b0d7::2/127");
	put_addr(&addrs, 2, "169.254.255.3/32");
	put_route(&routes, 2, "169.254.255.4/31");
	put_route(&routes, 2, "fd4e:8a1c:b0d7::2/128");
	check_pair(&addrs, &routes, &conf, "169.254.255.6/31", "fd4e:8a1c:b0d7::4/127");
	conf.addresses = &own;
	conf.n_addresses = 1;
	check_pair(&addrs, &routes, &conf, "169.254.255.8/31", "fd4e:8a1c:b0d7::4/127");
	struct addr other = prefix("169.254.255.8");
	other = lan_other_end(&other);
	assert_int_equal(other.bytes[3], 9);
	put_addr(&addrs, 2, "169.254.255.200/17");
	assert_int_equal(lan_pair_choose(&addrs, &routes, &conf, &pair, &e), -EADDRINUSE);
	assert_int_equal(e.kind, ERR_KIND_STATE);
	assert_non_null(strstr(e.text, "169.254.255.0/24"));
	rtnl_list_free(&addrs);
	rtnl_list_free(&routes);
}

static size_t place(const struct plan *p, const char *start)
{
	for (size_t i = 0; i < p->n; i++) {
		if (strncmp(p->steps[i].text, start, strlen(start)) == 0)
			return i;
	}
	fail_msg("no step %s", start);
	return 0;
}

static void test_lan_plan(void **state)
{
	struct fixture *f = laptop();
	struct plan p;
	struct err e;

	(void)state;
	f->rq.has_lan = true;
	put_addr(&f->host.addrs, 2, "192.168.7.5/24");
	put_route(&f->host.routes, 2, "192.168.7.0/24");
	put_addr(&f->host.addrs, 2, "9.9.9.5/24");
	put_route(&f->host.routes, 2, "9.9.9.0/24");
	assert_int_equal(plan(f, &p, &e), 0);
	/* what is dropped is said before anything can pass, and both before there is a device */
	assert_true(place(&p, "netns.prepare") < place(&p, "lan.guard physical"));
	assert_true(place(&p, "lan.guard physical") < place(&p, "lan.forward physical"));
	assert_true(place(&p, "lan.forward physical") < place(&p, "link.move"));
	assert_true(place(&p, "route.restore") < place(&p, "lan.create wgns-lan"));
	assert_true(place(&p, "lan.create") < place(&p, "lan.addr wgns-lan 169.254.255.2/31 fd"));
	assert_true(place(&p, "lan.addr") < place(&p, "guard.allow wgns-lan"));
	assert_true(place(&p, "guard.allow wgns-lan") <
		    place(&p, "lan.sync wgns-lan: 192.168.7.0/24"));
	assert_true(place(&p, "lan.sync") < p.n_layout);
	assert_int_equal(p.n_warnings, 2); /* of DNS, and this one */
	assert_string_equal(p.warnings[0], "Lan = yes leaves out 9.9.9.0/24 of eth0: its addresses "
					   "are public, and any network can claim them");
	plan_free(&p);

	f->rq.has_lan = false;
	assert_int_equal(plan(f, &p, &e), 0);
	for (size_t i = 0; i < p.n; i++)
		assert_true(strncmp(p.steps[i].text, "lan.", 4) != 0);
	plan_free(&p);

	/* a tunnel that joins yields what it names, whatever its own Lan says */
	add_link(f, "wgns-lan", "veth");
	f->host.is_layout_up = true;
	assert_int_equal(plan(f, &p, &e), 0);
	assert_true(place(&p, "lan.yield wg0") < place(&p, "tunnel.create"));
	plan_free(&p);
	rtnl_list_free(&f->host.addrs);
	rtnl_list_free(&f->host.routes);
	free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lan_builders),
		cmocka_unit_test(test_lan_on_link),
		cmocka_unit_test(test_lan_on_link_bounded),
		cmocka_unit_test(test_lan_public),
		cmocka_unit_test(test_lan_tunnel_wins),
		cmocka_unit_test(test_lan_home_wins),
		cmocka_unit_test(test_lan_pair),
		cmocka_unit_test(test_lan_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
