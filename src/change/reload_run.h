/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doing a reload: what was there before, the phases, and putting it back */
#ifndef WGNS_RELOAD_RUN_H
#define WGNS_RELOAD_RUN_H

#include <linux/limits.h>

#include "wgns/change.h"
#include "wgns/op.h"
#include "wgns/reload.h"
#include "wgns/rtnl.h"

struct reload {
	struct op_env env;
	const struct change_reload *rq;
	int dir_fd; /* the tunnel's folder, owned */
	char path[PATH_MAX]; /* of the file, absolute */
	char dns[16]; /* who was told of DNS=, or will be */
	bool is_recorded; /* the copy is the new one already */
	/* what was configured: the copy, and that of an interrupted reload */
	struct wgquick before[2];
	size_t n_before;
	/* what was there */
	struct rtnl_link link;
	struct wg_device live;
	struct rtnl_list addrs, routes; /* the device's */
	/* what shall be there */
	struct reload_plan plan;
	struct wg_diff diff; /* made when names are known */
};

/* reload_facts.c */
/** reload_read - what was configured and what is there, and the plan; changes nothing */
int reload_read(struct reload *r, struct err *e);
void reload_free(struct reload *r);

/* reload_phase.c */
/** reload_has_phase - is there anything to do in it? */
bool reload_has_phase(const struct reload *r, enum reload_phase phase);
int reload_do(struct reload *r, enum reload_phase phase, struct err *e);
/** reload_put_back - what the phase has done, or a part of it when it failed; nothing done is success */
int reload_put_back(struct reload *r, enum reload_phase phase, struct err *e);
/** reload_close_old_port - in physical's guard, when the tunnel has another one by now */
int reload_close_old_port(struct reload *r, struct err *e);

/* reload_link.c: addresses and routes */
int reload_add_addrs(struct reload *r, struct err *e);
int reload_del_addrs(struct reload *r, struct err *e);
int reload_add_routes(struct reload *r, struct err *e);
int reload_del_routes(struct reload *r, struct err *e);
int reload_set_mtu(struct reload *r, uint32_t mtu, struct err *e);
/** reload_restore_link - take away what was added, and give back the addresses and routes that were there before */
int reload_restore_link(struct reload *r, struct err *e);

#endif
