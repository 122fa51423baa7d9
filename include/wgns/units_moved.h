/* SPDX-License-Identifier: GPL-2.0-or-later */
/* units_moved - the files that make units start in physical, and which units these are now */
#ifndef WGNS_UNITS_MOVED_H
#define WGNS_UNITS_MOVED_H

#include <stdbool.h>
#include <stddef.h>

#include "wgns/err.h"
#include "wgns/str.h"
#include "wgns/units.h"

/* A file that makes a unit start in physical. */
#define UNITS_TEXT_MAX 1024
struct units_file {
	char dir[SYSTEMD_UNIT_MAX + 32]; /* absolute */
	const char *name;
	char text[UNITS_TEXT_MAX];
};
#define UNITS_FILES_MAX 2 /* of one unit */
/** units_files - the files of one unit, as a pure function; Return: how many */
size_t units_files(const char *unit, struct units_file out[UNITS_FILES_MAX]);
#define UNITS_MARK "# wgns(8): up made this, down removes it\n" /* how each of them begins */
/** units_is_moved - does systemd start this unit in physical, because wgns said so? */
bool units_is_moved(const char *unit);

/** units_moved - every unit that units_is_moved(); an owned list, see str_list_add(); Return: 0 or -errno */
int units_moved(char ***names, size_t *n, struct err *e);
/** units_left - " A (B)": the same as steps name them */
int units_left(struct strbuf *out, struct err *e);

#endif
