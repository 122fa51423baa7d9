// SPDX-License-Identifier: GPL-2.0-or-later
/* the routes of AllowedIPs: pure */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/plan.h"

/* longest prefix first, as wg-quick's `sort -nr -k2 -t/`; then by address, so that equal ones meet */
static int by_prefix(const void *a, const void *b)
{
	const struct addr *left = a, *right = b;

	if (left->bits != right->bits)
		return left->bits > right->bits ? -1 : 1;
	if (left->family != right->family)
		return left->family < right->family ? -1 : 1;
	return memcmp(left->bytes, right->bytes, sizeof(left->bytes));
}

/* an address with a prefix brings its own route, and wg-quick adds none inside it */
static bool is_covered(const struct wgquick *conf, const struct addr *dst)
{
	for (size_t i = 0; i < conf->n_addresses; i++) {
		if (addr_contains(&conf->addresses[i], dst))
			return true;
	}
	return false;
}

int plan_routes(const struct wgquick *conf, struct addr **out, size_t *n)
{
	size_t n_all = 0, n_kept = 0;

	for (size_t i = 0; i < conf->device.n_peers; i++)
		n_all += conf->device.peers[i].n_allowed_ips;
	struct addr *all = calloc(n_all + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	n_all = 0;
	for (size_t i = 0; i < conf->device.n_peers; i++) {
		const struct wg_peer *peer = &conf->device.peers[i];
		for (size_t k = 0; k < peer->n_allowed_ips; k++) {
			if (peer->allowed_ips[k].is_remove)
				continue;
			all[n_all] = peer->allowed_ips[k].prefix;
			addr_mask(&all[n_all++]);
		}
	}
	if (n_all)
		qsort(all, n_all, sizeof(*all), by_prefix);
	for (size_t i = 0; i < n_all; i++) {
		if (n_kept && addr_equal(&all[i], &all[n_kept - 1]))
			continue;
		if (conf->table == WGQUICK_TABLE_AUTO && is_covered(conf, &all[i]))
			continue;
		all[n_kept++] = all[i];
	}
	*out = all;
	*n = n_kept;
	return 0;
}
