// SPDX-License-Identifier: GPL-2.0-or-later
/* what only the whole file shows; lists are sorted, so that 10,000 peers cost no time */
#include <stdlib.h>
#include <string.h>

#include "wgquick_internal.h"

static int compare_places(const void *a, const void *b)
{
	const struct wgq_place *x = a, *y = b;

	if (x->addr.family != y->addr.family)
		return x->addr.family < y->addr.family ? -1 : 1;
	int order = memcmp(x->addr.bytes, y->addr.bytes, sizeof(x->addr.bytes));
	if (order != 0)
		return order;
	if (x->addr.bits != y->addr.bits)
		return x->addr.bits < y->addr.bits ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return (x->col > y->col) - (x->col < y->col);
}

static void sort(struct wgq_places *places)
{
	if (places->n)
		qsort(places->items, places->n, sizeof(*places->items), compare_places);
}

/* The kernel says EEXIST: __inet_insert_ifa() compares address and mask, ipv6_add_addr() the address. */
static void check_addresses(struct wgq_reader *r)
{
	struct wgq_place *p = r->addresses.items;

	sort(&r->addresses);
	for (size_t i = 1; i < r->addresses.n; i++) {
		const struct addr *a = &p[i - 1].addr, *b = &p[i].addr;
		bool is_same = a->family == b->family &&
			       memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0 &&
			       (a->family == AF_INET6 || a->bits == b->bits);
		if (!is_same)
			continue;
		/* sorted by mask first, the second of the two can be the earlier in the file */
		const struct wgq_place *later =
			p[i].line > p[i - 1].line ||
					(p[i].line == p[i - 1].line && p[i].col > p[i - 1].col)
				? &p[i]
				: &p[i - 1];
		const struct wgq_place *first = later == &p[i] ? &p[i - 1] : &p[i];
		diag_add(r->diags, DIAG_ERROR, later->line, later->col,
			 "Address: the same address is in line %u already", first->line);
	}
}

static void check_allowed_ips(struct wgq_reader *r)
{
	const struct wg_peer *peers = r->conf->device.peers;
	struct wgq_place *p = r->allowed_ips.items;
	char text[ADDR_TEXT_MAX];

	sort(&r->allowed_ips);
	for (size_t i = 1; i < r->allowed_ips.n; i++) {
		if (!addr_equal(&p[i - 1].addr, &p[i].addr) || p[i - 1].peer == p[i].peer ||
		    key_equal(&peers[p[i - 1].peer].public_key, &peers[p[i].peer].public_key))
			continue;
		addr_format_prefix(&p[i].addr, text);
		diag_add(r->diags, DIAG_WARNING, p[i].line, p[i].col,
			 "AllowedIPs: the peer of line %u has %s too; the last one gets it",
			 r->peer_lines[p[i - 1].peer], text);
	}
}

struct owner {
	struct key key;
	uint32_t line;
};

static int compare_owners(const void *a, const void *b)
{
	const struct owner *x = a, *y = b;
	int order = memcmp(x->key.bytes, y->key.bytes, sizeof(x->key.bytes));

	return order ? order : (x->line > y->line) - (x->line < y->line);
}

static void check_peers(struct wgq_reader *r)
{
	const struct wg_device *dev = &r->conf->device;
	struct key own = { 0 };

	if (dev->n_peers == 0)
		return;
	bool has_own = dev->has_private_key && !key_is_zero(&dev->private_key) &&
		       key_public(&dev->private_key, &own) == 0;
	struct owner *owners = calloc(dev->n_peers, sizeof(*owners));
	if (!owners) {
		r->is_out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < dev->n_peers; i++) {
		owners[i] = (struct owner){ dev->peers[i].public_key, r->peer_lines[i] };
		if (has_own && key_equal(&own, &owners[i].key))
			diag_add(r->diags, DIAG_WARNING, owners[i].line, 1,
				 "this peer has the public key of the interface itself: the kernel "
				 "ignores it");
	}
	qsort(owners, dev->n_peers, sizeof(*owners), compare_owners);
	for (size_t i = 1; i < dev->n_peers; i++) {
		if (key_equal(&owners[i - 1].key, &owners[i].key) && !key_is_zero(&owners[i].key))
			diag_add(r->diags, DIAG_WARNING, owners[i].line, 1,
				 "this [Peer] and that of line %u have one PublicKey and become "
				 "one peer",
				 owners[i - 1].line);
	}
	free(owners);
}

static void check_mtu(struct wgq_reader *r)
{
	const struct wgquick *conf = r->conf;

	/* RFC 8200 section 5; the kernel takes IPv6 off a smaller link */
	for (size_t i = 0; i < conf->n_addresses && conf->mtu && conf->mtu < 1280; i++) {
		if (conf->addresses[i].family == AF_INET6) {
			diag_add(r->diags, DIAG_WARNING, r->mtu_line, r->mtu_col,
				 "MTU: below 1280 there is no IPv6, and the file has IPv6 "
				 "addresses");
			return;
		}
	}
}

void wgq_check_all(struct wgq_reader *r)
{
	const struct wgquick *conf = r->conf;

	wgq_end_wg(r);
	if (!conf->device.has_private_key && conf->n_hooks[WGQUICK_PRE_UP] == 0 &&
	    conf->n_hooks[WGQUICK_POST_UP] == 0)
		diag_add(r->diags, DIAG_WARNING, 0, 0,
			 "no PrivateKey, and no hook that could set it: the tunnel will not work");
	if (conf->n_search && conf->n_dns == 0)
		diag_add(r->diags, DIAG_WARNING, r->dns_line, r->dns_col,
			 "DNS: search domains without a server are ignored, as wg-quick does");
	check_mtu(r);
	check_addresses(r);
	check_allowed_ips(r);
	check_peers(r);
}
