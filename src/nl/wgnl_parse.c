// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <string.h>

#include "wgns/wgnl.h"

/* Linux 6.16 adds WGALLOWEDIP_A_FLAGS, which a dump never carries */

static bool read_key(const struct nlattr *a, struct key *out)
{
	if (!a || mnl_attr_get_payload_len(a) != KEY_LEN)
		return false;
	memcpy(out->bytes, mnl_attr_get_payload(a), KEY_LEN);
	return true;
}

/* struct sockaddr_in or sockaddr_in6, told apart by the family and held to their sizes */
static bool read_endpoint(const struct nlattr *a, union wg_endpoint *out)
{
	sa_family_t family;
	size_t len = mnl_attr_get_payload_len(a);

	if (len < sizeof(family))
		return false;
	memcpy(&family, mnl_attr_get_payload(a), sizeof(family));
	if ((family != AF_INET || len != sizeof(out->v4)) &&
	    (family != AF_INET6 || len != sizeof(out->v6)))
		return false;
	memset(out, 0, sizeof(*out));
	memcpy(out, mnl_attr_get_payload(a), len);
	return true;
}

/* struct __kernel_timespec: two 64-bit numbers on every architecture */
static bool read_time(const struct nlattr *a, int64_t *seconds)
{
	struct {
		int64_t sec, nsec;
	} t;

	if (mnl_attr_get_payload_len(a) != sizeof(t))
		return false;
	memcpy(&t, mnl_attr_get_payload(a), sizeof(t));
	*seconds = t.sec < 0 ? 0 : t.sec;
	return true;
}

static int add_allowed_ip(const struct nlattr *a, void *ctx)
{
	const struct nlattr *tb[WGALLOWEDIP_A_MAX + 1];
	struct addr prefix = { 0 };
	uint16_t family;

	if (nl_attr_table_nested(a, tb, WGALLOWEDIP_A_MAX) < 0 ||
	    !nl_attr_u16(tb[WGALLOWEDIP_A_FAMILY], &family) ||
	    !nl_attr_u8(tb[WGALLOWEDIP_A_CIDR_MASK], &prefix.bits) || !tb[WGALLOWEDIP_A_IPADDR])
		return -EBADMSG;
	if (family != AF_INET && family != AF_INET6)
		return -EBADMSG;
	prefix.family = (uint8_t)family;
	size_t len = addr_len(&prefix);
	if (mnl_attr_get_payload_len(tb[WGALLOWEDIP_A_IPADDR]) != len || prefix.bits > 8 * len)
		return -EBADMSG;
	memcpy(prefix.bytes, mnl_attr_get_payload(tb[WGALLOWEDIP_A_IPADDR]), len);
	return wg_peer_add_allowed_ip(ctx, &prefix, false);
}

static bool read_peer(struct wg_peer *peer, const struct nlattr **tb)
{
	if (tb[WGPEER_A_PRESHARED_KEY]) {
		if (!read_key(tb[WGPEER_A_PRESHARED_KEY], &peer->preshared_key))
			return false;
		/* the kernel says all zero where there is none */
		peer->has_preshared_key = !key_is_zero(&peer->preshared_key);
	}
	if (tb[WGPEER_A_ENDPOINT] && !read_endpoint(tb[WGPEER_A_ENDPOINT], &peer->endpoint))
		return false;
	if (tb[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL]) {
		if (!nl_attr_u16(tb[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL], &peer->keepalive))
			return false;
		peer->has_keepalive = true;
	}
	if (tb[WGPEER_A_LAST_HANDSHAKE_TIME] &&
	    !read_time(tb[WGPEER_A_LAST_HANDSHAKE_TIME], &peer->last_handshake))
		return false;
	if (tb[WGPEER_A_RX_BYTES] && !nl_attr_u64(tb[WGPEER_A_RX_BYTES], &peer->rx_bytes))
		return false;
	return !tb[WGPEER_A_TX_BYTES] || nl_attr_u64(tb[WGPEER_A_TX_BYTES], &peer->tx_bytes);
}

