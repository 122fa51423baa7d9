// SPDX-License-Identifier: GPL-2.0-or-later
/* the guards and what passes for `Lan = yes` */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify_internal.h"

static void gather_guard(int ns_fd, struct verify_guard *out)
{
	AUTO_NL struct nl *nl = NULL;
	struct guard_kernel kernel;
	struct err why;

	int rc = guard_open_in(ns_fd, &nl, &why);
	if (rc == 0)
		rc = guard_probe(nl, &kernel, &why);
	if (rc == 0)
		out->can_bridge = kernel.can_bridge;
	if (rc == 0)
		rc = guard_read(nl, &out->seen, &why);
	if (rc < 0)
		verify_problem(out->problem, &why);
}

/* the numbers of the uplinks in physical: those that were moved, and hardware that came later */
static size_t find_uplinks(const struct verify_facts *f, int *out, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; i < f->physical.links.n && n < cap; i++) {
		const struct rtnl_link *link = &f->physical.links.items[i];
		bool is_uplink = link->has_parent_device;
		for (size_t k = 0; k < f->uplinks.n && !is_uplink; k++)
			is_uplink = strcmp(f->uplinks.items[k].name, link->name) == 0;
		if (is_uplink)
			out[n++] = link->ifindex;
	}
	return n;
}

static bool has_route_to(const struct verify_facts *f, int ifindex, const struct addr *net)
{
	struct rtnl_route route;

	for (size_t i = 0; i < f->home.routes.n; i++) {
		if (rtnl_parse_route(f->home.routes.items[i].msg, &route) == 0 &&
		    route.protocol == LAN_PROTOCOL && route.n_oifs == 1 &&
		    route.oifs[0] == ifindex && addr_equal(&route.dst, net))
			return true;
	}
	return false;
}

/* what may pass has to be what home has routes for, and each of these is on the link of the uplink that has it */
static void compare_lan(struct gather *g, struct verify_lan *lan)
{
	const struct rtnl_link *pair = rtnl_links_by_name(&g->f->home.links, LAN_DEVICE);
	struct lan_guard_net nets[LAN_GUARD_MAX];
	struct lan_guard want = { .device = LAN_DEVICE, .nets = nets };
	AUTO_NL struct nl *nl = NULL;
	struct err why;

	if (!pair)
		return; /* the judge says it */
	for (size_t i = 0; i < lan->on_link.n && want.n_nets < LAN_GUARD_MAX; i++) {
		if (has_route_to(g->f, pair->ifindex, &lan->on_link.items[i].net))
			nets[want.n_nets++] = lan->on_link.items[i];
	}
	int rc = guard_open_in(g->physical_fd, &nl, &why);
	if (rc == 0)
		rc = lan_guard_compare(nl, &want, lan->why, sizeof(lan->why), &why);
	if (rc < 0)
		verify_problem(lan->problem, &why);
}

static void gather_lan(struct gather *g)
{
	const struct verify_space *p = &g->f->physical;
	int uplinks[RTNL_MAP_MAX];
	size_t n = find_uplinks(g->f, uplinks, RTNL_MAP_MAX);

	lan_on_link(&p->links, &p->addrs, &p->routes, uplinks, n, &g->f->lan.on_link);
	compare_lan(g, &g->f->lan);
}

void verify_gather_guards(struct gather *g)
{
	if (!g->f->is_root)
		return; /* nftables are for CAP_NET_ADMIN to read */
	gather_guard(g->home_fd, &g->f->guard_home);
	if (g->physical_fd < 0)
		return;
	gather_guard(g->physical_fd, &g->f->guard_physical);
	if (g->f->layout.has_lan)
		gather_lan(g);
}

/* ---- judging, pure ---- */

static bool is_device_of_tunnel(const struct verify_facts *f, const char *name)
{
	for (size_t i = 0; i < f->n_all; i++) {
		if (strcmp(f->all[i].device.name, name) == 0)
			return true;
	}
	return false;
}

static bool is_name_of_uplink(const struct verify_facts *f, const char *name)
{
	for (size_t i = 0; i < f->uplinks.n; i++) {
		if (strcmp(f->uplinks.items[i].name, name) == 0)
			return true;
	}
	return false;
}

/* "guard.set home: lo docker0" */
static bool is_of_up(const struct verify_facts *f, const char *name)
{
	const char *at = f->layout.guard_home ? strstr(f->layout.guard_home, ": ") : NULL;
	size_t len = strlen(name);

	while (at && *at) {
		at += strspn(at, ": ");
		size_t n = strcspn(at, " ");
		if (n == len && strncmp(at, name, n) == 0)
			return true;
		at += n;
	}
	return !f->layout.guard_home;
}

static void judge_allowed(const struct verify_facts *f, const char *name, struct findings *out)
{
	const struct rtnl_link *link = rtnl_links_by_name(&f->home.links, name);
	char why[VERIFY_WHY_MAX] = "";

	if (is_device_of_tunnel(f, name))
		return;
	if (link)
		verify_why_out(f, link, why);
	/* one that is there can be looked at; one that comes later by that name cannot */
	if (!link && !f->home.problem[0] && !is_name_of_uplink(f, name) && !is_of_up(f, name))
		(void)snprintf(why, sizeof(why),
			       "`up` did not name it, and whatever comes by that name leaves");
	if (!why[0] && !is_name_of_uplink(f, name))
		return;
	findings_add(out, FINDING_BREAKS, "it lets %s send%s%s", name,
		     why[0] ? ": " : ", an uplink", why);
	findings_hint(out, "`nft delete element inet wgns allowed '{ \"%s\" }'`", name);
}

