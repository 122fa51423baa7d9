// SPDX-License-Identifier: GPL-2.0-or-later
/* the guard was flushed, or changed by somebody: the steps that made it are run again, from the journals */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "change_internal.h"
#include "wgns/fd.h"
#include "wgns/guard.h"
#include "wgns/op.h"
#include "wgns/str.h"

#define GUARD_ALLOW "guard.allow "

/* not journal_open(): who holds no lock must not put right what another is just writing */
static int read_journal(int run_fd, const char *folder, struct journal_entries *out, struct err *e)
{
	AUTO_FREE char *text = NULL;
	size_t len = 0;
	long end;
	AUTO_FD int dir_fd = state_openat(run_fd, folder, O_RDONLY | O_DIRECTORY, e);

	if (dir_fd < 0)
		return dir_fd;
	int rc = fd_read_file_at(dir_fd, JOURNAL_NAME, JOURNAL_MAX, &text, &len, e);
	return rc < 0 ? rc : journal_parse(text, len, out, &end, e);
}

static bool is_live(const struct journal_entry *entry, const char *prefix)
{
	return entry->is_done && !entry->is_undone &&
	       strncmp(entry->text, prefix, strlen(prefix)) == 0;
}

/* Return: how many of the journal's steps begin so and stand, or -errno */
static int count(int run_fd, const char *folder, const char *prefix, struct err *e)
{
	struct journal_entries entries = { 0 };
	int rc = read_journal(run_fd, folder, &entries, e);

	for (size_t i = 0; rc >= 0 && i < entries.n; i++)
		rc += is_live(&entries.items[i], prefix);
	journal_entries_free(&entries);
	return rc;
}

int change_has_guard(int run_fd, struct err *e)
{
	return count(run_fd, OP_BOX_PATH, GUARD_HOME, e);
}

/* run those again, in their order */
static int replay(struct op_env *env, const char *folder, const char *prefix, struct err *e)
{
	struct journal_entries entries = { 0 };
	int rc = read_journal(env->run_fd, folder, &entries, e);

	for (size_t i = 0; rc == 0 && i < entries.n; i++) {
		struct step step;
		if (!is_live(&entries.items[i], prefix))
			continue;
		rc = step_parse(entries.items[i].text, &step);
		if (rc < 0) {
			(void)err_set(e, -rc, "do '%s' again", entries.items[i].text);
			break;
		}
		rc = step.op->run(env, &step, e);
		step_free(&step);
	}
	journal_entries_free(&entries);
	return rc;
}

/* what each tunnel had let in: where its device listens */
static int open_port(struct op_env *env, struct nl *nl, const struct state_tunnel *t, struct err *e)
{
	const struct backend *backend = backend_by_name(t->backend);
	struct wg_device dev = { 0 };
	struct err ignored; /* without a device there is no port: reviving it comes here again */
	int rc = 0;

	if (backend && strcmp(t->place, CHANGE_PLACE) == 0 &&
	    backend->get(&t->device, env->home_fd, &dev, &ignored) == 0 && dev.listen_port)
		rc = guard_open_port(nl, dev.listen_port, e);
	wg_device_free(&dev);
	return rc;
}

static int put_back(struct op_env *env, struct nl *nl, bool is_home, struct err *e)
{
	char folder[STATE_PLACE_MAX + IFNAMSIZ + 16];
	struct state_tunnel *tunnels = NULL;
	size_t n = 0;

	int rc = replay(env, OP_BOX_PATH, is_home ? GUARD_HOME : GUARD_PHYSICAL, e);
	if (rc == 0)
		rc = state_tunnels(env->run_fd, &tunnels, &n, e);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		state_tunnel_path(tunnels[i].place, tunnels[i].device.name, folder, sizeof(folder));
		rc = is_home ? replay(env, folder, GUARD_ALLOW, e)
			     : open_port(env, nl, &tunnels[i], e);
	}
	free(tunnels);
	return rc;
}

/* Return: 1 when it was put back, 0 when it is as it should be */
static int check(struct op_env *env, bool is_home, struct err *e)
{
	struct guard_seen seen = { 0 };
	AUTO_NL struct nl *nl = NULL;

	int rc = count(env->run_fd, OP_BOX_PATH, is_home ? GUARD_HOME : GUARD_PHYSICAL, e);
	if (rc <= 0)
		return rc;
	rc = guard_open_in(is_home ? env->home_fd : env->physical_fd, &nl, e);
	if (rc == 0)
		rc = guard_read(nl, &seen, e);
	if (rc < 0)
		return rc;
	bool is_good = seen.is_there && seen.is_intact;
	guard_seen_free(&seen);
	if (is_good)
		return 0;
	rc = put_back(env, nl, is_home, e);
	return rc < 0 ? err_context(e, "put the guard of %s back", is_home ? "home" : "physical")
		      : 1;
}

static int check_all(struct op_env *env, bool has_physical, struct err *e)
{
	const struct plan *before = env->plan;
	const struct snapshot *snap;
	struct plan plan = { 0 };
	int rc = op_env_snapshot(env, &snap, e);

	/* the steps take the uplinks from the plan; the snapshot has those that came later too */
	for (size_t i = 0; rc == 0 && i < snap->links.n; i++) {
		const char *name = snap->links.items[i].name;
		if (str_list_add(&plan.uplinks, &plan.n_uplinks, name, strlen(name)) < 0)
			rc = err_set(e, ENOMEM, "look at the guard");
	}
	env->plan = &plan;
	int home = rc == 0 ? check(env, true, e) : rc;
	int physical = home >= 0 && has_physical ? check(env, false, e) : home;
	env->plan = before;
	plan_free(&plan);
	return physical < 0 ? physical : home | physical;
}

void change_guard_home(struct op_env *env)
{
	struct err why;
	int rc = change_has_guard(env->run_fd, &why);

	/* a journal that cannot be read was said, and a folder that was never filled has no guard */
	if (rc > 0)
		rc = check_all(env, false, &why);
	else
		return;
	if (rc > 0)
		op_env_note(env,
			    "somebody had changed or removed home's guard: it stands again until "
			    "the uplinks are back");
	else if (rc < 0 && rc != -ENOENT) /* nothing was saved: nothing has moved */
		op_env_note(env, "%s: while the uplinks come back nothing is dropped", why.text);
}

int change_guard(const char *name, const struct change_talk *talk, struct err *e)
{
	struct tend t;
	int rc = change_tend_begin(name, talk, &t, e);

	if (rc < 0)
		return rc;
	rc = check_all(&t.env, true, e);
	change_tend_end(&t);
	return rc;
}
