// SPDX-License-Identifier: GPL-2.0-or-later
/* the address of the lease that came along from home: it goes when the server gives another one */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "keeper_internal.h"
#include "wgns/fd.h"
#include "wgns/rtnl.h"

/*
 * An address with a lifetime is a lease's. A client that gives none (udhcpc's scripts) has set the first one: it is taken for
 * the lease's only where that client was at work in home.
 */
static bool is_leased(const struct keeper *k, const struct rtnl_addr *a, bool is_first)
{
	return a->valid != UINT32_MAX || (is_first && k->run.n);
}

static int find(struct keeper *k, const struct rtnl_list *addrs, int ifindex)
{
	struct rtnl_addr a;
	int found = -1;
	bool is_first = true;

	for (size_t i = 0; i < addrs->n; i++) {
		if (rtnl_parse_addr(addrs->items[i].msg, &a) < 0 || a.ifindex != ifindex ||
		    a.family != AF_INET || a.scope != RT_SCOPE_UNIVERSE)
			continue;
		bool is_better = found < 0 || a.valid != UINT32_MAX;
		if (is_leased(k, &a, is_first) && is_better) {
			found = (int)i;
			k->carried = a.local;
		}
		is_first = false;
	}
	return found;
}

/* Return: its place in @addrs, or -1 */
static int look(struct keeper *k, struct rtnl_list *addrs, int *ifindex)
{
	struct rtnl_link link;
	struct err ignored; /* then nothing is done */

	if (k->is_all || rtnl_get_link(k->nl, 0, k->run.device, &link, &ignored) < 0 ||
	    rtnl_dump(k->nl, RTNL_ADDR, AF_INET, addrs, &ignored) < 0)
		return -1;
	*ifindex = link.ifindex;
	return 0;
}

void keeper_find_carried(struct keeper *k)
{
	const struct agents_program *program = agents_program_find(k->run.program);
	struct rtnl_list addrs = { 0 };
	int ifindex;

	if (!program || program->task != AGENTS_ADDRESS)
		return;
	if (look(k, &addrs, &ifindex) == 0)
		k->has_carried = find(k, &addrs, ifindex) >= 0;
	rtnl_list_free(&addrs);
}

/*
 * When the first address of a network goes, the kernel takes the others of it along, unless this is set: ip-sysctl,
 * promote_secondaries. Return: what it was, or -1
 */
static int promote(const struct keeper *k, int value)
{
	char path[80], old = '1', new = (char)('0' + value);

	(void)snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%.15s/promote_secondaries",
		       k->run.device);
	AUTO_FD int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || pread(fd, &old, 1, 0) != 1 || pwrite(fd, &new, 1, 0) != 1)
		return -1;
	return old == '1';
}

void keeper_drop_carried(struct keeper *k, const char *address)
{
	struct rtnl_list addrs = { 0 };
	struct rtnl_addr a;
	struct nl_msg m;
	char text[ADDR_TEXT_MAX];
	struct err why;
	int ifindex;

	addr_format(&k->carried, text);
	if (!k->has_carried || strchr(address, ':'))
		return;
	k->has_carried = false;
	if (strcmp(text, address) == 0 || look(k, &addrs, &ifindex) < 0) {
		rtnl_list_free(&addrs);
		return;
	}
	int old = promote(k, 1);
	for (size_t i = 0; old >= 0 && i < addrs.n; i++) {
		const struct nlmsghdr *msg = addrs.items[i].msg;
		if (rtnl_parse_addr(msg, &a) < 0 || a.ifindex != ifindex ||
		    !addr_equal(&a.local, &k->carried) || rtnl_build_delete(RTNL_ADDR, msg, &m) < 0)
			continue;
		if (nl_talk(k->nl, &m, &why) < 0)
			keeper_log(k, "%s cannot be taken away: %s", text, why.text);
		else
			keeper_log(k, "the lease has %s now: %s goes", address, text);
	}
	if (old == 0)
		(void)promote(k, 0); /* it can only have vanished with the device */
	rtnl_list_free(&addrs);
}
