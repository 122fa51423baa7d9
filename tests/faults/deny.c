// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * deny - a program that one system call, or one kind of netlink message, is refused for its whole run
 *
 *   deny -c FILE PROGRAM [ARG]...              count what PROGRAM uses, into FILE
 *   deny -s NAME -e ERRNO PROGRAM [ARG]...     the system call NAME fails with ERRNO
 *   deny -n KIND -e ERRNO PROGRAM [ARG]...     sending a netlink message of that kind fails with ERRNO
 *
 * The lines of FILE are "syscall mkdirat 7" and "netlink route.16 12": protocol and message type, for generic netlink "ctrl" or
 * "family" and the command. Only PROGRAM is meant, with the children that it makes of itself: what these execute has no part in it.
 * A filter sends the calls to a supervisor (seccomp_unotify(2)), which lives as long as anybody has the filter.
 * Ends as PROGRAM does.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define SYSCALLS_MAX 512
#define KINDS_MAX 128
#define KIND_LEN 32
#define MESSAGE_MAX (1u << 20)
#define IOV_COUNT_MAX 64
#define NOTIFY_FD 3
#define READY_FD 10
#define GO_FD 11
#define CHILD_FD 20
#define DONE_FD 21
#define TAKEN_FD 22

struct job {
	const char *count_file;
	const char *syscall_name, *kind;
	int syscall_nr, code;
	char *const *argv;
	struct stat program;
};

struct tally {
	unsigned long calls[SYSCALLS_MAX];
	char kinds[KINDS_MAX][KIND_LEN];
	unsigned long n_kind[KINDS_MAX];
	size_t n_kinds;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "deny: %s: %s\n", what, strerror(errno));
	exit(125);
}

static int errno_by_name(const char *name)
{
	for (int i = 1; i < 134; i++) {
		const char *known = strerrorname_np(i);
		if (known && strcmp(known, name) == 0)
			return i;
	}
	fprintf(stderr, "deny: %s is no errno\n", name);
	exit(125);
}

static bool is_sending(int nr)
{
	return nr == SYS_sendmsg || nr == SYS_sendto || nr == SYS_sendmmsg;
}

/* in the child: the calls that the supervisor has to see */
static void load_filter(const struct job *job)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

	if (!ctx)
		die("make a filter");
	for (int nr = 0; nr < SYSCALLS_MAX; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, nr);
		bool is_meant = name && (job->count_file || nr == job->syscall_nr ||
					 (job->kind && is_sending(nr)));
		free(name);
		if (is_meant && seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, nr, 0) < 0)
			die("add a rule");
	}
	/* the caller may lack no privilege: wgns needs its children's file capabilities */
	if (seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0) < 0)
		die("set up the filter");
	int rc = seccomp_load(ctx);
	if (rc < 0) {
		errno = -rc;
		die("load the filter");
	}
}

/* everything above is closed, so that the filter's descriptor is the number that the supervisor takes */
static _Noreturn void become_program(const struct job *job, int ready_fd, int go_fd)
{
	char byte;

	if (dup2(ready_fd, READY_FD) < 0 || fcntl(READY_FD, F_SETFD, FD_CLOEXEC) < 0 ||
	    dup2(go_fd, GO_FD) < 0 || fcntl(GO_FD, F_SETFD, FD_CLOEXEC) < 0)
		die("arrange descriptors");
	(void)syscall(SYS_close_range, 3U, READY_FD - 1U, 0U);
	(void)syscall(SYS_close_range, GO_FD + 1U, ~0U, 0U);
	if (write(READY_FD, "", 1) != 1)
		die("tell the supervisor");
	load_filter(job);
	/* execve(2) closes the filter's descriptor, and with it nobody would answer */
	if (read(GO_FD, &byte, 1) != 1)
		die("wait for the supervisor");
	(void)execv(job->argv[0], job->argv);
	die(job->argv[0]);
}

/* is it the program, or a child that is still the program? */
static bool is_program(const struct job *job, pid_t pid)
{
	char path[32];
	struct stat st;

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	return stat(path, &st) == 0 && st.st_dev == job->program.st_dev &&
	       st.st_ino == job->program.st_ino;
}

static ssize_t peek(pid_t pid, uint64_t at, void *out, size_t len)
{
	struct iovec to = { out, len };
	struct iovec from = { (void *)(uintptr_t)at, len };

	return process_vm_readv(pid, &to, 1, &from, 1, 0);
}

/* the protocol of a netlink socket of @pid; -1 for any other descriptor */
static int netlink_protocol(pid_t pid, int fd)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0U), domain = 0, protocol = -1;
	int copy = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0U);
	socklen_t len = sizeof(int);

	if (copy < 0 || getsockopt(copy, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0 ||
	    domain != AF_NETLINK || getsockopt(copy, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) < 0)
		protocol = -1;
	if (copy >= 0)
		(void)close(copy);
	if (pidfd >= 0)
		(void)close(pidfd);
	return protocol;
}

