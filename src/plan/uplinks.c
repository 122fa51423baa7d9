// SPDX-License-Identifier: GPL-2.0-or-later
/* which devices move, and which of them cannot: pure */
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan_internal.h"
#include "wgns/plan.h"
#include "wgns/str.h"

/* VLANs on VLANs on an uplink; the kernel's own limit is 8 (MAX_NEST_DEV) */
#define STACK_DEPTH 8

static bool is_named(const char *name, char *const *named, size_t n_named)
{
	for (size_t i = 0; i < n_named; i++) {
		if (strcmp(name, named[i]) == 0)
			return true;
	}
	return false;
}

static bool carries_default_route(const struct host *host, int ifindex)
{
	struct rtnl_route route;

	for (size_t i = 0; i < host->routes.n; i++) {
		if (rtnl_parse_route(host->routes.items[i].msg, &route) < 0 || route.dst.bits ||
		    route.type != RTN_UNICAST)
			continue;
		for (size_t k = 0; k < route.n_oifs; k++) {
			if (route.oifs[k] == ifindex)
				return true;
		}
	}
	return false;
}

static bool is_tunnel(const struct host *host, const struct rtnl_link *link)
{
	if (strcmp(link->kind, "wireguard") == 0 ||
	    (host->devices && host->devices[link - host->links.items].is_wireguard))
		return true;
	for (size_t i = 0; i < host->n_tunnels; i++) {
		if (strcmp(host->tunnels[i].device.name, link->name) == 0)
			return true;
	}
	return false;
}

bool host_is_candidate(const struct host *host, const struct rtnl_link *link, char *const *named,
		       size_t n_named)
{
	if (link->flags & IFF_LOOPBACK || is_tunnel(host, link))
		return false;
	if (n_named)
		return is_named(link->name, named, n_named);
	return link->has_parent_device || carries_default_route(host, link->ifindex);
}

static const struct host_device *device_of(const struct host *host, const struct rtnl_link *link)
{
	return &host->devices[link - host->links.items];
}

static int refuse(struct err *e, const char *name, const char *why, const char *hint)
{
	err_say(e, EOPNOTSUPP, "%s cannot move to physical: %s", name, why);
	err_hint(e, "%s", hint);
	return err_as(e, ERR_KIND_MACHINE);
}

/* everything that would leave something behind which goes on sending in clear, or would not come back */
int plan_check_movable(const struct host *host, const struct rtnl_link *link, struct err *e)
{
	const struct host_device *dev = device_of(host, link);
	char why[512];

	if (link->master) {
		const struct rtnl_link *master = rtnl_links_by_index(&host->links, link->master);
		(void)snprintf(why, sizeof(why), "it belongs to %s %s",
			       master && master->kind[0] ? master->kind : "the device",
			       master ? master->name : "above it");
		return refuse(e, link->name, why,
			      "take it out (`ip link set DEV nomaster`), or name other uplinks "
			      "with --uplink");
	}
	if (dev->is_pppoe)
		return refuse(e, link->name, "a PPPoE session runs over it",
			      "end the session first, or name other uplinks with --uplink");
	if (dev->child[0]) {
		(void)snprintf(why, sizeof(why), "%s is on it and would go on sending in clear",
			       dev->child);
		return refuse(e, link->name, why, "delete that device first");
	}
	if (dev->n_nexthops) {
		(void)snprintf(why, sizeof(why),
			       "%u nexthop objects (`ip nexthop`) on it would be lost",
			       dev->n_nexthops);
		return refuse(e, link->name, why, "replace them by plain routes first");
	}
	if (dev->is_wireless && !dev->phy.is_there)
		return refuse(e, link->name,
			      "it is wireless, and its phy, with which alone it could move, is not "
			      "in this namespace",
			      "name other uplinks with --uplink");
	if (dev->is_wireless && !dev->phy.can_move) {
		(void)snprintf(why, sizeof(why),
			       "the driver of its phy %s cannot change namespaces "
			       "(no set_wiphy_netns in `iw phy`)",
			       dev->phy.name);
		return refuse(e, link->name, why, "name other uplinks with --uplink");
	}
	/* the kernel calls every wireless device immutable: its phy is not */
	if (dev->immutable[0] && !dev->is_wireless) {
		err_say(e, EINVAL, "%s cannot move to physical: its namespace is fixed",
			link->name);
		err_kernel(e, dev->immutable);
		err_hint(e, "bridges, bonds and the like stay where they are; name the devices "
			    "with --uplink");
		return err_as(e, ERR_KIND_MACHINE);
	}
	return 0;
}

