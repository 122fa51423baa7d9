// SPDX-License-Identifier: GPL-2.0-or-later
/* home's routes over the pair, and what passes in physical, made equal to what is on the uplinks' links */
#include <errno.h>
#include <stdio.h>

#include "lan_internal.h"
#include "wgns/guard.h"
#include "wgns/lan_guard.h"

static bool is_own_route(const struct lan_facts *f, const struct rtnl_route *route)
{
	return route->protocol == LAN_PROTOCOL && route->n_oifs == 1 &&
	       route->oifs[0] == f->home_end.ifindex;
}

static bool is_listed(const struct lan_prefixes *list, const struct addr *net)
{
	for (size_t i = 0; i < list->n; i++) {
		if (addr_equal(&list->items[i].net, net))
			return true;
	}
	return false;
}

static int delete_stale(struct nl *nl, const struct lan_facts *f, const struct lan_prefixes *list,
			struct err *e)
{
	struct rtnl_route route;
	struct nl_msg m;
	struct err why;

	for (size_t i = 0; i < f->home_routes.n; i++) {
		const struct nlmsghdr *msg = f->home_routes.items[i].msg;
		if (rtnl_parse_route(msg, &route) < 0 || !is_own_route(f, &route) ||
		    is_listed(list, &route.dst))
			continue;
		int rc = rtnl_build_delete(RTNL_ROUTE, msg, &m);
		if (rc < 0)
			return err_set(e, -rc, "remove a route over " LAN_DEVICE);
		rc = nl_talk(nl, &m, &why);
		if (rc < 0 && rc != -ESRCH) {
			*e = why;
			return err_context(e, "remove a route over " LAN_DEVICE);
		}
	}
	return 0;
}

static bool has_route(const struct lan_facts *f, const struct addr *net)
{
	struct rtnl_route route;

	for (size_t i = 0; i < f->home_routes.n; i++) {
		if (rtnl_parse_route(f->home_routes.items[i].msg, &route) == 0 &&
		    is_own_route(f, &route) && addr_equal(&route.dst, net))
			return true;
	}
	return false;
}

static int add_missing(struct nl *nl, const struct lan_facts *f, const struct lan_prefixes *list,
		       struct err *e)
{
	char text[ADDR_TEXT_MAX];
	struct nl_msg m;
	struct err why;

	for (size_t i = 0; i < list->n; i++) {
		struct rtnl_route_via via = { .ifindex = f->home_end.ifindex,
					      .dst = list->items[i].net,
					      .protocol = LAN_PROTOCOL,
					      .metric = LAN_METRIC };

		if (has_route(f, &via.dst) || !lan_own_address(f, via.dst.family, &via.prefsrc))
			continue;
		via.gateway = lan_other_end(&via.prefsrc);
		rtnl_build_route_via(&m, &via);
		int rc = nl_talk(nl, &m, &why);
		if (rc < 0 && rc != -EEXIST) {
			*e = why;
			addr_format_prefix(&via.dst, text);
			return err_context(e, "add the route %s over " LAN_DEVICE, text);
		}
	}
	return 0;
}

static int write_guard(struct op_env *env, const struct lan_prefixes *list, struct err *e)
{
	const struct lan_guard want = { LAN_DEVICE, list->items, list->n };
	AUTO_NL struct nl *nl = NULL;
	int rc = guard_open_in(env->physical_fd, &nl, e);

	return rc < 0 ? rc : lan_guard_set(nl, &want, e);
}

static int make_equal(struct op_env *env, const struct lan_facts *f,
		      const struct lan_prefixes *list, struct err *e)
{
	struct nl *home = NULL;
	int rc = write_guard(env, list, e);

	if (rc == 0)
		rc = op_env_nl_home(env, &home, e);
	if (rc == 0)
		rc = delete_stale(home, f, list, e);
	return rc < 0 ? rc : add_missing(home, f, list, e);
}

int lan_sync(struct op_env *env, const struct lan_change *change, struct err *e)
{
	struct lan_facts f = { 0 };

	int rc = lan_facts_read(env, change, &f, e);
	if (rc == 1)
		rc = make_equal(env, &f, &f.list, e);
	lan_facts_free(&f);
	return rc;
}

/* a route of home over the pair that none of the prefixes is the reason of */
static bool find_stray(const struct lan_facts *f, struct rtnl_route *out)
{
	for (size_t i = 0; i < f->home_routes.n; i++) {
		if (rtnl_parse_route(f->home_routes.items[i].msg, out) < 0 ||
		    rtnl_is_automatic(RTNL_ROUTE, f->home_routes.items[i].msg) ||
		    out->n_oifs != 1 || out->oifs[0] != f->home_end.ifindex ||
		    out->protocol == RTPROT_KERNEL)
			continue;
		if (!is_own_route(f, out) || !is_listed(&f->list, &out->dst))
			return true;
	}
	return false;
}

static void compare_routes(const struct lan_facts *f, char *why, size_t cap)
{
	char text[ADDR_TEXT_MAX];
	struct rtnl_route route;

	for (size_t i = 0; i < f->list.n; i++) {
		addr_format_prefix(&f->list.items[i].net, text);
		if (!has_route(f, &f->list.items[i].net)) {
			(void)snprintf(why, cap, "home has no route to %s over " LAN_DEVICE, text);
			return;
		}
	}
	if (!find_stray(f, &route))
		return;
	addr_format_prefix(&route.dst, text);
	(void)snprintf(why, cap,
		       "home has a route to %s over " LAN_DEVICE
		       ", which is no network of an uplink",
		       text);
}

int lan_check(struct op_env *env, const struct lan_change *change, char *why, size_t cap,
	      struct err *e)
{
	AUTO_NL struct nl *nl = NULL;
	struct lan_facts f = { 0 };

	int rc = lan_facts_read(env, change, &f, e);
	if (rc == 1) {
		const struct lan_guard want = { LAN_DEVICE, f.list.items, f.list.n };

		why[0] = '\0';
		rc = guard_open_in(env->physical_fd, &nl, e);
		if (rc == 0)
			rc = lan_guard_compare(nl, &want, why, cap, e);
		if (rc == 0 && !why[0])
			compare_routes(&f, why, cap);
		if (rc == 0)
			rc = 1;
	}
	lan_facts_free(&f);
	return rc;
}
