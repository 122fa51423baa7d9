// SPDX-License-Identifier: GPL-2.0-or-later
/* what `up` and `down` share */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change_internal.h"
#include "wgns/dns.h"
#include "wgns/fd.h"
#include "wgns/op.h"
#include "wgns/str.h"
#include "wgns/systemd.h"

int change_enter(bool should_create, const struct change_talk *talk, int *run_fd, int *lock_fd,
		 struct err *e)
{
	struct err busy;
	int rc = state_enter(should_create, 0, run_fd, lock_fd, &busy);

	if (rc == 0)
		return 0;
	if (rc != -EBUSY) {
		*e = busy;
		return rc;
	}
	if (talk->note) {
		char text[160] = "another wgns is changing the network; waiting for it",
		     name[IFNAMSIZ];
		if (change_is_awaited(name))
			(void)snprintf(
				text, sizeof(text),
				"%s waits to be confirmed (`wgns confirm %s`); waiting for that",
				name, name);
		talk->note(talk->ctx, text);
	}
	return state_enter(should_create, STATE_LOCK_WAIT_MS, run_fd, lock_fd, e);
}

bool change_sweep(int run_fd, const struct change_talk *talk)
{
	struct state_tunnel *tunnels = NULL;
	struct err why;
	size_t n = 0;

	if (state_tunnels(run_fd, &tunnels, &n, &why) < 0)
		return false; /* whoever asks next is told */
	free(tunnels);
	if (n != 0 || !dns_file_has_remains())
		return false;
	int rc = dns_unset(DNS_FILE, -1, "", &why);
	if (rc < 0 && talk->note)
		talk->note(talk->ctx, why.text);
	return rc == 0;
}

int change_env(int run_fd, const struct change_talk *talk, struct op_env *env, struct err *e)
{
	struct err ignored; /* no box yet, or none any more */

	op_env_init(env);
	env->run_fd = run_fd;
	env->note = talk->note;
	env->note_ctx = talk->ctx;
	env->should_stop = talk->should_stop;
	env->progress = talk->progress;
	env->ask = talk->ask;
	env->home_fd = netns_open_self(e);
	if (env->home_fd < 0)
		return env->home_fd;
	int fd = state_box_open_netns(run_fd, OP_PHYSICAL, &ignored);
	if (fd >= 0)
		env->physical_fd = fd;
	return 0;
}

int change_not_up(const char *name, struct err *e)
{
	err_say(e, ENOENT, "%s is not up", name);
	err_hint(e, "`wgns status` shows what is");
	return err_as(e, ERR_KIND_STATE);
}

int change_half_up(const char *name, struct err *e)
{
	err_say(e, EBUSY, "%s is half up: an earlier wgns was interrupted", name);
	err_hint(e, "`wgns down %s` undoes what it did", name);
	return err_as(e, ERR_KIND_STATE);
}

int change_use_tunnel(struct op_env *env, struct err *e)
{
	const char *name = env->tunnel.device.name;
	struct netns_id home;

	env->backend = backend_by_name(env->tunnel.backend);
	if (!env->backend)
		return err_say(e, EINVAL, "%s was made by an unknown backend '%s'", name,
			       env->tunnel.backend);
	int rc = netns_identify(env->home_fd, &home, e);
	if (rc < 0 || netns_same(&home, &env->tunnel.home))
		return rc;
	err_say(e, EXDEV, "%s was brought up from another network namespace", name);
	err_hint(e, "run wgns where `wgns up` was run");
	return err_as(e, ERR_KIND_STATE);
}

int change_read_copy(int dir_fd, const char *file, const char *name, struct wgquick *conf,
		     struct err *e)
{
	struct diag_list diags = { .file = "the copy of the configuration" };
	AUTO_FREE char *text = NULL;
	size_t len = 0;

	int rc = fd_read_file_at(dir_fd, file, WGQUICK_FILE_MAX, &text, &len, e);
	if (rc < 0)
		return rc;
	rc = wgquick_parse(text, len, name, conf, &diags);
	diag_free(&diags);
	str_wipe(text, len);
	return rc < 0 ? err_set(e, -rc, "read the copy of the configuration") : 0;
}

/* what a folder says was done, and what it says was meant */
struct record {
	struct journal journal;
	struct journal_entries entries;
	bool has_plan;
	struct err damage; /* of the journal; code 0: there is none */
};

