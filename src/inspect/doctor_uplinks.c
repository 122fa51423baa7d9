// SPDX-License-Identifier: GPL-2.0-or-later
/* the devices that would move: may they, and who manages them now */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor_internal.h"
#include "wgns/fd.h"
#include "wgns/str.h"

#define TEXT_MAX (1u << 20)

char *doctor_read_text(const char *path)
{
	char *text = NULL;
	struct err ignored; /* what cannot be read says nothing */
	size_t len;
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 || fd_read_all(fd, TEXT_MAX, &text, &len, path, &ignored) < 0)
		return NULL;
	return text;
}

bool doctor_has_value(const char *text, const char *key, const char *value, const char *other)
{
	size_t key_len = strlen(key);

	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");
		const char *is = line + key_len + 1;
		if (len > key_len && strncmp(line, key, key_len) == 0 && line[key_len] == '=') {
			size_t is_len = len - key_len - 1;
			if ((strlen(value) == is_len && strncmp(is, value, is_len) == 0) ||
			    (other && strlen(other) == is_len && strncmp(is, other, is_len) == 0))
				return true;
		}
		line += len + (line[len] == '\n');
	}
	return false;
}

/* sd-network's state file of a link: ADMIN_STATE is "unmanaged" for those that are not networkd's */
static enum doctor_managed ask_networkd(int ifindex)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/run/systemd/netif/links/%d", ifindex);
	AUTO_FREE char *text = doctor_read_text(path);
	if (!text)
		return DOCTOR_NOT_TOLD;
	return doctor_has_value(text, "ADMIN_STATE", "configured", "configuring")
		       ? DOCTOR_MANAGED
		       : DOCTOR_UNMANAGED;
}

/* NetworkManager keeps for itself what it knew of a device: nm-device's "managed=" */
static enum doctor_managed ask_networkmanager(int ifindex)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/run/NetworkManager/devices/%d", ifindex);
	AUTO_FREE char *text = doctor_read_text(path);
	if (text && doctor_has_value(text, "managed", "true", NULL))
		return DOCTOR_MANAGED;
	return text && doctor_has_value(text, "managed", "false", NULL) ? DOCTOR_UNMANAGED
									: DOCTOR_NOT_TOLD;
}

/* interfaces(5): "iface eth0 inet dhcp" */
static bool is_in_interfaces(const char *name)
{
	char device[IFNAMSIZ];
	AUTO_FREE char *text = doctor_read_text("/etc/network/interfaces");
	char *rest = text;

	for (char *line = text ? strsep(&rest, "\n") : NULL; line; line = strsep(&rest, "\n")) {
		if (sscanf(line, " iface %15s", device) == 1 && strcmp(device, name) == 0)
			return true;
	}
	return false;
}

static void read_uplink(const struct host *host, const struct rtnl_link *link,
			struct doctor_uplink *out)
{
	*out = (struct doctor_uplink){
		.is_wireless = host->devices[link - host->links.items].is_wireless,
		.networkd = ask_networkd(link->ifindex),
		.networkmanager = ask_networkmanager(link->ifindex),
		.is_in_interfaces = is_in_interfaces(link->name),
	};
	(void)snprintf(out->name, sizeof(out->name), "%s", link->name);
	(void)plan_check_movable(host, link, &out->refusal); /* it is in refusal */
	out->phy = host->devices[link - host->links.items].phy;
}

static void take_moving(const struct units_set *set, const struct host *host,
			struct doctor_uplink *u)
{
	const struct host_unit *unit = units_manager_of(set, host, u->name, AGENTS_ADDRESS);

	if (!unit)
		unit = units_manager_of(set, host, u->name, AGENTS_AIR);
	if (unit)
		memcpy(u->moving, unit->name, sizeof(u->moving));
}

int doctor_read_uplinks(const struct wgnsconf *settings, const struct host *host,
			struct doctor_uplinks *out, struct err *e)
{
	const struct plan_request rq = { .uplinks = settings->uplinks,
					 .n_uplinks = settings->n_uplinks,
					 .should_watch = settings->should_watch,
					 .agent = settings->agent,
					 .agents = settings->agents,
					 .n_agents = settings->n_agents };
	struct plan found = { 0 }, costs = { 0 };
	struct units_set set = { .n = 0 };
	struct err ignored; /* `up` says so itself */
	int rc = 0;

	*out = (struct doctor_uplinks){ .is_root = geteuid() == 0,
					.is_layout_up = host->is_layout_up };
	if (host->is_layout_up)
		return 0;
	if (plan_uplinks(&rq, host, &found, &out->refusal) < 0 && out->refusal.code == ENOMEM)
		rc = err_set(e, ENOMEM, "find the uplinks");
	out->items = calloc(found.n_uplinks + 1, sizeof(*out->items));
	if (rc == 0 && !out->items)
		rc = err_set(e, ENOMEM, "find the uplinks");
	if (units_choose(&rq, host, &found, &set, &ignored) == 0 && !out->refusal.code)
		(void)units_check(&set, host, &out->refusal); /* it is in refusal */
	for (size_t i = 0; rc == 0 && i < found.n_uplinks; i++) {
		const struct rtnl_link *link = rtnl_links_by_name(&host->links, found.uplinks[i]);
		read_uplink(host, link, &out->items[out->n]);
		out->items[out->n].is_followed =
			plan_agents_cover(&rq, host, link->name, AGENTS_ADDRESS);
		take_moving(&set, host, &out->items[out->n++]);
		rc = plan_warn_uplink(&rq, host, &costs, link, e);
	}
	out->warnings = costs.warnings;
	out->n_warnings = costs.n_warnings;
	costs.warnings = NULL;
	costs.n_warnings = 0;
	plan_free(&found);
	plan_free(&costs);
	if (rc < 0)
		doctor_uplinks_free(out);
	return rc;
}

void doctor_uplinks_free(struct doctor_uplinks *u)
{
	free(u->items);
	str_list_free(&u->warnings, &u->n_warnings);
	*u = (struct doctor_uplinks){ 0 };
}
