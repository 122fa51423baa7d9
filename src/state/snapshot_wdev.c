// SPDX-License-Identifier: GPL-2.0-or-later
/* which devices of a snapshot are wireless */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/nl80211.h"
#include "wgns/snapshot.h"

const struct snapshot_wdev *snapshot_find_wdev(const struct snapshot *s, const char *dev)
{
	for (size_t i = 0; i < s->n_wdevs; i++) {
		if (strcmp(s->wdevs[i].dev, dev) == 0)
			return &s->wdevs[i];
	}
	return NULL;
}

int snapshot_add_wdev(struct snapshot *s, const struct snapshot_wdev *wdev)
{
	struct snapshot_wdev *grown = reallocarray(s->wdevs, s->n_wdevs + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	s->wdevs = grown;
	grown[s->n_wdevs++] = *wdev;
	return 0;
}

int snapshot_take_wdevs(struct nl *genl, struct snapshot *s, struct err *e)
{
	struct nl80211_wdevs now = { 0 };
	int rc = nl80211_get_wdevs(genl, &now, e);

	for (size_t i = 0; rc == 0 && i < s->links.n; i++) {
		const struct rtnl_link *link = &s->links.items[i];
		const struct nl80211_wdev *wdev = nl80211_wdevs_find(&now, link->ifindex);
		struct snapshot_wdev entry = { 0 };

		if (!wdev)
			continue;
		entry.phy = wdev->phy;
		entry.id = wdev->id;
		memcpy(entry.dev, link->name, sizeof(entry.dev));
		if (snapshot_add_wdev(s, &entry) < 0)
			rc = err_set(e, ENOMEM, "keep the wireless devices");
	}
	nl80211_wdevs_free(&now);
	return rc;
}
