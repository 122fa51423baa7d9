/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WGNS_CHANGE_INTERNAL_H
#define WGNS_CHANGE_INTERNAL_H

#include "wgns/change.h"

#define CHANGE_PLACE "home"
/* in the tunnel's folder: its configuration as parsed, and that which a reload is just making of it */
#define CHANGE_COPY "config"
#define CHANGE_NEXT_COPY "config.new"

/** change_enter - state_enter(), and say so when there is somebody to wait for */
int change_enter(bool should_create, const struct change_talk *talk, int *run_fd, int *lock_fd,
		 struct err *e);

/**
 * change_sweep - while no tunnel is up: what outlived a reboot, which empties /run and not /etc
 *
 * Only where wgns itself owns /etc/resolv.conf; the lock is held. Return: there was something, and it is gone
 */
bool change_sweep(int run_fd, const struct change_talk *talk);

/** change_env - what steps work on, from the caller's namespace; close with op_env_close() */
int change_env(int run_fd, const struct change_talk *talk, struct op_env *env, struct err *e);

/** agents_remember - what plan->agents says, for devices that come later */
int agents_remember(int run_fd, const struct plan *plan, struct err *e);
/**
 * agents_adopt - steps for a device that came later
 * @link: in home; its name is that with which it moves
 * @is_before: those in front of its move, else those behind it
 */
int agents_adopt(int run_fd, const struct host *host, const struct rtnl_link *link, bool is_before,
		 struct plan *plan, struct err *e);

/** change_not_up - the error for a tunnel that nobody brought up */
int change_not_up(const char *name, struct err *e);

/** change_half_up - the error for a tunnel whose `up` was interrupted */
int change_half_up(const char *name, struct err *e);

/** change_save_live - the live configuration, safely over the file of the tunnel; env->conf has what is not live */
int change_save_live(struct op_env *env, struct err *e);

/** change_use_tunnel - what env->tunnel says: its backend, and that it is of this namespace */
int change_use_tunnel(struct op_env *env, struct err *e);

/** change_read_copy - a copy of the configuration of the tunnel @name; Return: 0, -ENOENT, -errno */
int change_read_copy(int dir_fd, const char *file, const char *name, struct wgquick *conf,
		     struct err *e);

/**
 * change_undo - what the journal in @folder of /run/wgns says; an absent journal says nothing
 * Return: 0, or how many steps could not be undone; -errno when the journal cannot be read
 */
long change_undo(struct op_env *env, const struct change_talk *talk, const char *folder,
		 struct err *e);

/** sessions_find - over which devices of the caller's namespace the caller's SSH connections run, into @out; Return: how many */
size_t sessions_find(const struct change_up *up, const struct host *host,
		     struct plan_session out[PLAN_SESSIONS_MAX]);

/** confirm_run_hooks - of a tunnel that was up and that nobody confirmed; all of @kind together have 10 seconds */
void confirm_run_hooks(struct op_env *env, enum wgquick_hook kind, const char *word,
		       const struct change_talk *talk);
/** confirm_answer - tell whoever confirmed that the tunnel is up for good; nobody there: nothing happens */
void confirm_answer(struct op_env *env);

/** change_run_hooks - those of @kind, each shown before; one that fails is said, and the rest go on; Return: false when one failed */
bool change_run_hooks(struct op_env *env, enum wgquick_hook kind, const char *word,
		      const struct change_talk *talk);

/** change_check - does the journal in @folder, or the plan beside it, tell all that was done? Changes nothing; absent ones do */
int change_check(struct op_env *env, const char *folder, struct err *e);

/**
 * change_guess - to what is left of a damaged journal without its plan, the steps that can be undone by identity alone
 * @folder: the layout's, or that of env->tunnel
 */
int change_guess(struct op_env *env, const char *folder, struct journal_entries *entries,
		 struct err *e);

/** change_guess_moves - to a plan without its journal, the moves of uplinks that came later: the snapshot has them */
int change_guess_moves(struct op_env *env, struct journal_entries *entries, struct err *e);

/** change_read_conf - the copy that `up` kept in @path, into @conf and env->conf */
int change_read_conf(struct op_env *env, const char *path, struct wgquick *conf, struct err *e);

/** change_check_programs - -EBUSY of kind STATE when programs live in physical; @command: what ends them, "recover --kill" */
int change_check_programs(struct op_env *env, const char *command, struct err *e);
int change_kill_programs(struct op_env *env, struct err *e);

/**
 * change_finish - hooks of `down`, everything that the journal of env->tunnel says, and its folder
 * @is_last: the layout goes with it, unless the machine goes down
 */
int change_finish(struct op_env *env, const struct change_talk *talk, bool is_last, struct err *e);

/* What recover found and did. */
struct recovery {
	struct op_env *env;
	const struct change_talk *talk;
	size_t n_done; /* things that were undone */
	size_t n_left; /* that could not be; each was reported */
};
/** recovery_done - say that something is undone; recovery_left - and that something could not be */
void recovery_done(struct recovery *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void recovery_left(struct recovery *r, const char *what, const struct err *why);

/** sweep_births - devices, daemons and sockets of birth names that no readable record has; the rest is left alone */
void sweep_births(struct recovery *r);
/** sweep_files - what was being written when its writer died: below /run/wgns, and links under /run/wireguard */
void sweep_files(struct recovery *r);
/** sweep_pins - folders bound onto themselves while there is no layout and nobody relies on them */
void sweep_pins(struct recovery *r);
/** sweep_guard - home's tables while there is no layout */
/** sweep_units - drop-ins of ours without a layout: managers that cannot start (sweep_units.c) */
void sweep_units(struct recovery *r);
void sweep_guard(struct recovery *r);

/**
 * change_is_kept - while the machine goes down the layout is not undone, and a note says so
 *
 * Who is still running in home would talk in clear by uplinks that come back; and managers are neither stopped nor started
 * by anybody but the shutdown.
 */
bool change_is_kept(const struct op_env *env);

/** change_other_users - how many tunnels beside @name were born in physical */
int change_other_users(int run_fd, const char *name, size_t *n, struct err *e);

/** change_remains - the error for steps that could not be undone, with the command that finishes it */
int change_remains(size_t n_left, const char *name, struct err *e);

/**
 * change_read_conf - the copy that `up` kept in @path of /run/wgns: the file itself may be gone, or say something else by
 * now; @conf is the caller's to free, env->conf points to it
 */
int change_read_conf(struct op_env *env, const char *path, struct wgquick *conf, struct err *e);

/** change_birth_name - a random name for a device that is born in physical */
int change_birth_name(char out[IFNAMSIZ], struct err *e);

/** change_guard_home - before the uplinks go home: the guard that `up` set is there, or is made again; notes only */
void change_guard_home(struct op_env *env);

/*
 * A small change to a tunnel that is up, by whoever watches it. The lock is not waited for: -EBUSY (kind STATE) says that
 * somebody else changes something now. -ESHUTDOWN: the tunnel is going down, or is not up yet; -ENOENT: it is gone.
 */
struct tend {
	struct op_env env;
	int run_fd, lock_fd;
	char folder[STATE_PLACE_MAX + IFNAMSIZ + 16]; /* of the tunnel, below /run/wgns */
};
/** change_tend_begin - on success env has namespaces, tunnel and backend; to be given to change_tend_end() */
int change_tend_begin(const char *name, const struct change_talk *talk, struct tend *out,
		      struct err *e);
void change_tend_end(struct tend *t);

#endif
