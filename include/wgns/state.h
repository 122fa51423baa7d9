/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state - what wgns keeps under /run/wgns: one folder a tunnel, one folder a box, one lock
 *
 * Only root writes there. Paths below it are opened with openat2(2) RESOLVE_BENEATH|RESOLVE_NO_SYMLINKS
 * (Linux 5.6). Everything is text, one fact a line.
 */
#ifndef WGNS_STATE_H
#define WGNS_STATE_H

#include <linux/limits.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wgns/err.h"
#include "wgns/netns.h"
#include "wgns/wg.h"

#define STATE_DIR "/run/wgns"
#define STATE_LOCK_WAIT_MS 30000
#define STATE_PLACE_MAX 64

/**
 * state_open - the folder /run/wgns
 * @should_create: make it (0755 root) when it is absent
 *
 * Return: an owned descriptor; -ENOENT when absent; -EPERM when it is not root's or others may write there
 */
int state_open(bool should_create, struct err *e);

/**
 * state_enter - the folder and the lock: one change at a time
 * @wait_ms: how long to wait for somebody else's change
 *
 * On success both are owned descriptors, to be given to state_leave(). Return: 0; -EBUSY (kind STATE) after @wait_ms; else as
 * state_open()
 */
int state_enter(bool should_create, int wait_ms, int *run_fd, int *lock_fd, struct err *e);
/** state_leave - give the lock back, and remove the folder when there is nothing in it any more */
void state_leave(int *run_fd, int *lock_fd);

/** state_openat - open(2) below the state folder without following any symlink; fd or -errno, @e as err_set() */
int state_openat(int run_fd, const char *path, int flags, struct err *e);
/** state_mkdir - exclusive; owner root, @gid, exactly @mode; Return: 0, -EEXIST, -errno */
int state_mkdir(int run_fd, const char *path, unsigned mode, unsigned gid, struct err *e);
/** state_remove_tree - remove a folder of ours with its files and (one level of) folders; absent is success */
int state_remove_tree(int run_fd, const char *path, struct err *e);

enum { STATE_PRE_DOWN = 1, STATE_POST_DOWN = 2 };

/* What is known of a tunnel: the file tunnel/PLACE:NAME/meta. */
struct state_tunnel {
	char place[STATE_PLACE_MAX]; /* "home" */
	char layout[16]; /* "physical" */
	char birthplace[STATE_PLACE_MAX]; /* the box in which the UDP socket lives: "physical" */
	char backend[16]; /* "kernel", "userspace" */
	struct backend_device device; /* device.name is the tunnel's name */
	char file[PATH_MAX]; /* configuration as it was named at `up`, absolute */
	char dns[16]; /* who was told of DNS=: "resolvconf", "resolved", "file", "" */
	uint16_t port; /* that its guard.port opens in physical; 0: none */
	int64_t since; /* seconds since the epoch when `up` was done; 0: it was not */
	bool is_ending; /* `down` has begun: it is not up any more, whatever is left of it */
	unsigned
		hooks_run; /* of `down`: STATE_PRE_DOWN, STATE_POST_DOWN; they run once however often it is tried */
	struct netns_id home, birth; /* the namespaces, by identity */
};

/** state_tunnel_path - "tunnel/home:wg0" */
void state_tunnel_path(const char *place, const char *name, char *buf, size_t cap);
/** state_tunnel_is_half - `up` was not finished, or `down` was not, or its file says nothing */
bool state_tunnel_is_half(const struct state_tunnel *t);
int state_tunnel_write(int run_fd, const struct state_tunnel *t, struct err *e);
/** state_tunnel_read - Return: 0, -ENOENT when there is no such tunnel, -EINVAL when the file is damaged */
int state_tunnel_read(int run_fd, const char *place, const char *name, struct state_tunnel *out,
		      struct err *e);
/**
 * state_tunnels - every tunnel, sorted by place and name
 * @out: owned array; one whose meta is damaged has only place and device.name set
 */
int state_tunnels(int run_fd, struct state_tunnel **out, size_t *n, struct err *e);

/* `wgns watch` of a tunnel in home: the files watch and health of its folder. */
struct state_watcher {
	pid_t pid;
	unsigned long long start_time; /* field 22 of /proc/PID/stat */
	bool is_stale; /* what it sends is not answered */
};
int state_watcher_write(int run_fd, const char *name, const struct state_watcher *w, struct err *e);
/** state_watcher_read - Return: 0 and a process that lives; -ENOENT, -ESRCH when nobody watches; -errno */
int state_watcher_read(int run_fd, const char *name, struct state_watcher *out);
/** state_watcher_remove - both files; absent is success */
int state_watcher_remove(int run_fd, const char *name, struct err *e);
/** state_health_write - atomically */
int state_health_write(int run_fd, const char *name, bool is_stale, struct err *e);

/** state_uplinks_write - which devices are to be uplinks of the layout, by name; none: those that are found */
int state_uplinks_write(int run_fd, char *const *names, size_t n, struct err *e);
/** state_uplinks_read - @names: owned list, see str_list_add() */
int state_uplinks_read(int run_fd, char ***names, size_t *n, struct err *e);

/* A box: box/NAME/ with `netns` (bind mount), `etc/`, and for `physical` the layout's journal and snapshot. */
struct state_box {
	char name[STATE_PLACE_MAX];
	struct netns_id ns;
	char group[64]; /* who may enter it with the helper */
};
int state_boxes(int run_fd, struct state_box **out, size_t *n, struct err *e);
/** state_box_open_netns - an owned descriptor of the box's namespace; -ENOENT when there is no such box */
int state_box_open_netns(int run_fd, const char *name, struct err *e);

#endif
