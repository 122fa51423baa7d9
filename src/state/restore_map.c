// SPDX-License-Identifier: GPL-2.0-or-later
/* which device is which, after names and numbers may have changed */
#include <string.h>

#include "wgns/snapshot.h"

static bool is_same_hwaddr(const uint8_t *a, uint8_t a_len, const uint8_t *b, uint8_t b_len)
{
	return a_len && a_len == b_len && memcmp(a, b, a_len) == 0;
}

/* what neither a rename nor a move changes; VLANs have no address of their own, so their name has to do */
static bool is_same_hardware(const struct rtnl_link *old, const struct rtnl_link *now)
{
	if (strcmp(old->kind, now->kind) != 0 ||
	    strcmp(old->parent_device, now->parent_device) != 0 || old->lower != now->lower)
		return false;
	if (old->permaddr_len)
		return is_same_hwaddr(old->permaddr, old->permaddr_len, now->permaddr,
				      now->permaddr_len);
	return !now->permaddr_len &&
	       is_same_hwaddr(old->hwaddr, old->hwaddr_len, now->hwaddr, now->hwaddr_len);
}

/* of several devices on one phy, which all have its address: a monitor is no station */
static unsigned likeness(const struct rtnl_link *old, const struct rtnl_link *now)
{
	return (old->type == now->type ? 2U : 0U) +
	       is_same_hwaddr(old->hwaddr, old->hwaddr_len, now->hwaddr, now->hwaddr_len);
}

const struct rtnl_link *snapshot_find_link(const struct rtnl_links *now,
					   const struct rtnl_link *old)
{
	const struct rtnl_link *named = rtnl_links_by_name(now, old->name), *best = NULL;

	if (named && is_same_hardware(old, named))
		return named;
	for (size_t i = 0; i < now->n; i++) {
		const struct rtnl_link *link = &now->items[i];
		bool is_stacked = link->lower && !link->has_lower_netnsid;
		if (!is_stacked && is_same_hardware(old, link) &&
		    (!best || likeness(old, link) > likeness(old, best)))
			best = link;
	}
	if (best)
		return best;
	/* a device without a permanent address whose hardware address was changed, or a VLAN whose parent got
	 * another number: the name and the kind are all that is left */
	return named && strcmp(named->kind, old->kind) == 0 && !old->permaddr_len ? named : NULL;
}

int restore_map(const struct restore *r, struct rtnl_ifindex_map *map, struct rtnl_links *now,
		struct err *e)
{
	int rc = rtnl_dump_links(r->nl, now, e);

	map->n = 0;
	for (size_t i = 0; rc == 0 && i < r->snap->links.n; i++) {
		const struct rtnl_link *link = snapshot_find_link(now, &r->snap->links.items[i]);
		if (!link || map->n == RTNL_MAP_MAX)
			continue;
		map->pairs[map->n].from = r->snap->links.items[i].ifindex;
		map->pairs[map->n].to = link->ifindex;
		memcpy(map->pairs[map->n].from_name, r->snap->links.items[i].name, IFNAMSIZ);
		memcpy(map->pairs[map->n].to_name, link->name, IFNAMSIZ);
		map->n++;
	}
	return rc;
}
