/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lan - the uplinks' own networks, reached from home (`Lan = yes`)
 *
 * A veth pair joins home and physical. Home has routes over it for the prefixes that are on the uplinks' links, and physical
 * hides home behind the uplinks' addresses. What may pass is decided in physical, by a table of its own (see lan_guard.h),
 * so that a route more in home opens nothing.
 *
 * Which prefix is left out, though an uplink has it:
 * - one that a tunnel names in Address, AllowedIPs or DNS, equally or more specifically: the tunnel has it. The route of a
 *   tunnel alone would not do: it goes when its daemon dies, and what was sealed would be sent in clear.
 * - one that home has, equally or as a part of something larger that is no default route: home has it.
 * - one of public addresses. A hostile network may call any prefix its own, also that of your bank, and would be
 *   sent in clear what is meant for it (TunnelCrack's LocalNet, CVE-2023-36672).
 */
#ifndef WGNS_LAN_H
#define WGNS_LAN_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "wgns/addr.h"
#include "wgns/err.h"
#include "wgns/lan_guard.h"
#include "wgns/rtnl.h"
#include "wgns/wgquick.h"

/* both ends: one in home, one in physical */
#define LAN_DEVICE "wgns-lan"
/* of the routes over it in home: by this number they are known, and every other route comes first */
#define LAN_PROTOCOL 119 /* 'w'; not in rt_protos of iproute2 */
#define LAN_METRIC 20000
/* Prefixes at once; what an uplink has more is left out, and that is the safe side. */
#define LAN_PREFIXES_MAX LAN_GUARD_MAX

struct lan_prefixes {
	struct lan_guard_net items[LAN_PREFIXES_MAX];
	size_t n;
};

/* The addresses of the pair: home has the first of each, physical the second. */
struct lan_pair {
	struct addr v4; /* of 169.254.255.0/24, a /31 (RFC 3021) */
	struct addr v6; /* of LAN_V6_RANGE, a /127 (RFC 6164) */
};
/* never given to a host by RFC 3927, section 2.1 */
#define LAN_V4_RANGE "169.254.255.0/24"
/* a unique local prefix of wgns, drawn once (RFC 4193) */
#define LAN_V6_RANGE "fd4e:8a1c:b0d7::/64"

/**
 * lan_pair_choose - addresses that nothing near them is in the way of
 * @addrs, @routes: of the namespaces in which they will be
 * @conf: the tunnel's, whose addresses and AllowedIPs count too
 *
 * In the way is an address or a route that is equal or more specific, or so small that it was meant: more than /16, /48.
 * Return: 0, or -EADDRINUSE (kind STATE) when all 127 pairs are taken
 */
int lan_pair_choose(const struct rtnl_list *addrs, const struct rtnl_list *routes,
		    const struct wgquick *conf, struct lan_pair *out, struct err *e);
/** lan_other_end - the other address of such a pair */
struct addr lan_other_end(const struct addr *a);

/**
 * lan_on_link - the prefixes that are on the link of some devices
 * @uplinks: ifindexes; @links has them
 *
 * A prefix is on the link when a route of the main table leads to it without a gateway and the device has an address in it.
 * No default route, no single address, no link-local or multicast prefix of IPv6.
 */
void lan_on_link(const struct rtnl_links *links, const struct rtnl_list *addrs,
		 const struct rtnl_list *routes, const int *uplinks, size_t n_uplinks,
		 struct lan_prefixes *out);

/** lan_is_public - may somebody in the Internet have these addresses? IANA's special-purpose registries, RFC 6890 */
bool lan_is_public(const struct addr *net);
/** lan_is_of_tunnel - is it named by the tunnel, equally or more specifically? */
bool lan_is_of_tunnel(const struct wgquick *conf, const struct addr *net);
/**
 * lan_is_of_home - has home this prefix already, or one that is larger and no default route?
 * @except: ifindexes whose routes do not count: uplinks before they move, tunnels, the pair
 */
bool lan_is_of_home(const struct rtnl_list *routes, const int *except, size_t n_except,
		    const struct addr *net);

#endif
