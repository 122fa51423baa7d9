// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "wgns/nl.h"

struct nl_walk nl_walk_msg(const struct nlmsghdr *msg, size_t offset)
{
	size_t begin = MNL_NLMSG_HDRLEN + MNL_ALIGN(offset);

	/* a message without room for its family header: nl_walk_next() says so */
	if (msg->nlmsg_len < MNL_NLMSG_HDRLEN + offset)
		return (struct nl_walk){ .is_bad = true };
	if (msg->nlmsg_len <= begin)
		return (struct nl_walk){ 0 };
	return nl_walk_bytes((const char *)msg + begin, msg->nlmsg_len - begin);
}

struct nl_walk nl_walk_nested(const struct nlattr *nest)
{
	return nl_walk_bytes(mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest));
}

struct nl_walk nl_walk_bytes(const void *bytes, size_t len)
{
	return (struct nl_walk){ .pos = bytes, .left = len };
}

int nl_walk_next(struct nl_walk *w, const struct nlattr **out)
{
	if (w->is_bad)
		return -EINVAL;
	if (w->left == 0)
		return 0;

	const struct nlattr *a = (const void *)w->pos;
	if (w->left < MNL_ATTR_HDRLEN || a->nla_len < MNL_ATTR_HDRLEN || a->nla_len > w->left) {
		w->is_bad = true;
		return -EINVAL;
	}

	/* the last one may come without its padding */
	size_t step = MNL_ALIGN(a->nla_len);
	step = step < w->left ? step : w->left;
	w->pos += step;
	w->left -= step;
	*out = a;
	return 1;
}

static int fill_table(struct nl_walk w, const struct nlattr **tb, uint16_t max)
{
	const struct nlattr *a = NULL;
	int r;

	memset(tb, 0, (max + 1u) * sizeof(*tb));
	for (r = nl_walk_next(&w, &a); r > 0; r = nl_walk_next(&w, &a)) {
		if (mnl_attr_get_type(a) <= max)
			tb[mnl_attr_get_type(a)] = a;
	}
	return r;
}

int nl_attr_table(const struct nlmsghdr *msg, size_t offset, const struct nlattr **tb, uint16_t max)
{
	return fill_table(nl_walk_msg(msg, offset), tb, max);
}

int nl_attr_table_nested(const struct nlattr *nest, const struct nlattr **tb, uint16_t max)
{
	return fill_table(nl_walk_nested(nest), tb, max);
}

bool nl_attr_bytes(const struct nlattr *a, void *out, size_t len)
{
	if (!a || mnl_attr_get_payload_len(a) != len)
		return false;
	memcpy(out, mnl_attr_get_payload(a), len);
	return true;
}

bool nl_attr_u8(const struct nlattr *a, uint8_t *out)
{
	return nl_attr_bytes(a, out, sizeof(*out));
}

bool nl_attr_u16(const struct nlattr *a, uint16_t *out)
{
	return nl_attr_bytes(a, out, sizeof(*out));
}

bool nl_attr_u32(const struct nlattr *a, uint32_t *out)
{
	return nl_attr_bytes(a, out, sizeof(*out));
}

bool nl_attr_u64(const struct nlattr *a, uint64_t *out)
{
	return nl_attr_bytes(a, out, sizeof(*out));
}

bool nl_attr_text(const struct nlattr *a, char *out, size_t cap)
{
	if (!a || cap == 0)
		return false;

	size_t len = strnlen(mnl_attr_get_payload(a), mnl_attr_get_payload_len(a));
	len = len < cap ? len : cap - 1;
	memcpy(out, mnl_attr_get_payload(a), len);
	out[len] = '\0';
	return true;
}

bool nl_put(struct nl_msg *m, uint16_t type, const void *data, size_t len)
{
	struct nlmsghdr *h = nl_msg_hdr(m);
	size_t end = h->nlmsg_len + MNL_ATTR_HDRLEN + len;

	if (!mnl_attr_put_check(h, NL_MSG_MAX, type, len, data))
		return false;
	memset(m->buf + end, 0, h->nlmsg_len - end);
	return true;
}
