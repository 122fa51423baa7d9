// SPDX-License-Identifier: GPL-2.0-or-later
#include <cap-ng.h>
#include <errno.h>

#include "watch_internal.h"

/*
 * What is kept, until the end, of what there is:
 *   NET_ADMIN         devices, addresses, routes, WireGuard, nftables
 *   SYS_ADMIN         sockets in physical (setns(2)); the mounts of the child that looks up names
 *   SYS_PTRACE        the namespaces of other processes, in which a device of home may have children
 *   SETPCAP           the daemon that is made again loses its own
 *   NET_BIND_SERVICE  which that daemon keeps, for a port below 1024
 *   NET_RAW, KILL     an agent of a new card: its profile leaves it the first, its keeper ends it with the second
 *   DAC_OVERRIDE      an agent's layer over /etc: the kernel's work directory of an overlay has no mode at all
 */
int watch_privileges(struct err *e)
{
	static const unsigned wanted[] = { CAP_NET_ADMIN,	 CAP_SYS_ADMIN,
					   CAP_SYS_PTRACE,	 CAP_SETPCAP,
					   CAP_NET_BIND_SERVICE, CAP_DAC_OVERRIDE,
					   CAP_NET_RAW,		 CAP_KILL };
	bool is_held[sizeof(wanted) / sizeof(wanted[0])];
	int rc = capng_get_caps_process();

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		is_held[i] = capng_have_capability(CAPNG_PERMITTED, wanted[i]) == 1;
	capng_clear(CAPNG_SELECT_BOTH);
	for (size_t i = 0; rc == 0 && i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (is_held[i])
			rc = capng_update(CAPNG_ADD,
					  CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
					  wanted[i]);
	}
	if (rc < 0 || capng_apply(CAPNG_SELECT_BOTH) < 0)
		return err_set(e, EPERM, "give up capabilities");
	return 0;
}
