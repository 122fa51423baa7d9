/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host - gathers the facts of the machine that a plan is made of; struct host is in plan.h, agents in host_agents.h */
#ifndef WGNS_HOST_H
#define WGNS_HOST_H

#include <stdbool.h>
#include <stddef.h>

#include "wgns/err.h"
#include "wgns/plan.h"

/**
 * host_read - the facts, from the caller's namespace; changes nothing
 * @named: devices that --uplink or wgns.conf name
 */
int host_read(int run_fd, char *const *named, size_t n_named, struct host *out, struct err *e);

/**
 * host_read_devices - as host_read(), with what is known of each device although the layout is up: a new one may move
 * @is_new: it came this moment, and other namespaces, which take long to look through, have nothing on it yet
 */
int host_read_devices(int run_fd, char *const *named, size_t n_named, bool is_new, struct host *out,
		      struct err *e);
void host_free(struct host *host);

/**
 * host_read_units - the managers that are there, and what they manage of @host's links
 * @agents: `Agent =`, of which those that begin with AGENTS_UNIT count
 * Asks systemd, and NetworkManager when it runs, for some seconds at most. Changes nothing. Return: 0 or -errno
 */
int host_read_units(enum agent_choice choice, char *const *agents, size_t n_agents,
		    struct host *host, struct err *e);
void host_units_free(struct host_units *units);

#endif
