/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WGNS_PLAN_INTERNAL_H
#define WGNS_PLAN_INTERNAL_H

#include "wgns/plan.h"
#include "wgns/str.h"

/** plan_check - is there anything with which `up` does not begin? Return: 0, or the refusal */
int plan_check(const struct plan_request *rq, const struct host *host, struct err *e);

/** plan_check_hooks - of a file that is not to be trusted they are refused, those of `down` too */
int plan_check_hooks(const struct wgquick *conf, bool may_run, const char *untrusted,
		     struct err *e);

/**
 * plan_check_routes - routes of AllowedIPs that something else has already are refused; a warning when home will have no
 * default route
 * @plan: its uplinks are known
 */
int plan_check_routes(const struct plan_request *rq, const struct host *host, struct plan *plan,
		      struct err *e);

/**
 * plan_check_sessions - a session of the caller that the move would cut is a refusal, or with --wait, --confirm and --force a
 * warning; --wait without anybody to shake hands with is a refusal, too
 * @plan: its uplinks are known
 */
int plan_check_sessions(const struct plan_request *rq, const struct host *host, struct plan *plan,
			struct err *e);

/**
 * plan_guard_home - the step that sets home's guard, where there is to be one, and what it will stop
 * @plan: its uplinks are known
 */
int plan_guard_home(const struct plan_request *rq, const struct host *host, struct plan *plan,
		    struct err *e);
/** plan_guard_physical - likewise physical's */
int plan_guard_physical(const struct plan_request *rq, const struct host *host, struct plan *plan,
			struct err *e);
/** plan_guard_allow - the tunnel may send, where there is a guard */
int plan_guard_allow(const struct plan_request *rq, const struct host *host, struct plan *plan,
		     struct err *e);
/** plan_guard_port - strangers may send to the tunnel's port */
int plan_guard_port(const struct plan_request *rq, const struct host *host, struct plan *plan,
		    struct err *e);

/** plan_add_phys - whatever is on the phy of an uplink is an uplink; Return: 0 or -ENOMEM */
int plan_add_phys(const struct host *host, struct plan *plan, struct err *e);
/** plan_moves - the steps that move the uplinks; wireless ones once a phy */
int plan_moves(const struct host *host, struct plan *plan, struct err *e);
/** plan_is_station - is this wireless device in a network that it loses by a move? */
bool plan_is_station(const struct host *host, const struct rtnl_link *link);
/**
 * plan_warn_wireless - a radio that is off, a network that is left
 * @will_join: somebody joins it again in physical
 * Return: 0 or -ENOMEM
 */
int plan_warn_wireless(const struct host *host, struct plan *plan, const struct rtnl_link *link,
		       bool will_join, struct err *e);

/* What Lan = yes needs of the plan before there is anything of it */
struct plan_lan {
	char addr[192], sync[512]; /* texts of steps */
};
/**
 * plan_lan - is it possible, and with which prefixes; a warning for each that is left out
 * @plan: its uplinks are known
 * Return: 0, or the refusal: the name or all addresses of the pair are taken, or the kernel has no nf_tables
 */
int plan_lan(const struct plan_request *rq, const struct host *host, struct plan *plan,
	     struct plan_lan *out, struct err *e);
/** plan_lan_before - steps while nothing is in physical between which something could be forwarded */
int plan_lan_before(struct plan *plan, struct err *e);
/** plan_lan_after - steps when the uplinks are there */
int plan_lan_after(const struct plan_request *rq, const struct host *host,
		   const struct plan_lan *lan, struct plan *plan, struct err *e);
/** plan_lan_yield - the step of a tunnel that joins a layout, and may name what home reaches without it */
int plan_lan_yield(const struct plan_request *rq, const struct host *host, struct plan *plan,
		   struct err *e);

/** plan_warn - Return: 0 or -ENOMEM */
int plan_warn(struct plan *plan, const char *text, struct err *e);

#endif
