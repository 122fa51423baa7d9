// SPDX-License-Identifier: GPL-2.0-or-later
/* agents: the steps of the plan */
#include <net/if_arp.h>
#include <stdio.h>

#include "plan_fixture.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static void has_steps(const struct fixture *f, const char *const *steps)
{
	struct plan plan;
	struct err e;
	size_t n = 0;

	if (plan_up(&f->rq, &f->host, &plan, &e) < 0)
		fail_msg("%s", e.text);
	for (size_t i = 0; i < plan.n; i++) {
		if (strncmp(plan.steps[i].text, "agent.", 6) != 0)
			continue;
		if (!steps[n] || strcmp(plan.steps[i].text, steps[n]) != 0)
			fail_msg("step %zu: %s, not %s", n, plan.steps[i].text, steps[n]);
		n++;
	}
	assert_null(steps[n]);
	plan_free(&plan);
}

static struct host_agent found(const char *program, const char *device, const char *unit)
{
	struct host_agent a = { .pid = 700, .program = agents_program_find(program) };

	strcpy(a.device, device);
	strcpy(a.unit, unit);
	return a;
}

static void test_agents_auto(void **state)
{
	struct fixture *f = laptop();
	struct host_agent items[] = {
		found("udhcpc", "", ""),
		found("dhclient", "eth0", "networking.service"),
		found("dhclient", "eth0", ""),
		found("dhclient", "br0", ""),
		found("wpa_supplicant", "eth0", ""),
		found("dhcpcd", "eth0", "dhcpcd.service"),
	};
	static const char *const steps[] = {
		"agent.stop dhclient of eth0",
		"agent.stop wpa_supplicant of eth0",
		"agent.start wpa_supplicant for eth0 in physical",
		"agent.start dhclient for eth0 in physical",
		"agent.wait physical 30 s",
		NULL,
	};
	static const char *const none[] = { NULL };

	(void)state;
	f->host.agents.items = items + 1;
	f->host.agents.n = N(items) - 1;
	has_steps(f, steps);
	f->rq.agent = AGENT_NONE;
	has_steps(f, none);
	free(f);
}

static void test_agents_named(void **state)
{
	struct fixture *f = laptop();
	struct host_agent_profile profiles[] = {
		{ .name = "dhcp", .task = AGENTS_ADDRESS, .program = "udhcpc" },
		{ .name = "supplicant", .task = AGENTS_AIR, .program = "wpa_supplicant" },
	};
	static const char *const steps[] = {
		"agent.start udhcpc for eth0 in physical by dhcp",
		"agent.wait physical 30 s",
		NULL,
	};
	struct plan plan;
	struct err e;

	(void)state;
	f->links[1].type = ARPHRD_ETHER;
	f->rq.agent = AGENT_NAMED;
	f->host.agents.profiles = profiles;
	f->host.agents.n_profiles = N(profiles);
	has_steps(f, steps);
	profiles[0].program[0] = '\0';
	strcpy(profiles[0].why, "udhcpc is not installed");
	assert_true(plan_up(&f->rq, &f->host, &plan, &e) < 0);
	assert_int_equal(e.kind, ERR_KIND_MACHINE);
	assert_string_equal(e.text, "Agent = dhcp: udhcpc is not installed");
	profiles[0].is_absent = true;
	strcpy(profiles[0].why, "there is no profile dhcp");
	assert_true(plan_up(&f->rq, &f->host, &plan, &e) < 0);
	assert_int_equal(e.kind, ERR_KIND_MACHINE);
	assert_non_null(strstr(e.text, "no profile dhcp"));
	free(f);
}

/* the warnings of nothing taking an agent's place, one a line */
static void successors(const struct fixture *f, char *out, size_t cap)
{
	struct plan plan;
	struct err e;
	size_t n = 0;

	out[0] = '\0';
	if (plan_up(&f->rq, &f->host, &plan, &e) < 0)
		fail_msg("%s", e.text);
	for (size_t i = 0; i < plan.n_warnings; i++) {
		if (strstr(plan.warnings[i], " takes its place "))
			n += (size_t)snprintf(out + n, cap - n, "%s\n", plan.warnings[i]);
	}
	plan_free(&plan);
}

static void test_agents_without_successor(void **state)
{
	struct fixture *f = laptop();
	struct host_agent items[] = {
		found("dhclient", "eth0", ""),
		found("wpa_supplicant", "eth0", ""),
	};
	struct host_agent_profile profiles[] = {
		{ .name = "dhcp", .task = AGENTS_ADDRESS, .program = "udhcpc" },
		{ .name = "supplicant", .task = AGENTS_AIR, .program = "wpa_supplicant" },
	};
	char dhcp[] = "dhcp", supplicant[] = "supplicant", *names[] = { dhcp, supplicant };
	char said[512];

	(void)state;
	f->links[1].type = ARPHRD_ETHER;
	f->host.agents.items = items;
	f->host.agents.n = N(items);
	f->host.agents.profiles = profiles;
	f->rq.agents = names;
	f->rq.agent = AGENT_NAMED;
	f->host.agents.n_profiles = f->rq.n_agents = 2;
	/* on a cable no profile starts one: it is for 802.1X */
	successors(f, said, sizeof(said));
	assert_string_equal(said, "wpa_supplicant of eth0 ends, and nothing takes its place in "
				  "physical: write `Agent = auto` in wgns.conf(5)\n");
	f->devices[1].is_wireless = true;
	f->devices[1].phy = (struct nl80211_phy){ .is_there = true, .can_move = true };
	successors(f, said, sizeof(said));
	assert_string_equal(said, "");
	f->host.agents.n_profiles = f->rq.n_agents = 1;
	successors(f, said, sizeof(said));
	assert_string_equal(said, "wpa_supplicant of eth0 ends, and nothing takes its place in "
				  "physical: write `Agent = dhcp supplicant` in wgns.conf(5)\n");
	/* one that takes all devices */
	items[0].device[0] = '\0';
	f->host.agents.profiles = profiles + 1;
	f->rq.agents = names + 1;
	successors(f, said, sizeof(said));
	assert_string_equal(said, "dhclient of all devices ends, and nothing takes its place in "
				  "physical: write `Agent = supplicant dhcp` in wgns.conf(5)\n");
	f->rq.agent = AGENT_AUTO;
	successors(f, said, sizeof(said));
	assert_string_equal(said, "");
	free(f);
}

static void test_agents_of_a_trunk(void **state)
{
	struct fixture *f = laptop();
	struct host_agent_profile profile = { .name = "dhcp", .program = "udhcpc" };
	static const char *const steps[] = {
		"agent.start udhcpc for eth0.7 in physical by dhcp",
		"agent.wait physical 30 s",
		NULL,
	};

	(void)state;
	f->links[1].type = ARPHRD_ETHER;
	struct rtnl_link *vlan = add_link(f, "eth0.7", "vlan");
	vlan->type = ARPHRD_ETHER;
	vlan->lower = f->links[1].ifindex;
	f->rq.agent = AGENT_NAMED;
	f->host.agents.profiles = &profile;
	f->host.agents.n_profiles = 1;
	has_steps(f, steps);
	free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agents_auto),
		cmocka_unit_test(test_agents_named),
		cmocka_unit_test(test_agents_without_successor),
		cmocka_unit_test(test_agents_of_a_trunk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
