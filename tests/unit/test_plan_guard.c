// SPDX-License-Identifier: GPL-2.0-or-later
/* which devices the guard lets send, and when there is one: values in, steps out */
#include "plan_fixture.h"

static const char *step_of(const struct plan *p, const char *begin)
{
	for (size_t i = 0; i < p->n; i++) {
		if (strncmp(p->steps[i].text, begin, strlen(begin)) == 0)
			return p->steps[i].text;
	}
	return NULL;
}

static size_t place_of(const struct plan *p, const char *begin)
{
	const char *text = step_of(p, begin);

	assert_non_null(text);
	for (size_t i = 0; i < p->n; i++) {
		if (p->steps[i].text == text)
			return i;
	}
	return 0;
}

static bool has_warning(const struct plan *p, const char *part)
{
	for (size_t i = 0; i < p->n_warnings; i++) {
		if (strstr(p->warnings[i], part))
			return true;
	}
	return false;
}

/* the guard that is planned for these facts; the facts are released */
static void assert_guard(struct fixture *f, const char *want, const char *warning)
{
	struct plan p;
	struct err e;

	assert_int_equal(plan(f, &p, &e), 0);
	assert_string_equal(step_of(&p, "guard.set home"), want);
	if (warning)
		assert_true(has_warning(&p, warning));
	plan_free(&p);
	free(f);
}

static void test_guard_is_there_before_the_first_device_moves(void **state)
{
	struct fixture *f = laptop();
	struct plan p;
	struct err e;

	(void)state;
	assert_int_equal(plan(f, &p, &e), 0);
	assert_true(place_of(&p, "guard.set physical") < place_of(&p, "link.move"));
	/* whose undo configures home */
	assert_true(place_of(&p, "guard.set home") < place_of(&p, "uplinks.save"));
	assert_true(place_of(&p, "guard.allow wg0") < place_of(&p, "tunnel.move"));
	assert_true(place_of(&p, "guard.port wg0") < place_of(&p, "link.up"));
	plan_free(&p);
	free(f);
}

static void test_guard_allows_what_is_virtual(void **state)
{
	struct fixture *f = laptop();

	(void)state;
	add_link(f, "docker0", "bridge");
	struct rtnl_link *port = add_link(f, "veth1", "veth");
	port->master = 3;
	port->lower = 9;
	port->has_lower_netnsid = true;
	add_link(f, "tap0", "tun");
	assert_guard(f, "guard.set home: lo docker0 veth1 tap0", NULL);
}

static void test_guard_forbids_a_bridge_with_hardware(void **state)
{
	struct fixture *f = laptop();
	struct rtnl_link *card;

	(void)state;
	f->named[0] = (char[]){ "eth0" };
	f->rq.uplinks = f->named;
	f->rq.n_uplinks = 1;
	add_link(f, "br0", "bridge")->flags = IFF_UP;
	add_link(f, "tap0", "tun")->master = 3;
	card = add_link(f, "eth1", "");
	card->has_parent_device = true;
	card->master = 3;
	assert_guard(f, "guard.set home: lo tap0", "the guard stops what goes over br0");
}

static void test_guard_forbids_what_hangs_on_hardware(void **state)
{
	struct fixture *f = laptop();

	(void)state;
	f->named[0] = (char[]){ "eth0" };
	f->rq.uplinks = f->named;
	f->rq.n_uplinks = 1;
	add_link(f, "eth1", "")->has_parent_device = true;
	add_link(f, "eth1.5", "vlan")->lower = 3;
	/* and on that, and a bridge over it */
	struct rtnl_link *upper = add_link(f, "mv0", "macvlan");
	upper->lower = 4;
	upper->master = 6;
	add_link(f, "br0", "bridge");
	assert_guard(f, "guard.set home: lo", "eth1 stays in home, and the guard stops");
}

static void test_guard_forbids_what_nobody_can_tell(void **state)
{
	struct fixture *f = laptop();

	(void)state;
	add_link(f, "odd0", ""); /* no kind, no parent */
	add_link(f, "ppp0", "ppp");
	struct rtnl_link *far = add_link(f, "vlan7", "vlan"); /* on a device of another namespace */
	far->lower = 12;
	far->has_lower_netnsid = true;
	add_link(f, "lost0", "ipvlan")->lower = 99;
	assert_guard(f, "guard.set home: lo", NULL);
}

