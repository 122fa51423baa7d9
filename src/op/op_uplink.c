// SPDX-License-Identifier: GPL-2.0-or-later
/* the uplinks: what they have, moving them, and moving them back */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "op_internal.h"
#include "wgns/fd.h"
#include "wgns/str.h"

static int open_box(struct op_env *env, struct err *e)
{
	return state_openat(env->run_fd, OP_BOX_PATH, O_RDONLY | O_DIRECTORY, e);
}

int uplinks_save_run(struct op_env *env, const struct step *step, struct err *e)
{
	const struct sysctl_dirs *dirs;
	struct nl *nl;

	(void)step; /* the names come from the plan: a step's words are cut at a number */
	AUTO_FD int dir_fd = open_box(env, e);
	if (dir_fd < 0)
		return dir_fd;
	int rc = op_env_nl_home(env, &nl, e);
	if (rc == 0)
		rc = op_env_dirs_home(env, &dirs, e);
	if (rc < 0)
		return rc;
	rc = snapshot_take(nl, dirs, env->plan->uplinks, env->plan->n_uplinks, &env->snap, e);
	if (rc < 0)
		return rc;
	env->has_snap = true;
	rc = op_save_wdevs(env, &env->snap, e);
	if (rc < 0)
		return rc;
	return snapshot_write(&env->snap, dir_fd, SNAPSHOT_HOME, e);
}

static const struct rtnl_link *saved_link(const struct snapshot *snap, const char *name)
{
	return rtnl_links_by_name(&snap->links, name);
}

int link_move_run(struct op_env *env, const struct step *step, struct err *e)
{
	const struct rtnl_link *old = saved_link(&env->snap, step->words[1]);
	struct nl_msg m;
	struct nl *nl;

	if (!old)
		return err_set(e, ENODEV, "find %s", step->words[1]);
	int rc = op_env_nl_home(env, &nl, e);
	if (rc < 0)
		return rc;
	rtnl_build_link_move(&m, old->ifindex, env->physical_fd, old->name, 0);
	return nl_talk(nl, &m, e);
}

void op_uplink_free_name(const struct rtnl_links *home, const char *name, char out[IFNAMSIZ])
{
	for (unsigned i = 1; i < 1000; i++) {
		(void)snprintf(out, IFNAMSIZ, "%.11s-%u", name, i);
		if (!rtnl_links_by_name(home, out))
			return;
	}
}

/* kernels before 6.7 do not say which */
const char *op_uplink_taken_altname(const struct rtnl_links *home, const struct rtnl_link *link)
{
	for (size_t i = 0; i < link->n_altnames; i++) {
		for (size_t k = 0; k < home->n; k++) {
			const struct rtnl_link *other = &home->items[k];

			if (strcmp(other->name, link->altnames[i]) == 0)
				return link->altnames[i];
			for (size_t a = 0; a < other->n_altnames; a++) {
				if (strcmp(other->altnames[a], link->altnames[i]) == 0)
					return link->altnames[i];
			}
		}
	}
	return NULL;
}

static int move_back(struct op_env *env, const struct rtnl_link *now, const struct rtnl_link *old,
		     struct nl *nl, struct err *e)
{
	struct rtnl_links home = { 0 };
	char name[IFNAMSIZ];
	struct nl *home_nl;
	struct nl_msg m;

	int rc = op_env_nl_home(env, &home_nl, e);
	if (rc == 0)
		rc = rtnl_dump_links(home_nl, &home, e);
	if (rc < 0)
		return rc;
	(void)snprintf(name, sizeof(name), "%s", old->name);
	if (rtnl_links_by_name(&home, old->name)) {
		op_uplink_free_name(&home, old->name, name);
		op_env_note(env,
			    "home has another device called %s by now: the uplink comes back as %s",
			    old->name, name);
	}
	/* its old number when that is free: programs and rules remember it */
	bool is_index_free = !rtnl_links_by_index(&home, old->ifindex);
	const char *taken = op_uplink_taken_altname(&home, now);
	rtnl_links_free(&home);
	if (taken)
		return err_say(e, EEXIST, "move %s to home: a device there is called %s by now",
			       now->name, taken);
	rtnl_build_link_move(&m, now->ifindex, env->home_fd, name,
			     is_index_free && now->ifindex != old->ifindex ? old->ifindex : 0);
	rc = nl_talk(nl, &m, e);
	if (rc == -EINVAL || rc == -EBUSY) { /* IFLA_NEW_IFINDEX: Linux 5.13 */
		rtnl_build_link_move(&m, now->ifindex, env->home_fd, name, 0);
		rc = nl_talk(nl, &m, e);
	}
	return rc < 0 ? err_context(e, "move %s to home", now->name) : 0;
}

