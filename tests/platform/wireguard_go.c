// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * wireguard-go as the userspace backend relies on it:
 *  - its socket is open to its own user only, whatever umask it was started with;
 *  - it writes negative numbers behind "errno=";
 *  - it goes on when its TUN is moved to another namespace and renamed, and the socket keeps its name;
 *  - it ends by itself when the namespace that holds the TUN goes.
 * Exit status: 0 all true, 1 one is not, 77 not possible here.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define DAEMON "/usr/bin/wireguard-go"
#define SOCKET "/var/run/wireguard/wgfact.sock"
#define WAIT_MS 20000

static int n_wrong;

static void check(bool is_true, const char *fact)
{
	printf("%s: %s\n", is_true ? "true" : "NOT TRUE", fact);
	n_wrong += !is_true;
}

static pid_t start(const char *program, const char *arg1, const char *arg2)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)umask(0);
		(void)setenv("LOG_LEVEL", "silent", 1);
		(void)execl(program, program, arg1, arg2, (char *)NULL);
		_exit(127);
	}
	return pid;
}

/* Return: what the daemon says, or "" */
static void ask(const char *request, char *answer, size_t cap)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX, .sun_path = SOCKET };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ssize_t n = 0;

	answer[0] = '\0';
	if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 &&
	    write(fd, request, strlen(request)) > 0)
		n = read(fd, answer, cap - 1);
	answer[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

/* until it answers or ends */
static bool wait_until_ready(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	char answer[256] = "";

	for (int waited = 0; waited < WAIT_MS && !strstr(answer, "errno=0"); waited += 5) {
		if (poll(&p, 1, 5) > 0)
			return false;
		ask("get=1\n\n", answer, sizeof(answer));
	}
	return strstr(answer, "errno=0") != NULL;
}

static bool has_ended(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, WAIT_MS) == 1;
}

/* a process that holds a network namespace of its own until it is killed */
static pid_t hold_namespace(void)
{
	int ready[2];
	char byte;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return -1;
	pid_t pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNET) == 0 && write(ready[1], "", 1) == 1)
			(void)pause();
		_exit(1);
	}
	close(ready[1]);
	bool is_there = read(ready[0], &byte, 1) == 1;
	close(ready[0]);
	return is_there ? pid : -1;
}

static bool is_private(void)
{
	return geteuid() == 0 && unshare(CLONE_NEWNS | CLONE_NEWNET) == 0 &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") == 0;
}

static void check_facts(int pidfd, pid_t holder)
{
	char answer[256], command[128];
	struct stat st;

	check(stat(SOCKET, &st) == 0 && (st.st_mode & 0077) == 0, "the socket is its user's only");
	ask("set=1\nlisten_port=none\n\n", answer, sizeof(answer));
	check(strcmp(answer, "errno=-22\n\n") == 0, "errors are negative");

	(void)snprintf(command, sizeof(command), "ip link set wgfact netns %d name wg0",
		       (int)holder);
	int status = system(command);
	ask("get=1\n\n", answer, sizeof(answer));
	check(status == 0 && strstr(answer, "errno=0") != NULL,
	      "the TUN moves and is renamed, the socket stays");

	(void)kill(holder, SIGKILL);
	(void)waitpid(holder, NULL, 0);
	check(has_ended(pidfd), "it ends with the namespace of its TUN");
}

int main(void)
{
	if (access(DAEMON, X_OK) < 0 || access("/dev/net/tun", R_OK | W_OK) < 0 || !is_private()) {
		printf("skipped: it needs root, " DAEMON " and /dev/net/tun\n");
		return 77;
	}
	pid_t holder = hold_namespace();
	pid_t pid = start(DAEMON, "-f", "wgfact");
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0U);
	bool is_ready = holder > 0 && pidfd >= 0 && wait_until_ready(pidfd);

	check(is_ready, "it starts");
	if (is_ready)
		check_facts(pidfd, holder);
	else if (holder > 0)
		(void)kill(holder, SIGKILL);
	(void)kill(pid, SIGKILL); /* our unreaped child, ended or not */
	(void)waitpid(pid, NULL, 0);
	return n_wrong ? 1 : 0;
}
