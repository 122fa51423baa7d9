// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/netns.h"
#include "wgns/str.h"

void snapshot_free(struct snapshot *s)
{
	rtnl_list_free(&s->raw_links);
	rtnl_links_free(&s->links);
	rtnl_list_free(&s->addrs);
	rtnl_list_free(&s->neighs);
	rtnl_list_free(&s->rules);
	rtnl_list_free(&s->routes);
	rtnl_list_free(&s->orphans);
	for (size_t i = 0; i < s->n_sysctls; i++)
		free(s->sysctls[i].value);
	free(s->sysctls);
	free(s->wdevs);
	*s = (struct snapshot){ 0 };
}

static int keep_raw(const struct nlmsghdr *reply, void *ctx, struct err *e)
{
	struct rtnl_list *list = ctx;

	return rtnl_list_add(list, reply) < 0 ? err_set(e, ENOMEM, "keep a device") : 0;
}

/* one device by name; the raw message goes into the file, the parsed one decides */
static int take_link(struct nl *nl, const char *name, struct snapshot *s, struct err *e)
{
	struct rtnl_link *grown =
		reallocarray(s->links.items, s->links.n + 1, sizeof(*s->links.items));
	struct rtnl_link link;
	struct nl_msg m;

	if (!grown)
		return err_set(e, ENOMEM, "keep the device %s", name);
	s->links.items = grown;
	struct ifinfomsg *info = nl_msg_begin(&m, RTM_GETLINK, 0, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	if (!mnl_attr_put_strz_check(nl_msg_hdr(&m), sizeof(m.buf), IFLA_IFNAME, name))
		return err_set(e, EMSGSIZE, "ask for the device %s", name);
	int rc = nl_get(nl, &m, keep_raw, &s->raw_links, e);
	if (rc < 0)
		return err_context(e, "read the device %s", name);
	rc = rtnl_parse_link(s->raw_links.items[s->raw_links.n - 1].msg, &link);
	if (rc < 0)
		return err_set(e, -rc, "read the device %s", name);
	s->links.items[s->links.n++] = link;
	return 0;
}

static bool has_link(const struct snapshot *s, int ifindex)
{
	return rtnl_links_by_index(&s->links, ifindex) != NULL;
}

static int keep(struct rtnl_list *list, const struct nlmsghdr *msg, struct err *e)
{
	return rtnl_list_add(list, msg) < 0 ? err_set(e, ENOMEM, "keep a snapshot") : 0;
}

static int take_addrs(struct nl *nl, struct snapshot *s, struct err *e)
{
	struct rtnl_list all = { 0 };
	struct rtnl_addr addr;
	int rc = rtnl_dump(nl, RTNL_ADDR, AF_UNSPEC, &all, e);

	for (size_t i = 0; rc == 0 && i < all.n; i++) {
		if (rtnl_parse_addr(all.items[i].msg, &addr) < 0 || !has_link(s, addr.ifindex))
			continue;
		if (addr.flags & IFA_F_TEMPORARY && addr.family == AF_INET6)
			continue; /* the kernel makes these anew and does not take the flag back */
		rc = keep(&s->addrs, all.items[i].msg, e);
	}
	rtnl_list_free(&all);
	return rc;
}

static int take_neighs(struct nl *nl, struct snapshot *s, struct err *e)
{
	struct rtnl_list all = { 0 };
	struct rtnl_neigh neigh;
	int rc = rtnl_dump(nl, RTNL_NEIGH, AF_UNSPEC, &all, e);

	for (size_t i = 0; rc == 0 && i < all.n; i++) {
		if (rtnl_parse_neigh(all.items[i].msg, &neigh) == 0 && has_link(s, neigh.ifindex))
			rc = keep(&s->neighs, all.items[i].msg, e);
	}
	rtnl_list_free(&all);
	return rc;
}

/* does the route name an address that is on one of the devices? */
static bool names_our_address(const struct snapshot *s, const struct rtnl_route *route)
{
	struct rtnl_addr addr;

	for (size_t i = 0; route->has_prefsrc && i < s->addrs.n; i++) {
		if (rtnl_parse_addr(s->addrs.items[i].msg, &addr) == 0 &&
		    addr.local.family == route->prefsrc.family &&
		    memcmp(addr.local.bytes, route->prefsrc.bytes, sizeof(addr.local.bytes)) == 0)
			return true;
	}
	return false;
}

static int take_routes(struct nl *nl, struct snapshot *s, struct err *e)
{
	struct rtnl_list all = { 0 };
	struct rtnl_route route;
	int rc = rtnl_dump(nl, RTNL_ROUTE, AF_UNSPEC, &all, e);

	for (size_t i = 0; rc == 0 && i < all.n; i++) {
		size_t n_ours = 0;

		if (rtnl_parse_route(all.items[i].msg, &route) < 0)
			continue;
		if (rtnl_is_automatic(RTNL_ROUTE, all.items[i].msg))
			continue; /* made by the kernel with each address */
		for (size_t k = 0; k < route.n_oifs; k++)
			n_ours += has_link(s, route.oifs[k]);
		if (n_ours && n_ours == route.n_oifs)
			rc = keep(&s->routes, all.items[i].msg, e);
		else if (n_ours || names_our_address(s, &route))
			rc = keep(&s->orphans, all.items[i].msg, e);
	}
	rtnl_list_free(&all);
	return rc;
}

/* a table other than local, main and default, with a route over one of the devices */
static bool is_our_table(const struct snapshot *s, uint32_t table, uint8_t family)
{
	struct rtnl_route route;

	if (table == RT_TABLE_LOCAL || table == RT_TABLE_MAIN || table == RT_TABLE_DEFAULT)
		return false;
	for (size_t i = 0; i < s->routes.n; i++) {
		if (rtnl_parse_route(s->routes.items[i].msg, &route) == 0 && route.table == table &&
		    route.family == family)
			return true;
	}
	return false;
}

static int take_rules(struct nl *nl, struct snapshot *s, struct err *e)
{
	struct rtnl_list all = { 0 };
	struct rtnl_rule rule;
	int rc = rtnl_dump(nl, RTNL_RULE, AF_UNSPEC, &all, e);

	for (size_t i = 0; rc == 0 && i < all.n; i++) {
		if (rtnl_parse_rule(all.items[i].msg, &rule) < 0)
			continue;
		if (rtnl_links_by_name(&s->links, rule.iif) ||
		    rtnl_links_by_name(&s->links, rule.oif) ||
		    is_our_table(s, rule.table, rule.family))
			rc = keep(&s->rules, all.items[i].msg, e);
	}
	rtnl_list_free(&all);
	return rc;
}

int snapshot_take(struct nl *nl, const struct sysctl_dirs *dirs, char *const *names, size_t n,
		  struct snapshot *out, struct err *e)
{
	struct snapshot s = { 0 };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = take_link(nl, names[i], &s, e);
	if (rc == 0)
		rc = take_addrs(nl, &s, e);
	if (rc == 0)
		rc = take_neighs(nl, &s, e);
	if (rc == 0)
		rc = take_routes(nl, &s, e);
	if (rc == 0)
		rc = take_rules(nl, &s, e);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = sysctl_read_device(dirs, names[i], &s.sysctls, &s.n_sysctls, e);
	if (rc < 0) {
		snapshot_free(&s);
		return rc;
	}
	*out = s;
	return 0;
}
