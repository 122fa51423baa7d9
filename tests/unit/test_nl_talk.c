// SPDX-License-Identifier: GPL-2.0-or-later
/* The talker against the kernel, in namespaces of its own. */
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "wgns/fd.h"
#include "wgns/rtnl.h"

#define N_ROUTES 5000
#define BAD_EVERY 500

static int other_fd = -1; /* a second namespace, with one lo that is down */

static int make_namespaces(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET) < 0) {
		print_message("skipped: no permission to make network namespaces (%s)\n",
			      strerror(errno));
		return getenv("WGNS_MUST_RUN") ? -1 : 0;
	}
	other_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return other_fd < 0 || unshare(CLONE_NEWNET) < 0 ? -1 : 0;
}

static int drop_namespaces(void **state)
{
	(void)state;
	fd_close_indirect(&other_fd);
	return 0;
}

static struct nl *talk_in(int ns_fd)
{
	struct nl *nl = NULL;
	struct err e = { 0 };

	assert_int_equal(nl_open_in(NETLINK_ROUTE, ns_fd, &nl, &e), 0);
	return nl;
}

/* lo up in this namespace, so that routes can lead there */
static struct nl *talk_with_lo(void)
{
	struct err e = { 0 };
	struct nl_msg m;

	if (other_fd < 0)
		skip();
	struct nl *nl = talk_in(-1);
	rtnl_build_link_flags(&m, 1, IFF_UP, IFF_UP);
	assert_int_equal(nl_talk(nl, &m, &e), 0);
	return nl;
}

static ino_t own_namespace(void)
{
	struct stat st;

	assert_int_equal(stat("/proc/thread-self/ns/net", &st), 0);
	return st.st_ino;
}

static void build_route(struct nl_msg *m, unsigned table, unsigned i)
{
	struct addr dst = { .family = AF_INET,
			    .bits = 32,
			    .bytes = { 10, (uint8_t)table, (uint8_t)(i >> 8), (uint8_t)i } };

	rtnl_build_route_add(m, 1, &dst, table);
}

/* "Invalid prefix for given prefix length": 10.0.0.1/8 */
static void build_bad_route(struct nl_msg *m)
{
	build_route(m, 100, 1);
	struct rtmsg *rtm = mnl_nlmsg_get_payload(nl_msg_hdr(m));
	rtm->rtm_dst_len = 8;
}

static size_t count_routes(struct nl *nl, unsigned table)
{
	struct rtnl_list list = { 0 };
	struct err e = { 0 };
	size_t n = 0;

	assert_int_equal(rtnl_dump(nl, RTNL_ROUTE, AF_INET, &list, &e), 0);
	for (size_t i = 0; i < list.n; i++) {
		struct rtnl_route r;
		assert_int_equal(rtnl_parse_route(list.items[i].msg, &r), 0);
		n += r.table == table;
	}
	rtnl_list_free(&list);
	return n;
}

static void test_nl_open_in_stays_in_the_namespace(void **state)
{
	(void)state;
	AUTO_NL struct nl *here = talk_with_lo();
	ino_t before = own_namespace();
	AUTO_NL struct nl *there = talk_in(other_fd);
	struct rtnl_link link;
	struct err e = { 0 };
	struct nl_msg m;

	assert_int_equal(own_namespace(), before);
	rtnl_build_link_create(&m, "only-there", "bridge");
	assert_int_equal(nl_talk(there, &m, &e), 0);
	assert_int_equal(rtnl_get_link(there, 0, "only-there", &link, &e), 0);
	assert_string_equal(link.kind, "bridge");
	assert_int_equal(e.code, 0);
	assert_int_equal(rtnl_get_link(here, 0, "only-there", &link, &e), -ENODEV);
	assert_int_equal(rtnl_get_link(there, 0, "lo", &link, &e), 0);
	assert_int_equal(link.flags & IFF_UP, 0);
}

static void test_nl_open_in_refuses_what_is_no_namespace(void **state)
{
	(void)state;
	AUTO_FD int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ino_t before = own_namespace();
	struct nl *nl = NULL;
	struct err e = { 0 };

	if (other_fd < 0)
		skip();
	assert_int_equal(nl_open_in(NETLINK_ROUTE, fd, &nl, &e), -EINVAL);
	assert_null(nl);
	assert_int_equal(own_namespace(), before);
}

static void test_nl_talk_tells_the_kernels_words(void **state)
{
	(void)state;
	AUTO_NL struct nl *nl = talk_with_lo();
	struct err e = { 0 };
	struct nl_msg m;

	build_bad_route(&m);
	assert_int_equal(nl_talk(nl, &m, &e), -EINVAL);
	assert_string_equal(e.text, "Invalid argument");
	assert_string_equal(e.kernel, "Invalid prefix for given prefix length");
	assert_int_equal(e.code, EINVAL);
}

