// SPDX-License-Identifier: GPL-2.0-or-later
/* KillSwitch = boot: home's guard before the first `up` and after the last `down` */
#include <errno.h>

#include "change_internal.h"
#include "wgns/fd.h"
#include "wgns/op.h"

/* the guard is then the layout's, and its undo's */
static bool is_layout_up(int run_fd)
{
	struct err ignored; /* no such box */
	AUTO_FD int fd = state_box_open_netns(run_fd, OP_PHYSICAL, &ignored);

	return fd >= 0;
}

static int switch_on(struct nl *nl, bool has_layout, struct err *e)
{
	struct guard_seen seen = { 0 };

	if (!has_layout)
		return op_guard_boot(nl, e);
	int rc = guard_read(nl, &seen, e);
	if (rc < 0)
		return rc;
	bool is_there = seen.is_there;
	guard_seen_free(&seen);
	if (is_there)
		return 0;
	err_say(e, ENOENT, "a tunnel is up, and home has no guard");
	err_hint(e, "with KillSwitch = up or boot in wgns.conf(5), `wgns down` and `wgns up` make "
		    "it");
	return err_as(e, ERR_KIND_STATE);
}

static int switch_off(struct nl *nl, bool has_layout, struct err *e)
{
	if (!has_layout)
		return guard_clear(nl, e);
	err_say(e, EBUSY, "a tunnel is up, and the guard is what keeps home from talking past it");
	err_hint(e, "`wgns down TUNNEL` first; `wgns status` shows which are up");
	return err_as(e, ERR_KIND_STATE);
}

int change_boot_guard(bool should_be_on, const struct change_talk *talk, struct err *e)
{
	AUTO_NL struct nl *nl = NULL;
	int run_fd, lock_fd;

	int rc = change_enter(true, talk, &run_fd, &lock_fd, e);
	if (rc < 0)
		return rc;
	bool has_layout = is_layout_up(run_fd);
	rc = guard_open_in(-1, &nl, e);
	if (rc == 0)
		rc = should_be_on ? switch_on(nl, has_layout, e) : switch_off(nl, has_layout, e);
	state_leave(&run_fd, &lock_fd);
	return rc;
}
