// SPDX-License-Identifier: GPL-2.0-or-later
/* what planning refuses: each thing that can be wrong, one by one */
#include "plan_fixture.h"

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

static void spoil_nscd(struct fixture *f)
{
	f->host.folders[0] = HOST_FOLDER_OTHER;
}
static void spoil_systemd(struct fixture *f)
{
	f->host.folders[1] = HOST_FOLDER_OTHER;
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
		{ spoil_nscd, ERR_KIND_MACHINE, "/run/nscd is not a folder" },
		{ spoil_systemd, ERR_KIND_MACHINE, "/run/systemd is not a folder" },
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

/* what hides the sockets was made by the first tunnel */
static void test_plan_up_second_tunnel_looks_at_no_folder(void **state)
{
	struct fixture *f = laptop();
	struct plan p;
	struct err e;

	(void)state;
	spoil_nscd(f);
	f->host.is_layout_up = true;
	assert_int_equal(plan(f, &p, &e), 0);
	plan_free(&p);
	free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_up_refuses),
		cmocka_unit_test(test_plan_up_quotes_the_kernel),
		cmocka_unit_test(test_plan_up_second_tunnel_looks_at_no_folder),
	};

	return cmocka_run_group_tests_name("plan_refuse", tests, NULL, NULL);
}
