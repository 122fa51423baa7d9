// SPDX-License-Identifier: GPL-2.0-or-later
/* the lines that wg-quick(8) leaves to wg(8), which does not see any white space */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "wgquick_internal.h"

enum wg_key {
	PRIVATE_KEY,
	LISTEN_PORT,
	FWMARK,
	PUBLIC_KEY,
	PRESHARED_KEY,
	ALLOWED_IPS,
	ENDPOINT,
	KEEPALIVE,
	N_WG_KEYS
};

static const struct {
	const char *name;
	enum wgq_section section;
} wg_keys[N_WG_KEYS] = {
	[PRIVATE_KEY] = { "PrivateKey", WGQ_INTERFACE },
	[LISTEN_PORT] = { "ListenPort", WGQ_INTERFACE },
	[FWMARK] = { "FwMark", WGQ_INTERFACE },
	[PUBLIC_KEY] = { "PublicKey", WGQ_PEER },
	[PRESHARED_KEY] = { "PresharedKey", WGQ_PEER },
	[ALLOWED_IPS] = { "AllowedIPs", WGQ_PEER },
	[ENDPOINT] = { "Endpoint", WGQ_PEER },
	[KEEPALIVE] = { "PersistentKeepalive", WGQ_PEER },
};

int wgq_squeeze(struct ini_span span, char *buf, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; i < span.len; i++) {
		if (ini_is_space(span.s[i]))
			continue;
		if (n + 1 >= cap)
			return -E2BIG;
		buf[n++] = span.s[i];
	}
	buf[n] = '\0';
	return 0;
}

static bool is_base64_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '+' || c == '/';
}

/* says where a key is wrong and never what it is */
static void explain_key(struct wgq_reader *r, const char *name)
{
	struct ini_span value = r->line->value;
	size_t n = 0;

	for (size_t i = 0; i < value.len; i++) {
		char c = value.s[i];
		if (ini_is_space(c))
			continue;
		n++;
		if (is_base64_digit(c) || (c == '=' && n == KEY_BASE64_LEN))
			continue;
		if (c == '=' && i + 1 == value.len)
			continue; /* the length is what is wrong */
		wgq_error(r, value.s + i, "%s: character %zu of the key is not base64", name, n);
		return;
	}
	if (n == KEY_BASE64_LEN - 1 && value.s[value.len - 1] != '=')
		wgq_error(r, value.s,
			  "%s: 43 characters, a key has 44: the `=' at the end is missing", name);
	else if (n == 64)
		wgq_error(r, value.s,
			  "%s: 64 characters, a key has 44: is it hexadecimal? wg wants base64",
			  name);
	else if (n != KEY_BASE64_LEN)
		wgq_error(r, value.s, "%s: %zu characters, a key has 44", name, n);
	else
		wgq_error(r, value.s,
			  "%s: not the end of a key: a character before `=' is mistyped", name);
}

static bool take_key(struct wgq_reader *r, const char *name, struct key *out)
{
	char buf[KEY_BASE64_LEN + 2];
	bool is_good = wgq_squeeze(r->line->value, buf, sizeof(buf)) == 0 &&
		       key_parse(buf, strlen(buf), out) == 0;

	str_wipe(buf, sizeof(buf));
	if (!is_good)
		explain_key(r, name);
	return is_good;
}

static void take_listen_port(struct wgq_reader *r)
{
	struct wg_device *dev = &r->conf->device;
	char buf[64], shown[INI_SHOW_MAX];

	int rc = wgq_squeeze(r->line->value, buf, sizeof(buf));
	if (rc == 0)
		rc = wgq_port(buf, &dev->listen_port);
	dev->has_listen_port = rc == 0;
	if (rc == -ERANGE)
		wgq_error(
			r, r->line->value.s,
			"ListenPort: %s is more than 65535 (wg would take the rest of a division)",
			ini_show(r->line->value, shown));
	else if (rc < 0)
		wgq_error(r, r->line->value.s,
			  "ListenPort: %s is neither a port from 0 to 65535 nor an UDP service",
			  ini_show(r->line->value, shown));
}

