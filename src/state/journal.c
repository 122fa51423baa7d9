// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wgns/fd.h"
#include "wgns/str.h"

/* "I 4294967295 " and a newline, and two marks of the same width */
#define RECORD_OVERHEAD 48

int journal_create(int dir_fd, size_t n_steps, size_t text_len, struct journal *out, struct err *e)
{
	AUTO_FD int fd = openat(dir_fd, JOURNAL_NAME,
				O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_set(e, errno, "create the journal");
	size_t size = text_len + n_steps * RECORD_OVERHEAD + 1;
	if (size > JOURNAL_MAX)
		return err_set(e, EFBIG, "create a journal of %zu steps", n_steps);
	int rc = posix_fallocate(fd, 0, (off_t)size);
	if (rc)
		return err_set(e, rc, "reserve %zu bytes for the journal", size);
	*out = (struct journal){ .fd = fd_take(&fd) };
	return 0;
}

int journal_extend(struct journal *j, size_t n_steps, size_t text_len, struct err *e)
{
	struct stat st;

	if (fstat(j->fd, &st) < 0)
		return err_set(e, errno, "read the size of the journal");
	/* what is reserved already is for the undo of what is written already */
	size_t more = text_len + n_steps * RECORD_OVERHEAD;
	if ((size_t)st.st_size + more > JOURNAL_MAX)
		return err_set(e, EFBIG, "extend the journal by %zu steps", n_steps);
	int rc = posix_fallocate(j->fd, st.st_size, (off_t)more);
	return rc ? err_set(e, rc, "reserve %zu more bytes for the journal", more) : 0;
}

static int write_record(struct journal *j, const char *record, size_t len, struct err *e)
{
	for (size_t done = 0; done < len;) {
		ssize_t put = pwrite(j->fd, record + done, len - done, j->end + (off_t)done);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_set(e, errno, "write the journal");
		done += (size_t)put;
	}
	j->end += (long)len;
	return 0;
}

int journal_intend(struct journal *j, unsigned n, const char *text, struct err *e)
{
	AUTO_STRBUF struct strbuf b = { 0 };

	strbuf_addf(&b, "I %u %s\n", n, text);
	if (b.is_failed)
		return err_set(e, ENOMEM, "write the journal");
	return write_record(j, b.s, b.len, e);
}

int journal_mark(struct journal *j, char letter, unsigned n, struct err *e)
{
	char record[32];
	int len = snprintf(record, sizeof(record), "%c %u\n", letter, n);

	return write_record(j, record, (size_t)len, e);
}

static struct journal_entry *find(struct journal_entries *entries, unsigned n)
{
	/* records of a step stand close together at the end */
	for (size_t i = entries->n; i-- > 0;) {
		if (entries->items[i].n == n)
			return &entries->items[i];
	}
	return NULL;
}

static int add_entry(struct journal_entries *entries, unsigned n, const char *text, size_t len)
{
	struct journal_entry *grown =
		reallocarray(entries->items, entries->n + 1, sizeof(*entries->items));
	if (!grown)
		return -ENOMEM;
	entries->items = grown;
	char *copy = strndup(text, len);
	if (!copy)
		return -ENOMEM;
	grown[entries->n++] = (struct journal_entry){ .n = n, .text = copy, .is_begun = true };
	return 0;
}

/* one line without its newline; Return: 0, -EINVAL, -ENOMEM */
static int take_line(struct journal_entries *entries, const char *line, size_t len)
{
	unsigned long n = 0;
	size_t at = 2;

	if (len < 3 || line[1] != ' ')
		return -EINVAL;
	for (; at < len && line[at] >= '0' && line[at] <= '9' && n < UINT_MAX / 16; at++)
		n = n * 10 + (unsigned long)(line[at] - '0');
	if (at == 2 || n == 0)
		return -EINVAL;

	struct journal_entry *entry = find(entries, (unsigned)n);
	if (line[0] == 'I') {
		if (entry || at + 1 >= len || line[at] != ' ')
			return -EINVAL;
		return add_entry(entries, (unsigned)n, line + at + 1, len - at - 1);
	}
	if (!entry || at != len)
		return -EINVAL;
	switch (line[0]) {
	case 'D':
		entry->is_done = true;
		return 0;
	case 'F':
		entry->is_failed = true;
		return 0;
	case 'U':
		entry->is_undone = true;
		return 0;
	default:
		return -EINVAL;
	}
}

/* @found: on failure, what stands before the damaged line */
static int parse(const char *text, size_t len, struct journal_entries *found, long *end,
		 struct err *e)
{
	size_t used = strnlen(text, len), start = 0;
	unsigned line = 0;

	while (start < used) {
		const char *newline = memchr(text + start, '\n', used - start);
		if (!newline)
			break; /* it was being written */
		line++;
		size_t line_len = (size_t)(newline - (text + start));
		int rc = take_line(found, text + start, line_len);
		if (rc < 0)
			return err_say(e, -rc, "the journal is damaged at line %u", line);
		start += line_len + 1;
	}
	*end = (long)start;
	return 0;
}

int journal_parse(const char *text, size_t len, struct journal_entries *entries, long *end,
		  struct err *e)
{
	struct journal_entries found = { 0 };
	int rc = parse(text, len, &found, end, e);

	if (rc < 0)
		journal_entries_free(&found);
	else
		*entries = found;
	return rc;
}

int journal_salvage(int dir_fd, struct journal_entries *entries, struct err *damage, struct err *e)
{
	struct journal_entries found = { 0 };
	AUTO_FREE char *text = NULL;
	size_t len;
	long end;

	int rc = fd_read_file_at(dir_fd, JOURNAL_NAME, JOURNAL_MAX, &text, &len, e);
	if (rc < 0)
		return rc;
	damage->code = 0;
	if (parse(text, len, &found, &end, damage) == -ENOMEM) {
		journal_entries_free(&found);
		return err_set(e, ENOMEM, "read the journal");
	}
	*entries = found;
	return 0;
}

int journal_open(int dir_fd, struct journal *out, struct journal_entries *entries, struct err *e)
{
	AUTO_FREE char *text = NULL;
	size_t len;
	long end;
	AUTO_FD int fd = openat(dir_fd, JOURNAL_NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return err_set(e, errno, "open the journal");
	int rc = fd_read_all(fd, JOURNAL_MAX, &text, &len, "the journal", e);
	if (rc < 0)
		return rc;
	rc = journal_parse(text, len, entries, &end, e);
	if (rc < 0)
		return rc;
	*out = (struct journal){ .fd = fd_take(&fd), .end = end };

	/* a record that was cut off must not be read together with the next one */
	size_t used = strnlen(text, len);
	if ((size_t)end < used) {
		AUTO_FREE char *zeros = calloc(1, used - (size_t)end);
		if (!zeros || pwrite(out->fd, zeros, used - (size_t)end, end) < 0) {
			rc = err_set(e, zeros ? errno : ENOMEM, "repair the journal");
			journal_close(out);
			journal_entries_free(entries);
		}
	}
	return rc;
}

void journal_close(struct journal *j)
{
	fd_close_indirect(&j->fd);
}

void journal_entries_free(struct journal_entries *entries)
{
	for (size_t i = 0; i < entries->n; i++)
		free(entries->items[i].text);
	free(entries->items);
	*entries = (struct journal_entries){ 0 };
}
