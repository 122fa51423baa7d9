// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/genetlink.h>
#include <stdbool.h>
#include <string.h>

#include "wgns/nl.h"
#include "wgns/wgnl.h"

static int read_family(const struct nlmsghdr *reply, void *ctx, struct err *e)
{
	const struct nlattr *tb[CTRL_ATTR_MAX + 1];
	uint16_t *id = ctx;

	if (nl_attr_table(reply, sizeof(struct genlmsghdr), tb, CTRL_ATTR_MAX) < 0 ||
	    !nl_attr_u16(tb[CTRL_ATTR_FAMILY_ID], id))
		return err_say(e, EBADMSG, "the kernel's answer names no family");
	return 0;
}

int genl_family_id(struct nl *genl, const char *family, uint16_t *id, struct err *e)
{
	struct nl_msg m;
	uint16_t found = 0;
	struct genlmsghdr *g = nl_msg_begin(&m, GENL_ID_CTRL, 0, sizeof(*g));

	g->cmd = CTRL_CMD_GETFAMILY;
	g->version = 1;
	if (!mnl_attr_put_strz_check(nl_msg_hdr(&m), sizeof(m.buf), CTRL_ATTR_FAMILY_NAME, family))
		return err_set(e, EMSGSIZE, "look up the generic netlink family");
	if (nl_get(genl, &m, read_family, &found, e) < 0)
		return err_context(e, "look up the generic netlink family %s", family);
	if (found == 0)
		return err_set(e, ENOENT, "look up the generic netlink family %s", family);
	*id = found;
	return 0;
}

struct search {
	const char *family;
	bool is_found;
};

static int look_at_family(const struct nlmsghdr *reply, void *ctx, struct err *e)
{
	const struct nlattr *tb[CTRL_ATTR_MAX + 1];
	struct search *search = ctx;
	char name[GENL_NAMSIZ];

	if (nl_attr_table(reply, sizeof(struct genlmsghdr), tb, CTRL_ATTR_MAX) < 0 ||
	    !nl_attr_text(tb[CTRL_ATTR_FAMILY_NAME], name, sizeof(name)))
		return err_say(e, EBADMSG, "the kernel's answer names no family");
	search->is_found = search->is_found || strcmp(name, search->family) == 0;
	return 0;
}

int genl_is_registered(struct nl *genl, const char *family, struct err *e)
{
	struct search search = { .family = family };
	struct nl_msg m;
	struct genlmsghdr *g = nl_msg_begin(&m, GENL_ID_CTRL, NLM_F_DUMP, sizeof(*g));

	g->cmd = CTRL_CMD_GETFAMILY;
	g->version = 1;
	if (nl_dump(genl, &m, look_at_family, NULL, &search, e) < 0)
		return err_context(e, "list the generic netlink families");
	return search.is_found;
}
