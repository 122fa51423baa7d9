// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/profile_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wgns/fd.h"
#include "wgns/filter.h"
#include "wgns/group.h"
#include "wgns/state.h"
#include "wgns/str.h"

#define NSEC_PER_SEC 1000000000

int profile_store_compile(const struct profile *p, struct compiled *out, struct err *e)
{
	const struct filter_rules rules = {
		.allow = p->allow,
		.n_allow = p->n_allow,
		.deny = p->deny,
		.n_deny = p->n_deny,
		.families = p->families,
		.n_families = p->n_families,
		.has_families = p->has_families,
	};

	*out = (struct compiled){ 0 };
	memcpy(out->magic, COMPILED_MAGIC, sizeof(out->magic));
	out->options =
		(p->hides_bus ? COMPILED_HIDE_BUS : 0U) | (p->is_fresh ? COMPILED_FRESH : 0U);
	return filter_compile(&rules, out, e);
}

/*
 * Nobody but root may open the file before it has its group, and nobody may find it without: it is written under
 * another name that is root's alone (0600), gets the group, then the mode that lets the group read, and then the name.
 */
static int put(int dir_fd, const struct profile *p, const struct compiled *c, const gid_t *gid,
	       struct err *e)
{
	/* of which contents it was made: exec compares it */
	const struct timespec stamp = { .tv_sec = p->stamp / NSEC_PER_SEC,
					.tv_nsec = p->stamp % NSEC_PER_SEC };
	const struct timespec times[] = { stamp, stamp };
	size_t len = COMPILED_HEAD + sizeof(c->code[0]) * (c->len[0] + c->len[1]);
	char file[PROFILE_NAME_MAX + sizeof(COMPILED_SUFFIX)];
	char staged[PROFILE_NAME_MAX + 16]; /* no name of a profile begins with a dot */

	(void)snprintf(file, sizeof(file), "%s" COMPILED_SUFFIX, p->name); /* fits */
	(void)snprintf(staged, sizeof(staged), ".%s.%d", p->name, (int)getpid()); /* fits */
	int rc = fd_replace_file_at(dir_fd, staged, c, len, 0600, e);
	if (rc < 0)
		return rc;
	if (fchownat(dir_fd, staged, 0, gid ? *gid : 0, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(dir_fd, staged, gid ? 0640 : 0644, 0) < 0)
		rc = err_set(e, errno, "set the group of %s", file);
	else if (utimensat(dir_fd, staged, times, 0) < 0)
		rc = err_set(e, errno, "set the time of %s", file);
	else if (renameat(dir_fd, staged, dir_fd, file) < 0)
		rc = err_set(e, errno, "replace %s", file);
	if (rc < 0)
		(void)unlinkat(dir_fd, staged, 0); /* the error that matters is already in @e */
	return rc;
}

int profile_store_write(int run_fd, const struct profile *p, struct err *e)
{
	AUTO_FREE struct compiled *c = malloc(sizeof(*c));
	gid_t gid = 0;

	if (!c)
		return err_set(e, ENOMEM, "profile %s", p->name);
	int rc = p->group[0] ? group_find(p->group, &gid, e) : 0;
	if (rc == -EINVAL)
		err_hint(e, "groupadd(8) makes it; Group= in the profile names another");
	if (rc == 0)
		rc = profile_store_compile(p, c, e);
	if (rc < 0)
		return err_context(e, "profile %s", p->name);
	AUTO_FD int dir_fd = state_openat(run_fd, PROFILE_STORE_PATH, O_RDONLY | O_DIRECTORY, e);
	if (dir_fd < 0)
		return dir_fd;
	rc = put(dir_fd, p, c, p->group[0] ? &gid : NULL, e);
	return rc < 0 ? err_context(e, "profile %s", p->name) : 0;
}

/* @is_bad: on failure, is it the fault of the file? */
static int make_one(int run_fd, const char *const *dirs, size_t n_dirs, const char *name,
		    bool *is_bad, struct err *e)
{
	struct diag_list diags = { 0 };
	struct profile p;

	profile_init(&p);
	int rc = profile_read(dirs, n_dirs, name, &p, &diags, e); /* @e has the first problem */
	diag_free(&diags);
	*is_bad = rc != -ENOMEM;
	if (rc == -ENODEV) {
		rc = 0; /* taken away on purpose */
	} else if (rc < 0) {
		err_context(e, "profile %s", name);
	} else if (!profile_is_for_root(&p) && profile_needs_helper(&p)) {
		rc = profile_store_write(run_fd, &p, e);
		*is_bad = rc == -EINVAL || rc == -E2BIG;
	}
	profile_free(&p);
	return rc;
}

int profile_store_make(int run_fd, const char *const *dirs, size_t n_dirs,
		       void (*note)(void *ctx, const char *text), void *ctx, struct err *e)
{
	char **names = NULL;
	size_t n = 0;

	/* a folder that is there was left by somebody, with files of who knows which profiles */
	int rc = profile_store_remove(run_fd, e);
	if (rc == 0)
		rc = state_mkdir(run_fd, PROFILE_STORE_PATH, 0755, 0, e);
	if (rc == 0)
		rc = profile_names(dirs, n_dirs, &names, &n, e);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct err why;
		bool is_bad;
		rc = make_one(run_fd, dirs, n_dirs, names[i], &is_bad, &why);
		if (rc < 0 && is_bad) {
			note(ctx, why.text);
			rc = 0;
		} else if (rc < 0) {
			*e = why;
		}
	}
	str_list_free(&names, &n);
	return rc;
}

int profile_store_remove(int run_fd, struct err *e)
{
	return state_remove_tree(run_fd, PROFILE_STORE_PATH, e);
}
