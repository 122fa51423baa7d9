// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two objects are the same when the requests that restore them are: rtnl_canonical() has already
 * removed what is state. What remains to be ignored is how much of a lifetime is over.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rtnl_internal.h"

#define ATTRS_MAX 64

struct canonical {
	struct nl_msg msg;
	const struct nlattr *attrs[ATTRS_MAX];
	size_t n;
};

static size_t header_len(enum rtnl_kind kind)
{
	switch (kind) {
	case RTNL_ADDR:
		return sizeof(struct ifaddrmsg);
	case RTNL_ROUTE:
	case RTNL_RULE: /* struct fib_rule_hdr has the layout of struct rtmsg */
		return sizeof(struct rtmsg);
	case RTNL_NEIGH:
		return sizeof(struct ndmsg);
	}
	return 0;
}

static int compare_types(const void *a, const void *b)
{
	const struct nlattr *const *x = a, *const *y = b;
	uint16_t tx = mnl_attr_get_type(*x), ty = mnl_attr_get_type(*y);

	if (tx != ty)
		return tx < ty ? -1 : 1;
	/* the order in which they came: qsort(3) is not stable */
	return *x < *y ? -1 : *x > *y;
}

static bool make_canonical(enum rtnl_kind kind, const struct nlmsghdr *from,
			   const struct rtnl_ifindex_map *map, struct canonical *out)
{
	const struct nlattr *a = NULL;

	if (rtnl_canonical(kind, from, map, &out->msg) < 0)
		return false;

	struct nl_walk w = nl_walk_msg(nl_msg_hdr(&out->msg), header_len(kind));
	int r = nl_walk_next(&w, &a);
	for (out->n = 0; r > 0 && out->n < ATTRS_MAX; r = nl_walk_next(&w, &a))
		out->attrs[out->n++] = a;
	if (r != 0)
		return false;
	qsort(out->attrs, out->n, sizeof(out->attrs[0]), compare_types);
	return true;
}

static bool is_for_ever(const struct nlattr *cacheinfo)
{
	struct ifa_cacheinfo ci = { 0 };

	return nl_attr_bytes(cacheinfo, &ci, sizeof(ci)) && ci.ifa_valid == UINT32_MAX;
}

static bool is_same_attr(enum rtnl_kind kind, const struct nlattr *a, const struct nlattr *b)
{
	uint16_t type = mnl_attr_get_type(a);

	if (type != mnl_attr_get_type(b))
		return false;
	if (kind == RTNL_ADDR && type == IFA_CACHEINFO)
		return is_for_ever(a) == is_for_ever(b);
	if (kind == RTNL_ROUTE && type == RTA_EXPIRES)
		return true;
	return mnl_attr_get_payload_len(a) == mnl_attr_get_payload_len(b) &&
	       memcmp(mnl_attr_get_payload(a), mnl_attr_get_payload(b),
		      mnl_attr_get_payload_len(a)) == 0;
}

bool rtnl_equal(enum rtnl_kind kind, const struct nlmsghdr *a, const struct rtnl_ifindex_map *map,
		const struct nlmsghdr *b)
{
	struct canonical x, y;

	if (!make_canonical(kind, a, map, &x) || !make_canonical(kind, b, NULL, &y))
		return false;
	if (x.n != y.n || memcmp(mnl_nlmsg_get_payload(nl_msg_hdr(&x.msg)),
				 mnl_nlmsg_get_payload(nl_msg_hdr(&y.msg)), header_len(kind)) != 0)
		return false;
	for (size_t i = 0; i < x.n; i++) {
		if (!is_same_attr(kind, x.attrs[i], y.attrs[i]))
			return false;
	}
	return true;
}

static bool has_gateway(const struct nlmsghdr *msg)
{
	const struct nlattr *tb[RTA_NH_ID + 1];

	return nl_attr_table(msg, sizeof(struct rtmsg), tb, RTA_NH_ID) == 0 &&
	       (tb[RTA_GATEWAY] || tb[RTA_VIA] || tb[RTA_MULTIPATH]);
}

int rtnl_order_routes(struct rtnl_list *list)
{
	if (list->n == 0)
		return 0;

	struct rtnl_object *ordered = malloc(list->n * sizeof(*ordered));
	if (!ordered)
		return -ENOMEM;

	size_t n = 0;
	for (size_t i = 0; i < list->n; i++) {
		if (!has_gateway(list->items[i].msg))
			ordered[n++] = list->items[i];
	}
	for (size_t i = 0; i < list->n; i++) {
		if (has_gateway(list->items[i].msg))
			ordered[n++] = list->items[i];
	}
	/* the capacity of rtnl_list_add() is that of the old array, which therefore stays */
	memcpy(list->items, ordered, n * sizeof(*ordered));
	free(ordered);
	return 0;
}
