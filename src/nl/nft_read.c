// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nft_internal.h"

static int take_table(const struct nlmsghdr *reply, void *ctx, struct err *e)
{
	return nft_parse_table(reply, ctx) < 0 ? err_say(e, EBADMSG, "a table that is not one") : 0;
}

int nft_read_table(struct nl *nl, const struct nft_table *table, struct nft_table_seen *out,
		   struct err *e)
{
	struct nft_table_seen seen = { 0 };
	struct err local = { 0 };
	struct nl_msg m;

	nft_begin(&m, table->family, NFT_MSG_GETTABLE, 0);
	if (!nft_put_text(&m, NFTA_TABLE_NAME, table->name))
		return err_set(e, EMSGSIZE, "ask for table %s", table->name);
	int r = nl_get(nl, &m, take_table, &seen, &local);
	/* a kernel without the family does not have the table either */
	if (r < 0 && r != -ENOENT && r != -EAFNOSUPPORT && r != -EOPNOTSUPP) {
		*e = local;
		return err_context(e, "read table %s", table->name);
	}
	*out = seen;
	return 0;
}

struct elems {
	struct nft_elems out;
	size_t len;
};

static int take_elems(const struct nlmsghdr *reply, void *ctx, struct err *e)
{
	struct elems *x = ctx;
	int r = nft_parse_elems(reply, x->len, &x->out);

	return r < 0 ? err_set(e, -r, "the elements of a set") : 0;
}

static void restart_elems(void *ctx)
{
	struct elems *x = ctx;

	x->out.n = 0;
}

int nft_read_elems(struct nl *nl, const struct nft_table *table, const struct nft_set *set,
		   struct nft_elems *out, struct err *e)
{
	struct elems x = { .len = set->len };
	struct nl_msg m;

	nft_begin(&m, table->family, NFT_MSG_GETSETELEM, 0);
	if (!nft_put_text(&m, NFTA_SET_ELEM_LIST_TABLE, table->name) ||
	    !nft_put_text(&m, NFTA_SET_ELEM_LIST_SET, set->name))
		return err_set(e, EMSGSIZE, "ask for set %s", set->name);
	int r = nl_dump(nl, &m, take_elems, restart_elems, &x, e);
	if (r < 0) {
		free(x.out.data);
		return err_context(e, "read set %s of table %s", set->name, table->name);
	}
	*out = x.out;
	return 0;
}

struct comparison {
	const struct nft_table *table;
	const struct nft_chain *chain; /* that is looked at */
	size_t n_rules; /* seen in it */
	uint64_t dropped;
	char *why;
	size_t cap;
};

/* only the first difference is kept */
__attribute__((format(printf, 2, 3))) static void differs(struct comparison *c, const char *fmt,
							  ...)
{
	va_list ap;

	if (c->why[0] != '\0')
		return;
	va_start(ap, fmt);
	(void)vsnprintf(c->why, c->cap, fmt, ap); /* cut where it is too long */
	va_end(ap);
}

static const char *family_name(const struct nft_table *table)
{
	return table->family == NFPROTO_BRIDGE ? "bridge" : "inet";
}

static int take_chain(const struct nlmsghdr *reply, void *ctx, struct err *e)
{
	struct comparison *c = ctx;
	const struct nft_chain *want = c->chain;
	struct nft_chain_seen seen;

	if (nft_parse_chain(reply, &seen) < 0)
		return err_say(e, EBADMSG, "a chain that is not one");
	if (!seen.has_hook || seen.hook != want->hook || seen.priority != want->priority ||
	    strcmp(seen.type, want->type) != 0)
		differs(c, "chain %s of table %s %s is not where it should be", want->name,
			family_name(c->table), c->table->name);
	if (seen.policy != want->policy)
		differs(c, "the policy of chain %s of table %s %s is not %s", want->name,
			family_name(c->table), c->table->name,
			want->policy == NF_DROP ? "drop" : "accept");
	return 0;
}

static int take_rule(const struct nlmsghdr *reply, void *ctx, struct err *e)
{
	struct comparison *c = ctx;
	struct nft_rule_seen seen;

	if (nft_parse_rule(reply, &seen) < 0)
		return err_say(e, EBADMSG, "a rule that is not one");
	if (strcmp(seen.chain, c->chain->name) != 0)
		return 0;
	if (c->n_rules >= c->chain->n_rules || !nft_rule_is(&seen, &c->chain->rules[c->n_rules]))
		differs(c, "rule %zu in chain %s of table %s %s is not the guard's", c->n_rules + 1,
			c->chain->name, family_name(c->table), c->table->name);
	c->n_rules++;
	if (seen.n > 0 && seen.exprs[seen.n - 1].kind == NFT_KIND_VERDICT &&
	    seen.exprs[seen.n - 1].key == NF_DROP)
		c->dropped += seen.packets;
	return 0;
}

