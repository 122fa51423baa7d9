// SPDX-License-Identifier: GPL-2.0-or-later
/* what answers of a network mean, and which words of strangers are let through */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/portal.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define ASKED "http://probe.example/nm"
#define EXPECT "all is well"
#define JSON "application/captive+json"

static void test_portal_url_takes_http_and_https(void **state)
{
	static const char *const good[] = {
		"http://a",
		"https://portal.example/login?mac=02:00:00:00:00:01&x=%20#top",
		"HTTPS://Portal.Example:8443/",
		"http://192.0.2.1:8080/a(b)'c;d$e",
		"http://[2001:db8::1]/",
		"http://[2001:db8::1]:65535",
		"http://a?q",
		"http://under_score.example/~me",
	};

	(void)state;
	for (size_t i = 0; i < N(good); i++) {
		if (!portal_is_url(good[i], strlen(good[i]), PORTAL_URL_MAX))
			fail_msg("refused: %s", good[i]);
	}
}

static void test_portal_url_refuses_everything_else(void **state)
{
	static const char *const bad[] = {
		"",
		"http://",
		"http:///path",
		"http:a",
		"//a/",
		"a",
		"javascript:alert(1)",
		"file:///etc/passwd",
		"data:text/html,x",
		"ftp://a/",
		" http://a/",
		"http://a/ b",
		"http://a/\n",
		"http://a/\033[31m",
		"http://a/\x7f",
		"http://a/\xc3\xa4",
		"http://a/\"",
		"http://a/<b>",
		"http://a/`id`",
		"http://a/\\",
		"http://a/{x}|",
		"http://user@a/",
		"http://bank.example:80@evil/",
		"http://-a/",
		"http://.a/",
		"http://a:/",
		"http://a:0/",
		"http://a:65536/",
		"http://a:8080x/",
		"http://a:080808/",
		"http://[::1/",
		"http://[]/",
		"http://[::1]x/",
		"http://[fe80::1%25eth0]/",
		"http://a,b/",
		"--http://a/",
	};

	(void)state;
	for (size_t i = 0; i < N(bad); i++) {
		if (portal_is_url(bad[i], strlen(bad[i]), PORTAL_URL_MAX))
			fail_msg("taken: %s", bad[i]);
	}
	assert_false(portal_is_url("http://a/\0b", 11, PORTAL_URL_MAX));
	assert_true(portal_is_url("http://a/b", 10, 10));
	assert_false(portal_is_url("http://a/b", 10, 9));
}

static void test_portal_lease(void **state)
{
	static const struct {
		const char *text;
		int rc;
		const char *url;
	} rows[] = {
		{ "", -ENOENT, NULL },
		{ "address=192.0.2.1\nrouter=192.0.2.2\n", -ENOENT, NULL },
		{ "captive-portal=https://a/api\n", 0, "https://a/api" },
		{ "x=1\ncaptive-portal=https://a/api", 0, "https://a/api" },
		{ "captive-portal https://a/api\r\n", 0, "https://a/api" },
		{ "captive-portal =\t https://a/=  \n", 0, "https://a/=" },
		{ "captive-portal=https://a/\ncaptive-portal=https://a/\n", 0, "https://a/" },
		{ "captive-portal=https://a/\ncaptive-portal=https://b/\n", -EINVAL, NULL },
		{ "captive-portal=urn:ietf:params:capport:unrestricted\n", 0, "" },
		{ "captive-portal=javascript:x\n", -EINVAL, NULL },
		{ "captive-portal=\n", -EINVAL, NULL },
		{ "captive-portal\n", -ENOENT, NULL },
		{ "captive-portals=https://a/\n", -ENOENT, NULL },
		{ " captive-portal=https://a/\n", -ENOENT, NULL },
		{ "captive-portal=https://a/ x\n", -EINVAL, NULL },
	};
	char url[PORTAL_LEASE_URL_MAX + 1], longest[512];

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		/* without a NUL behind it, so that a sanitizer sees who reads on */
		size_t len = strlen(rows[i].text);
		char *text = malloc(len + 1);
		assert_non_null(text);
		memcpy(text, rows[i].text, len);
		text[len] = 'x';
		int rc = portal_read_lease(text, len, url);
		free(text);
		if (rc != rows[i].rc || (rc == 0 && strcmp(url, rows[i].url) != 0))
			fail_msg("%s: %d %s", rows[i].text, rc, rc == 0 ? url : "");
	}
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "captive-portal=https://a/", 25);
	assert_int_equal(portal_read_lease(longest, 15 + 255, url), 0);
	assert_int_equal(strlen(url), 255);
	assert_int_equal(portal_read_lease(longest, 15 + 256, url), -EINVAL);
}

