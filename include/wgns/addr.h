/* SPDX-License-Identifier: GPL-2.0-or-later */
/* addr - IP addresses and prefixes as plain values */
#ifndef WGNS_ADDR_H
#define WGNS_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDR_TEXT_MAX 64 /* INET6_ADDRSTRLEN + "/128" and a NUL */

struct addr {
	uint8_t family; /* AF_INET, AF_INET6 */
	uint8_t bits; /* prefix length: 0-32, 0-128 */
	uint8_t bytes[16]; /* network byte order; 4 used for AF_INET, the rest zero */
};

/** addr_parse - address without mask, strictly as inet_pton(3), no zone; bits = full. Return: 0 or -EINVAL */
int addr_parse(const char *text, size_t len, struct addr *out);
/** addr_parse_prefix - ADDRESS[/BITS], decimal bits, host bits kept; Return: 0 or -EINVAL */
int addr_parse_prefix(const char *text, size_t len, struct addr *out);
/** addr_format - without mask; addr_format_prefix - with it */
void addr_format(const struct addr *a, char out[ADDR_TEXT_MAX]);
void addr_format_prefix(const struct addr *a, char out[ADDR_TEXT_MAX]);
size_t addr_len(const struct addr *a); /* 4 or 16 */
bool addr_equal(const struct addr *a, const struct addr *b);
bool addr_has_host_bits(const struct addr *a);
void addr_mask(struct addr *a); /* clear the host bits */
/** addr_contains - does the prefix @net hold the prefix or address @a? */
bool addr_contains(const struct addr *net, const struct addr *a);

#endif
