/* SPDX-License-Identifier: GPL-2.0-or-later */
/* listen - sockets of the caller's own namespace for a program in a box, as systemd hands them over (sd_listen_fds(3)) */
#ifndef WGNS_LISTEN_H
#define WGNS_LISTEN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "wgns/err.h"

#define LISTEN_MAX 64
#define LISTEN_FIRST_FD 3 /* SD_LISTEN_FDS_START */

struct listen_address {
	union {
		struct sockaddr sa;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
	socklen_t len;
};

/** listen_parse - "8080" (127.0.0.1), "ADDR:PORT", "[ADDR6]:PORT", "[ADDR6%DEV]:PORT"; Return: 0 or -EINVAL */
int listen_parse(const char *text, struct listen_address *out, struct err *e);
/** listen_is_loopback - can nobody but this machine reach it? */
bool listen_is_loopback(const struct listen_address *a);

/**
 * listen_open - bind them all here and now, and put them on descriptors 3, 4, ... for the program that this process becomes
 *
 * What stood on these descriptors is closed. LISTEN_FDS and LISTEN_PID are set, or removed when @n is 0: those of the caller are
 * not for the program. Call it last. Return: 0 or -errno
 */
int listen_open(const struct listen_address *list, size_t n, struct err *e);

#endif
