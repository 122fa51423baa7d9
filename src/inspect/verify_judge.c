// SPDX-License-Identifier: GPL-2.0-or-later
/* invariants 4, 6 and 7: records, namespaces, tunnels, keys. Pure */
#include <string.h>

#include "verify_internal.h"
#include "wgns/backend.h"
#include "wgns/snapshot.h"

bool verify_need_root(const struct verify_facts *f, struct findings *out)
{
	if (!f->is_root)
		findings_add(out, FINDING_OPEN, "only root can look at it");
	return f->is_root;
}

static void judge_journal(const struct verify_journal *j, const char *whose, const char *name,
			  struct findings *out)
{
	if (j->problem[0]) {
		findings_add(out, FINDING_BREAKS, "the journal of %s: %s", whose, j->problem);
		findings_hint(out, "`wgns down %s` says what can be undone", name);
	}
	if (j->n_undone) {
		findings_add(out, FINDING_BREAKS, "a `down` of %s was interrupted", whose);
		findings_hint(out, "`wgns down %s` finishes it", name);
	} else if (j->open[0]) {
		findings_add(out, FINDING_BREAKS, "%s was interrupted at %s", whose, j->open);
		findings_hint(out, "`wgns down %s` undoes it", name);
	}
}

static void judge_records(const struct verify_facts *f, struct findings *out)
{
	const char *any = f->n_all ? f->all[0].device.name : "TUNNEL";

	findings_begin(out, "state.records", "the records are readable, and nothing is half done");
	if (!verify_need_root(f, out))
		return;
	if (f->is_busy)
		findings_add(out, FINDING_OPEN, "another wgns is changing the network just now");
	if (!f->n_all)
		findings_add(out, FINDING_BREAKS,
			     "there is a box but no tunnel: an `up` or `down` "
			     "was interrupted");
	if (!f->has_box)
		findings_add(out, FINDING_BREAKS, "the box physical is gone from " STATE_DIR);
	else
		judge_journal(&f->layout, "the layout", any, out);
	for (size_t i = 0; i < f->n_tunnels; i++) {
		const struct verify_tunnel *t = &f->tunnels[i];
		const char *name = t->meta.device.name;
		judge_journal(&t->journal, name, name, out);
		if (!t->meta.layout[0])
			findings_add(out, FINDING_BREAKS, "the record of %s is damaged", name);
		else if (!t->meta.since && !t->journal.n_undone && !t->journal.open[0])
			findings_add(out, FINDING_BREAKS, "the `up` of %s was interrupted", name);
		else
			continue;
		findings_hint(out, "`wgns down %s` undoes it", name);
	}
}

static void judge_namespaces(const struct verify_facts *f, struct findings *out)
{
	findings_begin(out, "state.namespaces", "home and physical are those of the tunnels");
	if (!verify_need_root(f, out))
		return;
	if (f->home.problem[0] || f->physical.problem[0])
		findings_add(out, FINDING_OPEN, "%s",
			     f->home.problem[0] ? f->home.problem : f->physical.problem);
	for (size_t i = 0; i < f->n_tunnels; i++) {
		const struct state_tunnel *meta = &f->tunnels[i].meta;
		if (!meta->layout[0])
			continue; /* damaged: named above */
		if (f->home.id.ino && meta->home.ino && !netns_same(&meta->home, &f->home.id))
			findings_add(out, FINDING_BREAKS,
				     "%s was made for another home than this namespace",
				     meta->device.name);
		if (f->physical.id.ino && meta->birth.ino &&
		    !netns_same(&meta->birth, &f->physical.id))
			findings_add(out, FINDING_BREAKS, "%s was born in another namespace",
				     meta->device.name);
	}
}

static void judge_pins(const struct verify_facts *f, struct findings *out)
{
	findings_begin(out, "physical.pins", "physical is held by its pin and by its name");
	if (!verify_need_root(f, out))
		return;
	if (!f->is_pinned) {
		findings_add(out, FINDING_BREAKS, VERIFY_BOX_DIR "/netns leads to no namespace");
		if (f->is_named)
			findings_hint(out, "`mount --bind " VERIFY_NETNS_PATH " " VERIFY_BOX_DIR
					   "/netns` pins it again");
	}
	if (!f->is_named) {
		findings_add(out, FINDING_BREAKS, VERIFY_NETNS_PATH " leads to no namespace");
		if (f->is_pinned)
			findings_hint(out,
				      "`touch " VERIFY_NETNS_PATH " && mount --bind " VERIFY_BOX_DIR
				      "/netns " VERIFY_NETNS_PATH "` names it again");
	} else if (f->is_pinned && !netns_same(&f->name, &f->pin)) {
		findings_add(out, FINDING_BREAKS,
			     VERIFY_NETNS_PATH " is another namespace than the box");
		findings_hint(out, "`ip netns del physical` removes that name");
	}
}

/* a wireless device does not move without its phy */
static void hint_move(const struct verify_facts *f, const char *name, struct findings *out)
{
	for (size_t i = 0; i < f->n_wdevs; i++) {
		if (strcmp(f->wdevs[i].dev, name) != 0)
			continue;
		findings_hint(out, "`iw phy#%u set netns name physical` moves its phy there",
			      f->wdevs[i].phy);
		return;
	}
	findings_hint(out, "`ip link set %s netns physical` moves it there", name);
}

