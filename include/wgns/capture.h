/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture - frames on the uplinks, counted by kind and direction (packet(7))
 *
 * Sockets of type SOCK_DGRAM on every device of physical that is an uplink; nothing of a frame's content is kept but its
 * addresses and ports, and of those only samples of what went in clear.
 */
#ifndef WGNS_CAPTURE_H
#define WGNS_CAPTURE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wgns/err.h"
#include "wgns/finding.h"
#include "wgns/frame.h"
#include "wgns/netns.h"
#include "wgns/rtnl.h"
#include "wgns/verify.h"

#define CAPTURE_SECONDS_MAX 86400
#define CAPTURE_DEVICES_MAX 64
#define CAPTURE_SAMPLES_MAX 8
#define CAPTURE_PROGRAMS_MAX 32

struct capture_sample {
	size_t device; /* of @devices */
	struct frame frame;
	uint64_t n; /* how many of the same */
};

struct capture {
	unsigned seconds;
	char devices[CAPTURE_DEVICES_MAX][IFNAMSIZ];
	size_t n_devices;
	uint64_t frames[FRAME_N_KINDS][2]; /* by kind; incoming, outgoing */
	uint64_t n_dropped; /* frames that the kernel had no room for */
	bool is_cut; /* a device was lost, or there were too many */
	/* the first few that went out in clear */
	struct capture_sample samples[CAPTURE_SAMPLES_MAX];
	size_t n_samples;
	/* who was seen in physical meanwhile, daemons of tunnels left out */
	struct netns_proc programs[CAPTURE_PROGRAMS_MAX];
	size_t n_programs;
};

struct capture_request {
	unsigned seconds;
	int physical_fd; /* the namespace */
	const struct frame_rules *rules;
	const struct state_tunnel *tunnels; /* whose daemons are no programs */
	size_t n_tunnels;
	/* asked once in a while; may be NULL. @left: seconds. Return: stop now? */
	bool (*tick)(void *ctx, unsigned left);
	void *ctx;
};

/** capture_rules - what is known of the uplinks: endpoints and ports of all tunnels, resolvers */
void capture_rules(const struct verify_facts *f, struct frame_rules *out);

/**
 * capture_run - count for so many seconds
 * Return: 0 or -errno (-ENODEV when physical has no uplink)
 */
int capture_run(const struct capture_request *rq, struct capture *out, struct err *e);

/** capture_judge - is there only what may be there? Pure */
void capture_judge(const struct capture *c, struct findings *out);

#endif