int link_move_undo(struct op_env *env, const struct step *step, struct err *e)
{
	const struct snapshot *snap;
	struct rtnl_links links = { 0 };
	struct err why;
	struct nl *nl;

	if (env->physical_fd < 0)
		return 0; /* the namespace is gone, and the kernel gave the device back */
	int rc = op_env_nl_physical(env, &nl, e);
	if (rc == 0)
		rc = rtnl_dump_links(nl, &links, e);
	if (rc < 0)
		return rc;
	rc = op_env_snapshot(env, &snap, &why);
	if (rc < 0) {
		rc = op_uplink_check_gone(&links, step->words[1], &why, e);
	} else {
		const struct rtnl_link *old = saved_link(snap, step->words[1]);
		const struct rtnl_link *now = old ? snapshot_find_link(&links, old) : NULL;
		/* not there: it never moved, or it was unplugged, or made anew by its driver and is another device */
		rc = now ? move_back(env, now, old, nl, e) : 0;
	}
	rtnl_links_free(&links);
	return rc;
}

static int in_physical(struct op_env *env, struct restore *r, struct err *e)
{
	*r = (struct restore){ .is_host = true };
	int rc = op_env_nl_physical(env, &r->nl, e);
	if (rc == 0)
		rc = op_env_dirs_physical(env, &r->dirs, e);
	return rc < 0 ? rc : op_env_snapshot(env, &r->snap, e);
}

int link_restore_run(struct op_env *env, const struct step *step, struct err *e)
{
	struct restore r;
	int rc = in_physical(env, &r, e);

	if (rc < 0)
		return rc;
	const struct rtnl_link *old = saved_link(r.snap, step->words[1]);
	return old ? restore_link(&r, old, e) : err_set(e, ENODEV, "find %s", step->words[1]);
}

int addr_restore_run(struct op_env *env, const struct step *step, struct err *e)
{
	struct restore r;
	int rc = in_physical(env, &r, e);

	(void)step;
	return rc < 0 ? rc : restore_addrs(&r, e);
}

int neigh_restore_run(struct op_env *env, const struct step *step, struct err *e)
{
	struct restore r;
	int rc = in_physical(env, &r, e);

	(void)step;
	return rc < 0 ? rc : restore_neighs(&r, e);
}

int rule_restore_run(struct op_env *env, const struct step *step, struct err *e)
{
	struct restore r;
	int rc = in_physical(env, &r, e);

	(void)step;
	return rc < 0 ? rc : restore_rules(&r, e);
}

int route_restore_run(struct op_env *env, const struct step *step, struct err *e)
{
	struct restore r;
	int rc = in_physical(env, &r, e);

	(void)step;
	if (rc == 0)
		rc = restore_routes(&r, e);
	return rc < 0 ? rc : restore_finish(&r, e);
}

struct first_error {
	struct op_env *env;
	bool is_note; /* `down`: what the kernel refuses is said, and holds up nothing */
	struct err *e;
	int rc;
};

/* not the object was refused, but we: that may be mended, and then it can be given back */
static bool is_ours(int code)
{
	return code == EPERM || code == ENOMEM || code == ENOBUFS || code == EMFILE ||
	       code == ENFILE || code == EIO || code == ENOSPC;
}

