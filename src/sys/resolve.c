// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "wgns/caps.h"
#include "wgns/clock.h"
#include "wgns/fd.h"
#include "wgns/seal.h"
#include "wgns/signals.h"

#define PAUSE_FIRST_MS 1000
#define PAUSE_MAX_MS 20000
#define STOP_LOOK_MS 200 /* a signal that is blocked does not end poll(2) */

enum report_kind { REPORT_ANSWER, REPORT_PAUSE, REPORT_FAILED, REPORT_BROKEN };

/* What the child writes: whole records, shorter than PIPE_BUF and therefore never torn (pipe(7)) */
struct report {
	enum report_kind kind;
	uint32_t peer;
	int32_t code; /* positive errno */
	uint32_t pause_ms;
	union wg_endpoint endpoint;
	char reason[160];
};

static bool is_open(const struct wg_peer *p)
{
	return p->endpoint_host && p->endpoint.sa.sa_family == AF_UNSPEC;
}

static int send_report(int fd, struct report *r)
{
	struct err e;

	return fd_write_all(fd, r, sizeof(*r), "the answer", &e);
}

/* connect(2) on a UDP socket sends nothing and fails where there is no route */
static bool has_route(const struct addrinfo *ai)
{
	AUTO_FD int fd = socket(ai->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && connect(fd, ai->ai_addr, ai->ai_addrlen) == 0;
}

static bool take_answer(const struct addrinfo *list, union wg_endpoint *out)
{
	const struct addrinfo *best = NULL;

	for (const struct addrinfo *ai = list; ai; ai = ai->ai_next) {
		bool is_known = (ai->ai_family == AF_INET || ai->ai_family == AF_INET6) &&
				ai->ai_addrlen <= sizeof(*out);
		if (!is_known)
			continue;
		if (!best)
			best = ai;
		if (has_route(ai)) {
			best = ai;
			break;
		}
	}
	if (best)
		memcpy(out, best->ai_addr, best->ai_addrlen);
	return best;
}

static void set_reason(struct report *r, const char *host, const char *text)
{
	(void)snprintf(r->reason, sizeof(r->reason), "%.100s: %s", host, text);
}

static void pause_ms(unsigned ms)
{
	struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		continue;
}

/* in the child: one name, with wg(8)'s patience. Return: 0 when the answer is sent */
static int resolve_one(const struct wg_peer *p, struct report *r, unsigned n_retries, int fd)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
					.ai_socktype = SOCK_DGRAM,
					.ai_protocol = IPPROTO_UDP };
	unsigned pause = PAUSE_FIRST_MS;

	for (;;) {
		struct addrinfo *list = NULL;
		int rc = getaddrinfo(p->endpoint_host, p->endpoint_port, &hints, &list);
		int code = errno;
		if (rc == 0) {
			bool is_found = take_answer(list, &r->endpoint);
			freeaddrinfo(list);
			r->kind = is_found ? REPORT_ANSWER : REPORT_FAILED;
			r->code = EADDRNOTAVAIL;
			set_reason(r, p->endpoint_host, "no address that WireGuard can use");
			return send_report(fd, r) < 0 || !is_found ? -1 : 0;
		}
		r->code = rc == EAI_SYSTEM ? code : rc == EAI_AGAIN ? EAGAIN : EHOSTUNREACH;
		set_reason(r, p->endpoint_host,
			   rc == EAI_SYSTEM ? strerror(code) : gai_strerror(rc));
		bool is_final = rc != EAI_AGAIN || n_retries == 0;
		r->kind = is_final ? REPORT_FAILED : REPORT_PAUSE;
		r->pause_ms = pause;
		if (send_report(fd, r) < 0 || is_final)
			return -1;
		n_retries--;
		pause_ms(pause);
		pause = pause + pause / 5 < PAUSE_MAX_MS ? pause + pause / 5 : PAUSE_MAX_MS;
	}
}

static _Noreturn void run_child(const struct wg_device *dev, int ns_fd, const char *box_dir,
				unsigned n_retries, int fd)
{
	struct report r = { .kind = REPORT_BROKEN };
	const char *what = "prepare the resolver";

	/* `up` blocks what would stop it half-way; the wait for an answer is where Ctrl-C is meant to work */
	signals_unblock();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* best effort: the timeout ends it too */
	/*
	 * HOSTALIASES, RES_OPTIONS and the like are the caller's shell's, not the tunnel's
	 * (resolv.conf(5))
	 */
	int rc = clearenv() ? -ENOMEM : 0;
	if (rc == 0 && ns_fd >= 0)
		rc = seal_enter(ns_fd, box_dir, 0, 0, &what);
	if (rc == 0)
		rc = caps_drop_all(&what);
	if (rc < 0) {
		r.code = -rc;
		(void)snprintf(r.reason, sizeof(r.reason), "%s: %s", what, strerror(-rc));
		(void)send_report(fd, &r); /* when the parent is gone nobody asks */
		_exit(1);
	}
	for (size_t i = 0; i < dev->n_peers; i++) {
		r = (struct report){ .peer = (uint32_t)i };
		if (is_open(&dev->peers[i]) && resolve_one(&dev->peers[i], &r, n_retries, fd) < 0)
			_exit(1);
	}
	_exit(0);
}

