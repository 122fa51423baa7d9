// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a kernel says of nf_tables. The first byte chooses the message, the rest are its attributes; the headers, which
 * nl.c has checked before, are put on here.
 */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/nft.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

#define HEAD (sizeof(struct nlmsghdr) + sizeof(struct nfgenmsg))

static const struct nft_expr exprs[] = {
	{ .kind = NFT_KIND_META, .key = NFT_META_OIFNAME },
	{ .kind = NFT_KIND_LOOKUP, .set = "allowed" },
	{ .kind = NFT_KIND_BITWISE, .len = 16, .data = { 0xff, 0xc0 } },
	{ .kind = NFT_KIND_CMP, .key = NFT_CMP_EQ, .len = 16, .data = { 0xfe, 0x80 } },
	{ .kind = NFT_KIND_COUNTER },
	{ .kind = NFT_KIND_VERDICT, .key = NF_DROP },
};
static const struct nft_rule rule = { exprs, sizeof(exprs) / sizeof(exprs[0]) };
static const struct nft_set set = { .name = "allowed", .len = 16 };
static const struct nft_chain chain = { .name = "out", .type = "filter", .policy = NF_DROP };
static const struct nft_table table = { .family = NFPROTO_INET, .name = "wgns" };

static const uint8_t types[] = { NFT_MSG_NEWTABLE, NFT_MSG_NEWCHAIN, NFT_MSG_NEWRULE,
				 NFT_MSG_NEWSETELEM };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nft_table_seen seen_table;
	struct nft_chain_seen seen_chain;
	struct nft_rule_seen seen_rule;
	struct nft_elems elems = { 0 };
	struct nl_msg m;

	if (size == 0)
		return 0;
	uint8_t type = types[data[0] % sizeof(types)];
	size_t len = size - 1 < NL_MSG_MAX - HEAD ? size - 1 : NL_MSG_MAX - HEAD;
	nl_msg_begin(&m, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), 0, sizeof(struct nfgenmsg));
	memcpy(m.buf + HEAD, data + 1, len);
	nl_msg_hdr(&m)->nlmsg_len = (uint32_t)(HEAD + len);

	(void)nft_parse_table(nl_msg_hdr(&m), &seen_table);
	(void)nft_parse_chain(nl_msg_hdr(&m), &seen_chain);
	if (nft_parse_rule(nl_msg_hdr(&m), &seen_rule) == 0)
		(void)nft_rule_is(&seen_rule, &rule);
	(void)nft_parse_elems(nl_msg_hdr(&m), set.len, &elems);
	free(elems.data);
	return 0;
}

/* a real message, as the builder makes it: blind bytes rarely become nests */
static size_t make_example(uint8_t *data, size_t max_size, unsigned seed)
{
	static const char names[2][16] = { "lo", "wg0" };
	struct nl_msg m;
	uint8_t choice = (uint8_t)(seed / 64 % sizeof(types));

	if (choice == 0)
		(void)nft_build_table(&m, &table, NFT_OWNED); /* short ones always fit */
	else if (choice == 1)
		(void)nft_build_chain(&m, &table, &chain);
	else if (choice == 2)
		(void)nft_build_rule(&m, &table, &chain, &rule);
	else
		(void)nft_build_elems(&m, &table, &set, false, names, 2);
	size_t len = nl_msg_hdr(&m)->nlmsg_len - HEAD;
	if (max_size < len + 1)
		return 0;
	data[0] = choice;
	memcpy(data + 1, m.buf + HEAD, len);
	return len + 1;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	if (size < 4 || seed % 64 == 0)
		size = make_example(data, max_size, seed);
	return LLVMFuzzerMutate(data, size, max_size);
}
