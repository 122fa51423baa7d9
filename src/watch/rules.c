// SPDX-License-Identifier: GPL-2.0-or-later
/* the guard's tables, and the way to the uplinks' own networks */
#include <linux/netfilter/nfnetlink.h>

#include "watch_internal.h"
#include "wgns/clock.h"
#include "wgns/guard.h"
#include "wgns/nl.h"

#define AGAIN_MS 100 /* who changes rules all the time is not followed at every step */

int watch_guard_open(struct watch *w, struct err *e)
{
	static const unsigned groups[] = { NFNLGRP_NFTABLES };

	int rc = change_has_guard(w->run_fd, e);
	if (rc <= 0)
		return rc;
	int fd = nl_listen_in(NETLINK_NETFILTER, w->home_fd, groups, 1, e);
	if (fd < 0 || watch_follow(w, SOURCE_GUARD_HOME, fd, e) < 0)
		return -e->code;
	fd = nl_listen_in(NETLINK_NETFILTER, w->physical_fd, groups, 1, e);
	if (fd < 0 || watch_follow(w, SOURCE_GUARD_PHYSICAL, fd, e) < 0)
		return -e->code;
	watch_plan_work(w, WORK_GUARD, 0);
	return 0;
}

static void pass_over(const struct nlmsghdr *event, void *ctx)
{
	(void)event;
	(void)ctx;
}

void watch_guard_event(struct watch *w, enum source source)
{
	int64_t since = clock_monotonic_ms() - w->guard_looked_ms;

	/* which table it was is in the message; what became of ours is only in the kernel */
	(void)nl_listen_read(w->fds[source], pass_over, NULL);
	watch_plan_work(w, WORK_GUARD, since < AGAIN_MS ? AGAIN_MS : 0);
}

static bool is_good(int ns_fd)
{
	struct guard_seen seen = { 0 };
	AUTO_NL struct nl *nl = NULL;
	struct err ignored; /* then the change says why */

	if (guard_open_in(ns_fd, &nl, &ignored) < 0 || guard_read(nl, &seen, &ignored) < 0)
		return false;
	bool is_whole = seen.is_there && seen.is_intact;
	guard_seen_free(&seen);
	return is_whole;
}

void watch_guard_check(struct watch *w)
{
	struct err why;

	w->guard_looked_ms = clock_monotonic_ms();
	/* most rules are other people's: the lock is for when there is something to do */
	if (is_good(w->home_fd) && is_good(w->physical_fd))
		return;
	int rc = change_guard(w->tunnel.device.name, &w->talk, &why);
	if (!watch_take_result(w, rc, WORK_GUARD, &why) || rc == 0)
		return;
	watch_log(w, "somebody took the guard away or changed it: it is put back");
	/* the pair's own table went by the same hand */
	watch_plan_work(w, WORK_LAN, 0);
}

void watch_lan_check(struct watch *w)
{
	struct err why;

	int rc = change_lan(w->tunnel.device.name, &w->talk, &why);
	(void)watch_take_result(w, rc, WORK_LAN, &why); /* it was said, or comes again */
}
