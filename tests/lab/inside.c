// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * inside - what the tests of profiles and of --listen start in a box
 *
 * inside calls             each system call that a filter may deny, with the kernel's answer: a line "NAME: ANSWER"
 * inside families          the same for socket(2), by address family
 * inside push              the same for ioctl(2) that puts input into the terminal on descriptor 0
 * inside clone             the same for clone(2) with each flag that makes a namespace
 * inside sockets           what was handed over as sd_listen_fds(3) has it: a line "FD ADDRESS" each, and the number of all
 * inside serve             answer HTTP on these, by "FD USER NAMESPACE"; until it is ended
 * inside hold PATH CMD...  listen on a path socket, or on the abstract one @PATH, and become CMD
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_FD 3
#define SOCKETS_MAX 64
#define NOWHERE ((void *)-1L) /* no address of the program */

/* keyctl(2), kcmp(2), clone(2), userfaultfd(2): libc has no header of these that is everywhere */
#define GET_KEYRING_ID 0
#define SESSION_KEYRING (-3)
#define COMPARE_VM 1
#define USER_MODE_ONLY 1

/*
 * Each is called so that an ordinary user gets another answer than EPERM from the kernel itself: it succeeds, or it is
 * wrong in a way that is found before any right is looked at.
 */
static long call_mount(void)
{
	return mount(NOWHERE, "/", NULL, 0, NULL);
}

static long call_umount(void)
{
	return umount2("/", -1);
}

static long call_unshare(void)
{
	return unshare(SIGCHLD);
}

static long call_setns(void)
{
	return setns(-1, 0);
}

static long call_ptrace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long call_process_vm_readv(void)
{
	char from = 'x', to = 0;
	struct iovec remote = { &from, 1 }, local = { &to, 1 };

	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
}

static long call_kcmp(void)
{
	return syscall(SYS_kcmp, getpid(), getpid(), COMPARE_VM, 0L, 0L);
}

static long call_pidfd_getfd(void)
{
	return syscall(SYS_pidfd_getfd, -1, 0, 0);
}

static long call_perf_event_open(void)
{
	return syscall(SYS_perf_event_open, NULL, 0, -1, -1, ~0UL);
}

static long call_keyctl(void)
{
	return syscall(SYS_keyctl, GET_KEYRING_ID, SESSION_KEYRING, 0);
}

static long call_add_key(void)
{
	return syscall(SYS_add_key, NOWHERE, NOWHERE, NULL, 0UL, SESSION_KEYRING);
}

static long call_request_key(void)
{
	return syscall(SYS_request_key, NOWHERE, NOWHERE, NULL, SESSION_KEYRING);
}

static long call_io_uring_enter(void)
{
	return syscall(SYS_io_uring_enter, -1, 0, 0, 0, NULL, 0UL);
}

static long call_userfaultfd(void)
{
	return syscall(SYS_userfaultfd, USER_MODE_ONLY | 1 << 30);
}

static long call_clone3(void)
{
	return syscall(SYS_clone3, NULL, 0UL);
}

static long call_shmget(void)
{
	return syscall(SYS_shmget, 0, 0UL, 0);
}

static long call_mkdir(void)
{
	return mkdir("/", 0700);
}

static const struct {
	const char *name;
	long (*call)(void);
} calls[] = {
	{ "mount", call_mount },
	{ "umount2", call_umount },
	{ "unshare", call_unshare },
	{ "setns", call_setns },
	{ "ptrace", call_ptrace },
	{ "process_vm_readv", call_process_vm_readv },
	{ "kcmp", call_kcmp },
	{ "pidfd_getfd", call_pidfd_getfd },
	{ "perf_event_open", call_perf_event_open },
	{ "keyctl", call_keyctl },
	{ "add_key", call_add_key },
	{ "request_key", call_request_key },
	{ "io_uring_enter", call_io_uring_enter },
	{ "userfaultfd", call_userfaultfd },
	{ "clone3", call_clone3 },
	{ "shmget", call_shmget },
	{ "mkdir", call_mkdir },
};

static void answer(const char *name, long rc)
{
	printf("%s: %s\n", name, rc < 0 ? strerror(errno) : "done");
}

/* in a child of its own: some of them change the process that calls */
static int say_calls(char **argv)
{
	(void)argv;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		pid_t pid = fork();
		if (pid == 0) {
			answer(calls[i].name, calls[i].call());
			return 0;
		}
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			return 1;
	}
	return 0;
}

/* no type has this number, and every family looks at that first */
static int say_families(char **argv)
{
	static const struct {
		const char *name;
		int number;
	} families[] = {
		{ "unix", AF_UNIX },	   { "inet", AF_INET },	    { "inet6", AF_INET6 },
		{ "netlink", AF_NETLINK }, { "packet", AF_PACKET }, { "bluetooth", AF_BLUETOOTH },
		{ "vsock", AF_VSOCK },	   { "alg", AF_ALG },	    { "can", AF_CAN },
	};

	(void)argv;
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		answer(families[i].name, socket(families[i].number, 14, 0));
	return 0;
}

