/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft - messages of nf_tables, as values: tables that are described by constants, built, read back and compared
 *
 * Only what the guard needs. The kernel's words are in linux/netfilter/nf_tables.h; numbers are big-endian there.
 * Everything here is pure but nft_commit() and the nft_read_*() functions. A value in a rule goes through one register.
 */
#ifndef WGNS_NFT_H
#define WGNS_NFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wgns/err.h"
#include "wgns/nl.h"

#define NFT_VALUE_MAX 16 /* bytes of a value: an address, a device's name */
#define NFT_NAME_CAP 32
#define NFT_RULE_MAX 12 /* expressions in one rule */

/*
 * A table that belongs to a socket cannot be changed or flushed by others (Linux 5.12). One that persists outlives that
 * socket; then anybody can change it, until somebody adopts it: asks for it with both flags (6.9). Both or none.
 */
#define NFT_OWNED 0x6u /* NFT_TABLE_F_OWNER | NFT_TABLE_F_PERSIST: older headers lack the second */
#define NFT_PERSISTS 0x4u

enum nft_kind {
	NFT_KIND_META, /* load a fact of the packet: @key is NFT_META_* */
	NFT_KIND_CT, /* of its connection: @key is NFT_CT_* */
	NFT_KIND_PAYLOAD, /* @len bytes at @offset: @key is NFT_PAYLOAD_* */
	NFT_KIND_BITWISE, /* and @data, of @len bytes */
	NFT_KIND_CMP, /* @key is NFT_CMP_*, with @data of @len bytes */
	NFT_KIND_LOOKUP, /* in the set @set; @key 1 means: not in it */
	NFT_KIND_COUNTER,
	NFT_KIND_VERDICT, /* @key is NF_ACCEPT, NF_DROP or NFT_JUMP and so on */
	NFT_KIND_MASQUERADE,
	NFT_KIND_OTHER, /* read back, and none of these */
};
struct nft_expr {
	enum nft_kind kind;
	uint32_t key, offset, len;
	uint8_t data[NFT_VALUE_MAX];
	char set[NFT_NAME_CAP];
};
struct nft_rule {
	const struct nft_expr *exprs;
	size_t n;
};
struct nft_chain {
	const char *name;
	const char *type; /* "filter", "nat" */
	uint32_t hook; /* NF_INET_* or NF_BR_* */
	int32_t priority;
	uint32_t policy; /* NF_ACCEPT, NF_DROP */
	const struct nft_rule *rules;
	size_t n_rules;
};
struct nft_set {
	const char *name;
	uint32_t type; /* what nft(8) shows its elements as: its own number for a type */
	uint32_t len; /* bytes of an element */
	bool is_host_order; /* likewise: otherwise network order */
	const void *
		elems; /* those that are always in it, @n_elems times @len bytes; NULL: it changes */
	size_t n_elems;
};
struct nft_table {
	uint8_t family; /* NFPROTO_INET, NFPROTO_BRIDGE */
	const char *name;
	const struct nft_set *sets;
	size_t n_sets;
	const struct nft_chain *chains;
	size_t n_chains;
};

/* Builders. Return: false when the message is too small for it. */
bool nft_build_table(struct nl_msg *m, const struct nft_table *table, uint32_t flags);
bool nft_build_delete_table(struct nl_msg *m, const struct nft_table *table);
/** nft_build_set - @id: its number in this transaction, not 0 */
bool nft_build_set(struct nl_msg *m, const struct nft_table *table, const struct nft_set *set,
		   uint32_t id);
/** nft_build_elems - put elements into a set, or take them out
 * @n: at most NFT_ELEMS_MAX, each of set->len bytes */
#define NFT_ELEMS_MAX 256
bool nft_build_elems(struct nl_msg *m, const struct nft_table *table, const struct nft_set *set,
		     bool is_delete, const void *elems, size_t n);
