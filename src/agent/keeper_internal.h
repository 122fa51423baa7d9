/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WGNS_KEEPER_INTERNAL_H
#define WGNS_KEEPER_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "wgns/addr.h"
#include "wgns/agentfile.h"
#include "wgns/agents.h"
#include "wgns/agents_argv.h"
#include "wgns/compiled.h"
#include "wgns/keeper.h"
#include "wgns/nl.h"
#include "wgns/profile.h"

/* A process of the agent. */
struct child {
	struct agents_argv argv;
	pid_t pid; /* 0: it does not run */
	int64_t started_ms,
		again_ms; /* CLOCK_MONOTONIC; again_ms 0: not before something happens */
	unsigned n_deaths; /* one soon after the other */
};

struct keeper {
	const struct keeper_options *options;
	struct agentfile run;
	struct profile profile;
	struct compiled compiled;
	struct child children[AGENTFILE_COMMANDS_MAX];
	size_t n;
	int run_fd; /* /run/wgns */
	int signal_fd, inotify_fd, link_fd;
	struct nl *nl; /* of physical */
	bool is_all; /* it takes every device */
	bool is_device_there;
	bool has_carried; /* an address of a lease that came along from home, until the first lease */
	struct addr carried;
	char state[160]; /* that was written last */
};

void keeper_log(const struct keeper *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* keeper_prepare.c */
/** keeper_prepare - all that is read of files, while home's are there to be read */
int keeper_prepare(struct keeper *k, struct err *e);
/** keeper_enter - this process moves into physical, with an /etc of its own */
int keeper_enter(struct keeper *k, struct err *e);
/** keeper_drop_privileges - root's capabilities that neither it nor the agent needs */
int keeper_drop_privileges(const struct keeper *k, struct err *e);

/* keeper_child.c */
/** keeper_start - Return: 0, or -errno when there is no process or it is not the program; @e says why */
int keeper_start(const struct keeper *k, struct child *child, struct err *e);
/** keeper_end - all of them: asked, and killed when they do not listen */
void keeper_end(struct keeper *k);

/* keeper_etc.c */
/** keeper_write_hooks - what makes the agent tell of its lease, into its own /etc */
int keeper_write_hooks(const struct keeper *k, struct err *e);
/** keeper_read_etc - a name of /etc was written or has gone */
void keeper_read_etc(struct keeper *k, const char *name);
/** keeper_forget_lease - its device is gone, and with it what the lease said: nobody is to ask its servers any more */
void keeper_forget_lease(struct keeper *k);

/* keeper_carry.c */
/** keeper_find_carried - which address is that of the lease in home? */
void keeper_find_carried(struct keeper *k);
/** keeper_drop_carried - the lease has @address now: another one that was carried over goes */
void keeper_drop_carried(struct keeper *k, const char *address);

#endif
