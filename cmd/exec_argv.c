// SPDX-License-Identifier: GPL-2.0-or-later
/* the argument list of an exec */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "browser.h"
#include "cmd.h"
#include "exec.h"
#include "wgns/seal.h"
#include "wgns/str.h"

#define ENV_PROGRAM "/usr/bin/env"

struct list {
	char **argv;
	size_t n;
};

static void add(struct list *list, char *word)
{
	list->argv[list->n++] = word;
}

static void add_all(struct list *list, char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add(list, words[i]);
}

/*
 * Variables are set by `env VAR=VAL PROGRAM`: what the loader reads must not reach the helper, and AT_SECURE would remove
 * it.
 */
static void add_env(struct list *list, const struct exec_request *rq)
{
	static char env[] = ENV_PROGRAM, unset[] = "-u", end[] = "--";
	const struct profile *p = &rq->profile;

	if (!p->n_unset && !p->n_env && !rq->n_env)
		return;
	add(list, env);
	for (size_t i = 0; i < p->n_unset; i++) {
		add(list, unset);
		add(list, p->unset[i]);
	}
	add(list, end); /* names of variables are the user's: no option of env among them */
	add_all(list, p->env, p->n_env);
	add_all(list, rq->env, rq->n_env); /* the later one counts */
}

static int add_browser(struct list *list, const struct exec_request *rq, char *buf, struct err *e)
{
	char *args[BROWSER_ARGS_MAX],
		dir[sizeof("/" SEAL_BOX_DIR "//" SEAL_FRESH_NAME) + SEAL_NAME_MAX];

	if (!rq->profile.is_fresh)
		return 0;
	if (browser_kind(rq->argv[0]) == BROWSER_NONE) {
		cmd_warn("%s is no browser that wgns knows: it gets no profile of its own",
			 rq->argv[0]);
		return 0;
	}
	(void)snprintf(dir, sizeof(dir), "/" SEAL_BOX_DIR "/%s/" SEAL_FRESH_NAME,
		       rq->box); /* fits */
	int n = browser_fresh_args(rq->argv, dir, buf, args, e);
	if (n < 0)
		return n;
	add_all(list, args, (size_t)n);
	return 0;
}

char **exec_build_argv(const struct exec_request *rq, size_t n_before, char *buf, struct err *e)
{
	const struct profile *p = &rq->profile;
	/* "env", "--", and the NULL at the end */
	size_t n_max = n_before + 3 + 2 * p->n_unset + p->n_env + rq->n_env + p->n_command +
		       BROWSER_ARGS_MAX + (size_t)rq->argc;
	AUTO_FREE char **argv = calloc(n_max, sizeof(*argv));
	struct list list = { .argv = argv, .n = n_before };

	if (!argv) {
		(void)err_set(e, ENOMEM, "build the argument list");
		return NULL;
	}
	add_env(&list, rq);
	if (list.n > n_before && !p->n_command && strchr(rq->argv[0], '=')) {
		(void)err_say(e, EINVAL,
			      "variables cannot be set for a program that has '=' in its name");
		return NULL;
	}
	add_all(&list, p->command, p->n_command);
	add(&list, rq->argv[0]);
	if (add_browser(&list, rq, buf, e) < 0)
		return NULL;
	add_all(&list, rq->argv + 1, (size_t)rq->argc - 1);
	char **taken = argv;
	argv = NULL;
	return taken;
}
