/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * enter - into a box, give up everything, become the program; see cmd/enter.c
 *
 * In this order. Each of them ends the process with a message on stderr and status 125 at the first surprise. The helper
 * is these calls and nothing else; wgns itself makes them when it runs as root.
 */
#ifndef WGNS_ENTER_H
#define WGNS_ENTER_H

#include <sys/types.h>

#include "wgns/compiled.h"

/**
 * enter_box - this process moves into the box: its network, its name resolution, its /sys
 * @box: a name below /run/wgns/box
 * @options: COMPILED_HIDE_BUS and so on
 * @uid: who the program will be: owner of what COMPILED_FRESH makes
 *
 * Needs CAP_SYS_ADMIN, and says which of the possible reasons it is when that is missing.
 */
void enter_box(const char *box, unsigned options, uid_t uid);

/** enter_drop - give up every capability for good; no_new_privs. The user id stays. */
void enter_drop(void);

/**
 * enter_close - close every descriptor above 2 but @n_sockets from 3, which the program gets
 *
 * A socket or a folder of the namespace that was left would be a way back.
 */
void enter_close(unsigned n_sockets);

/**
 * enter_cwd - go to the working directory again, by its path and as who we are now
 *
 * It may be below something that is covered now, or in a /proc/sys/net of the namespace that was left: then it still is the
 * outside's. Where it cannot be reached nothing is started. After enter_close(), so that no link of /proc/self/fd is on the way.
 */
void enter_cwd(void);

/**
 * enter_program - become it
 * @c: its filters, if any, are loaded first
 * @argv: the program, looked up in PATH as the shell does, and its arguments
 *
 * 126 or 127 as env(1) when it cannot be started.
 */
_Noreturn void enter_program(const struct compiled *c, char **argv);

/** enter_die - "wgns: exec: ON: WHAT: REASON" and status 125; @on may be "" */
_Noreturn void enter_die(const char *on, const char *what, const char *reason);

#endif
