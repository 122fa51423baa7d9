/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lan_guard - what may pass between home and the uplinks' own networks: `table inet wgns-lan` in physical
 *
 * It stands beside the guard's table and not in it, because it is needed also where KillSwitch = no: a packet has to pass
 * both. From the pair only what is for one of the given prefixes leaves, by the uplink that has it, and under the uplink's
 * address; to the pair only answers come, from the uplinks and from physical itself. Everything else between devices of
 * physical is dropped, so that forwarding can be switched on.
 * The caller holds the wgns lock.
 */
#ifndef WGNS_LAN_GUARD_H
#define WGNS_LAN_GUARD_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "wgns/addr.h"
#include "wgns/err.h"
#include "wgns/nl.h"

struct lan_guard_net {
	struct addr net; /* host bits clear */
	char uplink[IFNAMSIZ];
};
#define LAN_GUARD_MAX 256

struct lan_guard {
	const char *device; /* the pair's end in physical; it need not be there yet */
	const struct lan_guard_net *nets;
	size_t n_nets;
};

/**
 * lan_guard_set - make the table, or put this one in its place in one transaction
 * @nl: of guard_open_in()
 * Return: 0 or -errno; -E2BIG for more than LAN_GUARD_MAX
 */
int lan_guard_set(struct nl *nl, const struct lan_guard *want, struct err *e);
/** lan_guard_compare - is it in the kernel as lan_guard_set() made it?
 * @why: receives what differs, "" when nothing does */
int lan_guard_compare(struct nl *nl, const struct lan_guard *want, char *why, size_t cap,
		      struct err *e);

#endif
