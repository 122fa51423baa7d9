/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine - running steps, and undoing them
 *
 * A step is written to the journal, run, and marked. Rollback, `down` and the clean-up after a crash are the same
 * function: it walks a journal backwards and undoes what is not marked undone.
 */
#ifndef WGNS_ENGINE_H
#define WGNS_ENGINE_H

#include <stdbool.h>
#include <stddef.h>

#include "wgns/backend.h"
#include "wgns/err.h"
#include "wgns/journal.h"
#include "wgns/nl.h"
#include "wgns/plan.h"
#include "wgns/snapshot.h"
#include "wgns/state.h"
#include "wgns/wgquick.h"

/* What came of asking whoever called `up --confirm`. */
enum op_answer { OP_CONFIRMED, OP_TIMED_OUT, OP_INTERRUPTED };

/* What steps work on. Opened once; a step that changes a namespace leaves its descriptors here. */
struct op_env {
	int run_fd; /* /run/wgns */
	int home_fd; /* home's namespace */
	int physical_fd; /* physical's, -1 while there is none */
	struct nl *home_nl, *physical_nl; /* rtnetlink, opened when first used */
	struct sysctl_dirs home_dirs, physical_dirs; /* likewise */
	struct state_tunnel tunnel;
	const struct backend *backend;
	/* endpoints become known as steps run; NULL when the copy was unreadable */
	struct wgquick *conf;
	const struct plan *plan; /* NULL when undoing */
	const char *group; /* who may enter the box */
	const char *const *profile_dirs; /* where profiles are, the first has precedence */
	size_t n_profile_dirs;
	/* undoing: 1 while programs live in the box that is given up, which its seal must outlive; -1: not looked yet */
	int has_programs_left;
	bool is_step_done; /* while undoing: the step had been done, not only begun */
	bool is_rollback; /* of an `up` that failed: nothing but wgns changed anything in between; not after has_asked */
	bool should_force; /* undoing: what cannot be given back is left, whatever the reason is */
	unsigned resolve_retries; /* of endpoints that are names, as wg(8) has it */
	struct snapshot snap; /* of the uplinks in home; loaded on demand */
	bool has_snap;
	struct snapshot present; /* of the uplinks in physical, when they were about to leave it */
	bool has_present;
	void (*note)(void *ctx, const char *text); /* a warning for the user */
	bool (*should_stop)(void *ctx); /* asked while a step waits; same ctx; may be NULL */
	void *note_ctx;
	/* what a long wait waits for, again and again, then NULL: it is over; note_ctx; may be NULL */
	void (*progress)(void *ctx, const char *text);
	/* see change_talk; note_ctx; NULL: nobody can be asked */
	enum op_answer (*ask)(void *ctx, int told_fd, unsigned seconds);
	bool has_asked; /* everything was done, and others could use and change it while an answer was awaited */
	int confirmed_fd; /* who confirmed by `wgns confirm` and waits to hear that it counts; -1: nobody */
};
/** op_env_init - nothing is open; op_env_close() may follow at any time */
void op_env_init(struct op_env *env);
void op_env_close(struct op_env *env);
/** op_env_note - a warning that is no failure */
void op_env_note(const struct op_env *env, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int op_env_nl_home(struct op_env *env, struct nl **out, struct err *e);
int op_env_nl_physical(struct op_env *env, struct nl **out, struct err *e);
int op_env_dirs_home(struct op_env *env, const struct sysctl_dirs **out, struct err *e);
int op_env_dirs_physical(struct op_env *env, const struct sysctl_dirs **out, struct err *e);
/** op_env_snapshot - of the uplinks as they were in home */
int op_env_snapshot(struct op_env *env, const struct snapshot **out, struct err *e);

/*
 * An operation. @undo succeeds when there is nothing to undo, touches only what is provably ours, and may be called for a
 * step that was begun and not finished. NULL: undone by the undo of another step, which the comment in op.c names.
 */
struct op {
	const char *name;
	int (*run)(struct op_env *env, const struct step *step, struct err *e);
	int (*undo)(struct op_env *env, const struct step *step, struct err *e);
};
const struct op *op_by_name(const char *name);

/** step_parse - a step from its text; Return: 0, -EINVAL for an operation that wgns does not have, -ENOMEM */
int step_parse(const char *text, struct step *out);

enum engine_event {
	ENGINE_BEGIN,
	ENGINE_UNDO,
	ENGINE_UNDO_FAILED,
	ENGINE_RECOVERED, /* of `recover`: what a crash left is gone; the text says what it was */
	ENGINE_ALL_UNDONE, /* of a failed `up`; the text is that of no step */
};

struct engine {
	struct op_env *env;
	/* what happens, for -v; @e only with ENGINE_UNDO_FAILED */
	void (*report)(void *ctx, enum engine_event event, const char *text, const struct err *e);
	void *report_ctx;
	bool (*should_stop)(void *ctx); /* asked between steps: the user pressed Ctrl-C */
	const char *fault; /* only in a -DWGNS_FAULTS build: "before:3", see fault.h */
	unsigned n_before; /* steps that the journal has already, when a plan is run behind them */
};

/**
 * engine_run - the steps @first up to, not including, @end of a plan
 *
 * Stops at the first failure, which is in @e as "step 6/14 link.move eth0 -> physical: ..."; the caller undoes.
 */
int engine_run(struct engine *en, struct journal *journal, const struct plan *plan, size_t first,
	       size_t end, struct err *e);

/**
 * engine_undo - everything in the journal that is not undone, last first
 *
 * Goes on when one undo fails and when the journal cannot be written. What was planned and not begun is undone without a
 * word: nothing is found, unless the journal lost what it knew.
 * Return: 0, or how many steps could not be undone; each was reported
 */
size_t engine_undo(struct engine *en, struct journal *journal,
		   const struct journal_entries *entries);

#endif
