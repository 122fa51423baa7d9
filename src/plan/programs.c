// SPDX-License-Identifier: GPL-2.0-or-later
#include "programs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wgns/fd.h"
#include "wgns/state.h"

/*
 * The daemon of a tunnel: by pid and start time; by the name in its arguments when wgns was killed after it
 * started the daemon and before it wrote that down.
 */
static bool is_daemon_of(const struct netns_proc *proc, const struct state_tunnel *t)
{
	char path[32], args[512];

	if (t->device.pid || !t->device.birth_name[0])
		return proc->pid == t->device.pid && proc->start_time == t->device.start_time;
	(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)proc->pid);
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, args, sizeof(args) - 1);
	if (len <= 0)
		return false;
	args[len] = '\0';
	/* its last argument */
	size_t name_len = strlen(t->device.birth_name);
	return (size_t)len > name_len + 1 && args[len - 1] == '\0' &&
	       strcmp(args + (size_t)len - 1 - name_len, t->device.birth_name) == 0;
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
		bool is_daemon = false;
		for (size_t k = 0; k < n_tunnels; k++)
			is_daemon = is_daemon || is_daemon_of(&procs[i], &tunnels[k]);
		if (!is_daemon && procs[i].pid != getpid())
			procs[kept++] = procs[i];
	}
	free(tunnels);
	*n = kept;
	return found < 0 ? (int)found : 0;
}
