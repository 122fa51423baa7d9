/* SPDX-License-Identifier: GPL-2.0-or-later */
/* profile - wgns-profile(5): how exec starts a program */
#ifndef WGNS_PROFILE_H
#define WGNS_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wgns/diag.h"
#include "wgns/err.h"

#define PROFILE_NAME_MAX 64
#define PROFILE_FILE_MAX (1u << 18)
#define PROFILE_SUFFIX ".profile"
#define PROFILE_LIST_SUFFIX ".list"

#define PROFILE_AGENTS_MAX 16

/* A way to start an agent: `Command =` of [Agent]. */
struct profile_command {
	char **argv; /* %i stands for the uplink */
	size_t argc;
};

struct profile {
	char name[PROFILE_NAME_MAX + 1];
	char *path; /* owned: the file that it was read from */
	int64_t stamp; /* of the contents of all files that it was read from: the same while these are */
	char description[128];
	char box[PROFILE_NAME_MAX + 1]; /* where, unless the command line says it; "": nowhere */
	char group[64]; /* who may use it; "": everyone who may enter the box */
	uint64_t capabilities; /* kept, one bit for each number of capabilities(7) */
	bool has_no_new_privs;
	bool hides_bus; /* D-Bus system bus */
	bool is_fresh; /* a browser gets an empty profile of its own */
	bool may_listen; /* --listen */
	char **env; /* "VAR=VAL" */
	size_t n_env;
	char **unset; /* names of variables */
	size_t n_unset;
	char **command; /* words in front of the program */
	size_t n_command;
	/* [Agent]: in the order in which they are tried; none: the profile is for no agent */
	struct profile_command agents[PROFILE_AGENTS_MAX];
	size_t n_agents;
	bool is_for_air; /* wireless uplinks only: it is the one that associates */
	/* system calls, with every @LIST expanded; see struct filter_rules */
	char **allow, **deny;
	size_t n_allow, n_deny;
	int *families; /* AF_... */
	size_t n_families;
	bool has_families;
};

/** profile_init - what a file that says nothing means */
void profile_init(struct profile *p);
void profile_free(struct profile *p);

/**
 * profile_parse - one file, as a pure function
 * @list: gives the text of the list @name (owned by the caller, alive until profile_parse() returns), the name of its
 *        file, or -ENOENT; problems inside are reported under that file name
 *
 * Return: 0, -EINVAL when there is an error among @diags, or -ENOMEM; @p is then half changed, and to be freed
 */
struct profile_source {
	int (*list)(void *ctx, const char *name, const char **file, const char **text, size_t *len);
	void *ctx;
};
int profile_parse(const char *text, size_t len, const struct profile_source *source,
		  struct profile *p, struct diag_list *diags);

/**
 * profile_read - NAME.profile from the first of @dirs that has it, with the lists that it names from the first of @dirs
 * that has those
 * @dirs: absolute, @n_dirs of them
 * @diags: receives every problem with the name of its file
 *
 * A file that somebody else than root could have written is an error. Return: 0; -ENOENT when no folder has it; -ENODEV when it
 * is a link to /dev/null; -EINVAL for
 * a bad name or a bad file, then @e holds the first problem; -EPERM; -errno
 */
int profile_read(const char *const *dirs, size_t n_dirs, const char *name, struct profile *out,
		 struct diag_list *diags, struct err *e);

/** profile_names - those in any of @dirs, sorted, each once; an owned array of owned strings. Return: 0 or -errno */
int profile_names(const char *const *dirs, size_t n_dirs, char ***names, size_t *n, struct err *e);

/** profile_is_for_root - does it leave a capability, or leave out no_new_privs? */
bool profile_is_for_root(const struct profile *p);
/** profile_has_filter - are there rules on system calls? */
bool profile_has_filter(const struct profile *p);
/** profile_needs_helper - is there something in it that only the helper can do, or that a group guards? */
bool profile_needs_helper(const struct profile *p);

#endif
