// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/lan_guard.h"

#include <errno.h>
#include <netinet/in.h> /* before the kernel's, which then leave out what it has */
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "wgns/guard.h"
#include "wgns/nft.h"

#define NAME_LEN 16 /* the kernel compares all of a device's name */
#define PRIORITY_FILTER 0 /* NF_IP_PRI_FILTER */
#define PRIORITY_SRCNAT 100 /* NF_IP_PRI_NAT_SRC */
#define NET_EXPRS 10
/* of one table: two neighbour messages in, two out, and what else is fixed */
#define FIXED_RULES 16
#define FIXED_EXPRS 12
#define N_CHAINS 4

/* ICMPv6 neighbour solicitation and advertisement: how each end finds the other */
static const uint8_t neighbour_types[] = { 135, 136 };

struct net_rule {
	struct nft_expr exprs[NET_EXPRS];
};

/* A table that is made for one occasion: its parts point into each other. */
struct making {
	struct nft_table table;
	struct nft_chain chains[N_CHAINS];
	struct nft_rule *forward; /* owned; one for each prefix, then the fixed ones */
	struct net_rule *nets; /* owned */
	struct nft_rule rules[FIXED_RULES];
	struct nft_expr exprs[FIXED_RULES][FIXED_EXPRS];
	size_t n_rules;
};

static void add(struct nft_expr *exprs, size_t *n, struct nft_expr x)
{
	exprs[(*n)++] = x;
}

static void add_is(struct nft_expr *exprs, size_t *n, uint32_t op, const void *data, uint32_t len)
{
	struct nft_expr x = { .kind = NFT_KIND_CMP, .key = op, .len = len };

	memcpy(x.data, data, len);
	add(exprs, n, x);
}

static void add_meta(struct nft_expr *exprs, size_t *n, uint32_t key, const void *data,
		     uint32_t len)
{
	add(exprs, n, (struct nft_expr){ .kind = NFT_KIND_META, .key = key });
	add_is(exprs, n, NFT_CMP_EQ, data, len);
}

static void add_device(struct nft_expr *exprs, size_t *n, uint32_t key, const char *name)
{
	char padded[NAME_LEN] = { 0 };

	memcpy(padded, name, strnlen(name, NAME_LEN - 1));
	add_meta(exprs, n, key, padded, NAME_LEN);
}

static void add_verdict(struct nft_expr *exprs, size_t *n, uint32_t verdict)
{
	if (verdict == NF_DROP)
		add(exprs, n, (struct nft_expr){ .kind = NFT_KIND_COUNTER });
	add(exprs, n, (struct nft_expr){ .kind = NFT_KIND_VERDICT, .key = verdict });
}

/* an answer, or an error that a packet of a known connection met */
static void add_known(struct nft_expr *exprs, size_t *n)
{
	/* NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED) */
	const uint32_t known = 6, none = 0;
	struct nft_expr mask = { .kind = NFT_KIND_BITWISE, .len = sizeof(known) };

	memcpy(mask.data, &known, sizeof(known));
	add(exprs, n, (struct nft_expr){ .kind = NFT_KIND_CT, .key = NFT_CT_STATE });
	add(exprs, n, mask);
	add_is(exprs, n, NFT_CMP_NEQ, &none, sizeof(none));
}

/* Return: the expressions of a new rule, which ends() completes */
static struct nft_expr *begins(struct making *m, uint32_t key, const char *device, size_t *n)
{
	struct nft_expr *exprs = m->exprs[m->n_rules];

	*n = 0;
	add_device(exprs, n, key, device);
	return exprs;
}

static void ends(struct making *m, size_t n)
{
	m->rules[m->n_rules] = (struct nft_rule){ m->exprs[m->n_rules], n };
	m->n_rules++;
}

