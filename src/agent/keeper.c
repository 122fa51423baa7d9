// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper_internal.h"
#include "wgns/clock.h"
#include "wgns/fd.h"
#include "wgns/netns.h"
#include "wgns/rtnl.h"
#include "wgns/signals.h"
#include "wgns/state.h"

#define AGAIN_FIRST_MS 500
#define AGAIN_MAX_MS 60000
#define LIVED_MS 60000 /* who lived so long did not die at once */
#define LOG_MAX_BYTES (256 << 10) /* in /run: then it begins anew */

void keeper_log(const struct keeper *k, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	k->options->log(k->options->ctx, line);
}

/* for status; one that cannot be written is no reason to stop */
static void set_state(struct keeper *k, const char *state)
{
	char path[sizeof(AGENTFILE_DIR) + AGENTFILE_NAME_MAX + 16];
	struct err why;

	if (strcmp(k->state, state) == 0)
		return;
	(void)snprintf(k->state, sizeof(k->state), "%s", state);
	(void)snprintf(path, sizeof(path), "%s.state", k->options->name);
	AUTO_FD int dir_fd = state_openat(k->run_fd, AGENTFILE_DIR, O_RDONLY | O_DIRECTORY, &why);
	if (dir_fd < 0 ||
	    fd_replace_file_at(dir_fd, path, k->state, strlen(k->state), 0600, &why) < 0)
		keeper_log(k, "%s", why.text);
}

/* in physical: from here on everything is its own */
static int open_sources(struct keeper *k, struct err *e)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
	static const unsigned groups[] = { RTNLGRP_LINK };

	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return err_set(e, errno, "become the parent of orphans");
	int rc = nl_open_in(NETLINK_ROUTE, -1, &k->nl, e);
	if (rc < 0)
		return rc;
	k->link_fd = nl_listen_in(NETLINK_ROUTE, -1, groups, 1, e);
	if (k->link_fd < 0)
		return k->link_fd;
	k->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (k->inotify_fd < 0 ||
	    inotify_add_watch(k->inotify_fd, "/etc", IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE) < 0)
		return err_set(e, errno, "watch the agent's /etc");
	k->signal_fd = signals_open(signals, sizeof(signals) / sizeof(signals[0]), e);
	return k->signal_fd < 0 ? k->signal_fd : 0;
}

static void look_for_device(struct keeper *k)
{
	struct rtnl_link link;
	struct err ignored; /* then it is not there */
	bool is_there = k->is_all || rtnl_get_link(k->nl, 0, k->run.device, &link, &ignored) == 0;

	if (is_there == k->is_device_there)
		return;
	k->is_device_there = is_there;
	if (is_there) {
		keeper_log(k, "%s is back", k->run.device);
		for (size_t i = 0; i < k->n; i++) {
			k->children[i].again_ms = clock_monotonic_ms();
			k->children[i].n_deaths = 0;
		}
		return;
	}
	keeper_log(k, "%s is gone: %s is ended until it is back", k->run.device, k->run.program);
	keeper_end(k);
	keeper_forget_lease(k);
}

static void plan_again(struct keeper *k, struct child *child)
{
	int64_t now = clock_monotonic_ms(), delay = AGAIN_FIRST_MS;

	if (now - child->started_ms > LIVED_MS)
		child->n_deaths = 0;
	for (unsigned i = 0; i < child->n_deaths && delay < AGAIN_MAX_MS; i++)
		delay *= 2;
	child->n_deaths++;
	child->again_ms = now + (delay < AGAIN_MAX_MS ? delay : AGAIN_MAX_MS);
	/* it may have noticed before the kernel's message was read */
	look_for_device(k);
	if (!k->is_device_there)
		child->again_ms = 0;
}

static void reap(struct keeper *k)
{
	int status;

	for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0;
	     pid = waitpid(-1, &status, WNOHANG)) {
		for (size_t i = 0; i < k->n; i++) {
			struct child *child = &k->children[i];
			if (child->pid != pid)
				continue;
			child->pid = 0;
			keeper_log(k, "%s (process %d) %s %d", k->run.program, (int)pid,
				   WIFSIGNALED(status) ? "was ended by signal"
						       : "ended with status",
				   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
			plan_again(k, child);
		}
	}
}

static void start_due(struct keeper *k)
{
	struct err why;

	for (size_t i = 0; i < k->n; i++) {
		struct child *child = &k->children[i];
		if (child->pid || !child->again_ms || child->again_ms > clock_monotonic_ms())
			continue;
		child->again_ms = 0;
		if (keeper_start(k, child, &why) < 0) {
			keeper_log(k, "%s", why.text);
			child->started_ms = clock_monotonic_ms();
			plan_again(k, child);
		} else {
			keeper_log(k, "%s was started again (process %d)", k->run.program,
				   (int)child->pid);
		}
	}
}

