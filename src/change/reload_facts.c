// SPDX-License-Identifier: GPL-2.0-or-later
/* what a reload begins with */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change_internal.h"
#include "reload_run.h"
#include "wgns/dns.h"
#include "wgns/fd.h"
#include "wgns/str.h"

/* the metric of an IPv6 route without one: IP6_RT_PRIO_USER of Linux, as `ip -6 route` shows it */
#define IPV6_METRIC 1024

static int read_tunnel(struct reload *r, struct err *e)
{
	const char *name = r->rq->conf->name;
	char path[STATE_PLACE_MAX + IFNAMSIZ + 16];
	struct err why;

	int rc = state_tunnel_read(r->env.run_fd, CHANGE_PLACE, name, &r->env.tunnel, &why);
	if (rc == -ENOENT) {
		change_not_up(name, e);
		err_hint(e,
			 "a tunnel is called by its file: when that has another name by now, take "
			 "the tunnel down by the old one and up by the new");
		return -e->code;
	}
	if (rc < 0) {
		*e = why;
		return rc;
	}
	if (!r->env.tunnel.since)
		return change_half_up(name, e);
	rc = change_use_tunnel(&r->env, e);
	if (rc < 0)
		return rc;
	state_tunnel_path(CHANGE_PLACE, name, path, sizeof(path));
	r->dir_fd = state_openat(r->env.run_fd, path, O_RDONLY | O_DIRECTORY, e);
	return r->dir_fd < 0 ? r->dir_fd : 0;
}

/* the copy, and the next one when an earlier reload died before it had made that the copy */
static int read_copies(struct reload *r, struct err *e)
{
	const char *name = r->rq->conf->name;
	struct err why;

	int rc = change_read_copy(r->dir_fd, CHANGE_COPY, name, &r->before[0], e);
	if (rc < 0) {
		err_hint(e, "`wgns down %s` and `wgns up %s` begin anew", name, name);
		return rc;
	}
	r->n_before = 1;
	rc = change_read_copy(r->dir_fd, CHANGE_NEXT_COPY, name, &r->before[1], &why);
	if (rc == 0)
		r->n_before = 2;
	if (rc == 0 || rc == -ENOENT)
		return 0;
	*e = why;
	return rc;
}

static int gone(struct reload *r, struct err *e)
{
	const char *name = r->rq->conf->name;

	err_hint(e, "`wgns down %s` and `wgns up %s` make it anew", name, name);
	return err_as(e, ERR_KIND_STATE);
}

static int read_device(struct reload *r, struct err *e)
{
	const char *name = r->env.tunnel.device.name;
	struct nl *nl;

	int rc = op_env_nl_home(&r->env, &nl, e);
	if (rc < 0)
		return rc;
	rc = rtnl_get_link(nl, 0, name, &r->link, e);
	if (rc < 0 && rc != -ENODEV)
		return rc;
	if (rc < 0 || !op_tunnel_is_ours(&r->env, &r->link)) {
		err_say(e, ENODEV, "the device %s that `wgns up` made is gone, or has another name",
			name);
		return gone(r, e);
	}
	rc = r->env.backend->get(&r->env.tunnel.device, r->env.home_fd, &r->live, e);
	return rc < 0 ? gone(r, e) : 0;
}

static int list_addrs(struct reload *r, struct addr **out, size_t *n, struct err *e)
{
	struct rtnl_list all = { 0 };
	struct rtnl_addr addr;
	struct nl *nl;
	size_t n_found = 0;

	int rc = op_env_nl_home(&r->env, &nl, e);
	if (rc == 0)
		rc = rtnl_dump(nl, RTNL_ADDR, AF_UNSPEC, &all, e);
	struct addr *list = rc == 0 ? calloc(all.n + 1, sizeof(*list)) : NULL;
	if (rc == 0 && !list)
		rc = err_set(e, ENOMEM, "read the addresses");
	for (size_t i = 0; rc == 0 && i < all.n; i++) {
		if (rtnl_parse_addr(all.items[i].msg, &addr) < 0 || addr.ifindex != r->link.ifindex)
			continue;
		list[n_found++] = addr.local;
		if (rtnl_list_add(&r->addrs, all.items[i].msg) < 0)
			rc = err_set(e, ENOMEM, "read the addresses");
	}
	rtnl_list_free(&all);
	if (rc < 0) {
		free(list);
		return rc;
	}
	*out = list;
	*n = n_found;
	return 0;
}

