// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/nl80211.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/nl80211.h>
#include <string.h>

#include "wgns/wgnl.h"

void nl80211_build_get_phy(struct nl_msg *m, uint16_t family_id, int ifindex)
{
	struct genlmsghdr *g = nl_msg_begin(m, family_id, NLM_F_DUMP, sizeof(*g));

	g->cmd = NL80211_CMD_GET_WIPHY;
	/* both fit into an empty message */
	(void)mnl_attr_put_check(nl_msg_hdr(m), sizeof(m->buf), NL80211_ATTR_SPLIT_WIPHY_DUMP, 0,
				 NULL);
	(void)mnl_attr_put_u32_check(nl_msg_hdr(m), sizeof(m->buf), NL80211_ATTR_IFINDEX,
				     (uint32_t)ifindex);
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

int nl80211_get_phy(struct nl *genl, int ifindex, struct nl80211_phy *out, struct err *e)
{
	struct nl80211_phy phy = { 0 };
	struct nl_msg m;
	uint16_t family_id;

	int rc = genl_family_id(genl, NL80211_GENL_NAME, &family_id, e);
	if (rc < 0)
		return rc;
	nl80211_build_get_phy(&m, family_id, ifindex);
	rc = nl_dump(genl, &m, nl80211_parse_phy, forget, &phy, e);
	if (rc < 0)
		return err_context(e, "ask for the phy of device %d", ifindex);
	if (!phy.is_there)
		return err_set(e, ENODEV, "ask for the phy of device %d", ifindex);
	*out = phy;
	return 0;
}
