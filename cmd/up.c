// SPDX-License-Identifier: GPL-2.0-or-later
#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "installed.h"
#include "load.h"
#include "ssh.h"
#include "talk.h"
#include "watch_up.h"
#include "wgns/change.h"
#include "wgns/str.h"

#define WAIT_MAX_S 86400

struct options {
	bool is_dry, is_json, is_verbose;
	const char *backend;
	char **uplinks; /* the array is ours, the names are argv's */
	size_t n_uplinks;
	unsigned wait_s, confirm_s;
	bool should_force;
	const char *arg;
	bool is_watched; /* by this process, afterwards */
	const char *notify_socket;
};

/* Return: 0, or the exit status after a message */
static int take_seconds(const char *option, const char *text, unsigned *out)
{
	unsigned long long n;

	if (str_to_u64(text, WAIT_MAX_S, &n) < 0 || n == 0)
		return cmd_usage(&cmd_up, "%s takes a number of seconds, 1 to %d", option,
				 WAIT_MAX_S);
	*out = (unsigned)n;
	return 0;
}

static int parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "dry-run", no_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "layout", required_argument, NULL, 'l' },
		{ "uplink", required_argument, NULL, 'u' },
		{ "backend", required_argument, NULL, 'b' },
		{ "wait", required_argument, NULL, 'w' },
		{ "confirm", required_argument, NULL, 'c' },
		{ "force", no_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	int opt, status;

	o->uplinks = calloc((size_t)argc + 1, sizeof(*o->uplinks));
	if (!o->uplinks)
		return cmd_usage(&cmd_up, "no memory");
	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":nv", longs, NULL)) != -1) {
		switch (opt) {
		case 'n':
			o->is_dry = true;
			break;
		case 'j':
			o->is_json = true;
			break;
		case 'v':
			o->is_verbose = true;
			break;
		case 'u':
			o->uplinks[o->n_uplinks++] = optarg;
			break;
		case 'b':
			o->backend = optarg;
			if (strcmp(optarg, "auto") != 0 && !backend_by_name(optarg))
				return cmd_usage(&cmd_up,
						 "--backend takes auto, kernel or userspace");
			break;
		case 'w':
		case 'c':
			status = take_seconds(opt == 'w' ? "--wait" : "--confirm", optarg,
					      opt == 'w' ? &o->wait_s : &o->confirm_s);
			if (status)
				return status;
			break;
		case 'f':
			o->should_force = true;
			break;
		case 'l':
			if (strcmp(optarg, "physical") != 0)
				return cmd_usage(
					&cmd_up,
					"there is no layout %s in this version, only physical",
					optarg);
			break;
		default:
			return cmd_usage(&cmd_up, "%s: %s", argv[optind - 1],
					 opt == ':' ? "an argument is missing" : "no such option");
		}
	}
	if (argc - optind != 1)
		return cmd_usage(&cmd_up, "name one tunnel or file");
	o->arg = argv[optind];
	return 0;
}

static int print_plan_json(const struct change_up *up, const struct plan *plan, const char *why)
{
	json_t *steps = json_array(), *warnings = json_array();

	for (size_t i = 0; i < plan->n; i++)
		(void)json_array_append_new(steps, json_string(plan->steps[i].text));
	for (size_t i = 0; i < plan->n_warnings; i++)
		(void)json_array_append_new(warnings, json_string(plan->warnings[i]));
	json_t *root = json_pack("{s:i, s:s, s:s, s:s, s:s, s:o, s:o}", "schema", 1, "tunnel",
				 up->conf->name, "layout", "physical", "backend", plan->backend,
				 "backend_reason", why, "steps", steps, "warnings", warnings);
	char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
	json_decref(root);
	if (!text)
		return EXIT_FAILED;
	puts(text);
	free(text);
	return cmd_flush(EXIT_DONE);
}

/* a machine that cannot do it: doctor sees all that is in the way, not only the first */
static int fail(struct err *e, const char *context)
{
	if (e->kind == ERR_KIND_MACHINE && !e->hint[0])
		err_hint(e, "`wgns doctor` says more");
	return cmd_fail(e, context);
}

static int show_plan(const struct options *o, const struct change_up *up, const char *context)
{
	struct plan plan = { 0 };
	char why[256] = "";
	struct err e;

	if (change_plan(up, &plan, why, &e) < 0)
		return fail(&e, context);
	int status = EXIT_DONE;
	if (o->is_json) {
		status = print_plan_json(up, &plan, why);
	} else {
		for (size_t i = 0; i < plan.n_warnings; i++)
			cmd_warn("%s", plan.warnings[i]);
		for (size_t i = 0; i < plan.n; i++)
			puts(plan.steps[i].text);
		status = cmd_flush(status);
	}
	plan_free(&plan);
	return status;
}

