// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "nft_internal.h"

#define ELEMS_TOTAL_MAX 65536u

static bool is_of(const struct nlmsghdr *msg, uint8_t type)
{
	return msg->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | type) &&
	       mnl_nlmsg_get_payload_len(msg) >= sizeof(struct nfgenmsg);
}

static bool read_u32(const struct nlattr *a, uint32_t *out)
{
	uint32_t value;

	if (!nl_attr_u32(a, &value))
		return false;
	*out = ntohl(value);
	return true;
}

static bool read_value(const struct nlattr *nested, uint8_t *out, uint32_t *len)
{
	const struct nlattr *tb[NFTA_DATA_VALUE + 1];

	if (!nested || nl_attr_table_nested(nested, tb, NFTA_DATA_VALUE) < 0 ||
	    !tb[NFTA_DATA_VALUE])
		return false;
	size_t n = mnl_attr_get_payload_len(tb[NFTA_DATA_VALUE]);
	if (n > NFT_VALUE_MAX)
		return false;
	memcpy(out, mnl_attr_get_payload(tb[NFTA_DATA_VALUE]), n);
	*len = (uint32_t)n;
	return true;
}

int nft_parse_table(const struct nlmsghdr *msg, struct nft_table_seen *out)
{
	const struct nlattr *tb[NFTA_TABLE_FLAGS + 1];
	uint32_t flags = 0;

	if (!is_of(msg, NFT_MSG_NEWTABLE) ||
	    nl_attr_table(msg, sizeof(struct nfgenmsg), tb, NFTA_TABLE_FLAGS) < 0 ||
	    !read_u32(tb[NFTA_TABLE_FLAGS], &flags))
		return -EINVAL;
	*out = (struct nft_table_seen){ .is_there = true, .flags = flags };
	return 0;
}

int nft_parse_chain(const struct nlmsghdr *msg, struct nft_chain_seen *out)
{
	const struct nlattr *tb[NFTA_CHAIN_TYPE + 1], *hook[NFTA_HOOK_PRIORITY + 1];
	struct nft_chain_seen c = { 0 };
	uint32_t priority = 0;

	if (!is_of(msg, NFT_MSG_NEWCHAIN) ||
	    nl_attr_table(msg, sizeof(struct nfgenmsg), tb, NFTA_CHAIN_TYPE) < 0 ||
	    !nl_attr_text(tb[NFTA_CHAIN_NAME], c.name, sizeof(c.name)))
		return -EINVAL;
	c.has_hook = tb[NFTA_CHAIN_HOOK] != NULL;
	if (c.has_hook &&
	    (nl_attr_table_nested(tb[NFTA_CHAIN_HOOK], hook, NFTA_HOOK_PRIORITY) < 0 ||
	     !read_u32(hook[NFTA_HOOK_HOOKNUM], &c.hook) ||
	     !read_u32(hook[NFTA_HOOK_PRIORITY], &priority) ||
	     !read_u32(tb[NFTA_CHAIN_POLICY], &c.policy) ||
	     !nl_attr_text(tb[NFTA_CHAIN_TYPE], c.type, sizeof(c.type))))
		return -EINVAL;
	c.priority = (int32_t)priority;
	*out = c;
	return 0;
}

static bool is_register(const struct nlattr *a, uint32_t want)
{
	uint32_t value;

	return read_u32(a, &value) && value == want;
}

static bool read_meta(const struct nlattr *data, struct nft_expr *x)
{
	const struct nlattr *tb[NFTA_META_SREG + 1];

	return nl_attr_table_nested(data, tb, NFTA_META_SREG) == 0 && !tb[NFTA_META_SREG] &&
	       is_register(tb[NFTA_META_DREG], NFT_REG_1) && read_u32(tb[NFTA_META_KEY], &x->key);
}

static bool read_ct(const struct nlattr *data, struct nft_expr *x)
{
	const struct nlattr *tb[NFTA_CT_SREG + 1];

	return nl_attr_table_nested(data, tb, NFTA_CT_SREG) == 0 && !tb[NFTA_CT_SREG] &&
	       is_register(tb[NFTA_CT_DREG], NFT_REG_1) && read_u32(tb[NFTA_CT_KEY], &x->key);
}

static bool read_payload(const struct nlattr *data, struct nft_expr *x)
{
	const struct nlattr *tb[NFTA_PAYLOAD_SREG + 1];

	return nl_attr_table_nested(data, tb, NFTA_PAYLOAD_SREG) == 0 && !tb[NFTA_PAYLOAD_SREG] &&
	       is_register(tb[NFTA_PAYLOAD_DREG], NFT_REG_1) &&
	       read_u32(tb[NFTA_PAYLOAD_BASE], &x->key) &&
	       read_u32(tb[NFTA_PAYLOAD_OFFSET], &x->offset) &&
	       read_u32(tb[NFTA_PAYLOAD_LEN], &x->len);
}

