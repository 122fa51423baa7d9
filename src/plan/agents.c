// SPDX-License-Identifier: GPL-2.0-or-later
/* who configures the uplinks in physical: pure */
#include "wgns/agents.h"

#include <errno.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>

#include "plan_internal.h"
#include "wgns/agentfile.h"
#include "wgns/str.h"
#include "wgns/units.h"

/* how long `up` waits for the first address; a server that answers does so in a second or two */
#define WAIT_S 30

static const struct agents_program programs[] = {
	{ "dhclient", AGENTS_ADDRESS, "dhcp" },
	{ "udhcpc", AGENTS_ADDRESS, "dhcp" },
	{ "dhcpcd", AGENTS_ADDRESS, "dhcp" },
	{ "wpa_supplicant", AGENTS_AIR, "supplicant" },
};

const struct agents_program *agents_program_find(const char *name)
{
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		if (strcmp(programs[i].name, name) == 0)
			return &programs[i];
	}
	return NULL;
}

static bool is_uplink(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->n_uplinks; i++) {
		if (strcmp(plan->uplinks[i], name) == 0)
			return true;
	}
	return false;
}

static bool is_wireless(const struct host *host, const struct rtnl_link *link)
{
	return host->devices && host->devices[link - host->links.items].is_wireless;
}

static bool has_address(const struct host *host, int ifindex)
{
	struct rtnl_addr addr;

	for (size_t i = 0; i < host->addrs.n; i++) {
		if (rtnl_parse_addr(host->addrs.items[i].msg, &addr) == 0 &&
		    addr.ifindex == ifindex && addr.scope == RT_SCOPE_UNIVERSE)
			return true;
	}
	return false;
}

/* what only carries VLANs is not configured itself */
static bool is_only_parent(const struct host *host, const struct rtnl_link *link)
{
	bool is_parent = false;

	for (size_t i = 0; i < host->links.n; i++)
		is_parent = is_parent || (strcmp(host->links.items[i].kind, "vlan") == 0 &&
					  host->links.items[i].lower == link->ifindex);
	return is_parent && !has_address(host, link->ifindex);
}

bool agents_fit(const struct host *host, const struct rtnl_link *link, enum agents_task task)
{
	if (task == AGENTS_AIR)
		return is_wireless(host, link);
	return link->type == ARPHRD_ETHER && !is_only_parent(host, link);
}

/* what wgns itself ends and starts */
static bool is_ours(const struct host_agent *agent)
{
	return !agents_is_manager(agent->unit);
}

static bool is_covered_by(const struct host_agent *agent, const char *device, enum agents_task task)
{
	return is_ours(agent) && agent->program->task == task &&
	       (!agent->device[0] || strcmp(agent->device, device) == 0);
}

bool plan_agents_cover(const struct plan_request *rq, const struct host *host, const char *device,
		       enum agents_task task)
{
	const struct rtnl_link *link = rtnl_links_by_name(&host->links, device);

	for (size_t i = 0; rq->agent == AGENT_AUTO && i < host->agents.n; i++) {
		if (is_covered_by(&host->agents.items[i], device, task))
			return true;
	}
	for (size_t i = 0; rq->agent == AGENT_NAMED && link && i < host->agents.n_profiles; i++) {
		const struct host_agent_profile *p = &host->agents.profiles[i];
		if (p->task == task && p->program[0] && agents_fit(host, link, task))
			return true;
	}
	return plan_units_cover(rq, host, device, task);
}

static const char *device_text(const char *device)
{
	return device[0] ? device : AGENTFILE_ALL;
}

/* does it configure something that moves? */
static bool matters(const struct host *host, const struct plan *plan,
		    const struct host_agent *agent)
{
	if (!is_ours(agent))
		return false;
	if (agent->device[0])
		return is_uplink(plan, agent->device);
	for (size_t i = 0; i < plan->n_uplinks; i++) {
		const struct rtnl_link *link = rtnl_links_by_name(&host->links, plan->uplinks[i]);
		if (link && agents_fit(host, link, agent->program->task))
			return true;
	}
	return false;
}

