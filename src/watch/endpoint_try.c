// SPDX-License-Identifier: GPL-2.0-or-later
/* endpoints that are in question are tried one after the other, until a peer answers */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "watch_internal.h"
#include "wgns/backend.h"
#include "wgns/clock.h"

#define TRY_MS 6500 /* an initiation is repeated after REKEY_TIMEOUT, 5 s, and some jitter */
#define LOOK_MS 1000
#define BUSY_MS 200

static bool is_same_endpoint(const union wg_endpoint *a, const union wg_endpoint *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->v4.sin_port == b->v4.sin_port &&
		       a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	return a->v6.sin6_port == b->v6.sin6_port && a->v6.sin6_scope_id == b->v6.sin6_scope_id &&
	       memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof(a->v6.sin6_addr)) == 0;
}

static bool has_candidate(const struct try *t, const union wg_endpoint *ep)
{
	for (size_t i = 0; i < t->n_candidates; i++) {
		if (is_same_endpoint(&t->candidates[i], ep))
			return true;
	}
	return false;
}

static void add_candidate(struct try *t, const union wg_endpoint *ep)
{
	if (t->n_candidates < CANDIDATES_MAX && !has_candidate(t, ep))
		t->candidates[t->n_candidates++] = *ep;
}

void watch_endpoints_timeout(struct watch *w)
{
	watch_log(w, "the resolver of physical does not answer: endpoints stay as they are");
	watch_endpoints_close(w);
}

void watch_endpoints_names(struct watch *w)
{
	struct endpoints *ep = &w->endpoints;
	struct resolve_found found;
	size_t n_failed = 0;
	int rc;

	for (rc = resolve_next(&ep->job, &found); rc > 0; rc = resolve_next(&ep->job, &found)) {
		if (found.name >= ep->n_names)
			continue;
		struct try *t = &ep->tries[ep->peer_of_name[found.name]];
		if (found.code)
			t->is_failed = true;
		else
			add_candidate(t, &found.endpoint);
	}
	if (rc == -EAGAIN)
		return;
	watch_unfollow(w, SOURCE_NAMES);
	ep->job.fd = -1;
	resolve_end(&ep->job);
	w->work[WORK_LOOKUP_END] = 0;
	for (size_t i = 0; i < ep->n_tries; i++) {
		struct try *t = &ep->tries[i];
		t->is_failed = t->is_failed || (t->is_named && !t->n_candidates);
		n_failed += t->is_failed;
	}
	/* a laptop without a network asks in vain each time */
	if (n_failed && ep->n_rounds <= 2)
		watch_log(w, "%zu endpoint%s cannot be looked up now and stay%s as %s", n_failed,
			  n_failed == 1 ? "" : "s", n_failed == 1 ? "s" : "",
			  n_failed == 1 ? "it is" : "they are");
	watch_endpoints_begin_tries(w);
}

static const struct wg_peer *find_peer(const struct wg_device *dev, const struct key *key)
{
	for (size_t i = 0; i < dev->n_peers; i++) {
		if (memcmp(&dev->peers[i].public_key, key, sizeof(*key)) == 0)
			return &dev->peers[i];
	}
	return NULL;
}

static int get_device(struct watch *w, struct wg_device *dev, struct err *e)
{
	const struct backend *backend = backend_by_name(w->tunnel.backend);

	return backend ? backend->get(&w->tunnel.device, w->home_fd, dev, e) : -EINVAL;
}

/*
 * The endpoint, and the keepalive interval switched off and on in the same request: that sends a keepalive at once, and
 * with it a handshake when there are no keys, or old ones. An endpoint that is set again forgets the source address that
 * was used towards it (wg_socket_set_peer_endpoint() of Linux, SetEndpoint of wireguard-go).
 */
static int add_request(struct wg_device *dev, const struct try *t)
{
	for (int i = 0; i < 2; i++) {
		struct wg_peer *p = wg_device_add_peer(dev);
		if (!p)
			return -ENOMEM;
		p->public_key = t->public_key;
		p->is_incremental = true; /* the allowed addresses stay */
		p->has_keepalive = true;
		if (i == 0) {
			p->endpoint = t->candidates[t->current];
			p->keepalive = t->keepalive ? 0 : 1;
		} else {
			p->keepalive = t->keepalive;
		}
	}
	return 0;
}

/* Return: false when it has to be done again */
static bool apply(struct watch *w, bool (*is_wanted)(const struct try *t, int64_t now))
{
	struct endpoints *ep = &w->endpoints;
	struct wg_device dev = { 0 };
	int64_t now = clock_monotonic_ms();
	struct err why;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ep->n_tries; i++) {
		if (is_wanted(&ep->tries[i], now))
			rc = add_request(&dev, &ep->tries[i]);
	}
	if (rc < 0)
		(void)err_set(&why, ENOMEM, "set the endpoints");
	else if (dev.n_peers)
		rc = change_endpoints(w->tunnel.device.name, &dev, &w->talk, &why);
	wg_device_free(&dev);
	return watch_take_result(w, rc, WORK_TRY, &why) || w->is_over;
}

