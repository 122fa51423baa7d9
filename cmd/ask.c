// SPDX-License-Identifier: GPL-2.0-or-later
#include "ask.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "wgns/fd.h"

#define COLUMNS_DEFAULT 80
#define COLUMNS_MAX 240
#define TICK_MS 1000 /* of the countdown */
#define WRITE_WAIT_MS 100

enum { TOLD, TIME, STOP, KEYS, N_WAITED };

bool ask_can_write(void)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&p, 1, WRITE_WAIT_MS) == 1 && p.revents & POLLOUT;
}

static int columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 2)
		return COLUMNS_DEFAULT;
	return size.ws_col < COLUMNS_MAX ? size.ws_col : COLUMNS_MAX;
}

void ask_show(const char *text)
{
	if (!isatty(STDERR_FILENO) || !ask_can_write())
		return;
	/* the last column stays free: some terminals go to the next line there */
	int width = columns() - 1;
	fprintf(stderr, "\r%-*.*s%s", width, width, text ? text : "", text ? "" : "\r");
}

/* a job in the background must not take what is typed for others */
static bool has_keys(void)
{
	return isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp();
}

static void say_once(const struct ask *ask, unsigned seconds, bool is_heard)
{
	if (isatty(STDERR_FILENO) || !ask_can_write())
		return;
	fprintf(stderr, "wgns: %s: %s`wgns confirm %s` keeps it; else it is undone in %u s\n",
		ask->command, is_heard ? "Enter or " : "", ask->tunnel, seconds);
}

static void show_left(const struct ask *ask, int timer_fd, bool is_heard)
{
	struct itimerspec left;
	char text[160];

	if (timerfd_gettime(timer_fd, &left) < 0)
		return;
	(void)snprintf(text, sizeof(text),
		       "%s is up. %s`wgns confirm %s` keeps it; undone in %lld s", ask->tunnel,
		       is_heard ? "Enter or " : "", ask->tunnel,
		       (long long)left.it_value.tv_sec + (left.it_value.tv_nsec > 0));
	ask_show(text);
}

/* Return: 1 an empty line, 0 another one or no more to come, -EIO nobody is there any more */
static int read_keys(struct pollfd *keys)
{
	char line[256];

	if (keys->revents & (POLLHUP | POLLERR | POLLNVAL))
		return -EIO;
	ssize_t got = read(STDIN_FILENO, line, sizeof(line));
	if (got < 0 && errno != EINTR && errno != EAGAIN)
		keys->fd = -1; /* another job has the terminal now */
	return got == 1 && line[0] == '\n';
}

static enum op_answer wait_answer(const struct ask *ask, struct pollfd fds[N_WAITED])
{
	const bool is_terminal = isatty(STDERR_FILENO);

	for (;;) {
		show_left(ask, fds[TIME].fd, fds[KEYS].fd >= 0);
		int n = poll(fds, N_WAITED, is_terminal ? TICK_MS : -1);
		if (n < 0 && errno != EINTR)
			return OP_INTERRUPTED;
		if (n <= 0)
			continue;
		if (fds[TOLD].revents)
			return OP_CONFIRMED;
		if (fds[STOP].revents)
			return OP_INTERRUPTED;
		if (fds[TIME].revents)
			return OP_TIMED_OUT;
		int keys = fds[KEYS].revents ? read_keys(&fds[KEYS]) : 0;
		if (keys)
			return keys > 0 ? OP_CONFIRMED : OP_INTERRUPTED;
	}
}

enum op_answer ask_confirm(const struct ask *ask, int told_fd, unsigned seconds)
{
	const struct itimerspec when = { .it_value.tv_sec = seconds };
	bool is_heard = has_keys();
	/* a machine that slept through its time has nobody who works at it */
	AUTO_FD int timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	AUTO_FD int stop_fd = signalfd(-1, &ask->stop, SFD_CLOEXEC | SFD_NONBLOCK);

	if (timer_fd < 0 || stop_fd < 0 || timerfd_settime(timer_fd, 0, &when, NULL) < 0) {
		fprintf(stderr, "wgns: %s: cannot wait: %s\n", ask->command, strerror(errno));
		return OP_INTERRUPTED;
	}
	struct pollfd fds[N_WAITED] = {
		[TOLD] = { .fd = told_fd, .events = POLLIN },
		[TIME] = { .fd = timer_fd, .events = POLLIN },
		[STOP] = { .fd = stop_fd, .events = POLLIN },
		[KEYS] = { .fd = is_heard ? STDIN_FILENO : -1, .events = POLLIN },
	};
	/* what was typed before the question is no answer to it */
	if (is_heard)
		(void)tcflush(STDIN_FILENO, TCIFLUSH);
	say_once(ask, seconds, is_heard);
	enum op_answer answer = wait_answer(ask, fds);
	ask_show(NULL);
	return answer;
}
