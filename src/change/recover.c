// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a crash left is undone by what `down` is made of: each half tunnel by its journal, then the layout when no tunnel
 * that is up needs it, then what no journal knows, found by what marks it as ours.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "change_internal.h"
#include "wgns/dns.h"
#include "wgns/fd.h"
#include "wgns/op.h"

/* what recover thinks of a tunnel */
enum verdict {
	VERDICT_UP, /* recorded in whole: not touched */
	VERDICT_HALF,
	VERDICT_DAMAGED, /* its file cannot be read */
	VERDICT_ELSEWHERE, /* half, and its home is another namespace */
};

void recovery_done(struct recovery *r, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->n_done++;
	if (r->talk->step)
		r->talk->step(r->talk->ctx, ENGINE_RECOVERED, text, NULL);
}

void recovery_left(struct recovery *r, const char *what, const struct err *why)
{
	r->n_left++;
	if (r->talk->step)
		r->talk->step(r->talk->ctx, ENGINE_UNDO_FAILED, what, why);
}

/* @t: place and name, filled up when its file can be read */
static enum verdict judge(struct op_env *env, struct state_tunnel *t, struct err *why)
{
	struct state_tunnel full;
	struct netns_id home;

	why->code = 0;
	if (state_tunnel_read(env->run_fd, t->place, t->device.name, &full, why) < 0)
		return VERDICT_DAMAGED;
	*t = full;
	if (!state_tunnel_is_half(t))
		return VERDICT_UP;
	if (netns_identify(env->home_fd, &home, why) < 0)
		return VERDICT_ELSEWHERE;
	if (netns_same(&home, &t->home))
		return VERDICT_HALF;
	err_say(why, EXDEV, "it was brought up from another network namespace");
	err_hint(why, "run `wgns recover` there");
	return VERDICT_ELSEWHERE;
}

static void undo_tunnel(struct recovery *r, const struct state_tunnel *t, enum verdict verdict,
			const struct err *damage)
{
	char path[STATE_PLACE_MAX + IFNAMSIZ + 16];
	struct op_env *env = r->env;
	struct wgquick conf = { 0 };
	struct err why;

	env->tunnel = *t;
	/* without a record there is no device to undo by: sweep_births() finds it */
	env->backend = backend_by_name(t->backend);
	if (!env->backend)
		env->backend = &backend_userspace;
	/* no file at all: it died before there was one, or when nothing else was left */
	if (verdict == VERDICT_DAMAGED && damage->code != ENOENT)
		op_env_note(env, "%s; what wgns made is found without it", damage->text);
	state_tunnel_path(t->place, t->device.name, path, sizeof(path));
	/* hooks are for a tunnel that was up */
	if (t->since && change_read_conf(env, path, &conf, &why) < 0)
		op_env_note(env, "hooks and SaveConfig are left out: %s", why.text);
	int rc = change_finish(env, r->talk, false, &why);
	wgquick_free(&conf);
	env->conf = NULL;
	if (rc == -ECHILD) { /* a hook failed, which was said */
		rc = 0;
	}
	if (rc < 0)
		recovery_left(r, t->device.name, &why);
	else
		recovery_done(r, "%s: its %s", t->device.name,
			      verdict == VERDICT_DAMAGED ? "damaged record"
			      : t->is_ending		 ? "`down` was interrupted"
							 : "`up` was interrupted");
}

