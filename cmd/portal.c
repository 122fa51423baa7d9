// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * portal - through a captive portal, from physical, while home stays behind the tunnel
 *
 * Who asks the network and who shows the portal's page run in physical, started as `wgns exec` starts anything; this process
 * stays in home, has the caller's rights, and takes what they say for a stranger's word.
 */
#include "portal.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ask.h"
#include "browser.h"
#include "cmd.h"
#include "exec.h"
#include "installed.h"
#include "portal_probe.h"
#include "wgns/clock.h"
#include "wgns/wgnsconf.h"

#define POLL_FIRST_MS 2000 /* between two questions: short while somebody types */
#define POLL_LAST_MS 15000 /* and kinder the longer nothing changes */
#define POLL_KEEP_MS 60000 /* so long it stays short */
#define TICK_MS 1000 /* of the progress */
#define HANDSHAKE_MS 15000
#define KICK_MS 1000

struct options {
	const char *browser; /* of --browser, or NULL */
	bool has_no_browser;
};

struct portal {
	struct portal_session session;
	struct portal_probe probe;
	struct wgnsconf conf;
	struct options options;
	bool is_open; /* the browser, as far as is known */
	size_t n_told; /* bytes of what it said before it was one */
	bool is_on_terminal; /* the browser has the terminal: nothing is shown there */
};

static void show(const struct portal *p, const char *text)
{
	if (!p->is_on_terminal)
		ask_show(text);
}

/* a line for whoever waits, where the progress is not in its way */
static void say(const struct portal *p, const char *text)
{
	show(p, NULL);
	fprintf(stderr, "wgns: portal: %s\n", text);
}

/* a user who may not read the file has its defaults */
static int read_settings(struct wgnsconf *conf, struct err *e)
{
	struct diag_list diags = { .file = WGNSCONF_DIR };
	int rc = wgnsconf_read(WGNSCONF_DIR, NULL, conf, &diags, e);

	if (rc == -EACCES) {
		cmd_warn("%s; the defaults are taken", e->text);
		wgnsconf_init(conf);
		rc = 0;
	}
	cmd_print_settings(&diags, rc, e);
	diag_free(&diags);
	return rc;
}

static bool has_display(void)
{
	const char *x = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");

	return (x && *x) || (wayland && *wayland);
}

/* a browser as user 0 would be a hotspot's way to root's files */
static bool is_plain_root(void)
{
	const char *sudo_uid = getenv("SUDO_UID");

	return geteuid() == 0 && (!sudo_uid || strcmp(sudo_uid, "0") == 0);
}

/* Return: 0; 1 when there is a reason to open none, which was said; -errno */
static int choose_browser(struct portal *p, struct portal_words *words, struct err *e)
{
	const char *command = p->options.browser;

	if (p->options.has_no_browser)
		return 1;
	if (!command && p->conf.portal_browser[0])
		command = p->conf.portal_browser;
	if (is_plain_root()) {
		cmd_warn("no browser is opened as root: call wgns portal as an ordinary user, or "
			 "by sudo");
		return 1;
	}
	if (!p->options.browser && !has_display()) {
		say(p, "there is no display: open the page in another way, as by "
		       "`wgns exec --physical PROGRAM`");
		return 1;
	}
	return portal_browser_choose(command, words, e);
}

static int open_browser(struct portal *p, char *url, struct err *e)
{
	static char exec[] = "exec", profile[] = "--profile", name[] = "browser",
		    physical[] = "--physical", end[] = "--";
	static char networking[] = "--disable-background-networking",
		    update[] = "--disable-component-update", sync[] = "--disable-sync";
	char *const quiet[] = { networking, update, sync };
	char *argv[PORTAL_WORDS_MAX + 16] = { exec, profile, name, physical, end };
	struct portal_words words;
	size_t n = 5;

	int rc = choose_browser(p, &words, e);
	if (rc != 0)
		return rc;
	argv[n++] = words.words[0];
	/* nothing that the page does not need is asked of anybody, in clear */
	for (size_t i = 0; browser_kind(words.words[0]) == BROWSER_CHROMIUM &&
			   i < sizeof(quiet) / sizeof(quiet[0]);
	     i++)
		argv[n++] = quiet[i];
	for (size_t i = 1; i < words.n; i++)
		argv[n++] = words.words[i];
	argv[n] = url; /* the last word, and it begins with http */
	/* lynx and its kin need the terminal; what has a display does not */
	p->is_on_terminal = !has_display() && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	return portal_session_start(&p->session, &p->session.browser, argv, p->is_on_terminal, e);
}

