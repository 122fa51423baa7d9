// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rtnl_probe_movable() asks for a property of the link, or on older kernels moves a device to the
 * namespace in which it is. We rely on it that a netns-immutable device is told from another one,
 * that the move itself says the same, and that the probe changes nothing.
 * Exit: 0 as relied on, 1 not so, 77 skipped.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wgns/fd.h"
#include "wgns/rtnl.h"

#define SKIP 77

static int fail(const char *what, const struct err *e)
{
	(void)fprintf(stderr, "probe_movable: %s: %s (%s)\n", what, e->text, e->kernel);
	return 1;
}

static int make_device(struct nl *nl, const char *name, const char *kind, struct rtnl_link *out)
{
	struct err e = { 0 };
	struct nl_msg m;

	rtnl_build_link_create(&m, name, kind);
	if (nl_talk(nl, &m, &e) < 0 || rtnl_get_link(nl, 0, name, out, &e) < 0) {
		(void)fail(name, &e);
		return SKIP;
	}
	rtnl_build_link_flags(&m, out->ifindex, IFF_UP, IFF_UP);
	if (nl_talk(nl, &m, &e) < 0)
		return fail("set up", &e);
	return 0;
}

static int open_own_namespace(void)
{
	return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

static int open_monitor(void)
{
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK,
				  .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR |
					       RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_IFADDR |
					       RTMGRP_IPV6_ROUTE };
	AUTO_FD int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return -1;
	return fd_take(&fd);
}

/* IPv6 off, so that nothing comes from the device but what the probe does. */
static bool switch_off_ipv6(void)
{
	AUTO_FD int fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, "1", 1) == 1;
}

static int check_movable(struct nl *nl, int ns_fd, const struct rtnl_link *link)
{
	struct addr a = { .family = AF_INET, .bits = 24, .bytes = { 192, 0, 2, 2 } };
	struct rtnl_list addrs = { 0 };
	struct rtnl_link after;
	struct err e = { 0 };
	struct nl_msg m;
	char buf[8192];

	rtnl_build_addr_add(&m, link->ifindex, &a);
	if (nl_talk(nl, &m, &e) < 0)
		return fail("add an address", &e);

	AUTO_FD int monitor = open_monitor();
	if (monitor < 0)
		return SKIP;
	if (rtnl_probe_movable(nl, link->ifindex, ns_fd, &e) < 0)
		return fail("a movable device is refused", &e);

	/* a notification would be queued before the ack of the request */
	if (recv(monitor, buf, sizeof(buf), 0) >= 0 || errno != EAGAIN)
		return fail("the probe is noticed by others", &e);
	if (rtnl_get_link(nl, link->ifindex, NULL, &after, &e) < 0 || !(after.flags & IFF_UP))
		return fail("the probe changed the device", &e);
	if (rtnl_dump(nl, RTNL_ADDR, AF_INET, &addrs, &e) < 0)
		return fail("list addresses", &e);
	size_t n = addrs.n;
	rtnl_list_free(&addrs);
	return n == 1 ? 0 : fail("the probe changed addresses", &e);
}

int main(void)
{
	struct rtnl_link bridge = { 0 }, movable = { 0 };
	struct err e = { 0 };

	if (unshare(CLONE_NEWNET) < 0) {
		(void)fprintf(stderr, "probe_movable: skipped: unshare: %s\n", strerror(errno));
		return SKIP;
	}
	AUTO_NL struct nl *nl = NULL;
	AUTO_FD int ns_fd = open_own_namespace();
	if (ns_fd < 0 || !switch_off_ipv6() || nl_open_in(NETLINK_ROUTE, -1, &nl, &e) < 0)
		return fail("prepare", &e);

	/* a veth without a peer's name gets one; both ends are here */
	int r = make_device(nl, "v0", "veth", &movable);
	if (r == 0)
		r = make_device(nl, "br0", "bridge", &bridge);
	if (r == 0)
		r = check_movable(nl, ns_fd, &movable);
	if (r != 0)
		return r;

	if (rtnl_probe_movable(nl, bridge.ifindex, ns_fd, &e) != -EINVAL)
		return fail("a bridge is not refused", &e);
	char words[sizeof(e.kernel)];
	memcpy(words, e.kernel, sizeof(words));

	AUTO_FD int other_fd = unshare(CLONE_NEWNET) < 0 ? -1 : open_own_namespace();
	struct nl_msg m;
	if (other_fd < 0)
		return fail("make another namespace", &e);
	rtnl_build_link_move(&m, bridge.ifindex, other_fd, NULL, 0);
	if (nl_talk(nl, &m, &e) != -EINVAL)
		return fail("the move of a bridge is not refused", &e);
	if (strcmp(e.kernel, words) != 0)
		return fail("the move is refused in other words", &e);
	rtnl_build_link_move(&m, movable.ifindex, other_fd, NULL, 0);
	if (nl_talk(nl, &m, &e) < 0)
		return fail("the move of a movable device is refused", &e);
	(void)printf("probe_movable: \"%s\"\n", words);
	return 0;
}
