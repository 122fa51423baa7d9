// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * names - who asks whom for names, for tests/bats/sealed.bats
 *
 * names resolve      each line of standard input by getaddrinfo(3), both families: "IPV4 IPV6", "-" for none, or why it failed
 * names listen LOG   plays systemd-resolved: its varlink socket, and 127.0.0.53 port 53 by UDP and TCP. Nobody is told a
 *                    name; each visit is a line in LOG. Prints its number when it listens, and goes on in the background.
 * names knock        tries these three and nscd's socket, as a library that does not ask nsswitch.conf; a line each
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define VARLINK "/run/systemd/resolve/io.systemd.Resolve"
#define NSCD "/run/nscd/socket"

union address {
	struct sockaddr any;
	struct sockaddr_un un;
	struct sockaddr_in in;
};

/* where names are answered: a path, or 127.0.0.53 */
static const struct door {
	const char *name, *path;
	int type;
} doors[] = {
	{ "varlink", VARLINK, SOCK_STREAM },
	{ "udp", NULL, SOCK_DGRAM },
	{ "tcp", NULL, SOCK_STREAM },
	{ "nscd", NSCD, SOCK_STREAM }, /* only for knock: a real one listens */
};
enum { N_DOORS = sizeof(doors) / sizeof(doors[0]), N_OWN = N_DOORS - 1 };

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "names: %s: %s\n", what, strerror(errno));
	exit(1);
}

static socklen_t door_address(const struct door *d, union address *out)
{
	memset(out, 0, sizeof(*out));
	if (d->path) {
		out->un.sun_family = AF_UNIX;
		(void)snprintf(out->un.sun_path, sizeof(out->un.sun_path), "%s",
			       d->path); /* fits */
		return sizeof(out->un);
	}
	out->in.sin_family = AF_INET;
	out->in.sin_port = htons(53);
	out->in.sin_addr.s_addr = htonl(0x7f000035);
	return sizeof(out->in);
}

static int door_socket(const struct door *d)
{
	int fd = socket(d->path ? AF_UNIX : AF_INET, d->type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	return fd;
}

/* the first address of a family as text, or "-" */
static void first_address(const struct addrinfo *all, int family, char out[INET6_ADDRSTRLEN])
{
	(void)snprintf(out, INET6_ADDRSTRLEN, "-"); /* fits */
	for (const struct addrinfo *a = all; a; a = a->ai_next) {
		if (a->ai_family != family)
			continue;
		if (getnameinfo(a->ai_addr, a->ai_addrlen, out, INET6_ADDRSTRLEN, NULL, 0,
				NI_NUMERICHOST) != 0)
			die("getnameinfo");
		return;
	}
}

static int resolve(void)
{
	const struct addrinfo both = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	char name[256], v4[INET6_ADDRSTRLEN], v6[INET6_ADDRSTRLEN];
	struct addrinfo *found;

	while (fgets(name, sizeof(name), stdin)) {
		name[strcspn(name, "\n")] = '\0';
		int rc = getaddrinfo(name, NULL, &both, &found);
		if (rc != 0) {
			printf("%s\n", gai_strerror(rc));
		} else {
			first_address(found, AF_INET, v4);
			first_address(found, AF_INET6, v6);
			freeaddrinfo(found);
			printf("%s %s\n", v4, v6);
		}
		/* somebody waits for the answer before asking on */
		if (fflush(stdout) != 0)
			die("standard output");
	}
	return 0;
}

static int open_door(const struct door *d)
{
	union address a;
	socklen_t len = door_address(d, &a);
	int fd = door_socket(d), yes = 1;

	if (d->path && unlink(d->path) < 0 && errno != ENOENT)
		die(d->path);
	if (!d->path && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0)
		die(d->name);
	if (bind(fd, &a.any, len) < 0 || (d->type == SOCK_STREAM && listen(fd, 64) < 0))
		die(d->name);
	/* as systemd-resolved's: for everybody */
	if (d->path && chmod(d->path, 0666) < 0)
		die(d->path);
	return fd;
}

/* a datagram goes back as it is, a connection is closed */
static void serve(const struct door *d, int fd)
{
	char buf[512];
	union address from;
	socklen_t len = sizeof(from);

	if (d->type == SOCK_DGRAM) {
		ssize_t n = recvfrom(fd, buf, sizeof(buf), 0, &from.any, &len);
		if (n < 0 || sendto(fd, buf, (size_t)n, 0, &from.any, len) < 0)
			die(d->name);
		return;
	}
	int peer = accept(fd, NULL, NULL);
	if (peer < 0)
		die(d->name);
	(void)close(peer); /* nothing was written */
}

/* go on as a child that nobody waits for, with the number printed by which it can be ended */
static void detach(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t child = fork();

	if (null < 0 || child < 0)
		die("go to the background");
	if (child > 0) {
		printf("%d\n", (int)child);
		exit(0);
	}
	if (setsid() < 0)
		die("setsid");
	for (int fd = 0; fd <= 2; fd++) {
		if (dup2(null, fd) < 0)
			die("/dev/null");
	}
}

static int listen_at_all(const char *log)
{
	int out = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	struct pollfd ready[N_OWN];

	if (out < 0)
		die(log);
	for (int i = 0; i < N_OWN; i++)
		ready[i] = (struct pollfd){ .fd = open_door(&doors[i]), .events = POLLIN };
	detach();
	for (;;) {
		if (poll(ready, N_OWN, -1) < 0)
			die("poll");
		for (int i = 0; i < N_OWN; i++) {
			if (!ready[i].revents)
				continue;
			if (dprintf(out, "%s\n", doors[i].name) < 0)
				die(log);
			serve(&doors[i], ready[i].fd);
		}
	}
}

/* 0 when somebody is there; the reason why not */
static int try_door(const struct door *d)
{
	const struct timeval patience = { .tv_sec = 10 };
	union address a;
	char buf[1] = { 0 };
	socklen_t len = door_address(d, &a);
	int fd = door_socket(d), code = 0;

	/* a datagram to nobody is refused at once; no answer at all is a reason, too */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
		die(d->name);
	if (connect(fd, &a.any, len) < 0 ||
	    (d->type == SOCK_DGRAM &&
	     (send(fd, buf, sizeof(buf), 0) < 0 || recv(fd, buf, sizeof(buf), 0) < 0)))
		code = errno;
	(void)close(fd); /* nothing that matters was written */
	return code;
}

static int knock(void)
{
	for (int i = 0; i < N_DOORS; i++) {
		int code = try_door(&doors[i]);
		printf("%s: %s\n", doors[i].name, code ? strerror(code) : "open");
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "resolve") == 0)
		return resolve();
	if (argc == 3 && strcmp(argv[1], "listen") == 0)
		return listen_at_all(argv[2]);
	if (argc == 2 && strcmp(argv[1], "knock") == 0)
		return knock();
	fprintf(stderr, "usage: names resolve|listen LOG|knock\n");
	return 2;
}
