// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "profile_internal.h"

struct entry {
	const char *section, *name;
	const char *expected; /* for the message */
	int (*take)(struct prof_reader *r, struct ini_span value);
	bool is_repeatable;
};

static const struct entry entries[] = {
	{ "[Profile]", "Description", "a line of at most 127 bytes", prof_take_description, false },
	{ "[Profile]", "Box", "the name of a box", prof_take_box, false },
	{ "[Profile]", "Group", "the name of a group", prof_take_group, false },
	{ "[Profile]", "Capabilities", "all, none, or names of capabilities(7)",
	  prof_take_capabilities, false },
	{ "[Profile]", "NoNewPrivs", "yes or no", prof_take_no_new_privs, false },
	{ "[Profile]", "SystemBus", "yes or no", prof_take_system_bus, false },
	{ "[Profile]", "Browser", "as-is or fresh", prof_take_browser, false },
	{ "[Profile]", "Listen", "yes or no", prof_take_listen, false },
	{ "[Profile]", "Environment", "VARIABLE=VALUE", prof_take_environment, true },
	{ "[Profile]", "Unset", "names of variables", prof_take_unset, true },
	{ "[Profile]", "Command", "the absolute path of a program, and arguments",
	  prof_take_command, false },
	{ "[Filter]", "Allow", "names of system calls, or @LIST", prof_take_allow, true },
	{ "[Filter]", "Deny", "names of system calls, or @LIST", prof_take_deny, true },
	{ "[Filter]", "Families", "none, or names of address families", prof_take_families, false },
};
#define N_ENTRIES (sizeof(entries) / sizeof(entries[0]))

/* where in the file the reader is */
struct place {
	const char *section; /* NULL: none or unknown */
	bool is_unknown; /* the current section */
	unsigned seen[N_ENTRIES]; /* line */
};

void prof_error(struct prof_reader *r, const char *at, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	int len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_add(r->diags, DIAG_ERROR, r->line.number, ini_col(&r->line, at), "%s",
		 len < 0 ? "" : text);
}

bool prof_check_line(const struct ini_line *line, struct diag_list *diags)
{
	const char *nul = line->raw.len ? memchr(line->raw.s, '\0', line->raw.len) : NULL;

	if (nul) {
		diag_add(diags, DIAG_ERROR, line->number, ini_col(line, nul),
			 "a NUL byte: is this a text file?");
		return false;
	}
	if (line->number == 1 && line->raw.len >= 3 &&
	    memcmp(line->raw.s, "\xef\xbb\xbf", 3) == 0) {
		diag_add(diags, DIAG_ERROR, line->number, ini_col(line, line->raw.s),
			 "a UTF-8 byte order mark: save the file without");
		return false;
	}
	return true;
}

static void take_section(struct prof_reader *r, struct place *place)
{
	struct ini_span text = r->line.text;
	const char *names[N_ENTRIES];
	char shown[INI_SHOW_MAX];

	place->section = NULL;
	for (size_t i = 0; i < N_ENTRIES; i++) {
		names[i] = entries[i].section;
		if (ini_is(text, names[i]))
			place->section = names[i];
	}
	place->is_unknown = !place->section;
	if (place->section)
		return;
	const char *nearest = ini_nearest(text, names, N_ENTRIES);
	if (nearest)
		prof_error(r, text.s, "unknown section; perhaps meant: %s", nearest);
	else
		prof_error(r, text.s, "unknown section %s", ini_show(text, shown));
}

/* a key that does not belong in this section, or nowhere */
static void explain_key(struct prof_reader *r)
{
	struct ini_span key = r->line.key;
	const char *names[N_ENTRIES];
	char shown[INI_SHOW_MAX];

	for (size_t i = 0; i < N_ENTRIES; i++) {
		names[i] = entries[i].name;
		if (ini_is(key, names[i])) {
			prof_error(r, key.s, "this key belongs in %s", entries[i].section);
			return;
		}
	}
	const char *nearest = ini_nearest(key, names, N_ENTRIES);
	if (nearest)
		prof_error(r, key.s, "unknown key; perhaps meant: %s", nearest);
	else
		prof_error(r, key.s, "unknown key %s", ini_show(key, shown));
}

static int take_key(struct prof_reader *r, struct place *place)
{
	const struct ini_line *line = &r->line;
	size_t i = 0;

	if (!line->has_equals) {
		prof_error(r, line->text.s, "neither a `[Section]' nor a `Key = value'");
		return 0;
	}
	while (i < N_ENTRIES &&
	       !(place->section && strcmp(entries[i].section, place->section) == 0 &&
		 ini_is(line->key, entries[i].name)))
		i++;
	if (i == N_ENTRIES) {
		explain_key(r);
		return 0;
	}
	const struct entry *entry = &entries[i];
	if (place->seen[i] && !entry->is_repeatable) {
		prof_error(r, line->key.s, "%s is in line %u already", entry->name, place->seen[i]);
		return 0;
	}
	place->seen[i] = line->number;
	int rc = entry->take(r, line->value);
	if (rc == -EINVAL)
		prof_error(r, line->value.s, "%s is %s", entry->name, entry->expected);
	return rc == -ENOMEM ? rc : 0;
}

static int read_lines(struct prof_reader *r, const char *text, size_t len)
{
	struct place place = { 0 };
	struct ini ini;

	ini_begin(&ini, text, len);
	while (ini_next(&ini, &r->line)) {
		int rc = 0;
		if (!prof_check_line(&r->line, r->diags))
			continue;
		if (r->line.is_section)
			take_section(r, &place);
		else if (r->line.text.len && !place.is_unknown)
			rc = take_key(r, &place);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int profile_parse(const char *text, size_t len, const struct profile_source *source,
		  struct profile *p, struct diag_list *diags)
{
	struct prof_reader r = {
		.p = p,
		.source = source,
		.diags = diags,
		.allow = { .names = &p->allow, .n_names = &p->n_allow },
		.deny = { .names = &p->deny, .n_names = &p->n_deny },
	};
	size_t n_errors = diags->n_errors;
	int rc = read_lines(&r, text, len);

	if (rc == 0)
		prof_check_filter(&r);
	prof_calls_free(&r.allow);
	prof_calls_free(&r.deny);
	if (rc < 0)
		return rc;
	return diags->n_errors == n_errors ? 0 : -EINVAL;
}
