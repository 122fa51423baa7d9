/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fault - failing on purpose, in a build with -DWGNS_FAULTS only
 *
 * "before:3" step 3 fails before it does anything; "after:3" when it is done; "undo:3" its undo fails;
 * "kill-before:3", "kill-after:3", "kill-undo:3" and "kill-undone:3" SIGKILL there. Several with commas between.
 */
#ifndef WGNS_FAULT_H
#define WGNS_FAULT_H

#include "wgns/err.h"

enum fault_point { FAULT_BEFORE, FAULT_AFTER, FAULT_UNDO, FAULT_UNDONE };

#ifdef WGNS_FAULTS
int fault_at(const char *fault, enum fault_point point, unsigned n, struct err *e);
#else
static inline int fault_at(const char *fault, enum fault_point point, unsigned n, struct err *e)
{
	(void)fault, (void)point, (void)n, (void)e;
	return 0;
}
#endif

#endif
