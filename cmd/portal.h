/* SPDX-License-Identifier: GPL-2.0-or-later */
/* portal - what the files of `wgns portal` share */
#ifndef WGNS_PORTAL_CMD_H
#define WGNS_PORTAL_CMD_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "wgns/err.h"
#include "wgns/wgnsconf.h"

/* ---- programs that run in physical, and signals: portal_session.c ---- */

#define PORTAL_OUT_MAX 4096 /* bytes of a program's output that are kept: the first ones */

struct portal_child {
	pid_t pid; /* 0: none was started, or it has ended */
	int out_fd; /* of its output; -1: at its end */
	char out[PORTAL_OUT_MAX];
	size_t len;
	int status; /* waitpid(2), once it has ended */
};

struct portal_session {
	int signal_fd;
	int n_interrupts; /* SIGINT, SIGTERM, SIGHUP, SIGQUIT */
	struct portal_child probe, browser;
};

/**
 * portal_session_begin - signals are read from now on, and orphans of what is started come to us
 * Return: 0 or -errno; portal_session_end() in any case
 */
int portal_session_begin(struct portal_session *s, struct err *e);
/**
 * portal_session_start - `wgns exec` in a process of its own
 * @argv: of exec, from "exec" on
 * @is_on_terminal: the program has our terminal; else it has no input, and its output is kept in @child
 */
int portal_session_start(struct portal_session *s, struct portal_child *child, char **argv,
			 bool is_on_terminal, struct err *e);
/** portal_session_step - wait for what happens, @ms at most. Return: 0, or -EINTR when we were interrupted */
int portal_session_step(struct portal_session *s, int ms);
/**
 * portal_session_stop - end all that was started, and wait for it: kindly, then, or at another interrupt, with SIGKILL
 *
 * With its last process the throw-away profile of a browser is gone.
 */
void portal_session_stop(struct portal_session *s);
void portal_session_end(struct portal_session *s);

/* ---- the browser: portal_browser.c ---- */

#define PORTAL_WORDS_MAX 32
struct portal_words {
	char buf[1024];
	char *words[PORTAL_WORDS_MAX];
	size_t n;
};

/**
 * portal_browser_choose - the words of @command, or a browser of this machine that can be given a throw-away profile
 * @command: NULL: that of the machine (x-www-browser), else the first that is found; no snap
 * Return: 0; -ENOENT, -EINVAL
 */
int portal_browser_choose(const char *command, struct portal_words *out, struct err *e);

/* ---- the tunnels: portal_tunnel.c ---- */

#define PORTAL_TUNNELS_MAX 16
struct portal_tunnels {
	struct {
		char name[IFNAMSIZ];
		uint64_t received; /* bytes, when the way became free */
		bool is_there; /* something came since */
	} items[PORTAL_TUNNELS_MAX];
	size_t n;
	int64_t since; /* seconds since the epoch */
};

/** portal_tunnels_begin - those in home, and what they have received so far */
void portal_tunnels_begin(struct portal_tunnels *t);
/**
 * portal_tunnels_kick - something to send for each that is not there yet, so that WireGuard shakes hands
 *
 * A question for the root of the DNS to home's name servers, and an empty datagram to an address of each route, through the
 * tunnel's device and no other. Root also has WireGuard begin a handshake with every peer.
 */
void portal_tunnels_kick(const struct portal_tunnels *t);
/** portal_tunnels_look - has something come? Return: true when all are there */
bool portal_tunnels_look(struct portal_tunnels *t);

#endif
