// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/str.h"

#include "guard_internal.h"

void guard_seen_free(struct guard_seen *seen)
{
	str_list_free(&seen->names, &seen->n_names);
	free(seen->ports);
	*seen = (struct guard_seen){ 0 };
}

bool guard_is_boot(const struct guard_seen *seen)
{
	return seen->is_there && !seen->is_physical && seen->n_names == 1 &&
	       strcmp(seen->names[0], "lo") == 0;
}

/* -ENOENT for a set that somebody removed; @e is untouched then, nft_compare() names it */
static int read_set(struct nl *nl, const struct nft_table *table, const struct nft_set *set,
		    struct nft_elems *out, struct err *e)
{
	struct err local = { 0 };
	int r = nft_read_elems(nl, table, set, out, &local);

	if (r < 0 && r != -ENOENT)
		*e = local;
	return r;
}

static int keep_names(const struct nft_elems *elems, struct guard_seen *seen)
{
	for (size_t i = 0; i < elems->n; i++) {
		const char *name = (const char *)elems->data + i * GUARD_NAME_LEN;

		if (str_list_add(&seen->names, &seen->n_names, name,
				 strnlen(name, GUARD_NAME_LEN)) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int keep_ports(const struct nft_elems *elems, struct guard_seen *seen)
{
	seen->ports = calloc(elems->n + 1, sizeof(*seen->ports));
	if (!seen->ports)
		return -ENOMEM;
	for (size_t i = 0; i < elems->n; i++) {
		uint16_t port;

		memcpy(&port, elems->data + i * sizeof(port), sizeof(port));
		seen->ports[seen->n_ports++] = ntohs(port);
	}
	return 0;
}

/* Which of the two it is, is told by the set that only one of them has */
static int read_sets(struct nl *nl, struct guard_seen *seen, struct err *e)
{
	struct nft_elems elems = { 0 };

	int r = read_set(nl, guard_home_table(), &guard_allowed, &elems, e);
	if (r == 0) {
		r = keep_names(&elems, seen);
		free(elems.data);
		return r < 0 ? err_set(e, -r, "read the guard") : 0;
	}
	if (r != -ENOENT)
		return r;
	r = read_set(nl, guard_physical_table(false), &guard_ports, &elems, e);
	if (r == 0) {
		seen->is_physical = true;
		r = keep_ports(&elems, seen);
		free(elems.data);
		return r < 0 ? err_set(e, -r, "read the guard") : 0;
	}
	return r == -ENOENT ? 0 : r;
}

/* of both tables, where there are two */
static bool has_flags(const struct nft_table_seen *inet, const struct nft_table_seen *bridge,
		      uint32_t flags)
{
	return (!inet->is_there || (inet->flags & flags) == flags) &&
	       (!bridge->is_there || (bridge->flags & flags) == flags);
}

/* with the LAN's rules or without: what it is not is not intact */
static int find_lan(struct nl *nl, struct guard_seen *seen, struct err *e)
{
	char why[sizeof(seen->why)] = "";
	int r = nft_compare(nl, guard_physical_table(true), why, sizeof(why), NULL, e);

	seen->has_lan = r == 0 && why[0] == '\0';
	return r;
}

static int read_all(struct nl *nl, struct guard_seen *seen, struct err *e)
{
	struct nft_table_seen inet = { 0 }, bridge = { 0 };

	int r = nft_read_table(nl, guard_home_table(), &inet, e);
	if (r == 0)
		r = nft_read_table(nl, guard_bridge_table(), &bridge, e);
	if (r < 0 || (!inet.is_there && !bridge.is_there))
		return r;
	seen->is_there = inet.is_there;
	seen->has_bridge = bridge.is_there;
	seen->is_persistent = has_flags(&inet, &bridge, NFT_PERSISTS);
	seen->is_held = has_flags(&inet, &bridge, NFT_OWNED);
	if (inet.is_there)
		r = read_sets(nl, seen, e);
	if (r == 0 && seen->is_physical)
		r = find_lan(nl, seen, e);
	if (r < 0)
		return r;

	const struct nft_table *table =
		seen->is_physical ? guard_physical_table(seen->has_lan) : guard_home_table();
	r = nft_compare(nl, table, seen->why, sizeof(seen->why), &seen->n_dropped, e);
	if (r == 0 && bridge.is_there && seen->why[0] == '\0')
		r = nft_compare(nl, guard_bridge_table(), seen->why, sizeof(seen->why),
				&seen->n_dropped, e);
	seen->is_intact = seen->why[0] == '\0';
	return r;
}

int guard_read(struct nl *nl, struct guard_seen *out, struct err *e)
{
	struct guard_seen seen = { 0 };
	int r = read_all(nl, &seen, e);

	if (r < 0) {
		guard_seen_free(&seen);
		return err_context(e, "read the guard");
	}
	*out = seen;
	return 0;
}
