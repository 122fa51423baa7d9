// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/nl80211.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/nl80211.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/wgnl.h"

#define WDEVS_MAX 4096 /* a kernel that tells of more is not believed */

static void build_get_phys(struct nl_msg *m, uint16_t family_id)
{
	struct genlmsghdr *g = nl_msg_begin(m, family_id, NLM_F_DUMP, sizeof(*g));

	g->cmd = NL80211_CMD_GET_WIPHY;
	/* it fits into an empty message, as does what follows it */
	(void)mnl_attr_put_check(nl_msg_hdr(m), sizeof(m->buf), NL80211_ATTR_SPLIT_WIPHY_DUMP, 0,
				 NULL);
}

/* a list of commands: the attributes are numbered, and each holds one */
static int has_command(const struct nlattr *list, uint32_t wanted, bool *out)
{
	struct nl_walk walk = nl_walk_nested(list);
	const struct nlattr *a;
	uint32_t command;
	int r;

	for (r = nl_walk_next(&walk, &a); r > 0; r = nl_walk_next(&walk, &a)) {
		if (!nl_attr_u32(a, &command))
			return -EINVAL;
		*out = *out || command == wanted;
	}
	return r;
}

int nl80211_parse_phy(const struct nlmsghdr *reply, void *ctx, struct err *e)
{
	const struct nlattr *tb[NL80211_ATTR_SUPPORTED_COMMANDS + 1];
	struct nl80211_phy *phy = ctx;
	uint32_t index;

	if (nl_attr_table(reply, sizeof(struct genlmsghdr), tb, NL80211_ATTR_SUPPORTED_COMMANDS) <
		    0 ||
	    !nl_attr_u32(tb[NL80211_ATTR_WIPHY], &index))
		return err_say(e, EBADMSG, "the kernel's answer names no phy");
	if (phy->is_there && phy->index != index)
		return 0;
	phy->is_there = true;
	phy->index = index;
	if (tb[NL80211_ATTR_WIPHY_NAME] &&
	    !nl_attr_text(tb[NL80211_ATTR_WIPHY_NAME], phy->name, sizeof(phy->name)))
		return err_say(e, EBADMSG, "the name of phy %u is none", index);
	if (tb[NL80211_ATTR_SUPPORTED_COMMANDS] &&
	    has_command(tb[NL80211_ATTR_SUPPORTED_COMMANDS], NL80211_CMD_SET_WIPHY_NETNS,
			&phy->can_move) < 0)
		return err_say(e, EBADMSG, "the commands of phy %u are damaged", index);
	return 0;
}

static void forget(void *ctx)
{
	*(struct nl80211_phy *)ctx = (struct nl80211_phy){ 0 };
}

void nl80211_wdevs_free(struct nl80211_wdevs *list)
{
	free(list->items);
	*list = (struct nl80211_wdevs){ 0 };
}

const struct nl80211_wdev *nl80211_wdevs_find(const struct nl80211_wdevs *list, int ifindex)
{
	for (size_t i = 0; i < list->n; i++) {
		if (list->items[i].ifindex == ifindex)
			return &list->items[i];
	}
	return NULL;
}

void nl80211_build_get_wdevs(struct nl_msg *m, uint16_t family_id)
{
	struct genlmsghdr *g = nl_msg_begin(m, family_id, NLM_F_DUMP, sizeof(*g));

	g->cmd = NL80211_CMD_GET_INTERFACE;
}

int nl80211_parse_wdev(const struct nlmsghdr *reply, void *ctx, struct err *e)
{
	const struct nlattr *tb[NL80211_ATTR_WDEV + 1];
	struct nl80211_wdevs *list = ctx;
	struct nl80211_wdev wdev = { 0 };
	uint32_t ifindex;

	if (nl_attr_table(reply, sizeof(struct genlmsghdr), tb, NL80211_ATTR_WDEV) < 0 ||
	    !nl_attr_u32(tb[NL80211_ATTR_WIPHY], &wdev.phy) ||
	    !nl_attr_u64(tb[NL80211_ATTR_WDEV], &wdev.id))
		return err_say(e, EBADMSG, "the kernel's answer names no wireless device");
	if (!tb[NL80211_ATTR_IFINDEX])
		return 0;
	if (!nl_attr_u32(tb[NL80211_ATTR_IFINDEX], &ifindex) || !ifindex || ifindex > INT32_MAX ||
	    !tb[NL80211_ATTR_IFNAME] ||
	    !nl_attr_text(tb[NL80211_ATTR_IFNAME], wdev.name, sizeof(wdev.name)) ||
	    (tb[NL80211_ATTR_IFTYPE] && !nl_attr_u32(tb[NL80211_ATTR_IFTYPE], &wdev.type)))
		return err_say(e, EBADMSG, "what the kernel says of a wireless device is damaged");
	wdev.ifindex = (int)ifindex;
	if (list->n == WDEVS_MAX)
		return err_say(e, EBADMSG, "the kernel tells of too many wireless devices");
	struct nl80211_wdev *grown = reallocarray(list->items, list->n + 1, sizeof(*grown));
	if (!grown)
		return err_set(e, ENOMEM, "keep a wireless device");
	list->items = grown;
	grown[list->n++] = wdev;
	return 0;
}

