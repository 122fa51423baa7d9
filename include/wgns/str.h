/* SPDX-License-Identifier: GPL-2.0-or-later */
/* str - owned strings, a growing buffer, and cleanup on scope exit */
#ifndef WGNS_STR_H
#define WGNS_STR_H

#include <stdbool.h>
#include <stddef.h>

/* AUTO_FREE char *s = NULL;  frees at the end of the scope; str_take(&s) gives it away */
#define AUTO_FREE __attribute__((cleanup(str_free_indirect)))
void str_free_indirect(void *p);

/** str_take - the pointer at @p, which becomes NULL */
char *str_take(char **p);

/*
 * A growing buffer. A failed allocation is remembered and makes every later call a
 * no-op, so that a whole text is built first and checked once with strbuf_finish().
 */
struct strbuf {
	char *s; /* NUL-terminated when len > 0 */
	size_t len, cap;
	bool is_failed;
};
#define AUTO_STRBUF __attribute__((cleanup(strbuf_free)))

void strbuf_add(struct strbuf *b, const void *data, size_t len);
void strbuf_addf(struct strbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** strbuf_add_hex - append @len bytes as lower-case hexadecimal */
void strbuf_add_hex(struct strbuf *b, const void *data, size_t len);

/**
 * strbuf_finish - take the text out of the buffer
 *
 * Return: an owned, NUL-terminated string ("" when nothing was added), or NULL when memory ran out.
 */
char *strbuf_finish(struct strbuf *b);
/** strbuf_free - wipe and release; the buffer may have held keys */
void strbuf_free(struct strbuf *b);

/**
 * str_hex_decode - bytes from hexadecimal
 * @out: receives at most @cap bytes
 *
 * Return: the number of bytes, or -EINVAL (odd length, not hexadecimal) or -E2BIG.
 */
long str_hex_decode(const char *hex, size_t hex_len, void *out, size_t cap);

/** str_wipe - overwrite memory in a way that the compiler keeps */
void str_wipe(void *p, size_t len);

/**
 * str_to_u64 - a whole decimal number, no sign, no blanks
 * Return: 0, -EINVAL or -ERANGE (greater than @max)
 */
int str_to_u64(const char *s, unsigned long long max, unsigned long long *out);

/**
 * str_list_add - append a copy of @s (@len bytes) to an owned array of owned strings
 * Return: 0 or -ENOMEM
 */
int str_list_add(char ***list, size_t *n, const char *s, size_t len);
void str_list_free(char ***list, size_t *n);

#endif
