// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * listen - sockets of the caller's own namespace for a program in a box
 *
 * They are made before the namespace is entered and stay where they were made. This process becomes the
 * program, so LISTEN_PID is its own number, and the descriptors only have to survive execve(2).
 */
#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "wgns/str.h"

#define TEXT_MAX (INET6_ADDRSTRLEN + IF_NAMESIZE + sizeof("[%]:65535"))
#define HOST_MAX (INET6_ADDRSTRLEN + IF_NAMESIZE)

__attribute__((format(printf, 3, 4))) static int refuse(struct err *e, const char *text,
							const char *fmt, ...)
{
	char why[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap); /* what is too long is cut */
	va_end(ap);
	(void)err_say(e, EINVAL, "--listen %.100s: %s", text, why);
	return err_as(e, ERR_KIND_USAGE);
}

static int parse_port(const char *text, const char *port, in_port_t *out, struct err *e)
{
	unsigned long long number;

	if (str_to_u64(port, UINT16_MAX, &number) < 0)
		return refuse(e, text, "a port is a number from 1 to 65535");
	if (number == 0)
		return refuse(e, text,
			      "port 0 would be another one each time; name one from 1 to 65535");
	*out = htons((uint16_t)number);
	return 0;
}

static int parse_device(const char *text, const char *device, struct sockaddr_in6 *v6,
			struct err *e)
{
	bool is_link_local = IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr);

	if (!device)
		return is_link_local
			       ? refuse(e, text,
					"a link-local address needs its device: [fe80::1%%eth0]:80")
			       : 0;
	if (!is_link_local)
		return refuse(e, text, "only a link-local address (fe80::) takes a device");
	v6->sin6_scope_id = if_nametoindex(device);
	return v6->sin6_scope_id ? 0 : refuse(e, text, "there is no device %s here", device);
}

/* @host is what stands between the brackets */
static int parse_v6(const char *text, char *host, in_port_t port, struct listen_address *out,
		    struct err *e)
{
	struct listen_address a = { .v6 = { .sin6_family = AF_INET6, .sin6_port = port },
				    .len = sizeof(a.v6) };
	char *device = strchr(host, '%');

	if (device)
		*device++ = '\0';
	if (inet_pton(AF_INET6, host, &a.v6.sin6_addr) != 1)
		return refuse(e, text, "an IPv6 address is expected in the brackets");
	if (IN6_IS_ADDR_V4MAPPED(&a.v6.sin6_addr))
		return refuse(e, text, "write an IPv4 address without brackets: 127.0.0.1:80");
	int rc = parse_device(text, device, &a.v6, e);
	if (rc == 0)
		*out = a;
	return rc;
}

static int parse_v4(const char *text, const char *host, in_port_t port, struct listen_address *out,
		    struct err *e)
{
	struct listen_address a = { .v4 = { .sin_family = AF_INET, .sin_port = port },
				    .len = sizeof(a.v4) };

	if (!*host)
		return refuse(e, text,
			      "on which address? 127.0.0.1:PORT is this machine alone, "
			      "0.0.0.0:PORT everybody");
	if (strchr(host, ':'))
		return refuse(e, text, "an IPv6 address stands in brackets: [::1]:80");
	if (inet_pton(AF_INET, host, &a.v4.sin_addr) != 1)
		return refuse(e, text,
			      "an address in numbers is expected, not a name: 127.0.0.1:80");
	*out = a;
	return 0;
}

int listen_parse(const char *text, struct listen_address *out, struct err *e)
{
	char host[HOST_MAX + 1] = "127.0.0.1";
	const char *port = text, *colon = strrchr(text, ':');
	bool is_v6 = text[0] == '[';
	in_port_t number = 0;

	if (is_v6) {
		const char *end = strchr(text, ']');
		if (!end || end[1] != ':')
			return refuse(e, text, "expected is [ADDRESS]:PORT");
		colon = end + 1;
	}
	/* 127.0.0.1 alone would be told that it is not a port */
	if (!colon && text[strspn(text, "0123456789")])
		return refuse(e, text, "expected is ADDRESS:PORT, or PORT for 127.0.0.1");
	if (colon) {
		size_t len = (size_t)(colon - text) - (is_v6 ? 2 : 0);
		if (len > HOST_MAX)
			return refuse(e, text, "no address is that long");
		memcpy(host, text + is_v6, len);
		host[len] = '\0';
		port = colon + 1;
	}
	int rc = parse_port(text, port, &number, e);
	if (rc < 0)
		return rc;
	return is_v6 ? parse_v6(text, host, number, out, e) : parse_v4(text, host, number, out, e);
}

