/* SPDX-License-Identifier: GPL-2.0-or-later */
/* programs - who lives in a box beside the daemons of wgns */
#ifndef WGNS_PROGRAMS_H
#define WGNS_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "wgns/err.h"
#include "wgns/netns.h"

#define PROGRAMS_MAX 64

/**
 * programs_find - the first PROGRAMS_MAX programs of a namespace, this process and the daemons of tunnels left out
 * Return: 0 with their number in @n, or -errno
 */
int programs_find(int run_fd, const struct netns_id *ns, struct netns_proc procs[PROGRAMS_MAX],
		  size_t *n, struct err *e);

/** programs_is_manager - is this process of a unit of systemd that moved to physical with the uplinks? */
bool programs_is_manager(pid_t pid);

#endif
