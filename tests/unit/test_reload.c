// SPDX-License-Identifier: GPL-2.0-or-later
/* planning a reload is pure: the copy, the file and what the device has go in as values, lines come out */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/plan.h"
#include "wgns/reload.h"
#include "wgns/str.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define KEY_A "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE="
#define KEY_B "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAI="
#define PSK "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAM="
#define SECRET "QAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEA="
#define OTHER_SECRET "SAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEA="
#define A "[Peer]\nPublicKey=" KEY_A "\n"
#define B "[Peer]\nPublicKey=" KEY_B "\n"

static void parse(const char *text, struct wgquick *out)
{
	struct diag_list diags = { .file = "test" };

	assert_int_equal(wgquick_parse(text, strlen(text), "wg0", out, &diags), 0);
	diag_free(&diags);
}

/* what `up` makes of @conf; names resolve to 192.0.2.7, and the random port is 4711 */
static void bring_up(const struct wgquick *conf, struct wg_device *live)
{
	assert_int_equal(wg_normalise(&conf->device, live), 0);
	live->has_private_key = live->has_listen_port = live->has_fwmark = true;
	live->listen_port = live->listen_port ? live->listen_port : 4711;
	for (size_t i = 0; i < live->n_peers; i++) {
		struct wg_peer *peer = &live->peers[i];
		const char *host = peer->endpoint_host;
		if (host && wg_endpoint_numeric(host, peer->endpoint_port, &peer->endpoint) < 0)
			assert_int_equal(wg_endpoint_numeric("192.0.2.7", peer->endpoint_port,
							     &peer->endpoint),
					 0);
		free(peer->endpoint_host);
		free(peer->endpoint_port);
		peer->endpoint_host = peer->endpoint_port = NULL;
	}
}

static void set_route(struct reload_route *route, const char *device, const char *dst,
		      uint32_t table, bool is_ours)
{
	*route = (struct reload_route){ .table = table, .is_ours = is_ours };
	assert_int_equal(addr_parse_prefix(dst, strlen(dst), &route->dst), 0);
	strcpy(route->device, device);
}

/* a tunnel that is up as its first file says, and another file */
struct fixture {
	struct wgquick conf, before[2];
	struct wg_device live;
	struct reload_route routes[16];
	struct reload_facts facts;
	struct reload_plan plan;
	struct err e;
};

static void begin(struct fixture *f, const char *old, const char *new)
{
	struct addr *list;
	size_t n;

	*f = (struct fixture){ 0 };
	parse(old, &f->before[0]);
	parse(new, &f->conf);
	bring_up(&f->before[0], &f->live);
	f->facts = (struct reload_facts){
		.conf = &f->conf,
		.before = { &f->before[0], &f->before[1] },
		.n_before = 1,
		.live = &f->live,
		.addrs = f->before[0].addresses,
		.n_addrs = f->before[0].n_addresses,
		.mtu = f->before[0].mtu ? f->before[0].mtu : 1420,
		.routes = f->routes,
		.dns = "file",
		.may_run_hooks = true,
		.untrusted = "it is not root's",
	};
	if (f->before[0].table == WGQUICK_TABLE_OFF)
		return;
	assert_int_equal(plan_routes(&f->before[0], &list, &n), 0);
	for (size_t i = 0; i < n; i++) {
		struct reload_route *route = &f->routes[f->facts.n_routes++];
		*route = (struct reload_route){
			.dst = list[i], .is_ours = true, .device = "wg0", .table = RT_TABLE_MAIN
		};
		if (f->before[0].table == WGQUICK_TABLE_NUMBER)
			route->table = f->before[0].table_number;
	}
	free(list);
}

static void end(struct fixture *f)
{
	reload_plan_free(&f->plan);
	wgquick_free(&f->conf);
	wgquick_free(&f->before[0]);
	wgquick_free(&f->before[1]);
	wg_device_free(&f->live);
}

