// SPDX-License-Identifier: GPL-2.0-or-later
/* invariants 3 and 5 of the programs in physical, and the helper by which they come there. Pure */
#include <linux/capability.h>
#include <stdio.h>
#include <sys/stat.h>

#include "verify_internal.h"

#define NAMES_MAX 1024

static void name_proc(const struct verify_proc *p, char *out, size_t cap)
{
	(void)snprintf(out, cap, "%s (pid %d, uid %u)", p->proc.comm, (int)p->proc.pid,
		       (unsigned)p->proc.uid);
}

static bool is_sealed(const struct verify_mounts *m)
{
	return m->has_etc && m->has_nscd && m->has_resolve;
}

static void judge_seal(const struct verify_proc *p, struct findings *out)
{
	char who[80];

	name_proc(p, who, sizeof(who));
	if (!p->mounts.is_known) {
		findings_add(out, FINDING_OPEN, "%s: its mounts cannot be read", who);
		return;
	}
	if (is_sealed(&p->mounts))
		return;
	if (!p->mounts.has_etc)
		findings_add(out, FINDING_BREAKS,
			     "%s resolves names by home's /etc: it did not come by wgns exec", who);
	else
		findings_add(out, FINDING_BREAKS, "%s reaches home's %s", who,
			     p->mounts.has_nscd ? "systemd-resolved" : "nscd");
	findings_hint(out, "start it by `wgns exec --physical`, or by what `wgns unit-dropin` "
			   "writes when it is a service");
}

static void add_unseen(const struct verify_facts *f, struct findings *out)
{
	if (f->procs_problem[0])
		findings_add(out, FINDING_OPEN, "%s", f->procs_problem);
	if (f->n_procs_all > VERIFY_PROCS_MAX)
		findings_add(out, FINDING_OPEN, "%zu more programs were not looked at",
			     f->n_procs_all - VERIFY_PROCS_MAX);
}

static void judge_names(const struct verify_facts *f, struct findings *out)
{
	findings_begin(out, "programs.names",
		       "programs in physical see the box's resolver and not home's");
	if (!verify_need_root(f, out))
		return;
	add_unseen(f, out);
	for (size_t i = 0; i < f->n_procs; i++) {
		/* what a manager learns goes to files that nobody in home reads */
		if (!f->procs[i].is_daemon && !f->procs[i].is_manager)
			judge_seal(&f->procs[i], out);
	}
}

/* a profile that root wrote may leave capabilities to a program: it is sealed all the same, and is named */
static void judge_caps(const struct verify_proc *p, struct findings *out)
{
	char who[80], names[NAMES_MAX];
	const struct verify_caps *c = &p->caps;
	uint64_t held = c->inheritable | c->permitted | c->effective | c->ambient;
	enum finding_weight weight = is_sealed(&p->mounts) ? FINDING_WARNING : FINDING_BREAKS;

	name_proc(p, who, sizeof(who));
	if (!c->is_known) {
		findings_add(out, FINDING_OPEN, "%s: its privileges cannot be read", who);
		return;
	}
	if (!held && c->has_no_new_privs)
		return;
	verify_cap_names(held, names, sizeof(names));
	findings_add(out, weight, "%s %s%s%s%s%s", who, held ? "holds " : "", names,
		     held && !c->has_no_new_privs ? ", and " : "",
		     c->has_no_new_privs ? "" : "can gain privileges",
		     weight == FINDING_WARNING ? ", as a profile of root's lets it" : "");
	if (weight == FINDING_BREAKS)
		findings_hint(out, "start it by `wgns exec --physical`");
}

static void judge_privileges(const struct verify_facts *f, struct findings *out)
{
	char who[80];

	findings_begin(out, "programs.privileges",
		       "programs in physical hold no capability and can gain none");
	if (!verify_need_root(f, out))
		return;
	add_unseen(f, out);
	for (size_t i = 0; i < f->n_procs; i++) {
		const struct verify_proc *p = &f->procs[i];
		if (p->is_manager) {
			name_proc(p, who, sizeof(who));
			findings_add(out, FINDING_NOTE,
				     "%s moved along with the uplinks: systemd confines it", who);
		} else if (!p->is_daemon && !(p->is_agent && is_sealed(&p->mounts))) {
			judge_caps(p, out);
		}
	}
}

static void judge_mode(const char *what, const struct verify_file *file, struct findings *out)
{
	if (file->problem[0])
		findings_add(out, FINDING_OPEN, "%s", file->problem);
	if (!file->is_there)
		return;
	if (file->mode & (S_ISUID | S_ISGID)) {
		findings_add(out, FINDING_BREAKS, "%s is set-%s-ID", what,
			     file->mode & S_ISUID ? "user" : "group");
		findings_hint(out, "`chmod ug-s` takes it away");
	}
}

static void judge_helper(const struct verify_facts *f, struct findings *out)
{
	const struct verify_file_caps *caps = &f->helper_caps;
	char names[NAMES_MAX];

	findings_begin(out, "helper",
		       "the helper has cap_sys_admin and nothing else; nothing is set-user-ID");
	judge_mode("wgns", &f->program, out);
	judge_mode("wgns-exec", &f->helper, out);
	if (!f->helper.is_there) {
		findings_add(out, FINDING_NOTE, "wgns-exec is not installed: no `wgns exec`");
		return;
	}
	if (f->helper.uid != 0 || f->helper.mode & 022) {
		findings_add(out, FINDING_BREAKS, "somebody else than root can write to wgns-exec");
		findings_hint(out, "install it again: `make install`");
	}
	if (!caps->is_there) {
		findings_add(out, FINDING_NOTE,
			     "wgns-exec has no capability: only root can use `wgns exec`");
		findings_hint(out, "`make setcap`");
		return;
	}
	uint64_t wanted = UINT64_C(1) << CAP_SYS_ADMIN;
	uint64_t all = caps->permitted | caps->inheritable;
	if (!caps->is_damaged && caps->permitted == wanted && !caps->inheritable)
		return;
	verify_cap_names(all & ~wanted, names, sizeof(names));
	findings_add(out, FINDING_BREAKS, "wgns-exec's file capability is %s%s",
		     caps->is_damaged ? "not to be understood" : "not cap_sys_admin alone: ",
		     caps->is_damaged	 ? ""
		     : all & ~wanted	 ? names
		     : caps->inheritable ? "it is inheritable"
					 : "it lacks it");
	findings_hint(out, "`make setcap` sets it anew");
}

void verify_judge_procs(const struct verify_facts *f, struct findings *out)
{
	judge_names(f, out);
	judge_privileges(f, out);
	judge_helper(f, out);
}
