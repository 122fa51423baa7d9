// SPDX-License-Identifier: GPL-2.0-or-later
/* putting a snapshot back, in the order in which the kernel wants it */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "wgns/snapshot.h"
#include "wgns/str.h"

#define ADDR_WAIT_TRIES 2000 /* a second of half milliseconds */

/* an object of a device that is not here any more: it was unplugged, or stays where it is */
static bool is_gone(const struct rtnl_ifindex_map *map, enum rtnl_kind kind,
		    const struct nlmsghdr *msg)
{
	struct rtnl_addr addr;
	struct rtnl_neigh neigh;
	int ifindex = 0;

	if (kind == RTNL_ADDR && rtnl_parse_addr(msg, &addr) == 0)
		ifindex = addr.ifindex;
	else if (kind == RTNL_NEIGH && rtnl_parse_neigh(msg, &neigh) == 0)
		ifindex = neigh.ifindex;
	for (size_t i = 0; i < map->n; i++) {
		if (map->pairs[i].from == ifindex)
			return false;
	}
	return ifindex != 0;
}

static bool is_mapped(const struct rtnl_ifindex_map *map, int ifindex)
{
	for (size_t i = 0; i < map->n; i++) {
		if (map->pairs[i].to == ifindex)
			return true;
	}
	return false;
}

/* MTU, queue length and the like survive most moves; what differs is set, and only that */
static int restore_attributes(const struct restore *r, const struct rtnl_link *old,
			      const struct rtnl_link *now, struct err *e)
{
	const uint32_t kept = IFF_NOARP | IFF_PROMISC | IFF_ALLMULTI | IFF_MULTICAST | IFF_DYNAMIC;
	uint32_t change = (old->flags ^ now->flags) & kept;
	bool is_changed = change != 0, fits = true;
	struct nl_msg m;

	rtnl_build_link_set(&m, now->ifindex, old->flags & change, change);
	if (old->mtu != now->mtu)
		is_changed = true, fits = fits && rtnl_put_link_mtu(&m, old->mtu);
	if (old->txqlen != now->txqlen)
		is_changed = true, fits = fits && rtnl_put_link_txqlen(&m, old->txqlen);
	if (old->group != now->group)
		is_changed = true, fits = fits && rtnl_put_link_group(&m, old->group);
	if (strcmp(old->alias, now->alias) != 0)
		is_changed = true, fits = fits && rtnl_put_link_alias(&m, old->alias);
	if (old->hwaddr_len == now->hwaddr_len && old->hwaddr_len &&
	    memcmp(old->hwaddr, now->hwaddr, old->hwaddr_len) != 0)
		is_changed = true,
		fits = fits && rtnl_put_link_hwaddr(&m, old->hwaddr, old->hwaddr_len);
	if (!fits)
		return err_set(e, EMSGSIZE, "configure %s", old->name);
	if (!is_changed)
		return 0;
	int rc = nl_talk(r->nl, &m, e);
	return rc < 0 ? err_context(e, "configure %s", old->name) : 0;
}

/* after the sysctls: "stable" is refused without stable_secret, and setting that changes the mode */
static int restore_addr_gen_mode(const struct restore *r, const struct rtnl_link *old,
				 const struct rtnl_link *now, struct err *e)
{
	struct nl_msg m;

	if (old->addr_gen_mode == 0xff)
		return 0; /* a device without IPv6 */
	rtnl_build_link_set(&m, now->ifindex, 0, 0);
	if (!rtnl_put_link_addr_gen_mode(&m, old->addr_gen_mode))
		return err_set(e, EMSGSIZE, "configure %s", old->name);
	int rc = nl_talk(r->nl, &m, e);
	return rc < 0 ? err_context(e, "set the address generation mode of %s", old->name) : 0;
}

