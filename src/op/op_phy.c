// SPDX-License-Identifier: GPL-2.0-or-later
/* wireless uplinks: a phy moves with all its devices, and these are called as before */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "op_internal.h"
#include "wgns/nl80211.h"

bool op_phy_index(const char *text, uint32_t *out)
{
	unsigned index;
	int end = -1;

	/* "phy.move phy0 -> physical: phy#3 with wlan0" */
	if (sscanf(text, "phy.move %*s -> physical: phy#%9u%n", &index, &end) != 1 || end < 0 ||
	    (text[end] && text[end] != ' '))
		return false;
	*out = index;
	return true;
}

/* devices of one phy where it is now, and what they are to be called */
struct naming {
	struct op_env *env;
	struct nl *nl; /* rtnetlink there */
	const struct snapshot *snap;
	struct nl80211_wdevs wdevs;
	bool *is_aside; /* one for each: its name was taken, and it has another one by now */
	uint32_t phy;
	bool is_home;
};

/* NULL: it is of another phy, or came later */
static const char *wanted_name(const struct naming *n, const struct nl80211_wdev *wdev)
{
	for (size_t i = 0; wdev->phy == n->phy && i < n->snap->n_wdevs; i++) {
		if (n->snap->wdevs[i].id == wdev->id)
			return n->snap->wdevs[i].dev;
	}
	return NULL;
}

/* Return: the device that gets @name next, or NULL when all is done */
static const struct rtnl_link *next_renaming(struct naming *n, const struct rtnl_links *now,
					     char name[IFNAMSIZ])
{
	size_t aside = n->wdevs.n;

	for (size_t i = 0; i < n->wdevs.n; i++) {
		const char *wanted = wanted_name(n, &n->wdevs.items[i]);
		const struct rtnl_link *link = rtnl_links_by_index(now, n->wdevs.items[i].ifindex);

		if (!wanted || !link || strcmp(link->name, wanted) == 0)
			continue;
		if (!rtnl_links_by_name(now, wanted)) {
			(void)snprintf(name, IFNAMSIZ, "%s", wanted);
			return link;
		}
		if (!n->is_aside[i] && aside == n->wdevs.n)
			aside = i;
	}
	if (aside == n->wdevs.n)
		return NULL;
	/* two that have each other's name, or the name is another device's by now */
	n->is_aside[aside] = true;
	op_uplink_free_name(now, wanted_name(n, &n->wdevs.items[aside]), name);
	return rtnl_links_by_index(now, n->wdevs.items[aside].ifindex);
}

static int set_flags(struct nl *nl, int ifindex, uint32_t flags, struct err *e)
{
	struct nl_msg m;

	rtnl_build_link_flags(&m, ifindex, flags, IFF_UP);
	return nl_talk(nl, &m, e);
}

static int rename_link(struct nl *nl, const struct rtnl_link *link, const char *name, struct err *e)
{
	struct nl_msg m;

	rtnl_build_link_set(&m, link->ifindex, 0, 0);
	if (!rtnl_put_link_name(&m, name))
		return err_set(e, EMSGSIZE, "rename %s", link->name);
	int rc = nl_talk(nl, &m, e);
	/* before Linux 6.2 one that is up keeps its name */
	if (rc == -EBUSY && link->flags & IFF_UP) {
		rc = set_flags(nl, link->ifindex, 0, e);
		if (rc == 0) {
			struct err ignored; /* what it had is restored after this */
			rc = nl_talk(nl, &m, e);
			(void)set_flags(nl, link->ifindex, IFF_UP, &ignored);
		}
	}
	return rc < 0 ? err_context(e, "rename %s to %s", link->name, name) : 0;
}

static void note_other_names(const struct naming *n, const struct rtnl_links *now)
{
	for (size_t i = 0; i < n->wdevs.n; i++) {
		const char *wanted = wanted_name(n, &n->wdevs.items[i]);
		const struct rtnl_link *link = rtnl_links_by_index(now, n->wdevs.items[i].ifindex);

		if (wanted && link && strcmp(link->name, wanted) != 0)
			op_env_note(n->env,
				    "%s has another device called %s by now: the uplink %s %s",
				    n->is_home ? "home" : OP_PHYSICAL, wanted,
				    n->is_home ? "comes back as" : "is there called", link->name);
	}
}

