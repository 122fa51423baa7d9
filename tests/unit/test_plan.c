// SPDX-License-Identifier: GPL-2.0-or-later
/* planning is pure: configuration and facts as values in, steps or a refusal out */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/engine.h"
#include "wgns/plan.h"

#define N_LINKS 8

struct fixture {
	struct host host;
	struct rtnl_link links[N_LINKS];
	struct host_device devices[N_LINKS];
	struct state_tunnel tunnels[4];
	struct wgquick conf;
	struct plan_request rq;
	char *named[4];
};

static struct rtnl_link *add_link(struct fixture *f, const char *name, const char *kind)
{
	struct rtnl_link *link = &f->links[f->host.links.n++];

	link->ifindex = (int)f->host.links.n;
	strcpy(link->name, name);
	strcpy(link->kind, kind);
	return link;
}

/* lo and one ethernet card */
static struct fixture *laptop(void)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->host.links.items = f->links;
	f->host.devices = f->devices;
	f->host.tunnels = f->tunnels;
	f->host.is_netns_dir_shared = true;
	add_link(f, "lo", "")->flags = IFF_LOOPBACK | IFF_UP;
	add_link(f, "eth0", "")->has_parent_device = true;
	strcpy(f->conf.name, "wg0");
	f->conf.table = WGQUICK_TABLE_OFF;
	f->rq = (struct plan_request){ .conf = &f->conf,
				       .backend = "kernel",
				       .may_run_hooks = true,
				       .untrusted = "",
				       .dns = "file" };
	return f;
}

static int plan(struct fixture *f, struct plan *out, struct err *e)
{
	*out = (struct plan){ 0 };
	return plan_up(&f->rq, &f->host, out, e);
}

static void assert_steps(const struct plan *p, const char *const *texts, size_t n)
{
	for (size_t i = 0; i < n && i < p->n; i++)
		assert_string_equal(p->steps[i].text, texts[i]);
	assert_int_equal(p->n, n);
}

static void test_plan_up_simple(void **state)
{
	static const char *const texts[] = {
		"netns.create physical",
		"netns.name physical as /run/netns/physical",
		"netns.prepare physical",
		"resolv.write physical",
		"sysctl.save home",
		"uplinks.save home eth0",
		"link.move eth0 -> physical",
		"link.restore eth0 in physical",
		"addr.restore physical",
		"neigh.restore physical",
		"rule.restore physical",
		"route.restore physical",
		"tunnel.create wg0 in physical by kernel",
		"tunnel.move wg0 physical -> home",
		"wg.set wg0: 0 peers",
		"link.up wg0 mtu auto",
	};
	struct fixture *f = laptop();
	struct plan p;
	struct err e;

	(void)state;
	assert_int_equal(plan(f, &p, &e), 0);
	assert_steps(&p, texts, sizeof(texts) / sizeof(texts[0]));
	assert_int_equal(p.n_layout, 12);
	/* a file without DNS= is told what that means */
	assert_int_equal(p.n_warnings, 1);
	plan_free(&p);
	free(f);
}

static void test_plan_up_second_tunnel(void **state)
{
	struct fixture *f = laptop();
	struct plan p;
	struct err e;

	(void)state;
	f->host.is_layout_up = true;
	f->host.n_tunnels = 1;
	f->tunnels[0] = (struct state_tunnel){ .place = "home", .since = 1, .device.name = "wg9" };
	assert_int_equal(plan(f, &p, &e), 0);
	assert_int_equal(p.n_layout, 0);
	assert_string_equal(p.steps[0].text, "tunnel.create wg0 in physical by kernel");
	plan_free(&p);
	free(f);
}

static void test_plan_up_moves_parents_before_vlans(void **state)
{
	struct fixture *f = laptop();
	struct rtnl_link *inner = add_link(f, "a.5.7", "vlan");
	struct rtnl_link *outer = add_link(f, "b.5", "vlan");
	struct plan p;
	struct err e;

	(void)state;
	inner->lower = outer->ifindex;
	outer->lower = 2; /* eth0 */
	assert_int_equal(plan(f, &p, &e), 0);
	assert_int_equal(p.n_uplinks, 3);
	assert_string_equal(p.uplinks[0], "eth0");
	assert_string_equal(p.uplinks[1], "b.5");
	assert_string_equal(p.uplinks[2], "a.5.7");
	plan_free(&p);
	free(f);
}

static void test_plan_up_naming_a_vlan_moves_what_is_below(void **state)
{
	struct fixture *f = laptop();
	struct plan p;
	struct err e;

	(void)state;
	add_link(f, "eth0.5", "vlan")->lower = 2;
	f->named[0] = f->links[2].name;
	f->rq.uplinks = f->named;
	f->rq.n_uplinks = 1;
	assert_int_equal(plan(f, &p, &e), 0);
	assert_int_equal(p.n_uplinks, 2);
	assert_string_equal(p.uplinks[0], "eth0");
	assert_string_equal(p.uplinks[1], "eth0.5");
	plan_free(&p);
	free(f);
}

