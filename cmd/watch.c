// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/watch.h"

#include <getopt.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "load.h"
#include "talk.h"
#include "wgns/str.h"

#define LOG_MAX (256 << 10) /* of a log in /run: then it begins anew */

static void say(void *ctx, const char *line)
{
	struct stat st;

	if (fstat(STDERR_FILENO, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > LOG_MAX)
		(void)!ftruncate(STDERR_FILENO, 0); /* then it grows a little more */
	fprintf(stderr, "wgns: %s: %s\n", (const char *)ctx, line);
}

static int parse_fd(const char *text, int *out)
{
	unsigned long long n;
	struct stat st;

	if (str_to_u64(text, 1023, &n) < 0 || n < 3 || fstat((int)n, &st) < 0)
		return cmd_usage(&cmd_watch, "--ready-fd takes the number of an open descriptor");
	*out = (int)n;
	return 0;
}

static int run(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "ready-fd", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	struct watch_options options = { .ready_fd = -1,
					 .notify_socket = getenv("NOTIFY_SOCKET"),
					 .log = say };
	char name[IFNAMSIZ], context[IFNAMSIZ + 8], command[300];
	struct err e;
	int opt, status = 0;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
		if (opt != 'r')
			return cmd_usage(&cmd_watch, "%s: %s", argv[optind - 1],
					 opt == ':' ? "an argument is missing" : "no such option");
		status = parse_fd(optarg, &options.ready_fd);
		if (status != 0)
			return status;
	}
	if (argc - optind != 1)
		return cmd_usage(&cmd_watch, "name one tunnel or file");
	(void)snprintf(command, sizeof(command), "watch %s", argv[optind]);
	status = talk_check_root(command);
	if (status == 0)
		status = load_name(argv[optind], name);
	if (status != 0)
		return status;
	(void)snprintf(context, sizeof(context), "watch %s", name);
	options.name = name;
	options.ctx = context;
	return watch_run(&options, &e) < 0 ? cmd_fail(&e, context) : EXIT_DONE;
}

const struct cmd cmd_watch = {
	.name = "watch",
	.usage = "[--ready-fd N] TUNNEL",
	.summary = "look after a tunnel that is up",
	.help = "      --ready-fd N   write a newline to descriptor N when all is watched\n"
		"\n"
		"It stays in the foreground until the tunnel goes down, and says on standard\n"
		"error what it does: new network cards move to `physical`, endpoints by name are\n"
		"looked up again when their peer is silent, when the network changes and after\n"
		"suspend, the MTU follows the uplinks, a daemon that died is made again.\n"
		"`up` starts it when wgns.conf(5) says Watch = yes; a unit of systemd has\n"
		"Type=notify.\n",
	.run = run,
};
