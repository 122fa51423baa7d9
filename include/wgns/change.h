/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change - `up` and `down` as a whole: the lock, the state folders, the plan, the engine, and what to say when it fails */
#ifndef WGNS_CHANGE_H
#define WGNS_CHANGE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "wgns/addr.h"
#include "wgns/engine.h"
#include "wgns/err.h"
#include "wgns/netns.h"
#include "wgns/plan.h"
#include "wgns/wgnsconf.h"
#include "wgns/wgquick.h"

struct reload_plan; /* reload.h */

/* How a change talks to whoever asked for it. */
struct change_talk {
	void *ctx;
	void (*step)(void *ctx, enum engine_event event, const char *text, const struct err *e);
	void (*note)(void *ctx, const char *text); /* a warning */
	bool (*should_stop)(void *ctx);
	/* what a long wait waits for, again and again, then NULL: it is over; may be NULL */
	void (*progress)(void *ctx, const char *text);
	/**
	 * ask - wait until somebody confirms what `up` has done, or should_stop() becomes true
	 * @told_fd: becomes readable (poll(2)) when `wgns confirm` has been called; nothing is to be read
	 */
	enum op_answer (*ask)(void *ctx, int told_fd, unsigned seconds);
	const char *fault; /* see fault.h */
};

/* The other end of a connection over which the caller works. */
struct change_client {
	struct addr addr;
	char zone[IFNAMSIZ]; /* the device, when a link-local address names one; "" */
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
	enum agent_choice agent; /* who configures the uplinks in physical */
	char *const *agents; /* AGENT_NAMED: profiles and systemd:UNIT */
	size_t n_agents;
	bool should_watch; /* start `wgns watch` */
	unsigned
		wait_s; /* roll back when there is no handshake after so many seconds; 0: do not wait */
	unsigned
		confirm_s; /* roll back when nobody confirms it in so many seconds; 0: do not ask */
	bool should_force; /* although the caller's SSH connection runs over an uplink that moves */
	const struct change_client *clients; /* of the caller's SSH connections */
	size_t n_clients; /* those behind PLAN_SESSIONS_MAX are not looked at */
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

/** change_check_mounts - is the mount namespace process 1's? Return: 0; kind MACHINE when not; -EACCES for who may not look */
int change_check_mounts(struct err *e);

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

struct change_reload {
	struct wgquick *conf; /* parsed */
	const struct wgquick_file *file;
	const char *path; /* as recorded for SaveConfig and status */
	bool may_run_hooks;
	unsigned resolve_retries;
};

/** change_reload_plan - what a reload would do; changes nothing */
int change_reload_plan(const struct change_reload *reload, struct reload_plan *out, struct err *e);

/**
 * change_reload - do it, or leave everything as it was
 * @n_changes: on success, how many lines were done
 *
 * The copy of the configuration is replaced last, in one rename.
 * Return: 0; or an error of kind STATE (not up, nothing touched), FAILED (everything was put back), REMAINS
 */
int change_reload(const struct change_reload *reload, const struct change_talk *talk,
		  size_t *n_changes, struct err *e);

/**
 * change_confirm - tell the `up --confirm` that waits for it
 * @name: of a tunnel in home; NULL: whichever waits, and only one can, since it holds the lock
 * @confirmed: on success, which tunnel it was
 *
 * Takes no lock. Return: 0 when the tunnel is up for good; -errno with kind STATE when nobody waits, or when it was too late
 */
int change_confirm(const char *name, char confirmed[IFNAMSIZ], struct err *e);

/** change_is_awaited - is there an `up --confirm` that waits, and for which tunnel? For a message: it may end any time */
bool change_is_awaited(char name[IFNAMSIZ]);

/**
 * change_boot_guard - KillSwitch = boot: nothing but lo may send in the caller's namespace, or that no more
 *
 * While the layout is up the guard is the layout's: on does nothing then, off is an error of kind STATE.
 * Return: 0 or -errno
 */
int change_boot_guard(bool should_be_on, const struct change_talk *talk, struct err *e);

/*
 * What `wgns watch` does to a tunnel that is up. None waits for the lock: -EBUSY (kind STATE) says that somebody else
 * changes something now, -ESHUTDOWN that the tunnel goes down or is not up yet, -ENOENT that it is gone.
 */

struct change_adopt {
	const char *name; /* of the tunnel in home */
	int ifindex; /* of the device, in home */
	bool is_new; /* it came this moment */
	char *const *uplinks; /* named ones; none: devices with hardware behind them */
	size_t n_uplinks;
};
/**
 * change_adopt - a device that came to home moves to physical, with what it has, and comes back with `down`
 * @moved: its name in physical; another one when its own was taken there
 *
 * Return: 1 when it moved, 0 when it is no uplink or is gone again; kind MACHINE when it cannot move and never will
 */
int change_adopt(const struct change_adopt *adopt, const struct change_talk *talk,
		 char moved[IFNAMSIZ], struct err *e);

/**
 * change_revive - the userspace daemon has died: the tunnel is made again, by the steps of `up` without hooks
 * @last: listening port and endpoints as they were, which the new daemon gets; a peer that is not in it gets its endpoint
 *        when that is a number
 *
 * The keys are those of the copy that `up` kept. On failure nothing is left of the attempt, and `down` works as before.
 */
int change_revive(const char *name, const struct wg_device *last, const struct change_talk *talk,
		  struct err *e);

/** change_endpoints - give the device what @dev says of some peers; see struct wg_peer.is_incremental */
int change_endpoints(const char *name, const struct wg_device *dev, const struct change_talk *talk,
		     struct err *e);

/**
 * change_mtu - an automatic MTU follows the uplinks
 * @mtu: what was set last; a device that has another one was changed by somebody, and stays as it is
 *
 * Return: 1 and the new one in @mtu, 0 when there was nothing to do
 */
int change_mtu(const char *name, uint32_t *mtu, const struct change_talk *talk, struct err *e);

/** change_has_guard - did `up` set a guard in home, by the layout's journal? Return: 0, more than 0, -errno */
int change_has_guard(int run_fd, struct err *e);
/**
 * change_guard - the guard that `up` set is there, in home and in physical, or is made again
 * Return: 1 when it was made again, 0 when there was nothing to do
 */
int change_guard(const char *name, const struct change_talk *talk, struct err *e);

/** change_lan - what Lan = yes lets home reach follows the uplinks' addresses; does nothing without it */
int change_lan(const char *name, const struct change_talk *talk, struct err *e);

/** change_agents - keepers of agents that died are started again; Return: how many, or -errno */
int change_agents(const char *name, const struct change_talk *talk, struct err *e);

#endif