/* Return: could this route be in the way of one of ours, or be one? */
static bool take_route(const struct rtnl_links *links, const struct nlmsghdr *msg,
		       const struct reload *r, struct reload_route *out)
{
	struct rtnl_route route;

	if (rtnl_parse_route(msg, &route) < 0 || route.type != RTN_UNICAST || !route.n_oifs ||
	    route.metric != (route.family == AF_INET6 ? IPV6_METRIC : 0))
		return false;
	const struct rtnl_link *link = rtnl_links_by_index(links, route.oifs[0]);
	if (!link)
		return false;
	*out = (struct reload_route){ .dst = route.dst, .table = route.table };
	memcpy(out->device, link->name, sizeof(out->device));
	out->is_ours = link->ifindex == r->link.ifindex && route.n_oifs == 1 &&
		       !route.has_gateway && !route.nexthop_id && route.protocol == RTPROT_BOOT;
	return true;
}

static int list_routes(struct reload *r, struct reload_route **out, size_t *n, struct err *e)
{
	struct rtnl_links links = { 0 };
	struct rtnl_list all = { 0 };
	struct nl *nl;
	size_t n_found = 0;

	int rc = op_env_nl_home(&r->env, &nl, e);
	if (rc == 0)
		rc = rtnl_dump_links(nl, &links, e);
	if (rc == 0)
		rc = rtnl_dump(nl, RTNL_ROUTE, AF_UNSPEC, &all, e);
	struct reload_route *list = rc == 0 ? calloc(all.n + 1, sizeof(*list)) : NULL;
	if (rc == 0 && !list)
		rc = err_set(e, ENOMEM, "read the routes");
	for (size_t i = 0; rc == 0 && i < all.n; i++) {
		struct rtnl_route route;
		n_found += take_route(&links, all.items[i].msg, r, &list[n_found]);
		if (rtnl_parse_route(all.items[i].msg, &route) == 0 && route.n_oifs == 1 &&
		    route.oifs[0] == r->link.ifindex &&
		    rtnl_list_add(&r->routes, all.items[i].msg) < 0)
			rc = err_set(e, ENOMEM, "read the routes");
	}
	rtnl_links_free(&links);
	rtnl_list_free(&all);
	if (rc < 0) {
		free(list);
		return rc;
	}
	*out = list;
	*n = n_found;
	return 0;
}

int reload_read(struct reload *r, struct err *e)
{
	struct addr *addrs = NULL;
	struct reload_route *routes = NULL;
	struct reload_facts facts = {
		.conf = r->rq->conf,
		.before = { &r->before[0], &r->before[1] },
		.live = &r->live,
		.may_run_hooks = r->rq->may_run_hooks,
		.untrusted = r->rq->file->untrusted,
	};

	int rc = read_tunnel(r, e);
	if (rc == 0)
		rc = read_copies(r, e);
	if (rc == 0)
		rc = read_device(r, e);
	if (rc == 0)
		rc = list_addrs(r, &addrs, &facts.n_addrs, e);
	if (rc == 0)
		rc = list_routes(r, &routes, &facts.n_routes, e);
	if (rc == 0) {
		/* who was told once is told again */
		const char *dns = r->env.tunnel.dns;
		(void)snprintf(r->dns, sizeof(r->dns), "%s",
			       dns[0] ? dns : dns_manager_name(dns_detect()));
		facts.addrs = addrs;
		facts.routes = routes;
		facts.n_before = r->n_before;
		facts.mtu = r->link.mtu;
		facts.dns = r->dns;
		rc = reload_plan(&facts, &r->plan, e);
	}
	free(addrs);
	free(routes);
	return rc;
}

void reload_free(struct reload *r)
{
	wgquick_free(&r->before[0]);
	wgquick_free(&r->before[1]);
	wg_device_free(&r->live);
	rtnl_list_free(&r->addrs);
	rtnl_list_free(&r->routes);
	reload_plan_free(&r->plan);
	wg_diff_free(&r->diff);
	fd_close_indirect(&r->dir_fd);
	op_env_close(&r->env);
}
