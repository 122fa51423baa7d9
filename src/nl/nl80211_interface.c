// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/genetlink.h>
#include <linux/nl80211.h>

#include "wgns/nl80211.h"
#include "wgns/wgnl.h"

void nl80211_build_new_interface(struct nl_msg *m, uint16_t family_id, uint32_t phy,
				 const char *name)
{
	struct genlmsghdr *g = nl_msg_begin(m, family_id, 0, sizeof(*g));

	g->cmd = NL80211_CMD_NEW_INTERFACE;
	/* all three fit into an empty message */
	(void)mnl_attr_put_u32_check(nl_msg_hdr(m), sizeof(m->buf), NL80211_ATTR_WIPHY, phy);
	(void)mnl_attr_put_strz_check(nl_msg_hdr(m), sizeof(m->buf), NL80211_ATTR_IFNAME, name);
	(void)mnl_attr_put_u32_check(nl_msg_hdr(m), sizeof(m->buf), NL80211_ATTR_IFTYPE,
				     NL80211_IFTYPE_STATION);
}

int nl80211_new_interface(struct nl *genl, uint32_t phy, const char *name, struct err *e)
{
	struct nl_msg m;
	uint16_t family_id;

	int rc = genl_family_id(genl, NL80211_GENL_NAME, &family_id, e);
	if (rc < 0)
		return rc;
	nl80211_build_new_interface(&m, family_id, phy, name);
	rc = nl_talk(genl, &m, e);
	return rc < 0 ? err_context(e, "make the wireless device %s", name) : 0;
}
