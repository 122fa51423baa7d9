// SPDX-License-Identifier: GPL-2.0-or-later
/* invariant 1: home holds nothing by which a packet leaves beside the tunnels. Pure */
#include <linux/fib_rules.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>

#include "verify_internal.h"
#include "wgns/snapshot.h"

#define DEPTH_MAX 8 /* devices on devices: MAX_NEST_DEV of the kernel */
/* 0.0.0.0/1 and 128.0.0.0/1 are a default route in two halves, as many VPN clients set it */
#define HALF_BITS 1

static bool is_kind(const struct rtnl_link *link, const char *kind)
{
	return strcmp(link->kind, kind) == 0;
}

static bool is_tunnel(const struct verify_facts *f, const struct rtnl_link *link)
{
	for (size_t i = 0; i < f->n_all; i++) {
		const struct backend_device *dev = &f->all[i].device;
		if (strcmp(dev->name, link->name) == 0 &&
		    (!dev->ifindex || dev->ifindex == link->ifindex))
			return true;
	}
	/* who does not see the list takes what can be one for one: see judge_devices() */
	return !f->has_tunnels && (is_kind(link, "wireguard") || is_kind(link, "tun"));
}

bool verify_is_lan(const struct verify_facts *f, const struct rtnl_link *link)
{
	return f->layout.has_lan && strcmp(link->name, LAN_DEVICE) == 0 && is_kind(link, "veth") &&
	       link->has_lower_netnsid && f->has_physical_nsid &&
	       link->lower_netnsid == f->physical_nsid;
}

/* home's way to the uplinks' own networks leads there and nowhere else */
static bool is_lan_route(const struct verify_facts *f, const struct rtnl_route *route)
{
	for (size_t i = 0; i < f->lan.on_link.n; i++) {
		if (addr_contains(&f->lan.on_link.items[i].net, &route->dst))
			return true;
	}
	/* between the two ends themselves */
	struct addr v4, v6;
	return (addr_parse_prefix(LAN_V4_RANGE, strlen(LAN_V4_RANGE), &v4) == 0 &&
		addr_contains(&v4, &route->dst)) ||
	       (addr_parse_prefix(LAN_V6_RANGE, strlen(LAN_V6_RANGE), &v6) == 0 &&
		addr_contains(&v6, &route->dst));
}

static bool is_uplink(const struct verify_facts *f, const struct rtnl_link *link)
{
	for (size_t i = 0; i < f->uplinks.n; i++) {
		if (snapshot_find_link(&f->home.links, &f->uplinks.items[i]) == link)
			return true;
	}
	return false;
}

/* why a packet that leaves by this very device goes past the tunnels; "" when it does not */
static void why_alone(const struct verify_facts *f, const struct rtnl_link *link,
		      char out[VERIFY_WHY_MAX])
{
	out[0] = '\0';
	if (link->flags & IFF_LOOPBACK || is_tunnel(f, link) || verify_is_lan(f, link))
		return;
	if (is_uplink(f, link))
		(void)snprintf(out, VERIFY_WHY_MAX, "%s is an uplink and belongs in physical",
			       link->name);
	else if (link->has_parent_device)
		(void)snprintf(out, VERIFY_WHY_MAX, "%s has hardware behind it (%s)", link->name,
			       link->parent_device[0] ? link->parent_device : "see /sys/class/net");
	else if (is_kind(link, "wireguard"))
		(void)snprintf(out, VERIFY_WHY_MAX,
			       "%s is a WireGuard device that wgns did not make: nobody knows "
			       "where its packets go",
			       link->name);
	else if (link->has_lower_netnsid && f->has_physical_nsid &&
		 link->lower_netnsid == f->physical_nsid)
		(void)snprintf(out, VERIFY_WHY_MAX, "%s (%s) hangs on a device of physical",
			       link->name, link->kind[0] ? link->kind : "a device");
}

/* the port of a bridge or bond, or the device below a VLAN or macvlan, that is a way out; NULL */
static const struct rtnl_link *next_below(const struct verify_facts *f,
					  const struct rtnl_link *link, char why[VERIFY_WHY_MAX])
{
	const struct rtnl_links *links = &f->home.links;

	for (size_t i = 0; i < links->n; i++) {
		if (links->items[i].master != link->ifindex)
			continue;
		why_alone(f, &links->items[i], why);
		if (why[0])
			return &links->items[i];
	}
	/* the other end of a veth is no device below it */
	return link->lower && !link->has_lower_netnsid && !is_kind(link, "veth")
		       ? rtnl_links_by_index(links, link->lower)
		       : NULL;
}

