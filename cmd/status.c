// SPDX-License-Identifier: GPL-2.0-or-later
#include "status.h"

#include <errno.h>
#include <getopt.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "wgns/fd.h"

#include "cmd.h"
#include "talk.h"

#define PICTURE_COLUMNS 79

struct options {
	bool has_json, has_watch;
	char name[IFNAMSIZ]; /* "" for all */
};

/* "wg0", or "/etc/wireguard/wg0.conf" for the tunnel that it makes */
static bool take_name(const char *arg, char name[IFNAMSIZ])
{
	const char *slash = strrchr(arg, '/'), *base = slash ? slash + 1 : arg;
	size_t len = strlen(base);
	bool is_file = len > 5 && strcmp(base + len - 5, ".conf") == 0;

	if (is_file)
		len -= 5;
	if ((slash && !is_file) || len == 0 || len >= IFNAMSIZ)
		return false;
	(void)snprintf(name, IFNAMSIZ, "%.*s", (int)len, base);
	return true;
}

static bool is_shown_any(const struct status_view *view)
{
	for (size_t i = 0; i < view->n_tunnels; i++) {
		if (status_is_shown(view, &view->tunnels[i]))
			return true;
	}
	return false;
}

/* the picture is for a terminal that is wide enough; on another it would be torn apart */
static bool has_room(void)
{
	struct winsize size = { 0 };

	if (!isatty(STDOUT_FILENO))
		return false;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0 ||
	       size.ws_col >= PICTURE_COLUMNS;
}

static char *make_text(const struct status_view *view, const struct status_style *style,
		       bool has_picture)
{
	AUTO_STRBUF struct strbuf b = { 0 };

	if (!view->n_tunnels && view->has_tunnels)
		strbuf_addf(&b, "nothing is up\n");
	/* with nothing up the devices of home are of no interest; a box that was left behind is */
	if (view->n_tunnels || !view->has_tunnels || view->n_boxes > 1) {
		if (has_picture)
			status_add_picture(&b, view, style);
		status_add_text(&b, view, style);
	}
	if (!view->is_root && (view->n_tunnels || !view->has_tunnels))
		strbuf_addf(&b, "\n(root sees more: sudo wgns status)\n");
	return strbuf_finish(&b);
}

/* the text from the top of the screen, each line cleared to its end, not more than fits */
static char *make_screen(const char *text)
{
	AUTO_STRBUF struct strbuf b = { 0 };
	struct winsize size = { 0 };
	const char *newline;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row < 2)
		size.ws_row = 24;
	strbuf_addf(
		&b,
		"\033[H\033[?7l"); /* a line that is too long is cut: wrapped, it would scroll */
	for (unsigned row = 1; row < size.ws_row && *text; row++) {
		newline = strchrnul(text, '\n');
		strbuf_add(&b, text, (size_t)(newline - text));
		strbuf_addf(&b, "\033[K\n");
		text = *newline ? newline + 1 : newline;
	}
	strbuf_addf(&b, "\033[J\033[?7h");
	return strbuf_finish(&b);
}

static int fail_not_up(const struct status_view *view)
{
	char name[4 * IFNAMSIZ];
	struct err e;

	if (!view->has_tunnels) {
		err_say(&e, EACCES, "only root sees which tunnels are up");
		err_hint(&e, "sudo wgns status %s", view->only);
		return cmd_fail(&e, "status");
	}
	status_escape(view->only, name, sizeof(name));
	err_say(&e, ENOENT, "%s is not up", name);
	err_hint(&e, "`wgns status` shows what is");
	(void)err_as(&e, ERR_KIND_STATE);
	return cmd_fail(&e, "status");
}

