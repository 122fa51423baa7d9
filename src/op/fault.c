// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/fault.h"

#ifdef WGNS_FAULTS

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_meant(const char *fault, const char *word, unsigned n)
{
	char wanted[48];
	size_t len = (size_t)snprintf(wanted, sizeof(wanted), "%s:%u", word, n);

	for (const char *at = fault; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, wanted, len) == 0 && (!at[len] || at[len] == ','))
			return true;
	}
	return false;
}

int fault_at(const char *fault, enum fault_point point, unsigned n, struct err *e)
{
	static const char *const fails[] = { "before", "after", "undo", "" };
	static const char *const kills[] = { "kill-before", "kill-after", "kill-undo",
					     "kill-undone" };

	if (!fault)
		return 0;
	if (is_meant(fault, kills[point], n))
		(void)raise(SIGKILL); /* does not return */
	if (fails[point][0] && is_meant(fault, fails[point], n))
		return err_say(e, EIO, "injected fault '%s'", fault);
	return 0;
}

#else

/* a translation unit is not empty in ISO C */
extern int fault_is_not_built;

#endif
