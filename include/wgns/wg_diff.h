/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wg_diff - what has to be sent so that one device becomes another, and nothing else
 *
 * As `wg syncconf` (sync_conf() of wireguard-tools), and gentler: a list of AllowedIPs is never replaced, because between
 * emptying and filling it the kernel and wireguard-go drop packets of sessions that live. A prefix that is given to another
 * peer changes hands in one store of a pointer (allowedips.c of Linux, the trie of wireguard-go), so that additions alone
 * move prefixes, and those that no peer shall have any more are given to a peer that is removed in the next breath. In that
 * breath, some microseconds, packets to such a prefix are lost, also when a wider one of the same peer would have them
 * afterwards: before Linux 6.16 no request takes a single prefix away.
 */
#ifndef WGNS_WG_DIFF_H
#define WGNS_WG_DIFF_H

#include <stdbool.h>
#include <stddef.h>

#include "wgns/addr.h"
#include "wgns/wg.h"

/**
 * wg_normalise - what the device would be after an empty one got @in
 *
 * Peers that come twice are one, AllowedIPs are masked and belong to the last peer that names them, + and - are carried
 * out, the private key is clamped as the kernel does it (RFC 7748 section 5), so that it can be compared.
 * Return: 0 or -ENOMEM; @out is owned
 */
int wg_normalise(const struct wg_device *in, struct wg_device *out);

/* A prefix that a peer loses and stays itself. */
struct wg_loss {
	struct addr prefix;
	size_t peer; /* in set.peers */
	bool is_dropped; /* no other peer gets it */
};

struct wg_diff {
	/* key, port, mark where they differ; new peers and what changes of the others, only AllowedIPs to add */
	struct wg_device set;
	bool *is_new; /* of each of set.peers */
	struct wg_loss *losses; /* ordered by peer */
	size_t n_losses;
	struct wg_device gone; /* peers to remove */
};

/**
 * wg_diff - from @live to @want
 * @want: normalised. Key, port and mark that it has not set stay. An endpoint counts as different when it is known and
 *        another one, or when it still has a name; one that @want does not know stays.
 * Return: 0 or -ENOMEM; @out is owned
 */
int wg_diff(const struct wg_device *want, const struct wg_device *live, struct wg_diff *out);
/**
 * wg_diff_request - set.peers in the order in which a backend has to work them off
 * @taker: a random public key, for the peer that takes away what is dropped
 *
 * Settings first, then longer prefixes before shorter ones, whosever they are: when a wide prefix goes to another peer,
 * the narrow one that is to remain of it is there already.
 * Return: 0 or -ENOMEM; @out is owned, without key, port and mark
 */
int wg_diff_request(const struct wg_diff *diff, const struct key *taker, struct wg_device *out);
void wg_diff_free(struct wg_diff *diff);

/* a device's peers, sorted by key, then by number: for looking up many */
struct wg_slot {
	const struct key *key;
	size_t peer;
};
/** wg_sort_peers - an owned array of dev->n_peers, or NULL without memory */
struct wg_slot *wg_sort_peers(const struct wg_device *dev);
/** wg_peer_find - Return: the peer of that key, or NULL; @slots is wg_sort_peers(dev) */
const struct wg_peer *wg_peer_find(const struct wg_device *dev, const struct wg_slot *slots,
				   const struct key *public_key);
/** wg_endpoint_equal - address, port and scope are the same; two unknown ones are, too */
bool wg_endpoint_equal(const union wg_endpoint *a, const union wg_endpoint *b);

#endif