/* wg(8): `off', decimal, or hexadecimal with a small x */
static void take_fwmark(struct wgq_reader *r)
{
	struct wg_device *dev = &r->conf->device;
	char buf[64], shown[INI_SHOW_MAX], *end = buf;
	unsigned long value = 0;

	dev->has_fwmark = true;
	dev->fwmark = 0;
	bool is_good = wgq_squeeze(r->line->value, buf, sizeof(buf)) == 0;
	if (is_good && strcasecmp(buf, "off") == 0)
		return;
	if (is_good && buf[0] >= '0' && buf[0] <= '9') {
		errno = 0;
		value = strtoul(buf, &end, buf[0] == '0' && buf[1] == 'x' ? 16 : 10);
	}
	if (!is_good || end == buf || *end || errno == ERANGE || value > UINT32_MAX)
		wgq_error(r, r->line->value.s,
			  "FwMark: %s is not off, a number up to 4294967295, or 0x and up to 8 "
			  "digits",
			  ini_show(r->line->value, shown));
	dev->fwmark = (uint32_t)value;
}

static void take_keepalive(struct wgq_reader *r)
{
	char buf[64], shown[INI_SHOW_MAX];
	unsigned long long value = 0;

	bool is_good = wgq_squeeze(r->line->value, buf, sizeof(buf)) == 0;
	if (is_good && strcasecmp(buf, "off") != 0)
		is_good = str_to_u64(buf, UINT16_MAX, &value) == 0;
	if (!is_good)
		wgq_error(r, r->line->value.s,
			  "PersistentKeepalive: %s is not off or a number of seconds up to 65535",
			  ini_show(r->line->value, shown));
	r->peer->has_keepalive = true;
	r->peer->keepalive = (uint16_t)value;
}

static void take_value(struct wgq_reader *r, enum wg_key key)
{
	struct wg_device *dev = &r->conf->device;
	const char *name = wg_keys[key].name;

	if (r->line->value.len == 0) {
		wgq_error(r, r->line->key.s, "%s has no value: leave the line out", name);
		if (key == PUBLIC_KEY)
			r->has_public_key = true; /* one message is enough */
		return;
	}
	switch (key) {
	case PRIVATE_KEY:
		dev->has_private_key = true;
		(void)take_key(r, name, &dev->private_key); /* it has said what is wrong */
		break;
	case LISTEN_PORT:
		take_listen_port(r);
		break;
	case FWMARK:
		take_fwmark(r);
		break;
	case PUBLIC_KEY:
		(void)take_key(r, name, &r->peer->public_key); /* as above */
		r->has_public_key = true;
		break;
	case PRESHARED_KEY:
		r->peer->has_preshared_key = true;
		(void)take_key(r, name, &r->peer->preshared_key); /* as above */
		break;
	case ALLOWED_IPS:
		wgq_take_allowed_ips(r);
		break;
	case ENDPOINT:
		wgq_take_endpoint(r);
		break;
	case KEEPALIVE:
		take_keepalive(r);
		break;
	case N_WG_KEYS:
		break;
	}
}

static bool is_amnezia(const char *key)
{
	/* docs.amnezia.org: parameters of AmneziaWG 1.0 to 2.0 */
	static const char *const names[] = { "Jc", "Jmin", "Jmax", "S1", "S2", "S3",   "S4",
					     "H1", "H2",   "H3",   "H4", "I1", "I2",   "I3",
					     "I4", "I5",   "J1",   "J2", "J3", "Itime" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcasecmp(key, names[i]) == 0)
			return true;
	}
	return false;
}

/* wg-quick's key, but wg-quick was not in its section */
static void explain_misplaced(struct wgq_reader *r, const char *name)
{
	const char *at = r->line->key.s;

	if (r->section == WGQ_INTERFACE)
		wgq_error(r, at,
			  "wg-quick takes %s only after a line that is exactly `[Interface]'; line "
			  "%u "
			  "is not",
			  name, r->section_line);
	else
		wgq_error(r, at, "%s belongs in [Interface]%s", name,
			  r->section == WGQ_PEER ? ", not in [Peer]" : ", which has not begun yet");
}

static const char *nearest_key(struct ini_span key)
{
	const char *names[WGQ_N_KEYS + N_WG_KEYS];

	for (unsigned i = 0; i < WGQ_N_KEYS; i++)
		names[i] = wgq_key_names[i];
	for (unsigned i = 0; i < N_WG_KEYS; i++)
		names[WGQ_N_KEYS + i] = wg_keys[i].name;
	return ini_nearest(key, names, WGQ_N_KEYS + N_WG_KEYS);
}

