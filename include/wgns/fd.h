/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fd - descriptors that close themselves, and whole files in one call */
#ifndef WGNS_FD_H
#define WGNS_FD_H

#include <stddef.h>
#include <sys/types.h>

#include "wgns/err.h"

/* AUTO_FD int fd = -1;  closes at the end of the scope; fd_take(&fd) gives it away */
#define AUTO_FD __attribute__((cleanup(fd_close_indirect)))
void fd_close_indirect(int *fd);
int fd_take(int *fd);

/**
 * fd_read_all - everything that can be read from @fd, up to @max bytes
 * @out: on success an owned buffer with a NUL behind it
 * @what: named in the error, as in "read WHAT: Is a directory"
 *
 * Return: 0 or -errno; -EFBIG when there is more than @max.
 */
int fd_read_all(int fd, size_t max, char **out, size_t *len, const char *what, struct err *e);

/**
 * fd_read_file_at - open below @dir_fd without following a symlink in the last part, and read all
 *
 * Return: 0 or -errno (-ENOENT when it is not there)
 */
int fd_read_file_at(int dir_fd, const char *path, size_t max, char **out, size_t *len,
		    struct err *e);

/** fd_write_all - write all of it, whatever signals come; Return: 0 or -errno */
int fd_write_all(int fd, const void *data, size_t len, const char *what, struct err *e);

/**
 * fd_replace_file_at - create or replace NAME in @dir_fd atomically (temporary file, fsync, rename)
 * @mode: permission bits, set whatever the umask is
 *
 * Return: 0 or -errno; the old file is untouched on failure
 */
int fd_replace_file_at(int dir_fd, const char *name, const void *data, size_t len, mode_t mode,
		       struct err *e);

#endif
