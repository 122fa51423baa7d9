// SPDX-License-Identifier: GPL-2.0-or-later
/* the differences between what is configured and what the file says: pure */
#include "wgns/reload.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "plan_internal.h"
#include "reload_internal.h"
#include "wgns/str.h"

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "plan");
}

static int note(struct reload_plan *plan, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int note(struct reload_plan *plan, struct err *e, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	int len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (len < 0 || str_list_add(&plan->notes, &plan->n_notes, text, strlen(text)) < 0)
		return no_memory(e);
	return 0;
}

/* what a file had and has no more is reset; what no file ever had (a random port, a key of PreUp) stays */
static void want_device(const struct reload_facts *f, struct wg_device *want)
{
	bool had_key = false, had_port = false, had_mark = false;

	for (size_t i = 0; i < f->n_before; i++) {
		const struct wg_device *old = &f->before[i]->device;
		had_key = had_key || (old->has_private_key && !key_is_zero(&old->private_key));
		had_port = had_port || (old->has_listen_port && old->listen_port);
		had_mark = had_mark || (old->has_fwmark && old->fwmark);
	}
	want->has_private_key = want->has_private_key || had_key;
	/* 0 is a random one, which it has */
	want->has_listen_port = want->listen_port ? true : had_port;
	want->has_fwmark = want->has_fwmark || had_mark;
}

static bool is_same_endpoint(const struct wg_peer *a, const struct wg_peer *b)
{
	union wg_endpoint left, right;

	if (!a->endpoint_host || !b->endpoint_host)
		return !a->endpoint_host && !b->endpoint_host;
	if (strcasecmp(a->endpoint_host, b->endpoint_host) == 0 &&
	    strcmp(a->endpoint_port, b->endpoint_port) == 0)
		return true;
	return wg_endpoint_numeric(a->endpoint_host, a->endpoint_port, &left) == 0 &&
	       wg_endpoint_numeric(b->endpoint_host, b->endpoint_port, &right) == 0 &&
	       wg_endpoint_equal(&left, &right);
}

/* for looking peers up */
struct lookups {
	struct wg_slot *live; /* owned */
	struct {
		struct wg_device dev; /* owned */
		struct wg_slot *slots; /* owned */
	} before[2];
};

static void lookups_free(struct lookups *l)
{
	free(l->live);
	for (size_t i = 0; i < 2; i++) {
		free(l->before[i].slots);
		wg_device_free(&l->before[i].dev);
	}
}

static int lookups_init(const struct reload_facts *f, struct lookups *l)
{
	l->live = wg_sort_peers(f->live);
	if (!l->live)
		return -ENOMEM;
	for (size_t i = 0; i < f->n_before; i++) {
		if (wg_normalise(&f->before[i]->device, &l->before[i].dev) < 0)
			return -ENOMEM;
		l->before[i].slots = wg_sort_peers(&l->before[i].dev);
		if (!l->before[i].slots)
			return -ENOMEM;
	}
	return 0;
}

static void forget_name(struct wg_peer *peer)
{
	free(peer->endpoint_host);
	free(peer->endpoint_port);
	peer->endpoint_host = peer->endpoint_port = NULL;
}

/*
 * A peer that has roamed keeps its endpoint while the file says what it said before. One that the file says anew is
 * looked up; Return: does a file no longer have one that WireGuard cannot forget?
 */
static bool want_endpoint(const struct reload_facts *f, const struct lookups *l,
			  struct wg_peer *want)
{
	const struct wg_peer *live = wg_peer_find(f->live, l->live, &want->public_key);
	bool is_known = live && live->endpoint.sa.sa_family != AF_UNSPEC;
	bool is_same = is_known, had_one = false;

	for (size_t i = 0; i < f->n_before; i++) {
		const struct wg_peer *old =
			wg_peer_find(&l->before[i].dev, l->before[i].slots, &want->public_key);
		is_same = is_same && old && is_same_endpoint(want, old);
		had_one = had_one || (old && old->endpoint_host);
	}
	if (!want->endpoint_host || is_same) {
		bool is_left = !want->endpoint_host && is_known && had_one;
		forget_name(want);
		if (is_known)
			want->endpoint = live->endpoint;
		return is_left;
	}
	if (wg_endpoint_numeric(want->endpoint_host, want->endpoint_port, &want->endpoint) == 0)
		forget_name(want);
	return false;
}

static int diff_device(const struct reload_facts *f, struct reload_plan *plan, struct err *e)
{
	struct lookups l = { 0 };
	char key[KEY_BASE64_LEN + 1];
	int rc = wg_normalise(&f->conf->device, &plan->want);

	if (rc == 0) {
		want_device(f, &plan->want);
		rc = lookups_init(f, &l);
	}
	if (rc < 0)
		no_memory(e);
	for (size_t i = 0; rc == 0 && i < plan->want.n_peers; i++) {
		if (!want_endpoint(f, &l, &plan->want.peers[i]))
			continue;
		key_format(&plan->want.peers[i].public_key, key);
		rc = note(plan, e,
			  "peer %s keeps its endpoint: WireGuard cannot forget one that it has",
			  key);
	}
	lookups_free(&l);
	return rc;
}

/* an endpoint that is another one by now, or goes, may lead over another device */
static bool has_new_way(const struct wg_diff *diff)
{
	for (size_t i = 0; i < diff->set.n_peers; i++) {
		if (diff->set.peers[i].endpoint_host ||
		    diff->set.peers[i].endpoint.sa.sa_family != AF_UNSPEC)
			return true;
	}
	return diff->gone.n_peers > 0;
}

static bool must_set_mtu(const struct reload_facts *f, const struct wg_diff *diff)
{
	bool was_set = false;

	if (f->conf->mtu)
		return f->conf->mtu != f->mtu;
	for (size_t i = 0; i < f->n_before; i++)
		was_set = was_set || f->before[i]->mtu;
	/* else it is what `up` found out, or what somebody set since */
	return was_set || has_new_way(diff);
}

static bool is_same_dns(const struct wgquick *a, const struct wgquick *b)
{
	/* search domains without a server are passed over, as wg-quick does */
	bool is_same = a->n_dns == b->n_dns && (!a->n_dns || a->n_search == b->n_search);

	for (size_t i = 0; is_same && i < a->n_dns; i++)
		is_same = addr_equal(&a->dns[i], &b->dns[i]);
	for (size_t i = 0; is_same && a->n_dns && i < a->n_search; i++)
		is_same = strcmp(a->search[i], b->search[i]) == 0;
	return is_same;
}

static bool must_set_dns(const struct reload_facts *f)
{
	for (size_t i = 0; i < f->n_before; i++) {
		if (!is_same_dns(f->conf, f->before[i]))
			return true;
	}
	return false;
}

static bool has_same_hooks(const struct wgquick *a, const struct wgquick *b, unsigned kind)
{
	bool is_same = a->n_hooks[kind] == b->n_hooks[kind];

	for (size_t i = 0; is_same && i < a->n_hooks[kind]; i++)
		is_same = strcmp(a->hooks[kind][i], b->hooks[kind][i]) == 0;
	return is_same;
}

/* what reload does not do, and when it counts */
static int add_notes(const struct reload_facts *f, struct reload_plan *plan, struct err *e)
{
	const struct wgquick *conf = f->conf, *old = f->before[0];
	int rc = 0;

	if (!has_same_hooks(conf, old, WGQUICK_PRE_UP) ||
	    !has_same_hooks(conf, old, WGQUICK_POST_UP))
		rc = note(plan, e,
			  "PreUp and PostUp have changed: reload runs no hooks, the next `wgns up "
			  "%s` "
			  "does",
			  conf->name);
	if (rc == 0 && (!has_same_hooks(conf, old, WGQUICK_PRE_DOWN) ||
			!has_same_hooks(conf, old, WGQUICK_POST_DOWN)))
		rc = note(
			plan, e,
			"PreDown and PostDown have changed: `wgns down %s` runs those of the file "
			"as it is now",
			conf->name);
	if (rc == 0 && conf->should_save != old->should_save)
		rc = note(plan, e, "SaveConfig is %s from now on: `wgns down %s` goes by it",
			  conf->should_save ? "true" : "false", conf->name);
	if (rc == 0 && old->n_dns && !conf->n_dns)
		rc = note(plan, e,
			  "the file has no DNS= any more: no names resolve in home, because the "
			  "uplink's resolver is out of reach from there");
	return rc;
}

int reload_plan(const struct reload_facts *facts, struct reload_plan *out, struct err *e)
{
	struct reload_plan plan = { 0 };
	struct wg_diff diff = { 0 };

	int rc = plan_check_hooks(facts->conf, facts->may_run_hooks, facts->untrusted, e);
	if (rc == 0)
		rc = diff_device(facts, &plan, e);
	if (rc == 0 && wg_diff(&plan.want, facts->live, &diff) < 0)
		rc = no_memory(e);
	if (rc == 0 && reload_addresses(facts, &plan) < 0)
		rc = no_memory(e);
	if (rc == 0)
		rc = reload_routes(facts, &plan, e);
	if (rc == 0)
		rc = add_notes(facts, &plan, e);
	if (rc == 0) {
		plan.mtu = facts->conf->mtu;
		plan.has_mtu = must_set_mtu(facts, &diff);
		plan.has_dns = must_set_dns(facts);
		if (reload_lines(facts, &diff, &plan) < 0)
			rc = no_memory(e);
	}
	wg_diff_free(&diff);
	if (rc < 0) {
		reload_plan_free(&plan);
		return rc;
	}
	*out = plan;
	str_wipe(&plan, sizeof(plan));
	return 0;
}

void reload_plan_free(struct reload_plan *plan)
{
	for (size_t i = 0; i < plan->n_lines; i++)
		free(plan->lines[i].text);
	free(plan->lines);
	str_list_free(&plan->notes, &plan->n_notes);
	wg_device_free(&plan->want);
	free(plan->addr_add);
	free(plan->addr_del);
	free(plan->route_add);
	free(plan->route_del);
	*plan = (struct reload_plan){ 0 };
}
