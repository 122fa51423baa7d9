/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook - PreUp, PostUp, PreDown and PostDown commands of wg-quick(8) files */
#ifndef WGNS_HOOK_H
#define WGNS_HOOK_H

#include "wgns/err.h"

#define HOOK_ENV                                                                                   \
	"WGNS_HOOK" /* set to 1 in a hook: a hook that calls wgns would wait for its own lock */

/**
 * hook_expand - @command with every %i replaced by @ifname
 * Return: owned text, or NULL without memory
 */
char *hook_expand(const char *command, const char *ifname);

/**
 * hook_run - run one hook and wait for it
 * @command: as in the file; every %i becomes @ifname
 * @ns_fd:   the namespace in which it runs, or -1 for the caller's
 *
 * /bin/bash with errexit, pipefail and extglob, as wg-quick has them, or /bin/sh with errexit where there is no bash.
 * As root, in /, with a fixed environment (PATH, HOME, LC_ALL=C, WGNS_HOOK=1), input from /dev/null, no other
 * descriptor than 0 to 2, signals as they are by default. What the hook leaves in the background lives on.
 *
 * Return: 0; -ECHILD with the exit status or signal in words; another -errno when it could not be started
 */
int hook_run(const char *command, const char *ifname, int ns_fd, struct err *e);

#endif
