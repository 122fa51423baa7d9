// SPDX-License-Identifier: GPL-2.0-or-later
/* the two network namespaces and how one gets there; the rest is in verify_files, verify_tunnel, verify_procs */
#include <errno.h>
#include <fcntl.h>
#include <linux/net_namespace.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "verify_internal.h"
#include "wgns/fd.h"

void verify_problem(char out[VERIFY_PROBLEM_MAX], const struct err *e)
{
	(void)snprintf(out, VERIFY_PROBLEM_MAX, "%.255s", e->text);
}

static void free_space(struct verify_space *s)
{
	rtnl_links_free(&s->links);
	rtnl_list_free(&s->addrs);
	rtnl_list_free(&s->routes);
	rtnl_list_free(&s->rules);
}

void verify_facts_free(struct verify_facts *f)
{
	free_space(&f->home);
	free_space(&f->physical);
	for (size_t i = 0; i < f->n_tunnels; i++)
		wg_device_free(&f->tunnels[i].device);
	for (size_t i = 0; i < f->n_tunnels; i++)
		free(f->tunnels[i].journal.guard_home);
	free(f->layout.guard_home);
	free(f->tunnels);
	free(f->all);
	free(f->procs);
	free(f->sockets);
	rtnl_links_free(&f->uplinks);
	free(f->wdevs);
	guard_seen_free(&f->guard_home.seen);
	guard_seen_free(&f->guard_physical.seen);
	*f = (struct verify_facts){ 0 };
}

/* before Linux 5.14 the kernel does not say it; the caller's /sys shows the caller's namespace */
static void mark_hardware(struct rtnl_links *links)
{
	char path[64];

	for (size_t i = 0; i < links->n; i++) {
		struct rtnl_link *link = &links->items[i];
		(void)snprintf(path, sizeof(path), "/sys/class/net/%s/device", link->name);
		if (!link->kind[0] && faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			link->has_parent_device = true;
	}
}

static int read_space(int ns_fd, bool is_here, struct verify_space *out, struct err *e)
{
	AUTO_NL struct nl *nl = NULL;

	int rc = netns_identify(ns_fd, &out->id, e);
	if (rc == 0)
		rc = nl_open_in(NETLINK_ROUTE, is_here ? -1 : ns_fd, &nl, e);
	if (rc == 0)
		rc = rtnl_dump_links(nl, &out->links, e);
	if (rc == 0)
		rc = rtnl_dump(nl, RTNL_ADDR, AF_UNSPEC, &out->addrs, e);
	if (rc == 0)
		rc = rtnl_dump(nl, RTNL_ROUTE, AF_UNSPEC, &out->routes, e);
	if (rc == 0)
		rc = rtnl_dump(nl, RTNL_RULE, AF_UNSPEC, &out->rules, e);
	if (rc == 0 && is_here)
		mark_hardware(&out->links);
	return rc;
}

static void gather_space(int ns_fd, bool is_here, struct verify_space *out)
{
	struct err why;

	if (read_space(ns_fd, is_here, out, &why) < 0)
		verify_problem(out->problem, &why);
}

static int take_nsid(const struct nlmsghdr *reply, void *ctx, struct err *e)
{
	const struct nlattr *tb[NETNSA_MAX + 1];
	struct verify_facts *f = ctx;
	uint32_t id;

	if (nl_attr_table(reply, sizeof(struct rtgenmsg), tb, NETNSA_MAX) < 0 ||
	    !nl_attr_u32(tb[NETNSA_NSID], &id))
		return err_say(e, EINVAL, "the kernel's answer is damaged");
	memcpy(&f->physical_nsid, &id, sizeof(id)); /* it is signed: -1 is none */
	f->has_physical_nsid = f->physical_nsid >= 0;
	return 0;
}

/* the number by which home's devices name physical as the place of the device below them (RTM_GETNSID, Linux 3.20) */
static void gather_nsid(struct gather *g)
{
	AUTO_NL struct nl *nl = NULL;
	struct nl_msg m;
	struct err ignored; /* then no device of home can have its other end there */
	uint32_t fd = (uint32_t)g->physical_fd;

	if (nl_open_in(NETLINK_ROUTE, g->home_fd, &nl, &ignored) < 0)
		return;
	(void)nl_msg_begin(&m, RTM_GETNSID, 0, sizeof(struct rtgenmsg));
	if (nl_put(&m, NETNSA_FD, &fd, sizeof(fd)))
		(void)nl_get(nl, &m, take_nsid, g->f, &ignored);
}

/*
 * Whose home? The namespace that a tunnel was made for: the caller's, or that of process 1 when the caller is somewhere
 * else. Without a tunnel to say it, the caller's.
 */
static int open_home(struct gather *g, struct err *e)
{
	struct netns_id self, init;
	struct err ignored;
	const struct netns_id *home = NULL;

	for (size_t i = 0; i < g->f->n_all && !home; i++)
		home = g->f->all[i].home.ino ? &g->f->all[i].home : NULL;
	AUTO_FD int self_fd = netns_open_self(e);
	if (self_fd < 0)
		return self_fd;
	int rc = netns_identify(self_fd, &self, e);
	if (rc < 0)
		return rc;
	AUTO_FD int init_fd = netns_open_at(AT_FDCWD, "/proc/1/ns/net", &ignored);
	bool is_init = home && !netns_same(home, &self) && init_fd >= 0 &&
		       netns_identify(init_fd, &init, &ignored) == 0 && netns_same(home, &init);
	g->home_fd = fd_take(is_init ? &init_fd : &self_fd);
	gather_space(g->home_fd, !is_init, &g->f->home);
	return 0;
}

/* its pin, else its name, else a daemon that lives in it: each may be what somebody broke */
int verify_open_physical(int run_fd, const struct state_tunnel *tunnels, size_t n, struct err *e)
{
	int fd = state_box_open_netns(run_fd, VERIFY_BOX, e);

	if (fd < 0)
		fd = netns_open_at(AT_FDCWD, VERIFY_NETNS_PATH, e);
	for (size_t i = 0; fd < 0 && i < n; i++) {
		char path[48];
		unsigned long long start_time;
		const struct backend_device *dev = &tunnels[i].device;
		if (!dev->pid || proc_start_time(dev->pid, &start_time) < 0 ||
		    start_time != dev->start_time)
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)dev->pid);
		fd = netns_open_at(AT_FDCWD, path, e);
	}
	return fd;
}

