// SPDX-License-Identifier: GPL-2.0-or-later
/* The guard's messages as values, and the guard in the kernel, in a network namespace of its own. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "wgns/guard.h"
#include "wgns/nft.h"

static const struct nft_expr sample[] = {
	{ .kind = NFT_KIND_META, .key = NFT_META_OIFNAME },
	{ .kind = NFT_KIND_LOOKUP, .set = "allowed" },
	{ .kind = NFT_KIND_PAYLOAD, .key = NFT_PAYLOAD_NETWORK_HEADER, .offset = 8, .len = 16 },
	{ .kind = NFT_KIND_BITWISE, .len = 16, .data = { 0xff, 0xc0 } },
	{ .kind = NFT_KIND_CMP, .key = NFT_CMP_EQ, .len = 16, .data = { 0xfe, 0x80 } },
	{ .kind = NFT_KIND_CT, .key = NFT_CT_STATE },
	{ .kind = NFT_KIND_COUNTER },
	{ .kind = NFT_KIND_VERDICT, .key = NF_DROP },
};
#define N_SAMPLE (sizeof(sample) / sizeof(sample[0]))
static const struct nft_rule sample_rule = { sample, N_SAMPLE };
static const struct nft_set sample_set = { .name = "allowed", .type = 41, .len = 16 };
static const struct nft_chain sample_chain = { .name = "out",
					       .type = "filter",
					       .hook = NF_INET_POST_ROUTING,
					       .priority = -5,
					       .policy = NF_DROP,
					       .rules = &sample_rule,
					       .n_rules = 1 };
static const struct nft_table sample_table = { .family = NFPROTO_INET,
					       .name = "sample",
					       .sets = &sample_set,
					       .n_sets = 1,
					       .chains = &sample_chain,
					       .n_chains = 1 };

/* what is built is read back as it was; the counter has no number yet */
static void test_a_rule_is_read_as_it_was_built(void **state)
{
	struct nft_rule_seen seen;
	struct nft_expr counter = { .kind = NFT_KIND_COUNTER };
	struct nl_msg m;

	(void)state;
	/* the kernel gives a counter with its numbers: without them it is none */
	assert_true(nft_build_rule(&m, &sample_table, &sample_chain, &sample_rule));
	assert_int_equal(nft_parse_rule(nl_msg_hdr(&m), &seen), 0);
	assert_string_equal(seen.chain, "out");
	assert_int_equal(seen.n, N_SAMPLE);
	assert_int_equal(seen.exprs[6].kind, NFT_KIND_OTHER);
	seen.exprs[6] = counter;
	assert_true(nft_rule_is(&seen, &sample_rule));
}

static void test_a_rule_that_differs_anywhere_is_another(void **state)
{
	struct nft_rule_seen good, seen;
	struct nl_msg m;

	(void)state;
	assert_true(nft_build_rule(&m, &sample_table, &sample_chain, &sample_rule));
	assert_int_equal(nft_parse_rule(nl_msg_hdr(&m), &good), 0);
	good.exprs[6].kind = NFT_KIND_COUNTER;
	assert_true(nft_rule_is(&good, &sample_rule));

	seen = good;
	seen.n--;
	assert_false(nft_rule_is(&seen, &sample_rule));
	seen = good;
	seen.exprs[0].key = NFT_META_IIFNAME;
	assert_false(nft_rule_is(&seen, &sample_rule));
	seen = good;
	seen.exprs[1].key = NFT_LOOKUP_F_INV;
	assert_false(nft_rule_is(&seen, &sample_rule));
	seen = good;
	seen.exprs[1].set[0] = 'x';
	assert_false(nft_rule_is(&seen, &sample_rule));
	seen = good;
	seen.exprs[4].data[15] = 1;
	assert_false(nft_rule_is(&seen, &sample_rule));
	seen = good;
	seen.exprs[7].key = NF_ACCEPT;
	assert_false(nft_rule_is(&seen, &sample_rule));
}

static void test_chain_and_elements_are_read_as_they_were_built(void **state)
{
	static const char names[2][16] = { "lo", "wg0" };
	struct nft_chain_seen chain;
	struct nft_table_seen table;
	struct nft_elems elems = { 0 };
	struct nl_msg m;

	(void)state;
	assert_true(nft_build_chain(&m, &sample_table, &sample_chain));
	assert_int_equal(nft_parse_chain(nl_msg_hdr(&m), &chain), 0);
	assert_true(chain.has_hook);
	assert_int_equal(chain.hook, NF_INET_POST_ROUTING);
	assert_int_equal(chain.priority, -5);
	assert_int_equal(chain.policy, NF_DROP);
	assert_string_equal(chain.type, "filter");

	assert_true(nft_build_table(&m, &sample_table, NFT_OWNED));
	assert_int_equal(nft_parse_table(nl_msg_hdr(&m), &table), 0);
	assert_int_equal(table.flags, NFT_OWNED);

	assert_true(nft_build_elems(&m, &sample_table, &sample_set, false, names, 2));
	assert_int_equal(nft_parse_elems(nl_msg_hdr(&m), 16, &elems), 0);
	assert_int_equal(elems.n, 2);
	assert_memory_equal(elems.data, names, sizeof(names));
	/* elements of another length are of another set */
	assert_int_equal(nft_parse_elems(nl_msg_hdr(&m), 2, &elems), -EINVAL);
	free(elems.data);
}