static void test_portal_judges_http(void **state)
{
	static const struct {
		long status;
		const char *location, *body, *expect;
		bool is_cut;
		enum portal_state state;
		const char *page;
	} rows[] = {
		{ 204, NULL, "", "", false, PORTAL_FREE, "" },
		{ 204, NULL, "", EXPECT, false, PORTAL_FREE, "" },
		{ 200, NULL, EXPECT, EXPECT, false, PORTAL_FREE, "" },
		{ 200, NULL, " " EXPECT "\r\n", EXPECT, false, PORTAL_FREE, "" },
		{ 200, NULL, EXPECT, EXPECT, true, PORTAL_CAPTIVE, "" },
		{ 200, NULL, EXPECT "<script>", EXPECT, false, PORTAL_CAPTIVE, "" },
		{ 200, NULL, EXPECT, "", false, PORTAL_CAPTIVE, "" },
		{ 200, NULL, "", "", false, PORTAL_CAPTIVE, "" },
		{ 200, NULL, "", EXPECT, false, PORTAL_CAPTIVE, "" },
		{ 206, NULL, EXPECT, EXPECT, false, PORTAL_CAPTIVE, "" },
		{ 302, "http://portal/x", "", "", false, PORTAL_CAPTIVE, "http://portal/x" },
		{ 307, "https://portal/x", EXPECT, EXPECT, false, PORTAL_CAPTIVE,
		  "https://portal/x" },
		{ 302, "http://probe.example/login", "", "", false, PORTAL_CAPTIVE,
		  "http://probe.example/login" },
		{ 301, "https://probe.example/nm", "", "", false, PORTAL_MOVED, "" },
		{ 301, "https://PROBE.example/NM", "", "", false, PORTAL_MOVED, "" },
		{ 301, "https://probe.example/nm2", "", "", false, PORTAL_CAPTIVE,
		  "https://probe.example/nm2" },
		{ 302, "javascript:alert(1)", "", "", false, PORTAL_CAPTIVE, "" },
		{ 302, "file:///etc/passwd", "", "", false, PORTAL_CAPTIVE, "" },
		{ 302, "http://x/\033[1m", "", "", false, PORTAL_CAPTIVE, "" },
		{ 302, NULL, "", "", false, PORTAL_CAPTIVE, "" },
		{ 511, NULL, "", "", false, PORTAL_CAPTIVE, "" },
		{ 511, "http://portal/x", "", "", false, PORTAL_CAPTIVE, "http://portal/x" },
		{ 404, NULL, EXPECT, EXPECT, false, PORTAL_ODD, "" },
		{ 404, "http://portal/x", "", "", false, PORTAL_ODD, "" },
		{ 503, NULL, "", "", false, PORTAL_ODD, "" },
		{ 0, NULL, "", "", false, PORTAL_ODD, "" },
		{ 100, NULL, "", "", false, PORTAL_ODD, "" },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		const struct portal_answer a = { .status = rows[i].status,
						 .url = ASKED,
						 .location = rows[i].location,
						 .body = rows[i].body,
						 .len = strlen(rows[i].body),
						 .is_cut = rows[i].is_cut };
		struct portal_verdict v;
		portal_judge_http(&a, rows[i].expect, &v);
		if (v.state != rows[i].state || strcmp(v.page, rows[i].page) != 0)
			fail_msg("row %zu: %d '%s'", i, (int)v.state, v.page);
	}
}

