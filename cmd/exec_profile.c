// SPDX-License-Identifier: GPL-2.0-or-later
/* the profile of an exec: which, may the caller use it, is what root compiled of it still right */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "exec.h"
#include "installed.h"
#include "wgns/compiled.h"
#include "wgns/group.h"
#include "wgns/str.h"

#define OWN_DEFAULT INSTALLED_OWN_PROFILES "/" EXEC_DEFAULT_PROFILE PROFILE_SUFFIX

static int check_rights(const struct exec_request *rq, struct err *e)
{
	const char *name = rq->profile.name, *sudo_uid = getenv("SUDO_UID");

	if (rq->n_sockets && !rq->profile.may_listen)
		return err_say(e, EPERM, "the profile %s does not offer --listen", name);
	if (!profile_is_for_root(&rq->profile))
		return 0;
	if (geteuid() != 0) {
		(void)err_say(e, EPERM, "the profile %s keeps privileges: only root can use it",
			      name);
		err_hint(e, "sudo wgns exec --user root --profile %s ...", name);
		return -EPERM;
	}
	/* the user who called sudo(8) would keep them in programs of an ordinary user */
	if (!rq->user && sudo_uid && strcmp(sudo_uid, "0") != 0) {
		(void)err_say(e, EPERM, "the profile %s keeps privileges: say who gets them", name);
		err_hint(e, "--user root, or another user");
		return -EPERM;
	}
	return 0;
}

/* what the default that came with wgns says: nothing */
static int use_builtin(struct exec_request *rq, struct err *e)
{
	profile_init(&rq->profile);
	(void)snprintf(rq->profile.name, sizeof(rq->profile.name), "%s", EXEC_DEFAULT_PROFILE);
	return check_rights(rq, e);
}

/* what there is, for somebody who has misspelt it */
static void list_profiles(const char *const *dirs, struct err *e)
{
	AUTO_STRBUF struct strbuf list = { 0 };
	char **names = NULL;
	size_t n = 0;
	struct err ignored; /* the one that matters is in @e */

	if (profile_names(dirs, INSTALLED_PROFILE_DIRS, &names, &n, &ignored) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		strbuf_addf(&list, "%s%s", i ? ", " : "", names[i]);
	if (list.len)
		err_hint(e, "there are: %s", list.s);
	str_list_free(&names, &n);
}

int exec_read_profile(struct exec_request *rq, struct err *e)
{
	const char *name = rq->profile_name ? rq->profile_name : EXEC_DEFAULT_PROFILE;
	const char *dirs[INSTALLED_PROFILE_DIRS];
	char shipped[PATH_MAX];
	struct diag_list diags = { 0 };

	/* the default that came with wgns says nothing: only the machine's own is worth the time to read it */
	struct stat st;
	if (!rq->profile_name && lstat(OWN_DEFAULT, &st) < 0 && errno == ENOENT)
		return use_builtin(rq, e);
	installed_profiles(shipped, dirs);
	int rc = profile_read(dirs, INSTALLED_PROFILE_DIRS, name, &rq->profile, &diags, e);
	if (diags.n_items)
		cmd_print_diags(stderr, &diags);
	if (rc == -EINVAL && diags.n_errors)
		rc = err_say(e, EINVAL, "the profile %s has %zu mistake%s", name, diags.n_errors,
			     diags.n_errors == 1 ? "" : "s");
	diag_free(&diags);
	if (rc == -ENOENT)
		list_profiles(dirs, e);
	if (rc < 0)
		return rc;
	if (!rq->box && rq->profile.box[0])
		rq->box = rq->profile.box;
	return check_rights(rq, e);
}

static int64_t modified_ns(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

int exec_check_compiled(const struct exec_request *rq, struct err *e)
{
	const struct profile *p = &rq->profile;
	char path[sizeof("/" COMPILED_DIR "/" COMPILED_SUFFIX) + PROFILE_NAME_MAX];
	struct stat st;
	gid_t gid;
	int code = 0;

	(void)snprintf(path, sizeof(path), "/" COMPILED_DIR "/%s" COMPILED_SUFFIX,
		       p->name); /* fits */
	if (p->group[0] && group_find(p->group, &gid, e) < 0) {
		(void)err_say(e, EINVAL, "the profile %s is for group %s, which does not exist",
			      p->name, p->group);
		err_hint(e,
			 "sudo groupadd --system %s, then sudo wgns exec --profile %s --in %s true",
			 p->group, p->name, rq->box);
		return -EINVAL;
	}
	if (stat(path, &st) < 0)
		code = errno;
	if (code == ENOENT)
		(void)err_say(e, ENOENT, "the profile %s was not compiled when the box came up",
			      p->name);
	else if (code)
		(void)err_set(e, code, "find the compiled profile %s", p->name);
	else if (modified_ns(&st) != p->stamp)
		(void)err_say(e, ESTALE, "%s was changed after it was compiled", p->path);
	else if (access(path, R_OK) == 0)
		return 0;
	else
		(void)err_say(e, EACCES, "permission denied: group %s may use the profile %s",
			      p->group, p->name);
	if (e->code == EACCES) {
		err_hint(e,
			 "after usermod(8): log out and in again; when the group is a new one: "
			 "sudo wgns exec --profile %s --in %s true",
			 p->name, rq->box);
		return -EACCES;
	}
	err_hint(e, "root's next use compiles it: sudo wgns exec --profile %s --in %s true",
		 p->name, rq->box);
	return -e->code;
}
