// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "change_internal.h"
#include "wgns/dns.h"
#include "wgns/fd.h"
#include "wgns/group.h"
#include "wgns/host.h"
#include "wgns/host_agents.h"
#include "wgns/op.h"
#include "wgns/str.h"

/* /run/wgns and what is known, or -1 while there is nothing yet */
static int open_state(int *run_fd, struct err *e)
{
	struct err why;
	int fd = state_open(false, &why);

	if (fd == -ENOENT) {
		*run_fd = -1;
		return 0;
	}
	if (fd < 0) {
		*e = why;
		return fd;
	}
	*run_fd = fd;
	return 0;
}

int change_check_mounts(struct err *e)
{
	int is_init = netns_mount_is_init(e);

	if (is_init < 0)
		return is_init;
	if (is_init)
		return 0;
	err_say(e, EPERM,
		"this is not the machine's own mount namespace: nobody else could enter what is "
		"pinned here");
	err_hint(e, "a systemd unit with ProtectSystem=, PrivateTmp= or the like makes one; run "
		    "wgns outside of it");
	return err_as(e, ERR_KIND_MACHINE);
}

static int make_plan(const struct change_up *up, int run_fd, struct plan *out,
		     const struct backend **backend, char why[256], struct err *e)
{
	struct backend_device dev = { 0 };
	struct host host = { 0 };
	struct plan_session sessions[PLAN_SESSIONS_MAX];
	struct err why_not;
	gid_t ignored;
	struct plan_request rq = {
		.conf = up->conf,
		.uplinks = up->uplinks,
		.n_uplinks = up->n_uplinks,
		.may_run_hooks = up->may_run_hooks,
		.untrusted = up->file->untrusted,
		.dns = dns_manager_name(dns_detect()),
		.group = up->group,
		.has_group = group_find(up->group, &ignored, &why_not) == 0,
		.kill_switch = up->kill_switch,
		.has_lan = up->has_lan,
		.agent = up->agent,
		.agents = up->agents,
		.n_agents = up->n_agents,
		.should_watch = up->should_watch,
		.wait_s = up->wait_s,
		.confirm_s = up->confirm_s,
		.should_force = up->should_force,
		.sessions = sessions,
	};

	int rc = change_check_mounts(e);
	if (rc < 0)
		return rc;
	(void)snprintf(dev.daemon, sizeof(dev.daemon), "%s", up->daemon);
	rc = backend_choose(up->backend, &dev, backend, why, e);
	if (rc < 0)
		return err_as(e, ERR_KIND_MACHINE);
	rq.backend = (*backend)->name;
	rc = host_read(run_fd, up->uplinks, up->n_uplinks, &host, e);
	if (rc == 0)
		rc = host_read_agents(up->agents, up->n_agents, up->profile_dirs,
				      up->n_profile_dirs, &host.agents, e);
	if (rc == 0)
		rc = host_read_units(up->agent, up->agents, up->n_agents, &host, e);
	if (rc == 0)
		rq.n_sessions = sessions_find(up, &host, sessions);
	if (rc == 0)
		rc = plan_up(&rq, &host, out, e);
	host_free(&host);
	return rc;
}

int change_plan(const struct change_up *up, struct plan *out, char why_backend[256], struct err *e)
{
	const struct backend *backend;
	AUTO_FD int run_fd = -1;
	int rc = open_state(&run_fd, e);

	return rc < 0 ? rc : make_plan(up, run_fd, out, &backend, why_backend, e);
}

int change_birth_name(char out[IFNAMSIZ], struct err *e)
{
	unsigned char random[4];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return err_set(e, errno, "read random numbers");
	(void)snprintf(out, IFNAMSIZ, "wgns%02x%02x%02x%02x", random[0], random[1], random[2],
		       random[3]);
	return 0;
}

