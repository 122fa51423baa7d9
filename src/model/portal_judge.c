// SPDX-License-Identifier: GPL-2.0-or-later
/* what an answer means: of a probe by HTTP, and of a Captive Portal API (RFC 8908) */
#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "wgns/ini.h"
#include "wgns/portal.h"

#define API_TYPE "application/captive+json"
enum { NO_CONTENT = 204, NETWORK_AUTHENTICATION_REQUIRED = 511 /* RFC 6585, section 6 */ };

/* what of it is no URL is left out: then the probe's own is opened, and the portal sends the browser on */
static void set_page(struct portal_verdict *out, const char *url)
{
	size_t len = url ? strlen(url) : 0;

	if (portal_is_url(url, len, PORTAL_URL_MAX))
		memcpy(out->page, url, len + 1);
}

/* the same host and path by https: a server that has moved, and a setting that is out of date */
static bool is_own_https(const char *asked, const char *location)
{
	return !portal_is_https(asked) && portal_is_https(location) &&
	       strcasecmp(asked + strlen("http://"), location + strlen("https://")) == 0;
}

static bool is_expected(const struct portal_answer *a, const char *expect)
{
	struct ini_span body = ini_trim((struct ini_span){ a->body, a->len });

	return expect[0] && !a->is_cut && body.len == strlen(expect) &&
	       memcmp(body.s, expect, body.len) == 0;
}

void portal_judge_http(const struct portal_answer *answer, const char *expect,
		       struct portal_verdict *out)
{
	long status = answer->status;

	*out = (struct portal_verdict){ .state = PORTAL_CAPTIVE };
	if (status == NO_CONTENT || (status == 200 && is_expected(answer, expect))) {
		out->state = PORTAL_FREE;
	} else if (status >= 300 && status < 400) {
		set_page(out, answer->location);
		if (out->page[0] && is_own_https(answer->url, out->page))
			*out = (struct portal_verdict){ .state = PORTAL_MOVED };
	} else if (status == NETWORK_AUTHENTICATION_REQUIRED) {
		set_page(out, answer->location);
	} else if (status < 200 || status >= 300) {
		out->state = PORTAL_ODD;
	}
}

/* Content-Type, with parameters or without */
static bool is_api_type(const char *type)
{
	size_t len = strlen(API_TYPE);

	return type && strncasecmp(type, API_TYPE, len) == 0 &&
	       (!type[len] || strchr("; \t", type[len]));
}

void portal_judge_api(const struct portal_answer *answer, struct portal_verdict *out)
{
	*out = (struct portal_verdict){ .state = PORTAL_NONSENSE };
	if (answer->status != 200 || answer->is_cut || !is_api_type(answer->type))
		return;
	json_t *root = json_loadb(answer->body, answer->len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *captive = json_object_get(root, "captive"); /* NULL of what is no object */
	if (json_is_boolean(captive)) {
		const char *page = json_string_value(json_object_get(root, "user-portal-url"));
		out->state = json_is_true(captive) ? PORTAL_CAPTIVE : PORTAL_FREE;
		if (out->state == PORTAL_CAPTIVE && page && portal_is_https(page))
			set_page(out, page);
	}
	json_decref(root);
}
