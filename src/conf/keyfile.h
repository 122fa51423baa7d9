/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keyfile - files of our own: a table says which keys there are in which sections
 *
 * wgns.conf(5) and wgns-profile(5) are read by it. wg-quick's files are not: two programs read those, which share neither
 * sections nor rules, and a NUL byte or a byte order mark means something else there.
 */
#ifndef WGNS_KEYFILE_H
#define WGNS_KEYFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "wgns/diag.h"
#include "wgns/ini.h"

struct keyfile_entry {
	const char *section; /* "[Tunnel]" */
	const char *name;
	const char *expected; /* of the value, for the message: "yes or no" */
	/*
	 * What is wrong with a single word it reports itself.
	 * Return: 0; -EINVAL when the value as a whole is not what is expected; -ENOMEM
	 */
	int (*take)(void *ctx, struct ini_span value);
	bool is_repeatable;
};

#define KEYFILE_ENTRIES_MAX 32

/* A file while it is read. The caller sets the first four members. */
struct keyfile {
	const struct keyfile_entry *entries;
	size_t n_entries; /* at most KEYFILE_ENTRIES_MAX */
	void *ctx; /* for take */
	struct diag_list *diags;
	struct ini_line line; /* the current one */
	const char *section; /* NULL: none or unknown */
	bool is_unknown; /* the current section */
	unsigned seen[KEYFILE_ENTRIES_MAX]; /* line of each key, 0 while it was not there */
};

/** keyfile_read - give every value to its take(); Return: 0, also when there are errors among the diags, or -ENOMEM */
int keyfile_read(struct keyfile *f, const char *text, size_t len);
/** keyfile_error - about the byte @at of the current line */
void keyfile_error(struct keyfile *f, const char *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** keyfile_check_line - no NUL byte, no byte order mark; false: it was reported */
bool keyfile_check_line(const struct ini_line *line, struct diag_list *diags);

#endif
