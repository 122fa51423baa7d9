// SPDX-License-Identifier: GPL-2.0-or-later
/* keepers that were killed: each is started again, with what it had */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "op_internal.h"
#include "spawn.h"
#include "wgns/agentfile.h"
#include "wgns/fd.h"
#include "wgns/op.h"
#include "wgns/str.h"

struct recording {
	const struct op_env *env;
	const char *name;
};

static int record_keeper(void *ctx, pid_t pid, unsigned long long start_time, struct err *e)
{
	const struct recording *r = ctx;
	const struct agentfile_keeper k = { .pid = pid, .start_time = start_time };

	return agentfile_write_keeper(r->env->run_fd, r->name, &k, e);
}

int op_agent_spawn(struct op_env *env, const char *name, bool is_follower, struct err *e)
{
	char log_name[AGENTFILE_NAME_MAX + 8], what[AGENTFILE_NAME_MAX + 32];

	AUTO_FD int dir_fd = state_openat(env->run_fd, AGENTFILE_DIR, O_RDONLY | O_DIRECTORY, e);
	if (dir_fd < 0)
		return dir_fd;
	(void)snprintf(log_name, sizeof(log_name), "%s.log", name);
	(void)snprintf(what, sizeof(what), "the keeper of %s", name);
	struct recording recording = { env, name };
	const struct spawn s = {
		.what = is_follower ? "wgns agent --follow" : what,
		.args = { "agent", "--ready-fd", "3", is_follower ? "--follow" : name,
			  is_follower ? name : NULL },
		.dir_fd = dir_fd,
		.log_name = log_name,
		.record = record_keeper,
		.ctx = &recording,
	};
	return spawn_ready(&s, e);
}

static int start_again(struct op_env *env, const char *name, struct err *e)
{
	struct agentfile run;
	int rc = agentfile_read(env->run_fd, name, ".run", &run, e);

	if (rc < 0)
		return rc;
	/* who hands on the resolvers of a manager needs no profile */
	bool is_follower = !run.profile[0];
	agentfile_free(&run);
	/* what its agent had started may live on, among the mounts that go with the last of them */
	rc = is_follower ? 0 : op_agent_kill_left(env, name, e);
	return rc < 0 ? rc : op_agent_spawn(env, name, is_follower, e);
}

int op_agents_again(struct op_env *env, struct err *e)
{
	struct agentfile_keeper keeper;
	char **names = NULL;
	size_t n = 0;
	int started = 0;

	int rc = agentfile_names(env->run_fd, ".run", &names, &n, e);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (agentfile_read_keeper(env->run_fd, names[i], &keeper) != -ESRCH)
			continue;
		rc = start_again(env, names[i], e);
		started += rc == 0;
	}
	str_list_free(&names, &n);
	return rc < 0 ? rc : started;
}
