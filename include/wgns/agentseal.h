/* SPDX-License-Identifier: GPL-2.0-or-later */
/* agentseal - enter a box as an agent does: with an /etc that it may write to, and that goes with it */
#ifndef WGNS_AGENTSEAL_H
#define WGNS_AGENTSEAL_H

/**
 * agentseal_enter - seal_enter(), and then /etc gets a writable upper layer of its own
 * @ns_fd, @dir, @options, @what: see seal_enter()
 * @source: what the overlay is called in proc_pid_mountinfo(5)
 *
 * The upper layer is a small tmpfs among the mounts of this process and its children: nobody else sees what is written to
 * /etc, what is written is bounded, and nothing is left of it however they end. Where resolvconf(8) keeps home's resolvers
 * there is an empty folder; with COMPILED_HIDE_BUS also where systemd takes commands from root (/run/systemd).
 *
 * After a failure the process is half-way between: the caller has to exit. Return: 0 or -errno
 */
int agentseal_enter(int ns_fd, const char *dir, unsigned options, const char *source,
		    const char **what);

#endif
