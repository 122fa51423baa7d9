/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netns - network namespaces as descriptors (namespaces(7), setns(2), ip-netns(8)) */
#ifndef WGNS_NETNS_H
#define WGNS_NETNS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "wgns/err.h"

struct netns_id {
	uint64_t dev, ino; /* of the nsfs file: the namespace's identity while something holds it */
};

/** netns_open_self - the caller's; owned descriptor. Return: fd or -errno */
int netns_open_self(struct err *e);
/** netns_open - a bind-mounted or /proc/PID/ns/net file; -EINVAL when it is not a network namespace (NS_GET_NSTYPE) */
int netns_open_at(int dir_fd, const char *path, struct err *e);
/** netns_check - Return: 0 for a network namespace, -EINVAL for any other file, which @e calls @name; -errno */
int netns_check(int fd, const char *name, struct err *e);
int netns_identify(int ns_fd, struct netns_id *out, struct err *e);
bool netns_same(const struct netns_id *a, const struct netns_id *b);

/**
 * netns_create - a new namespace, with lo down; the caller's own is unchanged
 * A child makes it with unshare(2) and the parent opens its /proc/PID/ns/net.
 * Return: an owned descriptor or -errno
 */
int netns_create(struct err *e);
/** netns_pin - bind-mount the namespace on @path, which is created as an empty file (O_EXCL) */
int netns_pin(int ns_fd, const char *path, struct err *e);
/** netns_unpin - unmount and remove the file; absent is success */
int netns_unpin(const char *path, struct err *e);

/** netns_open_dir - a dirfd that goes on showing @path as it is in @ns_fd (for /proc/sys/net/...); fd or -errno */
int netns_open_dir(int ns_fd, const char *path, struct err *e);
/** netns_open_file - a file that goes on showing what it is in @ns_fd (/proc/thread-self/net/udp); for reading; fd or -errno */
int netns_open_file(int ns_fd, const char *path, struct err *e);
/** netns_socket - socket(2), close-on-exec, in @ns_fd, where it stays; an owned descriptor or -errno */
int netns_socket(int ns_fd, int domain, int type, int protocol, struct err *e);

/**
 * netns_free_port - a UDP port of @ns_fd that nobody has now, in both address families, chosen by the kernel
 * Somebody may take it before the caller does. Return: 0 or -errno
 */
int netns_free_port(int ns_fd, uint16_t *out, struct err *e);

/**
 * netns_mount_sysfs - mount the sysfs that shows @ns_fd's devices on the folder @path, in the caller's mount namespace
 * Writable: what is read-only for the whole of it can never be mounted writable again. It holds the namespace until it is
 * unmounted. Return: 0 or -errno
 */
int netns_mount_sysfs(int ns_fd, const char *path, struct err *e);

/** netns_enter - move this process for good (children that start hooks and daemons) */
int netns_enter(int ns_fd, struct err *e);

/* A process in a namespace */
struct netns_proc {
	pid_t pid;
	uid_t uid;
	unsigned long long start_time;
	char comm[32];
};
/**
 * netns_procs - who lives in @ns, from /proc/PID/ns/net; at most @cap are stored
 * Return: how many there are (may be more than @cap), or -errno
 */
long netns_procs(const struct netns_id *ns, struct netns_proc *procs, size_t cap, struct err *e);
/** netns_has_proc - does exactly that process still live in @ns? false for a zombie, which has no namespaces */
bool netns_has_proc(const struct netns_id *ns, const struct netns_proc *p);
/**
 * netns_kill - SIGTERM, then SIGKILL after @grace_ms, waiting on pidfds; a pid that was reused is left alone
 */
int netns_kill(const struct netns_proc *procs, size_t n, int grace_ms, struct err *e);
/** proc_start_time - field 22 of /proc/PID/stat; Return: 0 or -ESRCH */
int proc_start_time(pid_t pid, unsigned long long *out);
/** proc_parent - field 4 of /proc/PID/stat; Return: 0 above the first process, and when it is not known */
pid_t proc_parent(pid_t pid);
/** proc_signal_children - send @sig to every child of this process */
void proc_signal_children(int sig);
/**
 * proc_kill_children - SIGKILL to every child, and wait, until there is none
 *
 * For a subreaper (PR_SET_CHILD_SUBREAPER of prctl(2)): orphans become its children, too.
 */
void proc_kill_children(void);

/** netns_mount_is_init - is the caller's mount namespace that of PID 1? Return: 1, 0, -errno */
int netns_mount_is_init(struct err *e);

#endif
