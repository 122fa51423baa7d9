// SPDX-License-Identifier: GPL-2.0-or-later
/* where units are now: steps are undone by that, and not by what was meant to be */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "op_internal.h"
#include "op_unit.h"
#include "wgns/fd.h"
#include "wgns/netns.h"

/* one that has no process of its own, such as a socket, is where process 1 would make it now */
static int find(const struct systemd_unit *unit, const struct netns_id *home,
		enum op_unit_where *out, struct err *e)
{
	struct netns_id its;
	struct err why;
	char path[48];

	*out = OP_UNIT_NOWHERE;
	if (!unit->pid && unit->is_active)
		*out = strcmp(unit->netns_path, OP_NETNS_PATH) == 0 ? OP_UNIT_ELSEWHERE
								    : OP_UNIT_HOME;
	if (!unit->pid)
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)unit->pid);
	AUTO_FD int fd = netns_open_at(AT_FDCWD, path, &why);
	if (fd == -ENOENT || fd == -ESRCH)
		return 0; /* it has just ended */
	int rc = fd < 0 ? fd : netns_identify(fd, &its, &why);
	if (rc < 0) {
		*e = why;
		return rc;
	}
	*out = netns_same(&its, home) ? OP_UNIT_HOME : OP_UNIT_ELSEWHERE;
	return 0;
}

int op_units_look(const struct op_env *env, const struct op_units *units, struct op_units_now *out,
		  struct err *e)
{
	struct systemd_unit now[SYSTEMD_UNITS_MAX] = { 0 };
	struct netns_id home;

	*out = (struct op_units_now){ .starts_in_physical = false };
	for (size_t i = 0; i < units->n; i++)
		memcpy(now[i].name, units->names[i], SYSTEMD_UNIT_MAX);
	int rc = netns_identify(env->home_fd, &home, e);
	if (rc == 0)
		rc = systemd_show(now, units->n, e);
	for (size_t i = 0; rc == 0 && i < units->n; i++) {
		rc = find(&now[i], &home, &out->where[i], e);
		if (strcmp(now[i].netns_path, OP_NETNS_PATH) == 0)
			out->starts_in_physical = true;
	}
	return rc;
}

void op_units_pick(const struct op_units *units, const struct op_units_now *now, unsigned wheres,
		   struct op_units *out)
{
	*out = (struct op_units){ .n = 0 };
	for (size_t i = 0; i < units->n; i++) {
		if (!(wheres & 1u << now->where[i]))
			continue;
		memcpy(out->names[out->n], units->names[i], SYSTEMD_UNIT_MAX);
		out->is_on_demand[out->n++] = units->is_on_demand[i];
	}
}

void op_units_pick_sockets(const struct op_units *units, const struct op_units_now *now,
			   struct op_units *out)
{
	char service[SYSTEMD_UNIT_MAX + 8];
	struct op_units home;

	op_units_pick(units, now, 1u << OP_UNIT_HOME, &home);
	*out = (struct op_units){ .n = 0 };
	for (size_t i = 0; i < home.n; i++) {
		size_t len = strlen(home.names[i]), end = sizeof(".socket") - 1;

		if (len <= end || strcmp(home.names[i] + len - end, ".socket") != 0)
			continue;
		(void)snprintf(service, sizeof(service), "%.*s.service", (int)(len - end),
			       home.names[i]);
		if (!op_units_has(&home, service))
			memcpy(out->names[out->n++], home.names[i], SYSTEMD_UNIT_MAX);
	}
}

/* whoever removed the drop-ins may have been killed, or systemd did not answer, before it read its files again */
int op_units_look_read_in(const struct op_env *env, const struct op_units *units,
			  struct op_units_now *now, struct err *e)
{
	int rc = op_units_look(env, units, now, e);

	if (rc < 0 || !now->starts_in_physical)
		return rc;
	rc = systemd_reload(e);
	if (rc == 0)
		rc = op_units_look(env, units, now, e);
	if (rc < 0 || !now->starts_in_physical)
		return rc;
	(void)err_say(e, EBUSY,
		      "systemd would start %s in physical: a file that is not wgns's says so",
		      units->names[0]);
	err_hint(e, "`systemctl cat %s` shows them", units->names[0]);
	return -EBUSY;
}

/* a start that succeeded is no unit that runs: systemctl and process 1 may have been of another mind */
int op_units_check_back(const struct op_env *env, const struct op_units *units, struct err *e)
{
	struct op_units_now now;
	int rc = op_units_look(env, units, &now, e);

	for (size_t i = 0; rc == 0 && i < units->n; i++) {
		if (now.where[i] == OP_UNIT_ELSEWHERE)
			rc = err_say(e, EBUSY, "%s runs in another network namespace",
				     units->names[i]);
		else if (now.where[i] == OP_UNIT_NOWHERE && !units->is_on_demand[i])
			rc = err_say(e, EIO, "%s was started, and does not run", units->names[i]);
	}
	return rc;
}
