// SPDX-License-Identifier: GPL-2.0-or-later
#include "keyfile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void keyfile_error(struct keyfile *f, const char *at, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	int len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_add(f->diags, DIAG_ERROR, f->line.number, ini_col(&f->line, at), "%s",
		 len < 0 ? "" : text);
}

bool keyfile_check_line(const struct ini_line *line, struct diag_list *diags)
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

static void take_section(struct keyfile *f)
{
	struct ini_span text = f->line.text;
	const char *names[KEYFILE_ENTRIES_MAX];
	char shown[INI_SHOW_MAX];

	f->section = NULL;
	for (size_t i = 0; i < f->n_entries; i++) {
		names[i] = f->entries[i].section;
		if (ini_is(text, names[i]))
			f->section = names[i];
	}
	f->is_unknown = !f->section;
	if (f->section)
		return;
	const char *nearest = ini_nearest(text, names, f->n_entries);
	if (nearest)
		keyfile_error(f, text.s, "unknown section; perhaps meant: %s", nearest);
	else
		keyfile_error(f, text.s, "unknown section %s", ini_show(text, shown));
}

/* a key that does not belong in this section, or nowhere */
static void explain_key(struct keyfile *f)
{
	struct ini_span key = f->line.key;
	const char *names[KEYFILE_ENTRIES_MAX];
	char shown[INI_SHOW_MAX];

	for (size_t i = 0; i < f->n_entries; i++) {
		names[i] = f->entries[i].name;
		if (ini_is(key, names[i])) {
			keyfile_error(f, key.s, "this key belongs in %s", f->entries[i].section);
			return;
		}
	}
	const char *nearest = ini_nearest(key, names, f->n_entries);
	if (nearest)
		keyfile_error(f, key.s, "unknown key; perhaps meant: %s", nearest);
	else
		keyfile_error(f, key.s, "unknown key %s", ini_show(key, shown));
}

static int take_key(struct keyfile *f)
{
	const struct ini_line *line = &f->line;
	size_t i = 0;

	if (!line->has_equals) {
		keyfile_error(f, line->text.s, "neither a `[Section]' nor a `Key = value'");
		return 0;
	}
	while (i < f->n_entries && !(f->section && strcmp(f->entries[i].section, f->section) == 0 &&
				     ini_is(line->key, f->entries[i].name)))
		i++;
	if (i == f->n_entries) {
		explain_key(f);
		return 0;
	}
	const struct keyfile_entry *entry = &f->entries[i];
	if (f->seen[i] && !entry->is_repeatable) {
		keyfile_error(f, line->key.s, "%s is in line %u already", entry->name, f->seen[i]);
		return 0;
	}
	f->seen[i] = line->number;
	int rc = entry->take(f->ctx, line->value);
	if (rc == -EINVAL)
		keyfile_error(f, line->value.s, "%s is %s", entry->name, entry->expected);
	return rc == -ENOMEM ? rc : 0;
}

int keyfile_read(struct keyfile *f, const char *text, size_t len)
{
	struct ini ini;

	ini_begin(&ini, text, len);
	while (ini_next(&ini, &f->line)) {
		int rc = 0;
		if (!keyfile_check_line(&f->line, f->diags))
			continue;
		if (f->line.is_section)
			take_section(f);
		else if (f->line.text.len && !f->is_unknown)
			rc = take_key(f);
		if (rc < 0)
			return rc;
	}
	return 0;
}
