// SPDX-License-Identifier: GPL-2.0-or-later
/* endpoints: when they are in question, and looking up those that are names */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "watch_internal.h"
#include "wgns/backend.h"
#include "wgns/clock.h"
#include "wgns/fd.h"
#include "wgns/str.h"
#include "wgns/wgquick.h"

#define SETTLE_MS 300 /* a change of network is many messages */
#define CHANGE_MIN_MS 3000 /* between two rounds that changes of the network began */
#define AGE_MIN_MS 15000 /* between two rounds that an old handshake began; doubled each time */
#define AGE_MAX_MS 600000
#define LOOKUP_MS 15000 /* the resolver's own patience is 10 s for two servers (resolv.conf(5)) */

void watch_endpoints_check(struct watch *w, const char *why)
{
	struct endpoints *ep = &w->endpoints;
	int64_t wait = ep->not_before_ms - clock_monotonic_ms();

	if (!why) {
		if (wait <= 0 && !ep->n_tries && !ep->job.pid && !w->work[WORK_LOOKUP] &&
		    ep->has_names)
			watch_plan_work(w, WORK_LOOKUP, 0);
		return;
	}
	if (!w->is_network_new && !w->work[WORK_LOOKUP])
		watch_log(w, "%s: endpoints are looked at", why);
	w->is_network_new = true;
	ep->n_rounds = 0;
	if (wait > CHANGE_MIN_MS)
		wait = CHANGE_MIN_MS;
	watch_plan_work(w, WORK_LOOKUP, wait > SETTLE_MS ? (unsigned)wait : SETTLE_MS);
}

void watch_endpoints_close(struct watch *w)
{
	watch_unfollow(w, SOURCE_NAMES);
	w->endpoints.job.fd = -1; /* the loop had it */
	resolve_end(&w->endpoints.job);
	free(w->endpoints.tries);
	w->endpoints.tries = NULL;
	w->endpoints.n_tries = 0;
	w->endpoints.n_names = 0;
	w->work[WORK_LOOKUP_END] = 0;
	w->work[WORK_TRY] = 0;
}

/* the copy that `up` kept, or `reload` replaced; it holds keys: free it soon */
static int read_conf(struct watch *w, struct wgquick *conf, struct err *e)
{
	char path[STATE_PLACE_MAX + IFNAMSIZ + 16];
	struct diag_list diags = { .file = "the copy of the configuration" };
	char *text = NULL;
	size_t len = 0;

	state_tunnel_path("home", w->tunnel.device.name, path, sizeof(path));
	AUTO_FD int dir_fd = state_openat(w->run_fd, path, O_RDONLY | O_DIRECTORY, e);
	if (dir_fd < 0)
		return dir_fd;
	int rc = fd_read_file_at(dir_fd, "config", WGQUICK_FILE_MAX, &text, &len, e);
	if (rc < 0)
		return rc;
	rc = wgquick_parse(text, len, w->tunnel.device.name, conf, &diags);
	diag_free(&diags);
	str_wipe(text, len);
	free(text);
	return rc < 0 ? err_set(e, -rc, "read the copy of the configuration") : 0;
}

static const struct wg_peer *find_peer(const struct wg_device *dev, const struct key *key)
{
	for (size_t i = 0; i < dev->n_peers; i++) {
		if (memcmp(&dev->peers[i].public_key, key, sizeof(*key)) == 0)
			return &dev->peers[i];
	}
	return NULL;
}

static bool is_numeric(const struct wg_peer *p)
{
	union wg_endpoint ignored;

	return wg_endpoint_numeric(p->endpoint_host, p->endpoint_port, &ignored) == 0;
}

/* which peers are in question, as the device has them */
static int choose_peers(struct watch *w, const struct wgquick *conf, const struct wg_device *dev,
			struct resolve_name names[RESOLVE_NAMES_MAX])
{
	struct endpoints *ep = &w->endpoints;
	int64_t now = time(NULL);

	ep->tries = calloc(TRIES_MAX, sizeof(*ep->tries));
	if (!ep->tries)
		return -ENOMEM;
	for (size_t i = 0; i < conf->device.n_peers && ep->n_tries < TRIES_MAX; i++) {
		const struct wg_peer *p = &conf->device.peers[i];
		const struct wg_peer *live = find_peer(dev, &p->public_key);
		bool is_named = p->endpoint_host && !is_numeric(p);

		if (!p->endpoint_host || !live)
			continue;
		bool is_old = watch_is_old(live->last_handshake, now, WATCH_HANDSHAKE_OLD_S);
		if (!w->is_network_new && !(is_named && (is_old || w->is_stale)))
			continue;
		struct try *t = &ep->tries[ep->n_tries];
		*t = (struct try){ .public_key = p->public_key,
				   .keepalive = live->has_keepalive ? live->keepalive : 0,
				   .is_named = is_named,
				   .last_handshake = live->last_handshake,
				   .rx_bytes = live->rx_bytes };
		if (is_named && ep->n_names < RESOLVE_NAMES_MAX) {
			names[ep->n_names].host = p->endpoint_host;
			names[ep->n_names].port = p->endpoint_port;
			ep->peer_of_name[ep->n_names++] = (uint32_t)ep->n_tries;
		}
		ep->n_tries++;
	}
	return 0;
}

void watch_endpoints_read(struct watch *w)
{
	struct wgquick conf = { 0 };
	struct err why;

	if (read_conf(w, &conf, &why) < 0) {
		watch_log(w, "%s", why.text);
		return;
	}
	w->links.is_mtu_fixed = conf.mtu != 0;
	w->endpoints.has_names = false;
	for (size_t i = 0; i < conf.device.n_peers; i++)
		w->endpoints.has_names =
			w->endpoints.has_names ||
			(conf.device.peers[i].endpoint_host && !is_numeric(&conf.device.peers[i]));
	wgquick_free(&conf);
}

static int look_up(struct watch *w, const struct resolve_name *names, struct err *e)
{
	struct endpoints *ep = &w->endpoints;

	int rc = resolve_begin(names, ep->n_names, w->physical_fd, STATE_DIR "/box/physical",
			       &ep->job, e);
	if (rc < 0)
		return rc;
	rc = watch_follow(w, SOURCE_NAMES, ep->job.fd, e);
	if (rc == 0)
		watch_plan_work(w, WORK_LOOKUP_END, LOOKUP_MS);
	return rc;
}

void watch_endpoints_start(struct watch *w)
{
	const struct backend *backend = backend_by_name(w->tunnel.backend);
	struct resolve_name names[RESOLVE_NAMES_MAX];
	struct endpoints *ep = &w->endpoints;
	struct wg_device dev = { 0 };
	struct wgquick conf = { 0 };
	struct err why;

	watch_endpoints_close(w);
	ep->not_before_ms =
		clock_monotonic_ms() + watch_pause_ms(ep->n_rounds++, AGE_MIN_MS, AGE_MAX_MS);
	int rc = read_conf(w, &conf, &why);
	if (rc == 0)
		rc = backend ? backend->get(&w->tunnel.device, w->home_fd, &dev, &why) : 0;
	if (rc == 0 && choose_peers(w, &conf, &dev, names) < 0)
		rc = err_set(&why, ENOMEM, "look at the endpoints");
	if (rc == 0 && ep->n_names)
		rc = look_up(w, names, &why);
	w->is_network_new = false;
	if (rc < 0) {
		watch_log(w, "%s", why.text);
		watch_endpoints_close(w);
	} else if (!ep->n_names) {
		watch_endpoints_begin_tries(w);
	}
	wg_device_free(&dev);
	wgquick_free(&conf);
}