/* each device is renamed twice at most: out of the way, and to what it is to be called */
static int rename_all(struct naming *n, struct err *e)
{
	int rc = 0;
	bool is_done = false;

	for (size_t i = 0; rc == 0 && !is_done && i <= 2 * n->wdevs.n; i++) {
		struct rtnl_links now = { 0 };
		char name[IFNAMSIZ] = "";

		rc = rtnl_dump_links(n->nl, &now, e);
		const struct rtnl_link *link = rc == 0 ? next_renaming(n, &now, name) : NULL;
		if (link)
			rc = rename_link(n->nl, link, name, e);
		if (rc == -ENODEV)
			rc = 0; /* gone in this moment */
		is_done = !link;
		if (rc == 0 && is_done)
			note_other_names(n, &now);
		rtnl_links_free(&now);
	}
	return rc;
}

/* the kernel gives a device whose name is taken another one; its number on the phy tells which it is */
static int give_names(struct op_env *env, const struct snapshot *snap, uint32_t phy, bool is_home,
		      struct err *e)
{
	struct naming n = { .env = env, .snap = snap, .phy = phy, .is_home = is_home };
	AUTO_NL struct nl *genl = NULL;

	int rc = nl_open_in(NETLINK_GENERIC, is_home ? env->home_fd : env->physical_fd, &genl, e);
	if (rc == 0)
		rc = is_home ? op_env_nl_home(env, &n.nl, e) : op_env_nl_physical(env, &n.nl, e);
	if (rc == 0)
		rc = nl80211_get_wdevs(genl, &n.wdevs, e);
	if (rc == 0) {
		n.is_aside = calloc(n.wdevs.n + 1, sizeof(*n.is_aside));
		rc = n.is_aside ? rename_all(&n, e) : err_set(e, ENOMEM, "name the uplinks");
	}
	free(n.is_aside);
	nl80211_wdevs_free(&n.wdevs);
	return rc;
}

int phy_move_run(struct op_env *env, const struct step *step, struct err *e)
{
	AUTO_NL struct nl *genl = NULL;
	uint32_t phy;

	if (!op_phy_index(step->text, &phy))
		return err_say(e, EINVAL, "no phy is named");
	int rc = nl_open_in(NETLINK_GENERIC, env->home_fd, &genl, e);
	if (rc == 0)
		rc = nl80211_move_phy(genl, phy, env->physical_fd, e);
	return rc < 0 ? rc : give_names(env, &env->snap, phy, false, e);
}

/* a card that was made anew by its driver has another number, and somebody took it there: its devices tell */
static bool find_by_device(const struct snapshot *snap, const struct nl80211_wdevs *there,
			   const struct rtnl_links *links, uint32_t *phy)
{
	for (size_t i = 0; i < snap->n_wdevs; i++) {
		const struct rtnl_link *old = rtnl_links_by_name(&snap->links, snap->wdevs[i].dev);
		const struct rtnl_link *now =
			old && snap->wdevs[i].phy == *phy ? snapshot_find_link(links, old) : NULL;
		const struct nl80211_wdev *wdev =
			now ? nl80211_wdevs_find(there, now->ifindex) : NULL;
		if (wdev) {
			*phy = wdev->phy;
			return true;
		}
	}
	return false;
}

/* Return: 1 and its number, 0 when it is not in physical */
static int find_phy(struct nl *genl, struct nl *nl, const struct snapshot *snap, uint32_t *phy,
		    struct err *e)
{
	struct nl80211_wdevs there = { 0 };
	struct rtnl_links links = { 0 };
	struct nl80211_phy found;
	struct err why;