/* no cut or changed byte of a message makes a parser read past it; the sanitizers watch */
static void test_damaged_messages_are_refused_or_read_within_their_bounds(void **state)
{
	struct nft_rule_seen rule;
	struct nft_chain_seen chain;
	struct nft_table_seen table;
	struct nl_msg m, cut;

	(void)state;
	assert_true(nft_build_rule(&m, &sample_table, &sample_chain, &sample_rule));
	uint32_t len = nl_msg_hdr(&m)->nlmsg_len;
	for (uint32_t n = NLMSG_HDRLEN; n < len; n++) {
		memcpy(&cut, &m, sizeof(m));
		nl_msg_hdr(&cut)->nlmsg_len = n;
		if (nft_parse_rule(nl_msg_hdr(&cut), &rule) == 0)
			assert_false(nft_rule_is(&rule, &sample_rule));
	}
	for (uint32_t at = NLMSG_HDRLEN + 4; at < len; at++) {
		memcpy(&cut, &m, sizeof(m));
		cut.buf[at] = (char)(cut.buf[at] ^ 0x7f);
		(void)nft_parse_rule(nl_msg_hdr(&cut), &rule);
	}
	assert_int_equal(nft_parse_chain(nl_msg_hdr(&m), &chain), -EINVAL);
	assert_int_equal(nft_parse_table(nl_msg_hdr(&m), &table), -EINVAL);
}

static void test_more_elements_than_a_message_holds_are_refused(void **state)
{
	static const char names[NFT_ELEMS_MAX + 1][16];
	struct nl_msg m;

	(void)state;
	assert_true(nft_build_elems(&m, &sample_table, &sample_set, false, names, NFT_ELEMS_MAX));
	assert_false(
		nft_build_elems(&m, &sample_table, &sample_set, false, names, NFT_ELEMS_MAX + 1));
}

/* ---- the kernel ---- */

static bool has_namespace;

static int make_namespace(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET) < 0) {
		print_message("skipped: no permission to make network namespaces (%s)\n",
			      strerror(errno));
		return getenv("WGNS_MUST_RUN") ? -1 : 0;
	}
	has_namespace = true;
	return 0;
}

static struct nl *talk(void)
{
	struct nl *nl = NULL;
	struct err e = { 0 };

	if (!has_namespace)
		skip();
	assert_int_equal(guard_open_in(-1, &nl, &e), 0);
	return nl;
}

static void good(int rc, const struct err *e)
{
	if (rc < 0)
		fail_msg("%s (%s)", e->text, e->kernel);
}

static void set(struct nl *nl, const char *const *names, size_t n)
{
	static const char *const uplinks[] = { "eth0" };
	const struct guard_home home = { names, n, uplinks, 1 };
	struct err e = { 0 };

	good(guard_set_home(nl, &home, &e), &e);
}

/* the guard that is there lets exactly these send; "lo wg0" in any order */
static void assert_names(struct nl *nl, const char *const *names, size_t n)
{
	struct guard_seen seen = { 0 };
	struct err e = { 0 };

	good(guard_read(nl, &seen, &e), &e);
	assert_true(seen.is_there);
	assert_false(seen.is_physical);
	assert_string_equal(seen.why, "");
	assert_true(seen.is_intact);
	assert_int_equal(seen.n_names, n);
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;
		while (k < n && strcmp(seen.names[k], names[i]) != 0)
			k++;
		assert_true(k < n);
	}
	guard_seen_free(&seen);
}

static void assert_none(struct nl *nl)
{
	struct guard_seen seen = { 0 };
	struct err e = { 0 };

	good(guard_read(nl, &seen, &e), &e);
	assert_false(seen.is_there);
	assert_false(seen.has_bridge);
	guard_seen_free(&seen);
}

static void assert_broken(struct nl *nl, const char *why)
{
	struct guard_seen seen = { 0 };
	struct err e = { 0 };

	good(guard_read(nl, &seen, &e), &e);
	assert_true(seen.is_there);
	assert_false(seen.is_intact);
	if (!strstr(seen.why, why))
		fail_msg("'%s' is not in '%s'", why, seen.why);
	guard_seen_free(&seen);
}