/* what an end of the pair may say for itself, by device in (input) or out (output) */
static void add_neighbours(struct making *m, uint32_t key, const char *device)
{
	const uint8_t ipv6 = NFPROTO_IPV6, icmpv6 = IPPROTO_ICMPV6;

	for (size_t i = 0; i < sizeof(neighbour_types); i++) {
		size_t n;
		struct nft_expr *exprs = begins(m, key, device, &n);

		add_meta(exprs, &n, NFT_META_NFPROTO, &ipv6, 1);
		add_meta(exprs, &n, NFT_META_L4PROTO, &icmpv6, 1);
		add(exprs, &n,
		    (struct nft_expr){ .kind = NFT_KIND_PAYLOAD,
				       .key = NFT_PAYLOAD_TRANSPORT_HEADER,
				       .len = 1 });
		add_is(exprs, &n, NFT_CMP_EQ, &neighbour_types[i], 1);
		add_verdict(exprs, &n, NF_ACCEPT);
		ends(m, n);
	}
}

static void add_drop(struct making *m, uint32_t key, const char *device)
{
	size_t n;
	struct nft_expr *exprs = begins(m, key, device, &n);

	add_verdict(exprs, &n, NF_DROP);
	ends(m, n);
}

static void add_answers(struct making *m, const char *device)
{
	size_t n;
	struct nft_expr *exprs = begins(m, NFT_META_OIFNAME, device, &n);

	add_known(exprs, &n);
	add_verdict(exprs, &n, NF_ACCEPT);
	ends(m, n);
}

static void add_masquerade(struct making *m, const char *device)
{
	size_t n;
	/* the device of arrival is known in postrouting since Linux 5.7 */
	struct nft_expr *exprs = begins(m, NFT_META_IIFNAME, device, &n);

	add(exprs, &n, (struct nft_expr){ .kind = NFT_KIND_MASQUERADE });
	ends(m, n);
}

static void add_net(struct nft_rule *rule, struct net_rule *own, const char *device,
		    const struct lan_guard_net *net)
{
	bool is_v4 = net->net.family == AF_INET;
	const uint8_t family = is_v4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
	uint32_t len = is_v4 ? 4 : 16;
	struct nft_expr mask = { .kind = NFT_KIND_BITWISE, .len = len };
	struct nft_expr *exprs = own->exprs;
	size_t n = 0;

	for (unsigned i = 0; i < net->net.bits; i++)
		mask.data[i / 8] |= (uint8_t)(0x80 >> i % 8);
	add_device(exprs, &n, NFT_META_IIFNAME, device);
	add_device(exprs, &n, NFT_META_OIFNAME, net->uplink);
	add_meta(exprs, &n, NFT_META_NFPROTO, &family, 1);
	/* the destination: RFC 791 and RFC 8200 */
	add(exprs, &n,
	    (struct nft_expr){ .kind = NFT_KIND_PAYLOAD,
			       .key = NFT_PAYLOAD_NETWORK_HEADER,
			       .offset = is_v4 ? 16 : 24,
			       .len = len });
	add(exprs, &n, mask);
	add_is(exprs, &n, NFT_CMP_EQ, net->net.bytes, len);
	add_verdict(exprs, &n, NF_ACCEPT);
	*rule = (struct nft_rule){ exprs, n };
}

static void add_chain(struct making *m, const char *name, uint32_t hook, uint32_t policy,
		      size_t first)
{
	m->chains[m->table.n_chains++] = (struct nft_chain){ .name = name,
							     .type = "filter",
							     .hook = hook,
							     .priority = PRIORITY_FILTER,
							     .policy = policy,
							     .rules = &m->rules[first],
							     .n_rules = m->n_rules - first };
}

