// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/wgnl.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <stdbool.h>
#include <string.h>

#include "wgns/str.h"

/* Linux 6.16; older headers lack both */
#define ALLOWEDIP_A_FLAGS 4
#define ALLOWEDIP_F_REMOVE_ME (1u << 0)

static bool put(struct nl_msg *m, uint16_t type, const void *data, size_t len)
{
	return mnl_attr_put_check(nl_msg_hdr(m), sizeof(m->buf), type, len, data);
}

static bool put_u16(struct nl_msg *m, uint16_t type, uint16_t value)
{
	return mnl_attr_put_u16_check(nl_msg_hdr(m), sizeof(m->buf), type, value);
}

static bool put_u32(struct nl_msg *m, uint16_t type, uint32_t value)
{
	return mnl_attr_put_u32_check(nl_msg_hdr(m), sizeof(m->buf), type, value);
}

static struct nlattr *nest(struct nl_msg *m, uint16_t type)
{
	return mnl_attr_nest_start_check(nl_msg_hdr(m), sizeof(m->buf), type);
}

/* what belongs to the device as a whole goes into the first message only */
static bool put_device(struct nl_msg *m, const struct wg_device *dev, bool should_replace_peers,
		       bool is_continued)
{
	if (!mnl_attr_put_strz_check(nl_msg_hdr(m), sizeof(m->buf), WGDEVICE_A_IFNAME, dev->name))
		return false;
	if (is_continued)
		return true;
	if (dev->has_private_key &&
	    !put(m, WGDEVICE_A_PRIVATE_KEY, dev->private_key.bytes, KEY_LEN))
		return false;
	if (dev->has_listen_port && !put_u16(m, WGDEVICE_A_LISTEN_PORT, dev->listen_port))
		return false;
	if (dev->has_fwmark && !put_u32(m, WGDEVICE_A_FWMARK, dev->fwmark))
		return false;
	return !should_replace_peers || put_u32(m, WGDEVICE_A_FLAGS, WGDEVICE_F_REPLACE_PEERS);
}

static bool put_allowed_ip(struct nl_msg *m, const struct wg_allowed_ip *ip)
{
	struct nlattr *start = nest(m, 0);

	if (!start)
		return false;
	if (put_u16(m, WGALLOWEDIP_A_FAMILY, ip->prefix.family) &&
	    put(m, WGALLOWEDIP_A_IPADDR, ip->prefix.bytes, addr_len(&ip->prefix)) &&
	    mnl_attr_put_u8_check(nl_msg_hdr(m), sizeof(m->buf), WGALLOWEDIP_A_CIDR_MASK,
				  ip->prefix.bits) &&
	    (!ip->is_remove || put_u32(m, ALLOWEDIP_A_FLAGS, ALLOWEDIP_F_REMOVE_ME))) {
		mnl_attr_nest_end(nl_msg_hdr(m), start);
		return true;
	}
	mnl_attr_nest_cancel(nl_msg_hdr(m), start);
	return false;
}

/* as many as fit, from @from on; Return: the first one that is not in the message */
static size_t put_allowed_ips(struct nl_msg *m, const struct wg_peer *peer, size_t from)
{
	struct nlattr *start = from < peer->n_allowed_ips ? nest(m, WGPEER_A_ALLOWEDIPS) : NULL;
	size_t i = from;

	if (!start)
		return from;
	while (i < peer->n_allowed_ips && put_allowed_ip(m, &peer->allowed_ips[i]))
		i++;
	mnl_attr_nest_end(nl_msg_hdr(m), start);
	return i;
}

/* key and settings; a fragment that goes on with a peer carries its key only */
static bool put_peer_head(struct nl_msg *m, const struct wg_peer *peer, bool is_first_fragment)
{
	if (!put(m, WGPEER_A_PUBLIC_KEY, peer->public_key.bytes, KEY_LEN))
		return false;
	if (!is_first_fragment)
		return true;
	if (peer->should_remove)
		return put_u32(m, WGPEER_A_FLAGS, WGPEER_F_REMOVE_ME);
	uint32_t flags = (peer->is_incremental ? 0 : WGPEER_F_REPLACE_ALLOWEDIPS) |
			 (peer->is_update_only ? WGPEER_F_UPDATE_ONLY : 0);
	if (flags && !put_u32(m, WGPEER_A_FLAGS, flags))
		return false;
	if (peer->has_preshared_key &&
	    !put(m, WGPEER_A_PRESHARED_KEY, peer->preshared_key.bytes, KEY_LEN))
		return false;
	if (wg_endpoint_len(&peer->endpoint) &&
	    !put(m, WGPEER_A_ENDPOINT, &peer->endpoint, wg_endpoint_len(&peer->endpoint)))
		return false;
	return !peer->has_keepalive ||
	       put_u16(m, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, peer->keepalive);
}

