// SPDX-License-Identifier: GPL-2.0-or-later
/* the steps by which managers move, and what is said of those that stay: pure */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "plan_internal.h"
#include "wgns/str.h"

#define WAIT_S 60 /* for a lease; Wi-Fi takes ten seconds where many networks are around */

int units_check(const struct units_set *set, const struct host *host, struct err *e)
{
	const struct nm_conflict *c = &host->units.conflict;
	bool is_nm = false;

	for (size_t i = 0; i < set->n; i++)
		is_nm = is_nm || strcmp(set->items[i].unit->name, UNITS_NETWORKMANAGER) == 0;
	if (!is_nm || !host->units.has_conflict)
		return 0;
	(void)err_say(e, EBUSY,
		      "NetworkManager would give the uplink's resolvers to home: %s has %s=%s, "
		      "which counts more than what `up` tells it",
		      c->file, c->key, c->value);
	err_hint(e,
		 "take %s= out of that file, or set it to %s there; Agent = none in "
		 "wgns.conf(5) leaves NetworkManager in home",
		 c->key, c->wanted);
	return err_as(e, ERR_KIND_MACHINE);
}

int plan_units_prepare(const struct plan_request *rq, const struct host *host, struct plan *plan,
		       struct err *e)
{
	struct units_set set;
	int rc = units_choose(rq, host, plan, &set, e);

	if (rc == 0)
		rc = units_check(&set, host, e);
	return rc < 0 || !set.n ? rc : plan_add(plan, "netns.sysfs physical", e);
}

/* "VERB A B (C)": what is in parentheses is started by others when they need it */
static int add_step(const struct units_set *set, const char *verb, struct plan *plan, struct err *e)
{
	AUTO_STRBUF struct strbuf text = { 0 };

	strbuf_addf(&text, "%s", verb);
	for (size_t i = 0; i < set->n; i++) {
		const char *name = set->items[i].unit->name;
		strbuf_addf(&text, set->items[i].is_on_demand ? " (%s)" : " %s", name);
	}
	return text.is_failed ? err_set(e, ENOMEM, "plan") : plan_add(plan, text.s, e);
}

int plan_units_stop(const struct plan_request *rq, const struct host *host, struct plan *plan,
		    struct err *e)
{
	struct units_set set;
	int rc = units_choose(rq, host, plan, &set, e);

	if (rc < 0 || !set.n)
		return rc;
	rc = add_step(&set, "unit.stop", plan, e);
	return rc < 0 ? rc : add_step(&set, "unit.dropin", plan, e);
}

bool units_is_lasting(const struct rtnl_addr *addr)
{
	/* dhcpcd gives what it takes from 169.254.0.0/16 the scope of any other */
	bool is_of_itself = addr->local.family == AF_INET && addr->local.bytes[0] == 169 &&
			    addr->local.bytes[1] == 254;

	return addr->scope != RT_SCOPE_LINK && !is_of_itself;
}

static bool has_address(const struct host *host, const struct rtnl_link *link)
{
	struct rtnl_addr addr;

	for (size_t i = 0; i < host->addrs.n; i++) {
		if (rtnl_parse_addr(host->addrs.items[i].msg, &addr) == 0 &&
		    addr.ifindex == link->ifindex && units_is_lasting(&addr))
			return true;
	}
	return false;
}

static int warn_not_awaited(const char *device, bool has_carrier, struct plan *plan, struct err *e)
{
	char text[160];

	(void)snprintf(text, sizeof(text),
		       "%.15s has no %s now: it moves, and `up` does not wait for it", device,
		       has_carrier ? "address" : "carrier");
	return plan_warn(plan, text, e);
}

/* what worked in home has to work in physical before there is a tunnel over it */
static int add_waits(const struct units_set *set, const struct host *host, struct plan *plan,
		     struct err *e)
{
	int rc = 0;