static bool has_folder(const struct op_env *env, const char *path)
{
	return faccessat(env->run_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* is the layout this home's? Its plan says; without one it is that of process 1, where a machine's home is */
static int check_layout_home(struct op_env *env, struct err *e)
{
	struct journal_entries plan = { 0 };
	struct netns_id own, home;
	struct err ignored;

	int rc = netns_identify(env->home_fd, &own, e);
	if (rc < 0)
		return rc;
	AUTO_FD int dir_fd = state_openat(env->run_fd, OP_BOX_PATH, O_RDONLY | O_DIRECTORY, e);
	if (dir_fd < 0)
		return dir_fd;
	bool is_known = journal_plan_read(dir_fd, &home, &plan, &ignored) == 0;
	journal_entries_free(&plan);
	if (!is_known) {
		AUTO_FD int init_fd = netns_open_at(AT_FDCWD, "/proc/1/ns/net", e);
		if (init_fd < 0)
			return init_fd;
		rc = netns_identify(init_fd, &home, e);
	}
	if (rc < 0 || netns_same(&own, &home))
		return rc;
	err_say(e, EXDEV, "the layout physical belongs to another network namespace");
	err_hint(e, "run `wgns recover` where `wgns up` was run");
	return -EXDEV;
}

static void undo_layout(struct recovery *r)
{
	struct op_env *env = r->env;
	struct err why;

	if (change_is_kept(env))
		return;
	/* programs that live on in it rely on what hides the host's resolvers from them */
	if (env->physical_fd >= 0 &&
	    netns_identify(env->physical_fd, &env->tunnel.birth, &why) < 0) {
		recovery_left(r, "the layout physical", &why);
		return;
	}
	long n_left = change_undo(env, r->talk, OP_BOX_PATH, &why);
	if (n_left > 0) {
		r->n_left += (size_t)n_left; /* each was reported */
		return;
	}
	if (n_left < 0 || state_remove_tree(env->run_fd, OP_BOX_PATH, &why) < 0)
		recovery_left(r, "the layout physical", &why);
	else
		recovery_done(r, "the layout physical");
}

/* all that is there, and what is to be done about it */
struct survey {
	struct state_tunnel *tunnels;
	enum verdict *verdicts;
	struct err *why;
	size_t n;
	bool is_layout_used; /* by a tunnel that stays */
};

static void survey_free(struct survey *s)
{
	free(s->tunnels);
	free(s->verdicts);
	free(s->why);
}

static int survey(struct op_env *env, struct survey *s, struct err *e)
{
	int rc = state_tunnels(env->run_fd, &s->tunnels, &s->n, e);

	if (rc < 0)
		return rc;
	s->verdicts = calloc(s->n + 1, sizeof(*s->verdicts));
	s->why = calloc(s->n + 1, sizeof(*s->why));
	if (!s->verdicts || !s->why)
		return err_set(e, ENOMEM, "list the tunnels");
	for (size_t i = 0; i < s->n; i++) {
		s->verdicts[i] = judge(env, &s->tunnels[i], &s->why[i]);
		bool stays = s->verdicts[i] == VERDICT_UP || s->verdicts[i] == VERDICT_ELSEWHERE;
		if (stays && strcmp(s->tunnels[i].birthplace, OP_PHYSICAL) == 0)
			s->is_layout_used = true;
	}
	return 0;
}

static int check_programs(struct op_env *env, const struct change_recover *recover, struct err *e)
{
	if (recover->should_kill)
		return change_kill_programs(env, e);
	return recover->should_force ? 0 : change_check_programs(env, "recover --kill", e);
}

static int recover_locked(struct recovery *r, const struct change_recover *recover, struct err *e)
{
	struct op_env *env = r->env;
	struct survey s = { 0 };
	struct err why;

	int rc = survey(env, &s, e);
	bool has_layout = rc == 0 && !s.is_layout_used && has_folder(env, OP_BOX_PATH);
	bool is_ours = has_layout && check_layout_home(env, &why) == 0;
	if (has_layout && !is_ours)
		recovery_left(r, "the layout physical", &why);
	if (is_ours)
		rc = check_programs(env, recover, e);
	for (size_t i = 0; rc == 0 && i < s.n; i++) {
		if (s.verdicts[i] == VERDICT_ELSEWHERE)
			recovery_left(r, s.tunnels[i].device.name, &s.why[i]);
		else if (s.verdicts[i] != VERDICT_UP)
			undo_tunnel(r, &s.tunnels[i], s.verdicts[i], &s.why[i]);
	}
	if (rc == 0)
		sweep_births(r);
	if (rc == 0 && is_ours)
		undo_layout(r);
	if (rc == 0) {
		sweep_units(r);
		sweep_files(r);
		sweep_pins(r);
		sweep_guard(r);
	}
	survey_free(&s);
	return rc;
}

int change_recover(const struct change_recover *recover, const struct change_talk *talk,
		   size_t *n_done, struct err *e)
{
	struct op_env env;
	struct recovery r = { .env = &env, .talk = talk };
	int run_fd, lock_fd;

	int rc = change_enter(true, talk, &run_fd, &lock_fd, e);
	if (rc < 0)
		return rc;
	rc = change_env(run_fd, talk, &env, e);
	env.should_force = recover->should_force;
	if (rc == 0)
		rc = recover_locked(&r, recover, e);
	if (rc == 0 && change_sweep(run_fd, talk))
		recovery_done(&r, "/etc/resolv.conf");
	op_env_close(&env);
	state_leave(&run_fd, &lock_fd);
	if (rc < 0)
		return rc;
	*n_done = r.n_done;
	if (!r.n_left)
		return 0;
	err_say(e, EIO, "%zu thing%s could not be undone", r.n_left, r.n_left == 1 ? "" : "s");
	err_hint(e, "when what is named above is mended, `wgns recover` does the rest");
	return err_as(e, ERR_KIND_REMAINS);
}
