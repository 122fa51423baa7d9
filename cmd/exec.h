/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exec - what the command line of `wgns exec` and the profile ask for, and how it is started */
#ifndef WGNS_EXEC_H
#define WGNS_EXEC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "listen.h"
#include "wgns/err.h"
#include "wgns/profile.h"

#define EXEC_DEFAULT_PROFILE "default"

struct exec_request {
	const char *box; /* borrowed; "home" enters nothing */
	const char *user; /* of --user, or NULL */
	const char *profile_name; /* of --profile, or NULL */
	char **env; /* VAR=VAL of -E, borrowed */
	size_t n_env;
	struct listen_address sockets[LISTEN_MAX];
	size_t n_sockets;
	char **argv; /* the program and its arguments, borrowed */
	int argc;
	struct profile profile;
};

/**
 * exec_read_profile - the one that is asked for, or "default" when that exists, into rq->profile
 *
 * What the profile has in common with no request is refused: privileges for others than root, --listen where it is not offered.
 */
int exec_read_profile(struct exec_request *rq, struct err *e);
/** exec_check_compiled - can the caller use what root compiled of rq->profile, and is it of the present file? */
int exec_check_compiled(const struct exec_request *rq, struct err *e);

/** exec_check_box - is the box up, and may the caller enter it? Says what to do when not */
int exec_check_box(const char *box, struct err *e);
/** exec_check_program - would it, run by @uid, escape, or could it not start? See browser.h */
int exec_check_program(const struct exec_request *rq, uid_t uid, struct err *e);

/**
 * exec_build_argv - env, the profile's command, the program, a browser's arguments, the program's own
 * @n_before: so many elements are left free in front
 * @buf: what the arguments of a browser are kept in
 * Return: an owned array that ends with NULL; NULL on failure
 */
char **exec_build_argv(const struct exec_request *rq, size_t n_before, char *buf, struct err *e);

#endif
