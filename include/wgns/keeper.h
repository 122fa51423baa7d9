/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keeper - the parent of an agent: starts it in physical, starts it again when it dies, ends it
 *
 * One process for each agent, `wgns agent NAME`, which a step starts and `down` ends. It lives in physical, among mounts of its
 * own with a writable /etc (agentseal.h), keeps root's capabilities there, and reads what the agent writes to that /etc: the
 * resolvers and the lease, which it checks and publishes (agentpublish.h). The agent has the capabilities and the filter of its
 * profile only. When the keeper is killed, the kernel kills the agent (PR_SET_PDEATHSIG of prctl(2)).
 */
#ifndef WGNS_KEEPER_H
#define WGNS_KEEPER_H

#include <stddef.h>

#include "wgns/err.h"

struct keeper_options {
	const char *name; /* PROGRAM.DEVICE, of which agentfile.h has a .run */
	int ready_fd; /* a newline is written to it when the agent was started, and it is closed; -1: none */
	const char *const *profile_dirs; /* the first has precedence */
	size_t n_profile_dirs;
	const char *script_dir; /* where the scripts for agents are */
	void *ctx;
	void (*log)(void *ctx, const char *line); /* one event, without newline */
};

/**
 * keeper_run - until SIGTERM or SIGINT comes
 *
 * Changes the process for good. Return: 0 when it was ended, and its agent with it; -errno when the agent could not be
 * started at all
 */
int keeper_run(const struct keeper_options *options, struct err *e);

#endif
