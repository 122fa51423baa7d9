// SPDX-License-Identifier: GPL-2.0-or-later
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wgns/clock.h"
#include "wgns/fd.h"
#include "wgns/netns.h"
#include "wgns/signals.h"
#include "wgns/str.h"

#include "wg_internal.h"

#define TERM_MS 5000 /* wireguard-go takes some milliseconds */
#define KILL_MS 5000
#define LOG_TAIL 4096
#define STATUS_FD 3
#define GATE_FD 4

/* What the child says when it could not become the daemon */
struct failure {
	int code;
	char attempt[32];
};

struct start {
	const struct backend_device *dev;
	int birth_fd, log_fd;
	int status_fd; /* closed by a successful execve(2) */
	int gate_fd; /* a byte comes when it is written down that there is a daemon; the end when nobody will */
};

static void say_failure(int fd, int code, const char *attempt)
{
	struct failure f = { .code = code };

	(void)snprintf(f.attempt, sizeof(f.attempt), "%s", attempt);
	/* the parent sees the child's end too, whatever becomes of this */
	(void)!write(fd, &f, sizeof(f));
}

/* 0, 1, 2, the status pipe as 3 and the gate as 4; everything else is closed. Return: 0 or -1 */
static int reset_fds(const struct start *s)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	/* out of the way first: the caller may have closed its own 0 to 2 */
	int status_fd = fcntl(s->status_fd, F_DUPFD_CLOEXEC, 10);
	int gate_fd = fcntl(s->gate_fd, F_DUPFD_CLOEXEC, 10);
	int in_fd = fcntl(null_fd, F_DUPFD_CLOEXEC, 10);
	int out_fd = fcntl(s->log_fd < 0 ? null_fd : s->log_fd, F_DUPFD_CLOEXEC, 10);

	if (null_fd < 0 || status_fd < 0 || gate_fd < 0 || in_fd < 0 || out_fd < 0)
		return -1;
	if (dup2(in_fd, 0) < 0 || dup2(out_fd, 1) < 0 || dup2(out_fd, 2) < 0)
		return -1;
	if (dup3(status_fd, STATUS_FD, O_CLOEXEC) < 0 || dup3(gate_fd, GATE_FD, O_CLOEXEC) < 0)
		return -1;
	/* Linux 5.9; not every libc has the wrapper */
	if (syscall(SYS_close_range, GATE_FD + 1U, ~0U, 0U) < 0)
		return -1;
	return 0;
}

/*
 * The daemon parses what strangers send. It keeps what its device, its socket and its mark need, and a port below
 * 1024; without the bounding set execve(2) would give root's program everything back.
 */
static int keep_network_caps(void)
{
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
			  CAP_NET_ADMIN, CAP_NET_BIND_SERVICE, -1) < 0 ||
	    capng_apply(CAPNG_SELECT_BOTH) < 0)
		return -EPERM;
	return 0;
}

/* whoever started us was killed before anybody could know of us: then there is no daemon */
static void await_gate(void)
{
	ssize_t n;
	char byte;

	do {
		n = read(GATE_FD, &byte, 1);
	} while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(127);
}

/*
 * In the child of a program of one thread. RLIMIT_CORE: 0 does not stop a dump that core_pattern
 * pipes to a program, 1 stops both (fs/coredump.c), and keys are in that memory.
 */
static _Noreturn void become_daemon(const struct start *s)
{
	static const char env_path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	static const char env_log[] = "LOG_LEVEL=error";
	static const char env_fg[] = "WG_PROCESS_FOREGROUND=1";
	const struct rlimit core = { 1, 1 };
	struct backend_device dev = *s->dev; /* argv wants memory that can be written */
	char flag[] = "-f", path[sizeof(env_path)], log[sizeof(env_log)], fg[sizeof(env_fg)];
	char *argv[] = { dev.daemon, flag, dev.birth_name, NULL };
	char *envp[] = { path, log, fg, NULL };
	struct err e;

	memcpy(path, env_path, sizeof(path));
	memcpy(log, env_log, sizeof(log));
	memcpy(fg, env_fg, sizeof(fg)); /* without it the log begins with a banner of 8 lines */
	signals_reset();
	int fd = s->status_fd;
	if (setsid() < 0 || chdir("/") < 0 || setrlimit(RLIMIT_CORE, &core) < 0) {
		say_failure(fd, errno, "prepare");
		_exit(127);
	}
	(void)umask(077);
	if (s->birth_fd >= 0 && netns_enter(s->birth_fd, &e) < 0) {
		say_failure(fd, e.code, "enter the namespace for");
		_exit(127);
	}
	fd = STATUS_FD;
	if (reset_fds(s) < 0) {
		say_failure(s->status_fd, errno, "arrange descriptors for");
		_exit(127);
	}
	int rc = keep_network_caps();
	if (rc < 0) {
		say_failure(fd, -rc, "drop the capabilities of");
		_exit(127);
	}
	await_gate();
	(void)execve(dev.daemon, argv, envp);
	say_failure(fd, errno, "start");
	_exit(127);
}

/* until execve(2) closed the pipe or the child said why not; Return: 0 or -errno */
static int await_exec(int fd, const char *program, struct err *e)
{
	struct failure f;
	ssize_t n;

	do {
		n = read(fd, &f, sizeof(f));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(e, errno, "start %s", program);
	if (n != sizeof(f))
		return 0;
	f.attempt[sizeof(f.attempt) - 1] = '\0';
	return err_set(e, f.code, "%s %s", f.attempt, program);
}

/* no handler of the caller may run in the child before it has reset them */
static pid_t fork_quietly(void)
{
	sigset_t all, old;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &old);
	pid_t pid = fork();
	if (pid != 0) {
		int code = errno;
		(void)sigprocmask(SIG_SETMASK, &old, NULL);
		errno = code;
	}
	return pid;
}

