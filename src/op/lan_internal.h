/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lan_internal - what lan_facts.c finds out and lan_sync.c acts by */
#ifndef WGNS_LAN_INTERNAL_H
#define WGNS_LAN_INTERNAL_H

#include "op_internal.h"
#include "wgns/lan.h"
#include "wgns/lan_sync.h"

struct lan_facts {
	struct rtnl_links home_links, links; /* links, addrs, routes: of physical */
	struct rtnl_list home_addrs, home_routes, addrs, routes;
	struct rtnl_link home_end, physical_end;
	struct state_tunnel *tunnels;
	size_t n_tunnels;
	int *uplinks; /* ifindexes, room for all of links */
	size_t n_uplinks;
	struct lan_prefixes list; /* that home is to reach */
};

/**
 * lan_facts_read - with what there is now
 * Return: 1; 0 when there is no pair, and @out is as it was; -errno
 */
int lan_facts_read(struct op_env *env, const struct lan_change *change, struct lan_facts *out,
		   struct err *e);
void lan_facts_free(struct lan_facts *f);
/** lan_own_address - the pair's address of a family in home; physical's is the other end
 * Return: false when there is none */
bool lan_own_address(const struct lan_facts *f, uint8_t family, struct addr *out);

#endif
