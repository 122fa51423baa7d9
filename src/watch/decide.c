// SPDX-License-Identifier: GPL-2.0-or-later
/* what is decided from values alone */
#include <errno.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>

#include "watch_internal.h"

/* clocks are read one after the other, and a busy machine may pause in between */
#define SLEEP_MS 1000
#define N_SILENT 2

bool watch_has_slept(const struct watch_clocks *before, const struct watch_clocks *now)
{
	int64_t boot = now->boot_ms - before->boot_ms;
	int64_t monotonic = now->monotonic_ms - before->monotonic_ms;

	return boot - monotonic >= SLEEP_MS;
}

bool watch_is_old(int64_t last_handshake, int64_t now, int64_t max_age)
{
	return now - last_handshake > max_age;
}

unsigned watch_pause_ms(unsigned n, unsigned first_ms, unsigned max_ms)
{
	unsigned pause = first_ms;

	for (unsigned i = 0; i < n && pause < max_ms; i++)
		pause = pause > max_ms / 2 ? max_ms : pause * 2;
	return pause < max_ms ? pause : max_ms;
}

static struct watch_peer *find_peer(struct watch_peers *peers, const struct key *key, size_t guess)
{
	/* the device lists them in the same order every time */
	if (guess < peers->n && memcmp(&peers->items[guess].public_key, key, sizeof(*key)) == 0)
		return &peers->items[guess];
	for (size_t i = 0; i < peers->n; i++) {
		if (memcmp(&peers->items[i].public_key, key, sizeof(*key)) == 0)
			return &peers->items[i];
	}
	return NULL;
}

static int add_peer(struct watch_peers *peers, const struct wg_peer *from)
{
	struct watch_peer *grown = reallocarray(peers->items, peers->n + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	peers->items = grown;
	grown[peers->n++] = (struct watch_peer){ .public_key = from->public_key,
						 .rx_bytes = from->rx_bytes,
						 .tx_bytes = from->tx_bytes,
						 .is_seen = true,
						 .endpoint = from->endpoint };
	return 0;
}

static void sample_peer(struct watch_peer *p, const struct wg_peer *now, bool *is_answered)
{
	bool has_sent = now->tx_bytes > p->tx_bytes;

	/* counters that went back are those of a new device */
	if (now->rx_bytes != p->rx_bytes || now->tx_bytes < p->tx_bytes) {
		*is_answered = *is_answered || now->rx_bytes > p->rx_bytes;
		p->n_silent = 0;
	} else if (has_sent && p->n_silent < UINT8_MAX) {
		p->n_silent++;
	}
	p->rx_bytes = now->rx_bytes;
	p->tx_bytes = now->tx_bytes;
	p->is_seen = true;
	if (now->endpoint.sa.sa_family != AF_UNSPEC)
		p->endpoint = now->endpoint;
}

int watch_peers_sample(struct watch_peers *peers, const struct wg_device *dev, bool *is_stale)
{
	bool is_answered = false, is_silent = false;
	size_t kept = 0;

	for (size_t i = 0; i < peers->n; i++)
		peers->items[i].is_seen = false;
	for (size_t i = 0; i < dev->n_peers; i++) {
		struct watch_peer *p = find_peer(peers, &dev->peers[i].public_key, i);
		if (p)
			sample_peer(p, &dev->peers[i], &is_answered);
		else if (add_peer(peers, &dev->peers[i]) < 0)
			return -ENOMEM;
	}
	for (size_t i = 0; i < peers->n; i++) {
		if (!peers->items[i].is_seen)
			continue;
		is_silent = is_silent || peers->items[i].n_silent >= N_SILENT;
		peers->items[kept++] = peers->items[i];
	}
	peers->n = kept;
	*is_stale = is_silent && !is_answered;
	return 0;
}

void watch_peers_free(struct watch_peers *peers)
{
	free(peers->items);
	*peers = (struct watch_peers){ 0 };
}

bool watch_may_adopt(const struct rtnl_link *link, char *const *names, size_t n_names)
{
	if (link->flags & IFF_LOOPBACK || strcmp(link->kind, "wireguard") == 0)
		return false;
	for (size_t i = 0; i < n_names; i++) {
		if (strcmp(link->name, names[i]) == 0)
			return true;
	}
	/* hardware, or a card that was an uplink and has another name now */
	return link->has_parent_device || link->permaddr_len ||
	       (!n_names && !link->kind[0] && link->type == ARPHRD_ETHER);
}
