// SPDX-License-Identifier: GPL-2.0-or-later
/* the tunnels, once the way is free: have them shake hands, and see whether they did */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "portal.h"
#include "wgns/addr.h"
#include "wgns/backend.h"
#include "wgns/fd.h"
#include "wgns/ini.h"
#include "wgns/nl.h"
#include "wgns/rtnl.h"
#include "wgns/state.h"
#include "wgns/str.h"

#define HOME "home"
#define RESOLV_CONF "/etc/resolv.conf"
#define RESOLV_CONF_MAX 65536
#define SERVERS_MAX 3 /* MAXNS of resolv.conf(5) */
#define ROUTES_MAX 32 /* so many destinations of a tunnel get a datagram at a time */
#define PORT_DNS 53
#define PORT_DISCARD 9

static void to_sockaddr(const struct addr *a, uint16_t port, struct sockaddr_storage *out,
			socklen_t *len)
{
	struct sockaddr_in *v4 = (void *)out;
	struct sockaddr_in6 *v6 = (void *)out;

	memset(out, 0, sizeof(*out));
	if (a->family == AF_INET) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		memcpy(&v4->sin_addr, a->bytes, sizeof(v4->sin_addr));
		*len = sizeof(*v4);
	} else {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		memcpy(&v6->sin6_addr, a->bytes, sizeof(v6->sin6_addr));
		*len = sizeof(*v6);
	}
}

/* by the tunnel and nothing else (SO_BINDTODEVICE without a privilege: Linux 5.7); what fails is tried again in a second */
static void send_to(const char *device, const struct addr *to, uint16_t port, const void *data,
		    size_t data_len)
{
	struct sockaddr_storage sa;
	socklen_t len;

	AUTO_FD int fd = socket(to->family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device)) < 0)
		return;
	to_sockaddr(to, port, &sa, &len);
	(void)!sendto(fd, data, data_len, MSG_NOSIGNAL, (struct sockaddr *)&sa, len);
}

/* home's name servers are behind the tunnel, and answer: that is seen without any right (RFC 1035, section 4.1) */
static void ask_servers(const char *device)
{
	static const unsigned char root_ns[] = { 0x77, 0x67, 1, 0, 0, 1, 0, 0, 0,
						 0,    0,    0, 0, 0, 2, 0, 1 };
	AUTO_FREE char *text = NULL;
	struct ini_line line;
	struct ini_span rest, word;
	struct ini ini;
	struct err ignored;
	struct addr server;
	size_t len;

	AUTO_FD int fd = open(RESOLV_CONF, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fd_read_all(fd, RESOLV_CONF_MAX, &text, &len, RESOLV_CONF, &ignored) < 0)
		return;
	ini_begin(&ini, text, len);
	for (int n = 0; n < SERVERS_MAX && ini_next(&ini, &line);) {
		rest = line.text;
		if (!ini_word(&rest, "", &word) || !ini_is(word, "nameserver") ||
		    !ini_word(&rest, "", &word) || addr_parse(word.s, word.len, &server) < 0)
			continue;
		n++;
		send_to(device, &server, PORT_DNS, root_ns, sizeof(root_ns));
	}
}

/* an address of a prefix that nobody has to answer for; of everything, one for documentation (RFC 5737, RFC 3849) */
static struct addr pick(const struct addr *dst)
{
	static const uint8_t v4[] = { 192, 0, 2, 1 };
	static const uint8_t v6[] = { 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 };
	struct addr a = *dst;
	size_t len = addr_len(dst);

	if (dst->bits == 0)
		memcpy(a.bytes, dst->family == AF_INET ? v4 : v6, len);
	else if (dst->bits < len * 8)
		a.bytes[len - 1] |= 1;
	return a;
}

static void send_by_routes(const char *device, const struct rtnl_list *routes)
{
	int ifindex = (int)if_nametoindex(device), n = 0;
	struct rtnl_route r;

	for (size_t i = 0; ifindex && i < routes->n && n < ROUTES_MAX; i++) {
		if (rtnl_parse_route(routes->items[i].msg, &r) < 0 || r.type != RTN_UNICAST ||
		    r.n_oifs != 1 || r.oifs[0] != ifindex)
			continue;
		n++;
		struct addr to = pick(&r.dst);
		send_to(device, &to, PORT_DISCARD, "", 0);
	}
}

