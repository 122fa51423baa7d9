/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agents - who configures the uplinks: what does it in home now, and what is to do it in physical
 *
 * An agent is one program (several processes of it, where there are several) for one device. It is called
 * "PROGRAM.DEVICE" in files below /run/wgns/box/physical/agent/, and "PROGRAM for DEVICE" in steps.
 */
#ifndef WGNS_AGENTS_H
#define WGNS_AGENTS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "wgns/err.h"
#include "wgns/wgnsconf.h"

struct host;
struct plan;
struct plan_request;
struct rtnl_link; /* rtnl.h */

#define AGENTS_PROGRAM_MAX 32
#define AGENTS_FOUND_MAX 64 /* processes of home; more are not looked at */
#define AGENTS_UNIT_MAX 128

/* What a program does for an uplink. */
enum agents_task {
	AGENTS_ADDRESS, /* DHCP */
	AGENTS_AIR, /* Wi-Fi's association, 802.1X */
};

/* The programs that wgns knows how to take over. */
struct agents_program {
	const char *name; /* of the program, and of its process */
	enum agents_task task;
	const char *profile; /* under which it runs in physical when nobody named one */
};
/** agents_program_find - by name; NULL: wgns does not know it */
const struct agents_program *agents_program_find(const char *name);

/* A process of root in the caller's network and mount namespace that configures a device. */
struct host_agent {
	pid_t pid;
	unsigned long long start_time; /* field 22 of /proc/PID/stat */
	const struct agents_program *program;
	char device[IFNAMSIZ]; /* that its arguments name; "": none, it takes all of them */
	char unit[AGENTS_UNIT_MAX]; /* systemd's unit that it belongs to; "": none */
};

/* What a profile of `Agent =` would start. */
struct host_agent_profile {
	char name[72];
	enum agents_task task;
	char program[AGENTS_PROGRAM_MAX]; /* "": none of those that it names is installed */
	bool is_absent; /* there is no such profile, or it is bad, or says nothing of agents */
	char why[256]; /* then, or why there is no program */
};

/* The facts; a member of struct host. */
struct host_agents {
	struct host_agent *items; /* sorted by device and program */
	size_t n;
	struct host_agent_profile *profiles; /* in the order of `Agent =` */
	size_t n_profiles;
};

#define AGENTS_UNIT "systemd:" /* how the names of `Agent =` begin that are no profiles */

/**
 * agents_is_manager - is this unit that of a manager of its own, which moves as a whole or not at all?
 * "NetworkManager.service", "wpa_supplicant@wlan0.service": what belongs to it is neither stopped nor started on its own
 */
bool agents_is_manager(const char *unit);

/**
 * plan_agents_stop - steps that end, in home, what configures the uplinks; in front of whatever moves
 * @plan: its uplinks are known
 * Return: 0, or the refusal (kind MACHINE): Wi-Fi whose supplicant is not to be found, no such profile, nothing installed
 */
int plan_agents_stop(const struct plan_request *rq, const struct host *host, struct plan *plan,
		     struct err *e);
/** plan_agents_start - steps that start them in physical, the last ones of the layout, and what `up` warns of */
int plan_agents_start(const struct plan_request *rq, const struct host *host, struct plan *plan,
		      struct err *e);
/** agents_fit - is this a device for such an agent? Ethernet that does not only carry VLANs; or Wi-Fi */
bool agents_fit(const struct host *host, const struct rtnl_link *link, enum agents_task task);
/** plan_agents_cover - will somebody look after the addresses (or the air) of this uplink in physical? */
bool plan_agents_cover(const struct plan_request *rq, const struct host *host, const char *device,
		       enum agents_task task);

/*
 * What the lease of an uplink says, for others than the agent: the file box/physical/lease/DEVICE, lines of "KEY VALUE".
 * Whoever may enter the box may read it. The values come from the network: they are checked, and believed no more.
 */
#define AGENTS_LEASE_DIR "lease" /* in the folder of the box */
#define AGENTS_LEASE_PORTAL                                                                        \
	"captive-portal" /* RFC 8910: http or https, printable, at most 255 bytes */
#define AGENTS_PORTAL_MAX 255

#endif