/* attributes of one nest handed to a function one by one, with its verdict kept */
struct walk {
	int (*fn)(const struct nlattr *a, void *ctx);
	void *ctx;
	int rc;
};

static int walk_step(const struct nlattr *a, void *data)
{
	struct walk *w = data;

	w->rc = w->fn(a, w->ctx);
	return w->rc < 0 ? MNL_CB_ERROR : MNL_CB_OK;
}

static int walk_nested(const struct nlattr *nest, int (*fn)(const struct nlattr *, void *),
		       void *ctx)
{
	struct walk w = { .fn = fn, .ctx = ctx };

	if (mnl_attr_parse_nested(nest, walk_step, &w) < 0 && w.rc == 0)
		return -EBADMSG;
	return w.rc;
}

static int add_peer(const struct nlattr *a, void *ctx)
{
	struct wg_device *dev = ctx;
	const struct nlattr *tb[WGPEER_A_MAX + 1];
	struct key public_key;

	if (nl_attr_table_nested(a, tb, WGPEER_A_MAX) < 0 ||
	    !read_key(tb[WGPEER_A_PUBLIC_KEY], &public_key))
		return -EBADMSG;

	/* linux/wireguard.h: a peer whose allowed ips overflow a message comes again in the next */
	struct wg_peer *peer = dev->n_peers ? &dev->peers[dev->n_peers - 1] : NULL;
	if (!peer || !key_equal(&peer->public_key, &public_key)) {
		peer = wg_device_add_peer(dev);
		if (!peer)
			return -ENOMEM;
		peer->public_key = public_key;
	}
	if (!read_peer(peer, tb))
		return -EBADMSG;
	if (!tb[WGPEER_A_ALLOWEDIPS])
		return 0;
	return walk_nested(tb[WGPEER_A_ALLOWEDIPS], add_allowed_ip, peer);
}

static bool read_device(struct wg_device *dev, const struct nlattr **tb)
{
	if (tb[WGDEVICE_A_IFNAME] &&
	    !nl_attr_text(tb[WGDEVICE_A_IFNAME], dev->name, sizeof(dev->name)))
		return false;
	if (tb[WGDEVICE_A_PRIVATE_KEY]) {
		if (!read_key(tb[WGDEVICE_A_PRIVATE_KEY], &dev->private_key))
			return false;
		dev->has_private_key = !key_is_zero(&dev->private_key);
	}
	if (tb[WGDEVICE_A_PUBLIC_KEY]) {
		if (!read_key(tb[WGDEVICE_A_PUBLIC_KEY], &dev->public_key))
			return false;
		dev->has_public_key = !key_is_zero(&dev->public_key);
	}
	if (tb[WGDEVICE_A_LISTEN_PORT]) {
		if (!nl_attr_u16(tb[WGDEVICE_A_LISTEN_PORT], &dev->listen_port))
			return false;
		dev->has_listen_port = true;
	}
	if (tb[WGDEVICE_A_FWMARK]) {
		if (!nl_attr_u32(tb[WGDEVICE_A_FWMARK], &dev->fwmark))
			return false;
		dev->has_fwmark = true;
	}
	return true;
}

int wgnl_parse(const struct nlmsghdr *reply, void *ctx, struct err *e)
{
	struct wg_device *dev = ctx;
	const struct nlattr *tb[WGDEVICE_A_MAX + 1];
	int rc = nl_attr_table(reply, sizeof(struct genlmsghdr), tb, WGDEVICE_A_MAX);

	if (rc < 0 || !read_device(dev, tb))
		rc = -EBADMSG;
	else if (tb[WGDEVICE_A_PEERS])
		rc = walk_nested(tb[WGDEVICE_A_PEERS], add_peer, dev);
	if (rc == -EBADMSG)
		return err_say(e, EBADMSG, "the kernel's answer is malformed");
	return rc < 0 ? err_set(e, -rc, "keep the kernel's answer") : 0;
}
