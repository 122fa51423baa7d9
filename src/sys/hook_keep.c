// SPDX-License-Identifier: GPL-2.0-or-later
#include "hook_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wgns/fd.h"
#include "wgns/netns.h"

/* what the keeper and its caller have between them */
struct ends {
	int alive_fd; /* in the keeper: at its end when the caller is no more */
	int caller_fd; /* in the caller: the other end */
	int read_fd, write_fd; /* a struct hook_end */
};

/* Return: the shell's end is known; else the caller was killed */
static bool await_end(pid_t shell, int alive_fd, int *status)
{
	AUTO_FD int shell_fd = (int)syscall(SYS_pidfd_open, shell, 0U);
	struct pollfd fds[2] = { { .fd = shell_fd, .events = POLLIN }, { .fd = alive_fd } };

	/* without a descriptor of the shell nobody watches the caller, and it is waited for all the same */
	while (shell_fd >= 0) {
		int n = poll(fds, 2, -1);
		if ((n < 0 && errno != EINTR) || (n > 0 && fds[0].revents))
			break;
		if (n > 0 && fds[1].revents)
			return false;
	}
	while (waitpid(shell, status, 0) < 0 && errno == EINTR)
		;
	return true;
}

static int start_shell(char *command, int ns_fd, struct hook_failure *failure, pid_t *out)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid_t pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		(void)close(ends[0]);
		/* somebody who kills the keeper does not have the shell go on alone */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		hook_become(command, ns_fd, ends[1]);
	}
	(void)close(ends[1]);
	ssize_t got;
	do { /* the end of file comes with execve(2), which closes the child's side */
		got = read(ends[0], failure, sizeof(*failure));
	} while (got < 0 && errno == EINTR);
	(void)close(ends[0]);
	if (got != sizeof(*failure))
		failure->code = 0;
	failure->what[sizeof(failure->what) - 1] = '\0';
	*out = pid;
	return 0;
}

static _Noreturn void become_keeper(char *command, int ns_fd, const struct ends *ends)
{
	struct hook_end end = { 0 };
	sigset_t all;
	pid_t shell = -1;

	/* the user's Ctrl-C is for the hook and for wgns; the shell begins with no signal blocked */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	(void)close(ends->caller_fd);
	(void)close(ends->read_fd);
	int rc = prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0
			 ? -errno
			 : start_shell(command, ns_fd, &end.failure, &shell);
	if (rc < 0) {
		end.failure.code = -rc;
		(void)snprintf(end.failure.what, sizeof(end.failure.what), "make a child");
	} else if (!await_end(shell, ends->alive_fd, &end.status)) {
		proc_kill_children();
		_exit(1);
	}
	_exit(write(ends->write_fd, &end, sizeof(end)) == sizeof(end) ? 0 : 1);
}

static int make_ends(struct ends *out, struct err *e)
{
	int alive[2], report[2];

	if (pipe2(alive, O_CLOEXEC) < 0)
		return err_set(e, errno, "make a pipe");
	if (pipe2(report, O_CLOEXEC) < 0) {
		int code = errno;
		(void)close(alive[0]); /* nothing was written */
		(void)close(alive[1]);
		return err_set(e, code, "make a pipe");
	}
	*out = (struct ends){ alive[0], alive[1], report[0], report[1] };
	return 0;
}

int hook_keep(char *command, int ns_fd, struct hook_end *out, struct err *e)
{
	struct ends ends = { -1, -1, -1, -1 };
	int rc = make_ends(&ends, e);

	if (rc < 0)
		return rc;
	AUTO_FD int alive_fd = ends.alive_fd;
	AUTO_FD int caller_fd = ends.caller_fd;
	AUTO_FD int read_fd = ends.read_fd;
	AUTO_FD int write_fd = ends.write_fd;
	pid_t pid = fork();
	if (pid < 0)
		return err_set(e, errno, "make a child");
	if (pid == 0)
		become_keeper(command, ns_fd, &ends);
	fd_close_indirect(&write_fd);
	ssize_t got;
	do {
		got = read(read_fd, out, sizeof(*out));
	} while (got < 0 && errno == EINTR);
	while (waitpid(pid, NULL, 0) < 0) {
		if (errno != EINTR) /* reaped by somebody else: what it said is here all the same */
			break;
	}
	return got == sizeof(*out) ? 0 : err_say(e, ECHILD, "its keeper was killed");
}
