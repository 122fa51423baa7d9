// SPDX-License-Identifier: GPL-2.0-or-later
/* who configures the uplinks in physical: pure */
#include "wgns/agents.h"

#include <string.h>

#include "plan_internal.h"

static const struct agents_program programs[] = {
	{ "dhclient", AGENTS_ADDRESS, "dhcp" }, { "udhcpc", AGENTS_ADDRESS, "dhcp" },
	{ "dhcpcd", AGENTS_ADDRESS, "dhcp" },	{ "wpa_supplicant", AGENTS_AIR, "supplicant" },
	{ "iwd", AGENTS_AIR, "supplicant" },
};

const struct agents_program *agents_program_find(const char *name)
{
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		if (strcmp(programs[i].name, name) == 0)
			return &programs[i];
	}
	return NULL;
}

bool agents_is_manager(const char *unit)
{
	static const char *const managers[] = {
		"NetworkManager.service",   "NetworkManager-dispatcher.service",
		"systemd-networkd.service", "iwd.service",
		"dhcpcd.service",	    "connman.service",
		"wpa_supplicant.service",
	};
	static const char *const templates[] = { "wpa_supplicant@", "wpa_supplicant-", "dhcpcd@" };

	for (size_t i = 0; i < sizeof(managers) / sizeof(managers[0]); i++) {
		if (strcmp(unit, managers[i]) == 0)
			return true;
	}
	for (size_t i = 0; i < sizeof(templates) / sizeof(templates[0]); i++) {
		if (strncmp(unit, templates[i], strlen(templates[i])) == 0)
			return true;
	}
	return false;
}

bool plan_agents_cover(const struct plan_request *rq, const struct host *host, const char *device,
		       enum agents_task task)
{
	(void)rq;
	(void)host;
	(void)device;
	(void)task;
	return false;
}

int plan_agents_stop(const struct plan_request *rq, const struct host *host, struct plan *plan,
		     struct err *e)
{
	(void)rq;
	(void)host;
	(void)plan;
	(void)e;
	return 0;
}

int plan_agents_start(const struct plan_request *rq, const struct host *host, struct plan *plan,
		      struct err *e)
{
	(void)rq;
	(void)host;
	(void)plan;
	(void)e;
	return 0;
}
