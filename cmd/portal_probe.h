/* SPDX-License-Identifier: GPL-2.0-or-later */
/* portal_probe - `wgns portal` has wgns-portal ask in physical, and reads what it says */
#ifndef WGNS_PORTAL_PROBE_H
#define WGNS_PORTAL_PROBE_H

#include <stdbool.h>
#include <stddef.h>

#include "portal.h"
#include "wgns/portal.h"

struct portal_probe {
	const struct wgnsconf *conf; /* borrowed */
	char api[PORTAL_LEASE_URL_MAX + 1]; /* of RFC 8908; "": none, or it is of no use */
};

/**
 * portal_probe_begin - with the API that a lease names, when one does: the files box/physical/lease/DEVICE
 *
 * What is wrong there is warned of, and the probe by HTTP is taken. Return: 0 or -errno
 */
int portal_probe_begin(struct portal_probe *p, const struct wgnsconf *conf, struct err *e);

/**
 * portal_probe_run - ask once
 * @out: PORTAL_CAPTIVE always has a page: where the portal says none it is the URL of the probe, which it answers instead
 * Return: 0; -EINTR; -errno when nothing could be started, with what wgns exec said
 */
int portal_probe_run(struct portal_probe *p, struct portal_session *s, struct portal_verdict *out,
		     struct err *e);

/** portal_probe_explain - the message for a state that is neither free nor captive; Return: -errno */
int portal_probe_explain(const struct portal_probe *p, enum portal_state state, struct err *e);

/** portal_probe_copy - a program's output for a terminal: lines of printable ASCII, cut where they do not fit */
void portal_probe_copy(const char *text, size_t len, char *out, size_t cap);

#endif
