/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * systemd - its units, by systemctl(1)
 *
 * Not by D-Bus: systemctl of root talks to process 1 over /run/systemd/private and works while the bus does not, and libsystemd
 * would be one more library in a program of root's. All waits are bounded.
 */
#ifndef WGNS_SYSTEMD_H
#define WGNS_SYSTEMD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "wgns/err.h"

#define SYSTEMD_UNIT_MAX 128
#define SYSTEMD_UNITS_MAX 32 /* in one call */
#define SYSTEMD_NETNS_MAX 64 /* of the path of a namespace; a longer one is cut */

/** systemd_is_booted - is it process 1? as sd_booted(3) */
bool systemd_is_booted(void);
/** systemd_is_unit - "NAME.service" or "NAME.socket", of what systemd.unit(5) allows and without a backslash */
bool systemd_is_unit(const char *name);
/**
 * systemd_unit_of - whose processes the text of /proc/PID/cgroup speaks of: a service or scope of the machine's own
 * @out: "" when it is none; a user's units are never taken for the machine's
 */
void systemd_unit_of(const char *cgroup, char out[SYSTEMD_UNIT_MAX]);
/** systemd_unit_of_process - likewise, of a process that may have ended */
void systemd_unit_of_process(pid_t pid, char out[SYSTEMD_UNIT_MAX]);

struct systemd_unit {
	char name[SYSTEMD_UNIT_MAX];
	bool is_loaded; /* there is such a unit */
	bool is_active; /* or becomes it now */
	pid_t pid; /* its main process; 0: none */
	char netns_path
		[SYSTEMD_NETNS_MAX]; /* NetworkNamespacePath= as process 1 has read it; "": none */
};
/**
 * systemd_show - what is known of these units; @n at most SYSTEMD_UNITS_MAX
 * @units: names set; the rest is filled in
 */
int systemd_show(struct systemd_unit *units, size_t n, struct err *e);
/**
 * systemd_find - units that systemd has loaded and whose names match one of @patterns (fnmatch(3)); of at most SYSTEMD_UNITS_MAX
 * only the names are filled in, and those that systemd_is_unit() does not take are left out
 */
int systemd_find(const char *const *patterns, size_t n_patterns,
		 struct systemd_unit out[SYSTEMD_UNITS_MAX], size_t *n, struct err *e);
/** systemd_parse_ids - the answer of `systemctl show --property=Id`; Return: how many, at most SYSTEMD_UNITS_MAX */
size_t systemd_parse_ids(const char *text, struct systemd_unit out[SYSTEMD_UNITS_MAX]);
/** systemd_parse_show - the answer of `systemctl show` for what is above; Return: 0 or -EINVAL */
int systemd_parse_show(const char *text, struct systemd_unit *units, size_t n);

/**
 * systemd_is_stopping - is the machine going down? false when nobody can tell
 *
 * A stop job of the shutdown may be waiting for the caller to end, and whoever waits for that job waits in vain; no unit is
 * started any more.
 */
bool systemd_is_stopping(void);
/**
 * systemd_start, systemd_stop - all of them in one transaction; @wait_s: then systemd goes on with it alone: -ETIMEDOUT
 * Return: 0; -ESHUTDOWN while the machine goes down: nothing was asked for, and units are stopped without that; -errno
 */
int systemd_start(char *const *units, size_t n, unsigned wait_s, struct err *e);
int systemd_stop(char *const *units, size_t n, unsigned wait_s, struct err *e);
/** systemd_reload - make it read its files again: `systemctl daemon-reload` */
int systemd_reload(struct err *e);

#endif
