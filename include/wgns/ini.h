/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ini - lines of `[Section]` and `Key = value`, with their places
 *
 * Cuts a text into lines as bash's `read -r` and wg-quick(8) do: blanks around a line do not
 * count, `#` begins a comment, the key is what stands before the first `=`. Nothing is copied.
 */
#ifndef WGNS_INI_H
#define WGNS_INI_H

#include <stdbool.h>
#include <stddef.h>

struct ini_span {
	const char *s;
	size_t len;
};

struct ini_line {
	unsigned number; /* from 1 */
	const char *start; /* first byte of the line */
	struct ini_span raw; /* without the blanks and tabs around it, comment included */
	struct ini_span text; /* without the comment and the white space around the rest */
	struct ini_span key; /* before the first `=` of text; all of it when there is none */
	struct ini_span value; /* after it; all of text when there is none */
	struct ini_span whole; /* like value, but `#` does not end it: for hooks */
	bool has_equals;
	bool is_section; /* the key begins with `[` */
};

struct ini {
	const char *next, *end;
	unsigned number;
};

/** ini_begin - @text is borrowed and need not end with a NUL or a newline */
void ini_begin(struct ini *ini, const char *text, size_t len);
/**
 * ini_next - the next line, empty ones and comments too
 * Return: false at the end; an empty rest behind the last newline is no line
 */
bool ini_next(struct ini *ini, struct ini_line *out);
/** ini_col - the column of a byte of @line, in bytes from 1 */
unsigned ini_col(const struct ini_line *line, const char *at);
/** ini_is - are they the same but for the case of ASCII letters? */
bool ini_is(struct ini_span span, const char *word);
/** ini_trim - without white space (isspace(3) of the C locale) at both ends */
struct ini_span ini_trim(struct ini_span span);
/** ini_word - take the next word off @rest; blanks, tabs and @separators stand between; false: none left */
bool ini_word(struct ini_span *rest, const char *separators, struct ini_span *word);
/** ini_copy - with a NUL behind it, into @cap bytes; Return: 0, or -EINVAL when it is empty or too long */
int ini_copy(char *out, size_t cap, struct ini_span span);
bool ini_is_space(char c);

/**
 * ini_nearest - the word that a misspelt one may have meant
 * @words: @n of them, in any case
 *
 * Return: the closest word when at most two letters differ, else NULL.
 */
const char *ini_nearest(struct ini_span span, const char *const *words, size_t n);

/**
 * ini_show - a short piece of a text for a message
 *
 * What is not printable ASCII becomes '?'. Anything that could be a key or a part of one, that is a run of
 * more than 20 base64 characters, is replaced by its length.
 * Return: @buf
 */
#define INI_SHOW_MAX 64
const char *ini_show(struct ini_span span, char buf[INI_SHOW_MAX]);

#endif
