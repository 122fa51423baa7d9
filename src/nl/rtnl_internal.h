/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rtnl_internal - what the rtnl_*.c files share */
#ifndef WGNS_RTNL_INTERNAL_H
#define WGNS_RTNL_INTERNAL_H

#include "wgns/rtnl.h"

/** rtnl_is - @msg is of @new_type or of the RTM_DEL* behind it, and holds a family header of @len bytes */
bool rtnl_is(const struct nlmsghdr *msg, uint16_t new_type, size_t len);

/** rtnl_read_addr - an address of exactly @family's length; Return: false for any other */
bool rtnl_read_addr(const struct nlattr *a, uint8_t family, uint8_t bits, struct addr *out);

/* Optional attributes: true when absent, or present with the right length */
bool rtnl_opt_u8(const struct nlattr *a, uint8_t *out);
bool rtnl_opt_u32(const struct nlattr *a, uint32_t *out);

/** rtnl_gateway - of RTA_GATEWAY or RTA_VIA; Return: 1, 0 when there is neither, -EINVAL */
int rtnl_gateway(const struct nlattr *gateway, const struct nlattr *via, uint8_t family,
		 struct addr *out);

/* A checked walk over the next hops of RTA_MULTIPATH, like nl_walk_next() */
struct rtnl_hops {
	const char *pos;
	size_t left;
};
int rtnl_hops_next(struct rtnl_hops *h, const struct rtnexthop **out);
struct nl_walk rtnl_hop_attrs(const struct rtnexthop *hop);

/** rtnl_canonical - an object without its state, as an RTM_NEW* request without flags */
int rtnl_canonical(enum rtnl_kind kind, const struct nlmsghdr *from,
		   const struct rtnl_ifindex_map *map, struct nl_msg *out);

/** rtnl_expires - seconds left by RTA_CACHEINFO, rounded up, 0 for ever; Return: false for a wrong length */
bool rtnl_expires(const struct nlattr *cacheinfo, uint32_t *out);

#endif
