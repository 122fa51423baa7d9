// SPDX-License-Identifier: GPL-2.0-or-later
/* Lan = yes: what the plan says of it; pure */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan_internal.h"
#include "wgns/lan.h"
#include "wgns/str.h"

/* as many prefixes as a person reads; more are counted */
#define SHOWN_MAX 4

static const struct rtnl_link *taken_by(const struct rtnl_links *links)
{
	for (size_t i = 0; i < links->n; i++) {
		const struct rtnl_link *link = &links->items[i];

		if (strcmp(link->name, LAN_DEVICE) == 0)
			return link;
		for (size_t a = 0; a < link->n_altnames; a++) {
			if (strcmp(link->altnames[a], LAN_DEVICE) == 0)
				return link;
		}
	}
	return NULL;
}

static int check_name(const struct host *host, struct err *e)
{
	const struct rtnl_link *link = taken_by(&host->links);

	if (!link)
		return 0;
	if (strcmp(link->name, LAN_DEVICE) == 0) {
		err_say(e, EEXIST,
			"a device called " LAN_DEVICE
			" exists, and Lan = yes makes one of that name");
		err_hint(e, "`ip link del " LAN_DEVICE "` removes it, `ip link set " LAN_DEVICE
			    " name OTHER` renames it");
	} else {
		err_say(e, EEXIST,
			"%s is also called " LAN_DEVICE
			", and Lan = yes makes a device of that name",
			link->name);
		err_hint(e, "`ip link property del dev %s altname " LAN_DEVICE "` takes it away",
			 link->name);
	}
	return err_as(e, ERR_KIND_STATE);
}

/* without it physical would forward everything */
static int check_kernel(const struct host *host, struct err *e)
{
	if (!host->guard.lacking[0])
		return 0;
	err_say(e, EOPNOTSUPP, "Lan = yes needs nf_tables: %s", host->guard.lacking);
	err_hint(e, "load or build nf_tables (CONFIG_NF_TABLES, CONFIG_NF_TABLES_INET, "
		    "CONFIG_NFT_NAT, CONFIG_NFT_MASQ), or leave Lan out of wgns.conf(5)");
	return err_as(e, ERR_KIND_MACHINE);
}

/* why a prefix is left out; NULL when it is not */
static const char *why_not(const struct plan_request *rq, const struct host *host,
			   const int *uplinks, size_t n_uplinks, const struct addr *net)
{
	if (lan_is_of_tunnel(rq->conf, net))
		return "the tunnel has addresses of it (Address, AllowedIPs or DNS), and keeps "
		       "them";
	if (lan_is_of_home(&host->routes, uplinks, n_uplinks, net))
		return "home has a route of its own to it";
	if (lan_is_public(net))
		return "its addresses are public, and any network can claim them";
	return NULL;
}

static int warn_skipped(struct plan *plan, const struct lan_guard_net *p, const char *why,
			struct err *e)
{
	char net[ADDR_TEXT_MAX], text[256];

	addr_format_prefix(&p->net, net);
	(void)snprintf(text, sizeof(text), "Lan = yes leaves out %s of %.15s: %s", net, p->uplink,
		       why);
	return plan_warn(plan, text, e);
}

static int find_uplinks(const struct host *host, const struct plan *plan, int **out, size_t *n,
			struct err *e)
{
	int *list = calloc(plan->n_uplinks + 1, sizeof(*list));

	if (!list)
		return err_set(e, ENOMEM, "plan");
	for (size_t i = 0; i < plan->n_uplinks; i++) {
		const struct rtnl_link *link = rtnl_links_by_name(&host->links, plan->uplinks[i]);
		if (link)
			list[(*n)++] = link->ifindex;
	}
	*out = list;
	return 0;
}

