/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Backends on real devices, in namespaces of the test's own: a private /run, and for each device two
 * network namespaces, "out" for its ciphertext and "in" for its cleartext.
 */
#ifndef WGNS_TESTS_BACKEND_LAB_H
#define WGNS_TESTS_BACKEND_LAB_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "wgns/backend.h"
#include "wgns/fd.h"
#include "wgns/netns.h"

#define DAEMON "/usr/bin/wireguard-go"
#define LOG "/run/daemon.log"
#define SOCKETS "/var/run/wireguard"

static bool is_ready; /* root, and the private namespaces are made */
static struct err e;

static inline void must_run_or_skip(const char *reason)
{
	const char *must = getenv("WGNS_MUST_RUN");

	if (must && must[0] == '1')
		fail_msg("WGNS_MUST_RUN=1, but %s", reason);
	print_message("skipped: %s\n", reason);
	skip();
}

static inline const struct backend *need(void **state)
{
	const struct backend *const *over = *state;
	const struct backend *b = *over;
	const struct backend_device dev = { .daemon = DAEMON };

	if (!is_ready)
		must_run_or_skip("it needs root to make namespaces");
	if (b->usable(&dev, &e) < 0) {
		/* a kernel is what it is: the other kernels have their own run */
		if (b == &backend_userspace)
			must_run_or_skip(e.text);
		print_message("skipped: %s\n", e.text);
		skip();
	}
	return b;
}

static inline void assert_ok(int rc)
{
	if (rc < 0)
		fail_msg("%s%s%s", e.text, e.hint[0] ? "; hint: " : "", e.hint);
}

/* Return: the exit status of a shell command in @ns_fd */
__attribute__((format(printf, 2, 3))) static inline int run_in(int ns_fd, const char *fmt, ...)
{
	char command[512];
	va_list ap;
	int status;

	va_start(ap, fmt);
	(void)vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	pid_t pid = fork();
	if (pid == 0) {
		if (setns(ns_fd, CLONE_NEWNET) == 0)
			(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

struct side {
	int out_fd, in_fd;
	struct backend_device dev;
	struct wg_device conf;
};

static inline void begin_side(struct side *s, const char *birth_name)
{
	*s = (struct side){ .dev = { .daemon = DAEMON, .log_path = LOG } };
	(void)snprintf(s->dev.birth_name, sizeof(s->dev.birth_name), "%s", birth_name);
	s->out_fd = netns_create(&e);
	s->in_fd = netns_create(&e);
	assert_true(s->out_fd >= 0 && s->in_fd >= 0);
}

static inline void end_side(const struct backend *b, struct side *s)
{
	assert_ok(b->destroy(&s->dev, s->out_fd, s->in_fd, &e));
	wg_device_free(&s->conf);
	close(s->out_fd);
	close(s->in_fd);
}

static inline void move_inside(struct side *s)
{
	assert_int_equal(run_in(s->out_fd, "ip link set %s netns /proc/%d/fd/%d name wg0",
				s->dev.birth_name, (int)getpid(), s->in_fd),
			 0);
	(void)snprintf(s->dev.name, sizeof(s->dev.name), "wg0");
}

static inline bool has_link(int ns_fd, const char *name)
{
	return run_in(ns_fd, "ip link show %s >/dev/null 2>&1", name) == 0;
}

static inline bool has_socket(const char *name)
{
	char path[64];
	struct stat st;

	(void)snprintf(path, sizeof(path), SOCKETS "/%s.sock", name);
	return lstat(path, &st) == 0;
}

static inline void assert_gone(const struct side *s)
{
	assert_false(has_link(s->out_fd, s->dev.birth_name));
	assert_false(has_link(s->in_fd, s->dev.birth_name));
	assert_false(has_link(s->in_fd, "wg0"));
	assert_false(has_socket(s->dev.birth_name));
}

static inline bool is_running(pid_t pid)
{
	return kill(pid, 0) == 0;
}

static inline int udp_socket_in(int ns_fd, const char *address, uint16_t port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(port) };
	AUTO_FD int own_fd = netns_open_self(&e);

	assert_int_equal(inet_pton(AF_INET, address, &sa.sin_addr), 1);
	assert_int_equal(setns(ns_fd, CLONE_NEWNET), 0);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int bound = bind(fd, (struct sockaddr *)&sa, sizeof(sa));
	assert_int_equal(setns(own_fd, CLONE_NEWNET), 0);
	assert_int_equal(bound, 0);
	return fd;
}

/* a run of its own: nothing here reaches the machine's network or its /run */
static inline int make_private(void **state)
{
	(void)state;
	if (geteuid() != 0 || unshare(CLONE_NEWNS | CLONE_NEWNET) < 0)
		return 0;
	is_ready = mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		   mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") == 0;
	return 0;
}

#endif
