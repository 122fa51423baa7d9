// SPDX-License-Identifier: GPL-2.0-or-later
/* what is there now, from /run/wgns, the kernel and the backends */
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/netlink.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "wgns/backend.h"
#include "wgns/change.h"
#include "wgns/fd.h"
#include "wgns/netns.h"
#include "wgns/nl.h"
#include "wgns/rtnl.h"
#include "wgns/seal.h"
#include "wgns/state.h"

struct gather {
	struct status_view *view;
	int run_fd;
	int home_fd; /* -1: the caller is in home */
};

/* ---- boxes ---- */

static int add_addr(struct status_box *box, const struct rtnl_links *links,
		    const struct nlmsghdr *msg)
{
	struct rtnl_addr addr;

	if (rtnl_parse_addr(msg, &addr) < 0)
		return -EINVAL;
	for (size_t i = 0; i < links->n; i++) {
		struct status_link *link = &box->links[i];
		if (links->items[i].ifindex != addr.ifindex)
			continue;
		struct addr *grown = reallocarray(link->addrs, link->n_addrs + 1, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		link->addrs = grown;
		grown[link->n_addrs++] = addr.local;
	}
	return 0;
}

static int take_links(struct status_box *box, const struct rtnl_links *links,
		      const struct rtnl_list *addrs, struct err *e)
{
	box->links = calloc(links->n + 1, sizeof(*box->links));
	if (!box->links)
		return err_set(e, ENOMEM, "list the devices");
	box->n_links = links->n;
	for (size_t i = 0; i < links->n; i++) {
		const struct rtnl_link *from = &links->items[i];
		struct status_link *to = &box->links[i];

		(void)snprintf(to->name, sizeof(to->name), "%s", from->name);
		(void)snprintf(to->kind, sizeof(to->kind), "%s", from->kind);
		to->mtu = from->mtu;
		to->is_up = (from->flags & IFF_UP) != 0;
		to->has_carrier = from->has_carrier;
		to->is_loopback = from->type == ARPHRD_LOOPBACK;
	}
	for (size_t i = 0; i < addrs->n; i++) {
		int rc = add_addr(box, links, addrs->items[i].msg);
		if (rc < 0)
			return err_set(e, -rc, "list the addresses");
	}
	return 0;
}

static int gather_links(struct status_box *box, int ns_fd, struct err *e)
{
	AUTO_NL struct nl *nl = NULL;
	struct rtnl_links links = { 0 };
	struct rtnl_list addrs = { 0 };

	int rc = nl_open_in(NETLINK_ROUTE, ns_fd, &nl, e);
	if (rc == 0)
		rc = rtnl_dump_links(nl, &links, e);
	if (rc == 0)
		rc = rtnl_dump(nl, RTNL_ADDR, AF_UNSPEC, &addrs, e);
	if (rc == 0)
		rc = take_links(box, &links, &addrs, e);
	rtnl_list_free(&addrs);
	rtnl_links_free(&links);
	return rc;
}

static int gather_procs(struct status_box *box, const struct netns_id *ns, struct err *e)
{
	struct netns_proc *procs = calloc(STATUS_PROCS_MAX, sizeof(*procs));

	box->procs = calloc(STATUS_PROCS_MAX, sizeof(*box->procs));
	if (!procs || !box->procs) {
		free(procs);
		return err_set(e, ENOMEM, "list the processes");
	}
	long n = netns_procs(ns, procs, STATUS_PROCS_MAX, e);
	if (n >= 0) {
		box->has_procs = true;
		box->n_procs_all = (size_t)n;
		box->n_procs = (size_t)n < STATUS_PROCS_MAX ? (size_t)n : STATUS_PROCS_MAX;
	}
	for (size_t i = 0; i < box->n_procs; i++) {
		const struct passwd *user = getpwuid(procs[i].uid);
		struct status_proc *p = &box->procs[i];
		p->pid = procs[i].pid;
		p->uid = procs[i].uid;
		(void)snprintf(p->user, sizeof(p->user), "%s", user ? user->pw_name : "");
		(void)snprintf(p->comm, sizeof(p->comm), "%s", procs[i].comm);
	}
	free(procs);
	return n < 0 ? (int)n : 0;
}

static void set_problem(const struct gather *g, struct status_box *box, const struct err *e)
{
	(void)snprintf(box->problem, sizeof(box->problem), "%.255s",
		       g->view->is_root ? e->text : "only root sees what is in it");
}

static void gather_box(const struct gather *g, struct status_box *box, const struct state_box *from)
{
	struct err e;

	(void)snprintf(box->name, sizeof(box->name), "%s", from->name);
	(void)snprintf(box->group, sizeof(box->group), "%s", from->group);
	int fd = state_box_open_netns(g->run_fd, from->name, &e);
	if (fd < 0) {
		set_problem(g, box, &e);
		return;
	}
	AUTO_FD int ns_fd = fd;
	struct netns_id ns;
	int rc = netns_identify(ns_fd, &ns, &e);
	if (rc == 0)
		rc = gather_links(box, ns_fd, &e);
	/* an ordinary user sees only their own processes (ptrace(2)): that list would not be true */
	if (rc == 0 && g->view->is_root)
		rc = gather_procs(box, &ns, &e);
	if (rc == 0 && g->view->is_root && strcmp(box->name, "physical") == 0)
		rc = status_gather_agents(box, g->run_fd, &e);
	if (rc < 0)
		set_problem(g, box, &e);
}

static int gather_boxes(const struct gather *g, struct err *e)
{
	struct status_view *view = g->view;
	struct state_box *boxes = NULL;
	size_t n = 0;
	struct err why;

	if (g->run_fd >= 0) {
		int rc = state_boxes(g->run_fd, &boxes, &n, &why);
		if (rc < 0 && view->is_root) {
			*e = why;
			return rc;
		}
	}
	view->boxes = calloc(n + 1, sizeof(*view->boxes));
	if (!view->boxes) {
		free(boxes);
		return err_set(e, ENOMEM, "list the boxes");
	}
	struct status_box *home = &view->boxes[view->n_boxes++];
	(void)snprintf(home->name, sizeof(home->name), STATUS_HOME);
	if (gather_links(home, g->home_fd, &why) < 0)
		set_problem(g, home, &why);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(boxes[i].name, STATUS_HOME) != 0)
			gather_box(g, &view->boxes[view->n_boxes++], &boxes[i]);
	}
	free(boxes);
	return 0;
}

