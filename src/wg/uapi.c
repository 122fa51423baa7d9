// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/uapi.h"

#include <errno.h>
#include <string.h>

#include "wgns/str.h"

static void add_key(struct strbuf *b, const char *name, const struct key *key)
{
	strbuf_addf(b, "%s=", name);
	strbuf_add_hex(b, key->bytes, KEY_LEN);
	strbuf_add(b, "\n", 1);
}

static void add_peer(struct strbuf *b, const struct wg_peer *peer)
{
	char text[ADDR_TEXT_MAX], endpoint[WG_ENDPOINT_TEXT_MAX];

	add_key(b, "public_key", &peer->public_key);
	if (peer->should_remove) {
		strbuf_addf(b, "remove=true\n");
		return;
	}
	if (peer->is_update_only)
		strbuf_addf(b, "update_only=true\n");
	if (peer->has_preshared_key)
		add_key(b, "preshared_key", &peer->preshared_key);
	wg_endpoint_format(&peer->endpoint, endpoint);
	if (endpoint[0])
		strbuf_addf(b, "endpoint=%s\n", endpoint);
	if (peer->has_keepalive)
		strbuf_addf(b, "persistent_keepalive_interval=%u\n", peer->keepalive);
	if (!peer->is_incremental)
		strbuf_addf(b, "replace_allowed_ips=true\n");
	for (size_t i = 0; i < peer->n_allowed_ips; i++) {
		addr_format_prefix(&peer->allowed_ips[i].prefix, text);
		strbuf_addf(b, "allowed_ip=%s%s\n", peer->allowed_ips[i].is_remove ? "-" : "",
			    text);
	}
}

char *uapi_build_set(const struct wg_device *dev, bool should_replace_peers)
{
	AUTO_STRBUF struct strbuf b = { 0 };

	strbuf_addf(&b, "set=1\n");
	if (dev->has_private_key)
		add_key(&b, "private_key", &dev->private_key);
	if (dev->has_listen_port)
		strbuf_addf(&b, "listen_port=%u\n", dev->listen_port);
	if (dev->has_fwmark)
		strbuf_addf(&b, "fwmark=%u\n", dev->fwmark);
	if (should_replace_peers)
		strbuf_addf(&b, "replace_peers=true\n");
	for (size_t i = 0; i < dev->n_peers; i++)
		add_peer(&b, &dev->peers[i]);
	strbuf_add(&b, "\n", 1);
	return strbuf_finish(&b);
}
