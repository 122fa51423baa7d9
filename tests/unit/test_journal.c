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
	(void)unlinkat(f->fd, JOURNAL_PLAN_NAME, 0);
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

static char plan_first[] = "dir.create /run/nscd", plan_second[] = "tunnel.create wg0 in physical";

static void write_plan(const struct folder *f)
{
	struct journal_entry items[] = { { .n = 3, .text = plan_first },
					 { .n = 4, .text = plan_second } };
	const struct journal_entries plan = { items, 2 };
	const struct netns_id home = { 4, 4026531840 };
	struct err e;

	assert_int_equal(journal_plan_write(f->fd, &home, &plan, &e), 0);
}

static void test_journal_plan_completes(void **state)
{
	static const char text[] = "I 3 something else\nD 3\nI 9 link.move eth0\n";
	const struct folder *f = *state;

	for (int is_damaged = 0; is_damaged <= 1; is_damaged++) {
		struct journal_entries entries, plan;
		struct netns_id home;
		struct err e;
		long end;

		write_plan(f);
		assert_int_equal(journal_plan_read(f->fd, &home, &plan, &e), 0);
		assert_int_equal(home.ino, 4026531840);
		assert_int_equal(journal_parse(text, strlen(text), &entries, &end, &e), 0);
		assert_int_equal(journal_complete(&entries, &plan, is_damaged), 0);
		assert_int_equal(plan.n, 0);
		/* a damaged journal adds nothing of its own */
		assert_int_equal(entries.n, is_damaged ? 2 : 3);
		assert_string_equal(entries.items[0].text, plan_first);
		assert_true(entries.items[0].is_begun);
		assert_true(entries.items[0].is_done);
		assert_string_equal(entries.items[1].text, plan_second);
		assert_false(entries.items[1].is_begun);
		if (!is_damaged)
			assert_string_equal(entries.items[2].text, "link.move eth0");
		journal_entries_free(&entries);
	}
}

static void test_journal_plan_damaged(void **state)
{
	static const char whole[] = "wgns-plan 1 4:5\n1 a\n3 b\nend\n";
	static const struct {
		const char *text;
		const char *where;
	} rows[] = {
		{ "", "line 1" },
		{ "wgns-plan 2 4:5\nend\n", "line 1" },
		{ "wgns-plan 1 4:5\n1 a\n1 b\nend\n", "line 3" },
		{ "wgns-plan 1 4:5\n0 a\nend\n", "line 2" },
		{ "wgns-plan 1 4:5\n1\nend\n", "line 2" },
		{ "wgns-plan 1 4:5\n1 a\n", "line 3" },
	};
	struct journal_entries plan;
	struct netns_id home;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
			journal_plan_parse(rows[i].text, strlen(rows[i].text), &home, &plan, &e),
			-EINVAL);
		assert_non_null(strstr(e.text, rows[i].where));
	}
	/* cut anywhere it is not whole */
	for (size_t len = 0; len < strlen(whole); len++)
		assert_int_equal(journal_plan_parse(whole, len, &home, &plan, &e), -EINVAL);
	assert_int_equal(journal_plan_parse(whole, strlen(whole), &home, &plan, &e), 0);
	assert_int_equal(plan.n, 2);
	journal_entries_free(&plan);
}

static void test_journal_salvage(void **state)
{
	static const char text[] = "I 1 a\nD 1\nI 2 b\nnonsense\nI 3 c\n";
	const struct folder *f = *state;
	struct journal_entries entries;
	struct err damage, e;

	int fd = openat(f->fd, JOURNAL_NAME, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
	assert_int_equal(journal_salvage(f->fd, &entries, &damage, &e), 0);
	assert_non_null(strstr(damage.text, "line 4"));
	assert_int_equal(entries.n, 2);
	assert_true(entries.items[0].is_done);
	assert_string_equal(entries.items[1].text, "b");
	journal_entries_free(&entries);
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
		WITH_FOLDER(test_journal_plan_completes),
		WITH_FOLDER(test_journal_salvage),
		cmocka_unit_test(test_journal_plan_damaged),
		WITH_FOLDER(test_journal_is_exclusive),
		WITH_FOLDER(test_journal_is_preallocated),
		cmocka_unit_test(test_journal_parse_cut_anywhere),
		cmocka_unit_test(test_journal_parse_garbage),
		WITH_FOLDER(test_journal_open_repairs_the_end),
		WITH_FOLDER(test_journal_open_absent),
	};

	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
