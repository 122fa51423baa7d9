// SPDX-License-Identifier: GPL-2.0-or-later
/* what can be undone without a journal: by the names that wgns gives, and by the snapshot */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change_internal.h"
#include "wgns/agentfile.h"
#include "wgns/dns.h"
#include "wgns/op.h"
#include "wgns/str.h"
#include "wgns/units_moved.h"

static int add(struct journal_entries *list, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int add(struct journal_entries *list, struct err *e, const char *fmt, ...)
{
	struct journal_entry *grown = reallocarray(list->items, list->n + 1, sizeof(*list->items));
	char *text;
	va_list ap;

	if (!grown)
		return err_set(e, ENOMEM, "undo what is left");
	list->items = grown;
	va_start(ap, fmt);
	int len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0)
		return err_set(e, ENOMEM, "undo what is left");
	grown[list->n++] = (struct journal_entry){ .text = text };
	return 0;
}

/* a line that can be read says more: what was there before */
static bool has_guard(const struct journal_entries *readable)
{
	for (size_t i = 0; i < readable->n; i++) {
		if (op_guard_is_home(readable->items[i].text))
			return true;
	}
	return false;
}

static bool has_phy(const struct journal_entries *list, uint32_t phy)
{
	uint32_t known;

	for (size_t i = 0; i < list->n; i++) {
		if (op_phy_index(list->items[i].text, &known) && known == phy)
			return true;
	}
	return false;
}

/* unless @list has it: the move of an uplink, or once that of its phy, under whatever name */
static int add_move(const struct snapshot *snap, const struct rtnl_link *link,
		    struct journal_entries *list, struct err *e)
{
	const struct snapshot_wdev *wdev = snapshot_find_wdev(snap, link->name);
	char text[IFNAMSIZ + 32];

	if (wdev)
		return has_phy(list, wdev->phy) ? 0 : add(list, e, OP_PHY_MOVE, "?", wdev->phy);
	(void)snprintf(text, sizeof(text), "link.move %s -> " OP_PHYSICAL, link->name);
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->items[i].text, text) == 0)
			return 0;
	}
	return add(list, e, "%s", text);
}

static int keep_phys(const struct journal_entries *readable, struct journal_entries *list,
		     struct err *e)
{
	uint32_t phy;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < readable->n; i++) {
		if (op_phy_index(readable->items[i].text, &phy) && !has_phy(list, phy))
			rc = add(list, e, OP_PHY_MOVE, "?", phy);
	}
	return rc;
}

/* a phy's number is enough to bring it home */
static int guess_all_moves(struct op_env *env, const struct journal_entries *readable,
			   struct journal_entries *list, struct err *e)
{
	const struct snapshot *snap;
	struct err ignored; /* without it the namespace is not given up while something is in it */
	int rc = 0;

	if (op_env_snapshot(env, &snap, &ignored) < 0)
		return keep_phys(readable, list, e);
	for (size_t i = 0; rc == 0 && i < snap->links.n; i++)
		rc = add_move(snap, &snap->links.items[i], list, e);
	return rc;
}

/* what is recorded of agents, as steps: those that are not in @list already */
static int guess_agents(struct op_env *env, const char *suffix, const char *op,
			struct journal_entries *list, struct err *e)
{
	char text[128], **names = NULL;
	size_t n = 0;

	int rc = agentfile_names(env->run_fd, suffix, &names, &n, e);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		char *dot = strchr(names[i], '.');
		size_t len = dot ? (size_t)(dot - names[i]) : 0;
		bool is_known = !dot;
		(void)snprintf(text, sizeof(text), "%s %.*s %s %s", op, (int)len, names[i],
			       strcmp(suffix, ".run") == 0 ? "for" : "of", dot ? dot + 1 : "");
		size_t text_len = strlen(text);
		for (size_t k = 0; k < list->n; k++)
			is_known = is_known || (strncmp(list->items[k].text, text, text_len) == 0 &&
						strchr(" ", list->items[k].text[text_len]));
		if (!is_known)
			rc = add(list, e, "%s", text);
	}
	str_list_free(&names, &n);
	return rc;
}

static int guess_stopped(struct op_env *env, struct journal_entries *list, struct err *e)
{
	return guess_agents(env, ".stopped", "agent.stop", list, e);
}

static int guess_started(struct op_env *env, struct journal_entries *list, struct err *e)
{
	return guess_agents(env, ".run", "agent.start", list, e);
}

/* in the order of the plan: undone last first */
static int guess_layout(struct op_env *env, const struct journal_entries *readable,
			struct journal_entries *list, struct err *e)
{
	AUTO_STRBUF struct strbuf units = { 0 };

