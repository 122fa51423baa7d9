// SPDX-License-Identifier: GPL-2.0-or-later
/* the daemon of a tunnel has died, and its device with it: both are made again */
#include <errno.h>
#include <string.h>

#include "change_internal.h"
#include "wgns/netns.h"
#include "wgns/op.h"

static int check_dead(const struct op_env *env, struct err *e)
{
	const struct backend_device *dev = &env->tunnel.device;
	struct wg_device answer = { 0 };
	unsigned long long start_time;
	struct err ignored; /* it does not answer: it is dead */

	if (strcmp(env->tunnel.backend, "userspace") != 0)
		return err_say(e, EINVAL, "%s has no daemon", dev->name);
	/* one that has ended and is not reaped yet has its start time still; who asks has seen its end */
	if (dev->pid && proc_start_time(dev->pid, &start_time) == 0 &&
	    start_time == dev->start_time && env->backend->get(dev, -1, &answer, &ignored) == 0) {
		wg_device_free(&answer);
		return err_say(e, EALREADY, "the daemon of %s lives", dev->name);
	}
	return 0;
}

static const struct wg_peer *find_peer(const struct wg_device *dev, const struct key *key)
{
	for (size_t i = 0; i < dev->n_peers; i++) {
		if (memcmp(&dev->peers[i].public_key, key, sizeof(*key)) == 0)
			return &dev->peers[i];
	}
	return NULL;
}

/* the file's keys and peers, where they were last; no name is looked up while the lock is held */
static int prepare(struct wg_device *dev, const struct wg_device *last, uint16_t port,
		   struct err *e)
{
	if (!dev->has_private_key) {
		err_say(e, ENOKEY, "the private key is not in the file: a hook set it");
		err_hint(e, "take the tunnel down and up again");
		return -ENOKEY;
	}
	/* what is recorded is what physical's guard lets in; what was seen last may be older than a reload */
	if (!port && last->has_listen_port)
		port = last->listen_port;
	if (port) {
		dev->has_listen_port = true;
		dev->listen_port = port;
	}
	for (size_t i = 0; i < dev->n_peers; i++) {
		struct wg_peer *peer = &dev->peers[i];
		const struct wg_peer *was = find_peer(last, &peer->public_key);

		if (was && was->endpoint.sa.sa_family != AF_UNSPEC)
			peer->endpoint = was->endpoint;
		else if (peer->endpoint_host)
			(void)wg_endpoint_numeric(peer->endpoint_host, peer->endpoint_port,
						  &peer->endpoint); /* -EAGAIN: watch looks it up */
	}
	return 0;
}

static int run_steps(struct op_env *env, struct err *e)
{
	const struct step none = { 0 };
	const struct wgquick *conf = env->conf;

	int rc = tunnel_create_run(env, &none, e);
	if (rc == 0)
		rc = tunnel_move_run(env, &none, e);
	if (rc == 0)
		rc = socket_name_run(env, &none, e);
	if (rc == 0)
		rc = env->backend->set(&env->tunnel.device, env->home_fd, &conf->device, false, e);
	if (rc == 0 && conf->n_addresses)
		rc = addr_add_run(env, &none, e);
	if (rc == 0)
		rc = link_up_run(env, &none, e);
	/* systemd-resolved keeps servers by link, and they are gone with it; a file stays */
	if (rc == 0 && conf->n_dns && strcmp(env->tunnel.dns, "resolved") == 0)
		rc = dns_set_run(env, &none, e);
	if (rc == 0 && conf->table != WGQUICK_TABLE_OFF)
		rc = route_add_run(env, &none, e);
	return rc;
}

/*
 * What is known of the tunnel names the new birth before it happens, as at `up`: whatever comes in between, the undo of the
 * steps that the journal has finds what there is.
 */
static int revive(struct op_env *env, struct err *e)
{
	const struct step none = { 0 };
	struct backend_device *dev = &env->tunnel.device;
	struct err ignored;

	int rc = tunnel_create_undo(env, &none, e);
	if (rc == 0)
		rc = change_birth_name(dev->birth_name, e);
	if (rc < 0)
		return rc;
	dev->pid = 0;
	dev->start_time = 0;
	dev->ifindex = 0;
	rc = state_tunnel_write(env->run_fd, &env->tunnel, e);
	if (rc == 0)
		rc = run_steps(env, e);
	if (rc < 0)
		(void)tunnel_create_undo(env, &none, &ignored); /* `down` does it again */
	return rc;
}

int change_revive(const char *name, const struct wg_device *last, const struct change_talk *talk,
		  struct err *e)
{
	struct wgquick conf = { 0 };
	struct tend t;

	int rc = change_tend_begin(name, talk, &t, e);
	if (rc < 0)
		return rc;
	rc = check_dead(&t.env, e);
	if (rc == 0)
		rc = change_read_conf(&t.env, t.folder, &conf, e);
	if (rc == 0)
		rc = prepare(&conf.device, last, t.env.tunnel.port, e);
	if (rc == 0)
		rc = revive(&t.env, e);
	wgquick_free(&conf);
	change_tend_end(&t);
	return rc;
}