static bool read_bitwise(const struct nlattr *data, struct nft_expr *x)
{
	static const uint8_t zero[NFT_VALUE_MAX];
	const struct nlattr *tb[NFTA_BITWISE_OP + 1];
	uint8_t xor [NFT_VALUE_MAX] = { 0 };
	uint32_t xor_len = 0, op = NFT_BITWISE_BOOL, len = 0;

	if (nl_attr_table_nested(data, tb, NFTA_BITWISE_OP) < 0)
		return false;
	/* Linux 5.6 brought the operation */
	if (tb[NFTA_BITWISE_OP] && !read_u32(tb[NFTA_BITWISE_OP], &op))
		return false;
	return op == NFT_BITWISE_BOOL && is_register(tb[NFTA_BITWISE_SREG], NFT_REG_1) &&
	       is_register(tb[NFTA_BITWISE_DREG], NFT_REG_1) &&
	       read_u32(tb[NFTA_BITWISE_LEN], &x->len) &&
	       read_value(tb[NFTA_BITWISE_MASK], x->data, &len) && len == x->len &&
	       read_value(tb[NFTA_BITWISE_XOR], xor, &xor_len) &&
	       memcmp(xor, zero, sizeof(zero)) == 0;
}

static bool read_cmp(const struct nlattr *data, struct nft_expr *x)
{
	const struct nlattr *tb[NFTA_CMP_DATA + 1];

	return nl_attr_table_nested(data, tb, NFTA_CMP_DATA) == 0 &&
	       is_register(tb[NFTA_CMP_SREG], NFT_REG_1) && read_u32(tb[NFTA_CMP_OP], &x->key) &&
	       read_value(tb[NFTA_CMP_DATA], x->data, &x->len);
}

static bool read_lookup(const struct nlattr *data, struct nft_expr *x)
{
	const struct nlattr *tb[NFTA_LOOKUP_FLAGS + 1];

	if (nl_attr_table_nested(data, tb, NFTA_LOOKUP_FLAGS) < 0 || tb[NFTA_LOOKUP_DREG] ||
	    !is_register(tb[NFTA_LOOKUP_SREG], NFT_REG_1) ||
	    !nl_attr_text(tb[NFTA_LOOKUP_SET], x->set, sizeof(x->set)))
		return false;
	return !tb[NFTA_LOOKUP_FLAGS] || read_u32(tb[NFTA_LOOKUP_FLAGS], &x->key);
}

static bool read_verdict(const struct nlattr *data, struct nft_expr *x)
{
	const struct nlattr *tb[NFTA_IMMEDIATE_DATA + 1], *value[NFTA_DATA_VERDICT + 1],
		*verdict[NFTA_VERDICT_CODE + 1];

	return nl_attr_table_nested(data, tb, NFTA_IMMEDIATE_DATA) == 0 &&
	       is_register(tb[NFTA_IMMEDIATE_DREG], NFT_REG_VERDICT) && tb[NFTA_IMMEDIATE_DATA] &&
	       nl_attr_table_nested(tb[NFTA_IMMEDIATE_DATA], value, NFTA_DATA_VERDICT) == 0 &&
	       value[NFTA_DATA_VERDICT] &&
	       nl_attr_table_nested(value[NFTA_DATA_VERDICT], verdict, NFTA_VERDICT_CODE) == 0 &&
	       read_u32(verdict[NFTA_VERDICT_CODE], &x->key);
}

static bool read_packets(const struct nlattr *data, uint64_t *out)
{
	const struct nlattr *tb[NFTA_COUNTER_PACKETS + 1];
	uint64_t value;

	if (nl_attr_table_nested(data, tb, NFTA_COUNTER_PACKETS) < 0 ||
	    !nl_attr_u64(tb[NFTA_COUNTER_PACKETS], &value))
		return false;
	*out = be64toh(value);
	return true;
}

static bool read_expr(const struct nlattr *data, struct nft_expr *x, uint64_t *packets)
{
	switch (x->kind) {
	case NFT_KIND_META:
		return read_meta(data, x);
	case NFT_KIND_CT:
		return read_ct(data, x);
	case NFT_KIND_PAYLOAD:
		return read_payload(data, x);
	case NFT_KIND_BITWISE:
		return read_bitwise(data, x);
	case NFT_KIND_CMP:
		return read_cmp(data, x);
	case NFT_KIND_LOOKUP:
		return read_lookup(data, x);
	case NFT_KIND_VERDICT:
		return read_verdict(data, x);
	case NFT_KIND_COUNTER:
		return read_packets(data, packets);
	case NFT_KIND_MASQUERADE:
		return true;
	case NFT_KIND_OTHER:
		break;
	}
	return false;
}