/* the kernel looks at the lower half of the request alone */
static int say_push(char **argv)
{
	char input = '#';

	(void)argv;
	answer("TIOCSTI", ioctl(STDIN_FILENO, TIOCSTI, &input));
	answer("TIOCSTI and more", syscall(SYS_ioctl, STDIN_FILENO, TIOCSTI | 1L << 32, &input));
	answer("TIOCLINUX", ioctl(STDIN_FILENO, TIOCLINUX, &input));
	return 0;
}

/* a thread needs more flags than that: without a filter each of them is invalid */
static int say_clone(char **argv)
{
	static const struct {
		const char *name;
		unsigned long flag;
	} flags[] = {
		{ "mnt", CLONE_NEWNS },	   { "cgroup", CLONE_NEWCGROUP },
		{ "uts", CLONE_NEWUTS },   { "ipc", CLONE_NEWIPC },
		{ "user", CLONE_NEWUSER }, { "pid", CLONE_NEWPID },
		{ "net", CLONE_NEWNET },   { "none", 0 },
	};

	(void)argv;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		answer(flags[i].name,
		       syscall(SYS_clone, flags[i].flag | CLONE_THREAD, NULL, NULL, NULL, NULL));
	return 0;
}

/* as sd_listen_fds(3): how many; those of another process do not count */
static int count_sockets(void)
{
	const char *n = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");

	return n && pid && strtol(pid, NULL, 10) == getpid() ? (int)strtol(n, NULL, 10) : 0;
}

/* and what else stands above 2, so that nothing is overlooked */
static int say_sockets(char **argv)
{
	(void)argv;
	for (int fd = FIRST_FD; fd < FIRST_FD + 2 * SOCKETS_MAX; fd++) {
		union {
			struct sockaddr sa;
			struct sockaddr_in v4;
			struct sockaddr_in6 v6;
		} a;
		socklen_t len = sizeof(a);
		char host[INET6_ADDRSTRLEN] = "";
		if (fcntl(fd, F_GETFD) < 0)
			continue;
		if (getsockname(fd, &a.sa, &len) < 0)
			printf("%d no socket\n", fd);
		else if (a.sa.sa_family == AF_INET)
			printf("%d %s:%u\n", fd,
			       inet_ntop(AF_INET, &a.v4.sin_addr, host, sizeof(host)),
			       ntohs(a.v4.sin_port));
		else
			printf("%d [%s]:%u\n", fd,
			       inet_ntop(AF_INET6, &a.v6.sin6_addr, host, sizeof(host)),
			       ntohs(a.v6.sin6_port));
	}
	printf("%d sockets\n", count_sockets());
	return 0;
}

static void serve_one(int listen_fd)
{
	char request[4096], ns[64] = "";
	int fd = accept(listen_fd, NULL, NULL);

	if (fd < 0 || read(fd, request, sizeof(request)) <= 0 ||
	    readlink("/proc/self/ns/net", ns, sizeof(ns) - 1) < 0)
		exit(1);
	(void)dprintf(fd, "HTTP/1.0 200 OK\r\n\r\n%d %u %s\n", listen_fd, (unsigned)getuid(), ns);
	/* the client ends first, so that nothing of the answer is lost */
	(void)shutdown(fd, SHUT_WR);
	while (read(fd, request, sizeof(request)) > 0)
		;
	(void)close(fd);
}

static int serve(char **argv)
{
	struct pollfd fds[SOCKETS_MAX];
	int n = count_sockets();

	(void)argv;
	if (n < 1 || n > SOCKETS_MAX)
		return 1;
	for (int i = 0; i < n; i++)
		fds[i] = (struct pollfd){ .fd = FIRST_FD + i, .events = POLLIN };
	while (poll(fds, (nfds_t)n, -1) > 0) {
		for (int i = 0; i < n; i++) {
			if (fds[i].revents)
				serve_one(fds[i].fd);
		}
	}
	return 1;
}

static int hold(char **argv)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t len = strlen(argv[0]);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (len >= sizeof(a.sun_path))
		return 1;
	memcpy(a.sun_path, argv[0], len);
	if (a.sun_path[0] == '@')
		a.sun_path[0] = '\0';
	if (fd < 0 ||
	    bind(fd, (struct sockaddr *)&a,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0 ||
	    listen(fd, 8) < 0) {
		perror(argv[0]);
		return 1;
	}
	(void)execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 1;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(char **argv);
		int n_args; /* at least */
	} parts[] = {
		{ "calls", say_calls, 0 }, { "families", say_families, 0 }, { "push", say_push, 0 },
		{ "clone", say_clone, 0 }, { "sockets", say_sockets, 0 },   { "serve", serve, 0 },
		{ "hold", hold, 2 },
	};

	(void)setvbuf(stdout, NULL, _IOLBF,
		      0); /* a child must not have lines of its parent to print */
	for (size_t i = 0; argc > 1 && i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (strcmp(argv[1], parts[i].name) == 0 && argc >= 2 + parts[i].n_args)
			return parts[i].run(argv + 2);
	}
	(void)fputs("inside: no such part, or too few arguments\n", stderr);
	return 2;
}
