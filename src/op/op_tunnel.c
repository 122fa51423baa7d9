// SPDX-License-Identifier: GPL-2.0-or-later
/* the WireGuard device: born in physical, living in home */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "op_internal.h"
#include "wgns/fd.h"
#include "wgns/resolve.h"
#include "wgns/str.h"

/* IPv6 header 40, UDP 8, WireGuard 32: whitepaper section 5.4.6 */
#define WIREGUARD_OVERHEAD 80
#define MTU_FALLBACK 1500
#define RESOLVE_TIMEOUT_MS 300000 /* of all names together */

/*
 * Whose device it is: at birth by its random name, which is written down before it exists; after the move by the alias
 * that the same message sets, or by its number, because alias and name are the user's to change from then on.
 */
static void own_alias(const struct op_env *env, char out[64])
{
	(void)snprintf(out, 64, BACKEND_ALIAS "%s", env->tunnel.device.birth_name);
}

bool op_tunnel_is_ours(const struct op_env *env, const struct rtnl_link *link)
{
	char alias[64];

	own_alias(env, alias);
	if (env->tunnel.device.birth_name[0] && strcmp(link->alias, alias) == 0)
		return true;
	return env->tunnel.device.ifindex && link->ifindex == env->tunnel.device.ifindex &&
	       (strcmp(link->kind, "wireguard") == 0 || strcmp(link->kind, "tun") == 0);
}

static int record_daemon(void *ctx, const struct backend_device *dev, struct err *e)
{
	struct op_env *env = ctx;

	env->tunnel.device.pid = dev->pid;
	env->tunnel.device.start_time = dev->start_time;
	return state_tunnel_write(env->run_fd, &env->tunnel, e);
}

int tunnel_create_run(struct op_env *env, const struct step *step, struct err *e)
{
	(void)step;
	/* the name that the device will have is told first after the move */
	struct backend_device dev = env->tunnel.device;

	const struct backend_record record = { .write = record_daemon, .ctx = env };
	return env->backend->create_recorded(&dev, env->physical_fd, &record, e);
}

int tunnel_create_undo(struct op_env *env, const struct step *step, struct err *e)
{
	struct backend_device dev = env->tunnel.device;
	struct rtnl_links links = { 0 };
	struct nl *nl;

	(void)step;
	if (!dev.birth_name[0])
		return 0; /* its file is damaged: `recover` has found the device by what marks it */
	int rc = op_env_nl_home(env, &nl, e);
	if (rc == 0)
		rc = rtnl_dump_links(nl, &links, e);
	if (rc < 0)
		return rc;
	/* a device of that name that is not ours is somebody else's: then only the birthplace is looked at */
	dev.name[0] = '\0';
	for (size_t i = 0; i < links.n; i++) {
		if (op_tunnel_is_ours(env, &links.items[i]))
			memcpy(dev.name, links.items[i].name, sizeof(dev.name));
	}
	rtnl_links_free(&links);
	return env->backend->destroy(&dev, env->physical_fd, dev.name[0] ? env->home_fd : -1, e);
}

int tunnel_move_run(struct op_env *env, const struct step *step, struct err *e)
{
	struct rtnl_link link;
	char alias[64];
	struct nl_msg m;
	struct nl *nl;

	(void)step;
	int rc = op_env_nl_physical(env, &nl, e);
	if (rc == 0)
		rc = rtnl_get_link(nl, 0, env->tunnel.device.birth_name, &link, e);
	if (rc < 0)
		return rc;
	own_alias(env, alias);
	rtnl_build_link_move(&m, link.ifindex, env->home_fd, env->tunnel.device.name, 0);
	if (!rtnl_put_link_alias(&m, alias))
		return err_set(e, EMSGSIZE, "move the tunnel");
	rc = nl_talk(nl, &m, e);
	if (rc == 0)
		rc = op_env_nl_home(env, &nl, e);
	if (rc == 0)
		rc = rtnl_get_link(nl, 0, env->tunnel.device.name, &link, e);
	if (rc < 0)
		return rc;
	env->tunnel.device.ifindex = link.ifindex;
	return state_tunnel_write(env->run_fd, &env->tunnel, e);
}

