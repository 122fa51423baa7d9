// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * floor - the kernel requests of `wgns up` and `wgns down` in the lab, with nothing around them
 *
 * floor up|down kernel|userspace KEYS
 *
 * No plan, no journal, no snapshot, no undo: names, addresses and routes are those of tests/lab/world. KEYS has two lines, the
 * private key and the peer's public key, in hexadecimal. What it takes is the kernel's and the daemon's time, below which
 * nothing that does the same can be. It dies at the first error and leaves what it did.
 */
#include "floor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define UPLINK "eth0"
#define PIN OWN_DIR "/netns"
#define NAME "/run/netns/physical"
#define NS_SELF "/proc/thread-self/ns/net"

_Noreturn void floor_die(const char *what)
{
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	exit(1);
}

void floor_check(int rc, const char *what)
{
	if (rc < 0)
		floor_die(what);
}

void floor_open_netlink(struct batch *b, int bus)
{
	b->nl = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!b->nl || mnl_socket_bind(b->nl, 0, MNL_SOCKET_AUTOPID) < 0)
		floor_die("netlink");
	b->len = b->n = 0;
}

struct nlmsghdr *floor_put(struct batch *b, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(b->buf + b->len);

	h->nlmsg_type = type;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	b->n++;
	return h;
}

void floor_put_done(struct batch *b, const struct nlmsghdr *h)
{
	b->len += MNL_ALIGN(h->nlmsg_len);
	if (b->len > BATCH_BYTES - 1024)
		floor_die("batch");
}

/* all requests in one sendmsg(2), and every answer looked at */
void floor_commit(struct batch *b, const char *what)
{
	char buf[BATCH_BYTES];

	floor_check((int)mnl_socket_sendto(b->nl, b->buf, b->len), what);
	while (b->n) {
		ssize_t n = mnl_socket_recvfrom(b->nl, buf, sizeof(buf));
		floor_check((int)n, what);
		for (const struct nlmsghdr *h = (const void *)buf; mnl_nlmsg_ok(h, (int)n);
		     h = mnl_nlmsg_next(h, (int *)&n)) {
			const struct nlmsgerr *answer = mnl_nlmsg_get_payload(h);
			if (h->nlmsg_type != NLMSG_ERROR)
				continue;
			b->n--;
			errno = -answer->error;
			floor_check(answer->error, what);
		}
	}
	b->len = 0;
}

struct nlmsghdr *floor_put_link(struct batch *b, uint16_t type, uint16_t flags, const char *name)
{
	struct nlmsghdr *h = floor_put(b, type, flags);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(h, sizeof(*info));

	if (type == RTM_NEWLINK && flags)
		mnl_attr_put_strz(h, IFLA_IFNAME, name);
	else
		info->ifi_index = (int)if_nametoindex(name);
	return h;
}

static void put_up(struct batch *b, int ifindex, uint32_t mtu)
{
	struct nlmsghdr *h = floor_put(b, RTM_NEWLINK, 0);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(h, sizeof(*info));

	info->ifi_index = ifindex;
	info->ifi_flags = info->ifi_change = IFF_UP;
	if (mtu)
		mnl_attr_put_u32(h, IFLA_MTU, mtu);
	floor_put_done(b, h);
}

/* move, and rename in the same message; the caller is in the namespace of the device */
static void move(struct batch *b, const char *name, int ns_fd, const char *new_name)
{
	struct nlmsghdr *h = floor_put_link(b, RTM_NEWLINK, 0, name);

	mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)ns_fd);
	mnl_attr_put_strz(h, IFLA_IFNAME, new_name);
	floor_put_done(b, h);
	floor_commit(b, name);
}

static size_t parse(const char *text, uint8_t bytes[16], uint8_t *family)
{
	*family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(*family, text, bytes) != 1)
		floor_die(text);
	return *family == AF_INET6 ? 16 : 4;
}

