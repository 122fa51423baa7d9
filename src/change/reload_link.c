// SPDX-License-Identifier: GPL-2.0-or-later
/* addresses, routes and MTU of a tunnel that is up */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "reload_run.h"

/* what a batch is made of, for the message when a part of it fails */
struct batch {
	struct nl_batch *b;
	const char *what; /* "add the address" */
	const struct addr *addrs; /* one of these two */
	const struct reload_route *routes;
	bool should_delete; /* what is not there is as it should be */
	bool is_undo; /* what is there already, too */
};

/* the kernel's words for "there is none": of an IPv4 and an IPv6 address, of a route */
static bool is_absent(int code)
{
	return code == EADDRNOTAVAIL || code == ESRCH;
}

static int failure(size_t index, int code, const char *ext_ack, void *ctx, struct err *e)
{
	const struct batch *batch = ctx;
	char text[ADDR_TEXT_MAX];

	if ((batch->should_delete && is_absent(code)) || (batch->is_undo && code == EEXIST))
		return 0;
	addr_format_prefix(batch->addrs ? &batch->addrs[index] : &batch->routes[index].dst, text);
	err_set(e, code, "%s %s", batch->what, text);
	err_kernel(e, ext_ack);
	return -code;
}

static int send_batch(struct reload *r, struct batch *batch, struct err *e)
{
	struct nl *nl;
	int rc = op_env_nl_home(&r->env, &nl, e);

	return rc < 0 ? rc : nl_batch_send(nl, batch->b, failure, batch, e);
}

static int put(struct nl_batch *b, const struct nl_msg *m, struct err *e)
{
	return nl_batch_add(b, m) < 0 ? err_set(e, ENOMEM, "change the link") : 0;
}

static int send_addrs(struct reload *r, const struct addr *list, size_t n, bool should_delete,
		      bool is_undo, struct err *e)
{
	AUTO_NL_BATCH struct nl_batch *b = NULL;
	struct nl_msg add, del;
	int rc = nl_batch_new(&b, e);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		rtnl_build_addr_add(&add, r->link.ifindex, &list[i]);
		if (should_delete) {
			(void)rtnl_build_delete(RTNL_ADDR, nl_msg_hdr(&add),
						&del); /* our own is good */
			rc = put(b, &del, e);
		} else {
			rc = put(b, &add, e);
		}
	}
	struct batch batch = { .b = b,
			       .what = should_delete ? "remove the address" : "add the address",
			       .addrs = list,
			       .should_delete = should_delete,
			       .is_undo = is_undo };
	return rc < 0 ? rc : send_batch(r, &batch, e);
}

static int send_routes(struct reload *r, const struct reload_route *list, size_t n,
		       bool should_delete, bool is_undo, struct err *e)
{
	AUTO_NL_BATCH struct nl_batch *b = NULL;
	struct nl_msg add, del;
	int rc = nl_batch_new(&b, e);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		rtnl_build_route_add(&add, r->link.ifindex, &list[i].dst, list[i].table);
		if (should_delete && rtnl_build_delete(RTNL_ROUTE, nl_msg_hdr(&add), &del) < 0)
			rc = err_say(e, EINVAL, "remove a route");
		if (rc == 0)
			rc = put(b, should_delete ? &del : &add, e);
	}
	struct batch batch = { .b = b,
			       .what = should_delete ? "remove the route" : "add the route",
			       .routes = list,
			       .should_delete = should_delete,
			       .is_undo = is_undo };
	return rc < 0 ? rc : send_batch(r, &batch, e);
}

