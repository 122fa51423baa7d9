/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * follow - the resolvers that the machine's own manager writes down in physical, for those who are in the box
 *
 * A process, `wgns agent --follow NAME.all`, which a step starts and `down` ends, and its child, which is begun again when it
 * dies, and dies with it (PR_SET_PDEATHSIG of prctl(2)). They stay in home, without a capability, and the child reads what
 * NetworkManager (resolv.conf in its own /run/NetworkManager) or systemd-networkd (its own /run/systemd/netif) says, as text that a
 * stranger on the network has chosen; see agentpublish_resolv().
 */
#ifndef WGNS_FOLLOW_H
#define WGNS_FOLLOW_H

#include <stddef.h>

#include "wgns/err.h"
#include "wgns/str.h"

#define FOLLOW_NETWORKMANAGER "NetworkManager"
#define FOLLOW_NETWORKD "systemd-networkd"

struct follow_options {
	const char *name; /* FOLLOW_... and ".all" */
	int ready_fd; /* a newline is written to it after the first look, and it is closed; -1: none */
	void *ctx;
	void (*log)(void *ctx, const char *line); /* one event, without newline */
};
/** follow_run - until SIGTERM or SIGINT comes; Return: 0, or -errno when it could not begin */
int follow_run(const struct follow_options *options, struct err *e);

/** follow_read_link - "nameserver" and "search" lines of sd-network's file of a link (DNS=, DOMAINS=) behind what is in @out; pure */
void follow_read_link(const char *text, struct strbuf *out);

#endif
