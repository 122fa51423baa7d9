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

/** caps_why_not - for a person: why CAP_SYS_ADMIN may not be effective in a program whose file has it */
const char *caps_why_not(void);

/**
 * caps_drop_all - ambient, inheritable, permitted and effective sets become empty; no_new_privs is
 * set
 * @what: on failure, what was attempted; a literal
 *
 * The bounding set stays: with no_new_privs a file's capabilities are passed over, while with an empty bounding set a
 * program that has some, ping for example, would not start at all (cap_bprm_creds_from_file() of Linux).
 *
 * Everything is read back: 0 means that nothing is left. Applies to the calling thread.
 * Return: 0 or -errno, -ENOTRECOVERABLE when something remained
 */
int caps_drop_all(const char **what);

#endif
