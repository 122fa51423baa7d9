// SPDX-License-Identifier: GPL-2.0-or-later
/* the keys that wg-quick(8) takes for itself */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wgquick_internal.h"

#define MTU_MAX                                                                                    \
	65535 /* of a TUN device; the kernel's WireGuard would take more, no wire carries it */

static const char *const table_dirs[] = { "/etc/iproute2", "/usr/share/iproute2",
					  "/usr/lib/iproute2" };

static bool add_addr(struct addr **list, size_t *n, const struct addr *a)
{
	if ((*n & (*n - 1)) == 0) {
		struct addr *grown = reallocarray(*list, *n ? 2 * *n : 1, sizeof(*grown));
		if (!grown)
			return false;
		*list = grown;
	}
	(*list)[(*n)++] = *a;
	return true;
}

/* ip-address(8) also takes a mask with dots; wg does not */
static int parse_dotted_mask(struct ini_span word, struct addr *out)
{
	const char *slash = memchr(word.s, '/', word.len);
	struct addr a, mask;

	if (!slash || addr_parse(word.s, (size_t)(slash - word.s), &a) < 0 ||
	    addr_parse(slash + 1, (size_t)(word.s + word.len - slash - 1), &mask) < 0 ||
	    a.family != AF_INET || mask.family != AF_INET)
		return -EINVAL;

	struct addr ones = { .family = AF_INET };
	for (unsigned bits = 0; bits <= 32; bits++) {
		ones = (struct addr){ .family = AF_INET, .bits = (uint8_t)bits };
		memset(ones.bytes, 0xff, 4);
		addr_mask(&ones);
		if (memcmp(ones.bytes, mask.bytes, 4) == 0) {
			a.bits = (uint8_t)bits;
			*out = a;
			return 0;
		}
	}
	return -EINVAL;
}

/* ipv6_add_addr() of the kernel: EADDRNOTAVAIL */
static const char *why_unusable(const struct addr *a)
{
	struct in6_addr v6;

	if (a->family != AF_INET6)
		return NULL;
	memcpy(&v6, a->bytes, sizeof(v6));
	if (IN6_IS_ADDR_MULTICAST(&v6))
		return "a multicast address";
	if (IN6_IS_ADDR_UNSPECIFIED(&v6))
		return "the unspecified address";
	if (IN6_IS_ADDR_LOOPBACK(&v6))
		return "the loopback address";
	return NULL;
}

static void explain_address(struct wgq_reader *r, struct ini_span word)
{
	const char *slash = memchr(word.s, '/', word.len);
	size_t host_len = slash ? (size_t)(slash - word.s) : word.len;
	char shown[INI_SHOW_MAX];
	struct addr a;

	if (slash && addr_parse(word.s, host_len, &a) == 0)
		wgq_error(r, slash + 1,
			  "Address: the mask of an %s address is a number from 0 to %u",
			  a.family == AF_INET ? "IPv4" : "IPv6", a.bits);
	else if (memchr(word.s, '%', word.len))
		wgq_error(r, word.s, "Address: %s has a zone; leave `%%...' out",
			  ini_show(word, shown));
	else
		wgq_error(r, word.s,
			  "Address: %s is not an address such as 10.0.0.2/24 or fd00::2/64",
			  ini_show(word, shown));
}

static void take_address(struct wgq_reader *r)
{
	struct ini_span rest = r->line->value, word;

	while (ini_word(&rest, ",", &word)) {
		struct addr a;
		if (addr_parse_prefix(word.s, word.len, &a) < 0 &&
		    parse_dotted_mask(word, &a) < 0) {
			explain_address(r, word);
			continue;
		}
		const char *why = why_unusable(&a);
		if (why)
			wgq_error(r, word.s, "Address: %s cannot be given to an interface", why);
		else if (add_addr(&r->conf->addresses, &r->conf->n_addresses, &a))
			wgq_place_add(r, &r->addresses, &a, word.s);
		else
			r->is_out_of_memory = true;
	}
}

/* wg-quick(8): digits and dots only, or a colon anywhere; everything else is a search domain */
static bool is_server(struct ini_span word)
{
	if (memchr(word.s, ':', word.len))
		return true;
	for (size_t i = 0; i < word.len; i++) {
		if ((word.s[i] < '0' || word.s[i] > '9') && word.s[i] != '.')
			return false;
	}
	return true;
}

/* resolv.conf(5) goes through inet_aton(3): `10` is 0.0.0.10 */
static int parse_short(struct ini_span word, struct addr *out)
{
	struct addr a = { .family = AF_INET, .bits = 32 };
	struct in_addr v4;
	char buf[32];

	if (word.len >= sizeof(buf))
		return -EINVAL;
	memcpy(buf, word.s, word.len);
	buf[word.len] = '\0';
	if (!inet_aton(buf, &v4))
		return -EINVAL;
	memcpy(a.bytes, &v4, sizeof(v4));
	*out = a;
	return 0;
}

