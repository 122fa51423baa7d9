// SPDX-License-Identifier: GPL-2.0-or-later
/* a device that came to home while the layout was up */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "change_internal.h"
#include "wgns/fd.h"
#include "wgns/host.h"
#include "wgns/host_agents.h"
#include "wgns/op.h"
#include "wgns/str.h"

#define RECORDS_MAX                                                                                \
	4096 /* of the layout's journal: a device that comes again and again does not fill /run */

struct adoption {
	struct op_env *env;
	const struct change_talk *talk;
	struct snapshot whole; /* of every uplink; the file's content */
	struct rtnl_links physical; /* what is there now */
	struct rtnl_links
		links; /* in home: the device that came, and with it what else is on its phy */
	struct nl80211_phy
		phy; /* on which they are; is_there false for a device that is not wireless */
};

/* @link and, when it is wireless, everything that moves with it */
static int find_group(const struct host *host, const struct rtnl_link *link, struct adoption *a,
		      struct err *e)
{
	const struct host_device *dev = &host->devices[link - host->links.items];

	a->phy = dev->phy;
	a->links.items = calloc(host->links.n, sizeof(*a->links.items));
	if (!a->links.items)
		return err_set(e, ENOMEM, "move %s", link->name);
	a->links.items[a->links.n++] = *link;
	for (size_t i = 0; i < host->links.n; i++) {
		if (&host->links.items[i] != link && plan_is_same_phy(dev, &host->devices[i]))
			a->links.items[a->links.n++] = host->links.items[i];
	}
	return 0;
}

/* the same card, whatever it is called and wherever it is plugged in */
static bool is_known(const struct snapshot *s, const struct rtnl_link *link)
{
	for (size_t i = 0; link->permaddr_len && i < s->links.n; i++) {
		const struct rtnl_link *old = &s->links.items[i];
		if (old->permaddr_len == link->permaddr_len && strcmp(old->kind, link->kind) == 0 &&
		    memcmp(old->permaddr, link->permaddr, link->permaddr_len) == 0)
			return true;
	}
	return false;
}

static int check_one(const struct host *host, const struct rtnl_link *link,
		     const struct adoption *a, struct err *e)
{
	int rc = plan_check_movable(host, link, e);

	for (size_t i = 0; rc == 0 && i < host->links.n; i++) {
		const struct rtnl_link *above = &host->links.items[i];
		if (above->lower != link->ifindex || above->has_lower_netnsid ||
		    above->ifindex == link->ifindex || strcmp(above->kind, "veth") == 0)
			continue;
		err_say(e, EBUSY, "%s cannot move to physical: %s is on it", link->name,
			above->name);
		rc = err_as(e, ERR_KIND_MACHINE);
	}
	if (rc == 0 && a->whole.links.n + a->links.n > RTNL_MAP_MAX) {
		err_say(e, E2BIG, "%s cannot move to physical: there are too many uplinks",
			link->name);
		rc = err_as(e, ERR_KIND_MACHINE);
	}
	for (size_t i = 0; rc == 0 && i < a->whole.links.n; i++) {
		const struct rtnl_link *old = &a->whole.links.items[i];
		if (old->ifindex != link->ifindex || !snapshot_find_link(&a->physical, old))
			continue;
		err_say(e, EEXIST, "%s cannot move to physical: %s had its number %d in home",
			link->name, old->name, old->ifindex);
		rc = err_as(e, ERR_KIND_MACHINE);
	}
	return rc;
}

/* Return: 1, 0 when it is no uplink, or why it cannot move */
static int judge(const struct change_adopt *adopt, const struct host *host, struct adoption *a,
		 struct err *e)
{
	const struct rtnl_link *link = rtnl_links_by_index(&host->links, adopt->ifindex);

	if (!link)
		return 0;
	bool is_wanted = host_is_candidate(host, link, adopt->uplinks, adopt->n_uplinks) &&
			 /* a default route alone may be that of another VPN over the tunnel */
			 (adopt->n_uplinks || link->has_parent_device);
	if (!is_wanted && !(is_known(&a->whole, link) && host_is_candidate(host, link, NULL, 0)))
		return 0;
	int rc = find_group(host, link, a, e);
	for (size_t i = 0; rc == 0 && i < a->links.n; i++)
		rc = check_one(host, rtnl_links_by_index(&host->links, a->links.items[i].ifindex),
			       a, e);
	return rc < 0 ? rc : 1;
}

static bool is_taken(const struct adoption *a, const struct rtnl_links *home, const char *name)
{
	return rtnl_links_by_name(&a->physical, name) || rtnl_links_by_name(home, name) ||
	       rtnl_links_by_name(&a->whole.links, name);
}

/*
 * The kernel gives a new card the first name that is free in home, and an uplink that has gone to physical may have had it.
 * Then it is renamed in home, as udev does it: names are what tells uplinks apart.
 */