static void test_plan_up_one_line_whatever_a_hook_says(void **state)
{
	char *hooks[] = { (char[]){ "echo 1\n2\x1b[31m" } };
	struct fixture *f = laptop();
	struct plan p;
	struct err e;

	(void)state;
	f->conf.hooks[WGQUICK_POST_UP] = hooks;
	f->conf.n_hooks[WGQUICK_POST_UP] = 1;
	assert_int_equal(plan(f, &p, &e), 0);
	assert_string_equal(p.steps[p.n - 1].text, "hook.run PostUp 1: echo 1?2?[31m");
	plan_free(&p);
	free(f);
}

/* each row makes one thing wrong; what is asserted is the kind, and that the message names it */
static void spoil_bridge(struct fixture *f)
{
	add_link(f, "br0", "bridge");
	f->links[1].master = 3;
}
static void spoil_child(struct fixture *f)
{
	strcpy(f->devices[1].child, "the macvlan mv0");
}
static void spoil_immutable(struct fixture *f)
{
	strcpy(f->devices[1].immutable, "The interface netns is immutable");
}
static void spoil_wireless(struct fixture *f)
{
	f->devices[1].is_wireless = true;
}
static void spoil_pppoe(struct fixture *f)
{
	f->devices[1].is_pppoe = true;
}
static void spoil_nexthop(struct fixture *f)
{
	f->devices[1].n_nexthops = 3;
}
static void spoil_no_uplink(struct fixture *f)
{
	f->links[1].has_parent_device = false;
}
static void spoil_unknown_uplink(struct fixture *f)
{
	static char name[] = "eth7";

	f->named[0] = name;
	f->rq.uplinks = f->named;
	f->rq.n_uplinks = 1;
}
static void spoil_lo_as_uplink(struct fixture *f)
{
	f->named[0] = f->links[0].name;
	f->rq.uplinks = f->named;
	f->rq.n_uplinks = 1;
}
static void spoil_already_up(struct fixture *f)
{
	f->host.n_tunnels = 1;
	f->tunnels[0] = (struct state_tunnel){ .place = "home", .since = 1, .device.name = "wg0" };
}
static void spoil_half_up(struct fixture *f)
{
	f->host.n_tunnels = 1;
	f->tunnels[0] = (struct state_tunnel){ .place = "home", .device.name = "wg5" };
}
static void spoil_name_taken(struct fixture *f)
{
	add_link(f, "wg0", "veth");
}
static void spoil_foreign_wireguard(struct fixture *f)
{
	add_link(f, "corp", "wireguard");
}
static void spoil_foreign_physical(struct fixture *f)
{
	f->host.has_foreign_physical = true;
}
static void spoil_inside_physical(struct fixture *f)
{
	f->host.is_layout_up = true;
	f->host.is_inside_physical = true;
}
static void spoil_untrusted_hooks(struct fixture *f)
{
	static char *hooks[] = { (char *)(uintptr_t) "true" };

	f->conf.hooks[WGQUICK_PRE_DOWN] = hooks;
	f->conf.n_hooks[WGQUICK_PRE_DOWN] = 1;
	f->rq.may_run_hooks = false;
	f->rq.untrusted = "it belongs to user 1000";
}

