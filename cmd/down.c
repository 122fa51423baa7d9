// SPDX-License-Identifier: GPL-2.0-or-later
#include <getopt.h>
#include <stdio.h>

#include "cmd.h"
#include "load.h"
#include "talk.h"
#include "wgns/change.h"

static int take_down(const struct change_down *down, bool is_verbose)
{
	char context[IFNAMSIZ + 8];
	struct talk talk = { .is_verbose = is_verbose, .command = context };
	struct change_talk callbacks;
	struct err e;

	(void)snprintf(context, sizeof(context), "down %s", down->name);
	talk_begin(&talk, &callbacks);
	callbacks.should_stop = NULL;
	if (change_down(down, &callbacks, &e) < 0)
		return cmd_fail(&e, context);
	fprintf(stderr, "%s is down\n", down->name);
	talk_if_closed(stderr);
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
	struct change_down down = { 0 };
	bool is_verbose = false;
	char name[IFNAMSIZ], command[300];
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":v", longs, NULL)) != -1) {
		switch (opt) {
		case 'k':
			down.should_kill = true;
			break;
		case 'f':
			down.should_force = true;
			break;
		case 'v':
			is_verbose = true;
			break;
		default:
			return cmd_usage(&cmd_down, "%s: %s", argv[optind - 1],
					 opt == ':' ? "an argument is missing" : "no such option");
		}
	}
	if (argc - optind != 1)
		return cmd_usage(&cmd_down, "name one tunnel or file");
	(void)snprintf(command, sizeof(command), "down %s", argv[optind]);
	int status = talk_check_root(command);
	if (status == 0)
		status = load_name(argv[optind], name);
	if (status != 0)
		return status;
	down.name = name;
	return take_down(&down, is_verbose);
}

const struct cmd cmd_down = {
	.name = "down",
	.usage = "[-v] [--kill] [--force] TUNNEL|FILE.conf",
	.summary = "undo `up`; with the last tunnel the uplinks come back",
	.help = "      --kill         end the programs that still run in `physical`\n"
		"      --force        leave them running, without a network\n"
		"  -v, --verbose      print each step as it is undone\n"
		"\n"
		"It works from what `up` recorded: the file may be gone or changed by now. It\n"
		"also undoes an `up` that was interrupted. Programs in `physical` refuse it\n"
		"(exit 3), unless --kill or --force says what becomes of them.\n",
	.run = run,
};
