/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resolve - endpoints by name, in the namespace where the tunnel's UDP socket lives */
#ifndef WGNS_RESOLVE_H
#define WGNS_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

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

/* A name and a port of which every address is wanted, in a child, while the caller goes on. */
#define RESOLVE_NAMES_MAX 64
struct resolve_name {
	const char *host, *port; /* borrowed until resolve_begin() returns */
};
struct resolve_found {
	uint32_t name; /* index */
	int32_t code; /* 0: @endpoint is one of its addresses; else a positive errno: it has none now */
	union wg_endpoint endpoint;
};
struct resolve_job {
	pid_t pid; /* 0: there is no job */
	int fd; /* readable when there is something, or when the child has ended; does not block */
};
/**
 * resolve_begin - look up @n names (at most RESOLVE_NAMES_MAX), as resolve_endpoints() does it but once, without pauses
 * @job: to be given to resolve_end() sooner or later; the deadline is the caller's
 */
int resolve_begin(const struct resolve_name *names, size_t n, int ns_fd, const char *box_dir,
		  struct resolve_job *job, struct err *e);
/** resolve_next - Return: 1 with one answer, 0 when all are there, -EAGAIN not yet, -errno */
int resolve_next(const struct resolve_job *job, struct resolve_found *out);
/** resolve_end - kill and reap the child, close; no job is success */
void resolve_end(struct resolve_job *job);

#endif
