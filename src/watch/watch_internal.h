/* SPDX-License-Identifier: GPL-2.0-or-later */
/* what the files of the watch share; each source of events has a file */
#ifndef WGNS_WATCH_INTERNAL_H
#define WGNS_WATCH_INTERNAL_H

#include <linux/netlink.h>
#include <net/if.h>

#include "wgns/change.h"
#include "wgns/resolve.h"
#include "wgns/rtnl.h"
#include "wgns/state.h"
#include "wgns/watch.h"

enum source {
	SOURCE_SIGNAL,
	SOURCE_FOLDER, /* inotify(7) on the tunnel's folder */
	SOURCE_HOME, /* links of home */
	SOURCE_PHYSICAL, /* links, addresses and routes of physical */
	SOURCE_DAEMON, /* pidfd of the userspace daemon */
	SOURCE_SAMPLE, /* a timer: counters and handshakes */
	SOURCE_WORK, /* a timer: what is to be done later */
	SOURCE_CLOCK, /* a timer that only tells that the clock was set, or that the machine slept */
	SOURCE_NAMES, /* the child that looks up names */
	SOURCE_GUARD_HOME, /* rules of home */
	SOURCE_GUARD_PHYSICAL,
	N_SOURCES,
};

/* What is to be done at a time, in ms of CLOCK_MONOTONIC; 0: nothing. */
enum work {
	WORK_ADOPT, /* look at home's devices again: the lock was taken */
	WORK_NETWORK, /* what physical told has settled */
	WORK_MTU, /* does it fit the uplinks? */
	WORK_LOOKUP, /* look up the names */
	WORK_LOOKUP_END, /* the child had its time */
	WORK_TRY, /* did the endpoint that is being tried answer? */
	WORK_REVIVE,
	WORK_GUARD,
	WORK_LAN,
	WORK_AGENTS, /* keepers have died */
	WORK_ALIVE, /* tell who started us that we are */
	N_WORKS,
};

#define REFUSED_MAX 32
#define MOVES_MAX 32
struct links {
	char **names; /* named uplinks; none: by hardware */
	size_t n_names;
	struct {
		int ifindex;
		bool is_new;
	} waiting[REFUSED_MAX]; /* devices of home that are to be looked at */
	size_t n_waiting;
	/* said once, and not tried again while the device keeps number and name */
	struct {
		int ifindex;
		char name[IFNAMSIZ];
	} refused[REFUSED_MAX];
	size_t next_refused;
	int64_t moved_at[MOVES_MAX]; /* a ring: how often something was moved lately */
	size_t next_move;
	bool is_mtu_fixed; /* the file has one */
	uint32_t mtu; /* the automatic one that was set last */
	int tunnel_ifindex;
	bool is_tunnel_up;
};

#define CANDIDATES_MAX 16
#define TRIES_MAX 64
/* A peer whose endpoint is in question. */
struct
try {
	struct key public_key;
	uint16_t keepalive; /* of the device, which is given back */
	union wg_endpoint candidates[CANDIDATES_MAX];
	uint8_t n_candidates, current;
	bool is_named, is_failed; /* of the file; the name has no address now */
	int64_t last_handshake;
	uint64_t rx_bytes;
	int64_t deadline_ms;
};
struct endpoints {
	struct resolve_job job;
	struct try *tries; /* owned; none most of the time */
	size_t n_tries;
	uint32_t peer_of_name[RESOLVE_NAMES_MAX]; /* index into tries */
	size_t n_names;
	unsigned n_rounds; /* in a row without success: they come less and less often */
	int64_t not_before_ms;
	bool has_names; /* some endpoint of the file is a name */
};

struct revival {
	unsigned n_tries; /* in a row */
	int64_t revived_ms;
	uint16_t listen_port;
};