/* what wgns exec says before it becomes the browser, line by line; with @should_all the rest, too */
static void tell_output(struct portal *p, bool should_all)
{
	const struct portal_child *b = &p->session.browser;
	char line[PORTAL_OUT_MAX + 8];

	while (p->n_told < b->len) {
		const char *from = b->out + p->n_told;
		const char *newline = memchr(from, '\n', b->len - p->n_told);
		size_t len = newline ? (size_t)(newline - from) + 1 : b->len - p->n_told;
		portal_probe_copy(from, len, line, sizeof(line));
		if (!should_all && (!newline || (strncmp(line, "wgns: ", 6) != 0 &&
						 strncmp(line, "  hint: ", 8) != 0)))
			return;
		show(p, NULL);
		fputs(line, stderr);
		p->n_told += len;
	}
}

/* it was closed, or did not start: once */
static void watch_browser(struct portal *p)
{
	const struct portal_child *b = &p->session.browser;
	int code = WIFEXITED(b->status) ? WEXITSTATUS(b->status) : 0;

	tell_output(p, false);
	if (!p->is_open || b->pid)
		return;
	p->is_open = false;
	p->is_on_terminal = false;
	if (code < EXIT_EXEC_FAILED || code > EXIT_EXEC_NOTFOUND) {
		say(p, "the browser was closed; Ctrl-C ends the waiting, too");
		return;
	}
	say(p, "the browser did not start; open the page in another way");
	tell_output(p, true);
}

static void show_waiting(const struct portal *p, int64_t begin)
{
	char text[96];

	(void)snprintf(text, sizeof(text),
		       "waiting for the portal to let this machine through: %lld s",
		       (long long)((clock_boot_ms() - begin) / 1000));
	show(p, text);
}

/* Return: 0 when the way is free; -EINTR; -errno */
static int wait_until_free(struct portal *p, struct err *e)
{
	int64_t begin = clock_boot_ms(), asked = begin;
	int interval = POLL_FIRST_MS;
	struct portal_verdict verdict;

	for (;;) {
		show_waiting(p, begin);
		int64_t left = asked + interval - clock_boot_ms();
		if (left > 0) {
			if (portal_session_step(&p->session, left < TICK_MS ? (int)left : TICK_MS) <
			    0)
				return -EINTR;
			watch_browser(p);
			continue;
		}
		/* what is wrong with the network for a moment is no end: somebody is at work on it */
		int rc = portal_probe_run(&p->probe, &p->session, &verdict, e);
		if (rc < 0 || verdict.state == PORTAL_FREE)
			return rc;
		asked = clock_boot_ms();
		if (asked - begin > POLL_KEEP_MS && interval < POLL_LAST_MS)
			interval += interval / 2;
	}
}

static int wait_handshakes(struct portal *p, struct portal_tunnels *t)
{
	int64_t begin = clock_boot_ms(), kicked = 0;

	while (!portal_tunnels_look(t) && clock_boot_ms() - begin < HANDSHAKE_MS) {
		show(p, "waiting for the tunnel");
		if (clock_boot_ms() - kicked >= KICK_MS) {
			portal_tunnels_kick(t);
			kicked = clock_boot_ms();
		}
		if (portal_session_step(&p->session, 100) < 0)
			return -EINTR;
	}
	show(p, NULL);
	for (size_t i = 0; i < t->n; i++) {
		if (t->items[i].is_there)
			printf("%s: the tunnel answers\n", t->items[i].name);
		else
			cmd_warn("%s: nothing came through the tunnel in %d s; `sudo wgns status` "
				 "says more",
				 t->items[i].name, HANDSHAKE_MS / 1000);
	}
	return 0;
}

