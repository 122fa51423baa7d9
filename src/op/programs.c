// SPDX-License-Identifier: GPL-2.0-or-later

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wgns/agentfile.h"
#include "wgns/backend.h"
#include "wgns/fd.h"
#include "wgns/programs.h"
#include "wgns/state.h"
#include "wgns/units.h"
#include "wgns/units_moved.h"

static bool is_daemon_of(const struct netns_proc *proc, const struct state_tunnel *t)
{
	return t->device.pid && proc->pid == t->device.pid &&
	       proc->start_time == t->device.start_time;
}

/* one of a tunnel whose record is damaged, or of none: the name that its device was born with is its last argument */
static bool is_daemon_by_name(const struct netns_proc *proc)
{
	char path[32], args[512];

	if (proc->uid != 0)
		return false; /* a program's user may call it anything */
	(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)proc->pid);
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, args, sizeof(args) - 1);
	if (len <= 0)
		return false;
	args[len] = '\0';
	const char *last = args;
	for (ssize_t i = 0; i + 1 < len; i++) {
		if (!args[i])
			last = args + i + 1;
	}
	return last != args && backend_is_birth_name(last);
}

/* a child of who watches a tunnel, which looks up a name */
static bool is_watchers(int run_fd, const struct netns_proc *proc, const struct state_tunnel *t)
{
	struct state_watcher watcher;

	return strcmp(t->place, "home") == 0 &&
	       state_watcher_read(run_fd, t->device.name, &watcher) == 0 &&
	       proc_parent(proc->pid) == watcher.pid;
}

bool programs_is_manager(pid_t pid)
{
	char unit[SYSTEMD_UNIT_MAX];

	systemd_unit_of_process(pid, unit);
	return unit[0] && units_is_moved(unit);
}

int programs_find(int run_fd, const struct netns_id *ns, struct netns_proc procs[PROGRAMS_MAX],
		  size_t *n, struct err *e)
{
	struct state_tunnel *tunnels = NULL;
	size_t n_tunnels = 0, kept = 0;

	int rc = state_tunnels(run_fd, &tunnels, &n_tunnels, e);
	if (rc < 0)
		return rc;
	long found = netns_procs(ns, procs, PROGRAMS_MAX, e);
	if (found > PROGRAMS_MAX)
		found = PROGRAMS_MAX;
	for (long i = 0; i < found; i++) {
		bool is_daemon = is_daemon_by_name(&procs[i]) || programs_is_manager(procs[i].pid);
		for (size_t k = 0; k < n_tunnels; k++)
			is_daemon = is_daemon || is_daemon_of(&procs[i], &tunnels[k]) ||
				    is_watchers(run_fd, &procs[i], &tunnels[k]);
		is_daemon =
			is_daemon || (procs[i].uid == 0 && agentfile_is_agents(procs[i].pid, NULL));
		/* of one that ended meanwhile nothing above could be read */
		if (!is_daemon && procs[i].pid != getpid() && netns_has_proc(ns, &procs[i]))
			procs[kept++] = procs[i];
	}
	free(tunnels);
	*n = kept;
	return found < 0 ? (int)found : 0;
}
