/* SPDX-License-Identifier: GPL-2.0-or-later */
/* key - WireGuard keys: Curve25519 scalars and points, 32 bytes (RFC 7748), base64 as wg(8) writes them */
#ifndef WGNS_KEY_H
#define WGNS_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEY_LEN 32
#define KEY_BASE64_LEN 44 /* without the NUL */

struct key {
	uint8_t bytes[KEY_LEN];
};

/** key_parse - exactly 44 base64 characters, canonical; Return: 0 or -EINVAL (@out untouched) */
int key_parse(const char *text, size_t len, struct key *out);
/** key_format - 44 characters and a NUL */
void key_format(const struct key *key, char out[KEY_BASE64_LEN + 1]);
/** key_generate - a private key from getrandom(2), clamped as RFC 7748 section 5; Return: 0 or -errno */
int key_generate(struct key *out);
/** key_public - the public key of a private one (libsodium); Return: 0 or -EINVAL */
int key_public(const struct key *private_key, struct key *out);
bool key_is_zero(const struct key *key);
bool key_equal(const struct key *a, const struct key *b); /* in constant time */
void key_wipe(struct key *key);

#endif
