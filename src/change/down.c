// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "change_internal.h"
#include "wgns/fd.h"
#include "wgns/hook.h"
#include "wgns/op.h"
#include "wgns/programs.h"
#include "wgns/str.h"

#define KILL_GRACE_MS 3000
#define KILL_ROUNDS 1024 /* of PROGRAMS_MAX programs each */

/* the copy that `up` kept: the file itself may be gone, or say something else by now */
int change_read_conf(struct op_env *env, const char *path, struct wgquick *conf, struct err *e)
{
	AUTO_FD int dir_fd = state_openat(env->run_fd, path, O_RDONLY | O_DIRECTORY, e);
	if (dir_fd < 0)
		return dir_fd;
	int rc = change_read_copy(dir_fd, CHANGE_COPY, env->tunnel.device.name, conf, e);
	if (rc == 0)
		env->conf = conf;
	return rc;
}

/* hooks of `down` never stop it: uplinks must not be stranded because a command failed */
bool change_run_hooks(struct op_env *env, enum wgquick_hook kind, const char *word,
		      const struct change_talk *talk)
{
	bool is_good = true;
	char text[512];
	struct err why;

	for (size_t i = 0; env->conf && i < env->conf->n_hooks[kind]; i++) {
		const char *command = env->conf->hooks[kind][i];

		(void)snprintf(text, sizeof(text), "hook.run %s %zu: %s", word, i + 1, command);
		if (talk->step)
			talk->step(talk->ctx, ENGINE_BEGIN, text, NULL);
		if (hook_run(command, env->tunnel.device.name, env->home_fd, &why) == 0)
			continue;
		is_good = false;
		op_env_note(env, "%s %zu failed, and down goes on: %s", word, i + 1, why.text);
	}
	return is_good;
}

/* who lives in physical beside the daemons of wgns */
static int find_procs(struct op_env *env, struct netns_proc procs[PROGRAMS_MAX], size_t *n,
		      struct err *e)
{
	struct netns_id id;

	*n = 0;
	if (env->physical_fd < 0)
		return 0;
	int rc = netns_identify(env->physical_fd, &id, e);
	return rc < 0 ? rc : programs_find(env->run_fd, &id, procs, n, e);
}

int change_check_programs(struct op_env *env, const char *command, struct err *e)
{
	AUTO_STRBUF struct strbuf list = { 0 };
	struct netns_proc procs[PROGRAMS_MAX];
	size_t n = 0;

	int rc = find_procs(env, procs, &n, e);
	if (rc < 0 || !n)
		return rc;
	for (size_t i = 0; i < n && i < 8; i++)
		strbuf_addf(&list, "%s%s (%d)", i ? ", " : "", procs[i].comm, (int)procs[i].pid);
	if (n > 8)
		strbuf_addf(&list, " and more");
	err_say(e, EBUSY, "programs still run in physical: %s", list.s ? list.s : "?");
	err_hint(e, "end them, or `wgns %s` ends them; --force leaves them without a network",
		 command);
	return err_as(e, ERR_KIND_STATE);
}

/* programs that were started meanwhile are ended too: what is looked at is the namespace, not the list */
int change_kill_programs(struct op_env *env, struct err *e)
{
	struct netns_proc procs[PROGRAMS_MAX];
	size_t n = 0;

	for (int round = 0; round < KILL_ROUNDS; round++) {
		int rc = find_procs(env, procs, &n, e);
		if (rc < 0 || !n)
			return rc;
		rc = netns_kill(procs, n, KILL_GRACE_MS, e);
		if (rc < 0)
			return rc;
	}
	return err_say(e, EBUSY, "programs in physical start faster than they can be ended");
}

/* run once, however often `down` has to be tried; Return: false when one failed */
static bool run_hooks_once(struct op_env *env, unsigned which, const struct change_talk *talk)
{
	bool is_pre = which == STATE_PRE_DOWN;
	struct err why;

	if (!env->tunnel.since || env->tunnel.hooks_run & which)
		return true;
	env->tunnel.hooks_run |= which;
	env->tunnel.is_ending = true; /* written before anything is undone: no longer is it up */
	if (state_tunnel_write(env->run_fd, &env->tunnel, &why) < 0)
		op_env_note(env, "%s may run again: %s", is_pre ? "PreDown" : "PostDown", why.text);
	bool is_good = change_run_hooks(env, is_pre ? WGQUICK_PRE_DOWN : WGQUICK_POST_DOWN,
					is_pre ? "PreDown" : "PostDown", talk);
	if (is_pre && env->conf && env->conf->should_save && change_save_live(env, &why) < 0)
		op_env_note(env, "SaveConfig: %s", why.text);
	return is_good;
}

/* something is undone by now: whatever fails from here on leaves something */
static int remains(const struct op_env *env, struct err *e)
{
	if (!e->hint[0])
		err_hint(e, "when that is mended, `wgns down %s` does the rest",
			 env->tunnel.device.name);
	return err_as(e, ERR_KIND_REMAINS);
}

