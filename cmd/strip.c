// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd.h"
#include "load.h"
#include "wgns/str.h"
#include "wgns/wgquick.h"

static int print_stripped(const struct wgquick_file *file, struct diag_list *diags)
{
	char *text = NULL;
	size_t len = 0;

	int rc = wgquick_strip(file->text, file->len, &text, &len, diags);
	cmd_print_diags(stderr, diags);
	if (rc < 0)
		return EXIT_FAILED;
	setvbuf(stdout, NULL, _IONBF, 0); /* no copy of the keys stays behind */
	fwrite(text, 1, len, stdout); /* cmd_flush() sees a failure */
	str_wipe(text, len);
	free(text);
	return cmd_flush(EXIT_DONE);
}

static int run(int argc, char **argv)
{
	struct load_file f;
	int status = load_file(&cmd_strip, argc, argv, &f);

	if (status != 0)
		return status;
	status = print_stripped(&f.file, &f.diags);
	load_file_free(&f);
	return status;
}

const struct cmd cmd_strip = {
	.name = "strip",
	.usage = "TUNNEL|FILE.conf",
	.summary = "print the part of a file that wg understands",
	.help = "The same as wg-quick strip, and needs no root. The file is not checked: see\n"
		"wgns check.\n"
		"\n"
		"  wg syncconf wg0 <(wgns strip wg0)\n",
	.run = run,
};
