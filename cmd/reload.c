// SPDX-License-Identifier: GPL-2.0-or-later
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd.h"
#include "load.h"
#include "talk.h"
#include "wgns/change.h"
#include "wgns/reload.h"

static int show_plan(const struct change_reload *reload, const char *context)
{
	struct reload_plan plan = { 0 };
	struct err e;

	if (change_reload_plan(reload, &plan, &e) < 0)
		return cmd_fail(&e, context);
	for (size_t i = 0; i < plan.n_notes; i++)
		cmd_warn("%s", plan.notes[i]);
	for (size_t i = 0; i < plan.n_lines; i++)
		puts(plan.lines[i].text);
	reload_plan_free(&plan);
	return cmd_flush(EXIT_DONE);
}

static int reload_tunnel(const struct change_reload *reload, bool is_verbose, const char *context)
{
	struct talk talk = { .is_verbose = is_verbose, .command = context };
	struct change_talk callbacks;
	size_t n = 0;
	struct err e;

	talk_begin(&talk, &callbacks);
	if (change_reload(reload, &callbacks, &n, &e) < 0) {
		int status = cmd_fail(&e, context);
		if (status == EXIT_FAILED)
			fprintf(stderr, "wgns: %s: %s\n", context,
				talk.was_undone ? "everything was put back"
						: "nothing was touched");
		return status;
	}
	if (n)
		fprintf(stderr, "%s is reloaded: %zu change%s\n", reload->conf->name, n,
			n == 1 ? "" : "s");
	else
		fprintf(stderr, "%s is as the file says: nothing to change\n", reload->conf->name);
	return EXIT_DONE;
}

static int parse(int argc, char **argv, bool *is_dry, bool *is_verbose)
{
	static const struct option longs[] = {
		{ "dry-run", no_argument, NULL, 'n' },
		{ "verbose", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":nv", longs, NULL)) != -1) {
		if (opt == 'n')
			*is_dry = true;
		else if (opt == 'v')
			*is_verbose = true;
		else
			return cmd_usage(&cmd_reload, "%s: no such option", argv[optind - 1]);
	}
	return argc - optind == 1 ? 0 : cmd_usage(&cmd_reload, "name one tunnel or file");
}

static int run(int argc, char **argv)
{
	bool is_dry = false, is_verbose = false;
	char context[IFNAMSIZ + 8], command[300];
	struct loaded loaded;

	int status = parse(argc, argv, &is_dry, &is_verbose);
	if (status != 0)
		return status;
	(void)snprintf(command, sizeof(command), "reload %s", argv[optind]);
	status = talk_check_root(command);
	if (status == 0)
		status = load_tunnel(argv[optind], &loaded);
	if (status != 0)
		return status;
	const struct change_reload reload = {
		.conf = &loaded.conf,
		.file = &loaded.file,
		.path = loaded.path,
		.may_run_hooks = loaded.file.is_trusted || loaded.settings.should_trust_hooks,
		.resolve_retries = talk_resolve_retries(),
	};
	(void)snprintf(context, sizeof(context), "reload %s", loaded.conf.name);
	status = is_dry ? show_plan(&reload, context) : reload_tunnel(&reload, is_verbose, context);
	load_free(&loaded);
	return status;
}

const struct cmd cmd_reload = {
	.name = "reload",
	.usage = "[-nv] TUNNEL|FILE.conf",
	.summary = "take over a changed file; sessions survive",
	.help = "  -n, --dry-run      print what would change and do nothing\n"
		"  -v, --verbose      print each change as it is done\n"
		"\n"
		"Sends the differences between the file and the tunnel that is up, and nothing\n"
		"else: peers, keys, addresses, MTU, routes and DNS. A peer that stays keeps its\n"
		"session, and its endpoint when the file's has not changed. Hooks do not run.\n"
		"When a change fails, what was there before is put back (exit 1).\n",
	.run = run,
};
