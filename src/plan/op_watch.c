// SPDX-License-Identifier: GPL-2.0-or-later
/* `wgns watch` as a step: started last, ended first */
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

#include "op.h"
#include "wgns/fd.h"
#include "wgns/netns.h"
#include "wgns/signals.h"
#include "wgns/str.h"

#define READY_MS 10000
#define END_MS 5000
#define LOG_NAME "watch.log"
#define LOG_MAX (1u << 20)

struct start {
	char name[IFNAMSIZ];
	int go_fd; /* a byte: the pid is written down */
	int ready_fd;
	int log_fd;
};

/* in the child: 0, 1, 2 and the end of the pipe on which it says that it is ready, as 3; nothing else */
static int arrange_fds(const struct start *s)
{
	/* out of the way first: the caller may have closed its own 0 to 2 */
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int in_fd = fcntl(null_fd, F_DUPFD_CLOEXEC, 10);
	int log_fd = fcntl(s->log_fd, F_DUPFD_CLOEXEC, 10);
	int ready_fd = fcntl(s->ready_fd, F_DUPFD_CLOEXEC, 10);

	if (null_fd < 0 || in_fd < 0 || log_fd < 0 || ready_fd < 0 || dup2(in_fd, 0) < 0 ||
	    dup2(log_fd, 1) < 0 || dup2(log_fd, 2) < 0 || dup2(ready_fd, 3) < 0)
		return -1;
	return (int)syscall(SYS_close_range, 4U, ~0U, 0U);
}

/* the same program: what is installed may have been replaced meanwhile */
static _Noreturn void become_watch(const struct start *s)
{
	static char program[] = "wgns", command[] = "watch", option[] = "--ready-fd", fd[] = "3";
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char name[IFNAMSIZ], byte;
	char *argv[] = { program, command, option, fd, name, NULL };
	char *envp[] = { path, NULL };

	memcpy(name, s->name, sizeof(name));
	signals_reset();
	/* when the parent dies before it has written down who this is, nobody would ever end it */
	if (read(s->go_fd, &byte, 1) != 1 || setsid() < 0 || chdir("/") < 0 || arrange_fds(s) < 0)
		_exit(127);
	(void)umask(077);
	(void)execve("/proc/self/exe", argv, envp);
	_exit(127);
}

static int open_folder(const struct op_env *env, struct err *e)
{
	char path[STATE_PLACE_MAX + IFNAMSIZ + 16];

	state_tunnel_path(env->tunnel.place, env->tunnel.device.name, path, sizeof(path));
	return state_openat(env->run_fd, path, O_RDONLY | O_DIRECTORY, e);
}

/* what it said last, for the error: the log goes with the folder */
static void last_words(int dir_fd, char *out, size_t cap)
{
	AUTO_FREE char *text = NULL;
	struct err ignored; /* then it said nothing */
	size_t len;

	out[0] = '\0';
	if (fd_read_file_at(dir_fd, LOG_NAME, LOG_MAX, &text, &len, &ignored) < 0)
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

static int await_ready(int fd, int dir_fd, struct err *e)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char words[512], byte;

	int n = poll(&p, 1, READY_MS);
	if (n == 0)
		return err_say(e, ETIMEDOUT, "wgns watch is not ready after %d s", READY_MS / 1000);
	if (n > 0 && read(fd, &byte, 1) == 1)
		return 0;
	last_words(dir_fd, words, sizeof(words));
	return err_say(e, ECHILD, "wgns watch ended at once%.400s", words);
}

static int record(struct op_env *env, pid_t pid, int go_fd, struct err *e)
{
	struct state_watcher w = { .pid = pid };

	/* a child keeps its number until it is reaped: no race here */
	if (proc_start_time(pid, &w.start_time) < 0)
		return err_set(e, ESRCH, "start wgns watch");
	int rc = state_watcher_write(env->run_fd, env->tunnel.device.name, &w, e);
	return rc < 0 ? rc : fd_write_all(go_fd, "\n", 1, "wgns watch", e);
}

int watch_start_run(struct op_env *env, const struct step *step, struct err *e)
{
	int go[2], ready[2];

	(void)step;
	AUTO_FD int dir_fd = open_folder(env, e);
	if (dir_fd < 0)
		return dir_fd;
	AUTO_FD int log_fd = openat(dir_fd, LOG_NAME,
				    O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (log_fd < 0)
		return err_set(e, errno, "open the log of wgns watch");
	if (pipe2(go, O_CLOEXEC) < 0)
		return err_set(e, errno, "start wgns watch");
	AUTO_FD int go_read = go[0];
	AUTO_FD int go_write = go[1];
	if (pipe2(ready, O_CLOEXEC) < 0)
		return err_set(e, errno, "start wgns watch");
	AUTO_FD int ready_read = ready[0];
	AUTO_FD int ready_write = ready[1];
	struct start s = { .go_fd = go_read, .ready_fd = ready_write, .log_fd = log_fd };
	memcpy(s.name, env->tunnel.device.name, sizeof(s.name));

	pid_t pid = fork();
	if (pid < 0)
		return err_set(e, errno, "start wgns watch");
	if (pid == 0) {
		(void)close(go_write); /* its own copy would keep the pipe open for ever */
		become_watch(&s);
	}
	fd_close_indirect(&ready_write);
	int rc = record(env, pid, go_write, e);
	fd_close_indirect(&go_write);
	if (rc == 0)
		rc = await_ready(ready_read, dir_fd, e);
	if (rc < 0) {
		(void)kill(pid, SIGKILL); /* our own unreaped child */
		(void)waitpid(pid, NULL, 0);
	}
	return rc;
}

int watch_start_undo(struct op_env *env, const struct step *step, struct err *e)
{
	struct state_watcher w;

	(void)step;
	if (state_watcher_read(env->run_fd, env->tunnel.device.name, &w) == 0) {
		struct netns_proc proc = { .pid = w.pid,
					   .start_time = w.start_time,
					   .comm = "wgns watch" };
		int rc = netns_kill(&proc, 1, END_MS, e);
		if (rc < 0)
			return rc;
		(void)waitpid(w.pid, NULL, WNOHANG); /* ours when `up` rolls back, init's else */
	}
	return state_watcher_remove(env->run_fd, env->tunnel.device.name, e);
}
