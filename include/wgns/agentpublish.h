/* SPDX-License-Identifier: GPL-2.0-or-later */
/* agentpublish - what agents found, for those who are in the box: its resolvers, and the leases */
#ifndef WGNS_AGENTPUBLISH_H
#define WGNS_AGENTPUBLISH_H

#include <stddef.h>

#include "wgns/err.h"

/**
 * agentpublish_resolv - the resolvers that the agent @name has now, and with those of all others into the box's resolv.conf
 * @text: a resolv.conf(5), @len bytes; leasetext_resolv() says what is taken of it
 *
 * The box's file is written in place, so that programs that run in the box see it. While no agent knows a server it stays as it
 * is: those of home at `up`. Return: 0 or -errno
 */
int agentpublish_resolv(int run_fd, const char *name, const char *text, size_t len, struct err *e);

/** agentpublish_lease - what the lease of a device says; NULL: there is none any more; see leasetext_read() */
int agentpublish_lease(int run_fd, const char *device, const char *text_or_null, size_t len,
		       struct err *e);

#endif
