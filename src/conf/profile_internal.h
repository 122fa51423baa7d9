/* SPDX-License-Identifier: GPL-2.0-or-later */
/* what the files of the profile reader share */
#ifndef WGNS_PROFILE_INTERNAL_H
#define WGNS_PROFILE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "keyfile.h"
#include "wgns/ini.h"
#include "wgns/profile.h"

#define PROF_ITEMS_MAX 1024 /* entries of Environment, of Unset, words of Command */
#define PROF_LISTS_MAX 64 /* of Allow, and as many of Deny */
#define PROF_DEPTH_MAX 8 /* a list that names a list ... */

/* one of Allow and Deny while it grows */
struct prof_calls {
	char ***names; /* where they go */
	size_t *n_names;
	char **lists; /* names of those that were read */
	size_t n_lists;
	unsigned line, col; /* where the key was first; line 0: nowhere */
};

struct prof_reader {
	struct profile *p;
	const struct profile_source *source; /* NULL: there are no lists */
	struct keyfile file;
	struct prof_calls allow, deny;
	struct {
		unsigned line, col;
	} no_new_privs; /* where the key is */
	size_t n_explained; /* unknown system calls */
};

/* profile.c */
/** prof_is_name - of a profile or a list */
bool prof_is_name(struct ini_span name);

/* What the keys do with their values, see struct keyfile_entry; @ctx is the struct prof_reader. */
/* profile_value.c: [Profile] */
int prof_take_description(void *ctx, struct ini_span value);
int prof_take_box(void *ctx, struct ini_span value);
int prof_take_group(void *ctx, struct ini_span value);
int prof_take_capabilities(void *ctx, struct ini_span value);
int prof_take_no_new_privs(void *ctx, struct ini_span value);
int prof_take_system_bus(void *ctx, struct ini_span value);
int prof_take_browser(void *ctx, struct ini_span value);
int prof_take_listen(void *ctx, struct ini_span value);
int prof_take_environment(void *ctx, struct ini_span value);
int prof_take_unset(void *ctx, struct ini_span value);
int prof_take_command(void *ctx, struct ini_span value);
/* profile_agent.c: [Agent] */
int prof_take_agent_uplinks(void *ctx, struct ini_span value);
int prof_take_agent_command(void *ctx, struct ini_span value);
/* profile_filter.c: [Filter] */
int prof_take_allow(void *ctx, struct ini_span value);
int prof_take_deny(void *ctx, struct ini_span value);
int prof_take_families(void *ctx, struct ini_span value);
/** prof_check_filter - when the file has ended: can a program be started at all? */
void prof_check_filter(struct prof_reader *r);
/** prof_calls_free - what only reading needed; the names stay */
void prof_calls_free(struct prof_calls *calls);

#endif
