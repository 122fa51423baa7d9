/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd - what the commands share
 *
 * One file per command, each with one struct cmd that wgns.c lists. Only this folder prints, exits or reads
 * the environment. Answers go to stdout, messages to stderr.
 */
#ifndef WGNS_CMD_H
#define WGNS_CMD_H

#include <stdbool.h>
#include <stdio.h>

#include "wgns/diag.h"
#include "wgns/err.h"

#define CMD_WIREGUARD_DIR "/etc/wireguard"

enum {
	EXIT_DONE = 0,
	EXIT_FAILED = 1, /* and everything was undone */
	EXIT_USAGE = 2,
	EXIT_STATE = 3, /* already up, not up, busy */
	EXIT_REMAINS = 4, /* failed and undo is incomplete */
	EXIT_MACHINE = 5, /* the machine cannot do it; nothing was touched */
	EXIT_EXEC_FAILED = 125, /* exec, run: wgns itself failed */
	EXIT_EXEC_NOEXEC = 126,
	EXIT_EXEC_NOTFOUND = 127,
};

struct cmd {
	const char *name;
	const char *usage; /* "[-n] TUNNEL|FILE.conf", without the name */
	const char *summary; /* a line for `wgns --help` */
	/* the rest of `wgns NAME --help`: options, examples; ends with a newline */
	const char *help;
	/* argv[0] is the command's name. Return: the exit status */
	int (*run)(int argc, char **argv);
};

extern const struct cmd cmd_agent, cmd_check, cmd_confirm, cmd_doctor, cmd_down, cmd_exec,
	cmd_genkey, cmd_guard, cmd_portal, cmd_pubkey, cmd_recover, cmd_reload, cmd_save,
	cmd_status, cmd_strip, cmd_unit_dropin, cmd_up, cmd_verify, cmd_watch;

/** cmd_fail - print "wgns: CONTEXT: error" and its hint to stderr; Return: the exit status of e->kind */
int cmd_fail(const struct err *e, const char *context);
/** cmd_usage - print a message (or nothing when NULL) and the usage line to stderr; Return: EXIT_USAGE */
int cmd_usage(const struct cmd *cmd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** cmd_help - print the whole help of a command to stdout; Return: EXIT_DONE, or EXIT_FAILED when stdout fails */
int cmd_help(const struct cmd *cmd);
/** cmd_flush - flush stdout and say when it could not be written; Return: @status or EXIT_FAILED */
int cmd_flush(int status);
/** cmd_warn - "wgns: warning: ..." on stderr */
void cmd_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/** cmd_print_diags - every problem of a file on @out, one line each */
void cmd_print_diags(FILE *out, const struct diag_list *diags);
/** cmd_print_settings - what wgnsconf_read() found, on stderr; a single error stays in @e, several make of it their number */
void cmd_print_settings(const struct diag_list *diags, int rc, struct err *e);
/** cmd_has_colour - is @out a terminal, NO_COLOR unset and TERM not dumb? */
bool cmd_has_colour(FILE *out);

#endif
