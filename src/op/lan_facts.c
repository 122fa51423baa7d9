// SPDX-License-Identifier: GPL-2.0-or-later
/* what home may reach over the pair now, by the state of both namespaces and of the tunnels */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lan_internal.h"
#include "wgns/fd.h"
#include "wgns/snapshot.h"
#include "wgns/str.h"

void lan_facts_free(struct lan_facts *f)
{
	rtnl_links_free(&f->home_links);
	rtnl_links_free(&f->links);
	rtnl_list_free(&f->home_addrs);
	rtnl_list_free(&f->home_routes);
	rtnl_list_free(&f->addrs);
	rtnl_list_free(&f->routes);
	free(f->tunnels);
	free(f->uplinks);
}

static bool is_pair(const struct rtnl_link *a, const struct rtnl_link *b)
{
	return strcmp(a->kind, "veth") == 0 && strcmp(b->kind, "veth") == 0 &&
	       a->has_lower_netnsid && b->has_lower_netnsid && a->lower == b->ifindex &&
	       b->lower == a->ifindex;
}

/* Return: 1, 0 when there is none, -errno */
static int get_link(struct nl *nl, int ifindex, const char *name, struct rtnl_link *out,
		    struct err *e)
{
	struct err why;
	int rc = rtnl_get_link(nl, ifindex, name, out, &why);

	if (rc == 0)
		return 1;
	if (rc == -ENODEV)
		return 0;
	*e = why;
	return rc;
}

/* an end by its name, and the other, which somebody may have renamed, by its number */
static int find_from(struct nl *nl, struct nl *other_nl, struct rtnl_link *end,
		     struct rtnl_link *other, struct err *e)
{
	int rc = get_link(nl, 0, LAN_DEVICE, end, e);

	if (rc == 1)
		rc = end->lower > 0 ? get_link(other_nl, end->lower, NULL, other, e) : 0;
	return rc == 1 ? is_pair(end, other) : rc;
}

int lan_find(struct op_env *env, struct rtnl_link *in_home, struct rtnl_link *in_physical,
	     struct err *e)
{
	struct rtnl_link home, physical;
	struct nl *home_nl, *physical_nl;

	if (env->physical_fd < 0)
		return 0;
	int rc = op_env_nl_home(env, &home_nl, e);
	if (rc == 0)
		rc = op_env_nl_physical(env, &physical_nl, e);
	if (rc == 0)
		rc = find_from(physical_nl, home_nl, &physical, &home, e);
	if (rc == 0)
		rc = find_from(home_nl, physical_nl, &home, &physical, e);
	if (rc <= 0)
		return rc;
	*in_home = home;
	*in_physical = physical;
	return 1;
}

static int read_facts(struct op_env *env, struct lan_facts *f, struct err *e)
{
	struct nl *home, *physical;
	int rc = op_env_nl_home(env, &home, e);

	if (rc == 0)
		rc = op_env_nl_physical(env, &physical, e);
	if (rc == 0)
		rc = rtnl_dump_links(home, &f->home_links, e);
	if (rc == 0)
		rc = rtnl_dump(home, RTNL_ADDR, AF_UNSPEC, &f->home_addrs, e);
	if (rc == 0)
		rc = rtnl_dump(home, RTNL_ROUTE, AF_UNSPEC, &f->home_routes, e);
	if (rc == 0)
		rc = rtnl_dump_links(physical, &f->links, e);
	if (rc == 0)
		rc = rtnl_dump(physical, RTNL_ADDR, AF_UNSPEC, &f->addrs, e);
	if (rc == 0)
		rc = rtnl_dump(physical, RTNL_ROUTE, AF_UNSPEC, &f->routes, e);
	return rc < 0 ? rc : state_tunnels(env->run_fd, &f->tunnels, &f->n_tunnels, e);
}

static bool is_named(const struct lan_change *change, const char *name)
{
	for (size_t i = 0; change && i < change->n_more; i++) {
		if (strcmp(change->more[i], name) == 0)
			return true;
	}
	return false;
}

static bool is_saved(const struct lan_facts *f, const struct snapshot *snap,
		     const struct rtnl_link *link)
{
	for (size_t i = 0; i < snap->links.n; i++) {
		if (snapshot_find_link(&f->links, &snap->links.items[i]) == link)
			return true;
	}
	return false;
}

/* not everything in physical is an uplink: somebody may have another tunnel or a bridge there */
static int find_uplinks(struct op_env *env, const struct lan_change *change, struct lan_facts *f,
			struct err *e)
{
	const struct snapshot *snap;
	int rc = op_env_snapshot(env, &snap, e);

	if (rc < 0)
		return rc;
	f->uplinks = calloc(f->links.n + 1, sizeof(*f->uplinks));
	if (!f->uplinks)
		return err_set(e, ENOMEM, "find the uplinks");
	for (size_t i = 0; i < f->links.n; i++) {
		const struct rtnl_link *link = &f->links.items[i];
		if (link->ifindex == f->physical_end.ifindex || link->flags & IFF_LOOPBACK)
			continue;
		if (link->has_parent_device || is_saved(f, snap, link) ||
		    is_named(change, link->name))
			f->uplinks[f->n_uplinks++] = link->ifindex;
	}
	return 0;
}

