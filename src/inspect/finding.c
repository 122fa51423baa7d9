// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 1024

void findings_begin(struct findings *list, const char *id, const char *text)
{
	struct finding *grown = reallocarray(list->items, list->n + 1, sizeof(*grown));

	list->is_last_dropped = false;
	if (!grown) {
		list->is_failed = true;
		return;
	}
	list->items = grown;
	grown[list->n++] = (struct finding){ .id = id, .text = text, .answer = FINDING_YES };
}

static size_t count(const struct finding *f, enum finding_weight weight)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n_details; i++)
		n += f->details[i].weight == weight;
	return n;
}

static void weigh(struct finding *f, enum finding_weight weight)
{
	enum finding_answer answer = FINDING_YES;

	switch (weight) {
	case FINDING_NOTE:
	case FINDING_WARNING:
		break;
	case FINDING_OPEN:
		answer = FINDING_UNKNOWN;
		break;
	case FINDING_BREAKS:
		answer = FINDING_NO;
		break;
	}
	if (answer > f->answer)
		f->answer = answer;
}

void findings_add(struct findings *list, enum finding_weight weight, const char *fmt, ...)
{
	struct finding *f = list->n ? &list->items[list->n - 1] : NULL;
	char text[TEXT_MAX];
	va_list ap;

	if (!f || list->is_failed)
		return;
	weigh(f, weight);
	list->is_last_dropped = false;
	size_t n = count(f, weight);
	if (n > FINDING_DETAILS_MAX) {
		list->is_last_dropped = true;
		return;
	}
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* cut where it is too long */
	va_end(ap);
	if (n == FINDING_DETAILS_MAX)
		(void)snprintf(text, sizeof(text), "and more of this kind, which are not listed");
	struct finding_detail *grown = reallocarray(f->details, f->n_details + 1, sizeof(*grown));
	if (grown)
		f->details = grown;
	char *copy = grown ? strdup(text) : NULL;
	if (!copy) {
		list->is_failed = true;
		return;
	}
	grown[f->n_details++] = (struct finding_detail){ .weight = weight, .text = copy };
	list->is_last_dropped = n == FINDING_DETAILS_MAX;
}

void findings_hint(struct findings *list, const char *fmt, ...)
{
	struct finding *f = list->n ? &list->items[list->n - 1] : NULL;
	char text[TEXT_MAX];
	va_list ap;

	if (!f || !f->n_details || list->is_last_dropped || list->is_failed)
		return;
	struct finding_detail *detail = &f->details[f->n_details - 1];
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	free(detail->hint);
	detail->hint = strdup(text);
	list->is_failed = !detail->hint;
}

const struct finding *findings_find(const struct findings *list, const char *id)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->items[i].id, id) == 0)
			return &list->items[i];
	}
	return NULL;
}

enum finding_answer findings_answer(const struct findings *list)
{
	enum finding_answer answer = FINDING_YES;

	for (size_t i = 0; i < list->n; i++) {
		if (list->items[i].answer > answer)
			answer = list->items[i].answer;
	}
	return answer;
}

const char *finding_answer_name(enum finding_answer answer)
{
	static const char *const names[] = {
		[FINDING_YES] = "yes",
		[FINDING_UNKNOWN] = "unknown",
		[FINDING_NO] = "no",
	};

	return names[answer];
}

const char *finding_weight_name(enum finding_weight weight)
{
	static const char *const names[] = {
		[FINDING_NOTE] = "note",
		[FINDING_WARNING] = "warning",
		[FINDING_OPEN] = "open",
		[FINDING_BREAKS] = "breaks",
	};

	return names[weight];
}

void findings_free(struct findings *list)
{
	for (size_t i = 0; i < list->n; i++) {
		struct finding *f = &list->items[i];
		for (size_t k = 0; k < f->n_details; k++) {
			free(f->details[k].text);
			free(f->details[k].hint);
		}
		free(f->details);
	}
	free(list->items);
	*list = (struct findings){ 0 };
}