static void judge_uplinks(const struct verify_facts *f, struct findings *out)
{
	findings_begin(out, "physical.uplinks", "the uplinks that were moved are in physical");
	if (!verify_need_root(f, out))
		return;
	if (f->uplinks_problem[0])
		findings_add(out, FINDING_OPEN, "which ones: %s", f->uplinks_problem);
	if (f->physical.problem[0]) {
		findings_add(out, FINDING_OPEN, "%s", f->physical.problem);
		return;
	}
	for (size_t i = 0; i < f->uplinks.n; i++) {
		const struct rtnl_link *old = &f->uplinks.items[i];
		if (snapshot_find_link(&f->physical.links, old))
			continue;
		if (snapshot_find_link(&f->home.links, old)) {
			findings_add(out, FINDING_BREAKS, "%s is in home", old->name);
			hint_move(f, old->name, out);
		} else {
			findings_add(out, FINDING_WARNING,
				     "%s is in neither namespace: was it unplugged?", old->name);
		}
	}
}

void verify_judge_state(const struct verify_facts *f, struct findings *out)
{
	judge_records(f, out);
	judge_namespaces(f, out);
	judge_pins(f, out);
	judge_uplinks(f, out);
}

static void judge_daemon(const struct verify_facts *f, const struct verify_tunnel *t,
			 struct findings *out)
{
	const struct backend_device *dev = &t->meta.device;

	if (!dev->pid)
		return;
	if (!t->is_daemon_alive) {
		findings_add(out, FINDING_BREAKS, "%s of %s (pid %d) has ended", dev->daemon,
			     dev->name, (int)dev->pid);
		findings_hint(out, "`wgns down %s` and `up` start it anew", dev->name);
	} else if (!t->has_daemon_ns) {
		findings_add(out, FINDING_OPEN, "where %s (pid %d) lives cannot be read",
			     dev->daemon, (int)dev->pid);
	} else if (f->physical.id.ino && !netns_same(&t->daemon_ns, &f->physical.id)) {
		findings_add(out, FINDING_BREAKS, "%s of %s (pid %d) is not in physical",
			     dev->daemon, dev->name, (int)dev->pid);
	}
}

static void judge_tunnel(const struct verify_facts *f, const struct verify_tunnel *t,
			 struct findings *out)
{
	const char *name = t->meta.device.name;
	const struct rtnl_link *link = rtnl_links_by_name(&f->home.links, name);

	judge_daemon(f, t, out);
	if (!link && !f->home.problem[0]) {
		findings_add(out, FINDING_BREAKS, "the device %s is gone from home", name);
		findings_hint(out, "`wgns down %s` and `up` make it anew", name);
		return;
	}
	if (link && t->meta.device.ifindex && link->ifindex != t->meta.device.ifindex)
		findings_add(out, FINDING_BREAKS,
			     "%s is another device than the one that wgns made", name);
	if (t->device_problem[0]) {
		findings_add(out, FINDING_OPEN, "%s: %s", name, t->device_problem);
	} else if (t->is_port_known && !t->is_port_in_physical) {
		findings_add(out, FINDING_BREAKS,
			     "the UDP socket of %s (port %u) is not in physical", name,
			     t->device.listen_port);
	} else if (!t->is_port_known && link && link->flags & IFF_UP) {
		findings_add(out, FINDING_OPEN, "the UDP socket of %s could not be looked for",
			     name);
	}
}

static void judge_sockets(const struct verify_facts *f, struct findings *out)
{
	findings_begin(out, "tunnels",
		       "every tunnel works in home with its UDP socket in physical");
	if (!verify_need_root(f, out))
		return;
	for (size_t i = 0; i < f->n_tunnels; i++) {
		if (f->tunnels[i].meta.layout[0])
			judge_tunnel(f, &f->tunnels[i], out);
	}
}

/* the modes say who reads it; who may read root's files by a capability can do all the rest, too */
static void judge_file(const struct verify_file *file, const char *what, const char *name,
		       struct findings *out)
{
	if (file->problem[0])
		findings_add(out, FINDING_OPEN, "%s of %s: %s", what, name, file->problem);
	if (!file->is_there)
		return;
	if (file->mode & 077)
		findings_add(out, FINDING_BREAKS,
			     "%s of %s can be read by others than its owner (mode %04o)", what,
			     name, file->mode);
}

static void judge_keys(const struct verify_facts *f, struct findings *out)
{
	findings_begin(out, "keys", "keys are for root's eyes only");
	if (!verify_need_root(f, out))
		return;
	for (size_t i = 0; i < f->n_tunnels; i++) {
		const struct verify_tunnel *t = &f->tunnels[i];
		const char *name = t->meta.device.name;
		judge_file(&t->folder, "the folder in " STATE_DIR, name, out);
		judge_file(&t->config, "the copy of the file", name, out);
		judge_file(&t->file, "the file", name, out);
		if (t->file.is_there && t->file.mode & 077)
			findings_hint(out, "`chmod go= %s`", t->meta.file);
		if (t->folder.is_there && !t->config.is_there)
			findings_add(out, FINDING_WARNING, "%s has no copy of its file", name);
		if (t->has_key_in_words)
			findings_add(out, FINDING_BREAKS,
				     "the daemon of %s (pid %d) has a key in its arguments or "
				     "environment",
				     name, (int)t->meta.device.pid);
	}
}

void verify_judge_tunnels(const struct verify_facts *f, struct findings *out)
{
	judge_sockets(f, out);
	judge_keys(f, out);
}

void verify_judge(const struct verify_facts *f, struct findings *out)
{
	verify_judge_home(f, out);
	verify_judge_guards(f, out);
	verify_judge_tunnels(f, out);
	verify_judge_state(f, out);
	verify_judge_names(f, out);
	verify_judge_procs(f, out);
}
