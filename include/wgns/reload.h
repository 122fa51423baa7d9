/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reload - a file that has changed, for a tunnel that is up: only the differences, and sessions survive
 *
 * reload_plan() is pure: the file, the copy that was kept of the one before, and what the device has now go in, a list of
 * changes comes out, which is what -n prints. change_reload() does them, in the order of enum reload_phase: first what is
 * added, last what ends a session, so that a failure can be put back without loss.
 */
#ifndef WGNS_RELOAD_H
#define WGNS_RELOAD_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wgns/addr.h"
#include "wgns/err.h"
#include "wgns/wg.h"
#include "wgns/wg_diff.h"
#include "wgns/wgquick.h"

enum reload_phase {
	RELOAD_ADDR_ADD,
	RELOAD_PEERS, /* new and changed ones */
	RELOAD_MTU,
	RELOAD_ROUTE_ADD,
	RELOAD_DNS,
	RELOAD_DEVICE, /* key, port, mark */
	RELOAD_ADDR_DEL,
	RELOAD_ROUTE_DEL,
	RELOAD_PEERS_GONE,
	RELOAD_N_PHASES
};

/* a route without a gateway and with the metric that it gets by itself */
struct reload_route {
	struct addr dst; /* masked */
	uint32_t table;
	bool is_ours; /* as `up` adds them, over the tunnel */
	char device[IFNAMSIZ];
};

struct reload_facts {
	const struct wgquick *conf; /* the file */
	/* the copy that was kept; and that of a reload that was interrupted, of which nobody knows how far it came */
	const struct wgquick *before[2];
	size_t n_before; /* 1 or 2 */
	const struct wg_device *live;
	const struct addr *addrs; /* of the device, all of them */
	size_t n_addrs;
	uint32_t mtu; /* the device's */
	const struct reload_route *routes; /* in home, over whatever device */
	size_t n_routes;
	const char *dns; /* who was told of DNS=, or will be */
	bool may_run_hooks;
	const char *untrusted; /* why not, when it may not */
};

struct reload_line {
	enum reload_phase phase;
	char *text; /* owned: "addr.add wg0 10.9.0.3/32" */
};

struct reload_plan {
	struct reload_line *lines; /* ordered by phase; none: nothing is to be done */
	size_t n_lines;
	char **notes; /* what the file says and reload does not do, or not now */
	size_t n_notes;
	struct wg_device
		want; /* normalised; endpoints that are to be looked up have a name and no address */
	struct addr *addr_add, *addr_del;
	size_t n_addr_add, n_addr_del;
	struct reload_route *route_add, *route_del;
	size_t n_route_add, n_route_del;
	bool has_mtu, has_dns; /* these differ */
	uint32_t mtu; /* 0: the automatic one */
};

/**
 * reload_plan - from what was configured and what is there to what the file says
 *
 * What somebody added by hand stays: addresses and routes go only when a file had named them. Peers are the file's, as
 * with `wg syncconf`.
 * Return: 0; or an error: hooks of a file that is not trusted, a route that another device has (kind STATE), -ENOMEM
 */
int reload_plan(const struct reload_facts *facts, struct reload_plan *out, struct err *e);
void reload_plan_free(struct reload_plan *plan);

#endif
