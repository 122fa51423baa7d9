// SPDX-License-Identifier: GPL-2.0-or-later
/* devices and files as wg(8) and wg-quick(8) print them */
#include <string.h>

#include "wgns/str.h"
#include "wgns/wgquick.h"
#include "wgquick_internal.h"

static void add_key(struct strbuf *b, const char *name, const struct key *key)
{
	char text[KEY_BASE64_LEN + 1];

	key_format(key, text);
	strbuf_addf(b, "%s = %s\n", name, text);
	str_wipe(text, sizeof(text));
}

static void add_allowed_ips(struct strbuf *b, const struct wg_peer *peer)
{
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < peer->n_allowed_ips; i++) {
		addr_format_prefix(&peer->allowed_ips[i].prefix, text);
		strbuf_addf(b, "%s%s%s", i ? ", " : "AllowedIPs = ",
			    peer->allowed_ips[i].is_remove ? "-"
			    : peer->is_incremental	   ? "+"
							   : "",
			    text);
	}
	if (peer->n_allowed_ips)
		strbuf_addf(b, "\n");
}

static void add_endpoint(struct strbuf *b, const struct wg_peer *peer)
{
	char text[WG_ENDPOINT_TEXT_MAX];

	wg_endpoint_format(&peer->endpoint, text);
	if (text[0]) {
		strbuf_addf(b, "Endpoint = %s\n", text);
	} else if (peer->endpoint_host && peer->endpoint_port) {
		bool is_v6 = strchr(peer->endpoint_host, ':') != NULL;
		strbuf_addf(b, "Endpoint = %s%s%s:%s\n", is_v6 ? "[" : "", peer->endpoint_host,
			    is_v6 ? "]" : "", peer->endpoint_port);
	}
}

/* the order and the omissions of showconf.c in wireguard-tools; what follows [Interface] */
static void add_device(struct strbuf *b, const struct wg_device *dev)
{
	if (dev->listen_port)
		strbuf_addf(b, "ListenPort = %u\n", dev->listen_port);
	if (dev->fwmark)
		strbuf_addf(b, "FwMark = 0x%x\n", dev->fwmark);
	if (dev->has_private_key && !key_is_zero(&dev->private_key))
		add_key(b, "PrivateKey", &dev->private_key);
	for (size_t i = 0; i < dev->n_peers; i++) {
		const struct wg_peer *peer = &dev->peers[i];
		strbuf_addf(b, "\n[Peer]\n");
		add_key(b, "PublicKey", &peer->public_key);
		if (peer->has_preshared_key && !key_is_zero(&peer->preshared_key))
			add_key(b, "PresharedKey", &peer->preshared_key);
		add_allowed_ips(b, peer);
		add_endpoint(b, peer);
		if (peer->keepalive)
			strbuf_addf(b, "PersistentKeepalive = %u\n", peer->keepalive);
	}
}

char *wgquick_print_wg(const struct wg_device *dev)
{
	AUTO_STRBUF struct strbuf b = { 0 };

	strbuf_addf(&b, "[Interface]\n");
	add_device(&b, dev);
	if (dev->n_peers == 0)
		strbuf_addf(&b, "\n"); /* wg's blank line behind the interface */
	return strbuf_finish(&b);
}

static void add_table(struct strbuf *b, const struct wgquick *conf)
{
	switch (conf->table) {
	case WGQUICK_TABLE_AUTO:
		break;
	case WGQUICK_TABLE_OFF:
		strbuf_addf(b, "Table = off\n");
		break;
	case WGQUICK_TABLE_NUMBER:
		strbuf_addf(b, "Table = %u\n", conf->table_number);
		break;
	}
}

char *wgquick_print_saved(const struct wgquick *conf, const struct addr *addresses,
			  size_t n_addresses, const struct wg_device *dev)
{
	AUTO_STRBUF struct strbuf b = { 0 };
	char text[ADDR_TEXT_MAX];

	strbuf_addf(&b, "[Interface]\n");
	for (size_t i = 0; i < n_addresses; i++) {
		addr_format_prefix(&addresses[i], text);
		strbuf_addf(&b, "Address = %s\n", text);
	}
	for (size_t i = 0; i < conf->n_dns; i++) {
		addr_format(&conf->dns[i], text);
		strbuf_addf(&b, "DNS = %s\n", text);
	}
	/* wg-quick loses these, because it asks resolvconf for the servers only */
	for (size_t i = 0; i < conf->n_search; i++)
		strbuf_addf(&b, "DNS = %s\n", conf->search[i]);
	if (conf->mtu)
		strbuf_addf(&b, "MTU = %u\n", conf->mtu);
	add_table(&b, conf);
	if (conf->should_save)
		strbuf_addf(&b, "SaveConfig = true\n");
	for (unsigned kind = 0; kind < WGQUICK_N_HOOKS; kind++) {
		for (size_t i = 0; i < conf->n_hooks[kind]; i++)
			strbuf_addf(&b, "%s = %s\n", wgq_key_names[kind], conf->hooks[kind][i]);
	}
	add_device(&b, dev);
	return strbuf_finish(&b);
}
