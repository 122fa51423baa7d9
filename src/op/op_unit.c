// SPDX-License-Identifier: GPL-2.0-or-later
/* managers of the machine: ended in home, begun in physical, and the other way round */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "op_internal.h"
#include "op_unit.h"
#include "wgns/clock.h"
#include "wgns/fd.h"
#include "wgns/nm.h"
#include "wgns/str.h"
#include "wgns/units_moved.h"

#define STOP_S 120 /* systemd itself kills after 90 s (DefaultTimeoutStopSec=) */
#define STOP_ROUNDS 3
#define START_S 90
#define HOME_START_S 30 /* then systemd goes on with it alone */
#define CHOICE_S 45 /* for one of them; an attempt that goes on is not begun anew */
#define CHOICE_PAUSE_MS 500
#define CHOICES_MAX 64

/* every word behind the operation is a unit, in parentheses when others start it */
int op_units_read(const struct step *step, struct op_units *out, struct err *e)
{
	AUTO_FREE char *copy = strdup(step->text);
	char *rest = copy;

	*out = (struct op_units){ .n = 0 };
	if (!copy)
		return err_set(e, ENOMEM, "read the units");
	(void)strsep(&rest, " ");
	for (char *word = strsep(&rest, " "); word; word = strsep(&rest, " ")) {
		size_t len = strlen(word);
		bool is_on_demand = len > 2 && word[0] == '(' && word[len - 1] == ')';

		if (is_on_demand) {
			word[len - 1] = '\0';
			word++;
		}
		if (!systemd_is_unit(word) || out->n == SYSTEMD_UNITS_MAX)
			return err_say(e, EINVAL, "'%s' is no name of a unit", word);
		(void)snprintf(out->names[out->n], SYSTEMD_UNIT_MAX, "%s", word);
		out->is_on_demand[out->n++] = is_on_demand;
	}
	return 0;
}

enum listed { LIST_OWN, LIST_ON_DEMAND };

static size_t list(struct op_units *units, enum listed which, char *out[SYSTEMD_UNITS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < units->n; i++) {
		if (units->is_on_demand[i] == (which == LIST_ON_DEMAND))
			out[n++] = units->names[i];
	}
	return n;
}

bool op_units_has(const struct op_units *units, const char *name)
{
	for (size_t i = 0; i < units->n; i++) {
		if (strcmp(units->names[i], name) == 0)
			return true;
	}
	return false;
}

/* ---- what somebody has chosen by hand, and would have to choose again ---- */

static void note_choices(const struct op_env *env, const struct err *why)
{
	op_env_note(env, "a network that was chosen by hand may have to be chosen again: %s",
		    why->text);
}

/* lo, bridges and tunnels are seen by NetworkManager, and have connections that nobody has chosen */
static bool is_uplink(struct op_env *env, const char *name)
{
	const struct snapshot *snap;
	struct err ignored; /* before it was taken the plan says so */

	for (size_t i = 0; env->plan && i < env->plan->n_uplinks; i++) {
		if (strcmp(env->plan->uplinks[i], name) == 0)
			return true;
	}
	return !env->plan && op_env_snapshot(env, &snap, &ignored) == 0 &&
	       rtnl_links_by_name(&snap->links, name);
}

static void record_choices(struct op_env *env)
{
	struct nm_choice choices[CHOICES_MAX];
	AUTO_STRBUF struct strbuf text = { 0 };
	struct err why;

	long n = nm_choices(choices, CHOICES_MAX, &why);
	if (n < 0) {
		note_choices(env, &why);
		return;
	}
	for (long i = 0; i < n; i++) {
		if (is_uplink(env, choices[i].device))
			strbuf_addf(&text, "%s %s\n", choices[i].uuid, choices[i].device);
	}
	AUTO_FD int dir_fd = state_openat(env->run_fd, OP_BOX_PATH, O_RDONLY | O_DIRECTORY, &why);
	if (dir_fd < 0 || text.is_failed ||
	    fd_replace_file_at(dir_fd, UNITS_BOX_CHOICES, text.len ? text.s : "", text.len, 0600,
			       &why) < 0)
		note_choices(env, &why);
}

/* before NetworkManager ends: what only it can tell */
static int record(struct op_env *env, struct err *e)
{
	record_choices(env);
	return op_units_record_managed(env, e);
}

static bool read_choice(const char *line, struct nm_choice *out)
{
	return sscanf(line, "%36s %15s", out->uuid, out->device) == 2 && nm_is_uuid(out->uuid);
}

/*
 * Right after its start NetworkManager has no supplicant yet, and then the air has not been scanned: both are errors at once,
 * and pass.
 */
