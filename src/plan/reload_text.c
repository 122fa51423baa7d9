// SPDX-License-Identifier: GPL-2.0-or-later
/* what a reload would do, a line each: what -n prints, and -v while it is done; no private or preshared key is in it */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reload_internal.h"
#include "wgns/str.h"

struct lines {
	struct reload_plan *plan;
	size_t cap;
	bool is_failed;
};

static void add(struct lines *l, enum reload_phase phase, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void add(struct lines *l, enum reload_phase phase, const char *fmt, ...)
{
	struct reload_plan *plan = l->plan;
	AUTO_FREE char *text = NULL;
	va_list ap;

	if (plan->n_lines == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 16;
		struct reload_line *grown = reallocarray(plan->lines, cap, sizeof(*grown));
		l->is_failed = l->is_failed || !grown;
		if (!grown)
			return;
		plan->lines = grown;
		l->cap = cap;
	}
	va_start(ap, fmt);
	int len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0) {
		text = NULL; /* asprintf(3): undefined on failure */
		l->is_failed = true;
		return;
	}
	/* search domains and names are the file's: one line whatever they hold, as plan.c */
	for (char *c = text; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	}
	plan->lines[plan->n_lines++] =
		(struct reload_line){ .phase = phase, .text = str_take(&text) };
}

static void add_addrs(struct lines *l, enum reload_phase phase, const char *verb, const char *name,
		      const struct addr *list, size_t n)
{
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < n; i++) {
		addr_format_prefix(&list[i], text);
		add(l, phase, "%s %s %s", verb, name, text);
	}
}

static void add_routes(struct lines *l, enum reload_phase phase, const char *verb, const char *name,
		       const struct reload_route *list, size_t n)
{
	char text[ADDR_TEXT_MAX], table[24];

	for (size_t i = 0; i < n; i++) {
		addr_format_prefix(&list[i].dst, text);
		table[0] = '\0';
		if (list[i].table != RT_TABLE_MAIN)
			(void)snprintf(table, sizeof(table), " table %u", list[i].table);
		add(l, phase, "%s %s %s%s", verb, name, text, table);
	}
}

/* ", WHAT" behind the first of several */
static void item(struct strbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void item(struct strbuf *b, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	strbuf_addf(b, "%s%s", b->len ? ", " : "", text);
}

static void describe_peer(struct strbuf *b, const struct wg_peer *peer, bool is_new)
{
	char text[WG_ENDPOINT_TEXT_MAX];

	wg_endpoint_format(&peer->endpoint, text);
	if (peer->endpoint_host)
		item(b, "endpoint %.255s port %.40s", peer->endpoint_host, peer->endpoint_port);
	else if (text[0])
		item(b, "endpoint %s", text);
	if (peer->has_preshared_key)
		item(b, "preshared key%s", key_is_zero(&peer->preshared_key) ? " cleared" : "");
	if (peer->has_keepalive && peer->keepalive)
		item(b, "keepalive %u", peer->keepalive);
	else if (peer->has_keepalive)
		item(b, "keepalive off");
	for (size_t i = 0; i < peer->n_allowed_ips; i++) {
		addr_format_prefix(&peer->allowed_ips[i].prefix, text);
		item(b, "%s%s", is_new ? "" : "+", text);
	}
}

static void add_peers(struct lines *l, const struct wg_diff *diff)
{
	char key[KEY_BASE64_LEN + 1], text[ADDR_TEXT_MAX];
	size_t k = 0;

	for (size_t i = 0; i < diff->set.n_peers; i++) {
		AUTO_STRBUF struct strbuf b = { 0 };
		const struct wg_peer *peer = &diff->set.peers[i];

		describe_peer(&b, peer, diff->is_new[i]);
		for (; k < diff->n_losses && diff->losses[k].peer == i; k++) {
			addr_format_prefix(&diff->losses[k].prefix, text);
			item(&b, "-%s", text);
		}
		key_format(&peer->public_key, key);
		add(l, RELOAD_PEERS, "peer.%s %s%s%s", diff->is_new[i] ? "add" : "change", key,
		    b.len ? ": " : "", b.s ? b.s : "");
		l->is_failed = l->is_failed || b.is_failed;
	}
}

static void add_dns(struct lines *l, const struct reload_facts *f)
{
	AUTO_STRBUF struct strbuf b = { 0 };
	char text[ADDR_TEXT_MAX];

	if (!f->conf->n_dns) {
		add(l, RELOAD_DNS, "dns.unset %s by %s", f->conf->name, f->dns);
		return;
	}
	for (size_t i = 0; i < f->conf->n_dns; i++) {
		addr_format(&f->conf->dns[i], text);
		item(&b, "%s", text);
	}
	for (size_t i = 0; i < f->conf->n_search; i++)
		item(&b, "%.255s", f->conf->search[i]);
	add(l, RELOAD_DNS, "dns.set %s by %s: %s", f->conf->name, f->dns, b.s ? b.s : "");
	l->is_failed = l->is_failed || b.is_failed;
}

static void add_device(struct lines *l, const struct reload_facts *f, const struct wg_device *set)
{
	AUTO_STRBUF struct strbuf b = { 0 };

	if (set->has_private_key)
		item(&b, "private key%s", key_is_zero(&set->private_key) ? " cleared" : "");
	if (set->has_listen_port && set->listen_port)
		item(&b, "port %u -> %u", f->live->listen_port, set->listen_port);
	else if (set->has_listen_port)
		item(&b, "port %u -> random", f->live->listen_port);
	if (set->has_fwmark)
		item(&b, "mark 0x%x -> 0x%x", f->live->fwmark, set->fwmark);
	if (b.len)
		add(l, RELOAD_DEVICE, "wg.set %s: %s", f->conf->name, b.s);
	l->is_failed = l->is_failed || b.is_failed;
}

int reload_lines(const struct reload_facts *f, const struct wg_diff *diff, struct reload_plan *plan)
{
	struct lines l = { .plan = plan };
	const char *name = f->conf->name;
	char key[KEY_BASE64_LEN + 1];

	add_addrs(&l, RELOAD_ADDR_ADD, "addr.add", name, plan->addr_add, plan->n_addr_add);
	add_peers(&l, diff);
	if (plan->has_mtu && plan->mtu)
		add(&l, RELOAD_MTU, "link.mtu %s %u -> %u", name, f->mtu, plan->mtu);
	else if (plan->has_mtu)
		add(&l, RELOAD_MTU, "link.mtu %s %u -> auto", name, f->mtu);
	add_routes(&l, RELOAD_ROUTE_ADD, "route.add", name, plan->route_add, plan->n_route_add);
	if (plan->has_dns)
		add_dns(&l, f);
	add_device(&l, f, &diff->set);
	add_addrs(&l, RELOAD_ADDR_DEL, "addr.del", name, plan->addr_del, plan->n_addr_del);
	add_routes(&l, RELOAD_ROUTE_DEL, "route.del", name, plan->route_del, plan->n_route_del);
	for (size_t i = 0; i < diff->gone.n_peers; i++) {
		key_format(&diff->gone.peers[i].public_key, key);
		add(&l, RELOAD_PEERS_GONE, "peer.remove %s", key);
	}
	return l.is_failed ? -ENOMEM : 0;
}