int change_finish(struct op_env *env, const struct change_talk *talk, bool is_last, struct err *e)
{
	const char *name = env->tunnel.device.name;
	char path[STATE_PLACE_MAX + IFNAMSIZ + 16];

	state_tunnel_path(CHANGE_PLACE, name, path, sizeof(path));
	bool is_good = run_hooks_once(env, STATE_PRE_DOWN, talk);
	long n_left = change_undo(env, talk, path, e);
	if (n_left < 0)
		return remains(env, e);
	is_good = run_hooks_once(env, STATE_POST_DOWN, talk) && is_good;
	is_last = is_last && !change_is_kept(env);
	/* the layout goes with its last tunnel; programs that came meanwhile are left without a network */
	long n_layout_left = is_last ? change_undo(env, talk, OP_BOX_PATH, e) : 0;
	if (n_layout_left < 0)
		return remains(env, e);
	if (n_left + n_layout_left > 0)
		return change_remains((size_t)(n_left + n_layout_left), name, e);
	int rc = is_last ? state_remove_tree(env->run_fd, OP_BOX_PATH, e) : 0;
	if (rc == 0)
		rc = state_remove_tree(env->run_fd, path, e);
	if (rc < 0)
		return remains(env, e);
	return is_good ? 0 : err_say(e, ECHILD, "it is down, and a hook failed");
}

/* what `up` recorded; one that died before it recorded anything left an empty folder */
static int read_tunnel(struct op_env *env, const char *name, struct err *e)
{
	char path[STATE_PLACE_MAX + IFNAMSIZ + 16];
	struct err why;

	state_tunnel_path(CHANGE_PLACE, name, path, sizeof(path));
	int rc = state_tunnel_read(env->run_fd, CHANGE_PLACE, name, &env->tunnel, &why);
	if (rc == -ENOENT) {
		AUTO_FD int fd = state_openat(env->run_fd, path, O_RDONLY | O_DIRECTORY, &why);
		if (fd < 0)
			return change_not_up(name, e);
		rc = state_remove_tree(env->run_fd, path, e);
		return rc < 0 ? rc : change_not_up(name, e);
	}
	if (rc < 0) {
		*e = why;
		err_hint(e, "`wgns recover` gives back what can be told without it");
		return rc;
	}
	return change_use_tunnel(env, e);
}

/* both are read before anything is touched: half a `down` is worse than none */
static int check_journals(struct op_env *env, const char *name, bool is_last, struct err *e)
{
	char path[STATE_PLACE_MAX + IFNAMSIZ + 16];

	state_tunnel_path(CHANGE_PLACE, name, path, sizeof(path));
	int rc = change_check(env, path, e);
	return rc < 0 || !is_last ? rc : change_check(env, OP_BOX_PATH, e);
}

static int take_down(struct op_env *env, const struct change_down *down,
		     const struct change_talk *talk, struct err *e)
{
	char path[STATE_PLACE_MAX + IFNAMSIZ + 16], command[IFNAMSIZ + 16];
	struct wgquick conf = { 0 };
	size_t n_users = 0;
	struct err why;

	int rc = read_tunnel(env, down->name, e);
	if (rc == 0)
		rc = change_other_users(env->run_fd, down->name, &n_users, e);
	(void)snprintf(command, sizeof(command), "down --kill %s", down->name);
	if (rc == 0 && !n_users && !down->should_kill && !down->should_force)
		rc = change_check_programs(env, command, e);
	if (rc == 0)
		rc = check_journals(env, down->name, n_users == 0, e);
	if (rc == 0 && !n_users && down->should_kill)
		rc = change_kill_programs(env, e);
	if (rc < 0)
		return rc;
	if (n_users)
		op_env_note(env, "the uplinks stay in physical for %zu other tunnel%s", n_users,
			    n_users == 1 ? "" : "s");
	state_tunnel_path(CHANGE_PLACE, down->name, path, sizeof(path));
	if (change_read_conf(env, path, &conf, &why) < 0)
		op_env_note(env, "hooks and SaveConfig are left out: %s", why.text);
	rc = change_finish(env, talk, n_users == 0, e);
	wgquick_free(&conf);
	return rc;
}

int change_down(const struct change_down *down, const struct change_talk *talk, struct err *e)
{
	struct op_env env;
	int run_fd, lock_fd;

	/* made when it is absent, for the lock: after a reboot there may be something to sweep */
	int rc = change_enter(true, talk, &run_fd, &lock_fd, e);
	if (rc < 0)
		return rc;
	change_sweep(run_fd, talk);
	rc = change_env(run_fd, talk, &env, e);
	env.should_force = down->should_force;
	if (rc == 0)
		rc = take_down(&env, down, talk, e);
	op_env_close(&env);
	state_leave(&run_fd, &lock_fd);
	return rc;
}
