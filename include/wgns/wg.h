/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wg - a WireGuard device and its peers as plain values
 *
 * The same structs hold what a file asks for, what is sent to a backend, and what a
 * backend reports. "Unset" and "zero" differ: the has_* members say which it is.
 */
#ifndef WGNS_WG_H
#define WGNS_WG_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "wgns/addr.h"
#include "wgns/key.h"

struct wg_allowed_ip {
	struct addr prefix;
	bool is_remove; /* "-10.0.0.0/8"; WGALLOWEDIP_F_REMOVE_ME, Linux 6.16 */
};

union wg_endpoint { /* sa.sa_family is AF_UNSPEC while nothing is known */
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct wg_peer {
	struct key public_key;
	bool has_preshared_key;
	struct key preshared_key; /* all zero: none */
	bool has_keepalive;
	uint16_t keepalive; /* seconds, 0 is off */
	bool is_incremental; /* AllowedIPs were given with + or -: do not replace the list */
	bool is_update_only; /* nothing happens when the device does not have this peer (Linux 5.6) */
	bool should_remove; /* to a backend only: take this peer away */
	struct wg_allowed_ip *allowed_ips;
	size_t n_allowed_ips;
	/* from a file: unresolved, owned, or NULL */
	char *endpoint_host; /* name, v4, v6 (without brackets), may end in %scope */
	char *endpoint_port; /* number or service name */
	/* from resolution or a backend */
	union wg_endpoint endpoint;
	/* from a backend only */
	uint64_t rx_bytes, tx_bytes;
	int64_t last_handshake; /* seconds since the epoch, 0 is never */
};

struct wg_device {
	char name[IFNAMSIZ];
	bool has_private_key;
	struct key private_key; /* all zero: none */
	bool has_public_key;
	struct key public_key; /* from a backend only */
	bool has_listen_port;
	uint16_t listen_port; /* host order, 0 is random */
	bool has_fwmark;
	uint32_t fwmark; /* 0 is off */
	struct wg_peer *peers;
	size_t n_peers;
};

/*
 * The two arrays double when their length is a power of two: an array that was not made
 * with these functions must not be given to them.
 */
/* A device and where it is. Plain values: what the journal's header keeps. */
struct backend_device {
	char birth_name[IFNAMSIZ]; /* random; the UAPI socket keeps this name for ever */
	char name[IFNAMSIZ]; /* inside; "" until it was moved */
	char daemon[256]; /* userspace: program, for example /usr/bin/wireguard-go */
	int ifindex; /* inside, 0 until it was moved */
	pid_t pid; /* userspace: the daemon, 0 when none */
	unsigned long long
		start_time; /* userspace: field 22 of /proc/PID/stat, in clock ticks since boot */
	char log_path[256]; /* userspace: where the daemon's stderr goes */
};

/** wg_device_add_peer - a zeroed peer at the end; Return: the peer, valid until the next call, or NULL */
struct wg_peer *wg_device_add_peer(struct wg_device *dev);
/** wg_peer_add_allowed_ip - Return: 0 or -ENOMEM */
int wg_peer_add_allowed_ip(struct wg_peer *peer, const struct addr *prefix, bool is_remove);
/** wg_device_free - wipe keys, release, zero */
void wg_device_free(struct wg_device *dev);
/**
 * wg_endpoint_format - "192.0.2.1:51820", "[2001:db8::1%3]:51820", "" when unknown
 */
#define WG_ENDPOINT_TEXT_MAX 80
void wg_endpoint_format(const union wg_endpoint *ep, char out[WG_ENDPOINT_TEXT_MAX]);
socklen_t wg_endpoint_len(const union wg_endpoint *ep); /* 0 when unknown */
/**
 * wg_endpoint_numeric - host and port of a file when both are numeric and without scope
 * Return: 0, or -EAGAIN when it needs a resolver or a namespace
 */
int wg_endpoint_numeric(const char *host, const char *port, union wg_endpoint *out);

#endif