static void list_prefixes(struct strbuf *b, const struct lan_prefixes *kept)
{
	char text[ADDR_TEXT_MAX];

	if (!kept->n)
		strbuf_addf(b, "nothing");
	else if (kept->n > SHOWN_MAX)
		strbuf_addf(b, "%zu prefixes", kept->n);
	for (size_t i = 0; i < kept->n && kept->n <= SHOWN_MAX; i++) {
		addr_format_prefix(&kept->items[i].net, text);
		strbuf_addf(b, "%s%s", i ? ", " : "", text);
	}
}

static int choose_prefixes(const struct plan_request *rq, const struct host *host,
			   struct plan *plan, struct lan_prefixes *kept, struct err *e)
{
	struct lan_prefixes all;
	int *uplinks = NULL;
	size_t n = 0;

	int rc = find_uplinks(host, plan, &uplinks, &n, e);
	if (rc < 0)
		return rc;
	lan_on_link(&host->links, &host->addrs, &host->routes, uplinks, n, &all);
	for (size_t i = 0; rc == 0 && i < all.n; i++) {
		const char *why = why_not(rq, host, uplinks, n, &all.items[i].net);
		if (why)
			rc = warn_skipped(plan, &all.items[i], why, e);
		else
			kept->items[kept->n++] = all.items[i];
	}
	free(uplinks);
	return rc;
}

int plan_lan(const struct plan_request *rq, const struct host *host, struct plan *plan,
	     struct plan_lan *out, struct err *e)
{
	AUTO_STRBUF struct strbuf list = { 0 };
	struct lan_prefixes kept = { .n = 0 };
	char v4[ADDR_TEXT_MAX], v6[ADDR_TEXT_MAX];
	struct lan_pair pair;

	int rc = check_kernel(host, e);
	if (rc == 0)
		rc = check_name(host, e);
	if (rc == 0)
		rc = lan_pair_choose(&host->addrs, &host->routes, rq->conf, &pair, e);
	if (rc == 0)
		rc = choose_prefixes(rq, host, plan, &kept, e);
	if (rc < 0)
		return rc;
	list_prefixes(&list, &kept);
	if (list.is_failed)
		return err_set(e, ENOMEM, "plan");
	addr_format_prefix(&pair.v4, v4);
	addr_format_prefix(&pair.v6, v6);
	(void)snprintf(out->addr, sizeof(out->addr), "lan.addr " LAN_DEVICE " %s %s", v4, v6);
	(void)snprintf(out->sync, sizeof(out->sync), "lan.sync " LAN_DEVICE ": %s", list.s);
	return 0;
}

int plan_lan_before(struct plan *plan, struct err *e)
{
	int rc = plan_add(plan, "lan.guard physical", e);

	return rc < 0 ? rc : plan_add(plan, "lan.forward physical", e);
}

int plan_lan_after(const struct plan_request *rq, const struct host *host,
		   const struct plan_lan *lan, struct plan *plan, struct err *e)
{
	int rc = plan_add(plan, "lan.create " LAN_DEVICE " in home and physical", e);

	if (rc == 0)
		rc = plan_add(plan, lan->addr, e);
	if (rc == 0 && (rq->kill_switch != KILL_SWITCH_NO || host->guard.is_in_home))
		rc = plan_add(plan, "guard.allow " LAN_DEVICE, e);
	return rc < 0 ? rc : plan_add(plan, lan->sync, e);
}

int plan_lan_yield(const struct plan_request *rq, const struct host *host, struct plan *plan,
		   struct err *e)
{
	const struct rtnl_link *link = rtnl_links_by_name(&host->links, LAN_DEVICE);
	char text[64];

	if (link && strcmp(link->kind, "veth") == 0) {
		(void)snprintf(text, sizeof(text), "lan.yield %s", rq->conf->name);
		return plan_add(plan, text, e);
	}
	if (!rq->has_lan)
		return 0;
	return plan_warn(plan,
			 "Lan = yes changes nothing now: the layout is up already, and only its "
			 "first tunnel decides that",
			 e);
}