static int choose_name(struct adoption *a, struct rtnl_links *home, struct rtnl_link *link,
		       struct err *e)
{
	size_t len = strlen(link->name);
	char name[IFNAMSIZ], stem[IFNAMSIZ];
	struct nl_msg m;
	struct nl *nl;

	if (!rtnl_links_by_name(&a->physical, link->name))
		return 0;
	while (len > 1 && isdigit((unsigned char)link->name[len - 1]))
		len--;
	(void)snprintf(stem, sizeof(stem), "%.*s", len > 11 ? 11 : (int)len, link->name);
	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "%.11s%u", stem, i);
		if (!is_taken(a, home, name))
			break;
	}
	int rc = op_env_nl_home(a->env, &nl, e);
	if (rc < 0)
		return rc;
	rtnl_build_link_set(&m, link->ifindex, 0, 0);
	if (!rtnl_put_link_name(&m, name))
		return err_set(e, EMSGSIZE, "rename %s", link->name);
	rc = nl_talk(nl, &m, e);
	if (rc < 0)
		return err_context(e, "rename %s to %s, because physical has a device of its name",
				   link->name, name);
	memcpy(link->name, name, sizeof(name));
	for (size_t i = 0; i < home->n; i++) {
		if (home->items[i].ifindex == link->ifindex)
			memcpy(home->items[i].name, name, sizeof(name));
	}
	return 0;
}

/* all but what the new devices were called, or were, before */
static bool is_another(const struct rtnl_link *old, void *ctx)
{
	const struct rtnl_links *links = ctx;
	bool is_same = false;

	for (size_t i = 0; i < links->n; i++) {
		const struct rtnl_link *link = &links->items[i];
		is_same = is_same || strcmp(old->name, link->name) == 0 ||
			  old->ifindex == link->ifindex ||
			  (old->permaddr_len && old->permaddr_len == link->permaddr_len &&
			   memcmp(old->permaddr, link->permaddr, link->permaddr_len) == 0);
	}
	return !is_same;
}

/* the device's state goes to the others' before it moves; env->snap is its own until then */
static int save(struct adoption *a, int dir_fd, struct snapshot *before, struct err *e)
{
	AUTO_FREE char **names = calloc(a->links.n + 1, sizeof(*names));
	const struct sysctl_dirs *dirs;
	struct snapshot all = { 0 };
	struct nl *nl;

	if (!names)
		return err_set(e, ENOMEM, "move %s", a->links.items[0].name);
	for (size_t i = 0; i < a->links.n; i++)
		names[i] = a->links.items[i].name;
	int rc = op_env_nl_home(a->env, &nl, e);
	if (rc == 0)
		rc = op_env_dirs_home(a->env, &dirs, e);
	if (rc == 0)
		rc = snapshot_take(nl, dirs, names, a->links.n, &a->env->snap, e);
	if (rc < 0)
		return rc;
	a->env->has_snap = true;
	rc = op_save_wdevs(a->env, &a->env->snap, e);
	if (rc == 0)
		rc = snapshot_part(&a->whole, is_another, &a->links, &all, e);
	if (rc == 0)
		rc = snapshot_add(&all, &a->env->snap, e);
	if (rc == 0)
		rc = snapshot_write(&all, dir_fd, "snapshot", e);
	snapshot_free(&all);
	*before = a->whole;
	return rc;
}

static int make_steps(const struct adoption *a, const struct host *host, struct plan *plan,
		      size_t *text_len, struct err *e)
{
	static const char *const rest[] = {
		"addr.restore physical",
		"neigh.restore physical",
		"rule.restore physical",
		"route.restore physical",
	};
	AUTO_STRBUF struct strbuf move = { 0 };
	char text[64 + IFNAMSIZ];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < a->links.n; i++)
		rc = agents_adopt(a->env->run_fd, host, &a->links.items[i], true, plan, e);
	if (a->phy.is_there)
		plan_phy_step(&a->phy, &move);
	else
		strbuf_addf(&move, "link.move %s -> physical", a->links.items[0].name);
	for (size_t i = 0; a->phy.is_there && i < a->links.n; i++)
		strbuf_addf(&move, "%s%s", i ? ", " : " with ", a->links.items[i].name);
	if (rc == 0 && move.is_failed)
		rc = err_set(e, ENOMEM, "move %s", a->links.items[0].name);
	if (rc == 0)
		rc = plan_add(plan, move.s, e);
	for (size_t i = 0; rc == 0 && i < a->links.n; i++) {
		(void)snprintf(text, sizeof(text), "link.restore %s in physical",
			       a->links.items[i].name);
		rc = plan_add(plan, text, e);
	}
	for (size_t i = 0; rc == 0 && i < sizeof(rest) / sizeof(rest[0]); i++)
		rc = plan_add(plan, rest[i], e);
	for (size_t i = 0; rc == 0 && i < a->links.n; i++)
		rc = agents_adopt(a->env->run_fd, host, &a->links.items[i], false, plan, e);
	*text_len = 0;
	for (size_t i = 0; i < plan->n; i++)
		*text_len += strlen(plan->steps[i].text);
	return rc;
}

