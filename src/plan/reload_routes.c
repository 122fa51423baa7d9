// SPDX-License-Identifier: GPL-2.0-or-later
/* which addresses and routes come and go: pure */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "reload_internal.h"
#include "wgns/plan.h"

static bool has_addr(const struct addr *list, size_t n, const struct addr *a)
{
	for (size_t i = 0; i < n; i++) {
		if (addr_equal(&list[i], a))
			return true;
	}
	return false;
}

static void add_addr(struct addr *list, size_t *n, const struct addr *a)
{
	if (!has_addr(list, *n, a))
		list[(*n)++] = *a;
}

int reload_addresses(const struct reload_facts *f, struct reload_plan *plan)
{
	const struct wgquick *conf = f->conf;
	size_t n_old = 0;

	for (size_t i = 0; i < f->n_before; i++)
		n_old += f->before[i]->n_addresses;
	plan->addr_add = calloc(conf->n_addresses + 1, sizeof(*plan->addr_add));
	plan->addr_del = calloc(n_old + 1, sizeof(*plan->addr_del));
	if (!plan->addr_add || !plan->addr_del)
		return -ENOMEM;
	for (size_t i = 0; i < conf->n_addresses; i++) {
		const struct addr *a = &conf->addresses[i];
		if (!has_addr(f->addrs, f->n_addrs, a))
			add_addr(plan->addr_add, &plan->n_addr_add, a);
	}
	for (size_t i = 0; i < f->n_before; i++) {
		for (size_t k = 0; k < f->before[i]->n_addresses; k++) {
			const struct addr *a = &f->before[i]->addresses[k];
			if (has_addr(f->addrs, f->n_addrs, a) &&
			    !has_addr(conf->addresses, conf->n_addresses, a))
				add_addr(plan->addr_del, &plan->n_addr_del, a);
		}
	}
	return 0;
}

/* there may be as many routes as peers, so all lists are sorted */
static int by_route(const void *a, const void *b)
{
	const struct reload_route *left = a, *right = b;

	if (left->table != right->table)
		return left->table < right->table ? -1 : 1;
	if (left->dst.family != right->dst.family)
		return left->dst.family < right->dst.family ? -1 : 1;
	if (left->dst.bits != right->dst.bits)
		return left->dst.bits > right->dst.bits ? -1 : 1; /* as wg-quick: longest first */
	return memcmp(left->dst.bytes, right->dst.bytes, sizeof(left->dst.bytes));
}

struct routes {
	struct reload_route *items; /* owned, sorted */
	size_t n;
};

static void sort_routes(struct routes *routes)
{
	if (routes->n)
		qsort(routes->items, routes->n, sizeof(*routes->items), by_route);
}

static const struct reload_route *find_route(const struct routes *routes,
					     const struct reload_route *route)
{
	if (!routes->n)
		return NULL;
	return bsearch(route, routes->items, routes->n, sizeof(*routes->items), by_route);
}

/* those that `up` would add, appended */
static int add_conf_routes(const struct wgquick *conf, struct routes *out)
{
	uint32_t table = conf->table == WGQUICK_TABLE_NUMBER ? conf->table_number : RT_TABLE_MAIN;
	struct addr *list = NULL;
	size_t n = 0;

	if (conf->table == WGQUICK_TABLE_OFF)
		return 0;
	if (plan_routes(conf, &list, &n) < 0)
		return -ENOMEM;
	struct reload_route *grown = reallocarray(out->items, out->n + n + 1, sizeof(*out->items));
	if (grown) {
		out->items = grown;
		for (size_t i = 0; i < n; i++)
			grown[out->n++] = (struct reload_route){ .dst = list[i], .table = table };
	}
	free(list);
	return grown ? 0 : -ENOMEM;
}

/* the routes over the tunnel, and those that others have */
static int split_routes(const struct reload_facts *f, struct routes *own, struct routes *others)
{
	own->items = calloc(f->n_routes + 1, sizeof(*own->items));
	others->items = calloc(f->n_routes + 1, sizeof(*others->items));
	if (!own->items || !others->items)
		return -ENOMEM;
	for (size_t i = 0; i < f->n_routes; i++) {
		struct routes *to = strcmp(f->routes[i].device, f->conf->name) == 0 ? own : others;
		to->items[to->n++] = f->routes[i];
	}
	sort_routes(own);
	sort_routes(others);
	return 0;
}

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "plan");
}

static int add_routes(const struct routes *want, const struct routes *own,
		      const struct routes *others, struct reload_plan *plan, struct err *e)
{
	char text[ADDR_TEXT_MAX];

	plan->route_add = calloc(want->n + 1, sizeof(*plan->route_add));
	if (!plan->route_add)
		return no_memory(e);
	for (size_t i = 0; i < want->n; i++) {
		if (find_route(own, &want->items[i]))
			continue;
		const struct reload_route *taken = find_route(others, &want->items[i]);
		if (taken) {
			addr_format_prefix(&taken->dst, text);
			err_say(e, EEXIST, "the route %s is taken by %s already", text,
				taken->device);
			err_hint(e, "end what made it, or change AllowedIPs or Table");
			return err_as(e, ERR_KIND_STATE);
		}
		plan->route_add[plan->n_route_add++] = want->items[i];
	}
	return 0;
}

/* only what a file has named, and what is still as `up` made it */
static int drop_routes(const struct routes *want, const struct routes *own,
		       const struct routes *old, struct reload_plan *plan)
{
	plan->route_del = calloc(old->n + 1, sizeof(*plan->route_del));
	if (!plan->route_del)
		return -ENOMEM;
	for (size_t i = 0; i < old->n; i++) {
		const struct reload_route *route = &old->items[i];
		const struct reload_route *live = find_route(own, route);

		if (i && by_route(route, &old->items[i - 1]) == 0)
			continue; /* the copy and the interrupted reload both have it */
		if (live && live->is_ours && !find_route(want, route))
			plan->route_del[plan->n_route_del++] = *route;
	}
	return 0;
}

int reload_routes(const struct reload_facts *f, struct reload_plan *plan, struct err *e)
{
	struct routes want = { 0 }, old = { 0 }, own = { 0 }, others = { 0 };
	int rc = split_routes(f, &own, &others);

	if (rc == 0)
		rc = add_conf_routes(f->conf, &want);
	for (size_t i = 0; rc == 0 && i < f->n_before; i++)
		rc = add_conf_routes(f->before[i], &old);
	if (rc < 0)
		no_memory(e);
	if (rc == 0) {
		sort_routes(&want);
		sort_routes(&old);
		rc = add_routes(&want, &own, &others, plan, e);
	}
	if (rc == 0) {
		rc = drop_routes(&want, &own, &old, plan);
		if (rc < 0)
			no_memory(e);
	}
	free(want.items);
	free(old.items);
	free(own.items);
	free(others.items);
	return rc;
}
