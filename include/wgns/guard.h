/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard - what keeps home from talking past the tunnel, and strangers from talking to physical
 *
 * In home: `table inet wgns` drops at postrouting what would leave by any device that is not in the set `allowed`, and
 * `table bridge wgns` what would leave a bridge by hardware: to the first table a bridge is one device, whatever hangs on
 * it. In physical: `table inet wgns` drops what comes in unasked, and what would be forwarded.
 *
 * Every change is one transaction: it happened, or nothing did. Where the kernel can (Linux 6.9), nobody else changes or
 * flushes the tables while the talker that made or adopted them is open. When it closes they stay, but belong to nobody:
 * `nft flush ruleset` then takes them away as it does on older kernels. The caller holds the wgns lock.
 */
#ifndef WGNS_GUARD_H
#define WGNS_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wgns/err.h"
#include "wgns/nl.h"

/* devices in one guard; far more than anyone has, and what one transaction holds */
#define GUARD_NAMES_MAX 1024

struct guard_home {
	const char *const *names; /* that may send: lo, tunnels, virtual devices that were there */
	size_t n_names;
	const char *const *uplinks; /* that never send for a bridge of home, whatever they are */
	size_t n_uplinks;
};
struct guard_physical {
	bool has_lan; /* home reaches the uplinks' own networks */
};

/** guard_open_in - a talker for the calls below
 * @ns_fd: the namespace, -1 for the caller's */
int guard_open_in(int ns_fd, struct nl **out, struct err *e);

/* What the kernel can do for the guard */
struct guard_kernel {
	bool can_persist; /* tables that can be held: Linux 6.9 */
	bool can_bridge; /* the family bridge, and `meta oifkind` in it */
};
/**
 * guard_probe - ask the kernel, by a transaction that is not completed; needs CAP_NET_ADMIN
 * Return: 0, or -errno when it has no nf_tables at all
 */
int guard_probe(struct nl *nl, struct guard_kernel *out, struct err *e);

/**
 * guard_set_home - make home's guard, or put this one in its place without a gap
 *
 * Tables without owner are made where the kernel has no persistent ones, and the bridge's is left out where it cannot be.
 * Return: 0 or -errno; -E2BIG for more than GUARD_NAMES_MAX
 */
int guard_set_home(struct nl *nl, const struct guard_home *want, struct err *e);
/** guard_set_physical - likewise for physical, with no ports open */
int guard_set_physical(struct nl *nl, const struct guard_physical *want, struct err *e);

/** guard_allow - let one more device of home send; it may be allowed already
 * Return: -ENOENT when there is no guard */
int guard_allow(struct nl *nl, const char *name, struct err *e);
/** guard_forbid - take that back; absent is success, of the guard too */
int guard_forbid(struct nl *nl, const char *name, struct err *e);
/** guard_open_port - let datagrams for a tunnel's port into physical; as guard_allow() */
int guard_open_port(struct nl *nl, uint16_t port, struct err *e);
/** guard_close_port - as guard_forbid() */
int guard_close_port(struct nl *nl, uint16_t port, struct err *e);

/**
 * guard_hold - nobody else changes or flushes the guard while @nl is open
 *
 * What guard_set_home() or guard_set_physical() made is held already by the talker that they got.
 * Return: 0, also when there is none; -EOPNOTSUPP before Linux 6.9; -EPERM while somebody else holds it
 */
int guard_hold(struct nl *nl, struct err *e);

/** guard_clear - remove it; absent is success */
int guard_clear(struct nl *nl, struct err *e);

struct guard_seen {
	bool is_there; /* the inet table */
	bool is_physical; /* it is physical's; otherwise home's */
	bool has_lan; /* physical's: it lets the pair of Lan = yes pass */
	bool is_persistent; /* it can be held, see guard_hold() */
	bool is_held; /* by an open talker: others cannot change it */
	bool is_intact; /* everything in it is as it was made; names and ports are the caller's to compare */
	bool has_bridge; /* home's: the bridge table is there; when it is not, that is no reason for is_intact */
	char why[256]; /* what is not intact */
	uint64_t n_dropped; /* packets that it stopped from leaving, or from coming in */
	char **names; /* owned: that may send */
	size_t n_names;
	uint16_t *ports; /* owned */
	size_t n_ports;
};
/** guard_read - @out is empty when there is none; guard_seen_free() it on success */
int guard_read(struct nl *nl, struct guard_seen *out, struct err *e);
/** guard_is_boot - home's, and nothing but lo may send: the guard of KillSwitch = boot */
bool guard_is_boot(const struct guard_seen *seen);
void guard_seen_free(struct guard_seen *seen);

#endif