/* the word is repeated only where it cannot be a piece of a key that was broken over two lines */
static void explain_unknown(struct wgq_reader *r)
{
	const struct ini_line *line = r->line;
	char shown[INI_SHOW_MAX];

	if (line->key.len && line->key.s[0] == ';') {
		wgq_error(r, line->key.s, "`;' does not begin a comment, `#' does");
		return;
	}
	const char *nearest = nearest_key(line->key);
	if (nearest && line->has_equals)
		wgq_error(r, line->key.s, "unknown key; %s is meant?", nearest);
	else if (!line->has_equals)
		wgq_error(r, line->text.s, "neither a `[Section]' nor a `Key = value'");
	else if (line->key.len == 0)
		wgq_error(r, line->text.s, "nothing before the `='");
	else if (line->value.len && line->value.s[0] != '=' && line->key.len <= 20)
		wgq_error(r, line->key.s, "unknown key %s", ini_show(line->key, shown));
	else
		wgq_error(r, line->key.s, "unknown key of %zu characters", line->key.len);
}

static void take_key_line(struct wgq_reader *r)
{
	enum wgq_key quick = wgq_key_find(r->line);
	char key[24];

	if (quick != WGQ_N_KEYS) {
		explain_misplaced(r, wgq_key_names[quick]);
		return;
	}
	if (!r->line->has_equals || wgq_squeeze(r->line->key, key, sizeof(key)) < 0) {
		explain_unknown(r);
		return;
	}
	for (unsigned i = 0; i < N_WG_KEYS; i++) {
		if (strcasecmp(key, wg_keys[i].name) != 0)
			continue;
		if (wg_keys[i].section == r->section)
			take_value(r, (enum wg_key)i);
		else
			wgq_error(r, r->line->key.s, "%s belongs in %s%s", wg_keys[i].name,
				  wg_keys[i].section == WGQ_PEER ? "[Peer]" : "[Interface]",
				  r->section == WGQ_NONE ? ", which has not begun yet" : "");
		return;
	}
	if (is_amnezia(key))
		wgq_error(r, r->line->key.s, "%s is an AmneziaWG key, not WireGuard's", key);
	else
		explain_unknown(r);
}

static void begin_peer(struct wgq_reader *r)
{
	size_t n = r->conf->device.n_peers;

	if ((n & (n - 1)) == 0) {
		uint32_t *lines = reallocarray(r->peer_lines, n ? 2 * n : 1, sizeof(*lines));
		if (!lines) {
			r->is_out_of_memory = true;
			return;
		}
		r->peer_lines = lines;
	}
	r->peer_lines[n] = r->line->number;
	r->peer = wg_device_add_peer(&r->conf->device);
	r->has_public_key = false;
	if (!r->peer)
		r->is_out_of_memory = true;
}

static void end_peer(struct wgq_reader *r)
{
	if (r->peer && !r->has_public_key)
		diag_add(r->diags, DIAG_ERROR, r->peer_lines[r->conf->device.n_peers - 1], 1,
			 "this [Peer] has no PublicKey");
	r->peer = NULL;
}

static void take_section(struct wgq_reader *r)
{
	static const char *const names[] = { "[Interface]", "[Peer]" };
	struct ini_span text = r->line->text;
	char buf[16] = "";

	(void)wgq_squeeze(text, buf,
			  sizeof(buf)); /* too long: what is there is no section's name */
	r->section_line = r->line->number;
	if (strcasecmp(buf, names[0]) == 0) {
		r->section = WGQ_INTERFACE;
		return;
	}
	if (strcasecmp(buf, names[1]) == 0) {
		r->section = WGQ_PEER;
		begin_peer(r);
		return;
	}
	r->section = WGQ_UNKNOWN;
	if (!memchr(text.s, ']', text.len))
		wgq_error(r, text.s, "`[' without `]'");
	else if (text.s[text.len - 1] != ']')
		wgq_error(r, (const char *)memchr(text.s, ']', text.len) + 1,
			  "text behind the section's name");
	else if (ini_nearest(text, names, 2))
		wgq_error(r, text.s, "unknown section; %s is meant?", ini_nearest(text, names, 2));
	else
		wgq_error(r, text.s, "unknown section; there are [Interface] and [Peer]");
}

void wgq_take_wg(struct wgq_reader *r)
{
	if (r->line->text.s[0] == '[') {
		end_peer(r);
		take_section(r);
	} else if (r->section != WGQ_UNKNOWN) {
		take_key_line(r);
	}
}

void wgq_end_wg(struct wgq_reader *r)
{
	end_peer(r);
}