/* Nothing that begins elsewhere comes to the pair, and what begins at the pair ends in a prefix of an uplink. */
static int make_forward(struct making *m, const struct lan_guard *want)
{
	size_t first = m->n_rules;

	add_drop(m, NFT_META_IIFNAME, want->device);
	add_answers(m, want->device);
	size_t n_fixed = m->n_rules - first;
	m->forward = calloc(want->n_nets + n_fixed, sizeof(*m->forward));
	m->nets = calloc(want->n_nets + 1, sizeof(*m->nets));
	if (!m->forward || !m->nets)
		return -ENOMEM;
	for (size_t i = 0; i < want->n_nets; i++)
		add_net(&m->forward[i], &m->nets[i], want->device, &want->nets[i]);
	memcpy(&m->forward[want->n_nets], &m->rules[first], n_fixed * sizeof(m->rules[0]));
	add_chain(m, "forward", NF_INET_FORWARD, NF_DROP, first);
	struct nft_chain *chain = &m->chains[m->table.n_chains - 1];
	chain->rules = m->forward;
	chain->n_rules = want->n_nets + n_fixed;
	return 0;
}

static int make(struct making *m, const struct lan_guard *want, struct err *e)
{
	if (want->n_nets > LAN_GUARD_MAX)
		return err_say(e, E2BIG, "%zu prefixes are more than the LAN's table holds, %d",
			       want->n_nets, LAN_GUARD_MAX);
	m->table = (struct nft_table){ .family = NFPROTO_INET,
				       .name = "wgns-lan",
				       .chains = m->chains };
	/* home is not to talk with what runs in physical */
	size_t first = m->n_rules;
	add_neighbours(m, NFT_META_IIFNAME, want->device);
	add_drop(m, NFT_META_IIFNAME, want->device);
	add_chain(m, "input", NF_INET_LOCAL_IN, NF_ACCEPT, first);
	/* nor the other way round: errors about what home sent are answers, too */
	first = m->n_rules;
	add_neighbours(m, NFT_META_OIFNAME, want->device);
	add_answers(m, want->device);
	add_drop(m, NFT_META_OIFNAME, want->device);
	add_chain(m, "output", NF_INET_LOCAL_OUT, NF_ACCEPT, first);
	first = m->n_rules;
	add_masquerade(m, want->device);
	add_chain(m, "postrouting", NF_INET_POST_ROUTING, NF_ACCEPT, first);
	m->chains[m->table.n_chains - 1].type = "nat";
	m->chains[m->table.n_chains - 1].priority = PRIORITY_SRCNAT;
	return make_forward(m, want) < 0 ? err_set(e, ENOMEM, "make the LAN's table") : 0;
}

static void making_free(struct making **m)
{
	if (*m) {
		free((*m)->forward);
		free((*m)->nets);
	}
	free(*m);
}
#define AUTO_MAKING __attribute__((cleanup(making_free)))

int lan_guard_set(struct nl *nl, const struct lan_guard *want, struct err *e)
{
	AUTO_MAKING struct making *m = calloc(1, sizeof(*m));
	AUTO_NFT_CHANGE struct nft_change c = { 0 };
	struct guard_kernel can;
	struct nft_table_seen seen;

	int rc = m ? make(m, want, e) : err_set(e, ENOMEM, "make the LAN's table");
	if (rc == 0)
		rc = guard_probe(nl, &can, e);
	if (rc == 0)
		rc = nft_read_table(nl, &m->table, &seen, e);
	if (rc < 0)
		return rc;
	nft_change_begin(&c);
	if (seen.is_there)
		nft_delete_table(&c, &m->table);
	nft_add_table(&c, &m->table, can.can_persist ? NFT_OWNED : 0);
	return nft_commit(nl, &c, false, e);
}

int lan_guard_compare(struct nl *nl, const struct lan_guard *want, char *why, size_t cap,
		      struct err *e)
{
	AUTO_MAKING struct making *m = calloc(1, sizeof(*m));

	int rc = m ? make(m, want, e) : err_set(e, ENOMEM, "make the LAN's table");
	return rc < 0 ? rc : nft_compare(nl, &m->table, why, cap, NULL, e);
}
