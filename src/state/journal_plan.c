// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The plan beside the journal
 *
 *   wgns-plan 1 DEV:INO          of home's namespace
 *   1 dir.create /run/nscd
 *   ...
 *   end
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/fd.h"
#include "wgns/journal.h"
#include "wgns/str.h"

#define FIRST_LINE "wgns-plan 1 "

int journal_plan_write(int dir_fd, const struct netns_id *home, const struct journal_entries *plan,
		       struct err *e)
{
	AUTO_STRBUF struct strbuf b = { 0 };

	strbuf_addf(&b, FIRST_LINE "%" PRIu64 ":%" PRIu64 "\n", home->dev, home->ino);
	for (size_t i = 0; i < plan->n; i++)
		strbuf_addf(&b, "%u %s\n", plan->items[i].n, plan->items[i].text);
	strbuf_addf(&b, "end\n");
	if (b.is_failed)
		return err_set(e, ENOMEM, "write the plan");
	return fd_replace_file_at(dir_fd, JOURNAL_PLAN_NAME, b.s, b.len, 0600, e);
}

static int take_step(char *line, struct journal_entries *out)
{
	unsigned long long n;
	char *text = strchr(line, ' ');

	if (!text || !text[1])
		return -EINVAL;
	*text++ = '\0';
	/* in rising order, so that none is there twice */
	if (str_to_u64(line, UINT_MAX, &n) < 0 || n == 0 ||
	    (out->n && out->items[out->n - 1].n >= n))
		return -EINVAL;
	struct journal_entry *grown = reallocarray(out->items, out->n + 1, sizeof(*out->items));
	if (!grown)
		return -ENOMEM;
	out->items = grown;
	char *copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	grown[out->n++] = (struct journal_entry){ .n = (unsigned)n, .text = copy };
	return 0;
}

int journal_plan_parse(const char *text, size_t len, struct netns_id *home,
		       struct journal_entries *out, struct err *e)
{
	AUTO_FREE char *copy = strndup(text, len);
	struct journal_entries found = { 0 };
	struct netns_id id;
	unsigned n_line = 1;
	bool is_whole = false;
	int rc = 0;

	if (!copy)
		return err_set(e, ENOMEM, "read the plan");
	char *rest = copy, *line = strsep(&rest, "\n");
	if (sscanf(line, FIRST_LINE "%" SCNu64 ":%" SCNu64, &id.dev, &id.ino) != 2)
		return err_say(e, EINVAL, "the plan is damaged at line 1");
	/* the last line has a newline, too: without it the file was cut, and is as if it ended there */
	for (line = strsep(&rest, "\n"); rest && rc == 0 && !is_whole; line = strsep(&rest, "\n")) {
		n_line++;
		is_whole = strcmp(line, "end") == 0;
		if (!is_whole)
			rc = take_step(line, &found);
	}
	if (rc == 0 && !is_whole)
		rc = -EINVAL, n_line++;
	if (rc < 0) {
		journal_entries_free(&found);
		return err_say(e, -rc, "the plan is damaged at line %u", n_line);
	}
	*home = id;
	*out = found;
	return 0;
}

int journal_plan_read(int dir_fd, struct netns_id *home, struct journal_entries *out, struct err *e)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	int rc = fd_read_file_at(dir_fd, JOURNAL_PLAN_NAME, JOURNAL_MAX, &text, &len, e);
	return rc < 0 ? rc : journal_plan_parse(text, len, home, out, e);
}

static struct journal_entry *find(const struct journal_entries *list, unsigned n)
{
	for (size_t i = 0; i < list->n; i++) {
		if (list->items[i].n == n)
			return &list->items[i];
	}
	return NULL;
}

int journal_complete(struct journal_entries *entries, struct journal_entries *plan, bool is_damaged)
{
	struct journal_entry *grown =
		reallocarray(plan->items, plan->n + entries->n + 1, sizeof(*plan->items));
	size_t n_plan = plan->n;

	if (!grown)
		return -ENOMEM;
	plan->items = grown;
	for (size_t i = 0; i < entries->n; i++) {
		struct journal_entry *from = &entries->items[i];
		struct journal_entry *to =
			find(&(struct journal_entries){ grown, n_plan }, from->n);
		if (to) {
			char *text = to->text;
			*to = *from;
			to->text = text;
			free(from->text);
		} else if (is_damaged) {
			free(from->text);
		} else {
			grown[plan->n++] = *from;
		}
	}
	free(entries->items);
	*entries = *plan;
	*plan = (struct journal_entries){ 0 };
	return 0;
}
