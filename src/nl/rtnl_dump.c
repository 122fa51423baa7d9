// SPDX-License-Identifier: GPL-2.0-or-later
/* The part of rtnl that talks: dumps and lookups. */
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/nexthop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rtnl_internal.h"

static int take_link(const struct nlmsghdr *reply, void *ctx, struct err *e)
{
	struct rtnl_links *links = ctx;

	/* room for 1, 2, 4, 8 ...: a full array has a power of two */
	if ((links->n & (links->n - 1)) == 0) {
		size_t cap = links->n ? links->n * 2 : 1;
		struct rtnl_link *items = realloc(links->items, cap * sizeof(*items));
		if (!items)
			return err_set(e, ENOMEM, "read the list of links");
		links->items = items;
	}
	int r = rtnl_parse_link(reply, &links->items[links->n]);
	if (r < 0)
		return err_set(e, -r, "understand a link that the kernel describes");
	links->n++;
	return 0;
}

static void forget_links(void *ctx)
{
	rtnl_links_free(ctx);
}

int rtnl_dump_links(struct nl *nl, struct rtnl_links *out, struct err *e)
{
	struct rtnl_links links = { 0 };
	struct nl_msg m;

	nl_msg_begin(&m, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	mnl_attr_put_u32(nl_msg_hdr(&m), IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	int r = nl_dump(nl, &m, take_link, forget_links, &links, e);
	if (r < 0) {
		rtnl_links_free(&links);
		return r;
	}
	*out = links;
	return 0;
}

void rtnl_list_free(struct rtnl_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i].msg);
	free(list->items);
	*list = (struct rtnl_list){ 0 };
}

int rtnl_list_add(struct rtnl_list *list, const struct nlmsghdr *msg)
{
	if ((list->n & (list->n - 1)) == 0) {
		size_t cap = list->n ? list->n * 2 : 1;
		struct rtnl_object *items = realloc(list->items, cap * sizeof(*items));
		if (!items)
			return -ENOMEM;
		list->items = items;
	}

	struct nlmsghdr *copy = malloc(msg->nlmsg_len);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, msg, msg->nlmsg_len);
	list->items[list->n++].msg = copy;
	return 0;
}

struct collecting {
	struct rtnl_list list;
	enum rtnl_kind kind;
	size_t n_kept; /* of an earlier dump, which a restart does not forget */
};

/* Every dumped family header begins with its family. */
static bool is_wanted(const struct nlmsghdr *msg, enum rtnl_kind kind)
{
	const uint8_t *family = mnl_nlmsg_get_payload(msg);
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(msg);
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(msg);
	size_t len = mnl_nlmsg_get_payload_len(msg);

	/* AF_UNSPEC dumps bring MPLS, bridge and multicast routing entries as well */
	if (len < 1 || (*family != AF_INET && *family != AF_INET6))
		return false;
	switch (kind) {
	case RTNL_ROUTE:
		return len >= sizeof(*rtm) && !(rtm->rtm_flags & RTM_F_CLONED);
	case RTNL_NEIGH:
		return len >= sizeof(*ndm) &&
		       ((ndm->ndm_state & NUD_PERMANENT) || (ndm->ndm_flags & NTF_PROXY));
	case RTNL_ADDR:
	case RTNL_RULE:
		return true;
	}
	return false;
}

static int take_object(const struct nlmsghdr *reply, void *ctx, struct err *e)
{
	struct collecting *c = ctx;

	if (is_wanted(reply, c->kind) && rtnl_list_add(&c->list, reply) < 0)
		return err_set(e, ENOMEM, "read a list from the kernel");
	return 0;
}

static void forget_objects(void *ctx)
{
	struct collecting *c = ctx;

	while (c->list.n > c->n_kept)
		free(c->list.items[--c->list.n].msg);
}

static void begin_dump(struct nl_msg *m, enum rtnl_kind kind, int family)
{
	static const struct {
		uint16_t type;
		size_t len;
	} dumps[] = {
		[RTNL_ADDR] = { RTM_GETADDR, sizeof(struct ifaddrmsg) },
		[RTNL_ROUTE] = { RTM_GETROUTE, sizeof(struct rtmsg) },
		[RTNL_RULE] = { RTM_GETRULE, sizeof(struct fib_rule_hdr) },
		[RTNL_NEIGH] = { RTM_GETNEIGH, sizeof(struct ndmsg) },
	};
	uint8_t *header = nl_msg_begin(m, dumps[kind].type, 0, dumps[kind].len);

	*header = (uint8_t)family;
}

