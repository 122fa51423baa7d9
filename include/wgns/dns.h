/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dns - DNS= in home, and what a box resolves with
 *
 * home: resolvconf(8) where it is installed, else systemd-resolved through resolvectl(1), else
 * /etc/resolv.conf belongs to wgns while a tunnel with DNS= is up.
 */
#ifndef WGNS_DNS_H
#define WGNS_DNS_H

#include <stdbool.h>
#include <stddef.h>

#include "wgns/addr.h"
#include "wgns/err.h"

enum dns_manager { DNS_NONE, DNS_RESOLVCONF, DNS_RESOLVED, DNS_FILE };

/** dns_manager_name - "", "resolvconf", "resolved", "file"; dns_manager_by_name - DNS_NONE for anything else */
const char *dns_manager_name(enum dns_manager m);
enum dns_manager dns_manager_by_name(const char *name);
/** dns_detect - who manages names on this machine now */
enum dns_manager dns_detect(void);

struct dns_conf {
	const char *ifname; /* the tunnel, as it is called in home */
	const struct addr *servers;
	size_t n_servers; /* at least 1 */
	char *const *search;
	size_t n_search;
};

/**
 * dns_set - make @conf the exclusive resolver of home
 * @state_fd: the tunnel's folder in /run/wgns; DNS_FILE keeps what it needs for dns_unset() there
 */
int dns_set(enum dns_manager m, int state_fd, const struct dns_conf *conf, struct err *e);
/**
 * dns_unset - undo dns_set(); nothing to undo is success
 *
 * DNS_FILE: gives back the very file or symlink that was there. When somebody else has replaced /etc/resolv.conf
 * meanwhile, theirs stays. With several tunnels the one that was set last and is still up wins; the folders of all of
 * them stand side by side. The files in /etc alone say what is to be undone, so that a crash at any point, and a
 * reboot that emptied /run, lead here too: then @state_fd may be -1.
 */
int dns_unset(enum dns_manager m, int state_fd, const char *ifname, struct err *e);
/** dns_file_has_remains - is anything in /etc of DNS_FILE's making? Asked while no tunnel is up */
bool dns_file_has_remains(void);

/**
 * dns_box_resolv_conf - the text of a box's etc/resolv.conf, made of home's
 *
 * Servers on a loopback address are of no use in another namespace. For systemd-resolved's stub the servers behind it are
 * taken from /run/systemd/resolve/resolv.conf.
 * @warning: filled ("" when all is well) when no usable server was found, and which was passed over
 * Return: owned text, or NULL without memory
 */
char *dns_box_resolv_conf(char warning[256]);
/** dns_box_nsswitch - the host's nsswitch.conf with its `hosts:` line replaced by `hosts: files dns`; owned text or NULL */
char *dns_box_nsswitch(void);

#endif
