// SPDX-License-Identifier: GPL-2.0-or-later
/* which prefixes home may reach over the pair, and the pair's own addresses: pure */
#include "wgns/lan.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define PAIRS 127 /* number 0 begins with the range's own address */
/* what is larger was not meant for a few addresses: 169.254.0.0/16, a site's /48 */
#define NEAR_V4 16
#define NEAR_V6 48
/* what is larger is a part of a default route: 0.0.0.0/1, 2000::/3 */
#define NETWORK_V4 8
#define NETWORK_V6 16

static struct addr from_text(const char *text)
{
	struct addr a = { 0 };

	/* the texts are in this file and in lan.h; an empty address would match nothing */
	return addr_parse_prefix(text, strlen(text), &a) == 0 ? a : (struct addr){ 0 };
}

static bool is_v4(const struct addr *a)
{
	return a->family == AF_INET;
}

static bool is_full(const struct addr *a)
{
	return a->bits == addr_len(a) * 8;
}

static bool is_near(const struct addr *pair, const struct addr *other)
{
	if (addr_contains(pair, other))
		return true;
	return other->bits > (is_v4(pair) ? NEAR_V4 : NEAR_V6) && addr_contains(other, pair);
}

static bool is_near_tunnel(const struct wgquick *conf, const struct addr *pair)
{
	for (size_t i = 0; i < conf->n_addresses; i++) {
		if (is_near(pair, &conf->addresses[i]))
			return true;
	}
	for (size_t i = 0; i < conf->device.n_peers; i++) {
		const struct wg_peer *peer = &conf->device.peers[i];

		for (size_t k = 0; k < peer->n_allowed_ips; k++) {
			if (is_near(pair, &peer->allowed_ips[k].prefix))
				return true;
		}
	}
	return false;
}

static bool is_taken(const struct rtnl_list *addrs, const struct rtnl_list *routes,
		     const struct wgquick *conf, const struct addr *pair)
{
	struct rtnl_route route;
	struct rtnl_addr addr;

	for (size_t i = 0; i < addrs->n; i++) {
		if (rtnl_parse_addr(addrs->items[i].msg, &addr) == 0 && is_near(pair, &addr.local))
			return true;
	}
	for (size_t i = 0; i < routes->n; i++) {
		if (rtnl_parse_route(routes->items[i].msg, &route) == 0 &&
		    is_near(pair, &route.dst))
			return true;
	}
	return is_near_tunnel(conf, pair);
}

static bool choose(const struct rtnl_list *addrs, const struct rtnl_list *routes,
		   const struct wgquick *conf, struct addr *pair)
{
	size_t last = addr_len(pair) - 1;

	pair->bits = (uint8_t)(addr_len(pair) * 8 - 1);
	for (unsigned i = 1; i <= PAIRS; i++) {
		pair->bytes[last] = (uint8_t)(2 * i);
		if (!is_taken(addrs, routes, conf, pair))
			return true;
	}
	return false;
}

int lan_pair_choose(const struct rtnl_list *addrs, const struct rtnl_list *routes,
		    const struct wgquick *conf, struct lan_pair *out, struct err *e)
{
	struct lan_pair pair = { .v4 = from_text(LAN_V4_RANGE), .v6 = from_text(LAN_V6_RANGE) };
	const char *range = NULL;

	if (!choose(addrs, routes, conf, &pair.v4))
		range = LAN_V4_RANGE;
	else if (!choose(addrs, routes, conf, &pair.v6))
		range = LAN_V6_RANGE;
	if (range) {
		err_say(e, EADDRINUSE, "Lan = yes needs two addresses of %s, and all are taken",
			range);
		err_hint(e, "`ip addr` and `ip route show table all` show what has them");
		return err_as(e, ERR_KIND_STATE);
	}
	*out = pair;
	return 0;
}

struct addr lan_other_end(const struct addr *a)
{
	struct addr other = *a;

	other.bytes[addr_len(a) - 1] ^= 1;
	return other;
}

static bool has_address_in(const struct rtnl_list *addrs, int ifindex, const struct addr *net)
{
	struct rtnl_addr addr;

	for (size_t i = 0; i < addrs->n; i++) {
		if (rtnl_parse_addr(addrs->items[i].msg, &addr) < 0 || addr.ifindex != ifindex)
			continue;
		struct addr single = addr.local;
		single.bits = (uint8_t)(addr_len(&single) * 8);
		if (addr_contains(net, &single))
			return true;
	}
	return false;
}

