// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * reload as a whole
 *
 * While it runs, the folder of the tunnel has the next copy of the configuration beside the present one. Whoever finds
 * both knows that a reload died, and compares with both. Last they change places, and the older one is removed.
 */
#include "reload_run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "change_internal.h"
#include "wgns/fault.h"
#include "wgns/fd.h"
#include "wgns/str.h"

static void tell(const struct change_talk *talk, enum engine_event event, const char *text,
		 const struct err *e)
{
	if (talk->step)
		talk->step(talk->ctx, event, text, e);
}

static void tell_phase(const struct reload *r, const struct change_talk *talk,
		       enum engine_event event, enum reload_phase phase)
{
	for (size_t i = 0; i < r->plan.n_lines; i++) {
		if (r->plan.lines[i].phase == phase)
			tell(talk, event, r->plan.lines[i].text, NULL);
	}
}

static int begin(struct reload *r, const struct change_reload *rq, int run_fd,
		 const struct change_talk *talk, struct err *e)
{
	*r = (struct reload){ .rq = rq, .dir_fd = -1 };
	int rc = change_env(run_fd, talk, &r->env, e);
	r->env.resolve_retries = rq->resolve_retries;
	return rc < 0 ? rc : reload_read(r, e);
}

/* names are looked up and the next copy is written before anything is touched */
static int prepare(struct reload *r, struct err *e)
{
	int rc = op_tunnel_resolve(&r->env, &r->plan.want, e);

	if (rc == 0 && wg_diff(&r->plan.want, &r->live, &r->diff) < 0)
		rc = err_set(e, ENOMEM, "compare the peers");
	if (rc == 0 && !realpath(r->rq->path, r->path))
		rc = err_set(e, errno, "find %s", r->rq->path);
	if (rc < 0)
		return rc;
	return fd_replace_file_at(r->dir_fd, CHANGE_NEXT_COPY, r->rq->file->text, r->rq->file->len,
				  0600, e);
}

/* whoever finds the old copy beside the new one compares with both, and that is right at any moment */
static int exchange_copies(struct reload *r, struct err *e)
{
	if (renameat2(r->dir_fd, CHANGE_NEXT_COPY, r->dir_fd, CHANGE_COPY, RENAME_EXCHANGE) < 0)
		return err_set(e, errno, "record the configuration");
	r->is_recorded = !r->is_recorded;
	return 0;
}

/* SaveConfig and status go by the file that was read last */
static int record(struct reload *r, struct err *e)
{
	if (strcmp(r->path, r->env.tunnel.file) != 0) {
		memcpy(r->env.tunnel.file, r->path, sizeof(r->env.tunnel.file));
		int rc = state_tunnel_write(r->env.run_fd, &r->env.tunnel, e);
		if (rc < 0)
			return rc;
	}
	return exchange_copies(r, e);
}

/* @n: which one it is among those that have something to do, from 1, for faults */
static int run_phase(struct reload *r, const struct change_talk *talk, enum reload_phase phase,
		     unsigned n, struct err *e)
{
	if (talk->should_stop && talk->should_stop(talk->ctx))
		return err_say(e, EINTR, "interrupted");
	tell_phase(r, talk, ENGINE_BEGIN, phase);
	int rc = fault_at(talk->fault, FAULT_BEFORE, n, e);
	if (rc == 0)
		rc = phase == RELOAD_N_PHASES ? record(r, e) : reload_do(r, phase, e);
	return rc < 0 ? rc : fault_at(talk->fault, FAULT_AFTER, n, e);
}

