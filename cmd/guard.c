// SPDX-License-Identifier: GPL-2.0-or-later
/* guard - KillSwitch = boot by hand and for its unit, and what the guard of this namespace is */
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "talk.h"
#include "wgns/change.h"
#include "wgns/guard.h"
#include "wgns/wgnsconf.h"

struct options {
	bool is_json, is_conditional;
	const char *action;
};

static int parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "if-configured", no_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
		if (opt == 'j')
			o->is_json = true;
		else if (opt == 'c')
			o->is_conditional = true;
		else
			return cmd_usage(&cmd_guard, "%s: no such option", argv[optind - 1]);
	}
	if (argc - optind != 1)
		return cmd_usage(&cmd_guard, "on, off or status?");
	o->action = argv[optind];
	bool is_status = strcmp(o->action, "status") == 0, is_on = strcmp(o->action, "on") == 0;
	if (!is_status && !is_on && strcmp(o->action, "off") != 0)
		return cmd_usage(&cmd_guard, "%s: on, off or status?", o->action);
	if (o->is_json && !is_status)
		return cmd_usage(&cmd_guard, "--json belongs to status");
	if (o->is_conditional && !is_on)
		return cmd_usage(&cmd_guard, "--if-configured belongs to on");
	return 0;
}

/* Return: 1 when wgns.conf says KillSwitch = boot, 0 when it does not, or minus the exit status */
static int is_configured(void)
{
	struct diag_list diags = { .file = WGNSCONF_DIR };
	struct wgnsconf conf;
	struct err e;

	wgnsconf_init(&conf);
	int rc = wgnsconf_read(WGNSCONF_DIR, NULL, &conf, &diags, &e);
	cmd_print_settings(&diags, rc, &e);
	diag_free(&diags);
	if (rc < 0)
		return -cmd_fail(&e, "guard on");
	bool is_boot = conf.kill_switch == KILL_SWITCH_BOOT;
	wgnsconf_free(&conf);
	return is_boot;
}

static int change(bool should_be_on, const char *context)
{
	struct talk talk = { .command = context };
	struct change_talk callbacks;
	struct err e;

	talk_begin(&talk, &callbacks);
	if (change_boot_guard(should_be_on, &callbacks, &e) < 0)
		return cmd_fail(&e, context);
	talk_if_closed(stderr);
	return EXIT_DONE;
}

static const char *form_of(const struct guard_seen *seen)
{
	if (!seen->is_there)
		return "off";
	if (seen->is_physical)
		return "physical";
	return guard_is_boot(seen) ? "boot" : "up";
}

static int print_json(const struct guard_seen *seen)
{
	json_t *names = json_array(), *ports = json_array();

	for (size_t i = 0; i < seen->n_names; i++)
		(void)json_array_append_new(names, json_string(seen->names[i]));
	for (size_t i = 0; i < seen->n_ports; i++)
		(void)json_array_append_new(ports, json_integer(seen->ports[i]));
	json_t *root = json_pack("{s:i, s:s, s:b, s:b, s:s, s:I, s:o, s:o}", "schema", 1, "guard",
				 form_of(seen), "intact", seen->is_there && seen->is_intact,
				 "bridges", seen->has_bridge, "problem", seen->why, "dropped",
				 (json_int_t)seen->n_dropped, "devices", names, "ports", ports);
	char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
	json_decref(root);
	if (!text)
		return EXIT_FAILED;
	puts(text);
	free(text);
	return EXIT_DONE;
}

static void print_text(const struct guard_seen *seen)
{
	if (!seen->is_there) {
		puts("off: there is no guard in this namespace");
		return;
	}
	if (seen->is_physical) {
		printf("physical: replies, ICMP and DHCP come in%s",
		       seen->n_ports ? ", and UDP to" : "");
		for (size_t i = 0; i < seen->n_ports; i++)
			printf("%s %u", i ? "," : "", seen->ports[i]);
		putchar('\n');
	} else if (guard_is_boot(seen)) {
		puts("boot: nothing leaves this namespace");
	} else {
		fputs("up: only these send:", stdout);
		for (size_t i = 0; i < seen->n_names; i++)
			printf(" %s", seen->names[i]);
		putchar('\n');
	}
	printf("%" PRIu64 " %s stopped\n", seen->n_dropped,
	       seen->n_dropped == 1 ? "packet was" : "packets were");
	if (!seen->is_physical && !seen->has_bridge)
		puts("bridges are not watched: their table is not there");
	if (!seen->is_intact)
		printf("it was changed: %s\n", seen->why);
}

static int show(bool is_json)
{
	AUTO_NL struct nl *nl = NULL;
	struct guard_seen seen = { 0 };
	struct err e;

	if (guard_open_in(-1, &nl, &e) < 0 || guard_read(nl, &seen, &e) < 0)
		return cmd_fail(&e, "guard status");
	int status = EXIT_DONE;
	if (is_json)
		status = print_json(&seen);
	else
		print_text(&seen);
	guard_seen_free(&seen);
	return cmd_flush(status);
}

static int run(int argc, char **argv)
{
	struct options o = { 0 };
	char context[32];

	int status = parse(&o, argc, argv);
	if (status)
		return status;
	(void)snprintf(context, sizeof(context), "guard %s", o.action);
	status = talk_check_root(context);
	if (status)
		return status;
	if (strcmp(o.action, "status") == 0)
		return show(o.is_json);
	int wanted = o.is_conditional ? is_configured() : 1;
	if (wanted <= 0)
		return -wanted;
	return change(strcmp(o.action, "on") == 0, context);
}

const struct cmd cmd_guard = {
	.name = "guard",
	.usage = "on [--if-configured] | off | status [--json]",
	.summary = "let nothing leave home before a tunnel is up",
	.help = "  on                 nothing but lo may send in this namespace until `wgns up`;\n"
		"                     while a tunnel is up its own guard is there, and stays\n"
		"      --if-configured  only when wgns.conf(5) says KillSwitch = boot: for the\n"
		"                     unit wgns-guard.service\n"
		"  off                take that back; not while a tunnel is up (exit 3)\n"
		"  status             what the guard lets through, and what it stopped\n"
		"      --json         the same as JSON\n",
	.run = run,
};