static bool is_allowed(const struct guard_seen *seen, const char *name)
{
	for (size_t i = 0; i < seen->n_names; i++) {
		if (strcmp(seen->names[i], name) == 0)
			return true;
	}
	return false;
}

/* what both guards have in common; Return: is there one to look at further? */
static bool judge_table(const struct verify_guard *g, bool is_expected, bool is_physical,
			struct findings *out)
{
	if (g->problem[0]) {
		findings_add(out, is_expected ? FINDING_OPEN : FINDING_NOTE, "%s", g->problem);
		return false;
	}
	if (!g->seen.is_there) {
		findings_add(out, is_expected ? FINDING_BREAKS : FINDING_WARNING,
			     is_expected ? "table inet wgns is gone"
					 : "there is none: `up` made none (KillSwitch = no)");
		if (is_expected)
			findings_hint(out, "`wgns watch` keeps it; `wgns down` and `up` make it "
					   "anew");
		return false;
	}
	if (g->seen.is_physical != is_physical)
		findings_add(out, FINDING_BREAKS, "it is that of the other namespace");
	else if (!g->seen.is_intact)
		findings_add(out, FINDING_BREAKS, "it was changed: %s", g->seen.why);
	if (!g->seen.is_held)
		findings_add(out, FINDING_NOTE,
			     g->seen.is_persistent
				     ? "nobody holds it: `nft flush ruleset` takes it away"
				     : "this kernel lets `nft flush ruleset` take it away (6.9 can "
				       "hold it)");
	return g->seen.is_physical == is_physical;
}

static void judge_home(const struct verify_facts *f, struct findings *out)
{
	const struct guard_seen *seen = &f->guard_home.seen;

	findings_begin(
		out, "guard.home",
		"home's guard is as up made it: nothing leaves by a device that comes later");
	if (!verify_need_root(f, out) ||
	    !judge_table(&f->guard_home, f->layout.has_guard_home, false, out))
		return;
	for (size_t i = 0; i < seen->n_names; i++)
		judge_allowed(f, seen->names[i], out);
	for (size_t i = 0; i < f->n_all; i++) {
		const char *name = f->all[i].device.name;
		if (!is_allowed(seen, name) && f->all[i].since)
			findings_add(out, FINDING_WARNING, "it does not let %s send", name);
	}
	if (!seen->has_bridge && f->guard_home.can_bridge)
		findings_add(out, FINDING_BREAKS, "table bridge wgns is gone");
	if (seen->n_dropped)
		findings_add(out, FINDING_NOTE, "it has stopped %llu packets",
			     (unsigned long long)seen->n_dropped);
}

static bool is_port_of_tunnel(const struct verify_facts *f, uint16_t port)
{
	for (size_t i = 0; i < f->n_tunnels; i++) {
		if (f->tunnels[i].device.listen_port == port)
			return true;
	}
	return f->n_tunnels < f->n_all; /* not all were asked for */
}

static void judge_physical(const struct verify_facts *f, struct findings *out)
{
	const struct guard_seen *seen = &f->guard_physical.seen;

	findings_begin(out, "guard.physical",
		       "physical's guard is as up made it: only answers and WireGuard come in");
	if (!verify_need_root(f, out))
		return;
	if (f->physical.problem[0]) {
		findings_add(out, FINDING_OPEN, "%s", f->physical.problem);
		return;
	}
	if (!judge_table(&f->guard_physical, f->layout.has_guard_physical, true, out))
		return;
	for (size_t i = 0; i < seen->n_ports; i++) {
		if (!is_port_of_tunnel(f, seen->ports[i]))
			findings_add(out, FINDING_BREAKS,
				     "it lets in port %u, which is no tunnel's", seen->ports[i]);
	}
}

static void judge_lan(const struct verify_facts *f, struct findings *out)
{
	const struct rtnl_link *pair = rtnl_links_by_name(&f->home.links, LAN_DEVICE);

	findings_begin(out, "lan", "home reaches the uplinks' own networks and nothing else there");
	if (f->lan.problem[0])
		findings_add(out, FINDING_OPEN, "%s", f->lan.problem);
	if (!pair)
		findings_add(out, FINDING_WARNING, LAN_DEVICE " is gone: home does not reach them");
	else if (!verify_is_lan(f, pair))
		findings_add(out, FINDING_BREAKS, LAN_DEVICE " is not the pair that wgns made");
	if (f->lan.why[0])
		findings_add(out, FINDING_BREAKS, "what passes is not what home has routes for: %s",
			     f->lan.why);
}

void verify_judge_guards(const struct verify_facts *f, struct findings *out)
{
	judge_home(f, out);
	judge_physical(f, out);
	if (f->is_root && f->layout.has_lan)
		judge_lan(f, out);
}
