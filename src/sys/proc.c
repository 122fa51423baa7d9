// SPDX-License-Identifier: GPL-2.0-or-later
/* proc - the processes of a network namespace, from proc(5) */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wgns/clock.h"
#include "wgns/fd.h"
#include "wgns/netns.h"

#define KILL_ROUNDS 10000
#define PROC_KTHREAD                                                                               \
	0x00200000u /* PF_KTHREAD in field 9 of /proc/PID/stat, include/linux/sched.h */
#define KILL_CHUNK 128 /* pidfds at a time, well below the usual RLIMIT_NOFILE of 1024 */
#define KILL_LAST_MS 5000 /* after SIGKILL; longer means uninterruptible sleep */

struct proc_stat {
	char comm[32];
	pid_t parent;
	unsigned flags;
	unsigned long long start_time;
};

static void close_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

/* a small file of proc, whole, with a NUL; its end is cut when it is longer */
static int read_small(int proc_fd, const char *path, char *buf, size_t cap)
{
	AUTO_FD int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	ssize_t got = read(fd, buf, cap - 1);
	if (got < 0)
		return -errno;
	buf[got] = '\0';
	return 0;
}

/* a process chooses its own name, and names go to terminals */
static void copy_comm(char *out, size_t cap, const char *from, size_t len)
{
	size_t n = len < cap - 1 ? len : cap - 1;

	for (size_t i = 0; i < n; i++)
		out[i] = (from[i] >= 0x20 && from[i] < 0x7f) ? from[i] : '?';
	out[n] = '\0';
}

static int read_stat(int proc_fd, pid_t pid, struct proc_stat *out)
{
	char path[32], text[1024];

	(void)snprintf(path, sizeof(path), "%d/stat", (int)pid);
	int rc = read_small(proc_fd, path, text, sizeof(text));
	if (rc < 0)
		return rc;

	/* the name may hold blanks and parentheses: it ends at the last one */
	const char *open = strchr(text, '('), *end = strrchr(text, ')');
	if (!open || !end || end < open)
		return -EINVAL;
	struct proc_stat st = { 0 };
	if (sscanf(end + 1,
		   " %*c %d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d"
		   " %*d %*d %llu",
		   &st.parent, &st.flags, &st.start_time) != 3)
		return -EINVAL;
	copy_comm(st.comm, sizeof(st.comm), open + 1, (size_t)(end - open - 1));
	*out = st;
	return 0;
}

/* the owner of /proc/PID is root for a process that is not dumpable, so the real uid is read */
static int read_uid(int proc_fd, pid_t pid, uid_t *out)
{
	char path[32], text[1024];
	unsigned uid;

	(void)snprintf(path, sizeof(path), "%d/status", (int)pid);
	int rc = read_small(proc_fd, path, text, sizeof(text));
	if (rc < 0)
		return rc;
	const char *line = strstr(text, "\nUid:"); /* newlines in Name: are escaped */
	if (!line || sscanf(line, "\nUid: %u", &uid) != 1)
		return -EINVAL;
	*out = uid;
	return 0;
}

/* Return: 1 when @pid lives in @ns, 0 when not or when it is gone */
static int is_resident(int proc_fd, pid_t pid, const struct netns_id *ns, struct netns_proc *out)
{
	struct proc_stat ps;
	struct stat st;
	char path[32];

	(void)snprintf(path, sizeof(path), "%d/ns/net", (int)pid);
	if (fstatat(proc_fd, path, &st, 0) < 0)
		return 0; /* gone, a zombie, or not ours to look at (ptrace(2)) */
	if (!netns_same(ns, &(struct netns_id){ .dev = st.st_dev, .ino = st.st_ino }))
		return 0;

	struct netns_proc p = { .pid = pid };
	if (read_stat(proc_fd, pid, &ps) < 0 || (ps.flags & PROC_KTHREAD) ||
	    read_uid(proc_fd, pid, &p.uid) < 0)
		return 0;
	p.start_time = ps.start_time;
	memcpy(p.comm, ps.comm, sizeof(p.comm));
	*out = p;
	return 1;
}

long netns_procs(const struct netns_id *ns, struct netns_proc *procs, size_t cap, struct err *e)
{
	__attribute__((cleanup(close_dir))) DIR *dir = opendir("/proc");
	struct netns_proc found;
	long n = 0;

	if (!dir)
		return err_set(e, errno, "list processes in /proc");
	for (;;) {
		errno = 0;
		const struct dirent *d = readdir(dir);
		if (!d && errno)
			return err_set(e, errno, "list processes in /proc");
		if (!d)
			return n;
		if (!isdigit((unsigned char)d->d_name[0]))
			continue;
		pid_t pid = (pid_t)strtol(d->d_name, NULL, 10);
		if (!is_resident(dirfd(dir), pid, ns, &found))
			continue;
		if ((size_t)n < cap)
			procs[n] = found;
		n++;
	}
}

