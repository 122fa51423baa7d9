// SPDX-License-Identifier: GPL-2.0-or-later
/* state: what the facts mean; pure */
#include <stdio.h>
#include <string.h>

#include "doctor_internal.h"

static void judge_left(const struct doctor_state *s, struct findings *out)
{
	findings_begin(out, "state.clean",
		       "nothing is left of an earlier wgns, and nobody is in the way");
	if (!s->is_root || s->is_changing) {
		findings_add(out, FINDING_OPEN, "%s",
			     s->is_changing ? "another wgns is changing the network just now: ask "
					      "again when it is done"
					    : "only root sees what is in /run/wgns");
		if (!s->is_changing)
			findings_hint(out, DOCTOR_AS_ROOT);
		return;
	}
	for (size_t i = 0; i < s->n_refusals; i++)
		doctor_add_refusal(out, &s->refusals[i]);
	for (size_t i = 1; i < s->n_others; i++)
		findings_add(out, FINDING_NOTE, "so was %s", s->others[i]);
	for (size_t i = 0; i < s->n_interrupted; i++) {
		findings_add(out, FINDING_BREAKS, "%s is half down: its `down` was interrupted",
			     s->interrupted[i]);
		findings_hint(out, "`wgns down %s` does the rest", s->interrupted[i]);
	}
	for (size_t i = 0; i < s->n_left; i++) {
		findings_add(out, FINDING_WARNING,
			     "%s is left, and no tunnel is there to which it belongs", s->left[i]);
		findings_hint(out, "`wgns recover` removes it");
	}
}

static void judge_files(const struct doctor_state *s, const char *settings_problem,
			struct findings *out)
{
	size_t n_good = 0;

	findings_begin(out, "state.files", "the configuration can be read");
	if (settings_problem) {
		findings_add(out, FINDING_BREAKS, "%s", settings_problem);
		findings_hint(out, "see wgns.conf(5)");
	}
	if (s->dir_problem[0]) {
		findings_add(out, FINDING_OPEN, "%s", s->dir_problem);
		if (!s->is_root)
			findings_hint(out, DOCTOR_AS_ROOT);
	}
	for (size_t i = 0; i < s->n_tunnel_files; i++)
		n_good += s->files[i].n_errors == 0;
	if (!s->dir_problem[0])
		findings_add(out, FINDING_NOTE, "%zu of %zu files in /etc/wireguard %s good",
			     n_good, s->n_tunnel_files, n_good == 1 ? "is" : "are");
	for (size_t i = 0; i < s->n_files; i++) {
		const struct doctor_file *f = &s->files[i];
		if (!f->problem)
			continue;
		if (f->n_errors > 1)
			findings_add(out, FINDING_WARNING, "%s, and %zu more error%s", f->problem,
				     f->n_errors - 1, f->n_errors == 2 ? "" : "s");
		else
			findings_add(out, FINDING_WARNING, "%s", f->problem);
		if (i < s->n_tunnel_files)
			findings_hint(out, "wgns check %s", f->path);
		else
			findings_hint(out, "see wgns-profile(5); up leaves it out");
	}
}

static void judge_firewall(bool has_service, const struct doctor_process *firewalld,
			   const char *release, struct findings *out)
{
	findings_begin(out, "state.firewall", "no firewall service takes the guard away");
	if (doctor_is_release(release, 6, 9) || (!has_service && !firewalld)) {
		if (has_service || firewalld)
			findings_add(out, FINDING_NOTE, "%s flushes rule sets, and not the guard's",
				     firewalld ? "firewalld" : "nftables.service");
		return;
	}
	findings_add(
		out, FINDING_WARNING,
		"a reload of %s may flush the rule set, and before Linux 6.9 the guard with it",
		firewalld ? "firewalld" : "nftables.service");
	findings_hint(out, "Watch = yes in wgns.conf(5) puts the guard back");
}

void doctor_judge_state(const struct doctor_state *s, const struct doctor_processes *processes,
			const char *release, const char *settings_problem, struct findings *out)
{
	if (s->is_known) {
		judge_left(s, out);
		judge_files(s, settings_problem, out);
	}
	judge_firewall(s->has_nftables_service, doctor_find(processes, DOCTOR_FIREWALLD), release,
		       out);
}