/* several processes of a program for a device are one agent; they stand side by side */
static bool is_first(const struct host_agents *agents, size_t i)
{
	return i == 0 || agents->items[i].program != agents->items[i - 1].program ||
	       strcmp(agents->items[i].device, agents->items[i - 1].device) != 0;
}

/* with Agent = none the warning has said it: the user wants it so */
static int check_air(const struct plan_request *rq, const struct host *host,
		     const struct plan *plan, struct err *e)
{
	for (size_t i = 0; rq->agent == AGENT_AUTO && i < plan->n_uplinks; i++) {
		const struct rtnl_link *link = rtnl_links_by_name(&host->links, plan->uplinks[i]);
		if (!link || !plan_is_station(host, link) ||
		    plan_agents_cover(rq, host, link->name, AGENTS_AIR))
			continue;
		const struct host_unit *unit = units_fixed_of(host, link->name, AGENTS_AIR);
		if (unit)
			(void)units_say_fixed(unit, link->name, e);
		else
			err_say(e, ENOENT,
				"%s is associated, and what associates it is not to be found: it "
				"would "
				"lose its network in physical",
				link->name);
		err_hint(e, "name a profile in wgns.conf(5), `Agent = supplicant dhcp` for "
			    "example; `Agent = none` moves it all the same");
		return err_as(e, ERR_KIND_MACHINE);
	}
	return 0;
}

static int check_profiles(const struct host *host, struct err *e)
{
	for (size_t i = 0; i < host->agents.n_profiles; i++) {
		const struct host_agent_profile *p = &host->agents.profiles[i];
		if (!p->is_absent && p->program[0])
			continue;
		err_say(e, ENOENT, "Agent = %s: %s", p->name, p->why);
		if (!p->is_absent)
			err_hint(e, "it is the section [Agent] of the profile that names it, see "
				    "wgns-profile(5)");
		return err_as(e, ERR_KIND_MACHINE);
	}
	return 0;
}

/* does something that is named do in physical what this one does in home, for one of its devices at least? */
static bool has_successor(const struct plan_request *rq, const struct host *host,
			  const struct plan *plan, const struct host_agent *agent, bool *can_have)
{
	bool has_one = false;

	*can_have = false;
	for (size_t i = 0; i < plan->n_uplinks; i++) {
		const struct rtnl_link *link = rtnl_links_by_name(&host->links, plan->uplinks[i]);
		if (!link || (agent->device[0] && strcmp(agent->device, link->name) != 0))
			continue;
		*can_have = *can_have || agents_fit(host, link, agent->program->task);
		has_one = has_one || plan_agents_cover(rq, host, link->name, agent->program->task);
	}
	return has_one;
}

/* the file names others: what is lost is said, and how it is kept */
static int warn_successor(const struct plan_request *rq, const struct host *host, struct plan *plan,
			  const struct host_agent *agent, struct err *e)
{
	AUTO_STRBUF struct strbuf text = { 0 };
	bool can_have;

	if (rq->agent != AGENT_NAMED || has_successor(rq, host, plan, agent, &can_have))
		return 0;
	strbuf_addf(&text, "%s of %s ends, and nothing takes its place in physical: write `Agent =",
		    agent->program->name, agent->device[0] ? agent->device : "all devices");
	for (size_t i = 0; can_have && i < rq->n_agents; i++)
		strbuf_addf(&text, " %s", rq->agents[i]);
	strbuf_addf(&text, " %s` in wgns.conf(5)", can_have ? agent->program->profile : "auto");
	return text.is_failed ? err_set(e, ENOMEM, "plan") : plan_warn(plan, text.s, e);
}

int plan_agents_stop(const struct plan_request *rq, const struct host *host, struct plan *plan,
		     struct err *e)
{
	const struct host_agents *agents = &host->agents;
	char text[128];
	int rc = rq->agent == AGENT_NAMED ? check_profiles(host, e) : 0;

