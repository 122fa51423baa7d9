// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/profile.h"

#include <stdlib.h>
#include <string.h>

#include "profile_internal.h"
#include "wgns/str.h"

void profile_init(struct profile *p)
{
	*p = (struct profile){ .has_no_new_privs = true, .may_listen = true };
}

void profile_free(struct profile *p)
{
	free(p->path);
	free(p->families);
	str_list_free(&p->env, &p->n_env);
	str_list_free(&p->unset, &p->n_unset);
	str_list_free(&p->command, &p->n_command);
	for (size_t i = 0; i < p->n_agents; i++)
		str_list_free(&p->agents[i].argv, &p->agents[i].argc);
	str_list_free(&p->allow, &p->n_allow);
	str_list_free(&p->deny, &p->n_deny);
	profile_init(p);
}

bool profile_is_for_root(const struct profile *p)
{
	return p->capabilities || !p->has_no_new_privs;
}

bool profile_has_filter(const struct profile *p)
{
	return p->n_allow || p->n_deny || p->has_families;
}

bool profile_needs_helper(const struct profile *p)
{
	return profile_has_filter(p) || p->hides_bus || p->is_fresh || p->group[0];
}

bool prof_is_name(struct ini_span name)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+.-";

	if (name.len == 0 || name.len > PROFILE_NAME_MAX || name.s[0] == '.' || name.s[0] == '-')
		return false;
	for (size_t i = 0; i < name.len; i++) {
		if (!memchr(allowed, name.s[i], sizeof(allowed) - 1))
			return false;
	}
	return true;
}
