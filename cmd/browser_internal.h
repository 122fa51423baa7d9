/* SPDX-License-Identifier: GPL-2.0-or-later */
/* browser_internal - what the files browser*.c share */
#ifndef WGNS_BROWSER_INTERNAL_H
#define WGNS_BROWSER_INTERNAL_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "browser.h"

struct browser_product {
	const char *name; /* the last part of the program's name */
	enum browser kind;
	/* where its profiles are: below HOME with a dot in front, else below the folder of settings */
	const char *dirs[4];
};

struct browser_start {
	const struct browser_product *product;
	char *const *args; /* without the program, to NULL */
	const char *home;
	const struct netns_id *target;
};

/** browser_find_product - NULL when it is no browser that wgns knows */
const struct browser_product *browser_find_product(const char *program);

/**
 * browser_option - what stands behind -NAME or --NAME in @arg: "" or "=..."; NULL when it is another word
 * Firefox takes its options in any case of letters, Chromium does not.
 */
const char *browser_option(enum browser kind, const char *arg, const char *name);

/** browser_dir - the whole path of one of a product's folders; false when it is too long for a path */
bool browser_dir(const struct browser_start *s, const char *dir, char out[PATH_MAX]);

/**
 * browser_open_file - for reading, and only when it is a regular file: no FIFO is waited for, no device is touched
 * @flags: O_NOFOLLOW or 0
 * Return: an owned descriptor or -errno; -EMLINK for a symlink that is not followed, -EINVAL for what else is no file
 */
int browser_open_file(int dir_fd, const char *path, int flags);
/**
 * browser_find_program - as execvp(3) does it
 * @path: value of PATH, or NULL for the system's
 * @out: the first that could be executed; true when there is one
 */
bool browser_find_program(const char *program, const char *path, char out[PATH_MAX]);
/** browser_is_absent - is it an error of open(2) that the browser would have, too? Then nobody uses what is there */
bool browser_is_absent(int code);

/**
 * browser_judge - is the process that would take over in the box itself?
 * @pid: 0 when it cannot be seen from here
 * Return: 0 for yes, or when it has ended meanwhile; -EBUSY
 */
int browser_judge(const struct browser_start *s, pid_t pid, struct err *e);

int browser_check_chromium(const struct browser_start *s, struct err *e);
int browser_check_firefox(const struct browser_start *s, struct err *e);

#endif
