// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/guard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

#include "guard_internal.h"

int guard_open_in(int ns_fd, struct nl **out, struct err *e)
{
	int r = nl_open_in(NETLINK_NETFILTER, ns_fd, out, e);

	if (r == -EPROTONOSUPPORT)
		err_hint(e, "this kernel has no nf_tables (CONFIG_NF_TABLES)");
	return r;
}

struct names {
	char names[GUARD_NAMES_MAX][GUARD_NAME_LEN];
	size_t n;
};

static int add_names(struct names *out, const char *const *names, size_t n, struct err *e)
{
	out->n = 0;
	if (n > GUARD_NAMES_MAX)
		return err_say(e, E2BIG, "%zu devices are more than the guard holds, %d", n,
			       GUARD_NAMES_MAX);
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(names[i]);

		if (len == 0 || len >= GUARD_NAME_LEN)
			return err_say(e, EINVAL, "'%s' is no name of a device", names[i]);
		memset(out->names[out->n], 0, GUARD_NAME_LEN);
		memcpy(out->names[out->n++], names[i], len);
	}
	return 0;
}

/* the tables that are there now go, in the same transaction */
static int add_removal(struct nl *nl, struct nft_change *c, const struct nft_table *table,
		       struct err *e)
{
	struct nft_table_seen seen;
	int r = nft_read_table(nl, table, &seen, e);

	if (r < 0 || !seen.is_there)
		return r;
	nft_delete_table(c, table);
	return 0;
}

/* What is made, and with what the kernel may lack */
struct making {
	const struct guard_home *home; /* NULL: physical */
	bool has_lan;
	struct names *names, *uplinks;
	bool is_dry;
};

static int make(struct nl *nl, const struct making *m, const struct guard_kernel *with,
		struct err *e)
{
	AUTO_NFT_CHANGE struct nft_change c;
	uint32_t flags = with->can_persist ? NFT_OWNED : 0;

	nft_change_begin(&c);
	int r = add_removal(nl, &c, guard_home_table(), e);
	if (r == 0)
		r = add_removal(nl, &c, guard_bridge_table(), e);
	if (r < 0)
		return r;

	if (!m->home) {
		nft_add_table(&c, guard_physical_table(m->has_lan), flags);
		return nft_commit(nl, &c, m->is_dry, e);
	}
	nft_add_table(&c, guard_home_table(), flags);
	nft_add_elems(&c, guard_home_table(), &guard_allowed, m->names->names, m->names->n);
	if (with->can_bridge) {
		nft_add_table(&c, guard_bridge_table(), flags);
		nft_add_elems(&c, guard_bridge_table(), &guard_uplinks, m->uplinks->names,
			      m->uplinks->n);
	}
	return nft_commit(nl, &c, m->is_dry, e);
}

/* what an old kernel says of a flag, a family or an expression that it does not have */
static bool is_lacking(int r)
{
	return r == -EOPNOTSUPP || r == -EINVAL || r == -ENOENT || r == -EAFNOSUPPORT;
}

static int make_best(struct nl *nl, const struct making *m, struct guard_kernel *out, struct err *e)
{
	static const struct guard_kernel tries[] = {
		{ true, true }, { false, true }, { true, false }, { false, false }
	};
	int r = -EOPNOTSUPP;

	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]) && is_lacking(r); i++) {
		struct err local = { 0 };

		r = make(nl, m, &tries[i], &local);
		if (r < 0)
			*e = local;
		else
			*out = tries[i];
	}
	return r;
}

int guard_probe(struct nl *nl, struct guard_kernel *out, struct err *e)
{
	const struct guard_home none = { 0 };
	struct names empty;
	struct guard_kernel can = { 0 };
	struct making m = { .home = &none, .names = &empty, .uplinks = &empty, .is_dry = true };

	empty.n = 0;
	if (make_best(nl, &m, &can, e) < 0)
		return err_context(e, "try out nf_tables");
	*out = can;
	return 0;
}

