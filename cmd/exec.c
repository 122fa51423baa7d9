// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * exec - resolve what was asked for and become the program
 *
 * Options, the profile and who the program is to be are decided here, with the rights of the caller. What follows, entering the box and
 * giving everything up, is the helper's for ordinary users, who have no right to do it, and happens in this process for
 * root. It is one process from the shell to the program, so terminal, job control, signals and exit status need no code.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "browser.h"
#include "cmd.h"
#include "enter.h"
#include "exec.h"
#include "identity.h"
#include "installed.h"
#include "listen.h"
#include "wgns/fd.h"
#include "wgns/filter.h"
#include "wgns/keep.h"
#include "wgns/netns.h"
#include "wgns/profile_store.h"
#include "wgns/seal.h"
#include "wgns/state.h"
#include "wgns/str.h"

#define HELPER_ARGS 4 /* wgns-exec BOX PROFILE SOCKETS */

static void free_request(struct exec_request *rq)
{
	free(rq->env);
	profile_free(&rq->profile);
}

static int choose_box(struct exec_request *rq, const char *box, struct err *e)
{
	if (rq->box)
		return err_say(e, EINVAL, "give one of --physical, --in and --home");
	if (!seal_is_box_name(box))
		return err_say(
			e, EINVAL,
			"a box is named with 1 to 64 of a-z A-Z 0-9 _ . + -, and not . or ..");
	rq->box = box;
	return 0;
}

static int add_env(struct exec_request *rq, char *assignment, struct err *e)
{
	const char *equals = strchr(assignment, '=');

	if (!equals || equals == assignment)
		return err_say(e, EINVAL, "-E takes VAR=VAL");
	rq->env[rq->n_env++] = assignment;
	return 0;
}

static int add_socket(struct exec_request *rq, const char *address, struct err *e)
{
	if (rq->n_sockets == LISTEN_MAX)
		return err_say(e, EINVAL, "--listen can be given %d times", LISTEN_MAX);
	int rc = listen_parse(address, &rq->sockets[rq->n_sockets], e);
	if (rc == 0)
		rq->n_sockets++;
	return rc;
}

static int take_option(struct exec_request *rq, int opt, struct err *e)
{
	switch (opt) {
	case 'p':
		return choose_box(rq, "physical", e);
	case 'h':
		return choose_box(rq, "home", e);
	case 'i':
		return choose_box(rq, optarg, e);
	case 'E':
		return add_env(rq, optarg, e);
	case 'l':
		return add_socket(rq, optarg, e);
	case 'u':
		rq->user = optarg;
		return 0;
	default: /* 'P': getopt_long() gives nothing else */
		rq->profile_name = optarg;
		return 0;
	}
}

static int parse(struct exec_request *rq, int argc, char **argv, struct err *e)
{
	static const struct option options[] = {
		{ "physical", no_argument, NULL, 'p' },
		{ "in", required_argument, NULL, 'i' },
		{ "home", no_argument, NULL, 'h' },
		{ "user", required_argument, NULL, 'u' },
		{ "profile", required_argument, NULL, 'P' },
		{ "env", required_argument, NULL, 'E' },
		{ "listen", required_argument, NULL, 'l' },
		{ NULL, 0, NULL, 0 },
	};
	int opt, rc = 0;

	rq->env = calloc((size_t)argc, sizeof(*rq->env));
	if (!rq->env)
		return err_set(e, ENOMEM, "read the options");
	opterr = 0;
	while (rc == 0 && (opt = getopt_long(argc, argv, "+:E:", options, NULL)) != -1) {
		if (opt == ':')
			return err_say(e, EINVAL, "%s: an argument is missing", argv[optind - 1]);
		/* of a short option getopt(3) tells the letter, of a long one that it has passed it */
		if (opt == '?' && optopt > ' ' && optopt < 0x7f)
			return err_say(e, EINVAL, "-%c: no such option", optopt);
		if (opt == '?')
			return err_say(e, EINVAL, "%s: no such option", argv[optind - 1]);
		rc = take_option(rq, opt, e);
	}
	if (rc < 0)
		return rc;
	rq->argv = argv + optind;
	rq->argc = argc - optind;
	if (!rq->box && !rq->profile_name)
		return err_say(e, EINVAL, "where? give --physical, --in BOX or --home");
	return rq->argc ? 0 : err_say(e, EINVAL, "which program?");
}

