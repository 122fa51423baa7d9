/* SPDX-License-Identifier: GPL-2.0-or-later */
/* findings - a list of findings as text and as JSON, for `verify` and `doctor` */
#ifndef WGNS_FINDINGS_H
#define WGNS_FINDINGS_H

#include <jansson.h>
#include <stdbool.h>

#include "wgns/finding.h"
#include "wgns/str.h"

struct findings_style {
	bool has_colour;
	bool has_utf8; /* ticks and crosses may be those of U+2713 */
};

/** findings_style_of_stdout - colour as cmd_has_colour() says, characters as the locale says */
struct findings_style findings_style_of_stdout(void);
/** findings_add_text - one line each, with its details indented below */
void findings_add_text(struct strbuf *b, const struct findings *list,
		       const struct findings_style *style);
/** findings_to_json - [{id, text, answer, details: [{weight, text, hint}]}]; owned, or NULL without memory */
json_t *findings_to_json(const struct findings *list);

#endif
