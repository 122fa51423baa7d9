/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seal - enter a box: its network namespace, its name resolution, its /sys
 *
 * The helper links this file, so it uses libc alone: no struct err, no allocation.
 */
#ifndef WGNS_SEAL_H
#define WGNS_SEAL_H

#include <sys/types.h>

#define SEAL_BOX_DIR "run/wgns/box" /* below / */
#define SEAL_NAME_MAX 64
/* in the box's folder: the mount point of what COMPILED_FRESH makes */
#define SEAL_FRESH_NAME "fresh"

/** seal_is_box_name - [a-zA-Z0-9_.+-]{1,64}, neither "." nor "..": safe in paths and mount options */
int seal_is_box_name(const char *name);

/**
 * seal_open - open a file below / for reading, with the caller's own rights and through no symlink
 * @path: relative to /. Return: an owned descriptor; -errno
 */
int seal_open(const char *path);

/**
 * seal_open_box - seal_open() of run/wgns/box/NAME/netns
 *
 * Who may open it may enter the box. That it is a network namespace is for setns(2) to check.
 * Return: an owned descriptor; -EINVAL for a bad name; -errno
 */
int seal_open_box(const char *name);

/**
 * seal_enter - this thread moves into @ns_fd, with mounts of its own
 * @ns_fd:   a network namespace
 * @dir:     the box's folder, absolute and without ':', ',' and '\': its etc/ lies over /etc there
 * @options: COMPILED_... of wgns/compiled.h
 * @uid:     owner of what COMPILED_FRESH makes
 * @what:    on failure, what was attempted; a literal
 *
 * Path sockets ignore network namespaces, and files are replaced by rename: therefore a read-only overlay on the whole of /etc,
 * and empty read-only file systems on the folders of nscd and systemd-resolved. `up` makes these folders where they are
 * missing, and pins them, so that nobody can remove one outside and with it what hides it here; without it nothing is
 * entered. /sys shows the namespace's devices; what is mounted below the old one comes along. Mounts made later outside
 * appear inside, mounts made inside do not appear outside. A file that is itself a mount point below /etc shows what is
 * under it.
 *
 * Needs CAP_SYS_ADMIN. After a failure the thread is half-way between: the caller has to exit.
 * Return: 0 or -errno
 */
int seal_enter(int ns_fd, const char *dir, unsigned options, uid_t uid, const char **what);

#endif
