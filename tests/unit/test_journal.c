// SPDX-License-Identifier: GPL-2.0-or-later
/* the journal: written, cut off anywhere, filled with garbage */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wgns/journal.h"

struct folder {
	char path[64];
	int fd;
};

static int make_folder(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));

	strcpy(f->path, "/tmp/wgns-journal.XXXXXX");
	if (!mkdtemp(f->path))
		return -1;
	f->fd = open(f->path, O_RDONLY | O_DIRECTORY);
	*state = f;
	return f->fd < 0 ? -1 : 0;
}

static int remove_folder(void **state)
{
	struct folder *f = *state;

	(void)unlinkat(f->fd, JOURNAL_NAME, 0);
	(void)close(f->fd);
	int rc = rmdir(f->path);
	free(f);
	return rc;
}

static void test_journal_round_trip(void **state)
{
	const struct folder *f = *state;
	struct journal_entries entries;
	struct journal j;
	struct err e;

	assert_int_equal(journal_create(f->fd, 3, 60, &j, &e), 0);
	assert_int_equal(journal_intend(&j, 1, "link.move eth0 -> physical", &e), 0);
	assert_int_equal(journal_mark(&j, 'D', 1, &e), 0);
	assert_int_equal(journal_intend(&j, 2, "addr.restore physical", &e), 0);
	assert_int_equal(journal_mark(&j, 'F', 2, &e), 0);
	assert_int_equal(journal_mark(&j, 'U', 2, &e), 0);
	journal_close(&j);

	assert_int_equal(journal_open(f->fd, &j, &entries, &e), 0);
	assert_int_equal(entries.n, 2);
	assert_string_equal(entries.items[0].text, "link.move eth0 -> physical");
	assert_true(entries.items[0].is_done);
	assert_false(entries.items[0].is_undone);
	assert_true(entries.items[1].is_failed);
	assert_true(entries.items[1].is_undone);
	journal_entries_free(&entries);

	/* and it goes on behind what is there */
	assert_int_equal(journal_mark(&j, 'U', 1, &e), 0);
	journal_close(&j);
	assert_int_equal(journal_open(f->fd, &j, &entries, &e), 0);
	assert_true(entries.items[0].is_undone);
	journal_entries_free(&entries);
	journal_close(&j);
}

static void test_journal_is_exclusive(void **state)
{
	const struct folder *f = *state;
	struct journal j, second;
	struct err e;

	assert_int_equal(journal_create(f->fd, 1, 10, &j, &e), 0);
	assert_int_equal(journal_create(f->fd, 1, 10, &second, &e), -EEXIST);
	journal_close(&j);
}

/* all records of a plan fit into what was reserved: writing them never needs another block */
static void test_journal_is_preallocated(void **state)
{
	static const char text[] = "link.move eth0 -> physical";
	const struct folder *f = *state;
	struct stat before, after;
	struct journal j;
	struct err e;

	assert_int_equal(journal_create(f->fd, 99, 99 * strlen(text), &j, &e), 0);
	assert_int_equal(fstat(j.fd, &before), 0);
	for (unsigned i = 1; i <= 99; i++) {
		assert_int_equal(journal_intend(&j, i, text, &e), 0);
		assert_int_equal(journal_mark(&j, 'F', i, &e), 0);
		assert_int_equal(journal_mark(&j, 'U', i, &e), 0);
	}
	assert_int_equal(fstat(j.fd, &after), 0);
	assert_int_equal(after.st_size, before.st_size);
	assert_int_equal(after.st_blocks, before.st_blocks);
	journal_close(&j);
}

static const char whole[] =
	"I 1 netns.create physical\nD 1\nI 2 link.move eth0 -> physical\nD 2\nU 2\n";

/* cut at any byte: what was written before the cut counts, and never more */
static void test_journal_parse_cut_anywhere(void **state)
{
	struct journal_entries entries;
	struct err e;
	long end;

	(void)state;
	for (size_t len = 0; len < sizeof(whole); len++) {
		assert_int_equal(journal_parse(whole, len, &entries, &end, &e), 0);
		assert_true((size_t)end <= len);
		assert_int_equal(entries.n, (len >= 26) + (len >= 61));
		if (entries.n)
			assert_int_equal(entries.items[0].is_done, len >= 30);
		if (entries.n == 2) {
			assert_int_equal(entries.items[1].is_done, len >= 65);
			assert_int_equal(entries.items[1].is_undone, len >= 69);
		}
		journal_entries_free(&entries);
	}
}

static void test_journal_parse_garbage(void **state)
{
	static const char *const texts[] = {
		"X 1\n",	  "I\n",	  "I 1\n",
		"I 1 \n",	  "D 1\n",	  "I 0 a\n",
		"I 1 a\nI 1 b\n", "I 1 a\nD 2\n", "I 1 a\nD 1 x\n",
		"I -1 a\n",	  "\n",		  "I 99999999999999999999 a\n",
		"I 1x a\n",
	};
	struct journal_entries entries;
	struct err e;
	long end;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(journal_parse(texts[i], strlen(texts[i]), &entries, &end, &e),
				 -EINVAL);
		assert_non_null(strstr(e.text, "damaged at line"));
	}
}

/* a record that was cut off is not read together with the next one */
static void test_journal_open_repairs_the_end(void **state)
{
	const struct folder *f = *state;
	struct journal_entries entries;
	struct journal j;
	struct err e;

	assert_int_equal(journal_create(f->fd, 2, 60, &j, &e), 0);
	assert_int_equal(pwrite(j.fd, whole, 40, 0), 40);
	journal_close(&j);
	assert_int_equal(journal_open(f->fd, &j, &entries, &e), 0);
	assert_int_equal(entries.n, 1);
	journal_entries_free(&entries);
	assert_int_equal(journal_mark(&j, 'U', 1, &e), 0);
	journal_close(&j);
	assert_int_equal(journal_open(f->fd, &j, &entries, &e), 0);
	assert_int_equal(entries.n, 1);
	assert_true(entries.items[0].is_undone);
	journal_entries_free(&entries);
	journal_close(&j);
}

static void test_journal_open_absent(void **state)
{
	const struct folder *f = *state;
	struct journal_entries entries;
	struct journal j;
	struct err e;

	assert_int_equal(journal_open(f->fd, &j, &entries, &e), -ENOENT);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(test_journal_round_trip),
		WITH_FOLDER(test_journal_is_exclusive),
		WITH_FOLDER(test_journal_is_preallocated),
		cmocka_unit_test(test_journal_parse_cut_anywhere),
		cmocka_unit_test(test_journal_parse_garbage),
		WITH_FOLDER(test_journal_open_repairs_the_end),
		WITH_FOLDER(test_journal_open_absent),
	};

	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
