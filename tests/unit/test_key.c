// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "wgns/key.h"

#define GOOD "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="
#define ZERO "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static void test_key_parse(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} row[] = {
		{ GOOD, 0 },
		{ ZERO, 0 },
		{ "", -EINVAL },
		{ "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA", -EINVAL }, /* 43 characters */
		{ "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA==", -EINVAL }, /* 45 */
		{ "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyB=", -EINVAL }, /* unused bits set */
		{ "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAA", -EINVAL }, /* 33 bytes */
		{ "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHy==", -EINVAL }, /* 31 bytes */
		{ "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eH-A=", -EINVAL }, /* URL alphabet */
		{ "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0e yA=", -EINVAL },
		{ "=QIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct key key;
		char text[KEY_BASE64_LEN + 1];

		memset(&key, 0x55, sizeof(key));
		assert_int_equal(key_parse(row[i].text, strlen(row[i].text), &key), row[i].rc);
		if (row[i].rc < 0) {
			assert_int_equal(key.bytes[0], 0x55);
			continue;
		}
		key_format(&key, text);
		assert_string_equal(text, row[i].text);
	}
}

static void test_key_public(void **state)
{
	static const struct {
		const char *private_key, *public_key;
	} row[] = {
		/* RFC 7748 section 6.1, Bob */
		{ "XasIfmJKikt54X+Lg4AO5m87sSkmGLb9HC+LJ/+I4Os=",
		  "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=" },
		/* not clamped: the bits are set on the way, wg pubkey says the same */
		{ GOOD, "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct key private_key, public_key;
		char text[KEY_BASE64_LEN + 1];

		assert_int_equal(key_parse(row[i].private_key, KEY_BASE64_LEN, &private_key), 0);
		assert_int_equal(key_public(&private_key, &public_key), 0);
		key_format(&public_key, text);
		assert_string_equal(text, row[i].public_key);
	}
}

static void test_key_generate(void **state)
{
	struct key a, b;

	(void)state;
	assert_int_equal(key_generate(&a), 0);
	assert_int_equal(key_generate(&b), 0);
	assert_false(key_equal(&a, &b));
	/* RFC 7748 section 5: clamped */
	assert_int_equal(a.bytes[0] & 7, 0);
	assert_int_equal(a.bytes[31] & 0xc0, 0x40);
}

static void test_key_zero_and_wipe(void **state)
{
	struct key key;

	(void)state;
	assert_int_equal(key_parse(GOOD, KEY_BASE64_LEN, &key), 0);
	assert_false(key_is_zero(&key));
	key_wipe(&key);
	assert_true(key_is_zero(&key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key_parse),
		cmocka_unit_test(test_key_public),
		cmocka_unit_test(test_key_generate),
		cmocka_unit_test(test_key_zero_and_wipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
