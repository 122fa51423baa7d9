// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/capture.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wgns/clock.h"
#include "wgns/fd.h"

#define SNAP 256 /* headers of IPv6 with options, and the first bytes behind them */
#define BATCH 64
#define RECEIVE_BUFFER (16 << 20)
#define LOOK_MS 100 /* how often programs are looked for */
#define TICK_MS 1000

struct session {
	const struct capture_request *rq;
	struct capture *out;
	struct pollfd fds[CAPTURE_DEVICES_MAX];
	long long looked_ms; /* when programs were looked for last */
	struct netns_id physical;
};

/* what a VLAN device sends passes its parent, where it is seen with the tag taken off */
static bool is_uplink(const struct rtnl_link *link)
{
	return link->type != ARPHRD_LOOPBACK && strcmp(link->kind, "vlan") != 0 &&
	       strcmp(link->name, LAN_DEVICE) != 0;
}

/* owned descriptor; no packet comes before the socket is bound to its device, because its protocol is 0 until then */
static int open_device(int ns_fd, const struct rtnl_link *link, struct err *e)
{
	const struct sockaddr_ll to = { .sll_family = AF_PACKET,
					.sll_protocol = htons(ETH_P_ALL),
					.sll_ifindex = link->ifindex };
	int size = RECEIVE_BUFFER;

	AUTO_FD int fd = netns_socket(ns_fd, AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK, 0, e);
	if (fd < 0)
		return fd;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) < 0)
		return err_set(e, errno, "enlarge the buffer for %s", link->name);
	if (bind(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		return err_set(e, errno, "listen on %s", link->name);
	return fd_take(&fd);
}

static int open_devices(struct session *s, struct err *e)
{
	AUTO_NL struct nl *nl = NULL;
	struct rtnl_links links = { 0 };
	struct capture *out = s->out;

	int rc = nl_open_in(NETLINK_ROUTE, s->rq->physical_fd, &nl, e);
	if (rc == 0)
		rc = rtnl_dump_links(nl, &links, e);
	for (size_t i = 0; rc == 0 && i < links.n; i++) {
		const struct rtnl_link *link = &links.items[i];
		if (!is_uplink(link))
			continue;
		if (out->n_devices == CAPTURE_DEVICES_MAX) {
			out->is_cut = true;
			break;
		}
		int fd = open_device(s->rq->physical_fd, link, e);
		if (fd < 0) {
			rc = fd;
			break;
		}
		s->fds[out->n_devices] = (struct pollfd){ .fd = fd, .events = POLLIN };
		(void)snprintf(out->devices[out->n_devices++], IFNAMSIZ, "%s", link->name);
	}
	rtnl_links_free(&links);
	return rc;
}

static bool is_daemon(const struct session *s, const struct netns_proc *p)
{
	for (size_t i = 0; i < s->rq->n_tunnels; i++) {
		const struct backend_device *dev = &s->rq->tunnels[i].device;
		if (dev->pid == p->pid && dev->start_time == p->start_time)
			return true;
	}
	return p->pid == getpid();
}

static void remember(struct capture *out, const struct netns_proc *p)
{
	for (size_t i = 0; i < out->n_programs; i++) {
		struct netns_proc *known = &out->programs[i];
		if (known->pid == p->pid && known->start_time == p->start_time) {
			*known = *p; /* it may have become another program by execve(2) */
			return;
		}
	}
	if (out->n_programs < CAPTURE_PROGRAMS_MAX)
		out->programs[out->n_programs++] = *p;
}

static void look_for_programs(struct session *s)
{
	struct netns_proc found[CAPTURE_PROGRAMS_MAX];
	struct err ignored; /* then none is named, and what went out counts as nobody's */

	s->looked_ms = clock_boot_ms();
	long n = netns_procs(&s->physical, found, CAPTURE_PROGRAMS_MAX, &ignored);
	for (long i = 0; i < n && i < CAPTURE_PROGRAMS_MAX; i++) {
		if (!is_daemon(s, &found[i]))
			remember(s->out, &found[i]);
	}
}

static bool is_same(const struct frame *a, const struct frame *b)
{
	return a->protocol == b->protocol && a->transport == b->transport &&
	       addr_equal(&a->from, &b->from) && addr_equal(&a->to, &b->to) &&
	       a->from_port == b->from_port && a->to_port == b->to_port;
}

static void keep_sample(struct capture *out, size_t device, const struct frame *f)
{
	for (size_t i = 0; i < out->n_samples; i++) {
		struct capture_sample *known = &out->samples[i];
		if (known->device == device && is_same(&known->frame, f)) {
			known->n++;
			return;
		}
	}
	if (out->n_samples == CAPTURE_SAMPLES_MAX)
		return;
	out->samples[out->n_samples++] =
		(struct capture_sample){ .device = device, .frame = *f, .n = 1 };
}

static void count(struct session *s, size_t device, const struct sockaddr_ll *from,
		  const uint8_t *bytes, size_t len)
{
	bool is_outgoing = from->sll_pkttype == PACKET_OUTGOING;
	struct frame f =
		frame_classify(s->rq->rules, ntohs(from->sll_protocol), bytes, len, is_outgoing);

	s->out->frames[f.kind][is_outgoing]++;
	if (!is_outgoing || f.kind != FRAME_OTHER)
		return;
	keep_sample(s->out, device, &f);
	/* whoever sent it may be gone in a moment */
	if (s->out->n_samples < CAPTURE_SAMPLES_MAX || clock_boot_ms() - s->looked_ms >= LOOK_MS)
		look_for_programs(s);
}

/* Return: how many came; 0 when there are no more, -errno */
static int receive(struct session *s, size_t device)
{
	uint8_t bytes[BATCH][SNAP];
	struct sockaddr_ll from[BATCH];
	struct iovec io[BATCH];
	struct mmsghdr msgs[BATCH];

	for (size_t i = 0; i < BATCH; i++) {
		io[i] = (struct iovec){ .iov_base = bytes[i], .iov_len = SNAP };
		msgs[i] = (struct mmsghdr){ .msg_hdr = { .msg_name = &from[i],
							 .msg_namelen = sizeof(from[i]),
							 .msg_iov = &io[i],
							 .msg_iovlen = 1 } };
	}
	int n = recvmmsg(s->fds[device].fd, msgs, BATCH, MSG_DONTWAIT, NULL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		size_t len = msgs[i].msg_len < SNAP ? msgs[i].msg_len : SNAP;
		count(s, device, &from[i], bytes[i], len);
	}
	return n;
}

static void receive_all(struct session *s)
{
	for (size_t i = 0; i < s->out->n_devices; i++) {
		if (!s->fds[i].revents)
			continue;
		int n = receive(s, i);
		if (n != -ENETDOWN && n >= 0)
			continue;
		/* it was set down (and is still bound) or is gone: what it sends from now on is not seen */
		s->out->is_cut = true;
		if (n != -ENETDOWN)
			s->fds[i].events = 0;
	}
}

static void read_drops(struct session *s)
{
	for (size_t i = 0; i < s->out->n_devices; i++) {
		struct tpacket_stats stats = { 0 };
		socklen_t len = sizeof(stats);

		if (getsockopt(s->fds[i].fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) == 0)
			s->out->n_dropped += stats.tp_drops;
		else
			s->out->is_cut = true;
	}
}

static void run(struct session *s)
{
	long long begin = clock_boot_ms(), end = begin + s->rq->seconds * 1000LL, tick = begin;

	for (long long now = begin; now < end; now = clock_boot_ms()) {
		if (now >= tick) {
			tick = now + TICK_MS;
			unsigned left = (unsigned)((end - now + 999) / 1000);
			if (s->rq->tick && s->rq->tick(s->rq->ctx, left)) {
				s->out->seconds = (unsigned)((now - begin) / 1000);
				return;
			}
		}
		if (now - s->looked_ms >= LOOK_MS)
			look_for_programs(s);
		int wait = end - now < LOOK_MS ? (int)(end - now) : LOOK_MS;
		if (poll(s->fds, s->out->n_devices, wait) > 0)
			receive_all(s);
	}
	/* what came before the end and is not read yet */
	for (size_t i = 0; i < s->out->n_devices; i++)
		s->fds[i].revents = POLLIN;
	receive_all(s);
}

int capture_run(const struct capture_request *rq, struct capture *out, struct err *e)
{
	struct capture c = { .seconds = rq->seconds };
	struct session s = { .rq = rq, .out = &c };

	int rc = netns_identify(rq->physical_fd, &s.physical, e);
	if (rc == 0)
		rc = open_devices(&s, e);
	if (rc == 0 && !c.n_devices)
		rc = err_say(e, ENODEV, "physical has no uplink");
	if (rc == 0) {
		run(&s);
		read_drops(&s);
		*out = c;
	}
	for (size_t i = 0; i < c.n_devices; i++)
		fd_close_indirect(&s.fds[i].fd);
	return rc;
}
