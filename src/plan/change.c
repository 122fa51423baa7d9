// SPDX-License-Identifier: GPL-2.0-or-later
/* what `up` and `down` share */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "change_internal.h"
#include "op.h"
#include "wgns/dns.h"
#include "wgns/fd.h"

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
	if (talk->note)
		talk->note(talk->ctx, "another wgns is changing the network; waiting for it");
	return state_enter(should_create, STATE_LOCK_WAIT_MS, run_fd, lock_fd, e);
}

void change_sweep(int run_fd, const struct change_talk *talk)
{
	struct state_tunnel *tunnels = NULL;
	struct err why;
	size_t n = 0;

	if (state_tunnels(run_fd, &tunnels, &n, &why) < 0)
		return; /* whoever asks next is told */
	free(tunnels);
	if (n == 0 && dns_unset(DNS_FILE, -1, "", &why) < 0 && talk->note)
		talk->note(talk->ctx, why.text);
}

int change_env(int run_fd, const struct change_talk *talk, struct op_env *env, struct err *e)
{
	struct err ignored; /* no box yet, or none any more */

	op_env_init(env);
	env->run_fd = run_fd;
	env->note = talk->note;
	env->note_ctx = talk->ctx;
	env->should_stop = talk->should_stop;
	env->home_fd = netns_open_self(e);
	if (env->home_fd < 0)
		return env->home_fd;
	int fd = state_box_open_netns(run_fd, OP_PHYSICAL, &ignored);
	if (fd >= 0)
		env->physical_fd = fd;
	return 0;
}

/* Return: 0, 1 when there is no journal, -errno */
static int open_journal(int run_fd, const char *folder, struct journal *journal,
			struct journal_entries *entries, struct err *e)
{
	struct err why;
	AUTO_FD int dir_fd = state_openat(run_fd, folder, O_RDONLY | O_DIRECTORY, &why);
	int rc = dir_fd < 0 ? dir_fd : journal_open(dir_fd, journal, entries, &why);

	if (rc == -ENOENT)
		return 1;
	if (rc < 0) {
		*e = why;
		return err_context(e, STATE_DIR "/%s", folder);
	}
	return 0;
}

int change_check(struct op_env *env, const char *folder, struct err *e)
{
	struct journal_entries entries = { 0 };
	struct journal journal = { .fd = -1 };

	int rc = open_journal(env->run_fd, folder, &journal, &entries, e);
	journal_entries_free(&entries);
	journal_close(&journal);
	return rc < 0 ? rc : 0;
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
	struct journal_entries entries = { 0 };
	struct journal journal = { .fd = -1 };

	int rc = open_journal(env->run_fd, folder, &journal, &entries, e);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	size_t n_left = engine_undo(&en, &journal, &entries);
	journal_entries_free(&entries);
	journal_close(&journal);
	return (long)n_left;
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
