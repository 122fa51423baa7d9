/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change - `up` and `down` as a whole: the lock, the state folders, the plan, the engine, and what to say when it fails */
#ifndef WGNS_CHANGE_H
#define WGNS_CHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "wgns/engine.h"
#include "wgns/err.h"
#include "wgns/netns.h"
#include "wgns/plan.h"
#include "wgns/wgnsconf.h"
#include "wgns/wgquick.h"

/* How a change talks to whoever asked for it. */
struct change_talk {
	void *ctx;
	void (*step)(void *ctx, enum engine_event event, const char *text, const struct err *e);
	void (*note)(void *ctx, const char *text); /* a warning */
	bool (*should_stop)(void *ctx);
	const char *fault; /* see src/plan/fault.h */
};

struct change_up {
	struct wgquick *conf; /* parsed; its endpoints become known */
	const struct wgquick_file *file;
	const char *path; /* as recorded for SaveConfig and status */
	char *const *uplinks;
	size_t n_uplinks;
	const char *backend; /* "auto", "kernel", "userspace" */
	const char *daemon; /* absolute path */
	const char *group; /* who may enter the box */
	const char *const *profile_dirs; /* where profiles are, the first has precedence */
	size_t n_profile_dirs;
	bool may_run_hooks;
	unsigned resolve_retries;
	enum kill_switch kill_switch;
	bool has_lan; /* home reaches the uplinks' own networks */
	bool should_watch; /* start `wgns watch` */
	unsigned
		wait_s; /* roll back when there is no handshake after so many seconds; 0: do not wait */
	unsigned
		confirm_s; /* roll back when nobody confirms it in so many seconds; 0: do not ask */
	bool should_force; /* although the caller's SSH connection runs over an uplink that moves */
};

/** change_plan - what `up` would do; changes nothing
 * @why_backend: which backend and why */
int change_plan(const struct change_up *up, struct plan *out, char why_backend[256], struct err *e);

/**
 * change_up - do it, or leave everything as it was
 * @why_backend: on success, which backend and why
 *
 * Return: 0; or an error whose kind says what is left: FAILED everything undone, STATE and MACHINE nothing touched, REMAINS
 * some steps could not be undone (each was reported)
 */
int change_up(const struct change_up *up, const struct change_talk *talk, char why_backend[256],
	      struct err *e);

struct change_down {
	const char *name; /* of the tunnel in home */
	bool should_kill; /* programs that still run in physical */
	bool should_force; /* take the uplinks away from them */
};

struct change_recover {
	bool should_kill; /* programs that still run in physical */
	bool should_force; /* take the uplinks away from them */
};

/**
 * change_recover - undo what a crash left; a tunnel that is up is not touched
 * @n_done: how many things were undone, of which each was reported; 0: there was nothing to do
 *
 * What is recorded is undone as `down` does it; where a record is damaged, what wgns made is found by what marks it.
 * Return: 0; or an error of kind STATE (programs in physical, nothing was touched) or REMAINS
 */
int change_recover(const struct change_recover *recover, const struct change_talk *talk,
		   size_t *n_done, struct err *e);

/** change_down - from the journal alone
 * Return: as change_up(); a failed PreDown or PostDown does not stop it and is kind FAILED in the end */
int change_down(const struct change_down *down, const struct change_talk *talk, struct err *e);

#endif