/* Return: 0, and the child goes on to become the daemon; -errno */
static int open_gate(int gate_fd, const struct backend_device *dev,
		     const struct backend_record *record, struct err *e)
{
	int rc = record ? record->write(record->ctx, dev, e) : 0;

	if (rc < 0)
		return rc;
	/* SIGPIPE is for who has no child: it holds the other end until it reads this */
	return write(gate_fd, "", 1) == 1 ? 0 : err_set(e, errno, "start %s", dev->daemon);
}

int wg_daemon_spawn(struct backend_device *dev, const struct wg_daemon_where *where,
		    const struct backend_record *record, struct err *e)
{
	int ends[2], gates[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(e, errno, "start %s", dev->daemon);
	AUTO_FD int read_fd = ends[0];
	AUTO_FD int write_fd = ends[1];
	if (pipe2(gates, O_CLOEXEC) < 0)
		return err_set(e, errno, "start %s", dev->daemon);
	AUTO_FD int gate_fd = gates[0];
	AUTO_FD int opener_fd = gates[1];
	struct start s = {
		.dev = dev,
		.birth_fd = where->birth_fd,
		.log_fd = where->log_fd,
		.status_fd = write_fd,
		.gate_fd = gate_fd,
	};

	pid_t pid = fork_quietly();
	if (pid < 0)
		return err_set(e, errno, "start %s", dev->daemon);
	if (pid == 0)
		become_daemon(&s);
	fd_close_indirect(&write_fd);

	/* a child keeps its number until it is reaped: no race here */
	AUTO_FD int pidfd = (int)syscall(SYS_pidfd_open, pid, 0U);
	unsigned long long start_time = 0;
	int rc = 0;
	if (pidfd < 0)
		rc = err_set(e, errno, "watch %s", dev->daemon);
	else if (proc_start_time(pid, &start_time) < 0)
		rc = err_set(e, ESRCH, "watch %s", dev->daemon);
	if (rc == 0) {
		dev->pid = pid;
		dev->start_time = start_time;
		rc = open_gate(opener_fd, dev, record, e);
	}
	if (rc == 0)
		rc = await_exec(read_fd, dev->daemon, e);
	if (rc < 0) {
		dev->pid = 0;
		dev->start_time = 0;
		(void)kill(pid, SIGKILL); /* our own unreaped child */
		(void)waitpid(pid, NULL, 0);
		return rc;
	}
	return fd_take(&pidfd);
}

int wg_daemon_open(pid_t pid, unsigned long long start_time)
{
	unsigned long long now;
	AUTO_FD int fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0U) : -1;

	if (fd < 0 && pid > 0 && errno != ESRCH)
		return -errno;
	/* after pidfd_open, because only the descriptor keeps the number from changing hands */
	if (fd < 0 || proc_start_time(pid, &now) < 0 || now != start_time)
		return -ESRCH;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	if (poll(&p, 1, 0) != 0) /* ended, and not reaped yet */
		return -ESRCH;
	return fd_take(&fd);
}

/* a pidfd becomes readable when its process ends (pidfd_open(2)) */
static bool has_ended(int pidfd, int wait_ms)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	long long end = clock_monotonic_ms() + wait_ms;

	for (;;) {
		long long left = end - clock_monotonic_ms();
		int n = poll(&p, 1, left > 0 ? (int)left : 0);
		if (n > 0)
			return true;
		if (left <= 0)
			return false;
	}
}

static void reap(int pidfd, siginfo_t *info)
{
	*info = (siginfo_t){ 0 };
	/* ECHILD: it is init's child by now */
	(void)waitid(P_PIDFD, (id_t)pidfd, info, WEXITED | WNOHANG);
}

int wg_daemon_end(int pidfd, struct err *e)
{
	siginfo_t info;

	if (syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0U) < 0 && errno != ESRCH)
		return err_set(e, errno, "end the daemon");
	if (!has_ended(pidfd, TERM_MS)) {
		if (syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0U) < 0 && errno != ESRCH)
			return err_set(e, errno, "kill the daemon");
		if (!has_ended(pidfd, KILL_MS))
			return err_set(e, ETIMEDOUT, "kill the daemon");
	}
	reap(pidfd, &info);
	return 0;
}

void wg_daemon_abandon(int pidfd, char *how, size_t cap)
{
	siginfo_t info;

	how[0] = '\0';
	/* one that ended by itself has a status of its own, which a signal does not change */
	(void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0U);
	if (!has_ended(pidfd, KILL_MS))
		return;
	reap(pidfd, &info);
	if (info.si_code == CLD_EXITED)
		(void)snprintf(how, cap, "exit status %d", info.si_status);
	else if (info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED)
		(void)snprintf(how, cap, "signal %d", info.si_status);
}

void wg_daemon_last_words(const char *log_path, off_t from, char *out, size_t cap)
{
	char tail[LOG_TAIL];
	struct stat st;

	out[0] = '\0';
	if (log_path[0] == '\0')
		return;
	AUTO_FD int fd = open(log_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size <= from)
		return;
	if (st.st_size - from > (off_t)sizeof(tail))
		from = st.st_size - (off_t)sizeof(tail);
	ssize_t n = pread(fd, tail, sizeof(tail), from);
	while (n > 0 && (tail[n - 1] == '\n' || tail[n - 1] == ' '))
		n--;
	if (n <= 0)
		return;
	const char *newline = memrchr(tail, '\n', (size_t)n);
	const char *line = newline ? newline + 1 : tail;
	(void)snprintf(out, cap, "%.*s", (int)(tail + n - line), line);
	for (char *c = out; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	}
}
