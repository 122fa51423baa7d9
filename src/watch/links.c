// SPDX-License-Identifier: GPL-2.0-or-later
/* devices that come to home */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "watch_internal.h"
#include "wgns/clock.h"
#include "wgns/fd.h"
#include "wgns/nl.h"
#include "wgns/str.h"

#define BUSY_MS 100 /* until the lock is asked for again */
#define MOVES_WINDOW_MS 600000 /* MOVES_MAX in ten minutes */

static void wait_for(struct links *l, int ifindex, bool is_new)
{
	for (size_t i = 0; i < l->n_waiting; i++) {
		if (l->waiting[i].ifindex == ifindex)
			return;
	}
	if (l->n_waiting == REFUSED_MAX)
		return;
	l->waiting[l->n_waiting].ifindex = ifindex;
	l->waiting[l->n_waiting++].is_new = is_new;
}

/* all bits of the change are set for a device that was made, or came from elsewhere (rtnetlink_event() of Linux) */
static bool is_arrival(const struct nlmsghdr *event)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(event);

	return info->ifi_change == UINT32_MAX;
}

static bool is_refused(const struct links *l, const struct rtnl_link *link)
{
	for (size_t i = 0; i < REFUSED_MAX; i++) {
		if (l->refused[i].ifindex == link->ifindex &&
		    strcmp(l->refused[i].name, link->name) == 0)
			return true;
	}
	return false;
}

static void take_home_link(const struct nlmsghdr *event, void *ctx)
{
	struct watch *w = ctx;
	struct rtnl_link link;

	if ((event->nlmsg_type != RTM_NEWLINK && event->nlmsg_type != RTM_DELLINK) ||
	    rtnl_parse_link(event, &link) < 0)
		return;
	if (strcmp(link.name, w->tunnel.device.name) == 0) {
		w->links.tunnel_ifindex = link.ifindex;
		w->links.is_tunnel_up =
			event->nlmsg_type == RTM_NEWLINK && (link.flags & IFF_UP) != 0;
		return;
	}
	if (event->nlmsg_type == RTM_NEWLINK && !is_refused(&w->links, &link) &&
	    watch_may_adopt(&link, w->links.names, w->links.n_names))
		wait_for(&w->links, link.ifindex, is_arrival(event));
}

/* everything is looked at: at the beginning, and when the kernel dropped messages */
static int scan_home(struct watch *w, struct err *e)
{
	AUTO_NL struct nl *nl = NULL;
	struct rtnl_links all = { 0 };

	int rc = nl_open_in(NETLINK_ROUTE, w->home_fd, &nl, e);
	if (rc == 0)
		rc = rtnl_dump_links(nl, &all, e);
	for (size_t i = 0; rc == 0 && i < all.n; i++) {
		const struct rtnl_link *link = &all.items[i];
		if (strcmp(link->name, w->tunnel.device.name) == 0) {
			w->links.tunnel_ifindex = link->ifindex;
			w->links.is_tunnel_up = (link->flags & IFF_UP) != 0;
			if (w->links.mtu == UINT32_MAX)
				w->links.mtu = link->mtu;
		} else if (!is_refused(&w->links, link) &&
			   watch_may_adopt(link, w->links.names, w->links.n_names)) {
			wait_for(&w->links, link->ifindex, false);
		}
	}
	rtnl_links_free(&all);
	return rc;
}

int watch_links_open(struct watch *w, struct err *e)
{
	static const unsigned home[] = { RTNLGRP_LINK };

	int rc = state_uplinks_read(w->run_fd, &w->links.names, &w->links.n_names, e);
	if (rc < 0)
		return rc;
	int fd = nl_listen_in(NETLINK_ROUTE, w->home_fd, home, 1, e);
	if (fd < 0 || watch_follow(w, SOURCE_HOME, fd, e) < 0)
		return -e->code;
	rc = scan_home(w, e);
	if (rc == 0 && w->links.n_waiting)
		watch_plan_work(w, WORK_ADOPT, BUSY_MS);
	return rc;
}

void watch_links_close(struct watch *w)
{
	str_list_free(&w->links.names, &w->links.n_names);
}

void watch_links_home(struct watch *w)
{
	bool was_up = w->links.is_tunnel_up;
	struct err why;

	int rc = nl_listen_read(w->fds[SOURCE_HOME], take_home_link, w);
	if (rc > 0 && scan_home(w, &why) < 0)
		watch_log(w, "read the devices of home: %s", why.text);
	if (was_up != w->links.is_tunnel_up)
		watch_health_arm(w);
	if (w->links.n_waiting)
		watch_links_adopt(w);
}

void watch_links_again(struct watch *w)
{
	struct err why;

	if (scan_home(w, &why) < 0)
		watch_log(w, "read the devices of home: %s", why.text);
	if (w->links.n_waiting)
		watch_plan_work(w, WORK_ADOPT, 0);
}

static void refuse(struct links *l, int ifindex, const char *name)
{
	l->refused[l->next_refused].ifindex = ifindex;
	(void)snprintf(l->refused[l->next_refused].name, IFNAMSIZ, "%s", name);
	l->next_refused = (l->next_refused + 1) % REFUSED_MAX;
}

/* Return: false when something was moved too often lately: a driver that makes its device again and again */
static bool may_move(struct watch *w)
{
	int64_t oldest = w->links.moved_at[w->links.next_move];

	return !oldest || clock_monotonic_ms() - oldest > MOVES_WINDOW_MS;
}

/* Return: false when the lock was taken, and it has to be tried again */
static bool adopt_one(struct watch *w, int ifindex, bool is_new)
{
	const struct change_adopt adopt = { .name = w->tunnel.device.name,
					    .ifindex = ifindex,
					    .is_new = is_new,
					    .uplinks = w->links.names,
					    .n_uplinks = w->links.n_names };
	char name[IFNAMSIZ] = "";
	struct err why;

	if (!may_move(w)) {
		watch_log(w, "too many devices came lately: they stay in home for some minutes");
		return true;
	}
	int rc = change_adopt(&adopt, &w->talk, name, &why);
	if (rc == -EBUSY && why.kind == ERR_KIND_STATE)
		return false;
	if (rc < 0) {
		refuse(&w->links, ifindex, name);
		(void)watch_take_result(w, rc, N_WORKS, &why);
	} else if (rc == 1) {
		w->links.moved_at[w->links.next_move] = clock_monotonic_ms();
		w->links.next_move = (w->links.next_move + 1) % MOVES_MAX;
		watch_log(w, "%s is an uplink now and moved to physical", name);
	}
	return true;
}

void watch_links_adopt(struct watch *w)
{
	while (w->links.n_waiting && !w->is_over) {
		size_t last = w->links.n_waiting - 1;
		if (!adopt_one(w, w->links.waiting[last].ifindex, w->links.waiting[last].is_new)) {
			for (size_t i = 0; i <= last; i++)
				w->links.waiting[i].is_new = false;
			watch_plan_work(w, WORK_ADOPT, BUSY_MS);
			return;
		}
		w->links.n_waiting--;
	}
}
