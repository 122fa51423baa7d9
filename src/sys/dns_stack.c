// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * several tunnels with DNS= and one /etc/resolv.conf
 *
 * Each tunnel keeps its text in its own folder with its place in the order, so that any of them can go first.
 */
#include "dns_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wgns/fd.h"
#include "wgns/str.h"

#define RECORD_NAME "dns" /* in the tunnel's folder: a line with the order, then the text */

struct record {
	unsigned long long order; /* 0: none */
	char *text; /* owned */
};

static void record_free(struct record *r)
{
	free(r->text);
}

/* a record that is absent or damaged is none */
static void read_record(int dir_fd, struct record *out)
{
	AUTO_FREE char *text = NULL;
	struct err ignored;
	unsigned long long order;
	size_t len;

	*out = (struct record){ 0 };
	if (dir_fd < 0 ||
	    fd_read_file_at(dir_fd, RECORD_NAME, DNS_TEXT_MAX, &text, &len, &ignored) < 0)
		return;
	char *newline = strchr(text, '\n');
	if (!newline)
		return;
	*newline = '\0';
	if (str_to_u64(text, UINT32_MAX, &order) < 0 || !dns_file_is_ours(newline + 1))
		return;
	*out = (struct record){ .order = order, .text = strdup(newline + 1) };
}

static void close_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir); /* it was only read */
}

/* the record of the other tunnel that was set last; the folders of all tunnels stand side by side */
static int top_of_others(int state_fd, struct record *out, struct err *e)
{
	__attribute__((cleanup(record_free))) struct record top = { 0 };
	const struct dirent *entry;
	struct stat self, st;

	*out = (struct record){ 0 };
	if (state_fd < 0)
		return 0;
	int list_fd = openat(state_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	__attribute__((cleanup(close_dir))) DIR *dir = list_fd < 0 ? NULL : fdopendir(list_fd);
	if (!dir || fstat(state_fd, &self) < 0) {
		int rc = err_set(e, errno, "list the tunnels with DNS=");
		if (list_fd >= 0 && !dir)
			(void)close(list_fd); /* it was only read */
		return rc;
	}
	for (entry = readdir(dir); entry; entry = readdir(dir)) {
		if (entry->d_name[0] == '.')
			continue;
		AUTO_FD int fd = openat(dirfd(dir), entry->d_name,
					O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st) < 0 ||
		    (st.st_dev == self.st_dev && st.st_ino == self.st_ino))
			continue;
		__attribute__((cleanup(record_free))) struct record r = { 0 };
		read_record(fd, &r);
		if (r.order > top.order) {
			struct record lower = top;
			top = r;
			r = lower;
		}
	}
	*out = top;
	top = (struct record){ 0 };
	return 0;
}

int dns_file_unset(int state_fd, struct err *e)
{
	__attribute__((cleanup(record_free))) struct record top = { 0 };
	int rc = top_of_others(state_fd, &top, e);
	if (rc == 0)
		rc = dns_file_settle(top.text, false, e);
	/* last, so that a crash before it leads here again */
	if (rc == 0 && state_fd >= 0 && unlinkat(state_fd, RECORD_NAME, 0) < 0 && errno != ENOENT)
		rc = err_set(e, errno, "forget the tunnel's DNS=");
	return rc;
}

int dns_file_set(int state_fd, const struct dns_conf *conf, struct err *e)
{
	__attribute__((cleanup(record_free))) struct record top = { 0 };
	AUTO_FREE char *text = dns_file_text(conf);
	AUTO_STRBUF struct strbuf record = { 0 };
	struct err ignored; /* the first error is the one to tell */

	if (!text)
		return err_set(e, ENOMEM, "write %s/%s", DNS_ETC, DNS_FILE_NAME);
	int rc = top_of_others(state_fd, &top, e);
	if (rc < 0)
		return rc;
	strbuf_addf(&record, "%llu\n%s", top.order + 1, text);
	if (record.is_failed)
		return err_set(e, ENOMEM, "write %s/%s", DNS_ETC, DNS_FILE_NAME);
	if (record.len > DNS_TEXT_MAX)
		return err_set(e, EFBIG, "write %s/%s", DNS_ETC, DNS_FILE_NAME);
	rc = fd_replace_file_at(state_fd, RECORD_NAME, record.s, record.len, 0600, e);
	if (rc == 0)
		rc = dns_file_settle(text, true, e);
	if (rc < 0)
		(void)dns_file_unset(state_fd, &ignored);
	return rc;
}