static void test_portal_judges_the_api(void **state)
{
	static const struct {
		long status;
		const char *type, *body;
		enum portal_state state;
		const char *page;
	} rows[] = {
		{ 200, JSON, "{\"captive\":false}", PORTAL_FREE, "" },
		{ 200, JSON "; charset=utf-8", "{\"captive\":false}", PORTAL_FREE, "" },
		{ 200, "Application/Captive+JSON", "{\"captive\":true}", PORTAL_CAPTIVE, "" },
		{ 200, JSON, "{\"captive\":true,\"user-portal-url\":\"https://p/\"}",
		  PORTAL_CAPTIVE, "https://p/" },
		{ 200, JSON, "{\"captive\":true,\"user-portal-url\":\"http://p/\"}", PORTAL_CAPTIVE,
		  "" },
		{ 200, JSON, "{\"captive\":true,\"user-portal-url\":\"https://p/\\u001b\"}",
		  PORTAL_CAPTIVE, "" },
		{ 200, JSON, "{\"captive\":true,\"user-portal-url\":\"javascript:x\"}",
		  PORTAL_CAPTIVE, "" },
		{ 200, JSON, "{\"captive\":true,\"user-portal-url\":7}", PORTAL_CAPTIVE, "" },
		{ 200, JSON, "{\"captive\":false,\"user-portal-url\":\"https://p/\"}", PORTAL_FREE,
		  "" },
		{ 200, JSON, "{\"captive\":true,\"captive\":false}", PORTAL_NONSENSE, "" },
		{ 200, JSON, "{\"captive\":\"false\"}", PORTAL_NONSENSE, "" },
		{ 200, JSON, "{\"captive\":0}", PORTAL_NONSENSE, "" },
		{ 200, JSON, "{}", PORTAL_NONSENSE, "" },
		{ 200, JSON, "[false]", PORTAL_NONSENSE, "" },
		{ 200, JSON, "false", PORTAL_NONSENSE, "" },
		{ 200, JSON, "", PORTAL_NONSENSE, "" },
		{ 200, JSON, "{\"captive\":false", PORTAL_NONSENSE, "" },
		{ 200, JSON, "{\"captive\":false} and more", PORTAL_NONSENSE, "" },
		{ 200, "application/json", "{\"captive\":false}", PORTAL_NONSENSE, "" },
		{ 200, JSON "x", "{\"captive\":false}", PORTAL_NONSENSE, "" },
		{ 200, NULL, "{\"captive\":false}", PORTAL_NONSENSE, "" },
		{ 302, JSON, "{\"captive\":false}", PORTAL_NONSENSE, "" },
		{ 404, JSON, "{\"captive\":false}", PORTAL_NONSENSE, "" },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct portal_answer a = { .status = rows[i].status,
					   .url = "https://api/",
					   .type = rows[i].type,
					   .body = rows[i].body,
					   .len = strlen(rows[i].body) };
		struct portal_verdict v;
		portal_judge_api(&a, &v);
		if (v.state != rows[i].state || strcmp(v.page, rows[i].page) != 0)
			fail_msg("row %zu: %d '%s'", i, (int)v.state, v.page);
		a.is_cut = true;
		portal_judge_api(&a, &v);
		assert_int_equal(v.state, PORTAL_NONSENSE);
	}
}

static void test_portal_lines_come_back_as_they_were(void **state)
{
	char line[PORTAL_LINE_MAX];
	struct portal_verdict v = { 0 }, back;

	(void)state;
	for (int i = PORTAL_FREE; i <= PORTAL_MOVED; i++) {
		v.state = (enum portal_state)i;
		size_t len = portal_format(&v, line);
		assert_int_equal(portal_parse(line, len, &back), 0);
		assert_int_equal(back.state, i);
		assert_string_equal(back.page, "");
	}
	v.state = PORTAL_CAPTIVE;
	memset(v.page, 'a', PORTAL_URL_MAX);
	memcpy(v.page, "http://a/", 9);
	size_t len = portal_format(&v, line);
	assert_int_equal(portal_parse(line, len, &back), 0);
	assert_string_equal(back.page, v.page);
}

static void test_portal_lines_of_a_probe_that_lies_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"\n",
		"free",
		"free\n\n",
		"free\nfree\n",
		" free\n",
		"free \n",
		"freer\n",
		"free http://a/\n",
		"captive \n",
		"captive  http://a/\n",
		"captive http://a/ b\n",
		"captive javascript:x\n",
		"captive http://a/\033\n",
		"captive http://a/\ncaptive http://b/\n",
		"timeout http://a/\n",
		"owned\n",
	};
	static char longest[PORTAL_LINE_MAX + 64];
	struct portal_verdict v;

	(void)state;
	for (size_t i = 0; i < N(bad); i++) {
		if (portal_parse(bad[i], strlen(bad[i]), &v) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
	}
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "captive http://a/", 17);
	longest[8 + PORTAL_URL_MAX] = '\n';
	assert_int_equal(portal_parse(longest, 8 + PORTAL_URL_MAX + 1, &v), 0);
	longest[8 + PORTAL_URL_MAX] = 'a';
	longest[8 + PORTAL_URL_MAX + 1] = '\n';
	assert_int_equal(portal_parse(longest, 8 + PORTAL_URL_MAX + 2, &v), -EINVAL);
	longest[sizeof(longest) - 1] = '\n';
	assert_int_equal(portal_parse(longest, sizeof(longest), &v), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_portal_url_takes_http_and_https),
		cmocka_unit_test(test_portal_url_refuses_everything_else),
		cmocka_unit_test(test_portal_lease),
		cmocka_unit_test(test_portal_judges_http),
		cmocka_unit_test(test_portal_judges_the_api),
		cmocka_unit_test(test_portal_lines_come_back_as_they_were),
		cmocka_unit_test(test_portal_lines_of_a_probe_that_lies_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