/* what is sent, in @buf; Return: its length, 0 when it cannot be read */
static size_t read_message(const struct seccomp_notif *n, char *buf)
{
	struct iovec iov[IOV_COUNT_MAX];
	struct msghdr head;
	size_t len = 0;

	if (n->data.nr == SYS_sendto) {
		len = n->data.args[2] < MESSAGE_MAX ? n->data.args[2] : MESSAGE_MAX;
		return peek((pid_t)n->pid, n->data.args[1], buf, len) == (ssize_t)len ? len : 0;
	}
	if (peek((pid_t)n->pid, n->data.args[1], &head, sizeof(head)) != sizeof(head) ||
	    head.msg_iovlen > IOV_COUNT_MAX)
		return 0;
	ssize_t want = (ssize_t)(head.msg_iovlen * sizeof(*iov));
	if (peek((pid_t)n->pid, (uintptr_t)head.msg_iov, iov, (size_t)want) != want)
		return 0;
	for (size_t i = 0; i < head.msg_iovlen; i++) {
		size_t part = iov[i].iov_len;
		if (part > MESSAGE_MAX - len)
			break;
		if (peek((pid_t)n->pid, (uintptr_t)iov[i].iov_base, buf + len, part) !=
		    (ssize_t)part)
			break;
		len += part;
	}
	return len;
}

static void name_kind(int protocol, const struct nlmsghdr *head, const char *payload,
		      size_t payload_len, char out[KIND_LEN])
{
	unsigned command = payload_len ? (unsigned char)payload[0] : 0;

	if (protocol == NETLINK_ROUTE)
		(void)snprintf(out, KIND_LEN, "route.%u", head->nlmsg_type);
	else if (protocol == NETLINK_GENERIC)
		(void)snprintf(out, KIND_LEN, "generic.%s.%u",
			       head->nlmsg_type == GENL_ID_CTRL ? "ctrl" : "family", command);
	else
		(void)snprintf(out, KIND_LEN, "protocol%d.%u", protocol, head->nlmsg_type);
}

static void count_kind(struct tally *tally, const char *kind)
{
	size_t i = 0;

	while (i < tally->n_kinds && strcmp(tally->kinds[i], kind) != 0)
		i++;
	if (i == KINDS_MAX)
		return;
	if (i == tally->n_kinds)
		memcpy(tally->kinds[tally->n_kinds++], kind, KIND_LEN);
	tally->n_kind[i]++;
}

/* every message of what is sent is counted; Return: is there one of the kind that is denied? */
static bool look_into(const struct job *job, const struct seccomp_notif *n, struct tally *tally)
{
	static char buf[MESSAGE_MAX];
	char kind[KIND_LEN] = "";
	bool is_denied = false;
	int protocol = netlink_protocol((pid_t)n->pid, (int)n->data.args[0]);
	size_t len = protocol < 0 ? 0 : read_message(n, buf);

	for (size_t at = 0; at + sizeof(struct nlmsghdr) <= len;) {
		struct nlmsghdr head;
		memcpy(&head, buf + at, sizeof(head));
		if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > len - at)
			break;
		name_kind(protocol, &head, buf + at + sizeof(head), head.nlmsg_len - sizeof(head),
			  kind);
		count_kind(tally, kind);
		is_denied = is_denied || (job->kind && strcmp(kind, job->kind) == 0);
		at += NLMSG_ALIGN(head.nlmsg_len);
	}
	return is_denied;
}

static void write_tally(const struct job *job, const struct tally *tally)
{
	FILE *out = fopen(job->count_file, "we");

	if (!out)
		die(job->count_file);
	for (int nr = 0; nr < SYSCALLS_MAX; nr++) {
		char *name = tally->calls[nr]
				     ? seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, nr)
				     : NULL;
		if (name)
			fprintf(out, "syscall %s %lu\n", name, tally->calls[nr]);
		free(name);
	}
	for (size_t i = 0; i < tally->n_kinds; i++)
		fprintf(out, "netlink %s %lu\n", tally->kinds[i], tally->n_kind[i]);
	if (fclose(out) != 0)
		die(job->count_file);
}

static bool should_deny(const struct job *job, const struct seccomp_notif *n, struct tally *tally)
{
	if (!is_program(job, (pid_t)n->pid))
		return false;
	if (n->data.nr >= 0 && n->data.nr < SYSCALLS_MAX)
		tally->calls[n->data.nr]++;
	bool is_kind = (job->kind || job->count_file) && is_sending(n->data.nr) &&
		       look_into(job, n, tally);
	return is_kind || (job->syscall_name && n->data.nr == job->syscall_nr);
}

