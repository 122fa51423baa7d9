/* SPDX-License-Identifier: GPL-2.0-or-later */
/* backend - who does the encryption: the kernel, or a daemon such as wireguard-go */
#ifndef WGNS_BACKEND_H
#define WGNS_BACKEND_H

#include <net/if.h>
#include <stdbool.h>
#include <sys/types.h>

#include "wgns/err.h"
#include "wgns/wg.h"

/* the alias of a tunnel inside: this and the name that it was born with */
#define BACKEND_ALIAS "wgns:"

/* Who writes down that a daemon is there, before it runs: see create_recorded. */
struct backend_record {
	int (*write)(void *ctx, const struct backend_device *dev, struct err *e);
	void *ctx;
};

struct backend {
	const char *name; /* "kernel", "userspace" */

	/** usable - can it work here? Changes nothing. Return: 0, or -errno with the reason, kind MACHINE */
	int (*usable)(const struct backend_device *dev, struct err *e);
	/**
	 * create - a device called dev->birth_name in @birth_fd. The kernel keeps that namespace for the UDP socket.
	 * userspace: starts dev->daemon there, waits until it answers, fills pid and start_time. On failure nothing is left.
	 */
	int (*create)(struct backend_device *dev, int birth_fd, struct err *e);
	/**
	 * create_recorded - create(), and a daemon begins only when @record has been told its pid and start time: whoever calls
	 * may be killed at any moment, and no daemon is there that nobody knows
	 */
	int (*create_recorded)(struct backend_device *dev, int birth_fd,
			       const struct backend_record *record, struct err *e);
	/** set - keys, port, mark, peers with resolved endpoints; @inside_fd holds the device (-1: the caller's) */
	int (*set)(const struct backend_device *dev, int inside_fd, const struct wg_device *conf,
		   bool should_replace_peers, struct err *e);
	/** get - what is configured and counted; keys included when the caller may see them */
	int (*get)(const struct backend_device *dev, int inside_fd, struct wg_device *out,
		   struct err *e);
	/**
	 * destroy - delete the device wherever of the two namespaces it is; nothing there is success
	 * userspace: ends the daemon first (pid and start time must match) and waits for it
	 */
	int (*destroy)(const struct backend_device *dev, int birth_fd, int inside_fd,
		       struct err *e);
};

extern const struct backend backend_kernel;
extern const struct backend backend_userspace;

/** backend_by_name - "kernel" or "userspace"; NULL for anything else */
const struct backend *backend_by_name(const char *name);
/**
 * backend_choose - "auto" prefers the kernel
 * @why: one line for the user: which, and why not the other
 */
int backend_choose(const char *wanted, const struct backend_device *dev, const struct backend **out,
		   char why[256], struct err *e);

/**
 * backend_kick - make the device begin a handshake now with every peer that has an endpoint
 *
 * WireGuard is silent until it has something to send. A persistent keepalive that goes from 0 to another value while the
 * device is up sends a packet at once, and so a handshake when there is no valid session (Linux,
 * drivers/net/wireguard/netlink.c: set_peer(); wireguard-go, device/uapi.go: handlePostConfig()). Here it does so for a moment,
 * and is then what it was before; a peer that was removed meanwhile stays removed. A peer whose session is valid gets a
 * keepalive. WireGuard itself begins at most one handshake with a peer in 5 seconds (whitepaper section 6.1), so that
 * calling this often does no harm.
 *
 * wireguard-go sees only within a second that its device has been set up, and forgets what it is told before: while
 * tx_bytes stays as it was, call again.
 * Return: 0, also when no peer has an endpoint; or as get() and set()
 */
int backend_kick(const struct backend *backend, const struct backend_device *dev, int inside_fd,
		 struct err *e);

/*
 * `wg show NAME` looks for the socket of a daemon by the name of its device. A device whose inside is the
 * caller's namespace gets NAME.sock, a symbolic link to the socket of its birth name; kernel devices need none.
 */
/**
 * backend_link_socket - atomically; what a dead daemon left under that name is replaced
 * Return: 0, or -EEXIST with kind STATE when the name belongs to somebody who lives
 */
int backend_link_socket(const struct backend_device *dev, struct err *e);
/* ---- what a crash left ---- */
/** backend_is_birth_name - "wgns" and eight hexadecimal digits, as `up` makes them at random */
bool backend_is_birth_name(const char *name);
/**
 * backend_find_births - the birth names of all devices and sockets that wgns made
 *
 * In @birth_fd a WireGuard or TUN device has it as its name, in @inside_fd also as its alias; under /run/wireguard it is the name
 * of a socket, or what a link leads to. A descriptor of -1 is not looked at.
 * Return: 0 and an owned list of strings, each once; -errno
 */
int backend_find_births(int birth_fd, int inside_fd, char ***names, size_t *n, struct err *e);
/** backend_end_birth - the daemon, the device and the sockets of that name; what is absent is success */
int backend_end_birth(const char *birth_name, int birth_fd, int inside_fd, struct err *e);
/** backend_sweep_links - links that were being made under /run/wireguard when their maker died; Return: how many, -errno */
int backend_sweep_links(struct err *e);

/** backend_unlink_socket - remove that link; another's file, or none, is left alone and is success */
int backend_unlink_socket(const struct backend_device *dev, struct err *e);

#endif