static enum nft_kind kind_of(const char *name)
{
	for (int kind = 0; kind < NFT_KIND_OTHER; kind++) {
		if (strcmp(name, nft_expr_name((enum nft_kind)kind)) == 0)
			return (enum nft_kind)kind;
	}
	return NFT_KIND_OTHER;
}

static int add_expr(const struct nlattr *elem, struct nft_rule_seen *rule)
{
	const struct nlattr *tb[NFTA_EXPR_DATA + 1];
	struct nft_expr x = { 0 };
	char name[NFT_NAME_CAP];

	if (nl_attr_table_nested(elem, tb, NFTA_EXPR_DATA) < 0 ||
	    !nl_attr_text(tb[NFTA_EXPR_NAME], name, sizeof(name)))
		return -EINVAL;
	x.kind = kind_of(name);
	/* an expression with no attributes of its own may come without its nest */
	if (x.kind != NFT_KIND_MASQUERADE &&
	    (!tb[NFTA_EXPR_DATA] || !read_expr(tb[NFTA_EXPR_DATA], &x, &rule->packets)))
		x = (struct nft_expr){ .kind = NFT_KIND_OTHER };

	/* a longer rule is none of ours: the last one says so */
	if (rule->n == NFT_RULE_MAX)
		rule->exprs[NFT_RULE_MAX - 1].kind = NFT_KIND_OTHER;
	else
		rule->exprs[rule->n++] = x;
	return 0;
}

int nft_parse_rule(const struct nlmsghdr *msg, struct nft_rule_seen *out)
{
	const struct nlattr *tb[NFTA_RULE_EXPRESSIONS + 1], *elem = NULL;
	int r;

	*out = (struct nft_rule_seen){ 0 };
	if (!is_of(msg, NFT_MSG_NEWRULE) ||
	    nl_attr_table(msg, sizeof(struct nfgenmsg), tb, NFTA_RULE_EXPRESSIONS) < 0 ||
	    !nl_attr_text(tb[NFTA_RULE_CHAIN], out->chain, sizeof(out->chain)))
		return -EINVAL;
	if (!tb[NFTA_RULE_EXPRESSIONS])
		return 0;

	struct nl_walk w = nl_walk_nested(tb[NFTA_RULE_EXPRESSIONS]);
	for (r = nl_walk_next(&w, &elem); r > 0; r = nl_walk_next(&w, &elem)) {
		if (add_expr(elem, out) < 0)
			return -EINVAL;
	}
	return r;
}

static bool is_same(const struct nft_expr *a, const struct nft_expr *b)
{
	return a->kind == b->kind && a->kind != NFT_KIND_OTHER && a->key == b->key &&
	       a->offset == b->offset && a->len == b->len &&
	       memcmp(a->data, b->data, sizeof(a->data)) == 0 && strcmp(a->set, b->set) == 0;
}

bool nft_rule_is(const struct nft_rule_seen *seen, const struct nft_rule *rule)
{
	if (seen->n != rule->n)
		return false;
	for (size_t i = 0; i < rule->n; i++) {
		if (!is_same(&seen->exprs[i], &rule->exprs[i]))
			return false;
	}
	return true;
}

static int add_elem(const struct nlattr *elem, size_t len, struct nft_elems *out)
{
	const struct nlattr *tb[NFTA_SET_ELEM_KEY + 1];
	uint8_t value[NFT_VALUE_MAX];
	uint32_t found = 0;

	if (nl_attr_table_nested(elem, tb, NFTA_SET_ELEM_KEY) < 0 ||
	    !read_value(tb[NFTA_SET_ELEM_KEY], value, &found) || found != len)
		return -EINVAL;
	if (out->n >= ELEMS_TOTAL_MAX)
		return -E2BIG;

	uint8_t *data = realloc(out->data, (out->n + 1) * len);
	if (!data)
		return -ENOMEM;
	memcpy(data + out->n * len, value, len);
	out->data = data;
	out->n++;
	return 0;
}

int nft_parse_elems(const struct nlmsghdr *msg, size_t len, struct nft_elems *out)
{
	const struct nlattr *tb[NFTA_SET_ELEM_LIST_ELEMENTS + 1], *elem = NULL;
	int r;

	if (!is_of(msg, NFT_MSG_NEWSETELEM) ||
	    nl_attr_table(msg, sizeof(struct nfgenmsg), tb, NFTA_SET_ELEM_LIST_ELEMENTS) < 0)
		return -EINVAL;
	if (!tb[NFTA_SET_ELEM_LIST_ELEMENTS])
		return 0;

	struct nl_walk w = nl_walk_nested(tb[NFTA_SET_ELEM_LIST_ELEMENTS]);
	for (r = nl_walk_next(&w, &elem); r > 0; r = nl_walk_next(&w, &elem)) {
		int added = add_elem(elem, len, out);

		if (added < 0)
			return added;
	}
	return r;
}
