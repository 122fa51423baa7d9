// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/agentpublish.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "wgns/agentfile.h"
#include "wgns/fd.h"
#include "wgns/leasetext.h"
#include "wgns/state.h"
#include "wgns/str.h"

#define BOX_RESOLV "box/physical/etc/resolv.conf"
#define HEAD "# written by wgns: what the uplinks' leases say\n"

/* what all agents know */
static int merge(int run_fd, int dir_fd, struct strbuf *out, struct err *e)
{
	char file[AGENTFILE_NAME_MAX + 16], **names = NULL;
	struct strbuf *texts = NULL;
	size_t n = 0;

	int rc = agentfile_names(run_fd, ".resolv", &names, &n, e);
	if (rc == 0) {
		texts = calloc(n + 1, sizeof(*texts));
		if (!texts)
			rc = err_set(e, ENOMEM, "write " STATE_DIR "/" BOX_RESOLV);
	}
	for (size_t i = 0; rc == 0 && i < n; i++) {
		AUTO_FREE char *text = NULL;
		struct err ignored; /* its agent is just ending */
		size_t len;
		(void)snprintf(file, sizeof(file), "%s.resolv", names[i]);
		if (fd_read_file_at(dir_fd, file, LEASETEXT_MAX, &text, &len, &ignored) == 0)
			strbuf_add(&texts[i], text, len);
	}
	if (rc == 0)
		leasetext_merge(texts, n, out);
	for (size_t i = 0; texts && i < n; i++)
		strbuf_free(&texts[i]);
	free(texts);
	str_list_free(&names, &n);
	return rc;
}

/* never empty, not even for a moment: a resolver that finds no server asks this machine itself */
static int write_in_place(int run_fd, const struct strbuf *text, struct err *e)
{
	AUTO_FD int fd = state_openat(run_fd, BOX_RESOLV, O_WRONLY, e);

	if (fd < 0)
		return fd;
	ssize_t n = pwrite(fd, text->s, text->len, 0);
	if (n >= 0 && (size_t)n != text->len)
		errno = ENOSPC;
	if (n < 0 || (size_t)n != text->len || ftruncate(fd, (off_t)text->len) < 0)
		return err_set(e, errno, "write " STATE_DIR "/" BOX_RESOLV);
	return 0;
}

int agentpublish_resolv(int run_fd, const char *name, const char *text, size_t len, struct err *e)
{
	AUTO_STRBUF struct strbuf own = { 0 };
	AUTO_STRBUF struct strbuf merged = { 0 };
	char file[AGENTFILE_NAME_MAX + 16];

	leasetext_resolv(text, len, &own);
	AUTO_FD int dir_fd = state_openat(run_fd, AGENTFILE_DIR, O_RDONLY | O_DIRECTORY, e);
	if (dir_fd < 0)
		return dir_fd;
	if (flock(dir_fd, LOCK_EX) < 0)
		return err_set(e, errno, "lock " STATE_DIR "/" AGENTFILE_DIR);
	(void)snprintf(file, sizeof(file), "%s.resolv", name);
	int rc = own.is_failed
			 ? err_set(e, ENOMEM, "write %s", file)
			 : fd_replace_file_at(dir_fd, file, own.s ? own.s : "", own.len, 0600, e);
	strbuf_addf(&merged, HEAD);
	if (rc == 0)
		rc = merge(run_fd, dir_fd, &merged, e);
	if (rc < 0)
		return rc;
	if (merged.is_failed)
		return err_set(e, ENOMEM, "write " STATE_DIR "/" BOX_RESOLV);
	return strstr(merged.s, "nameserver ") ? write_in_place(run_fd, &merged, e) : 0;
}

int agentpublish_lease(int run_fd, const char *device, const char *text_or_null, size_t len,
		       struct err *e)
{
	char path[sizeof(AGENTFILE_LEASES) + IFNAMSIZ + 1];
	AUTO_STRBUF struct strbuf out = { 0 };
	struct leasetext lease;

	(void)snprintf(path, sizeof(path), AGENTFILE_LEASES "/%.15s", device);
	if (!text_or_null) {
		if (unlinkat(run_fd, path, 0) < 0 && errno != ENOENT)
			return err_set(e, errno, "remove " STATE_DIR "/%s", path);
		return 0;
	}
	leasetext_read(text_or_null, len, &lease);
	leasetext_write(&lease, &out);
	if (out.is_failed)
		return err_set(e, ENOMEM, "write " STATE_DIR "/%s", path);
	AUTO_FD int dir_fd = state_openat(run_fd, AGENTFILE_LEASES, O_RDONLY | O_DIRECTORY, e);
	return dir_fd < 0
		       ? dir_fd
		       : fd_replace_file_at(dir_fd, device, out.s ? out.s : "", out.len, 0644, e);
}
