/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * uapi - the cross-platform userspace interface of WireGuard: text over a unix socket
 * (https://www.wireguard.com/xplatform/), as wireguard-go speaks it. Pure: text in, text out.
 */
#ifndef WGNS_UAPI_H
#define WGNS_UAPI_H

#include <stddef.h>

#include "wgns/err.h"
#include "wgns/wg.h"

/** uapi_build_set - "set=1\n...\n\n"; Return: owned text that holds keys (wipe with str_wipe), or NULL */
char *uapi_build_set(const struct wg_device *dev, bool should_replace_peers);
/** uapi_parse_get - the answer to "get=1\n\n"; Return: 0, -EINVAL, or the daemon's errno= */
int uapi_parse_get(const char *text, size_t len, struct wg_device *out, struct err *e);

#endif
