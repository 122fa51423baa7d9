// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>

void signals_reset(void)
{
	const struct sigaction dfl = { .sa_handler = SIG_DFL };

	/* _NSIG counts the real-time ones; refused for SIGKILL, SIGSTOP, and libc's own two, which it never changes */
	for (int sig = 1; sig < _NSIG; sig++)
		(void)sigaction(sig, &dfl, NULL);
	signals_unblock();
}

void signals_unblock(void)
{
	sigset_t none;

	(void)sigemptyset(&none); /* neither can fail */
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

int signals_open(const int *signals, size_t n, struct err *e)
{
	sigset_t set;

	(void)sigemptyset(&set); /* these fail for numbers that are no signal */
	for (size_t i = 0; i < n; i++)
		(void)sigaddset(&set, signals[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_set(e, errno, "block signals");
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_set(e, errno, "wait for signals") : fd;
}
