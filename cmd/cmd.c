// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cmd_fail(const struct err *e, const char *context)
{
	char line[ERR_LINE_MAX];

	err_print_to(e, line, sizeof(line));
	fprintf(stderr, "wgns: %s: %s\n", context, line);
	return (int)e->kind;
}

int cmd_usage(const struct cmd *cmd, const char *fmt, ...)
{
	if (fmt) {
		va_list ap;

		fprintf(stderr, "wgns: %s: ", cmd->name);
		va_start(ap, fmt);
		vfprintf(stderr, fmt, ap);
		va_end(ap);
		fputc('\n', stderr);
	}
	fprintf(stderr, "usage: wgns %s %s\n", cmd->name, cmd->usage);
	return EXIT_USAGE;
}

int cmd_help(const struct cmd *cmd)
{
	printf("usage: wgns %s %s\n\n%s.\n\n%s", cmd->name, cmd->usage, cmd->summary, cmd->help);
	return cmd_flush(EXIT_DONE);
}

int cmd_flush(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "wgns: write to standard output: %s\n", strerror(errno));
	return EXIT_FAILED;
}

void cmd_warn(const char *fmt, ...)
{
	va_list ap;

	fputs("wgns: warning: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void cmd_print_diags(FILE *out, const struct diag_list *diags)
{
	char line[1024];

	for (size_t i = 0; i < diags->n_items; i++) {
		diag_format(diags, &diags->items[i], line, sizeof(line));
		fprintf(out, "%s\n", line);
	}
	if (diags->n_dropped)
		fprintf(out, "%s: %zu more problems not shown\n", diags->file, diags->n_dropped);
}

void cmd_print_settings(const struct diag_list *diags, int rc, struct err *e)
{
	if (rc < 0 && diags->n_items + diags->n_dropped <= 1)
		return; /* its text is the error's */
	cmd_print_diags(stderr, diags);
	if (rc < 0)
		err_say(e, -rc, "the settings have %zu error%s; nothing was touched",
			diags->n_errors, diags->n_errors == 1 ? "" : "s");
}

bool cmd_has_colour(FILE *out)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fileno(out)) && !(no_color && *no_color) &&
	       !(term && strcmp(term, "dumb") == 0);
}
