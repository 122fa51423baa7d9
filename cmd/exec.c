// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * exec - resolve what was asked for and become the program
 *
 * Who the program is to be is decided here. What follows, enter(), is the helper's for ordinary
 * users, who have no right to do it, and happens in this process for root. It is one process from
 * the shell to the program, so terminal, job control, signals and exit status need no code.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "enter.h"
#include "identity.h"
#include "wgns/fd.h"
#include "wgns/netns.h"
#include "wgns/seal.h"
#include "wgns/str.h"

#ifndef WGNS_LIBEXECDIR
#define WGNS_LIBEXECDIR "/usr/local/libexec/wgns"
#endif
#define HELPER "wgns-exec"
#define HELPER_ARGS 3 /* wgns-exec BOX UID */
#define ENV_PROGRAM "/usr/bin/env"

struct request {
	char *box; /* borrowed; "home" enters nothing */
	const char *user; /* of --user, or NULL */
	char **env; /* VAR=VAL of -E, borrowed */
	size_t n_env;
	char **argv; /* the program and its arguments, borrowed */
	int argc;
};

static void free_request(struct request *r)
{
	free(r->env);
}

static int choose_box(struct request *r, char *box, struct err *e)
{
	if (r->box)
		return err_say(e, EINVAL, "give one of --physical, --in and --home");
	if (!seal_is_box_name(box))
		return err_say(
			e, EINVAL,
			"a box is named with 1 to 64 of a-z A-Z 0-9 _ . + -, and not . or ..");
	r->box = box;
	return 0;
}

static int add_env(struct request *r, char *assignment, struct err *e)
{
	const char *equals = strchr(assignment, '=');

	if (!equals || equals == assignment)
		return err_say(e, EINVAL, "-E takes VAR=VAL");
	r->env[r->n_env++] = assignment;
	return 0;
}

static int parse(struct request *r, int argc, char **argv, struct err *e)
{
	static const struct option options[] = {
		{ "physical", no_argument, NULL, 'p' },	 { "in", required_argument, NULL, 'i' },
		{ "home", no_argument, NULL, 'h' },	 { "user", required_argument, NULL, 'u' },
		{ "env", required_argument, NULL, 'E' }, { NULL, 0, NULL, 0 },
	};
	static char physical[] = "physical", home[] = "home";
	int opt, rc = 0;

	r->env = calloc((size_t)argc, sizeof(*r->env));
	if (!r->env)
		return err_set(e, ENOMEM, "read the options");
	opterr = 0;
	while (rc == 0 && (opt = getopt_long(argc, argv, "+:E:", options, NULL)) != -1) {
		if (opt == 'p')
			rc = choose_box(r, physical, e);
		else if (opt == 'h')
			rc = choose_box(r, home, e);
		else if (opt == 'i')
			rc = choose_box(r, optarg, e);
		else if (opt == 'u')
			r->user = optarg;
		else if (opt == 'E')
			rc = add_env(r, optarg, e);
		else
			rc = err_say(e, EINVAL, "%s: %s", argv[optind - 1],
				     opt == ':' ? "an argument is missing" : "no such option");
	}
	if (rc < 0)
		return rc;
	r->argv = argv + optind;
	r->argc = argc - optind;
	if (!r->box)
		return err_say(e, EINVAL, "where? give --physical, --in BOX or --home");
	return r->argc ? 0 : err_say(e, EINVAL, "which program?");
}

static int identify(const struct request *r, struct identity *id, struct err *e)
{
	bool is_root = geteuid() == 0;

	if (!is_root && r->user)
		return err_say(e, EPERM, "--user is for root");
	if (!is_root && strcmp(r->box, "home") == 0)
		return err_say(e, EPERM, "--home is for root");
	if (!is_root)
		return 0;
	return r->user ? identity_of_user(r->user, id, e) : identity_of_sudo(id, e);
}

static bool is_roots_alone(const char *path, mode_t type)
{
	struct stat st;

	return lstat(path, &st) == 0 && (st.st_mode & S_IFMT) == type && st.st_uid == 0 &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/*
 * The helper beside this program is for a build folder. Root must not run what somebody else could
 * put there, so file and folder have to be root's and writable by root alone; else it is the
 * installed one.
 */
static void find_helper(char out[PATH_MAX])
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - sizeof("/" HELPER));

	if (len > 0) {
		path[len] = '\0';
		char *slash = strrchr(path, '/');
		*slash = '\0';
		bool is_safe = is_roots_alone(path, S_IFDIR);
		memcpy(slash, "/" HELPER, sizeof("/" HELPER));
		if (is_safe && is_roots_alone(path, S_IFREG)) {
			memcpy(out, path, strlen(path) + 1);
			return;
		}
	}
	(void)snprintf(out, PATH_MAX, "%s", WGNS_LIBEXECDIR "/" HELPER);
}

static int check_box(const char *box, struct err *e)
{
	char path[128];
	struct stat st;

	(void)snprintf(path, sizeof(path), "/" SEAL_BOX_DIR "/%s/netns",
		       box); /* a checked name fits */
	if (lstat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR))
		return 0; /* what else may be wrong with it the helper says */
	(void)err_say(e, ENOENT, "%s is not up", box);
	if (strcmp(box, "physical") == 0)
		err_hint(e, "sudo wgns up TUNNEL");
	else
		err_hint(e, "this version has one box: physical");
	return -ENOENT;
}