static int identify(const struct exec_request *rq, struct identity *id, struct err *e)
{
	bool is_root = geteuid() == 0;

	if (!is_root && rq->user)
		return err_say(e, EPERM, "--user is for root");
	if (!is_root && strcmp(rq->box, "home") == 0)
		return err_say(e, EPERM, "--home is for root");
	if (!is_root)
		return 0;
	return rq->user ? identity_of_user(rq->user, id, e) : identity_of_sudo(id, e);
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

/* everything that can be refused before anything is done */
static int check(const struct exec_request *rq, struct identity *id, struct err *e)
{
	bool is_home = strcmp(rq->box, "home") == 0;

	if (is_home && rq->profile.is_fresh)
		return err_say(e, EINVAL, "the profile %s needs a box: home has none",
			       rq->profile.name);
	int rc = is_home ? 0 : exec_check_box(rq->box, e);
	if (rc == 0)
		rc = identify(rq, id, e);
	if (rc == 0 && is_home)
		rc = check_home(e);
	if (rc == 0 && geteuid() != 0 && profile_needs_helper(&rq->profile))
		rc = exec_check_compiled(rq, e);
	return rc;
}

/* for root's own program; and for the users, where what they have is not of the present file */
static int compile(const struct exec_request *rq, struct compiled *out, struct err *e)
{
	struct err why;
	int rc = profile_store_compile(&rq->profile, out, e);

	if (rc < 0)
		return err_context(e, "compile the profile %s", rq->profile.name);
	if (!profile_needs_helper(&rq->profile) || profile_is_for_root(&rq->profile))
		return 0;
	AUTO_FD int run_fd = state_open(false, &why);
	if (run_fd >= 0 && profile_store_write(run_fd, &rq->profile, &why) < 0)
		cmd_warn("%s", why.text);
	return 0; /* without /run/wgns nothing is up */
}

/*
 * We hold CAP_SYS_ADMIN here, so no_new_privs is not needed for a filter. A program of another user on root's terminal could push
 * a command into it, for root's shell to read.
 */
static void protect_terminal(void)
{
	static struct compiled terminal;
	struct err e;

	if (filter_compile_terminal(&terminal, &e) < 0)
		enter_die("", "protect the terminal", e.text);
	int rc = compiled_load(&terminal);
	if (rc < 0)
		enter_die("", "protect the terminal", strerror(-rc));
}

static void keep_privileges(const struct exec_request *rq, uid_t uid)
{
	const struct profile *p = &rq->profile;
	struct err e;

	cmd_warn("the program keeps privileges in %s: profile %s", rq->box, p->name);
	if (keep_capabilities(uid, p->capabilities, p->has_no_new_privs, &e) < 0)
		enter_die("", "keep the privileges of the profile", e.text);
}

static void become(uid_t uid)
{
	uid_t real, effective, saved;

	if (setresuid(uid, uid, uid) < 0)
		enter_die("", "become the user", strerror(errno));
	if (getresuid(&real, &effective, &saved) < 0 || real != uid || effective != uid ||
	    saved != uid)
		enter_die("", "become the user", "another user id remained");
	enter_drop();
}

/* root has what the helper's file capability gives to others: no second exec(2) */
static _Noreturn void start_as_root(const struct exec_request *rq, const struct identity *id,
				    const struct compiled *compiled, char **argv)
{
	uid_t uid = id->is_changed ? id->uid : getuid();

	if (strcmp(rq->box, "home") != 0)
		enter_box(rq->box, compiled->options, uid);
	if (uid != getuid())
		protect_terminal();
	if (profile_is_for_root(&rq->profile))
		keep_privileges(rq, uid);
	else
		become(uid);
	enter_close((unsigned)rq->n_sockets);
	if (strcmp(rq->box, "home") != 0)
		enter_cwd();
	enter_program(compiled, argv);
}

static int start_helper(const struct exec_request *rq, char **argv, struct err *e)
{
	static char name[] = "wgns-exec";
	char helper[PATH_MAX], box[SEAL_NAME_MAX + 1], profile[PROFILE_NAME_MAX + 1], n_sockets[16];

	(void)snprintf(box, sizeof(box), "%s", rq->box); /* checked names fit, and a small number */
	(void)snprintf(profile, sizeof(profile), "%s",
		       profile_needs_helper(&rq->profile) ? rq->profile.name : "-");
	(void)snprintf(n_sockets, sizeof(n_sockets), "%zu", rq->n_sockets);
	argv[0] = name;
	argv[1] = box;
	argv[2] = profile;
	argv[3] = n_sockets;
	installed_helper(helper);
	(void)execv(helper, argv); /* when it returns it failed */
	int rc = err_set(e, errno, "start the helper %s", helper);
	if (rc == -ENOENT)
		err_hint(e, "make install puts it there");
	else if (rc == -EPERM)
		err_hint(e, "CAP_SYS_ADMIN is not in the bounding set here, as in a container");
	return rc;
}

static int start(struct exec_request *rq, struct err *e)
{
	static struct compiled compiled; /* root's */
	struct identity id = { 0 };
	char browser_args[BROWSER_ARGS_CAP];

	int rc = exec_read_profile(rq, e);
	if (rc == 0 && !rq->box)
		rc = err_say(e, EINVAL,
			     "where? the profile %s names no box: give --physical or --in BOX",
			     rq->profile.name);
	if (rc == 0)
		rc = check(rq, &id, e);
	if (rc == 0 && geteuid() == 0)
		rc = compile(rq, &compiled, e);
	if (rc == 0 && id.is_changed) {
		rc = identity_take_groups(&id, e);
		if (rc == 0)
			rc = identity_take_environment(&id, e);
	}
	if (rc == 0)
		rc = exec_check_program(rq, id.is_changed ? id.uid : geteuid(), e);
	if (rc < 0)
		return rc;
	AUTO_FREE char **argv = exec_build_argv(rq, HELPER_ARGS, browser_args, e);
	if (!argv)
		return -e->code;
	rc = listen_open(rq->sockets, rq->n_sockets, e);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < rq->n_sockets; i++) {
		if (!listen_is_loopback(&rq->sockets[i]))
			cmd_warn("--listen: others than this machine can reach the program through "
				 "home");
	}
	if (geteuid() == 0)
		start_as_root(rq, &id, &compiled, argv + HELPER_ARGS);
	return start_helper(rq, argv, e);
}