struct failures {
	size_t n, indexes[N_ROUTES];
	int last_code;
	int answer;
	char text[256];
};

static int note_failure(size_t index, int code, const char *ext_ack, void *ctx, struct err *e)
{
	struct failures *f = ctx;

	assert_in_range(f->n, 0, N_ROUTES - 1);
	f->indexes[f->n++] = index;
	f->last_code = code;
	(void)strncpy(f->text, ext_ack, sizeof(f->text) - 1);
	return f->answer ? err_set(e, -f->answer, "failure %zu", f->n) : 0;
}

static void test_nl_batch_names_the_requests_that_fail(void **state)
{
	(void)state;
	AUTO_NL struct nl *nl = talk_with_lo();
	AUTO_NL_BATCH struct nl_batch *b = NULL;
	struct failures *f = calloc(1, sizeof(*f));
	unsigned long calls[2], requests[2];
	struct err e = { 0 };
	struct nl_msg m;

	assert_non_null(f);
	assert_int_equal(nl_batch_new(&b, &e), 0);
	for (unsigned i = 0; i < N_ROUTES; i++) {
		if (i % BAD_EVERY == BAD_EVERY - 1)
			build_bad_route(&m);
		else
			build_route(&m, 101, i);
		assert_int_equal(nl_batch_add(b, &m), i);
	}
	assert_int_equal(nl_batch_len(b), N_ROUTES);
	nl_stats(nl, &calls[0], &requests[0]);
	assert_int_equal(nl_batch_send(nl, b, note_failure, f, &e), 0);
	nl_stats(nl, &calls[1], &requests[1]);

	assert_int_equal(f->n, N_ROUTES / BAD_EVERY);
	for (size_t i = 0; i < f->n; i++)
		assert_int_equal(f->indexes[i], (i + 1) * BAD_EVERY - 1);
	assert_int_equal(f->last_code, EINVAL);
	assert_string_equal(f->text, "Invalid prefix for given prefix length");
	assert_int_equal(nl_batch_len(b), 0);
	assert_int_equal(count_routes(nl, 101), N_ROUTES - f->n);
	assert_int_equal(requests[1] - requests[0], N_ROUTES);
	/* with the small receive buffer of an unprivileged user 277 requests go into a datagram */
	assert_in_range(calls[1] - calls[0], 2, 2 * (N_ROUTES / 200) + f->n);
	print_message("%d requests in %lu system calls\n", N_ROUTES, calls[1] - calls[0]);
	free(f);
}

static void test_nl_batch_loses_no_answer_when_all_fail(void **state)
{
	(void)state;
	AUTO_NL struct nl *nl = talk_with_lo();
	AUTO_NL_BATCH struct nl_batch *b = NULL;
	struct failures *f = calloc(1, sizeof(*f));
	struct err e = { 0 };
	struct nl_msg m;

	assert_non_null(f);
	assert_int_equal(nl_batch_new(&b, &e), 0);
	build_bad_route(&m);
	for (unsigned i = 0; i < N_ROUTES; i++)
		assert_int_equal(nl_batch_add(b, &m), i);
	assert_int_equal(nl_batch_send(nl, b, note_failure, f, &e), 0);
	assert_int_equal(f->n, N_ROUTES);
	for (size_t i = 0; i < f->n; i++)
		assert_int_equal(f->indexes[i], i);
	free(f);
}

static void test_nl_batch_returns_the_first_failure(void **state)
{
	(void)state;
	AUTO_NL struct nl *nl = talk_with_lo();
	AUTO_NL_BATCH struct nl_batch *b = NULL;
	struct failures *f = calloc(1, sizeof(*f));
	struct err e = { 0 };
	struct nl_msg bad, good;

	assert_non_null(f);
	build_bad_route(&bad);
	build_route(&good, 102, 1);
	assert_int_equal(nl_batch_new(&b, &e), 0);
	assert_int_equal(nl_batch_add(b, &bad), 0);
	assert_int_equal(nl_batch_add(b, &good), 1);
	assert_int_equal(nl_batch_add(b, &good), 2);
	assert_int_equal(nl_batch_send(nl, b, NULL, NULL, &e), -EINVAL);
	assert_string_equal(e.text, "Invalid argument");
	assert_string_equal(e.kernel, "Invalid prefix for given prefix length");
	assert_int_equal(count_routes(nl, 102), 1);

	f->answer = -EPROTO;
	assert_int_equal(nl_batch_add(b, &bad), 0);
	assert_int_equal(nl_batch_add(b, &good), 1);
	assert_int_equal(nl_batch_send(nl, b, note_failure, f, &e), -EPROTO);
	assert_int_equal(f->n, 2);
	assert_int_equal(f->last_code, EEXIST);
	assert_string_equal(e.text, "failure 1: Protocol error");
	free(f);
}