/*
 * home is where the caller is, unless that is physical: entering a namespace by path is
 * nsenter(1)'s business
 */
static int check_home(struct err *e)
{
	struct netns_id here, physical;
	AUTO_FD int own = netns_open_self(e);

	if (own < 0 || netns_identify(own, &here, e) < 0)
		return -e->code;
	AUTO_FD int box = seal_open_box("physical");
	if (box < 0)
		return 0; /* not up */
	int rc = netns_identify(box, &physical, e);
	if (rc < 0 || !netns_same(&here, &physical))
		return rc;
	(void)err_say(e, EINVAL, "this shell is not in home but in physical itself");
	err_hint(e, "nsenter --target 1 --net --mount wgns exec --home PROGRAM");
	return -EINVAL;
}

/*
 * -E becomes `env VAR=VAL PROGRAM`: what the loader reads must not reach the helper, and AT_SECURE
 * would remove it
 */
static char **build_argv(const struct request *r, char *uid, struct err *e)
{
	if (r->n_env && strchr(r->argv[0], '=')) {
		(void)err_say(e, EINVAL,
			      "-E cannot be used with a program that has '=' in its name");
		return NULL;
	}
	char **argv = calloc((size_t)r->argc + r->n_env + 6, sizeof(*argv));
	if (!argv) {
		(void)err_set(e, ENOMEM, "build the argument list");
		return NULL;
	}
	static char helper[] = HELPER, env[] = ENV_PROGRAM, end[] = "--";
	size_t n = 0;
	argv[n++] = helper;
	argv[n++] = r->box;
	argv[n++] = uid;
	if (r->n_env) {
		argv[n++] = env;
		argv[n++] =
			end; /* names of variables are the user's: no option of env among them */
	}
	memcpy(argv + n, r->env, r->n_env * sizeof(*argv));
	memcpy(argv + n + r->n_env, r->argv, (size_t)r->argc * sizeof(*argv));
	return argv;
}

static int start(const struct request *r, struct err *e)
{
	struct identity id = { 0 };
	char uid[16] = "-", helper[PATH_MAX];

	int rc = strcmp(r->box, "home") == 0 ? 0 : check_box(r->box, e);
	if (rc == 0)
		rc = identify(r, &id, e);
	if (rc == 0 && strcmp(r->box, "home") == 0)
		rc = check_home(e);
	if (rc < 0)
		return rc;
	AUTO_FREE char **argv = build_argv(r, uid, e);
	if (!argv)
		return -e->code;
	if (id.is_changed) {
		(void)snprintf(uid, sizeof(uid), "%u", (unsigned)id.uid);
		rc = identity_take_groups(&id, e);
		if (rc == 0)
			rc = identity_take_environment(&id, e);
		if (rc < 0)
			return rc;
	}
	/* root has what the helper's file capability gives to others: no second exec(2) */
	if (geteuid() == 0)
		enter(r->box, uid, argv + HELPER_ARGS);
	find_helper(helper);
	(void)execv(helper, argv); /* when it returns it failed */
	rc = err_set(e, errno, "start the helper %s", helper);
	if (rc == -ENOENT)
		err_hint(e, "make install puts it there");
	return rc;
}

static int run(int argc, char **argv)
{
	__attribute__((cleanup(free_request))) struct request r = { 0 };
	struct err e = { 0 };

	if (parse(&r, argc, argv, &e) < 0) {
		(void)cmd_usage(&cmd_exec, "%s", e.text);
		return EXIT_EXEC_FAILED;
	}
	(void)start(&r, &e); /* it returns only when it failed */
	(void)cmd_fail(&e, "exec");
	return EXIT_EXEC_FAILED;
}

const struct cmd cmd_exec = {
	.name = "exec",
	.usage = "--physical | --in BOX | --home [--user USER] [-E VAR=VAL]... [--] PROGRAM "
		 "[ARG...]",
	.summary = "start a program in a box, without any privilege",
	.help = "  --physical       where the uplinks are: past the tunnel\n"
		"  --in BOX         in the box of that name (`physical` is one)\n"
		"  --home           here, where the tunnel's inside is; only the privileges are\n"
		"                   dropped (root only)\n"
		"  --user USER      as that user, by name or number (root only)\n"
		"  -E VAR=VAL       set a variable for the program; repeatable\n"
		"\n"
		"In this version it needs root. Through sudo the program runs as the user who\n"
		"called sudo, with that user's groups; HOME, USER, LOGNAME, SHELL and\n"
		"XDG_RUNTIME_DIR become that user's where sudo had made them root's, and the\n"
		"SUDO_* variables are removed. sudo -E keeps the rest of the environment, which\n"
		"a desktop program usually wants. Root itself stays user 0. No capability is\n"
		"left in any case, and no_new_privs is set: sudo and other set-user-ID\n"
		"and other set-user-ID programs gain nothing inside.\n"
		"\n"
		"Names are resolved with the box's own resolv.conf. Working directory, terminal,\n"
		"signals, limits and umask are the caller's; descriptors above 2 are closed. The\n"
		"exit status is the program's; 125 wgns failed, 126 the program cannot be\n"
		"executed, 127 it was not found.\n"
		"\n"
		"  sudo wgns exec --physical curl https://portal.example/\n"
		"  sudo -E wgns exec --physical chromium --user-data-dir=/tmp/portal\n",
	.run = run,
};