/* Return: 0, also when there is nothing; -errno when neither the journal nor the plan tells everything */
static int read_record(struct op_env *env, const char *folder, struct record *r, struct err *e)
{
	struct journal_entries plan = { 0 };
	struct netns_id home;
	struct err why;

	*r = (struct record){ .journal = { .fd = -1 } };
	AUTO_FD int dir_fd = state_openat(env->run_fd, folder, O_RDONLY | O_DIRECTORY, &why);
	if (dir_fd == -ENOENT)
		return 0;
	if (dir_fd < 0) {
		*e = why;
		return dir_fd;
	}
	int rc = journal_open(dir_fd, &r->journal, &r->entries, &r->damage);
	bool is_damaged = rc == -EINVAL;
	if (is_damaged) {
		err_context(&r->damage, STATE_DIR "/%s", folder);
		rc = journal_salvage(dir_fd, &r->entries, &why, e);
	} else {
		*e = r->damage;
		r->damage.code = 0;
	}
	bool is_absent = rc == -ENOENT; /* killed before there was one, or after it was removed */
	if (is_absent)
		rc = 0;
	if (rc < 0)
		return err_context(e, STATE_DIR "/%s", folder);
	if (env->is_rollback)
		return 0; /* who wrote the journal knows what it has begun */
	rc = journal_plan_read(dir_fd, &home, &plan, &why);
	r->has_plan = rc == 0;
	if (is_absent && !r->has_plan && env->physical_fd >= 0 && strcmp(folder, OP_BOX_PATH) == 0)
		(void)err_say(&r->damage, ENOENT, STATE_DIR "/%s: the journal is missing", folder);
	if (rc == 0 && journal_complete(&r->entries, &plan, is_damaged) < 0) {
		journal_entries_free(&plan);
		return err_set(e, ENOMEM, "read the journal");
	}
	return 0;
}

static void free_record(struct record *r)
{
	journal_entries_free(&r->entries);
	journal_close(&r->journal);
}

int change_check(struct op_env *env, const char *folder, struct err *e)
{
	struct record record;
	int rc = read_record(env, folder, &record, e);

	if (rc == 0 && record.damage.code && !record.has_plan) {
		*e = record.damage;
		err_hint(e, "`wgns recover` gives back what can be told without it");
		rc = -e->code;
	}
	free_record(&record);
	return rc;
}

long change_undo(struct op_env *env, const struct change_talk *talk, const char *folder,
		 struct err *e)
{
	struct engine en = {
		.env = env,
		.report = talk->step,
		.report_ctx = talk->ctx,
		.fault = talk->fault,
	};
	struct record record;
	size_t n_left = 0;

	int rc = read_record(env, folder, &record, e);
	if (rc == 0 && record.damage.code) {
		op_env_note(env, "%s; what was planned is undone", record.damage.text);
		if (!record.has_plan)
			rc = change_guess(env, folder, &record.entries, e);
		else if (strcmp(folder, OP_BOX_PATH) == 0)
			rc = change_guess_moves(env, &record.entries, e);
	}
	/* who flushed it meanwhile did not mean to let home talk past a tunnel that is just going */
	if (rc == 0 && strcmp(folder, OP_BOX_PATH) == 0) {
		change_guard_home(env);
		op_units_remember(env);
	}
	if (rc == 0)
		n_left = engine_undo(&en, &record.journal, &record.entries);
	free_record(&record);
	return rc < 0 ? rc : (long)n_left;
}

bool change_is_kept(const struct op_env *env)
{
	bool is_kept = systemd_is_stopping();

	if (is_kept)
		op_env_note(env, "the machine is going down: the uplinks stay in physical");
	return is_kept;
}

int change_other_users(int run_fd, const char *name, size_t *n, struct err *e)
{
	struct state_tunnel *tunnels = NULL;
	size_t n_tunnels = 0, found = 0;
	int rc = state_tunnels(run_fd, &tunnels, &n_tunnels, e);

	for (size_t i = 0; rc == 0 && i < n_tunnels; i++) {
		bool is_self = strcmp(tunnels[i].place, CHANGE_PLACE) == 0 &&
			       strcmp(tunnels[i].device.name, name) == 0;
		/* one whose meta is damaged may be a user: better to keep the layout than to break it */
		found += !is_self && (strcmp(tunnels[i].birthplace, OP_PHYSICAL) == 0 ||
				      !tunnels[i].birthplace[0]);
	}
	free(tunnels);
	if (rc == 0)
		*n = found;
	return rc;
}

int change_remains(size_t n_left, const char *name, struct err *e)
{
	err_say(e, EIO, "%zu step%s could not be undone", n_left, n_left == 1 ? "" : "s");
	err_hint(e, "when what is named above is mended, `wgns down %s` does the rest", name);
	return err_as(e, ERR_KIND_REMAINS);
}
