// SPDX-License-Identifier: GPL-2.0-or-later
/* verify - is it sealed now? */
#include "wgns/verify.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "findings.h"
#include "installed.h"
#include "wgns/capture.h"
#include "wgns/fd.h"

struct options {
	bool has_json;
	unsigned capture_s; /* 0: no capture */
	const char *only; /* borrowed; NULL for all */
};

static bool take_seconds(const char *text, unsigned *out)
{
	unsigned long long n;

	if (str_to_u64(text, CAPTURE_SECONDS_MAX, &n) < 0 || n == 0)
		return false;
	*out = (unsigned)n;
	return true;
}

static int parse(int argc, char **argv, struct options *opt)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "capture", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	opterr = 0;
	for (c = getopt_long(argc, argv, ":h", longs, NULL); c != -1;
	     c = getopt_long(argc, argv, ":h", longs, NULL)) {
		if (c == 'h')
			return -1;
		if (c == ':')
			return cmd_usage(&cmd_verify, "--capture wants a number of seconds");
		if (c == '?')
			return cmd_usage(&cmd_verify, "%s: no such option", argv[optind - 1]);
		opt->has_json = opt->has_json || c == 'j';
		if (c == 'c' && !take_seconds(optarg, &opt->capture_s))
			return cmd_usage(&cmd_verify, "--capture wants 1 to %d seconds",
					 CAPTURE_SECONDS_MAX);
	}
	if (argc - optind > 1)
		return cmd_usage(&cmd_verify, "one tunnel at most");
	opt->only = argc > optind ? argv[optind] : NULL;
	return EXIT_DONE;
}

static int exit_status(const struct findings *list)
{
	switch (findings_answer(list)) {
	case FINDING_YES:
		return EXIT_DONE;
	case FINDING_UNKNOWN:
		return EXIT_MACHINE;
	case FINDING_NO:
		return EXIT_FAILED;
	}
	return EXIT_FAILED;
}

/* {seconds, devices: [...], frames: {wireguard: {in, out}, ...}, dropped}; NULL without memory */
static json_t *capture_to_json(const struct capture *c)
{
	json_t *frames = json_object(), *devices = json_array();

	for (size_t i = 0; i < c->n_devices; i++)
		(void)json_array_append_new(devices, json_string(c->devices[i]));
	for (int kind = 0; kind < FRAME_N_KINDS; kind++)
		(void)json_object_set_new(frames, frame_kind_name((enum frame_kind)kind),
					  json_pack("{s:I, s:I}", "in",
						    (json_int_t)c->frames[kind][0], "out",
						    (json_int_t)c->frames[kind][1]));
	return json_pack("{s:i, s:o, s:o, s:I}", "seconds", (int)c->seconds, "devices", devices,
			 "frames", frames, "dropped", (json_int_t)c->n_dropped);
}

static char *make_json(const struct findings *list, const struct capture *c)
{
	json_t *findings = findings_to_json(list);
	json_t *root = json_pack("{s:i, s:s, s:o, s:o*}", "schema", 1, "answer",
				 finding_answer_name(findings_answer(list)), "findings", findings,
				 "capture", c->seconds ? capture_to_json(c) : NULL);
	char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;

	json_decref(root);
	return text;
}

static char *make_text(const struct findings *list, bool is_root)
{
	AUTO_STRBUF struct strbuf b = { 0 };
	struct findings_style style = findings_style_of_stdout();

	findings_add_text(&b, list, &style);
	if (!is_root)
		strbuf_addf(&b, "(root sees the rest: sudo wgns verify)\n");
	return strbuf_finish(&b);
}

static int show(const struct options *opt, const struct findings *list, const struct capture *c,
		bool is_root)
{
	struct err e;
	AUTO_FREE char *text = list->is_failed ? NULL
			       : opt->has_json ? make_json(list, c)
					       : make_text(list, is_root);

	if (!text) {
		err_set(&e, ENOMEM, "show what was found");
		return cmd_fail(&e, "verify");
	}
	fputs(text, stdout);
	if (opt->has_json)
		putchar('\n');
	return cmd_flush(exit_status(list));
}

