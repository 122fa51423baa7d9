/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nl_internal - what nl.c and nl_batch.c share; nobody else includes it */
#ifndef WGNS_NL_INTERNAL_H
#define WGNS_NL_INTERNAL_H

#include "wgns/nl.h"

/* A dump fills at most 32 KiB per datagram (netlink_dump(), Linux 4.4); a single reply may be larger. */
#define NL_RECV_MAX (64u << 10)

struct nl {
	int fd;
	uint32_t portid, seq;
	unsigned max_answers; /* error answers that surely fit into the receive buffer */
	unsigned long n_syscalls, n_requests;
	char warning[256];
	_Alignas(8) char buf[NL_RECV_MAX];
};

/** nl_send - all of @len bytes in one datagram; Return: 0 or -errno */
int nl_send(struct nl *nl, const void *data, size_t len, struct err *e);
/**
 * nl_recv - the next datagram that comes from the kernel, into nl->buf
 * Return: its length, or -errno
 */
int nl_recv(struct nl *nl, struct err *e);

/* The content of an NLMSG_ERROR or NLMSG_DONE: an errno, 0 for an ack, and the kernel's words. */
struct nl_ack {
	int code; /* positive */
	char text[256];
};
/** nl_ack_parse - Return: 0, or -EBADMSG for a message that is too short */
int nl_ack_parse(const struct nlmsghdr *msg, struct nl_ack *out);

#endif