static void assert_plan(struct fixture *f, const char *lines)
{
	struct strbuf b = { 0 };

	assert_int_equal(reload_plan(&f->facts, &f->plan, &f->e), 0);
	for (size_t i = 0; i < f->plan.n_lines; i++) {
		assert_true(i == 0 || f->plan.lines[i - 1].phase <= f->plan.lines[i].phase);
		strbuf_addf(&b, "%s\n", f->plan.lines[i].text);
	}
	char *text = strbuf_finish(&b);
	assert_string_equal(text, lines);
	free(text);
}

static const struct {
	const char *name, *old, *new, *lines;
} rows[] = {
	{ "nothing", "[Interface]\nAddress=10.0.0.2\n" A, "[Interface]\nAddress=10.0.0.2\n" A, "" },
	{ "comments, order, a prefix written otherwise",
	  "[Interface]\nAddress=10.0.0.2,fd00::2\n" A "AllowedIPs=10.1.2.3/8\n" B,
	  "[Interface]\n#new\nAddress=fd00::2\nAddress=10.0.0.2/32\n" B A "AllowedIPs=10.0.0.0/8\n",
	  "" },
	{ "addresses come and go", "[Interface]\nAddress=10.0.0.2/24,fd00::2\n",
	  "[Interface]\nAddress=10.0.0.3/24,fd00::2\n",
	  "addr.add wg0 10.0.0.3/24\naddr.del wg0 10.0.0.2/24\n" },
	{ "a peer comes, with its route", "[Interface]\n" A,
	  "[Interface]\n" A B "AllowedIPs=10.1.0.0/16\nEndpoint=[2001:db8::1]:7\nPresharedKey=" PSK
	  "\n",
	  "peer.add " KEY_B ": endpoint [2001:db8::1]:7, preshared key, 10.1.0.0/16\n"
	  "link.mtu wg0 1420 -> auto\nroute.add wg0 10.1.0.0/16\n" },
	{ "a peer goes, with its route", "[Interface]\n" A B "AllowedIPs=10.1.0.0/16\n",
	  "[Interface]\n" A,
	  "link.mtu wg0 1420 -> auto\nroute.del wg0 10.1.0.0/16\npeer.remove " KEY_B "\n" },
	{ "a prefix changes hands and the route stays",
	  "[Interface]\n" A "AllowedIPs=10.1.0.0/16\n" B,
	  "[Interface]\n" A B "AllowedIPs=10.1.0.0/16\n",
	  "peer.change " KEY_B ": +10.1.0.0/16\npeer.change " KEY_A ": -10.1.0.0/16\n" },
	{ "what the file has no more is cleared",
	  "[Interface]\n" A "PresharedKey=" PSK "\nPersistentKeepalive=25\n", "[Interface]\n" A,
	  "peer.change " KEY_A ": preshared key cleared, keepalive off\n" },
	{ "key, port and mark", "[Interface]\nPrivateKey=" SECRET "\nListenPort=5\nFwMark=1\n",
	  "[Interface]\nPrivateKey=" OTHER_SECRET "\nListenPort=6\nFwMark=0x10\n",
	  "wg.set wg0: private key, port 5 -> 6, mark 0x1 -> 0x10\n" },
	{ "key, port and mark are reset",
	  "[Interface]\nPrivateKey=" SECRET "\nListenPort=5\nFwMark=1\n", "[Interface]\n",
	  "wg.set wg0: private key cleared, port 5 -> random, mark 0x1 -> 0x0\n" },
	{ "a random port stays", "[Interface]\n", "[Interface]\nListenPort=0\nFwMark=off\n", "" },
	{ "MTU", "[Interface]\nMTU=1400\n", "[Interface]\nMTU=1380\n",
	  "link.mtu wg0 1400 -> 1380\n" },
	{ "MTU by itself again", "[Interface]\nMTU=1400\n", "[Interface]\n",
	  "link.mtu wg0 1400 -> auto\n" },
	{ "DNS", "[Interface]\nDNS=10.0.0.1\n", "[Interface]\nDNS=10.0.0.1,inside.test\n",
	  "dns.set wg0 by file: 10.0.0.1, inside.test\n" },
	{ "no DNS any more", "[Interface]\nDNS=10.0.0.1\n", "[Interface]\n",
	  "dns.unset wg0 by file\n" },
	{ "another table", "[Interface]\n" A "AllowedIPs=10.1.0.0/16\n",
	  "[Interface]\nTable=7\n" A "AllowedIPs=10.1.0.0/16\n",
	  "route.add wg0 10.1.0.0/16 table 7\nroute.del wg0 10.1.0.0/16\n" },
	{ "no routes any more", "[Interface]\nTable=7\n" A "AllowedIPs=10.1.0.0/16\n",
	  "[Interface]\nTable=off\n" A "AllowedIPs=10.1.0.0/16\n",
	  "route.del wg0 10.1.0.0/16 table 7\n" },
	{ "an address that covers a route", "[Interface]\n" A "AllowedIPs=10.1.0.0/16\n",
	  "[Interface]\nAddress=10.1.0.2/8\n" A "AllowedIPs=10.1.0.0/16\n",
	  "addr.add wg0 10.1.0.2/8\nroute.del wg0 10.1.0.0/16\n" },
	{ "everything in the order of the phases",
	  "[Interface]\nListenPort=5\nAddress=10.0.0.2\nDNS=10.0.0.1\nMTU=1400\n" A
	  "AllowedIPs=10.1.0.0/16\n",
	  "[Interface]\nListenPort=6\nAddress=10.0.0.3\nDNS=10.0.0.9\nMTU=1300\n" B
	  "AllowedIPs=10.2.0.0/16\n",
	  "addr.add wg0 10.0.0.3/32\npeer.add " KEY_B ": 10.2.0.0/16\nlink.mtu wg0 1400 -> 1300\n"
	  "route.add wg0 10.2.0.0/16\ndns.set wg0 by file: 10.0.0.9\nwg.set wg0: port 5 -> 6\n"
	  "addr.del wg0 10.0.0.2/32\nroute.del wg0 10.1.0.0/16\npeer.remove " KEY_A "\n" },
	/* endpoints */
	{ "an endpoint that is the same keeps what it was resolved to",
	  "[Interface]\n" A "Endpoint=vpn.example:7\n",
	  "[Interface]\n" A "Endpoint=VPN.example:7\n", "" },
	{ "another port of the same name", "[Interface]\n" A "Endpoint=vpn.example:7\n",
	  "[Interface]\n" A "Endpoint=vpn.example:8\n",
	  "peer.change " KEY_A ": endpoint vpn.example port 8\nlink.mtu wg0 1420 -> auto\n" },
	{ "a number in place of a name that means the same",
	  "[Interface]\n" A "Endpoint=vpn.example:7\n", "[Interface]\n" A "Endpoint=192.0.2.7:7\n",
	  "" },
	{ "the first endpoint", "[Interface]\n" A,
	  "[Interface]\nMTU=1420\n" A "Endpoint=192.0.2.1:7\n",
	  "peer.change " KEY_A ": endpoint 192.0.2.1:7\n" },
	{ "no endpoint any more", "[Interface]\n" A "Endpoint=192.0.2.1:7\n", "[Interface]\n" A,
	  "" },
};

