// SPDX-License-Identifier: GPL-2.0-or-later
/* two namespaces side by side, and the tunnels that lead from one to the other */
#include "status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* a blank, a pane, the gap that the tunnels cross, a pane: 79 columns */
#define PANE 33
#define INNER (PANE - 4)
#define GAP 12
#define LINKS_MAX 8
#define PROGRAMS_MAX 6

struct glyphs {
	const char *top_left, *top_right, *bottom_left, *bottom_right, *across, *down;
	const char *out, *in; /* where a tunnel leaves a pane, and where it enters one */
	const char *cut; /* in place of what did not fit */
	const char *solid, *dashed, *broken; /* a tunnel, GAP columns */
};

static const struct glyphs ascii = {
	.top_left = "+",
	.top_right = "+",
	.bottom_left = "+",
	.bottom_right = "+",
	.across = "-",
	.down = "|",
	.out = "|",
	.in = "|",
	.cut = "..",
	.solid = "============",
	.dashed = "- - - - - - ",
	.broken = "==== x  ====",
};

static const struct glyphs utf8 = {
	.top_left = "┌",
	.top_right = "┐",
	.bottom_left = "└",
	.bottom_right = "┘",
	.across = "─",
	.down = "│",
	.out = "╞",
	.in = "╡",
	.cut = "…",
	.solid = "════════════",
	.dashed = "╌╌╌╌╌╌╌╌╌╌╌╌",
	.broken = "════ ✗  ════",
};

static const char *line_of(const struct glyphs *g, enum status_state state)
{
	if (state == STATUS_UP)
		return g->solid;
	return state == STATUS_BROKEN ? g->broken : g->dashed;
}

struct row {
	char left[INNER + 8],
		right[INNER + 8]; /* at most INNER columns; the cut may take more bytes */
	char middle[GAP + 1];
	const struct status_tunnel *tunnel; /* its line crosses the gap here */
};

struct picture {
	struct row *rows;
	size_t n, cap;
	size_t n_left, n_right; /* rows that each side has filled */
	bool is_failed;
	const struct glyphs *g;
};

static struct row *row_at(struct picture *p, size_t i)
{
	if (i >= p->cap) {
		size_t cap = p->cap ? 2 * p->cap : 32;
		struct row *grown =
			p->is_failed ? NULL : reallocarray(p->rows, cap, sizeof(*grown));
		if (!grown) {
			p->is_failed = true;
			return NULL;
		}
		memset(grown + p->cap, 0, (cap - p->cap) * sizeof(*grown));
		p->rows = grown;
		p->cap = cap;
	}
	if (i >= p->n)
		p->n = i + 1;
	return &p->rows[i];
}

/* @text is ASCII; it is cut to INNER columns */
static void add(struct picture *p, bool is_left, const char *text)
{
	struct row *row = row_at(p, is_left ? p->n_left : p->n_right);

	if (!row)
		return;
	char *out = is_left ? row->left : row->right;
	size_t cut = p->g == &utf8 ? 1 : 2;
	if (strlen(text) <= INNER)
		(void)snprintf(out, sizeof(row->left), "%s", text);
	else
		(void)snprintf(out, sizeof(row->left), "%.*s%s", (int)(INNER - cut), text,
			       p->g->cut);
	if (is_left)
		p->n_left++;
	else
		p->n_right++;
}