	int rc = nl80211_find_phy(genl, *phy, &found, &why);
	if (rc == 0)
		return 1;
	if (rc != -ENODEV) {
		*e = why;
		return rc;
	}
	if (!snap)
		return 0;
	rc = nl80211_get_wdevs(genl, &there, e);
	if (rc == 0)
		rc = rtnl_dump_links(nl, &links, e);
	if (rc == 0)
		rc = find_by_device(snap, &there, &links, phy) ? 1 : 0;
	nl80211_wdevs_free(&there);
	rtnl_links_free(&links);
	return rc;
}

/* an alternative name that home has by now: the kernel would refuse the move, and not say why */
static int check_altnames(struct op_env *env, struct nl *genl, uint32_t phy, struct err *e)
{
	struct nl80211_wdevs there = { 0 };
	struct rtnl_links links = { 0 }, home = { 0 };
	struct nl *nl, *home_nl;

	int rc = op_env_nl_physical(env, &nl, e);
	if (rc == 0)
		rc = op_env_nl_home(env, &home_nl, e);
	if (rc == 0)
		rc = nl80211_get_wdevs(genl, &there, e);
	if (rc == 0)
		rc = rtnl_dump_links(nl, &links, e);
	if (rc == 0)
		rc = rtnl_dump_links(home_nl, &home, e);
	for (size_t i = 0; rc == 0 && i < there.n; i++) {
		const struct rtnl_link *link = rtnl_links_by_index(&links, there.items[i].ifindex);
		const char *taken = link && there.items[i].phy == phy
					    ? op_uplink_taken_altname(&home, link)
					    : NULL;
		if (taken)
			rc = err_say(e, EEXIST,
				     "move %s to home: a device there is called %s by now",
				     link->name, taken);
	}
	nl80211_wdevs_free(&there);
	rtnl_links_free(&links);
	rtnl_links_free(&home);
	return rc;
}

int phy_move_undo(struct op_env *env, const struct step *step, struct err *e)
{
	const struct snapshot *snap;
	AUTO_NL struct nl *genl = NULL;
	uint32_t phy;
	struct err why;
	struct nl *nl;

	if (env->physical_fd < 0)
		return 0; /* the namespace is gone, and the kernel gave the phy back */
	if (!op_phy_index(step->text, &phy))
		return err_say(e, EINVAL, "no phy is named");
	/* its number is enough to bring it home; without the snapshot it keeps the names that its devices have */
	if (op_env_snapshot(env, &snap, &why) < 0)
		snap = NULL;
	int rc = op_env_nl_physical(env, &nl, e);
	if (rc == 0)
		rc = nl_open_in(NETLINK_GENERIC, env->physical_fd, &genl, e);
	if (rc == 0)
		rc = find_phy(genl, nl, snap, &phy, e);
	if (rc == 1) {
		rc = check_altnames(env, genl, phy, e);
		if (rc == 0)
			rc = nl80211_move_phy(genl, phy, env->home_fd, e);
		if (rc == -ENODEV)
			rc = 0; /* unplugged in this moment */
		if (rc < 0)
			return err_context(e, "move phy#%u to home", phy);
	}
	/* one that came home in an undo that was interrupted may still have the name that the kernel gave it */
	return rc < 0 || !snap ? rc : give_names(env, snap, phy, true, e);
}

int op_phys_left(struct op_env *env, struct err *e)
{
	AUTO_NL struct nl *genl = NULL;
	struct nl80211_phy phy;
	struct err why;

	int rc = nl_open_in(NETLINK_GENERIC, env->physical_fd, &genl, e);
	if (rc < 0)
		return rc;
	rc = nl80211_first_phy(genl, &phy, &why);
	if (rc == -ENODEV)
		return 0;
	if (rc < 0) {
		*e = why;
		return rc;
	}
	rc = err_say(e, EBUSY, "%s is still in physical", phy.name);
	err_hint(e, "`ip netns exec " OP_PHYSICAL " iw phy %s set netns 1` moves it to home",
		 phy.name);
	return rc;
}

int op_save_wdevs(struct op_env *env, struct snapshot *snap, struct err *e)
{
	AUTO_NL struct nl *genl = NULL;
	int rc = nl_open_in(NETLINK_GENERIC, env->home_fd, &genl, e);

	return rc < 0 ? rc : snapshot_take_wdevs(genl, snap, e);
}