static int bring_up(const struct nm_choice *choice, const struct op_env *env, struct err *e)
{
	const struct timespec pause = { .tv_nsec = CHOICE_PAUSE_MS * 1000 * 1000 };
	const int64_t end_ms = clock_monotonic_ms() + CHOICE_S * 1000;
	int rc;

	for (;;) {
		rc = nm_bring_up(choice, CHOICE_S, e);
		if (rc == 0 || clock_monotonic_ms() >= end_ms ||
		    (env->should_stop && env->should_stop(env->note_ctx)))
			return rc;
		(void)nanosleep(&pause, NULL); /* cut short by a signal: tried again at once */
	}
}

static void choose_again(struct op_env *env)
{
	AUTO_FREE char *text = NULL;
	struct nm_choice choice;
	struct err why;
	size_t len;

	AUTO_FD int dir_fd = state_openat(env->run_fd, OP_BOX_PATH, O_RDONLY | O_DIRECTORY, &why);
	if (dir_fd < 0 || fd_read_file_at(dir_fd, UNITS_BOX_CHOICES, 4096, &text, &len, &why) < 0)
		return; /* nothing was recorded */
	char *rest = text;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		if (read_choice(line, &choice) && bring_up(&choice, env, &why) < 0)
			note_choices(env, &why);
	}
}

/* ---- steps ---- */

#define IN(where) (1u << (where))
#define ANYWHERE (IN(OP_UNIT_HOME) | IN(OP_UNIT_ELSEWHERE))

/*
 * Until none of them is in @wheres. What is started on demand comes last: a manager that ends may have it started once more,
 * and that takes the place of an end that was asked for. A unit that was removed meanwhile cannot be stopped, and does not run.
 */
static int stop(const struct op_env *env, struct op_units *units, unsigned wheres, struct err *e)
{
	char *names[SYSTEMD_UNITS_MAX] = { NULL };
	struct op_units_now now;
	struct op_units left;
	int rc = 0;

	for (int round = 0; round < STOP_ROUNDS; round++) {
		size_t n = list(units, LIST_OWN, names);
		rc = n ? systemd_stop(names, n, STOP_S, e) : 0;
		n = list(units, LIST_ON_DEMAND, names);
		if (rc == 0 && n)
			rc = systemd_stop(names, n, STOP_S, e);
		if (rc == -ETIMEDOUT || rc == -ESHUTDOWN)
			return rc;
		int seen = op_units_look(env, units, &now, e);
		if (seen < 0)
			return seen;
		op_units_pick(units, &now, wheres, &left);
		if (!left.n)
			return 0;
	}
	return rc < 0 ? rc : err_say(e, EBUSY, "%s does not end", left.names[0]);
}

int unit_stop_run(struct op_env *env, const struct step *step, struct err *e)
{
	struct nl80211_wdevs wdevs = { 0 };
	AUTO_NL struct nl *genl = NULL;
	struct op_units units;

	int rc = op_units_read(step, &units, e);
	if (rc == 0)
		rc = nl_open_in(NETLINK_GENERIC, env->home_fd, &genl, e);
	if (rc == 0)
		rc = nl80211_get_wdevs(genl, &wdevs, e);
	if (rc < 0)
		return rc;
	if (op_units_has(&units, UNITS_NETWORKMANAGER))
		rc = record(env, e);
	if (rc == 0)
		rc = stop(env, &units, ANYWHERE, e);
	if (rc == 0)
		rc = op_units_replace_wdevs(env, genl, &wdevs, e);
	nl80211_wdevs_free(&wdevs);
	return rc;
}

/* where it managed them last, which is physical unless it never came up there */
static int drop_in_home(struct op_env *env, struct err *e)
{
	const struct snapshot *snap;
	struct err ignored; /* not there: nothing has left physical */
	struct nl *nl;

	AUTO_FD int dir_fd = state_openat(env->run_fd, OP_BOX_PATH, O_RDONLY | O_DIRECTORY, e);
	if (dir_fd < 0)
		return dir_fd;
	if (!env->has_present)
		env->has_present =
			snapshot_read(dir_fd, SNAPSHOT_PHYSICAL, &env->present, &ignored) == 0;
	int rc = op_env_snapshot(env, &snap, e);
	if (rc == -ENOENT)
		return 0; /* it was not taken: nothing has moved */
	if (rc == 0)
		rc = op_env_nl_home(env, &nl, e);
	return rc < 0 ? rc
		      : op_units_drop_carried(env, nl, env->has_present ? &env->present : snap, e);
}

static int check_files(const struct op_units *units, struct err *e)
{
	for (size_t i = 0; i < units->n; i++) {
		if (units_is_moved(units->names[i]))
			return err_say(e, EBUSY,
				       "%s would start in physical: " UNITS_DROPINS
				       "/%s.d/wgns.conf is still there",
				       units->names[i], units->names[i]);
	}
	return 0;
}

/*
 * What did not end in physical, because the undo of unit.start failed, does not start in home: it ends first. So does a socket
 * whose service does not run, which may be one that process 1 made in physical.
 */
