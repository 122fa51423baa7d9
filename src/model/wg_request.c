// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wg_claim.h"
#include "wgns/str.h"
#include "wgns/wg_diff.h"

static int by_length(const void *a, const void *b)
{
	const struct wg_claim *left = a, *right = b;

	if (left->prefix.bits != right->prefix.bits)
		return left->prefix.bits > right->prefix.bits ? -1 : 1;
	if (left->peer != right->peer)
		return left->peer < right->peer ? -1 : 1;
	return wg_compare_addrs(&left->prefix, &right->prefix);
}

static struct wg_peer *add(struct wg_device *out, const struct key *public_key)
{
	struct wg_peer *peer = wg_device_add_peer(out);

	if (!peer)
		return NULL;
	peer->public_key = *public_key;
	peer->is_incremental = true;
	return peer;
}

/* a new peer and what changes of another, without prefixes */
static int add_settings(const struct wg_diff *diff, struct wg_device *out)
{
	for (size_t i = 0; i < diff->set.n_peers; i++) {
		const struct wg_peer *from = &diff->set.peers[i];
		bool has_any = diff->is_new[i] || from->has_preshared_key || from->has_keepalive ||
			       from->endpoint.sa.sa_family != AF_UNSPEC;
		struct wg_peer *peer = has_any ? add(out, &from->public_key) : NULL;

		if (!has_any)
			continue;
		if (!peer || wg_peer_merge(peer, from) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_prefixes(const struct wg_diff *diff, struct wg_device *out)
{
	struct wg_claims gains = { 0 };
	struct wg_peer *peer = NULL;
	int rc = wg_claims_init(&gains, &diff->set);

	for (size_t i = 0; rc == 0 && i < diff->set.n_peers; i++)
		wg_claims_add(&gains, &diff->set.peers[i], i);
	if (rc == 0 && gains.n)
		qsort(gains.items, gains.n, sizeof(*gains.items), by_length);
	for (size_t i = 0; rc == 0 && i < gains.n; i++) {
		const struct wg_claim *gain = &gains.items[i];
		if (i == 0 || gain->peer != gains.items[i - 1].peer)
			peer = add(out, &diff->set.peers[gain->peer].public_key);
		if (!peer || wg_peer_add_allowed_ip(peer, &gain->prefix, false) < 0)
			rc = -ENOMEM;
	}
	free(gains.items);
	return rc;
}

static int take_dropped(const struct wg_diff *diff, const struct key *taker, struct wg_device *out)
{
	struct wg_peer *peer = NULL;

	for (size_t i = 0; i < diff->n_losses; i++) {
		if (!diff->losses[i].is_dropped)
			continue;
		if (!peer)
			peer = add(out, taker);
		if (!peer || wg_peer_add_allowed_ip(peer, &diff->losses[i].prefix, false) < 0)
			return -ENOMEM;
	}
	if (peer) {
		peer = add(out, taker);
		if (!peer)
			return -ENOMEM;
		peer->should_remove = true;
	}
	return 0;
}

int wg_diff_request(const struct wg_diff *diff, const struct key *taker, struct wg_device *out)
{
	struct wg_device dev = { 0 };
	int rc = add_settings(diff, &dev);

	if (rc == 0)
		rc = add_prefixes(diff, &dev);
	if (rc == 0)
		rc = take_dropped(diff, taker, &dev);
	if (rc < 0) {
		wg_device_free(&dev);
		return rc;
	}
	*out = dev;
	str_wipe(&dev, sizeof(dev));
	return 0;
}