static void put_addr(struct batch *b, int ifindex, const char *text, uint8_t bits, const char *brd)
{
	struct nlmsghdr *h = floor_put(b, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE);
	struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(h, sizeof(*info));
	uint8_t bytes[16];
	size_t len = parse(text, bytes, &info->ifa_family);

	info->ifa_prefixlen = bits;
	info->ifa_index = (unsigned)ifindex;
	mnl_attr_put(h, IFA_LOCAL, len, bytes);
	mnl_attr_put(h, IFA_ADDRESS, len, bytes);
	if (strncmp(text, "fe80:", 5) == 0)
		info->ifa_scope = RT_SCOPE_LINK;
	else if (info->ifa_family == AF_INET6 && bits < 128)
		mnl_attr_put_u32(h, IFA_FLAGS, IFA_F_NODAD);
	if (brd) {
		len = parse(brd, bytes, &info->ifa_family);
		mnl_attr_put(h, IFA_BROADCAST, len, bytes);
	}
	floor_put_done(b, h);
}

static void put_default(struct batch *b, int ifindex, uint8_t family, const char *gateway)
{
	struct nlmsghdr *h = floor_put(b, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
	struct rtmsg *info = mnl_nlmsg_put_extra_header(h, sizeof(*info));
	uint8_t bytes[16];

	info->rtm_family = family;
	info->rtm_table = RT_TABLE_MAIN;
	info->rtm_protocol = RTPROT_BOOT;
	info->rtm_type = RTN_UNICAST;
	info->rtm_scope = gateway || family == AF_INET6 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	mnl_attr_put_u32(h, RTA_OIF, (uint32_t)ifindex);
	if (gateway) {
		size_t len = parse(gateway, bytes, &info->rtm_family);
		mnl_attr_put(h, RTA_GATEWAY, len, bytes);
		mnl_attr_put_u32(h, RTA_PRIORITY, 100);
	}
	floor_put_done(b, h);
}

static void write_sysctl(const char *name, const char *value)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "/proc/sys/net/%s", name); /* constants that fit */
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	floor_check(fd, name);
	floor_check((int)write(fd, value, strlen(value)), name);
	floor_check(close(fd), name);
}

ssize_t floor_read_small(const char *path, char *out, size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	floor_check(fd, path);
	ssize_t n = read(fd, out, cap - 1);
	floor_check((int)n, path);
	out[n] = '\0';
	floor_check(close(fd), path);
	return n;
}

/* the caller is in the namespace where the uplink is now */
static void restore_uplink(struct batch *b)
{
	int ifindex = (int)if_nametoindex(UPLINK);

	write_sysctl("ipv6/conf/" UPLINK "/accept_dad", "0");
	put_up(b, ifindex, 0);
	floor_commit(b, "set " UPLINK " up");
	put_addr(b, ifindex, "192.0.2.10", 26, "192.0.2.63");
	put_addr(b, ifindex, "2001:db8:1::10", 64, NULL);
	put_addr(b, ifindex, "fe80::77:67ff:fe00:2", 64, NULL);
	put_default(b, ifindex, AF_INET, "192.0.2.1");
	put_default(b, ifindex, AF_INET6, "2001:db8:1::1");
	floor_commit(b, "addresses and routes of " UPLINK);
	write_sysctl("ipv6/conf/" UPLINK "/accept_dad", "1");
}

static void pin(const char *path)
{
	int fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);

	floor_check(fd, path);
	floor_check(mount(NS_SELF, path, NULL, MS_BIND, NULL), path);
	floor_check(close(fd), path);
}

/* a new namespace, which this process is in afterwards, with home's ports and groups */
static void make_namespace(struct batch *physical)
{
	static const char *const names[] = { "ipv4/ping_group_range",
					     "ipv4/ip_unprivileged_port_start",
					     "ipv4/ip_local_port_range" };
	char values[3][64], path[128];

	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "/proc/sys/net/%s", names[i]);
		(void)floor_read_small(path, values[i], sizeof(values[i])); /* dies by itself */
	}
	floor_check(unshare(CLONE_NEWNET), "make a namespace");
	floor_check(mkdir(OWN_DIR, 0755), OWN_DIR);
	pin(PIN);
	pin(NAME);
	for (size_t i = 0; i < 3; i++)
		write_sysctl(names[i], values[i]);
	floor_open_netlink(physical, NETLINK_ROUTE);
	put_up(physical, 1, 0);
	floor_commit(physical, "set lo up");
}