static void test_guard_of_home_is_set_replaced_changed_and_cleared(void **state)
{
	static const char *const first[] = { "lo", "docker0" }, *const second[] = { "lo", "wg0" },
				 *const third[] = { "lo", "wg0", "fifteen-letters" };
	struct err e = { 0 };
	struct nl *nl = talk();

	(void)state;
	assert_none(nl);
	good(guard_clear(nl, &e), &e);
	good(guard_forbid(nl, "wg0", &e), &e);
	assert_int_equal(guard_allow(nl, "wg0", &e), -ENOENT);
	set(nl, first, 2);
	assert_names(nl, first, 2);
	set(nl, second, 2);
	assert_names(nl, second, 2);
	/* the talker that made it is gone */
	nl_close(&nl);
	nl = talk();
	for (int i = 0; i < 2; i++)
		good(guard_allow(nl, "fifteen-letters", &e), &e);
	assert_names(nl, third, 3);
	for (int i = 0; i < 2; i++)
		good(guard_forbid(nl, "fifteen-letters", &e), &e);
	assert_names(nl, second, 2);
	for (int i = 0; i < 2; i++)
		good(guard_clear(nl, &e), &e);
	assert_none(nl);
	nl_close(&nl);
}

static void test_guard_of_physical_opens_and_closes_ports(void **state)
{
	const struct guard_physical physical = { 0 };
	struct guard_seen seen = { 0 };
	struct err e = { 0 };
	struct nl *nl = talk();

	(void)state;
	good(guard_set_physical(nl, &physical, &e), &e);
	good(guard_open_port(nl, 51820, &e), &e);
	good(guard_open_port(nl, 258, &e), &e);
	good(guard_close_port(nl, 51820, &e), &e);
	good(guard_close_port(nl, 51820, &e), &e);
	good(guard_read(nl, &seen, &e), &e);
	assert_true(seen.is_there && seen.is_physical && seen.is_intact);
	assert_int_equal(seen.n_ports, 1);
	assert_int_equal(seen.ports[0], 258);
	guard_seen_free(&seen);
	good(guard_clear(nl, &e), &e);
	assert_none(nl);
	nl_close(&nl);
}

static void test_guard_holds_as_many_devices_as_it_says_and_no_more(void **state)
{
	static char names[GUARD_NAMES_MAX + 1][16];
	static const char *list[GUARD_NAMES_MAX + 1];
	const struct guard_home too_many = { list, GUARD_NAMES_MAX + 1, NULL, 0 };
	struct err e = { 0 };
	struct nl *nl = talk();

	(void)state;
	for (int i = 0; i <= GUARD_NAMES_MAX; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "veth-%d", i);
		list[i] = names[i];
	}
	set(nl, list, GUARD_NAMES_MAX);
	assert_int_equal(guard_set_home(nl, &too_many, &e), -E2BIG);
	assert_names(nl, list, GUARD_NAMES_MAX);
	good(guard_clear(nl, &e), &e);
	nl_close(&nl);
}

static void test_names_that_no_device_has_are_refused(void **state)
{
	static const char *const bad[] = { "lo", "sixteen-letters-" };
	const struct guard_home home = { bad, 2, NULL, 0 };
	struct err e = { 0 };
	struct nl *nl = talk();

	(void)state;
	assert_int_equal(guard_set_home(nl, &home, &e), -EINVAL);
	assert_int_equal(guard_allow(nl, "", &e), -EINVAL);
	assert_int_equal(guard_forbid(nl, bad[1], &e), -EINVAL);
	assert_none(nl);
	nl_close(&nl);
}

