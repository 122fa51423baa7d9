// SPDX-License-Identifier: GPL-2.0-or-later
/* agents, from what their keepers say */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "status.h"
#include "wgns/agentfile.h"

static void take(struct status_agent *out, int run_fd, const char *name)
{
	const char *dot = strchr(name, '.');
	struct agentfile_keeper keeper;

	(void)snprintf(out->program, sizeof(out->program), "%.*s", dot ? (int)(dot - name) : 31,
		       name);
	(void)snprintf(out->device, sizeof(out->device), "%.15s", dot ? dot + 1 : "");
	out->is_dead = agentfile_read_keeper(run_fd, name, &keeper) < 0;
	if (out->is_dead)
		(void)snprintf(out->state, sizeof(out->state),
			       "dead, and its keeper is, too: nobody starts it again");
	else if (agentfile_text(run_fd, name, ".state", out->state, sizeof(out->state)) < 0)
		(void)snprintf(out->state, sizeof(out->state), "starting");
	out->is_dead = out->is_dead || strncmp(out->state, "dead", 4) == 0;
}

int status_gather_agents(struct status_box *box, int run_fd, struct err *e)
{
	char **names = NULL;
	size_t n = 0;

	int rc = agentfile_names(run_fd, ".run", &names, &n, e);
	box->agents = rc < 0 ? NULL : calloc(n + 1, sizeof(*box->agents));
	if (rc == 0 && !box->agents)
		rc = err_set(e, ENOMEM, "list the agents");
	for (size_t i = 0; rc == 0 && i < n; i++)
		take(&box->agents[box->n_agents++], run_fd, names[i]);
	str_list_free(&names, &n);
	for (size_t i = 0; i < box->n_procs; i++)
		box->procs[i].is_agent =
			box->procs[i].uid == 0 && agentfile_is_agents(box->procs[i].pid, NULL);
	return rc;
}