	for (size_t k = 0; rc == 0 && k < set->n; k++) {
		AUTO_STRBUF struct strbuf names = { 0 };
		const struct host_unit *unit = set->items[k].unit;

		for (size_t i = 0; rc == 0 && i < plan->n_uplinks; i++) {
			const char *device = plan->uplinks[i];
			const struct rtnl_link *link = rtnl_links_by_name(&host->links, device);
			const struct host_unit *who =
				units_manager_of(set, host, device, AGENTS_ADDRESS);

			if (!who)
				who = units_manager_of(set, host, device, AGENTS_AIR);
			if (who != unit)
				continue;
			if (link->has_carrier && has_address(host, link))
				strbuf_addf(&names, " %s", device);
			else
				rc = warn_not_awaited(device, link->has_carrier, plan, e);
		}
		if (rc < 0 || !names.len)
			continue;
		AUTO_STRBUF struct strbuf text = { 0 };
		strbuf_addf(&text, "unit.wait %s %u s:%s", unit->name, WAIT_S, names.s);
		rc = text.is_failed || names.is_failed ? err_set(e, ENOMEM, "plan")
						       : plan_add(plan, text.s, e);
	}
	return rc;
}

/* what they know of resolvers, for programs in the box */
static int add_followers(const struct units_set *set, struct plan *plan, struct err *e)
{
	static const char *const texts[] = { "unit.follow " UNITS_NETWORKMANAGER,
					     "unit.follow " UNITS_NETWORKD };
	int rc = 0;

	for (size_t k = 0; k < set->n; k++) {
		for (size_t i = 0; rc == 0 && i < sizeof(texts) / sizeof(texts[0]); i++) {
			if (strcmp(texts[i] + sizeof("unit.follow"), set->items[k].unit->name) == 0)
				rc = plan_add(plan, texts[i], e);
		}
	}
	return rc;
}

static bool is_uplink(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->n_uplinks; i++) {
		if (strcmp(plan->uplinks[i], name) == 0)
			return true;
	}
	return false;
}

/* what a manager has beside the uplinks it loses sight of */
static int warn_left(const struct units_set *set, const struct host *host, struct plan *plan,
		     struct err *e)
{
	char text[SYSTEMD_UNIT_MAX + 160];
	int rc = 0;

	for (size_t k = 0; rc == 0 && k < set->n; k++) {
		const struct host_unit *unit = set->items[k].unit;

		for (size_t i = 0; rc == 0 && i < unit->n_devices; i++) {
			const struct rtnl_link *link =
				rtnl_links_by_name(&host->links, unit->devices[i]);
			if (!link || link->flags & IFF_LOOPBACK ||
			    is_uplink(plan, unit->devices[i]))
				continue;
			(void)snprintf(text, sizeof(text),
				       "%s goes to physical, and %.15s stays in home as it is: "
				       "nothing manages it until down",
				       unit->name, link->name);
			rc = plan_warn(plan, text, e);
		}
	}
	return rc;
}

/* who stays behind sees its device go, and nobody does its work until `down` */
static int warn_fixed(const struct plan_request *rq, const struct host *host, struct plan *plan,
		      struct err *e)
{
	static const enum agents_task tasks[] = { AGENTS_ADDRESS, AGENTS_AIR };
	char text[sizeof(e->text) + 120];
	int rc = 0;

	for (size_t i = 0; rc == 0 && rq->agent == AGENT_AUTO && i < plan->n_uplinks; i++) {
		for (size_t k = 0; rc == 0 && k < sizeof(tasks) / sizeof(tasks[0]); k++) {
			const struct host_unit *unit =
				units_fixed_of(host, plan->uplinks[i], tasks[k]);
			struct err why;

			if (!unit)
				continue;
			(void)units_say_fixed(unit, plan->uplinks[i], &why);
			(void)snprintf(text, sizeof(text),
				       "%s; stop it, and name what is to run in its place: "
				       "Agent = %s in wgns.conf(5)",
				       why.text,
				       tasks[k] == AGENTS_AIR ? "supplicant dhcp" : "dhcp");
			rc = plan_warn(plan, text, e);
		}
	}
	return rc;
}

int plan_units_start(const struct plan_request *rq, const struct host *host, struct plan *plan,
		     struct err *e)
{
	struct units_set set;
	int rc = units_choose(rq, host, plan, &set, e);

	if (rc == 0)
		rc = warn_fixed(rq, host, plan, e);
	if (rc < 0 || !set.n)
		return rc;
	rc = add_step(&set, "unit.start", plan, e);
	if (rc == 0)
		rc = add_waits(&set, host, plan, e);
	if (rc == 0)
		rc = add_followers(&set, plan, e);
	return rc < 0 ? rc : warn_left(&set, host, plan, e);
}
