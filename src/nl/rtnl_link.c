// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rtnl_internal.h"

#define AF_SPEC_MAX AF_INET6

static bool read_text(const struct nlattr *a, char *out, size_t cap)
{
	return !a || nl_attr_text(a, out, cap);
}

static bool read_index(const struct nlattr *a, int *out)
{
	return !a || nl_attr_bytes(a, out, sizeof(*out));
}

static bool read_hwaddr(const struct nlattr *a, uint8_t *out, uint8_t *out_len)
{
	if (!a)
		return true;

	size_t len = mnl_attr_get_payload_len(a);
	if (len > RTNL_HWADDR_MAX)
		return false;
	memcpy(out, mnl_attr_get_payload(a), len);
	*out_len = (uint8_t)len;
	return true;
}

static bool read_kind(const struct nlattr *info, struct rtnl_link *out)
{
	const struct nlattr *tb[IFLA_INFO_KIND + 1];

	if (!info)
		return true;
	return nl_attr_table_nested(info, tb, IFLA_INFO_KIND) == 0 &&
	       read_text(tb[IFLA_INFO_KIND], out->kind, sizeof(out->kind));
}

static bool read_altnames(const struct nlattr *list, struct rtnl_link *out)
{
	const struct nlattr *a = NULL;

	if (!list)
		return true;

	struct nl_walk w = nl_walk_nested(list);
	int r = nl_walk_next(&w, &a);
	for (; r > 0; r = nl_walk_next(&w, &a)) {
		if (mnl_attr_get_type(a) != IFLA_ALT_IFNAME || out->n_altnames == RTNL_ALTNAMES_MAX)
			continue;
		char *name = out->altnames[out->n_altnames];
		if (nl_attr_text(a, name, RTNL_ALTNAME_LEN))
			out->n_altnames++;
	}
	return r == 0;
}

static bool read_addr_gen_mode(const struct nlattr *spec, struct rtnl_link *out)
{
	const struct nlattr *tb[AF_SPEC_MAX + 1], *inet6[IFLA_INET6_ADDR_GEN_MODE + 1];

	if (!spec)
		return true;
	if (nl_attr_table_nested(spec, tb, AF_SPEC_MAX) < 0)
		return false;
	if (!tb[AF_INET6])
		return true;
	return nl_attr_table_nested(tb[AF_INET6], inet6, IFLA_INET6_ADDR_GEN_MODE) == 0 &&
	       rtnl_opt_u8(inet6[IFLA_INET6_ADDR_GEN_MODE], &out->addr_gen_mode);
}

static bool read_xdp(const struct nlattr *xdp, struct rtnl_link *out)
{
	const struct nlattr *tb[IFLA_XDP_ATTACHED + 1];
	uint8_t attached = 0;

	if (!xdp)
		return true;
	if (nl_attr_table_nested(xdp, tb, IFLA_XDP_ATTACHED) < 0 ||
	    !rtnl_opt_u8(tb[IFLA_XDP_ATTACHED], &attached))
		return false;
	out->has_xdp = attached != 0;
	return true;
}

static bool read_plain(const struct nlattr **tb, struct rtnl_link *l)
{
	uint8_t carrier = 0;
	bool is_good =
		read_text(tb[IFLA_QDISC], l->qdisc, sizeof(l->qdisc)) &&
		read_text(tb[IFLA_IFALIAS], l->alias, sizeof(l->alias)) &&
		rtnl_opt_u32(tb[IFLA_MTU], &l->mtu) && rtnl_opt_u32(tb[IFLA_TXQLEN], &l->txqlen) &&
		rtnl_opt_u32(tb[IFLA_GROUP], &l->group) &&
		rtnl_opt_u32(tb[IFLA_PROMISCUITY], &l->promiscuity) &&
		rtnl_opt_u8(tb[IFLA_OPERSTATE], &l->operstate) &&
		rtnl_opt_u8(tb[IFLA_CARRIER], &carrier) &&
		read_index(tb[IFLA_MASTER], &l->master) && read_index(tb[IFLA_LINK], &l->lower) &&
		read_index(tb[IFLA_LINK_NETNSID], &l->lower_netnsid) &&
		read_hwaddr(tb[IFLA_ADDRESS], l->hwaddr, &l->hwaddr_len) &&
		read_hwaddr(tb[IFLA_PERM_ADDRESS], l->permaddr, &l->permaddr_len) &&
		read_text(tb[IFLA_PARENT_DEV_NAME], l->parent_device, sizeof(l->parent_device));

	l->has_carrier = carrier != 0;
	l->has_lower_netnsid = tb[IFLA_LINK_NETNSID] != NULL;
	l->has_parent_device = tb[IFLA_PARENT_DEV_NAME] != NULL;
	return is_good;
}

int rtnl_parse_link(const struct nlmsghdr *msg, struct rtnl_link *out)
{
	const struct nlattr *tb[IFLA_PARENT_DEV_NAME + 1];
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(msg);
	struct rtnl_link l = { .addr_gen_mode = 0xff };

	if (!rtnl_is(msg, RTM_NEWLINK, sizeof(*ifi)) ||
	    nl_attr_table(msg, sizeof(*ifi), tb, IFLA_PARENT_DEV_NAME) < 0)
		return -EINVAL;

	l.ifindex = ifi->ifi_index;
	l.type = ifi->ifi_type;
	l.flags = ifi->ifi_flags;
	if (l.ifindex <= 0 || !nl_attr_text(tb[IFLA_IFNAME], l.name, sizeof(l.name)) ||
	    l.name[0] == '\0')
		return -EINVAL;
	if (!read_plain(tb, &l) || !read_kind(tb[IFLA_LINKINFO], &l) ||
	    !read_altnames(tb[IFLA_PROP_LIST], &l) || !read_addr_gen_mode(tb[IFLA_AF_SPEC], &l) ||
	    !read_xdp(tb[IFLA_XDP], &l))
		return -EINVAL;

	*out = l;
	return 0;
}

const struct rtnl_link *rtnl_links_by_index(const struct rtnl_links *links, int ifindex)
{
	for (size_t i = 0; i < links->n; i++) {
		if (links->items[i].ifindex == ifindex)
			return &links->items[i];
	}
	return NULL;
}

const struct rtnl_link *rtnl_links_by_name(const struct rtnl_links *links, const char *name)
{
	for (size_t i = 0; i < links->n; i++) {
		if (strcmp(links->items[i].name, name) == 0)
			return &links->items[i];
	}
	return NULL;
}

void rtnl_links_free(struct rtnl_links *links)
{
	free(links->items);
	*links = (struct rtnl_links){ 0 };
}