static void test_reload_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct fixture f;
		print_message("%s\n", rows[i].name);
		begin(&f, rows[i].old, rows[i].new);
		assert_plan(&f, rows[i].lines);
		assert_null(strstr(rows[i].lines, SECRET));
		end(&f);
	}
}

static void test_reload_keeps_where_a_peer_roamed_to(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, "[Interface]\n" A "Endpoint=192.0.2.1:7\n",
	      "[Interface]\nAddress=10.0.0.2\n" A "Endpoint=192.0.2.1:7\n");
	assert_int_equal(wg_endpoint_numeric("203.0.113.9", "99", &f.live.peers[0].endpoint), 0);
	assert_plan(&f, "addr.add wg0 10.0.0.2/32\n");
	assert_true(wg_endpoint_equal(&f.plan.want.peers[0].endpoint, &f.live.peers[0].endpoint));
	end(&f);
	/* the file says another one */
	begin(&f, "[Interface]\nMTU=1400\n" A "Endpoint=192.0.2.1:7\n",
	      "[Interface]\nMTU=1400\n" A "Endpoint=192.0.2.2:7\n");
	assert_int_equal(wg_endpoint_numeric("203.0.113.9", "99", &f.live.peers[0].endpoint), 0);
	assert_plan(&f, "peer.change " KEY_A ": endpoint 192.0.2.2:7\n");
	end(&f);
}

