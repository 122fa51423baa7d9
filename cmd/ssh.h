/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ssh - the SSH connections over which whoever calls wgns works */
#ifndef WGNS_SSH_H
#define WGNS_SSH_H

#include <stdbool.h>
#include <stddef.h>

#include "wgns/change.h"

/**
 * ssh_parse - the other end of a connection, from the value of SSH_CONNECTION: "CLIENT PORT SERVER PORT" (ssh(1))
 *
 * A mapped IPv4 address (::ffff:192.0.2.1) is the IPv4 address, a zone (fe80::1%eth0) is kept.
 * Return: false for anything else: whoever calls may have set it to what he likes
 */
bool ssh_parse(const char *text, size_t len, struct change_client *out);

/**
 * ssh_find - the other ends of all connections that are known, each once, at most @cap
 *
 * From the environment and, because sudo(8) drops the variable, from those of the processes above. Return: how many
 */
size_t ssh_find(struct change_client *out, size_t cap);

#endif
