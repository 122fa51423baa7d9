/* SPDX-License-Identifier: GPL-2.0-or-later */
/* the facts of a machine as values, from which test_plan*.c make plans */
#ifndef WGNS_TESTS_PLAN_FIXTURE_H
#define WGNS_TESTS_PLAN_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/engine.h"
#include "wgns/plan.h"

#define N_LINKS 8

struct fixture {
	struct host host;
	struct rtnl_link links[N_LINKS];
	struct host_device devices[N_LINKS];
	struct state_tunnel tunnels[4];
	struct wgquick conf;
	struct plan_request rq;
	char *named[4];
};

static inline struct rtnl_link *add_link(struct fixture *f, const char *name, const char *kind)
{
	struct rtnl_link *link = &f->links[f->host.links.n++];

	link->ifindex = (int)f->host.links.n;
	strcpy(link->name, name);
	strcpy(link->kind, kind);
	return link;
}

/* lo and one ethernet card; there is nothing to be shared, made or pinned */
static inline struct fixture *laptop(void)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->host.links.items = f->links;
	f->host.devices = f->devices;
	f->host.tunnels = f->tunnels;
	f->host.is_netns_dir_shared = true;
	f->host.guard.kernel = (struct guard_kernel){ true, true };
	for (size_t i = 0; i < PLAN_N_FOLDERS; i++)
		f->host.folders[i] = HOST_FOLDER_MOUNTED;
	add_link(f, "lo", "")->flags = IFF_LOOPBACK | IFF_UP;
	add_link(f, "eth0", "")->has_parent_device = true;
	strcpy(f->conf.name, "wg0");
	f->conf.table = WGQUICK_TABLE_OFF;
	f->rq = (struct plan_request){ .conf = &f->conf,
				       .backend = "kernel",
				       .may_run_hooks = true,
				       .untrusted = "",
				       .dns = "file",
				       .group = "wgns",
				       .has_group = true };
	return f;
}

static inline int plan(struct fixture *f, struct plan *out, struct err *e)
{
	*out = (struct plan){ 0 };
	return plan_up(&f->rq, &f->host, out, e);
}

#endif
