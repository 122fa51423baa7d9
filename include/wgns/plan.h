/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan - configuration and host facts in, steps out
 *
 * plan_up() makes no system call: it is tested with values alone, and `up -n` prints exactly what `up` does. A step is
 * one change and its undo; its text is what -n prints, what the journal keeps, and all that its undo needs to know.
 */
#ifndef WGNS_PLAN_H
#define WGNS_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "wgns/agents.h"
#include "wgns/err.h"
#include "wgns/guard.h"
#include "wgns/nl80211.h"
#include "wgns/rtnl.h"
#include "wgns/state.h"
#include "wgns/step.h"
#include "wgns/units.h"
#include "wgns/wgnsconf.h"
#include "wgns/wgquick.h"

struct strbuf; /* str.h */

struct plan {
	const char *backend; /* a backend's name, which lives for ever */
	struct step *steps;
	size_t n;
	size_t n_layout; /* the first ones belong to the layout and outlive this tunnel; 0 when it is up already */
	char **uplinks; /* in the order in which they move */
	size_t n_uplinks;
	char **warnings;
	size_t n_warnings;
	char **agents; /* for devices that come later: "auto", "PROGRAM all|wireless PROFILE" */
	size_t n_agents;
};
void plan_free(struct plan *plan);
/** plan_add - one more step; Return: 0 or -errno */
int plan_add(struct plan *plan, const char *text, struct err *e);
/** plan_phy_step - the text of the step that moves a phy, to which the caller adds " with" and its devices */
void plan_phy_step(const struct nl80211_phy *phy, struct strbuf *out);

/* What is known of a device beyond its link message; only looked up for those that may be uplinks. */
struct host_device {
	char immutable
		[256]; /* the kernel's words when it cannot change its namespace, "" when it can */
	bool is_wireless;
	struct nl80211_phy
		phy; /* of a wireless one, which moves only with it; is_there false: it cannot be told */
	uint32_t wireless_type; /* NL80211_IFTYPE_* */
	bool is_radio_off; /* rfkill(8): by a program */
	bool is_radio_locked; /* by a switch of the machine */
	bool is_wireguard; /* the kernel's, or a daemon's with a socket of that name */
	bool is_pppoe; /* a PPPoE session runs over it */
	unsigned n_nexthops; /* nexthop objects on it */
	char qdiscs[128]; /* set by hand, lost by a move; "" for none */
	char child
		[160]; /* a macvlan or the like on it, in this or another namespace; "" for none */
};

/*
 * Folders of path sockets, which lead out of a network namespace. `up` makes those that are missing, and pins them, so
 * that the helper can lay an empty file system over each, which nobody takes away together with the folder.
 */
#define PLAN_N_FOLDERS 4
struct plan_folder {
	const char *path;
	bool is_parent; /* of another one: made where it is missing, and not pinned */
};
extern const struct plan_folder plan_folders[PLAN_N_FOLDERS];

/* what is at such a path; no symlink is followed */
enum host_folder {
	HOST_FOLDER_ABSENT,
	HOST_FOLDER_THERE,
	HOST_FOLDER_MOUNTED, /* something is mounted on it: nobody can remove it */
	HOST_FOLDER_OTHER, /* a symlink, or no folder at all */
};

/* What there is for the guard, and of it */
struct host_guard {
	char lacking[256]; /* why this kernel has no nf_tables, "" when it has */
	struct guard_kernel kernel;
	bool is_in_home, is_in_physical; /* a guard is there now */
	bool is_boot; /* home's is that of KillSwitch = boot: nothing but lo */
};

/* The facts, which host.h gathers. */
struct host {
	struct rtnl_links links;
	struct host_device *devices; /* one for each link, same order */
	struct rtnl_list addrs, routes; /* all tables, both families */
	struct state_tunnel *tunnels; /* that wgns knows */
	size_t n_tunnels;
	bool is_layout_up; /* the box `physical` is there */
	bool has_orphan_layout; /* its folder is there, and no tunnel uses it */
	bool is_inside_physical; /* the caller is in the birthplace itself */
	bool has_foreign_physical; /* a namespace called physical that wgns did not make */
	enum host_folder folders[PLAN_N_FOLDERS]; /* of plan_folders */
	char etc_mount
		[128]; /* a mount below /etc, whose place shows what is under it in a box; "" for none */
	struct host_guard guard;
	struct host_agents agents;
	struct host_units units;
	bool is_netns_dir_shared; /* /run/netns is a mount point already, as ip-netns(8) makes it */
};

