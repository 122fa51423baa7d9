/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * browser - programs that would escape from a box without meaning to, or that cannot start in one
 *
 * A browser that already runs elsewhere takes a new window over, and it opens in the wrong namespace. A snap cannot start under
 * no_new_privs. Everything here runs with the rights of the user, before the box is entered.
 */
#ifndef WGNS_BROWSER_H
#define WGNS_BROWSER_H

#include <stdbool.h>
#include <stddef.h>

#include "wgns/err.h"
#include "wgns/netns.h"

enum browser { BROWSER_NONE, BROWSER_CHROMIUM, BROWSER_FIREFOX };

/** browser_kind - by the last part of the program's name */
enum browser browser_kind(const char *program);

/**
 * browser_check_running - would a browser that runs already take over what argv asks for?
 * @argv: the program and its arguments
 * @home: the user's home folder
 * @target: the namespace in which the program is to run, for the comparison
 *
 * Chromium and its kin: whoever answers on SingletonSocket of the profile that argv names, or of the usual one. Firefox: whoever
 * holds the lock of the profile that argv names, or of any of the user's. Nothing is sent to them.
 *
 * Return: 0 for no, or when that one runs in @target itself; -EBUSY with who and where and what to do
 */
int browser_check_running(char *const *argv, const char *home, const struct netns_id *target,
			  struct err *e);

/**
 * browser_fresh_args - the arguments that make a browser use @dir as its profile, alone and without first-run pages
 * @buf: at least BROWSER_ARGS_CAP bytes that the arguments are written to
 * @args: receives at most BROWSER_ARGS_MAX pointers into @buf or to literals
 *
 * Return: how many; -EINVAL when it is no browser that wgns knows, or argv itself names a profile
 */
#define BROWSER_ARGS_MAX 8
#define BROWSER_ARGS_CAP 512
int browser_fresh_args(char *const *argv, const char *dir, char buf[BROWSER_ARGS_CAP],
		       char *args[BROWSER_ARGS_MAX], struct err *e);

/**
 * browser_check_snap - is the program, as PATH finds it, a snap or a script that starts one?
 * Return: 0, or -EPERM with the reason and what else there is
 */
int browser_check_snap(const char *program, const char *path_or_null, struct err *e);

/**
 * browser_check_display - can a program in another network namespace reach the X server of $DISPLAY?
 * @display: value of DISPLAY, or NULL
 * Return: true; false with a sentence in @why: an abstract socket only, or TCP (as ssh -X has)
 */
bool browser_check_display(const char *display, char *why, size_t cap);

#endif
