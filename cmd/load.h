/* SPDX-License-Identifier: GPL-2.0-or-later */
/* load - TUNNEL or FILE.conf on the command line -> the parsed file, its problems printed */
#ifndef WGNS_LOAD_H
#define WGNS_LOAD_H

#include "cmd.h"
#include "wgns/wgnsconf.h"
#include "wgns/wgquick.h"

struct loaded {
	char *path;
	struct wgquick_file file;
	struct wgquick conf;
	struct wgnsconf settings;
};

/**
 * load_tunnel - read @arg and what wgns.conf(5) says of it
 *
 * Warnings and errors are printed on stderr. Return: 0, or the exit status.
 */
int load_tunnel(const char *arg, struct loaded *out);
void load_free(struct loaded *loaded);

/* A file as it is, for commands that do not need it to be good. */
struct load_file {
	char *path;
	char name[IFNAMSIZ];
	struct wgquick_file file;
	struct diag_list diags; /* what reading it already said */
};

/**
 * load_file - the one argument of @cmd, read
 * Return: 0, or the exit status after a message
 */
int load_file(const struct cmd *cmd, int argc, char **argv, struct load_file *out);
void load_file_free(struct load_file *file);

/** load_name - only the interface's name; the file may be gone. Return: 0, or the exit status */
int load_name(const char *arg, char name[IFNAMSIZ]);

#endif