bool listen_is_loopback(const struct listen_address *a)
{
	if (a->sa.sa_family == AF_INET)
		return ntohl(a->v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}

static unsigned port_of(const struct listen_address *a)
{
	return ntohs(a->sa.sa_family == AF_INET ? a->v4.sin_port : a->v6.sin6_port);
}

static void format(const struct listen_address *a, char out[TEXT_MAX])
{
	char host[INET6_ADDRSTRLEN] = "", device[IF_NAMESIZE] = "";

	if (a->sa.sa_family == AF_INET) {
		(void)inet_ntop(AF_INET, &a->v4.sin_addr, host, sizeof(host)); /* it fits */
		(void)snprintf(out, TEXT_MAX, "%s:%u", host, port_of(a));
		return;
	}
	(void)inet_ntop(AF_INET6, &a->v6.sin6_addr, host, sizeof(host)); /* it fits */
	if (a->v6.sin6_scope_id)
		(void)if_indextoname(a->v6.sin6_scope_id, device); /* gone: no name is shown */
	(void)snprintf(out, TEXT_MAX, "[%s%s%s]:%u", host, *device ? "%" : "", device, port_of(a));
}

static bool is_same(const struct listen_address *a, const struct listen_address *b)
{
	return a->len == b->len && memcmp(&a->sa, &b->sa, a->len) == 0;
}

/* all that can be said before anything is closed */
static int check(const struct listen_address *list, size_t n, struct err *e)
{
	char text[TEXT_MAX];
	struct rlimit limit;

	if (n > LISTEN_MAX) {
		(void)err_say(e, EINVAL, "--listen: %d addresses are the most, and these are %zu",
			      LISTEN_MAX, n);
		return err_as(e, ERR_KIND_USAGE);
	}
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < i; k++) {
			if (!is_same(&list[i], &list[k]))
				continue;
			format(&list[i], text);
			return refuse(e, text, "it is named twice");
		}
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return err_set(e, errno, "read the limit of open files");
	if (limit.rlim_cur >= LISTEN_FIRST_FD + n)
		return 0;
	(void)err_say(e, EMFILE,
		      "--listen: %zu sockets need %zu descriptors, and the limit is %llu", n,
		      LISTEN_FIRST_FD + n, (unsigned long long)limit.rlim_cur);
	err_hint(e, "ulimit -n raises it");
	return -EMFILE;
}

static int set_option(int fd, int level, int option, const char *text, struct err *e)
{
	int on = 1;

	return setsockopt(fd, level, option, &on, sizeof(on)) < 0
		       ? err_set(e, errno, "--listen %s: set up the socket", text)
		       : 0;
}

static int bind_failed(const struct listen_address *a, int code, const char *text, struct err *e)
{
	(void)err_set(e, code, "--listen %s", text);
	if (code == EADDRINUSE)
		err_hint(e, "`ss -ltnp sport = :%u` shows who has the port", port_of(a));
	else if (code == EACCES)
		err_hint(e, "low ports are for root: take one from 1024 on "
			    "(sysctl net.ipv4.ip_unprivileged_port_start is the limit)");
	else if (code == EADDRNOTAVAIL)
		err_hint(e, "it has to be an address of this machine: `ip address` lists them");
	return -code;
}

/* Return: an owned descriptor, or -errno */
static int make(const struct listen_address *a, struct err *e)
{
	char text[TEXT_MAX];
	int rc;

	format(a, text);
	int fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
	if (fd < 0)
		return err_set(e, errno, "--listen %s: open a socket", text);
	/* a service that is started again has connections of its last life in TIME_WAIT */
	rc = set_option(fd, SOL_SOCKET, SO_REUSEADDR, text, e);
	/* [::] takes no IPv4, whatever net.ipv6.bindv6only says */
	if (rc == 0 && a->sa.sa_family == AF_INET6)
		rc = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, text, e);
	if (rc == 0 && (bind(fd, &a->sa, a->len) < 0 || listen(fd, SOMAXCONN) < 0))
		rc = bind_failed(a, errno, text, e);
	if (rc < 0)
		(void)close(fd); /* nobody has connected */
	return rc < 0 ? rc : fd;
}

/*
 * The place is the lowest free descriptor, or 0 to 2 when one of these was closed: the places below are taken by the sockets
 * before, and this one was closed. So no socket is ever moved onto another.
 */
static int place(const struct listen_address *a, int to, struct err *e)
{
	int fd = make(a, e);

	if (fd < 0 || fd == to)
		return fd < 0 ? fd : 0;
	int rc = dup3(fd, to, O_CLOEXEC) < 0 ? err_set(e, errno, "--listen: descriptor %d", to) : 0;
	(void)close(fd); /* the copy stays */
	return rc;
}

static int close_places(size_t n, struct err *e)
{
	/* Linux 5.9; it passes over those that are not open */
	if (syscall(SYS_close_range, LISTEN_FIRST_FD, LISTEN_FIRST_FD + (unsigned)n - 1, 0U) < 0)
		return err_set(e, errno, "--listen: close descriptors");
	return 0;
}

static int let_pass(size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		if (fcntl(LISTEN_FIRST_FD + (int)i, F_SETFD, 0) < 0)
			return err_set(e, errno, "--listen: hand over descriptor %zu",
				       LISTEN_FIRST_FD + i);
	}
	return 0;
}

/*
 * What a socket-activated caller was given is not for the program in any case: its descriptors are closed.
 * LISTEN_PIDFDID says the same as LISTEN_PID by another number, and is believed where it is set.
 */
static int announce(size_t n, struct err *e)
{
	char count[24], pid[16];

	if (unsetenv("LISTEN_FDNAMES") < 0 || unsetenv("LISTEN_PIDFDID") < 0 ||
	    unsetenv("LISTEN_FDS") < 0 || unsetenv("LISTEN_PID") < 0)
		return err_set(e, errno, "unset LISTEN_FDS");
	if (n == 0)
		return 0;
	(void)snprintf(count, sizeof(count), "%zu", n);
	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	if (setenv("LISTEN_FDS", count, 1) < 0 || setenv("LISTEN_PID", pid, 1) < 0)
		return err_set(e, errno, "set LISTEN_FDS");
	return 0;
}

int listen_open(const struct listen_address *list, size_t n, struct err *e)
{
	struct err ignored;
	int rc = check(list, n, e);

	if (rc < 0)
		return rc;
	if (n == 0)
		return announce(0, e);
	rc = close_places(n, e);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = place(&list[i], LISTEN_FIRST_FD + (int)i, e);
	if (rc == 0)
		rc = let_pass(n, e);
	if (rc == 0)
		rc = announce(n, e);
	if (rc < 0)
		(void)close_places(n, &ignored); /* the error that matters is already in @e */
	return rc;
}
