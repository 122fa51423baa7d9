/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tool - programs of the system whose answer is wanted: systemctl(1), nmcli(1), resolvconf(8) */
#ifndef WGNS_TOOL_H
#define WGNS_TOOL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "wgns/err.h"

#define TOOL_ARGS_MAX 63

/** tool_find - an executable file of that name in the directories of the system; Return: 0 or -ENOENT */
int tool_find(const char *name, char path[PATH_MAX]);

struct tool {
	const char *const *argv; /* argv[0] is an absolute path; at most TOOL_ARGS_MAX, and NULL */
	const char *input; /* what it reads from its standard input, or NULL */
	unsigned wait_ms; /* then it is killed */
	bool is_reason_first; /* of the lines on its stderr the first says what was wrong, not the last */
	size_t output_max; /* bytes of what it may say on standard output; 0: nobody listens */
};

/**
 * tool_run - run a program with a fixed environment (PATH, LC_ALL=C) in a session of its own, and wait for it
 * @output: receives its standard output, owned; NULL: nobody listens
 *
 * It gets no descriptor but 0 to 2. When the caller is killed, its locks are held until the program has ended.
 * Return: 0; -EIO with a line of its stderr when its status is not 0; -ETIMEDOUT; -errno
 */
int tool_run(const struct tool *tool, char **output, struct err *e);

#endif
