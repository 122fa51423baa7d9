// SPDX-License-Identifier: GPL-2.0-or-later
/* some devices of a snapshot, and one snapshot more of others */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/snapshot.h"

static const struct rtnl_link *find_index(const struct snapshot *s, int ifindex)
{
	return rtnl_links_by_index(&s->links, ifindex);
}

static bool is_of(const struct snapshot *s, enum rtnl_kind kind, const struct nlmsghdr *msg)
{
	struct rtnl_addr addr;
	struct rtnl_neigh neigh;
	struct rtnl_route route;

	if (kind == RTNL_ADDR)
		return rtnl_parse_addr(msg, &addr) == 0 && find_index(s, addr.ifindex);
	if (kind == RTNL_NEIGH)
		return rtnl_parse_neigh(msg, &neigh) == 0 && find_index(s, neigh.ifindex);
	if (kind != RTNL_ROUTE)
		return true;
	if (rtnl_parse_route(msg, &route) < 0)
		return false;
	for (size_t i = 0; i < route.n_oifs; i++) {
		if (!find_index(s, route.oifs[i]))
			return false;
	}
	return true;
}

static int copy_list(const struct snapshot *only, enum rtnl_kind kind, const struct rtnl_list *from,
		     struct rtnl_list *to)
{
	for (size_t i = 0; i < from->n; i++) {
		if (is_of(only, kind, from->items[i].msg) &&
		    rtnl_list_add(to, from->items[i].msg) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int copy_link(struct snapshot *to, const struct rtnl_link *link, const struct nlmsghdr *raw)
{
	struct rtnl_link *grown =
		reallocarray(to->links.items, to->links.n + 1, sizeof(*to->links.items));

	if (!grown)
		return -ENOMEM;
	to->links.items = grown;
	if (rtnl_list_add(&to->raw_links, raw) < 0)
		return -ENOMEM;
	grown[to->links.n++] = *link;
	return 0;
}

static int copy_sysctl(struct snapshot *to, const struct snapshot_sysctl *from)
{
	struct snapshot_sysctl *grown =
		reallocarray(to->sysctls, to->n_sysctls + 1, sizeof(*to->sysctls));

	if (!grown)
		return -ENOMEM;
	to->sysctls = grown;
	grown[to->n_sysctls] = *from;
	grown[to->n_sysctls].value = strdup(from->value);
	if (!grown[to->n_sysctls].value)
		return -ENOMEM;
	to->n_sysctls++;
	return 0;
}

/* everything that @from has of the links that are in @only, behind what @to has */
static int copy_parts(const struct snapshot *from, const struct snapshot *only, struct snapshot *to)
{
	int rc = copy_list(only, RTNL_ADDR, &from->addrs, &to->addrs);

	if (rc == 0)
		rc = copy_list(only, RTNL_NEIGH, &from->neighs, &to->neighs);
	if (rc == 0)
		rc = copy_list(only, RTNL_RULE, &from->rules, &to->rules);
	if (rc == 0)
		rc = copy_list(only, RTNL_ROUTE, &from->routes, &to->routes);
	if (rc == 0)
		rc = copy_list(only, RTNL_RULE, &from->orphans, &to->orphans);
	for (size_t i = 0; rc == 0 && i < from->n_sysctls; i++) {
		if (rtnl_links_by_name(&only->links, from->sysctls[i].dev))
			rc = copy_sysctl(to, &from->sysctls[i]);
	}
	for (size_t i = 0; rc == 0 && i < from->n_wdevs; i++) {
		if (rtnl_links_by_name(&only->links, from->wdevs[i].dev))
			rc = snapshot_add_wdev(to, &from->wdevs[i]);
	}
	return rc;
}

int snapshot_part(const struct snapshot *from,
		  bool (*is_in)(const struct rtnl_link *link, void *ctx), void *ctx,
		  struct snapshot *out, struct err *e)
{
	struct snapshot s = { 0 };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < from->links.n; i++) {
		if (is_in(&from->links.items[i], ctx))
			rc = copy_link(&s, &from->links.items[i], from->raw_links.items[i].msg);
	}
	if (rc == 0)
		rc = copy_parts(from, &s, &s);
	if (rc < 0) {
		snapshot_free(&s);
		return err_set(e, -rc, "copy a snapshot");
	}
	*out = s;
	return 0;
}

int snapshot_add(struct snapshot *to, const struct snapshot *more, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < more->links.n; i++)
		rc = copy_link(to, &more->links.items[i], more->raw_links.items[i].msg);
	if (rc == 0)
		rc = copy_parts(more, more, to);
	return rc < 0 ? err_set(e, -rc, "extend a snapshot") : 0;
}
