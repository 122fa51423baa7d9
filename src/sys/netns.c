// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wgns/fd.h"

#ifndef NSFS_MAGIC
#define NSFS_MAGIC 0x6e736673 /* linux/magic.h has it since 4.0, musl's copy may not */
#endif

/* An errand runs in a child that shares memory and descriptors with the waiting parent. */
struct errand {
	int ns_fd; /* where to go, or -1 */
	const char *path; /* what to open there; for a socket, what it is called in errors */
	const int *socket; /* the arguments of socket(2) instead of a path */
	int open_flags;
	int opened_fd;
	int code; /* positive errno */
	const char *attempt;
};

static int errand_run(void *arg)
{
	struct errand *r = arg;

	r->attempt = "enter the namespace to open";
	if (r->ns_fd >= 0 && setns(r->ns_fd, CLONE_NEWNET) < 0) {
		r->code = errno;
		return 1;
	}
	r->attempt = "open";
	r->opened_fd = r->socket ? socket(r->socket[0], r->socket[1], r->socket[2])
				 : open(r->path, r->open_flags);
	r->code = r->opened_fd < 0 ? errno : 0;
	return 0;
}

/*
 * The namespace is entered, or made, by a child, so that this process cannot be stranded in it.
 * CLONE_FILES leaves what the child opened in our table, CLONE_VM with CLONE_VFORK copies no memory
 * and holds us until it ended, and without an exit signal no SIGCHLD handler and no wait(2)
 * elsewhere sees it (clone(2)).
 */
static int errand_send(struct errand *r, int clone_flags, struct err *e)
{
	_Alignas(64) char stack[32768]; /* x86 wants 16; sanitizers want room */
	int status;

	r->opened_fd = -1;
	r->code = EINTR; /* when a signal ends the child early */
	r->attempt = "make a child to open";
	pid_t pid = clone(errand_run, stack + sizeof(stack),
			  CLONE_VM | CLONE_VFORK | CLONE_FILES | clone_flags, r);
	if (pid < 0)
		return err_set(e, errno, "%s %s", r->attempt, r->path);
	while (waitpid(pid, &status, __WALL) < 0) {
		if (errno !=
		    EINTR) /* reaped by somebody else: the answer is in memory all the same */
			break;
	}
	if (r->code)
		return err_set(e, r->code, "%s %s", r->attempt, r->path);
	return r->opened_fd;
}

int netns_check(int fd, const char *name, struct err *e)
{
	struct statfs fs;

	/* ioctl(2) numbers are only unique per file type, so the type is asked first */
	if (fstatfs(fd, &fs) < 0)
		return err_set(e, errno, "examine %s", name);
	if (fs.f_type != NSFS_MAGIC)
		return err_say(e, EINVAL, "%s is not a namespace", name);

	int type = ioctl(fd, NS_GET_NSTYPE);
	if (type < 0)
		return err_set(e, errno, "ask for the kind of namespace of %s", name);
	if (type != CLONE_NEWNET)
		return err_say(e, EINVAL, "%s is not a network namespace", name);
	return 0;
}

int netns_open_at(int dir_fd, const char *path, struct err *e)
{
	/*
	 * O_NONBLOCK and O_NOCTTY: whatever the file turns out to be, opening it neither waits nor
	 * claims
	 */
	AUTO_FD int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_set(e, errno, "open network namespace %s", path);
	int rc = netns_check(fd, path, e);
	return rc < 0 ? rc : fd_take(&fd);
}

int netns_open_self(struct err *e)
{
	/* the thread's own: /proc/self is that of the thread group leader (proc(5)) */
	return netns_open_at(AT_FDCWD, "/proc/thread-self/ns/net", e);
}

int netns_identify(int ns_fd, struct netns_id *out, struct err *e)
{
	struct stat st;

	if (fstat(ns_fd, &st) < 0)
		return err_set(e, errno, "identify a network namespace");
	*out = (struct netns_id){ .dev = st.st_dev, .ino = st.st_ino };
	return 0;
}

bool netns_same(const struct netns_id *a, const struct netns_id *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}

int netns_create(struct err *e)
{
	struct errand r = { .ns_fd = -1,
			    .path = "/proc/thread-self/ns/net",
			    .open_flags = O_RDONLY | O_CLOEXEC };
	int rc = errand_send(&r, CLONE_NEWNET, e);

	return rc < 0 ? err_context(e, "make a network namespace") : rc;
}

int netns_open_dir(int ns_fd, const char *path, struct err *e)
{
	struct errand r = { .ns_fd = ns_fd,
			    .path = path,
			    .open_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC };

	return errand_send(&r, 0, e);
}

int netns_open_file(int ns_fd, const char *path, struct err *e)
{
	struct errand r = { .ns_fd = ns_fd, .path = path, .open_flags = O_RDONLY | O_CLOEXEC };

	return errand_send(&r, 0, e);
}

int netns_socket(int ns_fd, int domain, int type, int protocol, struct err *e)
{
	const int arguments[] = { domain, type | SOCK_CLOEXEC, protocol };
	struct errand r = { .ns_fd = ns_fd, .path = "a socket there", .socket = arguments };

	return errand_send(&r, 0, e);
}

int netns_pin(int ns_fd, const char *path, struct err *e)
{
	char source[32];
	AUTO_FD int file = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0);

	if (file < 0)
		return err_set(e, errno, "create %s", path);
	(void)snprintf(source, sizeof(source), "/proc/self/fd/%d", ns_fd);
	if (mount(source, path, NULL, MS_BIND, NULL) < 0) {
		int code = errno;
		(void)unlink(path); /* ours: O_EXCL; the error that matters is the mount's */
		return err_set(e, code, "bind the network namespace on %s", path);
	}
	return 0;
}

int netns_unpin(const char *path, struct err *e)
{
	/*
	 * MNT_DETACH: somebody who has the file open holds the namespace, not the name. EINVAL: no
	 * mount point
	 */
	if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT)
		return err_set(e, errno, "unmount %s", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return err_set(e, errno, "remove %s", path);
	return 0;
}

int netns_enter(int ns_fd, struct err *e)
{
	if (setns(ns_fd, CLONE_NEWNET) < 0)
		return err_set(e, errno, "enter the network namespace");
	return 0;
}

int netns_mount_is_init(struct err *e)
{
	struct stat own, init;

	if (stat("/proc/self/ns/mnt", &own) < 0)
		return err_set(e, errno, "examine the own mount namespace");
	if (stat("/proc/1/ns/mnt", &init) < 0)
		return err_set(e, errno, "examine the mount namespace of process 1");
	return own.st_dev == init.st_dev && own.st_ino == init.st_ino;
}
