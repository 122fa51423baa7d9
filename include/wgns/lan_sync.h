/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lan_sync - what Lan = yes lets home reach, kept as the uplinks are now */
#ifndef WGNS_LAN_SYNC_H
#define WGNS_LAN_SYNC_H

#include <stddef.h>

#include "wgns/err.h"
#include "wgns/lan.h"
#include "wgns/rtnl.h"

struct op_env; /* engine.h */

/**
 * lan_sync - make home's routes and what passes in physical equal to what is on the uplinks' links now
 * @env: home and physical open, the lock held
 * @change: NULL for nothing of it
 *
 * Does nothing where there is no pair. What may pass changes first, in one transaction, and the routes follow.
 * Return: 0 or -errno
 */
struct lan_change {
	/* uplinks in physical, by name, that are neither in the snapshot nor hardware */
	char *const *more;
	size_t n_more;
	const char *without; /* a tunnel that does not count any more, or NULL */
};
int lan_sync(struct op_env *env, const struct lan_change *change, struct err *e);

/**
 * lan_check - is everything as lan_sync() would make it? Changes nothing
 * @why: receives what is not, "" when everything is
 * Return: 1; 0 when there is no pair: Lan is off; -errno
 */
int lan_check(struct op_env *env, const struct lan_change *change, char *why, size_t cap,
	      struct err *e);

/**
 * lan_find - the pair that wgns made: each the other's peer, one in home and one in physical, and one of them still has
 * the name. Nobody else makes such a thing in the box of wgns.
 * Return: 1, 0 when there is none, -errno
 */
int lan_find(struct op_env *env, struct rtnl_link *in_home, struct rtnl_link *in_physical,
	     struct err *e);

#endif