static void test_plan_up_refuses(void **state)
{
	static const struct {
		void (*spoil)(struct fixture *f);
		enum err_kind kind;
		const char *named;
	} rows[] = {
		{ spoil_bridge, ERR_KIND_MACHINE, "belongs to bridge br0" },
		{ spoil_child, ERR_KIND_MACHINE, "the macvlan mv0 is on it" },
		{ spoil_immutable, ERR_KIND_MACHINE, "eth0" },
		{ spoil_wireless, ERR_KIND_MACHINE, "wireless" },
		{ spoil_pppoe, ERR_KIND_MACHINE, "PPPoE" },
		{ spoil_nexthop, ERR_KIND_MACHINE, "3 nexthop objects" },
		{ spoil_no_uplink, ERR_KIND_MACHINE, "no uplink" },
		{ spoil_unknown_uplink, ERR_KIND_MACHINE, "no device eth7" },
		{ spoil_lo_as_uplink, ERR_KIND_MACHINE, "loopback" },
		{ spoil_already_up, ERR_KIND_STATE, "wg0 is already up" },
		{ spoil_half_up, ERR_KIND_STATE, "wg5 is half up" },
		{ spoil_name_taken, ERR_KIND_STATE, "device called wg0 exists" },
		{ spoil_foreign_wireguard, ERR_KIND_STATE, "corp" },
		{ spoil_foreign_physical, ERR_KIND_STATE, "namespace called physical" },
		{ spoil_inside_physical, ERR_KIND_STATE, "physical itself" },
		{ spoil_untrusted_hooks, ERR_KIND_FAILED, "it belongs to user 1000" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture *f = laptop();
		struct plan p;
		struct err e;

		rows[i].spoil(f);
		assert_true(plan(f, &p, &e) < 0);
		assert_int_equal(e.kind, rows[i].kind);
		assert_non_null(strstr(e.text, rows[i].named));
		assert_true(e.hint[0] != '\0' || rows[i].spoil == spoil_unknown_uplink);
		assert_null(p.steps);
		free(f);
	}
}

static void test_plan_up_quotes_the_kernel(void **state)
{
	struct fixture *f = laptop();
	struct plan p;
	struct err e;

	(void)state;
	spoil_immutable(f);
	assert_true(plan(f, &p, &e) < 0);
	assert_string_equal(e.kernel, "The interface netns is immutable");
	free(f);
}

static void set_allowed(struct wgquick *conf, const char *const *texts, size_t n)
{
	struct wg_peer *peer = wg_device_add_peer(&conf->device);
	struct addr prefix;

	assert_non_null(peer);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(addr_parse_prefix(texts[i], strlen(texts[i]), &prefix), 0);
		assert_int_equal(wg_peer_add_allowed_ip(peer, &prefix, false), 0);
	}
}

static void assert_routes(struct wgquick *conf, const char *const *texts, size_t n)
{
	struct addr *routes;
	char text[ADDR_TEXT_MAX];
	size_t n_routes;

	assert_int_equal(plan_routes(conf, &routes, &n_routes), 0);
	for (size_t i = 0; i < n && i < n_routes; i++) {
		addr_format_prefix(&routes[i], text);
		assert_string_equal(text, texts[i]);
	}
	assert_int_equal(n_routes, n);
	free(routes);
}

static void test_plan_routes_longest_first_each_once(void **state)
{
	static const char *const one[] = { "0.0.0.0/0", "10.1.2.3/16", "::/0" };
	static const char *const two[] = { "10.1.0.0/16", "fd00::1/128" };
	static const char *const want[] = { "fd00::1/128", "10.1.0.0/16", "0.0.0.0/0", "::/0" };
	struct wgquick conf = { 0 };

	(void)state;
	set_allowed(&conf, one, 3);
	set_allowed(&conf, two, 2);
	assert_routes(&conf, want, 4);
	wg_device_free(&conf.device);
}

static void test_plan_routes_inside_an_address(void **state)
{
	static const char *const allowed[] = { "10.0.0.0/24", "10.0.0.7/32", "10.0.0.0/8" };
	static const char *const automatic[] = { "10.0.0.0/8" };
	static const char *const numbered[] = { "10.0.0.7/32", "10.0.0.0/24", "10.0.0.0/8" };
	struct addr address;
	struct wgquick conf = { .addresses = &address, .n_addresses = 1 };

	(void)state;
	assert_int_equal(addr_parse_prefix("10.0.0.2/24", 11, &address), 0);
	set_allowed(&conf, allowed, 3);
	assert_routes(&conf, automatic, 1);
	/* with a table of its own wg-quick adds all of them */
	conf.table = WGQUICK_TABLE_NUMBER;
	assert_routes(&conf, numbered, 3);
	wg_device_free(&conf.device);
}

static void test_step_parse(void **state)
{
	struct step step;

	(void)state;
	assert_int_equal(step_parse("link.move eth0 -> physical", &step), 0);
	assert_string_equal(step.op->name, "link.move");
	assert_string_equal(step.words[1], "eth0");
	assert_string_equal(step.words[3], "physical");
	assert_string_equal(step.words[7], "");
	step_free(&step);
	/* more words than there is room for: the last one has the rest */
	assert_int_equal(step_parse("hook.run a b c d e f g h i", &step), 0);
	assert_string_equal(step.words[7], "g h i");
	step_free(&step);
	assert_int_equal(step_parse("rm.all -rf /", &step), -EINVAL);
	assert_int_equal(step_parse("", &step), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_up_simple),
		cmocka_unit_test(test_plan_up_second_tunnel),
		cmocka_unit_test(test_plan_up_moves_parents_before_vlans),
		cmocka_unit_test(test_plan_up_naming_a_vlan_moves_what_is_below),
		cmocka_unit_test(test_plan_up_one_line_whatever_a_hook_says),
		cmocka_unit_test(test_plan_up_refuses),
		cmocka_unit_test(test_plan_up_quotes_the_kernel),
		cmocka_unit_test(test_plan_routes_longest_first_each_once),
		cmocka_unit_test(test_plan_routes_inside_an_address),
		cmocka_unit_test(test_step_parse),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
