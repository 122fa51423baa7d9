// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/diag.h"
#include "wgns/ini.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void assert_span(struct ini_span span, const char *text)
{
	if (span.len != strlen(text) || memcmp(span.s, text, span.len) != 0)
		fail_msg("got `%.*s', want `%s'", (int)span.len, span.s, text);
}

static void test_ini_line(void **state)
{
	static const struct {
		const char *line, *key, *value, *whole;
		bool has_equals, is_section;
	} row[] = {
		{ "a = b", "a", "b", "b", true, false },
		{ "  a=b  ", "a", "b", "b", true, false },
		{ "a = b = c", "a", "b = c", "b = c", true, false },
		{ "a = b # c", "a", "b", "b # c", true, false },
		{ "a # = b", "a", "a", "a", false, false },
		{ "a\t=\vb\r", "a", "b", "b", true, false },
		{ "a", "a", "a", "a", false, false },
		{ "# a = b", "", "", "", false, false },
		{ "", "", "", "", false, false },
		{ "= b", "", "b", "b", true, false },
		{ "a =", "a", "", "", true, false },
		{ " [x] # y", "[x]", "[x]", "[x]", false, true },
		{ "[x] = y", "[x]", "y", "y", true, true },
	};

	(void)state;
	for (size_t i = 0; i < N(row); i++) {
		char text[64];
		struct ini_line line;
		struct ini ini;

		(void)snprintf(text, sizeof(text), "%s\n", row[i].line);
		ini_begin(&ini, text, strlen(text));
		assert_true(ini_next(&ini, &line));
		assert_span(line.key, row[i].key);
		assert_span(line.value, row[i].value);
		assert_span(line.whole, row[i].whole);
		assert_int_equal(line.has_equals, row[i].has_equals);
		assert_int_equal(line.is_section, row[i].is_section);
		assert_false(ini_next(&ini, &line));
	}
}

static void test_ini_places(void **state)
{
	static const char text[] = "one\n\n\t two = x\r\nlast";
	struct ini_line line;
	struct ini ini;

	(void)state;
	ini_begin(&ini, text, strlen(text));
	assert_true(ini_next(&ini, &line));
	assert_int_equal(line.number, 1);
	assert_true(ini_next(&ini, &line));
	assert_int_equal(line.raw.len, 0);
	assert_true(ini_next(&ini, &line));
	assert_int_equal(line.number, 3);
	assert_int_equal(ini_col(&line, line.key.s), 3);
	assert_int_equal(ini_col(&line, line.value.s), 9);
	assert_span(line.raw, "two = x\r");
	assert_true(ini_next(&ini, &line));
	assert_span(line.raw, "last");
	assert_int_equal(line.number, 4);
	assert_false(ini_next(&ini, &line));
}

/* bash's read fails on it and leaves an empty line behind, which wg-quick does not keep */
static void test_ini_blanks_without_newline_are_no_line(void **state)
{
	struct ini_line line;
	struct ini ini;

	(void)state;
	ini_begin(&ini, "a\n \t", 4);
	assert_true(ini_next(&ini, &line));
	assert_false(ini_next(&ini, &line));
	ini_begin(&ini, "", 0);
	assert_false(ini_next(&ini, &line));
}

static void test_ini_word(void **state)
{
	struct ini_span rest = { " a,,b\tc , ", 10 }, word;

	(void)state;
	assert_true(ini_word(&rest, ",", &word));
	assert_span(word, "a");
	assert_true(ini_word(&rest, ",", &word));
	assert_span(word, "b");
	assert_true(ini_word(&rest, ",", &word));
	assert_span(word, "c");
	assert_false(ini_word(&rest, ",", &word));
}

static void test_ini_nearest(void **state)
{
	static const char *const words[] = { "Address", "MTU", "PrivateKey", "PublicKey" };
	static const struct {
		const char *given, *meant;
	} row[] = {
		{ "Adress", "Address" },
		{ "addresses", "Address" },
		{ "PrivatKey", "PrivateKey" },
		{ "PirvateKey", "PrivateKey" },
		{ "Private Key", "PrivateKey" },
		{ "MTV", "MTU" },
		{ "DNS", NULL },
		{ "x", NULL },
		{ "PostUp", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < N(row); i++) {
		struct ini_span span = { row[i].given, strlen(row[i].given) };
		const char *got = ini_nearest(span, words, N(words));

		if (row[i].meant)
			assert_string_equal(got ? got : "(none)", row[i].meant);
		else
			assert_null(got);
	}
}

static void test_ini_show_hides_keys(void **state)
{
	static const struct {
		const char *text, *shown;
	} row[] = {
		{ "10.0.0.1/8", "`10.0.0.1/8'" },
		{ "a\033[1mb\xc3", "`a?[1mb?'" },
		{ "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=", "(44 characters, not shown)" },
		{ "AQIDBAUGBwgJCgsMDQ4PE", "(21 characters, not shown)" },
		{ "a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhc=",
		  "(74 characters, not shown)" },
		{ "a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a",
		  "`a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:...'" },
	};

	(void)state;
	for (size_t i = 0; i < N(row); i++) {
		char buf[INI_SHOW_MAX];
		struct ini_span span = { row[i].text, strlen(row[i].text) };

		assert_string_equal(ini_show(span, buf), row[i].shown);
	}
}

static void test_diag_list(void **state)
{
	struct diag_list list = { .file = "a\n.conf" }, other = { .file = "b.conf" };
	char text[200];

	(void)state;
	diag_add(&list, DIAG_WARNING, 9, 1, "later");
	diag_add(&list, DIAG_ERROR, 3, 7, "x\tis %d", 4);
	diag_add(&list, DIAG_WARNING, 0, 0, "whole");
	diag_sort(&list);
	diag_add(&other, DIAG_ERROR, 1, 2, "elsewhere");
	diag_move(&list, &other);
	assert_int_equal(list.n_errors, 2);
	assert_int_equal(other.n_items, 0);

	static const char *const want[] = { "a?.conf: warning: whole", "a?.conf:3:7: x?is 4",
					    "a?.conf:9:1: warning: later",
					    "b.conf:1:2: elsewhere" };
	assert_int_equal(list.n_items, N(want));
	for (size_t i = 0; i < N(want); i++) {
		diag_format(&list, &list.items[i], text, sizeof(text));
		assert_string_equal(text, want[i]);
	}
	diag_free(&list);
}

static void test_diag_list_is_bounded(void **state)
{
	struct diag_list list = { 0 };

	(void)state;
	for (unsigned i = 0; i < DIAG_MAX + 5; i++)
		diag_add(&list, DIAG_ERROR, i + 1, 1, "wrong");
	assert_int_equal(list.n_items, DIAG_MAX);
	assert_int_equal(list.n_dropped, 5);
	assert_int_equal(list.n_errors, DIAG_MAX + 5);
	diag_free(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ini_line),
		cmocka_unit_test(test_ini_places),
		cmocka_unit_test(test_ini_blanks_without_newline_are_no_line),
		cmocka_unit_test(test_ini_word),
		cmocka_unit_test(test_ini_nearest),
		cmocka_unit_test(test_ini_show_hides_keys),
		cmocka_unit_test(test_diag_list),
		cmocka_unit_test(test_diag_list_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