static int run(int argc, char **argv)
{
	__attribute__((cleanup(free_request))) struct exec_request rq = { 0 };
	struct err e = { 0 };

	profile_init(&rq.profile);
	if (parse(&rq, argc, argv, &e) < 0) {
		(void)cmd_usage(&cmd_exec, "%s", e.text);
		return EXIT_EXEC_FAILED;
	}
	(void)start(&rq, &e); /* it returns only when it failed */
	(void)cmd_fail(&e, "exec");
	return EXIT_EXEC_FAILED;
}

const struct cmd cmd_exec = {
	.name = "exec",
	.usage = "--physical | --in BOX | --home [OPTION]... PROGRAM [ARG...]",
	.summary = "start a program in a box, without any privilege",
	.help = "  --physical       where the uplinks are: past the tunnel\n"
		"  --in BOX         in the box of that name (`physical` is one)\n"
		"  --profile P      how: default, strict, browser, ...; see wgns-profile(5)\n"
		"  -E VAR=VAL       set a variable for the program; repeatable\n"
		"  --listen [ADDR:]PORT\n"
		"                   give the program a TCP socket that listens in home, as\n"
		"                   systemd does (sd_listen_fds(3)); repeatable; 127.0.0.1\n"
		"                   without ADDR\n"
		"  --home           here, where the tunnel's inside is; only the privileges are\n"
		"                   dropped (root only)\n"
		"  --user USER      as that user, by name or number (root only)\n"
		"\n"
		"Who is in the box's group (wgns, see wgns.conf(5)) needs no root and no sudo.\n"
		"Root itself stays user 0; through sudo the program runs as the user who called\n"
		"sudo. No capability is left, unless root names a profile that keeps some, and\n"
		"no_new_privs is set: sudo and other set-user-ID programs gain nothing inside.\n"
		"\n"
		"Names are resolved with the box's own resolv.conf. Working directory, terminal,\n"
		"signals, limits and umask are the caller's; descriptors above 2 are closed. The\n"
		"exit status is the program's; 125 wgns failed, 126 the program cannot be\n"
		"executed, 127 it was not found.\n"
		"\n"
		"  wgns exec --physical curl https://portal.example/\n"
		"  wgns exec --profile browser chromium http://portal.example/\n",
	.run = run,
};
