// SPDX-License-Identifier: GPL-2.0-or-later
/* the userspace daemon, which takes the device with it when it dies */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "watch_internal.h"
#include "wgns/clock.h"
#include "wgns/fd.h"
#include "wgns/netns.h"

#define FIRST_MS 1000
#define MAX_MS 300000
#define TRIES_IN_A_ROW 20
#define LIVED_MS 60000 /* a daemon that lived so long was no failure */
#define BUSY_MS 100

/* Return: 1 when it is followed, 0 when it is not there, -errno */
static int follow(struct watch *w, struct err *e)
{
	const struct backend_device *dev = &w->tunnel.device;
	unsigned long long start_time;

	AUTO_FD int fd = (int)syscall(SYS_pidfd_open, dev->pid, 0U);
	/* after pidfd_open(2), because only the descriptor keeps the number from changing hands */
	if (fd < 0 || proc_start_time(dev->pid, &start_time) < 0 || start_time != dev->start_time)
		return 0;
	int rc = watch_follow(w, SOURCE_DAEMON, fd_take(&fd), e);
	return rc < 0 ? rc : 1;
}

int watch_daemon_open(struct watch *w, struct err *e)
{
	if (!w->tunnel.device.pid)
		return 0;
	int rc = follow(w, e);
	if (rc == 0)
		watch_plan_work(w, WORK_REVIVE, 0);
	return rc < 0 ? rc : 0;
}

void watch_daemon_ended(struct watch *w)
{
	struct revival *r = &w->revival;

	watch_unfollow(w, SOURCE_DAEMON);
	if (r->revived_ms && clock_monotonic_ms() - r->revived_ms > LIVED_MS)
		r->n_tries = 0;
	unsigned pause = r->n_tries ? watch_pause_ms(r->n_tries - 1, FIRST_MS, MAX_MS) : 0;
	watch_log(w, "%s (process %d) has ended, and the tunnel with it; it is made again",
		  w->tunnel.device.daemon, (int)w->tunnel.device.pid);
	watch_notify(w, "STATUS=the daemon has ended; the tunnel is made again");
	watch_plan_work(w, WORK_REVIVE, pause);
}

/* where it listened and where its peers were; no keys but public ones */
static int last_known(const struct watch *w, struct wg_device *out)
{
	*out = (struct wg_device){ .has_listen_port = w->revival.listen_port != 0,
				   .listen_port = w->revival.listen_port };
	for (size_t i = 0; i < w->peers.n; i++) {
		struct wg_peer *p = wg_device_add_peer(out);
		if (!p)
			return -ENOMEM;
		p->public_key = w->peers.items[i].public_key;
		p->endpoint = w->peers.items[i].endpoint;
	}
	return 0;
}

static void give_up(struct watch *w)
{
	watch_log(w,
		  "the daemon died or did not start %u times in a row: `wgns down %s` and up "
		  "again when that is mended",
		  w->revival.n_tries, w->tunnel.device.name);
	watch_notify(w, "STATUS=the daemon does not stay alive");
}

void watch_daemon_revive(struct watch *w)
{
	const char *name = w->tunnel.device.name;
	struct revival *r = &w->revival;
	struct wg_device last;
	struct err why;

	if (r->n_tries >= TRIES_IN_A_ROW) {
		give_up(w);
		return;
	}
	int rc = last_known(w, &last);
	if (rc < 0)
		(void)err_set(&why, ENOMEM, "make the tunnel again");
	else
		rc = change_revive(name, &last, &w->talk, &why);
	wg_device_free(&last);
	if (rc == -EBUSY && why.kind == ERR_KIND_STATE) {
		watch_plan_work(w, WORK_REVIVE, BUSY_MS);
		return;
	}
	r->n_tries++;
	r->revived_ms = clock_monotonic_ms();
	if (!watch_take_result(w, rc, N_WORKS, &why)) {
		if (!w->is_over && rc != -EALREADY)
			watch_plan_work(w, WORK_REVIVE,
					watch_pause_ms(r->n_tries, FIRST_MS, MAX_MS));
		return;
	}
	rc = state_tunnel_read(w->run_fd, "home", name, &w->tunnel, &why);
	if (rc == 0)
		rc = follow(w, &why);
	if (rc == 0)
		watch_plan_work(w, WORK_REVIVE, FIRST_MS); /* it died again at once */
	watch_log(w, "%s is made again, by process %d", name, (int)w->tunnel.device.pid);
	watch_notify(w, "STATUS=up");
	watch_health_first(w);
	watch_endpoints_check(w, "the device is new");
}
