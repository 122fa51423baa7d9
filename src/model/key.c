// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/key.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/random.h>

/*
 * libsodium's codec has no secret-dependent branches, takes only the standard alphabet with its
 * padding, and refuses a last character whose unused bits are set: wg(8) does the same.
 */
int key_parse(const char *text, size_t len, struct key *out)
{
	struct key key;
	size_t n_bytes = 0;
	const char *end = NULL;

	if (len != KEY_BASE64_LEN)
		return -EINVAL;
	int rc = sodium_base642bin(key.bytes, sizeof(key.bytes), text, len, NULL, &n_bytes, &end,
				   sodium_base64_VARIANT_ORIGINAL);
	if (rc == 0 && n_bytes == KEY_LEN && end == text + len)
		*out = key;
	else
		rc = -EINVAL;
	key_wipe(&key);
	return rc;
}

void key_format(const struct key *key, char out[KEY_BASE64_LEN + 1])
{
	sodium_bin2base64(out, KEY_BASE64_LEN + 1, key->bytes, sizeof(key->bytes),
			  sodium_base64_VARIANT_ORIGINAL);
}

int key_generate(struct key *out)
{
	struct key key;
	ssize_t got;

	/* 32 bytes come whole once the pool is ready (getrandom(2)); a signal can only come before */
	do
		got = getrandom(key.bytes, sizeof(key.bytes), 0);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	if (got != sizeof(key.bytes))
		return -EIO;
	key.bytes[0] &= 248;
	key.bytes[31] = (uint8_t)((key.bytes[31] & 127) | 64);
	*out = key;
	key_wipe(&key);
	return 0;
}

int key_public(const struct key *private_key, struct key *out)
{
	struct key key;

	if (sodium_init() < 0)
		return -EINVAL;
	if (crypto_scalarmult_base(key.bytes, private_key->bytes) != 0)
		return -EINVAL;
	*out = key;
	return 0;
}

bool key_is_zero(const struct key *key)
{
	return sodium_is_zero(key->bytes, sizeof(key->bytes)) == 1;
}

bool key_equal(const struct key *a, const struct key *b)
{
	return sodium_memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

void key_wipe(struct key *key)
{
	explicit_bzero(key, sizeof(*key));
}
