/* SPDX-License-Identifier: GPL-2.0-or-later */
/* signals - what a child inherits of its parent's signals, and should not */
#ifndef WGNS_SIGNALS_H
#define WGNS_SIGNALS_H

/**
 * signals_reset - in a child: every disposition is the default, none is blocked
 *
 * Ignored signals and the mask go through execve(2), handlers do not (signal(7)).
 */
void signals_reset(void);

/** signals_unblock - in a child: none is blocked; dispositions stay */
void signals_unblock(void);

#endif
