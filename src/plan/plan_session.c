// SPDX-License-Identifier: GPL-2.0-or-later
/* whom `up` would cut off, and how it is tried safely: pure */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "plan_internal.h"

/* VLANs and tunnels on an uplink; the kernel's own limit is 8 (MAX_NEST_DEV) */
#define STACK_DEPTH 8

static bool is_uplink(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->n_uplinks; i++) {
		if (strcmp(plan->uplinks[i], name) == 0)
			return true;
	}
	return false;
}

/* the uplink that moves from under @device, or NULL */
static const struct rtnl_link *moving_below(const struct host *host, const struct plan *plan,
					    const char *device)
{
	const struct rtnl_link *link = rtnl_links_by_name(&host->links, device);

	for (int depth = 0; link && depth <= STACK_DEPTH; depth++) {
		if (is_uplink(plan, link->name))
			return link;
		link = link->lower && !link->has_lower_netnsid
			       ? rtnl_links_by_index(&host->links, link->lower)
			       : NULL;
	}
	return NULL;
}

static int check_session(const struct plan_request *rq, const struct plan_session *session,
			 const struct rtnl_link *uplink, struct plan *plan, struct err *e)
{
	char text[320];

	(void)snprintf(text, sizeof(text),
		       "your SSH connection from %s runs over %s, and ends when %s moves to "
		       "physical",
		       session->client, session->device, uplink->name);
	if (rq->wait_s || rq->confirm_s || rq->should_force)
		return plan_warn(plan, text, e);
	err_say(e, EBUSY, "%s", text);
	err_hint(e,
		 "`wgns up --confirm 60 %s` undoes it unless you log in again and call `wgns "
		 "confirm`, `--wait 10` unless the tunnel works; --force does it all the same",
		 rq->conf->name);
	return err_as(e, ERR_KIND_STATE);
}

/* a peer that nobody can call may call us, some day: that is nothing to wait for */
static int check_wait(const struct plan_request *rq, struct err *e)
{
	for (size_t i = 0; i < rq->conf->device.n_peers; i++) {
		if (rq->conf->device.peers[i].endpoint_host)
			return 0;
	}
	err_say(e, EINVAL, "no peer of %s has an Endpoint: --wait has nobody to shake hands with",
		rq->conf->name);
	err_hint(e, "leave --wait out, or use --confirm");
	return err_as(e, ERR_KIND_USAGE);
}

int plan_check_sessions(const struct plan_request *rq, const struct host *host, struct plan *plan,
			struct err *e)
{
	int rc = rq->wait_s ? check_wait(rq, e) : 0;

	for (size_t i = 0; rc == 0 && i < rq->n_sessions; i++) {
		const struct plan_session *session = &rq->sessions[i];
		const struct rtnl_link *uplink = moving_below(host, plan, session->device);

		if (uplink)
			rc = check_session(rq, session, uplink, plan, e);
	}
	return rc;
}
