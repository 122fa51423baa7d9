// SPDX-License-Identifier: GPL-2.0-or-later
/* one phase of a reload, and its undo; keys, peers and names here, addresses and routes in reload_link.c */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "reload_run.h"
#include "wgns/dns.h"
#include "wgns/fd.h"
#include "wgns/guard.h"
#include "wgns/str.h"

bool reload_has_phase(const struct reload *r, enum reload_phase phase)
{
	for (size_t i = 0; i < r->plan.n_lines; i++) {
		if (r->plan.lines[i].phase == phase)
			return true;
	}
	return false;
}

static int send_device(struct reload *r, const struct wg_device *dev, struct err *e)
{
	return r->env.backend->set(&r->env.tunnel.device, r->env.home_fd, dev, false, e);
}

static int send_peers(struct reload *r, const struct wg_diff *diff, struct err *e)
{
	struct wg_device request = { 0 };
	struct key taker;

	if (getrandom(taker.bytes, KEY_LEN, 0) != KEY_LEN)
		return err_set(e, errno, "read random numbers");
	if (wg_diff_request(diff, &taker, &request) < 0)
		return err_set(e, ENOMEM, "change the peers");
	int rc = request.n_peers ? send_device(r, &request, e) : 0;
	wg_device_free(&request);
	return rc;
}

/* key, port and mark, without the peers */
static int send_settings(struct reload *r, const struct wg_diff *diff, struct err *e)
{
	struct wg_device dev = diff->set;

	dev.peers = NULL;
	dev.n_peers = 0;
	int rc = send_device(r, &dev, e);
	str_wipe(&dev, sizeof(dev));
	return rc;
}

static int send_gone(struct reload *r, const struct wg_diff *diff, struct err *e)
{
	return diff->gone.n_peers ? send_device(r, &diff->gone, e) : 0;
}

/* physical's guard has one port of each tunnel, which is written down before it is opened; 0: there is no such guard */
static int note_port(struct reload *r, uint16_t port, struct err *e)
{
	r->env.tunnel.port = port;
	return state_tunnel_write(r->env.run_fd, &r->env.tunnel, e);
}

static int close_port(struct reload *r, uint16_t port, struct err *e)
{
	AUTO_NL struct nl *nl = NULL;
	int rc = guard_open_in(r->env.physical_fd, &nl, e);

	return rc < 0 ? rc : guard_close_port(nl, port, e);
}

/* the new one is open before the socket is there; the old one is closed when nothing can fail any more */
static int open_port(struct reload *r, uint16_t *port, struct err *e)
{
	AUTO_NL struct nl *nl = NULL;
	int rc = 0;

	if (!r->env.tunnel.port || r->env.physical_fd < 0)
		return 0;
	if (!*port)
		rc = netns_free_port(r->env.physical_fd, port, e);
	if (rc == 0)
		rc = note_port(r, *port, e);
	if (rc == 0)
		rc = guard_open_in(r->env.physical_fd, &nl, e);
	return rc < 0 ? rc : guard_open_port(nl, *port, e);
}

static int put_port_back(struct reload *r, struct err *e)
{
	uint16_t port = r->env.tunnel.port;

	if (!port || port == r->live.listen_port || r->env.physical_fd < 0)
		return 0;
	int rc = close_port(r, port, e);
	return rc < 0 ? rc : note_port(r, r->live.listen_port, e);
}

int reload_close_old_port(struct reload *r, struct err *e)
{
	uint16_t port = r->env.tunnel.port;

	if (!port || port == r->live.listen_port || r->env.physical_fd < 0)
		return 0;
	return close_port(r, r->live.listen_port, e);
}

/* whatever was sent: from what the device is now to what it was */
static int restore_device(struct reload *r, struct err *e)
{
	struct wg_device now = { 0 }, before = r->live; /* borrows the peers */
	struct wg_diff diff = { 0 };

	int rc = r->env.backend->get(&r->env.tunnel.device, r->env.home_fd, &now, e);
	if (rc < 0)
		return rc;
	/* a daemon does not say what it has not: that is 0 */
	before.has_private_key = before.has_listen_port = before.has_fwmark = true;
	if (wg_diff(&before, &now, &diff) < 0)
		rc = err_set(e, ENOMEM, "give the peers back");
	if (rc == 0 &&
	    (diff.set.has_private_key || diff.set.has_listen_port || diff.set.has_fwmark))
		rc = send_settings(r, &diff, e);
	if (rc == 0)
		rc = send_peers(r, &diff, e);
	if (rc == 0)
		rc = send_gone(r, &diff, e);
	if (rc == 0)
		rc = put_port_back(r, e);
	wg_diff_free(&diff);
	wg_device_free(&now);
	str_wipe(&before, sizeof(before));
	return rc;
}

