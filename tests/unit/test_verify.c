// SPDX-License-Identifier: GPL-2.0-or-later
/* the judges of `verify`, with values */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "wgns/capture.h"
#include "wgns/verify.h"

#define N_LINKS 6

/* home with lo, wg0, a bridge and a veth to a container; physical has eth0. All yes. */
struct world {
	struct verify_facts f;
	struct rtnl_link links[N_LINKS], uplink[1], physical[2];
	struct verify_tunnel tunnel[1];
	struct state_tunnel all[1];
	struct verify_proc procs[2];
	struct verify_socket sockets[1];
};

static struct rtnl_link link_of(int ifindex, const char *name, const char *kind)
{
	struct rtnl_link link = { .ifindex = ifindex, .flags = IFF_UP };

	(void)snprintf(link.name, sizeof(link.name), "%s", name);
	(void)snprintf(link.kind, sizeof(link.kind), "%s", kind);
	return link;
}

static void make_tunnel(struct world *w)
{
	struct verify_tunnel *t = &w->tunnel[0];

	(void)snprintf(t->meta.place, sizeof(t->meta.place), "home");
	(void)snprintf(t->meta.layout, sizeof(t->meta.layout), "physical");
	(void)snprintf(t->meta.device.name, sizeof(t->meta.device.name), "wg0");
	(void)snprintf(t->meta.dns, sizeof(t->meta.dns), "file");
	t->meta.device.ifindex = 2;
	t->meta.since = 1;
	t->meta.home = (struct netns_id){ 1, 10 };
	t->meta.birth = (struct netns_id){ 1, 20 };
	t->folder = (struct verify_file){ .is_there = true, .mode = 0700 };
	t->config = t->file = (struct verify_file){ .is_there = true, .mode = 0600 };
	t->dns[0] = (struct addr){ AF_INET, 32, { 10, 77, 0, 80 } };
	t->n_dns = 1;
	t->device.has_listen_port = true;
	t->device.listen_port = 40000;
	t->is_port_known = t->is_port_in_physical = true;
	w->all[0] = t->meta;
}

static void make_world(struct world *w)
{
	struct verify_facts *f = &w->f;

	*w = (struct world){ 0 };
	make_tunnel(w);
	w->links[0] = link_of(1, "lo", "");
	w->links[0].flags |= IFF_LOOPBACK;
	w->links[1] = link_of(2, "wg0", "tun");
	w->links[2] = link_of(3, "docker0", "bridge");
	w->links[3] = link_of(4, "veth1", "veth");
	w->links[3].master = 3;
	w->links[3].has_lower_netnsid = true;
	w->links[3].lower_netnsid = 7;
	w->uplink[0] = w->physical[1] = link_of(2, "eth0", "veth");
	w->physical[0] = w->links[0];
	*f = (struct verify_facts){
		.is_root = true,
		.has_tunnels = true,
		.home = { .id = { 1, 10 }, .links = { w->links, 4 } },
		.physical = { .id = { 1, 20 }, .links = { w->physical, 2 } },
		.has_physical_nsid = true,
		.physical_nsid = 3,
		.tunnels = w->tunnel,
		.n_tunnels = 1,
		.all = w->all,
		.n_all = 1,
		.has_box = true,
		.uplinks = { w->uplink, 1 },
		.is_pinned = true,
		.is_named = true,
		.pin = { 1, 20 },
		.name = { 1, 20 },
		.home_resolv = { .is_there = true,
				 .servers = { { AF_INET, 32, { 10, 77, 0, 80 } } },
				 .n_servers = 1 },
		.box_resolv = { .is_there = true,
				.servers = { { AF_INET, 32, { 192, 0, 2, 1 } } },
				.n_servers = 1 },
		.has_box_nsswitch = true,
		.is_box_nsswitch_right = true,
		.procs = w->procs,
		.sockets = w->sockets,
		.helper = { .is_there = true, .mode = 0755 },
		.program = { .is_there = true, .mode = 0755 },
		.helper_caps = { .is_there = true, .is_effective = true, .permitted = 1 << 21 },
	};
	for (size_t i = 0; i < PLAN_N_FOLDERS; i++)
		f->is_folder_pinned[i] = true;
}

