// SPDX-License-Identifier: GPL-2.0-or-later
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

static int read_path(const char *path, struct wgquick_file *file, struct diag_list *diags,
		     struct err *e)
{
	int rc = wgquick_read(path, file, diags, e);

	if (rc == -ENOENT)
		err_hint(e, "TUNNEL means " CMD_WIREGUARD_DIR
			    "/TUNNEL.conf; a file elsewhere is named with a slash: ./NAME.conf");
	return rc;
}

int load_file(const struct cmd *cmd, int argc, char **argv, struct load_file *out)
{
	struct err e;

	*out = (struct load_file){ 0 };
	if (argc != 2 || argv[1][0] == '-')
		return cmd_usage(cmd, argc == 2 ? "there are no options" : "one file is expected");
	if (wgquick_resolve_path(argv[1], CMD_WIREGUARD_DIR, &out->path, out->name, &e) < 0)
		return cmd_fail(&e, cmd->name);
	out->diags.file = out->path;
	if (read_path(out->path, &out->file, &out->diags, &e) == 0)
		return 0;
	load_file_free(out);
	return cmd_fail(&e, cmd->name);
}

void load_file_free(struct load_file *file)
{
	free(file->path);
	wgquick_file_free(&file->file);
	diag_free(&file->diags);
}

static int read_file(const char *arg, struct loaded *out, struct err *e)
{
	struct diag_list diags = { .file = arg };
	char name[IFNAMSIZ];

	int rc = wgquick_resolve_path(arg, CMD_WIREGUARD_DIR, &out->path, name, e);
	if (rc < 0)
		return err_as(e, ERR_KIND_USAGE);
	diags.file = out->path;
	rc = read_path(out->path, &out->file, &diags, e);
	if (rc == 0) {
		rc = wgquick_parse(out->file.text, out->file.len, name, &out->conf, &diags);
		if (rc < 0)
			err_say(e, -rc, "%s has %zu error%s; nothing was touched", out->path,
				diags.n_errors, diags.n_errors == 1 ? "" : "s");
	}
	cmd_print_diags(stderr, &diags);
	diag_free(&diags);
	return rc;
}

static int read_settings(struct loaded *out, struct err *e)
{
	struct diag_list diags = { .file = WGNSCONF_DIR };
	bool is_system = wgnsconf_is_system_tunnel(CMD_WIREGUARD_DIR, out->conf.name, &out->file);

	int rc = wgnsconf_read(WGNSCONF_DIR, is_system ? out->conf.name : NULL, &out->settings,
			       &diags, e);
	cmd_print_settings(&diags, rc, e);
	diag_free(&diags);
	return rc;
}

int load_tunnel(const char *arg, struct loaded *out)
{
	struct err e;

	*out = (struct loaded){ 0 };
	int rc = read_file(arg, out, &e);
	if (rc == 0)
		rc = read_settings(out, &e);
	if (rc == 0)
		return 0;
	int status = cmd_fail(&e, arg);
	load_free(out);
	return status;
}

void load_free(struct loaded *loaded)
{
	free(loaded->path);
	wgquick_file_free(&loaded->file);
	wgquick_free(&loaded->conf);
	wgnsconf_free(&loaded->settings);
	*loaded = (struct loaded){ 0 };
}

int load_name(const char *arg, char name[IFNAMSIZ])
{
	char *path = NULL;
	struct err e;

	if (wgquick_resolve_path(arg, CMD_WIREGUARD_DIR, &path, name, &e) < 0) {
		(void)cmd_fail(&e, arg);
		return EXIT_USAGE;
	}
	free(path);
	return 0;
}