static void take_result(struct first_error *f, int rc, const struct err *why)
{
	if (rc >= 0 || rc == -ENODEV) /* unplugged meanwhile */
		return;
	if (f->is_note && (!is_ours(-rc) || f->env->should_force)) {
		op_env_note(f->env, "cannot be given back: %s", why->text);
	} else if (f->rc == 0) {
		*f->e = *why;
		f->rc = rc;
	}
}

/* everything that can be restored is, whatever is refused in between */
static int restore_all(const struct restore *r, struct first_error *f)
{
	struct err why;

	for (size_t i = 0; i < r->snap->links.n; i++)
		take_result(f, restore_link(r, &r->snap->links.items[i], &why), &why);
	take_result(f, restore_addrs(r, &why), &why);
	take_result(f, restore_neighs(r, &why), &why);
	take_result(f, restore_routes(r, &why), &why);
	take_result(f, restore_finish(r, &why), &why);
	return f->rc;
}

/* sysctls that physical forces on its devices are given back as home had them */
static int restore_home_sysctls(const struct restore *r, struct err *e)
{
	struct snapshot only = { .links = r->snap->links };
	struct restore part = *r;
	struct rtnl_links now = { 0 };

	only.sysctls = calloc(r->snap->n_sysctls + 1, sizeof(*only.sysctls));
	if (!only.sysctls)
		return err_set(e, ENOMEM, "restore the sysctls");
	for (size_t i = 0; i < r->snap->n_sysctls; i++) {
		if (strstr(r->snap->sysctls[i].path, "/forwarding") ||
		    strstr(r->snap->sysctls[i].path, "/mc_forwarding") ||
		    strstr(r->snap->sysctls[i].path, "/stable_secret"))
			only.sysctls[only.n_sysctls++] = r->snap->sysctls[i];
	}
	part.snap = &only;
	int rc = rtnl_dump_links(r->nl, &now, e);
	for (size_t i = 0; rc == 0 && i < only.links.n; i++) {
		const struct rtnl_link *old = &only.links.items[i];
		const struct rtnl_link *link = snapshot_find_link(&now, old);
		if (link)
			rc = sysctl_write_device(&part, old->name, link->name, SYSCTL_BEFORE_UP, e);
	}
	rtnl_links_free(&now);
	free(only.sysctls);
	return rc;
}

/* all uplinks are in home again: give them what they had */
int uplinks_save_undo(struct op_env *env, const struct step *step, struct err *e)
{
	const struct snapshot *snap;
	struct restore r = { 0 };
	struct err why;

	(void)step;
	int rc = op_env_snapshot(env, &snap, &why);
	if (rc == -ENOENT)
		return 0; /* it was not written: nothing has moved */
	if (rc < 0) {
		/* once they are all in home, by hand, there is nothing that it could add */
		rc = op_uplinks_left(env, e);
		if (rc == 0)
			op_env_note(env,
				    "%s: the addresses and routes of the uplinks are for their "
				    "manager to set",
				    why.text);
		return rc;
	}
	rc = op_env_nl_home(env, &r.nl, e);
	if (rc == 0)
		rc = op_env_dirs_home(env, &r.dirs, e);
	if (rc < 0)
		return rc;
	AUTO_FD int dir_fd = open_box(env, e);
	if (dir_fd < 0)
		return dir_fd;
	if (!env->has_present)
		env->has_present =
			snapshot_read(dir_fd, SNAPSHOT_PHYSICAL, &env->present, &why) == 0;
	struct first_error f = { .env = env, .is_note = !env->is_rollback, .e = e };
	r.snap = snap;
	/* a secret comes before the address mode that needs it */
	if (env->has_present)
		take_result(&f, restore_home_sysctls(&r, &why), &why);
	r.snap = env->has_present ? &env->present : snap;
	r.is_present = env->has_present;
	(void)restore_all(&r, &f); /* what failed is in f */
	r.snap = snap;
	r.is_present = false;
	if (env->has_present)
		take_result(&f, op_restore_absent(&r, snap, &env->present, &why), &why);
	take_result(&f, restore_orphans(&r, &why), &why);
	rc = f.rc;
	/* those that came back work by now; one that did not keeps the step open */
	return rc < 0 ? rc : op_uplinks_left(env, e);
}