int restore_link(const struct restore *r, const struct rtnl_link *old, struct err *e)
{
	struct rtnl_links links = { 0 };
	struct rtnl_link now = { 0 };
	struct nl_msg m;

	int rc = rtnl_dump_links(r->nl, &links, e);
	if (rc < 0)
		return rc;
	const struct rtnl_link *found = snapshot_find_link(&links, old);
	if (found)
		now = *found;
	rtnl_links_free(&links);
	if (!now.ifindex)
		return err_set(e, ENODEV, "find %s", old->name);
	/* one refused attribute must not keep the device down: the first is reported, the rest is done */
	struct err first = { 0 }, why;
	if (restore_attributes(r, old, &now, &why) < 0)
		first = why;
	if (sysctl_write_device(r, old->name, now.name, SYSCTL_BEFORE_UP, &why) < 0 && !first.code)
		first = why;
	if (restore_addr_gen_mode(r, old, &now, &why) < 0 && !first.code)
		first = why;
	if (old->flags & IFF_UP) {
		rtnl_build_link_flags(&m, now.ifindex, IFF_UP, IFF_UP);
		/* -ERFKILL: the radio was switched off meanwhile, and its user switches it on */
		int rc_up = nl_talk(r->nl, &m, &why);
		if (rc_up < 0 && rc_up != -ERFKILL && !first.code) {
			err_context(&why, "set %s up", old->name);
			first = why;
		}
	}
	if (!first.code)
		return 0;
	*e = first;
	return -first.code;
}

/* which object a batch's request was made of, so that a failure can be named */
struct sent {
	enum rtnl_kind kind;
	const struct rtnl_links *links;
	const struct nlmsghdr **objects;
};

static int name_failure(size_t index, int code, const char *ext_ack, void *ctx, struct err *e)
{
	const struct sent *sent = ctx;
	char text[256];

	if (code == EEXIST)
		return 0; /* the kernel made it by itself, or it never went */
	rtnl_describe(sent->kind, sent->objects[index], sent->links, text, sizeof(text));
	err_set(e, code, "%s", text);
	err_kernel(e, ext_ack);
	return -code;
}

/*
 * Addresses, neighbours and rules in one batch. Only a neighbour is replaced: what the kernel learnt meanwhile is not what
 * was set by hand; replacing an address would add a prefix route that was not there.
 */
static int restore_list(const struct restore *r, enum rtnl_kind kind, const struct rtnl_list *list,
			struct err *e)
{
	struct rtnl_ifindex_map map;
	struct rtnl_links now = { 0 };
	AUTO_NL_BATCH struct nl_batch *batch = NULL;
	struct sent sent = { .kind = kind, .links = &r->snap->links };
	size_t n_sent = 0;
	struct nl_msg m;

	if (!list->n)
		return 0;
	sent.objects = calloc(list->n, sizeof(const struct nlmsghdr *));
	int rc = sent.objects ? restore_map(r, &map, &now, e) : err_set(e, ENOMEM, "restore");
	if (rc == 0)
		rc = nl_batch_new(&batch, e);
	for (size_t i = 0; rc == 0 && i < list->n; i++) {
		if (is_gone(&map, kind, list->items[i].msg))
			continue;
		rc = rtnl_build_restore(kind, list->items[i].msg, &map, kind != RTNL_NEIGH, &m);
		if (rc == 0)
			rc = nl_batch_add(batch, &m) < 0 ? -ENOMEM : 0;
		if (rc < 0)
			err_set(e, -rc, "restore");
		sent.objects[n_sent++] = list->items[i].msg;
	}
	if (rc == 0)
		rc = nl_batch_send(r->nl, batch, name_failure, &sent, e);
	rtnl_links_free(&now);
	free(sent.objects);
	return rc;
}

/* the kernel gives a device that is set up a link-local address; one that was not there goes again */
static int drop_new_addrs(const struct restore *r, struct err *e)
{
	struct rtnl_ifindex_map map;
	struct rtnl_links links = { 0 };
	struct rtnl_list now = { 0 };
	struct nl_msg m;
	struct rtnl_addr addr;

	int rc = restore_map(r, &map, &links, e);
	if (rc == 0)
		rc = rtnl_dump(r->nl, RTNL_ADDR, AF_INET6, &now, e);
	for (size_t i = 0; rc == 0 && i < now.n; i++) {
		bool was_there = false;

		if (rtnl_parse_addr(now.items[i].msg, &addr) < 0 ||
		    !is_mapped(&map, addr.ifindex) || addr.scope != RT_SCOPE_LINK)
			continue;
		for (size_t k = 0; k < r->snap->addrs.n && !was_there; k++) {
			struct rtnl_addr old;
			was_there = rtnl_parse_addr(r->snap->addrs.items[k].msg, &old) == 0 &&
				    addr_equal(&old.local, &addr.local);
		}
		if (was_there || rtnl_build_delete(RTNL_ADDR, now.items[i].msg, &m) < 0)
			continue;
		rc = nl_talk(r->nl, &m, e);
		if (rc == -EADDRNOTAVAIL)
			rc = 0; /* gone by itself */
	}
	rtnl_list_free(&now);
	rtnl_links_free(&links);
	return rc;
}