static void test_what_somebody_changed_is_named(void **state)
{
	static const char *const lo[] = { "lo" };
	static const struct {
		const char *command, *why;
		bool may_fail; /* a flag that some tables do not change, and an nft that is too old */
	} cases[] = {
		{ "nft add rule inet wgns postrouting accept", "rule 3 in chain postrouting",
		  false },
		{ "nft insert rule inet wgns postrouting accept", "rule 1 in chain postrouting",
		  false },
		{ "nft flush chain inet wgns postrouting", "has 0 of its 2 rules", false },
		{ "nft add chain inet wgns postrouting '{ policy accept; }'", "policy of chain",
		  false },
		{ "nft delete chain inet wgns postrouting",
		  "chain postrouting of table inet wgns is gone", false },
		{ "nft flush set bridge wgns kinds", "set kinds of table bridge wgns", false },
		{ "nft add element bridge wgns kinds '{ bond }'", "set kinds of table bridge wgns",
		  false },
		{ "nft 'flush chain inet wgns postrouting; delete set inet wgns allowed'",
		  "set allowed of table inet wgns is gone", false },
		{ "nft add table inet wgns '{ flags dormant; }' 2>/dev/null", "dormant", true },
	};
	struct err e = { 0 };
	struct nl *nl = talk();

	(void)state;
	if (system("nft --version >/dev/null 2>&1") != 0) {
		nl_close(&nl);
		print_message("skipped: there is no nft\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set(nl, lo, 1);
		nl_close(&nl); /* nobody else could change it before */
		int status = system(cases[i].command);
		assert_true(status == 0 || cases[i].may_fail);
		if (status != 0) {
			nl = talk();
			continue;
		}
		nl = talk();
		assert_broken(nl, cases[i].why);
		/* and set again it is whole */
		set(nl, lo, 1);
		assert_names(nl, lo, 1);
	}
	good(guard_clear(nl, &e), &e);
	nl_close(&nl);
}

static void test_a_guard_that_is_held_is_nobody_elses_to_change(void **state)
{
	static const char *const lo[] = { "lo" };
	struct guard_seen seen = { 0 };
	struct guard_kernel can = { 0 };
	struct err e = { 0 };
	struct nl *nl = talk(), *other = talk();

	(void)state;
	good(guard_probe(nl, &can, &e), &e);
	assert_none(nl); /* it only asks */
	if (!can.can_persist) {
		nl_close(&nl);
		nl_close(&other);
		print_message("this kernel has no tables that persist\n");
		return;
	}
	set(nl, lo, 1);
	assert_int_equal(guard_clear(other, &e), -EPERM);
	assert_int_equal(guard_allow(other, "wg0", &e), -EPERM);
	assert_int_equal(guard_hold(other, &e), -EPERM);
	nl_close(&nl);
	/* now it is nobody's, and anybody's: what persists is the table, not its protection */
	good(guard_read(other, &seen, &e), &e);
	assert_true(seen.is_persistent);
	assert_false(seen.is_held);
	guard_seen_free(&seen);
	for (int i = 0; i < 2; i++)
		good(guard_hold(other, &e), &e);
	nl = talk();
	assert_int_equal(guard_clear(nl, &e), -EPERM);
	assert_names(nl, lo, 1);
	good(guard_clear(other, &e), &e);
	nl_close(&nl);
	nl_close(&other);
}

/* ---- packets ---- */

/* Return: 0, or the errno with which a datagram to @port of 127.0.0.1 was not sent */
static int send_to_lo(uint16_t port)
{
	const struct sockaddr_in to = { .sin_family = AF_INET,
					.sin_port = htons(port),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	ssize_t n = sendto(fd, "", 1, 0, (const struct sockaddr *)&to, sizeof(to));
	int code = n < 0 ? errno : 0;
	close(fd);
	return code;
}

static void test_what_is_not_allowed_is_dropped_and_counted(void **state)
{
	static const char *const lo[] = { "lo" }, *const other[] = { "eth7" };
	struct guard_seen seen = { 0 };
	struct err e = { 0 };
	struct nl *nl = talk();

	(void)state;
	assert_int_equal(system("ip link set lo up"), 0);
	set(nl, lo, 1);
	assert_int_equal(send_to_lo(9), 0);
	good(guard_read(nl, &seen, &e), &e);
	assert_int_equal(seen.n_dropped, 0);
	guard_seen_free(&seen);

	set(nl, other, 1);
	assert_int_equal(send_to_lo(9), EPERM);
	good(guard_read(nl, &seen, &e), &e);
	assert_int_equal(seen.n_dropped, 1);
	guard_seen_free(&seen);
	good(guard_clear(nl, &e), &e);
	assert_int_equal(send_to_lo(9), 0);
	nl_close(&nl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_rule_is_read_as_it_was_built),
		cmocka_unit_test(test_a_rule_that_differs_anywhere_is_another),
		cmocka_unit_test(test_chain_and_elements_are_read_as_they_were_built),
		cmocka_unit_test(test_damaged_messages_are_refused_or_read_within_their_bounds),
		cmocka_unit_test(test_more_elements_than_a_message_holds_are_refused),
		cmocka_unit_test(test_guard_of_home_is_set_replaced_changed_and_cleared),
		cmocka_unit_test(test_guard_of_physical_opens_and_closes_ports),
		cmocka_unit_test(test_guard_holds_as_many_devices_as_it_says_and_no_more),
		cmocka_unit_test(test_names_that_no_device_has_are_refused),
		cmocka_unit_test(test_what_somebody_changed_is_named),
		cmocka_unit_test(test_a_guard_that_is_held_is_nobody_elses_to_change),
		cmocka_unit_test(test_what_is_not_allowed_is_dropped_and_counted),
	};

	return cmocka_run_group_tests_name("guard", tests, make_namespace, NULL);
}
