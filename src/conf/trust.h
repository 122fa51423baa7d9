/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trust - who else could have written this file? */
#ifndef WGNS_TRUST_H
#define WGNS_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "wgns/diag.h"
#include "wgns/err.h"

/**
 * trust_check - is the open file root's and writable by root only, as is every folder above it?
 * @st:     fstat(2) of @fd
 * @parent: receives fstat(2) of its folder, when that was found; st_mode 0 else
 * @why:    on false, what is in the way
 */
bool trust_check(int fd, const struct stat *st, struct stat *parent, char *why, size_t cap);

/** trust_require - trust_check() of a file that grants rights, called @path; Return: 0, or -EPERM, also among @diags */
int trust_require(int fd, const struct stat *st, const char *path, struct diag_list *diags,
		  struct err *e);

#endif