static void addf(struct picture *p, bool is_left, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void addf(struct picture *p, bool is_left, const char *fmt, ...)
{
	char raw[1024], text[1024];
	va_list ap;

	va_start(ap, fmt);
	int len = vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	if (len < 0)
		return;
	status_escape(raw, text, sizeof(text));
	add(p, is_left, text);
}

static void level(struct picture *p)
{
	size_t n = p->n_left > p->n_right ? p->n_left : p->n_right;

	p->n_left = p->n_right = n;
}

static bool is_link_local(const struct addr *a)
{
	return a->family == AF_INET6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

static void add_endpoint(struct picture *p, const struct wg_device *d)
{
	char endpoint[WG_ENDPOINT_TEXT_MAX] = "";
	size_t i = 0;

	for (; i < d->n_peers && !endpoint[0]; i++)
		wg_endpoint_format(&d->peers[i].endpoint, endpoint);
	if (endpoint[0])
		addf(p, false, "  to %s", endpoint);
	if (d->n_peers > 1)
		addf(p, false, "  %zu peers", d->n_peers);
}

static void add_tunnel(struct picture *p, const struct status_view *view,
		       const struct status_tunnel *t)
{
	const struct status_link *link =
		status_find_link(status_find_box(view, t->meta.place), t->meta.device.name);
	const char *state = status_state_name(t->state);
	char addr[ADDR_TEXT_MAX];
	size_t first = p->n_left;

	addf(p, true, "%s", t->meta.device.name);
	for (size_t i = 0; link && i < link->n_addrs; i++) {
		addr_format_prefix(&link->addrs[i], addr);
		if (!is_link_local(&link->addrs[i]))
			addf(p, true, "  %s", addr);
	}
	if (t->has_device && t->device.has_listen_port)
		addf(p, false, "UDP port %u", t->device.listen_port);
	else
		add(p, false, "UDP");
	if (t->has_device)
		add_endpoint(p, &t->device);
	level(p);
	if (p->n_left < first + 2)
		p->n_left = p->n_right = first + 2;

	struct row *row = row_at(p, first + 1);
	if (row)
		(void)snprintf(row->middle, sizeof(row->middle), "%*s%s",
			       (int)(GAP - strlen(state)) / 2, "", state);
	row = row_at(p, first);
	if (row)
		row->tunnel = t;
}

/* "eth0  192.0.2.17/24", what does not fit beside the name below it */
static void add_link(struct picture *p, bool is_left, const struct status_link *link)
{
	char addr[ADDR_TEXT_MAX];
	size_t n_shown = 0;

	if (!link->is_up || !link->has_carrier) {
		addf(p, is_left, "%s  %s", link->name, link->is_up ? "no carrier" : "down");
		return;
	}
	for (size_t i = 0; i < link->n_addrs; i++) {
		if (is_link_local(&link->addrs[i]))
			continue;
		addr_format_prefix(&link->addrs[i], addr);
		bool fits = strlen(link->name) + 2 + strlen(addr) <= INNER;
		if (n_shown++ == 0) {
			addf(p, is_left, "%s%s%s", link->name, fits ? "  " : "", fits ? addr : "");
			if (fits)
				continue;
		}
		addf(p, is_left, "  %s", addr);
	}
	if (n_shown == 0)
		addf(p, is_left, "%s", link->name);
}

/* a browser is one program to its user, however many processes it has */
static void add_programs(struct picture *p, bool is_left, const struct status_view *view,
			 const struct status_box *box)
{
	size_t n_lines = 0, n_left_out = box->n_procs_all - box->n_procs;

	if (!box->has_procs) {
		add(p, is_left, "every ordinary program");
		return;
	}
	for (size_t i = 0; i < box->n_procs; i++) {
		const struct status_proc *a = &box->procs[i];
		size_t n = 0, first = box->n_procs;

		for (size_t k = 0; k < box->n_procs; k++) {
			const struct status_proc *b = &box->procs[k];
			if (b->uid != a->uid || strcmp(b->comm, a->comm) != 0 || b->is_agent ||
			    status_is_daemon(view, b->pid))
				continue;
			if (n++ == 0)
				first = k;
		}
		if (first != i)
			continue;
		if (n_lines == PROGRAMS_MAX) {
			n_left_out += n;
			continue;
		}
		n_lines++;
		if (n > 1)
			addf(p, is_left, "%s (%zu)  %s", a->comm, n, a->user);
		else
			addf(p, is_left, "%s  %s", a->comm, a->user);
	}
	if (n_left_out)
		addf(p, is_left, "and %zu more", n_left_out);
	if (!n_lines && !n_left_out)
		add(p, is_left, "no program of yours");
}

static void add_box(struct picture *p, const struct status_view *view, bool is_left,
		    const char *name)
{
	const struct status_box *box = status_find_box(view, name);
	size_t n = 0, n_all = 0;

	if (!box || box->problem[0]) {
		add(p, is_left, view->is_root ? "cannot be read" : "root sees more");
		return;
	}
	for (size_t i = 0; i < box->n_links; i++) {
		const struct status_link *link = &box->links[i];
		if (link->is_loopback || status_tunnel_on(view, box, link))
			continue;
		if (n_all++ < LINKS_MAX) {
			add_link(p, is_left, link);
			n++;
		}
	}
	if (n_all > n)
		addf(p, is_left, "and %zu more", n_all - n);
	if (n_all)
		add(p, is_left, "");
	add_programs(p, is_left, view, box);
}

/* a glyph is one column and several bytes */
static void add_padded(struct strbuf *b, const char *text, size_t width)
{
	size_t columns = 0;

	for (const char *c = text; *c; c++)
		columns += ((unsigned char)*c & 0xc0) != 0x80;
	strbuf_addf(b, "%s%*s", text, (int)(width > columns ? width - columns : 0), "");
}

static void draw_edge(struct strbuf *b, const struct glyphs *g, const char *name,
		      const char *caption, bool has_bold)
{
	char title[4 * STATE_PLACE_MAX];

	status_escape(name, title, sizeof(title));
	if (strlen(title) + strlen(caption) + 6 > PANE)
		caption = ""; /* the name matters more */
	if (strlen(title) + 6 > PANE)
		title[PANE - 6] = '\0';
	strbuf_addf(b, "%s %s%s%s ", g->top_left, has_bold ? "\033[1m" : "", title,
		    has_bold ? "\033[0m" : "");
	for (size_t i = strlen(title) + strlen(caption) + 4; i < PANE - 2; i++)
		strbuf_addf(b, "%s", g->across);
	strbuf_addf(b, " %s %s", caption, g->top_right);
}

static void draw_bottom(struct strbuf *b, const struct glyphs *g)
{
	strbuf_addf(b, "%s", g->bottom_left);
	for (size_t i = 0; i < PANE - 2; i++)
		strbuf_addf(b, "%s", g->across);
	strbuf_addf(b, "%s", g->bottom_right);
}

static void draw_row(struct strbuf *b, const struct picture *p, const struct row *row,
		     const struct status_tunnel *above, const struct status_style *style)
{
	const struct glyphs *g = p->g;
	const struct status_tunnel *t = row->tunnel ? row->tunnel : above;

	strbuf_addf(b, " %s ", g->down);
	add_padded(b, row->left, INNER);
	strbuf_addf(b, " %s%s", row->tunnel ? g->out : g->down,
		    t ? status_colour(t->state, style) : "");
	if (row->tunnel)
		strbuf_addf(b, "%s", line_of(g, t->state));
	else
		add_padded(b, row->middle, GAP);
	strbuf_addf(b, "%s%s ", t ? status_plain(style) : "", row->tunnel ? g->in : g->down);
	add_padded(b, row->right, INNER);
	strbuf_addf(b, " %s\n", g->down);
}

static void draw(struct strbuf *b, const struct picture *p, const struct status_tunnel *first,
		 const struct status_style *style)
{
	strbuf_addf(b, " ");
	draw_edge(b, p->g, first->meta.place, "through the tunnel", style->has_colour);
	strbuf_addf(b, "%*s", GAP, "");
	draw_edge(b, p->g, first->meta.birthplace, "straight out", style->has_colour);
	strbuf_addf(b, "\n");
	for (size_t i = 0; i < p->n; i++)
		draw_row(b, p, &p->rows[i], i ? p->rows[i - 1].tunnel : NULL, style);
	strbuf_addf(b, " ");
	draw_bottom(b, p->g);
	strbuf_addf(b, "%*s", GAP, "");
	draw_bottom(b, p->g);
	strbuf_addf(b, "\n\n");
}

static bool is_between(const struct status_tunnel *a, const struct status_tunnel *b)
{
	return strcmp(a->meta.place, b->meta.place) == 0 &&
	       strcmp(a->meta.birthplace, b->meta.birthplace) == 0;
}

static bool is_drawn(const struct status_view *view, const struct status_tunnel *t)
{
	return status_is_shown(view, t) && t->meta.birthplace[0] &&
	       strcmp(t->meta.place, t->meta.birthplace) != 0;
}

void status_add_picture(struct strbuf *b, const struct status_view *view,
			const struct status_style *style)
{
	for (size_t i = 0; i < view->n_tunnels; i++) {
		const struct status_tunnel *first = &view->tunnels[i];
		struct picture p = { .g = style->has_utf8 ? &utf8 : &ascii };
		bool is_again = !is_drawn(view, first);

		for (size_t k = 0; k < i && !is_again; k++)
			is_again = is_drawn(view, &view->tunnels[k]) &&
				   is_between(first, &view->tunnels[k]);
		if (is_again)
			continue;
		for (size_t k = i; k < view->n_tunnels; k++) {
			const struct status_tunnel *t = &view->tunnels[k];
			if (!is_drawn(view, t) || !is_between(first, t))
				continue;
			add_tunnel(&p, view, t);
			add(&p, true, "");
			add(&p, false, "");
		}
		add_box(&p, view, true, first->meta.place);
		add_box(&p, view, false, first->meta.birthplace);
		if (p.is_failed)
			b->is_failed = true;
		else
			draw(b, &p, first, style);
		free(p.rows);
	}
}
