// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/wg_diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wg_claim.h"
#include "wgns/str.h"

static int by_peer(const void *a, const void *b)
{
	const struct wg_loss *left = a, *right = b;

	if (left->peer != right->peer)
		return left->peer < right->peer ? -1 : 1;
	return wg_compare_addrs(&left->prefix, &right->prefix);
}

bool wg_endpoint_equal(const union wg_endpoint *a, const union wg_endpoint *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->v4.sin_port == b->v4.sin_port &&
		       a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	return a->sa.sa_family != AF_INET6 ||
	       (a->v6.sin6_port == b->v6.sin6_port && a->v6.sin6_scope_id == b->v6.sin6_scope_id &&
		memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof(a->v6.sin6_addr)) == 0);
}

const struct wg_peer *wg_peer_find(const struct wg_device *dev, const struct wg_slot *slots,
				   const struct key *public_key)
{
	size_t first = 0, end = dev->n_peers;

	while (first < end) {
		size_t middle = first + (end - first) / 2;
		int order = memcmp(slots[middle].key->bytes, public_key->bytes, KEY_LEN);
		if (order == 0)
			return &dev->peers[slots[middle].peer];
		if (order < 0)
			first = middle + 1;
		else
			end = middle;
	}
	return NULL;
}

/* What both devices have, side by side while they are compared */
struct pairing {
	const struct wg_device *want, *live;
	size_t *live_of, *want_of; /* the other device's peer of the same key, or WG_NONE */
	size_t *set_of; /* of each wanted peer its place in set.peers, or WG_NONE */
};

static int pair(struct pairing *p)
{
	struct wg_slot *want = wg_sort_peers(p->want), *live = wg_sort_peers(p->live);
	size_t l = 0;

	p->live_of = calloc(p->want->n_peers + 1, sizeof(size_t));
	p->want_of = calloc(p->live->n_peers + 1, sizeof(size_t));
	p->set_of = calloc(p->want->n_peers + 1, sizeof(size_t));
	bool is_good = want && live && p->live_of && p->want_of && p->set_of;

	for (size_t i = 0; is_good && i < p->want->n_peers; i++)
		p->live_of[i] = p->set_of[i] = WG_NONE;
	for (size_t i = 0; is_good && i < p->live->n_peers; i++)
		p->want_of[i] = WG_NONE;
	for (size_t w = 0; is_good && w < p->want->n_peers; w++) {
		while (l < p->live->n_peers &&
		       memcmp(live[l].key->bytes, want[w].key->bytes, KEY_LEN) < 0)
			l++;
		if (l == p->live->n_peers ||
		    memcmp(live[l].key->bytes, want[w].key->bytes, KEY_LEN) != 0)
			continue;
		p->live_of[want[w].peer] = live[l].peer;
		p->want_of[live[l].peer] = want[w].peer;
	}
	free(want);
	free(live);
	return is_good ? 0 : -ENOMEM;
}

static const struct key *psk_of(const struct wg_peer *peer, const struct key *none)
{
	return peer->has_preshared_key ? &peer->preshared_key : none;
}

/* a name that nobody has resolved yet */
static bool has_name(const struct wg_peer *peer)
{
	return peer->endpoint_host && peer->endpoint.sa.sa_family == AF_UNSPEC;
}

/* the settings that differ from @live's, which is an empty peer for a new one; Return: is there any? */
static bool differ(const struct wg_peer *want, const struct wg_peer *live, struct wg_peer *out)
{
	static const struct key none;
	const struct key *psk = psk_of(want, &none);

	out->is_incremental = true;
	out->has_preshared_key = !key_equal(psk, psk_of(live, &none));
	if (out->has_preshared_key)
		out->preshared_key = *psk;
	out->has_keepalive = want->keepalive != live->keepalive;
	out->keepalive = want->keepalive;
	bool has_endpoint = want->endpoint.sa.sa_family != AF_UNSPEC &&
			    !wg_endpoint_equal(&want->endpoint, &live->endpoint);
	if (has_endpoint)
		out->endpoint = want->endpoint;
	return out->has_preshared_key || out->has_keepalive || has_endpoint || has_name(want);
}

/* the peer of set.peers that stands for the wanted one, made when it is not there yet */
static struct wg_peer *touch(struct pairing *p, size_t w, struct wg_diff *out)
{
	const struct wg_peer *want = &p->want->peers[w];

	if (p->set_of[w] != WG_NONE)
		return &out->set.peers[p->set_of[w]];
	struct wg_peer *peer = wg_device_add_peer(&out->set);
	if (!peer)
		return NULL;
	p->set_of[w] = out->set.n_peers - 1;
	peer->public_key = want->public_key;
	peer->is_incremental = true;
	out->is_new[p->set_of[w]] = p->live_of[w] == WG_NONE;
	return peer;
}

static int diff_one(struct pairing *p, size_t w, struct wg_diff *out)
{
	static const struct wg_peer empty;
	const struct wg_peer *want = &p->want->peers[w];
	size_t l = p->live_of[w];
	const struct wg_peer *live = l == WG_NONE ? &empty : &p->live->peers[l];
	struct wg_peer change = { .public_key = want->public_key };
	const struct wg_peer name = { .endpoint_host = want->endpoint_host,
				      .endpoint_port = want->endpoint_port };
	int rc = 0;

	if (differ(want, live, &change) || l == WG_NONE) {
		struct wg_peer *peer = touch(p, w, out);
		if (peer)
			*peer = change;
		rc = peer ? 0 : -ENOMEM;
		if (rc == 0 && has_name(want))
			rc = wg_peer_merge(peer, &name);
	}
	str_wipe(&change, sizeof(change));
	return rc;
}