/* exactly the findings @ids (ended by NULL) are @answer, and the first has a detail with @text */
static void judged(const struct world *w, enum finding_answer answer, const char *text,
		   const char *const *ids)
{
	AUTO_FINDINGS struct findings list = { 0 };
	bool is_said = !text;

	verify_judge(&w->f, &list);
	assert_false(list.is_failed);
	for (size_t i = 0; i < list.n; i++) {
		const struct finding *f = &list.items[i];
		bool is_meant = false;
		for (const char *const *id = ids; *id; id++)
			is_meant = is_meant || strcmp(*id, f->id) == 0;
		if ((f->answer == answer) != is_meant && answer != FINDING_YES)
			fail_msg("%s is %s: %s", f->id, finding_answer_name(f->answer),
				 f->n_details ? f->details[0].text : "");
		if (answer == FINDING_YES && f->answer != FINDING_YES)
			fail_msg("%s is %s: %s", f->id, finding_answer_name(f->answer),
				 f->n_details ? f->details[0].text : "");
		for (size_t k = 0; k < f->n_details && is_meant && text; k++)
			is_said = is_said || strstr(f->details[k].text, text);
	}
	if (!is_said)
		fail_msg("nothing says '%s'", text);
}
#define ALL_YES(w) judged(w, FINDING_YES, NULL, (const char *[]){ NULL })
#define IS_NO(w, text, ...) judged(w, FINDING_NO, text, (const char *[]){ __VA_ARGS__, NULL })
#define IS_UNKNOWN(w, text, ...)                                                                   \
	judged(w, FINDING_UNKNOWN, text, (const char *[]){ __VA_ARGS__, NULL })

static void test_verify_untouched_is_all_yes(void **state)
{
	struct world w;

	(void)state;
	make_world(&w);
	ALL_YES(&w);
}

static void test_verify_devices(void **state)
{
	struct world w;

	(void)state;
	make_world(&w);
	w.links[4] = link_of(9, "eth1", "");
	w.f.home.links.n = 5;
	ALL_YES(&w);
	w.links[4].has_parent_device = true;
	IS_NO(&w, "eth1 has hardware behind it", "home.devices");
	/* what it is a port of, and what is on that */
	w.links[4].master = 3;
	w.links[5] = link_of(10, "mac0", "macvlan");
	w.links[5].lower = 3;
	w.f.home.links.n = 6;
	IS_NO(&w, "docker0 (bridge) is on it, and eth1 has hardware", "home.devices");
	IS_NO(&w, "mac0 (macvlan) is on it, and", "home.devices");
	make_world(&w);
	w.links[3].lower_netnsid = 3;
	IS_NO(&w, "veth1 (veth) hangs on a device of physical", "home.devices");
	make_world(&w);
	w.links[3] = link_of(4, "other", "wireguard");
	IS_NO(&w, "other is a WireGuard device that wgns did not make", "home.devices");
	make_world(&w);
	w.links[3] = w.uplink[0];
	w.links[3].ifindex = 4;
	w.f.physical.links.n = 1;
	IS_NO(&w, "eth0 is an uplink", "home.devices", "physical.uplinks");
	make_world(&w);
	w.f.physical.links.n = 1;
	ALL_YES(&w); /* unplugged: a warning */
}

static void test_verify_devices_of_a_loop_end(void **state)
{
	struct world w;

	(void)state;
	make_world(&w);
	w.links[4] = link_of(9, "a", "vlan");
	w.links[4].lower = 10;
	w.links[5] = link_of(10, "b", "vlan");
	w.links[5].lower = 9;
	w.f.home.links.n = 6;
	ALL_YES(&w);
}

static void test_verify_sockets(void **state)
{
	struct world w;

	(void)state;
	make_world(&w);
	w.sockets[0] = (struct verify_socket){ .pid = 5, .comm = "tcpdump" };
	w.f.n_sockets = 1;
	ALL_YES(&w);
	w.links[3].has_parent_device = true;
	IS_NO(&w, "tcpdump (pid 5) has a packet socket on every device", "home.sockets",
	      "home.devices");
}

static void test_verify_names(void **state)
{
	struct world w;

	(void)state;
	make_world(&w);
	w.f.home_resolv.servers[1] = w.f.box_resolv.servers[0];
	w.f.home_resolv.n_servers = 2;
	IS_NO(&w, "192.0.2.1, the resolver of the uplink", "names.home");
	/* resolvectl's stub is nobody's leak, except where wgns has written the file itself */
	make_world(&w);
	w.f.home_resolv.servers[0] = (struct addr){ AF_INET, 32, { 127, 0, 0, 53 } };
	IS_NO(&w, "127.0.0.53, which no tunnel", "names.home");
	(void)snprintf(w.all[0].dns, sizeof(w.all[0].dns), "resolved");
	ALL_YES(&w);
	make_world(&w);
	w.f.box_resolv.servers[0] = (struct addr){ AF_INET, 32, { 127, 0, 0, 1 } };
	IS_NO(&w, "names 127.0.0.1, which is physical itself", "names.box");
	make_world(&w);
	w.f.is_folder_pinned[0] = false;
	IS_NO(&w, "/run/nscd is no mount", "names.pins");
}

