// SPDX-License-Identifier: GPL-2.0-or-later
#include <getopt.h>
#include <stdio.h>

#include "cmd.h"
#include "talk.h"
#include "wgns/change.h"

static int recover(const struct change_recover *what, bool is_verbose)
{
	struct talk talk = { .is_verbose = is_verbose, .command = "recover" };
	struct change_talk callbacks;
	size_t n_done = 0;
	struct err e;

	talk_begin(&talk, &callbacks);
	callbacks.should_stop = NULL;
	if (change_recover(what, &callbacks, &n_done, &e) < 0)
		return cmd_fail(&e, "recover");
	if (!n_done)
		fprintf(stderr, "there is nothing to recover\n");
	return EXIT_DONE;
}

static int run(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "kill", no_argument, NULL, 'k' },
		{ "force", no_argument, NULL, 'f' },
		{ "verbose", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	struct change_recover what = { 0 };
	bool is_verbose = false;
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":v", longs, NULL)) != -1) {
		switch (opt) {
		case 'k':
			what.should_kill = true;
			break;
		case 'f':
			what.should_force = true;
			break;
		case 'v':
			is_verbose = true;
			break;
		default:
			return cmd_usage(&cmd_recover, "%s: %s", argv[optind - 1],
					 "no such option");
		}
	}
	if (argc != optind)
		return cmd_usage(&cmd_recover, "it takes no arguments");
	int status = talk_check_root("recover");
	return status ? status : recover(&what, is_verbose);
}

const struct cmd cmd_recover = {
	.name = "recover",
	.usage = "[-v] [--kill] [--force]",
	.summary = "undo what a crash left",
	.help = "      --kill         end the programs that still run in `physical`\n"
		"      --force        leave them running, without a network\n"
		"  -v, --verbose      print each step as it is undone\n"
		"\n"
		"An `up` or `down` that was killed half-way is undone from what it recorded, and\n"
		"devices, sockets and files that no record has are found by what marks them. A\n"
		"tunnel that is up is not touched. It says what it undid; when something has to\n"
		"stay, it says what and which command gives it back (exit 4).\n",
	.run = run,
};