/* Return: 0 or -errno; -EINTR: interrupted, and the message is not made yet */
static int pass(struct portal *p, struct err *e)
{
	struct portal_verdict verdict;
	struct portal_tunnels tunnels;

	show(p, "asking whether the way is free");
	int rc = portal_probe_run(&p->probe, &p->session, &verdict, e);
	show(p, NULL);
	if (rc < 0)
		return rc;
	if (verdict.state == PORTAL_FREE) {
		puts("free: no captive portal is in the way");
		return 0;
	}
	if (verdict.state != PORTAL_CAPTIVE)
		return portal_probe_explain(&p->probe, verdict.state, e);
	printf("captive: %s\n", verdict.page);
	(void)fflush(stdout); /* cmd_flush() tells at the end */
	rc = open_browser(p, verdict.page, e);
	if (rc < 0) {
		(void)cmd_fail(e, "portal"); /* the page can be opened by hand */
		say(p, "open the page in another way");
	}
	p->is_open = rc == 0;
	rc = wait_until_free(p, e);
	show(p, NULL);
	if (rc < 0)
		return rc;
	puts("free: the portal has let this machine through");
	(void)fflush(stdout); /* as above */
	portal_tunnels_begin(&tunnels);
	return wait_handshakes(p, &tunnels);
}

static int parse(struct options *opt, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "browser", required_argument, NULL, 'b' },
		{ "no-browser", no_argument, NULL, 'n' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
		if (c == 'b')
			opt->browser = optarg;
		else if (c == 'n')
			opt->has_no_browser = true;
		else
			return cmd_usage(&cmd_portal, "%s: %s", argv[optind - 1],
					 c == ':' ? "an argument is missing" : "no such option");
	}
	if (optind != argc)
		return cmd_usage(&cmd_portal, "there are only options");
	if (opt->browser && opt->has_no_browser)
		return cmd_usage(&cmd_portal, "--browser or --no-browser?");
	return 0;
}

static int run(int argc, char **argv)
{
	static struct portal p; /* the output of two programs is in it */
	struct err e = { 0 };

	int status = parse(&p.options, argc, argv);
	if (status != 0)
		return status;
	int rc = exec_check_box("physical", &e);
	if (rc < 0) {
		if (rc == -ENOENT)
			(void)err_as(&e, ERR_KIND_STATE);
		return cmd_fail(&e, "portal");
	}
	if (read_settings(&p.conf, &e) < 0)
		return cmd_fail(&e, "portal");
	rc = portal_session_begin(&p.session, &e);
	if (rc == 0)
		rc = portal_probe_begin(&p.probe, &p.conf, &e);
	if (rc == 0)
		rc = pass(&p, &e);
	portal_session_end(&p.session);
	if (rc == -EINTR)
		(void)err_say(&e, EINTR, "interrupted; the browser was ended");
	wgnsconf_free(&p.conf);
	return rc < 0 ? cmd_fail(&e, "portal") : cmd_flush(EXIT_DONE);
}

const struct cmd cmd_portal = {
	.name = "portal",
	.usage = "[--browser CMD | --no-browser]",
	.summary = "get through a captive portal from `physical`",
	.help = "  --browser CMD    open the portal's page with this command, which gets its URL\n"
		"                   as the last word\n"
		"  --no-browser     only print the URL, and wait\n"
		"\n"
		"Asks in `physical` whether the way is free: the portal's own API when the lease\n"
		"names one (RFC 8910), else [Portal] Url of wgns.conf(5). When a portal is in the\n"
		"way its page is opened in a browser with an empty profile, in `physical`.\n"
		"Once the portal lets this machine through, the tunnel shakes hands, and the\n"
		"browser and its profile go. Home stays behind the tunnel all the time.\n"
		"\n"
		"Who is in the box's group (wgns, see wgns.conf(5)) needs no root.\n",
	.run = run,
};
