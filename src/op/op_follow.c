// SPDX-License-Identifier: GPL-2.0-or-later
/* who hands on the resolvers of a manager in physical: started when it is there, ended first */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "op_internal.h"
#include "spawn.h"
#include "wgns/agentfile.h"
#include "wgns/fd.h"
#include "wgns/netns.h"
#include "wgns/systemd.h"

#define END_MS 5000

/* "unit.follow NetworkManager.service" is NetworkManager.all */
static int name_of(const struct step *step, struct agentfile *a, char name[AGENTFILE_NAME_MAX],
		   struct err *e)
{
	if (!systemd_is_unit(step->words[1]))
		return err_say(e, EINVAL, "'%s' is no name of a unit", step->words[1]);
	size_t len = strcspn(step->words[1], ".");
	if (len >= sizeof(a->program))
		return err_say(e, EINVAL, "nobody follows %s", step->words[1]);
	memcpy(a->program, step->words[1], len);
	(void)snprintf(a->device, sizeof(a->device), AGENTFILE_ALL);
	agentfile_name(a->program, a->device, name);
	return 0;
}

struct recording {
	const struct op_env *env;
	const char *name;
};

static int record(void *ctx, pid_t pid, unsigned long long start_time, struct err *e)
{
	const struct recording *r = ctx;
	const struct agentfile_keeper k = { .pid = pid, .start_time = start_time };

	return agentfile_write_keeper(r->env->run_fd, r->name, &k, e);
}

int unit_follow_run(struct op_env *env, const struct step *step, struct err *e)
{
	char name[AGENTFILE_NAME_MAX], log_name[AGENTFILE_NAME_MAX + 8];
	struct agentfile a = { 0 };

	int rc = name_of(step, &a, name, e);
	/* makes the folder, too */
	if (rc == 0)
		rc = agentfile_write(env->run_fd, ".run", &a, e);
	if (rc < 0)
		return rc;
	AUTO_FD int dir_fd = state_openat(env->run_fd, AGENTFILE_DIR, O_RDONLY | O_DIRECTORY, e);
	if (dir_fd < 0)
		return dir_fd;
	(void)snprintf(log_name, sizeof(log_name), "%s.log", name);
	struct recording recording = { env, name };
	const struct spawn s = {
		.what = "wgns agent --follow",
		.args = { "agent", "--ready-fd", "3", "--follow", name },
		.dir_fd = dir_fd,
		.log_name = log_name,
		.record = record,
		.ctx = &recording,
	};
	return spawn_ready(&s, e);
}

int unit_follow_undo(struct op_env *env, const struct step *step, struct err *e)
{
	static const char *const suffixes[] = { ".run", ".resolv", ".log", ".keeper" };
	char name[AGENTFILE_NAME_MAX];
	struct agentfile_keeper keeper;
	struct agentfile a = { 0 };

	int rc = name_of(step, &a, name, e);
	if (rc == 0 && agentfile_read_keeper(env->run_fd, name, &keeper) == 0) {
		const struct netns_proc proc = { .pid = keeper.pid,
						 .start_time = keeper.start_time,
						 .comm = "wgns agent" };
		rc = netns_kill(&proc, 1, END_MS, e);
		(void)waitpid(keeper.pid, NULL,
			      WNOHANG); /* ours when `up` rolls back, init's else */
	}
	for (size_t i = 0; rc == 0 && i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		rc = agentfile_remove(env->run_fd, name, suffixes[i], e);
	return rc;
}
