/* SPDX-License-Identifier: GPL-2.0-or-later */
/* signals - what a child inherits of its parent's and should not, and how a loop hears of them */
#ifndef WGNS_SIGNALS_H
#define WGNS_SIGNALS_H

#include <stddef.h>

#include "wgns/err.h"

/**
 * signals_reset - in a child: every disposition is the default, none is blocked
 *
 * Ignored signals and the mask go through execve(2), handlers do not (signal(7)).
 */
void signals_reset(void);

/** signals_unblock - in a child: none is blocked; dispositions stay */
void signals_unblock(void);

/** signals_open - block @n signals, and an owned descriptor that becomes readable with them (signalfd(2)), or -errno */
int signals_open(const int *signals, size_t n, struct err *e);

#endif
