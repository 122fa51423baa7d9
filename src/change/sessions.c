// SPDX-License-Identifier: GPL-2.0-or-later
/* over which devices the caller's own connections run */
#include <stdio.h>
#include <string.h>

#include "change_internal.h"

static void describe(const struct change_client *client, const char *device,
		     struct plan_session *out)
{
	char text[ADDR_TEXT_MAX];

	addr_format(&client->addr, text);
	(void)snprintf(out->client, sizeof(out->client), "%s%s%s", text, client->zone[0] ? "%" : "",
		       client->zone);
	(void)snprintf(out->device, sizeof(out->device), "%s", device);
}

/* a link-local address is reached over its zone, all others as the kernel would send to them now */
static const struct rtnl_link *device_to(struct nl *nl, const struct host *host,
					 const struct change_client *client)
{
	struct rtnl_route route;
	struct err ignored; /* no way there: then this is no connection that could be cut */

	if (client->zone[0])
		return rtnl_links_by_name(&host->links, client->zone);
	if (rtnl_route_lookup(nl, &client->addr, &route, &ignored) < 0 || !route.n_oifs)
		return NULL;
	return rtnl_links_by_index(&host->links, route.oifs[0]);
}

size_t sessions_find(const struct change_up *up, const struct host *host,
		     struct plan_session out[PLAN_SESSIONS_MAX])
{
	AUTO_NL struct nl *nl = NULL;
	struct err
		ignored; /* host_read() has just had such a socket: what cannot be seen refuses nothing */
	size_t n = 0;

	if (!up->n_clients || nl_open_in(NETLINK_ROUTE, -1, &nl, &ignored) < 0)
		return 0;
	for (size_t i = 0; i < up->n_clients && n < PLAN_SESSIONS_MAX; i++) {
		const struct rtnl_link *link = device_to(nl, host, &up->clients[i]);
		if (link)
			describe(&up->clients[i], link->name, &out[n++]);
	}
	return n;
}
