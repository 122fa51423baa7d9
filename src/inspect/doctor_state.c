// SPDX-License-Identifier: GPL-2.0-or-later
/* what an earlier wgns left, and who else is in the way */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "doctor_internal.h"
#include "wgns/backend.h"
#include "wgns/fd.h"
#include "wgns/journal.h"
#include "wgns/state.h"
#include "wgns/str.h"

#define LAYOUT_JOURNAL "box/physical/" JOURNAL_NAME

/* who changes the network holds the lock; a shared one for a moment is in nobody's way */
static bool is_locked(int run_fd)
{
	struct err ignored; /* no lock, nobody who holds it */
	AUTO_FD int fd = run_fd < 0 ? -1 : state_openat(run_fd, "lock", O_RDONLY, &ignored);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

/* has something in the journal been undone? Then a `down`, or a roll-back, did not come to its end */
static bool is_half_undone(int run_fd, const char *path)
{
	struct journal_entries entries = { 0 };
	AUTO_FREE char *text = NULL;
	bool is_undone = false;
	struct err ignored; /* no journal: nothing was undone */
	size_t len;
	long end;

	AUTO_FD int fd = state_openat(run_fd, path, O_RDONLY, &ignored);
	if (fd < 0 || fd_read_all(fd, JOURNAL_MAX, &text, &len, path, &ignored) < 0 ||
	    journal_parse(text, len, &entries, &end, &ignored) < 0)
		return false;
	for (size_t i = 0; i < entries.n; i++)
		is_undone = is_undone || entries.items[i].is_undone;
	journal_entries_free(&entries);
	return is_undone;
}

static int read_interrupted(int run_fd, const struct host *host, struct doctor_state *s,
			    struct err *e)
{
	char folder[STATE_PLACE_MAX + IFNAMSIZ + 16], path[sizeof(folder) + sizeof(JOURNAL_NAME)];
	bool is_layout_undone = run_fd >= 0 && is_half_undone(run_fd, LAYOUT_JOURNAL);

	for (size_t i = 0; i < host->n_tunnels; i++) {
		const struct state_tunnel *t = &host->tunnels[i];
		state_tunnel_path(t->place, t->device.name, folder, sizeof(folder));
		(void)snprintf(path, sizeof(path), "%s/" JOURNAL_NAME, folder);
		if (!t->since ||
		    (!t->hooks_run && !is_layout_undone && !is_half_undone(run_fd, path)))
			continue;
		if (str_list_add(&s->interrupted, &s->n_interrupted, t->device.name,
				 strlen(t->device.name)) < 0)
			return err_set(e, ENOMEM, "look at the tunnels");
	}
	return 0;
}

/* those that plan_check_other_tunnels() refuses: not only the first */
static int read_others(const struct host *host, struct doctor_state *s, struct err *e)
{
	for (size_t i = 0; i < host->links.n; i++) {
		const struct rtnl_link *link = &host->links.items[i];
		bool is_ours = backend_is_birth_name(link->name);
		for (size_t k = 0; k < host->n_tunnels; k++)
			is_ours = is_ours || strcmp(host->tunnels[k].device.name, link->name) == 0;
		if (is_ours ||
		    (strcmp(link->kind, "wireguard") != 0 && !host->devices[i].is_wireguard))
			continue;
		if (str_list_add(&s->others, &s->n_others, link->name, strlen(link->name)) < 0)
			return err_set(e, ENOMEM, "look at the devices");
	}
	return 0;
}

static void ask_plan(const struct host *host, struct doctor_state *s)
{
	int (*const always[])(const struct host *, struct err *) = {
		plan_check_place,
		plan_check_interrupted,
		plan_check_foreign,
	};
	int (*const first[])(const struct host *, struct err *) = {
		plan_check_other_tunnels,
		plan_check_folders,
	};

	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
		if (always[i](host, &s->refusals[s->n_refusals]) < 0)
			s->n_refusals++;
	}
	for (size_t i = 0; !host->is_layout_up && i < sizeof(first) / sizeof(first[0]); i++) {
		if (first[i](host, &s->refusals[s->n_refusals]) < 0)
			s->n_refusals++;
	}
}

/* is the unit enabled? A link in a target's folder, as `systemctl enable` makes it */
static bool has_nftables_service(void)
{
	static const char *const links[] = {
		"/etc/systemd/system/sysinit.target.wants/nftables.service",
		"/etc/systemd/system/multi-user.target.wants/nftables.service",
	};

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		if (faccessat(AT_FDCWD, links[i], F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return true;
	}
	return false;
}

int doctor_read_state(const struct doctor_request *rq, int run_fd, const struct host *host,
		      struct doctor_state *out, struct err *e)
{
	struct doctor_state s = { .is_known = true,
				  .is_root = geteuid() == 0,
				  .is_changing = is_locked(run_fd),
				  .has_tunnels = host->n_tunnels || host->is_layout_up,
				  .has_nftables_service = has_nftables_service() };
	int rc = 0;

	/* an ordinary user sees no folder of a tunnel, and would take every one for a broken one */
	if (s.is_root && !s.is_changing) {
		ask_plan(host, &s);
		rc = read_interrupted(run_fd, host, &s, e);
		if (rc == 0 && !host->is_layout_up)
			rc = read_others(host, &s, e);
		if (rc == 0)
			rc = doctor_read_left(rq, run_fd, host, &s, e);
	}
	if (rc == 0)
		rc = doctor_read_files(rq, &s, e);
	if (rc < 0) {
		doctor_state_free(&s);
		return rc;
	}
	*out = s;
	return 0;
}

void doctor_state_free(struct doctor_state *s)
{
	str_list_free(&s->interrupted, &s->n_interrupted);
	str_list_free(&s->left, &s->n_left);
	str_list_free(&s->others, &s->n_others);
	for (size_t i = 0; i < s->n_files; i++) {
		free(s->files[i].path);
		free(s->files[i].problem);
	}
	free(s->files);
	*s = (struct doctor_state){ 0 };
}
