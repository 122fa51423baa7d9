// SPDX-License-Identifier: GPL-2.0-or-later
/* the managers that wgns knows: pure */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "wgns/units.h"

#define ADDRESS (1u << AGENTS_ADDRESS)
#define AIR (1u << AGENTS_AIR)
/* Requires= or BindsTo= of the device unit, which udev makes of home's devices; no drop-in takes that back */
#define BOUND "its unit needs the device in home"

static const struct units_known known[] = {
	{ UNITS_NETWORKMANAGER, ADDRESS, false, NULL },
	{ UNITS_DISPATCHER, 0, true, NULL },
	{ UNITS_NETWORKD, ADDRESS, false, NULL },
	{ UNITS_NETWORKD_SOCKET, 0, false, NULL },
	{ UNITS_DHCPCD, ADDRESS, false, NULL },
	{ "dhcpcd@*.service", ADDRESS, false, BOUND },
	{ UNITS_IWD, AIR, false, NULL },
	{ UNITS_SUPPLICANT, AIR, true, NULL },
	{ "wpa_supplicant@*.service", AIR, false, BOUND },
	{ "wpa_supplicant-*@*.service", AIR, false, BOUND },
	{ UNITS_CONNMAN, ADDRESS, false, "wgns cannot keep it from telling home's resolver" },
};
#define N_KNOWN (sizeof(known) / sizeof(known[0]))

const struct units_known *units_known(const char *name)
{
	for (size_t i = 0; i < N_KNOWN; i++) {
		if (fnmatch(known[i].pattern, name, 0) == 0)
			return &known[i];
	}
	return NULL;
}

const struct units_known *units_known_at(size_t i)
{
	return i < N_KNOWN ? &known[i] : NULL;
}

bool units_device_of(const char *name, char out[IFNAMSIZ])
{
	const char *at = strchr(name, '@');
	const char *end = strrchr(name, '.'); /* the name of a VLAN has a dot, too */
	size_t len = at && end && end > at ? (size_t)(end - at - 1) : 0;

	if (!len || len >= IFNAMSIZ)
		return false;
	(void)snprintf(out, IFNAMSIZ, "%.*s", (int)len, at + 1);
	return true;
}

bool units_is_on_demand(const char *name)
{
	const struct units_known *k = units_known(name);

	return k && k->is_on_demand;
}

bool agents_is_manager(const char *unit)
{
	return units_known(unit);
}
