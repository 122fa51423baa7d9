// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/wireguard.h>
#include <stdio.h>
#include <string.h>

#include "wgns/backend.h"
#include "wgns/nl.h"
#include "wgns/rtnl.h"
#include "wgns/str.h"
#include "wgns/wgnl.h"

#include "wg_internal.h"

#define KIND "wireguard"

static int say_missing(struct err *e)
{
	(void)err_say(e, EOPNOTSUPP, "this kernel has no WireGuard");
	err_hint(e, "apt install wireguard-go, or run a kernel with CONFIG_WIREGUARD (Linux 5.6)");
	return err_as(e, ERR_KIND_MACHINE);
}

/* a socket in @ns_fd and the number of the family, which is per boot */
static int open_family(int ns_fd, struct nl **genl, uint16_t *id, struct err *e)
{
	int rc = nl_open_in(NETLINK_GENERIC, ns_fd, genl, e);

	if (rc == 0)
		rc = genl_family_id(*genl, WG_GENL_NAME, id, e);
	return rc == -ENOENT ? say_missing(e) : rc;
}

static int kernel_usable(const struct backend_device *dev, struct err *e)
{
	AUTO_NL struct nl *genl = NULL;
	uint16_t id;

	(void)dev; /* nothing of it decides here */
	return open_family(-1, &genl, &id, e);
}

static int kernel_create(struct backend_device *dev, int birth_fd, struct err *e)
{
	AUTO_NL struct nl *nl = NULL;
	struct nl_msg m;

	if (nl_open_in(NETLINK_ROUTE, birth_fd, &nl, e) < 0)
		return err_context(e, "create WireGuard device %s", dev->birth_name);
	rtnl_build_link_create(&m, dev->birth_name, KIND);
	int rc = nl_talk(nl, &m, e);
	if (rc == -EOPNOTSUPP) /* "Unknown device type" */
		return say_missing(e);
	if (rc < 0)
		return err_context(e, "create WireGuard device %s", dev->birth_name);
	return 0;
}

/* no process, nothing to write down: the name is known before */
static int kernel_create_recorded(struct backend_device *dev, int birth_fd,
				  const struct backend_record *record, struct err *e)
{
	(void)record;
	return kernel_create(dev, birth_fd, e);
}

static const char *called(const struct backend_device *dev)
{
	return dev->name[0] ? dev->name : dev->birth_name;
}

static int kernel_set(const struct backend_device *dev, int inside_fd, const struct wg_device *conf,
		      bool should_replace_peers, struct err *e)
{
	AUTO_NL struct nl *genl = NULL;
	struct wg_device named = *conf; /* borrows the peers */
	uint16_t id;

	memcpy(named.name, called(dev), sizeof(named.name));
	int rc = open_family(inside_fd, &genl, &id, e);
	if (rc == 0)
		rc = wgnl_set(genl, id, &named, should_replace_peers, e);
	str_wipe(&named, sizeof(named));
	return rc;
}

static int kernel_get(const struct backend_device *dev, int inside_fd, struct wg_device *out,
		      struct err *e)
{
	AUTO_NL struct nl *genl = NULL;
	uint16_t id;
	int rc = open_family(inside_fd, &genl, &id, e);

	return rc < 0 ? rc : wgnl_get(genl, id, called(dev), out, e);
}

/*
 * The kernel waits for everyone who may still see a peer, once for each: some ten milliseconds when the device goes
 * (wg_destruct), a few microseconds when the peers are removed by a request, under the lock of rtnetlink
 * (synchronize_net). With thousands of peers that is minutes. That it fails is no matter: they go with the device.
 */
static void forget_peers(int ns_fd, const char *name)
{
	AUTO_NL struct nl *genl = NULL;
	struct wg_device none = { 0 };
	struct err ignored;
	uint16_t id;

	if (open_family(ns_fd, &genl, &id, &ignored) < 0)
		return;
	memcpy(none.name, name, sizeof(none.name));
	(void)wgnl_set(genl, id, &none, true, &ignored);
}

static int delete_device(int ns_fd, const char *name, struct err *e)
{
	if (name[0])
		forget_peers(ns_fd, name);
	return wg_link_delete(ns_fd, name, KIND, e);
}

/* dev->name is tried last: while the device has its birth name, that name inside may be somebody else's */
static int kernel_destroy(const struct backend_device *dev, int birth_fd, int inside_fd,
			  struct err *e)
{
	int rc = delete_device(birth_fd, dev->birth_name, e);

	if (rc == 0)
		rc = delete_device(inside_fd, dev->birth_name, e);
	if (rc == 0)
		rc = delete_device(inside_fd, dev->name, e);
	return rc < 0 ? rc : 0;
}

const struct backend backend_kernel = {
	.name = "kernel",
	.usable = kernel_usable,
	.create = kernel_create,
	.create_recorded = kernel_create_recorded,
	.set = kernel_set,
	.get = kernel_get,
	.destroy = kernel_destroy,
};