static void take_server(struct wgq_reader *r, struct ini_span word)
{
	char shown[INI_SHOW_MAX], text[ADDR_TEXT_MAX];
	struct addr a;

	if (addr_parse(word.s, word.len, &a) < 0) {
		if (parse_short(word, &a) < 0) {
			wgq_error(r, word.s, "DNS: %s is not an address of a name server%s",
				  ini_show(word, shown),
				  memchr(word.s, '%', word.len) ? ": a zone cannot be given" : "");
			return;
		}
		addr_format(&a, text);
		wgq_warn(r, word.s, "DNS: %s is read as the server %s", ini_show(word, shown),
			 text);
	}
	if (!add_addr(&r->conf->dns, &r->conf->n_dns, &a))
		r->is_out_of_memory = true;
}

static void take_dns(struct wgq_reader *r)
{
	struct wgquick *conf = r->conf;
	struct ini_span rest = r->line->value, word;

	while (ini_word(&rest, ",", &word)) {
		if (is_server(word)) {
			take_server(r, word);
			continue;
		}
		if (!r->dns_line) {
			r->dns_line = r->line->number;
			r->dns_col = ini_col(r->line, word.s);
		}
		if (str_list_add(&conf->search, &conf->n_search, word.s, word.len) < 0)
			r->is_out_of_memory = true;
	}
}

static void take_mtu(struct wgq_reader *r)
{
	struct ini_span value = r->line->value;
	char buf[32], shown[INI_SHOW_MAX];
	uint32_t mtu = 0;

	r->conf->mtu = 0;
	if (value.len == 0)
		return;
	if (wgq_squeeze(value, buf, sizeof(buf)) < 0 || strlen(buf) != value.len ||
	    wgq_number(buf, &mtu) < 0 || mtu == 0 || mtu > MTU_MAX)
		wgq_error(r, value.s,
			  "MTU: %s is not a number from 1 to %d; leave it out for automatic",
			  ini_show(value, shown), MTU_MAX);
	r->conf->mtu = mtu;
	r->mtu_line = r->line->number;
	r->mtu_col = ini_col(r->line, value.s);
}

static void take_table(struct wgq_reader *r)
{
	struct ini_span value = r->line->value;
	struct wgquick *conf = r->conf;
	char buf[64], shown[INI_SHOW_MAX];
	uint32_t number = 0;

	conf->table = WGQUICK_TABLE_AUTO;
	conf->table_number = 0;
	if (value.len == 0 || ini_is(value, "auto"))
		return;
	if (ini_is(value, "off")) {
		conf->table = WGQUICK_TABLE_OFF;
		return;
	}
	if (wgq_squeeze(value, buf, sizeof(buf)) < 0 || strlen(buf) != value.len ||
	    (wgquick_table_by_name(table_dirs, sizeof(table_dirs) / sizeof(table_dirs[0]), buf,
				   &number) < 0 &&
	     wgq_number(buf, &number) < 0)) {
		wgq_error(r, value.s,
			  "Table: %s is not auto, off, a number, or a name in "
			  "/etc/iproute2/rt_tables",
			  ini_show(value, shown));
		return;
	}
	conf->table = WGQUICK_TABLE_NUMBER;
	conf->table_number = number ? number : 254; /* rtnetlink(7): 0 means main */
}

static void take_hook(struct wgq_reader *r, enum wgq_key key)
{
	struct wgquick *conf = r->conf;
	struct ini_span value = r->line->whole;

	if (!r->line->has_equals) {
		wgq_error(r, r->line->key.s, "%s has no `=': the command would be `%s'",
			  wgq_key_names[key], wgq_key_names[key]);
		return;
	}
	if (value.len &&
	    str_list_add(&conf->hooks[key], &conf->n_hooks[key], value.s, value.len) < 0)
		r->is_out_of_memory = true;
}

void wgq_take_quick(struct wgq_reader *r, enum wgq_key key)
{
	bool is_hook = key <= WGQ_POST_DOWN;

	if (!r->line->has_equals && !is_hook)
		wgq_warn(r, r->line->key.s, "%s has no `=': its value is the word itself",
			 wgq_key_names[key]);
	switch (key) {
	case WGQ_PRE_UP:
	case WGQ_POST_UP:
	case WGQ_PRE_DOWN:
	case WGQ_POST_DOWN:
		take_hook(r, key);
		break;
	case WGQ_ADDRESS:
		take_address(r);
		break;
	case WGQ_DNS:
		take_dns(r);
		break;
	case WGQ_MTU:
		take_mtu(r);
		break;
	case WGQ_TABLE:
		take_table(r);
		break;
	case WGQ_SAVE_CONFIG:
		r->conf->should_save = ini_is(r->line->value, "true");
		if (!r->conf->should_save && !ini_is(r->line->value, "false"))
			wgq_error(r, r->line->value.s, "SaveConfig is true or false");
		break;
	case WGQ_N_KEYS:
		break;
	}
}