	if (rc == 0)
		rc = check_air(rq, host, plan, e);
	for (size_t i = 0; rc == 0 && rq->agent != AGENT_NONE && i < agents->n; i++) {
		const struct host_agent *agent = &agents->items[i];
		if (!matters(host, plan, agent) || !is_first(agents, i))
			continue;
		(void)snprintf(text, sizeof(text), "agent.stop %s of %s", agent->program->name,
			       device_text(agent->device));
		rc = plan_add(plan, text, e);
		if (rc == 0)
			rc = warn_successor(rq, host, plan, agent, e);
	}
	return rc;
}

static int remember(struct plan *plan, const char *text, struct err *e)
{
	if (str_list_add(&plan->agents, &plan->n_agents, text, strlen(text)) < 0)
		return err_set(e, ENOMEM, "plan");
	return 0;
}

/* a device that comes later gets the same */
static int remember_program(struct plan *plan, const char *program, enum agents_task task,
			    const char *profile, struct err *e)
{
	char text[160];

	(void)snprintf(text, sizeof(text), "%s %s %s", program,
		       task == AGENTS_AIR ? "wireless" : "all", profile);
	return remember(plan, text, e);
}

/* the same programs as in home */
static int start_found(const struct host *host, struct plan *plan, enum agents_task task,
		       struct err *e)
{
	const struct host_agents *agents = &host->agents;
	char text[128];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < agents->n; i++) {
		const struct host_agent *agent = &agents->items[i];
		if (agent->program->task != task || !matters(host, plan, agent) ||
		    !is_first(agents, i))
			continue;
		(void)snprintf(text, sizeof(text), "agent.start %s for %s in physical",
			       agent->program->name, device_text(agent->device));
		rc = plan_add(plan, text, e);
		/* one that takes every device takes the new one, too */
		if (rc == 0 && agent->device[0])
			rc = remember_program(plan, agent->program->name, task,
					      agent->program->profile, e);
	}
	return rc;
}

static int start_named(const struct host *host, struct plan *plan, enum agents_task task,
		       struct err *e)
{
	char text[200];
	int rc = 0;

	for (size_t i = 0; i < host->agents.n_profiles; i++) {
		const struct host_agent_profile *p = &host->agents.profiles[i];
		if (rc == 0 && p->task == task)
			rc = remember_program(plan, p->program, task, p->name, e);
		for (size_t k = 0; rc == 0 && p->task == task && k < plan->n_uplinks; k++) {
			const struct rtnl_link *link =
				rtnl_links_by_name(&host->links, plan->uplinks[k]);
			if (!link || !agents_fit(host, link, task))
				continue;
			(void)snprintf(text, sizeof(text),
				       "agent.start %s for %s in physical by %s", p->program,
				       link->name, p->name);
			rc = plan_add(plan, text, e);
		}
	}
	return rc;
}

int plan_agents_start(const struct plan_request *rq, const struct host *host, struct plan *plan,
		      struct err *e)
{
	/* the air first: without it there is no address */
	static const enum agents_task tasks[] = { AGENTS_AIR, AGENTS_ADDRESS };
	size_t before = plan->n;
	char text[64];
	int rc = rq->agent == AGENT_AUTO ? remember(plan, "auto", e) : 0;

	for (size_t i = 0; rc == 0 && i < sizeof(tasks) / sizeof(tasks[0]); i++) {
		before = plan->n;
		if (rq->agent == AGENT_AUTO)
			rc = start_found(host, plan, tasks[i], e);
		else if (rq->agent == AGENT_NAMED)
			rc = start_named(host, plan, tasks[i], e);
	}
	if (rc < 0 || plan->n == before)
		return rc;
	(void)snprintf(text, sizeof(text), "agent.wait physical %d s", WAIT_S);
	return plan_add(plan, text, e);
}
