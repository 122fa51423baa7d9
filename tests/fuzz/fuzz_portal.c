// SPDX-License-Identifier: GPL-2.0-or-later
/* any bytes as a lease, as the answer of a portal's API, as a page, and as what the probe says of them */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/portal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* what is shown on a terminal, and becomes an argument */
static void check_page(const char *page)
{
	if (page[0] && !portal_is_url(page, strlen(page), PORTAL_URL_MAX))
		abort();
	for (const char *c = page; *c; c++) {
		if (*c <= ' ' || *c >= 0x7f)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char url[PORTAL_LEASE_URL_MAX + 1], line[PORTAL_LINE_MAX];
	const char *text = (const char *)data;
	struct portal_verdict v, back;

	if (portal_read_lease(text, len, url) == 0)
		check_page(url);
	if (portal_parse(text, len, &v) == 0) {
		check_page(v.page);
		if (portal_format(&v, line) != len || memcmp(line, text, len) != 0)
			abort();
	}
	char *location = strndup(text ? text : "", len);
	if (!location)
		return 0;
	struct portal_answer a = { .status = 302,
				   .url = "http://a/",
				   .location = location,
				   .type = "application/captive+json",
				   .body = text,
				   .len = len };
	portal_judge_http(&a, "text", &v);
	check_page(v.page);
	a.status = 200;
	portal_judge_http(&a, "text", &v);
	portal_judge_api(&a, &v);
	check_page(v.page);
	if (portal_parse(line, portal_format(&v, line), &back) < 0 || back.state != v.state)
		abort();
	free(location);
	return 0;
}
