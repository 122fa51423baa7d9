/* SPDX-License-Identifier: GPL-2.0-or-later */
/* what the steps of units share */
#ifndef WGNS_OP_UNIT_H
#define WGNS_OP_UNIT_H

#include <stdbool.h>
#include <stddef.h>

#include "wgns/engine.h"
#include "wgns/units.h"

struct op_units {
	char names[SYSTEMD_UNITS_MAX][SYSTEMD_UNIT_MAX];
	bool is_on_demand[SYSTEMD_UNITS_MAX];
	size_t n;
};
/** op_units_read - the words behind the operation; Return: 0 or -errno */
int op_units_read(const struct step *step, struct op_units *out, struct err *e);
/* Where a unit is. One that has no process and does not run is nowhere. */
enum op_unit_where { OP_UNIT_NOWHERE, OP_UNIT_HOME, OP_UNIT_ELSEWHERE };
struct op_units_now {
	enum op_unit_where where[SYSTEMD_UNITS_MAX]; /* as op_units.names */
	bool starts_in_physical; /* process 1 would start one of them there, whatever the files say by now */
};
/** op_units_look - asks process 1, and the kernel; Return: 0 or -errno, and then nobody knows */
int op_units_look(const struct op_env *env, const struct op_units *units, struct op_units_now *out,
		  struct err *e);
/** op_units_pick - those that are somewhere in @wheres, a set of 1 << where */
void op_units_pick(const struct op_units *units, const struct op_units_now *now, unsigned wheres,
		   struct op_units *out);
/** op_units_pick_sockets - in home, by what is said, and their services do not run: such a one may be of another namespace */
void op_units_pick_sockets(const struct op_units *units, const struct op_units_now *now,
			   struct op_units *out);
/**
 * op_units_look_read_in - as op_units_look(), when there are no drop-ins any more: process 1 has read that, too
 * Return: 0 or -errno
 */
int op_units_look_read_in(const struct op_env *env, const struct op_units *units,
			  struct op_units_now *now, struct err *e);
/** op_units_check_back - do all of them run in home, but those that others start? Return: 0 or -errno */
int op_units_check_back(const struct op_env *env, const struct op_units *units, struct err *e);
bool op_units_has(const struct op_units *units, const char *name);
/** op_units_remove - the drop-ins of ours for these units, and what belongs to them; does not tell systemd */
int op_units_remove(struct op_env *env, const struct op_units *units, struct err *e);
/**
 * op_units_drop_carried - in front of NetworkManager's start: addresses of uplinks that it does not know by their number
 * @old: the uplinks when it managed them last; those that it did not manage are left alone
 * Return: 0 or -errno
 *
 * It knows by the number what it has configured, and goes on with that. An address on a device that it does not know is
 * somebody else's for it, and it leaves such a device alone for ever.
 */
int op_units_drop_carried(struct op_env *env, struct nl *nl, const struct snapshot *old,
			  struct err *e);
/** op_units_record_managed - while it runs: the devices that it manages beside those recorded, for op_units_drop_carried() */
int op_units_record_managed(struct op_env *env, struct err *e);
/** op_units_replace_wdevs - uplinks of @before that are gone since, because iwd takes its devices along, are made anew */
int op_units_replace_wdevs(struct op_env *env, struct nl *genl, const struct nl80211_wdevs *before,
			   struct err *e);
/* op_unit_place.c: what networkd and iwd find in physical */
int op_units_make_netif(struct op_env *env, struct err *e);
/** op_units_remove_folder - one of those in the folder of the box that a manager writes; not there: nothing to do */
int op_units_remove_folder(struct op_env *env, const char *name, struct err *e);
int op_units_forget_links(struct op_env *env, struct err *e);
int op_units_make_iwd_conf(struct op_env *env, struct err *e);

#endif
