// SPDX-License-Identifier: GPL-2.0-or-later
/* the loop: what happens, and what is to be done later */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "watch_internal.h"
#include "wgns/clock.h"
#include "wgns/fd.h"
#include "wgns/netns.h"
#include "wgns/signals.h"

#define EVENTS_MAX 16
#define END_MS 5000
#define STACK_SHED (256u << 10)

/* ---- sources ---- */

static int open_signals(struct watch *w, struct err *e)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };

	(void)signal(SIGPIPE, SIG_IGN);
	int fd = signals_open(signals, sizeof(signals) / sizeof(signals[0]), e);
	return fd < 0 ? fd : watch_follow(w, SOURCE_SIGNAL, fd, e);
}

static int open_folder(struct watch *w, struct err *e)
{
	char path[sizeof(STATE_DIR) + STATE_PLACE_MAX + IFNAMSIZ + 16] = STATE_DIR "/";

	state_tunnel_path("home", w->options->name, path + sizeof(STATE_DIR),
			  sizeof(path) - sizeof(STATE_DIR));
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (fd < 0 || watch_follow(w, SOURCE_FOLDER, fd, e) < 0)
		return err_set(e, errno, "watch %s", path);
	/* what is known of a tunnel is replaced by rename(2) */
	if (inotify_add_watch(fd, path, IN_MOVED_TO | IN_DELETE_SELF | IN_ONLYDIR) < 0)
		return err_set(e, errno, "watch %s", path);
	return 0;
}

static int open_timers(struct watch *w, struct err *e)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0 || watch_follow(w, SOURCE_WORK, fd, e) < 0)
		return err_set(e, errno, "make a timer");
	return watch_resume_open(w, e);
}

static void take_folder(struct watch *w)
{
	_Alignas(struct inotify_event) char buf[4096];
	struct state_tunnel now;
	struct err why;

	bool is_conf_new = false;

	for (ssize_t n = read(w->fds[SOURCE_FOLDER], buf, sizeof(buf)); n > 0;
	     n = read(w->fds[SOURCE_FOLDER], buf, sizeof(buf))) {
		for (ssize_t at = 0; at + (ssize_t)sizeof(struct inotify_event) <= n;) {
			const struct inotify_event *event = (const void *)(buf + at);
			at += (ssize_t)(sizeof(*event) + event->len);
			is_conf_new = is_conf_new ||
				      (event->len && at <= n && strcmp(event->name, "config") == 0);
		}
	}
	if (is_conf_new)
		watch_endpoints_read(w);
	int rc = state_tunnel_read(w->run_fd, "home", w->options->name, &now, &why);
	if (rc == 0 && !now.hooks_run) {
		w->tunnel = now;
		return;
	}
	watch_log(w, rc == 0 ? "the tunnel goes down" : "the tunnel is gone");
	w->is_over = true;
}

