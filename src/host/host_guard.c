// SPDX-License-Identifier: GPL-2.0-or-later
/* what the kernel can do for the guard, and which guards there are */
#include <errno.h>
#include <stdio.h>

#include "host_internal.h"
#include "wgns/fd.h"

/* one that cannot be read is as one that is not there: the step that needs it says why */
static bool look(int ns_fd, struct guard_seen *out)
{
	AUTO_NL struct nl *nl = NULL;
	struct err ignored;

	*out = (struct guard_seen){ 0 };
	return guard_open_in(ns_fd, &nl, &ignored) == 0 && guard_read(nl, out, &ignored) == 0 &&
	       out->is_there;
}

void host_read_guard(int run_fd, int home_fd, struct host *host)
{
	AUTO_NL struct nl *nl = NULL;
	struct guard_seen seen;
	struct err why;

	/* a layout that is up has its tables: what the kernel can, and how long it takes to say so, matter no more */
	int rc = host->is_layout_up ? 0 : guard_open_in(home_fd, &nl, &why);
	if (rc == 0 && nl)
		rc = guard_probe(nl, &host->guard.kernel, &why);
	/* held by somebody else, or no privilege: the kernel can, and the step will say it */
	if (rc == -EPERM)
		host->guard.kernel = (struct guard_kernel){ true, true };
	else if (rc < 0)
		(void)snprintf(host->guard.lacking, sizeof(host->guard.lacking), "%.255s",
			       why.text);
	host->guard.is_in_home = look(home_fd, &seen);
	host->guard.is_boot = guard_is_boot(&seen);
	guard_seen_free(&seen);
	AUTO_FD int physical_fd = run_fd < 0 ? -1 : state_box_open_netns(run_fd, "physical", &why);
	host->guard.is_in_physical = physical_fd >= 0 && look(physical_fd, &seen);
	guard_seen_free(&seen);
}
