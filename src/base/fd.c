// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wgns/str.h"

void fd_close_indirect(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd); /* nothing was written through it that is not checked elsewhere */
	*fd = -1;
}

int fd_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

int fd_read_all(int fd, size_t max, char **out, size_t *len, const char *what, struct err *e)
{
	AUTO_STRBUF struct strbuf b = { 0 };
	char chunk[16384];

	for (;;) {
		ssize_t got = read(fd, chunk, sizeof(chunk));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(e, errno, "read %s", what);
		if (got == 0)
			break;
		if (b.len + (size_t)got > max)
			return err_set(e, EFBIG, "read %s: more than %zu bytes", what, max);
		strbuf_add(&b, chunk, (size_t)got);
	}
	explicit_bzero(chunk, sizeof(chunk));
	size_t total = b.len;
	char *text = strbuf_finish(&b);
	if (!text)
		return err_set(e, ENOMEM, "read %s", what);
	*out = text;
	*len = total;
	return 0;
}

int fd_read_file_at(int dir_fd, const char *path, size_t max, char **out, size_t *len,
		    struct err *e)
{
	AUTO_FD int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return err_set(e, errno, "open %s", path);
	return fd_read_all(fd, max, out, len, path, e);
}

int fd_write_all(int fd, const void *data, size_t len, const char *what, struct err *e)
{
	const char *p = data;

	while (len) {
		ssize_t put = write(fd, p, len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_set(e, errno, "write %s", what);
		p += put;
		len -= (size_t)put;
	}
	return 0;
}

int fd_replace_file_at(int dir_fd, const char *name, const void *data, size_t len, mode_t mode,
		       struct err *e)
{
	char tmp[300];

	if ((size_t)snprintf(tmp, sizeof(tmp), ".%s.%d", name, (int)getpid()) >= sizeof(tmp))
		return err_set(e, ENAMETOOLONG, "write %s", name);
	AUTO_FD int fd =
		openat(dir_fd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 && errno == EEXIST && unlinkat(dir_fd, tmp, 0) == 0) /* of a dead process */
		fd = openat(dir_fd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			    0600);
	if (fd < 0)
		return err_set(e, errno, "create %s", tmp);

	int rc = fd_write_all(fd, data, len, name, e);
	if (rc == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
		rc = err_set(e, errno, "write %s", name);
	if (rc == 0 && renameat(dir_fd, tmp, dir_fd, name) < 0)
		rc = err_set(e, errno, "replace %s", name);
	if (rc < 0)
		(void)unlinkat(dir_fd, tmp, 0); /* the error that matters is already in @e */
	return rc;
}