static void take_signal(struct watch *w)
{
	struct signalfd_siginfo info;

	if (read(w->fds[SOURCE_SIGNAL], &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP)
		watch_endpoints_check(w, "asked by SIGHUP");
	else
		w->is_over = true;
}

static void drain(const struct watch *w, enum source source)
{
	uint64_t n;

	(void)!read(w->fds[source], &n, sizeof(n)); /* ECANCELED: the clock was set */
}

static void take_event(struct watch *w, enum source source)
{
	if (w->fds[source] < 0)
		return; /* closed by an event before this one */
	switch (source) {
	case SOURCE_SIGNAL:
		take_signal(w);
		return;
	case SOURCE_FOLDER:
		take_folder(w);
		return;
	case SOURCE_HOME:
		watch_links_home(w);
		return;
	case SOURCE_PHYSICAL:
		watch_network_event(w);
		return;
	case SOURCE_DAEMON:
		watch_daemon_ended(w);
		return;
	case SOURCE_SAMPLE:
		watch_resume_check(w);
		watch_health_sample(w);
		watch_agents_check(w);
		return;
	case SOURCE_WORK:
		drain(w, source); /* the work itself is looked at in each round */
		return;
	case SOURCE_CLOCK:
		watch_resume_event(w);
		return;
	case SOURCE_NAMES:
		watch_endpoints_names(w);
		return;
	case SOURCE_GUARD_HOME:
	case SOURCE_GUARD_PHYSICAL:
		watch_guard_event(w, source);
		return;
	case N_SOURCES:
		return;
	}
}

/* Return: was anything done? */
static bool do_work(struct watch *w)
{
	static void (*const works[N_WORKS])(struct watch * w) = {
		[WORK_ADOPT] = watch_links_adopt,
		[WORK_MTU] = watch_network_mtu,
		[WORK_NETWORK] = watch_network_check,
		[WORK_LOOKUP] = watch_endpoints_start,
		[WORK_LOOKUP_END] = watch_endpoints_timeout,
		[WORK_TRY] = watch_endpoints_try,
		[WORK_REVIVE] = watch_daemon_revive,
		[WORK_GUARD] = watch_guard_check,
		[WORK_LAN] = watch_lan_check,
		[WORK_AGENTS] = watch_agents_start,
		[WORK_ALIVE] = watch_alive,
	};
	int64_t now = clock_monotonic_ms();
	bool is_done = false;

	for (size_t i = 0; i < N_WORKS && !w->is_over; i++) {
		if (!w->work[i] || w->work[i] > now)
			continue;
		w->work[i] = 0;
		is_done = true;
		works[i](w);
	}
	if (is_done)
		watch_arm(w);
	return is_done;
}

/* what a change needed for a moment, on the heap and on the stack below this function, is not kept for days */
static void shed_memory(void)
{
	const uintptr_t page = 4096;
	char here = 0;
	uintptr_t top = ((uintptr_t)&here & ~(page - 1)) - 4 * page;

	(void)malloc_trim(0);
	/* nothing below is alive; parts that were never mapped are passed over (madvise(2), ENOMEM) */
	(void)madvise((void *)(top - STACK_SHED), STACK_SHED, MADV_DONTNEED);
}

static int run_loop(struct watch *w, struct err *e)
{
	struct epoll_event events[EVENTS_MAX];

	while (!w->is_over) {
		int n = epoll_wait(w->epoll_fd, events, EVENTS_MAX, -1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, errno, "wait for events");
		bool is_usual = true;
		for (int i = 0; i < n && !w->is_over; i++) {
			is_usual = is_usual && events[i].data.u32 == SOURCE_SAMPLE;
			take_event(w, (enum source)events[i].data.u32);
		}
		if (do_work(w) || !is_usual)
			shed_memory();
		watch_alive(w);
	}
	return 0;
}

/* ---- beginning and end ---- */

static int not_up(const char *name, struct err *e)
{
	err_say(e, ENOENT, "%s is not up", name);
	return err_as(e, ERR_KIND_STATE);
}

/* one that `up` starts begins before the tunnel is done: it waits for the lock before it changes anything */
static int open_state(struct watch *w, struct err *e)
{
	const char *name = w->options->name;
	struct netns_id home;
	struct err why;

	w->run_fd = state_open(false, &why);
	if (w->run_fd == -ENOENT)
		return not_up(name, e);
	if (w->run_fd < 0) {
		*e = why;
		return w->run_fd;
	}
	int rc = state_tunnel_read(w->run_fd, "home", name, &w->tunnel, &why);
	if (rc == -ENOENT || (rc == 0 && !w->tunnel.since && w->options->ready_fd < 0))
		return not_up(name, e);
	if (rc < 0) {
		*e = why;
		return rc;
	}
	w->home_fd = netns_open_self(e);
	rc = w->home_fd < 0 ? w->home_fd : netns_identify(w->home_fd, &home, e);
	if (rc < 0)
		return rc;
	if (!netns_same(&home, &w->tunnel.home)) {
		err_say(e, EXDEV, "%s was brought up from another network namespace", name);
		return err_as(e, ERR_KIND_STATE);
	}
	w->physical_fd = state_box_open_netns(w->run_fd, "physical", e);
	return w->physical_fd < 0 ? w->physical_fd : 0;
}

/* one watch is enough: two would each make a daemon again */
static int claim(struct watch *w, struct err *e)
{
	struct state_watcher other, self = { .pid = getpid() };
	const char *name = w->options->name;

	int rc = state_watcher_read(w->run_fd, name, &other);
	if (rc == 0 && other.pid != self.pid && w->options->should_take_over) {
		struct netns_proc proc = { .pid = other.pid,
					   .start_time = other.start_time,
					   .comm = "wgns watch" };
		rc = netns_kill(&proc, 1, END_MS, e);
		if (rc < 0)
			return rc;
		watch_log(w, "process %d watched it until now", (int)other.pid);
		rc = -ESRCH;
	}
	if (rc == 0 && other.pid != self.pid) {
		err_say(e, EBUSY, "%s is watched already, by process %d", name, (int)other.pid);
		return err_as(e, ERR_KIND_STATE);
	}
	if (rc == 0)
		return 0;
	if (proc_start_time(self.pid, &self.start_time) < 0)
		return err_set(e, ESRCH, "find the own start time");
	return state_watcher_write(w->run_fd, name, &self, e);
}

static void say_step(void *ctx, enum engine_event event, const char *text, const struct err *e)
{
	if (event == ENGINE_UNDO_FAILED)
		watch_log(ctx, "cannot undo %s: %s", text, e->text);
}

static void say_note(void *ctx, const char *text)
{
	watch_log(ctx, "%s", text);
}

static int open_all(struct watch *w, struct err *e)
{
	int rc = open_state(w, e);

	if (rc == 0)
		rc = claim(w, e);
	if (rc == 0)
		rc = open_signals(w, e);
	if (rc == 0)
		rc = open_folder(w, e);
	if (rc == 0)
		rc = open_timers(w, e);
	w->links.mtu = UINT32_MAX; /* what it is now counts as automatic, unless the file has one */
	if (rc == 0)
		watch_endpoints_read(w);
	if (rc == 0)
		rc = watch_links_open(w, e);
	if (rc == 0)
		rc = watch_network_open(w, e);
	if (rc == 0)
		rc = watch_health_open(w, e);
	if (rc == 0)
		rc = watch_daemon_open(w, e);
	return rc < 0 ? rc : watch_guard_open(w, e);
}

static void close_all(struct watch *w)
{
	struct state_watcher self;
	struct err ignored; /* the folder may be gone, and what is in it goes with it */

	if (w->run_fd >= 0 && state_watcher_read(w->run_fd, w->options->name, &self) == 0 &&
	    self.pid == getpid())
		(void)state_watcher_remove(w->run_fd, w->options->name, &ignored);
	watch_endpoints_close(w);
	watch_links_close(w);
	watch_peers_free(&w->peers);
	for (size_t i = 0; i < N_SOURCES; i++)
		fd_close_indirect(&w->fds[i]);
	fd_close_indirect(&w->epoll_fd);
	fd_close_indirect(&w->home_fd);
	fd_close_indirect(&w->physical_fd);
	fd_close_indirect(&w->run_fd);
}

static void say_ready(struct watch *w)
{
	if (w->options->ready_fd >= 0) {
		(void)!write(w->options->ready_fd, "\n", 1); /* who does not listen is not told */
		(void)close(w->options->ready_fd);
	}
	watch_notify(w, "READY=1\nSTATUS=up");
}

int watch_run(const struct watch_options *options, struct err *e)
{
	struct watch w = {
		.options = options,
		.run_fd = -1,
		.home_fd = -1,
		.physical_fd = -1,
		.clocks = { .boot_ms = clock_boot_ms(), .monotonic_ms = clock_monotonic_ms() },
		.endpoints = { .job = { .fd = -1 }, .has_names = true },
		.log_credit = WATCH_LOG_CREDIT,
		.log_ms = clock_monotonic_ms(),
	};

	w.talk = (struct change_talk){ .ctx = &w, .step = say_step, .note = say_note };
	for (size_t i = 0; i < N_SOURCES; i++)
		w.fds[i] = -1;
	w.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	int rc = w.epoll_fd < 0 ? err_set(e, errno, "wait for events") : open_all(&w, e);
	if (rc == 0)
		rc = watch_privileges(e);
	if (rc == 0) {
		say_ready(&w);
		rc = run_loop(&w, e);
		watch_notify(&w, "STOPPING=1");
	}
	close_all(&w);
	return rc;
}
