// SPDX-License-Identifier: GPL-2.0-or-later
/* status --json: numbers are numbers, times are seconds since the epoch, null is "not known" */
#include "status.h"

#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* jansson takes UTF-8 only; file names and process names are bytes */
static json_t *text(const char *s)
{
	char escaped[4 * PATH_MAX + 1];

	if (!*s)
		return json_null();
	status_escape(s, escaped, sizeof(escaped));
	return json_string(escaped);
}

static json_t *moment(int64_t seconds)
{
	return seconds ? json_integer(seconds) : json_null();
}

static json_t *prefix(const struct addr *a)
{
	char buf[ADDR_TEXT_MAX];

	addr_format_prefix(a, buf);
	return json_string(buf);
}

static json_t *key(const struct key *k)
{
	char base64[KEY_BASE64_LEN + 1];

	key_format(k, base64);
	return json_string(base64);
}

static json_t *peer(const struct wg_peer *p)
{
	char endpoint[WG_ENDPOINT_TEXT_MAX];
	json_t *allowed = json_array();

	for (size_t i = 0; i < p->n_allowed_ips; i++)
		json_array_append_new(allowed, prefix(&p->allowed_ips[i].prefix));
	wg_endpoint_format(&p->endpoint, endpoint);
	return json_pack("{s:o, s:b, s:o, s:o, s:o, s:o, s:I, s:I}", "public_key",
			 key(&p->public_key), "has_preshared_key", p->has_preshared_key, "endpoint",
			 text(endpoint), "allowed_ips", allowed, "last_handshake",
			 moment(p->last_handshake), "persistent_keepalive",
			 p->has_keepalive && p->keepalive ? json_integer(p->keepalive)
							  : json_null(),
			 "rx_bytes", (json_int_t)p->rx_bytes, "tx_bytes", (json_int_t)p->tx_bytes);
}

static json_t *addresses(const struct status_link *link)
{
	json_t *list = json_array();

	for (size_t i = 0; link && i < link->n_addrs; i++)
		json_array_append_new(list, prefix(&link->addrs[i]));
	return list;
}

/* what only the device knows is null when it could not be asked */
static void add_device(json_t *out, const struct status_tunnel *t)
{
	const struct wg_device *d = &t->device;
	json_t *peers = t->has_device ? json_array() : json_null();

	for (size_t i = 0; t->has_device && i < d->n_peers; i++)
		json_array_append_new(peers, peer(&d->peers[i]));
	json_object_set_new(out, "public_key",
			    t->has_device && d->has_public_key ? key(&d->public_key) : json_null());
	json_object_set_new(out, "listen_port",
			    t->has_device && d->has_listen_port ? json_integer(d->listen_port)
								: json_null());
	json_object_set_new(out, "fwmark",
			    t->has_device ? json_integer(d->has_fwmark ? d->fwmark : 0)
					  : json_null());
	json_object_set_new(out, "peers", peers);
}

static json_t *tunnel(const struct status_view *view, const struct status_tunnel *t)
{
	const struct state_tunnel *meta = &t->meta;
	const struct status_link *link =
		status_find_link(status_find_box(view, meta->place), meta->device.name);
	json_t *out = json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
				text(meta->device.name), "state", status_state_name(t->state),
				"reason", text(t->reason), "layout", text(meta->layout), "inside",
				text(meta->place), "birthplace", text(meta->birthplace), "backend",
				text(meta->backend), "file", text(meta->file), "dns",
				text(meta->dns), "since", moment(meta->since));

	json_object_set_new(out, "last_handshake", moment(t->last_handshake));
	json_object_set_new(out, "daemon_pid",
			    meta->device.pid ? json_integer(meta->device.pid) : json_null());
	json_object_set_new(out, "watcher_pid",
			    t->watcher ? json_integer(t->watcher) : json_null());
	json_object_set_new(out, "addresses", addresses(link));
	json_object_set_new(out, "mtu", link ? json_integer(link->mtu) : json_null());
	add_device(out, t);
	return out;
}

static json_t *links(const struct status_view *view, const struct status_box *box)
{
	json_t *list = json_array();

	for (size_t i = 0; i < box->n_links; i++) {
		const struct status_link *l = &box->links[i];
		json_array_append_new(list, json_pack("{s:o, s:o, s:b, s:b, s:I, s:b, s:o}", "name",
						      text(l->name), "kind", text(l->kind), "is_up",
						      l->is_up, "has_carrier", l->has_carrier,
						      "mtu", (json_int_t)l->mtu, "is_tunnel",
						      status_tunnel_on(view, box, l) != NULL,
						      "addresses", addresses(l)));
	}
	return list;
}

static json_t *processes(const struct status_box *box)
{
	json_t *list = json_array();

	for (size_t i = 0; i < box->n_procs; i++) {
		const struct status_proc *p = &box->procs[i];
		json_array_append_new(list,
				      json_pack("{s:I, s:I, s:o, s:o}", "pid", (json_int_t)p->pid,
						"uid", (json_int_t)p->uid, "user", text(p->user),
						"command", text(p->comm)));
	}
	return list;
}

static json_t *agents(const struct status_box *box)
{
	json_t *list = json_array();

	for (size_t i = 0; i < box->n_agents; i++) {
		const struct status_agent *a = &box->agents[i];
		json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:b}", "program",
						      text(a->program), "device", text(a->device),
						      "state", text(a->state), "dead", a->is_dead));
	}
	return list;
}

static json_t *box_object(const struct status_view *view, const struct status_box *box)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name", text(box->name), "group",
			 text(box->group), "problem", text(box->problem), "links", links(view, box),
			 "n_processes",
			 box->has_procs ? json_integer((json_int_t)box->n_procs_all) : json_null(),
			 "processes", box->has_procs ? processes(box) : json_null(), "agents",
			 box->has_procs ? agents(box) : json_null());
}

char *status_json(const struct status_view *view)
{
	AUTO_STRBUF struct strbuf b = { 0 };
	json_t *tunnels = json_array(), *boxes = json_array();

	for (size_t i = 0; i < view->n_tunnels; i++) {
		if (status_is_shown(view, &view->tunnels[i]))
			json_array_append_new(tunnels, tunnel(view, &view->tunnels[i]));
	}
	for (size_t i = 0; i < view->n_boxes; i++)
		json_array_append_new(boxes, box_object(view, &view->boxes[i]));
	json_t *root =
		json_pack("{s:i, s:I, s:b, s:o, s:o}", "schema", 1, "now", (json_int_t)view->now,
			  "is_complete", view->is_root, "tunnels", tunnels, "boxes", boxes);
	char *out = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
	json_decref(root);
	if (!out)
		return NULL;
	strbuf_addf(&b, "%s\n", out);
	free(out);
	return strbuf_finish(&b);
}