/* link-local addresses need a device beside them, and groups are no hosts */
static bool is_prefix(const struct addr *net)
{
	static const char *const never[] = { "fe80::/10", "ff00::/8", "224.0.0.0/4", "240.0.0.0/4",
					     "127.0.0.0/8" };

	if (!net->bits || is_full(net))
		return false;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		struct addr range = from_text(never[i]);
		if (addr_contains(&range, net) || addr_contains(net, &range))
			return false;
	}
	return true;
}

static int uplink_of(const struct rtnl_route *route, const int *uplinks, size_t n)
{
	for (size_t i = 0; route->n_oifs == 1 && i < n; i++) {
		if (uplinks[i] == route->oifs[0])
			return uplinks[i];
	}
	return 0;
}

static void add_prefix(struct lan_prefixes *list, const struct addr *net, const char *uplink)
{
	for (size_t i = 0; i < list->n; i++) {
		/* two uplinks of one network have the same prefix, and each may be chosen */
		if (addr_equal(&list->items[i].net, net) &&
		    strcmp(list->items[i].uplink, uplink) == 0)
			return;
	}
	if (list->n == LAN_PREFIXES_MAX)
		return;
	struct lan_guard_net *p = &list->items[list->n++];
	p->net = *net;
	memcpy(p->uplink, uplink, IFNAMSIZ);
}

void lan_on_link(const struct rtnl_links *links, const struct rtnl_list *addrs,
		 const struct rtnl_list *routes, const int *uplinks, size_t n_uplinks,
		 struct lan_prefixes *out)
{
	struct rtnl_route route;

	out->n = 0;
	for (size_t i = 0; i < routes->n; i++) {
		if (rtnl_parse_route(routes->items[i].msg, &route) < 0 ||
		    route.type != RTN_UNICAST || route.table != RT_TABLE_MAIN ||
		    route.has_gateway || route.nexthop_id || !is_prefix(&route.dst))
			continue;
		int ifindex = uplink_of(&route, uplinks, n_uplinks);
		const struct rtnl_link *link = ifindex ? rtnl_links_by_index(links, ifindex) : NULL;
		if (link && has_address_in(addrs, ifindex, &route.dst))
			add_prefix(out, &route.dst, link->name);
	}
}

bool lan_is_public(const struct addr *net)
{
	static const char *const not_public[] = {
		"10.0.0.0/8",	  "172.16.0.0/12",   "192.168.0.0/16", /* RFC 1918 */
		"169.254.0.0/16", /* RFC 3927 */
		"100.64.0.0/10", /* RFC 6598: providers' own */
		"192.0.2.0/24",	  "198.51.100.0/24", "203.0.113.0/24", /* RFC 5737 */
		"198.18.0.0/15", /* RFC 2544 */
		"fc00::/7", /* RFC 4193 */
		"2001:db8::/32",  "3fff::/20", /* RFC 3849, 9637 */
		"2001:2::/48", /* RFC 5180 */
	};

	for (size_t i = 0; i < sizeof(not_public) / sizeof(not_public[0]); i++) {
		struct addr range = from_text(not_public[i]);
		if (addr_contains(&range, net))
			return false;
	}
	return true;
}

bool lan_is_of_tunnel(const struct wgquick *conf, const struct addr *net)
{
	for (size_t i = 0; i < conf->n_addresses; i++) {
		if (addr_contains(net, &conf->addresses[i]))
			return true;
	}
	for (size_t i = 0; i < conf->n_dns; i++) {
		if (addr_contains(net, &conf->dns[i]))
			return true;
	}
	for (size_t i = 0; i < conf->device.n_peers; i++) {
		const struct wg_peer *peer = &conf->device.peers[i];

		for (size_t k = 0; k < peer->n_allowed_ips; k++) {
			if (addr_contains(net, &peer->allowed_ips[k].prefix))
				return true;
		}
	}
	return false;
}

bool lan_is_of_home(const struct rtnl_list *routes, const int *except, size_t n_except,
		    const struct addr *net)
{
	uint8_t least = is_v4(net) ? NETWORK_V4 : NETWORK_V6;
	struct rtnl_route route;

	for (size_t i = 0; i < routes->n; i++) {
		if (rtnl_parse_route(routes->items[i].msg, &route) < 0 ||
		    route.table != RT_TABLE_MAIN || route.dst.bits < least ||
		    !addr_contains(&route.dst, net))
			continue;
		bool counts = true;
		for (size_t k = 0; k < n_except && route.n_oifs; k++)
			counts = counts && except[k] != route.oifs[0];
		if (counts)
			return true;
	}
	return false;
}
