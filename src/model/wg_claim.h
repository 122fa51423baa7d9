/* SPDX-License-Identifier: GPL-2.0-or-later */
/* what normalising and comparing devices share: who has which prefix */
#ifndef WGNS_WG_CLAIM_H
#define WGNS_WG_CLAIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wgns/wg_diff.h"

#define WG_NONE SIZE_MAX

struct wg_claim {
	struct addr prefix; /* masked */
	size_t peer; /* WG_NONE: taken back */
	size_t order; /* in the file */
	bool is_remove;
};

struct wg_claims {
	struct wg_claim *items; /* owned */
	size_t n;
};

/** wg_compare_addrs - an order, for sorting */
int wg_compare_addrs(const struct addr *a, const struct addr *b);
size_t wg_n_prefixes(const struct wg_device *dev);
/** wg_claims_init - with room for all of @dev; Return: 0 or -ENOMEM */
int wg_claims_init(struct wg_claims *claims, const struct wg_device *dev);
/** wg_claims_add - all prefixes of @peer; there is room */
void wg_claims_add(struct wg_claims *claims, const struct wg_peer *peer, size_t owner);
/** wg_claims_sort - by prefix, then in the order in which they came */
void wg_claims_sort(struct wg_claims *claims);
/** wg_peer_merge - what @from says, over what @to has; prefixes apart; Return: 0 or -ENOMEM */
int wg_peer_merge(struct wg_peer *to, const struct wg_peer *from);

#endif