static void restart_rules(void *ctx)
{
	struct comparison *c = ctx;

	c->n_rules = 0;
	c->dropped = 0;
	c->why[0] = '\0';
}

static int compare_chain(struct nl *nl, struct comparison *c, uint64_t *dropped, struct err *e)
{
	struct err local = { 0 };
	struct nl_msg m;

	nft_begin(&m, c->table->family, NFT_MSG_GETCHAIN, 0);
	if (!nft_put_text(&m, NFTA_CHAIN_TABLE, c->table->name) ||
	    !nft_put_text(&m, NFTA_CHAIN_NAME, c->chain->name))
		return err_set(e, EMSGSIZE, "ask for chain %s", c->chain->name);
	int r = nl_get(nl, &m, take_chain, c, &local);
	if (r == -ENOENT) {
		differs(c, "chain %s of table %s %s is gone", c->chain->name, family_name(c->table),
			c->table->name);
		return 0;
	}
	if (r < 0) {
		*e = local;
		return err_context(e, "read chain %s", c->chain->name);
	}
	if (c->why[0] != '\0')
		return 0;

	c->n_rules = 0;
	c->dropped = 0;
	nft_begin(&m, c->table->family, NFT_MSG_GETRULE, 0);
	if (!nft_put_text(&m, NFTA_RULE_TABLE, c->table->name) ||
	    !nft_put_text(&m, NFTA_RULE_CHAIN, c->chain->name))
		return err_set(e, EMSGSIZE, "ask for the rules of chain %s", c->chain->name);
	r = nl_dump(nl, &m, take_rule, restart_rules, c, e);
	if (r < 0)
		return err_context(e, "read the rules of chain %s", c->chain->name);
	if (c->n_rules < c->chain->n_rules)
		differs(c, "chain %s of table %s %s has %zu of its %zu rules", c->chain->name,
			family_name(c->table), c->table->name, c->n_rules, c->chain->n_rules);
	if (dropped)
		*dropped += c->dropped;
	return 0;
}

static bool holds(const struct nft_elems *seen, const void *elem, size_t len)
{
	for (size_t i = 0; i < seen->n; i++) {
		if (memcmp(seen->data + i * len, elem, len) == 0)
			return true;
	}
	return false;
}

static int compare_set(struct nl *nl, struct comparison *c, const struct nft_set *set,
		       struct err *e)
{
	struct nft_elems seen = { 0 };
	struct err local = { 0 };

	int r = nft_read_elems(nl, c->table, set, &seen, &local);
	if (r == -ENOENT || r == -EINVAL) {
		differs(c, "set %s of table %s %s is gone or of another kind", set->name,
			family_name(c->table), c->table->name);
		return 0;
	}
	if (r < 0) {
		*e = local;
		return r;
	}
	bool is_same = !set->elems || seen.n == set->n_elems;
	for (size_t i = 0; is_same && set->elems && i < set->n_elems; i++)
		is_same = holds(&seen, (const uint8_t *)set->elems + i * set->len, set->len);
	free(seen.data);
	if (!is_same)
		differs(c, "set %s of table %s %s holds something else", set->name,
			family_name(c->table), c->table->name);
	return 0;
}

int nft_compare(struct nl *nl, const struct nft_table *table, char *why, size_t cap,
		uint64_t *dropped, struct err *e)
{
	struct comparison c = { .table = table, .why = why, .cap = cap };
	struct nft_table_seen seen = { 0 };

	why[0] = '\0';
	int r = nft_read_table(nl, table, &seen, e);
	if (r < 0)
		return r;
	if (!seen.is_there)
		differs(&c, "table %s %s is not there", family_name(table), table->name);
	else if (seen.flags & NFT_TABLE_F_DORMANT)
		differs(&c, "table %s %s is dormant", family_name(table), table->name);

	for (size_t i = 0; seen.is_there && i < table->n_sets; i++) {
		r = compare_set(nl, &c, &table->sets[i], e);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; why[0] == '\0' && i < table->n_chains; i++) {
		c.chain = &table->chains[i];
		r = compare_chain(nl, &c, dropped, e);
		if (r < 0)
			return r;
	}
	return 0;
}
