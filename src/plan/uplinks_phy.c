// SPDX-License-Identifier: GPL-2.0-or-later
/* wireless uplinks, which move with their phy: pure */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/nl80211.h>
#include <stdio.h>
#include <string.h>

#include "plan_internal.h"
#include "wgns/str.h"

#define OPER_UP 6 /* IF_OPER_UP of linux/if.h, which does not go with net/if.h */

static const struct host_device *device_of(const struct host *host, const char *name)
{
	const struct rtnl_link *link = rtnl_links_by_name(&host->links, name);

	return link ? &host->devices[link - host->links.items] : NULL;
}

bool plan_is_same_phy(const struct host_device *a, const struct host_device *b)
{
	return a->is_wireless && b->is_wireless && a->phy.is_there && b->phy.is_there &&
	       a->phy.index == b->phy.index;
}

int plan_add_phys(const struct host *host, struct plan *plan, struct err *e)
{
	size_t n_found = plan->n_uplinks;

	for (size_t i = 0; i < n_found; i++) {
		const struct host_device *dev = device_of(host, plan->uplinks[i]);
		for (size_t k = 0; k < host->links.n; k++) {
			const char *name = host->links.items[k].name;
			bool is_there = false;
			if (!dev || !plan_is_same_phy(dev, &host->devices[k]))
				continue;
			for (size_t n = 0; n < plan->n_uplinks; n++)
				is_there = is_there || strcmp(plan->uplinks[n], name) == 0;
			if (!is_there &&
			    str_list_add(&plan->uplinks, &plan->n_uplinks, name, strlen(name)) < 0)
				return err_set(e, ENOMEM, "plan");
		}
	}
	return 0;
}

/* a phy's name is its owner's to choose, and a step is cut into words */
static void make_word(const char *name, char out[NL80211_NAME_MAX])
{
	size_t len = 0;

	for (; len < NL80211_NAME_MAX - 1 && name[len]; len++) {
		unsigned char c = (unsigned char)name[len];
		out[len] = isalnum(c) || strchr("_.-", c) ? (char)c : '?';
	}
	if (!len)
		out[len++] = '?';
	out[len] = '\0';
}

void plan_phy_step(const struct nl80211_phy *phy, struct strbuf *out)
{
	char name[NL80211_NAME_MAX];

	make_word(phy->name, name);
	strbuf_addf(out, OP_PHY_MOVE, name, phy->index);
}

static void add_phy_step(const struct host *host, const struct host_device *dev, struct strbuf *out)
{
	const char *before = " with ";

	plan_phy_step(&dev->phy, out);
	for (size_t i = 0; i < host->links.n; i++) {
		if (!plan_is_same_phy(dev, &host->devices[i]))
			continue;
		strbuf_addf(out, "%s%s", before, host->links.items[i].name);
		before = ", ";
	}
}

int plan_moves(const struct host *host, struct plan *plan, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < plan->n_uplinks; i++) {
		const struct host_device *dev = device_of(host, plan->uplinks[i]);
		AUTO_STRBUF struct strbuf text = { 0 };
		bool has_moved = false;

		for (size_t k = 0; dev && k < i; k++) {
			const struct host_device *other = device_of(host, plan->uplinks[k]);
			has_moved = has_moved || (other && plan_is_same_phy(dev, other));
		}
		if (has_moved)
			continue;
		if (dev && dev->is_wireless)
			add_phy_step(host, dev, &text);
		else
			strbuf_addf(&text, "link.move %s -> physical", plan->uplinks[i]);
		rc = text.is_failed ? err_set(e, ENOMEM, "plan") : plan_add(plan, text.s, e);
	}
	return rc;
}

static bool has_warning(const struct plan *plan, const char *text)
{
	for (size_t i = 0; i < plan->n_warnings; i++) {
		if (strcmp(plan->warnings[i], text) == 0)
			return true;
	}
	return false;
}

bool plan_is_station(const struct host *host, const struct rtnl_link *link)
{
	const struct host_device *dev = &host->devices[link - host->links.items];

	return dev->is_wireless && link->operstate == OPER_UP &&
	       (dev->wireless_type == NL80211_IFTYPE_STATION ||
		dev->wireless_type == NL80211_IFTYPE_P2P_CLIENT);
}

int plan_warn_wireless(const struct host *host, struct plan *plan, const struct rtnl_link *link,
		       bool will_join, struct err *e)
{
	const struct host_device *dev = &host->devices[link - host->links.items];
	char text[256], phy[NL80211_NAME_MAX];
	int rc = 0;

	if (!dev->is_wireless)
		return 0;
	make_word(dev->phy.name, phy);
	if (dev->is_radio_locked)
		(void)snprintf(text, sizeof(text),
			       "the radio of %s is off, by a switch of the machine: see `rfkill`",
			       phy);
	else if (dev->is_radio_off)
		(void)snprintf(text, sizeof(text),
			       "the radio of %s is off: `rfkill unblock wlan` switches it on", phy);
	/* once for a phy, however many devices it has */
	if ((dev->is_radio_locked || dev->is_radio_off) && !has_warning(plan, text))
		rc = plan_warn(plan, text, e);
	if (rc < 0 || will_join || !plan_is_station(host, link))
		return rc;
	(void)snprintf(
		text, sizeof(text),
		"%s leaves its wireless network by the move: a supplicant in physical has to "
		"join it again (`wgns exec --user root --profile supplicant`)",
		link->name);
	return plan_warn(plan, text, e);
}