/* ---- tunnels ---- */

static void set_state(struct status_tunnel *t, enum status_state state, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void set_state(struct status_tunnel *t, enum status_state state, const char *fmt, ...)
{
	va_list ap;

	t->state = state;
	va_start(ap, fmt);
	if (vsnprintf(t->reason, sizeof(t->reason), fmt, ap) < 0)
		t->reason[0] = '\0';
	va_end(ap);
}

/* what is shown needs no secret, so none is kept */
static void wipe_secrets(struct wg_device *d)
{
	key_wipe(&d->private_key);
	for (size_t i = 0; i < d->n_peers; i++) {
		struct wg_peer *p = &d->peers[i];
		p->has_preshared_key = p->has_preshared_key && !key_is_zero(&p->preshared_key);
		key_wipe(&p->preshared_key);
	}
}

static bool is_daemon_gone(const struct backend_device *dev)
{
	unsigned long long start_time;

	return dev->pid &&
	       (proc_start_time(dev->pid, &start_time) < 0 || start_time != dev->start_time);
}

static int get_device(const struct gather *g, struct status_tunnel *t, struct err *e)
{
	const struct backend *backend = backend_by_name(t->meta.backend);
	bool is_home = strcmp(t->meta.place, STATUS_HOME) == 0;
	AUTO_FD int box_fd = -1;

	if (!backend)
		return err_say(e, EINVAL, "no backend is called '%s'", t->meta.backend);
	if (!is_home) {
		int fd = state_box_open_netns(g->run_fd, t->meta.place, e);
		if (fd < 0)
			return fd;
		box_fd = fd;
	}
	int rc = backend->get(&t->meta.device, is_home ? g->home_fd : box_fd, &t->device, e);
	if (rc < 0)
		return rc;
	t->has_device = true;
	wipe_secrets(&t->device);
	return 0;
}

/* `wgns watch` knows earlier than the age of a handshake tells */
static void ask_watcher(const struct gather *g, struct status_tunnel *t)
{
	struct state_watcher watcher;

	if (strcmp(t->meta.place, STATUS_HOME) != 0 ||
	    state_watcher_read(g->run_fd, t->meta.device.name, &watcher) < 0)
		return;
	t->watcher = watcher.pid;
	if (watcher.is_stale && t->state == STATUS_UP)
		set_state(t, STATUS_STALE, "what is sent is not answered");
}

static bool is_awaited(const struct status_tunnel *t)
{
	char name[IFNAMSIZ];

	return change_is_awaited(name) && strcmp(name, t->meta.device.name) == 0;
}

static void gather_tunnel(const struct gather *g, struct status_tunnel *t)
{
	const char *name = t->meta.device.name;
	const struct status_box *box = status_find_box(g->view, t->meta.place);
	const struct status_link *link = status_find_link(box, name);
	struct err e;

	if (!t->meta.layout[0]) {
		if (g->view->is_root)
			set_state(t, STATUS_BROKEN, "its record in %s is damaged", STATE_DIR);
		else
			set_state(t, STATUS_UNKNOWN, "only root sees it");
		return;
	}
	int rc = link ? get_device(g, t, &e) : 0;
	status_judge(t, g->view->now);
	if (state_tunnel_is_half(&t->meta))
		set_state(t, STATUS_UNFINISHED, "%s",
			  is_awaited(t) ? "it waits to be confirmed" : "");
	else if (is_daemon_gone(&t->meta.device))
		set_state(t, STATUS_BROKEN, "%s (pid %d) has ended", t->meta.device.daemon,
			  (int)t->meta.device.pid);
	else if (!box || box->problem[0])
		set_state(t, STATUS_BROKEN, "%s: %s", t->meta.place,
			  box ? box->problem : "there is no such box");
	else if (!link)
		set_state(t, STATUS_BROKEN, "the device is gone from %s", t->meta.place);
	else if (rc < 0)
		set_state(t, STATUS_BROKEN, "%.200s", e.text);
	else if (!link->is_up)
		set_state(t, STATUS_BROKEN, "the device is set down");
	else if (!link->has_carrier)
		/* the kernel takes the carrier away when the birthplace ends and the socket with it */
		set_state(t, STATUS_BROKEN, "the namespace of its UDP socket is gone");
	else
		ask_watcher(g, t);
}

static int list_tunnels(struct gather *g, struct err *e)
{
	struct status_view *view = g->view;
	struct state_tunnel *metas = NULL;
	size_t n = 0;
	struct err why;

	int rc = state_tunnels(g->run_fd, &metas, &n, &why);
	if (rc < 0 && !view->is_root)
		return 0;
	if (rc < 0) {
		*e = why;
		return rc;
	}
	view->has_tunnels = true;
	view->tunnels = calloc(n + 1, sizeof(*view->tunnels));
	if (!view->tunnels) {
		free(metas);
		return err_set(e, ENOMEM, "list the tunnels");
	}
	view->n_tunnels = n;
	for (size_t i = 0; i < n; i++)
		view->tunnels[i].meta = metas[i];
	free(metas);
	return 0;
}

/* who is in a box without rights cannot see home, and would take the box for it */
static int check_outside(const struct netns_id *self, struct err *e)
{
	struct netns_id physical;
	AUTO_FD int box_fd = geteuid() == 0 ? -1 : seal_open_box("physical");

	if (box_fd < 0)
		return 0; /* root looks at home through PID 1 */
	int rc = netns_identify(box_fd, &physical, e);
	if (rc < 0 || !netns_same(&physical, self))
		return rc;
	return err_say(e, EINVAL, "this is not home but physical: run it outside of the box");
}

/*
 * Whose home? Where a tunnel says so and this process is somewhere else (in a box), PID 1's namespace is it. Anything
 * else is shown as it is seen from here.
 */
static int open_home(const struct status_view *view, int *out, struct err *e)
{
	struct netns_id self, init;

	AUTO_FD int self_fd = netns_open_self(e);
	if (self_fd < 0)
		return self_fd;
	int rc = netns_identify(self_fd, &self, e);
	if (rc == 0)
		rc = check_outside(&self, e);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < view->n_tunnels; i++) {
		const struct netns_id *home = &view->tunnels[i].meta.home;
		struct err ignored; /* then PID 1's namespace is not for us to enter */

		if (!home->ino || netns_same(home, &self))
			continue;
		AUTO_FD int fd = netns_open_at(AT_FDCWD, "/proc/1/ns/net", &ignored);
		if (fd < 0 || netns_identify(fd, &init, &ignored) < 0 || !netns_same(home, &init))
			continue;
		*out = fd_take(&fd);
		return 0;
	}
	*out = -1;
	return 0;
}

int status_gather(struct status_view *view, struct err *e)
{
	struct err why;

	*view = (struct status_view){ .now = time(NULL), .is_root = geteuid() == 0 };
	AUTO_FD int run_fd = state_open(false, &why);
	if (run_fd < 0 && run_fd != -ENOENT) {
		*e = why;
		return run_fd;
	}
	AUTO_FD int home_fd = -1;
	struct gather g = { .view = view, .run_fd = run_fd, .home_fd = -1 };
	view->has_tunnels = run_fd < 0;
	int rc = run_fd < 0 ? 0 : list_tunnels(&g, e);
	if (rc == 0)
		rc = open_home(view, &home_fd, e);
	g.home_fd = home_fd;
	if (rc == 0)
		rc = gather_boxes(&g, e);
	for (size_t i = 0; rc == 0 && i < view->n_tunnels; i++)
		gather_tunnel(&g, &view->tunnels[i]);
	if (rc < 0)
		status_view_free(view);
	return rc;
}
