/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * finding - what was looked at, whether it is as it should be, and what breaks it
 *
 * One finding is one thing that `verify` or `doctor` asks. It begins as a yes; every detail that is added to it may
 * change the answer. Memory that runs out is remembered by the list and asked for once, at the end.
 */
#ifndef WGNS_FINDING_H
#define WGNS_FINDING_H

#include <stdbool.h>
#include <stddef.h>

enum finding_answer {
	FINDING_YES,
	FINDING_UNKNOWN, /* it could not be looked at: a detail says why */
	FINDING_NO,
};

/* what a detail does to the answer of its finding */
enum finding_weight {
	FINDING_NOTE, /* good to know: what was found, counted, or deliberately allowed */
	FINDING_WARNING, /* not wrong by itself, but somebody should look at it */
	FINDING_OPEN, /* could not be looked at: makes a yes unknown */
	FINDING_BREAKS, /* makes the answer no */
};

struct finding_detail {
	enum finding_weight weight;
	char *text; /* what it is: "eth1 has hardware behind it"; owned */
	char *hint; /* how to mend it: a command or a page; owned, NULL for none */
};

struct finding {
	const char *id; /* "home.devices"; stands in --json; lives for ever */
	const char *
		text; /* what a yes means, without a full stop: "home holds no uplink"; lives for ever */
	enum finding_answer answer;
	struct finding_detail *details;
	size_t n_details;
};

struct findings {
	struct finding *items;
	size_t n;
	bool is_last_dropped; /* the last detail was one too many, see FINDING_DETAILS_MAX */
	bool is_failed; /* memory ran out: what is there is not all */
};

#define FINDING_DETAILS_MAX                                                                        \
	64 /* of one weight in one finding: the rest is counted by a last line */
#define AUTO_FINDINGS __attribute__((cleanup(findings_free)))

/** findings_begin - a new one at the end, a yes for now; later details belong to it; both texts live for ever */
void findings_begin(struct findings *list, const char *id, const char *text);
/** findings_add - one more detail of the last finding; a formatted text of at most 1023 bytes */
void findings_add(struct findings *list, enum finding_weight weight, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** findings_hint - how to mend the last detail: a command where there is one; nothing when the detail was dropped */
void findings_hint(struct findings *list, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/** findings_find - by its id, or NULL */
const struct finding *findings_find(const struct findings *list, const char *id);
/** findings_answer - of all together: no when one is no, else unknown when one is, else yes (of none, too) */
enum finding_answer findings_answer(const struct findings *list);
/** finding_answer_name - "yes", "unknown", "no"; finding_weight_name - "note", "warning", "open", "breaks" */
const char *finding_answer_name(enum finding_answer answer);
const char *finding_weight_name(enum finding_weight weight);
void findings_free(struct findings *list);

#endif
