// SPDX-License-Identifier: GPL-2.0-or-later
/* portal - URLs and lines of strangers */
#include "wgns/portal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LEASE_KEY "captive-portal"
/* RFC 8910, section 2: this network has no portal */
#define UNRESTRICTED "urn:ietf:params:capport:unrestricted"
#define PORT_DIGITS 5
#define PORT_MAX 65535

static const char *const words[] = {
	[PORTAL_FREE] = "free",
	[PORTAL_CAPTIVE] = "captive",
	[PORTAL_NO_DEVICE] = "no-device",
	[PORTAL_NO_CARRIER] = "no-carrier",
	[PORTAL_NO_ADDRESS] = "no-address",
	[PORTAL_NO_RESOLVER] = "no-resolver",
	[PORTAL_NO_NAME] = "no-name",
	[PORTAL_NO_ROUTE] = "no-route",
	[PORTAL_TIMEOUT] = "timeout",
	[PORTAL_NO_TLS] = "no-tls",
	[PORTAL_NONSENSE] = "nonsense",
	[PORTAL_ODD] = "odd",
	[PORTAL_MOVED] = "moved",
};
#define N_WORDS (sizeof(words) / sizeof(words[0]))

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* unreserved, reserved and "%" of RFC 3986, section 2 */
static bool is_url_char(char c)
{
	return is_letter(c) || is_digit(c) || (c && strchr("-._~:/?#[]@!$&'()*+,;=%", c));
}

/* the length of "http://" or "https://" in front; 0 for anything else */
static size_t scheme_len(const char *s, size_t len)
{
	static const char *const schemes[] = { "http://", "https://" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t n = strlen(schemes[i]);
		if (len > n && strncasecmp(s, schemes[i], n) == 0)
			return n;
	}
	return 0;
}

/* [:PORT], or nothing at all */
static bool is_port(const char *s, size_t len)
{
	unsigned port = 0;

	if (len == 0)
		return true;
	if (s[0] != ':' || len < 2 || len > 1 + PORT_DIGITS)
		return false;
	for (size_t i = 1; i < len; i++) {
		if (!is_digit(s[i]))
			return false;
		port = port * 10 + (unsigned)(s[i] - '0');
	}
	return port >= 1 && port <= PORT_MAX;
}

/* a name, an IPv4 address, or an IPv6 one in brackets. A name's letters are not looked at closer: who resolves it does */
static bool is_authority(const char *s, size_t len)
{
	size_t n = 0;

	if (len && s[0] == '[') {
		while (++n < len && s[n] != ']') {
			if (!is_digit(s[n]) && !is_letter(s[n]) && s[n] != ':' && s[n] != '.')
				return false;
		}
		return n > 2 && n < len && is_port(s + n + 1, len - n - 1);
	}
	while (n < len && (is_letter(s[n]) || is_digit(s[n]) || strchr("-._", s[n])))
		n++;
	return n > 0 && s[0] != '-' && s[0] != '.' && is_port(s + n, len - n);
}

bool portal_is_url(const char *s, size_t len, size_t max)
{
	size_t scheme = len <= max ? scheme_len(s, len) : 0, n = 0;

	if (!scheme)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_url_char(s[i]))
			return false;
	}
	while (scheme + n < len && !strchr("/?#", s[scheme + n]))
		n++;
	return is_authority(s + scheme, n);
}

bool portal_is_https(const char *url)
{
	return strncasecmp(url, "https://", 8) == 0;
}

/* what stands behind the key in a line; false when it is another line */
static bool lease_value(const char *line, size_t len, const char **value, size_t *value_len)
{
	size_t n = strlen(LEASE_KEY);

	while (len && (line[len - 1] == ' ' || line[len - 1] == '\t' || line[len - 1] == '\r'))
		len--;
	if (len <= n || strncmp(line, LEASE_KEY, n) != 0 || !strchr("= \t", line[n]))
		return false;
	while (n < len && (line[n] == ' ' || line[n] == '\t'))
		n++;
	if (n < len && line[n] == '=')
		n++;
	while (n < len && (line[n] == ' ' || line[n] == '\t'))
		n++;
	*value = line + n;
	*value_len = len - n;
	return true;
}

int portal_read_lease(const char *text, size_t len, char url[PORTAL_LEASE_URL_MAX + 1])
{
	const char *end = text + len, *found = NULL, *value;
	size_t found_len = 0, value_len;

	for (const char *line = text; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t line_len = (size_t)((newline ? newline : end) - line);
		if (lease_value(line, line_len, &value, &value_len)) {
			if (found &&
			    (found_len != value_len || memcmp(found, value, value_len) != 0))
				return -EINVAL;
			found = value;
			found_len = value_len;
		}
		line += line_len + 1;
	}
	if (!found)
		return -ENOENT;
	if (found_len == strlen(UNRESTRICTED) && strncasecmp(found, UNRESTRICTED, found_len) == 0) {
		url[0] = '\0';
		return 0;
	}
	if (!portal_is_url(found, found_len, PORTAL_LEASE_URL_MAX))
		return -EINVAL;
	memcpy(url, found, found_len);
	url[found_len] = '\0';
	return 0;
}

size_t portal_format(const struct portal_verdict *v, char buf[PORTAL_LINE_MAX])
{
	bool has_page = v->state == PORTAL_CAPTIVE && v->page[0];
	int len = snprintf(buf, PORTAL_LINE_MAX, "%s%s%s\n", words[v->state], has_page ? " " : "",
			   has_page ? v->page : "");

	return (size_t)len; /* a page fits */
}

int portal_parse(const char *text, size_t len, struct portal_verdict *out)
{
	if (len < 2 || len >= PORTAL_LINE_MAX || text[len - 1] != '\n')
		return -EINVAL;
	len--;
	for (size_t i = 0; i < N_WORDS; i++) {
		size_t n = strlen(words[i]);
		if (len < n || memcmp(text, words[i], n) != 0)
			continue;
		if (len == n) {
			*out = (struct portal_verdict){ .state = (enum portal_state)i };
			return 0;
		}
		if (i != PORTAL_CAPTIVE || text[n] != ' ')
			continue;
		if (!portal_is_url(text + n + 1, len - n - 1, PORTAL_URL_MAX))
			return -EINVAL;
		*out = (struct portal_verdict){ .state = PORTAL_CAPTIVE };
		memcpy(out->page, text + n + 1, len - n - 1);
		return 0;
	}
	return -EINVAL;
}