static void test_verify_programs(void **state)
{
	struct world w;
	const struct verify_mounts sealed = { true, true, true, true };

	(void)state;
	make_world(&w);
	w.f.n_procs = w.f.n_procs_all = 1;
	w.procs[0] = (struct verify_proc){ .caps = { .is_known = true, .has_no_new_privs = true },
					   .mounts = sealed };
	ALL_YES(&w);
	w.procs[0].caps.permitted = 1 << 12;
	ALL_YES(&w); /* named, as a profile of root's has it */
	w.procs[0].mounts.has_etc = false;
	IS_NO(&w, "holds cap_net_admin", "programs.privileges", "programs.names");
	w.procs[0].caps.permitted = 0;
	w.procs[0].caps.has_no_new_privs = false;
	IS_NO(&w, "can gain privileges", "programs.privileges", "programs.names");
	w.procs[0].is_daemon = true;
	ALL_YES(&w);
	/* a service that systemd starts there is as systemd confines it; an agent has to be sealed */
	w.procs[0].is_daemon = false;
	w.procs[0].is_manager = true;
	ALL_YES(&w);
	w.procs[0].is_manager = false;
	w.procs[0].is_agent = true;
	IS_NO(&w, "can gain privileges", "programs.privileges", "programs.names");
	w.procs[0].mounts.has_etc = true;
	ALL_YES(&w);
	w.procs[0] = (struct verify_proc){ 0 };
	IS_UNKNOWN(&w, "cannot be read", "programs.privileges", "programs.names");
	w.f.n_procs = 0;
	w.f.n_procs_all = VERIFY_PROCS_MAX + 1;
	IS_UNKNOWN(&w, "1 more programs", "programs.privileges", "programs.names");
}

static void test_verify_records_and_namespaces(void **state)
{
	struct world w;

	(void)state;
	make_world(&w);
	w.tunnel[0].meta.since = 0;
	IS_NO(&w, "the `up` of wg0 was interrupted", "state.records");
	make_world(&w);
	w.f.layout.n_undone = 1;
	IS_NO(&w, "a `down` of the layout was interrupted", "state.records");
	make_world(&w);
	(void)snprintf(w.tunnel[0].journal.open, VERIFY_PROBLEM_MAX, "link.up wg0");
	IS_NO(&w, "wg0 was interrupted at link.up wg0", "state.records");
	make_world(&w);
	w.f.is_busy = true;
	IS_UNKNOWN(&w, "another wgns", "state.records");
	make_world(&w);
	w.tunnel[0].meta.birth.ino = 21;
	IS_NO(&w, "wg0 was born in another namespace", "state.namespaces");
	make_world(&w);
	w.f.name.ino = 21;
	IS_NO(&w, "is another namespace than the box", "physical.pins");
}

static void test_verify_tunnels_and_keys(void **state)
{
	struct world w;

	(void)state;
	make_world(&w);
	w.tunnel[0].is_port_in_physical = false;
	IS_NO(&w, "(port 40000) is not in physical", "tunnels");
	make_world(&w);
	w.tunnel[0].meta.device.pid = 7;
	IS_NO(&w, "(pid 7) has ended", "tunnels");
	w.tunnel[0].is_daemon_alive = w.tunnel[0].has_daemon_ns = true;
	w.tunnel[0].daemon_ns = w.f.home.id;
	IS_NO(&w, "(pid 7) is not in physical", "tunnels");
	make_world(&w);
	w.tunnel[0].config.mode = 0640;
	IS_NO(&w, "the copy of the file of wg0", "keys");
	make_world(&w);
	w.tunnel[0].has_key_in_words = true;
	IS_NO(&w, "a key in its arguments", "keys");
	make_world(&w);
	w.f.helper.mode = 04755;
	IS_NO(&w, "wgns-exec is set-user-ID", "helper");
	make_world(&w);
	w.f.helper_caps.permitted |= 1;
	IS_NO(&w, "not cap_sys_admin alone: cap_chown", "helper");
}

