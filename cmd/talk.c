// SPDX-License-Identifier: GPL-2.0-or-later
#include "talk.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "wgns/hook.h"

static void stop_signals(sigset_t *set)
{
	(void)sigemptyset(set);
	(void)sigaddset(set, SIGINT);
	(void)sigaddset(set, SIGTERM);
	(void)sigaddset(set, SIGHUP);
	(void)sigaddset(set, SIGQUIT);
}

static void show_step(void *ctx, enum engine_event event, const char *text, const struct err *e)
{
	struct talk *talk = ctx;
	char line[ERR_LINE_MAX];

	switch (event) {
	case ENGINE_BEGIN:
		/* a hook is the user's own command with root's rights: it is always shown */
		if (talk->is_verbose || strncmp(text, "hook.run ", 9) == 0)
			fprintf(stderr, "%s\n", text);
		return;
	case ENGINE_UNDO:
		if (talk->is_verbose)
			fprintf(stderr, "undo %s\n", text);
		return;
	case ENGINE_UNDO_FAILED:
		err_print_to(e, line, sizeof(line));
		fprintf(stderr, "wgns: %s: cannot undo %s: %s\n", talk->command, text, line);
		return;
	case ENGINE_RECOVERED:
		fprintf(stderr, "undone: %s\n", text);
		return;
	case ENGINE_ALL_UNDONE:
		talk->was_undone = true;
		return;
	}
}

static void show_note(void *ctx, const char *text)
{
	const struct talk *talk = ctx;

	fprintf(stderr, "wgns: %s: warning: %s\n", talk->command, text);
}

static bool is_interrupted(void *ctx)
{
	sigset_t pending, wanted;

	(void)ctx;
	stop_signals(&wanted);
	if (sigpending(&pending) < 0)
		return false;
	return sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM) ||
	       sigismember(&pending, SIGHUP) || sigismember(&pending, SIGQUIT);
}

void talk_begin(struct talk *talk, struct change_talk *out)
{
	sigset_t set;

	stop_signals(&set);
	(void)sigprocmask(SIG_BLOCK, &set, NULL); /* fails only for a wrong first argument */
	(void)signal(SIGPIPE, SIG_IGN); /* a reader that goes away must not stop a rollback */
	*out = (struct change_talk){
		.ctx = talk,
		.step = show_step,
		.note = show_note,
		.should_stop = is_interrupted,
#ifdef WGNS_FAULTS
		.fault = getenv("WGNS_FAULT"),
#endif
	};
}

int talk_check_root(const char *command)
{
	if (getenv(HOOK_ENV)) {
		fprintf(stderr,
			"wgns: %s: a hook of wgns cannot run it: it would wait for itself\n",
			command);
		return EXIT_STATE;
	}
	if (geteuid() != 0) {
		fprintf(stderr,
			"wgns: %s: only root can do this\n  hint: the same with sudo in front\n",
			command);
		return EXIT_FAILED;
	}
	return 0;
}
