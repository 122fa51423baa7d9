// SPDX-License-Identifier: GPL-2.0-or-later
#include "talk.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "cmd.h"
#include "wgns/guard.h"
#include "wgns/hook.h"
#include "wgns/nl.h"
#include "wgns/str.h"
#include "wgns/watch.h"

#define DEFAULT_RETRIES 15

/* nohup(1) asks that the end of the terminal be no reason to stop */
static bool is_nohup(void)
{
	struct sigaction action;

	return sigaction(SIGHUP, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static void stop_signals(sigset_t *set)
{
	(void)sigemptyset(set);
	(void)sigaddset(set, SIGINT);
	(void)sigaddset(set, SIGTERM);
	(void)sigaddset(set, SIGQUIT);
	if (!is_nohup())
		(void)sigaddset(set, SIGHUP);
}

/* for `systemctl status`: at which step it is, when one takes long */
static void tell_step(const struct talk *talk, enum engine_event event, const char *text)
{
	char status[512];

	if (!talk->notify_socket || (event != ENGINE_BEGIN && event != ENGINE_UNDO))
		return;
	(void)snprintf(status, sizeof(status), "STATUS=%s: %s%s", talk->command,
		       event == ENGINE_UNDO ? "undo " : "", text);
	watch_tell(talk->notify_socket, status);
}

static void show_step(void *ctx, enum engine_event event, const char *text, const struct err *e)
{
	struct talk *talk = ctx;
	char line[ERR_LINE_MAX];

	tell_step(talk, event, text);
	switch (event) {
	case ENGINE_BEGIN:
		/* a hook is the user's own command with root's rights: it is always shown */
		if (talk->is_verbose || strncmp(text, "hook.run ", 9) == 0)
			fprintf(stderr, "%s\n", text);
		return;
	case ENGINE_UNDO:
		/* a terminal that takes nothing more must not keep a device where it is */
		if (talk->is_verbose && ask_can_write())
			fprintf(stderr, "undo %s\n", text);
		return;
	case ENGINE_UNDO_FAILED:
		err_print_to(e, line, sizeof(line));
		if (ask_can_write())
			fprintf(stderr, "wgns: %s: cannot undo %s: %s\n", talk->command, text,
				line);
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

	if (ask_can_write())
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
	       (sigismember(&pending, SIGHUP) && sigismember(&wanted, SIGHUP)) ||
	       sigismember(&pending, SIGQUIT);
}

static void show_progress(void *ctx, const char *text)
{
	(void)ctx;
	ask_show(text);
}

static enum op_answer ask(void *ctx, int told_fd, unsigned seconds)
{
	const struct talk *talk = ctx;
	struct ask question = { .tunnel = talk->tunnel, .command = talk->command };

	stop_signals(&question.stop);
	return ask_confirm(&question, told_fd, seconds);
}

void talk_begin(struct talk *talk, struct change_talk *out)
{
	sigset_t set;

	stop_signals(&set);
	(void)sigprocmask(SIG_BLOCK, &set, NULL); /* fails only for a wrong first argument */
	(void)signal(SIGPIPE, SIG_IGN); /* a reader that goes away must not stop a rollback */
	/* nor must Ctrl-Z, or a terminal that another job has by now, leave us half-way, with nobody to undo it */
	(void)signal(SIGTSTP, SIG_IGN);
	(void)signal(SIGTTIN, SIG_IGN);
	(void)signal(SIGTTOU, SIG_IGN);
	*out = (struct change_talk){
		.ctx = talk,
		.step = show_step,
		.note = show_note,
		.should_stop = is_interrupted,
		.progress = show_progress,
		.ask = ask,
#ifdef WGNS_FAULTS
		.fault = getenv("WGNS_FAULT"),
#endif
	};
}

unsigned talk_resolve_retries(void)
{
	const char *text = getenv("WG_ENDPOINT_RESOLUTION_RETRIES");
	unsigned long long n;

	if (text && strcmp(text, "infinity") == 0)
		return UINT32_MAX;
	return text && str_to_u64(text, UINT32_MAX, &n) == 0 ? (unsigned)n : DEFAULT_RETRIES;
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

void talk_if_closed(FILE *out)
{
	AUTO_NL struct nl *nl = NULL;
	struct guard_seen seen = { 0 };
	struct err ignored; /* then it is not said */

	if (guard_open_in(-1, &nl, &ignored) < 0 || guard_read(nl, &seen, &ignored) < 0)
		return;
	if (seen.is_there && guard_is_boot(&seen))
		fputs("nothing leaves home until `wgns up`; `wgns guard off` opens it\n", out);
	guard_seen_free(&seen);
}