static void forget_wdevs(void *ctx)
{
	nl80211_wdevs_free(ctx);
}

/* asking for the family by its name would load it. Return: 1, 0 when there is no wireless, -errno */
static int find_family(struct nl *genl, uint16_t *id, struct err *e)
{
	int rc = genl_is_registered(genl, NL80211_GENL_NAME, e);

	if (rc <= 0)
		return rc;
	rc = genl_family_id(genl, NL80211_GENL_NAME, id, e);
	return rc < 0 ? rc : 1;
}

int nl80211_get_wdevs(struct nl *genl, struct nl80211_wdevs *out, struct err *e)
{
	struct nl80211_wdevs list = { 0 };
	struct nl_msg m;
	uint16_t family_id;

	int rc = find_family(genl, &family_id, e);
	if (rc > 0) {
		nl80211_build_get_wdevs(&m, family_id);
		rc = nl_dump(genl, &m, nl80211_parse_wdev, forget_wdevs, &list, e);
	}
	if (rc < 0) {
		nl80211_wdevs_free(&list);
		return err_context(e, "list the wireless devices");
	}
	*out = list;
	return 0;
}

void nl80211_build_find_phy(struct nl_msg *m, uint16_t family_id, uint32_t phy)
{
	build_get_phys(m, family_id);
	(void)mnl_attr_put_u32_check(nl_msg_hdr(m), sizeof(m->buf), NL80211_ATTR_WIPHY, phy);
}

/* a phy that is not asked for does not count, if a kernel should tell of it */
struct search {
	struct nl80211_phy phy;
	uint32_t wanted;
};

static int look_at_phy(const struct nlmsghdr *reply, void *ctx, struct err *e)
{
	struct search *search = ctx;
	struct nl80211_phy part = search->phy;
	int rc = nl80211_parse_phy(reply, &part, e);

	if (rc == 0 && part.index == search->wanted)
		search->phy = part;
	return rc;
}

static void forget_search(void *ctx)
{
	struct search *search = ctx;

	search->phy = (struct nl80211_phy){ 0 };
}

int nl80211_find_phy(struct nl *genl, uint32_t phy, struct nl80211_phy *out, struct err *e)
{
	struct search search = { .wanted = phy };
	struct nl_msg m;
	uint16_t family_id;

	int rc = find_family(genl, &family_id, e);
	if (rc > 0) {
		nl80211_build_find_phy(&m, family_id, phy);
		rc = nl_dump(genl, &m, look_at_phy, forget_search, &search, e);
	}
	if (rc < 0)
		return err_context(e, "find phy#%u", phy);
	if (!search.phy.is_there)
		return err_set(e, ENODEV, "find phy#%u", phy);
	*out = search.phy;
	return 0;
}

int nl80211_first_phy(struct nl *genl, struct nl80211_phy *out, struct err *e)
{
	struct nl80211_phy phy = { 0 };
	struct nl_msg m;
	uint16_t family_id;

	int rc = find_family(genl, &family_id, e);
	if (rc > 0) {
		build_get_phys(&m, family_id);
		rc = nl_dump(genl, &m, nl80211_parse_phy, forget, &phy, e);
	}
	if (rc < 0)
		return err_context(e, "list the phys");
	if (!phy.is_there)
		return err_set(e, ENODEV, "list the phys");
	*out = phy;
	return 0;
}

void nl80211_build_move(struct nl_msg *m, uint16_t family_id, uint32_t phy, int ns_fd)
{
	struct genlmsghdr *g = nl_msg_begin(m, family_id, 0, sizeof(*g));

	g->cmd = NL80211_CMD_SET_WIPHY_NETNS;
	/* both fit into an empty message */
	(void)mnl_attr_put_u32_check(nl_msg_hdr(m), sizeof(m->buf), NL80211_ATTR_WIPHY, phy);
	(void)mnl_attr_put_u32_check(nl_msg_hdr(m), sizeof(m->buf), NL80211_ATTR_NETNS_FD,
				     (uint32_t)ns_fd);
}

int nl80211_move_phy(struct nl *genl, uint32_t phy, int ns_fd, struct err *e)
{
	struct nl_msg m;
	uint16_t family_id;

	int rc = genl_family_id(genl, NL80211_GENL_NAME, &family_id, e);
	if (rc < 0)
		return rc;
	nl80211_build_move(&m, family_id, phy, ns_fd);
	return nl_talk(genl, &m, e);
}