static void gather_physical(struct gather *g)
{
	struct err why;
	int fd = verify_open_physical(g->run_fd, g->f->all, g->f->n_all, &why);

	if (fd < 0) {
		verify_problem(g->f->physical.problem, &why);
		return;
	}
	g->physical_fd = fd;
	gather_space(fd, false, &g->f->physical);
	if (g->f->is_root)
		gather_nsid(g);
}

/* a reader's lock that waits for nobody: only to know whether what is seen is of one moment */
static bool is_changing(int run_fd)
{
	struct err
		ignored; /* without the file nobody changes anything; an ordinary user cannot open it */
	AUTO_FD int fd = state_openat(run_fd, "lock", O_RDONLY, &ignored);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

static int not_up(const struct verify_request *rq, struct err *e)
{
	if (rq->only)
		err_say(e, ENOENT, "%s is not up", rq->only);
	else
		err_say(e, ENOENT, "nothing is up");
	return err_as(e, ERR_KIND_STATE);
}

static int choose_tunnels(struct gather *g, struct err *e)
{
	struct verify_facts *f = g->f;
	struct err why;

	int rc = state_tunnels(g->run_fd, &f->all, &f->n_all, &why);
	f->has_tunnels = rc == 0;
	if (rc < 0 && f->is_root) {
		*e = why;
		return rc;
	}
	f->has_box = faccessat(g->run_fd, "box/" VERIFY_BOX, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	f->tunnels = calloc(f->n_all + 1, sizeof(*f->tunnels));
	if (!f->tunnels)
		return err_set(e, ENOMEM, "list the tunnels");
	for (size_t i = 0; i < f->n_all; i++) {
		if (!g->rq->only || strcmp(f->all[i].device.name, g->rq->only) == 0)
			f->tunnels[f->n_tunnels++].meta = f->all[i];
	}
	if (g->rq->only && f->has_tunnels && !f->n_tunnels)
		return not_up(g->rq, e);
	return f->n_all || f->has_box ? 0 : not_up(g->rq, e);
}

static int gather_all(struct gather *g, struct err *e)
{
	int rc = choose_tunnels(g, e);

	if (rc < 0)
		return rc;
	g->f->is_busy = is_changing(g->run_fd);
	rc = open_home(g, e);
	if (rc < 0)
		return rc;
	gather_physical(g);
	verify_gather_tunnels(g);
	verify_gather_guards(g);
	verify_gather_files(g);
	rc = verify_gather_procs(g, e);
	g->f->is_busy = g->f->is_busy || is_changing(g->run_fd);
	return rc;
}

int verify_gather(const struct verify_request *rq, struct verify_facts *out, struct err *e)
{
	struct verify_facts f = { .is_root = geteuid() == 0 };
	struct gather g = { .rq = rq, .f = &f, .run_fd = -1, .home_fd = -1, .physical_fd = -1 };

	AUTO_FD int run_fd = state_open(false, e);
	if (run_fd == -ENOENT)
		return not_up(rq, e);
	if (run_fd < 0)
		return run_fd;
	g.run_fd = run_fd;
	int rc = gather_all(&g, e);
	fd_close_indirect(&g.home_fd);
	fd_close_indirect(&g.physical_fd);
	if (rc < 0) {
		verify_facts_free(&f);
		return rc;
	}
	*out = f;
	return 0;
}
