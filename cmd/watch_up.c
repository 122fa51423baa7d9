// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch_up.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd.h"
#include "talk.h"
#include "wgns/change.h"
#include "wgns/fd.h"
#include "wgns/state.h"
#include "wgns/watch.h"

#define TRIES                                                                                      \
	3 /* somebody else may bring it up, or take it down, between a look and what is done then */

enum found { FOUND_NOTHING, FOUND_HALF, FOUND_UP };

/* a layout that no tunnel has: `down` leaves it when the machine goes down, and /run lives on in `systemctl soft-reboot` */
static bool is_left_over(int run_fd)
{
	struct state_tunnel *tunnels = NULL;
	struct err ignored; /* `up` says what is wrong */
	size_t n = 0;

	if (faccessat(run_fd, "box/physical", F_OK, AT_SYMLINK_NOFOLLOW) < 0 ||
	    state_tunnels(run_fd, &tunnels, &n, &ignored) < 0)
		return false;
	free(tunnels);
	return n == 0;
}

/* Return: 0 or -errno */
static int look(const char *name, enum found *out, struct err *e)
{
	struct state_tunnel tunnel;
	struct err why;

	*out = FOUND_NOTHING;
	AUTO_FD int run_fd = state_open(false, &why);
	int rc = run_fd < 0 ? run_fd : state_tunnel_read(run_fd, "home", name, &tunnel, &why);
	if (rc == -ENOENT) {
		if (run_fd >= 0 && is_left_over(run_fd))
			*out = FOUND_HALF;
		return 0;
	}
	if (rc < 0 && rc != -EINVAL) {
		*e = why;
		return rc;
	}
	/* one that says nothing is what a crash left, too */
	*out = rc < 0 || state_tunnel_is_half(&tunnel) ? FOUND_HALF : FOUND_UP;
	return 0;
}

static int recover(const char *context, const char *notify_socket)
{
	struct talk talk = { .command = context, .notify_socket = notify_socket };
	const struct change_recover what = { 0 };
	struct change_talk callbacks;
	size_t n_done = 0;
	struct err e;

	talk_begin(&talk, &callbacks);
	callbacks.should_stop = NULL;
	return change_recover(&what, &callbacks, &n_done, &e) < 0 ? cmd_fail(&e, context) : 0;
}

/* Return: 0 when it is up, else the exit status; @should_retry: what there is has changed */
static int try(const char *arg, const char *name, const char *notify_socket, bool *should_retry)
{
	char context[IFNAMSIZ + 8];
	enum found found;
	struct err e;

	*should_retry = false;
	(void)snprintf(context, sizeof(context), "watch %s", name);
	if (look(name, &found, &e) < 0)
		return cmd_fail(&e, context);
	if (found == FOUND_UP)
		return 0;
	if (found == FOUND_HALF) {
		/* an `up` of somebody else that is just going on holds the lock: then it is waited for, and nothing undone */
		int status = recover(context, notify_socket);
		*should_retry = status == 0;
		return status == 0 ? EXIT_STATE : status;
	}
	int status = watch_up_bring(arg, notify_socket);
	*should_retry =
		status == EXIT_STATE && look(name, &found, &e) == 0 && found != FOUND_NOTHING;
	return status;
}

int watch_up(const char *arg, const char *name, const char *notify_socket)
{
	bool should_retry = true;
	int status = EXIT_STATE;
	sigset_t quit;

	for (int i = 0; i < TRIES && should_retry; i++)
		status = try(arg, name, notify_socket, &should_retry);
	/* up had to be interrupted by it; who watches is ended by it */
	(void)sigemptyset(&quit);
	(void)sigaddset(&quit, SIGQUIT);
	(void)sigprocmask(SIG_UNBLOCK, &quit, NULL); /* fails only for a wrong first argument */
	if (status != 0)
		watch_tell(notify_socket, "STOPPING=1");
	return status;
}
