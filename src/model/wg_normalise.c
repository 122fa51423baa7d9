// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wg_claim.h"
#include "wgns/str.h"
#include "wgns/wg_diff.h"

int wg_compare_addrs(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	int rc = memcmp(a->bytes, b->bytes, sizeof(a->bytes));
	return rc ? rc : (a->bits > b->bits) - (a->bits < b->bits);
}

static int by_prefix(const void *a, const void *b)
{
	const struct wg_claim *left = a, *right = b;
	int rc = wg_compare_addrs(&left->prefix, &right->prefix);

	return rc ? rc : (left->order > right->order) - (left->order < right->order);
}

/* public keys: nothing is told by the time that it takes */
static int by_key(const void *a, const void *b)
{
	const struct wg_slot *left = a, *right = b;
	int rc = memcmp(left->key->bytes, right->key->bytes, KEY_LEN);

	return rc ? rc : (left->peer > right->peer) - (left->peer < right->peer);
}

struct wg_slot *wg_sort_peers(const struct wg_device *dev)
{
	struct wg_slot *slots = calloc(dev->n_peers + 1, sizeof(*slots));

	for (size_t i = 0; slots && i < dev->n_peers; i++)
		slots[i] = (struct wg_slot){ &dev->peers[i].public_key, i };
	if (slots && dev->n_peers)
		qsort(slots, dev->n_peers, sizeof(*slots), by_key);
	return slots;
}

size_t wg_n_prefixes(const struct wg_device *dev)
{
	size_t n = 0;

	for (size_t i = 0; i < dev->n_peers; i++)
		n += dev->peers[i].n_allowed_ips;
	return n;
}

int wg_claims_init(struct wg_claims *claims, const struct wg_device *dev)
{
	claims->items = calloc(wg_n_prefixes(dev) + 1, sizeof(*claims->items));
	claims->n = 0;
	return claims->items ? 0 : -ENOMEM;
}

void wg_claims_add(struct wg_claims *claims, const struct wg_peer *peer, size_t owner)
{
	for (size_t i = 0; i < peer->n_allowed_ips; i++) {
		struct wg_claim *claim = &claims->items[claims->n];
		*claim = (struct wg_claim){ .prefix = peer->allowed_ips[i].prefix,
					    .peer = owner,
					    .order = claims->n,
					    .is_remove = peer->allowed_ips[i].is_remove };
		addr_mask(&claim->prefix);
		claims->n++;
	}
}

void wg_claims_sort(struct wg_claims *claims)
{
	if (claims->n)
		qsort(claims->items, claims->n, sizeof(*claims->items), by_prefix);
}

static void clamp(struct key *key)
{
	if (key_is_zero(key))
		return; /* none at all */
	key->bytes[0] &= 248;
	key->bytes[31] = (uint8_t)((key->bytes[31] & 127) | 64);
}

static int replace_text(char **to, const char *from)
{
	char *copy = strdup(from);

	if (!copy)
		return -ENOMEM;
	free(*to);
	*to = copy;
	return 0;
}

/* what one [Peer] says, over what an earlier one of the same key said */
int wg_peer_merge(struct wg_peer *to, const struct wg_peer *from)
{
	int rc = 0;

	if (from->has_preshared_key) {
		to->has_preshared_key = true;
		to->preshared_key = from->preshared_key;
	}
	if (from->has_keepalive) {
		to->has_keepalive = true;
		to->keepalive = from->keepalive;
	}
	if (from->endpoint.sa.sa_family != AF_UNSPEC)
		to->endpoint = from->endpoint;
	if (from->endpoint_host && from->endpoint_port) {
		rc = replace_text(&to->endpoint_host, from->endpoint_host);
		if (rc == 0)
			rc = replace_text(&to->endpoint_port, from->endpoint_port);
	}
	return rc;
}

/* the AllowedIPs of an earlier section of the same peer are replaced, unless it has + or - */
static void take_back(struct wg_claims *claims, size_t owner)
{
	for (size_t i = 0; i < claims->n; i++) {
		if (claims->items[i].peer == owner)
			claims->items[i].peer = WG_NONE;
	}
}

/* @owner_of: of each section of @in its peer in @out */
static int merge_peers(const struct wg_device *in, const struct wg_slot *slots, size_t *owner_of,
		       struct wg_device *out, struct wg_claims *claims)
{
	/* sections of one key stand together, the first one in front */
	for (size_t i = 0; i < in->n_peers; i++) {
		bool is_same =
			i && memcmp(slots[i].key->bytes, slots[i - 1].key->bytes, KEY_LEN) == 0;
		owner_of[slots[i].peer] = is_same ? owner_of[slots[i - 1].peer] : slots[i].peer;
	}
	for (size_t i = 0; i < in->n_peers; i++) {
		bool is_first = owner_of[i] == i;
		struct wg_peer *peer;

		if (is_first) {
			peer = wg_device_add_peer(out);
			if (!peer)
				return -ENOMEM;
			peer->public_key = in->peers[i].public_key;
			owner_of[i] = out->n_peers - 1;
		} else {
			/* the first section stands before, so its number is of @out already */
			owner_of[i] = owner_of[owner_of[i]];
			peer = &out->peers[owner_of[i]];
			if (!in->peers[i].is_incremental)
				take_back(claims, owner_of[i]);
		}
		if (wg_peer_merge(peer, &in->peers[i]) < 0)
			return -ENOMEM;
		wg_claims_add(claims, &in->peers[i], owner_of[i]);
	}
	return 0;
}

/* the last one that names a prefix has it */
static int give_prefixes(const struct wg_claims *claims, struct wg_device *out)
{
	for (size_t i = 0; i < claims->n;) {
		const struct addr *prefix = &claims->items[i].prefix;
		size_t owner = WG_NONE;

		for (; i < claims->n && addr_equal(&claims->items[i].prefix, prefix); i++) {
			const struct wg_claim *claim = &claims->items[i];
			if (claim->peer == WG_NONE)
				continue;
			if (!claim->is_remove)
				owner = claim->peer;
			else if (owner == claim->peer)
				owner = WG_NONE;
		}
		if (owner != WG_NONE &&
		    wg_peer_add_allowed_ip(&out->peers[owner], prefix, false) < 0)
			return -ENOMEM;
	}
	return 0;
}

int wg_normalise(const struct wg_device *in, struct wg_device *out)
{
	struct wg_device dev = *in;
	struct wg_claims claims = { 0 };
	struct wg_slot *slots = wg_sort_peers(in);
	size_t *owner_of = calloc(in->n_peers + 1, sizeof(*owner_of));

	dev.peers = NULL;
	dev.n_peers = 0;
	clamp(&dev.private_key);
	int rc = slots && owner_of ? wg_claims_init(&claims, in) : -ENOMEM;
	if (rc == 0)
		rc = merge_peers(in, slots, owner_of, &dev, &claims);
	if (rc == 0) {
		wg_claims_sort(&claims);
		rc = give_prefixes(&claims, &dev);
	}
	free(claims.items);
	free(slots);
	free(owner_of);
	if (rc < 0) {
		wg_device_free(&dev);
		return rc;
	}
	*out = dev;
	str_wipe(&dev, sizeof(dev));
	return 0;
}
