// SPDX-License-Identifier: GPL-2.0-or-later
/* agents of devices that come while the layout is up */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "change_internal.h"
#include "wgns/fd.h"
#include "wgns/op.h"
#include "wgns/str.h"

#define AGENTS_FILE "agents" /* in the folder of the box: the lines of plan->agents */
#define AGENTS_MAX 65536
#define STEPS_MAX 4 /* of one kind, for one device */

int agents_remember(int run_fd, const struct plan *plan, struct err *e)
{
	AUTO_STRBUF struct strbuf b = { 0 };

	for (size_t i = 0; i < plan->n_agents; i++)
		strbuf_addf(&b, "%s\n", plan->agents[i]);
	if (b.is_failed)
		return err_set(e, ENOMEM, "record the agents");
	AUTO_FD int dir_fd = state_openat(run_fd, OP_BOX_PATH, O_RDONLY | O_DIRECTORY, e);
	return dir_fd < 0 ? dir_fd
			  : fd_replace_file_at(dir_fd, AGENTS_FILE, b.s ? b.s : "", b.len, 0600, e);
}

/* what was at work on the device in home: as in `up`; Return: how many, or -errno */
static int take_over(const struct host *host, const struct rtnl_link *link, bool is_before,
		     struct plan *plan, struct err *e)
{
	const char *last = "";
	char text[128];
	int n = 0;

	for (size_t i = 0; i < host->agents.n && n < STEPS_MAX; i++) {
		const struct host_agent *agent = &host->agents.items[i];
		if (strcmp(agent->device, link->name) != 0 || agents_is_manager(agent->unit) ||
		    strcmp(agent->program->name, last) == 0)
			continue;
		last = agent->program->name;
		(void)snprintf(text, sizeof(text),
			       is_before ? "agent.stop %s of %s"
					 : "agent.start %s for %s in physical",
			       last, link->name);
		int rc = plan_add(plan, text, e);
		if (rc < 0)
			return rc;
		n++;
	}
	return n;
}

/* "dhclient all dhcp"; @known: as the facts have it, @name: as it is called when it moves */
static int start_as(const char *line, const struct host *host, const struct rtnl_link *known,
		    const char *name, struct plan *plan, struct err *e)
{
	char program[AGENTS_PROGRAM_MAX], which[16], profile[72], text[200];

	if (sscanf(line, "%31s %15s %71s", program, which, profile) != 3)
		return 0;
	if (!agents_fit(host, known, strcmp(which, "wireless") == 0 ? AGENTS_AIR : AGENTS_ADDRESS))
		return 0;
	(void)snprintf(text, sizeof(text), "agent.start %s for %s in physical by %s", program, name,
		       profile);
	for (size_t i = 0; i < plan->n; i++) {
		if (strcmp(plan->steps[i].text, text) == 0)
			return 0;
	}
	return plan_add(plan, text, e);
}

int agents_adopt(int run_fd, const struct host *host, const struct rtnl_link *link, bool is_before,
		 struct plan *plan, struct err *e)
{
	AUTO_FREE char *text = NULL;
	struct err ignored; /* of a layout that an older wgns brought up: there are none */
	size_t len;

	AUTO_FD int dir_fd = state_openat(run_fd, OP_BOX_PATH, O_RDONLY | O_DIRECTORY, e);
	if (dir_fd < 0)
		return dir_fd;
	if (fd_read_file_at(dir_fd, AGENTS_FILE, AGENTS_MAX, &text, &len, &ignored) < 0)
		return 0;
	const struct rtnl_link *known = rtnl_links_by_index(&host->links, link->ifindex);
	char *rest = text;
	int rc = 0;
	for (char *line = strsep(&rest, "\n"); line && rc == 0; line = strsep(&rest, "\n")) {
		/* one that was renamed a moment ago nobody configures by its new name */
		if (strcmp(line, "auto") == 0 && known && strcmp(known->name, link->name) == 0) {
			rc = take_over(host, link, is_before, plan, e);
			if (rc != 0)
				return rc < 0 ? rc : 0;
		} else if (!is_before && known) {
			rc = start_as(line, host, known, link->name, plan, e);
		}
	}
	return rc;
}
