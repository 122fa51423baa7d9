// SPDX-License-Identifier: GPL-2.0-or-later
/* waiting until a manager has its uplinks again: what worked in home works in physical */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "op_internal.h"
#include "op_unit.h"
#include "wgns/clock.h"
#include "wgns/fd.h"
#include "wgns/nm.h"
#include "wgns/str.h"

#define LOOK_MS 200
#define NO_CARRIER_S 15 /* an ethernet card needs three seconds to agree with its switch */
#define SHORT_S 20 /* when one works: the others get what joining a wireless network takes */
#define STATE_FILE_MAX 65536

struct wait {
	struct op_env *env;
	char unit[SYSTEMD_UNIT_MAX];
	unsigned seconds;
	const char *devices[RTNL_MAP_MAX];
	size_t n;
	char why[160]; /* what is missing at the last look */
	bool is_usable; /* one of all uplinks works, of which manager ever */
};

/* "unit.wait UNIT 60 s: eth0 wlan0" */
static int read_wait(char *text, struct wait *w, struct err *e)
{
	unsigned long long seconds = 0;
	char *rest = text;

	(void)strsep(&rest, " ");
	const char *unit = strsep(&rest, " ");
	const char *number = strsep(&rest, " ");
	const char *sign = strsep(&rest, " ");
	if (!rest || !unit || !systemd_is_unit(unit) || !number ||
	    str_to_u64(number, 3600, &seconds) < 0 || strcmp(sign, "s:") != 0)
		return err_say(e, EINVAL, "this step cannot be read");
	(void)snprintf(w->unit, sizeof(w->unit), "%s", unit);
	w->seconds = (unsigned)seconds;
	for (char *word = strsep(&rest, " "); word && w->n < RTNL_MAP_MAX;
	     word = strsep(&rest, " "))
		w->devices[w->n++] = word;
	return 0;
}

static bool has_address(const struct rtnl_list *addrs, int ifindex)
{
	struct rtnl_addr addr;

	for (size_t i = 0; i < addrs->n; i++) {
		if (rtnl_parse_addr(addrs->items[i].msg, &addr) == 0 && addr.ifindex == ifindex &&
		    units_is_lasting(&addr) && !(addr.flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)))
			return true;
	}
	return false;
}

/* by networkd itself, in the folder of its own that it has in physical */
static bool is_configured(struct op_env *env, int ifindex)
{
	AUTO_FREE char *text = NULL;
	struct err ignored; /* not yet */
	char path[64];
	size_t len;

	(void)snprintf(path, sizeof(path), OP_BOX_PATH "/" UNITS_BOX_NETIF "/links/%d", ifindex);
	AUTO_FD int fd = state_openat(env->run_fd, path, O_RDONLY, &ignored);
	return fd >= 0 && fd_read_all(fd, STATE_FILE_MAX, &text, &len, path, &ignored) == 0 &&
	       strstr(text, "ADMIN_STATE=configured\n");
}

static bool is_wireless(struct op_env *env, const char *device)
{
	const struct snapshot *snap;
	struct err ignored; /* as if it were, then: waiting is the safer side */

	return op_env_snapshot(env, &snap, &ignored) < 0 || snapshot_find_wdev(snap, device);
}

/* iwd makes its devices anew, and under the first name that is free */
static const struct rtnl_link *find(struct op_env *env, const struct rtnl_links *links,
				    const char *device)
{
	const struct rtnl_link *link = rtnl_links_by_name(links, device);
	const struct snapshot *snap;
	struct err ignored; /* then the name has to do */

	if (link || op_env_snapshot(env, &snap, &ignored) < 0)
		return link;
	const struct rtnl_link *old = rtnl_links_by_name(&snap->links, device);
	return old ? snapshot_find_link(links, old) : NULL;
}

static bool is_managed(const struct wait *w, const struct rtnl_link *link,
		       const struct nm_device *nm, size_t n_nm)
{
	if (strcmp(w->unit, UNITS_NETWORKD) == 0)
		return is_configured(w->env, link->ifindex);
	if (strcmp(w->unit, UNITS_NETWORKMANAGER) != 0)
		return true; /* it does not say: the address has to do */
	for (size_t i = 0; i < n_nm; i++) {
		if (strcmp(nm[i].name, link->name) == 0)
			return nm[i].is_connected;
	}
	return false;
}