static void test_nl_batch_send_of_nothing_is_nothing(void **state)
{
	(void)state;
	AUTO_NL struct nl *nl = talk_with_lo();
	AUTO_NL_BATCH struct nl_batch *b = NULL;
	unsigned long calls[2], requests;
	struct err e = { 0 };

	assert_int_equal(nl_batch_new(&b, &e), 0);
	nl_stats(nl, &calls[0], &requests);
	assert_int_equal(nl_batch_send(nl, b, NULL, NULL, &e), 0);
	nl_stats(nl, &calls[1], &requests);
	assert_int_equal(calls[1], calls[0]);
}

static int refuse(const struct nlmsghdr *reply, void *ctx, struct err *e)
{
	(void)reply;
	++*(int *)ctx;
	return err_set(e, EPROTO, "refused");
}

static void test_nl_dump_stops_calling_after_a_refusal(void **state)
{
	(void)state;
	AUTO_NL struct nl *nl = talk_with_lo();
	struct rtnl_link link;
	struct err e = { 0 };
	struct nl_msg m;
	int n = 0;

	nl_msg_begin(&m, RTM_GETROUTE, 0, sizeof(struct rtmsg));
	assert_int_equal(nl_dump(nl, &m, refuse, NULL, &n, &e), -EPROTO);
	assert_int_equal(n, 1);
	/* and what was left of it does not disturb the next request */
	assert_int_equal(rtnl_get_link(nl, 1, NULL, &link, &e), 0);
	assert_string_equal(link.name, "lo");
}

static void test_nl_dump_reports_what_strict_checking_refuses(void **state)
{
	(void)state;
	AUTO_NL struct nl *nl = talk_with_lo();
	struct err e = { 0 };
	struct nl_msg m;
	int n = 0;

	struct ifaddrmsg *ifa = nl_msg_begin(&m, RTM_GETADDR, 0, sizeof(*ifa));
	ifa->ifa_family = AF_INET;
	ifa->ifa_scope = 9;
	assert_int_equal(nl_dump(nl, &m, refuse, NULL, &n, &e), -EINVAL);
	assert_int_equal(n, 0);
	assert_true(e.kernel[0] != '\0');
}

static void test_nl_route_lookup_as_ip_route_get(void **state)
{
	(void)state;
	AUTO_NL struct nl *nl = talk_with_lo();
	struct addr dst = { .family = AF_INET, .bits = 32, .bytes = { 127, 0, 0, 9 } };
	struct addr far = { .family = AF_INET, .bits = 32, .bytes = { 192, 0, 2, 1 } };
	struct addr self = { .family = AF_INET6, .bits = 128, .bytes = { [15] = 1 } };
	struct rtnl_route r;
	struct err e = { 0 };

	/* no look at the table: local and main share one until there are rules (fib_unmerge()) */
	assert_int_equal(rtnl_route_lookup(nl, &dst, &r, &e), 0);
	assert_int_equal(r.type, RTN_LOCAL);
	assert_int_equal(r.oifs[0], 1);
	assert_int_equal(rtnl_route_lookup(nl, &self, &r, &e), 0);
	assert_int_equal(r.table, RT_TABLE_LOCAL);
	assert_int_equal(rtnl_route_lookup(nl, &far, &r, &e), -ENETUNREACH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nl_open_in_stays_in_the_namespace),
		cmocka_unit_test(test_nl_open_in_refuses_what_is_no_namespace),
		cmocka_unit_test(test_nl_talk_tells_the_kernels_words),
		cmocka_unit_test(test_nl_batch_names_the_requests_that_fail),
		cmocka_unit_test(test_nl_batch_loses_no_answer_when_all_fail),
		cmocka_unit_test(test_nl_batch_returns_the_first_failure),
		cmocka_unit_test(test_nl_batch_send_of_nothing_is_nothing),
		cmocka_unit_test(test_nl_dump_stops_calling_after_a_refusal),
		cmocka_unit_test(test_nl_dump_reports_what_strict_checking_refuses),
		cmocka_unit_test(test_nl_route_lookup_as_ip_route_get),
	};

	return cmocka_run_group_tests(tests, make_namespaces, drop_namespaces);
}
