/* SPDX-License-Identifier: GPL-2.0-or-later */
/* op_guard - the text of guard.set, and doing what it says: for its step, and for whoever puts the guard back */
#ifndef WGNS_OP_GUARD_H
#define WGNS_OP_GUARD_H

#include <stdbool.h>

#include "wgns/guard.h"

#define GUARD_HOME "guard.set home"
/* what follows the last uplink's return: the guard of KillSwitch = boot that was there before */
#define GUARD_HOME_WAS_BOOT GUARD_HOME " (boot)"
/* the same, which was not there before: a failed `up` leaves none */
#define GUARD_HOME_WILL_BOOT GUARD_HOME " (boot after)"
#define GUARD_PHYSICAL "guard.set physical"
/* the pair of Lan = yes may pass; its own table says what */
#define GUARD_PHYSICAL_LAN GUARD_PHYSICAL " with lan"

/** op_guard_is_home - is it the text of a step that sets home's guard? */
bool op_guard_is_home(const char *text);
/** op_guard_set - home's guard as the step's text says it
 * @uplinks: that moved */
int op_guard_set(struct nl *nl, const char *text, char *const *uplinks, size_t n_uplinks,
		 struct err *e);
/** op_guard_boot - the guard of KillSwitch = boot: nothing leaves home */
int op_guard_boot(struct nl *nl, struct err *e);

#endif
