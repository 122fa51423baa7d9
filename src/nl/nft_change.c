// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>

#include "nft_internal.h"

static void add(struct nft_change *c, const struct nl_msg *m, bool is_built)
{
	if (!c->batch || !is_built || nl_batch_add(c->batch, m) < 0)
		c->is_failed = true;
}

void nft_change_begin(struct nft_change *c)
{
	struct err ignored; /* no memory: nft_commit() says so */
	struct nl_msg m;

	*c = (struct nft_change){ 0 };
	if (nl_batch_new(&c->batch, &ignored) < 0)
		c->batch = NULL;
	nft_begin_batch(&m, NFNL_MSG_BATCH_BEGIN);
	add(c, &m, true);
}

void nft_change_free(struct nft_change *c)
{
	nl_batch_free(&c->batch);
}

void nft_adopt_table(struct nft_change *c, const struct nft_table *table)
{
	struct nl_msg m;

	add(c, &m, nft_build_table(&m, table, NFT_OWNED));
}

void nft_delete_table(struct nft_change *c, const struct nft_table *table)
{
	struct nl_msg m;

	add(c, &m, nft_build_delete_table(&m, table));
}

static void change_elems(struct nft_change *c, const struct nft_table *table,
			 const struct nft_set *set, bool is_delete, const void *elems, size_t n)
{
	struct nl_msg m;

	for (size_t done = 0; done < n;) {
		size_t some = n - done < NFT_ELEMS_MAX ? n - done : NFT_ELEMS_MAX;

		add(c, &m,
		    nft_build_elems(&m, table, set, is_delete,
				    (const char *)elems + done * set->len, some));
		done += some;
	}
}

void nft_add_elems(struct nft_change *c, const struct nft_table *table, const struct nft_set *set,
		   const void *elems, size_t n)
{
	change_elems(c, table, set, false, elems, n);
}

void nft_delete_elems(struct nft_change *c, const struct nft_table *table,
		      const struct nft_set *set, const void *elems, size_t n)
{
	change_elems(c, table, set, true, elems, n);
}

void nft_add_table(struct nft_change *c, const struct nft_table *table, uint32_t flags)
{
	struct nl_msg m;

	add(c, &m, nft_build_table(&m, table, flags));
	for (size_t i = 0; i < table->n_sets; i++) {
		const struct nft_set *set = &table->sets[i];

		add(c, &m, nft_build_set(&m, table, set, ++c->n_sets));
		nft_add_elems(c, table, set, set->elems, set->elems ? set->n_elems : 0);
	}
	for (size_t i = 0; i < table->n_chains; i++) {
		const struct nft_chain *chain = &table->chains[i];

		add(c, &m, nft_build_chain(&m, table, chain));
		for (size_t j = 0; j < chain->n_rules; j++)
			add(c, &m, nft_build_rule(&m, table, chain, &chain->rules[j]));
	}
}

int nft_commit(struct nl *nl, struct nft_change *c, bool is_dry, struct err *e)
{
	struct nl_msg m;

	if (c->is_failed)
		return err_set(e, ENOMEM, "make a transaction of nf_tables");
	size_t last = nl_batch_len(c->batch) - 1;
	if (last == 0)
		return 0;

	/* A kernel before 6.10 does not answer the end: the last request in front of it is asked for the ack. */
	nft_begin_batch(&m, NFNL_MSG_BATCH_END);
	if (!is_dry)
		add(c, &m, true);
	if (c->is_failed)
		return err_set(e, ENOMEM, "make a transaction of nf_tables");
	return nl_batch_transact(nl, c->batch, last, e);
}