static int show_once(const struct options *opt, const struct status_style *style)
{
	AUTO_VIEW struct status_view view = { 0 };
	AUTO_FREE char *text = NULL, *screen = NULL;
	struct err e;

	if (status_gather(&view, &e) < 0)
		return cmd_fail(&e, "status");
	view.only = opt->name[0] ? opt->name : NULL;
	if (view.only && !is_shown_any(&view))
		return fail_not_up(&view);
	if (opt->has_json)
		text = status_json(&view);
	else
		text = make_text(&view, style, has_room());
	if (text && opt->has_watch)
		screen = make_screen(text);
	if (!text || (opt->has_watch && !screen)) {
		err_set(&e, ENOMEM, "show what is up");
		return cmd_fail(&e, "status");
	}
	fputs(screen ? screen : text, stdout);
	if (!view.n_tunnels && view.is_root && !opt->has_json && !opt->has_watch)
		talk_if_closed(stdout);
	return cmd_flush(EXIT_DONE);
}

/* until SIGINT, whose default is right: nothing is to be put back */
static int watch(const struct options *opt, const struct status_style *style)
{
	const struct itimerspec each_second = { .it_interval = { .tv_sec = 1 },
						.it_value = { .tv_sec = 1 } };
	AUTO_FD int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	uint64_t n_ticks;
	struct err e;

	if (timer < 0 || timerfd_settime(timer, 0, &each_second, NULL) < 0) {
		err_set(&e, errno, "start a timer");
		return cmd_fail(&e, "status");
	}
	fputs("\033[2J", stdout);
	for (;;) {
		int status = show_once(opt, style);
		if (status != EXIT_DONE)
			return status;
		if (read(timer, &n_ticks, sizeof(n_ticks)) < 0 && errno != EINTR) {
			err_set(&e, errno, "wait for the timer");
			return cmd_fail(&e, "status");
		}
	}
}

/* Return: EXIT_DONE and *opt, or EXIT_USAGE after saying why; -1 when --help was printed */
static int parse(int argc, char **argv, struct options *opt)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "watch", no_argument, NULL, 'w' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	opterr = 0;
	for (c = getopt_long(argc, argv, "h", longs, NULL); c != -1;
	     c = getopt_long(argc, argv, "h", longs, NULL)) {
		if (c == 'h')
			return -1;
		if (c == '?')
			return cmd_usage(&cmd_status, "%s: no such option", argv[optind - 1]);
		opt->has_json = opt->has_json || c == 'j';
		opt->has_watch = opt->has_watch || c == 'w';
	}
	if (argc - optind > 1)
		return cmd_usage(&cmd_status, "one tunnel at most");
	if (argc - optind == 1 && !take_name(argv[optind], opt->name))
		return cmd_usage(&cmd_status, "that is no name of a tunnel");
	if (opt->has_json && opt->has_watch)
		return cmd_usage(&cmd_status, "--json and --watch do not go together");
	if (opt->has_watch && !isatty(STDOUT_FILENO))
		return cmd_usage(&cmd_status, "--watch needs a terminal");
	return EXIT_DONE;
}

static int run(int argc, char **argv)
{
	struct options opt = { 0 };
	int rc = parse(argc, argv, &opt);

	if (rc < 0)
		return cmd_help(&cmd_status);
	if (rc != EXIT_DONE)
		return rc;
	/* only to learn whether the terminal takes UTF-8; an unknown locale leaves "C", which says no */
	(void)setlocale(LC_CTYPE, "");
	struct status_style style = {
		.has_colour = cmd_has_colour(stdout),
		.has_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
	};
	return opt.has_watch ? watch(&opt, &style) : show_once(&opt, &style);
}

const struct cmd cmd_status = {
	.name = "status",
	.usage = "[--json] [--watch] [TUNNEL]",
	.summary = "tunnels, boxes, and who runs in them",
	.help = "      --json    everything, for programs (\"schema\": 1)\n"
		"      --watch   on a terminal: again every second, until interrupted\n"
		"\n"
		"A tunnel is `up` when a peer's last handshake is at most 180 seconds old,\n"
		"`stale` when it is older (no key is valid any more; idle peers are like that\n"
		"too) or when `wgns watch` finds that nobody answers, `no handshake` when there\n"
		"was none yet, `broken` when its device or its daemon is gone, `unfinished` when\n"
		"`up` is at work, waits to be confirmed, or was interrupted. Keys and processes\n"
		"are for root to see.\n"
		"\n"
		"Exit status: 0, or 3 when TUNNEL is not up.\n",
	.run = run,
};
