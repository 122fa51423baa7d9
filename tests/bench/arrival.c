// SPDX-License-Identifier: GPL-2.0-or-later
/* arrival IF - how long a device of that name stays here: ms from the kernel's message that it came to that it went */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "wgns/nl.h"
#include "wgns/rtnl.h"

struct stay {
	const char *name;
	double came, went; /* ms of CLOCK_MONOTONIC, 0 until then */
};

static double now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void take(const struct nlmsghdr *event, void *ctx)
{
	struct stay *stay = ctx;
	struct rtnl_link link;

	if (rtnl_parse_link(event, &link) < 0 || strcmp(link.name, stay->name) != 0)
		return;
	if (event->nlmsg_type == RTM_NEWLINK && !stay->came)
		stay->came = now_ms();
	else if (event->nlmsg_type == RTM_DELLINK && stay->came && !stay->went)
		stay->went = now_ms();
}

int main(int argc, char **argv)
{
	static const unsigned groups[] = { RTNLGRP_LINK };
	struct stay stay = { .name = argc == 2 ? argv[1] : "" };
	struct err e;

	int fd = nl_listen_in(NETLINK_ROUTE, -1, groups, 1, &e);
	if (fd < 0) {
		fprintf(stderr, "arrival: %s\n", e.text);
		return 1;
	}
	puts("ready");
	fflush(stdout);
	while (!stay.went) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return 1;
		(void)nl_listen_read(fd, take, &stay);
	}
	printf("%.1f\n", stay.went - stay.came);
	return 0;
}
