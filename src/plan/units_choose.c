// SPDX-License-Identifier: GPL-2.0-or-later
/* which managers move with the uplinks: pure */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "plan_internal.h"

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

static const char *why_fixed(const struct host_unit *unit)
{
	const struct units_known *k = unit ? units_known(unit->name) : NULL;

	return k ? k->why_fixed : NULL;
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
	if (!unit || why_fixed(unit) || is_in(set, unit) || set->n == SYSTEMD_UNITS_MAX)
		return;
	set->items[set->n].unit = unit;
	set->items[set->n++].is_on_demand = is_on_demand;
}

/* one that is there for this device alone */
static const struct host_unit *own_manager(const struct host *host, const char *device,
					   enum agents_task task)
{
	char its[IFNAMSIZ];

	for (size_t i = 0; i < host->units.n; i++) {
		const struct host_unit *unit = &host->units.items[i];
		const struct units_known *k = units_known(unit->name);

		if (is_running(unit) && k && k->tasks & 1u << task &&
		    units_device_of(unit->name, its) && strcmp(its, device) == 0)
			return unit;
	}
	return NULL;
}

static const struct host_unit *first_running(const struct host *host, const char *const *names,
					     size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct host_unit *unit = host_unit_find(&host->units, names[i]);
		if (is_running(unit))
			return unit;
	}
	return NULL;
}

/* who sets up the addresses: the first of them that says so; dhcpcd and connman take what nobody else has */
static const struct host_unit *address_manager(const struct host *host, const char *device)
{
	static const char *const managers[] = { UNITS_NETWORKMANAGER, UNITS_NETWORKD };
	static const char *const others[] = { UNITS_DHCPCD, UNITS_CONNMAN };

	for (size_t i = 0; i < sizeof(managers) / sizeof(managers[0]); i++) {
		const struct host_unit *unit = host_unit_find(&host->units, managers[i]);
		if (is_running(unit) && has_device(unit, device))
			return unit;
	}
	const struct host_unit *own = own_manager(host, device, AGENTS_ADDRESS);
	return own ? own : first_running(host, others, sizeof(others) / sizeof(others[0]));
}

/* who does Wi-Fi, or 802.1X: a supplicant of the device's own first */
static const struct host_unit *air_manager(const struct host *host, const char *device)
{
	static const char *const names[] = { UNITS_IWD, UNITS_SUPPLICANT };
	const struct host_unit *own = own_manager(host, device, AGENTS_AIR);

	if (own || !is_wireless(host, device))
		return own;
	return first_running(host, names, sizeof(names) / sizeof(names[0]));
}

static const struct host_unit *manager_of(const struct host *host, const char *device,
					  enum agents_task task)
{
	return task == AGENTS_ADDRESS ? address_manager(host, device) : air_manager(host, device);
}

const struct host_unit *units_fixed_of(const struct host *host, const char *device,
				       enum agents_task task)
{
	const struct host_unit *unit = manager_of(host, device, task);

	return why_fixed(unit) ? unit : NULL;
}

int units_say_fixed(const struct host_unit *unit, const char *device, struct err *e)
{
	return err_say(e, EOPNOTSUPP, "%s configures %s and cannot move: %s", unit->name, device,
		       why_fixed(unit));
}

const struct host_unit *units_manager_of(const struct units_set *set, const struct host *host,
					 const char *device, enum agents_task task)
{
	const struct host_unit *unit = manager_of(host, device, task);

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

static int refuse_fixed(struct err *e, const char *name, const struct host_unit *unit)
{
	(void)err_say(e, EOPNOTSUPP, "Agent = systemd:%s: it cannot move: %s", name,
		      why_fixed(unit));
	err_hint(e, "stop it, and name what is to run in its place: Agent = dhcp, or supplicant "
		    "dhcp, in wgns.conf(5)");
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
		if (why_fixed(unit))
			return refuse_fixed(e, said, unit);
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