static int fail_peer(const struct wg_device *dev, size_t peer, int code, const char *reason,
		     struct err *e)
{
	char key[KEY_BASE64_LEN + 1];

	key_format(&dev->peers[peer].public_key, key);
	return err_say(e, code, "resolve the endpoint of peer %s: %s", key, reason);
}

/* Return: 1 with a whole record, 0 when the child has closed its end, -errno */
static int receive(int fd, long long deadline, const struct resolve_policy *policy,
		   struct report *r)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	for (;;) {
		long long left = deadline ? deadline - clock_monotonic_ms() : -1;
		if (deadline && left <= 0)
			return -ETIMEDOUT;
		if (policy->should_stop && policy->should_stop(policy->ctx))
			return -EINTR;
		if (policy->should_stop && (left < 0 || left > STOP_LOOK_MS))
			left = STOP_LOOK_MS;
		int n = poll(&p, 1, (int)left);
		if (n == 0 || (n < 0 && errno == EINTR))
			continue;
		if (n < 0)
			return -errno;
		ssize_t got = read(fd, r, sizeof(*r));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		return got == sizeof(*r) ? 1 : 0;
	}
}

static int take_report(struct wg_device *dev, const struct resolve_policy *policy, struct report *r,
		       struct err *e)
{
	r->reason[sizeof(r->reason) - 1] = '\0';
	if (r->peer >= dev->n_peers)
		return err_say(e, EPROTO, "resolve endpoints: the resolver answered nonsense");
	switch (r->kind) {
	case REPORT_ANSWER:
		dev->peers[r->peer].endpoint = r->endpoint;
		return 0;
	case REPORT_PAUSE:
		if (policy->notice)
			policy->notice(r->reason, r->pause_ms, policy->ctx);
		return 0;
	case REPORT_FAILED:
		return fail_peer(dev, r->peer, r->code, r->reason, e);
	case REPORT_BROKEN:
		return err_say(e, r->code, "resolve endpoints: %s", r->reason);
	}
	return err_say(e, EPROTO, "resolve endpoints: the resolver answered nonsense");
}

static size_t first_open(const struct wg_device *dev)
{
	size_t i = 0;

	while (i < dev->n_peers && !is_open(&dev->peers[i]))
		i++;
	return i;
}

static int collect(struct wg_device *dev, const struct resolve_policy *policy, int fd,
		   struct err *e)
{
	long long deadline = policy->timeout_ms ? clock_monotonic_ms() + policy->timeout_ms : 0;
	struct report r;

	for (;;) {
		size_t next = first_open(dev);
		if (next == dev->n_peers)
			return 0;
		int rc = receive(fd, deadline, policy, &r);
		if (rc == 0)
			return fail_peer(dev, next, EPIPE, "interrupted", e);
		if (rc < 0)
			return fail_peer(dev, next, -rc,
					 rc == -ETIMEDOUT ? "no answer in time"
					 : rc == -EINTR	  ? "interrupted"
							  : strerror(-rc),
					 e);
		rc = take_report(dev, policy, &r, e);
		if (rc < 0)
			return rc;
	}
}

int resolve_endpoints(struct wg_device *dev, int ns_fd, const char *box_dir,
		      const struct resolve_policy *policy, struct err *e)
{
	int ends[2];

	for (size_t i = 0; i < dev->n_peers; i++) {
		struct wg_peer *p = &dev->peers[i];
		if (!p->endpoint_host)
			continue;
		p->endpoint = (union wg_endpoint){ .sa.sa_family = AF_UNSPEC };
		/* -EAGAIN: it stays open */
		(void)wg_endpoint_numeric(p->endpoint_host, p->endpoint_port, &p->endpoint);
	}
	if (first_open(dev) == dev->n_peers)
		return 0;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(e, errno, "resolve endpoints: make a pipe");
	AUTO_FD int from_child = ends[0];
	AUTO_FD int to_parent = ends[1];
	pid_t pid = fork();
	if (pid < 0)
		return err_set(e, errno, "resolve endpoints: make a child");
	if (pid == 0)
		run_child(dev, ns_fd, box_dir, policy->n_retries, to_parent);

	fd_close_indirect(&to_parent);
	int rc = collect(dev, policy, from_child, e);
	(void)kill(pid, SIGKILL); /* it has nothing more to say; a zombie does not mind */
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	return rc;
}