int guard_set_home(struct nl *nl, const struct guard_home *want, struct err *e)
{
	struct names names, uplinks;
	struct making m = { .home = want, .names = &names, .uplinks = &uplinks };
	struct guard_kernel made;

	int r = add_names(&names, want->names, want->n_names, e);
	if (r == 0)
		r = add_names(&uplinks, want->uplinks, want->n_uplinks, e);
	if (r == 0)
		r = make_best(nl, &m, &made, e);
	return r;
}

int guard_set_physical(struct nl *nl, const struct guard_physical *want, struct err *e)
{
	struct making m = { .has_lan = want->has_lan };
	struct guard_kernel made;

	return make_best(nl, &m, &made, e);
}

/* Put one element into a set, or take it out */
static int change_one(struct nl *nl, const struct nft_table *table, const struct nft_set *set,
		      const void *elem, bool is_delete, struct err *e)
{
	AUTO_NFT_CHANGE struct nft_change c;
	struct nft_table_seen seen;

	nft_change_begin(&c);
	int r = nft_read_table(nl, table, &seen, e);
	if (r < 0)
		return r;
	if (!seen.is_there && is_delete)
		return 0;
	if (!seen.is_there)
		return err_say(e, ENOENT, "the guard is not there: something removed table %s",
			       table->name);
	if (is_delete)
		nft_delete_elems(&c, table, set, elem, 1);
	else
		nft_add_elems(&c, table, set, elem, 1);

	struct err local = { 0 };
	r = nft_commit(nl, &c, false, &local);
	if (r == -ENOENT && is_delete)
		return 0;
	if (r < 0)
		*e = local;
	return r;
}

static int change_name(struct nl *nl, const char *name, bool is_delete, struct err *e)
{
	char elem[GUARD_NAME_LEN] = { 0 };
	size_t len = strlen(name);

	if (len == 0 || len >= sizeof(elem))
		return err_say(e, EINVAL, "'%s' is no name of a device", name);
	memcpy(elem, name, len);
	return change_one(nl, guard_home_table(), &guard_allowed, elem, is_delete, e);
}

int guard_allow(struct nl *nl, const char *name, struct err *e)
{
	return change_name(nl, name, false, e);
}

int guard_forbid(struct nl *nl, const char *name, struct err *e)
{
	return change_name(nl, name, true, e);
}

static int change_port(struct nl *nl, uint16_t port, bool is_delete, struct err *e)
{
	uint16_t elem = htons(port);

	return change_one(nl, guard_physical_table(false), &guard_ports, &elem, is_delete, e);
}

int guard_open_port(struct nl *nl, uint16_t port, struct err *e)
{
	return change_port(nl, port, false, e);
}

int guard_close_port(struct nl *nl, uint16_t port, struct err *e)
{
	return change_port(nl, port, true, e);
}

int guard_clear(struct nl *nl, struct err *e)
{
	AUTO_NFT_CHANGE struct nft_change c;

	nft_change_begin(&c);
	int r = add_removal(nl, &c, guard_home_table(), e);
	if (r == 0)
		r = add_removal(nl, &c, guard_bridge_table(), e);
	return r < 0 ? r : nft_commit(nl, &c, false, e);
}

static int add_adoption(struct nl *nl, struct nft_change *c, const struct nft_table *table,
			struct err *e)
{
	struct nft_table_seen seen;
	int r = nft_read_table(nl, table, &seen, e);

	if (r < 0 || !seen.is_there)
		return r;
	if (!(seen.flags & NFT_PERSISTS))
		return err_say(e, EOPNOTSUPP, "this kernel has no tables that persist (Linux 6.9)");
	nft_adopt_table(c, table);
	return 0;
}

int guard_hold(struct nl *nl, struct err *e)
{
	AUTO_NFT_CHANGE struct nft_change c;

	nft_change_begin(&c);
	int r = add_adoption(nl, &c, guard_home_table(), e);
	if (r == 0)
		r = add_adoption(nl, &c, guard_bridge_table(), e);
	return r < 0 ? r : nft_commit(nl, &c, false, e);
}
