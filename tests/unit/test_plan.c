// SPDX-License-Identifier: GPL-2.0-or-later
/* planning is pure: configuration and facts as values in, steps out; test_plan_refuse.c has the refusals */
#include "plan_fixture.h"

static void assert_steps(const struct plan *p, const char *const *texts, size_t n)
{
	for (size_t i = 0; i < n && i < p->n; i++)
		assert_string_equal(p->steps[i].text, texts[i]);
	assert_int_equal(p->n, n);
}

static void test_plan_up_simple(void **state)
{
	static const char *const texts[] = {
		"profile.compile physical",
		"resolv.write physical",
		"netns.create physical",
		"netns.name physical as /run/netns/physical",
		"netns.prepare physical",
		"guard.set physical",
		"sysctl.save home",
		"guard.set home: lo",
		"uplinks.save home eth0",
		"link.move eth0 -> physical",
		"link.restore eth0 in physical",
		"addr.restore physical",
		"neigh.restore physical",
		"rule.restore physical",
		"route.restore physical",
		"tunnel.create wg0 in physical by kernel",
		"guard.allow wg0",
		"tunnel.move wg0 physical -> home",
		"guard.port wg0",
		"wg.set wg0: 0 peers",
		"link.up wg0 mtu auto",
	};
	struct fixture *f = laptop();
	struct plan p;
	struct err e;

	(void)state;
	assert_int_equal(plan(f, &p, &e), 0);
	assert_steps(&p, texts, sizeof(texts) / sizeof(texts[0]));
	assert_int_equal(p.n_layout, 15);
	/* a file without DNS= is told what that means */
	assert_int_equal(p.n_warnings, 1);
	plan_free(&p);
	free(f);
}

/* the steps from @first on are @texts */
static void assert_part(const struct plan *p, size_t first, const char *const *texts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert_true(first + i < p->n_layout);
		assert_string_equal(p->steps[first + i].text, texts[i]);
	}
}

static void test_plan_up_makes_and_pins_the_folders_of_sockets(void **state)
{
	static const char *const none_there[] = {
		"dir.create /run/nscd",
		"dir.create /run/systemd",
		"dir.create /run/systemd/resolve",
		"dir.create /run/dbus",
		"mask.pin /run/nscd",
		"mask.pin /run/systemd/resolve",
		"mask.pin /run/dbus",
		"profile.compile physical",
		/* nobody enters before */
		"resolv.write physical",
		"netns.create physical",
	};
	static const char *const some_there[] = {
		"dir.create /run/nscd",		 "mask.pin /run/nscd",
		"mask.pin /run/systemd/resolve", "profile.compile physical",
		"resolv.write physical",	 "netns.create physical",
	};
	struct fixture *f = laptop();
	struct plan p;
	struct err e;

	(void)state;
	for (size_t i = 0; i < PLAN_N_FOLDERS; i++)
		f->host.folders[i] = HOST_FOLDER_ABSENT;
	assert_int_equal(plan(f, &p, &e), 0);
	assert_part(&p, 0, none_there, sizeof(none_there) / sizeof(none_there[0]));
	plan_free(&p);

	f->host.folders[1] = HOST_FOLDER_THERE;
	f->host.folders[2] = HOST_FOLDER_THERE;
	f->host.folders[3] = HOST_FOLDER_MOUNTED;
	assert_int_equal(plan(f, &p, &e), 0);
	assert_part(&p, 0, some_there, sizeof(some_there) / sizeof(some_there[0]));
	plan_free(&p);
	free(f);
}

static void test_plan_up_warns_once_a_layout_that_the_group_is_missing(void **state)
{
	struct fixture *f = laptop();
	struct plan p;
	struct err e;

	(void)state;
	f->rq.group = "net-people";
	f->rq.has_group = false;
	assert_int_equal(plan(f, &p, &e), 0);
	assert_int_equal(p.n_warnings, 2);
	assert_string_equal(p.warnings[0],
			    "group net-people does not exist: only root can use exec; "
			    "after `groupadd --system net-people` the layout has to go down and up "
			    "again");
	plan_free(&p);

	f->host.is_layout_up = true;
	f->host.guard.is_in_home = true;
	assert_int_equal(plan(f, &p, &e), 0);
	assert_int_equal(p.n_warnings, 1);
	plan_free(&p);
	free(f);
}

static void test_plan_up_warns_of_a_mount_below_etc(void **state)
{
	struct fixture *f = laptop();
	struct plan p;
	struct err e;

	(void)state;
	(void)snprintf(f->host.etc_mount, sizeof(f->host.etc_mount), "/etc/hosts");
	assert_int_equal(plan(f, &p, &e), 0);
	assert_string_equal(
		p.warnings[0],
		"/etc/hosts is a mount: programs in a box see what is under it instead");
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
		cmocka_unit_test(test_plan_up_makes_and_pins_the_folders_of_sockets),
		cmocka_unit_test(test_plan_up_warns_once_a_layout_that_the_group_is_missing),
		cmocka_unit_test(test_plan_up_warns_of_a_mount_below_etc),
		cmocka_unit_test(test_plan_up_second_tunnel),
		cmocka_unit_test(test_plan_up_moves_parents_before_vlans),
		cmocka_unit_test(test_plan_up_naming_a_vlan_moves_what_is_below),
		cmocka_unit_test(test_plan_up_one_line_whatever_a_hook_says),
		cmocka_unit_test(test_plan_routes_longest_first_each_once),
		cmocka_unit_test(test_plan_routes_inside_an_address),
		cmocka_unit_test(test_step_parse),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