static int describe_tunnel(const struct change_up *up, struct op_env *env, struct err *e)
{
	struct state_tunnel *t = &env->tunnel;
	char absolute[PATH_MAX];

	*t = (struct state_tunnel){ .place = CHANGE_PLACE,
				    .layout = "physical",
				    .birthplace = OP_PHYSICAL };
	(void)snprintf(t->backend, sizeof(t->backend), "%s", env->backend->name);
	if (up->conf->n_dns)
		(void)snprintf(t->dns, sizeof(t->dns), "%s", dns_manager_name(dns_detect()));
	(void)snprintf(t->device.name, sizeof(t->device.name), "%s", up->conf->name);
	if (strcmp(env->backend->name, "userspace") == 0) {
		(void)snprintf(t->device.daemon, sizeof(t->device.daemon), "%s", up->daemon);
		(void)snprintf(t->device.log_path, sizeof(t->device.log_path),
			       STATE_DIR "/tunnel/" CHANGE_PLACE ":%s/daemon.log", up->conf->name);
	}
	if (!realpath(up->path, absolute))
		return err_set(e, errno, "find %s", up->path);
	(void)snprintf(t->file, sizeof(t->file), "%s", absolute);
	int rc = netns_identify(env->home_fd, &t->home, e);
	if (rc == 0 && env->physical_fd >= 0)
		rc = netns_identify(env->physical_fd, &t->birth, e);
	return rc < 0 ? rc : change_birth_name(t->device.birth_name, e);
}

static int write_plan(const struct op_env *env, int dir_fd, size_t first, size_t end, struct err *e)
{
	struct journal_entries plan = { calloc(end - first + 1, sizeof(*plan.items)), 0 };

	if (!plan.items)
		return err_set(e, ENOMEM, "write the plan");
	for (size_t i = first; i < end; i++)
		plan.items[plan.n++] = (struct journal_entry){
			.n = (unsigned)i + 1,
			.text = env->plan->steps[i].text,
		};
	int rc = journal_plan_write(dir_fd, &env->tunnel.home, &plan, e);
	free(plan.items); /* the texts are the steps' */
	return rc;
}

/* a folder with the plan of steps @first up to @end, and a journal that has room for them */
static int make_folder(struct op_env *env, const char *path, size_t first, size_t end,
		       struct journal *journal, struct err *e)
{
	size_t text_len = 0;
	int rc = state_mkdir(env->run_fd, path, 0700, 0, e);

	if (rc < 0)
		return rc;
	for (size_t i = first; i < end; i++)
		text_len += strlen(env->plan->steps[i].text);
	AUTO_FD int dir_fd = state_openat(env->run_fd, path, O_RDONLY | O_DIRECTORY, e);
	if (dir_fd < 0)
		return dir_fd;
	rc = journal_create(dir_fd, end - first, text_len, journal, e);
	return rc < 0 ? rc : write_plan(env, dir_fd, first, end, e);
}

static int make_parent(int run_fd, const char *path, unsigned mode, struct err *e)
{
	struct err why;
	int rc = state_mkdir(run_fd, path, mode, 0, &why);

	if (rc == 0 || rc == -EEXIST)
		return 0;
	*e = why;
	return rc;
}

/* everything that the steps write into is there before the first of them */
static int begin(const struct change_up *up, struct op_env *env, struct journal *layout,
		 struct journal *own, struct err *e)
{
	const struct plan *plan = env->plan;
	char path[STATE_PLACE_MAX + IFNAMSIZ + 16];

	state_tunnel_path(CHANGE_PLACE, up->conf->name, path, sizeof(path));
	int rc = make_parent(env->run_fd, "tunnel", 0755, e);
	if (rc == 0)
		rc = make_parent(env->run_fd, "box", 0755, e);
	if (rc == 0)
		rc = make_folder(env, path, plan->n_layout, plan->n, own, e);
	if (rc == 0)
		rc = state_tunnel_write(env->run_fd, &env->tunnel, e);
	AUTO_FD int dir_fd =
		rc == 0 ? state_openat(env->run_fd, path, O_RDONLY | O_DIRECTORY, e) : -1;
	if (rc == 0)
		rc = dir_fd < 0 ? dir_fd
				: fd_replace_file_at(dir_fd, CHANGE_COPY, up->file->text,
						     up->file->len, 0600, e);
	if (rc == 0 && plan->n_layout)
		rc = make_folder(env, OP_BOX_PATH, 0, plan->n_layout, layout, e);
	if (rc == 0 && plan->n_layout)
		rc = state_uplinks_write(env->run_fd, up->uplinks, up->n_uplinks, e);
	if (rc == 0 && plan->n_layout)
		rc = agents_remember(env->run_fd, plan, e);
	return rc;
}

static int run(struct op_env *env, const struct change_talk *talk, struct journal *layout,
	       struct journal *own, struct err *e)
{
	const struct plan *plan = env->plan;
	struct engine en = {
		.env = env,
		.report = talk->step,
		.report_ctx = talk->ctx,
		.should_stop = talk->should_stop,
		.fault = talk->fault,
	};

