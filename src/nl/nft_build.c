// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "nft_internal.h"

/* nft(8) keeps this in a set's user data, libnftables calls it NFTNL_UDATA_SET_KEYBYTEORDER: how to print the elements */
#define UDATA_SET_KEYBYTEORDER 0
enum { ORDER_HOST = 1, ORDER_NETWORK = 2 };

void nft_begin(struct nl_msg *m, uint8_t family, uint8_t type, uint16_t flags)
{
	struct nfgenmsg *g =
		nl_msg_begin(m, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, sizeof(*g));

	g->nfgen_family = family;
	g->version = NFNETLINK_V0;
}

void nft_begin_batch(struct nl_msg *m, uint16_t type)
{
	struct nfgenmsg *g = nl_msg_begin(m, type, 0, sizeof(*g));

	g->nfgen_family = AF_UNSPEC;
	g->version = NFNETLINK_V0;
	g->res_id = htons(NFNL_SUBSYS_NFTABLES);
}

bool nft_put_text(struct nl_msg *m, uint16_t type, const char *text)
{
	return nl_put(m, type, text, strlen(text) + 1);
}

bool nft_put_u32(struct nl_msg *m, uint16_t type, uint32_t value)
{
	value = htonl(value);
	return nl_put(m, type, &value, sizeof(value));
}

static struct nlattr *nest(struct nl_msg *m, uint16_t type)
{
	return mnl_attr_nest_start_check(nl_msg_hdr(m), NL_MSG_MAX, type);
}

static void nest_end(struct nl_msg *m, struct nlattr *start)
{
	mnl_attr_nest_end(nl_msg_hdr(m), start);
}

/* a value in its own nest, as NFTA_CMP_DATA and the like have it */
static bool put_value(struct nl_msg *m, uint16_t type, const void *data, size_t len)
{
	struct nlattr *a = nest(m, type);

	if (!a || !nl_put(m, NFTA_DATA_VALUE, data, len))
		return false;
	nest_end(m, a);
	return true;
}

bool nft_build_table(struct nl_msg *m, const struct nft_table *table, uint32_t flags)
{
	nft_begin(m, table->family, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	return nft_put_text(m, NFTA_TABLE_NAME, table->name) &&
	       nft_put_u32(m, NFTA_TABLE_FLAGS, flags);
}

bool nft_build_delete_table(struct nl_msg *m, const struct nft_table *table)
{
	nft_begin(m, table->family, NFT_MSG_DELTABLE, 0);
	return nft_put_text(m, NFTA_TABLE_NAME, table->name);
}

bool nft_build_set(struct nl_msg *m, const struct nft_table *table, const struct nft_set *set,
		   uint32_t id)
{
	struct {
		uint8_t type, len;
		uint32_t order; /* in the host's own order */
	} __attribute__((packed)) udata = { UDATA_SET_KEYBYTEORDER, sizeof(udata.order),
					    set->is_host_order ? ORDER_HOST : ORDER_NETWORK };

	nft_begin(m, table->family, NFT_MSG_NEWSET, NLM_F_CREATE);
	return nft_put_text(m, NFTA_SET_TABLE, table->name) &&
	       nft_put_text(m, NFTA_SET_NAME, set->name) && nft_put_u32(m, NFTA_SET_FLAGS, 0) &&
	       nft_put_u32(m, NFTA_SET_KEY_TYPE, set->type) &&
	       nft_put_u32(m, NFTA_SET_KEY_LEN, set->len) && nft_put_u32(m, NFTA_SET_ID, id) &&
	       nl_put(m, NFTA_SET_USERDATA, &udata, sizeof(udata));
}

bool nft_build_elems(struct nl_msg *m, const struct nft_table *table, const struct nft_set *set,
		     bool is_delete, const void *elems, size_t n)
{
	nft_begin(m, table->family, is_delete ? NFT_MSG_DELSETELEM : NFT_MSG_NEWSETELEM,
		  is_delete ? 0 : NLM_F_CREATE);
	if (n > NFT_ELEMS_MAX || !nft_put_text(m, NFTA_SET_ELEM_LIST_TABLE, table->name) ||
	    !nft_put_text(m, NFTA_SET_ELEM_LIST_SET, set->name))
		return false;

	struct nlattr *list = nest(m, NFTA_SET_ELEM_LIST_ELEMENTS);
	if (!list)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct nlattr *elem = nest(m, NFTA_LIST_ELEM);

		if (!elem ||
		    !put_value(m, NFTA_SET_ELEM_KEY, (const char *)elems + i * set->len, set->len))
			return false;
		nest_end(m, elem);
	}
	nest_end(m, list);
	return true;
}

