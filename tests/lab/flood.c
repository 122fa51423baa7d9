// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flood - talks to everybody, by every way out, until it is ended; for tests/bats/leak.bats
 *
 * flood DEVICE...: UDP, TCP and questions for names, IPv4 and IPv6, to the public web, the gateways and everybody on the
 * link; as routing has it, and bound to each DEVICE (SO_BINDTODEVICE) while it is there. Prints "started", and on SIGTERM how
 * many packets the kernel took and how many it refused. Names end in leak.test: what asks for others is somebody else.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define PACE_MS 1 /* between rounds: the machine has other work */

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static const struct target {
	const char *text;
	int type;
	unsigned short port;
} targets[] = {
	{ "203.0.113.80", SOCK_DGRAM, 7 },	   { "203.0.113.80", SOCK_STREAM, 80 },
	{ "192.0.2.1", SOCK_DGRAM, 53 },	   { "192.0.2.1", SOCK_STREAM, 80 },
	{ "192.0.2.65", SOCK_DGRAM, 53 },	   { "198.51.100.2", SOCK_DGRAM, 7 },
	{ "224.0.0.251", SOCK_DGRAM, 5353 },	   { "255.255.255.255", SOCK_DGRAM, 7 },
	{ "2001:db8:80::80", SOCK_DGRAM, 7 },	   { "2001:db8:80::80", SOCK_STREAM, 80 },
	{ "2001:db8:1::1", SOCK_DGRAM, 53 },	   { "2001:db8:1::1", SOCK_STREAM, 80 },
	{ "2001:db8:100::2", SOCK_DGRAM, 7 },	   { "ff02::fb", SOCK_DGRAM, 5353 },
	{ "fe80::77:67ff:fe00:1", SOCK_DGRAM, 7 },
};
#define N_TARGETS (sizeof(targets) / sizeof(targets[0]))

/* RFC 1035: one question, for the address of x.leak.test */
static const unsigned char question[] = { 0,   7,   1,	 0,   0, 1,   0,   0,	0,   0,
					  0,   0,   1,	 'x', 4, 'l', 'e', 'a', 'k', 4,
					  't', 'e', 's', 't', 0, 0,   1,   0,	1 };

struct count {
	unsigned long n_sent, n_refused;
};

static socklen_t read_address(const struct target *t, unsigned scope, union address *out)
{
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, t->text, &out->in.sin_addr) == 1) {
		out->in.sin_family = AF_INET;
		out->in.sin_port = htons(t->port);
		return sizeof(out->in);
	}
	if (inet_pton(AF_INET6, t->text, &out->in6.sin6_addr) != 1)
		abort();
	out->in6.sin6_family = AF_INET6;
	out->in6.sin6_port = htons(t->port);
	out->in6.sin6_scope_id = scope;
	return sizeof(out->in6);
}

/* every refusal is as good as the next: what counts is what is on the wire */
static void send_one(const struct target *t, const char *device, struct count *count)
{
	const int yes = 1;
	union address to;
	unsigned scope = device ? if_nametoindex(device) : 0;
	socklen_t len = read_address(t, scope, &to);

	if (device && !scope)
		return; /* it is in another namespace now */
	int fd = socket(to.any.sa_family, t->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		count->n_refused++;
		return;
	}
	int rc = t->type == SOCK_DGRAM ? setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof(yes))
				       : 0;
	if (rc == 0 && device)
		rc = setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device));
	if (rc == 0 && t->type == SOCK_STREAM) {
		rc = connect(fd, &to.any, len);
		if (rc < 0 && errno == EINPROGRESS)
			rc = 0;
	} else if (rc == 0) {
		rc = sendto(fd, question, sizeof(question), 0, &to.any, len) < 0 ? -1 : 0;
	}
	if (rc == 0)
		count->n_sent++;
	else
		count->n_refused++;
	(void)close(fd); /* a connection that was begun goes away by itself */
}

int main(int argc, char **argv)
{
	struct count count = { 0 };
	sigset_t end;

	if (sigemptyset(&end) < 0 || sigaddset(&end, SIGTERM) < 0 ||
	    sigprocmask(SIG_BLOCK, &end, NULL) < 0)
		return 1;
	int fd = signalfd(-1, &end, SFD_CLOEXEC);
	if (fd < 0 || puts("started") < 0 || fflush(stdout) != 0)
		return 1;
	struct pollfd ended = { .fd = fd, .events = POLLIN };
	while (poll(&ended, 1, PACE_MS) == 0) {
		for (size_t i = 0; i < N_TARGETS; i++) {
			send_one(&targets[i], NULL, &count);
			for (int d = 1; d < argc; d++)
				send_one(&targets[i], argv[d], &count);
		}
	}
	printf("%lu packets taken, %lu refused\n", count.n_sent, count.n_refused);
	return fflush(stdout) == 0 ? 0 : 1;
}