static void test_guard_of_boot_comes_back(void **state)
{
	struct fixture *f = laptop();

	(void)state;
	f->rq.kill_switch = KILL_SWITCH_BOOT;
	assert_guard(f, "guard.set home (boot after): lo", NULL);

	f = laptop();
	f->host.guard.is_in_home = true;
	f->host.guard.is_boot = true;
	f->rq.kill_switch = KILL_SWITCH_NO; /* it is there, and would stop the tunnel */
	assert_guard(f, "guard.set home (boot): lo", NULL);

	/* a guard that a dead wgns left is replaced, and goes */
	f = laptop();
	f->host.guard.is_in_home = true;
	assert_guard(f, "guard.set home: lo", NULL);
}

static void test_no_guard_where_none_is_wanted(void **state)
{
	struct fixture *f = laptop();
	struct plan p;
	struct err e;

	(void)state;
	f->rq.kill_switch = KILL_SWITCH_NO;
	assert_int_equal(plan(f, &p, &e), 0);
	assert_null(step_of(&p, "guard.set home"));
	assert_null(step_of(&p, "guard.allow"));
	assert_non_null(step_of(&p, "guard.set physical"));
	assert_non_null(step_of(&p, "guard.port"));
	assert_true(has_warning(&p, "KillSwitch = no"));
	plan_free(&p);
	free(f);
}

static void test_second_tunnel_joins_the_guard_that_is_there(void **state)
{
	struct fixture *f = laptop();
	struct plan p;
	struct err e;

	(void)state;
	f->host.is_layout_up = true;
	f->host.guard.is_in_home = f->host.guard.is_in_physical = true;
	f->rq.kill_switch = KILL_SWITCH_NO;
	assert_int_equal(plan(f, &p, &e), 0);
	assert_non_null(step_of(&p, "guard.allow wg0"));
	assert_non_null(step_of(&p, "guard.port wg0"));
	plan_free(&p);

	/* a layout of an older wgns */
	f->host.guard = (struct host_guard){ .kernel = { true, true } };
	f->rq.kill_switch = KILL_SWITCH_UP;
	assert_int_equal(plan(f, &p, &e), 0);
	assert_null(step_of(&p, "guard."));
	assert_true(has_warning(&p, "without a guard"));
	plan_free(&p);
	free(f);
}

static void test_kernel_without_nftables(void **state)
{
	struct fixture *f = laptop();
	struct plan p;
	struct err e;

	(void)state;
	strcpy(f->host.guard.lacking, "Protocol not supported");
	assert_true(plan(f, &p, &e) < 0);
	assert_int_equal(e.kind, ERR_KIND_MACHINE);
	assert_non_null(strstr(e.hint, "KillSwitch = no"));

	f->rq.kill_switch = KILL_SWITCH_NO;
	assert_int_equal(plan(f, &p, &e), 0);
	assert_null(step_of(&p, "guard."));
	assert_true(has_warning(&p, "cannot guard physical"));
	plan_free(&p);
	free(f);
}

static void test_kernel_without_bridges_in_nftables(void **state)
{
	struct fixture *f = laptop();

	(void)state;
	f->host.guard.kernel.can_bridge = false;
	add_link(f, "docker0", "bridge");
	assert_guard(f, "guard.set home: lo docker0", "no nf_tables for bridges");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_guard_is_there_before_the_first_device_moves),
		cmocka_unit_test(test_guard_allows_what_is_virtual),
		cmocka_unit_test(test_guard_forbids_a_bridge_with_hardware),
		cmocka_unit_test(test_guard_forbids_what_hangs_on_hardware),
		cmocka_unit_test(test_guard_forbids_what_nobody_can_tell),
		cmocka_unit_test(test_guard_of_boot_comes_back),
		cmocka_unit_test(test_no_guard_where_none_is_wanted),
		cmocka_unit_test(test_second_tunnel_joins_the_guard_that_is_there),
		cmocka_unit_test(test_kernel_without_nftables),
		cmocka_unit_test(test_kernel_without_bridges_in_nftables),
	};

	return cmocka_run_group_tests_name("plan_guard", tests, NULL, NULL);
}
