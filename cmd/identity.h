/* SPDX-License-Identifier: GPL-2.0-or-later */
/* identity - who a program that root starts is to run as */
#ifndef WGNS_IDENTITY_H
#define WGNS_IDENTITY_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "wgns/err.h"

struct identity {
	bool is_changed; /* false: root stays root */
	bool is_named; /* --user: the whole environment of the login follows */
	uid_t uid;
	gid_t gid;
	char name[256]; /* "" when the user database does not know the number */
	char home[PATH_MAX], shell[PATH_MAX];
};

/** identity_of_user - by name or number, as --user has it; Return: 0 or -EINVAL */
int identity_of_user(const char *user, struct identity *id, struct err *e);
/** identity_of_sudo - from SUDO_UID and SUDO_GID of sudo(8), if set. Return: 0 or -EINVAL */
int identity_of_sudo(struct identity *id, struct err *e);
/**
 * identity_take_groups - all groups of that user, and the group; the user id stays
 * Groups hold no capability, so this can be done before a box is entered as root. Return: 0 or
 * -errno
 */
int identity_take_groups(const struct identity *id, struct err *e);
/**
 * identity_take_environment - HOME, USER and the like of that user where sudo left root's
 *
 * With --user nothing of root's environment stays but what a terminal needs and PATH, nor root's session keyring.
 */
int identity_take_environment(const struct identity *id, struct err *e);

#endif
