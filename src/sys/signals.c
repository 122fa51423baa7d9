// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/signals.h"

#include <signal.h>
#include <stddef.h>

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
