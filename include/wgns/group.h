/* SPDX-License-Identifier: GPL-2.0-or-later */
/* group - the user database's groups (group(5)) */
#ifndef WGNS_GROUP_H
#define WGNS_GROUP_H

#include <sys/types.h>

#include "wgns/err.h"

/** group_find - the number of a group, however many members it has. Return: 0; -EINVAL when there is no such group; -errno */
int group_find(const char *name, gid_t *out, struct err *e);

#endif
