/* SPDX-License-Identifier: GPL-2.0-or-later */
/* folder - folders of the machine outside /run/wgns; no function follows a symlink */
#ifndef WGNS_FOLDER_H
#define WGNS_FOLDER_H

#include <stdbool.h>

#include "wgns/plan.h"

/** folder_open - @flags beside O_DIRECTORY and O_CLOEXEC; an owned descriptor or -errno */
int folder_open(const char *path, int flags, struct err *e);

/** folder_open_parent - of the last part of an absolute @path, which is then in @name */
int folder_open_parent(const char *path, const char **name, struct err *e);

/** folder_look - what is there now; Return: 0 or -errno */
int folder_look(const char *path, enum host_folder *out, struct err *e);

/** folder_is_empty - a folder with nothing in it */
bool folder_is_empty(const char *path);

/**
 * folder_is_pinned - is it bound onto itself?
 * Return: 1; 0, also when it is not there or when only something else is mounted on it; -EBUSY when something else is mounted
 * over what may be that bind; -errno
 */
int folder_is_pinned(const char *path, struct err *e);

#endif
