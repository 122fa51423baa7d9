/* SPDX-License-Identifier: GPL-2.0-or-later */
/* watch_up - `wgns watch --up`: the tunnel is brought up by the process that watches it, for the unit wgns@.service */
#ifndef WGNS_WATCH_UP_H
#define WGNS_WATCH_UP_H

/**
 * watch_up - have the tunnel up, whatever there is of it
 * @arg: TUNNEL or FILE.conf
 * @name: of the tunnel
 * @notify_socket: NOTIFY_SOCKET, told of each step; or NULL
 *
 * One that is up stays as it is. What a crash left is undone first, as `wgns recover` does.
 * Return: 0, or the exit status after a message
 */
int watch_up(const char *arg, const char *name, const char *notify_socket);

/** watch_up_bring - `wgns up @arg`, by wgns.conf(5) and without options; Watch = yes starts nobody; Return: the exit status */
int watch_up_bring(const char *arg, const char *notify_socket);

#endif
