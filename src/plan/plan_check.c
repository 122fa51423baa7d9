// SPDX-License-Identifier: GPL-2.0-or-later
/* states and files with which `up` does not begin: pure */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plan_internal.h"

#define ROUTES_CHECKED 256
/* the metric of an IPv6 route without one: IP6_RT_PRIO_USER of Linux, as `ip -6 route` shows it */
#define IPV6_METRIC 1024

static const struct state_tunnel *find_tunnel(const struct host *host, const char *name)
{
	for (size_t i = 0; i < host->n_tunnels; i++) {
		if (strcmp(host->tunnels[i].device.name, name) == 0 &&
		    strcmp(host->tunnels[i].place, "home") == 0)
			return &host->tunnels[i];
	}
	return NULL;
}

int plan_check_place(const struct host *host, struct err *e)
{
	if (!host->is_inside_physical)
		return 0;
	err_say(e, EINVAL, "this is physical itself: a tunnel would have nowhere to go");
	err_hint(e, "call wgns up in home, where your programs are");
	return err_as(e, ERR_KIND_STATE);
}

int plan_check_interrupted(const struct host *host, struct err *e)
{
	for (size_t i = 0; i < host->n_tunnels; i++) {
		const struct state_tunnel *other = &host->tunnels[i];
		if (!state_tunnel_is_half(other))
			continue;
		err_say(e, EBUSY, "%s is half %s: an earlier wgns was interrupted",
			other->device.name, other->is_ending ? "down" : "up");
		err_hint(e, "`wgns recover` undoes what it did");
		return err_as(e, ERR_KIND_STATE);
	}
	if (host->has_orphan_layout) {
		err_say(e, EBUSY, "a layout without a tunnel is left of an earlier wgns");
		err_hint(e, "`wgns recover` undoes what it did");
		return err_as(e, ERR_KIND_STATE);
	}
	return 0;
}

int plan_check_foreign(const struct host *host, struct err *e)
{
	if (!host->has_foreign_physical)
		return 0;
	err_say(e, EEXIST, "a namespace called physical exists, and wgns did not make it");
	err_hint(e, "`ip netns del physical` removes it when nothing lives there any more");
	return err_as(e, ERR_KIND_STATE);
}

/* states in which `up` has nothing to begin with */
static int check_state(const struct plan_request *rq, const struct host *host, struct err *e)
{
	const char *name = rq->conf->name;
	const struct state_tunnel *tunnel = find_tunnel(host, name);
	int rc = plan_check_place(host, e);

	if (rc < 0)
		return rc;
	if (tunnel && !state_tunnel_is_half(tunnel)) {
		err_say(e, EEXIST, "%s is already up", name);
		err_hint(e, "`wgns status %s` shows it, `wgns down %s` ends it", name, name);
		return err_as(e, ERR_KIND_STATE);
	}
	rc = plan_check_interrupted(host, e);
	if (rc < 0)
		return rc;
	if (rtnl_links_by_name(&host->links, name)) {
		err_say(e, EEXIST, "a device called %s exists, and wgns did not make it", name);
		err_hint(e, "`wg-quick down %s` or `ip link del %s` removes it", name, name);
		return err_as(e, ERR_KIND_STATE);
	}
	return plan_check_foreign(host, e);
}

/* a tunnel born in home would send its ciphertext through the new tunnel, and nobody would notice */
int plan_check_other_tunnels(const struct host *host, struct err *e)
{
	for (size_t i = 0; i < host->links.n; i++) {
		const struct rtnl_link *link = &host->links.items[i];
		bool is_wireguard = strcmp(link->kind, "wireguard") == 0 ||
				    (host->devices && host->devices[i].is_wireguard);
		if (!is_wireguard || find_tunnel(host, link->name))
			continue;
		err_say(e, EBUSY,
			"the WireGuard device %s was made in home, and its packets would go "
			"through the new tunnel",
			link->name);
		err_hint(e, "take it down first (`wg-quick down %s`)", link->name);
		return err_as(e, ERR_KIND_STATE);
	}
	return 0;
}

/* the helper hides what is in these: a folder that is somewhere else could be reached there */
int plan_check_folders(const struct host *host, struct err *e)
{
	for (size_t i = 0; i < PLAN_N_FOLDERS; i++) {
		const char *path = plan_folders[i].path;

		if (host->folders[i] != HOST_FOLDER_OTHER)
			continue;
		err_say(e, ENOTDIR, "%s is not a folder, and exec has to hide the sockets in it",
			path);
		err_hint(e, "remove it, or make a folder of it: `ls -ld %s` shows what it is",
			 path);
		return err_as(e, ERR_KIND_MACHINE);
	}
	return 0;
}

