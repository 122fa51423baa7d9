/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal - what was intended and what was done, written before it happens
 *
 * One text line a record: "I 3 link.move eth0 -> physical" intent, "D 3" done, "F 3" failed without effect,
 * "U 3" undone. The file is preallocated, so that neither running nor undoing stops because /run is full. A last
 * line without its newline was being written when the writer died, and is as if it had never been begun.
 */
#ifndef WGNS_JOURNAL_H
#define WGNS_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "wgns/err.h"
#include "wgns/netns.h"

#define JOURNAL_NAME "journal"
#define JOURNAL_MAX (4u << 20)
#define JOURNAL_PLAN_NAME "plan"

struct journal {
	int fd; /* -1: not open */
	long end; /* where the next record goes */
};

struct journal_entry {
	unsigned n; /* from 1 */
	char *text; /* owned: the step as `up -n` prints it */
	bool is_begun; /* the journal has it; else only the plan says that it was meant */
	bool is_done, is_failed, is_undone;
};

struct journal_entries {
	struct journal_entry *items;
	size_t n;
};

/** journal_create - exclusive, in @dir_fd, with room for @n_steps records of @text_len bytes altogether */
int journal_create(int dir_fd, size_t n_steps, size_t text_len, struct journal *out, struct err *e);
/**
 * journal_open - read what is there and go on behind it
 * Return: 0; -ENOENT; -EINVAL with the line that is damaged
 */
int journal_open(int dir_fd, struct journal *out, struct journal_entries *entries, struct err *e);
void journal_close(struct journal *j);
void journal_entries_free(struct journal_entries *entries);
/** journal_parse - the text of a journal, @len bytes; exposed for tests and the fuzzer; @end: where the next record goes */
int journal_parse(const char *text, size_t len, struct journal_entries *entries, long *end,
		  struct err *e);

/**
 * journal_salvage - what stands before the damaged line of a journal that journal_open() refuses
 * @damage: says which line it is; code 0 when there is none
 *
 * Return: 0; -ENOENT; -errno when it cannot be read at all
 */
int journal_salvage(int dir_fd, struct journal_entries *entries, struct err *damage, struct err *e);

/*
 * The file `plan` beside the journal: all steps, written before the first of them, and the home that they are for. A
 * journal that was cut or overwritten takes nothing with it then: an undo of what was never begun finds nothing.
 */
/** journal_plan_write - the numbers and texts of @plan */
int journal_plan_write(int dir_fd, const struct netns_id *home, const struct journal_entries *plan,
		       struct err *e);
/** journal_plan_read - Return: 0; -ENOENT; -EINVAL with the line that is damaged */
int journal_plan_read(int dir_fd, struct netns_id *home, struct journal_entries *out,
		      struct err *e);
int journal_plan_parse(const char *text, size_t len, struct netns_id *home,
		       struct journal_entries *out, struct err *e);
/**
 * journal_complete - the steps of @plan with the marks of @entries, which becomes the result; @plan is taken over
 * @is_damaged: what only the journal has is dropped; else it comes last
 *
 * The plan's text counts where the two differ.
 * Return: 0 or -ENOMEM, and @entries is as it was
 */
int journal_complete(struct journal_entries *entries, struct journal_entries *plan,
		     bool is_damaged);

int journal_intend(struct journal *j, unsigned n, const char *text, struct err *e);
/** journal_extend - room for @n_steps more records of @text_len bytes altogether behind the end, before they are begun */
int journal_extend(struct journal *j, size_t n_steps, size_t text_len, struct err *e);
/** journal_mark - 'D', 'F' or 'U' for step @n */
int journal_mark(struct journal *j, char letter, unsigned n, struct err *e);

#endif
