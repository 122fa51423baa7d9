// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "profile_internal.h"

static const struct keyfile_entry entries[] = {
	{ "[Profile]", "Description", "a line of at most 127 bytes", prof_take_description, false },
	{ "[Profile]", "Box", "the name of a box", prof_take_box, false },
	{ "[Profile]", "Group", "the name of a group", prof_take_group, false },
	{ "[Profile]", "Capabilities", "all, none, or names of capabilities(7)",
	  prof_take_capabilities, false },
	{ "[Profile]", "NoNewPrivs", "yes or no", prof_take_no_new_privs, false },
	{ "[Profile]", "SystemBus", "yes or no", prof_take_system_bus, false },
	{ "[Profile]", "Browser", "as-is or fresh", prof_take_browser, false },
	{ "[Profile]", "Listen", "yes or no", prof_take_listen, false },
	{ "[Profile]", "Environment", "VARIABLE=VALUE", prof_take_environment, true },
	{ "[Profile]", "Unset", "names of variables", prof_take_unset, true },
	{ "[Profile]", "Command", "the absolute path of a program, and arguments",
	  prof_take_command, false },
	{ "[Agent]", "Uplinks", "all or wireless", prof_take_agent_uplinks, false },
	{ "[Agent]", "Command", "a program, and arguments, of which %i is the uplink",
	  prof_take_agent_command, true },
	{ "[Filter]", "Allow", "names of system calls, or @LIST", prof_take_allow, true },
	{ "[Filter]", "Deny", "names of system calls, or @LIST", prof_take_deny, true },
	{ "[Filter]", "Families", "none, or names of address families", prof_take_families, false },
};
_Static_assert(sizeof(entries) / sizeof(entries[0]) <= KEYFILE_ENTRIES_MAX, "room for every key");

int profile_parse(const char *text, size_t len, const struct profile_source *source,
		  struct profile *p, struct diag_list *diags)
{
	struct prof_reader r = {
		.p = p,
		.source = source,
		.file = { .entries = entries,
			  .n_entries = sizeof(entries) / sizeof(entries[0]),
			  .diags = diags },
		.allow = { .names = &p->allow, .n_names = &p->n_allow },
		.deny = { .names = &p->deny, .n_names = &p->n_deny },
	};
	size_t n_errors = diags->n_errors;

	r.file.ctx = &r;
	int rc = keyfile_read(&r.file, text, len);

	if (rc == 0)
		prof_check_filter(&r);
	prof_calls_free(&r.allow);
	prof_calls_free(&r.deny);
	if (rc < 0)
		return rc;
	return diags->n_errors == n_errors ? 0 : -EINVAL;
}