bool nft_build_chain(struct nl_msg *m, const struct nft_table *table, const struct nft_chain *chain)
{
	nft_begin(m, table->family, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	if (!nft_put_text(m, NFTA_CHAIN_TABLE, table->name) ||
	    !nft_put_text(m, NFTA_CHAIN_NAME, chain->name))
		return false;

	struct nlattr *hook = nest(m, NFTA_CHAIN_HOOK);
	if (!hook || !nft_put_u32(m, NFTA_HOOK_HOOKNUM, chain->hook) ||
	    !nft_put_u32(m, NFTA_HOOK_PRIORITY, (uint32_t)chain->priority))
		return false;
	nest_end(m, hook);
	return nft_put_u32(m, NFTA_CHAIN_POLICY, chain->policy) &&
	       nft_put_text(m, NFTA_CHAIN_TYPE, chain->type);
}

static bool put_bitwise(struct nl_msg *m, const struct nft_expr *x)
{
	static const uint8_t zero[NFT_VALUE_MAX];

	return nft_put_u32(m, NFTA_BITWISE_SREG, NFT_REG_1) &&
	       nft_put_u32(m, NFTA_BITWISE_DREG, NFT_REG_1) &&
	       nft_put_u32(m, NFTA_BITWISE_LEN, x->len) &&
	       put_value(m, NFTA_BITWISE_MASK, x->data, x->len) &&
	       put_value(m, NFTA_BITWISE_XOR, zero, x->len);
}

static bool put_verdict(struct nl_msg *m, const struct nft_expr *x)
{
	if (!nft_put_u32(m, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT))
		return false;

	struct nlattr *data = nest(m, NFTA_IMMEDIATE_DATA);
	struct nlattr *verdict = data ? nest(m, NFTA_DATA_VERDICT) : NULL;
	if (!verdict || !nft_put_u32(m, NFTA_VERDICT_CODE, x->key))
		return false;
	nest_end(m, verdict);
	nest_end(m, data);
	return true;
}

static bool put_data(struct nl_msg *m, const struct nft_expr *x)
{
	switch (x->kind) {
	case NFT_KIND_META:
		return nft_put_u32(m, NFTA_META_DREG, NFT_REG_1) &&
		       nft_put_u32(m, NFTA_META_KEY, x->key);
	case NFT_KIND_CT:
		return nft_put_u32(m, NFTA_CT_DREG, NFT_REG_1) &&
		       nft_put_u32(m, NFTA_CT_KEY, x->key);
	case NFT_KIND_PAYLOAD:
		return nft_put_u32(m, NFTA_PAYLOAD_DREG, NFT_REG_1) &&
		       nft_put_u32(m, NFTA_PAYLOAD_BASE, x->key) &&
		       nft_put_u32(m, NFTA_PAYLOAD_OFFSET, x->offset) &&
		       nft_put_u32(m, NFTA_PAYLOAD_LEN, x->len);
	case NFT_KIND_BITWISE:
		return put_bitwise(m, x);
	case NFT_KIND_CMP:
		return nft_put_u32(m, NFTA_CMP_SREG, NFT_REG_1) &&
		       nft_put_u32(m, NFTA_CMP_OP, x->key) &&
		       put_value(m, NFTA_CMP_DATA, x->data, x->len);
	case NFT_KIND_LOOKUP:
		return nft_put_text(m, NFTA_LOOKUP_SET, x->set) &&
		       nft_put_u32(m, NFTA_LOOKUP_SREG, NFT_REG_1);
	case NFT_KIND_VERDICT:
		return put_verdict(m, x);
	case NFT_KIND_COUNTER:
	case NFT_KIND_MASQUERADE:
		return true; /* nothing to say */
	case NFT_KIND_OTHER:
		break;
	}
	return false;
}

const char *nft_expr_name(enum nft_kind kind)
{
	static const char *const names[] = {
		[NFT_KIND_META] = "meta",	[NFT_KIND_CT] = "ct",
		[NFT_KIND_PAYLOAD] = "payload", [NFT_KIND_BITWISE] = "bitwise",
		[NFT_KIND_CMP] = "cmp",		[NFT_KIND_LOOKUP] = "lookup",
		[NFT_KIND_COUNTER] = "counter", [NFT_KIND_VERDICT] = "immediate",
		[NFT_KIND_MASQUERADE] = "masq", [NFT_KIND_OTHER] = "",
	};
	return names[kind];
}

static bool put_expr(struct nl_msg *m, const struct nft_expr *x)
{
	struct nlattr *elem = nest(m, NFTA_LIST_ELEM);

	if (!elem || !nft_put_text(m, NFTA_EXPR_NAME, nft_expr_name(x->kind)))
		return false;

	struct nlattr *data = nest(m, NFTA_EXPR_DATA);
	if (!data || !put_data(m, x))
		return false;
	nest_end(m, data);
	nest_end(m, elem);
	return true;
}

bool nft_build_rule(struct nl_msg *m, const struct nft_table *table, const struct nft_chain *chain,
		    const struct nft_rule *rule)
{
	nft_begin(m, table->family, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	if (!nft_put_text(m, NFTA_RULE_TABLE, table->name) ||
	    !nft_put_text(m, NFTA_RULE_CHAIN, chain->name))
		return false;

	struct nlattr *list = nest(m, NFTA_RULE_EXPRESSIONS);
	if (!list)
		return false;
	for (size_t i = 0; i < rule->n; i++) {
		if (!put_expr(m, &rule->exprs[i]))
			return false;
	}
	nest_end(m, list);
	return true;
}
