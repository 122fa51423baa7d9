// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wgns/fd.h"
#include "wgns/netns.h"

/* a socket stays in the namespace in which it was made */
static int socket_in(int ns_fd, int family, struct err *e)
{
	AUTO_FD int old_fd = netns_open_self(e);

	if (old_fd < 0)
		return old_fd;
	if (setns(ns_fd, CLONE_NEWNET) < 0)
		return err_set(e, errno, "enter the namespace to open a socket");
	AUTO_FD int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int code = errno;
	if (setns(old_fd, CLONE_NEWNET) < 0)
		return err_set(e, errno, "return from the namespace of a socket");
	return fd < 0 ? err_set(e, code, "open a socket") : fd_take(&fd);
}

static int bound_port(int fd, const struct sockaddr *any, socklen_t len, uint16_t *out,
		      struct err *e)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} got = { 0 };
	socklen_t got_len = sizeof(got);

	if (bind(fd, any, len) < 0 || getsockname(fd, &got.sa, &got_len) < 0)
		return err_set(e, errno, "find a free port");
	*out = ntohs(got.sa.sa_family == AF_INET6 ? got.v6.sin6_port : got.v4.sin_port);
	return 0;
}

int netns_free_port(int ns_fd, uint16_t *out, struct err *e)
{
	const struct sockaddr_in6 any6 = { .sin6_family = AF_INET6 };
	const struct sockaddr_in any4 = { .sin_family = AF_INET };
	int no = 0;

	/* one socket for both families takes the port in both: ipv6(7) IPV6_V6ONLY */
	AUTO_FD int fd = socket_in(ns_fd, AF_INET6, e);
	if (fd >= 0 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no)) < 0)
		return err_set(e, errno, "find a free port");
	if (fd >= 0)
		return bound_port(fd, (const struct sockaddr *)&any6, sizeof(any6), out, e);
	if (fd != -EAFNOSUPPORT)
		return fd;
	AUTO_FD int fd4 = socket_in(ns_fd, AF_INET, e);
	return fd4 < 0 ? fd4
		       : bound_port(fd4, (const struct sockaddr *)&any4, sizeof(any4), out, e);
}