/* Return: 1 when this one is ready or not waited for, 0 when not, and why in @w */
static int look_at(struct wait *w, const char **device, const struct rtnl_links *links,
		   const struct rtnl_list *addrs, unsigned passed_ms)
{
	const struct rtnl_link *link = find(w->env, links, *device);
	struct nm_device *nm = NULL;
	struct err why;
	size_t n_nm = 0;

	if (!link && is_wireless(w->env, *device)) {
		(void)snprintf(w->why, sizeof(w->why), "%s is not there", *device);
		return 0;
	}
	if (!link) {
		op_env_note(w->env, "%s is gone, and not waited for", *device);
		*device = NULL;
		return 1;
	}
	if (!link->has_carrier) {
		(void)snprintf(w->why, sizeof(w->why), "%s has no carrier", *device);
		/* without a cable it waits in vain; a network in the air takes its time, and has to come */
		if (is_wireless(w->env, *device) || passed_ms < NO_CARRIER_S * 1000)
			return 0;
		op_env_note(w->env, "%s has no carrier, and is not waited for", *device);
		*device = NULL;
		return 1;
	}
	if (!has_address(addrs, link->ifindex)) {
		(void)snprintf(w->why, sizeof(w->why), "%s has no address", *device);
		return 0;
	}
	/* asked last: it is another program to run */
	if (strcmp(w->unit, UNITS_NETWORKMANAGER) == 0 && nm_devices(&nm, &n_nm, &why) < 0) {
		(void)snprintf(w->why, sizeof(w->why), "%.150s", why.text);
		return 0;
	}
	bool is_ready = is_managed(w, link, nm, n_nm);
	free(nm);
	if (!is_ready)
		(void)snprintf(w->why, sizeof(w->why), "%s is not done with %s", w->unit, *device);
	return is_ready;
}

static bool is_awaited(const struct wait *w, const char *device)
{
	for (size_t i = 0; i < w->n; i++) {
		if (w->devices[i] && strcmp(w->devices[i], device) == 0)
			return true;
	}
	return false;
}

/* one that is not this manager's to configure works when it has an address, as for agents */
static bool is_another_usable(const struct wait *w, const struct rtnl_links *links,
			      const struct rtnl_list *addrs)
{
	const struct plan *plan = w->env->plan;

	for (size_t i = 0; plan && i < plan->n_uplinks; i++) {
		const struct rtnl_link *link = find(w->env, links, plan->uplinks[i]);

		if (link && link->has_carrier && !is_awaited(w, plan->uplinks[i]) &&
		    has_address(addrs, link->ifindex))
			return true;
	}
	return false;
}

/* @should_note: nobody looks again, and what is missing is a warning; Return: 1 when all are ready, 0, -errno */
static int look(struct wait *w, unsigned passed_ms, bool should_note, struct err *e)
{
	struct rtnl_links links = { 0 };
	struct rtnl_list addrs = { 0 };
	char first[sizeof(w->why)] = "";
	struct nl *nl;

	int rc = op_env_nl_physical(w->env, &nl, e);
	if (rc == 0)
		rc = rtnl_dump_links(nl, &links, e);
	if (rc == 0)
		rc = rtnl_dump(nl, RTNL_ADDR, AF_UNSPEC, &addrs, e);
	w->is_usable = rc == 0 && is_another_usable(w, &links, &addrs);
	for (size_t i = 0; rc == 0 && i < w->n; i++) {
		if (!w->devices[i])
			continue;
		if (look_at(w, &w->devices[i], &links, &addrs, passed_ms)) {
			w->is_usable = w->is_usable || w->devices[i];
			continue;
		}
		if (!first[0])
			(void)snprintf(first, sizeof(first), "%s", w->why);
		if (should_note)
			op_env_note(w->env, "%s yet; %s goes on trying", w->why, w->unit);
	}
	(void)snprintf(w->why, sizeof(w->why), "%s", first);
	rtnl_list_free(&addrs);
	rtnl_links_free(&links);
	return rc < 0 ? rc : !first[0];
}

static int give_up(const struct wait *w, struct err *e)
{
	(void)err_say(e, ETIMEDOUT, "after %u s %s, and no other uplink works", w->seconds, w->why);
	err_hint(e,
		 "`journalctl -u %s` says what it did; Agent = none in wgns.conf(5) leaves it in "
		 "home",
		 w->unit);
	return -ETIMEDOUT;
}

/* as agent.wait has it: without any uplink there is no tunnel, and with one the others may come later */
static int wait_for(struct wait *w, struct err *e)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000 * 1000 };
	const unsigned end_ms = w->seconds * 1000;
	unsigned limit_ms = end_ms; /* since one works a nearer one */
	bool was_usable = false;
	const int64_t begin_ms = clock_monotonic_ms();

	for (;;) {
		unsigned passed_ms = (unsigned)(clock_monotonic_ms() - begin_ms);
		bool is_last = passed_ms >= limit_ms;

		int rc = look(w, passed_ms, is_last && was_usable, e);
		if (rc != 0)
			return rc < 0 ? rc : 0;
		if (is_last)
			return was_usable ? 0 : give_up(w, e);
		if (w->is_usable != was_usable)
			limit_ms = w->is_usable && passed_ms + SHORT_S * 1000 < end_ms
					   ? passed_ms + SHORT_S * 1000
					   : end_ms;
		was_usable = w->is_usable;
		if (w->env->should_stop && w->env->should_stop(w->env->note_ctx))
			return err_say(e, EINTR, "interrupted");
		if (w->env->progress)
			w->env->progress(w->env->note_ctx, w->why);
		(void)nanosleep(&pause, NULL); /* cut short by a signal: looked at again */
	}
}

int unit_wait_run(struct op_env *env, const struct step *step, struct err *e)
{
	AUTO_FREE char *text = strdup(step->text);
	struct wait w = { .env = env };

	int rc = text ? read_wait(text, &w, e) : err_set(e, ENOMEM, "wait");
	if (rc == 0)
		rc = wait_for(&w, e);
	if (env->progress)
		env->progress(env->note_ctx, NULL);
	return rc;
}
