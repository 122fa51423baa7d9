// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static unsigned full_bits(const struct addr *a)
{
	return a->family == AF_INET ? 32 : 128;
}

int addr_parse(const char *text, size_t len, struct addr *out)
{
	char buf[INET6_ADDRSTRLEN];
	struct addr a = { .family = AF_INET, .bits = 32 };

	if (len == 0 || len >= sizeof(buf) || memchr(text, '\0', len))
		return -EINVAL;
	memcpy(buf, text, len);
	buf[len] = '\0';
	if (strchr(buf, ':')) {
		a.family = AF_INET6;
		a.bits = 128;
	}
	if (inet_pton(a.family, buf, a.bytes) != 1)
		return -EINVAL;
	*out = a;
	return 0;
}

/* as strtoul(3) reads it for wg(8): leading zeros are harmless, a sign or a blank is not */
static int parse_bits(const char *text, size_t len, unsigned max, uint8_t *out)
{
	unsigned value = 0;

	if (len == 0)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
		value = value * 10 + (unsigned)(text[i] - '0');
		if (value > max)
			return -EINVAL;
	}
	*out = (uint8_t)value;
	return 0;
}

int addr_parse_prefix(const char *text, size_t len, struct addr *out)
{
	const char *slash = memchr(text, '/', len);
	struct addr a;

	if (!slash)
		return addr_parse(text, len, out);
	if (addr_parse(text, (size_t)(slash - text), &a) < 0)
		return -EINVAL;
	if (parse_bits(slash + 1, (size_t)(text + len - slash - 1), full_bits(&a), &a.bits) < 0)
		return -EINVAL;
	*out = a;
	return 0;
}

void addr_format(const struct addr *a, char out[ADDR_TEXT_MAX])
{
	if (!inet_ntop(a->family, a->bytes, out, ADDR_TEXT_MAX))
		out[0] = '\0';
}

void addr_format_prefix(const struct addr *a, char out[ADDR_TEXT_MAX])
{
	addr_format(a, out);
	size_t len = strlen(out);
	(void)snprintf(out + len, ADDR_TEXT_MAX - len, "/%u", a->bits);
}

size_t addr_len(const struct addr *a)
{
	return full_bits(a) / 8;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && a->bits == b->bits &&
	       memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

void addr_mask(struct addr *a)
{
	size_t whole = a->bits / 8;

	if (whole >= sizeof(a->bytes))
		return;
	a->bytes[whole] &= (uint8_t)(0xff00 >> (a->bits % 8));
	memset(a->bytes + whole + 1, 0, sizeof(a->bytes) - whole - 1);
}

bool addr_has_host_bits(const struct addr *a)
{
	struct addr masked = *a;

	addr_mask(&masked);
	return memcmp(masked.bytes, a->bytes, sizeof(a->bytes)) != 0;
}

bool addr_contains(const struct addr *net, const struct addr *a)
{
	struct addr n = *net, inner = *a;

	if (net->family != a->family || a->bits < net->bits)
		return false;
	inner.bits = net->bits;
	addr_mask(&n);
	addr_mask(&inner);
	return addr_equal(&n, &inner);
}