static int add_uplink(struct plan *plan, const char *name, struct err *e)
{
	if (is_named(name, plan->uplinks, plan->n_uplinks))
		return 0;
	if (str_list_add(&plan->uplinks, &plan->n_uplinks, name, strlen(name)) < 0)
		return err_set(e, ENOMEM, "plan");
	return 0;
}

/* a VLAN or MACsec device on an uplink is an uplink: it moves after the device below it */
static int add_stacked(const struct host *host, struct plan *plan, struct err *e)
{
	for (int depth = 0; depth < STACK_DEPTH; depth++) {
		for (size_t i = 0; i < host->links.n; i++) {
			const struct rtnl_link *link = &host->links.items[i];
			const struct rtnl_link *lower =
				link->lower && !link->has_lower_netnsid
					? rtnl_links_by_index(&host->links, link->lower)
					: NULL;
			if ((strcmp(link->kind, "vlan") != 0 &&
			     strcmp(link->kind, "macsec") != 0) ||
			    !lower || !is_named(lower->name, plan->uplinks, plan->n_uplinks))
				continue;
			int rc = add_uplink(plan, link->name, e);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

/* a VLAN that was named or carries the default route: what is below it moves first */
static int add_lowest(const struct host *host, const struct rtnl_link *link, struct plan *plan,
		      struct err *e)
{
	for (int depth = 0; depth < STACK_DEPTH; depth++) {
		const struct rtnl_link *lower =
			link->lower && !link->has_lower_netnsid
				? rtnl_links_by_index(&host->links, link->lower)
				: NULL;
		if (!lower ||
		    (strcmp(link->kind, "vlan") != 0 && strcmp(link->kind, "macsec") != 0))
			break;
		link = lower;
	}
	return add_uplink(plan, link->name, e);
}

/* a card that is not plugged in yet moves when it comes, and who watches says so */
static int warn_absent(struct plan *plan, const char *name, struct err *e)
{
	char text[160];
	int len =
		snprintf(text, sizeof(text), "%.15s is not here yet; it moves when it comes", name);

	if (str_list_add(&plan->warnings, &plan->n_warnings, text, (size_t)len) < 0)
		return err_set(e, ENOMEM, "plan");
	return 0;
}

static int check_named(const struct plan_request *rq, const struct host *host, struct plan *plan,
		       struct err *e)
{
	for (size_t i = 0; i < rq->n_uplinks; i++) {
		const struct rtnl_link *link = rtnl_links_by_name(&host->links, rq->uplinks[i]);
		if (!link && rq->should_watch) {
			int rc = warn_absent(plan, rq->uplinks[i], e);
			if (rc < 0)
				return rc;
			continue;
		}
		if (!link) {
			err_say(e, ENODEV, "there is no device %s to use as uplink",
				rq->uplinks[i]);
			return err_as(e, ERR_KIND_MACHINE);
		}
		if (link->flags & IFF_LOOPBACK || is_tunnel(host, link))
			return refuse(e, link->name,
				      link->flags & IFF_LOOPBACK ? "it is the loopback device"
								 : "it is a tunnel",
				      "name the device that carries the ciphertext");
	}
	return 0;
}

/* nobody renews a lease in physical: say when the network will end */
static int warn_lease(const struct host *host, struct plan *plan, const struct rtnl_link *link,
		      struct err *e)
{
	char text[256], address[ADDR_TEXT_MAX];
	struct rtnl_addr addr;

	for (size_t i = 0; i < host->addrs.n; i++) {
		if (rtnl_parse_addr(host->addrs.items[i].msg, &addr) < 0 ||
		    addr.ifindex != link->ifindex || addr.family != AF_INET ||
		    addr.valid == UINT32_MAX)
			continue;
		addr_format_prefix(&addr.local, address);
		int len = snprintf(text, sizeof(text),
				   "the address %s of %s is leased for %u more seconds, and "
				   "nothing renews it in physical",
				   address, link->name, addr.valid);
		if (str_list_add(&plan->warnings, &plan->n_warnings, text, (size_t)len) < 0)
			return err_set(e, ENOMEM, "plan");
	}
	return 0;
}

static int warn_lost(const struct host *host, struct plan *plan, const struct rtnl_link *link,
		     struct err *e)
{
	const struct host_device *dev = device_of(host, link);
	char text[256];

	if (!dev->qdiscs[0])
		return 0;
	int len = snprintf(
		text, sizeof(text),
		"the queueing discipline of %s (%s) is lost by the move and does not come back",
		link->name, dev->qdiscs);
	if (str_list_add(&plan->warnings, &plan->n_warnings, text, (size_t)len) < 0)
		return err_set(e, ENOMEM, "plan");
	return 0;
}

int plan_warn_uplink(const struct plan_request *rq, const struct host *host, struct plan *plan,
		     const struct rtnl_link *link, struct err *e)
{
	int rc = warn_lost(host, plan, link, e);

	if (rc == 0)
		rc = plan_warn_wireless(host, plan, link,
					plan_agents_cover(rq, host, link->name, AGENTS_AIR), e);
	if (rc < 0 || plan_agents_cover(rq, host, link->name, AGENTS_ADDRESS))
		return rc;
	return warn_lease(host, plan, link, e);
}

/* --uplink leaves a way out of the tunnel where another uplink stays: nobody should learn that from a capture */
static int warn_staying(const struct plan_request *rq, const struct host *host, struct plan *plan,
			struct err *e)
{
	bool is_stopped = rq->kill_switch != KILL_SWITCH_NO || host->guard.is_in_home;
	char text[200];

	for (size_t i = 0; i < host->links.n; i++) {
		const struct rtnl_link *link = &host->links.items[i];
		if (!host_is_candidate(host, link, NULL, 0) ||
		    is_named(link->name, plan->uplinks, plan->n_uplinks))
			continue;
		int len = snprintf(text, sizeof(text), "%s stays in home, and %s", link->name,
				   is_stopped ? "the guard stops what goes over it"
					      : "what goes over it goes past the tunnel");
		if (str_list_add(&plan->warnings, &plan->n_warnings, text, (size_t)len) < 0)
			return err_set(e, ENOMEM, "plan");
	}
	return 0;
}

int plan_uplinks(const struct plan_request *rq, const struct host *host, struct plan *plan,
		 struct err *e)
{
	int rc = check_named(rq, host, plan, e);

	for (size_t i = 0; rc == 0 && i < host->links.n; i++) {
		const struct rtnl_link *link = &host->links.items[i];
		if (host_is_candidate(host, link, rq->uplinks, rq->n_uplinks))
			rc = add_lowest(host, link, plan, e);
	}
	if (rc == 0)
		rc = plan_add_phys(host, plan, e);
	if (rc == 0)
		rc = add_stacked(host, plan, e);
	for (size_t i = 0; rc == 0 && i < plan->n_uplinks; i++) {
		const struct rtnl_link *link = rtnl_links_by_name(&host->links, plan->uplinks[i]);
		rc = plan_check_movable(host, link, e);
		if (rc == 0)
			rc = plan_warn_uplink(rq, host, plan, link, e);
	}
	if (rc == 0 && plan->n_uplinks > RTNL_MAP_MAX) {
		err_say(e, E2BIG, "%zu uplinks are more than the %d that wgns moves",
			plan->n_uplinks, RTNL_MAP_MAX);
		err_hint(e, "name those that are needed with --uplink");
		return err_as(e, ERR_KIND_MACHINE);
	}
	if (rc == 0 && rq->n_uplinks)
		rc = warn_staying(rq, host, plan, e);
	if (rc < 0 || plan->n_uplinks)
		return rc;
	err_say(e, ENODEV,
		"no uplink: no device has hardware behind it or carries a default route");
	err_hint(e, "name one with --uplink, and see `ip link`");
	return err_as(e, ERR_KIND_MACHINE);
}
