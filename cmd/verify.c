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

struct options {
	bool has_json;
	const char *only; /* borrowed; NULL for all */
};

static int parse(int argc, char **argv, struct options *opt)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
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
			return cmd_usage(&cmd_verify, "%s: unknown option", argv[optind - 1]);
		opt->has_json = opt->has_json || c == 'j';
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

static char *make_json(const struct findings *list)
{
	json_t *findings = findings_to_json(list);
	json_t *root = findings ? json_pack("{s:i, s:s, s:o}", "schema", 1, "answer",
					    finding_answer_name(findings_answer(list)), "findings",
					    findings)
				: NULL;
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

static int show(const struct options *opt, const struct findings *list, bool is_root)
{
	struct err e;
	AUTO_FREE char *text = list->is_failed ? NULL
			       : opt->has_json ? make_json(list)
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

static int run(int argc, char **argv)
{
	struct options opt = { 0 };
	AUTO_FINDINGS struct findings list = { 0 };
	struct verify_facts facts;
	char helper[PATH_MAX];
	struct err e;

	int rc = parse(argc, argv, &opt);
	if (rc < 0)
		return cmd_help(&cmd_verify);
	if (rc != EXIT_DONE)
		return rc;
	installed_helper(helper);
	const struct verify_request rq = { .only = opt.only, .helper = helper };
	if (verify_gather(&rq, &facts, &e) < 0)
		return cmd_fail(&e, "verify");
	verify_judge(&facts, &list);
	bool is_root = facts.is_root;
	verify_facts_free(&facts);
	return show(&opt, &list, is_root);
}

const struct cmd cmd_verify = {
	.name = "verify",
	.usage = "[--json] [--capture SECONDS] [TUNNEL]",
	.summary = "is it sealed now? each promise with yes or no",
	.help = "      --json    the same, for programs (\"schema\": 1)\n"
		"\n"
		"Looks, and changes nothing. Below each no stands what breaks it, and how to mend\n"
		"it where a command does. An ordinary user sees the devices and routes of home;\n"
		"the rest is unknown then, which is not a yes.\n"
		"\n"
		"Exit status: 0 when every answer is yes, 1 when one is no, 5 when none is no and\n"
		"something could not be looked at, 3 when nothing is up.\n",
	.run = run,
};
