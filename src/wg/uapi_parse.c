// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/str.h"
#include "wgns/uapi.h"

#define VALUE_TEXT_MAX 128 /* longer than any number, endpoint or prefix */
#define ERRNO_MAX 4095 /* MAX_ERRNO of the kernel */

/* One line, cut at the first '='; nothing here is terminated. */
struct line {
	const char *key, *value;
	size_t key_len, value_len;
};

struct reader {
	struct wg_device dev;
	struct wg_peer *peer; /* the one that the lines belong to; NULL before the first */
};

static int read_number(const struct line *l, unsigned long long max, unsigned long long *out)
{
	char text[VALUE_TEXT_MAX];

	if (l->value_len >= sizeof(text) || memchr(l->value, '\0', l->value_len))
		return -EINVAL;
	memcpy(text, l->value, l->value_len);
	text[l->value_len] = '\0';
	return str_to_u64(text, max, out);
}

static int read_key(const struct line *l, struct key *out)
{
	struct key key = { 0 };
	bool is_good = str_hex_decode(l->value, l->value_len, key.bytes, KEY_LEN) == KEY_LEN;

	if (is_good)
		*out = key;
	key_wipe(&key);
	return is_good ? 0 : -EINVAL;
}

/*
 * ADDRESS:PORT or [ADDRESS%ZONE]:PORT. A zone that is a name means something in the daemon's
 * namespace only, so the scope stays 0 then.
 */
static int read_endpoint(const struct line *l, union wg_endpoint *out)
{
	char text[VALUE_TEXT_MAX];
	unsigned long long zone = 0;

	if (l->value_len >= sizeof(text) || memchr(l->value, '\0', l->value_len))
		return -EINVAL;
	memcpy(text, l->value, l->value_len);
	text[l->value_len] = '\0';
	char *colon = strrchr(text, ':');
	if (!colon || colon == text)
		return -EINVAL;
	*colon = '\0';
	char *host = text;
	if (host[0] == '[') {
		if (colon[-1] != ']')
			return -EINVAL;
		colon[-1] = '\0';
		host++;
		char *percent = strchr(host, '%');
		if (percent) {
			*percent = '\0';
			(void)str_to_u64(percent + 1, UINT32_MAX, &zone); /* a name: stays 0 */
		}
	}

	union wg_endpoint ep = { 0 };
	if (wg_endpoint_numeric(host, colon + 1, &ep) < 0)
		return -EINVAL;
	if (ep.sa.sa_family == AF_INET6)
		ep.v6.sin6_scope_id = (uint32_t)zone;
	*out = ep;
	return 0;
}

static int on_private_key(struct reader *r, const struct line *l)
{
	struct wg_device *dev = &r->dev;

	if (read_key(l, &dev->private_key) < 0)
		return -EINVAL;
	dev->has_private_key = !key_is_zero(&dev->private_key);
	if (!dev->has_private_key)
		return 0;
	if (key_public(&dev->private_key, &dev->public_key) < 0)
		return -EINVAL;
	dev->has_public_key = true;
	return 0;
}

static int on_listen_port(struct reader *r, const struct line *l)
{
	unsigned long long n;

	if (read_number(l, UINT16_MAX, &n) < 0)
		return -EINVAL;
	r->dev.listen_port = (uint16_t)n;
	r->dev.has_listen_port = true;
	return 0;
}

static int on_fwmark(struct reader *r, const struct line *l)
{
	unsigned long long n;

	if (read_number(l, UINT32_MAX, &n) < 0)
		return -EINVAL;
	r->dev.fwmark = (uint32_t)n;
	r->dev.has_fwmark = true;
	return 0;
}

static int on_public_key(struct reader *r, const struct line *l)
{
	struct key key;

	if (read_key(l, &key) < 0)
		return -EINVAL;
	r->peer = wg_device_add_peer(&r->dev);
	if (!r->peer)
		return -ENOMEM;
	r->peer->public_key = key;
	return 0;
}

static int on_preshared_key(struct reader *r, const struct line *l)
{
	if (read_key(l, &r->peer->preshared_key) < 0)
		return -EINVAL;
	/* wireguard-go prints zeros where there is none */
	r->peer->has_preshared_key = !key_is_zero(&r->peer->preshared_key);
	return 0;
}

static int on_endpoint(struct reader *r, const struct line *l)
{
	return read_endpoint(l, &r->peer->endpoint);
}

static int on_keepalive(struct reader *r, const struct line *l)
{
	unsigned long long n;

	if (read_number(l, UINT16_MAX, &n) < 0)
		return -EINVAL;
	r->peer->keepalive = (uint16_t)n;
	r->peer->has_keepalive = true;
	return 0;
}

