// SPDX-License-Identifier: GPL-2.0-or-later
#include "findings.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "status.h"

#define ESCAPED_MAX (4 * 1024)

struct findings_style findings_style_of_stdout(void)
{
	/* only to learn whether the terminal takes UTF-8; an unknown locale leaves "C", which says no */
	(void)setlocale(LC_CTYPE, "");
	return (struct findings_style){
		.has_colour = cmd_has_colour(stdout),
		.has_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
	};
}

/* the answer as it stands at the beginning of a line; always as wide */
static const char *mark(enum finding_answer answer, const struct findings_style *style)
{
	switch (answer) {
	case FINDING_YES:
		return style->has_utf8 ? "\u2713 yes " : "yes ";
	case FINDING_UNKNOWN:
		return style->has_utf8 ? "? ??? " : "??? ";
	case FINDING_NO:
		return style->has_utf8 ? "\u2717 NO  " : "NO  ";
	}
	return "";
}

static const char *colour(enum finding_answer answer, const struct findings_style *style)
{
	if (!style->has_colour)
		return "";
	switch (answer) {
	case FINDING_YES:
		return "\033[32m";
	case FINDING_UNKNOWN:
		return "\033[33m";
	case FINDING_NO:
		return "\033[31m";
	}
	return "";
}

static const char *lead(enum finding_weight weight)
{
	switch (weight) {
	case FINDING_NOTE:
		return "";
	case FINDING_WARNING:
		return "warning: ";
	case FINDING_OPEN:
		return "unknown: ";
	case FINDING_BREAKS:
		return "broken by: ";
	}
	return "";
}

void findings_add_text(struct strbuf *b, const struct findings *list,
		       const struct findings_style *style)
{
	/* names of devices and programs are others' texts: nothing of them reaches the terminal unescaped */
	char text[ESCAPED_MAX];

	for (size_t i = 0; i < list->n; i++) {
		const struct finding *f = &list->items[i];
		strbuf_addf(b, "%s%s%s%s\n", colour(f->answer, style), mark(f->answer, style),
			    style->has_colour ? "\033[0m" : "", f->text);
		for (size_t k = 0; k < f->n_details; k++) {
			const struct finding_detail *d = &f->details[k];
			status_escape(d->text, text, sizeof(text));
			strbuf_addf(b, "      %s%s\n", lead(d->weight), text);
			if (!d->hint)
				continue;
			status_escape(d->hint, text, sizeof(text));
			strbuf_addf(b, "        hint: %s\n", text);
		}
	}
}

json_t *findings_to_json(const struct findings *list)
{
	json_t *all = json_array();

	for (size_t i = 0; all && i < list->n; i++) {
		const struct finding *f = &list->items[i];
		json_t *details = json_array();
		for (size_t k = 0; details && k < f->n_details; k++) {
			const struct finding_detail *d = &f->details[k];
			/* a name that is no UTF-8 cannot stand in JSON: escaped as in the text */
			char text[ESCAPED_MAX], hint[ESCAPED_MAX];
			status_escape(d->text, text, sizeof(text));
			status_escape(d->hint ? d->hint : "", hint, sizeof(hint));
			json_t *detail = json_pack("{s:s, s:s, s:s*}", "weight",
						   finding_weight_name(d->weight), "text", text,
						   "hint", d->hint ? hint : NULL);
			if (json_array_append_new(details, detail) < 0) {
				json_decref(details);
				details = NULL;
			}
		}
		json_t *one = details ? json_pack("{s:s, s:s, s:s, s:o}", "id", f->id, "text",
						  f->text, "answer", finding_answer_name(f->answer),
						  "details", details)
				      : NULL;
		if (json_array_append_new(all, one) < 0) {
			json_decref(all);
			all = NULL;
		}
	}
	return all;
}