static int set_mtu(struct reload *r, struct err *e)
{
	uint32_t mtu = r->plan.mtu;
	int rc = mtu ? 0 : op_tunnel_mtu(&r->env, &r->plan.want, &mtu, e);

	return rc < 0 ? rc : reload_set_mtu(r, mtu, e);
}

/* `down` gives names back because its journal says that they were taken */
static int journal_dns(struct reload *r, struct err *e)
{
	struct journal_entries entries = { 0 };
	struct journal journal = { .fd = -1 };
	char text[IFNAMSIZ + 64];
	bool is_there = false;
	unsigned last = 0;

	int rc = journal_open(r->dir_fd, &journal, &entries, e);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < entries.n; i++) {
		const struct journal_entry *entry = &entries.items[i];
		is_there =
			is_there || (!entry->is_undone && strncmp(entry->text, "dns.set ", 8) == 0);
		last = entry->n > last ? entry->n : last;
	}
	if (!is_there) {
		(void)snprintf(text, sizeof(text), "dns.set %s by %s: reload",
			       r->env.tunnel.device.name, r->dns);
		/* who will undo it is known before it is to be undone */
		memcpy(r->env.tunnel.dns, r->dns, sizeof(r->env.tunnel.dns));
		rc = state_tunnel_write(r->env.run_fd, &r->env.tunnel, e);
		if (rc == 0)
			rc = journal_intend(&journal, last + 1, text, e);
	}
	journal_entries_free(&entries);
	journal_close(&journal);
	return rc;
}

static int set_dns(struct reload *r, const struct wgquick *conf, struct err *e)
{
	enum dns_manager manager = dns_manager_by_name(r->dns);
	const struct dns_conf dns = {
		.ifname = r->env.tunnel.device.name,
		.servers = conf->dns,
		.n_servers = conf->n_dns,
		.search = conf->search,
		.n_search = conf->n_search,
	};

	if (!conf->n_dns)
		return dns_unset(manager, r->dir_fd, dns.ifname, e);
	int rc = journal_dns(r, e);
	return rc < 0 ? rc : dns_set(manager, r->dir_fd, &dns, e);
}

static int set_device(struct reload *r, struct err *e)
{
	int rc = r->diff.set.has_listen_port ? open_port(r, &r->diff.set.listen_port, e) : 0;

	return rc < 0 ? rc : send_settings(r, &r->diff, e);
}

int reload_do(struct reload *r, enum reload_phase phase, struct err *e)
{
	switch (phase) {
	case RELOAD_ADDR_ADD:
		return reload_add_addrs(r, e);
	case RELOAD_PEERS:
		return send_peers(r, &r->diff, e);
	case RELOAD_MTU:
		return set_mtu(r, e);
	case RELOAD_ROUTE_ADD:
		return reload_add_routes(r, e);
	case RELOAD_DNS:
		return set_dns(r, r->rq->conf, e);
	case RELOAD_DEVICE:
		return set_device(r, e);
	case RELOAD_ADDR_DEL:
		return reload_del_addrs(r, e);
	case RELOAD_ROUTE_DEL:
		return reload_del_routes(r, e);
	case RELOAD_PEERS_GONE:
		return send_gone(r, &r->diff, e);
	case RELOAD_N_PHASES:
		break;
	}
	return err_say(e, EINVAL, "no such phase");
}

int reload_put_back(struct reload *r, enum reload_phase phase, struct err *e)
{
	switch (phase) {
	case RELOAD_PEERS:
	case RELOAD_DEVICE:
	case RELOAD_PEERS_GONE:
		return restore_device(r, e);
	case RELOAD_DNS:
		return set_dns(r, &r->before[0], e);
	case RELOAD_ADDR_ADD:
	case RELOAD_MTU:
	case RELOAD_ROUTE_ADD:
	case RELOAD_ADDR_DEL:
	case RELOAD_ROUTE_DEL:
		return reload_restore_link(r, e);
	case RELOAD_N_PHASES:
		break;
	}
	return err_say(e, EINVAL, "no such phase");
}