/* Return: false when nobody has the filter any more */
static bool answer_one(const struct job *job, int notify_fd, struct tally *tally)
{
	struct seccomp_notif_resp answer = { 0 };
	struct seccomp_notif n = { 0 };

	if (ioctl(notify_fd, SECCOMP_IOCTL_NOTIF_RECV, &n) < 0)
		return errno == EINTR || errno == ENOENT; /* who called has ended meanwhile */
	answer.id = n.id;
	if (should_deny(job, &n, tally))
		answer.error = -job->code;
	else
		answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	(void)ioctl(notify_fd, SECCOMP_IOCTL_NOTIF_SEND, &answer); /* or a signal ended the call */
	return true;
}

/* the descriptor is there as soon as the child has the filter */
static int take_notify_fd(int child_fd)
{
	for (;;) {
		struct pollfd ended = { .fd = child_fd, .events = POLLIN };
		int fd = (int)syscall(SYS_pidfd_getfd, child_fd, NOTIFY_FD, 0U);

		if (fd >= 0 || errno != EBADF || poll(&ended, 1, 0) != 0)
			return fd;
	}
}

/* a process of its own: daemons that the program leaves behind have the filter, too */
static _Noreturn void supervise(const struct job *job, int child_fd)
{
	static struct tally tally;
	int notify_fd = take_notify_fd(child_fd), null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct pollfd fds[2] = { { .fd = notify_fd, .events = POLLIN },
				 { .fd = child_fd, .events = POLLIN } };

	if (notify_fd < 0 || null_fd < 0)
		_exit(1);
	if (write(TAKEN_FD, "", 1) != 1)
		_exit(1);
	(void)close(TAKEN_FD);
	(void)setsid();
	(void)dup2(null_fd, 0);
	(void)dup2(null_fd, 1);
	(void)dup2(null_fd, 2);
	for (;;) {
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[0].revents & POLLIN) {
			if (!answer_one(job, notify_fd, &tally))
				_exit(1);
		} else if (fds[1].fd >= 0 && (fds[0].revents || fds[1].revents)) {
			if (job->count_file)
				write_tally(job, &tally);
			(void)close(DONE_FD);
			fds[1].fd = -1;
		} else if (fds[0].revents) {
			_exit(0);
		}
	}
}

/* Return: as PROGRAM ended */
static int run(const struct job *job)
{
	int ready[2], done[2], go[2], status;
	char byte;

	if (pipe2(ready, O_CLOEXEC) < 0 || pipe2(done, O_CLOEXEC) < 0 || pipe2(go, O_CLOEXEC) < 0)
		die("make a pipe");
	pid_t child = fork();
	if (child == 0)
		become_program(job, ready[1], go[0]);
	int child_fd = (int)syscall(SYS_pidfd_open, child, 0U);
	if (child < 0 || child_fd < 0 || read(ready[0], &byte, 1) != 1)
		die("start the program");
	pid_t supervisor = fork();
	if (supervisor < 0)
		die("start the supervisor");
	if (supervisor == 0) {
		if (dup2(child_fd, CHILD_FD) < 0 || dup2(done[1], DONE_FD) < 0 ||
		    dup2(go[1], TAKEN_FD) < 0)
			_exit(1);
		(void)syscall(SYS_close_range, 3U, CHILD_FD - 1U, 0U);
		(void)syscall(SYS_close_range, TAKEN_FD + 1U, ~0U, 0U);
		supervise(job, CHILD_FD);
	}
	(void)close(done[1]);
	(void)close(go[1]);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	/* what was counted is written when the supervisor lets go of this */
	(void)!read(done[0], &byte, 1);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	struct job job = { .syscall_nr = -1, .code = EPERM };
	int opt;

	while ((opt = getopt(argc, argv, "+c:s:n:e:")) != -1) {
		switch (opt) {
		case 'c':
			job.count_file = optarg;
			break;
		case 's':
			job.syscall_name = optarg;
			job.syscall_nr = seccomp_syscall_resolve_name(optarg);
			break;
		case 'n':
			job.kind = optarg;
			break;
		case 'e':
			job.code = errno_by_name(optarg);
			break;
		default:
			return 125;
		}
	}
	job.argv = argv + optind;
	if (optind == argc || (job.syscall_name && job.syscall_nr < 0) ||
	    stat(argv[optind], &job.program) < 0) {
		fprintf(stderr, "usage: deny -c FILE | -s SYSCALL -e ERRNO | -n KIND -e ERRNO "
				"PROGRAM...\n");
		return 125;
	}
	return run(&job);
}