int rtnl_dump(struct nl *nl, enum rtnl_kind kind, int family, struct rtnl_list *out, struct err *e)
{
	struct collecting c = { .kind = kind };
	struct nl_msg m;

	begin_dump(&m, kind, family);
	int r = nl_dump(nl, &m, take_object, forget_objects, &c, e);
	if (r == 0 && kind == RTNL_NEIGH) {
		/* proxy entries are a table of their own */
		begin_dump(&m, kind, family);
		struct ndmsg *ndm = mnl_nlmsg_get_payload(nl_msg_hdr(&m));
		ndm->ndm_flags = NTF_PROXY;
		c.n_kept = c.list.n;
		r = nl_dump(nl, &m, take_object, forget_objects, &c, e);
	}
	if (r < 0) {
		rtnl_list_free(&c.list);
		return r;
	}
	*out = c.list;
	return 0;
}

static int take_one_link(const struct nlmsghdr *reply, void *ctx, struct err *e)
{
	int r = rtnl_parse_link(reply, ctx);

	return r < 0 ? err_set(e, -r, "understand a link that the kernel describes") : 0;
}

int rtnl_get_link(struct nl *nl, int ifindex, const char *name, struct rtnl_link *out,
		  struct err *e)
{
	struct nl_msg m;
	struct ifinfomsg *ifi = nl_msg_begin(&m, RTM_GETLINK, 0, sizeof(*ifi));
	struct nlmsghdr *h = nl_msg_hdr(&m);
	struct rtnl_link link = { 0 };

