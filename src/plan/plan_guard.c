// SPDX-License-Identifier: GPL-2.0-or-later
/* which devices of home may go on sending, and the steps that say so: pure */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan_internal.h"
#include "wgns/str.h"

static bool is_kind(const struct rtnl_link *link, const char *kind)
{
	return strcmp(link->kind, kind) == 0;
}

static bool is_uplink(const struct plan *plan, const struct rtnl_link *link)
{
	for (size_t i = 0; i < plan->n_uplinks; i++) {
		if (strcmp(plan->uplinks[i], link->name) == 0)
			return true;
	}
	return false;
}

/*
 * By itself, whatever it hangs on: no uplink, not hardware, no way out of the machine that --uplink left behind. A device
 * without a kind is hardware; ppp has a modem behind it, or a daemon, and nobody can tell.
 */
static bool may_send(const struct host *host, const struct plan *plan, const struct rtnl_link *link)
{
	if (link->flags & IFF_LOOPBACK)
		return true;
	return !is_uplink(plan, link) && !link->has_parent_device && link->kind[0] &&
	       !is_kind(link, "ppp") && !host_is_candidate(host, link, NULL, 0);
}

/* The other end of a veth is no way out; of anything else that names a device, what is sent leaves by that one. */
static bool hangs_on_allowed(const struct host *host, const bool *allowed,
			     const struct rtnl_link *link)
{
	if (!link->lower || is_kind(link, "veth"))
		return true;
	if (link->has_lower_netnsid)
		return false; /* where this guard does not reach */
	const struct rtnl_link *lower = rtnl_links_by_index(&host->links, link->lower);
	return lower && allowed[lower - host->links.items];
}

/* a bridge, bond or VRF sends by what belongs to it */
static bool forbid_masters(const struct host *host, bool *allowed)
{
	bool is_changed = false;

	for (size_t i = 0; i < host->links.n; i++) {
		const struct rtnl_link *link = &host->links.items[i];
		const struct rtnl_link *master =
			allowed[i] || !link->master
				? NULL
				: rtnl_links_by_index(&host->links, link->master);
		if (!master || !allowed[master - host->links.items])
			continue;
		allowed[master - host->links.items] = false;
		is_changed = true;
	}
	return is_changed;
}

/* for each link, whether it may send; owned; NULL without memory */
static bool *find_allowed(const struct host *host, const struct plan *plan)
{
	bool *allowed = calloc(host->links.n + 1, sizeof(*allowed));
	bool is_changed = true;

	if (!allowed)
		return NULL;
	for (size_t i = 0; i < host->links.n; i++)
		allowed[i] = may_send(host, plan, &host->links.items[i]);
	/* every round but the last forbids one more */
	while (is_changed) {
		is_changed = forbid_masters(host, allowed);
		for (size_t i = 0; i < host->links.n; i++) {
			if (!allowed[i] || hangs_on_allowed(host, allowed, &host->links.items[i]))
				continue;
			allowed[i] = false;
			is_changed = true;
		}
	}
	return allowed;
}

/* what stays, works now, and will not: nobody should have to guess why */
static int warn_stopped(const struct host *host, const bool *allowed, struct plan *plan,
			struct err *e)
{
	char text[160];

