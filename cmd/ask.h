/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ask - long waits: what is shown meanwhile, and the question of `up --confirm` */
#ifndef WGNS_ASK_H
#define WGNS_ASK_H

#include <signal.h>

#include "wgns/engine.h"

struct ask {
	const char *tunnel; /* whose fate it is */
	const char *command; /* "up wg0", for messages */
	sigset_t stop; /* blocked signals that mean no */
};

/** ask_show - one line on a terminal, over the one before; NULL takes it away. Nothing elsewhere. */
void ask_show(const char *text);
/** ask_can_write - would a message on stderr be taken now, or keep us waiting for a terminal that has been stopped? */
bool ask_can_write(void);
/**
 * ask_confirm - wait for Enter on the terminal of standard input, for @told_fd to become readable, or for no
 *
 * No is: @seconds are over (suspended or not), a signal of ask->stop is pending, the terminal has hung up. The signals stay
 * pending.
 */
enum op_answer ask_confirm(const struct ask *ask, int told_fd, unsigned seconds);

#endif
