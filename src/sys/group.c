// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/group.h"

#include <errno.h>
#include <grp.h>
#include <stddef.h>
#include <stdlib.h>

#include "wgns/str.h"

#define ENTRY_MAX (1u << 22) /* a line of group(5) has all members of the group */

int group_find(const char *name, gid_t *out, struct err *e)
{
	int code = ERANGE;

	for (size_t cap = 4096; code == ERANGE && cap <= ENTRY_MAX; cap *= 4) {
		struct group entry, *found = NULL;
		AUTO_FREE char *buf = malloc(cap);

		if (!buf)
			return err_set(e, ENOMEM, "look up group %s", name);
		code = getgrnam_r(name, &entry, buf, cap, &found);
		if (code == 0 && found) {
			*out = found->gr_gid;
			return 0;
		}
	}
	/* ENOENT and ESRCH are "not found" of some name services: getgrnam(3) */
	if (code != 0 && code != ENOENT && code != ESRCH)
		return err_set(e, code, "look up group %s", name);
	return err_say(e, EINVAL, "there is no group \"%s\"", name);
}
