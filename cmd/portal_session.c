// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What `wgns portal` starts, it also ends: whoever loses its parent becomes our child (PR_SET_CHILD_SUBREAPER), and our children are
 * found in /proc, so that a browser cannot leave anything behind, whatever its wrapper scripts and crash handlers do.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd.h"
#include "portal.h"
#include "wgns/clock.h"
#include "wgns/fd.h"
#include "wgns/netns.h"

#define KIND_MS 5000 /* a browser writes its profile down */
#define LAST_MS 5000 /* after SIGKILL; longer means uninterruptible sleep */
#define ROUND_MS 100

static const int stopping[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static void fill_signals(sigset_t *set)
{
	(void)sigemptyset(set); /* these fail for numbers that are no signal */
	(void)sigaddset(set, SIGCHLD);
	for (size_t i = 0; i < sizeof(stopping) / sizeof(stopping[0]); i++)
		(void)sigaddset(set, stopping[i]);
}

int portal_session_begin(struct portal_session *s, struct err *e)
{
	sigset_t set;

	*s = (struct portal_session){ .signal_fd = -1, .probe.out_fd = -1, .browser.out_fd = -1 };
	fill_signals(&set);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_set(e, errno, "block signals");
	s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signal_fd < 0)
		return err_set(e, errno, "read signals");
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return err_set(e, errno, "adopt what a browser leaves");
	return 0;
}

static void close_out(struct portal_child *child)
{
	if (child->out_fd >= 0)
		(void)close(child->out_fd); /* it was only read */
	child->out_fd = -1;
}

void portal_session_end(struct portal_session *s)
{
	portal_session_stop(s);
	close_out(&s->probe);
	close_out(&s->browser);
	if (s->signal_fd >= 0)
		(void)close(s->signal_fd); /* as above */
	s->signal_fd = -1;
}

/* the child: descriptors, signals, and `wgns exec` as if the shell had called it */
static _Noreturn void become_exec(char **argv, int out_fd, bool is_probe)
{
	int argc = 0;
	sigset_t set;

	while (argv[argc])
		argc++;
	if (out_fd >= 0) {
		int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 ||
		    dup2(out_fd, STDOUT_FILENO) < 0 || dup2(out_fd, STDERR_FILENO) < 0)
			_exit(EXIT_EXEC_FAILED);
	}
	/* whoever it runs as can be there */
	if (is_probe && chdir("/") < 0)
		_exit(EXIT_EXEC_FAILED);
	fill_signals(&set);
	if (sigprocmask(SIG_UNBLOCK, &set, NULL) < 0)
		_exit(EXIT_EXEC_FAILED);
	optind = 0; /* getopt(3): begin anew */
	_exit(cmd_exec.run(argc, argv));
}

int portal_session_start(struct portal_session *s, struct portal_child *child, char **argv,
			 bool is_on_terminal, struct err *e)
{
	int ends[2] = { -1, -1 };

	close_out(child);
	*child = (struct portal_child){ .out_fd = -1 };
	if (!is_on_terminal && pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_set(e, errno, "make a pipe");
	(void)fflush(NULL); /* cmd_flush() tells at the end */
	/* the writing end blocks, as programs expect it */
	if (ends[1] >= 0 && fcntl(ends[1], F_SETFL, 0) < 0) {
		int code = errno;
		(void)close(ends[0]); /* nothing was written */
		(void)close(ends[1]);
		return err_set(e, code, "make a pipe");
	}
	pid_t pid = fork();
	if (pid == 0)
		become_exec(argv, ends[1], child == &s->probe);
	int code = errno;
	if (ends[1] >= 0)
		(void)close(ends[1]); /* it is the child's */
	child->out_fd = ends[0];
	if (pid < 0) {
		close_out(child);
		return err_set(e, code, "start a process");
	}
	child->pid = pid;
	return 0;
}

static void take_status(struct portal_child *child, pid_t pid, int status)
{
	if (child->pid != pid)
		return;
	child->pid = 0;
	child->status = status;
}

/* Return: whether there may be children left */
static bool reap(struct portal_session *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		take_status(&s->probe, pid, status);
		take_status(&s->browser, pid, status);
	}
	return pid == 0;
}

static void read_signals(struct portal_session *s)
{
	struct signalfd_siginfo info;

	while (read(s->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo != SIGCHLD)
			s->n_interrupts++;
	}
}

/* the first bytes are kept, the rest is thrown away: who writes is never stopped, and fills no memory */
static void read_out(struct portal_child *child)
{
	char rest[PORTAL_OUT_MAX];
	size_t room = sizeof(child->out) - child->len;

	ssize_t got = room ? read(child->out_fd, child->out + child->len, room)
			   : read(child->out_fd, rest, sizeof(rest));
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
		close_out(child);
	else if (got > 0 && room)
		child->len += (size_t)got;
}

int portal_session_step(struct portal_session *s, int ms)
{
	struct pollfd fds[] = { { .fd = s->signal_fd, .events = POLLIN },
				{ .fd = s->probe.out_fd, .events = POLLIN },
				{ .fd = s->browser.out_fd, .events = POLLIN } };

	int n = poll(fds, sizeof(fds) / sizeof(fds[0]), ms);
	if (n > 0 && fds[0].revents)
		read_signals(s);
	if (n > 0 && fds[1].revents)
		read_out(&s->probe);
	if (n > 0 && fds[2].revents)
		read_out(&s->browser);
	(void)reap(s);
	return s->n_interrupts ? -EINTR : 0;
}

void portal_session_stop(struct portal_session *s)
{
	int64_t begin = clock_boot_ms();
	int n_interrupts = s->n_interrupts;

	if (!reap(s))
		return;
	proc_signal_children(SIGTERM);
	while (reap(s) && clock_boot_ms() - begin < KIND_MS && s->n_interrupts == n_interrupts)
		(void)portal_session_step(s, ROUND_MS); /* an interrupt is counted */
	/* in rounds: what they leave comes to us */
	begin = clock_boot_ms();
	while (reap(s) && clock_boot_ms() - begin < LAST_MS) {
		proc_signal_children(SIGKILL);
		(void)portal_session_step(s, ROUND_MS); /* as above */
	}
	if (reap(s))
		cmd_warn("a program in physical cannot be ended; `wgns status` shows it to root");
}
