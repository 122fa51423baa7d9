/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * leasetext - what DHCP clients write down of a lease: read as what a stranger on the network has chosen
 *
 * Pure. What is not understood is left out, line by line.
 */
#ifndef WGNS_LEASETEXT_H
#define WGNS_LEASETEXT_H

#include <stddef.h>

#include "wgns/str.h"

#define LEASETEXT_MAX 65536 /* bytes of a file that are looked at */
#define LEASETEXT_SERVERS_MAX 3 /* MAXNS of resolv.conf(5) */
#define LEASETEXT_PORTAL_MAX 255 /* RFC 8910: the length of a DHCPv4 option */

/**
 * leasetext_resolv - the lines of a resolv.conf(5) that may be in one of ours
 *
 * Servers that are addresses and not this machine itself, each once, the first three; the first `search` or `domain`, with
 * names of letters, digits, dots, dashes and underscores only; the first `options`, likewise.
 */
void leasetext_resolv(const char *text, size_t len, struct strbuf *out);
/**
 * leasetext_merge - one resolv.conf(5) of those of @n agents: a server of each in turn, so that none is crowded out; the
 * first `search` and `options` of all of them
 */
void leasetext_merge(const struct strbuf *texts, size_t n, struct strbuf *out);

struct leasetext {
	char address[64]; /* of the lease, without a mask; "" */
	char portal[LEASETEXT_PORTAL_MAX + 1]; /* RFC 8910; "" */
};
/** leasetext_read - lines "address A", "captive-portal URL", "opt114 HEX"; the last of each that is good counts */
void leasetext_read(const char *text, size_t len, struct leasetext *out);
/** leasetext_write - lines "address A" and "captive-portal URL" of what is there */
void leasetext_write(const struct leasetext *lease, struct strbuf *out);

#endif
