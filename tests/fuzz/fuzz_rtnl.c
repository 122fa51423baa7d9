// SPDX-License-Identifier: GPL-2.0-or-later
/* The first byte chooses the parser, the rest is the message behind its header. */
#include <linux/fib_rules.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/rtnl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_object(enum rtnl_kind kind, const struct nlmsghdr *msg)
{
	struct rtnl_ifindex_map map = { .pairs = { { 1, 2 } }, .n = 1 };
	struct nl_msg restored, again;
	char text[200];

	rtnl_describe(kind, msg, NULL, text, sizeof(text));
	/* what comes out of the builder can go into it */
	if (rtnl_build_restore(kind, msg, &map, true, &restored) == 0 &&
	    rtnl_build_restore(kind, nl_msg_hdr(&restored), NULL, true, &again) < 0)
		abort();
	if (rtnl_build_delete(kind, msg, &restored) == 0)
		(void)rtnl_equal(kind, msg, &map, msg); /* any answer, without reading outside */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t types[] = { RTM_NEWADDR, RTM_NEWROUTE, RTM_NEWRULE, RTM_NEWNEIGH };
	size_t len = sizeof(struct nlmsghdr) + size - 1;

	if (size < 1)
		return 0;

	struct nlmsghdr *msg = malloc(len);
	if (!msg)
		return 0;
	*msg = (struct nlmsghdr){ .nlmsg_len = (uint32_t)len };
	memcpy(msg + 1, data + 1, size - 1);

	unsigned choice = data[0] % 5;
	if (choice < 4) {
		msg->nlmsg_type = types[choice];
		use_object((enum rtnl_kind)choice, msg);
	} else {
		struct rtnl_link link;
		msg->nlmsg_type = RTM_NEWLINK;
		if (rtnl_parse_link(msg, &link) == 0 && link.ifindex <= 0)
			abort();
	}
	free(msg);
	return 0;
}
