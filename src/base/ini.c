// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/ini.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

int ini_copy(char *out, size_t cap, struct ini_span span)
{
	if (span.len == 0 || span.len >= cap)
		return -EINVAL;
	memcpy(out, span.s, span.len);
	out[span.len] = '\0';
	return 0;
}

bool ini_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct ini_span trim(struct ini_span span, bool (*is_white)(char))
{
	while (span.len && is_white(span.s[0])) {
		span.s++;
		span.len--;
	}
	while (span.len && is_white(span.s[span.len - 1]))
		span.len--;
	return span;
}

struct ini_span ini_trim(struct ini_span span)
{
	return trim(span, ini_is_space);
}

/* the part before (what is after goes to @after) the first @c; all of it in both when there is none */
static struct ini_span cut(struct ini_span span, char c, struct ini_span *after)
{
	const char *at = span.len ? memchr(span.s, c, span.len) : NULL;

	if (!at) {
		*after = span;
		return span;
	}
	*after = (struct ini_span){ at + 1, (size_t)(span.s + span.len - at - 1) };
	return (struct ini_span){ span.s, (size_t)(at - span.s) };
}

void ini_begin(struct ini *ini, const char *text, size_t len)
{
	*ini = (struct ini){ .next = text, .end = text + len };
}

bool ini_next(struct ini *ini, struct ini_line *out)
{
	struct ini_line line = { .start = ini->next };
	struct ini_span rest, all;

	if (ini->next == ini->end)
		return false;
	const char *newline = memchr(ini->next, '\n', (size_t)(ini->end - ini->next));
	const char *stop = newline ? newline : ini->end;

	line.raw = trim((struct ini_span){ line.start, (size_t)(stop - line.start) }, is_blank);
	if (!newline && line.raw.len == 0) {
		ini->next = ini->end;
		return false;
	}
	ini->next = newline ? newline + 1 : ini->end;
	line.number = ++ini->number;

	all = cut(line.raw, '#', &rest);
	line.text = ini_trim(all);
	line.key = ini_trim(cut(all, '=', &rest));
	line.value = ini_trim(rest);
	line.has_equals = all.len && memchr(all.s, '=', all.len);
	line.whole = line.value;
	if (line.has_equals) {
		(void)cut(line.raw, '=', &rest);
		line.whole = ini_trim(rest);
	}
	line.is_section = line.key.len && line.key.s[0] == '[';
	*out = line;
	return true;
}

unsigned ini_col(const struct ini_line *line, const char *at)
{
	size_t col = (size_t)(at - line->start) + 1;

	return col > UINT_MAX ? UINT_MAX : (unsigned)col;
}

bool ini_is(struct ini_span span, const char *word)
{
	return strlen(word) == span.len && strncasecmp(span.s, word, span.len) == 0;
}

bool ini_word(struct ini_span *rest, const char *separators, struct ini_span *word)
{
	const char *p = rest->s, *end = rest->s + rest->len;

	while (p < end && (is_blank(*p) || (*p && strchr(separators, *p))))
		p++;
	const char *begin = p;
	while (p < end && !is_blank(*p) && !(*p && strchr(separators, *p)))
		p++;
	*rest = (struct ini_span){ p, (size_t)(end - p) };
	*word = (struct ini_span){ begin, (size_t)(p - begin) };
	return word->len > 0;
}

#define WORD_MAX 32

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* optimal string alignment distance: insert, delete, change, or swap two neighbours */
static unsigned distance(struct ini_span a, const char *b, size_t b_len)
{
	unsigned row[3][WORD_MAX + 1];

	for (unsigned j = 0; j <= b_len; j++)
		row[0][j] = j;
	for (unsigned i = 1; i <= a.len; i++) {
		unsigned *now = row[i % 3], *prev = row[(i + 2) % 3], *prev2 = row[(i + 1) % 3];

		now[0] = i;
		for (unsigned j = 1; j <= b_len; j++) {
			bool is_same = lower(a.s[i - 1]) == lower(b[j - 1]);
			now[j] = least(least(prev[j], now[j - 1]) + 1, prev[j - 1] + !is_same);
			if (i > 1 && j > 1 && lower(a.s[i - 1]) == lower(b[j - 2]) &&
			    lower(a.s[i - 2]) == lower(b[j - 1]))
				now[j] = least(now[j], prev2[j - 2] + 1);
		}
	}
	return row[a.len % 3][b_len];
}

const char *ini_nearest(struct ini_span span, const char *const *words, size_t n)
{
	const char *best = NULL;
	unsigned best_distance = 3;

	if (span.len < 3 || span.len > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(words[i]);
		if (len > WORD_MAX)
			continue;
		unsigned d = distance(span, words[i], len);
		/* two changes in a word of three letters would match anything */
		if (d < best_distance && 2 * d < len) {
			best = words[i];
			best_distance = d;
		}
	}
	return best;
}

static bool is_base64(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '+' || c == '/' || c == '=';
}

const char *ini_show(struct ini_span span, char buf[INI_SHOW_MAX])
{
	size_t n = span.len < INI_SHOW_MAX - 8 ? span.len : INI_SHOW_MAX - 8;
	size_t run = 0;

	/* a run that begins near the end of what is shown counts with what follows */
	for (size_t i = 0; i < span.len && i < n + 21; i++) {
		run = is_base64(span.s[i]) ? run + 1 : 0;
		if (run > 20) {
			(void)snprintf(buf, INI_SHOW_MAX, "(%zu characters, not shown)", span.len);
			return buf;
		}
	}
	buf[0] = '`';
	for (size_t i = 0; i < n; i++) {
		char c = span.s[i];
		buf[1 + i] = c;
		if (c < 0x20 || c > 0x7e)
			buf[1 + i] = '?';
	}
	memcpy(buf + 1 + n, n < span.len ? "...'" : "'", n < span.len ? 5 : 2);
	return buf;
}
