// SPDX-License-Identifier: GPL-2.0-or-later
/* the records and the devices of the tunnels */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verify_internal.h"
#include "wgns/backend.h"
#include "wgns/diag.h"
#include "wgns/fd.h"
#include "wgns/journal.h"
#include "wgns/snapshot.h"
#include "wgns/str.h"
#include "wgns/wgquick.h"

#define WORDS_MAX (1u << 20) /* arguments and environment of a daemon */

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static void mark_step(const char *text, struct verify_journal *out)
{
	if (!out->guard_home && begins(text, "guard.set home"))
		out->guard_home = strdup(text); /* without memory nothing is compared with it */
	out->has_guard_home = out->has_guard_home || begins(text, "guard.set home");
	out->has_guard_physical = out->has_guard_physical || begins(text, "guard.set physical");
	out->has_lan = out->has_lan || begins(text, "lan.create ");
}

static void read_entries(const struct journal_entries *entries, struct verify_journal *out)
{
	for (size_t i = 0; i < entries->n; i++) {
		const struct journal_entry *entry = &entries->items[i];
		if (entry->is_done && !entry->is_undone)
			mark_step(entry->text, out);
		if (entry->is_undone)
			out->n_undone++;
		else if (!entry->is_done && !entry->is_failed)
			(void)snprintf(out->open, sizeof(out->open), "%.255s", entry->text);
	}
}

static void gather_journal(int dir_fd, struct verify_journal *out)
{
	struct journal_entries entries = { 0 };
	AUTO_FREE char *text = NULL;
	struct err why;
	size_t len;
	long end;

	int rc = fd_read_file_at(dir_fd, JOURNAL_NAME, JOURNAL_MAX, &text, &len, &why);
	if (rc == 0)
		rc = journal_parse(text, len, &entries, &end, &why);
	if (rc < 0) {
		verify_problem(out->problem, &why);
		return;
	}
	read_entries(&entries, out);
	journal_entries_free(&entries);
}

/* DNS= of the copy that `up` kept */
static void gather_config(int dir_fd, struct verify_tunnel *t)
{
	struct diag_list diags = { .file = "the copy of the configuration" };
	struct wgquick conf;
	char *text = NULL;
	struct err
		ignored; /* the mode of the file is judged, and a damaged copy is `down`'s to name */
	size_t len;

	if (fd_read_file_at(dir_fd, "config", WGQUICK_FILE_MAX, &text, &len, &ignored) < 0)
		return;
	if (wgquick_parse(text, len, t->meta.device.name, &conf, &diags) == 0) {
		for (size_t i = 0; i < conf.n_dns && t->n_dns < VERIFY_SERVERS_MAX; i++)
			t->dns[t->n_dns++] = conf.dns[i];
		wgquick_free(&conf);
	}
	diag_free(&diags);
	str_wipe(text, len);
	free(text);
}

static void gather_records(struct gather *g, struct verify_tunnel *t)
{
	char path[STATE_PLACE_MAX + IFNAMSIZ + 16];
	struct err why;

	state_tunnel_path(t->meta.place, t->meta.device.name, path, sizeof(path));
	AUTO_FD int dir_fd = state_openat(g->run_fd, path, O_RDONLY | O_DIRECTORY, &why);
	if (dir_fd < 0) {
		verify_problem(t->journal.problem, &why);
		return;
	}
	t->folder = verify_read_file(g->run_fd, path);
	t->config = verify_read_file(dir_fd, "config");
	if (t->meta.file[0])
		t->file = verify_read_file(AT_FDCWD, t->meta.file);
	gather_journal(dir_fd, &t->journal);
	gather_config(dir_fd, t);
}

static bool has_key_in(pid_t pid, const char *name)
{
	char path[48], *words = NULL;
	struct err ignored; /* it has just ended */
	size_t len;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	if (fd_read_file_at(AT_FDCWD, path, WORDS_MAX, &words, &len, &ignored) < 0)
		return false;
	bool has_key = verify_has_key(words, len);
	str_wipe(words, len);
	free(words);
	return has_key;
}

