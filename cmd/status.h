/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * status - what `wgns status` shows
 *
 * status_gather() asks the kernel, the backends and /run/wgns; the others make text of what it found and are pure.
 */
#ifndef WGNS_STATUS_H
#define WGNS_STATUS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "wgns/addr.h"
#include "wgns/err.h"
#include "wgns/state.h"
#include "wgns/str.h"
#include "wgns/wg.h"

/* A key that was not renewed after this many seconds is not used any more: REJECT_AFTER_TIME, whitepaper 6.1 */
#define STATUS_REJECT_AFTER 180
#define STATUS_PROCS_MAX 256 /* kept per box; the number of all is counted */
#define STATUS_HOME "home"

enum status_state {
	STATUS_UNKNOWN, /* only root sees it */
	STATUS_UP,
	STATUS_NO_HANDSHAKE,
	STATUS_STALE,
	STATUS_BROKEN,
	STATUS_UNFINISHED,
};

struct status_link {
	char name[IFNAMSIZ];
	char kind[32]; /* "wireguard", "veth", "" for hardware */
	uint32_t mtu;
	bool is_up, has_carrier, is_loopback;
	struct addr *addrs;
	size_t n_addrs;
};

struct status_proc {
	pid_t pid;
	uid_t uid;
	char user[64]; /* "" when the uid has no name */
	char comm[32];
	bool is_agent; /* `up` has started it, or it is the keeper of one */
};

/* Who configures an uplink of physical. */
struct status_agent {
	char program[32];
	char device[IFNAMSIZ]; /* or "all" */
	char state[160]; /* "running"; what its keeper says, or that there is none */
	bool is_dead;
};

struct status_box {
	char name[STATE_PLACE_MAX];
	char group[64]; /* who may enter; "" for home */
	char problem[256]; /* why links could not be read; "" */
	struct status_link *links;
	size_t n_links;
	struct status_proc *procs;
	size_t n_procs;
	size_t n_procs_all; /* may be more than n_procs */
	struct status_agent *agents; /* only root sees them */
	size_t n_agents;
	bool has_procs; /* they were asked for: not in home, where everything lives */
};

struct status_tunnel {
	struct state_tunnel meta;
	enum status_state state;
	char reason
		[256]; /* of BROKEN and UNKNOWN, and of STALE when `wgns watch` says so; else "" */
	pid_t watcher; /* who watches it, 0 for nobody */
	int64_t last_handshake; /* the latest of all peers, 0 for never */
	bool has_device; /* @device holds what the backend reported */
	struct wg_device device; /* its private and preshared keys are wiped */
};

struct status_view {
	int64_t now; /* seconds since the epoch */
	bool is_root;
	bool has_tunnels; /* the list of tunnels could be read; else only root sees it */
	const char *only; /* borrowed: show the tunnels of this name; NULL for all */
	struct status_tunnel *tunnels;
	size_t n_tunnels;
	struct status_box *boxes; /* home first */
	size_t n_boxes;
};

#define AUTO_VIEW __attribute__((cleanup(status_view_free)))
void status_view_free(struct status_view *view);

/** status_gather - what is there now; view->only is the caller's to set */
int status_gather(struct status_view *view, struct err *e);
/** status_gather_agents - those of physical, with the state of each */
int status_gather_agents(struct status_box *box, int run_fd, struct err *e);
/** status_is_shown - see view->only */
bool status_is_shown(const struct status_view *view, const struct status_tunnel *t);

/** status_judge - up, no handshake or stale, from the peers and @now; for a tunnel that is neither broken nor unfinished */
void status_judge(struct status_tunnel *t, int64_t now);
/** status_state_name - "up", "no handshake", "stale", "broken", "unfinished", "unknown" */
const char *status_state_name(enum status_state state);
const struct status_box *status_find_box(const struct status_view *view, const char *name);
/** status_find_link - in the box, or NULL */
const struct status_link *status_find_link(const struct status_box *box, const char *name);
/** status_tunnel_on - the tunnel whose device is @link of @box, or NULL */
const struct status_tunnel *status_tunnel_on(const struct status_view *view,
					     const struct status_box *box,
					     const struct status_link *link);
/** status_is_daemon - does this process make a tunnel? It is no program that somebody started there */
bool status_is_daemon(const struct status_view *view, pid_t pid);

/** status_escape - bytes that are not printable ASCII, and the backslash, as \xNN */
void status_escape(const char *in, char *out, size_t cap);
/** status_age - "12 s", "3 min 5 s", "2 h 3 min", "5 d 2 h" */
void status_age(int64_t seconds, char *out, size_t cap);
/** status_bytes - "92 B", "1.2 KiB", "3.0 GiB" */
void status_bytes(uint64_t n, char *out, size_t cap);

struct status_style {
	bool has_colour;
	bool has_utf8; /* lines may be drawn with the characters of U+2500 */
};
/** status_add_picture - who is where, at most 80 columns wide; nothing when no tunnel leaves its birthplace */
void status_add_picture(struct strbuf *b, const struct status_view *view,
			const struct status_style *style);
/** status_add_text - every tunnel and every box in words */
void status_add_text(struct strbuf *b, const struct status_view *view,
		     const struct status_style *style);
/** status_json - "schema": 1, with a newline at the end; owned, or NULL without memory */
char *status_json(const struct status_view *view);
/** status_colour - the escape sequence a state is shown in, "" without colour; status_plain ends it */
const char *status_colour(enum status_state state, const struct status_style *style);
const char *status_plain(const struct status_style *style);

#endif