/* last first, beginning with the phase that failed, which may be half done; Return: how many are left */
static size_t undo_phases(struct reload *r, const struct change_talk *talk, unsigned failed,
			  unsigned n)
{
	size_t n_left = 0;
	struct err why;

	for (unsigned i = failed + 1; i-- > 0;) {
		enum reload_phase phase = (enum reload_phase)i;
		if (phase == RELOAD_N_PHASES || !reload_has_phase(r, phase)) {
			n -= phase == RELOAD_N_PHASES;
			continue;
		}
		tell_phase(r, talk, ENGINE_UNDO, phase);
		int rc = fault_at(talk->fault, FAULT_UNDO, n, &why);
		if (rc == 0)
			rc = reload_put_back(r, phase, &why);
		if (rc == 0)
			(void)fault_at(talk->fault, FAULT_UNDONE, n, &why); /* only to be killed */
		n_left += rc < 0;
		if (rc < 0)
			tell(talk, ENGINE_UNDO_FAILED, "a part of the reload", &why);
		n--;
	}
	return n_left;
}

static int roll_back(struct reload *r, const struct change_talk *talk, unsigned failed, unsigned n,
		     struct err *e)
{
	const char *name = r->rq->conf->name;
	struct err why;

	e->kind = ERR_KIND_FAILED;
	if (r->is_recorded && exchange_copies(r, &why) < 0)
		tell(talk, ENGINE_UNDO_FAILED, "record the configuration", &why);
	if (undo_phases(r, talk, failed, n) == 0 && !r->is_recorded &&
	    (unlinkat(r->dir_fd, CHANGE_NEXT_COPY, 0) == 0 || errno == ENOENT)) {
		tell(talk, ENGINE_ALL_UNDONE, "", NULL);
		return -e->code;
	}
	err_hint(
		e,
		"when what is named above is mended, `wgns reload %s` does the rest, or `wgns down "
		"%s` ends it",
		name, name);
	return err_as(e, ERR_KIND_REMAINS);
}

static int run(struct reload *r, const struct change_talk *talk, struct err *e)
{
	struct err why;
	unsigned n = 0;
	int rc = prepare(r, e);

	if (rc < 0)
		return rc;
	for (unsigned phase = 0; phase <= RELOAD_N_PHASES; phase++) {
		if (phase < RELOAD_N_PHASES && !reload_has_phase(r, (enum reload_phase)phase))
			continue;
		n++;
		rc = run_phase(r, talk, (enum reload_phase)phase, n, e);
		if (rc < 0)
			return roll_back(r, talk, phase, n, e);
	}
	/* one that stays makes the next reload compare with more than it has to, and that is all */
	(void)unlinkat(r->dir_fd, CHANGE_NEXT_COPY, 0);
	/* an open port behind which there is no socket is worth a word, and no more */
	if (reload_close_old_port(r, &why) < 0)
		op_env_note(&r->env, "%s", why.text);
	return 0;
}

int change_reload_plan(const struct change_reload *reload, struct reload_plan *out, struct err *e)
{
	const struct change_talk silent = { 0 };
	struct reload r;
	struct err why;

	AUTO_FD int run_fd = state_open(false, &why);
	if (run_fd == -ENOENT)
		return change_not_up(reload->conf->name, e);
	if (run_fd < 0) {
		*e = why;
		return run_fd;
	}
	int rc = begin(&r, reload, run_fd, &silent, e);
	if (rc == 0) {
		*out = r.plan;
		str_wipe(&r.plan, sizeof(r.plan));
	}
	reload_free(&r);
	return rc;
}

int change_reload(const struct change_reload *reload, const struct change_talk *talk,
		  size_t *n_changes, struct err *e)
{
	int run_fd, lock_fd;
	struct reload r;
	struct err why;

	int rc = change_enter(false, talk, &run_fd, &lock_fd, &why);
	if (rc == -ENOENT)
		return change_not_up(reload->conf->name, e);
	if (rc < 0) {
		*e = why;
		return rc;
	}
	rc = begin(&r, reload, run_fd, talk, e);
	for (size_t i = 0; rc == 0 && talk->note && i < r.plan.n_notes; i++)
		talk->note(talk->ctx, r.plan.notes[i]);
	if (rc == 0)
		rc = run(&r, talk, e);
	if (rc == 0)
		*n_changes = r.plan.n_lines;
	reload_free(&r);
	state_leave(&run_fd, &lock_fd);
	return rc;
}
