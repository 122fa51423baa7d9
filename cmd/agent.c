// SPDX-License-Identifier: GPL-2.0-or-later
/* an internal command: the process that a step of `up` starts for each agent */
#include <getopt.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cmd.h"
#include "installed.h"
#include "talk.h"
#include "wgns/follow.h"
#include "wgns/keeper.h"
#include "wgns/str.h"

static void say(void *ctx, const char *line)
{
	fprintf(stderr, "wgns: %s: %s\n", (const char *)ctx, line);
}

static int parse_fd(const char *text, int *out)
{
	unsigned long long n;
	struct stat st;

	if (str_to_u64(text, 1023, &n) < 0 || n < 3 || fstat((int)n, &st) < 0)
		return cmd_usage(&cmd_agent, "--ready-fd takes the number of an open descriptor");
	*out = (int)n;
	return 0;
}

static int follow(const char *name, int ready_fd)
{
	char context[96];
	const struct follow_options options = {
		.name = name, .ready_fd = ready_fd, .ctx = context, .log = say
	};
	struct err e;

	(void)snprintf(context, sizeof(context), "agent %.64s", name);
	return follow_run(&options, &e) < 0 ? cmd_fail(&e, context) : EXIT_DONE;
}

static int run(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "ready-fd", required_argument, NULL, 'r' },
		{ "follow", no_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	char shipped[PATH_MAX], scripts[PATH_MAX];
	const char *dirs[INSTALLED_PROFILE_DIRS];
	struct keeper_options options = { .ready_fd = -1, .log = say };
	char context[96];
	struct err e;
	bool should_follow = false;
	int opt, status = 0;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
		if (opt == 'f') {
			should_follow = true;
			continue;
		}
		if (opt != 'r')
			return cmd_usage(&cmd_agent, "%s: %s", argv[optind - 1],
					 opt == ':' ? "an argument is missing" : "no such option");
		status = parse_fd(optarg, &options.ready_fd);
		if (status != 0)
			return status;
	}
	if (argc - optind != 1)
		return cmd_usage(&cmd_agent, "name one agent, PROGRAM.DEVICE");
	status = talk_check_root("agent");
	if (status != 0)
		return status;
	if (should_follow)
		return follow(argv[optind], options.ready_fd);
	installed_profiles(shipped, dirs);
	installed_scripts(scripts);
	(void)snprintf(context, sizeof(context), "agent %.64s", argv[optind]);
	options.name = argv[optind];
	options.profile_dirs = dirs;
	options.n_profile_dirs = INSTALLED_PROFILE_DIRS;
	options.script_dir = scripts;
	options.ctx = context;
	return keeper_run(&options, &e) < 0 ? cmd_fail(&e, context) : EXIT_DONE;
}

const struct cmd cmd_agent = {
	.name = "agent",
	.usage = "[--ready-fd N] [--follow] PROGRAM.DEVICE",
	.summary = "keep an agent in `physical`; `up` starts it",
	.help = "      --ready-fd N   write a newline to descriptor N when the agent was started\n"
		"      --follow       hand on the resolvers of a manager of the machine\n"
		"\n"
		"Not to be called by hand: `up` starts one for each DHCP client and supplicant\n"
		"(see Agent in wgns.conf(5)), and `down` ends it.\n",
	.run = run,
};
