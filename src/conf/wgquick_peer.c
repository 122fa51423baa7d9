// SPDX-License-Identifier: GPL-2.0-or-later
/* AllowedIPs and Endpoint */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wgquick_internal.h"

#define ENTRY_MAX 80 /* sign, address, slash, mask */
#define ENDPOINT_MAX 512 /* a DNS name has at most 253 characters, a scope 15 */

static void explain_allowed_ip(struct wgq_reader *r, struct ini_span entry)
{
	struct ini_span trimmed = ini_trim(entry);
	char shown[INI_SHOW_MAX];

	if (trimmed.len == 0) {
		wgq_error(r, entry.s, "AllowedIPs: nothing between two commas or at an end");
		return;
	}
	const char *slash = memchr(trimmed.s, '/', trimmed.len);
	const char *end = trimmed.s + trimmed.len;
	struct addr a;

	if (slash && addr_parse(trimmed.s, (size_t)(slash - trimmed.s), &a) == 0)
		wgq_error(r, slash + (slash + 1 < end),
			  "AllowedIPs: the mask is a number from 0 to %u", a.bits);
	else if (memchr(trimmed.s, '%', trimmed.len))
		wgq_error(r, trimmed.s, "AllowedIPs: %s has a zone; leave `%%...' out",
			  ini_show(trimmed, shown));
	else
		wgq_error(r, trimmed.s,
			  "AllowedIPs: %s is not a network such as 10.0.0.0/8 or fd00::/8",
			  ini_show(trimmed, shown));
}

/* wg(8), since 1.0.20250521: `+' adds to and `-' takes from what the peer has */
static void take_allowed_ip(struct wgq_reader *r, struct ini_span entry)
{
	char buf[ENTRY_MAX], text[ADDR_TEXT_MAX];
	struct addr a;

	if (wgq_squeeze(entry, buf, sizeof(buf)) < 0) {
		explain_allowed_ip(r, entry);
		return;
	}
	bool has_sign = buf[0] == '+' || buf[0] == '-';
	const char *p = buf + has_sign;
	if (addr_parse_prefix(p, strlen(p), &a) < 0) {
		explain_allowed_ip(r, entry);
		return;
	}

	const char *at = ini_trim(entry).s;
	if (has_sign)
		r->peer->is_incremental = true;
	if (addr_has_host_bits(&a)) {
		addr_mask(&a);
		addr_format_prefix(&a, text);
		wgq_warn(r, at, "AllowedIPs: bits behind the mask are set, %s is used", text);
	}
	if (wg_peer_add_allowed_ip(r->peer, &a, buf[0] == '-') < 0)
		r->is_out_of_memory = true;
	if (buf[0] != '-')
		wgq_place_add(r, &r->allowed_ips, &a, at);
}

void wgq_take_allowed_ips(struct wgq_reader *r)
{
	const char *p = r->line->value.s, *end = p + r->line->value.len;

	r->peer->is_incremental =
		false; /* every line without a sign asks for the whole list again */
	while (!r->is_out_of_memory) {
		const char *comma = p < end ? memchr(p, ',', (size_t)(end - p)) : NULL;
		const char *stop = comma ? comma : end;

		take_allowed_ip(r, (struct ini_span){ p, (size_t)(stop - p) });
		if (!comma)
			return;
		p = comma + 1;
	}
}

/* what getaddrinfo(3) can be given; @host holds a colon, or stood in brackets */
static const char *why_not_v6(const char *host)
{
	const char *percent = strchr(host, '%');
	size_t len = percent ? (size_t)(percent - host) : strlen(host);
	unsigned long long index;
	struct in6_addr v6;
	struct addr a;

	if (addr_parse(host, len, &a) < 0 || a.family != AF_INET6)
		return "not an IPv6 address; write [ADDRESS]:PORT";
	if (!percent)
		return NULL;
	memcpy(&v6, a.bytes, sizeof(v6));
	if (!percent[1])
		return "no interface after `%'";
	if (!IN6_IS_ADDR_LINKLOCAL(&v6) && !IN6_IS_ADDR_MC_LINKLOCAL(&v6) &&
	    str_to_u64(percent + 1, UINT32_MAX, &index) < 0)
		return "only a link-local address has an interface after `%'";
	return NULL;
}

static const char *why_not_host(const char *host)
{
	struct in_addr v4;

	if (!host[0])
		return "no host before the port";
	if (strchr(host, '/'))
		return "HOST:PORT, not an URL";
	if (strchr(host, ':'))
		return why_not_v6(host);
	if (strlen(host) > 255)
		return "a host's name has at most 255 characters";
	/* no top-level domain is a number (RFC 3696 section 2) */
	if (strspn(host, "0123456789.") == strlen(host) && !inet_aton(host, &v4))
		return "not an IPv4 address";
	return NULL;
}

/* as wg(8): a bracket ends the host, else the last colon does; @text is changed */
static const char *split(char *text, char **host, char **port)
{
	char *end;

	*host = text;
	if (text[0] == '[') {
		*host = text + 1;
		end = strchr(text, ']');
		if (!end)
			return "`[' without `]'";
		*end++ = '\0';
		if (*end != ':')
			return "no port: write [ADDRESS]:PORT";
	} else {
		end = strrchr(text, ':');
		if (!end)
			return "no port: write HOST:PORT";
	}
	*end++ = '\0';
	*port = end;
	return *end ? NULL : "nothing after the `:', where the port belongs";
}

static const char *why_not_port(const char *port, uint16_t *number)
{
	int rc = wgq_port(port, number);

	if (rc == -ERANGE)
		return "the port is more than 65535 (wg would take the rest of a division)";
	return rc < 0 ? "the port is neither a number from 0 to 65535 nor an UDP service" : NULL;
}

void wgq_take_endpoint(struct wgq_reader *r)
{
	struct ini_span value = r->line->value;
	char buf[ENDPOINT_MAX], number_text[8], *host = NULL, *port = NULL;
	const char *why = "longer than any HOST:PORT";
	uint16_t number = 0;

	bool is_bracketed = value.s[0] == '[';
	if (wgq_squeeze(value, buf, sizeof(buf)) == 0) {
		why = split(buf, &host, &port);
		if (!why)
			why = why_not_host(host);
		if (!why)
			why = why_not_port(port, &number);
	}
	if (why) {
		wgq_error(r, value.s, "Endpoint: %s", why);
		return;
	}
	if (!is_bracketed && strchr(host, ':'))
		wgq_warn(r, value.s,
			 "Endpoint: the last `:' begins the port %u; write [ADDRESS]:PORT", number);

	(void)snprintf(number_text, sizeof(number_text), "%u", number);
	free(r->peer->endpoint_host);
	free(r->peer->endpoint_port);
	r->peer->endpoint_host = strdup(host);
	r->peer->endpoint_port = strdup(number_text);
	if (!r->peer->endpoint_host || !r->peer->endpoint_port)
		r->is_out_of_memory = true;
}
