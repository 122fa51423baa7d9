/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nm - NetworkManager, by nmcli(1) in its terse form, which is made for programs; all waits are bounded */
#ifndef WGNS_NM_H
#define WGNS_NM_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "wgns/err.h"

#define NM_DEVICES_MAX 1024
#define NM_UUID_MAX 37

struct nm_device {
	char name[IFNAMSIZ];
	bool is_managed; /* by it, and not only seen by it: "connected (externally)" is not */
	bool is_connected; /* and it is done with it: state 100, NM_DEVICE_STATE_ACTIVATED */
	char state[64]; /* in its words, printable */
};
/**
 * nm_devices - what it says of every device
 * @out: owned array
 *
 * Return: 0; -errno, also when it does not run
 */
int nm_devices(struct nm_device **out, size_t *n, struct err *e);
/** nm_parse_devices - the answer of `nmcli -t -f DEVICE,STATE device`; devices whose name is none of the kernel's are left out */
int nm_parse_devices(const char *text, struct nm_device **out, size_t *n);

/* A connection that somebody chose by hand: it does not come up by itself (autoconnect=no). */
struct nm_choice {
	char uuid[NM_UUID_MAX];
	char device[IFNAMSIZ];
};
/** nm_choices - those that are up now; at most @cap; Return: how many, or -errno */
long nm_choices(struct nm_choice *out, size_t cap, struct err *e);
/** nm_parse_choices - the answer of `nmcli -t -f UUID,DEVICE,AUTOCONNECT connection show --active`; Return: how many, -EINVAL */
long nm_parse_choices(const char *text, struct nm_choice *out, size_t cap);
/** nm_is_uuid - 36 characters as RFC 9562 has them */
bool nm_is_uuid(const char *text);
/** nm_bring_up - that connection on that device; nobody types a password for it */
int nm_bring_up(const struct nm_choice *choice, unsigned wait_s, struct err *e);

/* What is said in /etc/NetworkManager, which counts more than what `up` writes below /run. */
struct nm_conflict {
	const char *key; /* of [main] */
	const char *wanted; /* the value that it would have to have */
	char value[48];
	char file[128];
};
/** nm_find_conflict - the first that there is; reads files, and asks NetworkManager only when it finds one; Return: there is */
bool nm_find_conflict(struct nm_conflict *out);
/**
 * nm_check_names - is its configuration as wgns needs it in physical: does it keep the servers of the uplink to itself?
 * Reads `NetworkManager --print-config`. Return: 0, or an error that names the key that is not so
 */
int nm_check_names(struct err *e);
/** nm_parse_config - a key of [main] there; Return: false when it is not set or does not fit */
bool nm_parse_config(const char *text, const char *key, char *out, size_t cap);

#endif
