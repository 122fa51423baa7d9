// SPDX-License-Identifier: GPL-2.0-or-later
/* wgns - the command table */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "cmd.h"

static const struct cmd *const commands[] = {
	&cmd_up,     &cmd_down,	  &cmd_reload,	    &cmd_confirm, &cmd_recover,
	&cmd_exec,   &cmd_portal, &cmd_status,	    &cmd_verify,  &cmd_doctor,
	&cmd_watch,  &cmd_guard,  &cmd_check,	    &cmd_strip,	  &cmd_save,
	&cmd_genkey, &cmd_pubkey, &cmd_unit_dropin, &cmd_agent,
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *out)
{
	fputs("wgns decides which network namespace holds the cleartext side of a WireGuard\n"
	      "tunnel and which holds its ciphertext side, and starts programs on either.\n\n"
	      "usage: wgns COMMAND [OPTION]... [ARG]...\n\n",
	      out);
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(out, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\nwgns COMMAND --help says more of one command; wgns(8) has the whole story.\n",
	      out);
}

static const struct cmd *find(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	}
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    (strcmp(argv[1], "help") == 0 && argc == 2)) {
		print_help(stdout);
		return cmd_flush(EXIT_DONE);
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		puts("wgns " WGNS_VERSION);
		return cmd_flush(EXIT_DONE);
	}

	bool wants_help = strcmp(argv[1], "help") == 0;
	const char *name = wants_help ? argv[2] : argv[1];
	const struct cmd *cmd = find(name);
	if (!cmd) {
		fprintf(stderr, "wgns: %s: no such command; wgns --help lists them\n", name);
		return EXIT_USAGE;
	}
	if (wants_help || (argc > 2 && strcmp(argv[2], "--help") == 0))
		return cmd_help(cmd);
	/* keys are read, exec apart: neither a core dump nor another process of the user may have them */
	if (cmd != &cmd_exec && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) {
		fprintf(stderr, "wgns: forbid core dumps: %s\n", strerror(errno));
		return EXIT_FAILED;
	}
	return cmd->run(argc - 1, argv + 1);
}
