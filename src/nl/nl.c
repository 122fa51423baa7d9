// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/nl.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wgns/fd.h"
#include "wgns/str.h"

#include "nl_internal.h"

#define NL_RECV_BUFFER (1 << 20)
/* What one error answer with its extended ack takes from the receive buffer (skb->truesize), rounded up */
#define NL_ANSWER_COST 1536
#define NL_DUMP_TRIES 4 /* the first and 3 more */

static int socket_here(int protocol, struct err *e)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (fd < 0)
		return err_set(e, errno, "open a netlink socket");
	return fd;
}

/* The namespace of a socket is that of the thread at the time of socket(2); see socket_in tests. */
static int socket_in(int protocol, int ns_fd, struct err *e)
{
	AUTO_FD int old_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (old_fd < 0)
		return err_set(e, errno, "open /proc/thread-self/ns/net");
	if (setns(ns_fd, CLONE_NEWNET) < 0)
		return err_set(e, errno, "enter the namespace to open a netlink socket");

	AUTO_FD int fd = socket_here(protocol, e);

	/* Staying here would send all that follows to the wrong network: worse than a missing socket. */
	if (setns(old_fd, CLONE_NEWNET) < 0)
		return err_set(e, errno,
			       "return from the namespace of a netlink socket to the old one");
	if (fd < 0)
		return -e->code;
	return fd_take(&fd);
}

static int set_options(struct nl *nl, struct err *e)
{
	int one = 1, size = NL_RECV_BUFFER;
	socklen_t len = sizeof(size);

	if (setsockopt(nl->fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one)) < 0)
		return err_set(e, errno, "switch on extended acks");
	if (setsockopt(nl->fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one)) < 0)
		return err_set(e, errno, "switch on short acks");
	if (setsockopt(nl->fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one)) < 0)
		return err_set(e, errno, "switch on strict checks of dumps");

	/* SO_RCVBUFFORCE needs CAP_NET_ADMIN of the initial user namespace; socket(7) */
	if (setsockopt(nl->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0 &&
	    setsockopt(nl->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) < 0)
		return err_set(e, errno, "enlarge the receive buffer of a netlink socket");
	if (getsockopt(nl->fd, SOL_SOCKET, SO_RCVBUF, &size, &len) < 0)
		return err_set(e, errno, "read the receive buffer of a netlink socket");

	nl->max_answers = size > NL_ANSWER_COST ? (unsigned)size / NL_ANSWER_COST : 1;
	return 0;
}