static int stop_others(const struct op_env *env, const struct op_units *units,
		       const struct op_units_now *now, struct err *e)
{
	struct op_units others, sockets;

	op_units_pick(units, now, IN(OP_UNIT_ELSEWHERE), &others);
	int rc = others.n ? stop(env, &others, IN(OP_UNIT_ELSEWHERE), e) : 0;
	op_units_pick_sockets(units, now, &sockets);
	return rc == 0 && sockets.n ? stop(env, &sockets, ANYWHERE, e) : rc;
}

/* Return: 0, 1 when systemd goes on with it, -errno */
static int start_in_home(struct op_env *env, struct op_units *units, struct err *e)
{
	char *names[SYSTEMD_UNITS_MAX] = { NULL };
	size_t n = list(units, LIST_OWN, names);
	struct err why;

	int rc = systemd_start(names, n, HOME_START_S, e);
	bool is_late = rc == -ETIMEDOUT;
	if (rc == 0 || is_late)
		rc = op_units_check_back(env, units, is_late ? &why : e);
	if (rc == 0 && is_late)
		op_env_note(env, "%s is not ready after %d s; systemd goes on starting it",
			    names[0], HOME_START_S);
	if (rc == -ESHUTDOWN)
		return 0;
	if (rc < 0)
		err_hint(e, "`systemctl status %s` says why; `systemctl start %s` starts it",
			 names[0], names[0]);
	return rc < 0 ? rc : is_late;
}

/*
 * The uplinks are in home again, and the drop-ins are gone. It is undone when they run in home, and not before: nobody else
 * would start them.
 */
int unit_stop_undo(struct op_env *env, const struct step *step, struct err *e)
{
	struct op_units_now now;
	struct op_units units, home;
	struct err why;

	int rc = op_units_read(step, &units, e);
	if (rc == 0)
		rc = check_files(&units, e);
	if (rc == 0)
		rc = op_units_look_read_in(env, &units, &now, e);
	if (rc == 0)
		rc = stop_others(env, &units, &now, e);
	if (rc < 0)
		return rc == -ESHUTDOWN ? 0 : rc;
	op_units_pick(&units, &now, IN(OP_UNIT_HOME), &home);
	/* what one that runs has found out is its own */
	if (op_units_has(&units, UNITS_NETWORKMANAGER) &&
	    !op_units_has(&home, UNITS_NETWORKMANAGER) && drop_in_home(env, &why) < 0)
		op_env_note(env, "NetworkManager may leave an uplink as it is: %s", why.text);
	rc = start_in_home(env, &units, e);
	if (rc == 0 && op_units_has(&units, UNITS_NETWORKMANAGER))
		choose_again(env);
	return rc < 0 ? rc : 0;
}

static int drop_in_physical(struct op_env *env, struct err *e)
{
	const struct snapshot *snap;
	struct nl *nl = NULL;

	int rc = op_env_snapshot(env, &snap, e);
	if (rc == 0)
		rc = op_env_nl_physical(env, &nl, e);
	return rc < 0 ? rc : op_units_drop_carried(env, nl, snap, e);
}

int unit_start_run(struct op_env *env, const struct step *step, struct err *e)
{
	char *names[SYSTEMD_UNITS_MAX] = { NULL };
	struct op_units units;

	int rc = op_units_read(step, &units, e);
	if (rc < 0)
		return rc;
	size_t n = list(&units, LIST_OWN, names);
	if (op_units_has(&units, UNITS_NETWORKMANAGER))
		rc = drop_in_physical(env, e);
	if (rc < 0)
		return rc;
	rc = systemd_start(names, n, START_S, e);
	if (rc < 0) {
		err_hint(e, "`journalctl -u %s` says why", names[0]);
		return rc;
	}
	if (op_units_has(&units, UNITS_NETWORKMANAGER))
		choose_again(env);
	return 0;
}

/* those that run in home are not of this step's doing: an earlier `down` that got further than this started them */
int unit_start_undo(struct op_env *env, const struct step *step, struct err *e)
{
	struct op_units_now now;
	struct op_units units, others;
	struct err why;
	int rc = op_units_read(step, &units, e);

	if (rc < 0)
		return rc;
	/* while it was in use somebody may have chosen another network; one that never came up has nothing to tell */
	if (env->is_step_done && !env->is_rollback && op_units_has(&units, UNITS_NETWORKMANAGER) &&
	    units_is_moved(UNITS_NETWORKMANAGER) && record(env, &why) < 0)
		op_env_note(env, "NetworkManager may leave an uplink as it is: %s", why.text);
	rc = op_units_look(env, &units, &now, e);
	if (rc < 0)
		return rc;
	/* also those that do not run yet: whoever was killed may have asked for their start */
	op_units_pick(&units, &now, IN(OP_UNIT_NOWHERE) | IN(OP_UNIT_ELSEWHERE), &others);
	rc = others.n ? stop(env, &others, IN(OP_UNIT_ELSEWHERE), e) : 0;
	return rc == -ESHUTDOWN ? 0 : rc; /* systemd stops it, after whoever calls this */
}