static void test_reload_leaves_what_others_added(void **state)
{
	struct addr addrs[3];
	struct fixture f;

	(void)state;
	begin(&f, "[Interface]\nAddress=10.0.0.2\n" A "AllowedIPs=10.1.0.0/16,10.2.0.0/16\n",
	      "[Interface]\n");
	addrs[0] = f.before[0].addresses[0];
	assert_int_equal(addr_parse_prefix("10.0.0.9/32", 11, &addrs[1]), 0);
	assert_int_equal(addr_parse_prefix("fe80::1/64", 10, &addrs[2]), 0);
	f.facts.addrs = addrs;
	f.facts.n_addrs = 3;
	/* one route is another's by now, one is not as we made it, one was made by hand */
	set_route(&f.routes[0], "eth1", "10.1.0.0/16", RT_TABLE_MAIN, false);
	set_route(&f.routes[1], "wg0", "10.2.0.0/16", RT_TABLE_MAIN, false);
	set_route(&f.routes[2], "wg0", "10.3.0.0/16", RT_TABLE_MAIN, true);
	f.facts.n_routes = 3;
	assert_plan(&f,
		    "link.mtu wg0 1420 -> auto\naddr.del wg0 10.0.0.2/32\npeer.remove " KEY_A "\n");
	end(&f);
}

static void test_reload_mends_what_is_missing(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, "[Interface]\nMTU=1400\nAddress=10.0.0.2\n" A "AllowedIPs=10.1.0.0/16\n",
	      "[Interface]\nMTU=1400\nAddress=10.0.0.2\n" A "AllowedIPs=10.1.0.0/16\n");
	f.facts.n_addrs = f.facts.n_routes = 0;
	f.facts.mtu = 1300;
	f.live.peers[0].n_allowed_ips = 0;
	assert_plan(&f, "addr.add wg0 10.0.0.2/32\npeer.change " KEY_A ": +10.1.0.0/16\n"
			"link.mtu wg0 1300 -> 1400\nroute.add wg0 10.1.0.0/16\n");
	end(&f);
}

static void test_reload_refuses_a_route_that_is_taken(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, "[Interface]\n" A, "[Interface]\n" A "AllowedIPs=10.1.0.0/16\n");
	set_route(&f.routes[0], "eth1", "10.1.0.0/16", RT_TABLE_MAIN, false);
	f.facts.n_routes = 1;
	assert_int_equal(reload_plan(&f.facts, &f.plan, &f.e), -EEXIST);
	assert_int_equal(f.e.kind, ERR_KIND_STATE);
	assert_string_equal(f.e.text, "the route 10.1.0.0/16 is taken by eth1 already");
	/* in another table it is in nobody's way */
	f.routes[0].table = 7;
	assert_plan(&f, "peer.change " KEY_A ": +10.1.0.0/16\nroute.add wg0 10.1.0.0/16\n");
	end(&f);
}

static void test_reload_refuses_hooks_of_an_untrusted_file(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, "[Interface]\n", "[Interface]\nPostDown=touch /pwned\n");
	f.facts.may_run_hooks = false;
	assert_int_equal(reload_plan(&f.facts, &f.plan, &f.e), -EPERM);
	assert_non_null(strstr(f.e.text, "it is not root's"));
	end(&f);
}

