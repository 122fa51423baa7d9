// SPDX-License-Identifier: GPL-2.0-or-later
/* the uplinks while they are in physical: what they have there, and which are still there */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "op_internal.h"
#include "wgns/fd.h"
#include "wgns/str.h"

int op_uplink_check_gone(const struct rtnl_links *physical, const char *name, const struct err *why,
			 struct err *e)
{
	if (!rtnl_links_by_name(physical, name))
		return 0;
	*e = *why;
	err_context(e, "%s is in physical, and what it was is lost", name);
	err_hint(e, "`ip -n physical link set %s netns 1` moves it to home, then `wgns recover`",
		 name);
	return -e->code;
}

/* the uplinks that are in physical now, under their present names, in the order of the snapshot */
static int present_names(const struct snapshot *snap, const struct rtnl_links *now, char ***names,
			 size_t *n)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < snap->links.n; i++) {
		const struct rtnl_link *link = snapshot_find_link(now, &snap->links.items[i]);
		if (link)
			rc = str_list_add(names, n, link->name, strlen(link->name));
	}
	return rc;
}

/* has one of the uplinks gone home already, in an undo that was begun before? */
static int is_one_home(struct op_env *env, const struct snapshot *snap, struct err *e)
{
	struct rtnl_links home = { 0 };
	bool is_there = false;
	struct nl *nl;

	int rc = op_env_nl_home(env, &nl, e);
	if (rc == 0)
		rc = rtnl_dump_links(nl, &home, e);
	for (size_t i = 0; rc == 0 && i < snap->links.n; i++)
		is_there = is_there || snapshot_find_link(&home, &snap->links.items[i]);
	rtnl_links_free(&home);
	return rc < 0 ? rc : is_there;
}

/* it is kept in memory, too: a disk that is full does not hold up an uplink */
static int take_present(struct op_env *env, struct nl *nl, char *const *names, size_t n,
			struct err *e)
{
	const struct sysctl_dirs *dirs;
	struct err why;

	int rc = op_env_dirs_physical(env, &dirs, e);
	if (rc == 0)
		rc = snapshot_take(nl, dirs, names, n, &env->present, e);
	if (rc < 0)
		return rc;
	env->has_present = true;
	AUTO_FD int dir_fd = state_openat(env->run_fd, OP_BOX_PATH, O_RDONLY | O_DIRECTORY, &why);
	if (dir_fd < 0 || snapshot_write(&env->present, dir_fd, SNAPSHOT_PHYSICAL, &why) < 0)
		op_env_note(env, "%s: if this is interrupted, the uplinks get what they had before",
			    why.text);
	return 0;
}

/*
 * When `up` failed, nothing but wgns changed anything: what was saved in home is exact. When the layout was in use, an
 * uplink may have another lease or another address by now, and that is what it keeps.
 */
int route_restore_undo(struct op_env *env, const struct step *step, struct err *e)
{
	const struct snapshot *snap;
	struct rtnl_links links = { 0 };
	char **names = NULL;
	size_t n_names = 0;
	struct nl *nl;

	(void)step;
	if (env->is_rollback || !env->is_step_done || env->physical_fd < 0)
		return 0;
	int rc = op_env_snapshot(env, &snap, e);
	if (rc == 0)
		rc = op_env_nl_physical(env, &nl, e);
	if (rc == 0)
		rc = rtnl_dump_links(nl, &links, e);
	if (rc == 0 && present_names(snap, &links, &names, &n_names) < 0)
		rc = err_set(e, ENOMEM, "take the state of the uplinks");
	/*
	 * Those that are home lack everything: what was taken before, or what they had in home, is what counts. So it is, too, when
	 * an uplink that came later, and has steps of its own, was undone before.
	 */
	int is_begun = rc == 0 ? is_one_home(env, snap, e) : rc;
	if (is_begun < 0)
		rc = is_begun;
	if (is_begun == 0 && n_names)
		rc = take_present(env, nl, names, n_names, e);
	rtnl_links_free(&links);
	str_list_free(&names, &n_names);
	return rc;
}

/* without a readable snapshot everything that is neither lo nor a tunnel may be an uplink */
static int check_all_gone(const struct rtnl_links *physical, const struct err *why, struct err *e)
{
	for (size_t i = 0; i < physical->n; i++) {
		const struct rtnl_link *link = &physical->items[i];

		if (link->flags & IFF_LOOPBACK || backend_is_birth_name(link->name))
			continue;
		int rc = op_uplink_check_gone(physical, link->name, why, e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int op_uplinks_left(struct op_env *env, struct err *e)
{
	const struct snapshot *snap;
	struct rtnl_links links = { 0 };
	struct err why;
	struct nl *nl;

	if (env->physical_fd < 0)
		return 0;
	int snap_rc = op_env_snapshot(env, &snap, &why);
	if (snap_rc == -ENOENT)
		return 0;
	int rc = op_env_nl_physical(env, &nl, e);
	if (rc == 0)
		rc = rtnl_dump_links(nl, &links, e);
	if (rc == 0 && snap_rc < 0)
		rc = check_all_gone(&links, &why, e);
	for (size_t i = 0; rc == 0 && snap_rc == 0 && i < snap->links.n; i++) {
		const struct rtnl_link *link = snapshot_find_link(&links, &snap->links.items[i]);
		if (link)
			rc = err_say(e, EBUSY, "%s is still in physical", link->name);
	}
	rtnl_links_free(&links);
	return rc;
}