static void up(int is_kernel, const char *private_key, const char *public_key)
{
	struct batch home, physical;
	int daemon_fd = -1, inotify_fd = -1;
	int home_fd = open(NS_SELF, O_RDONLY | O_CLOEXEC);

	floor_check(home_fd, NS_SELF);
	floor_open_netlink(&home, NETLINK_ROUTE);
	unsigned uplink = if_nametoindex(UPLINK);
	make_namespace(&physical);
	int physical_fd = open(PIN, O_RDONLY | O_CLOEXEC);
	floor_check(physical_fd, PIN);
	struct nlmsghdr *h = floor_put(&home, RTM_NEWLINK, 0);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(h, sizeof(*info));
	info->ifi_index = (int)uplink;
	mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)physical_fd);
	floor_put_done(&home, h);
	floor_commit(&home, "move " UPLINK);
	restore_uplink(&physical);

	if (is_kernel)
		floor_create_kernel(&physical);
	else
		daemon_fd = floor_start_daemon(&inotify_fd);
	move(&physical, BIRTH, home_fd, TUNNEL);
	floor_check(setns(home_fd, CLONE_NEWNET), "return");
	if (is_kernel)
		floor_set_kernel(private_key, public_key);
	else
		floor_set_userspace(daemon_fd, private_key, public_key);
	int ifindex = (int)if_nametoindex(TUNNEL);
	put_addr(&home, ifindex, "10.9.0.2", 32, NULL);
	put_addr(&home, ifindex, "fd00:9::2", 128, NULL);
	put_up(&home, ifindex, 1420);
	put_default(&home, ifindex, AF_INET, NULL);
	put_default(&home, ifindex, AF_INET6, NULL);
	floor_commit(&home, "addresses and routes of " TUNNEL);
	if (inotify_fd >= 0)
		floor_check(close(inotify_fd), "inotify");
}

static void unpin(const char *path)
{
	floor_check(umount2(path, MNT_DETACH), path);
	floor_check(unlink(path), path);
}

static void down(int is_kernel)
{
	struct batch home, physical;
	int home_fd = open(NS_SELF, O_RDONLY | O_CLOEXEC);
	int physical_fd = open(PIN, O_RDONLY | O_CLOEXEC);

	floor_check(home_fd, NS_SELF);
	floor_check(physical_fd, PIN);
	floor_open_netlink(&home, NETLINK_ROUTE);
	if (is_kernel) {
		floor_put_done(&home, floor_put_link(&home, RTM_DELLINK, 0, TUNNEL));
		floor_commit(&home, "delete " TUNNEL);
	} else {
		floor_end_daemon();
	}
	floor_check(setns(physical_fd, CLONE_NEWNET), "enter physical");
	floor_open_netlink(&physical, NETLINK_ROUTE);
	move(&physical, UPLINK, home_fd, UPLINK);
	floor_check(setns(home_fd, CLONE_NEWNET), "return");
	restore_uplink(&home);
	mnl_socket_close(physical.nl);
	unpin(NAME);
	unpin(PIN);
	floor_check(rmdir(OWN_DIR), OWN_DIR);
}

int main(int argc, char **argv)
{
	char text[256], private_key[65], public_key[65];

	if (argc != 4) {
		fprintf(stderr, "usage: floor up|down kernel|userspace KEYS\n");
		return 2;
	}
	int is_kernel = strcmp(argv[2], "kernel") == 0;
	if (strcmp(argv[1], "down") == 0) {
		down(is_kernel);
		return 0;
	}
	(void)floor_read_small(argv[3], text, sizeof(text)); /* dies by itself */
	if (sscanf(text, "%64s %64s", private_key, public_key) != 2)
		floor_die(argv[3]);
	up(is_kernel, private_key, public_key);
	return 0;
}