static void test_reload_says_what_it_does_not_do(void **state)
{
	static const struct {
		const char *old, *new, *note;
	} notes[] = {
		{ "[Interface]\n", "[Interface]\nPreUp=true\n",
		  "PreUp and PostUp have changed: reload runs no hooks, the next `wgns up wg0` "
		  "does" },
		{ "[Interface]\nPostDown=a\n", "[Interface]\nPostDown=b\n",
		  "PreDown and PostDown have changed: `wgns down wg0` runs those of the file as it "
		  "is "
		  "now" },
		{ "[Interface]\n", "[Interface]\nSaveConfig=true\n",
		  "SaveConfig is true from now on: `wgns down wg0` goes by it" },
		{ "[Interface]\n" A "Endpoint=192.0.2.1:7\n", "[Interface]\n" A,
		  "peer " KEY_A " keeps its endpoint: WireGuard cannot forget one that it has" },
		{ "[Interface]\nDNS=10.0.0.1\n", "[Interface]\n",
		  "the file has no DNS= any more: no names resolve in home, because the uplink's "
		  "resolver is out of reach from there" },
	};

	(void)state;
	for (size_t i = 0; i < N(notes); i++) {
		struct fixture f;
		begin(&f, notes[i].old, notes[i].new);
		assert_int_equal(reload_plan(&f.facts, &f.plan, &f.e), 0);
		assert_int_equal(f.plan.n_notes, 1);
		assert_string_equal(f.plan.notes[0], notes[i].note);
		end(&f);
	}
}

/* a reload died between the copy and the file that it was to become: nobody knows how far it came */
static void test_reload_after_one_that_was_interrupted(void **state)
{
	struct addr addrs[2];
	struct fixture f;

	(void)state;
	/* the file is as the copy again */
	begin(&f,
	      "[Interface]\nAddress=10.0.0.2\nDNS=10.0.0.1\nListenPort=5\n" A
	      "Endpoint=192.0.2.1:7\n",
	      "[Interface]\nAddress=10.0.0.2\nDNS=10.0.0.1\nListenPort=5\n" A
	      "Endpoint=192.0.2.1:7\n");
	parse("[Interface]\nAddress=10.0.0.3\nDNS=10.0.0.9\nListenPort=6\nMTU=1300\n" A
	      "Endpoint=192.0.2.2:7\n" B "AllowedIPs=10.2.0.0/16\n",
	      &f.before[1]);
	f.facts.n_before = 2;
	/* it came to everything that is added */
	addrs[0] = f.before[0].addresses[0];
	addrs[1] = f.before[1].addresses[0];
	f.facts.addrs = addrs;
	f.facts.n_addrs = 2;
	set_route(&f.routes[0], "wg0", "10.2.0.0/16", RT_TABLE_MAIN, true);
	f.facts.n_routes = 1;
	wg_device_free(&f.live);
	bring_up(&f.before[1], &f.live);
	f.facts.mtu = 1300;
	assert_plan(&f,
		    "peer.change " KEY_A ": endpoint 192.0.2.1:7\nlink.mtu wg0 1300 -> auto\n"
		    "dns.set wg0 by file: 10.0.0.1\nwg.set wg0: port 6 -> 5\n"
		    "addr.del wg0 10.0.0.3/32\nroute.del wg0 10.2.0.0/16\npeer.remove " KEY_B "\n");
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reload_lines),
		cmocka_unit_test(test_reload_keeps_where_a_peer_roamed_to),
		cmocka_unit_test(test_reload_leaves_what_others_added),
		cmocka_unit_test(test_reload_mends_what_is_missing),
		cmocka_unit_test(test_reload_refuses_a_route_that_is_taken),
		cmocka_unit_test(test_reload_refuses_hooks_of_an_untrusted_file),
		cmocka_unit_test(test_reload_says_what_it_does_not_do),
		cmocka_unit_test(test_reload_after_one_that_was_interrupted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