/** host_is_candidate - may this link be an uplink? hardware, or it carries a default route, or it is named */
bool host_is_candidate(const struct host *host, const struct rtnl_link *link, char *const *named,
		       size_t n_named);

/* A connection over which the caller works, and the device of home that it runs over. */
#define PLAN_SESSIONS_MAX 16
struct plan_session {
	char client[ADDR_TEXT_MAX + IFNAMSIZ]; /* "2001:db8::1", "fe80::1%eth0" */
	char device[IFNAMSIZ];
};

struct plan_request {
	const struct wgquick *conf;
	const char *backend; /* "kernel" or "userspace": chosen already */
	char *const *uplinks; /* named ones; none: find them */
	size_t n_uplinks;
	bool may_run_hooks;
	const char *untrusted; /* why not, when it may not */
	const char *dns; /* dns_manager_name() of who gets DNS= */
	const char *group; /* who may enter the box */
	bool has_group; /* there is such a group */
	enum kill_switch kill_switch;
	bool has_lan; /* home reaches the uplinks' own networks */
	enum agent_choice agent; /* who configures the uplinks in physical */
	char *const *agents; /* AGENT_NAMED: profiles and systemd:UNIT */
	size_t n_agents;
	bool should_watch; /* start `wgns watch` */
	unsigned wait_s; /* for a handshake; 0: do not wait */
	unsigned confirm_s; /* for somebody to confirm it; 0: do not ask */
	bool should_force; /* although a session would be cut */
	const struct plan_session *sessions;
	size_t n_sessions;
};

/**
 * plan_up - the steps of `up` in the physical layout
 *
 * Return: 0; or an error of kind STATE (already up, name taken, half up) or MACHINE (an uplink that cannot move, none at
 * all), with what the user can do about it
 */
int plan_up(const struct plan_request *rq, const struct host *host, struct plan *out,
	    struct err *e);

/** plan_uplinks - the names of the devices to move, parents before their VLANs; part of plan_up(), exposed for doctor and tests */
int plan_uplinks(const struct plan_request *rq, const struct host *host, struct plan *plan,
		 struct err *e);

/* What plan_up() and plan_uplinks() refuse and warn of, one by one: doctor says it with the same words. All are pure. */
/** plan_check_movable - can this uplink move? Return: 0, or an error of kind MACHINE that says why not */
int plan_check_movable(const struct host *host, const struct rtnl_link *link, struct err *e);
/** plan_warn_uplink - what a move of this uplink costs, added to @plan's warnings; Return: 0 or -ENOMEM */
int plan_warn_uplink(const struct plan_request *rq, const struct host *host, struct plan *plan,
		     const struct rtnl_link *link, struct err *e);
/** plan_is_same_phy - are both wireless devices of one phy? They move together */
bool plan_is_same_phy(const struct host_device *a, const struct host_device *b);
/** plan_check_place - is the caller outside of physical? Return: 0, or an error of kind STATE, as the next three */
int plan_check_place(const struct host *host, struct err *e);
/** plan_check_interrupted - has every `up` come to its end? */
int plan_check_interrupted(const struct host *host, struct err *e);
/** plan_check_foreign - is a namespace called physical that of wgns? */
int plan_check_foreign(const struct host *host, struct err *e);
/** plan_check_other_tunnels - is no WireGuard device of others in home? Only asked while the layout is not up */
int plan_check_other_tunnels(const struct host *host, struct err *e);
/** plan_check_folders - can exec hide what is in plan_folders? Return: 0, or an error of kind MACHINE; asked as above */
int plan_check_folders(const struct host *host, struct err *e);

/**
 * plan_routes - where the routes of AllowedIPs go, as wg-quick does: longest prefix first, each once, those that an
 * address of the tunnel covers left out when Table is automatic
 * Return: 0 or -ENOMEM; @out is an owned array
 */
int plan_routes(const struct wgquick *conf, struct addr **out, size_t *n);

#endif
