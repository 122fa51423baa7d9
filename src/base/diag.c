// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/diag.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct diag *new_item(struct diag_list *list)
{
	size_t n = list->n_items;

	if (n >= DIAG_MAX)
		return NULL;
	if ((n & (n - 1)) == 0) {
		struct diag *items = reallocarray(list->items, n ? 2 * n : 1, sizeof(*list->items));
		if (!items)
			return NULL;
		list->items = items;
	}
	list->n_items = n + 1;
	list->items[n] = (struct diag){ 0 };
	return &list->items[n];
}

void diag_add(struct diag_list *list, enum diag_level level, unsigned line, unsigned col,
	      const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (level == DIAG_ERROR)
		list->n_errors++;
	struct diag *d = new_item(list);
	if (!d) {
		list->n_dropped++;
		return;
	}

	va_start(ap, fmt);
	int len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	d->level = level;
	d->line = line;
	d->col = col;
	d->text = strdup(len < 0 ? "" : text); /* NULL is printed as an empty text */
}

static int compare(const void *a, const void *b)
{
	const struct diag *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return (x->col > y->col) - (x->col < y->col);
}

void diag_sort(struct diag_list *list)
{
	if (list->n_items)
		qsort(list->items, list->n_items, sizeof(*list->items), compare);
}

void diag_move(struct diag_list *to, struct diag_list *from)
{
	to->n_errors += from->n_errors;
	to->n_dropped += from->n_dropped;
	for (size_t i = 0; i < from->n_items; i++) {
		struct diag *d = new_item(to);
		if (!d) {
			to->n_dropped++;
			continue;
		}
		*d = from->items[i];
		from->items[i].text = NULL;
		from->items[i].file = NULL;
		if (!d->file && from->file)
			d->file = strdup(from->file);
	}
	diag_free(from);
}

void diag_format(const struct diag_list *list, const struct diag *d, char *buf, size_t cap)
{
	const char *file = d->file ? d->file : list->file;
	const char *level = d->level == DIAG_WARNING ? "warning: " : "";
	const char *text = d->text ? d->text : "";

	if (!file)
		file = "-";
	if (d->line)
		(void)snprintf(buf, cap, "%s:%u:%u: %s%s", file, d->line, d->col, level, text);
	else
		(void)snprintf(buf, cap, "%s: %s%s", file, level, text);
	for (char *c = buf; cap && *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	}
}

void diag_first(const struct diag_list *list, struct err *e)
{
	char text[600];

	for (size_t i = 0; i < list->n_items; i++) {
		if (list->items[i].level != DIAG_ERROR)
			continue;
		diag_format(list, &list->items[i], text, sizeof(text));
		(void)err_say(e, EINVAL, "%s", text); /* the caller returns its code */
		return;
	}
}

void diag_free(struct diag_list *list)
{
	for (size_t i = 0; i < list->n_items; i++) {
		free(list->items[i].text);
		free(list->items[i].file);
	}
	free(list->items);
	*list = (struct diag_list){ .file = list->file };
}
