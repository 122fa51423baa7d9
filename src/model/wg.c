// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/wg.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/str.h"

/* arrays double when their length is a power of two: no capacity to keep beside it */
static bool is_full(size_t n)
{
	return (n & (n - 1)) == 0;
}

static size_t grown(size_t n)
{
	return n ? 2 * n : 1;
}

struct wg_peer *wg_device_add_peer(struct wg_device *dev)
{
	size_t n = dev->n_peers;

	if (is_full(n)) {
		/* not realloc: the old block holds preshared keys and must be wiped */
		struct wg_peer *peers = calloc(grown(n), sizeof(*peers));
		if (!peers)
			return NULL;
		if (n) {
			memcpy(peers, dev->peers, n * sizeof(*peers));
			str_wipe(dev->peers, n * sizeof(*peers));
		}
		free(dev->peers);
		dev->peers = peers;
	}
	dev->peers[n] = (struct wg_peer){ 0 };
	dev->n_peers = n + 1;
	return &dev->peers[n];
}

int wg_peer_add_allowed_ip(struct wg_peer *peer, const struct addr *prefix, bool is_remove)
{
	size_t n = peer->n_allowed_ips;

	if (is_full(n)) {
		struct wg_allowed_ip *ips = reallocarray(peer->allowed_ips, grown(n), sizeof(*ips));
		if (!ips)
			return -ENOMEM;
		peer->allowed_ips = ips;
	}
	peer->allowed_ips[n] = (struct wg_allowed_ip){ .prefix = *prefix, .is_remove = is_remove };
	peer->n_allowed_ips = n + 1;
	return 0;
}

void wg_device_free(struct wg_device *dev)
{
	for (size_t i = 0; i < dev->n_peers; i++) {
		free(dev->peers[i].allowed_ips);
		free(dev->peers[i].endpoint_host);
		free(dev->peers[i].endpoint_port);
	}
	str_wipe(dev->peers, dev->n_peers * sizeof(*dev->peers));
	free(dev->peers);
	str_wipe(dev, sizeof(*dev));
}

void wg_endpoint_format(const union wg_endpoint *ep, char out[WG_ENDPOINT_TEXT_MAX])
{
	char host[INET6_ADDRSTRLEN] = "", scope[12] = "";

	out[0] = '\0';
	if (ep->sa.sa_family == AF_INET) {
		(void)inet_ntop(AF_INET, &ep->v4.sin_addr, host,
				sizeof(host)); /* host is large enough */
		(void)snprintf(out, WG_ENDPOINT_TEXT_MAX, "%s:%u", host, ntohs(ep->v4.sin_port));
	} else if (ep->sa.sa_family == AF_INET6) {
		(void)inet_ntop(AF_INET6, &ep->v6.sin6_addr, host, sizeof(host)); /* as above */
		if (ep->v6.sin6_scope_id)
			(void)snprintf(scope, sizeof(scope), "%%%u", ep->v6.sin6_scope_id);
		(void)snprintf(out, WG_ENDPOINT_TEXT_MAX, "[%s%s]:%u", host, scope,
			       ntohs(ep->v6.sin6_port));
	}
}

socklen_t wg_endpoint_len(const union wg_endpoint *ep)
{
	if (ep->sa.sa_family == AF_INET)
		return sizeof(ep->v4);
	if (ep->sa.sa_family == AF_INET6)
		return sizeof(ep->v6);
	return 0;
}

int wg_endpoint_numeric(const char *host, const char *port, union wg_endpoint *out)
{
	union wg_endpoint ep = { 0 };
	unsigned long long number;
	struct addr a;

	if (str_to_u64(port, UINT16_MAX, &number) < 0 || addr_parse(host, strlen(host), &a) < 0)
		return -EAGAIN;
	if (a.family == AF_INET) {
		ep.v4.sin_family = AF_INET;
		ep.v4.sin_port = htons((uint16_t)number);
		memcpy(&ep.v4.sin_addr, a.bytes, sizeof(ep.v4.sin_addr));
	} else {
		ep.v6.sin6_family = AF_INET6;
		ep.v6.sin6_port = htons((uint16_t)number);
		memcpy(&ep.v6.sin6_addr, a.bytes, sizeof(ep.v6.sin6_addr));
	}
	*out = ep;
	return 0;
}