static void test_verify_guards(void **state)
{
	char eth1[] = "eth1", lo[] = "lo", *names[] = { lo, eth1 };
	uint16_t ports[] = { 40000, 22 };
	struct world w;

	(void)state;
	make_world(&w);
	w.f.layout.has_guard_home = w.f.layout.has_guard_physical = true;
	IS_NO(&w, "table inet wgns is gone", "guard.home", "guard.physical");
	w.f.guard_home.seen = (struct guard_seen){ .is_there = true,
						   .has_bridge = true,
						   .is_intact = true,
						   .names = names,
						   .n_names = 2 };
	w.f.guard_physical.seen = (struct guard_seen){ .is_there = true,
						       .is_physical = true,
						       .is_intact = true,
						       .ports = ports,
						       .n_ports = 1 };
	ALL_YES(&w);
	w.links[3] = link_of(4, "eth1", "");
	w.links[3].has_parent_device = true;
	IS_NO(&w, "it lets eth1 send: eth1 has hardware", "guard.home", "home.devices");
	make_world(&w);
	w.f.guard_physical.seen = (struct guard_seen){ .is_there = true,
						       .is_physical = true,
						       .is_intact = true,
						       .ports = ports,
						       .n_ports = 2 };
	IS_NO(&w, "it lets in port 22", "guard.physical");
	w.f.guard_physical.seen.is_intact = false;
	(void)snprintf(w.f.guard_physical.seen.why, 8, "rule 3");
	IS_NO(&w, "it was changed: rule 3", "guard.physical");
}

static void test_verify_without_root_is_not_yes(void **state)
{
	AUTO_FINDINGS struct findings list = { 0 };
	struct world w;

	(void)state;
	make_world(&w);
	w.f.is_root = w.f.has_tunnels = false;
	verify_judge(&w.f, &list);
	assert_int_equal(findings_answer(&list), FINDING_UNKNOWN);
	assert_int_equal(findings_find(&list, "keys")->answer, FINDING_UNKNOWN);
	assert_int_equal(findings_find(&list, "home.routes")->answer, FINDING_YES);
	assert_int_equal(findings_find(&list, "home.devices")->answer, FINDING_UNKNOWN);
}

static void test_verify_capture(void **state)
{
	AUTO_FINDINGS struct findings list = { 0 };
	struct capture c = { .seconds = 1, .devices = { "eth0" }, .n_devices = 1 };

	(void)state;
	c.frames[FRAME_WIREGUARD][1] = 5;
	c.frames[FRAME_OTHER][0] = 5; /* what others say on the wire */
	capture_judge(&c, &list);
	assert_int_equal(findings_answer(&list), FINDING_YES);
	assert_string_equal(list.items[0].details[0].text, "wireguard: 5 out, 0 in");
	c.frames[FRAME_OTHER][1] = 2;
	capture_judge(&c, &list);
	assert_int_equal(list.items[1].answer, FINDING_NO);
	c.programs[c.n_programs++] = (struct netns_proc){ .pid = 9, .comm = "curl" };
	capture_judge(&c, &list);
	assert_int_equal(list.items[2].answer, FINDING_YES);
	c.n_dropped = 1;
	capture_judge(&c, &list);
	assert_int_equal(list.items[3].answer, FINDING_UNKNOWN);
}

static void test_findings_are_bounded(void **state)
{
	AUTO_FINDINGS struct findings list = { 0 };

	(void)state;
	findings_add(&list, FINDING_BREAKS, "before any finding");
	assert_int_equal(list.n, 0);
	findings_begin(&list, "a", "b");
	for (int i = 0; i < 2 * FINDING_DETAILS_MAX; i++) {
		findings_add(&list, FINDING_BREAKS, "%d", i);
		findings_hint(&list, "hint %d", i);
	}
	assert_int_equal(list.items[0].n_details, FINDING_DETAILS_MAX + 1);
	assert_null(list.items[0].details[FINDING_DETAILS_MAX].hint);
	findings_add(&list, FINDING_NOTE, "another kind");
	findings_hint(&list, "its hint");
	assert_string_equal(list.items[0].details[FINDING_DETAILS_MAX + 1].hint, "its hint");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verify_untouched_is_all_yes),
		cmocka_unit_test(test_verify_devices),
		cmocka_unit_test(test_verify_devices_of_a_loop_end),
		cmocka_unit_test(test_verify_sockets),
		cmocka_unit_test(test_verify_names),
		cmocka_unit_test(test_verify_programs),
		cmocka_unit_test(test_verify_records_and_namespaces),
		cmocka_unit_test(test_verify_tunnels_and_keys),
		cmocka_unit_test(test_verify_guards),
		cmocka_unit_test(test_verify_without_root_is_not_yes),
		cmocka_unit_test(test_verify_capture),
		cmocka_unit_test(test_findings_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
