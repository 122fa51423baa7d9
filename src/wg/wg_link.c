// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "wgns/nl.h"
#include "wgns/rtnl.h"

#include "wg_internal.h"

int wg_link_delete(int ns_fd, const char *name, const char *kind, struct err *e)
{
	AUTO_NL struct nl *nl = NULL;
	struct rtnl_link link;
	struct err failed;
	struct nl_msg m;

	if (name[0] == '\0')
		return 0;
	int rc = nl_open_in(NETLINK_ROUTE, ns_fd, &nl, e);
	if (rc < 0)
		return err_context(e, "delete device %s", name);
	rc = rtnl_get_link(nl, 0, name, &link, &failed);
	if (rc == -ENODEV)
		return 0;
	if (rc < 0) {
		*e = failed;
		return err_context(e, "delete device %s", name);
	}
	if (strcmp(link.kind, kind) != 0) /* somebody else's that took the name */
		return 0;
	rtnl_build_link_delete(&m, link.ifindex);
	rc = nl_talk(nl, &m, &failed);
	if (rc < 0 && rc != -ENODEV) {
		*e = failed;
		return err_context(e, "delete device %s", name);
	}
	return 1;
}
