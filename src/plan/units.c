// SPDX-License-Identifier: GPL-2.0-or-later
/* which managers move with the uplinks, and in which order: pure */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "plan_internal.h"
#include "wgns/str.h"

#define WAIT_S 60 /* for a lease; Wi-Fi takes ten seconds where many networks are around */

const struct host_unit *host_unit_find(const struct host_units *units, const char *name)
{
	for (size_t i = 0; i < units->n; i++) {
		if (strcmp(units->items[i].name, name) == 0)
			return &units->items[i];
	}
	return NULL;
}

int units_name(const char *agent, char out[SYSTEMD_UNIT_MAX])
{
	const char *name = agent + sizeof(AGENTS_UNIT) - 1;
	size_t len = strlen(name);
	bool is_whole = (len > 8 && strcmp(name + len - 8, ".service") == 0) ||
			(len > 7 && strcmp(name + len - 7, ".socket") == 0);

	if (len + sizeof(".service") > SYSTEMD_UNIT_MAX)
		return -EINVAL;
	(void)snprintf(out, SYSTEMD_UNIT_MAX, "%s%s", name, is_whole ? "" : ".service");
	return systemd_is_unit(out) ? 0 : -EINVAL;
}

bool units_is_on_demand(const char *name)
{
	return strcmp(name, UNITS_DISPATCHER) == 0 || strcmp(name, UNITS_SUPPLICANT) == 0;
}

static bool has_device(const struct host_unit *unit, const char *name)
{
	for (size_t i = 0; i < unit->n_devices; i++) {
		if (strcmp(unit->devices[i], name) == 0)
			return true;
	}
	return false;
}

static bool is_running(const struct host_unit *unit)
{
	return unit && unit->is_active && !unit->is_elsewhere;
}

static const struct host_device *device_of(const struct host *host, const char *name)
{
	const struct rtnl_link *link = rtnl_links_by_name(&host->links, name);

	return link && host->devices ? &host->devices[link - host->links.items] : NULL;
}

static bool is_wireless(const struct host *host, const char *name)
{
	const struct host_device *device = device_of(host, name);

	return device && device->is_wireless;
}

static bool is_in(const struct units_set *set, const struct host_unit *unit)
{
	for (size_t i = 0; i < set->n; i++) {
		if (set->items[i].unit == unit)
			return true;
	}
	return false;
}

static void add(struct units_set *set, const struct host_unit *unit, bool is_on_demand)
{
	if (!unit || is_in(set, unit) || set->n == SYSTEMD_UNITS_MAX)
		return;
	set->items[set->n].unit = unit;
	set->items[set->n++].is_on_demand = is_on_demand;
}

/* who sets up the addresses: the first of them that says so; dhcpcd takes what nobody else has */
static const struct host_unit *address_manager(const struct host *host, const char *device)
{
	static const char *const managers[] = { UNITS_NETWORKMANAGER, UNITS_NETWORKD };

	for (size_t i = 0; i < sizeof(managers) / sizeof(managers[0]); i++) {
		const struct host_unit *unit = host_unit_find(&host->units, managers[i]);
		if (is_running(unit) && has_device(unit, device))
			return unit;
	}
	const struct host_unit *dhcpcd = host_unit_find(&host->units, UNITS_DHCPCD);
	return is_running(dhcpcd) ? dhcpcd : NULL;
}

/* who does Wi-Fi: a supplicant of the device's own first */
static const struct host_unit *air_manager(const struct host *host, const char *device)
{
	char own[SYSTEMD_UNIT_MAX];

	if (!is_wireless(host, device))
		return NULL;
	(void)snprintf(own, sizeof(own), "wpa_supplicant@%.15s.service", device);
	const char *const names[] = { own, UNITS_IWD, UNITS_SUPPLICANT };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct host_unit *unit = host_unit_find(&host->units, names[i]);
		if (is_running(unit))
			return unit;
	}
	return NULL;
}

const struct host_unit *units_manager_of(const struct units_set *set, const struct host *host,
					 const char *device, enum agents_task task)
{
	const struct host_unit *unit =
		task == AGENTS_ADDRESS ? address_manager(host, device) : air_manager(host, device);
	if (unit && is_in(set, unit))
		return unit;
	/* one that is named and does not say what it manages is taken at its word */
	for (size_t i = 0; i < set->n; i++) {
		if (!agents_is_manager(set->items[i].unit->name))
			return set->items[i].unit;
	}
	return NULL;
}