/* in which order: where the peer is comes first while it answers, and last when it does not */
static void order(struct try *t, const struct wg_peer *live, bool is_old)
{
	union wg_endpoint now = live->endpoint;
	struct try sorted = *t;

	t->current = 0;
	if (now.sa.sa_family == AF_UNSPEC)
		return;
	bool is_known = has_candidate(t, &now);
	sorted.n_candidates = 0;
	if (is_known && !is_old)
		add_candidate(&sorted, &now);
	for (size_t i = 0; i < t->n_candidates; i++) {
		if (!is_same_endpoint(&t->candidates[i], &now))
			add_candidate(&sorted, &t->candidates[i]);
	}
	/* a peer that moved by itself may be right, and a name wrong: the last resort */
	add_candidate(&sorted, &now);
	*t = sorted;
}

static bool is_due(const struct try *t, int64_t now)
{
	return !t->deadline_ms || t->deadline_ms <= now;
}

static void drop(struct endpoints *ep, size_t *i)
{
	ep->tries[*i] = ep->tries[--ep->n_tries];
	(*i)--;
}

static void say(struct watch *w, const struct try *t, const char *what)
{
	char key[KEY_BASE64_LEN + 1], endpoint[WG_ENDPOINT_TEXT_MAX];

	key_format(&t->public_key, key);
	wg_endpoint_format(&t->candidates[t->current], endpoint);
	watch_log(w, "peer %.8s...: %s %s", key, what, endpoint);
}

void watch_endpoints_begin_tries(struct watch *w)
{
	struct endpoints *ep = &w->endpoints;
	struct wg_device dev = { 0 };
	int64_t now = time(NULL);
	struct err why;

	if (get_device(w, &dev, &why) < 0) {
		watch_endpoints_close(w);
		return;
	}
	for (size_t i = 0; i < ep->n_tries; i++) {
		struct try *t = &ep->tries[i];
		const struct wg_peer *live = find_peer(&dev, &t->public_key);

		if (t->is_failed || !live) {
			drop(ep, &i);
			continue;
		}
		bool is_old = w->is_stale ||
			      watch_is_old(live->last_handshake, now, WATCH_HANDSHAKE_OLD_S);
		order(t, live, is_old);
		if (!t->n_candidates)
			drop(ep, &i);
		else if (!is_same_endpoint(&t->candidates[0], &live->endpoint))
			say(w, t, "trying");
	}
	wg_device_free(&dev);
	watch_plan_work(w, WORK_TRY, 0);
}

static bool is_answered(struct try *t, const struct wg_device *dev)
{
	const struct wg_peer *live = find_peer(dev, &t->public_key);

	return !live || live->last_handshake > t->last_handshake || live->rx_bytes > t->rx_bytes;
}

/* Return: false when there is no other address left: the first one stays */
static bool advance(struct watch *w, struct try *t)
{
	if (t->current + 1 < t->n_candidates) {
		t->current++;
		say(w, t, "trying");
		return true;
	}
	return false;
}

static bool is_given_up(const struct try *t, int64_t now)
{
	(void)now;
	return t->is_failed;
}

/* what answered is done; what had its time goes on to its next address */
static void look(struct watch *w, const struct wg_device *dev)
{
	struct endpoints *ep = &w->endpoints;
	int64_t now = clock_monotonic_ms();

	for (size_t i = 0; i < ep->n_tries; i++) {
		struct try *t = &ep->tries[i];

		if (!t->deadline_ms)
			continue; /* not set yet */
		if (is_answered(t, dev)) {
			if (t->n_candidates > 1)
				say(w, t, "answers at");
			ep->n_rounds = 0;
			drop(ep, &i);
		} else if (t->deadline_ms <= now && !advance(w, t)) {
			t->is_failed = t->current > 0; /* else it has its only address already */
			t->current = 0;
			if (!t->is_failed)
				drop(ep, &i);
		}
	}
	(void)apply(w, is_given_up); /* the next round does it when the lock is taken */
	for (size_t i = 0; i < ep->n_tries; i++) {
		if (ep->tries[i].is_failed)
			drop(ep, &i);
	}
}

void watch_endpoints_try(struct watch *w)
{
	struct endpoints *ep = &w->endpoints;
	struct wg_device dev = { 0 };
	int64_t now = clock_monotonic_ms();
	struct err ignored; /* then there is nobody who could answer */

	if (get_device(w, &dev, &ignored) == 0)
		look(w, &dev);
	wg_device_free(&dev);
	if (w->is_over)
		return;
	if (!apply(w, is_due)) {
		watch_plan_work(w, WORK_TRY, BUSY_MS);
		return;
	}
	for (size_t i = 0; i < ep->n_tries; i++) {
		if (is_due(&ep->tries[i], now))
			ep->tries[i].deadline_ms = now + TRY_MS;
	}
	if (ep->n_tries) {
		watch_plan_work(w, WORK_TRY, LOOK_MS);
		return;
	}
	watch_endpoints_close(w);
	watch_plan_work(w, WORK_MTU, BUSY_MS);
}
