// SPDX-License-Identifier: GPL-2.0-or-later
/* [Agent] of a profile: how an agent is started */
#include <errno.h>
#include <string.h>

#include "profile_internal.h"
#include "wgns/str.h"

#define WORDS_MAX 64

int prof_take_agent_uplinks(void *ctx, struct ini_span value)
{
	struct prof_reader *r = ctx;

	r->p->is_for_air = ini_is(value, "wireless");
	return r->p->is_for_air || ini_is(value, "all") ? 0 : -EINVAL;
}

/* a name that is looked for in the usual folders, or a path from / on */
static bool is_program(struct ini_span word)
{
	const char *slash = memchr(word.s, '/', word.len);

	return word.s[word.len - 1] != '/' && (!slash || slash == word.s) && word.s[0] != '-' &&
	       word.s[0] != '.' && !memchr(word.s, '%', word.len);
}

int prof_take_agent_command(void *ctx, struct ini_span value)
{
	struct prof_reader *r = ctx;
	struct ini_span word;

	if (r->p->n_agents == PROFILE_AGENTS_MAX) {
		keyfile_error(&r->file, value.s, "more than %d of them", PROFILE_AGENTS_MAX);
		return 0;
	}
	struct profile_command *c = &r->p->agents[r->p->n_agents++];
	while (ini_word(&value, "", &word)) {
		if (c->argc == WORDS_MAX || (!c->argc && !is_program(word)))
			return -EINVAL;
		int rc = str_list_add(&c->argv, &c->argc, word.s, word.len);
		if (rc < 0)
			return rc;
	}
	return c->argc ? 0 : -EINVAL;
}
