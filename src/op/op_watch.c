// SPDX-License-Identifier: GPL-2.0-or-later
/* `wgns watch` as a step: started last, ended first */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "op_internal.h"
#include "spawn.h"
#include "wgns/fd.h"
#include "wgns/netns.h"

#define END_MS 5000

static int open_folder(const struct op_env *env, struct err *e)
{
	char path[STATE_PLACE_MAX + IFNAMSIZ + 16];

	state_tunnel_path(env->tunnel.place, env->tunnel.device.name, path, sizeof(path));
	return state_openat(env->run_fd, path, O_RDONLY | O_DIRECTORY, e);
}

static int record(void *ctx, pid_t pid, unsigned long long start_time, struct err *e)
{
	const struct op_env *env = ctx;
	const struct state_watcher w = { .pid = pid, .start_time = start_time };

	return state_watcher_write(env->run_fd, env->tunnel.device.name, &w, e);
}

int watch_start_run(struct op_env *env, const struct step *step, struct err *e)
{
	(void)step;
	AUTO_FD int dir_fd = open_folder(env, e);
	if (dir_fd < 0)
		return dir_fd;
	const struct spawn s = {
		.what = "wgns watch",
		.args = { "watch", "--ready-fd", "3", env->tunnel.device.name },
		.dir_fd = dir_fd,
		.log_name = "watch.log",
		.record = record,
		.ctx = env,
	};
	return spawn_ready(&s, e);
}

int watch_start_undo(struct op_env *env, const struct step *step, struct err *e)
{
	struct state_watcher w;

	(void)step;
	if (state_watcher_read(env->run_fd, env->tunnel.device.name, &w) == 0) {
		struct netns_proc proc = { .pid = w.pid,
					   .start_time = w.start_time,
					   .comm = "wgns watch" };
		int rc = netns_kill(&proc, 1, END_MS, e);
		if (rc < 0)
			return rc;
		(void)waitpid(w.pid, NULL, WNOHANG); /* ours when `up` rolls back, init's else */
	}
	return state_watcher_remove(env->run_fd, env->tunnel.device.name, e);
}