/* is an IPv6 address of a device that is up still tentative? */
static int has_tentative(const struct restore *r, bool *out, struct err *e)
{
	struct rtnl_ifindex_map map;
	struct rtnl_links links = { 0 };
	struct rtnl_list now = { 0 };
	struct rtnl_addr addr;

	*out = false;
	int rc = restore_map(r, &map, &links, e);
	if (rc == 0)
		rc = rtnl_dump(r->nl, RTNL_ADDR, AF_INET6, &now, e);
	for (size_t i = 0; rc == 0 && i < now.n; i++) {
		if (rtnl_parse_addr(now.items[i].msg, &addr) < 0 || !is_mapped(&map, addr.ifindex))
			continue;
		const struct rtnl_link *link = rtnl_links_by_index(&links, addr.ifindex);
		*out = *out || (addr.flags & IFA_F_TENTATIVE && link->flags & IFF_UP);
	}
	rtnl_list_free(&now);
	rtnl_links_free(&links);
	return rc;
}

/*
 * With accept_dad=0 an address is usable as soon as the kernel's worker has seen it (addrconf_dad_work()), which is not at
 * once, and a route that names it as its source is refused until then.
 */
static int wait_for_addrs(const struct restore *r, struct err *e)
{
	const struct timespec pause = { .tv_nsec = 500 * 1000 };
	bool is_waiting = true;
	int rc = 0;

	for (int i = 0; rc == 0 && is_waiting && i < ADDR_WAIT_TRIES; i++) {
		rc = has_tentative(r, &is_waiting, e);
		if (rc == 0 && is_waiting)
			(void)nanosleep(&pause, NULL); /* cut short by a signal: looked at again */
	}
	return rc; /* one that stays tentative is the routes' problem, and they name it */
}

int restore_addrs(const struct restore *r, struct err *e)
{
	int rc = restore_list(r, RTNL_ADDR, &r->snap->addrs, e);

	if (rc == 0)
		rc = drop_new_addrs(r, e);
	return rc < 0 ? rc : wait_for_addrs(r, e);
}

int restore_neighs(const struct restore *r, struct err *e)
{
	return restore_list(r, RTNL_NEIGH, &r->snap->neighs, e);
}

/* rules are not keyed: one that is there already would be there twice */
int restore_rules(const struct restore *r, struct err *e)
{
	struct rtnl_list now = { 0 }, missing = { 0 };
	int rc = rtnl_dump(r->nl, RTNL_RULE, AF_UNSPEC, &now, e);

	for (size_t i = 0; rc == 0 && i < r->snap->rules.n; i++) {
		const struct nlmsghdr *rule = r->snap->rules.items[i].msg;
		bool is_there = false;
		for (size_t k = 0; k < now.n && !is_there; k++)
			is_there = rtnl_equal(RTNL_RULE, rule, NULL, now.items[k].msg);
		if (!is_there && rtnl_list_add(&missing, rule) < 0)
			rc = err_set(e, ENOMEM, "restore the rules");
	}
	if (rc == 0)
		rc = restore_list(r, RTNL_RULE, &missing, e);
	rtnl_list_free(&now);
	rtnl_list_free(&missing);
	return rc;
}

int restore_finish(const struct restore *r, struct err *e)
{
	struct rtnl_links now = { 0 };
	int rc = rtnl_dump_links(r->nl, &now, e);

	for (size_t i = 0; rc == 0 && i < r->snap->links.n; i++) {
		const struct rtnl_link *old = &r->snap->links.items[i];
		const struct rtnl_link *link = snapshot_find_link(&now, old);
		if (link)
			rc = sysctl_write_device(r, old->name, link->name, SYSCTL_AFTER_ROUTES, e);
	}
	rtnl_links_free(&now);
	return rc;
}
