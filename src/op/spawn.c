// SPDX-License-Identifier: GPL-2.0-or-later
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wgns/fd.h"
#include "wgns/netns.h"
#include "wgns/signals.h"
#include "wgns/str.h"

#define READY_MS 10000
#define LOG_MAX (1u << 20)

/* the child's ends */
struct ends {
	int go_fd; /* a byte: the pid is written down */
	int ready_fd;
	int log_fd;
};

/* in the child: 0, 1, 2 and the end of the pipe on which it says that it is ready, as 3; nothing else */
static int arrange_fds(const struct ends *ends)
{
	/* out of the way first: the caller may have closed its own 0 to 2 */
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int in_fd = fcntl(null_fd, F_DUPFD_CLOEXEC, 10);
	int log_fd = fcntl(ends->log_fd, F_DUPFD_CLOEXEC, 10);
	int ready_fd = fcntl(ends->ready_fd, F_DUPFD_CLOEXEC, 10);

	if (null_fd < 0 || in_fd < 0 || log_fd < 0 || ready_fd < 0 || dup2(in_fd, 0) < 0 ||
	    dup2(log_fd, 1) < 0 || dup2(log_fd, 2) < 0 || dup2(ready_fd, 3) < 0)
		return -1;
	return (int)syscall(SYS_close_range, 4U, ~0U, 0U);
}

/* the same program: what is installed may have been replaced meanwhile */
static _Noreturn void become(const struct spawn *s, const struct ends *ends)
{
	static char program[] = "wgns", path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char args[SPAWN_ARGS_MAX][64], byte;
	char *argv[SPAWN_ARGS_MAX + 2] = { program };
	char *envp[] = { path, NULL };

	for (size_t i = 0; i < SPAWN_ARGS_MAX && s->args[i]; i++) {
		(void)snprintf(args[i], sizeof(args[i]), "%s", s->args[i]);
		argv[i + 1] = args[i];
	}
	signals_reset();
	/* when the parent dies before it has written down who this is, nobody would ever end it */
	if (read(ends->go_fd, &byte, 1) != 1 || setsid() < 0 || chdir("/") < 0 ||
	    arrange_fds(ends) < 0)
		_exit(127);
	(void)umask(077);
	(void)execve("/proc/self/exe", argv, envp);
	_exit(127);
}

/* what it said last, for the error: the log goes with the folder */
static void last_words(const struct spawn *s, char *out, size_t cap)
{
	AUTO_FREE char *text = NULL;
	struct err ignored; /* then it said nothing */
	size_t len;

	out[0] = '\0';
	if (fd_read_file_at(s->dir_fd, s->log_name, LOG_MAX, &text, &len, &ignored) < 0)
		return;
	while (len && text[len - 1] == '\n')
		text[--len] = '\0';
	const char *line = strrchr(text, '\n');
	(void)snprintf(out, cap, ": %s", line ? line + 1 : text);
	for (char *c = out; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	}
}

static int await_ready(const struct spawn *s, int fd, struct err *e)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char words[512], byte;

	int n = poll(&p, 1, READY_MS);
	if (n == 0)
		return err_say(e, ETIMEDOUT, "%s is not ready after %d s", s->what,
			       READY_MS / 1000);
	if (n > 0 && read(fd, &byte, 1) == 1)
		return 0;
	last_words(s, words, sizeof(words));
	return err_say(e, ECHILD, "%s ended at once%.400s", s->what, words);
}

static int record(const struct spawn *s, pid_t pid, int go_fd, struct err *e)
{
	unsigned long long start_time;

	/* a child keeps its number until it is reaped: no race here */
	if (proc_start_time(pid, &start_time) < 0)
		return err_set(e, ESRCH, "start %s", s->what);
	int rc = s->record(s->ctx, pid, start_time, e);
	return rc < 0 ? rc : fd_write_all(go_fd, "\n", 1, s->what, e);
}

int spawn_ready(const struct spawn *s, struct err *e)
{
	int go[2], ready[2];

	AUTO_FD int log_fd = openat(s->dir_fd, s->log_name,
				    O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (log_fd < 0)
		return err_set(e, errno, "open the log of %s", s->what);
	if (pipe2(go, O_CLOEXEC) < 0)
		return err_set(e, errno, "start %s", s->what);
	AUTO_FD int go_read = go[0];
	AUTO_FD int go_write = go[1];
	if (pipe2(ready, O_CLOEXEC) < 0)
		return err_set(e, errno, "start %s", s->what);
	AUTO_FD int ready_read = ready[0];
	AUTO_FD int ready_write = ready[1];
	const struct ends ends = { .go_fd = go_read, .ready_fd = ready_write, .log_fd = log_fd };

	pid_t pid = fork();
	if (pid < 0)
		return err_set(e, errno, "start %s", s->what);
	if (pid == 0) {
		(void)close(go_write); /* its own copy would keep the pipe open for ever */
		become(s, &ends);
	}
	fd_close_indirect(&ready_write);
	int rc = record(s, pid, go_write, e);
	fd_close_indirect(&go_write);
	if (rc == 0)
		rc = await_ready(s, ready_read, e);
	if (rc < 0) {
		(void)kill(pid, SIGKILL); /* our own unreaped child */
		(void)waitpid(pid, NULL, 0);
	}
	return rc;
}
