// SPDX-License-Identifier: GPL-2.0-or-later
/* handshake.wait: does anybody answer? */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "op_internal.h"
#include "wgns/clock.h"
#include "wgns/str.h"

/*
 * Handshakes are announced to nobody: the device has to be asked. A round trip takes tens of milliseconds, and a second
 * attempt of WireGuard comes after five seconds, so that the pause grows from the one towards the other.
 */
#define PAUSE_FIRST_MS 10
#define PAUSE_MAX_MS 200 /* also how long Ctrl-C may wait */
#define SHOWN_MAX 4 /* endpoints in the message; more are counted */

/* What the device says of all peers that have an endpoint. */
struct attempt {
	uint64_t tx_bytes, rx_bytes;
	bool is_shaken;
	char endpoints[SHOWN_MAX * (WG_ENDPOINT_TEXT_MAX + 2) + 32];
};

static void add_endpoint(struct attempt *a, size_t n, const union wg_endpoint *endpoint)
{
	char text[WG_ENDPOINT_TEXT_MAX];
	size_t len = strlen(a->endpoints);

	if (n >= SHOWN_MAX)
		return;
	wg_endpoint_format(endpoint, text);
	(void)snprintf(a->endpoints + len, sizeof(a->endpoints) - len, "%s%s", n ? ", " : "", text);
}

static int look(struct op_env *env, struct attempt *out, struct err *e)
{
	struct attempt a = { 0 };
	struct wg_device dev = { 0 };
	size_t n = 0;

	int rc = env->backend->get(&env->tunnel.device, env->home_fd, &dev, e);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < dev.n_peers; i++) {
		const struct wg_peer *peer = &dev.peers[i];
		if (!wg_endpoint_len(&peer->endpoint))
			continue;
		a.tx_bytes += peer->tx_bytes;
		a.rx_bytes += peer->rx_bytes;
		a.is_shaken = a.is_shaken || peer->last_handshake;
		add_endpoint(&a, n++, &peer->endpoint);
	}
	if (n > SHOWN_MAX) {
		size_t len = strlen(a.endpoints);
		(void)snprintf(a.endpoints + len, sizeof(a.endpoints) - len, " and %zu more",
			       n - SHOWN_MAX);
	}
	wg_device_free(&dev);
	*out = a;
	return 0;
}

static int give_up(const struct attempt *a, unsigned seconds, struct err *e)
{
	char came[64] = "none came back";

	if (a->rx_bytes)
		(void)snprintf(came, sizeof(came), "%llu came back, and no handshake with them",
			       (unsigned long long)a->rx_bytes);
	if (!a->tx_bytes) {
		err_say(e, ETIMEDOUT,
			"no handshake with %s in %u s: nothing could be sent; has the uplink a "
			"way there?",
			a->endpoints, seconds);
		err_hint(e, "see `ip route get ADDRESS` for the endpoint's address, and that the "
			    "file has a PrivateKey");
		return -e->code;
	}
	err_say(e, ETIMEDOUT, "no handshake with %s in %u s: %llu bytes went out, %s", a->endpoints,
		seconds, (unsigned long long)a->tx_bytes, came);
	err_hint(e,
		 "check the endpoint, both keys (does the peer know the public key of this side?) "
		 "and "
		 "the clock: a peer ignores what is older than what it has seen; behind a captive "
		 "portal log in first (with the tunnel up: `wgns exec --physical PROGRAM`)");
	return -e->code;
}

static void show(const struct op_env *env, const struct attempt *a, long long left_ms)
{
	char text[sizeof(a->endpoints) + 64];

	if (!env->progress)
		return;
	if (!a) {
		env->progress(env->note_ctx, NULL);
		return;
	}
	(void)snprintf(text, sizeof(text), "waiting for a handshake with %s: %lld s left",
		       a->endpoints, (left_ms + 999) / 1000);
	env->progress(env->note_ctx, text);
}

static int wait_handshake(struct op_env *env, unsigned seconds, struct err *e)
{
	const long long end = clock_monotonic_ms() + (long long)seconds * 1000;
	int pause = PAUSE_FIRST_MS;
	struct attempt a;

	for (;;) {
		int rc = look(env, &a, e);
		if (rc < 0 || a.is_shaken)
			return rc;
		long long left = end - clock_monotonic_ms();
		if (left <= 0)
			return give_up(&a, seconds, e);
		if (env->should_stop && env->should_stop(env->note_ctx))
			return err_say(e, EINTR, "interrupted");
		show(env, &a, left);
		if (!a.tx_bytes)
			rc = backend_kick(env->backend, &env->tunnel.device, env->home_fd, e);
		if (rc < 0)
			return rc;
		(void)poll(NULL, 0,
			   left < pause ? (int)left
					: pause); /* no signal comes: they are blocked */
		pause = pause * 2 < PAUSE_MAX_MS ? pause * 2 : PAUSE_MAX_MS;
	}
}

/* "handshake.wait wg0 10 s" */
int handshake_wait_run(struct op_env *env, const struct step *step, struct err *e)
{
	unsigned long long seconds;

	if (str_to_u64(step->words[2], UINT32_MAX, &seconds) < 0)
		return err_say(e, EINVAL, "no number of seconds: %s", step->words[2]);
	int rc = wait_handshake(env, (unsigned)seconds, e);
	show(env, NULL, 0);
	return rc;
}
