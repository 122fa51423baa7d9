/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nl - the one place that sends and receives netlink messages
 *
 * A talker is a socket in one namespace and stays there wherever the process goes.
 * Builders (rtnl.h, genl.h, wgnl.h) are pure and fill a struct nl_msg; only this
 * module does I/O. Extended acks (Linux 4.12) and strict checking of dumps (4.20) are on.
 */
#ifndef WGNS_NL_H
#define WGNS_NL_H

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wgns/err.h"

struct nl; /* a talker */

/* One message under construction. Attributes are added with the mnl_attr_put_*_check() family only. */
#define NL_MSG_MAX 16384
struct nl_msg {
	_Alignas(8) char buf[NL_MSG_MAX];
};
static inline struct nlmsghdr *nl_msg_hdr(struct nl_msg *m)
{
	return (struct nlmsghdr *)(void *)m->buf;
}

/** nl_msg_begin - header and a zeroed family header of @extra_len bytes; Return: that family header */
void *nl_msg_begin(struct nl_msg *m, uint16_t type, uint16_t flags, size_t extra_len);

/**
 * nl_open_in - a socket that lives in a namespace
 * @protocol: NETLINK_ROUTE, NETLINK_GENERIC, NETLINK_NETFILTER
 * @ns_fd:    that namespace, or -1 for the caller's
 *
 * The thread enters @ns_fd for the time of socket(2) and returns (setns(2) needs CAP_SYS_ADMIN on both).
 * Return: 0 or -errno
 */
int nl_open_in(int protocol, int ns_fd, struct nl **out, struct err *e);
void nl_close(struct nl **nl);
#define AUTO_NL __attribute__((cleanup(nl_close)))

/**
 * nl_talk - send one request and wait for its ack
 *
 * NLM_F_REQUEST|NLM_F_ACK and the sequence number are set here. On failure e->text is the kernel's errno
 * text only and e->kernel its extended ack: the caller says with err_context() what was attempted.
 * Return: 0 or -errno of the kernel
 */
int nl_talk(struct nl *nl, struct nl_msg *m, struct err *e);

typedef int nl_reply_fn(const struct nlmsghdr *reply, void *ctx, struct err *e);

/** nl_get - a request with one reply and an ack; Return: 0, -errno of the kernel, or what @fn returned */
int nl_get(struct nl *nl, struct nl_msg *m, nl_reply_fn *fn, void *ctx, struct err *e);

/**
 * nl_dump - every object; NLM_F_DUMP_INTR is retried 3 times
 * @restart: called before each retry so that @ctx can forget what it has; may be NULL
 */
int nl_dump(struct nl *nl, struct nl_msg *m, nl_reply_fn *fn, void (*restart)(void *ctx), void *ctx,
	    struct err *e);

/*
 * A batch: many requests, few system calls. The kernel works them off in order and answers each;
 * one that fails does not stop those behind it.
 */
struct nl_batch;
int nl_batch_new(struct nl_batch **out, struct err *e);
void nl_batch_free(struct nl_batch **b);
#define AUTO_NL_BATCH __attribute__((cleanup(nl_batch_free)))
/** nl_batch_add - copies @m; Return: the index of the request, or -ENOMEM */
long nl_batch_add(struct nl_batch *b, const struct nl_msg *m);
size_t nl_batch_len(const struct nl_batch *b);
/**
 * nl_batch_send - send all, collect every ack; the batch is empty afterwards
 * @fn: called for each request that failed, in order, with its index, positive errno and extended ack
 *      (or ""); may be NULL. When it returns < 0 that is remembered and returned, the rest is still collected.
 *
 * Return: 0 when every failure was accepted by @fn (or there was none); what @fn returned first; or
 * -errno of the socket. With @fn NULL the first failure is returned, in @e.
 */
typedef int nl_batch_fn(size_t index, int code, const char *ext_ack, void *ctx, struct err *e);
int nl_batch_send(struct nl *nl, struct nl_batch *b, nl_batch_fn *fn, void *ctx, struct err *e);

/**
 * nl_batch_transact - send all in one datagram, as a transaction of nfnetlink; the batch is empty afterwards
 * @acked: the index of the request whose ack says that all were answered. The kernel answers it after every
 *         failure of another (nfnetlink_rcv_batch()), and the one with index 0, NFNL_MSG_BATCH_BEGIN, only
 *         when the whole failed
 *
 * Return: 0, or the first failure, in @e
 */
int nl_batch_transact(struct nl *nl, struct nl_batch *b, size_t acked, struct err *e);

/** nl_warning - the extended ack of the last nl_talk(), nl_get() or nl_dump() that succeeded, or "" */
const char *nl_warning(const struct nl *nl);

/* Counters for `wgns -v` and the bench: system calls and requests of this talker */
void nl_stats(const struct nl *nl, unsigned long *n_syscalls, unsigned long *n_requests);

/**
 * nl_listen_in - a socket that hears the multicast @groups (RTNLGRP_..., NFNLGRP_...) of a namespace; it does not block
 * @ns_fd: as nl_open_in()
 * Return: an owned descriptor or -errno
 */
int nl_listen_in(int protocol, int ns_fd, const unsigned *groups, size_t n, struct err *e);
/**
 * nl_listen_read - every event that is there, or as many as one call may take
 * Return: 0; 1 when the kernel dropped some (netlink(7), ENOBUFS): then everything may be different; -errno
 */
int nl_listen_read(int fd, void (*fn)(const struct nlmsghdr *event, void *ctx), void *ctx);

/*
 * A checked walk over attributes, for lists in which a number comes more than once:
 * for (r = nl_walk_next(&w, &a); r > 0; r = nl_walk_next(&w, &a)), then r is 0 or -EINVAL.
 */
struct nl_walk {
	const char *pos;
	size_t left;
	bool is_bad;
};
struct nl_walk nl_walk_msg(const struct nlmsghdr *msg, size_t offset);
struct nl_walk nl_walk_nested(const struct nlattr *nest);
/** nl_walk_bytes - @bytes is aligned to 4 */
struct nl_walk nl_walk_bytes(const void *bytes, size_t len);
/** nl_walk_next - Return: 1 and @out, 0 at the end, -EINVAL when an attribute overruns what holds it */
int nl_walk_next(struct nl_walk *w, const struct nlattr **out);

/** nl_attr_table - collect attributes by number; Return: 0, or -EINVAL when one overruns the message
 * @offset: length of the family header
 * @tb: @max + 1 pointers, zeroed here; unknown numbers are passed over */
int nl_attr_table(const struct nlmsghdr *msg, size_t offset, const struct nlattr **tb,
		  uint16_t max);
int nl_attr_table_nested(const struct nlattr *nest, const struct nlattr **tb, uint16_t max);
/* Checked readers: false when absent or of another length */
bool nl_attr_u8(const struct nlattr *a, uint8_t *out);
bool nl_attr_u16(const struct nlattr *a, uint16_t *out);
bool nl_attr_u32(const struct nlattr *a, uint32_t *out);
bool nl_attr_u64(const struct nlattr *a, uint64_t *out);
bool nl_attr_bytes(const struct nlattr *a, void *out, size_t len);
/** nl_put - mnl_attr_put_check() with zeroed padding, which libmnl before 1.0.5 leaves as it was */
bool nl_put(struct nl_msg *m, uint16_t type, const void *data, size_t len);
/** nl_attr_text - NUL-terminated copy, cut to @cap; control characters and bytes over 126 stay as they are */
bool nl_attr_text(const struct nlattr *a, char *out, size_t cap);

#endif
