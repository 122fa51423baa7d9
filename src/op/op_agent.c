// SPDX-License-Identifier: GPL-2.0-or-later
/* agents: ended in home, started in physical under a keeper, and the other way round */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "op_internal.h"
#include "wgns/agentfile.h"
#include "wgns/host_agents.h"
#include "wgns/netns.h"

#define END_MS 5000 /* in home */
#define KEEPER_END_MS 10000 /* it has END_MS for its agent */
#define REAP_MS 2000
#define REAP_PAUSE_MS 2
#define LEFT_MAX 64 /* processes of an agent whose keeper was killed, at a look */
#define LEFT_ROUNDS 16

static const char *device_of(const struct host_agent *agent)
{
	return agent->device[0] ? agent->device : AGENTFILE_ALL;
}

static bool is_meant(const struct host_agent *agent, const char *program, const char *device)
{
	return strcmp(agent->program->name, program) == 0 &&
	       strcmp(device_of(agent), device) == 0 && !agents_is_manager(agent->unit);
}

/*
 * Until their parents have reaped them: dhclient takes a process whose number is in its file, and which kill(2) finds, for another
 * one of itself, and ends. A parent that never does that is not waited for any longer.
 */
static void await_reaped(const struct netns_proc *procs, size_t n)
{
	unsigned long long start_time;

	for (size_t i = 0; i < n; i++) {
		for (int ms = 0; ms < REAP_MS; ms += REAP_PAUSE_MS) {
			if (proc_start_time(procs[i].pid, &start_time) < 0 ||
			    start_time != procs[i].start_time)
				break;
			(void)poll(NULL, 0, REAP_PAUSE_MS);
		}
	}
}

/* "agent.stop dhclient of eth0": what is there now, which may be another process than when it was planned */
int agent_stop_run(struct op_env *env, const struct step *step, struct err *e)
{
	struct netns_proc procs[AGENTFILE_COMMANDS_MAX];
	struct host_agents found = { 0 };
	struct agentfile record = { 0 };

	(void)snprintf(record.program, sizeof(record.program), "%.31s", step->words[1]);
	(void)snprintf(record.device, sizeof(record.device), "%.15s", step->words[3]);
	int rc = host_read_agents(NULL, 0, NULL, 0, &found, e);
	for (size_t i = 0; rc == 0 && i < found.n && record.n < AGENTFILE_COMMANDS_MAX; i++) {
		const struct host_agent *agent = &found.items[i];
		if (!is_meant(agent, record.program, record.device))
			continue;
		rc = host_agent_command(agent, &record.commands[record.n], e);
		procs[record.n] =
			(struct netns_proc){ .pid = agent->pid, .start_time = agent->start_time };
		(void)snprintf(procs[record.n].comm, sizeof(procs[record.n].comm), "%s",
			       agent->program->name);
		record.n += rc == 0;
		rc = rc == -ESRCH ? 0 : rc; /* it ended by itself */
	}
	host_agents_free(&found);
	if (rc == 0 && record.n)
		rc = agentfile_write(env->run_fd, ".stopped", &record, e);
	if (rc == 0 && record.n)
		rc = netns_kill(procs, record.n, END_MS, e);
	if (rc == 0)
		await_reaped(procs, record.n);
	agentfile_free(&record);
	return rc;
}

/* is it there, because it was never ended, was started again already, or somebody did that? */
static bool is_running(const struct host_agents *found, const struct agentfile *record,
		       const struct agentfile_command *c)
{
	unsigned long long now;
	size_t n = 0;

	if (proc_start_time(c->pid, &now) == 0 && now == c->start_time)
		return true;
	for (size_t i = 0; i < found->n; i++)
		n += is_meant(&found->items[i], record->program, record->device);
	return n >= record->n;
}

int agent_stop_undo(struct op_env *env, const struct step *step, struct err *e)
{
	char name[AGENTFILE_NAME_MAX];
	struct host_agents found = { 0 };
	struct agentfile record;
	struct err why;

	agentfile_name(step->words[1], step->words[3], name);
	int rc = agentfile_read(env->run_fd, name, ".stopped", &record, &why);
	if (rc == -ENOENT)
		return 0;
	if (rc < 0) {
		*e = why;
		return rc;
	}
	rc = host_read_agents(NULL, 0, NULL, 0, &found, e);
	for (size_t i = 0; rc == 0 && i < record.n; i++) {
		if (!is_running(&found, &record, &record.commands[i]))
			rc = op_agent_start_in_home(env, &record.commands[i], e);
	}
	host_agents_free(&found);
	agentfile_free(&record);
	return rc < 0 ? rc : agentfile_remove(env->run_fd, name, ".stopped", e);
}

