/* SPDX-License-Identifier: GPL-2.0-or-later */
/* agents_argv - the arguments of dhclient, udhcpc, dhcpcd and wpa_supplicant; pure */
#ifndef WGNS_AGENTS_ARGV_H
#define WGNS_AGENTS_ARGV_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

struct agents_argv {
	char **argv; /* owned list */
	size_t argc;
};
void agents_argv_free(struct agents_argv *a);

/** agents_program_of - by the name of the process (proc_pid_comm(5)) and its arguments: "busybox udhcpc" is udhcpc; NULL: none of ours */
const char *agents_program_of(const char *comm, char *const *argv, size_t argc);
/** agents_device_of - which device the arguments name; "": none or several */
void agents_device_of(const char *program, char *const *argv, size_t argc, char out[IFNAMSIZ]);

/** agents_is_proxy - root's part of a dhcpcd that has given up root: its parent is the one that matters */
bool agents_is_proxy(char *const *argv, size_t argc);
/** agents_has_title - has dhcpcd written over them what it is? */
bool agents_has_title(char *const *argv, size_t argc);
/** agents_is_helper - another process that dhcpcd keeps beside itself */
bool agents_is_helper(char *const *argv, size_t argc);

/**
 * agents_argv_in_home - the arguments with which it was started, as far as it has not written over them (dhcpcd does)
 * Return: 0, -ENOMEM with @out half filled: it is to be freed; -EINVAL, likewise: a title that names no device
 */
int agents_argv_in_home(char *const *argv, size_t argc, struct agents_argv *out);
/**
 * agents_argv_for - the same options, made to stay in the foreground and to go on until it is ended
 * @script: what udhcpc calls with a lease, in place of its own
 * The option of captive portals (RFC 8910) is asked for where an argument can do that. Return: as above; -EINVAL
 */
int agents_argv_for(const char *program, char *const *argv, size_t argc, const char *script,
		    struct agents_argv *out);

#endif
