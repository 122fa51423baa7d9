/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WGNS_CHANGE_INTERNAL_H
#define WGNS_CHANGE_INTERNAL_H

#include "wgns/change.h"

#define CHANGE_PLACE "home"

/** change_enter - state_enter(), and say so when there is somebody to wait for */
int change_enter(bool should_create, const struct change_talk *talk, int *run_fd, int *lock_fd,
		 struct err *e);

/**
 * change_sweep - while no tunnel is up: what outlived a reboot, which empties /run and not /etc
 *
 * Only where wgns itself owns /etc/resolv.conf; the lock is held.
 */
void change_sweep(int run_fd, const struct change_talk *talk);

/** change_env - what steps work on, from the caller's namespace; close with op_env_close() */
int change_env(int run_fd, const struct change_talk *talk, struct op_env *env, struct err *e);

/**
 * change_undo - what the journal in @folder of /run/wgns says; an absent journal says nothing
 * Return: 0, or how many steps could not be undone; -errno when the journal cannot be read
 */
long change_undo(struct op_env *env, const struct change_talk *talk, const char *folder,
		 struct err *e);

/** change_check - can the journal in @folder be read? Changes nothing; an absent one can */
int change_check(struct op_env *env, const char *folder, struct err *e);

/** change_other_users - how many tunnels beside @name were born in physical */
int change_other_users(int run_fd, const char *name, size_t *n, struct err *e);

/** change_remains - the error for steps that could not be undone, with the command that finishes it */
int change_remains(size_t n_left, const char *name, struct err *e);

#endif
