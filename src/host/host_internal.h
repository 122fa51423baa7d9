/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WGNS_HOST_INTERNAL_H
#define WGNS_HOST_INTERNAL_H

#include "wgns/plan.h"

/**
 * host_read_children - macvlans and the like on the links of @host, in home and in every other namespace that can be seen
 *
 * What is on a device in another namespace does not move with it and would go on sending through it in clear.
 */
int host_read_children(int home_fd, struct host *host, struct err *e);

/**
 * host_read_wireless - which links of @host are wireless, and what is known of their phys
 *
 * Where a namespace has none, the kernel's wireless code is not loaded for the asking.
 */
int host_read_wireless(struct host *host, struct err *e);

/** host_read_guard - what the kernel can, and what there is */
void host_read_guard(int run_fd, int home_fd, struct host *host);

#endif
