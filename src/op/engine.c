// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/fault.h"

static void report(const struct engine *en, enum engine_event event, const char *text,
		   const struct err *e)
{
	if (en->report)
		en->report(en->report_ctx, event, text, e);
}

static int run_step(struct engine *en, struct journal *journal, const struct step *step, unsigned n,
		    struct err *e)
{
	const struct op *op = op_by_name(step->words[0]);

	if (!op)
		return err_say(e, EINVAL, "wgns has no such operation");
	if (en->should_stop && en->should_stop(en->report_ctx))
		return err_say(e, EINTR, "interrupted");
	int rc = journal_intend(journal, n, step->text, e);
	if (rc < 0)
		return rc;
	report(en, ENGINE_BEGIN, step->text, NULL);
	rc = fault_at(en->fault, FAULT_BEFORE, n, e);
	if (rc == 0)
		rc = op->run(en->env, step, e);
	if (rc == 0)
		rc = fault_at(en->fault, FAULT_AFTER, n, e);
	if (rc < 0) {
		struct err
			ignored; /* without the mark the step counts as begun, and is undone all the same */
		(void)journal_mark(journal, 'F', n, &ignored);
		return rc;
	}
	return journal_mark(journal, 'D', n, e);
}

int engine_run(struct engine *en, struct journal *journal, const struct plan *plan, size_t first,
	       size_t end, struct err *e)
{
	for (size_t i = first; i < end; i++) {
		int rc = run_step(en, journal, &plan->steps[i], en->n_before + (unsigned)i + 1, e);
		if (rc < 0)
			return err_context(e, "step %zu/%zu %s", i + 1, plan->n,
					   plan->steps[i].text);
	}
	return 0;
}

static int undo_entry(struct engine *en, const struct journal_entry *entry, struct err *e)
{
	struct step step;
	int rc = step_parse(entry->text, &step);

	if (rc < 0)
		return err_set(e, -rc, "undo '%s'", entry->text);
	rc = fault_at(en->fault, FAULT_UNDO, entry->n, e);
	if (rc == 0 && step.op->undo) {
		if (entry->is_begun)
			report(en, ENGINE_UNDO, entry->text, NULL);
		en->env->is_step_done = entry->is_done;
		rc = step.op->undo(en->env, &step, e);
	}
	step_free(&step);
	return rc;
}

size_t engine_undo(struct engine *en, struct journal *journal,
		   const struct journal_entries *entries)
{
	size_t n_left = 0;

	for (size_t i = entries->n; i-- > 0;) {
		const struct journal_entry *entry = &entries->items[i];
		struct err e;

		if (entry->is_undone)
			continue;
		if (undo_entry(en, entry, &e) < 0) {
			n_left++;
			report(en, ENGINE_UNDO_FAILED, entry->text, &e);
			continue;
		}
		/* it is undone, written down or not; a mark without an intent would be damage */
		if (entry->is_begun)
			(void)journal_mark(journal, 'U', entry->n, &e);
		(void)fault_at(en->fault, FAULT_UNDONE, entry->n, &e);
	}
	return n_left;
}
