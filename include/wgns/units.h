/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * units - the machine's own network managers, which are units of systemd, and how they move to physical
 *
 * A manager moves by a runtime drop-in: it is stopped in home and started again in the namespace, with that namespace's sysfs over
 * /sys. Who asks it over the system bus (nmcli, a desktop's menu) does not notice, because the bus is a path socket.
 */
#ifndef WGNS_UNITS_H
#define WGNS_UNITS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "wgns/agents.h"
#include "wgns/err.h"
#include "wgns/nm.h"
#include "wgns/rtnl.h"
#include "wgns/systemd.h"

/* A manager that wgns knows; one table says all of it (units_known.c). */
struct units_known {
	const char *pattern; /* of fnmatch(3) where there is one unit for each device */
	unsigned
		tasks; /* what it does for uplinks: 1 << enum agents_task; 0: it goes along with another */
	bool is_on_demand; /* it is only started by others when they need it */
	const char *why_fixed; /* it cannot move; NULL: it can */
};
/** units_known - what is known of a unit; NULL: nothing */
const struct units_known *units_known(const char *name);
/** units_known_at - all of them, from 0; NULL: there are no more */
const struct units_known *units_known_at(size_t i);
/** units_device_of - the device of "wpa_supplicant@wlan0.service"; Return: false when it names none */
bool units_device_of(const char *name, char out[IFNAMSIZ]);

/* A unit that is known to manage devices, or that `Agent =` names. */
struct host_unit {
	char name[SYSTEMD_UNIT_MAX];
	bool is_loaded; /* there is such a unit */
	bool is_active;
	bool is_elsewhere; /* its main process is in another network namespace than the caller */
	char **devices; /* owned: NetworkManager and systemd-networkd, those that they say they manage */
	size_t n_devices;
};

/* The facts; a member of struct host. */
struct host_units {
	bool is_systemd; /* it is process 1 */
	bool has_conflict; /* NetworkManager runs, and what it is told would make it talk to home's resolver */
	struct nm_conflict conflict; /* then */
	struct host_unit *items; /* of those that are known only what is loaded */
	size_t n;
};

/** host_unit_find - by name; NULL: it is not there */
const struct host_unit *host_unit_find(const struct host_units *units, const char *name);

/* How a unit is called in `Agent =`, with ".service" where nothing else is said; Return: 0 or -EINVAL */
int units_name(const char *agent, char out[SYSTEMD_UNIT_MAX]);

/* What moves. */
struct units_set {
	struct {
		const struct host_unit *unit;
		bool is_on_demand; /* others start it when they need it: it is stopped, and not started */
	} items[SYSTEMD_UNITS_MAX];
	size_t n;
};
/**
 * units_choose - the units that move with @plan's uplinks, and what moves with them; none: @out->n is 0
 * Return: 0, or the refusal (kind MACHINE): a unit that is named is not there, does not run, runs elsewhere, or cannot
 * move
 */
int units_choose(const struct plan_request *rq, const struct host *host, const struct plan *plan,
		 struct units_set *out, struct err *e);
/** units_check - can they do in physical what they are told to? Return: 0, or the refusal (kind MACHINE) */
int units_check(const struct units_set *set, const struct host *host, struct err *e);
/** units_manager_of - who of @set configures this uplink (or its air); NULL: none of them */
const struct host_unit *units_manager_of(const struct units_set *set, const struct host *host,
					 const char *device, enum agents_task task);

/** units_fixed_of - who configures this uplink (or its air) and cannot move; NULL: nobody does, or who does can move */
const struct host_unit *units_fixed_of(const struct host *host, const char *device,
				       enum agents_task task);
/** units_say_fixed - that, as an error */
int units_say_fixed(const struct host_unit *unit, const char *device, struct err *e);

/** plan_units_prepare - what the namespace has to have for them: netns.sysfs */
int plan_units_prepare(const struct plan_request *rq, const struct host *host, struct plan *plan,
		       struct err *e);
/** plan_units_stop - they end in home: unit.stop, unit.dropin */
int plan_units_stop(const struct plan_request *rq, const struct host *host, struct plan *plan,
		    struct err *e);
/** plan_units_start - they begin in physical: unit.start, unit.wait; and what `up` warns of */
int plan_units_start(const struct plan_request *rq, const struct host *host, struct plan *plan,
		     struct err *e);
/** plan_units_cover - will a unit look after the addresses (or the air) of this uplink in physical? */
bool plan_units_cover(const struct plan_request *rq, const struct host *host, const char *device,
		      enum agents_task task);

/** units_is_lasting - an address that somebody gave, and none that a device takes for want of a better one (link-local, RFC 3927) */
bool units_is_lasting(const struct rtnl_addr *addr);

/** units_is_on_demand - is it only started by others when they need it? */
bool units_is_on_demand(const char *name);

#define UNITS_NETWORKMANAGER "NetworkManager.service"
#define UNITS_DISPATCHER "NetworkManager-dispatcher.service"
#define UNITS_SUPPLICANT "wpa_supplicant.service"
#define UNITS_IWD "iwd.service"
#define UNITS_NETWORKD "systemd-networkd.service"
#define UNITS_NETWORKD_SOCKET "systemd-networkd.socket"
#define UNITS_DHCPCD "dhcpcd.service"
#define UNITS_CONNMAN "connman.service"
#define UNITS_DROPINS "/run/systemd/system"
#define UNITS_NETIF "/run/systemd/netif"
#define UNITS_NM "/run/NetworkManager"

/* in the folder of the box */
#define UNITS_SYS "sys"
#define UNITS_BOX_NETIF "netif" /* networkd's own, instead of UNITS_NETIF */
#define UNITS_BOX_NM "nm" /* NetworkManager's own, instead of UNITS_NM */
#define UNITS_BOX_IWD "iwd.conf" /* its main.conf, when there is one */
#define UNITS_BOX_CHOICES "nm-choices"
#define UNITS_BOX_MANAGED "nm-devices"

#endif