/* IPv6 knows an address once a device, whatever its prefix: another prefix is another address in its place */
static int make_room(struct reload *r, struct err *e)
{
	const struct reload_plan *plan = &r->plan;

	for (size_t i = 0; i < plan->n_addr_add; i++) {
		for (size_t k = 0; k < plan->n_addr_del; k++) {
			const struct addr *old = &plan->addr_del[k];
			if (old->family != AF_INET6 ||
			    memcmp(old->bytes, plan->addr_add[i].bytes, sizeof(old->bytes)) != 0)
				continue;
			int rc = send_addrs(r, old, 1, true, true, e);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

int reload_add_addrs(struct reload *r, struct err *e)
{
	int rc = make_room(r, e);

	return rc < 0 ? rc : send_addrs(r, r->plan.addr_add, r->plan.n_addr_add, false, false, e);
}

static bool is_removed(const struct reload *r, const struct addr *a)
{
	for (size_t i = 0; i < r->plan.n_addr_del; i++) {
		if (addr_equal(&r->plan.addr_del[i], a))
			return true;
	}
	return false;
}

/* most is there already, and a route of the user's may need the very address that goes */
static int ignore(size_t index, int code, const char *ext_ack, void *ctx, struct err *e)
{
	(void)index, (void)code, (void)ext_ack, (void)ctx, (void)e;
	return 0;
}

static int complain(size_t index, int code, const char *ext_ack, void *ctx, struct err *e)
{
	const struct reload *r = ctx;

	(void)index;
	if (code == EEXIST)
		return 0;
	err_set(e, code, "give back what %s had", r->link.name);
	err_kernel(e, ext_ack);
	return -code;
}

/* @should_keep_all: also addresses that the plan removes. What is there already is answered with EEXIST. */
static int give_back(struct reload *r, enum rtnl_kind kind, bool should_keep_all, struct err *e)
{
	const struct rtnl_list *list = kind == RTNL_ADDR ? &r->addrs : &r->routes;
	AUTO_NL_BATCH struct nl_batch *b = NULL;
	struct rtnl_route route;
	struct rtnl_addr addr;
	struct nl_msg m;
	struct nl *nl;
	int rc = op_env_nl_home(&r->env, &nl, e);

	if (rc == 0)
		rc = nl_batch_new(&b, e);
	for (size_t i = 0; rc == 0 && i < list->n; i++) {
		const struct nlmsghdr *msg = list->items[i].msg;
		if (kind == RTNL_ADDR && (rtnl_parse_addr(msg, &addr) < 0 ||
					  (!should_keep_all && is_removed(r, &addr.local))))
			continue;
		/* the kernel makes those of an address itself */
		if (kind == RTNL_ROUTE &&
		    (rtnl_parse_route(msg, &route) < 0 || route.protocol == RTPROT_KERNEL))
			continue;
		if (rtnl_build_restore(kind, msg, NULL, true, &m) == 0)
			rc = put(b, &m, e);
	}
	if (rc < 0)
		return rc;
	return nl_batch_send(nl, b, should_keep_all ? complain : ignore, r, e);
}

/*
 * With an IPv4 address the kernel removes its secondaries, and with the last one all IPv4 routes of the device: what the
 * file still has is put back; routes that it has no more go in the next phase.
 */
int reload_del_addrs(struct reload *r, struct err *e)
{
	int rc = send_addrs(r, r->plan.addr_del, r->plan.n_addr_del, true, false, e);

	if (rc == 0)
		rc = give_back(r, RTNL_ADDR, false, e);
	if (rc == 0)
		rc = send_addrs(r, r->plan.addr_add, r->plan.n_addr_add, false, true, e);
	if (rc == 0)
		rc = give_back(r, RTNL_ROUTE, false, e);
	return rc < 0 ? rc : send_routes(r, r->plan.route_add, r->plan.n_route_add, false, true, e);
}

int reload_add_routes(struct reload *r, struct err *e)
{
	return send_routes(r, r->plan.route_add, r->plan.n_route_add, false, false, e);
}

int reload_del_routes(struct reload *r, struct err *e)
{
	return send_routes(r, r->plan.route_del, r->plan.n_route_del, true, false, e);
}

int reload_set_mtu(struct reload *r, uint32_t mtu, struct err *e)
{
	struct rtnl_link link = { 0 };
	struct nl_msg m;
	struct nl *nl;

	int rc = op_env_nl_home(&r->env, &nl, e);
	if (rc == 0)
		rc = rtnl_get_link(nl, r->link.ifindex, NULL, &link, e);
	if (rc < 0 || link.mtu == mtu)
		return rc;
	rtnl_build_link_set(&m, link.ifindex, 0, 0);
	if (!rtnl_put_link_mtu(&m, mtu))
		return err_set(e, EMSGSIZE, "set the MTU of %s", link.name);
	rc = nl_talk(nl, &m, e);
	return rc < 0 ? err_context(e, "set the MTU of %s to %u", link.name, mtu) : 0;
}

int reload_restore_link(struct reload *r, struct err *e)
{
	int rc = send_routes(r, r->plan.route_add, r->plan.n_route_add, true, true, e);

	if (rc == 0)
		rc = send_addrs(r, r->plan.addr_add, r->plan.n_addr_add, true, true, e);
	if (rc == 0)
		rc = reload_set_mtu(r, r->link.mtu, e);
	if (rc == 0)
		rc = give_back(r, RTNL_ADDR, true, e);
	return rc < 0 ? rc : give_back(r, RTNL_ROUTE, true, e);
}