bool nft_build_chain(struct nl_msg *m, const struct nft_table *table,
		     const struct nft_chain *chain);
bool nft_build_rule(struct nl_msg *m, const struct nft_table *table, const struct nft_chain *chain,
		    const struct nft_rule *rule);

/* A transaction under construction: all of it happens, or nothing. */
struct nft_change {
	struct nl_batch *batch; /* owned */
	uint32_t n_sets;
	bool is_failed; /* no memory, or something does not fit: nft_commit() says so */
};
#define AUTO_NFT_CHANGE __attribute__((cleanup(nft_change_free)))
void nft_change_begin(struct nft_change *c);
void nft_change_free(struct nft_change *c);
/** nft_add_table - the table, its sets with what is always in them, chains and rules */
void nft_add_table(struct nft_change *c, const struct nft_table *table, uint32_t flags);
/** nft_adopt_table - a table that persists and that nobody has becomes this socket's, until it closes */
void nft_adopt_table(struct nft_change *c, const struct nft_table *table);
void nft_delete_table(struct nft_change *c, const struct nft_table *table);
void nft_add_elems(struct nft_change *c, const struct nft_table *table, const struct nft_set *set,
		   const void *elems, size_t n);
void nft_delete_elems(struct nft_change *c, const struct nft_table *table,
		      const struct nft_set *set, const void *elems, size_t n);
/**
 * nft_commit - do it
 * @is_dry: the kernel checks every request, and then forgets them: the end of the transaction is not sent
 *
 * Needs CAP_NET_ADMIN over the namespace. Return: 0 or -errno; @e has the kernel's words for the first failure
 */
int nft_commit(struct nl *nl, struct nft_change *c, bool is_dry, struct err *e);

/* What is read back */
struct nft_table_seen {
	bool is_there;
	uint32_t flags;
};
struct nft_chain_seen {
	bool has_hook;
	char name[NFT_NAME_CAP], type[NFT_NAME_CAP];
	uint32_t hook, policy;
	int32_t priority;
};
struct nft_rule_seen {
	char chain[NFT_NAME_CAP];
	struct nft_expr exprs[NFT_RULE_MAX];
	size_t n;
	uint64_t packets; /* of its counter */
};
struct nft_elems {
	uint8_t *data; /* owned: @n elements of the set's length */
	size_t n;
};
/* Parsers of one message. Return: 0 or -EINVAL */
int nft_parse_table(const struct nlmsghdr *msg, struct nft_table_seen *out);
int nft_parse_chain(const struct nlmsghdr *msg, struct nft_chain_seen *out);
/** nft_parse_rule - what it does not know is NFT_KIND_OTHER */
int nft_parse_rule(const struct nlmsghdr *msg, struct nft_rule_seen *out);
/** nft_parse_elems - appends; Return: also -ENOMEM, and -E2BIG for more than 65536 */
int nft_parse_elems(const struct nlmsghdr *msg, size_t len, struct nft_elems *out);
/** nft_rule_is - is that what the rule was built from? */
bool nft_rule_is(const struct nft_rule_seen *seen, const struct nft_rule *rule);

/** nft_read_table - Return: 0, also when it is not there, or -errno */
int nft_read_table(struct nl *nl, const struct nft_table *table, struct nft_table_seen *out,
		   struct err *e);
/**
 * nft_read_elems - what is in a set
 * @out: owned by the caller: free(out->data)
 * Return: 0, -ENOENT, or another -errno
 */
int nft_read_elems(struct nl *nl, const struct nft_table *table, const struct nft_set *set,
		   struct nft_elems *out, struct err *e);
/**
 * nft_compare - is the table in the kernel what it should be?
 * @why:     receives what differs, "" when nothing does
 * @dropped: adds the packets that rules which drop have counted; may be NULL
 */
int nft_compare(struct nl *nl, const struct nft_table *table, char *why, size_t cap,
		uint64_t *dropped, struct err *e);

#endif
