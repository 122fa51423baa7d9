/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nl80211 - the generic netlink family "nl80211" (linux/nl80211.h): what a wireless device's phy can do */
#ifndef WGNS_NL80211_H
#define WGNS_NL80211_H

#include <stdbool.h>
#include <stdint.h>

#include "wgns/err.h"
#include "wgns/nl.h"

#define NL80211_NAME_MAX 64 /* of a phy; the kernel's own limit is NL80211_WIPHY_NAME_MAXLEN, 64 */

struct nl80211_phy {
	bool is_there; /* some reply spoke of it */
	uint32_t index;
	char name[NL80211_NAME_MAX]; /* "phy0" */
	bool can_move; /* NL80211_CMD_SET_WIPHY_NETNS is among its commands: its driver has WIPHY_FLAG_NETNS_OK */
};

/**
 * nl80211_build_get_phy - NL80211_CMD_GET_WIPHY of the phy to which a device belongs
 *
 * A dump in parts (NL80211_ATTR_SPLIT_WIPHY_DUMP, Linux 3.10): one message does not hold all that a phy says of itself.
 */
void nl80211_build_get_phy(struct nl_msg *m, uint16_t family_id, int ifindex);
/** nl80211_parse_phy - one part into @ctx (struct nl80211_phy); of several phys the first counts; 0 or -EBADMSG */
int nl80211_parse_phy(const struct nlmsghdr *reply, void *ctx, struct err *e);

/**
 * nl80211_get_phy - of a device in the talker's namespace
 * @genl: NETLINK_GENERIC
 *
 * Needs no privilege. Return: 0; -ENODEV when the device has none; -ENOENT without wireless in the kernel; -errno
 */
int nl80211_get_phy(struct nl *genl, int ifindex, struct nl80211_phy *out, struct err *e);

#endif
