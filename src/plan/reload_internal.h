/* SPDX-License-Identifier: GPL-2.0-or-later */
/* the parts of reload_plan(), all of them pure */
#ifndef WGNS_RELOAD_INTERNAL_H
#define WGNS_RELOAD_INTERNAL_H

#include "wgns/reload.h"

/** reload_addresses - addr_add and addr_del; Return: 0 or -ENOMEM */
int reload_addresses(const struct reload_facts *facts, struct reload_plan *plan);
/** reload_routes - route_add and route_del; Return: 0, or -EEXIST of kind STATE when another device has one */
int reload_routes(const struct reload_facts *facts, struct reload_plan *plan, struct err *e);
/** reload_lines - what is to be done, a line each; Return: 0 or -ENOMEM */
int reload_lines(const struct reload_facts *facts, const struct wg_diff *diff,
		 struct reload_plan *plan);

#endif
