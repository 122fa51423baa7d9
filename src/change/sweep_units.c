// SPDX-License-Identifier: GPL-2.0-or-later
/* managers that would start in a namespace that is gone */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "change_internal.h"
#include "wgns/op.h"
#include "wgns/str.h"
#include "wgns/units_moved.h"

static int undo(struct op_env *env, const char *verb, const char *units, struct err *e)
{
	AUTO_STRBUF struct strbuf text = { 0 };
	struct step step;

	strbuf_addf(&text, "%s%s", verb, units);
	if (text.is_failed || step_parse(text.s, &step) < 0)
		return err_set(e, ENOMEM, "give back the managers");
	int rc = step.op->undo(env, &step, e);
	step_free(&step);
	return rc;
}

/* a namespace that is gone, and a manager that cannot start without it: a machine without a network */
void sweep_units(struct recovery *r)
{
	static const char *const verbs[] = { "unit.start", "unit.dropin", "unit.stop" };
	AUTO_STRBUF struct strbuf units = { 0 };
	struct err why, which;

	/* the journal of a layout knows its own */
	if (faccessat(r->env->run_fd, OP_BOX_PATH, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return;
	int rc = units_left(&units, &why);
	if (rc < 0)
		recovery_left(r, "managers that would start in physical", &why);
	if (rc < 0 || !units.len)
		return;
	r->env->is_step_done = false;
	/* each as far as it gets: whether the managers run in home is for the last one to find out */
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		int failed = undo(r->env, verbs[i], units.s, &which);
		if (failed < 0 && rc == 0) {
			why = which;
			rc = failed;
		}
	}
	if (rc < 0)
		recovery_left(r, "managers that would start in physical", &why);
	else
		recovery_done(r, "managers that would start in physical:%s", units.s);
}