/*
 * One peer, or the next part of it. A part without a single allowed ip would be taken for the
 * beginning again by the next message, so it is left out as a whole.
 * Return: true when the peer is complete and the cursor is on the next one.
 */
static bool put_peer(struct nl_msg *m, const struct wg_device *dev, struct wgnl_cursor *at)
{
	const struct wg_peer *peer = &dev->peers[at->peer];
	struct nlattr *start = nest(m, 0);

	if (!start)
		return false;
	if (!put_peer_head(m, peer, at->allowed_ip == 0)) {
		mnl_attr_nest_cancel(nl_msg_hdr(m), start);
		return false;
	}
	size_t next = put_allowed_ips(m, peer, at->allowed_ip);
	if (next == at->allowed_ip && next < peer->n_allowed_ips) {
		mnl_attr_nest_cancel(nl_msg_hdr(m), start);
		return false;
	}
	mnl_attr_nest_end(nl_msg_hdr(m), start);
	if (next < peer->n_allowed_ips) {
		at->allowed_ip = next;
		return false;
	}
	at->peer++;
	at->allowed_ip = 0;
	return true;
}

int wgnl_build_set(struct nl_msg *m, uint16_t family_id, const struct wg_device *dev,
		   bool should_replace_peers, struct wgnl_cursor *cursor)
{
	const struct wgnl_cursor before = *cursor;
	struct genlmsghdr *g = nl_msg_begin(m, family_id, 0, sizeof(*g));

	g->cmd = WG_CMD_SET_DEVICE;
	g->version = WG_GENL_VERSION;
	if (!put_device(m, dev, should_replace_peers, cursor->is_continued))
		return -EMSGSIZE;
	cursor->is_continued = true;
	if (cursor->peer >= dev->n_peers)
		return 0;

	struct nlattr *peers = nest(m, WGDEVICE_A_PEERS);
	if (!peers)
		return -EMSGSIZE;
	while (cursor->peer < dev->n_peers && put_peer(m, dev, cursor))
		;
	if (cursor->peer == before.peer && cursor->allowed_ip == before.allowed_ip)
		return -EMSGSIZE;
	mnl_attr_nest_end(nl_msg_hdr(m), peers);
	return cursor->peer < dev->n_peers;
}

int wgnl_set(struct nl *genl, uint16_t family_id, const struct wg_device *dev,
	     bool should_replace_peers, struct err *e)
{
	struct wgnl_cursor cursor = { 0 };
	struct nl_msg m;
	int more;

	do {
		more = wgnl_build_set(&m, family_id, dev, should_replace_peers, &cursor);
		int rc = more < 0 ? err_set(e, -more, "build the message") : nl_talk(genl, &m, e);
		str_wipe(&m, sizeof(m));
		if (rc < 0)
			return err_context(e, "configure WireGuard device %s", dev->name);
	} while (more > 0);
	return 0;
}

static void forget(void *ctx)
{
	wg_device_free(ctx);
}

int wgnl_get(struct nl *genl, uint16_t family_id, const char *name, struct wg_device *out,
	     struct err *e)
{
	struct nl_msg m;
	struct wg_device dev = { 0 };
	struct genlmsghdr *g = nl_msg_begin(&m, family_id, NLM_F_DUMP, sizeof(*g));

	g->cmd = WG_CMD_GET_DEVICE;
	g->version = WG_GENL_VERSION;
	if (!mnl_attr_put_strz_check(nl_msg_hdr(&m), sizeof(m.buf), WGDEVICE_A_IFNAME, name))
		return err_set(e, EMSGSIZE, "read WireGuard device %s", name);
	if (nl_dump(genl, &m, wgnl_parse, forget, &dev, e) < 0) {
		wg_device_free(&dev);
		return err_context(e, "read WireGuard device %s", name);
	}
	*out = dev;
	str_wipe(&dev, sizeof(dev));
	return 0;
}