static int bring_up(const struct options *o, const struct change_up *up, const char *context)
{
	struct talk talk = { .is_verbose = o->is_verbose,
			     .command = context,
			     .tunnel = up->conf->name,
			     .notify_socket = o->notify_socket };
	struct change_talk callbacks;
	char why[256] = "";
	struct err e;

	talk_begin(&talk, &callbacks);
	if (change_up(up, &callbacks, why, &e) < 0) {
		int status = fail(&e, context);
		if (status == EXIT_FAILED)
			fprintf(stderr, "wgns: %s: %s\n", context,
				talk.was_undone ? "everything was undone" : "nothing was touched");
		return status;
	}
	if (o->is_json) {
		printf("{\"schema\": 1, \"tunnel\": \"%s\", \"state\": \"up\", \"confirmed\": "
		       "%s}\n",
		       up->conf->name, up->confirm_s ? "true" : "false");
		(void)cmd_flush(
			EXIT_DONE); /* it says so when it fails; the tunnel is up all the same */
		return EXIT_DONE;
	}
	fprintf(stderr, "%s is up (%s); `wgns status` shows it\n", up->conf->name, why);
	return EXIT_DONE;
}

static int run_loaded(const struct options *o, struct loaded *loaded)
{
	char context[IFNAMSIZ + 4], shipped[PATH_MAX];
	const struct wgnsconf *settings = &loaded->settings;
	const char *profile_dirs[INSTALLED_PROFILE_DIRS];
	struct change_client clients[PLAN_SESSIONS_MAX];
	struct change_up up = {
		.conf = &loaded->conf,
		.file = &loaded->file,
		.path = loaded->path,
		.uplinks = o->n_uplinks ? o->uplinks : settings->uplinks,
		.n_uplinks = o->n_uplinks ? o->n_uplinks : settings->n_uplinks,
		.backend = o->backend ? o->backend : settings->backend,
		.daemon = settings->daemon,
		.group = settings->group,
		.profile_dirs = profile_dirs,
		.n_profile_dirs = INSTALLED_PROFILE_DIRS,
		.may_run_hooks = loaded->file.is_trusted || settings->should_trust_hooks,
		.resolve_retries = talk_resolve_retries(),
		.kill_switch = settings->kill_switch,
		.has_lan = settings->has_lan,
		.agent = settings->agent,
		.agents = settings->agents,
		.n_agents = settings->n_agents,
		.should_watch = settings->should_watch && !o->is_watched,
		.wait_s = o->wait_s,
		.confirm_s = o->confirm_s,
		.should_force = o->should_force,
		.clients = clients,
		.n_clients = ssh_find(clients, PLAN_SESSIONS_MAX),
	};

	installed_profiles(shipped, profile_dirs);
	(void)snprintf(context, sizeof(context), "up %s", loaded->conf.name);
	return o->is_dry ? show_plan(o, &up, context) : bring_up(o, &up, context);
}

int watch_up_bring(const char *arg, const char *notify_socket)
{
	struct options o = { .arg = arg, .is_watched = true, .notify_socket = notify_socket };
	struct loaded loaded;

	int status = load_tunnel(arg, &loaded);
	if (status == 0) {
		status = run_loaded(&o, &loaded);
		load_free(&loaded);
	}
	return status;
}

static int run(int argc, char **argv)
{
	struct options o = { 0 };
	struct loaded loaded;
	char command[300];

	int status = parse(&o, argc, argv);
	if (status == 0) {
		(void)snprintf(command, sizeof(command), "up %s", o.arg);
		status = talk_check_root(command);
	}
	if (status == 0)
		status = load_tunnel(o.arg, &loaded);
	if (status == 0) {
		status = run_loaded(&o, &loaded);
		load_free(&loaded);
	}
	free(o.uplinks);
	return status;
}

const struct cmd cmd_up = {
	.name = "up",
	.usage = "[-nv] [--json] [--uplink IF]... [--backend B] [--wait S]\n"
		 "               [--confirm S] [--force] "
		 "TUNNEL|FILE.conf",
	.summary = "move the uplinks to `physical`, and a tunnel into home",
	.help = "  -n, --dry-run      print the steps and do nothing\n"
		"  -v, --verbose      print each step as it is done\n"
		"      --json         print the plan (with -n) or the result as JSON\n"
		"      --uplink IF    move this device and not those that are found; repeatable\n"
		"      --backend B    kernel, userspace (wireguard-go) or auto, which prefers the\n"
		"                     kernel\n"
		"      --wait S       roll back unless a handshake comes within S seconds\n"
		"      --confirm S    roll back unless it is confirmed within S seconds:\n"
		"                     by Enter, or by `wgns confirm` from anywhere\n"
		"      --force        although your SSH connection runs over an uplink that moves\n"
		"      --layout physical\n"
		"                     the only layout of this version\n"
		"\n"
		"TUNNEL means /etc/wireguard/TUNNEL.conf, a wg-quick(8) file; a path is a path.\n"
		"When a step fails, all that was done is undone (exit 1); what could not be\n"
		"undone is named (exit 4). When the state or the machine does not allow it\n"
		"(exit 3, 5), nothing was touched.\n",
	.run = run,
};
