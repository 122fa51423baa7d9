/* SPDX-License-Identifier: GPL-2.0-or-later */
/* talk - how `up` and `down` tell what they do, and how they are interrupted */
#ifndef WGNS_TALK_H
#define WGNS_TALK_H

#include <stdbool.h>
#include <stdio.h>

#include "wgns/change.h"

struct talk {
	bool is_verbose;
	const char *command; /* "up wg0" */
	const char *tunnel; /* of `up` */
	const char *notify_socket; /* told of each step, see watch_tell(); NULL: nobody */
	bool was_undone; /* a failed `up` was rolled back */
};

/**
 * talk_begin - block the signals that would end us half-way
 *
 * Between two steps `up` looks whether one is pending and rolls back; `down` goes on to its end.
 */
void talk_begin(struct talk *talk, struct change_talk *out);

/** talk_resolve_retries - of endpoints that are names, as wg(8) reads WG_ENDPOINT_RESOLUTION_RETRIES: a number, or "infinity" */
unsigned talk_resolve_retries(void);

/** talk_if_closed - on @out, when KillSwitch = boot or `guard on` lets nothing leave home: that it is so, and the way out */
void talk_if_closed(FILE *out);

/** talk_check_root - are we root, and not a hook of ourselves? Return: 0, or the exit status after a message */
int talk_check_root(const char *command);

#endif
