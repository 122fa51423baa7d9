/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resolve - endpoints by name, in the namespace where the tunnel's UDP socket lives */
#ifndef WGNS_RESOLVE_H
#define WGNS_RESOLVE_H

#include <stdbool.h>

#include "wgns/err.h"
#include "wgns/wg.h"

struct resolve_policy {
	unsigned n_retries; /* per name, of temporary failures; wg(8) has 15 */
	unsigned timeout_ms; /* for all names together; 0: none */
	/* told before each pause, for example "vpn.example: Temporary failure in name resolution"; may be NULL */
	void (*notice)(const char *text, unsigned pause_ms, void *ctx);
	/* asked while an answer is awaited: the user wants to stop; may be NULL */
	bool (*should_stop)(void *ctx);
	void *ctx;
};
#define RESOLVE_POLICY_DEFAULT                                                                     \
	{                                                                                          \
		.n_retries = 15, .timeout_ms = 300000                                              \
	}

/**
 * resolve_endpoints - fill in peer->endpoint of every peer that names one
 * @ns_fd:   the birthplace, or -1: names are resolved as the caller does
 * @box_dir: the box's folder: see seal_enter()
 *
 * Numeric endpoints take no system call. All others are worked off by one child, which enters the namespace, seals name
 * resolution (see seal.h) and drops every capability. Among several addresses the first one with a route is taken.
 * A scope (fe80::1%eth0) is looked up there too. Pauses are wg's: 1 s, growing by a fifth up to 20 s.
 *
 * Return: 0, or -errno with peer, host and the resolver's reason; endpoints of some peers may then be filled in
 */
int resolve_endpoints(struct wg_device *dev, int ns_fd, const char *box_dir,
		      const struct resolve_policy *policy, struct err *e);

#endif
