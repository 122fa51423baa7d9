/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * caps - give up every capability (capabilities(7))
 *
 * The helper links this file, so it uses libc alone: no struct err, no allocation.
 */
#ifndef WGNS_CAPS_H
#define WGNS_CAPS_H

#include <stdbool.h>

/** caps_has_sys_admin - is CAP_SYS_ADMIN effective? */
bool caps_has_sys_admin(void);

/**
 * caps_drop_bounding - empty the bounding set, so that no later exec gains anything
 * @what: on failure, what was attempted; a literal
 *
 * Needs CAP_SETPCAP and must therefore come before setresuid(2) to an ordinary user. Without that
 * capability the set stays as it is and no_new_privs has to do.
 * Return: 0 or -errno
 */
int caps_drop_bounding(const char **what);

/**
 * caps_drop_all - ambient, inheritable, permitted and effective sets become empty; no_new_privs is
 * set
 * @what: on failure, what was attempted; a literal
 *
 * Everything is read back: 0 means that nothing is left. Applies to the calling thread.
 * Return: 0 or -errno, -ENOTRECOVERABLE when something remained
 */
int caps_drop_all(const char **what);

#endif
