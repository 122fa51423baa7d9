// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/leasetext.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "wgns/addr.h"

#define LINE_MAX_LEN 1024 /* of resolv.conf(5): longer ones nobody has */
#define SEARCH_MAX 6 /* names; MAXDNSRCH */
#define NAME_MAX_LEN 253

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/* the next line, cut out of @rest; false at the end. One that is too long or has a NUL is passed over */
static bool next_line(const char **rest, size_t *left, char out[LINE_MAX_LEN])
{
	while (*left) {
		const char *end = memchr(*rest, '\n', *left);
		size_t len = end ? (size_t)(end - *rest) : *left;
		const char *line = *rest;

		*rest += len + (end != NULL);
		*left -= len + (end != NULL);
		if (len >= LINE_MAX_LEN || memchr(line, '\0', len))
			continue;
		memcpy(out, line, len);
		out[len] = '\0';
		return true;
	}
	return false;
}

/* the word at @line, ended, and what is behind it; "" at the end */
static char *cut_word(char **line)
{
	char *word = *line + strspn(*line, " \t\r");

	*line = word + strcspn(word, " \t\r");
	if (**line)
		*(*line)++ = '\0';
	return word;
}

static bool consists_of(const char *text, const char *others)
{
	for (; *text; text++) {
		if (!strchr(letters, *text) && !strchr(others, *text))
			return false;
	}
	return true;
}

/* an address, for IPv6 perhaps with a device; not this machine itself, where nobody listens, and no group */
static bool is_server(const char *word)
{
	const char *zone = strchr(word, '%');
	struct in6_addr v6;
	struct addr a;

	if (addr_parse(word, zone ? (size_t)(zone - word) : strlen(word), &a) < 0)
		return false;
	if (a.family == AF_INET)
		return !zone && a.bytes[0] != 127 && a.bytes[0] != 0 && a.bytes[0] < 224;
	memcpy(&v6, a.bytes, sizeof(v6));
	return !IN6_IS_ADDR_LOOPBACK(&v6) && !IN6_IS_ADDR_UNSPECIFIED(&v6) &&
	       !IN6_IS_ADDR_MULTICAST(&v6) && !IN6_IS_ADDR_V4MAPPED(&v6) &&
	       (!zone || (zone[1] && strlen(zone + 1) < 16 && consists_of(zone + 1, "_.-")));
}

struct resolv {
	struct strbuf *out;
	char servers[LEASETEXT_SERVERS_MAX][ADDR_TEXT_MAX];
	size_t n_servers;
	bool has_search, has_options;
};

static void take_server(struct resolv *r, const char *word)
{
	if (r->n_servers == LEASETEXT_SERVERS_MAX || strlen(word) >= ADDR_TEXT_MAX ||
	    !is_server(word))
		return;
	for (size_t i = 0; i < r->n_servers; i++) {
		if (strcasecmp(r->servers[i], word) == 0)
			return;
	}
	(void)snprintf(r->servers[r->n_servers++], ADDR_TEXT_MAX, "%s", word);
	strbuf_addf(r->out, "nameserver %s\n", word);
}

/* "search a b", "options ndots:2 edns0": those words that are good */
static bool take_words(struct resolv *r, const char *key, char *rest, const char *others)
{
	size_t n = 0;

	for (char *word = cut_word(&rest); *word && n < SEARCH_MAX; word = cut_word(&rest)) {
		if (strlen(word) > NAME_MAX_LEN || word[0] == '-' || word[0] == '.' ||
		    !consists_of(word, others))
			continue;
		strbuf_addf(r->out, "%s%s", n++ ? " " : key, word);
	}
	if (n)
		strbuf_addf(r->out, "\n");
	return n;
}

void leasetext_resolv(const char *text, size_t len, struct strbuf *out)
{
	struct resolv r = { .out = out };
	char line[LINE_MAX_LEN];

	if (len > LEASETEXT_MAX)
		len = LEASETEXT_MAX;
	while (next_line(&text, &len, line)) {
		char *rest = line;
		const char *key = cut_word(&rest);
		if (strcmp(key, "nameserver") == 0)
			take_server(&r, cut_word(&rest));
		else if ((strcmp(key, "search") == 0 || strcmp(key, "domain") == 0) &&
			 !r.has_search)
			r.has_search = take_words(&r, "search ", rest, "._-");
		else if (strcmp(key, "options") == 0 && !r.has_options)
			r.has_options = take_words(&r, "options ", rest, ":-");
	}
}

/* the @nth server of @text, if it has so many */
static void take_nth(struct resolv *r, const char *text, size_t len, size_t nth)
{
	char line[LINE_MAX_LEN];

	for (size_t n = 0; next_line(&text, &len, line);) {
		char *rest = line;
		const char *server =
			strcmp(cut_word(&rest), "nameserver") == 0 ? cut_word(&rest) : "";
		if (is_server(server) && n++ == nth) {
			take_server(r, server);
			return;
		}
	}
}

void leasetext_merge(const struct strbuf *texts, size_t n, struct strbuf *out)
{
	AUTO_STRBUF struct strbuf all = { 0 };
	struct resolv r = { .out = &all };

	for (size_t nth = 0; nth < LEASETEXT_SERVERS_MAX; nth++) {
		for (size_t i = 0; i < n; i++)
			take_nth(&r, texts[i].s, texts[i].len, nth);
	}
	for (size_t i = 0; i < n; i++)
		strbuf_add(&all, texts[i].s, texts[i].len);
	if (all.is_failed)
		out->is_failed = true;
	else
		leasetext_resolv(all.s, all.len, out);
}

/* http or https, a host, and only what RFC 3986 lets a URI consist of */
static bool is_portal(const char *url)
{
	const char *host = strncmp(url, "http://", 7) == 0    ? url + 7
			   : strncmp(url, "https://", 8) == 0 ? url + 8
							      : NULL;

	return host && strlen(url) <= LEASETEXT_PORTAL_MAX && *host && !strchr("/?#:@", *host) &&
	       consists_of(url, "-._~:/?#[]@!$&'()*+,;=%");
}

static void take_portal(struct leasetext *lease, const char *url)
{
	if (is_portal(url))
		(void)snprintf(lease->portal, sizeof(lease->portal), "%s", url);
}

static void take_hex(struct leasetext *lease, const char *hex)
{
	char url[LEASETEXT_PORTAL_MAX + 1] = "";
	long len = str_hex_decode(hex, strlen(hex), url, sizeof(url) - 1);

	/* some servers count a NUL at the end */
	if (len > 0 && strlen(url) >= (size_t)len - 1)
		take_portal(lease, url);
}

void leasetext_read(const char *text, size_t len, struct leasetext *out)
{
	char line[LINE_MAX_LEN];
	struct addr a;

	*out = (struct leasetext){ 0 };
	if (len > LEASETEXT_MAX)
		len = LEASETEXT_MAX;
	while (next_line(&text, &len, line)) {
		char *rest = line;
		const char *key = cut_word(&rest);
		const char *value = cut_word(&rest);
		if (strcmp(key, "address") == 0 && addr_parse(value, strlen(value), &a) == 0)
			addr_format(&a, out->address);
		else if (strcmp(key, "captive-portal") == 0)
			take_portal(out, value);
		else if (strcmp(key, "opt114") == 0)
			take_hex(out, value);
	}
}

void leasetext_write(const struct leasetext *lease, struct strbuf *out)
{
	if (lease->address[0])
		strbuf_addf(out, "address %s\n", lease->address);
	if (lease->portal[0])
		strbuf_addf(out, "captive-portal %s\n", lease->portal);
}
