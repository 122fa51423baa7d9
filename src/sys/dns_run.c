// SPDX-License-Identifier: GPL-2.0-or-later
/* the programs that manage names on other people's behalf: resolvconf(8), resolvectl(1) */
#include "dns_internal.h"

#include "wgns/tool.h"

#define RUN_WAIT_MS 60000 /* resolvconf restarts daemons in its hooks; a minute is a hang */

int dns_find_program(const char *name, char path[PATH_MAX])
{
	return tool_find(name, path);
}

int dns_run(const char *const *argv, const char *input, struct err *e)
{
	const struct tool tool = { .argv = argv, .input = input, .wait_ms = RUN_WAIT_MS };

	return tool_run(&tool, NULL, e);
}
