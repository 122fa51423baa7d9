/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diag - every problem of one file, with its place */
#ifndef WGNS_DIAG_H
#define WGNS_DIAG_H

#include <stddef.h>

#include "wgns/err.h"

enum diag_level { DIAG_ERROR, DIAG_WARNING };

struct diag {
	enum diag_level level;
	unsigned line, col; /* from 1; line 0: the file as a whole */
	char *text; /* owned; never holds key material */
	char *file; /* owned, or NULL: the list's */
};

struct diag_list {
	const char *file; /* borrowed: how the user named it */
	struct diag *items;
	size_t n_items;
	size_t n_errors; /* those that were dropped count too */
	size_t n_dropped; /* beyond DIAG_MAX */
};

#define DIAG_MAX 1000 /* a hostile file does not fill the memory with complaints */

void diag_add(struct diag_list *list, enum diag_level level, unsigned line, unsigned col,
	      const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/** diag_sort - by line and column */
void diag_sort(struct diag_list *list);
/** diag_move - the items of @from, with its file's name, to the end of @to; @from becomes empty */
void diag_move(struct diag_list *to, struct diag_list *from);
/** diag_format - "FILE:LINE:COL: text" or "FILE:LINE:COL: warning: text"; control characters become '?' */
void diag_format(const struct diag_list *list, const struct diag *d, char *buf, size_t cap);
/** diag_first - the first error as @e says it, with EINVAL; nothing when there is none */
void diag_first(const struct diag_list *list, struct err *e);
void diag_free(struct diag_list *list);

#endif
