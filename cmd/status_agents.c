// SPDX-License-Identifier: GPL-2.0-or-later
/* agents, from what their keepers say */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "status.h"
#include "wgns/agentfile.h"
#include "wgns/follow.h"
#include "wgns/str.h"
#include "wgns/units.h"
#include "wgns/units_moved.h"

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

/* who only hands on the resolvers of a manager, and is worth a word when it does not */
static bool is_follower(const char *name)
{
	return strcmp(name, FOLLOW_NETWORKMANAGER "." AGENTFILE_ALL) == 0 ||
	       strcmp(name, FOLLOW_NETWORKD "." AGENTFILE_ALL) == 0;
}

/* a manager of the machine: its processes are those of its unit */
static void take_unit(struct status_box *box, struct status_agent *out, const char *unit)
{
	char of[SYSTEMD_UNIT_MAX];

	(void)snprintf(out->program, sizeof(out->program), "%.*s", (int)strcspn(unit, "."), unit);
	(void)snprintf(out->device, sizeof(out->device), "%s", AGENTFILE_ALL);
	out->is_dead = true;
	for (size_t i = 0; i < box->n_procs; i++) {
		systemd_unit_of_process(box->procs[i].pid, of);
		if (strcmp(of, unit) != 0)
			continue;
		box->procs[i].is_agent = true;
		out->is_dead = false;
	}
	(void)snprintf(out->state, sizeof(out->state), "%s",
		       out->is_dead ? "dead: see `systemctl status` of it" : "running");
}

static int gather_units(struct status_box *box, struct err *e)
{
	char **units = NULL;
	size_t n = 0;

	int rc = units_moved(&units, &n, e);
	struct status_agent *grown =
		rc < 0 ? NULL : reallocarray(box->agents, box->n_agents + n + 1, sizeof(*grown));
	if (rc == 0 && !grown)
		rc = err_set(e, ENOMEM, "list the managers");
	if (grown)
		box->agents = grown;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		size_t len = strlen(units[i]);
		struct status_agent *agent = &grown[box->n_agents];

		*agent = (struct status_agent){ 0 };
		take_unit(box, agent, units[i]);
		/* what others start when they need it is no loss; a socket has no process */
		if ((agent->is_dead && units_is_on_demand(units[i])) ||
		    strcmp(units[i] + len - 7, ".socket") == 0)
			continue;
		box->n_agents++;
	}
	str_list_free(&units, &n);
	return rc;
}

int status_gather_agents(struct status_box *box, int run_fd, struct err *e)
{
	char **names = NULL;
	size_t n = 0;

	int rc = agentfile_names(run_fd, ".run", &names, &n, e);
	box->agents = rc < 0 ? NULL : calloc(n + 1, sizeof(*box->agents));
	if (rc == 0 && !box->agents)
		rc = err_set(e, ENOMEM, "list the agents");
	for (size_t i = 0; rc == 0 && i < n; i++) {
		take(&box->agents[box->n_agents], run_fd, names[i]);
		box->n_agents += !is_follower(names[i]) || box->agents[box->n_agents].is_dead;
	}
	str_list_free(&names, &n);
	for (size_t i = 0; i < box->n_procs; i++)
		box->procs[i].is_agent =
			box->procs[i].uid == 0 && agentfile_is_agents(box->procs[i].pid, NULL);
	return rc < 0 ? rc : gather_units(box, e);
}
