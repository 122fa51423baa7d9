/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spawn - wgns itself, as a daemon that a step starts and that says when it is ready */
#ifndef WGNS_SPAWN_H
#define WGNS_SPAWN_H

#include <sys/types.h>

#include "wgns/err.h"

#define SPAWN_ARGS_MAX 6

struct spawn {
	const char *what; /* "wgns watch", for messages */
	const char *args
		[SPAWN_ARGS_MAX]; /* behind argv[0]; descriptor 3 is where it says that it is ready */
	int dir_fd; /* where its log is */
	const char *log_name;
	/* write down who it is; until then it does nothing */
	int (*record)(void *ctx, pid_t pid, unsigned long long start_time, struct err *e);
	void *ctx;
};

/**
 * spawn_ready - start it, and wait until it has written a byte
 *
 * It gets descriptors 0 to 3, a PATH, no signal blocked, and the program that runs now, even when what is installed was
 * replaced meanwhile. When it fails, nothing of it is left, and the error has its last words. Return: 0 or -errno
 */
int spawn_ready(const struct spawn *s, struct err *e);

#endif
