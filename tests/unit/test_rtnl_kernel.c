// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel dumped in one namespace is taken back by the kernel in another. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

#include "wgns/fd.h"
#include "wgns/rtnl.h"

#define MOVED_IFINDEX 77
#define IP "ip -batch -"
#define IP6 "ip -6 -batch -"

static int old_fd = -1, new_fd = -1; /* the two namespaces; the test itself stays in the first */

static void configure(const char *command, const char *lines)
{
	FILE *ip = popen(command, "w");

	assert_non_null(ip);
	assert_true(fputs(lines, ip) >= 0);
	assert_int_equal(pclose(ip), 0);
}

static void write_file(const char *path, const char *text)
{
	AUTO_FD int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* Without duplicate address detection an address is there at once. */
static void switch_off_dad(void)
{
	write_file("/proc/sys/net/ipv6/conf/all/accept_dad", "0");
	write_file("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
}

static int enter_new_namespace(void)
{
	if (unshare(CLONE_NEWNET) < 0)
		return -errno;
	switch_off_dad();
	configure(IP, "link set lo up\n");
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static int make_namespaces(void **state)
{
	(void)state;
	new_fd = enter_new_namespace();
	if (new_fd < 0) {
		print_message("skipped: no permission to make network namespaces (%s)\n",
			      strerror(-new_fd));
		return getenv("WGNS_MUST_RUN") ? -1 : 0;
	}
	old_fd = enter_new_namespace();
	return old_fd < 0 ? -1 : 0;
}

static int drop_namespaces(void **state)
{
	(void)state;
	fd_close_indirect(&old_fd);
	fd_close_indirect(&new_fd);
	return 0;
}

static struct nl *talk_in(int ns_fd)
{
	struct nl *nl = NULL;
	struct err e = { 0 };

	if (new_fd < 0)
		skip();
	assert_int_equal(nl_open_in(NETLINK_ROUTE, ns_fd, &nl, &e), 0);
	return nl;
}

static void check(int r, const struct err *e)
{
	if (r < 0)
		print_error("%s (%s)\n", e->text, e->kernel);
	assert_true(r >= 0);
}

static const char everything[] =
	"link add v0 type veth peer name p0\n"
	"link set v0 addrgenmode none\n"
	"link set p0 up\n"
	"link set v0 up\n"
	"addr add fe80::2/64 dev v0\n"
	"addr add 192.0.2.2/24 brd + dev v0\n"
	"addr add 192.0.2.3/24 dev v0 label v0:1\n"
	"addr add 192.0.2.4/32 dev v0 scope host\n"
	"addr add 10.1.0.1 peer 10.1.0.2/32 dev v0\n"
	"addr add 198.51.100.1/25 dev v0 valid_lft 1000 preferred_lft 500 metric 77\n"
	"addr add 10.9.0.1/24 dev v0 scope link noprefixroute\n"
	"addr add 2001:db8::2/64 dev v0 nodad\n"
	"addr add 2001:db8:1::2/64 dev v0 noprefixroute mngtmpaddr valid_lft 900 preferred_lft "
	"800\n"
	"addr add 2001:db8:2::1 peer 2001:db8:2::2/128 dev v0\n"
	"addr add 2001:db8:3::1/64 dev v0 valid_lft 2000 preferred_lft 0 metric 50\n"
	"addr add 2001:db8:4::1/64 dev v0 home\n"
	"addr add 2001:db8:5::1/64 dev v0 preferred_lft 0\n"
	"route add default via 192.0.2.1 dev v0 proto dhcp src 192.0.2.2 metric 100\n"
	"route add default via 192.0.2.1 dev v0 table 100 src 192.0.2.3 mtu lock 1400 advmss 900\n"
	"route add default via 192.0.2.1 dev v0 table 70000 window 5000 initcwnd 20\n"
	"route add 203.0.113.0/24 via inet6 2001:db8::1 dev v0\n"
	"route add 203.0.113.128/25 nexthop via 192.0.2.1 dev v0 weight 2 "
	"nexthop via 192.0.2.9 dev v0 weight 3\n"
	"route add 172.16.0.0/12 via 10.77.0.1 dev v0 onlink\n"
	"route add 172.32.0.0/16 dev v0 tos 0x10 realm 5\n"
	"route add 172.33.0.0/16 via 192.0.2.1 dev v0\n"
	"route append 172.33.0.0/16 via 192.0.2.9 dev v0\n"
	"route add blackhole 10.66.0.0/16\n"
	"route add unreachable 10.67.0.0/16 metric 5\n"
	"route add prohibit 10.68.0.0/16\n"
	"route add throw 10.69.0.0/16 table 100\n"
	"rule add from 10.0.0.0/8 lookup 100 pref 1000\n"
	"rule add not fwmark 0xca6c lookup 51820 pref 1001\n"
	"rule add lookup main suppress_prefixlength 0 pref 1002\n"
	"rule add iif v0 to 192.0.2.0/24 lookup 100 pref 1003\n"
	"rule add pref 900 goto 1001\n"
	"rule add uidrange 1000-2000 ipproto udp sport 100-200 dport 53 lookup 100 pref 1004\n"
	"rule add oif gone tos 0x10 blackhole pref 1005\n"
	"rule add fwmark 0x10/0xff lookup 70000 protocol static pref 1006\n"
	"rule add unreachable pref 1007\n"
	"rule add lookup local pref 0 fwmark 7\n"
	"neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 nud permanent dev v0\n"
	"neigh add 2001:db8::9 lladdr 02:00:00:00:00:0a nud permanent router dev v0\n"
	"neigh add proxy 192.0.2.200 dev v0\n"
	"neigh add proxy 2001:db8::200 dev v0\n";

static const char everything_inet6[] =
	"route add default via 2001:db8::1 dev v0 metric 2000 mtu 1300\n"
	"route add default via fe80::1 dev v0 proto ra metric 600 expires 1800 pref high\n"
	"route add 2001:db8:9::/64 dev v0 expires 600 hoplimit 9\n"
	"route add 2001:db8:aa::/48 nexthop via 2001:db8::1 dev v0 weight 1 "
	"nexthop via 2001:db8::9 dev v0 weight 4 nexthop via fe80::7 dev v0 weight 2\n"
	"route add 2001:db8:bb::/48 via 2001:db8::1 dev v0 src 2001:db8::2 table 100\n"
	"route add 2001:db8:cc::/48 via 2001:db8:77::1 dev v0 onlink table 70000\n"
	"route add unreachable 2001:db8:dead::/48 metric 4278198272\n"
	"route add blackhole 2001:db8:beef::/48\n"
	"rule add from 2001:db8::/32 lookup 100 pref 1000\n"
	"rule add not fwmark 0xca6c lookup 51820 pref 1001\n"
	"rule add lookup main suppress_prefixlength 0 pref 1002\n"
	"rule add iif v0 prohibit pref 1003\n";

static const enum rtnl_kind kinds[] = { RTNL_ADDR, RTNL_NEIGH, RTNL_ROUTE, RTNL_RULE };
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* p0 stays behind, and what the kernel makes for it is not compared. */
static bool is_on(enum rtnl_kind kind, const struct nlmsghdr *msg, int ifindex)
{
	struct rtnl_addr a;
	struct rtnl_route r;
	struct rtnl_neigh n;

	switch (kind) {
	case RTNL_ADDR:
		assert_int_equal(rtnl_parse_addr(msg, &a), 0);
		return a.ifindex == ifindex;
	case RTNL_ROUTE:
		assert_int_equal(rtnl_parse_route(msg, &r), 0);
		return r.n_oifs > 0 && r.oifs[0] == ifindex;
	case RTNL_NEIGH:
		assert_int_equal(rtnl_parse_neigh(msg, &n), 0);
		return n.ifindex == ifindex;
	case RTNL_RULE:
		return false;
	}
	return false;
}

static void forget_others(enum rtnl_kind kind, struct rtnl_list *list, int ifindex)
{
	struct rtnl_list kept = { 0 };

	for (size_t i = 0; i < list->n; i++) {
		if (!is_on(kind, list->items[i].msg, ifindex))
			assert_int_equal(rtnl_list_add(&kept, list->items[i].msg), 0);
	}
	rtnl_list_free(list);
	*list = kept;
}

/* IPv6: ff00::/8 comes when linkwatch finds the link ready, an address's local route with its DAD work */
static bool is_settled(struct nl *nl, int ifindex)
{
	struct rtnl_list routes = { 0 }, addrs = { 0 };
	struct err e = { 0 };
	size_t n_local = 0, n_addrs = 0;
	bool has_multicast = false;

	check(rtnl_dump(nl, RTNL_ADDR, AF_INET6, &addrs, &e), &e);
	for (size_t i = 0; i < addrs.n; i++)
		n_addrs += is_on(RTNL_ADDR, addrs.items[i].msg, ifindex);
	check(rtnl_dump(nl, RTNL_ROUTE, AF_INET6, &routes, &e), &e);
	for (size_t i = 0; i < routes.n; i++) {
		struct rtnl_route r;
		assert_int_equal(rtnl_parse_route(routes.items[i].msg, &r), 0);
		if (r.oifs[0] != ifindex)
			continue;
		has_multicast |= r.dst.bytes[0] == 0xff;
		n_local += r.type == RTN_LOCAL;
	}
	rtnl_list_free(&addrs);
	rtnl_list_free(&routes);
	return has_multicast && n_local >= n_addrs;
}

static void wait_until_settled(struct nl *nl, int ns_fd, int ifindex)
{
	assert_return_code(setns(ns_fd, CLONE_NEWNET), errno);
	AUTO_FD int events = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	assert_return_code(setns(old_fd, CLONE_NEWNET), errno);
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK,
				  .nl_groups = RTMGRP_LINK | RTMGRP_IPV6_ROUTE };
	struct pollfd p = { .fd = events, .events = POLLIN };
	char buf[8192];

	assert_true(events >= 0);
	assert_int_equal(bind(events, (struct sockaddr *)&sa, sizeof(sa)), 0);
	while (!is_settled(nl, ifindex)) {
		assert_int_equal(poll(&p, 1, 20000), 1);
		assert_true(recv(events, buf, sizeof(buf), 0) > 0);
	}
}

struct replaying {
	enum rtnl_kind kind;
	size_t n_there;
};

static int accept_there(size_t index, int code, const char *ext_ack, void *ctx, struct err *e)
{
	struct replaying *r = ctx;

	if (code == EEXIST) {
		r->n_there++;
		return 0;
	}
	print_error("kind %d, request %zu: %s (%s)\n", r->kind, index, strerror(code), ext_ack);
	return err_set(e, code, "replay request %zu", index);
}

static void replay(struct nl *nl, enum rtnl_kind kind, struct rtnl_list *list,
		   const struct rtnl_ifindex_map *map, bool is_exclusive)
{
	AUTO_NL_BATCH struct nl_batch *batch = NULL;
	struct replaying ctx = { .kind = kind };
	struct err e = { 0 };
	struct nl_msg m;

	if (kind == RTNL_ROUTE)
		assert_int_equal(rtnl_order_routes(list), 0);
	assert_int_equal(nl_batch_new(&batch, &e), 0);
	for (size_t i = 0; i < list->n; i++) {
		const struct nlmsghdr *msg = list->items[i].msg;
		int r = rtnl_build_restore(kind, msg, map, is_exclusive, &m);
		if (rtnl_is_automatic(kind, msg)) {
			assert_int_equal(r, -EALREADY);
			continue;
		}
		assert_int_equal(r, 0);
		assert_true(nl_batch_add(batch, &m) >= 0);
	}
	check(nl_batch_send(nl, batch, accept_there, &ctx, &e), &e);
}

static size_t count_missing(enum rtnl_kind kind, const struct rtnl_list *a,
			    const struct rtnl_ifindex_map *map, const struct rtnl_list *b,
			    bool is_reverse)
{
	size_t n_outer = is_reverse ? b->n : a->n, n_inner = is_reverse ? a->n : b->n, n = 0;

	for (size_t i = 0; i < n_outer; i++) {
		bool is_found = false;
		for (size_t j = 0; j < n_inner && !is_found; j++)
			is_found = rtnl_equal(kind, a->items[is_reverse ? j : i].msg, map,
					      b->items[is_reverse ? i : j].msg);
		if (is_found)
			continue;
		char text[256];
		rtnl_describe(kind, (is_reverse ? b : a)->items[i].msg, NULL, text, sizeof(text));
		print_error("%s: %s\n", is_reverse ? "not there before" : "lost", text);
		n++;
	}
	return n;
}

static void test_rtnl_restore_gives_back_everything(void **state)
{
	(void)state;
	AUTO_NL struct nl *old = talk_in(old_fd);
	AUTO_NL struct nl *new = talk_in(new_fd);
	struct rtnl_list before[N_KINDS] = { 0 }, after[N_KINDS] = { 0 };
	struct rtnl_link link = { 0 }, peer = { 0 };
	struct err e = { 0 };
	struct nl_msg m;

	configure(IP, everything);
	configure(IP6, everything_inet6);
	check(rtnl_get_link(old, 0, "v0", &link, &e), &e);
	check(rtnl_get_link(old, 0, "p0", &peer, &e), &e);
	wait_until_settled(old, old_fd, link.ifindex);
	for (size_t i = 0; i < N_KINDS; i++) {
		check(rtnl_dump(old, kinds[i], AF_UNSPEC, &before[i], &e), &e);
		forget_others(kinds[i], &before[i], peer.ifindex);
		assert_true(before[i].n > 3);
	}

	rtnl_build_link_move(&m, link.ifindex, new_fd, NULL, MOVED_IFINDEX);
	check(nl_talk(old, &m, &e), &e);
	/* not in one message: do_setlink() puts the device up before it looks at IFLA_AF_SPEC */
	rtnl_build_link_set(&m, MOVED_IFINDEX, 0, 0);
	assert_true(rtnl_put_link_addr_gen_mode(&m, IN6_ADDR_GEN_MODE_NONE));
	check(nl_talk(new, &m, &e), &e);
	rtnl_build_link_flags(&m, MOVED_IFINDEX, IFF_UP, IFF_UP);
	check(nl_talk(new, &m, &e), &e);
	wait_until_settled(new, new_fd, MOVED_IFINDEX);

	struct rtnl_ifindex_map map = { .pairs = { { link.ifindex, MOVED_IFINDEX } }, .n = 1 };
	for (size_t i = 0; i < N_KINDS; i++)
		replay(new, kinds[i], &before[i], &map, true);
	/* once more: nothing is doubled, nothing is refused */
	for (size_t i = 0; i < N_KINDS; i++)
		replay(new, kinds[i], &before[i], &map, kinds[i] == RTNL_ADDR);
	wait_until_settled(new, new_fd, MOVED_IFINDEX);

	size_t n_wrong = 0;
	for (size_t i = 0; i < N_KINDS; i++) {
		check(rtnl_dump(new, kinds[i], AF_UNSPEC, &after[i], &e), &e);
		n_wrong += count_missing(kinds[i], &before[i], &map, &after[i], false);
		n_wrong += count_missing(kinds[i], &before[i], &map, &after[i], true);
		print_message("kind %d: %zu before, %zu after\n", kinds[i], before[i].n,
			      after[i].n);
		n_wrong += before[i].n != after[i].n;
	}
	assert_int_equal(n_wrong, 0);

	/* and each can be deleted by what its dump says */
	for (size_t i = N_KINDS; i-- > 0;) {
		for (size_t j = after[i].n; j-- > 0;) {
			assert_int_equal(rtnl_build_delete(kinds[i], after[i].items[j].msg, &m), 0);
			check(nl_talk(new, &m, &e), &e);
		}
		rtnl_list_free(&before[i]);
		rtnl_list_free(&after[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rtnl_restore_gives_back_everything),
	};

	return cmocka_run_group_tests(tests, make_namespaces, drop_namespaces);
}
