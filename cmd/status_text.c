// SPDX-License-Identifier: GPL-2.0-or-later
/* every tunnel and every box in words */
#include "status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRS_MAX 4096 /* of one device on one line; the rest is in --json */

/* one "  name        value" line; nothing when the value is empty */
static void fact(struct strbuf *b, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void fact(struct strbuf *b, const char *name, const char *fmt, ...)
{
	char value[ADDRS_MAX], escaped[4 * ADDRS_MAX];
	va_list ap;

	va_start(ap, fmt);
	int len = vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	if (len <= 0)
		return;
	status_escape(value, escaped, sizeof(escaped));
	strbuf_addf(b, "  %-15s %s\n", name, escaped);
}

static void join(const struct addr *addr, char *out, size_t cap)
{
	size_t used = strlen(out);
	char text[ADDR_TEXT_MAX];

	addr_format_prefix(addr, text);
	if (used + 2 + strlen(text) < cap)
		(void)snprintf(out + used, cap - used, "%s%s", used ? ", " : "", text);
}

static void add_peer(struct strbuf *b, const struct status_view *view, const struct wg_peer *p)
{
	char key[KEY_BASE64_LEN + 1], endpoint[WG_ENDPOINT_TEXT_MAX], age[64], rx[32], tx[32];
	AUTO_STRBUF struct strbuf allowed = { 0 };
	char text[ADDR_TEXT_MAX];

	key_format(&p->public_key, key);
	wg_endpoint_format(&p->endpoint, endpoint);
	strbuf_addf(b, "  %-15s %s\n", "peer", key);
	fact(b, "  endpoint", "%s", endpoint);
	for (size_t i = 0; i < p->n_allowed_ips; i++) {
		addr_format_prefix(&p->allowed_ips[i].prefix, text);
		strbuf_addf(&allowed, "%s%s", i ? ", " : "", text);
	}
	if (allowed.s)
		strbuf_addf(b, "  %-15s %s\n", "  allowed ips", allowed.s);
	if (p->has_preshared_key)
		fact(b, "  preshared key", "(hidden)");
	if (p->has_keepalive && p->keepalive)
		fact(b, "  keepalive", "every %u s", p->keepalive);
	status_age(view->now - p->last_handshake, age, sizeof(age));
	fact(b, "  handshake", "%s%s", p->last_handshake ? age : "never",
	     p->last_handshake ? " ago" : "");
	status_bytes(p->rx_bytes, rx, sizeof(rx));
	status_bytes(p->tx_bytes, tx, sizeof(tx));
	fact(b, "  transfer", "%s received, %s sent", rx, tx);
}

static void add_headline(struct strbuf *b, const struct status_view *view,
			 const struct status_tunnel *t, const struct status_style *style)
{
	char name[4 * IFNAMSIZ], reason[4 * sizeof(t->reason)], age[64] = "";

	status_escape(t->meta.device.name, name, sizeof(name));
	status_escape(t->reason, reason, sizeof(reason));
	strbuf_addf(b, "%s: %s%s%s", name, status_colour(t->state, style),
		    status_state_name(t->state), status_plain(style));
	switch (t->state) {
	case STATUS_UP:
	case STATUS_STALE:
		status_age(view->now - t->last_handshake, age, sizeof(age));
		strbuf_addf(b, ", last handshake %s ago%s%s\n", age, reason[0] ? ": " : "", reason);
		break;
	case STATUS_NO_HANDSHAKE:
		strbuf_addf(b, t->device.n_peers ? " yet\n" : ": it has no peer\n");
		break;
	case STATUS_BROKEN:
	case STATUS_UNKNOWN:
		strbuf_addf(b, ": %s\n", reason);
		break;
	case STATUS_UNFINISHED:
		if (reason[0])
			strbuf_addf(b, ": %s; `wgns confirm %s` keeps it\n", reason, name);
		else
			strbuf_addf(b, ": `up` is at work, or was interrupted: `wgns recover`\n");
		break;
	}
}

/* where the servers of DNS= were put */
static const char *dns_place(const char *manager)
{
	if (strcmp(manager, "file") == 0)
		return "in /etc/resolv.conf";
	if (strcmp(manager, "resolved") == 0)
		return "in systemd-resolved";
	return *manager ? "by resolvconf" : "none: no names resolve here";
}

static void add_tunnel(struct strbuf *b, const struct status_view *view,
		       const struct status_tunnel *t, const struct status_style *style)
{
	const struct state_tunnel *meta = &t->meta;
	const struct status_link *link =
		status_find_link(status_find_box(view, meta->place), meta->device.name);
	char addrs[ADDRS_MAX] = "", key[KEY_BASE64_LEN + 1], age[64];

	add_headline(b, view, t, style);
	if (t->state == STATUS_UNKNOWN) {
		strbuf_addf(b, "\n");
		return;
	}
	if (meta->layout[0])
		fact(b, "layout", "%s: cleartext in %s, UDP in %s", meta->layout, meta->place,
		     meta->birthplace);
	if (meta->device.pid)
		fact(b, "backend", "%s: %s (pid %d)", meta->backend, meta->device.daemon,
		     (int)meta->device.pid);
	else
		fact(b, "backend", "%s", meta->backend);
	if (t->watcher)
		fact(b, "watched by", "process %d", (int)t->watcher);
	for (size_t i = 0; link && i < link->n_addrs; i++)
		join(&link->addrs[i], addrs, sizeof(addrs));
	fact(b, "addresses", "%s", addrs);
	if (link)
		fact(b, "mtu", "%u", link->mtu);
	if (t->has_device && t->device.has_listen_port)
		fact(b, "listen port", "%u", t->device.listen_port);
	if (t->has_device && t->device.has_fwmark && t->device.fwmark)
		fact(b, "fwmark", "0x%x", t->device.fwmark);
	if (t->has_device && t->device.has_public_key) {
		key_format(&t->device.public_key, key);
		fact(b, "public key", "%s", key);
	}
	fact(b, "dns", "%s", dns_place(meta->dns));
	fact(b, "file", "%s", meta->file);
	if (meta->since) {
		status_age(view->now - meta->since, age, sizeof(age));
		fact(b, "since", "%s ago", age);
	}
	for (size_t i = 0; t->has_device && i < t->device.n_peers; i++)
		add_peer(b, view, &t->device.peers[i]);
	strbuf_addf(b, "\n");
}

static void add_link(struct strbuf *b, const struct status_view *view, const struct status_box *box,
		     const struct status_link *link)
{
	char addrs[ADDRS_MAX] = "", name[4 * IFNAMSIZ];
	const char *state = !link->is_up ? "down" : link->has_carrier ? "up" : "no carrier";

	status_escape(link->name, name, sizeof(name));
	for (size_t i = 0; i < link->n_addrs; i++)
		join(&link->addrs[i], addrs, sizeof(addrs));
	strbuf_addf(b, "  %-15s %s%s%s%s\n", name, state,
		    status_tunnel_on(view, box, link) ? ", tunnel" : "", addrs[0] ? "  " : "",
		    addrs);
}

static void add_box(struct strbuf *b, const struct status_view *view, const struct status_box *box,
		    const struct status_style *style)
{
	char text[4 * sizeof(box->problem)], user[4 * sizeof(box->procs->user)];

	status_escape(box->name, text, sizeof(text));
	strbuf_addf(b, "%s%s%s\n", style->has_colour ? "\033[1m" : "", text, status_plain(style));
	if (box->problem[0]) {
		status_escape(box->problem, text, sizeof(text));
		strbuf_addf(b, "  %s\n", text);
	}
	for (size_t i = 0; i < box->n_links; i++)
		add_link(b, view, box, &box->links[i]);
	for (size_t i = 0; i < box->n_agents; i++) {
		const struct status_agent *a = &box->agents[i];
		status_escape(a->device, user, sizeof(user));
		status_escape(a->state, text, sizeof(text));
		strbuf_addf(b, "  %-15s %s%s for %s: %s%s\n", i ? "" : "agents",
			    a->is_dead && style->has_colour ? "\033[31m" : "", a->program, user,
			    text, a->is_dead ? status_plain(style) : "");
	}
	for (size_t i = 0; i < box->n_procs; i++) {
		const struct status_proc *p = &box->procs[i];
		status_escape(p->comm, text, sizeof(text));
		status_escape(p->user, user, sizeof(user));
		if (!user[0])
			(void)snprintf(user, sizeof(user), "%u", p->uid);
		strbuf_addf(b, "  %-15s %-7d %-10s %s\n", i ? "" : "programs", (int)p->pid, user,
			    text);
	}
	if (box->n_procs_all > box->n_procs)
		strbuf_addf(b, "  %-15s and %zu more\n", "", box->n_procs_all - box->n_procs);
	strbuf_addf(b, "\n");
}

void status_add_text(struct strbuf *b, const struct status_view *view,
		     const struct status_style *style)
{
	for (size_t i = 0; i < view->n_tunnels; i++) {
		if (status_is_shown(view, &view->tunnels[i]))
			add_tunnel(b, view, &view->tunnels[i], style);
	}
	for (size_t i = 0; !view->only && i < view->n_boxes; i++)
		add_box(b, view, &view->boxes[i], style);
	/* every block ends with an empty line; the last one has none */
	if (b->len && !b->is_failed)
		b->s[--b->len] = '\0';
}
