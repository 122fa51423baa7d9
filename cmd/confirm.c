// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>

#include "cmd.h"
#include "load.h"
#include "talk.h"
#include "wgns/change.h"

static int run(int argc, char **argv)
{
	char name[IFNAMSIZ], confirmed[IFNAMSIZ];
	struct err e;

	if (argc > 2)
		return cmd_usage(&cmd_confirm, "name one tunnel or file, or none");
	if (argc == 2 && argv[1][0] == '-')
		return cmd_usage(&cmd_confirm, "%s: no such option", argv[1]);
	int status = talk_check_root("confirm");
	if (status == 0 && argc == 2)
		status = load_name(argv[1], name);
	if (status != 0)
		return status;
	if (change_confirm(argc == 2 ? name : NULL, confirmed, &e) < 0)
		return cmd_fail(&e, "confirm");
	fprintf(stderr, "%s is confirmed: it stays up\n", confirmed);
	return EXIT_DONE;
}

const struct cmd cmd_confirm = {
	.name = "confirm",
	.usage = "[TUNNEL|FILE.conf]",
	.summary = "keep what `up --confirm` has done",
	.help = "Without a name: of the tunnel that waits for it; only one can.\n"
		"\n"
		"It says whether it was in time. When nothing waits to be confirmed, or what\n"
		"waited is being undone already, the exit status is 3.\n",
	.run = run,
};
