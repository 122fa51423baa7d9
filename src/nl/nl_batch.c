// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/nl.h"
#include "wgns/str.h"

#include "nl_internal.h"

#define BATCH_CHUNK_MAX                                                                            \
	(64u << 10) /* bytes per sendmsg(2), below the smallest send buffer in use */
#define BATCH_FIRST_CAP (16u << 10)

struct nl_batch {
	char *buf; /* messages, each aligned */
	size_t len, cap, n;
};

int nl_batch_new(struct nl_batch **out, struct err *e)
{
	struct nl_batch *b = calloc(1, sizeof(*b));
	if (!b)
		return err_set(e, ENOMEM, "make a batch of requests");
	*out = b;
	return 0;
}

void nl_batch_free(struct nl_batch **b)
{
	if (!b || !*b)
		return;
	if ((*b)->buf)
		str_wipe((*b)->buf, (*b)->len);
	free((*b)->buf);
	free(*b);
	*b = NULL;
}

size_t nl_batch_len(const struct nl_batch *b)
{
	return b->n;
}

static bool reserve(struct nl_batch *b, size_t more)
{
	size_t cap = b->cap ? b->cap : BATCH_FIRST_CAP;

	while (cap - b->len < more)
		cap *= 2;
	if (cap == b->cap)
		return true;

	char *buf = realloc(b->buf, cap);
	if (!buf)
		return false;
	b->buf = buf;
	b->cap = cap;
	return true;
}

long nl_batch_add(struct nl_batch *b, const struct nl_msg *m)
{
	const struct nlmsghdr *h = (const void *)m->buf;
	size_t step = MNL_ALIGN(h->nlmsg_len);

	if (!reserve(b, step))
		return -ENOMEM;
	memcpy(b->buf + b->len, m->buf, h->nlmsg_len);
	memset(b->buf + b->len + h->nlmsg_len, 0, step - h->nlmsg_len);
	b->len += step;
	return (long)b->n++;
}

struct sending {
	struct nl *nl;
	nl_batch_fn *fn;
	void *ctx;
	uint32_t first_seq; /* of the request with index 0 */
	uint32_t last_seq; /* of the last request sent so far */
	bool is_transaction; /* a failure of the first request is the end of all */
	int result;
};

static void take_failure(struct sending *s, size_t index, const struct nl_ack *ack, struct err *e)
{
	/* Later failures must not overwrite the one that is returned. */
	struct err scratch = { 0 };
	int r;

	if (s->fn) {
		r = s->fn(index, ack->code, ack->text, s->ctx, s->result == 0 ? e : &scratch);
	} else {
		struct err *to = s->result == 0 ? e : &scratch;
		r = err_say(to, ack->code, "%s", strerror(ack->code));
		err_kernel(to, ack->text);
	}
	if (r < 0 && s->result == 0)
		s->result = r;
}

/* true when @h answers the last request of the chunk */
static bool take_answer(struct sending *s, const struct nlmsghdr *h, struct err *e)
{
	uint32_t index = h->nlmsg_seq - s->first_seq;
	struct nl_ack ack;

	if (h->nlmsg_type != NLMSG_ERROR || h->nlmsg_pid != s->nl->portid ||
	    index > s->last_seq - s->first_seq)
		return false;
	if (nl_ack_parse(h, &ack) < 0)
		ack = (struct nl_ack){ .code = EBADMSG };
	if (ack.code)
		take_failure(s, index, &ack, e);
	return h->nlmsg_seq == s->last_seq || (s->is_transaction && index == 0);
}

static int collect(struct sending *s, struct err *e)
{
	bool is_last = false;

	while (!is_last) {
		struct err local = { 0 };
		int len = nl_recv(s->nl, &local);
		if (len < 0) {
			if (s->result == 0)
				*e = local;
			return s->result ? s->result : len;
		}

		const struct nlmsghdr *h = (const void *)s->nl->buf;
		while (!is_last && mnl_nlmsg_ok(h, len)) {
			is_last = take_answer(s, h, e);
			h = mnl_nlmsg_next(h, &len);
		}
	}
	return 0;
}

/*
 * Number and flag the messages of the next datagram; Return: its length. Only the last asks for an ack:
 * the others are answered when they fail (netlink_rcv_skb() in the kernel), and the order is kept, so
 * a hundred requests that succeed cost two system calls.
 */
static size_t prepare_chunk(struct sending *s, char *from, size_t left)
{
	struct nlmsghdr *last = NULL;
	size_t len = 0;

	for (unsigned n = 0; len < left && n < s->nl->max_answers; n++) {
		struct nlmsghdr *h = (void *)(from + len);
		size_t step = MNL_ALIGN(h->nlmsg_len);

		if (len > 0 && len + step > BATCH_CHUNK_MAX)
			break;
		h->nlmsg_flags = (h->nlmsg_flags | NLM_F_REQUEST) & (uint16_t)~NLM_F_ACK;
		h->nlmsg_seq = ++s->nl->seq;
		h->nlmsg_pid = 0;
		s->nl->n_requests++;
		len += step;
		last = h;
	}
	if (last)
		last->nlmsg_flags |= NLM_F_ACK;
	s->last_seq = s->nl->seq;
	return len;
}

int nl_batch_send(struct nl *nl, struct nl_batch *b, nl_batch_fn *fn, void *ctx, struct err *e)
{
	struct sending s = { .nl = nl, .fn = fn, .ctx = ctx, .first_seq = nl->seq + 1 };
	int r = 0;

	for (size_t done = 0; done < b->len && r == 0;) {
		struct err local = { 0 };
		size_t len = prepare_chunk(&s, b->buf + done, b->len - done);

		r = nl_send(nl, b->buf + done, len, &local);
		if (r < 0 && s.result == 0)
			*e = local;
		if (r == 0)
			r = collect(&s, e);
		done += len;
	}
	if (b->buf)
		str_wipe(b->buf, b->len);
	b->len = 0;
	b->n = 0;
	return s.result ? s.result : r;
}

int nl_batch_transact(struct nl *nl, struct nl_batch *b, size_t acked, struct err *e)
{
	struct sending s = { .nl = nl, .first_seq = nl->seq + 1, .is_transaction = true };
	struct nlmsghdr *h = NULL;
	size_t index = 0;

	for (size_t at = 0; at < b->len; at += MNL_ALIGN(h->nlmsg_len), index++) {
		h = (void *)(b->buf + at);
		h->nlmsg_flags = (h->nlmsg_flags | NLM_F_REQUEST) & (uint16_t)~NLM_F_ACK;
		h->nlmsg_seq = ++nl->seq;
		h->nlmsg_pid = 0;
		nl->n_requests++;
		if (index == acked) {
			h->nlmsg_flags |= NLM_F_ACK;
			s.last_seq = h->nlmsg_seq;
		}
	}

	int r = nl_send(nl, b->buf, b->len, e);
	if (r == 0)
		r = collect(&s, e);
	b->len = 0;
	b->n = 0;
	return s.result ? s.result : r;
}