static void gather_daemon(struct verify_tunnel *t)
{
	const struct backend_device *dev = &t->meta.device;
	unsigned long long start_time;
	struct err ignored; /* it has just ended */
	char path[48];

	t->is_daemon_alive = dev->pid && proc_start_time(dev->pid, &start_time) == 0 &&
			     start_time == dev->start_time;
	if (!t->is_daemon_alive)
		return;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)dev->pid);
	AUTO_FD int fd = netns_open_at(AT_FDCWD, path, &ignored);
	t->has_daemon_ns = fd >= 0 && netns_identify(fd, &t->daemon_ns, &ignored) == 0;
	t->has_key_in_words = has_key_in(dev->pid, "cmdline") || has_key_in(dev->pid, "environ");
}

static void wipe_keys(struct wg_device *dev)
{
	key_wipe(&dev->private_key);
	for (size_t i = 0; i < dev->n_peers; i++)
		key_wipe(&dev->peers[i].preshared_key);
}

/* Return: 1 when a socket of @port is in physical's table @path, 0 when not, -errno */
static int find_port(int physical_fd, const char *path, uint16_t port, struct err *e)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	AUTO_FD int fd = netns_open_file(physical_fd, path, e);
	if (fd < 0)
		return fd;
	int rc = fd_read_all(fd, 64 * VERIFY_TEXT_MAX, &text, &len, path, e);
	return rc < 0 ? rc : verify_has_udp_port(text, port);
}

/*
 * The kernel does not tell where a WireGuard device was made. But it tells the port of its socket, and the sockets of
 * physical, those of the kernel itself among them (proc_net_udp).
 */
static void gather_port(struct gather *g, struct verify_tunnel *t)
{
	struct err ignored; /* not known, then */
	uint16_t port = t->device.listen_port;

	if (g->physical_fd < 0 || !t->device.has_listen_port || !port)
		return;
	int rc = find_port(g->physical_fd, "/proc/thread-self/net/udp", port, &ignored);
	if (rc == 0)
		rc = find_port(g->physical_fd, "/proc/thread-self/net/udp6", port, &ignored);
	t->is_port_known = rc >= 0;
	t->is_port_in_physical = rc > 0;
}

static void gather_device(struct gather *g, struct verify_tunnel *t)
{
	const struct backend *backend = backend_by_name(t->meta.backend);
	struct err why;

	if (!backend) {
		(void)snprintf(t->device_problem, sizeof(t->device_problem),
			       "its record in " STATE_DIR " is damaged");
		return;
	}
	if (backend->get(&t->meta.device, g->home_fd, &t->device, &why) < 0) {
		verify_problem(t->device_problem, &why);
		return;
	}
	wipe_keys(&t->device);
	gather_port(g, t);
}

static void gather_layout(struct gather *g)
{
	struct verify_facts *f = g->f;
	struct snapshot snap;
	struct err why;
	AUTO_FD int dir_fd =
		state_openat(g->run_fd, "box/" VERIFY_BOX, O_RDONLY | O_DIRECTORY, &why);

	if (dir_fd < 0) {
		verify_problem(f->layout.problem, &why);
		verify_problem(f->uplinks_problem, &why);
		return;
	}
	gather_journal(dir_fd, &f->layout);
	if (snapshot_read(dir_fd, "snapshot", &snap, &why) < 0) {
		verify_problem(f->uplinks_problem, &why);
		return;
	}
	f->uplinks = snap.links;
	snap.links = (struct rtnl_links){ 0 };
	f->wdevs = snap.wdevs;
	f->n_wdevs = snap.n_wdevs;
	snap.wdevs = NULL;
	snapshot_free(&snap);
}

void verify_gather_tunnels(struct gather *g)
{
	if (!g->f->is_root)
		return; /* records and keys are root's alone */
	gather_layout(g);
	for (size_t i = 0; i < g->f->n_tunnels; i++) {
		struct verify_tunnel *t = &g->f->tunnels[i];
		gather_records(g, t);
		gather_daemon(t);
		gather_device(g, t);
	}
}
