/* SPDX-License-Identifier: GPL-2.0-or-later */
/* save - the live configuration of a tunnel, written over its file as `wg-quick save` does it */
#ifndef WGNS_SAVE_H
#define WGNS_SAVE_H

#include <stdbool.h>

#include "wgns/change.h"
#include "wgns/err.h"

struct change_save {
	const char *name; /* of the tunnel in home */
	const char *path; /* the file to write; it may be gone */
	bool should_force; /* although it is another one than was read, or has changed since */
};

/**
 * change_save - hooks, Table, MTU, DNS with its search domains and SaveConfig as they were read, the rest as it is
 *
 * The file is replaced in one rename, is root's afterwards and has the mode 0600. The copy in /run becomes the same.
 * Return: 0; or an error of kind STATE (not up, or the user's edits would be lost) or FAILED; the file is untouched then
 */
int change_save(const struct change_save *save, const struct change_talk *talk, struct err *e);

#endif
