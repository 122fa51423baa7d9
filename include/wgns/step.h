/* SPDX-License-Identifier: GPL-2.0-or-later */
/* step - one change and its undo, as a text; and the texts that more than one module has to know */
#ifndef WGNS_STEP_H
#define WGNS_STEP_H

#include <inttypes.h>
#include <stddef.h>

struct op; /* engine.h */

#define STEP_WORDS 8

struct step {
	const struct op *op; /* NULL in a plan: the engine looks it up, and plans need no engine */
	char *text; /* owned: "link.move eth0 -> physical" */
	char *split; /* owned: the same, cut into words */
	const char *words
		[STEP_WORDS]; /* words[0] is the operation; the rest of a longer text is in the last */
	size_t n_words;
};

/** step_split - a step from its text, without its operation; Return: 0 or -ENOMEM */
int step_split(const char *text, struct step *out);
void step_free(struct step *step);

#define GUARD_HOME "guard.set home"
/* what follows the last uplink's return: the guard of KillSwitch = boot that was there before */
#define GUARD_HOME_WAS_BOOT GUARD_HOME " (boot)"
/* the same, which was not there before: a failed `up` leaves none */
#define GUARD_HOME_WILL_BOOT GUARD_HOME " (boot after)"
#define GUARD_PHYSICAL "guard.set physical"
/* the pair of Lan = yes may pass; its own table says what */
#define GUARD_PHYSICAL_LAN GUARD_PHYSICAL " with lan"

/* phy.move NAME -> physical: phy#NUMBER with DEVICE ...: the number is what its undo finds it by */
#define OP_PHY_MOVE "phy.move %s -> physical: phy#%" PRIu32

#endif