/* the same with what it hangs on */
void verify_why_out(const struct verify_facts *f, const struct rtnl_link *link,
		    char out[VERIFY_WHY_MAX])
{
	const struct rtnl_link *below = link;
	char why[VERIFY_WHY_MAX];

	why_alone(f, link, out);
	if (out[0] || link->flags & IFF_LOOPBACK || is_tunnel(f, link))
		return;
	for (int depth = 0; depth < DEPTH_MAX; depth++) {
		below = next_below(f, below, why);
		if (!below || below == link)
			return;
		why_alone(f, below, why);
		if (!why[0])
			continue;
		(void)snprintf(out, VERIFY_WHY_MAX, "%s (%s) is on it, and %.400s", link->name,
			       link->kind[0] ? link->kind : "a device", why);
		return;
	}
}

static bool is_link_local(const struct addr *net)
{
	return net->family == AF_INET6 && net->bits >= 10 && net->bytes[0] == 0xfe &&
	       (net->bytes[1] & 0xc0) == 0x80;
}

static bool leaves_by(const struct rtnl_route *route, int ifindex)
{
	for (size_t i = 0; i < route->n_oifs; i++) {
		if (route->oifs[i] == ifindex)
			return true;
	}
	return false;
}

/* the first device by which this route goes past the tunnels; NULL when there is none */
static const struct rtnl_link *bad_device(const struct verify_facts *f,
					  const struct rtnl_route *route, char why[VERIFY_WHY_MAX])
{
	why[0] = '\0';
	if (route->type != RTN_UNICAST)
		return NULL;
	for (size_t i = 0; i < f->home.links.n; i++) {
		const struct rtnl_link *link = &f->home.links.items[i];
		if (link->flags & IFF_LOOPBACK || is_tunnel(f, link) ||
		    !leaves_by(route, link->ifindex))
			continue;
		verify_why_out(f, link, why);
		if (why[0])
			return link;
		if (verify_is_lan(f, link) && !is_link_local(&route->dst) &&
		    !is_lan_route(f, route)) {
			(void)snprintf(why, VERIFY_WHY_MAX,
				       "%s leads to the uplinks' own networks and nowhere else",
				       link->name);
			return link;
		}
		if (route->dst.bits <= HALF_BITS) {
			(void)snprintf(why, VERIFY_WHY_MAX,
				       "a default route by %s goes past the tunnels", link->name);
			return link;
		}
	}
	return NULL;
}

static bool carries_default(const struct verify_facts *f, const struct rtnl_link *link)
{
	struct rtnl_route route;

	for (size_t i = 0; i < f->home.routes.n; i++) {
		if (rtnl_parse_route(f->home.routes.items[i].msg, &route) == 0 &&
		    route.type == RTN_UNICAST && route.dst.bits <= HALF_BITS &&
		    leaves_by(&route, link->ifindex))
			return true;
	}
	return false;
}

static void judge_devices(const struct verify_facts *f, struct findings *out)
{
	char why[VERIFY_WHY_MAX];

	findings_begin(out, "home.devices",
		       "home holds only lo, tunnels and devices that hang on no uplink");
	if (f->home.problem[0])
		findings_add(out, FINDING_OPEN, "%s", f->home.problem);
	for (size_t i = 0; i < f->home.links.n; i++) {
		const struct rtnl_link *link = &f->home.links.items[i];
		if (link->flags & IFF_LOOPBACK)
			continue;
		if (!f->has_tunnels && is_tunnel(f, link))
			findings_add(out, FINDING_OPEN, "only root sees whether wgns made %s",
				     link->name);
		if (is_tunnel(f, link))
			continue;
		verify_why_out(f, link, why);
		if (why[0]) {
			findings_add(out, FINDING_BREAKS, "%s", why);
			findings_hint(out,
				      "`ip link set %s down` stops it; `wgns down` and `up` "
				      "move every uplink",
				      link->name);
		} else if (carries_default(f, link)) {
			findings_add(out, FINDING_BREAKS, "%s carries a default route", link->name);
			findings_hint(out, "`ip link set %s down`, or see home.routes", link->name);
		}
	}
}

static void judge_route(const struct verify_facts *f, const struct nlmsghdr *msg,
			struct findings *out)
{
	char text[VERIFY_WHY_MAX], why[VERIFY_WHY_MAX];
	struct rtnl_route route;