	int rc = add(list, e, "profile.compile " OP_PHYSICAL);
	if (rc == 0)
		rc = add(list, e, "netns.create " OP_PHYSICAL);
	if (rc == 0)
		rc = add(list, e, "netns.name " OP_PHYSICAL " as " OP_NETNS_PATH);
	if (rc == 0)
		rc = add(list, e, "netns.sysfs " OP_PHYSICAL);
	if (rc == 0)
		rc = units_left(&units, e);
	if (rc == 0 && units.len)
		rc = add(list, e, "unit.stop%s", units.s);
	if (rc == 0 && units.len)
		rc = add(list, e, "unit.dropin%s", units.s);
	if (rc == 0)
		rc = guess_stopped(env, list, e);
	if (rc == 0)
		rc = add(list, e, "sysctl.save home");
	/* left behind it would keep home from sending anything, for ever */
	if (rc == 0 && !has_guard(readable)) {
		rc = add(list, e, GUARD_HOME ":");
		op_env_note(env, "home's guard goes, too: with KillSwitch = boot, `wgns guard on` "
				 "sets it again");
	}
	if (rc == 0)
		rc = add(list, e, "uplinks.save home");
	if (rc == 0)
		rc = guess_all_moves(env, readable, list, e);
	if (rc == 0 && units.len)
		rc = add(list, e, "unit.start%s", units.s);
	if (rc == 0)
		rc = guess_started(env, list, e);
	if (rc == 0)
		rc = add(list, e, "unit.follow " UNITS_NETWORKMANAGER);
	return rc < 0 ? rc : add(list, e, "unit.follow " UNITS_NETWORKD);
}

int change_guess_moves(struct op_env *env, struct journal_entries *entries, struct err *e)
{
	const struct snapshot *snap;
	struct err ignored; /* then the step that needs it says so */
	int rc = guess_stopped(env, entries, e);

	bool has_snapshot = rc == 0 && op_env_snapshot(env, &snap, &ignored) == 0;
	for (size_t i = 0; has_snapshot && rc == 0 && i < snap->links.n; i++)
		rc = add_move(snap, &snap->links.items[i], entries, e);
	return rc < 0 ? rc : guess_started(env, entries, e);
}

static int guess_tunnel(struct op_env *env, struct journal_entries *list, struct err *e)
{
	const char *name = env->tunnel.device.name;
	const char *dns = env->tunnel.dns[0] ? env->tunnel.dns : dns_manager_name(dns_detect());

	int rc = add(list, e, "tunnel.create %s in " OP_PHYSICAL, name);
	if (rc == 0)
		rc = add(list, e, "guard.allow %s", name);
	if (rc == 0)
		rc = add(list, e, "socket.name %s", name);
	return rc < 0 ? rc : add(list, e, "dns.set %s by %s", name, dns);
}

static bool has_word(const struct journal_entries *list, const char *text)
{
	size_t len = strcspn(text, " ");

	for (size_t i = 0; i < list->n; i++) {
		if (strncmp(list->items[i].text, text, len + 1) == 0)
			return true;
	}
	return false;
}

/* garbage may look like a line */
static bool is_step(const char *text)
{
	struct step step;

	if (step_parse(text, &step) < 0)
		return false;
	step_free(&step);
	return true;
}

int change_guess(struct op_env *env, const char *folder, struct journal_entries *entries,
		 struct err *e)
{
	struct journal_entries all = { 0 };
	bool is_layout = strcmp(folder, OP_BOX_PATH) == 0;

	int rc = is_layout ? guess_layout(env, entries, &all, e) : guess_tunnel(env, &all, e);
	size_t n_guessed = all.n;
	struct journal_entry *grown =
		reallocarray(all.items, all.n + entries->n + 1, sizeof(*all.items));
	if (rc == 0 && !grown)
		rc = err_set(e, ENOMEM, "undo what is left");
	if (grown)
		all.items = grown;
	if (rc < 0) {
		journal_entries_free(&all);
		return rc;
	}
	/* what the readable lines say besides was done first, and is undone last */
	size_t n_kept = 0;
	struct journal_entries guessed = { all.items, n_guessed };
	for (size_t i = 0; i < entries->n; i++) {
		if (has_word(&guessed, entries->items[i].text) || !is_step(entries->items[i].text))
			free(entries->items[i].text);
		else
			entries->items[n_kept++] = entries->items[i];
	}
	memmove(all.items + n_kept, all.items, n_guessed * sizeof(*all.items));
	if (n_kept) /* without a journal there is not even an array */
		memcpy(all.items, entries->items, n_kept * sizeof(*all.items));
	all.n = n_guessed + n_kept;
	free(entries->items);
	*entries = all;
	return 0;
}