/* what the keeper is to run: what was ended in home, or by the profile that is named */
static int write_run(struct op_env *env, const struct step *step, const char *name, struct err *e)
{
	bool is_named = step->n_words >= 8 && strcmp(step->words[6], "by") == 0;
	const struct agents_program *program = agents_program_find(step->words[1]);
	struct agentfile run = { 0 };
	struct err why;

	int rc = is_named ? -ENOENT : agentfile_read(env->run_fd, name, ".stopped", &run, &why);
	if (rc < 0 && rc != -ENOENT) {
		*e = why;
		return rc;
	}
	if (!is_named && !program)
		return err_say(e, EINVAL, "%s is no agent that wgns knows", step->words[1]);
	(void)snprintf(run.program, sizeof(run.program), "%.31s", step->words[1]);
	(void)snprintf(run.device, sizeof(run.device), "%.15s", step->words[3]);
	(void)snprintf(run.profile, sizeof(run.profile), "%.71s",
		       is_named ? step->words[7] : program->profile);
	rc = agentfile_write(env->run_fd, ".run", &run, e);
	agentfile_free(&run);
	return rc;
}

static int make_leases(const struct op_env *env, struct err *e)
{
	struct err why;
	int rc = state_mkdir(env->run_fd, AGENTFILE_LEASES, 0755, 0, &why);

	if (rc == 0 || rc == -EEXIST)
		return 0;
	*e = why;
	return rc;
}

/* "agent.start dhclient for eth0 in physical", and " by PROFILE" */
int agent_start_run(struct op_env *env, const struct step *step, struct err *e)
{
	char name[AGENTFILE_NAME_MAX];
	struct agentfile_keeper keeper;

	agentfile_name(step->words[1], step->words[3], name);
	/* a card that was away and came back: its keeper has waited for it */
	if (agentfile_read_keeper(env->run_fd, name, &keeper) == 0)
		return 0;
	int rc = make_leases(env, e);
	if (rc == 0)
		rc = write_run(env, step, name, e);
	return rc < 0 ? rc : op_agent_spawn(env, name, false, e);
}

int op_agent_kill_left(const struct op_env *env, const char *name, struct err *e)
{
	struct netns_proc procs[LEFT_MAX];
	struct netns_id physical;

	if (env->physical_fd < 0)
		return 0;
	int rc = netns_identify(env->physical_fd, &physical, e);
	for (int round = 0; rc == 0 && round < LEFT_ROUNDS; round++) {
		size_t kept = 0;
		long n = netns_procs(&physical, procs, LEFT_MAX, e);
		for (long i = 0; i < n && i < LEFT_MAX; i++) {
			if (procs[i].uid == 0 && agentfile_is_agents(procs[i].pid, name))
				procs[kept++] = procs[i];
		}
		if (n < 0)
			return (int)n;
		if (!kept)
			return 0;
		rc = netns_kill(procs, kept, 0, e);
	}
	return rc < 0 ? rc
		      : err_say(e, EBUSY, "processes of %s start faster than they can be ended",
				name);
}

int op_agent_end_keeper(const struct op_env *env, const char *name, int grace_ms, struct err *e)
{
	struct agentfile_keeper keeper;

	if (agentfile_read_keeper(env->run_fd, name, &keeper) < 0)
		return 0;
	const struct netns_proc proc = { .pid = keeper.pid,
					 .start_time = keeper.start_time,
					 .comm = "wgns agent" };
	int rc = netns_kill(&proc, 1, grace_ms, e);
	(void)waitpid(keeper.pid, NULL, WNOHANG); /* ours when `up` rolls back, init's else */
	return rc;
}

int op_agent_forget(const struct op_env *env, const char *name, struct err *e)
{
	static const char *const suffixes[] = { ".run", ".state", ".resolv", ".log", ".keeper" };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		rc = agentfile_remove(env->run_fd, name, suffixes[i], e);
	return rc;
}

static int forget_lease(const struct op_env *env, const char *device, struct err *e)
{
	char path[sizeof(AGENTFILE_LEASES) + IFNAMSIZ + 1];

	(void)snprintf(path, sizeof(path), AGENTFILE_LEASES "/%.15s", device);
	return unlinkat(env->run_fd, path, 0) < 0 && errno != ENOENT
		       ? err_set(e, errno, "remove " STATE_DIR "/%s", path)
		       : 0;
}

int agent_start_undo(struct op_env *env, const struct step *step, struct err *e)
{
	char name[AGENTFILE_NAME_MAX];

	agentfile_name(step->words[1], step->words[3], name);
	int rc = op_agent_end_keeper(env, name, KEEPER_END_MS, e);
	if (rc == 0)
		rc = op_agent_kill_left(env, name, e);
	if (rc == 0)
		rc = forget_lease(env, step->words[3], e);
	return rc < 0 ? rc : op_agent_forget(env, name, e);
}
