// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Routes of a snapshot. What is there already stays, what is missing is added in passes (a gateway may be
 * reachable through another route only), and what the kernel made by itself and was not there before goes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/snapshot.h"

#define ROUTE_PASSES 8 /* deeper than gateways through gateways go in practice */

struct pass {
	const struct rtnl_list *wanted;
	const struct rtnl_links *snapped; /* the devices of the snapshot */
	const struct rtnl_links *links; /* for names */
	bool *is_done; /* one for each wanted route */
	size_t *sent; /* batch index -> wanted */
	size_t n_failed;
	struct err first; /* why the first of this pass failed */
};

static int note_failure(size_t index, int code, const char *ext_ack, void *ctx, struct err *e)
{
	struct pass *p = ctx;
	size_t wanted = p->sent[index];

	(void)e; /* not an error yet: the next pass may do it */
	if (code == EEXIST)
		return 0; /* it came by itself meanwhile */
	p->is_done[wanted] = false;
	if (p->n_failed++ == 0) {
		char text[256];

		rtnl_describe(RTNL_ROUTE, p->wanted->items[wanted].msg, p->links, text,
			      sizeof(text));
		err_set(&p->first, code, "route %s", text);
		err_kernel(&p->first, ext_ack);
	}
	return 0;
}

static int run_pass(const struct restore *r, const struct rtnl_ifindex_map *map, struct pass *p,
		    struct err *e)
{
	AUTO_NL_BATCH struct nl_batch *batch = NULL;
	struct nl_msg m;
	int rc = nl_batch_new(&batch, e);

	p->n_failed = 0;
	for (size_t i = 0; rc == 0 && i < p->wanted->n; i++) {
		if (p->is_done[i])
			continue;
		rc = rtnl_build_restore(RTNL_ROUTE, p->wanted->items[i].msg, map, true, &m);
		p->is_done[i] = true;
		if (rc == -EALREADY) {
			rc = 0; /* the kernel makes it by itself, and it cannot be asked for */
			continue;
		}
		if (rc < 0)
			return err_set(e, -rc, "restore a route");
		long index = nl_batch_add(batch, &m);
		if (index < 0)
			return err_set(e, ENOMEM, "restore a route");
		p->sent[index] = i;
	}
	return rc < 0 ? rc : nl_batch_send(r->nl, batch, note_failure, p, e);
}

/* a route over a device that is not here any more is as good as done */
static bool is_gone(const struct rtnl_ifindex_map *map, const struct rtnl_links *snapped,
		    const struct nlmsghdr *msg)
{
	struct rtnl_route route;

	if (rtnl_parse_route(msg, &route) < 0)
		return false;
	for (size_t i = 0; i < route.n_oifs; i++) {
		bool is_mapped = !rtnl_links_by_index(snapped, route.oifs[i]);
		for (size_t k = 0; k < map->n && !is_mapped; k++)
			is_mapped = map->pairs[k].from == route.oifs[i];
		if (!is_mapped)
			return true;
	}
	return false;
}

static void mark_present(const struct rtnl_ifindex_map *map, const struct rtnl_list *now,
			 struct pass *p)
{
	for (size_t i = 0; i < p->wanted->n; i++) {
		p->is_done[i] = is_gone(map, p->snapped, p->wanted->items[i].msg);
		for (size_t k = 0; k < now->n && !p->is_done[i]; k++)
			p->is_done[i] = rtnl_equal(RTNL_ROUTE, p->wanted->items[i].msg, map,
						   now->items[k].msg);
	}
}

static int add_missing(const struct restore *r, const struct rtnl_ifindex_map *map, struct pass *p,
		       struct err *e)
{
	size_t n_before = SIZE_MAX;

	for (int i = 0; i < ROUTE_PASSES; i++) {
		int rc = run_pass(r, map, p, e);
		if (rc < 0 || p->n_failed == 0)
			return rc;
		if (p->n_failed >= n_before)
			break; /* no progress */
		n_before = p->n_failed;
	}
	*e = p->first;
	return -e->code;
}

static bool is_over(const struct rtnl_ifindex_map *map, const struct rtnl_route *route)
{
	for (size_t i = 0; i < route->n_oifs; i++) {
		for (size_t k = 0; k < map->n; k++) {
			if (map->pairs[k].to == route->oifs[i])
				return true;
		}
	}
	return false;
}

/* only what the kernel makes with an address or a link: nobody else's route is touched */
static int drop_extra(const struct restore *r, const struct rtnl_ifindex_map *map, struct err *e)
{
	struct rtnl_list now = { 0 };
	struct rtnl_route route;
	struct nl_msg m;
	int rc = rtnl_dump(r->nl, RTNL_ROUTE, AF_UNSPEC, &now, e);

	for (size_t i = 0; rc == 0 && i < now.n; i++) {
		bool was_there = false;

		if (rtnl_parse_route(now.items[i].msg, &route) < 0 || !is_over(map, &route) ||
		    route.protocol != RTPROT_KERNEL || route.table == RT_TABLE_LOCAL)
			continue;
		for (size_t k = 0; k < r->snap->routes.n && !was_there; k++)
			was_there = rtnl_equal(RTNL_ROUTE, r->snap->routes.items[k].msg, map,
					       now.items[i].msg);
		if (was_there || rtnl_build_delete(RTNL_ROUTE, now.items[i].msg, &m) < 0)
			continue;
		rc = nl_talk(r->nl, &m, e);
		if (rc == -ESRCH)
			rc = 0; /* gone by itself */
	}
	rtnl_list_free(&now);
	return rc;
}

static int restore_list(const struct restore *r, const struct rtnl_list *wanted, bool is_exact,
			struct err *e)
{
	struct rtnl_links links = { 0 };
	struct rtnl_list now = { 0 };
	struct rtnl_ifindex_map map;
	struct pass p = {
		.wanted = wanted,
		.snapped = &r->snap->links,
		.links = is_exact ? &r->snap->links : &links,
		.is_done = calloc(wanted->n + 1, sizeof(bool)),
		.sent = calloc(wanted->n + 1, sizeof(size_t)),
	};

	int rc = p.is_done && p.sent ? restore_map(r, &map, &links, e)
				     : err_set(e, ENOMEM, "restore the routes");
	if (rc == 0)
		rc = rtnl_dump(r->nl, RTNL_ROUTE, AF_UNSPEC, &now, e);
	if (rc == 0) {
		mark_present(&map, &now, &p);
		rc = add_missing(r, &map, &p, e);
	}
	if (rc == 0 && is_exact)
		rc = drop_extra(r, &map, e);
	rtnl_links_free(&links);
	rtnl_list_free(&now);
	free(p.is_done);
	free(p.sent);
	return rc;
}

int restore_routes(const struct restore *r, struct err *e)
{
	return restore_list(r, &r->snap->routes, true, e);
}

int restore_orphans(const struct restore *r, struct err *e)
{
	if (!r->snap->orphans.n)
		return 0;
	return restore_list(r, &r->snap->orphans, false, e);
}
