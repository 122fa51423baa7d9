/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WGNS_PLAN_INTERNAL_H
#define WGNS_PLAN_INTERNAL_H

#include "wgns/plan.h"

/** plan_check - is there anything with which `up` does not begin? Return: 0, or the refusal */
int plan_check(const struct plan_request *rq, const struct host *host, struct err *e);

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
/* The texts of steps that depend on the machine. */
struct plan_lan {
	char addr[192], sync[512];
};
/**
 * plan_lan - for Lan = yes, with a warning for each prefix of an uplink that is left out
 * @plan: its uplinks are known
 * Return: 0, or the refusal: the name or all addresses of the pair are taken
 */
int plan_lan(const struct plan_request *rq, const struct host *host, struct plan *plan,
	     struct plan_lan *out, struct err *e);
/**
 * plan_lan_late - for a tunnel that joins a layout
 * @should_yield: there is a pair, and what this tunnel names has to be taken from it
 */
int plan_lan_late(const struct plan_request *rq, const struct host *host, struct plan *plan,
		  bool *should_yield, struct err *e);

/**
 * plan_guard_home - the step that sets home's guard, where there is to be one, and what it will stop
 * @plan: its uplinks are known
 */
int plan_guard_home(const struct plan_request *rq, const struct host *host, struct plan *plan,
		    struct err *e);
/** plan_guard_physical - likewise physical's */
int plan_guard_physical(const struct host *host, struct plan *plan, struct err *e);
/** plan_guard_allow - the tunnel may send, where there is a guard */
int plan_guard_allow(const struct plan_request *rq, const struct host *host, struct plan *plan,
		     struct err *e);
/** plan_guard_port - strangers may send to the tunnel's port */
int plan_guard_port(const struct plan_request *rq, const struct host *host, struct plan *plan,
		    struct err *e);

/** plan_add - one more step; Return: 0 or -errno */
int plan_add(struct plan *plan, const char *text, struct err *e);
/** plan_warn - Return: 0 or -ENOMEM */
int plan_warn(struct plan *plan, const char *text, struct err *e);

#endif