/* the copy of a tunnel's file: what it names is not the LAN's */
static int read_conf(struct op_env *env, const struct state_tunnel *t, struct wgquick *conf,
		     struct err *e)
{
	struct diag_list diags = { .file = "the copy of the configuration" };
	char path[STATE_PLACE_MAX + IFNAMSIZ + 16];
	AUTO_FREE char *text = NULL;
	size_t len = 0;

	state_tunnel_path(t->place, t->device.name, path, sizeof(path));
	AUTO_FD int dir_fd = state_openat(env->run_fd, path, O_RDONLY | O_DIRECTORY, e);
	if (dir_fd < 0)
		return dir_fd;
	int rc = fd_read_file_at(dir_fd, "config", WGQUICK_FILE_MAX, &text, &len, e);
	if (rc < 0)
		return rc;
	rc = wgquick_parse(text, len, t->device.name, conf, &diags);
	diag_free(&diags);
	str_wipe(text, len);
	return rc < 0 ? err_set(e, -rc, "read the copy of the configuration") : 0;
}

static void drop(struct lan_prefixes *list, size_t i)
{
	list->n--;
	memmove(&list->items[i], &list->items[i + 1], (list->n - i) * sizeof(list->items[0]));
}

static void drop_of_conf(struct lan_prefixes *list, const struct wgquick *conf)
{
	for (size_t i = list->n; i-- > 0;) {
		if (lan_is_of_tunnel(conf, &list->items[i].net))
			drop(list, i);
	}
}

/* one that cannot be read may name everything: then nothing passes */
static int drop_of_tunnels(struct op_env *env, const struct lan_facts *f, const char *without,
			   struct lan_prefixes *list, struct err *e)
{
	for (size_t i = 0; i < f->n_tunnels; i++) {
		const struct state_tunnel *t = &f->tunnels[i];
		struct wgquick conf = { 0 };

		if (strcmp(t->place, "home") != 0 ||
		    (without && strcmp(t->device.name, without) == 0))
			continue;
		int rc = read_conf(env, t, &conf, e);
		if (rc < 0)
			return err_context(e, "leave to %s what is its own", t->device.name);
		drop_of_conf(list, &conf);
		wgquick_free(&conf);
	}
	return 0;
}

static int drop_of_home(const struct lan_facts *f, struct lan_prefixes *list, struct err *e)
{
	int *except = calloc(f->n_tunnels + 1, sizeof(*except));
	size_t n = 0;

	if (!except)
		return err_set(e, ENOMEM, "compare with home's routes");
	except[n++] = f->home_end.ifindex;
	for (size_t i = 0; i < f->n_tunnels; i++) {
		const struct rtnl_link *link =
			rtnl_links_by_name(&f->home_links, f->tunnels[i].device.name);
		if (link)
			except[n++] = link->ifindex;
	}
	for (size_t i = list->n; i-- > 0;) {
		if (lan_is_of_home(&f->home_routes, except, n, &list->items[i].net) ||
		    lan_is_public(&list->items[i].net))
			drop(list, i);
	}
	free(except);
	return 0;
}

bool lan_own_address(const struct lan_facts *f, uint8_t family, struct addr *out)
{
	struct rtnl_addr addr;

	for (size_t i = 0; i < f->home_addrs.n; i++) {
		if (rtnl_parse_addr(f->home_addrs.items[i].msg, &addr) < 0 ||
		    addr.ifindex != f->home_end.ifindex || addr.family != family ||
		    addr.local.bits != addr_len(&addr.local) * 8 - 1)
			continue;
		*out = addr.local;
		return true;
	}
	return false;
}

/* without an address of the family there is no way: IPv6 may be switched off in home */
static void drop_unreachable(const struct lan_facts *f, struct lan_prefixes *list)
{
	struct addr ignored;

	for (size_t i = list->n; i-- > 0;) {
		if (!lan_own_address(f, list->items[i].net.family, &ignored))
			drop(list, i);
	}
}

int lan_facts_read(struct op_env *env, const struct lan_change *change, struct lan_facts *out,
		   struct err *e)
{
	struct lan_facts f = { 0 };

	int rc = lan_find(env, &f.home_end, &f.physical_end, e);
	if (rc <= 0)
		return rc;
	rc = read_facts(env, &f, e);
	if (rc == 0)
		rc = find_uplinks(env, change, &f, e);
	if (rc == 0) {
		lan_on_link(&f.links, &f.addrs, &f.routes, f.uplinks, f.n_uplinks, &f.list);
		rc = drop_of_tunnels(env, &f, change ? change->without : NULL, &f.list, e);
	}
	if (rc == 0)
		rc = drop_of_home(&f, &f.list, e);
	if (rc < 0) {
		lan_facts_free(&f);
		return rc;
	}
	drop_unreachable(&f, &f.list);
	*out = f;
	return 1;
}
