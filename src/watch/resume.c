// SPDX-License-Identifier: GPL-2.0-or-later
/* the machine slept: what may have become of the network meanwhile */
#include <errno.h>
#include <limits.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "watch_internal.h"
#include "wgns/clock.h"

#define SOON_MS 200

static void arm(const struct watch *w)
{
	const struct itimerspec never = { .it_value.tv_sec = INT_MAX };

	/* fails for a bad descriptor or a bad time only */
	(void)timerfd_settime(w->fds[SOURCE_CLOCK], TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET,
			      &never, NULL);
}

/*
 * A timer that never ends, but is cancelled when the clock is set (timerfd_create(2)), and resume sets it: timerfd_resume() of
 * Linux 5.14, clock_was_set() before that. Nobody has to be asked for it, logind for example, and nothing wakes up for it.
 */
int watch_resume_open(struct watch *w, struct err *e)
{
	int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0 || watch_follow(w, SOURCE_CLOCK, fd, e) < 0)
		return err_set(e, errno, "make a timer");
	arm(w);
	return 0;
}

void watch_resume_event(struct watch *w)
{
	uint64_t n;

	(void)!read(w->fds[SOURCE_CLOCK], &n, sizeof(n)); /* ECANCELED: the clock was set */
	arm(w);
	watch_resume_check(w);
}

/* what was put off or given up because nothing had changed may do now */
static void forget_failures(struct watch *w)
{
	w->endpoints.not_before_ms = 0;
	w->revival.n_tries = 0;
	for (size_t i = 0; i < MOVES_MAX; i++)
		w->links.moved_at[i] = 0;
}

void watch_resume_check(struct watch *w)
{
	const struct watch_clocks now = { .boot_ms = clock_boot_ms(),
					  .monotonic_ms = clock_monotonic_ms() };
	bool has_slept = watch_has_slept(&w->clocks, &now);

	w->clocks = now;
	if (!has_slept)
		return;
	forget_failures(w);
	watch_endpoints_check(w, "the machine woke up");
	if (w->fds[SOURCE_GUARD_HOME] >= 0)
		watch_plan_work(w, WORK_GUARD, 0);
	/* firmware that lost its power makes its devices anew: messages of them wait in the socket, and may be too many */
	watch_links_again(w);
	watch_plan_work(w, WORK_LAN, SOON_MS);
	watch_plan_work(w, WORK_MTU, SOON_MS);
}
