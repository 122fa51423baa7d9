// SPDX-License-Identifier: GPL-2.0-or-later
/* invariant 2: what was seen on the uplinks. Pure */
#include <inttypes.h>
#include <string.h>

#include "wgns/capture.h"

enum { INCOMING, OUTGOING };

static void add_endpoint(struct frame_rules *out, const union wg_endpoint *endpoint)
{
	struct frame_endpoint *e = &out->endpoints[out->n_endpoints];

	if (out->n_endpoints == FRAME_RULES_MAX)
		return; /* counted as roamed then, and said */
	if (endpoint->sa.sa_family == AF_INET) {
		e->address = (struct addr){ .family = AF_INET, .bits = 32 };
		memcpy(e->address.bytes, &endpoint->v4.sin_addr, 4);
		e->port = ntohs(endpoint->v4.sin_port);
	} else if (endpoint->sa.sa_family == AF_INET6) {
		e->address = (struct addr){ .family = AF_INET6, .bits = 128 };
		memcpy(e->address.bytes, &endpoint->v6.sin6_addr, 16);
		e->port = ntohs(endpoint->v6.sin6_port);
	} else {
		return;
	}
	out->n_endpoints++;
}

void capture_rules(const struct verify_facts *f, struct frame_rules *out)
{
	*out = (struct frame_rules){ 0 };
	for (size_t i = 0; i < f->n_tunnels; i++) {
		const struct wg_device *dev = &f->tunnels[i].device;
		if (dev->has_listen_port && dev->listen_port && out->n_ports < FRAME_RULES_MAX)
			out->ports[out->n_ports++] = dev->listen_port;
		for (size_t k = 0; k < dev->n_peers; k++)
			add_endpoint(out, &dev->peers[k].endpoint);
	}
	for (size_t i = 0; i < f->box_resolv.n_servers && i < VERIFY_SERVERS_MAX; i++)
		out->resolvers[out->n_resolvers++] = f->box_resolv.servers[i];
	for (size_t i = 0; f->layout.has_lan && i < f->lan.on_link.n && i < FRAME_RULES_MAX; i++)
		out->lan[out->n_lan++] = f->lan.on_link.items[i].net;
}

static void judge_clear(const struct capture *c, struct findings *out)
{
	char text[FRAME_TEXT_MAX];
	enum finding_weight weight = c->n_programs ? FINDING_NOTE : FINDING_BREAKS;

	for (size_t i = 0; i < c->n_samples; i++) {
		const struct capture_sample *s = &c->samples[i];
		frame_describe(&s->frame, text);
		findings_add(out, weight, "in clear on %s: %s (%" PRIu64 " frame%s)",
			     c->devices[s->device], text, s->n, s->n == 1 ? "" : "s");
	}
	if (!c->n_programs)
		findings_add(out, FINDING_BREAKS,
			     "no program was seen in physical that can have sent this");
	for (size_t i = 0; i < c->n_programs; i++)
		findings_add(out, FINDING_NOTE, "possible origin: %s (pid %d, uid %u) in physical",
			     c->programs[i].comm, (int)c->programs[i].pid,
			     (unsigned)c->programs[i].uid);
}

void capture_judge(const struct capture *c, struct findings *out)
{
	findings_begin(out, "capture",
		       "the uplinks carried WireGuard, what agents need, and programs of physical");
	for (int kind = 0; kind < FRAME_N_KINDS; kind++) {
		const uint64_t *n = c->frames[kind];
		if (n[INCOMING] || n[OUTGOING])
			findings_add(out, FINDING_NOTE, "%s: %" PRIu64 " out, %" PRIu64 " in",
				     frame_kind_name((enum frame_kind)kind), n[OUTGOING],
				     n[INCOMING]);
	}
	if (c->n_dropped)
		findings_add(out, FINDING_OPEN, "%" PRIu64 " frames came too fast to be seen",
			     c->n_dropped);
	if (c->is_cut)
		findings_add(out, FINDING_OPEN, "a device went down or away meanwhile");
	if (c->frames[FRAME_WIREGUARD_ROAMED][OUTGOING])
		findings_add(out, FINDING_WARNING,
			     "WireGuard went to another address than the endpoints: a peer has "
			     "roamed");
	if (c->frames[FRAME_OTHER][OUTGOING])
		judge_clear(c, out);
}
