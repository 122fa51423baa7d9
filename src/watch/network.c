// SPDX-License-Identifier: GPL-2.0-or-later
/* what happens to the uplinks in physical */
#include <string.h>

#include "watch_internal.h"
#include "wgns/nl.h"

#define SETTLE_MS 300 /* a change of network is many messages */
#define FNV_BASIS 14695981039346656037u /* FNV-1a: draft-eastlake-fnv, 64 bits */
#define FNV_PRIME 1099511628211u

int watch_network_open(struct watch *w, struct err *e)
{
	static const unsigned groups[] = { RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
					   RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE };

	int fd = nl_listen_in(NETLINK_ROUTE, w->physical_fd, groups,
			      sizeof(groups) / sizeof(groups[0]), e);
	if (fd < 0)
		return fd;
	int rc = watch_follow(w, SOURCE_PHYSICAL, fd, e);
	if (rc == 0)
		watch_network_check(w); /* what is there now is nothing new */
	return rc;
}

static void take_event(const struct nlmsghdr *event, void *ctx)
{
	struct watch *w = ctx;
	struct rtnl_link link;

	/* a tunnel that is born there leaves it at once */
	if (event->nlmsg_type == RTM_DELLINK && rtnl_parse_link(event, &link) == 0 &&
	    strcmp(link.kind, "tun") != 0 && strcmp(link.kind, "wireguard") != 0)
		watch_log(w, "%s is gone from physical", link.name);
}

void watch_network_event(struct watch *w)
{
	/* what was dropped does not matter: everything is looked at */
	(void)nl_listen_read(w->fds[SOURCE_PHYSICAL], take_event, w);
	watch_plan_work(w, WORK_NETWORK, SETTLE_MS);
	watch_plan_work(w, WORK_MTU, SETTLE_MS);
}

static uint64_t mix(uint64_t sum, const void *data, size_t len)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ bytes[i]) * FNV_PRIME;
	return sum;
}

static uint64_t mix_addr(uint64_t sum, const struct addr *a)
{
	sum = mix(sum, &a->family, sizeof(a->family));
	sum = mix(sum, &a->bits, sizeof(a->bits));
	return mix(sum, a->bytes, sizeof(a->bytes));
}

static uint64_t sum_of_addr(const struct nlmsghdr *msg)
{
	struct rtnl_addr a;

	if (rtnl_parse_addr(msg, &a) < 0 || a.flags & IFA_F_TENTATIVE)
		return 0;
	return mix_addr(mix(FNV_BASIS, &a.ifindex, sizeof(a.ifindex)), &a.local);
}

static uint64_t sum_of_route(const struct nlmsghdr *msg)
{
	struct rtnl_route r;

	if (rtnl_is_automatic(RTNL_ROUTE, msg) || rtnl_parse_route(msg, &r) < 0)
		return 0;
	uint64_t sum = mix(FNV_BASIS, &r.table, sizeof(r.table));
	sum = mix(sum, &r.type, sizeof(r.type));
	sum = mix(sum, &r.metric, sizeof(r.metric));
	sum = mix_addr(sum, &r.dst);
	if (r.has_gateway)
		sum = mix_addr(sum, &r.gateway);
	if (r.has_prefsrc)
		sum = mix_addr(sum, &r.prefsrc);
	return mix(sum, r.oifs, r.n_oifs * sizeof(r.oifs[0]));
}

/*
 * A router advertisement or a renewed lease tells of an address again and again, with nothing new but how long it lasts.
 * Therefore a number is kept for what is there, in whatever order it is listed.
 */
static int take_sum(struct watch *w, uint64_t *out, struct err *e)
{
	AUTO_NL struct nl *nl = NULL;
	struct rtnl_list addrs = { 0 }, routes = { 0 };
	uint64_t sum = 1;

	int rc = nl_open_in(NETLINK_ROUTE, w->physical_fd, &nl, e);
	if (rc == 0)
		rc = rtnl_dump(nl, RTNL_ADDR, AF_UNSPEC, &addrs, e);
	if (rc == 0)
		rc = rtnl_dump(nl, RTNL_ROUTE, AF_UNSPEC, &routes, e);
	for (size_t i = 0; rc == 0 && i < addrs.n; i++)
		sum += sum_of_addr(addrs.items[i].msg);
	for (size_t i = 0; rc == 0 && i < routes.n; i++)
		sum += sum_of_route(routes.items[i].msg);
	rtnl_list_free(&addrs);
	rtnl_list_free(&routes);
	*out = sum;
	return rc;
}

void watch_network_check(struct watch *w)
{
	uint64_t before = w->network;
	struct err why;

	if (take_sum(w, &w->network, &why) < 0) {
		watch_log(w, "read the network of physical: %s", why.text);
		return;
	}
	if (!before || before == w->network)
		return;
	watch_endpoints_check(w, "the network of physical has changed");
	watch_plan_work(w, WORK_LAN, 0);
}

void watch_network_mtu(struct watch *w)
{
	uint32_t before = w->links.mtu;
	struct err why;

	if (w->links.is_mtu_fixed || !w->links.is_tunnel_up)
		return;
	int rc = change_mtu(w->tunnel.device.name, &w->links.mtu, &w->talk, &why);
	if (watch_take_result(w, rc, WORK_MTU, &why) && rc == 1)
		watch_log(w, "the MTU is %u now and was %u", w->links.mtu, before);
}
