// SPDX-License-Identifier: GPL-2.0-or-later
/* which managers there are, and what they manage: asks, and changes nothing */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/fd.h"
#include "wgns/host.h"
#include "wgns/netns.h"
#include "wgns/nm.h"
#include "wgns/plan.h"
#include "wgns/str.h"

#define LINK_FILE_MAX 65536

void host_units_free(struct host_units *units)
{
	for (size_t i = 0; i < units->n; i++)
		str_list_free(&units->items[i].devices, &units->items[i].n_devices);
	free(units->items);
	*units = (struct host_units){ 0 };
}

static void add(struct systemd_unit *list, size_t *n, const char *name)
{
	for (size_t i = 0; i < *n; i++) {
		if (strcmp(list[i].name, name) == 0)
			return;
	}
	if (*n < SYSTEMD_UNITS_MAX)
		(void)snprintf(list[(*n)++].name, SYSTEMD_UNIT_MAX, "%s", name);
}

/* what is known, what is named, and those that there is one of for each device: of these systemd knows which are there */
static int list_names(char *const *agents, size_t n_agents,
		      struct systemd_unit list[SYSTEMD_UNITS_MAX], size_t *n, struct err *e)
{
	const char *patterns[SYSTEMD_UNITS_MAX];
	char name[SYSTEMD_UNIT_MAX];
	const struct units_known *k;
	size_t n_patterns = 0;

	*n = 0;
	for (size_t i = 0; (k = units_known_at(i)); i++) {
		if (!strchr(k->pattern, '*'))
			add(list, n, k->pattern);
		else if (n_patterns < SYSTEMD_UNITS_MAX)
			patterns[n_patterns++] = k->pattern;
	}
	for (size_t i = 0; i < n_agents; i++) {
		if (strncmp(agents[i], AGENTS_UNIT, sizeof(AGENTS_UNIT) - 1) == 0 &&
		    units_name(agents[i], name) == 0)
			add(list, n, name);
	}
	struct systemd_unit found[SYSTEMD_UNITS_MAX] = { 0 };
	size_t n_found = 0;
	int rc = systemd_find(patterns, n_patterns, found, &n_found, e);
	for (size_t i = 0; rc == 0 && i < n_found; i++)
		add(list, n, found[i].name);
	return rc;
}

/* another machine's manager, in a container whose units are ours, or one that was moved by somebody else */
static bool is_elsewhere(pid_t pid)
{
	struct netns_id own, its;
	struct err ignored; /* only root may look: an ordinary user is told what is likely */
	char path[48];

	AUTO_FD int own_fd = netns_open_self(&ignored);
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	AUTO_FD int fd = netns_open_at(AT_FDCWD, path, &ignored);
	return own_fd >= 0 && fd >= 0 && netns_identify(own_fd, &own, &ignored) == 0 &&
	       netns_identify(fd, &its, &ignored) == 0 && !netns_same(&own, &its);
}

/* sd-network's state file of a link: ADMIN_STATE says what networkd does with it */
static bool is_networkds(int ifindex)
{
	static const char *const states[] = { "pending", "initialized", "configuring", "configured",
					      "failed" };
	AUTO_FREE char *text = NULL;
	struct err ignored; /* no such file: not its */
	char path[64], line[64];
	size_t len;

	(void)snprintf(path, sizeof(path), UNITS_NETIF "/links/%d", ifindex);
	if (fd_read_file_at(AT_FDCWD, path, LINK_FILE_MAX, &text, &len, &ignored) < 0)
		return false;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		(void)snprintf(line, sizeof(line), "ADMIN_STATE=%s\n", states[i]);
		const char *at = strstr(text, line);
		if (at && (at == text || at[-1] == '\n'))
			return true;
	}
	return false;
}

static int add_device(struct host_unit *unit, const char *name, struct err *e)
{
	if (str_list_add(&unit->devices, &unit->n_devices, name, strlen(name)) < 0)
		return err_set(e, ENOMEM, "read the managers");
	return 0;
}

static int ask_networkd(struct host_unit *unit, const struct host *host, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < host->links.n; i++) {
		if (is_networkds(host->links.items[i].ifindex))
			rc = add_device(unit, host->links.items[i].name, e);
	}
	return rc;
}

static int ask_networkmanager(struct host_unit *unit, struct err *e)
{
	struct nm_device *list = NULL;
	size_t n = 0;
	int rc = nm_devices(&list, &n, e);

	if (rc < 0) {
		err_hint(e, "with Agent = none in wgns.conf(5) it stays out of it");
		return err_as(e, ERR_KIND_MACHINE);
	}
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (list[i].is_managed)
			rc = add_device(unit, list[i].name, e);
	}
	free(list);
	return rc;
}

static int take(const struct systemd_unit *from, const struct host *host, struct host_units *out,
		struct err *e)
{
	struct host_unit *unit = &out->items[out->n++];

	*unit = (struct host_unit){ .is_loaded = from->is_loaded, .is_active = from->is_active };
	memcpy(unit->name, from->name, sizeof(unit->name));
	if (!unit->is_active)
		return 0;
	unit->is_elsewhere = from->pid && is_elsewhere(from->pid);
	if (!unit->is_elsewhere && strcmp(unit->name, UNITS_NETWORKMANAGER) == 0) {
		out->has_conflict = nm_find_conflict(&out->conflict);
		return ask_networkmanager(unit, e);
	}
	if (!unit->is_elsewhere && strcmp(unit->name, UNITS_NETWORKD) == 0)
		return ask_networkd(unit, host, e);
	return 0;
}

int host_read_units(enum agent_choice choice, char *const *agents, size_t n_agents,
		    struct host *host, struct err *e)
{
	struct systemd_unit list[SYSTEMD_UNITS_MAX] = { 0 };
	struct host_units *out = &host->units;

	host_units_free(out);
	out->is_systemd = systemd_is_booted();
	if (!out->is_systemd || choice == AGENT_NONE || host->is_layout_up)
		return 0;
	size_t n;
	int rc = list_names(agents, n_agents, list, &n, e);
	if (rc < 0)
		return rc;
	out->items = calloc(n, sizeof(*out->items));
	if (!out->items)
		return err_set(e, ENOMEM, "read the managers");
	rc = systemd_show(list, n, e);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (list[i].is_loaded)
			rc = take(&list[i], host, out, e);
	}
	return rc;
}