	if (ifindex > 0) {
		ifi->ifi_index = ifindex;
	} else {
		uint16_t type = strlen(name) < IFNAMSIZ ? IFLA_IFNAME : IFLA_ALT_IFNAME;
		if (strlen(name) >= RTNL_ALTNAME_LEN)
			return err_set(e, ENODEV, "find link '%.40s...'", name);
		nl_put(&m, type, name, strlen(name) + 1);
	}
	mnl_attr_put_u32(h, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	int r = nl_get(nl, &m, take_one_link, &link, e);
	if (r < 0)
		return r;
	if (link.ifindex == 0)
		return err_set(e, ENODEV, "find a link");
	*out = link;
	return 0;
}

static int take_one_route(const struct nlmsghdr *reply, void *ctx, struct err *e)
{
	int r = rtnl_parse_route(reply, ctx);

	return r < 0 ? err_set(e, -r, "understand a route that the kernel describes") : 0;
}

int rtnl_route_lookup(struct nl *nl, const struct addr *dst, struct rtnl_route *out, struct err *e)
{
	struct rtnl_route route = { 0 };
	struct nl_msg m;

	rtnl_build_route_get(&m, dst);
	int r = nl_get(nl, &m, take_one_route, &route, e);
	if (r < 0)
		return r;
	*out = route;
	return 0;
}

/* Linux 6.15; not in the headers of older distributions */
#define LINK_NETNS_IMMUTABLE 67

struct immutability {
	bool is_told, is_immutable;
};

static int take_immutability(const struct nlmsghdr *reply, void *ctx, struct err *e)
{
	const struct nlattr *tb[LINK_NETNS_IMMUTABLE + 1];
	struct immutability *found = ctx;
	uint8_t value = 0;

	if (!rtnl_is(reply, RTM_NEWLINK, sizeof(struct ifinfomsg)) ||
	    nl_attr_table(reply, sizeof(struct ifinfomsg), tb, LINK_NETNS_IMMUTABLE) < 0)
		return err_set(e, EINVAL, "understand a link that the kernel describes");
	found->is_told = nl_attr_u8(tb[LINK_NETNS_IMMUTABLE], &value);
	found->is_immutable = value != 0;
	return 0;
}

/* see tests/platform/probe_movable.c */
int rtnl_probe_movable(struct nl *nl, int ifindex, int own_ns_fd, struct err *e)
{
	struct immutability found = { 0 };
	struct nl_msg m;

	struct ifinfomsg *ifi = nl_msg_begin(&m, RTM_GETLINK, 0, sizeof(*ifi));
	ifi->ifi_index = ifindex;
	int r = nl_get(nl, &m, take_immutability, &found, e);
	if (r < 0)
		return r;
	if (found.is_told && !found.is_immutable)
		return 0;
	if (found.is_told) {
		(void)err_say(e, EINVAL, "%s", strerror(EINVAL)); /* -EINVAL, returned below */
		/* what the same kernel answers to the move (__dev_change_net_namespace()) */
		err_kernel(e, "The interface netns is immutable");
		return -EINVAL;
	}

	rtnl_build_link_move(&m, ifindex, own_ns_fd, NULL, 0);
	return nl_talk(nl, &m, e);
}

struct nexthops {
	uint32_t *ids;
	size_t n, cap;
};

static int take_nexthop(const struct nlmsghdr *reply, void *ctx, struct err *e)
{
	const struct nlattr *tb[NHA_ID + 1];
	struct nexthops *found = ctx;
	uint32_t id;

	if (!rtnl_is(reply, RTM_NEWNEXTHOP, sizeof(struct nhmsg)) ||
	    nl_attr_table(reply, sizeof(struct nhmsg), tb, NHA_ID) < 0 ||
	    !nl_attr_u32(tb[NHA_ID], &id))
		return err_set(e, EINVAL, "understand a nexthop that the kernel describes");
	if (found->n < found->cap)
		found->ids[found->n] = id;
	found->n++;
	return 0;
}

static void forget_nexthops(void *ctx)
{
	struct nexthops *found = ctx;

	found->n = 0;
}

int rtnl_nexthops_on(struct nl *nl, int ifindex, uint32_t *ids, size_t cap, struct err *e)
{
	struct nexthops found = { .ids = ids, .cap = cap };
	struct err local = { 0 };
	struct nl_msg m;

	nl_msg_begin(&m, RTM_GETNEXTHOP, 0, sizeof(struct nhmsg));
	mnl_attr_put_u32(nl_msg_hdr(&m), NHA_OIF, (uint32_t)ifindex);
	int r = nl_dump(nl, &m, take_nexthop, forget_nexthops, &found, &local);
	if (r == -EOPNOTSUPP) /* before Linux 5.3 */
		return 0;
	if (r < 0) {
		*e = local;
		return r;
	}
	return (int)found.n;
}

struct qdiscs {
	int ifindex;
	char *kinds;
	size_t cap;
};

static int take_qdisc(const struct nlmsghdr *reply, void *ctx, struct err *e)
{
	const struct nlattr *tb[TCA_KIND + 1];
	const struct tcmsg *tcm = mnl_nlmsg_get_payload(reply);
	struct qdiscs *q = ctx;
	char kind[32], listed[40], all[512];

	if (!rtnl_is(reply, RTM_NEWQDISC, sizeof(*tcm)) ||
	    nl_attr_table(reply, sizeof(*tcm), tb, TCA_KIND) < 0 ||
	    !nl_attr_text(tb[TCA_KIND], kind, sizeof(kind)))
		return err_set(e, EINVAL, "understand a queueing discipline that the kernel has");
	/* Those that the kernel attaches by itself have handle 0; tc(8) gives every other one. */
	if (tcm->tcm_ifindex != q->ifindex || tcm->tcm_handle == 0)
		return 0;

	(void)snprintf(listed, sizeof(listed), ", %s,", kind); /* fits: 2 + 31 + 1 */
	(void)snprintf(all, sizeof(all), ", %s,",
		       q->kinds); /* cut when very long: then a repetition */
	if (q->kinds[0] && strstr(all, listed))
		return 0;

	size_t len = strlen(q->kinds);
	(void)snprintf(q->kinds + len, q->cap - len, "%s%s", len ? ", " : "",
		       kind); /* cut to @cap */
	return 0;
}

static void forget_qdiscs(void *ctx)
{
	struct qdiscs *q = ctx;

	q->kinds[0] = '\0';
}

int rtnl_qdiscs_on(struct nl *nl, int ifindex, char *kinds, size_t cap, struct err *e)
{
	struct qdiscs q = { .ifindex = ifindex, .kinds = kinds, .cap = cap };
	struct nl_msg m;

	if (cap == 0)
		return err_set(e, EINVAL, "list queueing disciplines");
	kinds[0] = '\0';
	nl_msg_begin(&m, RTM_GETQDISC, 0, sizeof(struct tcmsg));
	return nl_dump(nl, &m, take_qdisc, forget_qdiscs, &q, e);
}
