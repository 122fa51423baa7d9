// SPDX-License-Identifier: GPL-2.0-or-later
/* does the tunnel carry anything? */
#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "watch_internal.h"
#include "wgns/backend.h"
#include "wgns/fd.h"

int watch_health_open(struct watch *w, struct err *e)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0)
		return err_set(e, errno, "make a timer");
	int rc = watch_follow(w, SOURCE_SAMPLE, fd, e);
	if (rc < 0)
		return rc;
	watch_health_arm(w);
	/* the port and the endpoints are known from the beginning: the daemon may die before the first sample */
	watch_health_first(w);
	return 0;
}

void watch_health_arm(struct watch *w)
{
	const struct timespec period = { .tv_sec = WATCH_SAMPLE_MS / 1000,
					 .tv_nsec = WATCH_SAMPLE_MS % 1000 * 1000000L };
	const struct itimerspec on = { .it_interval = period, .it_value = period }, off = { 0 };

	/* fails for a bad descriptor or a bad time only */
	(void)timerfd_settime(w->fds[SOURCE_SAMPLE], 0, w->links.is_tunnel_up ? &on : &off, NULL);
}

static void tell(struct watch *w, bool is_stale)
{
	struct err why;

	w->is_stale = is_stale;
	watch_log(w, is_stale ? "stale: what is sent is not answered" : "peers answer again");
	watch_notify(w, is_stale ? "STATUS=stale: what is sent is not answered" : "STATUS=up");
	if (state_health_write(w->run_fd, w->tunnel.device.name, is_stale, &why) < 0)
		watch_log(w, "%s", why.text);
}

/* names are looked up when the newest handshake is old; nobody shakes hands before there was something to send */
static void check_age(struct watch *w, const struct wg_device *dev)
{
	int64_t now = time(NULL);

	for (size_t i = 0; i < dev->n_peers; i++) {
		if (watch_is_old(dev->peers[i].last_handshake, now, WATCH_HANDSHAKE_OLD_S)) {
			watch_endpoints_check(w, NULL);
			return;
		}
	}
	w->endpoints.n_rounds = 0;
}

static int take_sample(struct watch *w, struct wg_device *dev, bool *is_stale)
{
	const struct backend *backend = backend_by_name(w->tunnel.backend);
	struct err
		ignored; /* a daemon that has died tells so itself; a device that is gone does not count */

	if (!backend || backend->get(&w->tunnel.device, w->home_fd, dev, &ignored) < 0)
		return -ENODEV;
	if (dev->has_listen_port)
		w->revival.listen_port = dev->listen_port;
	return watch_peers_sample(&w->peers, dev, is_stale);
}

void watch_health_first(struct watch *w)
{
	struct wg_device dev = { 0 };
	bool ignored; /* one sample says nothing yet */

	(void)take_sample(w, &dev, &ignored); /* the next one comes soon */
	wg_device_free(&dev);
}

void watch_health_sample(struct watch *w)
{
	struct wg_device dev = { 0 };
	bool is_stale = false;
	uint64_t n;

	(void)!read(w->fds[SOURCE_SAMPLE], &n, sizeof(n));
	int rc = take_sample(w, &dev, &is_stale);
	if (rc == 0 && is_stale != w->is_stale)
		tell(w, is_stale);
	if (rc == 0 && is_stale)
		watch_endpoints_check(w, NULL);
	else if (rc == 0)
		check_age(w, &dev);
	wg_device_free(&dev);
}
