// SPDX-License-Identifier: GPL-2.0-or-later
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd.h"
#include "talk.h"
#include "wgns/save.h"
#include "wgns/wgquick.h"

static int save_tunnel(const struct change_save *save)
{
	char context[IFNAMSIZ + 8];
	struct talk talk = { .command = context };
	struct change_talk callbacks;
	struct err e;

	(void)snprintf(context, sizeof(context), "save %s", save->name);
	talk_begin(&talk, &callbacks);
	if (change_save(save, &callbacks, &e) < 0)
		return cmd_fail(&e, context);
	fprintf(stderr, "%s is saved to %s\n", save->name, save->path);
	return EXIT_DONE;
}

static int run(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "force", no_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	char name[IFNAMSIZ], command[300], *path = NULL;
	struct change_save save = { .name = name };
	struct err e;
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
		if (opt != 'f')
			return cmd_usage(&cmd_save, "%s: no such option", argv[optind - 1]);
		save.should_force = true;
	}
	if (argc - optind != 1)
		return cmd_usage(&cmd_save, "name one tunnel or file");
	(void)snprintf(command, sizeof(command), "save %s", argv[optind]);
	int status = talk_check_root(command);
	if (status != 0)
		return status;
	if (wgquick_resolve_path(argv[optind], CMD_WIREGUARD_DIR, &path, name, &e) < 0) {
		(void)cmd_fail(&e, command);
		return EXIT_USAGE;
	}
	save.path = path;
	status = save_tunnel(&save);
	free(path);
	return status;
}

const struct cmd cmd_save = {
	.name = "save",
	.usage = "[--force] TUNNEL|FILE.conf",
	.summary = "write what is live over a tunnel's file",
	.help = "      --force        although the file is another one than was read, or has\n"
		"                     changed since: what was changed is lost\n"
		"\n"
		"As wg-quick save: addresses, keys and peers as they are now; hooks, DNS, MTU,\n"
		"Table and SaveConfig as they were read. Comments are lost and endpoints become\n"
		"numbers. The file is replaced in one go, and only root can read it then.\n",
	.run = run,
};