bool netns_has_proc(const struct netns_id *ns, const struct netns_proc *p)
{
	AUTO_FD int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct netns_proc now;

	return proc_fd >= 0 && is_resident(proc_fd, p->pid, ns, &now) &&
	       now.start_time == p->start_time;
}

int proc_start_time(pid_t pid, unsigned long long *out)
{
	AUTO_FD int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct proc_stat ps;

	if (proc_fd < 0 || pid <= 0 || read_stat(proc_fd, pid, &ps) < 0)
		return -ESRCH;
	*out = ps.start_time;
	return 0;
}

/* Return: a pidfd of exactly that process, -1 when it is gone */
static int open_process(const struct netns_proc *p)
{
	unsigned long long start_time;
	AUTO_FD int fd = (int)syscall(SYS_pidfd_open, p->pid, 0);

	/* after pidfd_open, because only the descriptor keeps the number from changing hands */
	if (fd < 0 || proc_start_time(p->pid, &start_time) < 0 || start_time != p->start_time)
		return -1;
	return fd_take(&fd);
}

static void signal_all(const struct pollfd *fds, size_t n, int sig)
{
	for (size_t i = 0; i < n; i++) {
		if (fds[i].fd >= 0) /* a failure shows in the wait that follows */
			(void)syscall(SYS_pidfd_send_signal, fds[i].fd, sig, NULL, 0);
	}
}

/* A pidfd becomes readable when its process ends. Return: how many are still there */
static size_t wait_all(struct pollfd *fds, size_t n, int wait_ms)
{
	long long end = clock_monotonic_ms() + wait_ms;

	for (;;) {
		size_t n_left = 0;
		long long left = end - clock_monotonic_ms();

		if (poll(fds, n, left > 0 ? (int)left : 0) < 0 && errno != EINTR)
			return n;
		for (size_t i = 0; i < n; i++) {
			if (fds[i].fd >= 0 && fds[i].revents)
				fd_close_indirect(&fds[i].fd);
			fds[i].revents = 0;
			n_left += fds[i].fd >= 0;
		}
		if (n_left == 0 || left <= 0)
			return n_left;
	}
}

static int kill_chunk(const struct netns_proc *procs, size_t n, int grace_ms, struct err *e)
{
	struct pollfd fds[KILL_CHUNK];
	int rc = 0;

	for (size_t i = 0; i < n; i++)
		fds[i] = (struct pollfd){ .fd = open_process(&procs[i]), .events = POLLIN };
	signal_all(fds, n, SIGTERM);
	if (wait_all(fds, n, grace_ms)) {
		signal_all(fds, n, SIGKILL);
		(void)wait_all(fds, n, KILL_LAST_MS); /* who is left is looked at below */
	}
	for (size_t i = 0; i < n; i++) {
		if (fds[i].fd < 0)
			continue;
		if (rc == 0)
			rc = err_say(e, EBUSY, "process %d (%s) does not end", (int)procs[i].pid,
				     procs[i].comm);
		fd_close_indirect(&fds[i].fd);
	}
	return rc;
}

int netns_kill(const struct netns_proc *procs, size_t n, int grace_ms, struct err *e)
{
	for (size_t done = 0; done < n;) {
		size_t part = n - done < KILL_CHUNK ? n - done : KILL_CHUNK;
		int rc = kill_chunk(procs + done, part, grace_ms, e);
		if (rc < 0)
			return rc;
		done += part;
	}
	return 0;
}

void proc_signal_children(int sig)
{
	__attribute__((cleanup(close_dir))) DIR *dir = opendir("/proc");
	const struct dirent *d;
	struct proc_stat ps;

	while (dir && (d = readdir(dir))) {
		if (!isdigit((unsigned char)d->d_name[0]))
			continue;
		pid_t pid = (pid_t)strtol(d->d_name, NULL, 10);
		if (read_stat(dirfd(dir), pid, &ps) == 0 && ps.parent == getpid())
			(void)kill(pid, sig); /* it keeps its number until we have waited for it */
	}
}

void proc_kill_children(void)
{
	for (int i = 0; i < KILL_ROUNDS; i++) {
		proc_signal_children(SIGKILL);
		if (waitpid(-1, NULL, 0) < 0 && errno == ECHILD)
			return;
	}
}

pid_t proc_parent(pid_t pid)
{
	AUTO_FD int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct proc_stat ps;

	return proc_fd < 0 || read_stat(proc_fd, pid, &ps) < 0 ? 0 : ps.parent;
}