static int lose(struct pairing *p, const struct wg_claim *claim, bool is_dropped,
		struct wg_diff *out)
{
	size_t w = p->want_of[claim->peer];

	if (w == WG_NONE)
		return 0; /* it goes with its peer */
	if (!touch(p, w, out))
		return -ENOMEM;
	out->losses[out->n_losses++] = (struct wg_loss){ .prefix = claim->prefix,
							 .peer = p->set_of[w],
							 .is_dropped = is_dropped };
	return 0;
}

static int gain(struct pairing *p, const struct wg_claim *claim, struct wg_diff *out)
{
	struct wg_peer *peer = touch(p, claim->peer, out);

	return peer ? wg_peer_add_allowed_ip(peer, &claim->prefix, false) : -ENOMEM;
}

/* both sorted by prefix, each prefix once */
static int diff_prefixes(struct pairing *p, const struct wg_claims *want,
			 const struct wg_claims *live, struct wg_diff *out)
{
	size_t w = 0, l = 0;
	int rc = 0;

	while (rc == 0 && (w < want->n || l < live->n)) {
		int order = w == want->n   ? 1
			    : l == live->n ? -1
					   : wg_compare_addrs(&want->items[w].prefix,
							      &live->items[l].prefix);
		if (order < 0) {
			rc = gain(p, &want->items[w++], out);
			continue;
		}
		if (order > 0) {
			rc = lose(p, &live->items[l++], true, out);
			continue;
		}
		if (p->live_of[want->items[w].peer] != live->items[l].peer) {
			rc = gain(p, &want->items[w], out);
			if (rc == 0)
				rc = lose(p, &live->items[l], false, out);
		}
		w++;
		l++;
	}
	return rc;
}

static int claim_device(const struct wg_device *dev, struct wg_claims *claims)
{
	if (wg_claims_init(claims, dev) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < dev->n_peers; i++)
		wg_claims_add(claims, &dev->peers[i], i);
	wg_claims_sort(claims);
	return 0;
}

static int diff_peers(struct pairing *p, struct wg_diff *out)
{
	struct wg_claims want = { 0 }, live = { 0 };

	int rc = pair(p);
	if (rc == 0)
		rc = claim_device(p->want, &want);
	if (rc == 0)
		rc = claim_device(p->live, &live);
	for (size_t w = 0; rc == 0 && w < p->want->n_peers; w++)
		rc = diff_one(p, w, out);
	if (rc == 0)
		rc = diff_prefixes(p, &want, &live, out);
	for (size_t l = 0; rc == 0 && l < p->live->n_peers; l++) {
		if (p->want_of[l] != WG_NONE)
			continue;
		struct wg_peer *peer = wg_device_add_peer(&out->gone);
		if (!peer)
			rc = -ENOMEM;
		else
			*peer = (struct wg_peer){ .public_key = p->live->peers[l].public_key,
						  .should_remove = true };
	}
	free(want.items);
	free(live.items);
	return rc;
}

static void diff_device(const struct wg_device *want, const struct wg_device *live,
			struct wg_device *set)
{
	static const struct key none;
	const struct key *key = live->has_private_key ? &live->private_key : &none;

	set->has_private_key = want->has_private_key && !key_equal(&want->private_key, key);
	if (set->has_private_key)
		set->private_key = want->private_key;
	set->has_listen_port = want->has_listen_port && want->listen_port != live->listen_port;
	set->listen_port = want->listen_port;
	set->has_fwmark = want->has_fwmark && want->fwmark != live->fwmark;
	set->fwmark = want->fwmark;
}

int wg_diff(const struct wg_device *want, const struct wg_device *live, struct wg_diff *out)
{
	struct pairing p = { .want = want, .live = live };
	struct wg_diff diff = { 0 };

	memcpy(diff.set.name, live->name, sizeof(diff.set.name));
	memcpy(diff.gone.name, live->name, sizeof(diff.gone.name));
	diff_device(want, live, &diff.set);
	diff.is_new = calloc(want->n_peers + 1, sizeof(*diff.is_new));
	diff.losses = calloc(wg_n_prefixes(live) + 1, sizeof(*diff.losses));
	int rc = diff.is_new && diff.losses ? diff_peers(&p, &diff) : -ENOMEM;
	free(p.live_of);
	free(p.want_of);
	free(p.set_of);
	if (rc < 0) {
		wg_diff_free(&diff);
		return rc;
	}
	if (diff.n_losses)
		qsort(diff.losses, diff.n_losses, sizeof(*diff.losses), by_peer);
	*out = diff;
	str_wipe(&diff, sizeof(diff));
	return 0;
}

void wg_diff_free(struct wg_diff *diff)
{
	wg_device_free(&diff->set);
	wg_device_free(&diff->gone);
	free(diff->is_new);
	free(diff->losses);
	*diff = (struct wg_diff){ 0 };
}