/* on a terminal: how long it still takes */
static bool show_left(void *ctx, unsigned left)
{
	(void)ctx;
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\rlistening for %u more seconds \r", left);
	return false;
}

static int capture(const struct options *opt, const struct verify_facts *f, struct capture *out,
		   struct err *e)
{
	struct frame_rules rules;

	capture_rules(f, &rules);
	AUTO_FD int run_fd = state_open(false, e);
	if (run_fd < 0)
		return run_fd;
	AUTO_FD int physical_fd = verify_open_physical(run_fd, f->all, f->n_all, e);
	if (physical_fd < 0)
		return physical_fd;
	const struct capture_request rq = {
		.seconds = opt->capture_s,
		.physical_fd = physical_fd,
		.rules = &rules,
		.tunnels = f->all,
		.n_tunnels = f->n_all,
		.tick = show_left,
	};
	int rc = capture_run(&rq, out, e);
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%40s\r", "");
	return rc < 0 ? err_context(e, "listen on the uplinks") : 0;
}

/* the endpoints of all tunnels first, then the frames, and only then what is broken: it may break meanwhile */
static int look_at_frames(const struct options *opt, struct capture *c, struct err *e)
{
	const struct verify_request everything = { .helper = "" };
	struct verify_facts facts;

	if (geteuid() != 0) {
		err_say(e, EPERM, "only root can listen on the uplinks");
		err_hint(e, "the same with sudo in front, or without --capture");
		return err_as(e, ERR_KIND_MACHINE);
	}
	int rc = verify_gather(&everything, &facts, e);
	if (rc < 0)
		return rc;
	rc = capture(opt, &facts, c, e);
	verify_facts_free(&facts);
	return rc;
}

static int look(const struct options *opt, struct findings *list, struct capture *c, bool *is_root,
		struct err *e)
{
	struct verify_facts facts;
	char helper[PATH_MAX];
	int rc = opt->capture_s ? look_at_frames(opt, c, e) : 0;

	if (rc < 0)
		return rc;
	installed_helper(helper);
	const struct verify_request rq = { .only = opt->only, .helper = helper };
	rc = verify_gather(&rq, &facts, e);
	if (rc < 0)
		return rc;
	verify_judge(&facts, list);
	if (opt->capture_s)
		capture_judge(c, list);
	*is_root = facts.is_root;
	verify_facts_free(&facts);
	return 0;
}

static int run(int argc, char **argv)
{
	AUTO_FINDINGS struct findings list = { 0 };
	struct options opt = { 0 };
	struct capture c = { 0 };
	bool is_root = false;
	struct err e;

	int rc = parse(argc, argv, &opt);
	if (rc < 0)
		return cmd_help(&cmd_verify);
	if (rc != EXIT_DONE)
		return rc;
	if (look(&opt, &list, &c, &is_root, &e) < 0)
		return cmd_fail(&e, "verify");
	return show(&opt, &list, &c, is_root);
}

const struct cmd cmd_verify = {
	.name = "verify",
	.usage = "[--json] [--capture SECONDS] [TUNNEL]",
	.summary = "is it sealed now? each promise with yes or no",
	.help = "      --json               the same, for programs (\"schema\": 1)\n"
		"      --capture SECONDS    listen on the uplinks, and count frames by kind\n"
		"\n"
		"Looks, and changes nothing. Below each no stands what breaks it, and how to mend\n"
		"it where a command does. An ordinary user sees the devices and routes of home;\n"
		"the rest is unknown then, which is not a yes.\n"
		"\n"
		"Exit status: 0 when every answer is yes, 1 when one is no, 5 when none is no and\n"
		"something could not be looked at, 3 when nothing is up.\n",
	.run = run,
};
