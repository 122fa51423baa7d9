/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nl80211 - the generic netlink family "nl80211" (linux/nl80211.h): which devices a phy has, and moving it
 *
 * A wireless device goes to another namespace with its phy only, and with all other devices of that phy. A phy's number
 * is the machine's, not the namespace's: it stays when the phy moves, and is not given again (wiphy_counter of
 * net/wireless/core.c). So does the number of a device on it (NL80211_ATTR_WDEV), whatever it is called.
 */
#ifndef WGNS_NL80211_H
#define WGNS_NL80211_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
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

/** nl80211_parse_phy - one part into @ctx (struct nl80211_phy); of several phys the first counts; 0 or -EBADMSG */
int nl80211_parse_phy(const struct nlmsghdr *reply, void *ctx, struct err *e);

/* A wireless device. */
struct nl80211_wdev {
	int ifindex;
	char name[IFNAMSIZ];
	uint32_t phy; /* its number */
	uint64_t
		id; /* NL80211_ATTR_WDEV: the phy's number and one of the device; survives a move */
	uint32_t type; /* NL80211_IFTYPE_STATION ... */
};
struct nl80211_wdevs {
	struct nl80211_wdev *items; /* owned */
	size_t n;
};
void nl80211_wdevs_free(struct nl80211_wdevs *list);
/** nl80211_wdevs_find - by the number of the network device; NULL for one that is not wireless */
const struct nl80211_wdev *nl80211_wdevs_find(const struct nl80211_wdevs *list, int ifindex);

void nl80211_build_get_wdevs(struct nl_msg *m, uint16_t family_id);
/**
 * nl80211_parse_wdev - one reply behind those in @ctx (struct nl80211_wdevs)
 *
 * What is no network device (NL80211_IFTYPE_P2P_DEVICE) is left out: it goes where its phy goes, and has nothing to be
 * restored. Return: 0, -EBADMSG, -ENOMEM
 */
int nl80211_parse_wdev(const struct nlmsghdr *reply, void *ctx, struct err *e);

/**
 * nl80211_get_wdevs - every wireless device of the talker's namespace
 *
 * Needs no privilege, and does not load the kernel's wireless code where nobody needed it so far: then there are none.
 * Return: 0 or -errno
 */
int nl80211_get_wdevs(struct nl *genl, struct nl80211_wdevs *out, struct err *e);

/**
 * nl80211_build_find_phy - NL80211_CMD_GET_WIPHY of one phy by its number
 *
 * A dump in parts (NL80211_ATTR_SPLIT_WIPHY_DUMP, Linux 3.10): one message does not hold all that a phy says of itself.
 */
void nl80211_build_find_phy(struct nl_msg *m, uint16_t family_id, uint32_t phy);
/** nl80211_find_phy - is the phy of that number in the talker's namespace? Return: 0, -ENODEV when not, -errno */
int nl80211_find_phy(struct nl *genl, uint32_t phy, struct nl80211_phy *out, struct err *e);

/** nl80211_first_phy - any phy of the talker's namespace; Return: 0, -ENODEV when there is none, -errno */
int nl80211_first_phy(struct nl *genl, struct nl80211_phy *out, struct err *e);

void nl80211_build_new_interface(struct nl_msg *m, uint16_t family_id, uint32_t phy,
				 const char *name);
/** nl80211_new_interface - a station called @name on a phy of the talker's namespace; Return: 0 or -errno */
int nl80211_new_interface(struct nl *genl, uint32_t phy, const char *name, struct err *e);

void nl80211_build_move(struct nl_msg *m, uint16_t family_id, uint32_t phy, int ns_fd);
/**
 * nl80211_move_phy - out of the talker's namespace into @ns_fd, with every device on it
 *
 * The devices are set down and lose what any move loses. One whose name is taken there gets the first free one of wlan0,
 * wlan1 ... (cfg80211_switch_netns()); an alternative name that is taken there makes it fail with -EEXIST.
 * Return: 0; -ENODEV when the phy is not there, -EOPNOTSUPP when its driver cannot, -errno
 */
int nl80211_move_phy(struct nl *genl, uint32_t phy, int ns_fd, struct err *e);

#endif