	rtnl_describe(RTNL_ROUTE, msg, &f->home.links, text, sizeof(text));
	if (rtnl_parse_route(msg, &route) < 0) {
		findings_add(out, FINDING_OPEN, "a route that cannot be read: %s", text);
		return;
	}
	if (rtnl_is_automatic(RTNL_ROUTE, msg))
		return; /* the kernel's own, with an address; the device is named above */
	if (route.type == RTN_UNICAST && !route.n_oifs) {
		findings_add(out, FINDING_OPEN, "%s: its device is not told%s", text,
			     route.nexthop_id ? " (a nexthop object)" : "");
		return;
	}
	const struct rtnl_link *link = bad_device(f, &route, why);
	if (!link)
		return;
	findings_add(out, FINDING_BREAKS, "%s: %s", text, why);
	findings_hint(out, "`ip %sroute del %s` removes it", route.family == AF_INET6 ? "-6 " : "",
		      text);
}

static void judge_routes(const struct verify_facts *f, struct findings *out)
{
	findings_begin(out, "home.routes", "no route in home leaves by anything else");
	if (f->home.problem[0])
		findings_add(out, FINDING_OPEN, "%s", f->home.problem);
	for (size_t i = 0; i < f->home.routes.n; i++)
		judge_route(f, f->home.routes.items[i].msg, out);
}

/* a route of the table that goes past the tunnels; and does it have any? */
static bool find_bad(const struct verify_facts *f, const struct rtnl_rule *rule, bool *is_empty,
		     char text[VERIFY_WHY_MAX])
{
	struct rtnl_route route;
	char why[VERIFY_WHY_MAX];

	*is_empty = true;
	for (size_t i = 0; i < f->home.routes.n; i++) {
		const struct nlmsghdr *msg = f->home.routes.items[i].msg;
		if (rtnl_parse_route(msg, &route) < 0 || route.table != rule->table ||
		    route.family != rule->family)
			continue;
		*is_empty = false;
		if (bad_device(f, &route, why)) {
			rtnl_describe(RTNL_ROUTE, msg, &f->home.links, text, VERIFY_WHY_MAX);
			return true;
		}
	}
	return false;
}

static bool is_usual(uint32_t table)
{
	return table == RT_TABLE_LOCAL || table == RT_TABLE_MAIN || table == RT_TABLE_DEFAULT;
}

static void judge_rules(const struct verify_facts *f, struct findings *out)
{
	char text[VERIFY_WHY_MAX], bad[VERIFY_WHY_MAX];
	struct rtnl_rule rule;
	bool is_empty;

	findings_begin(out, "home.rules", "no rule in home leads past the tunnels");
	if (f->home.problem[0])
		findings_add(out, FINDING_OPEN, "%s", f->home.problem);
	for (size_t i = 0; i < f->home.rules.n; i++) {
		const struct nlmsghdr *msg = f->home.rules.items[i].msg;
		rtnl_describe(RTNL_RULE, msg, &f->home.links, text, sizeof(text));
		if (rtnl_parse_rule(msg, &rule) < 0) {
			findings_add(out, FINDING_OPEN, "a rule that cannot be read: %s", text);
			continue;
		}
		if (rule.action != FR_ACT_TO_TBL || is_usual(rule.table))
			continue;
		if (find_bad(f, &rule, &is_empty, bad)) {
			findings_add(out, FINDING_BREAKS, "%s: there is %s", text, bad);
			findings_hint(out, "`ip %srule del pref %u` removes it",
				      rule.family == AF_INET6 ? "-6 " : "", rule.priority);
		} else if (is_empty) {
			findings_add(out, FINDING_WARNING,
				     "%s: the table is empty now; what comes into it is looked up "
				     "before the tunnels' routes",
				     text);
		}
	}
}

static void judge_sockets(const struct verify_facts *f, struct findings *out)
{
	/* AF_PACKET goes by no nftables hook but netdev's: what is sealed is that no uplink is there to send by */
	const struct finding *devices = findings_find(out, "home.devices");
	bool is_sealed = devices && devices->answer != FINDING_NO;

	findings_begin(out, "home.sockets",
		       "packet sockets of home, which no firewall sees, reach no uplink");
	if (f->sockets_problem[0])
		findings_add(out, FINDING_OPEN, "%s", f->sockets_problem);
	for (size_t i = 0; i < f->n_sockets; i++) {
		const struct verify_socket *s = &f->sockets[i];
		const struct rtnl_link *link = rtnl_links_by_index(&f->home.links, s->ifindex);
		char who[64] = "somebody";

		if (s->pid)
			(void)snprintf(who, sizeof(who), "%s (pid %d)", s->comm, (int)s->pid);
		findings_add(out, is_sealed ? FINDING_WARNING : FINDING_BREAKS,
			     "%s has a packet socket on %s", who,
			     link ? link->name : "every device");
	}
}

void verify_judge_home(const struct verify_facts *f, struct findings *out)
{
	judge_devices(f, out);
	judge_routes(f, out);
	judge_rules(f, out);
	judge_sockets(f, out);
}