static void tell_state(struct keeper *k)
{
	char text[160] = "running";
	size_t n_running = 0;
	unsigned n_deaths = 0;

	for (size_t i = 0; i < k->n; i++) {
		n_running += k->children[i].pid != 0;
		n_deaths += k->children[i].n_deaths;
	}
	if (!k->is_device_there)
		(void)snprintf(text, sizeof(text), "waits for %s", k->run.device);
	else if (n_running < k->n)
		(void)snprintf(text, sizeof(text), "dead, %u time%s: it is started again", n_deaths,
			       n_deaths == 1 ? "" : "s");
	set_state(k, text);
}

static int timeout_ms(const struct keeper *k)
{
	int64_t now = clock_monotonic_ms(), first = -1;

	for (size_t i = 0; i < k->n; i++) {
		if (k->children[i].pid || !k->children[i].again_ms)
			continue;
		int64_t left = k->children[i].again_ms > now ? k->children[i].again_ms - now : 0;
		if (first < 0 || left < first)
			first = left;
	}
	return (int)first;
}

/* Return: somebody wants an end */
static bool read_signals(struct keeper *k)
{
	struct signalfd_siginfo info;
	bool is_over = false;

	while (read(k->signal_fd, &info, sizeof(info)) == sizeof(info))
		is_over = is_over || info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT;
	reap(k);
	return is_over;
}

static void read_inotify(struct keeper *k)
{
	_Alignas(struct inotify_event) char buf[4096];
	ssize_t len = read(k->inotify_fd, buf, sizeof(buf));

	for (ssize_t at = 0; at + (ssize_t)sizeof(struct inotify_event) <= len;) {
		struct inotify_event event;
		memcpy(&event, buf + at, sizeof(event));
		/* the name is padded with NULs by the kernel */
		if (event.len)
			keeper_read_etc(k, buf + at + sizeof(event));
		at += (ssize_t)(sizeof(event) + event.len);
	}
}

static void pass_event(const struct nlmsghdr *event, void *ctx)
{
	(void)event;
	*(bool *)ctx = true;
}

/* what the agent says goes to the same file as what its keeper says */
static void bound_log(void)
{
	struct stat st;

	if (fstat(STDERR_FILENO, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > LOG_MAX_BYTES)
		(void)!ftruncate(STDERR_FILENO, 0); /* then it grows a little more */
}

static void look_after(struct keeper *k)
{
	struct pollfd fds[] = { { .fd = k->signal_fd, .events = POLLIN },
				{ .fd = k->inotify_fd, .events = POLLIN },
				{ .fd = k->link_fd, .events = POLLIN } };

	for (;;) {
		bool is_changed = false;

		tell_state(k);
		if (poll(fds, 3, timeout_ms(k)) < 0 && errno != EINTR)
			return;
		if (fds[0].revents && read_signals(k))
			return;
		if (fds[1].revents)
			read_inotify(k);
		if (fds[2].revents && nl_listen_read(k->link_fd, pass_event, &is_changed) != 0)
			is_changed = true; /* some were lost: everything may be different */
		if (is_changed)
			look_for_device(k);
		start_due(k);
		bound_log();
	}
}

static int start_all(struct keeper *k, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < k->n; i++)
		rc = keeper_start(k, &k->children[i], e);
	return rc;
}

static void say_ready(const struct keeper_options *o)
{
	if (o->ready_fd < 0)
		return;
	(void)!write(o->ready_fd, "\n",
		     1); /* who does not listen any more has gone, and ends this one */
	(void)close(o->ready_fd);
}

static void release(struct keeper *k)
{
	for (size_t i = 0; i < AGENTFILE_COMMANDS_MAX; i++)
		agents_argv_free(&k->children[i].argv);
	agentfile_free(&k->run);
	profile_free(&k->profile);
	nl_close(&k->nl);
	fd_close_indirect(&k->run_fd);
	fd_close_indirect(&k->signal_fd);
	fd_close_indirect(&k->inotify_fd);
	fd_close_indirect(&k->link_fd);
}

int keeper_run(const struct keeper_options *options, struct err *e)
{
	static struct keeper k; /* a filter's code is too much for the stack */

	k = (struct keeper){ .options = options,
			     .run_fd = -1,
			     .signal_fd = -1,
			     .inotify_fd = -1,
			     .link_fd = -1,
			     .is_device_there = true };
	profile_init(&k.profile);
	k.run_fd = state_open(false, e);
	int rc = k.run_fd < 0 ? k.run_fd : keeper_prepare(&k, e);
	if (rc == 0)
		rc = keeper_enter(&k, e);
	if (rc == 0)
		rc = keeper_write_hooks(&k, e);
	if (rc == 0)
		rc = open_sources(&k, e);
	if (rc == 0)
		rc = keeper_drop_privileges(&k, e);
	if (rc == 0) {
		(void)prctl(PR_SET_NAME, "wgns-agent", 0, 0, 0); /* for who lists processes */
		keeper_find_carried(&k);
		rc = start_all(&k, e);
	}
	if (rc == 0) {
		say_ready(options);
		look_after(&k);
	}
	keeper_end(&k);
	release(&k);
	return rc;
}
