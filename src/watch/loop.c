// SPDX-License-Identifier: GPL-2.0-or-later
/* what every source of events needs of the loop: clocks, the log, later, waiting for a descriptor */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>

#include "watch_internal.h"
#include "wgns/clock.h"
#include "wgns/fd.h"

#define LOG_REFILL_MS 2000 /* for one line more */
#define BUSY_MS 200

void watch_log(struct watch *w, const char *fmt, ...)
{
	int64_t now = clock_monotonic_ms(), refill = (now - w->log_ms) / LOG_REFILL_MS;
	char line[600];
	va_list ap;

	if (refill > 0) {
		w->log_credit = (unsigned)(refill > WATCH_LOG_CREDIT ? WATCH_LOG_CREDIT : refill) +
				w->log_credit;
		w->log_ms = now;
	}
	if (w->log_credit > WATCH_LOG_CREDIT)
		w->log_credit = WATCH_LOG_CREDIT;
	if (!w->log_credit) {
		w->log_left_out++;
		return;
	}
	w->log_credit--;
	if (w->log_left_out) {
		(void)snprintf(line, sizeof(line), "%u more lines were left out", w->log_left_out);
		w->log_left_out = 0;
		w->options->log(w->options->ctx, line);
	}
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	w->options->log(w->options->ctx, line);
}

void watch_arm(struct watch *w)
{
	struct itimerspec at = { 0 };
	int64_t first = 0;

	for (size_t i = 0; i < N_WORKS; i++) {
		if (w->work[i] && (!first || w->work[i] < first))
			first = w->work[i];
	}
	if (first) {
		at.it_value.tv_sec = first / 1000;
		at.it_value.tv_nsec = first % 1000 * 1000000 + 1; /* all zero would switch it off */
	}
	/* fails for a bad descriptor or a bad time only */
	(void)timerfd_settime(w->fds[SOURCE_WORK], TFD_TIMER_ABSTIME, &at, NULL);
}

void watch_plan_work(struct watch *w, enum work what, unsigned delay_ms)
{
	int64_t at = clock_monotonic_ms() + delay_ms;

	if (!w->work[what] || at < w->work[what])
		w->work[what] = at;
	watch_arm(w);
}

int watch_follow(struct watch *w, enum source source, int fd, struct err *e)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = source };

	watch_unfollow(w, source);
	w->fds[source] = fd;
	if (epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return err_set(e, errno, "wait for events");
	return 0;
}

void watch_unfollow(struct watch *w, enum source source)
{
	fd_close_indirect(&w->fds[source]); /* epoll(7) forgets what is closed */
}

/* -ENOENT alone may mean a device that is unplugged again, or a table that somebody has just flushed */
static bool is_gone(const struct watch *w)
{
	struct state_tunnel now;
	struct err ignored; /* one that cannot be read is there */

	return state_tunnel_read(w->run_fd, "home", w->options->name, &now, &ignored) == -ENOENT;
}

bool watch_take_result(struct watch *w, int rc, enum work again, const struct err *e)
{
	if (rc >= 0)
		return true;
	if (rc == -EBUSY && e->kind == ERR_KIND_STATE) {
		if (again != N_WORKS)
			watch_plan_work(w, again, BUSY_MS);
		return false;
	}
	watch_log(w, "%s%s%s%s", e->text, e->kernel[0] ? " (kernel: " : "", e->kernel,
		  e->kernel[0] ? ")" : "");
	if (rc == -ESHUTDOWN || (rc == -ENOENT && is_gone(w)))
		w->is_over = true;
	return false;
}