static int bind_kernel(struct nl *nl, struct err *e)
{
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK };
	socklen_t len = sizeof(sa);

	if (bind(nl->fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return err_set(e, errno, "bind a netlink socket");
	if (getsockname(nl->fd, (struct sockaddr *)&sa, &len) < 0)
		return err_set(e, errno, "read the address of a netlink socket");
	nl->portid = sa.nl_pid;

	/* netlink(7): address 0 is the kernel; connected, other processes cannot send here */
	sa = (struct sockaddr_nl){ .nl_family = AF_NETLINK };
	if (connect(nl->fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return err_set(e, errno, "connect a netlink socket");
	return 0;
}

int nl_open_in(int protocol, int ns_fd, struct nl **out, struct err *e)
{
	AUTO_NL struct nl *nl = calloc(1, sizeof(*nl));
	if (!nl)
		return err_set(e, ENOMEM, "open a netlink socket");

	nl->fd = ns_fd < 0 ? socket_here(protocol, e) : socket_in(protocol, ns_fd, e);
	if (nl->fd < 0)
		return -e->code; /* cppcheck-suppress memleak ; cleanup frees it */

	int r = set_options(nl, e);
	if (r < 0)
		return r;
	r = bind_kernel(nl, e);
	if (r < 0)
		return r;

	*out = nl;
	nl = NULL;
	return 0;
}

void nl_close(struct nl **nl)
{
	if (!nl || !*nl)
		return;
	if ((*nl)->fd >= 0)
		close((*nl)->fd);
	str_wipe((*nl)->buf, sizeof((*nl)->buf)); /* replies of WireGuard hold keys */
	free(*nl);
	*nl = NULL;
}

void nl_stats(const struct nl *nl, unsigned long *n_syscalls, unsigned long *n_requests)
{
	*n_syscalls = nl->n_syscalls;
	*n_requests = nl->n_requests;
}

const char *nl_warning(const struct nl *nl)
{
	return nl->warning;
}

void *nl_msg_begin(struct nl_msg *m, uint16_t type, uint16_t flags, size_t extra_len)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(m->buf);

	h->nlmsg_type = type;
	h->nlmsg_flags = flags;
	return mnl_nlmsg_put_extra_header(h, extra_len);
}

int nl_send(struct nl *nl, const void *data, size_t len, struct err *e)
{
	ssize_t n;

	do {
		nl->n_syscalls++;
		n = send(nl->fd, data, len, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(e, errno, "send to the kernel");
	if ((size_t)n != len)
		return err_say(e, EIO, "send to the kernel: only a part was taken");
	return 0;
}

int nl_recv(struct nl *nl, struct err *e)
{
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { .iov_base = nl->buf, .iov_len = sizeof(nl->buf) };

	for (;;) {
		struct msghdr mh = { .msg_name = &from,
				     .msg_namelen = sizeof(from),
				     .msg_iov = &iov,
				     .msg_iovlen = 1 };

		nl->n_syscalls++;
		ssize_t n = recvmsg(nl->fd, &mh, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, errno, "receive from the kernel");
		if (mh.msg_flags & MSG_TRUNC)
			return err_set(e, EMSGSIZE, "receive from the kernel");
		if (n == 0)
			return err_say(e, EIO, "receive from the kernel: nothing came");
		if (from.nl_pid == 0)
			return (int)n;
	}
}

int nl_ack_parse(const struct nlmsghdr *msg, struct nl_ack *out)
{
	bool is_done = msg->nlmsg_type == NLMSG_DONE;
	size_t fixed = is_done ? sizeof(int) : sizeof(struct nlmsgerr);
	const struct nlattr *tb[NLMSGERR_ATTR_MSG + 1];
	int error;

	*out = (struct nl_ack){ 0 };
	if (mnl_nlmsg_get_payload_len(msg) < fixed) {
		/* the end of a dump had no payload in old families */
		return is_done ? 0 : -EBADMSG;
	}
	memcpy(&error, mnl_nlmsg_get_payload(msg), sizeof(error));
	out->code = error < 0 && error > -4096 ? -error : 0;

	if (!(msg->nlmsg_flags & NLM_F_ACK_TLVS))
		return 0;
	/* Without NLM_F_CAPPED the whole request comes back in front of the attributes. */
	if (!is_done && !(msg->nlmsg_flags & NLM_F_CAPPED)) {
		const struct nlmsgerr *err = mnl_nlmsg_get_payload(msg);
		size_t inner = err->msg.nlmsg_len;
		if (inner < sizeof(err->msg) || inner > mnl_nlmsg_get_payload_len(msg))
			return 0;
		fixed += inner - sizeof(err->msg);
	}
	if (nl_attr_table(msg, fixed, tb, NLMSGERR_ATTR_MSG) == 0)
		(void)nl_attr_text(tb[NLMSGERR_ATTR_MSG], out->text,
				   sizeof(out->text)); /* "" if absent */
	return 0;
}

static int fail_with(const struct nl_ack *ack, struct err *e)
{
	int r = err_say(e, ack->code, "%s", strerror(ack->code));

	err_kernel(e, ack->text);
	return r;
}

/* One exchange: what is awaited and what has come of it so far */
struct exchange {
	struct nl *nl;
	uint32_t seq;
	nl_reply_fn *fn;
	void *ctx;
	bool is_done, is_interrupted;
	int result; /* the first failure; @fn is not called after it */
};

static void take_message(struct exchange *x, const struct nlmsghdr *h, struct err *e)
{
	struct nl_ack ack;

	/* an answer to an earlier request whose exchange was broken off */
	if (h->nlmsg_seq != x->seq || h->nlmsg_pid != x->nl->portid)
		return;
	if (h->nlmsg_flags & NLM_F_DUMP_INTR)
		x->is_interrupted = true;
	if (h->nlmsg_type != NLMSG_ERROR && h->nlmsg_type != NLMSG_DONE) {
		if (h->nlmsg_type >= NLMSG_MIN_TYPE && x->fn && x->result == 0) {
			int r = x->fn(h, x->ctx, e);
			x->result = r < 0 ? r : 0;
		}
		return;
	}

	x->is_done = true;
	if (nl_ack_parse(h, &ack) < 0) {
		if (x->result == 0)
			x->result = err_say(e, EBADMSG, "the kernel's answer is too short");
		return;
	}
	if (ack.code && x->result == 0)
		x->result = fail_with(&ack, e);
	if (!ack.code)
		(void)snprintf(x->nl->warning, sizeof(x->nl->warning), "%s", ack.text);
}

static int exchange_run(struct exchange *x, struct nl_msg *m, uint16_t flags, struct err *e)
{
	struct nlmsghdr *h = nl_msg_hdr(m);

	x->seq = ++x->nl->seq;
	x->nl->warning[0] = '\0';
	h->nlmsg_flags |= flags;
	h->nlmsg_seq = x->seq;
	h->nlmsg_pid = 0;
	x->nl->n_requests++;
	int r = nl_send(x->nl, h, h->nlmsg_len, e);
	if (r < 0)
		return r;

	while (!x->is_done) {
		int len = nl_recv(x->nl, e);
		if (len < 0)
			return len;

		const struct nlmsghdr *reply = (const void *)x->nl->buf;
		while (!x->is_done && mnl_nlmsg_ok(reply, len)) {
			take_message(x, reply, e);
			reply = mnl_nlmsg_next(reply, &len);
		}
	}
	return x->result;
}

int nl_get(struct nl *nl, struct nl_msg *m, nl_reply_fn *fn, void *ctx, struct err *e)
{
	struct exchange x = { .nl = nl, .fn = fn, .ctx = ctx };

	return exchange_run(&x, m, NLM_F_REQUEST | NLM_F_ACK, e);
}

int nl_talk(struct nl *nl, struct nl_msg *m, struct err *e)
{
	return nl_get(nl, m, NULL, NULL, e);
}

int nl_dump(struct nl *nl, struct nl_msg *m, nl_reply_fn *fn, void (*restart)(void *ctx), void *ctx,
	    struct err *e)
{
	for (int try = 0; try < NL_DUMP_TRIES; try++) {
		struct exchange x = { .nl = nl, .fn = fn, .ctx = ctx };

		if (try > 0 && restart)
			restart(ctx);
		int r = exchange_run(&x, m, NLM_F_REQUEST | NLM_F_DUMP, e);
		if (r < 0 || !x.is_interrupted)
			return r;
	}
	return err_say(e, EINTR, "the list changed each of the %d times that it was read",
		       NL_DUMP_TRIES);
}
