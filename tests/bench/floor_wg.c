// SPDX-License-Identifier: GPL-2.0-or-later
/* the tunnel: made, configured and ended, by the kernel or by wireguard-go */
#include "floor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>
#include <linux/wireguard.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define PID_FILE OWN_DIR "/pid"
#define SOCKET_DIR "/var/run/wireguard"
#define SOCKET SOCKET_DIR "/" BIRTH ".sock"
#define ENDPOINT "198.51.100.2"
#define PORT 51820

static int try_connect(void)
{
	const struct sockaddr_un sa = { .sun_family = AF_UNIX, .sun_path = SOCKET };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	floor_check(fd, "socket");
	if (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0)
		return fd;
	floor_check(close(fd), SOCKET);
	return -1;
}

/* Return: a connection to the new daemon, which lives where this process is now */
int floor_start_daemon(int *inotify_fd)
{
	char text[32];

	floor_check(mkdir(SOCKET_DIR, 0755) < 0 && errno != EEXIST ? -1 : 0, SOCKET_DIR);
	*inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int watch = inotify_add_watch(*inotify_fd, SOCKET_DIR, IN_CREATE);
	floor_check(watch, SOCKET_DIR);
	pid_t pid = vfork();
	floor_check(pid, "vfork");
	if (pid == 0) {
		(void)execlp("wireguard-go", "wireguard-go", "-f", BIRTH, (char *)NULL);
		_exit(127);
	}
	int len = snprintf(text, sizeof(text), "%d", (int)pid);
	int fd = open(PID_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	floor_check(fd < 0 ? -1 : (int)write(fd, text, (size_t)len), PID_FILE);
	floor_check(close(fd), PID_FILE);

	struct pollfd p = { .fd = *inotify_fd, .events = POLLIN };
	floor_check(poll(&p, 1, 10000) == 1 ? 0 : -1, "wait for wireguard-go");
	/* the kernel clears a removed watch away in the background; closing with one waits for that (fs/notify/mark.c) */
	floor_check(inotify_rm_watch(*inotify_fd, watch), SOCKET_DIR);
	/* between bind(2) and listen(2) there is nothing that could be waited for */
	for (fd = try_connect(); fd < 0; fd = try_connect())
		floor_check(usleep(200), "wait for wireguard-go");
	return fd;
}

void floor_set_userspace(int fd, const char *private_key, const char *public_key)
{
	char text[1024];
	int len = snprintf(text, sizeof(text),
			   "set=1\nprivate_key=%s\npublic_key=%s\nendpoint=" ENDPOINT ":%d\n"
			   "replace_allowed_ips=true\nallowed_ip=0.0.0.0/0\nallowed_ip=::/0\n\n",
			   private_key, public_key, PORT);

	floor_check((int)write(fd, text, (size_t)len), "configure");
	floor_check((int)read(fd, text, sizeof(text)), "configure");
	if (strncmp(text, "errno=0\n", 8) != 0)
		floor_die("configure");
	floor_check(close(fd), "configure");
}

void floor_create_kernel(struct batch *b)
{
	struct nlmsghdr *h = floor_put_link(b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, BIRTH);
	struct nlattr *info = mnl_attr_nest_start(h, IFLA_LINKINFO);

	mnl_attr_put_strz(h, IFLA_INFO_KIND, "wireguard");
	mnl_attr_nest_end(h, info);
	floor_put_done(b, h);
	floor_commit(b, "create the tunnel");
}

static int take_family(const struct nlattr *attr, void *out)
{
	if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
		*(uint16_t *)out = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

static uint16_t find_family(struct batch *b)
{
	char buf[BATCH_BYTES];
	uint16_t id = 0;
	struct nlmsghdr *h = floor_put(b, GENL_ID_CTRL, 0);
	struct genlmsghdr *g = mnl_nlmsg_put_extra_header(h, sizeof(*g));

	h->nlmsg_flags = NLM_F_REQUEST; /* the answer is the acknowledgement */
	g->cmd = CTRL_CMD_GETFAMILY;
	g->version = 1;
	mnl_attr_put_strz(h, CTRL_ATTR_FAMILY_NAME, WG_GENL_NAME);
	floor_check((int)mnl_socket_sendto(b->nl, h, h->nlmsg_len), "find WireGuard");
	floor_check((int)mnl_socket_recvfrom(b->nl, buf, sizeof(buf)), "find WireGuard");
	h = (struct nlmsghdr *)(void *)buf;
	if (h->nlmsg_type == NLMSG_ERROR || mnl_attr_parse(h, sizeof(*g), take_family, &id) < 0 ||
	    !id)
		floor_die("find WireGuard");
	b->len = b->n = 0;
	return id;
}

static void put_key(struct nlmsghdr *h, uint16_t type, const char *hex)
{
	uint8_t key[WG_KEY_LEN];

	for (size_t i = 0; i < WG_KEY_LEN; i++) {
		if (sscanf(hex + 2 * i, "%2hhx", &key[i]) != 1)
			floor_die("key");
	}
	mnl_attr_put(h, type, sizeof(key), key);
}

static void put_any(struct nlmsghdr *h, uint16_t index, uint16_t family, size_t len)
{
	static const uint8_t zeros[16];
	struct nlattr *ip = mnl_attr_nest_start(h, index);

	mnl_attr_put_u16(h, WGALLOWEDIP_A_FAMILY, family);
	mnl_attr_put(h, WGALLOWEDIP_A_IPADDR, len, zeros);
	mnl_attr_put_u8(h, WGALLOWEDIP_A_CIDR_MASK, 0);
	mnl_attr_nest_end(h, ip);
}

/* the caller is in home, where the device is by now */
void floor_set_kernel(const char *private_key, const char *public_key)
{
	struct sockaddr_in endpoint = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	struct batch b;

	floor_open_netlink(&b, NETLINK_GENERIC);
	struct nlmsghdr *h = floor_put(&b, find_family(&b), 0);
	h = (struct nlmsghdr *)(void *)b.buf;
	struct genlmsghdr *g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->cmd = WG_CMD_SET_DEVICE;
	g->version = WG_GENL_VERSION;
	mnl_attr_put_strz(h, WGDEVICE_A_IFNAME, TUNNEL);
	put_key(h, WGDEVICE_A_PRIVATE_KEY, private_key);
	struct nlattr *peers = mnl_attr_nest_start(h, WGDEVICE_A_PEERS);
	struct nlattr *peer = mnl_attr_nest_start(h, 0);
	put_key(h, WGPEER_A_PUBLIC_KEY, public_key);
	mnl_attr_put_u32(h, WGPEER_A_FLAGS, WGPEER_F_REPLACE_ALLOWEDIPS);
	if (inet_pton(AF_INET, ENDPOINT, &endpoint.sin_addr) != 1)
		floor_die(ENDPOINT);
	mnl_attr_put(h, WGPEER_A_ENDPOINT, sizeof(endpoint), &endpoint);
	struct nlattr *ips = mnl_attr_nest_start(h, WGPEER_A_ALLOWEDIPS);
	put_any(h, 0, AF_INET, 4);
	put_any(h, 1, AF_INET6, 16);
	mnl_attr_nest_end(h, ips);
	mnl_attr_nest_end(h, peer);
	mnl_attr_nest_end(h, peers);
	b.n = 1;
	floor_put_done(&b, h);
	floor_commit(&b, "configure");
	mnl_socket_close(b.nl);
}

void floor_end_daemon(void)
{
	char text[32];

	(void)floor_read_small(PID_FILE, text, sizeof(text)); /* dies by itself */
	int pidfd = (int)syscall(SYS_pidfd_open, atoi(text), 0U);
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	floor_check(pidfd, "find wireguard-go");
	floor_check((int)syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0U),
		    "end wireguard-go");
	floor_check(poll(&p, 1, 10000) == 1 ? 0 : -1, "end wireguard-go");
	floor_check(unlink(PID_FILE), PID_FILE);
}
