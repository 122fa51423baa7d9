/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the two backends share among themselves */
#ifndef WGNS_WG_INTERNAL_H
#define WGNS_WG_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "wgns/backend.h"
#include "wgns/err.h"

/* ---- wg_link.c ---- */
/**
 * wg_link_delete - the device @name in @ns_fd, when it is of @kind
 * Return: 1 deleted, 0 there was none, or -errno
 */
int wg_link_delete(int ns_fd, const char *name, const char *kind, struct err *e);

/* ---- uapi_socket.c ---- */
/* wireguard-go and wg(8) both have this path built in */
#define UAPI_SOCKET_DIR "/var/run/wireguard"
#define UAPI_SOCKET_NAME_MAX 32

/** uapi_socket_name - "NAME.sock"; Return: 0, or -EINVAL when @ifname could leave the folder */
int uapi_socket_name(const char *ifname, char out[UAPI_SOCKET_NAME_MAX], struct err *e);
/**
 * uapi_socket_open_dir - the folder; it must be the caller's, and nobody else's to write
 * Return: an owned descriptor; -ENOENT, @e untouched, when it is not there
 * and not to be made; or another -errno
 */
int uapi_socket_open_dir(bool should_create, struct err *e);
/**
 * uapi_socket_connect - to what listens there
 * @pid: who called listen(2) there, 0 when the kernel cannot say; may be NULL
 * Return: an owned descriptor; -ENOENT no socket, -ECONNREFUSED nobody behind it, another -errno
 */
int uapi_socket_connect(const char *ifname, pid_t *pid, struct err *e);
/**
 * uapi_socket_talk - one request, one answer, on an own connection to dev->birth_name
 * @dev:     dev->pid must be who listens there, unless it is 0
 * @idle_ms: how long it may be silent
 * @answer:  owned; may hold keys: wipe it
 */
int uapi_socket_talk(const struct backend_device *dev, const char *request, int idle_ms,
		     char **answer, size_t *len, struct err *e);
/** uapi_socket_sweep - remove the socket; none is success */
int uapi_socket_sweep(const char *ifname, struct err *e);

/* ---- daemon.c ---- */
struct wg_daemon_where {
	int birth_fd; /* namespace, -1 for the caller's */
	int log_fd; /* its stdout and stderr, -1 for none */
};
/**
 * wg_daemon_spawn - DAEMON -f BIRTH_NAME, a session of its own, nothing inherited
 * @record: told of dev->pid and dev->start_time before the daemon begins; may be NULL
 *
 * Return: an owned pidfd, or -errno and there is no process
 */
int wg_daemon_spawn(struct backend_device *dev, const struct wg_daemon_where *where,
		    const struct backend_record *record, struct err *e);
/** wg_daemon_open - a pidfd of exactly that process; -ESRCH when it has ended, whoever has its number now; -errno */
int wg_daemon_open(pid_t pid, unsigned long long start_time);
/** wg_daemon_end - SIGTERM, SIGKILL when that does not help; waits, and reaps when it is a child */
int wg_daemon_end(int pidfd, struct err *e);
/** wg_daemon_abandon - kill at once and reap; @how: "exit status 1", "signal 9", or "" */
void wg_daemon_abandon(int pidfd, char *how, size_t cap);
/** wg_daemon_last_words - the last line in the log behind @from, printable; "" when it said nothing */
void wg_daemon_last_words(const char *log_path, off_t from, char *out, size_t cap);

#endif
