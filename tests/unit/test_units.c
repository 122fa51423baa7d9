// SPDX-License-Identifier: GPL-2.0-or-later
/* what systemd, NetworkManager and networkd say, as text; and which of them move, as values */
#include "plan_fixture.h"

#include <stdio.h>

#include "wgns/follow.h"
#include "wgns/nm.h"
#include "wgns/systemd.h"
#include "wgns/units_moved.h"

static void test_systemd_is_unit(void **state)
{
	static const char *const good[] = { "NetworkManager.service", "systemd-networkd.socket",
					    "wpa_supplicant@wlan0.service", "a.service" };
	static const char *const bad[] = {
		"",	      ".service",     "-a.service",  "a",
		"a.timer",    "../a.service", "a b.service", "a\\x2d.service",
		"@a.service", "a.service\n"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(systemd_is_unit(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(systemd_is_unit(bad[i]));
}

static void test_systemd_unit_of_is_the_machines_own(void **state)
{
	static const struct {
		const char *cgroup, *unit;
	} cases[] = {
		{ "0::/system.slice/NetworkManager.service\n", "NetworkManager.service" },
		{ "12:pids:/x\n1:name=systemd:/system.slice/iwd.service\n0::/\n", "iwd.service" },
		{ "0::/system.slice/system-wpa_supplicant.slice/wpa_supplicant@wlan0.service\n",
		  "wpa_supplicant@wlan0.service" },
		/* below it is its own, too */
		{ "0::/system.slice/dhcpcd.service/child\n", "dhcpcd.service" },
		/* a user's manager may call its units anything */
		{ "0::/user.slice/user-1000.slice/user@1000.service/app.slice/iwd.service\n", "" },
		{ "0::/user.slice/system.slice/iwd.service\n", "" },
		{ "0::/system.slice/docker-1234.scope\n", "" },
		{ "0::/system.slice/.service\n", "" },
		{ "0::/\n", "" },
		{ "", "" },
	};
	char unit[SYSTEMD_UNIT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		systemd_unit_of(cases[i].cgroup, unit);
		assert_string_equal(unit, cases[i].unit);
	}
}

static void test_systemd_parse_show(void **state)
{
	struct systemd_unit units[3] = { { .name = "a.service" },
					 { .name = "b.socket" },
					 { .name = "c.service" } };

	(void)state;
	assert_int_equal(
		systemd_parse_show("LoadState=loaded\nActiveState=active\nMainPID=612\n"
				   "NetworkNamespacePath=/run/netns/physical\n\n"
				   "LoadState=loaded\nActiveState=inactive\n\n"
				   "MainPID=0\nLoadState=not-found\nActiveState=inactive\n",
				   units, 3),
		0);
	assert_true(units[0].is_loaded && units[0].is_active);
	assert_int_equal(units[0].pid, 612);
	assert_string_equal(units[0].netns_path, "/run/netns/physical");
	assert_string_equal(units[1].netns_path, "");
	assert_true(units[1].is_loaded && !units[1].is_active);
	assert_false(units[2].is_loaded);
	/* one too few, one too many, a line that was not asked for, a number that is none */
	assert_int_equal(systemd_parse_show("LoadState=loaded\n", units, 2), -EINVAL);
	assert_int_equal(systemd_parse_show("LoadState=loaded\n\nLoadState=loaded\n", units, 1),
			 -EINVAL);
	assert_int_equal(systemd_parse_show("Id=a.service\n", units, 1), -EINVAL);
	assert_int_equal(systemd_parse_show("MainPID=-1\n", units, 1), -EINVAL);
}

static void test_nm_parse_devices(void **state)
{
	static const char text[] = "eth0:connected\n"
				   "wlan0:connecting (getting IP configuration)\n"
				   "docker0:connected (externally)\n"
				   "eth1:unmanaged\n"
				   "eth2:connected (local only)\n"
				   "AA\\:BB\\:CC\\:DD\\:EE\\:FF:disconnected\n"
				   "back\\\\slash:unavailable\n"
				   "a-name-that-is-longer-than-the-kernels:connected\n";
	struct nm_device *list = NULL;
	size_t n = 0;

	(void)state;
	assert_int_equal(nm_parse_devices(text, &list, &n), 0);
	assert_int_equal(n, 6);
	assert_true(list[0].is_managed && list[0].is_connected);
	assert_true(list[1].is_managed && !list[1].is_connected);
	assert_false(list[2].is_managed || list[2].is_connected);
	assert_false(list[3].is_managed);
	assert_true(list[4].is_connected);
	assert_string_equal(list[5].name, "back\\slash");
	free(list);
	assert_int_equal(nm_parse_devices("eth0\n", &list, &n), -EINVAL);
	assert_int_equal(nm_parse_devices("eth0:a:b:c\n", &list, &n), -EINVAL);
	assert_int_equal(nm_parse_devices("eth0:connected\\", &list, &n), -EINVAL);
}

static void test_nm_parse_choices(void **state)
{
	static const char text[] = "5ed8724b-c7d7-49f2-82b9-986ae449cf0f:wlan0:no\n"
				   "46ffaca8-688a-3c26-bf65-34416b1296dd:eth0:yes\n"
				   "46ffaca8-688a-3c26-bf65-34416b1296de::no\n";
	struct nm_choice choices[4];

	(void)state;
	assert_int_equal(nm_parse_choices(text, choices, 4), 1);
	assert_string_equal(choices[0].uuid, "5ed8724b-c7d7-49f2-82b9-986ae449cf0f");
	assert_string_equal(choices[0].device, "wlan0");
	assert_int_equal(nm_parse_choices("--help:wlan0:no\n", choices, 4), -EINVAL);
	assert_int_equal(
		nm_parse_choices("5ed8724b-c7d7-49f2-82b9-986ae449cf0f:wlan0\n", choices, 4),
		-EINVAL);
}

static void test_nm_parse_config(void **state)
{
	static const char text[] = "# NetworkManager configuration\n"
				   "[main]\n# rc-manager=\ndns=none\ndns=default\n"
				   "\n[other]\nrc-manager=file\n"
				   " [main] \n  systemd-resolved = true # \ndns+=x\n";
	char value[16];

	(void)state;
	assert_true(nm_parse_config(text, "dns", value, sizeof(value)));
	assert_string_equal(value, "default");
	assert_false(nm_parse_config(text, "rc-manager", value, sizeof(value)));
	assert_false(nm_parse_config(text, "dn", value, sizeof(value)));
	assert_true(nm_parse_config(text, "systemd-resolved", value, sizeof(value)));
	assert_string_equal(value, "true #");
}

static void test_units_files_never_share_a_place(void **state)
{
	struct units_file files[UNITS_FILES_MAX];

	(void)state;
	assert_int_equal(units_files("systemd-networkd.socket", files), 1);
	assert_string_equal(files[0].dir, "/run/systemd/system/systemd-networkd.socket.d");
	assert_non_null(
		strstr(files[0].text, "[Socket]\nNetworkNamespacePath=/run/netns/physical\n"));
	assert_null(strstr(files[0].text, "/sys"));
	assert_int_equal(units_files("systemd-networkd.service", files), 1);
	assert_non_null(strstr(files[0].text, ":/run/systemd/netif\n"));
	assert_int_equal(units_files("NetworkManager.service", files), 2);
	assert_non_null(strstr(files[0].text,
			       "\nBindReadOnlyPaths=/run/wgns/box/physical/sys:/sys:norbind\n"));
	assert_non_null(strstr(files[1].text, "\nsystemd-resolved=false\n"));
	assert_int_equal(units_files("dhcpcd.service", files), 1);
	assert_non_null(strstr(files[0].text, "\nReadOnlyPaths=/etc -/etc/resolv.conf "));
	assert_non_null(strstr(files[0].text, "/usr/bin/resolvconf\n"));
}

static void test_follow_read_link(void **state)
{
	AUTO_STRBUF struct strbuf out = { 0 };

	(void)state;
	follow_read_link(
		"ADMIN_STATE=configured\nDNS=192.0.2.53 192.0.2.54:5353#a "
		"[2001:db8::53]:853%eth0 2001:db8::54%2\nDOMAINS=lan.example\nROUTE_DOMAINS=x\n",
		&out);
	assert_string_equal(out.s, "nameserver 192.0.2.53\nnameserver 192.0.2.54\n"
				   "nameserver 2001:db8::53\nnameserver 2001:db8::54\n"
				   "search lan.example\n");
}

/* ---- which of them move ---- */

static struct host_unit items[8];
static char *eth0[] = { (char[]){ "eth0" } }, *eth1[] = { (char[]){ "eth1" } };

static struct fixture *with_units(void)
{
	static const struct host_unit all[] = {
		{ .name = UNITS_NETWORKMANAGER,
		  .is_loaded = true,
		  .is_active = true,
		  .devices = eth0,
		  .n_devices = 1 },
		{ .name = UNITS_DISPATCHER, .is_loaded = true },
		{ .name = UNITS_SUPPLICANT, .is_loaded = true, .is_active = true },
		{ .name = UNITS_IWD, .is_loaded = true },
		{ .name = UNITS_NETWORKD, .is_loaded = true, .is_active = true },
		{ .name = UNITS_NETWORKD_SOCKET, .is_loaded = true, .is_active = true },
	};
	struct fixture *f = laptop();

	memcpy(items, all, sizeof(all));
	f->host.units = (struct host_units){ .is_systemd = true,
					     .items = items,
					     .n = sizeof(all) / sizeof(all[0]) };
	return f;
}

static bool has(const struct plan *p, const char *text)
{
	for (size_t i = 0; i < p->n; i++) {
		if (strcmp(p->steps[i].text, text) == 0)
			return true;
	}
	return false;
}

static bool warns(const struct plan *p, const char *text)
{
	for (size_t i = 0; i < p->n_warnings; i++) {
		if (strstr(p->warnings[i], text))
			return true;
	}
	return false;
}

static void test_plan_moves_who_manages_an_uplink(void **state)
{
	struct fixture *f = with_units();
	struct plan p;
	struct err e;

	(void)state;
	assert_int_equal(plan(f, &p, &e), 0);
	assert_true(has(&p, "netns.sysfs physical"));
	/* networkd manages nothing that moves */
	assert_true(has(&p, "unit.stop NetworkManager.service "
			    "(NetworkManager-dispatcher.service) wpa_supplicant.service"));
	assert_true(has(&p, "unit.dropin NetworkManager.service "
			    "(NetworkManager-dispatcher.service) wpa_supplicant.service"));
	assert_true(has(&p, "unit.start NetworkManager.service "
			    "(NetworkManager-dispatcher.service) wpa_supplicant.service"));
	assert_true(has(&p, "unit.follow NetworkManager.service"));
	assert_string_equal(p.steps[p.n_layout - 1].text, "unit.follow NetworkManager.service");
	/* it has no cable */
	assert_true(warns(&p, "eth0 has no carrier now"));
	plan_free(&p);
	free(f);
}

static void test_plan_moves_networkd_with_its_socket(void **state)
{
	struct fixture *f = with_units();
	struct plan p;
	struct err e;

	(void)state;
	items[0].devices = eth1;
	items[4].devices = eth0;
	items[4].n_devices = 1;
	add_link(f, "eth1", "");
	assert_int_equal(plan(f, &p, &e), 0);
	assert_true(has(&p, "unit.stop systemd-networkd.service systemd-networkd.socket"));
	plan_free(&p);

	/* with both everybody goes, and what stays is told */
	items[0].n_devices = 1;
	f->rq.uplinks = eth1;
	f->rq.n_uplinks = 1;
	assert_int_equal(plan(f, &p, &e), 0);
	assert_true(has(&p, "unit.stop NetworkManager.service "
			    "(NetworkManager-dispatcher.service) wpa_supplicant.service"));
	assert_false(warns(&p, "stays in home as it is"));
	items[0].devices = eth0;
	items[4].n_devices = 0;
	f->rq.agent = AGENT_NAMED;
	char *named[] = { (char[]){ "systemd:NetworkManager" } };
	f->rq.agents = named;
	f->rq.n_agents = 1;
	plan_free(&p);
	assert_int_equal(plan(f, &p, &e), 0);
	assert_true(warns(&p, "eth0 stays in home as it is"));
	plan_free(&p);
	free(f);
}

/* one that cannot move: the plan with `auto`, and when it is named */
static void check_fixed(const char *name, const char *agent, const char *why)
{
	struct fixture *f = with_units();
	struct plan p;
	struct err e;

	items[0].n_devices = 0;
	(void)snprintf(items[3].name, sizeof(items[3].name), "%s", name);
	items[3].is_active = true;
	assert_int_equal(plan(f, &p, &e), 0);
	assert_false(has(&p, "netns.sysfs physical"));
	assert_true(warns(&p, why));
	assert_true(warns(&p, "Agent = "));
	plan_free(&p);
	char named[64];
	char *agents[] = { named };
	(void)snprintf(named, sizeof(named), "systemd:%s", agent);
	f->rq.agent = AGENT_NAMED;
	f->rq.agents = agents;
	f->rq.n_agents = 1;
	assert_true(plan(f, &p, &e) < 0);
	assert_int_equal(e.kind, ERR_KIND_MACHINE);
	assert_non_null(strstr(e.text, "cannot move"));
	free(f);
}

static void test_plan_says_who_cannot_move(void **state)
{
	(void)state;
	check_fixed("dhcpcd@eth0.service", "dhcpcd@eth0",
		    "dhcpcd@eth0.service configures eth0 and cannot move: its unit needs the "
		    "device in home");
	check_fixed("wpa_supplicant-wired@eth0.service", "wpa_supplicant-wired@eth0",
		    "wpa_supplicant-wired@eth0.service configures eth0 and cannot move");
	check_fixed("connman.service", "connman", "connman.service configures eth0");
}

static void test_every_manager_that_is_known_has_one_entry(void **state)
{
	const struct units_known *k;
	char device[IFNAMSIZ];

	(void)state;
	for (size_t i = 0; (k = units_known_at(i)); i++)
		assert_ptr_equal(units_known(k->pattern), k);
	assert_non_null(units_known("wpa_supplicant-nl80211@wlan0.service"));
	assert_null(units_known("wpa_supplicant-nl80211.service"));
	assert_null(units_known("networking.service"));
	assert_true(units_device_of("dhcpcd@eth0.7.service", device));
	assert_string_equal(device, "eth0.7");
	assert_false(units_device_of("dhcpcd@.service", device));
	assert_false(units_device_of("dhcpcd.service", device));
	assert_false(units_device_of("dhcpcd@a-name-too-long-for-a-device.service", device));
}

static void test_systemd_parse_ids(void **state)
{
	struct systemd_unit units[SYSTEMD_UNITS_MAX];

	(void)state;
	assert_int_equal(
		systemd_parse_ids("Id=a@b.service\n\nId=c@d\\x2d.service\n\nId=e.socket\n", units),
		2);
	assert_string_equal(units[0].name, "a@b.service");
	assert_string_equal(units[1].name, "e.socket");
	assert_int_equal(systemd_parse_ids("", units), 0);
}

static void test_plan_refuses_what_networkmanager_is_told_in_etc(void **state)
{
	struct fixture *f = with_units();
	struct plan p;
	struct err e;

	(void)state;
	f->host.units.has_conflict = true;
	f->host.units.conflict = (struct nm_conflict){ "dns", "default", "none",
						       "/etc/NetworkManager/conf.d/x.conf" };
	assert_true(plan(f, &p, &e) < 0);
	assert_int_equal(e.kind, ERR_KIND_MACHINE);
	assert_non_null(strstr(e.text, "/etc/NetworkManager/conf.d/x.conf has dns=none"));
	assert_non_null(strstr(e.hint, "set it to default there"));
	/* it stays in home */
	items[0].n_devices = 0;
	assert_int_equal(plan(f, &p, &e), 0);
	plan_free(&p);
	free(f);
}

static void test_plan_leaves_managers_alone(void **state)
{
	struct fixture *f = with_units();
	struct plan p;
	struct err e;

	(void)state;
	f->rq.agent = AGENT_NONE;
	assert_int_equal(plan(f, &p, &e), 0);
	assert_false(has(&p, "netns.sysfs physical"));
	plan_free(&p);
	/* one of another machine, whose units are ours */
	f->rq.agent = AGENT_AUTO;
	items[0].is_elsewhere = true;
	assert_int_equal(plan(f, &p, &e), 0);
	assert_false(has(&p, "netns.sysfs physical"));
	plan_free(&p);
	free(f);
}

static void test_plan_refuses_a_named_unit_that_is_not_there(void **state)
{
	static const struct {
		const char *agent, *why;
	} cases[] = {
		{ "systemd:iwd", "systemd:iwd: it is not running" },
		{ "systemd:NetworkManager", "systemd:NetworkManager: it is not running" },
		{ "systemd:other", "systemd:other: there is no such unit" },
		{ "systemd:a\\x2d", "this is no name of a service or socket" },
	};
	struct fixture *f = with_units();
	char agent[32];
	char *agents[] = { agent };
	struct plan p;
	struct err e;

	(void)state;
	items[0].is_active = false;
	f->rq.agent = AGENT_NAMED;
	f->rq.agents = agents;
	f->rq.n_agents = 1;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(agent, sizeof(agent), "%s", cases[i].agent);
		assert_true(plan(f, &p, &e) < 0);
		assert_int_equal(e.kind, ERR_KIND_MACHINE);
		assert_non_null(strstr(e.text, cases[i].why));
	}
	f->host.units.is_systemd = false;
	assert_true(plan(f, &p, &e) < 0);
	assert_non_null(strstr(e.text, "systemd is not process 1 here"));
	/* whoever names nobody does without it */
	f->rq.agent = AGENT_AUTO;
	f->host.units.is_systemd = true;
	assert_int_equal(plan(f, &p, &e), 0);
	for (size_t k = 0; k < p.n; k++)
		assert_null(strstr(p.steps[k].text, "NetworkManager"));
	plan_free(&p);
	free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_systemd_is_unit),
		cmocka_unit_test(test_systemd_unit_of_is_the_machines_own),
		cmocka_unit_test(test_systemd_parse_show),
		cmocka_unit_test(test_nm_parse_devices),
		cmocka_unit_test(test_nm_parse_choices),
		cmocka_unit_test(test_nm_parse_config),
		cmocka_unit_test(test_units_files_never_share_a_place),
		cmocka_unit_test(test_follow_read_link),
		cmocka_unit_test(test_plan_moves_who_manages_an_uplink),
		cmocka_unit_test(test_plan_moves_networkd_with_its_socket),
		cmocka_unit_test(test_plan_says_who_cannot_move),
		cmocka_unit_test(test_plan_refuses_what_networkmanager_is_told_in_etc),
		cmocka_unit_test(test_every_manager_that_is_known_has_one_entry),
		cmocka_unit_test(test_systemd_parse_ids),
		cmocka_unit_test(test_plan_leaves_managers_alone),
		cmocka_unit_test(test_plan_refuses_a_named_unit_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