	int rc = engine_run(&en, layout, plan, 0, plan->n_layout, e);
	if (rc == 0)
		rc = engine_run(&en, own, plan, plan->n_layout, plan->n, e);
	if (rc < 0)
		return rc;
	env->tunnel.since = time(NULL);
	rc = state_tunnel_write(env->run_fd, &env->tunnel, e);
	if (rc < 0)
		env->tunnel.since = 0;
	else
		confirm_answer(env);
	return rc;
}

/* Return: the error of @e, its kind saying whether all was undone */
static int roll_back(struct op_env *env, const struct change_talk *talk, bool has_layout,
		     struct err *e)
{
	char path[STATE_PLACE_MAX + IFNAMSIZ + 16];
	struct err why;
	int code = -e->code;

	e->kind = ERR_KIND_FAILED; /* something was touched, and is undone now */
	env->is_rollback = !env->has_asked;
	state_tunnel_path(CHANGE_PLACE, env->tunnel.device.name, path, sizeof(path));
	/* it was up, PostUp has done what it does, a firewall without a way out for example */
	if (env->has_asked)
		confirm_run_hooks(env, WGQUICK_PRE_DOWN, "PreDown", talk);
	long n_left = change_undo(env, talk, path, &why);
	if (env->has_asked && n_left >= 0)
		confirm_run_hooks(env, WGQUICK_POST_DOWN, "PostDown", talk);
	bool is_kept = has_layout && change_is_kept(env);
	has_layout = has_layout && !is_kept;
	long n_layout_left = has_layout ? change_undo(env, talk, OP_BOX_PATH, &why) : 0;
	if (n_left == 0 && n_layout_left == 0) {
		int rc = has_layout ? state_remove_tree(env->run_fd, OP_BOX_PATH, &why) : 0;
		if (rc == 0)
			rc = state_remove_tree(env->run_fd, path, &why);
		if (rc == 0 && talk->step && !is_kept)
			talk->step(talk->ctx, ENGINE_ALL_UNDONE, "", NULL);
		if (rc == 0)
			return code;
		n_left = 1;
		if (talk->step)
			talk->step(talk->ctx, ENGINE_UNDO_FAILED, "remove what was recorded", &why);
	} else if ((n_left < 0 || n_layout_left < 0) && talk->step) {
		talk->step(talk->ctx, ENGINE_UNDO_FAILED, "read the journal", &why);
	}
	err_hint(e, "what is named above is left; when it is mended, `wgns down %s` does the rest",
		 env->tunnel.device.name);
	return err_as(e, ERR_KIND_REMAINS);
}

static int up_locked(const struct change_up *up, const struct change_talk *talk, int run_fd,
		     char why_backend[256], struct err *e)
{
	struct journal layout = { .fd = -1 }, own = { .fd = -1 };
	struct plan plan = { 0 };
	struct op_env env;
	const struct backend *backend;

	int rc = make_plan(up, run_fd, &plan, &backend, why_backend, e);
	if (rc < 0)
		return rc;
	for (size_t i = 0; talk->note && i < plan.n_warnings; i++)
		talk->note(talk->ctx, plan.warnings[i]);
	rc = change_env(run_fd, talk, &env, e);
	env.backend = backend;
	env.conf = up->conf;
	env.plan = &plan;
	env.group = up->group;
	env.profile_dirs = up->profile_dirs;
	env.n_profile_dirs = up->n_profile_dirs;
	env.resolve_retries = up->resolve_retries;
	if (rc == 0)
		rc = describe_tunnel(up, &env, e);
	if (rc == 0) {
		rc = begin(up, &env, &layout, &own, e);
		if (rc == 0)
			rc = run(&env, talk, &layout, &own, e);
		if (rc < 0)
			rc = roll_back(&env, talk, plan.n_layout > 0, e);
	}
	journal_close(&layout);
	journal_close(&own);
	op_env_close(&env);
	plan_free(&plan);
	return rc;
}

int change_up(const struct change_up *up, const struct change_talk *talk, char why_backend[256],
	      struct err *e)
{
	int run_fd, lock_fd;
	int rc = change_enter(true, talk, &run_fd, &lock_fd, e);

	if (rc < 0)
		return rc;
	change_sweep(run_fd, talk);
	rc = up_locked(up, talk, run_fd, why_backend, e);
	state_leave(&run_fd, &lock_fd);
	return rc;
}
