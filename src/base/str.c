// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void str_free_indirect(void *p)
{
	void *owned;

	memcpy(&owned, p, sizeof(owned));
	free(owned);
}

char *str_take(char **p)
{
	char *s = *p;

	*p = NULL;
	return s;
}

void str_wipe(void *p, size_t len)
{
	if (p)
		explicit_bzero(p, len);
}

/* room for @more bytes and a NUL; the old block is wiped, because it may hold keys */
static bool reserve(struct strbuf *b, size_t more)
{
	if (b->is_failed)
		return false;
	if (b->cap - b->len > more)
		return true;

	size_t cap = b->cap ? b->cap : 128;
	while (cap - b->len <= more)
		cap *= 2;
	char *s = malloc(cap);
	if (!s) {
		b->is_failed = true;
		return false;
	}
	if (b->s) {
		memcpy(s, b->s, b->len);
		explicit_bzero(b->s, b->cap);
		free(b->s);
	}
	b->s = s;
	b->cap = cap;
	return true;
}

void strbuf_add(struct strbuf *b, const void *data, size_t len)
{
	if (!reserve(b, len))
		return;
	if (len)
		memcpy(b->s + b->len, data, len);
	b->len += len;
	b->s[b->len] = '\0';
}

void strbuf_addf(struct strbuf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0) {
		b->is_failed = true;
		return;
	}
	if (!reserve(b, (size_t)len))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(b->s + b->len, b->cap - b->len, fmt, ap);
	va_end(ap);
	b->len += (size_t)len;
}

void strbuf_add_hex(struct strbuf *b, const void *data, size_t len)
{
	static const char digit[] = "0123456789abcdef";
	const unsigned char *p = data;

	if (!reserve(b, 2 * len))
		return;
	for (size_t i = 0; i < len; i++) {
		b->s[b->len++] = digit[p[i] >> 4];
		b->s[b->len++] = digit[p[i] & 15];
	}
	b->s[b->len] = '\0';
}

char *strbuf_finish(struct strbuf *b)
{
	strbuf_add(b, "", 0);
	if (b->is_failed) {
		strbuf_free(b);
		return NULL;
	}
	char *s = b->s;
	*b = (struct strbuf){ 0 };
	return s;
}

void strbuf_free(struct strbuf *b)
{
	str_wipe(b->s, b->cap);
	free(b->s);
	*b = (struct strbuf){ 0 };
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

long str_hex_decode(const char *hex, size_t hex_len, void *out, size_t cap)
{
	unsigned char *p = out;

	if (hex_len % 2)
		return -EINVAL;
	if (hex_len / 2 > cap)
		return -E2BIG;
	for (size_t i = 0; i < hex_len / 2; i++) {
		int hi = hex_value(hex[2 * i]), lo = hex_value(hex[2 * i + 1]);
		if (hi < 0 || lo < 0)
			return -EINVAL;
		p[i] = (unsigned char)(hi << 4 | lo);
	}
	return (long)(hex_len / 2);
}

int str_to_u64(const char *s, unsigned long long max, unsigned long long *out)
{
	unsigned long long value = 0;

	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -EINVAL;
		unsigned digit = (unsigned)(*s - '0');
		if (value > (max - digit) / 10 || digit > max)
			return -ERANGE;
		value = value * 10 + digit;
	}
	*out = value;
	return 0;
}

int str_list_add(char ***list, size_t *n, const char *s, size_t len)
{
	char *copy = strndup(s, len);
	if (!copy)
		return -ENOMEM;
	/* room for a power of two: at each of them it doubles */
	if ((*n & (*n - 1)) == 0) {
		char **grown = reallocarray(*list, *n ? 2 * *n : 1, sizeof(*grown));
		if (!grown) {
			free(copy);
			return -ENOMEM;
		}
		*list = grown;
	}
	(*list)[(*n)++] = copy;
	return 0;
}

void str_list_free(char ***list, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		free((*list)[i]);
	free(*list);
	*list = NULL;
	*n = 0;
}