static void send_something(const struct portal_tunnels *t)
{
	AUTO_NL struct nl *nl = NULL;
	struct rtnl_list routes = { 0 };
	struct err ignored;

	/* without the routes the name servers are asked all the same */
	if (nl_open_in(NETLINK_ROUTE, -1, &nl, &ignored) == 0)
		(void)rtnl_dump(nl, RTNL_ROUTE, AF_UNSPEC, &routes, &ignored);
	for (size_t i = 0; i < t->n; i++) {
		if (t->items[i].is_there)
			continue;
		ask_servers(t->items[i].name);
		send_by_routes(t->items[i].name, &routes);
	}
	rtnl_list_free(&routes);
}

static uint64_t received(const char *device)
{
	char path[64 + IFNAMSIZ], text[32];
	unsigned long long bytes;

	(void)snprintf(path, sizeof(path), "/sys/class/net/%s/statistics/rx_bytes",
		       device); /* fits */
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (len < 2)
		return 0;
	text[len - 1] = '\0'; /* a newline */
	return str_to_u64(text, UINT64_MAX, &bytes) < 0 ? 0 : bytes;
}

/* root's look at one tunnel: its meta, and what the backend says */
static int read_meta(const char *name, struct state_tunnel *meta)
{
	struct err ignored;

	AUTO_FD int run_fd = state_open(false, &ignored);
	return run_fd < 0 ? run_fd : state_tunnel_read(run_fd, HOME, name, meta, &ignored);
}

static void begin_handshakes(const struct portal_tunnels *t)
{
	struct state_tunnel meta;
	struct err ignored;

	for (size_t i = 0; i < t->n; i++) {
		if (t->items[i].is_there || read_meta(t->items[i].name, &meta) < 0)
			continue;
		const struct backend *backend = backend_by_name(meta.backend);
		if (backend)
			(void)backend_kick(backend, &meta.device, -1, &ignored); /* again soon */
	}
}

static bool has_handshake(const char *name, int64_t since)
{
	struct wg_device device = { 0 };
	struct state_tunnel meta;
	struct err ignored;
	bool is_there = false;

	if (read_meta(name, &meta) < 0)
		return false;
	const struct backend *backend = backend_by_name(meta.backend);
	if (!backend || backend->get(&meta.device, -1, &device, &ignored) < 0)
		return false;
	for (size_t i = 0; i < device.n_peers; i++)
		is_there = is_there || device.peers[i].last_handshake >= since;
	wg_device_free(&device);
	return is_there;
}

void portal_tunnels_begin(struct portal_tunnels *t)
{
	struct state_tunnel *found = NULL;
	size_t n = 0;
	struct err ignored;

	*t = (struct portal_tunnels){ .since = time(NULL) };
	AUTO_FD int run_fd = state_open(false, &ignored);
	if (run_fd < 0 || state_tunnels(run_fd, &found, &n, &ignored) < 0)
		return;
	for (size_t i = 0; i < n && t->n < PORTAL_TUNNELS_MAX; i++) {
		const char *name = found[i].device.name;
		if (strcmp(found[i].place, HOME) != 0)
			continue;
		(void)snprintf(t->items[t->n].name, IFNAMSIZ, "%s", name); /* fits */
		t->items[t->n++].received = received(name);
	}
	free(found);
}

void portal_tunnels_kick(const struct portal_tunnels *t)
{
	if (geteuid() == 0)
		begin_handshakes(t);
	send_something(t);
}

bool portal_tunnels_look(struct portal_tunnels *t)
{
	bool is_all = true;

	for (size_t i = 0; i < t->n; i++) {
		const char *name = t->items[i].name;
		if (!t->items[i].is_there)
			t->items[i].is_there = received(name) > t->items[i].received ||
					       (geteuid() == 0 && has_handshake(name, t->since));
		is_all = is_all && t->items[i].is_there;
	}
	return is_all;
}
