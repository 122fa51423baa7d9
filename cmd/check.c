// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "load.h"
#include "wgns/str.h"
#include "wgns/wgnsconf.h"
#include "wgns/wgquick.h"

static void print_count(const char *before, size_t n, const char *one, const char *many)
{
	printf("%s%zu %s", before, n, n == 1 ? one : many);
}

/* "wg0.conf: OK: 2 peers, 3 addresses, DNS 10.0.0.1" */
static void print_summary(const char *file, const struct wgquick *conf)
{
	char text[ADDR_TEXT_MAX];

	printf("%s: OK: ", file);
	print_count("", conf->device.n_peers, "peer", "peers");
	print_count(", ", conf->n_addresses, "address", "addresses");
	for (size_t i = 0; i < conf->n_dns; i++) {
		addr_format(&conf->dns[i], text);
		printf("%s%s", i ? " " : ", DNS ", text);
	}
	putchar('\n');
}

static size_t n_hooks(const struct wgquick *conf)
{
	size_t n = 0;

	for (unsigned i = 0; i < WGQUICK_N_HOOKS; i++)
		n += conf->n_hooks[i];
	return n;
}

/* the tunnel's wgns.conf; its problems stand in the same answer */
static bool check_wgnsconf(const struct wgquick_file *file, const char *name,
			   struct wgnsconf *settings, struct diag_list *diags)
{
	bool is_system = wgnsconf_is_system_tunnel(CMD_WIREGUARD_DIR, name, file);
	size_t n_errors = diags->n_errors;
	struct err e;

	if (wgnsconf_read(WGNSCONF_DIR, is_system ? name : NULL, settings, diags, &e) == 0)
		return true;
	if (diags->n_errors == n_errors) /* not a problem of a line: the file could not be read */
		diag_add(diags, DIAG_ERROR, 0, 0, "%s", e.text);
	wgnsconf_init(settings);
	return false;
}

static int check_file(const char *path, const char *name, const struct wgquick_file *file,
		      struct diag_list *diags)
{
	struct wgnsconf settings;
	struct wgquick conf;

	int rc = wgquick_parse(file->text, file->len, name, &conf, diags);
	if (rc == -ENOMEM) {
		struct err e;
		(void)err_set(&e, ENOMEM, "read %s", path); /* its code is known */
		return cmd_fail(&e, "check");
	}
	diag_sort(diags);
	bool is_good = check_wgnsconf(file, name, &settings, diags) && rc == 0;
	if (rc == 0 && n_hooks(&conf) && !file->is_trusted && !settings.should_trust_hooks)
		diag_add(diags, DIAG_WARNING, 0, 0, "hooks will not run: %s", file->untrusted);
	cmd_print_diags(stdout, diags);
	if (is_good && diags->n_items == 0)
		print_summary(path, &conf);
	wgnsconf_free(&settings);
	if (rc == 0)
		wgquick_free(&conf);
	return cmd_flush(is_good ? EXIT_DONE : EXIT_FAILED);
}

static int run(int argc, char **argv)
{
	struct load_file f;
	int status = load_file(&cmd_check, argc, argv, &f);

	if (status != 0)
		return status;
	status = check_file(f.path, f.name, &f.file, &f.diags);
	load_file_free(&f);
	return status;
}

const struct cmd cmd_check = {
	.name = "check",
	.usage = "TUNNEL|FILE.conf",
	.summary = "say everything that is wrong with a file",
	.help = "Prints every problem as FILE:LINE:COL and changes nothing. Warnings alone leave\n"
		"the status 0. The settings of the tunnel in /etc/wgns are checked with it.\n",
	.run = run,
};