int socket_name_run(struct op_env *env, const struct step *step, struct err *e)
{
	(void)step;
	return backend_link_socket(&env->tunnel.device, e);
}

int socket_name_undo(struct op_env *env, const struct step *step, struct err *e)
{
	(void)step;
	if (!env->tunnel.device.birth_name[0])
		return 0; /* as above */
	return backend_unlink_socket(&env->tunnel.device, e);
}

static void note_retry(const char *text, unsigned pause_ms, void *ctx)
{
	op_env_note(ctx, "%s; trying again in %u.%u s", text, pause_ms / 1000,
		    pause_ms % 1000 / 100);
}

static bool is_stopped(void *ctx)
{
	const struct op_env *env = ctx;

	return env->should_stop(env->note_ctx);
}

int op_tunnel_resolve(struct op_env *env, struct wg_device *dev, struct err *e)
{
	const struct resolve_policy policy = {
		.n_retries = env->resolve_retries,
		.timeout_ms = RESOLVE_TIMEOUT_MS,
		.notice = note_retry,
		.should_stop = env->should_stop ? is_stopped : NULL,
		.ctx = env,
	};

	return resolve_endpoints(dev, env->physical_fd, STATE_DIR "/" OP_BOX_PATH, &policy, e);
}

int wg_set_run(struct op_env *env, const struct step *step, struct err *e)
{
	(void)step;
	int rc = op_tunnel_resolve(env, &env->conf->device, e);

	if (rc < 0)
		return rc;
	/* as `wg addconf`: a key that PreUp set stays when the file has none */
	return env->backend->set(&env->tunnel.device, env->home_fd, &env->conf->device, false, e);
}

static int tunnel_link(struct op_env *env, struct nl **nl, struct rtnl_link *link, struct err *e)
{
	int rc = op_env_nl_home(env, nl, e);

	return rc < 0 ? rc : rtnl_get_link(*nl, 0, env->tunnel.device.name, link, e);
}

struct named_addrs {
	const struct addr *list;
	const char *what;
};

static int name_failure(size_t index, int code, const char *ext_ack, void *ctx, struct err *e)
{
	const struct named_addrs *names = ctx;
	char text[ADDR_TEXT_MAX];

	addr_format_prefix(&names->list[index], text);
	err_set(e, code, "%s %s", names->what, text);
	err_kernel(e, ext_ack);
	return -code;
}

int addr_add_run(struct op_env *env, const struct step *step, struct err *e)
{
	AUTO_NL_BATCH struct nl_batch *batch = NULL;
	struct named_addrs names = { env->conf->addresses, "address" };
	struct rtnl_link link;
	struct nl_msg m;
	struct nl *nl;

	(void)step;
	int rc = tunnel_link(env, &nl, &link, e);
	if (rc == 0)
		rc = nl_batch_new(&batch, e);
	for (size_t i = 0; rc == 0 && i < env->conf->n_addresses; i++) {
		rtnl_build_addr_add(&m, link.ifindex, &env->conf->addresses[i]);
		if (nl_batch_add(batch, &m) < 0)
			rc = err_set(e, ENOMEM, "add the addresses");
	}
	return rc < 0 ? rc : nl_batch_send(nl, batch, name_failure, &names, e);
}

/* the MTU of the way to one destination: the route's own, else its device's; 0 when there is no way */
static uint32_t mtu_to(struct nl *nl, const struct addr *dst)
{
	struct rtnl_route route;
	struct rtnl_link link;
	struct err ignored; /* no way to this peer now: the others decide */

	if (rtnl_route_lookup(nl, dst, &route, &ignored) < 0)
		return 0;
	if (route.mtu || !route.n_oifs)
		return route.mtu;
	return rtnl_get_link(nl, route.oifs[0], NULL, &link, &ignored) == 0 ? link.mtu : 0;
}

