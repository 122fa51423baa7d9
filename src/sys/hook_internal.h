/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WGNS_HOOK_INTERNAL_H
#define WGNS_HOOK_INTERNAL_H

#include "wgns/err.h"

/* what the child could not do before the shell began */
struct hook_failure {
	int code; /* positive errno; 0: it began */
	char what[60];
};

struct hook_end {
	struct hook_failure failure;
	int status; /* of waitpid(2) */
};

/** hook_become - in a child: the shell with @command; a failure is written to @report_fd */
_Noreturn void hook_become(char *command, int ns_fd, int report_fd);

/**
 * hook_keep - run a hook under a keeper, and wait for both
 *
 * The keeper is a child of ours and the parent of the shell and of all that the shell leaves behind. When we are killed, it kills
 * everything that the hook has begun, and then ends; until then it holds what we held, the lock among it, so that nobody
 * changes the network at the same time. When the hook ends by itself, what it left in the background lives on.
 */
int hook_keep(char *command, int ns_fd, struct hook_end *out, struct err *e);

#endif
