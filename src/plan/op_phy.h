/* SPDX-License-Identifier: GPL-2.0-or-later */
/* op_phy - what other operations need of phys */
#ifndef WGNS_OP_PHY_H
#define WGNS_OP_PHY_H

#include <stdbool.h>
#include <stdint.h>

#include "wgns/engine.h"

/* phy.move NAME -> physical: phy#NUMBER with DEVICE ...: the number is what its undo finds it by */
#define OP_PHY_MOVE "phy.move %s -> physical: phy#%" PRIu32

/** op_phy_index - the number of the phy in the text of a step; false when it is no phy.move */
bool op_phy_index(const char *text, uint32_t *out);
/** op_phys_left - an error when a phy is in physical, whether it has devices or not */
int op_phys_left(struct op_env *env, struct err *e);
/** op_save_wdevs - which of home's links in @snap are wireless */
int op_save_wdevs(struct op_env *env, struct snapshot *snap, struct err *e);

#endif
