// SPDX-License-Identifier: GPL-2.0-or-later
/* uplinks: what the facts mean; pure */
#include <stdio.h>
#include <string.h>

#include "doctor_internal.h"
#include "wgns/str.h"

static void add_phy(const struct doctor_uplink *u, struct findings *out)
{
	/* where the driver forbids it the refusal says so */
	if (u->phy.is_there && u->phy.can_move)
		findings_add(out, FINDING_NOTE,
			     "the driver of %s, which is the phy of %s, would let it move "
			     "(set_wiphy_netns)",
			     u->phy.name, u->name);
}

static void judge_move(const struct doctor_uplinks *u, struct findings *out)
{
	AUTO_STRBUF struct strbuf names = { 0 };
	size_t n_refused = 0;

	findings_begin(out, "uplinks.move", "every uplink can move to physical");
	if (u->is_layout_up) {
		findings_add(out, FINDING_NOTE, "they are there: a tunnel is up");
		return;
	}
	for (size_t i = 0; i < u->n; i++) {
		strbuf_addf(&names, "%s%s", i ? ", " : "", u->items[i].name);
		n_refused += u->items[i].refusal.code != 0;
	}
	if (u->n && !n_refused && !u->refusal.code)
		findings_add(out, FINDING_NOTE, "%s", names.s ? names.s : "");
	for (size_t i = 0; i < u->n; i++) {
		if (!u->items[i].refusal.code)
			continue;
		doctor_add_refusal(out, &u->items[i].refusal);
		add_phy(&u->items[i], out);
	}
	/* what forbids all of them together, when it is not what forbids one of them */
	if (u->refusal.code && !n_refused)
		doctor_add_refusal(out, &u->refusal);
	if (!u->is_root) {
		findings_add(out, FINDING_OPEN,
			     "only root sees what other namespaces have on them, and what only a "
			     "try tells");
		findings_hint(out, DOCTOR_AS_ROOT);
	}
}

/* "NetworkManager (process 612), dhclient (process 700)" */
struct names {
	char text[512];
	size_t used;
};

static void add_name(struct names *names, const struct doctor_process *p)
{
	if (names->used + 64 < sizeof(names->text))
		names->used += (size_t)snprintf(names->text + names->used,
						sizeof(names->text) - names->used,
						"%s%s (process %d)", names->used ? " and " : "",
						doctor_program_name(p->program), (int)p->pid);
}

/* does this process have to do with the device at all? */
static bool is_manager_of(const struct doctor_process *p, const struct doctor_uplinks *all,
			  const struct doctor_uplink *u)
{
	bool is_named = doctor_names_device(p->args, p->args_len, u->name);
	bool is_others = false;

	for (size_t i = 0; i < all->n; i++)
		is_others =
			is_others || doctor_names_device(p->args, p->args_len, all->items[i].name);
	switch (p->program) {
	case DOCTOR_NETWORKMANAGER:
		return u->networkmanager != DOCTOR_UNMANAGED && u->networkd != DOCTOR_MANAGED;
	case DOCTOR_NETWORKD:
		return u->networkd == DOCTOR_MANAGED;
	case DOCTOR_DHCLIENT:
	case DOCTOR_UDHCPC: /* without -i it takes eth0 */
		return is_named ||
		       (p->program == DOCTOR_UDHCPC && !is_others && strcmp(u->name, "eth0") == 0);
	case DOCTOR_DHCPCD: /* a manager of all, unless it was given names */
		return is_named || !is_others;
	case DOCTOR_CONNMAN:
		return true;
	case DOCTOR_IWD:
	case DOCTOR_WPA_SUPPLICANT:
		return u->is_wireless && (is_named || !is_others);
	case DOCTOR_NO_PROGRAM:
	case DOCTOR_NSCD:
	case DOCTOR_RESOLVED:
	case DOCTOR_FIREWALLD:
		return false;
	}
	return false;
}

static void judge_manager(const struct doctor_uplinks *u, const struct doctor_processes *processes,
			  struct findings *out)
{
	findings_begin(out, "uplinks.manager", "what manages the uplinks moves along with them");
	for (size_t i = 0; i < u->n; i++) {
		const struct doctor_uplink *uplink = &u->items[i];
		struct names names = { 0 };

		for (size_t k = 0; k < processes->n; k++) {
			if (is_manager_of(&processes->items[k], u, uplink))
				add_name(&names, &processes->items[k]);
		}
		if (uplink->moving[0] || (names.used && uplink->is_followed)) {
			findings_add(out, FINDING_NOTE,
				     "%s is managed by %s, which moves to physical with it",
				     uplink->name, uplink->moving[0] ? uplink->moving : names.text);
		} else if (names.used) {
			findings_add(
				out, FINDING_WARNING,
				"%s is managed by %s, which stays in home and loses sight of it",
				uplink->name, names.text);
			findings_hint(
				out,
				"its addresses are carried over, and a lease is not renewed; see "
				"Agent in wgns.conf(5)");
		} else if (uplink->is_in_interfaces) {
			findings_add(out, FINDING_NOTE,
				     "%s is set up by ifupdown (/etc/network/interfaces)",
				     uplink->name);
		}
	}
}

void doctor_judge_uplinks(const struct doctor_uplinks *u, const struct doctor_processes *processes,
			  struct findings *out)
{
	judge_move(u, out);
	if (u->is_layout_up || !u->n)
		return;
	judge_manager(u, processes, out);
	findings_begin(out, "uplinks.state", "what the uplinks have comes along and lasts");
	for (size_t i = 0; i < u->n_warnings; i++)
		findings_add(out, FINDING_WARNING, "%s", u->warnings[i]);
}