int plan_check_hooks(const struct wgquick *conf, bool may_run, const char *untrusted, struct err *e)
{
	for (size_t i = 0; i < WGQUICK_N_HOOKS; i++) {
		if (!conf->n_hooks[i] || may_run)
			continue;
		err_say(e, EPERM, "the file has hooks, and they do not run: %s", untrusted);
		err_hint(e, "make the file and every folder above it root's and writable by root "
			    "only, or set Hooks = yes in wgns.conf(5)");
		return -e->code;
	}
	return 0;
}

int plan_check(const struct plan_request *rq, const struct host *host, struct err *e)
{
	int rc = check_state(rq, host, e);

	if (rc == 0)
		rc = plan_check_hooks(rq->conf, rq->may_run_hooks, rq->untrusted, e);
	if (rc == 0 && !host->is_layout_up)
		rc = plan_check_other_tunnels(host, e);
	if (rc == 0 && !host->is_layout_up)
		rc = plan_check_folders(host, e);
	return rc;
}

/* the device of a route with next hops, when it stays in home; NULL for an uplink that moves */
static const struct rtnl_link *staying_link(const struct host *host, const struct plan *plan,
					    const struct rtnl_route *route)
{
	const struct rtnl_link *link = rtnl_links_by_index(&host->links, route->oifs[0]);

	for (size_t i = 0; link && i < plan->n_uplinks; i++) {
		if (strcmp(plan->uplinks[i], link->name) == 0)
			return NULL;
	}
	return link;
}

/* a default route of home that stays: over another tunnel, for example */
static bool has_default_elsewhere(const struct host *host, const struct plan *plan)
{
	struct rtnl_route route;

	for (size_t i = 0; i < host->routes.n; i++) {
		if (rtnl_parse_route(host->routes.items[i].msg, &route) < 0 || route.dst.bits ||
		    route.type != RTN_UNICAST || !route.n_oifs)
			continue;
		if (staying_link(host, plan, &route))
			return true;
	}
	return false;
}

static bool has_default(const struct addr *routes, size_t n)
{
	/* longest first: a default route is among the last two */
	for (size_t i = n; i-- > 0 && n - i <= 2;) {
		if (!routes[i].bits)
			return true;
	}
	return false;
}

/* `ip route add` of the same prefix and metric is refused by the kernel: say so before anything moves */
static int check_taken(const struct plan_request *rq, const struct host *host,
		       const struct plan *plan, const struct addr *dst, struct err *e)
{
	uint32_t table =
		rq->conf->table == WGQUICK_TABLE_NUMBER ? rq->conf->table_number : RT_TABLE_MAIN;
	uint32_t metric = dst->family == AF_INET6 ? IPV6_METRIC : 0;
	struct rtnl_route route;
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < host->routes.n; i++) {
		if (rtnl_parse_route(host->routes.items[i].msg, &route) < 0 || !route.n_oifs ||
		    route.table != table || route.metric != metric || !addr_equal(&route.dst, dst))
			continue;
		const struct rtnl_link *link = staying_link(host, plan, &route);
		if (!link)
			continue;
		addr_format_prefix(dst, text);
		err_say(e, EEXIST, "the route %s is taken by %s already", text, link->name);
		err_hint(e,
			 "end what made it (`wgns down %s`, if it is a tunnel), or change "
			 "AllowedIPs or Table",
			 link->name);
		return err_as(e, ERR_KIND_STATE);
	}
	return 0;
}

int plan_check_routes(const struct plan_request *rq, const struct host *host, struct plan *plan,
		      struct err *e)
{
	struct addr *routes = NULL;
	size_t n = 0;
	int rc = 0;

	if (rq->conf->table == WGQUICK_TABLE_OFF)
		return 0;
	if (plan_routes(rq->conf, &routes, &n) < 0)
		return err_set(e, ENOMEM, "plan");
	/* many tunnels have thousands of routes; what can be in the way are few */
	for (size_t i = 0; rc == 0 && i < n && host->routes.n; i++) {
		if (n <= ROUTES_CHECKED || !routes[i].bits)
			rc = check_taken(rq, host, plan, &routes[i], e);
	}
	if (rc == 0 && rq->conf->table == WGQUICK_TABLE_AUTO && !has_default(routes, n) &&
	    !has_default_elsewhere(host, plan))
		rc = plan_warn(plan,
			       "AllowedIPs has no default route: home reaches what AllowedIPs "
			       "names, and nothing else",
			       e);
	free(routes);
	return rc;
}
