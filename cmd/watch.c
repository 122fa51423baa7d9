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
#include "watch_up.h"
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

/* sd_watchdog_enabled(3): both variables, and the second one names this process, or is not there; Return: ms, or 0 */
static unsigned watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	unsigned long long n, who;

	if (!usec || str_to_u64(usec, UINT32_MAX * 1000ULL, &n) < 0)
		return 0;
	if (pid && (str_to_u64(pid, INT32_MAX, &who) < 0 || (pid_t)who != getpid()))
		return 0;
	return (unsigned)(n / 1000);
}

/* Return: 0 or the exit status after a message */
static int take_option(int opt, char **argv, struct watch_options *options, bool *should_be_up)
{
	switch (opt) {
	case 'r':
		return parse_fd(optarg, &options->ready_fd);
	case 'u':
		*should_be_up = true;
		return 0;
	default:
		return cmd_usage(&cmd_watch, "%s: %s", argv[optind - 1],
				 opt == ':' ? "an argument is missing" : "no such option");
	}
}

static int run(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "ready-fd", required_argument, NULL, 'r' },
		{ "up", no_argument, NULL, 'u' },
		{ NULL, 0, NULL, 0 },
	};
	struct watch_options options = { .ready_fd = -1,
					 .notify_socket = getenv("NOTIFY_SOCKET"),
					 .watchdog_ms = watchdog_ms(),
					 .log = say };
	char name[IFNAMSIZ], context[IFNAMSIZ + 8], command[300];
	struct err e;
	int opt, status = 0;
	bool should_be_up = false;

	opterr = 0;
	while (status == 0 && (opt = getopt_long(argc, argv, ":", longs, NULL)) != -1)
		status = take_option(opt, argv, &options, &should_be_up);
	if (status != 0)
		return status;
	if (argc - optind != 1)
		return cmd_usage(&cmd_watch, "name one tunnel or file");
	if (should_be_up && options.ready_fd >= 0)
		return cmd_usage(&cmd_watch, "--ready-fd is for a tunnel that is up");
	(void)snprintf(command, sizeof(command), "watch %s", argv[optind]);
	status = talk_check_root(command);
	if (status == 0)
		status = load_name(argv[optind], name);
	if (status != 0)
		return status;
	(void)snprintf(context, sizeof(context), "watch %s", name);
	if (should_be_up) {
		status = watch_up(argv[optind], name, options.notify_socket);
		if (status != 0)
			return status;
	}
	options.should_take_over = should_be_up;
	options.name = name;
	options.ctx = context;
	return watch_run(&options, &e) < 0 ? cmd_fail(&e, context) : EXIT_DONE;
}

const struct cmd cmd_watch = {
	.name = "watch",
	.usage = "[--up | --ready-fd N] TUNNEL",
	.summary = "look after a tunnel that is up",
	.help = "      --up           bring it up first, unless it is; what a crash left of it is\n"
		"                     undone before that. For the unit wgns@.service\n"
		"      --ready-fd N   write a newline to descriptor N when all is watched\n"
		"\n"
		"It stays in the foreground until the tunnel goes down, and says on standard\n"
		"error what it does: new network cards move to `physical`, endpoints by name are\n"
		"looked up again when their peer is silent, when the network changes and after\n"
		"suspend, the MTU follows the uplinks, a daemon that died is made again.\n"
		"`up` starts it when wgns.conf(5) says Watch = yes, and `systemctl enable --now\n"
		"wgns@TUNNEL` runs it at boot.\n",
	.run = run,
};