/* of the first default route, as `ip route show default` lists them; a look-up of 0.0.0.0 would end at lo */
static uint32_t mtu_of_default_route(struct nl *nl)
{
	struct rtnl_list routes = { 0 };
	struct rtnl_route route;
	struct rtnl_link link;
	struct err ignored; /* then the fallback decides */
	uint32_t mtu = 0;

	if (rtnl_dump(nl, RTNL_ROUTE, AF_UNSPEC, &routes, &ignored) < 0)
		return 0;
	for (size_t i = 0; i < routes.n && !mtu; i++) {
		if (rtnl_parse_route(routes.items[i].msg, &route) < 0 || route.dst.bits ||
		    route.table != RT_TABLE_MAIN || route.type != RTN_UNICAST || !route.n_oifs)
			continue;
		mtu = route.mtu;
		if (!mtu && rtnl_get_link(nl, route.oifs[0], NULL, &link, &ignored) == 0)
			mtu = link.mtu;
	}
	rtnl_list_free(&routes);
	return mtu;
}

static bool endpoint_addr(const union wg_endpoint *ep, struct addr *out)
{
	*out = (struct addr){ .family = (uint8_t)ep->sa.sa_family };
	if (ep->sa.sa_family == AF_INET) {
		out->bits = 32;
		memcpy(out->bytes, &ep->v4.sin_addr, 4);
		return true;
	}
	out->bits = 128;
	memcpy(out->bytes, &ep->v6.sin6_addr, 16);
	return ep->sa.sa_family == AF_INET6;
}

/* wg-quick's rule, in the birthplace: the smallest MTU towards any endpoint, else the default route's, less the overhead */
int op_tunnel_mtu(struct op_env *env, const struct wg_device *dev, uint32_t *out, struct err *e)
{
	uint32_t smallest = 0;
	struct nl *nl;
	int rc = op_env_nl_physical(env, &nl, e);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < dev->n_peers; i++) {
		struct addr dst;
		if (!endpoint_addr(&dev->peers[i].endpoint, &dst))
			continue;
		uint32_t mtu = mtu_to(nl, &dst);
		if (mtu && (!smallest || mtu < smallest))
			smallest = mtu;
	}
	if (!smallest)
		smallest = mtu_of_default_route(nl);
	if (!smallest)
		smallest = MTU_FALLBACK;
	*out = smallest > WIREGUARD_OVERHEAD ? smallest - WIREGUARD_OVERHEAD : smallest;
	return 0;
}

int link_up_run(struct op_env *env, const struct step *step, struct err *e)
{
	uint32_t mtu = env->conf->mtu;
	struct rtnl_link link;
	struct nl_msg m;
	struct nl *nl;

	(void)step;
	int rc = tunnel_link(env, &nl, &link, e);
	if (rc == 0 && !mtu)
		rc = op_tunnel_mtu(env, &env->conf->device, &mtu, e);
	if (rc < 0)
		return rc;
	rtnl_build_link_set(&m, link.ifindex, IFF_UP, IFF_UP);
	if (!rtnl_put_link_mtu(&m, mtu))
		return err_set(e, EMSGSIZE, "set up %s", link.name);
	return nl_talk(nl, &m, e);
}

int route_add_run(struct op_env *env, const struct step *step, struct err *e)
{
	AUTO_NL_BATCH struct nl_batch *batch = NULL;
	const struct wgquick *conf = env->conf;
	uint32_t table = conf->table == WGQUICK_TABLE_NUMBER ? conf->table_number : RT_TABLE_MAIN;
	struct addr *routes = NULL;
	struct rtnl_link link;
	struct nl_msg m;
	struct nl *nl;
	size_t n = 0;

	(void)step;
	int rc = tunnel_link(env, &nl, &link, e);
	if (rc == 0)
		rc = nl_batch_new(&batch, e);
	if (rc == 0 && plan_routes(conf, &routes, &n) < 0)
		rc = err_set(e, ENOMEM, "add the routes");
	for (size_t i = 0; rc == 0 && i < n; i++) {
		rtnl_build_route_add(&m, link.ifindex, &routes[i], table);
		if (nl_batch_add(batch, &m) < 0)
			rc = err_set(e, ENOMEM, "add the routes");
	}
	struct named_addrs names = { routes, "route" };
	if (rc == 0)
		rc = nl_batch_send(nl, batch, name_failure, &names, e);
	free(routes);
	return rc;
}
