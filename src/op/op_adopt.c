// SPDX-License-Identifier: GPL-2.0-or-later
/* devices that came while the layout was up */
#include <errno.h>

#include "op_internal.h"

static bool is_absent(const struct rtnl_link *link, void *ctx)
{
	const struct snapshot *present = ctx;

	return !snapshot_find_link(&present->links, link);
}

int op_restore_absent(const struct restore *r, const struct snapshot *snap,
		      const struct snapshot *present, struct err *e)
{
	struct snapshot absent = { 0 }, copy = *present;
	struct restore part = *r;

	int rc = snapshot_part(snap, is_absent, &copy, &absent, e);
	if (rc < 0)
		return rc;
	part.snap = &absent;
	for (size_t i = 0; rc == 0 && i < absent.links.n; i++) {
		struct err why;
		int failed = restore_link(&part, &absent.links.items[i], &why);
		if (failed < 0 && failed != -ENODEV) {
			*e = why;
			rc = failed;
		}
	}
	if (rc == 0 && absent.links.n)
		rc = restore_addrs(&part, e);
	if (rc == 0 && absent.links.n)
		rc = restore_neighs(&part, e);
	if (rc == 0 && absent.links.n)
		rc = restore_routes(&part, e);
	if (rc == 0 && absent.links.n)
		rc = restore_finish(&part, e);
	snapshot_free(&absent);
	return rc;
}
