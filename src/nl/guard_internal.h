/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guard_internal - what the guard's tables look like; the guard*.c files share it */
#ifndef WGNS_GUARD_INTERNAL_H
#define WGNS_GUARD_INTERNAL_H

#include "wgns/guard.h"
#include "wgns/nft.h"

/* type ifname: the kernel compares all 16 bytes */
#define GUARD_NAME_LEN 16
/* LAN_DEVICE of lan.h, as initialisers of bytes */
#define GUARD_LAN_DEVICE 'w', 'g', 'n', 's', '-', 'l', 'a', 'n'

const struct nft_table *guard_home_table(void);
const struct nft_table *guard_bridge_table(void);
const struct nft_table *guard_physical_table(bool has_lan);

extern const struct nft_set guard_allowed; /* of home's table: devices by name */
extern const struct nft_set guard_uplinks; /* of the bridge table: ports that never send */
extern const struct nft_set guard_ports; /* of physical's: UDP ports, big-endian */

#endif