static int on_allowed_ip(struct reader *r, const struct line *l)
{
	struct addr prefix;

	if (addr_parse_prefix(l->value, l->value_len, &prefix) < 0)
		return -EINVAL;
	return wg_peer_add_allowed_ip(r->peer, &prefix, false);
}

static int on_handshake(struct reader *r, const struct line *l)
{
	unsigned long long n;

	if (read_number(l, INT64_MAX, &n) < 0)
		return -EINVAL;
	r->peer->last_handshake = (int64_t)n;
	return 0;
}

static int on_rx_bytes(struct reader *r, const struct line *l)
{
	unsigned long long n;

	if (read_number(l, UINT64_MAX, &n) < 0)
		return -EINVAL;
	r->peer->rx_bytes = n;
	return 0;
}

static int on_tx_bytes(struct reader *r, const struct line *l)
{
	unsigned long long n;

	if (read_number(l, UINT64_MAX, &n) < 0)
		return -EINVAL;
	r->peer->tx_bytes = n;
	return 0;
}

static const struct {
	const char *key;
	bool is_of_peer;
	int (*fn)(struct reader *r, const struct line *l);
} keys[] = {
	{ "allowed_ip", true, on_allowed_ip },
	{ "public_key", false, on_public_key },
	{ "preshared_key", true, on_preshared_key },
	{ "endpoint", true, on_endpoint },
	{ "persistent_keepalive_interval", true, on_keepalive },
	{ "last_handshake_time_sec", true, on_handshake },
	{ "rx_bytes", true, on_rx_bytes },
	{ "tx_bytes", true, on_tx_bytes },
	{ "private_key", false, on_private_key },
	{ "listen_port", false, on_listen_port },
	{ "fwmark", false, on_fwmark },
};

static bool is_key(const struct line *l, const char *key)
{
	return l->key_len == strlen(key) && memcmp(l->key, key, l->key_len) == 0;
}

/* what a newer daemon adds is passed over */
static int read_line(struct reader *r, const struct line *l)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!is_key(l, keys[i].key))
			continue;
		if (keys[i].is_of_peer && !r->peer)
			return -EINVAL;
		return keys[i].fn(r, l);
	}
	return 0;
}

/* wireguard-go writes errno=-22 where the specification has errno=22 */
static int read_errno(const struct line *l, unsigned *out)
{
	struct line digits = *l;
	unsigned long long n;

	if (digits.value_len && digits.value[0] == '-') {
		digits.value++;
		digits.value_len--;
	}
	if (read_number(&digits, ERRNO_MAX, &n) < 0)
		return -EINVAL;
	*out = (unsigned)n;
	return 0;
}

/* Return: 1 when errno=0 ended the answer, 0 to go on, or -errno */
static int take_line(struct reader *r, const char *text, size_t len, unsigned n, struct err *e)
{
	const char *equals = memchr(text, '=', len);
	unsigned code = 0;

	if (!equals)
		return err_say(e, EINVAL, "the daemon's answer, line %u: no \"=\"", n);
	struct line l = { .key = text,
			  .key_len = (size_t)(equals - text),
			  .value = equals + 1,
			  .value_len = len - (size_t)(equals - text) - 1 };
	int rc = is_key(&l, "errno") ? read_errno(&l, &code) : read_line(r, &l);
	if (rc == -ENOMEM)
		return err_set(e, ENOMEM, "keep the daemon's answer");
	if (rc < 0) /* the value may be a key: never shown */
		return err_say(e, EINVAL, "the daemon's answer, line %u: bad value of \"%.*s\"", n,
			       l.key_len > 40 ? 40 : (int)l.key_len, l.key);
	if (!is_key(&l, "errno"))
		return 0;
	return code ? err_set(e, (int)code, "the daemon refuses") : 1;
}

int uapi_parse_get(const char *text, size_t len, struct wg_device *out, struct err *e)
{
	struct reader r = { 0 };
	const char *at = text, *end = text + len;
	int rc = 0;

	for (unsigned n = 1; rc == 0 && at < end; n++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		if (!newline || newline == at)
			break;
		rc = take_line(&r, at, (size_t)(newline - at), n, e);
		at = newline + 1;
	}
	if (rc == 0)
		rc = err_say(e, EINVAL, "the daemon's answer ends without \"errno=\"");
	if (rc < 0) {
		wg_device_free(&r.dev);
		return rc;
	}
	*out = r.dev;
	str_wipe(&r, sizeof(r));
	return 0;
}
