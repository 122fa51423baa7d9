// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd.h"
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
	struct wgquick_file file = { 0 };
	struct diag_list diags = { 0 };
	AUTO_FREE char *path = NULL;
	char name[IFNAMSIZ];
	struct err e;

	if (argc != 2 || argv[1][0] == '-')
		return cmd_usage(&cmd_strip,
				 argc == 2 ? "there are no options" : "one file is expected");
	if (wgquick_resolve_path(argv[1], CMD_WIREGUARD_DIR, &path, name, &e) < 0)
		return cmd_fail(&e, "strip");
	diags.file = path;
	if (wgquick_read(path, &file, &diags, &e) < 0)
		return cmd_fail(&e, "strip");
	int status = print_stripped(&file, &diags);
	wgquick_file_free(&file);
	diag_free(&diags);
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
