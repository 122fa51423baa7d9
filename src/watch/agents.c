// SPDX-License-Identifier: GPL-2.0-or-later
/* the keepers of agents: the kernel has ended the agents of those that were killed, and a lease runs out */
#include <errno.h>
#include <sys/wait.h>

#include "watch_internal.h"
#include "wgns/agentfile.h"
#include "wgns/clock.h"
#include "wgns/str.h"

#define FIRST_MS 1000
#define MAX_MS 600000
#define LIVED_MS 60000 /* one that lived so long was no failure */

static bool is_any_dead(const struct watch *w)
{
	struct agentfile_keeper keeper = { 0 };
	char **names = NULL;
	struct err ignored; /* there will be another look */
	size_t n = 0;
	bool is_dead = false;

	(void)agentfile_names(w->run_fd, ".keeper", &names, &n, &ignored);
	for (size_t i = 0; i < n; i++) {
		int rc = agentfile_read_keeper(w->run_fd, names[i], &keeper);
		/* one that this process has started stays until it is reaped; of others waitpid(2) knows nothing */
		is_dead = is_dead || rc == -ESRCH ||
			  (rc == 0 && waitpid(keeper.pid, NULL, WNOHANG) == keeper.pid);
	}
	str_list_free(&names, &n);
	return is_dead;
}

void watch_agents_check(struct watch *w)
{
	if (w->work[WORK_AGENTS] || !is_any_dead(w))
		return;
	if (clock_monotonic_ms() - w->agents.started_ms > LIVED_MS)
		w->agents.n_tries = 0;
	/* the first at once; then less and less often */
	watch_plan_work(w, WORK_AGENTS,
			w->agents.n_tries ? watch_pause_ms(w->agents.n_tries, FIRST_MS, MAX_MS)
					  : 0);
}

void watch_agents_start(struct watch *w)
{
	struct err why;
	int rc = change_agents(w->tunnel.device.name, &w->talk, &why);

	if (rc != -EBUSY || why.kind != ERR_KIND_STATE) {
		w->agents.n_tries++;
		w->agents.started_ms = clock_monotonic_ms();
	}
	if (watch_take_result(w, rc, WORK_AGENTS, &why) && rc > 0)
		watch_log(w, "%d keeper%s of agents had died: started again", rc,
			  rc == 1 ? "" : "s");
}
