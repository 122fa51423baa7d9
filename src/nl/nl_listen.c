// SPDX-License-Identifier: GPL-2.0-or-later
/* sockets that hear what the kernel tells of changes, and never block */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wgns/fd.h"
#include "wgns/nl.h"

#define LISTEN_BUFFER 8192 /* a message of events is a page at most */
#define LISTEN_READS 64 /* at one call: who changes things all the time must not keep the caller */

static int socket_here(int protocol, struct err *e)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

	return fd < 0 ? err_set(e, errno, "open a netlink socket") : fd;
}

static int socket_in(int protocol, int ns_fd, struct err *e)
{
	AUTO_FD int old_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	if (old_fd < 0)
		return err_set(e, errno, "open /proc/thread-self/ns/net");
	if (setns(ns_fd, CLONE_NEWNET) < 0)
		return err_set(e, errno, "enter the namespace to open a netlink socket");
	AUTO_FD int fd = socket_here(protocol, e);
	/* staying here would do all that follows in the wrong network */
	if (setns(old_fd, CLONE_NEWNET) < 0)
		return err_set(e, errno, "return from the namespace of a netlink socket");
	return fd < 0 ? fd : fd_take(&fd);
}

int nl_listen_in(int protocol, int ns_fd, const unsigned *groups, size_t n, struct err *e)
{
	const struct sockaddr_nl self = { .nl_family = AF_NETLINK };
	AUTO_FD int fd = ns_fd < 0 ? socket_here(protocol, e) : socket_in(protocol, ns_fd, e);

	if (fd < 0)
		return fd;
	if (bind(fd, (const struct sockaddr *)&self, sizeof(self)) < 0)
		return err_set(e, errno, "bind a netlink socket");
	for (size_t i = 0; i < n; i++) {
		int group = (int)groups[i];
		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
			return err_set(e, errno, "listen to the kernel's group %d", group);
	}
	return fd_take(&fd);
}

int nl_listen_read(int fd, void (*fn)(const struct nlmsghdr *event, void *ctx), void *ctx)
{
	_Alignas(8) char buf[LISTEN_BUFFER];
	int is_lost = 0;

	for (int i = 0; i < LISTEN_READS; i++) {
		struct sockaddr_nl from = { 0 };
		struct iovec iov = { .iov_base = buf, .iov_len = sizeof(buf) };
		struct msghdr mh = { .msg_name = &from,
				     .msg_namelen = sizeof(from),
				     .msg_iov = &iov,
				     .msg_iovlen = 1 };
		ssize_t n = recvmsg(fd, &mh, 0);

		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return is_lost;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ENOBUFS) {
			is_lost = 1;
			continue;
		}
		if (n < 0)
			return -errno;
		if (from.nl_pid != 0)
			continue; /* only the kernel is believed */
		if (mh.msg_flags & MSG_TRUNC) {
			is_lost = 1;
			continue;
		}
		int left = (int)n;
		const struct nlmsghdr *h = (const void *)buf;
		for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
			fn(h, ctx);
	}
	return is_lost; /* what is left keeps the socket readable */
}
