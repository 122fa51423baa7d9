/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch - somebody who looks after a tunnel while it is up
 *
 * One thread, one epoll(7): what the kernel tells of devices, addresses and routes, the end of the daemon, a few timers.
 * It holds no keys but for the moment in which it makes a dead daemon's tunnel again.
 */
#ifndef WGNS_WATCH_H
#define WGNS_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

#include "wgns/err.h"
#include "wgns/key.h"
#include "wgns/wg.h"

/* REJECT_AFTER_TIME less some: keys older than this should have been renewed (as reresolve-dns.sh of wireguard-tools) */
#define WATCH_HANDSHAKE_OLD_S 135
/* Three samples are needed to call a tunnel stale, which is to take less than 30 s */
#define WATCH_SAMPLE_MS 9500

struct watch_options {
	const char *name; /* of the tunnel in home */
	int ready_fd; /* a newline is written to it when all is watched, and it is closed; -1: none */
	const char *notify_socket; /* NOTIFY_SOCKET of sd_notify(3), or NULL */
	unsigned
		watchdog_ms; /* who started us wants to hear of us so often, sd_watchdog_enabled(3); 0: never */
	bool should_take_over; /* end a watch that there is already */
	void *ctx;
	void (*log)(void *ctx, const char *line); /* one event, without newline */
};

/**
 * watch_run - until the tunnel goes down, or SIGTERM or SIGINT comes
 *
 * Changes the process: signals are blocked, most capabilities given up.
 * Return: 0; kind STATE when the tunnel is not up, or is watched already
 */
int watch_run(const struct watch_options *options, struct err *e);

/* ---- decisions: pure ---- */

/**
 * watch_has_slept - did the machine sleep between two looks at the clocks?
 *
 * CLOCK_BOOTTIME goes on in suspend and CLOCK_MONOTONIC does not (clock_gettime(2)).
 */
struct watch_clocks {
	int64_t boot_ms, monotonic_ms;
};
bool watch_has_slept(const struct watch_clocks *before, const struct watch_clocks *now);

/** watch_is_old - is the newest handshake too old? One of the future is not: the clock was set back */
bool watch_is_old(int64_t last_handshake, int64_t now, int64_t max_age);

/** watch_pause_ms - before try @n (from 0): @first_ms, doubled each time, up to @max_ms */
unsigned watch_pause_ms(unsigned n, unsigned first_ms, unsigned max_ms);

/* What a peer had counted at the last sample. */
struct watch_peer {
	struct key public_key;
	uint64_t rx_bytes, tx_bytes;
	uint8_t n_silent; /* samples in a row in which it was sent something and nothing came */
	bool is_seen;
	union wg_endpoint endpoint; /* where it was last */
};
struct watch_peers {
	struct watch_peer *items; /* owned */
	size_t n;
};
/**
 * watch_peers_sample - take the counters of a device
 *
 * A peer that gets data without anything to send answers by a keepalive after 10 s (KEEPALIVE_TIMEOUT, whitepaper
 * 6.5): two samples in which it was sent something and nothing came mean that it does not hear, or is not heard.
 * @is_stale: some peer is silent, and none answers
 * Return: 0 or -ENOMEM
 */
int watch_peers_sample(struct watch_peers *peers, const struct wg_device *dev, bool *is_stale);
void watch_peers_free(struct watch_peers *peers);

/** watch_may_adopt - is it worth looking whether a link of home is an uplink? Cheap; change_adopt() decides */
struct rtnl_link;
bool watch_may_adopt(const struct rtnl_link *link, char *const *names, size_t n_names);

/** watch_tell - one message of sd_notify(3); @notify_socket: NOTIFY_SOCKET, or NULL for nobody */
void watch_tell(const char *notify_socket, const char *text);
/** watch_notify_address - NOTIFY_SOCKET as an address, a path or "@" and an abstract name; Return: its length or -EINVAL */
struct sockaddr_un;
int watch_notify_address(const char *text, struct sockaddr_un *out, socklen_t *len);

#endif
