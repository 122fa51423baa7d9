/* SPDX-License-Identifier: GPL-2.0-or-later */
/* profile_store - profiles compiled for the helper: /run/wgns/profile/NAME.bpf, root's, 0644, or 0640 with the profile's group */
#ifndef WGNS_PROFILE_STORE_H
#define WGNS_PROFILE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "wgns/compiled.h"
#include "wgns/err.h"
#include "wgns/profile.h"

#define PROFILE_STORE_PATH "profile" /* below /run/wgns */

/** profile_store_compile - in memory, all of @out is set; -errno as filter_compile() */
int profile_store_compile(const struct profile *p, struct compiled *out, struct err *e);

/**
 * profile_store_write - compile @p and put it into the folder, which exists, atomically
 * The file's modification time is @p->stamp, in nanoseconds: it is of the present files while both are equal.
 * Return: 0; -EINVAL also when its group does not exist; -errno
 */
int profile_store_write(int run_fd, const struct profile *p, struct err *e);

/**
 * profile_store_make - the folder, with every profile of @dirs that an ordinary user can use and that needs the helper
 * @note: called with the reason for each profile that is bad: it is left out, and nobody can use it
 *
 * Return: 0 or -errno; what was made then is profile_store_remove()'s
 */
int profile_store_make(int run_fd, const char *const *dirs, size_t n_dirs,
		       void (*note)(void *ctx, const char *text), void *ctx, struct err *e);
/** profile_store_remove - the folder with all in it; absent is success */
int profile_store_remove(int run_fd, struct err *e);

#endif
