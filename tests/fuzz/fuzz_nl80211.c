// SPDX-License-Identifier: GPL-2.0-or-later
/* What a kernel says of a phy, and of a device on one: the input is the attributes of one reply, behind the headers that nl.c has checked. */
#include <linux/genetlink.h>
#include <linux/nl80211.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "wgns/nl80211.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

#define HEAD (sizeof(struct nlmsghdr) + sizeof(struct genlmsghdr))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nl80211_phy phy = { 0 };
	struct nl_msg m;
	struct err e;

	if (size > NL_MSG_MAX - HEAD)
		size = NL_MSG_MAX - HEAD;
	nl_msg_begin(&m, 0x1d, 0, sizeof(struct genlmsghdr));
	memcpy(m.buf + HEAD, data, size);
	nl_msg_hdr(&m)->nlmsg_len = (uint32_t)(HEAD + size);
	(void)nl80211_parse_phy(nl_msg_hdr(&m), &phy, &e);
	struct nl80211_wdevs wdevs = { 0 };
	if (nl80211_parse_wdev(nl_msg_hdr(&m), &wdevs, &e) == 0 && wdevs.n &&
	    (wdevs.items[0].ifindex <= 0 ||
	     !memchr(wdevs.items[0].name, '\0', sizeof(wdevs.items[0].name))))
		__builtin_trap();
	nl80211_wdevs_free(&wdevs);
	if (memchr(phy.name, '\0', sizeof(phy.name)) == NULL || (phy.can_move && !phy.is_there))
		__builtin_trap();
	return 0;
}

/* blind bytes rarely become nests: begin with a real reply */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	if (size < 8 || seed % 64 == 0) {
		struct nl_msg m;
		struct nlmsghdr *h = nl_msg_hdr(&m);

		nl_msg_begin(&m, 0x1d, 0, sizeof(struct genlmsghdr));
		mnl_attr_put_u32(h, NL80211_ATTR_WIPHY, seed >> 8);
		mnl_attr_put_strz(h, NL80211_ATTR_WIPHY_NAME, "phy0");
		struct nlattr *list = mnl_attr_nest_start(h, NL80211_ATTR_SUPPORTED_COMMANDS);
		for (uint16_t i = 0; i < 4; i++)
			mnl_attr_put_u32(h, i, NL80211_CMD_SET_WIPHY_NETNS - i);
		mnl_attr_nest_end(h, list);
		mnl_attr_put_u32(h, NL80211_ATTR_IFINDEX, seed >> 16);
		mnl_attr_put_strz(h, NL80211_ATTR_IFNAME, "wlan0");
		mnl_attr_put_u64(h, NL80211_ATTR_WDEV, seed);
		size = h->nlmsg_len - HEAD < max_size ? h->nlmsg_len - HEAD : max_size;
		memcpy(data, m.buf + HEAD, size);
	}
	return LLVMFuzzerMutate(data, size, max_size);
}