/* what this adoption wrote into the journal is undone, and home's device is as it was */
static void give_back(struct adoption *a, struct engine *en, int dir_fd,
		      const struct snapshot *before)
{
	struct journal_entries all = { 0 };
	struct journal journal = { .fd = -1 };
	const struct snapshot none = { 0 };
	struct restore r = { .snap = &a->env->snap };
	struct err why;

	a->env->is_rollback = true;
	if (journal_open(dir_fd, &journal, &all, &why) == 0) {
		struct journal_entries own = { 0 };
		while (own.n < all.n && all.items[all.n - own.n - 1].n > en->n_before)
			own.n++;
		own.items = all.items + (all.n - own.n);
		(void)engine_undo(en, &journal, &own); /* each failure is reported */
		journal_entries_free(&all);
		journal_close(&journal);
	}
	int rc = op_env_nl_home(a->env, &r.nl, &why);
	if (rc == 0)
		rc = op_env_dirs_home(a->env, &r.dirs, &why);
	if (rc == 0)
		rc = op_restore_absent(&r, &a->env->snap, &none, &why);
	if (rc == 0)
		rc = snapshot_write(before, dir_fd, "snapshot", &why);
	if (rc < 0)
		op_env_note(a->env, "%s cannot be given back: %s", a->links.items[0].name,
			    why.text);
}

static int move(struct adoption *a, const struct host *host, struct err *e)
{
	struct engine en = { .env = a->env,
			     .report = a->talk->step,
			     .report_ctx = a->talk->ctx,
			     .fault = a->talk->fault };
	struct journal_entries entries = { 0 };
	struct journal journal = { .fd = -1 };
	struct plan plan = { 0 };
	struct snapshot before = { 0 };
	size_t text_len = 0;

	AUTO_FD int dir_fd = state_openat(a->env->run_fd, OP_BOX_PATH, O_RDONLY | O_DIRECTORY, e);
	if (dir_fd < 0)
		return dir_fd;
	int rc = journal_open(dir_fd, &journal, &entries, e);
	if (rc < 0)
		return rc;
	en.n_before = entries.n ? entries.items[entries.n - 1].n : 0;
	if (entries.n > RECORDS_MAX) {
		err_say(e, E2BIG, "%s stays: too many devices have come and gone",
			a->links.items[0].name);
		rc = err_as(e, ERR_KIND_MACHINE);
	}
	journal_entries_free(&entries);
	if (rc == 0)
		rc = make_steps(a, host, &plan, &text_len, e);
	if (rc == 0)
		rc = journal_extend(&journal, plan.n, text_len, e);
	if (rc == 0)
		rc = save(a, dir_fd, &before, e);
	a->env->plan = &plan;
	bool has_begun = rc == 0;
	if (rc == 0)
		rc = engine_run(&en, &journal, &plan, 0, plan.n, e);
	journal_close(&journal);
	a->env->plan = NULL;
	if (rc < 0 && has_begun)
		give_back(a, &en, dir_fd, &before);
	plan_free(&plan);
	return rc;
}

static int adopt_locked(const struct change_adopt *adopt, struct adoption *a, struct err *e)
{
	struct host host = { 0 };
	struct nl *nl;

	AUTO_FD int dir_fd = state_openat(a->env->run_fd, OP_BOX_PATH, O_RDONLY | O_DIRECTORY, e);
	if (dir_fd < 0)
		return dir_fd;
	int rc = snapshot_read(dir_fd, "snapshot", &a->whole, e);
	if (rc == 0)
		rc = op_env_nl_physical(a->env, &nl, e);
	if (rc == 0)
		rc = rtnl_dump_links(nl, &a->physical, e);
	if (rc == 0)
		rc = host_read_devices(a->env->run_fd, adopt->uplinks, adopt->n_uplinks,
				       adopt->is_new, &host, e);
	if (rc == 0)
		rc = host_read_agents(NULL, 0, NULL, 0, &host.agents, e);
	if (rc == 0)
		rc = judge(adopt, &host, a, e);
	if (rc == 1) {
		rc = 0;
		for (size_t i = 0; rc == 0 && i < a->links.n; i++)
			rc = choose_name(a, &host.links, &a->links.items[i], e);
		if (rc == 0)
			rc = move(a, &host, e);
		rc = rc < 0 ? rc : 1;
	}
	host_free(&host);
	return rc;
}

int change_adopt(const struct change_adopt *adopt, const struct change_talk *talk,
		 char moved[IFNAMSIZ], struct err *e)
{
	struct tend t;
	int rc = change_tend_begin(adopt->name, talk, &t, e);

	if (rc < 0)
		return rc;
	struct adoption a = { .env = &t.env, .talk = talk };
	rc = adopt_locked(adopt, &a, e);
	if (a.links.n)
		memcpy(moved, a.links.items[0].name, IFNAMSIZ);
	snapshot_free(&a.whole);
	rtnl_links_free(&a.links);
	rtnl_links_free(&a.physical);
	change_tend_end(&t);
	return rc;
}
