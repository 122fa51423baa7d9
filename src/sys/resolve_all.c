// SPDX-License-Identifier: GPL-2.0-or-later
/* every address of some names, while the caller goes on */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wgns/caps.h"
#include "wgns/fd.h"
#include "wgns/resolve.h"
#include "wgns/seal.h"
#include "wgns/signals.h"

#define ADDRESSES_MAX 16 /* of one name */

static int send_found(int fd, const struct resolve_found *found)
{
	struct err ignored; /* when the parent is gone nobody asks */

	return fd_write_all(fd, found, sizeof(*found), "the answer", &ignored);
}

static int resolve_one(const struct resolve_name *name, uint32_t index, int fd)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
					.ai_socktype = SOCK_DGRAM,
					.ai_protocol = IPPROTO_UDP };
	struct addrinfo *list = NULL;
	unsigned n = 0;

	int rc = getaddrinfo(name->host, name->port, &hints, &list);
	for (const struct addrinfo *ai = rc == 0 ? list : NULL; ai && n < ADDRESSES_MAX;
	     ai = ai->ai_next) {
		struct resolve_found found = { .name = index };
		if ((ai->ai_family != AF_INET && ai->ai_family != AF_INET6) ||
		    ai->ai_addrlen > sizeof(found.endpoint))
			continue;
		memcpy(&found.endpoint, ai->ai_addr, ai->ai_addrlen);
		if (send_found(fd, &found) < 0)
			return -1;
		n++;
	}
	if (rc == 0)
		freeaddrinfo(list);
	if (n)
		return 0;
	const struct resolve_found none = { .name = index,
					    .code = rc == EAI_AGAIN ? EAGAIN : EHOSTUNREACH };
	return send_found(fd, &none);
}

static _Noreturn void run_child(const struct resolve_name *names, size_t n, int ns_fd,
				const char *box_dir, int fd)
{
	const char *what;

	signals_unblock();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* best effort: getaddrinfo(3) gives up by itself */
	/* HOSTALIASES, RES_OPTIONS and the like are not the tunnel's (resolv.conf(5)) */
	int rc = clearenv() ? -ENOMEM : 0;
	if (rc == 0 && ns_fd >= 0)
		rc = seal_enter(ns_fd, box_dir, 0, 0, &what);
	if (rc == 0)
		rc = caps_drop_all(&what);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = resolve_one(&names[i], (uint32_t)i, fd);
	_exit(rc == 0 ? 0 : 1);
}

int resolve_begin(const struct resolve_name *names, size_t n, int ns_fd, const char *box_dir,
		  struct resolve_job *job, struct err *e)
{
	int ends[2];

	if (n > RESOLVE_NAMES_MAX)
		return err_set(e, E2BIG, "resolve endpoints");
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(e, errno, "resolve endpoints: make a pipe");
	AUTO_FD int from_child = ends[0];
	AUTO_FD int to_parent = ends[1];
	if (fcntl(from_child, F_SETFL, O_NONBLOCK) < 0)
		return err_set(e, errno, "resolve endpoints: make a pipe");
	pid_t pid = fork();
	if (pid < 0)
		return err_set(e, errno, "resolve endpoints: make a child");
	if (pid == 0)
		run_child(names, n, ns_fd, box_dir, to_parent);
	*job = (struct resolve_job){ .pid = pid, .fd = fd_take(&from_child) };
	return 0;
}

int resolve_next(const struct resolve_job *job, struct resolve_found *out)
{
	ssize_t got;

	do {
		got = read(job->fd, out, sizeof(*out));
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	/* records are shorter than PIPE_BUF and never torn (pipe(7)) */
	return got == (ssize_t)sizeof(*out) ? 1 : 0;
}

void resolve_end(struct resolve_job *job)
{
	if (job->pid <= 0)
		return;
	(void)kill(job->pid,
		   SIGKILL); /* our own unreaped child; one that has ended does not mind */
	while (waitpid(job->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	fd_close_indirect(&job->fd);
	*job = (struct resolve_job){ .fd = -1 };
}