struct watch {
	const struct watch_options *options;
	struct change_talk talk;
	int epoll_fd, run_fd, home_fd, physical_fd;
	int fds[N_SOURCES];
	int64_t work[N_WORKS];
	struct state_tunnel tunnel;
	struct watch_clocks clocks;
	int64_t alive_ms; /* when that was told last */
	struct watch_peers peers;
	bool is_stale, is_over, is_network_new;
	int64_t guard_looked_ms;
	uint64_t network; /* of all addresses and routes of physical, see network.c */
	struct links links;
	struct endpoints endpoints;
	struct revival revival;
	struct {
		unsigned n_tries; /* in a row */
		int64_t started_ms;
	} agents;
	/* one line per event, and not more than a log can take */
	int64_t log_ms;
	unsigned log_credit, log_left_out;
};

/* ---- privileges.c ---- */
/** watch_privileges - give up what is not needed any more */
int watch_privileges(struct err *e);

/* ---- loop.c ---- */
#define WATCH_LOG_CREDIT 40 /* lines at once */
void watch_log(struct watch *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** watch_arm - one timer for everything that is to be done later: it is set to what comes first */
void watch_arm(struct watch *w);
/** watch_plan_work - @delay_ms from now, or earlier when that was planned already */
void watch_plan_work(struct watch *w, enum work what, unsigned delay_ms);
/** watch_follow - have the loop wait for @fd, which it owns from now on; an older one of that source is closed */
int watch_follow(struct watch *w, enum source source, int fd, struct err *e);
void watch_unfollow(struct watch *w, enum source source);
/**
 * watch_take_result - what a change answered
 * @again: planned when the lock was taken
 * Return: true when it was done; else it was said, or the watch is over
 */
bool watch_take_result(struct watch *w, int rc, enum work again, const struct err *e);

/* ---- links.c ---- */
int watch_links_open(struct watch *w, struct err *e);
void watch_links_home(struct watch *w);
void watch_links_adopt(struct watch *w);
void watch_links_close(struct watch *w);
/** watch_links_again - look at all devices of home as at the beginning */
void watch_links_again(struct watch *w);

/* ---- network.c ---- */
int watch_network_open(struct watch *w, struct err *e);
void watch_network_event(struct watch *w);
/** watch_network_check - did an address or a route of physical change? */
void watch_network_check(struct watch *w);
void watch_network_mtu(struct watch *w);

/* ---- health.c ---- */
int watch_health_open(struct watch *w, struct err *e);
void watch_health_sample(struct watch *w);
/** watch_health_first - what is there now, without a verdict */
void watch_health_first(struct watch *w);
/** watch_health_arm - sample while the device is up, and only then */
void watch_health_arm(struct watch *w);

/* ---- agents.c ---- */
/** watch_agents_check - does the keeper of each agent live? */
void watch_agents_check(struct watch *w);
void watch_agents_start(struct watch *w);

/* ---- endpoint.c ---- */
/** watch_endpoints_check - @why: said in the log, NULL for a handshake that became old */
void watch_endpoints_check(struct watch *w, const char *why);
/** watch_endpoints_read - what the file says: is an endpoint a name, is the MTU a number? */
void watch_endpoints_read(struct watch *w);
void watch_endpoints_start(struct watch *w);
void watch_endpoints_close(struct watch *w);
/* endpoint_try.c */
void watch_endpoints_names(struct watch *w);
void watch_endpoints_timeout(struct watch *w);
void watch_endpoints_try(struct watch *w);
void watch_endpoints_begin_tries(struct watch *w);

/* ---- daemon.c ---- */
int watch_daemon_open(struct watch *w, struct err *e);
void watch_daemon_ended(struct watch *w);
void watch_daemon_revive(struct watch *w);

/* ---- rules.c ---- */
int watch_guard_open(struct watch *w, struct err *e);
void watch_guard_event(struct watch *w, enum source source);
void watch_guard_check(struct watch *w);
void watch_lan_check(struct watch *w);

/* ---- resume.c ---- */
int watch_resume_open(struct watch *w, struct err *e);
void watch_resume_event(struct watch *w);
/** watch_resume_check - when the machine has slept since the last look, everything is looked at */
void watch_resume_check(struct watch *w);

/* ---- notify.c ---- */
/** watch_notify - one message of sd_notify(3), when there is somebody to tell */
void watch_notify(const struct watch *w, const char *text);
/** watch_alive - WATCHDOG=1 when it is time; called by the loop after whatever it did, so that one that hangs is silent */
void watch_alive(struct watch *w);

#endif
