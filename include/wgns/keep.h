/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keep - become a user and keep a few capabilities (capabilities(7), libcap-ng): root's side of exec, and agents */
#ifndef WGNS_KEEP_H
#define WGNS_KEEP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "wgns/err.h"

/**
 * keep_capabilities - this process becomes @uid with exactly @capabilities and what an execve(2) leaves of them
 * @uid: the groups already are those of the program
 * @capabilities: one bit for each; they become permitted, effective, inheritable and ambient, and the bounding set. Bits
 *                that the kernel does not know are passed over; every bit means all that this process has
 * @has_no_new_privs: set no_new_privs
 *
 * Everything is read back. After a failure the process is half-way between: the caller has to exit. Return: 0 or -errno
 */
int keep_capabilities(uid_t uid, uint64_t capabilities, bool has_no_new_privs, struct err *e);

#endif
