/* SPDX-License-Identifier: GPL-2.0-or-later */
/* genl, wgnl - generic netlink family lookup and the "wireguard" family (linux/wireguard.h, Linux 5.6) */
#ifndef WGNS_WGNL_H
#define WGNS_WGNL_H

#include <stdint.h>

#include "wgns/err.h"
#include "wgns/nl.h"
#include "wgns/wg.h"

/**
 * genl_family_id - CTRL_CMD_GETFAMILY; asking loads the module where the kernel has one
 * Return: 0, or -ENOENT when the kernel does not know the family
 */
int genl_family_id(struct nl *genl, const char *family, uint16_t *id, struct err *e);

/** genl_is_registered - is the family there now? A list is asked for, which loads nothing. Return: 1, 0, -errno */
int genl_is_registered(struct nl *genl, const char *family, struct err *e);

/**
 * wgnl_set - WG_CMD_SET_DEVICE, split over messages at allowed-ip boundaries
 * @dev: dev->name names the interface in the talker's namespace; endpoints are the resolved ones
 * @should_replace_peers: as wg setconf (true) or addconf (false)
 */
int wgnl_set(struct nl *genl, uint16_t family_id, const struct wg_device *dev,
	     bool should_replace_peers, struct err *e);
/** wgnl_get - WG_CMD_GET_DEVICE, peers that come in several messages joined; @out is owned by the caller */
int wgnl_get(struct nl *genl, uint16_t family_id, const char *name, struct wg_device *out,
	     struct err *e);
/** wgnl_parse - one reply of a dump into @ctx (struct wg_device); exposed for tests and the fuzzer */
int wgnl_parse(const struct nlmsghdr *reply, void *ctx, struct err *e);

/* The builder behind wgnl_set(), exposed for its tests: fills @m from the given position on. */
struct wgnl_cursor {
	size_t peer, allowed_ip; /* next one to send */
	bool is_continued; /* not the first message */
};
/** wgnl_build_set - Return: 1 when there is more to send, 0 when this was the last message, -EMSGSIZE */
int wgnl_build_set(struct nl_msg *m, uint16_t family_id, const struct wg_device *dev,
		   bool should_replace_peers, struct wgnl_cursor *cursor);

#endif