/* what a manager does not work without, or would leave behind in home */
static void add_companions(const struct host *host, struct units_set *set)
{
	const struct host_unit *nm = host_unit_find(&host->units, UNITS_NETWORKMANAGER);
	const struct host_unit *networkd = host_unit_find(&host->units, UNITS_NETWORKD);
	const struct host_unit *supplicant = host_unit_find(&host->units, UNITS_SUPPLICANT);
	const struct host_unit *iwd = host_unit_find(&host->units, UNITS_IWD);

	if (nm && is_in(set, nm)) {
		add(set, host_unit_find(&host->units, UNITS_DISPATCHER), true);
		/* NetworkManager has it started by D-Bus when there is Wi-Fi, also by a card that comes later */
		add(set, supplicant, !is_running(supplicant));
		if (is_running(iwd))
			add(set, iwd, false);
	}
	/* the service gets its netlink socket from there */
	if (networkd && is_in(set, networkd))
		add(set, host_unit_find(&host->units, UNITS_NETWORKD_SOCKET), false);
}

static int refuse(struct err *e, const char *name, const char *why)
{
	(void)err_say(e, ENOENT, "Agent = systemd:%s: %s", name, why);
	err_hint(e, "start it, or let wgns find who manages the uplinks: Agent = auto in "
		    "wgns.conf(5)");
	return err_as(e, ERR_KIND_MACHINE);
}

static int add_named(const struct plan_request *rq, const struct host *host, struct units_set *set,
		     struct err *e)
{
	char name[SYSTEMD_UNIT_MAX];

	for (size_t i = 0; i < rq->n_agents; i++) {
		const char *agent = rq->agents[i];

		if (strncmp(agent, AGENTS_UNIT, sizeof(AGENTS_UNIT) - 1) != 0)
			continue;
		const char *said = agent + sizeof(AGENTS_UNIT) - 1;
		if (!host->units.is_systemd)
			return refuse(e, said, "systemd is not process 1 here");
		if (units_name(agent, name) < 0)
			return refuse(e, said, "this is no name of a service or socket");
		const struct host_unit *unit = host_unit_find(&host->units, name);
		if (!unit)
			return refuse(e, said, "there is no such unit");
		if (!unit->is_active)
			return refuse(e, said, "it is not running");
		if (unit->is_elsewhere)
			return refuse(e, said, "it runs in another network namespace");
		add(set, unit, false);
	}
	return 0;
}

int units_choose(const struct plan_request *rq, const struct host *host, const struct plan *plan,
		 struct units_set *out, struct err *e)
{
	struct units_set set = { .n = 0 };
	int rc = 0;

	if (rq->agent == AGENT_NAMED)
		rc = add_named(rq, host, &set, e);
	for (size_t i = 0; rq->agent == AGENT_AUTO && i < plan->n_uplinks; i++) {
		add(&set, address_manager(host, plan->uplinks[i]), false);
		add(&set, air_manager(host, plan->uplinks[i]), false);
	}
	if (rc < 0)
		return rc;
	add_companions(host, &set);
	*out = set;
	return 0;
}

bool plan_units_cover(const struct plan_request *rq, const struct host *host, const char *device,
		      enum agents_task task)
{
	char name[IFNAMSIZ];
	char *names[] = { name };
	const struct plan one = { .uplinks = names, .n_uplinks = 1 };
	struct units_set set;
	struct err ignored; /* the plan says so */

	(void)snprintf(name, sizeof(name), "%.15s", device);
	return units_choose(rq, host, &one, &set, &ignored) == 0 &&
	       units_manager_of(&set, host, device, task);
}

int plan_units_prepare(const struct plan_request *rq, const struct host *host, struct plan *plan,
		       struct err *e)
{
	struct units_set set;
	int rc = units_choose(rq, host, plan, &set, e);

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

int plan_units_start(const struct plan_request *rq, const struct host *host, struct plan *plan,
		     struct err *e)
{
	struct units_set set;
	int rc = units_choose(rq, host, plan, &set, e);

	if (rc < 0 || !set.n)
		return rc;
	rc = add_step(&set, "unit.start", plan, e);
	if (rc == 0)
		rc = add_waits(&set, host, plan, e);
	if (rc == 0)
		rc = add_followers(&set, plan, e);
	return rc < 0 ? rc : warn_left(&set, host, plan, e);
}