	for (size_t i = 0; i < host->links.n; i++) {
		const struct rtnl_link *link = &host->links.items[i];

		/* plan_uplinks() speaks of candidates; what has a master sends through it */
		if (allowed[i] || !(link->flags & IFF_UP) || is_uplink(plan, link) ||
		    link->master || host_is_candidate(host, link, NULL, 0))
			continue;
		(void)snprintf(text, sizeof(text),
			       "the guard stops what goes over %s: it may lead out of the machine",
			       link->name);
		int rc = plan_warn(plan, text, e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int warn_bridges(const struct host *host, const bool *allowed, struct plan *plan,
			struct err *e)
{
	for (size_t i = 0; !host->guard.kernel.can_bridge && i < host->links.n; i++) {
		if (allowed[i] && is_kind(&host->links.items[i], "bridge"))
			return plan_warn(plan,
					 "this kernel has no nf_tables for bridges: a network card "
					 "that is put into a bridge of home sends past the tunnel",
					 e);
	}
	return 0;
}

static int lacks_nftables(const struct host *host, struct err *e)
{
	err_say(e, EOPNOTSUPP, "this kernel cannot guard home: %s", host->guard.lacking);
	err_hint(e, "load or build nf_tables (CONFIG_NF_TABLES, CONFIG_NF_TABLES_INET), or do "
		    "without by KillSwitch = no in wgns.conf(5)");
	return err_as(e, ERR_KIND_MACHINE);
}

static const char *step_name(const struct plan_request *rq, const struct host *host)
{
	if (host->guard.is_boot)
		return GUARD_HOME_WAS_BOOT;
	return rq->kill_switch == KILL_SWITCH_BOOT ? GUARD_HOME_WILL_BOOT : GUARD_HOME;
}

static int add_home(const char *name, const struct host *host, const bool *allowed,
		    struct plan *plan, struct err *e)
{
	AUTO_STRBUF struct strbuf text = { 0 };

	strbuf_addf(&text, "%s:", name);
	for (size_t i = 0; i < host->links.n; i++) {
		if (allowed[i])
			strbuf_addf(&text, " %s", host->links.items[i].name);
	}
	return text.is_failed ? err_set(e, ENOMEM, "plan") : plan_add(plan, text.s, e);
}

int plan_guard_home(const struct plan_request *rq, const struct host *host, struct plan *plan,
		    struct err *e)
{
	/* one that is there already would stop the tunnel, too */
	if (rq->kill_switch == KILL_SWITCH_NO && !host->guard.is_in_home)
		return plan_warn(plan,
				 "KillSwitch = no: a device that appears in home while the tunnel "
				 "is up sends past it",
				 e);
	if (host->guard.lacking[0])
		return lacks_nftables(host, e);

	AUTO_FREE bool *allowed = find_allowed(host, plan);
	if (!allowed)
		return err_set(e, ENOMEM, "plan");
	int rc = warn_stopped(host, allowed, plan, e);
	if (rc == 0)
		rc = warn_bridges(host, allowed, plan, e);
	return rc < 0 ? rc : add_home(step_name(rq, host), host, allowed, plan, e);
}

int plan_guard_physical(const struct plan_request *rq, const struct host *host, struct plan *plan,
			struct err *e)
{
	char text[400];

	if (!host->guard.lacking[0])
		return plan_add(plan, rq->has_lan ? GUARD_PHYSICAL_LAN : GUARD_PHYSICAL, e);
	(void)snprintf(text, sizeof(text),
		       "this kernel cannot guard physical: %s. Strangers on the uplinks' networks "
		       "reach what listens there",
		       host->guard.lacking);
	return plan_warn(plan, text, e);
}

int plan_guard_allow(const struct plan_request *rq, const struct host *host, struct plan *plan,
		     struct err *e)
{
	char text[64];
	bool is_wanted = rq->kill_switch != KILL_SWITCH_NO;

	/* the layout is up, and was made without, or something removed it */
	if (host->is_layout_up && !host->guard.is_in_home)
		return is_wanted ? plan_warn(plan,
					     "the layout is up without a guard in home: KillSwitch "
					     "counts from its next `up`",
					     e)
				 : 0;
	if (!is_wanted && !host->guard.is_in_home)
		return 0;
	(void)snprintf(text, sizeof(text), "guard.allow %s", rq->conf->name);
	return plan_add(plan, text, e);
}

int plan_guard_port(const struct plan_request *rq, const struct host *host, struct plan *plan,
		    struct err *e)
{
	char text[64];

	if (host->is_layout_up ? !host->guard.is_in_physical : host->guard.lacking[0] != '\0')
		return 0;
	(void)snprintf(text, sizeof(text), "guard.port %s", rq->conf->name);
	return plan_add(plan, text, e);
}
