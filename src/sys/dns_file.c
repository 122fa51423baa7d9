// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /etc/resolv.conf in our own hands, where no other program manages it
 *
 * What was there first is kept beside it under DNS_ASIDE_NAME, as the same inode (a hard link, then a rename over the
 * name), so that the undo is one rename and nothing is lost: not the owner, not the time, not a symlink's text. Our
 * own text carries its length and checksum in its first line. So the two names alone say at any moment, even after
 * SIGKILL or a power cut that emptied /run, what is ours and what was there:
 *
 *	resolv.conf	aside		meaning
 *	ours		there		ours is in force, the original is aside
 *	ours		absent		ours is in force, there was none before
 *	another's	there		not begun, or somebody replaced ours: the aside is of no use any more
 *	another's	absent		nothing of ours
 *	absent		there		somebody removed ours
 *
 * A resolv.conf that is a mount point (containers) cannot be renamed: there the aside is a copy, and the file is
 * written in place. While that is done WRITING_NAME exists, and then the file counts as ours whatever is in it.
 */
#include "dns_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wgns/fd.h"
#include "wgns/str.h"

#define NEW_NAME ".resolv.conf.wgns-new"
#define WRITING_NAME ".resolv.conf.wgns-writing"
#define MAGIC "# wgns: "

enum present { PRESENT_NONE, PRESENT_OURS, PRESENT_OTHER };

/* FNV-1a, 64 bits (draft-eastlake-fnv-17): against a hand's edit, not against an attacker, who would be root */
static uint64_t checksum(const char *text)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3u;
	return h;
}

bool dns_file_is_ours(const char *text)
{
	char line[sizeof(MAGIC) + 64];
	const char *newline = strchr(text, '\n');

	if (!newline || strncmp(text, MAGIC, strlen(MAGIC)) != 0)
		return false;
	(void)snprintf(line, sizeof(line), MAGIC "%016" PRIx64 "\n", checksum(newline + 1));
	return strncmp(text, line, strlen(line)) == 0;
}

char *dns_file_text(const struct dns_conf *conf)
{
	AUTO_STRBUF struct strbuf body = { 0 }, text = { 0 };
	char server[ADDR_TEXT_MAX];

	strbuf_addf(&body, "# %s is up: `wgns down %s` gives back the file that was here before.\n",
		    conf->ifname, conf->ifname);
	for (size_t i = 0; i < conf->n_servers; i++) {
		addr_format(&conf->servers[i], server);
		strbuf_addf(&body, "nameserver %s\n", server);
	}
	for (size_t i = 0; i < conf->n_search; i++)
		strbuf_addf(&body, "%s%s%s", i ? " " : "search ", conf->search[i],
			    i + 1 == conf->n_search ? "\n" : "");
	if (body.is_failed)
		return NULL;
	strbuf_addf(&text, MAGIC "%016" PRIx64 "\n%s", checksum(body.s), body.s);
	return strbuf_finish(&text);
}

static bool is_there(int etc_fd, const char *name)
{
	struct stat st;

	return fstatat(etc_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static enum present inspect(int etc_fd, char **text)
{
	struct err why;
	size_t len;

	*text = NULL;
	int rc = fd_read_file_at(etc_fd, DNS_FILE_NAME, DNS_TEXT_MAX, text, &len, &why);
	if (is_there(etc_fd, WRITING_NAME))
		return PRESENT_OURS;
	if (rc == -ENOENT)
		return PRESENT_NONE;
	return rc == 0 && dns_file_is_ours(*text) ? PRESENT_OURS : PRESENT_OTHER;
}

static int open_etc(struct err *e)
{
	int fd = open(DNS_ETC, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_set(e, errno, "open %s", DNS_ETC) : fd;
}

static int fail(struct err *e, const char *what)
{
	int code = errno;

	err_set(e, code, "%s %s/%s", what, DNS_ETC, DNS_FILE_NAME);
	if (code == EROFS)
		err_hint(e, "%s is read-only: leave DNS= out of the file, or install resolvconf",
			 DNS_ETC);
	if (code == EPERM)
		err_hint(e, "lsattr %s/%s: an immutable file must be released with chattr -i",
			 DNS_ETC, DNS_FILE_NAME);
	return -code;
}

/* absent is success, on a read-only file system too, where unlink(2) says EROFS of every name */
static int drop(int etc_fd, const char *name, struct err *e)
{
	if (!is_there(etc_fd, name))
		return 0;
	if (unlinkat(etc_fd, name, 0) < 0 && errno != ENOENT)
		return err_set(e, errno, "remove %s/%s", DNS_ETC, name);
	return 0;
}

static int write_new(int etc_fd, const char *text, size_t len, const struct stat *like,
		     struct err *e)
{
	int rc = drop(etc_fd, NEW_NAME, e);

	if (rc < 0) {
		errno = -rc;
		return fail(e, "replace");
	}
	AUTO_FD int fd = openat(etc_fd, NEW_NAME,
				O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(e, "replace");
	rc = fd_write_all(fd, text, len, DNS_ETC "/" NEW_NAME, e);
	if (rc < 0)
		return rc;
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
					   like ? like->st_mtim
						: (struct timespec){ .tv_nsec = UTIME_NOW } };
	if (fchmod(fd, like ? like->st_mode & 07777 : 0644) < 0 || futimens(fd, times) < 0 ||
	    fsync(fd) < 0)
		return fail(e, "replace");
	return 0;
}

/* only for a mount point; @like gives the time of modification back */
static int write_in_place(int etc_fd, const char *text, size_t len, const struct stat *like,
			  struct err *e)
{
	/* opened before it is marked: a file that cannot be written is then as it was, and not marked */
	AUTO_FD int fd = openat(etc_fd, DNS_FILE_NAME, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail(e, "write");
	AUTO_FD int mark_fd =
		openat(etc_fd, WRITING_NAME, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (mark_fd < 0)
		return fail(e, "write");
	int rc = fd_write_all(fd, text, len, DNS_ETC "/" DNS_FILE_NAME, e);
	if (rc == 0 && (ftruncate(fd, (off_t)len) < 0 || fsync(fd) < 0))
		rc = fail(e, "write");
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
					   like ? like->st_mtim
						: (struct timespec){ .tv_nsec = UTIME_NOW } };
	if (rc == 0 && futimens(fd, times) < 0)
		rc = fail(e, "write");
	/* a torn one stays marked, for the undo */
	return rc < 0 ? rc : drop(etc_fd, WRITING_NAME, e);
}

static int read_with_stat(int etc_fd, const char *name, char **text, size_t *len, struct stat *st,
			  struct err *e)
{
	if (fstatat(etc_fd, name, st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(e, errno, "stat %s/%s", DNS_ETC, name);
	return fd_read_file_at(etc_fd, name, DNS_TEXT_MAX, text, len, e);
}

static int first_in_place(int etc_fd, const char *text, struct err *e)
{
	AUTO_FREE char *original = NULL;
	struct stat st;
	size_t len;

	int rc = read_with_stat(etc_fd, DNS_FILE_NAME, &original, &len, &st, e);
	if (rc == 0)
		rc = write_new(etc_fd, original, len, &st, e);
	if (rc == 0 && renameat(etc_fd, NEW_NAME, etc_fd, DNS_ASIDE_NAME) < 0)
		rc = fail(e, "save");
	return rc < 0 ? rc : write_in_place(etc_fd, text, strlen(text), NULL, e);
}

/* what is there is not ours: it goes aside */
static int put_first(int etc_fd, const char *text, struct err *e)
{
	int rc = drop(etc_fd, DNS_ASIDE_NAME, e);

	if (rc == 0)
		rc = write_new(etc_fd, text, strlen(text), NULL, e);
	if (rc < 0)
		return rc;
	if (linkat(etc_fd, DNS_FILE_NAME, etc_fd, DNS_ASIDE_NAME, 0) < 0 && errno != ENOENT) {
		/* EXDEV: link(2) does not cross a mount point, even to the same file system */
		return errno == EXDEV ? first_in_place(etc_fd, text, e) : fail(e, "save");
	}
	if (renameat(etc_fd, NEW_NAME, etc_fd, DNS_FILE_NAME) < 0)
		return fail(e, "replace");
	return fsync(etc_fd) < 0 ? fail(e, "replace") : 0;
}

static int put_again(int etc_fd, const char *text, struct err *e)
{
	int rc = write_new(etc_fd, text, strlen(text), NULL, e);

	if (rc < 0)
		return rc;
	if (renameat(etc_fd, NEW_NAME, etc_fd, DNS_FILE_NAME) == 0)
		return 0;
	if (errno != EBUSY)
		return fail(e, "replace");
	rc = write_in_place(etc_fd, text, strlen(text), NULL, e);
	return rc < 0 ? rc : drop(etc_fd, NEW_NAME, e);
}

/* ours is in force, or nothing is there: the original comes back */
static int give_back(int etc_fd, struct err *e)
{
	AUTO_FREE char *original = NULL;
	struct stat st;
	size_t len;

	if (!is_there(etc_fd, DNS_ASIDE_NAME))
		return drop(etc_fd, DNS_FILE_NAME, e);
	if (renameat(etc_fd, DNS_ASIDE_NAME, etc_fd, DNS_FILE_NAME) == 0)
		return fsync(etc_fd) < 0 ? fail(e, "give back") : 0;
	if (errno != EBUSY)
		return fail(e, "give back");
	int rc = read_with_stat(etc_fd, DNS_ASIDE_NAME, &original, &len, &st, e);
	if (rc == 0)
		rc = write_in_place(etc_fd, original, len, &st, e);
	return rc < 0 ? rc : drop(etc_fd, DNS_ASIDE_NAME, e);
}

int dns_file_settle(const char *text, bool can_begin, struct err *e)
{
	AUTO_FREE char *now = NULL;
	int rc = 0;

	AUTO_FD int etc_fd = open_etc(e);
	if (etc_fd < 0)
		return etc_fd;

	switch (inspect(etc_fd, &now)) {
	case PRESENT_OURS:
		if (!text)
			rc = give_back(etc_fd, e);
		else if (!now || strcmp(now, text) != 0 || is_there(etc_fd, WRITING_NAME))
			rc = put_again(etc_fd, text, e);
		break;
	case PRESENT_NONE:
		if (is_there(etc_fd, DNS_ASIDE_NAME))
			rc = give_back(etc_fd, e);
		if (rc == 0 && can_begin)
			rc = put_first(etc_fd, text, e);
		break;
	case PRESENT_OTHER:
		rc = can_begin ? put_first(etc_fd, text, e) : drop(etc_fd, DNS_ASIDE_NAME, e);
		break;
	}
	if (rc == 0 && !can_begin)
		rc = drop(etc_fd, NEW_NAME, e);
	/* of a write that was torn: what is there now is right */
	if (rc == 0)
		rc = drop(etc_fd, WRITING_NAME, e);
	return rc;
}

bool dns_file_has_remains(void)
{
	AUTO_FREE char *now = NULL;
	struct err ignored; /* no /etc, no remains */
	AUTO_FD int etc_fd = open_etc(&ignored);

	return etc_fd >= 0 &&
	       (inspect(etc_fd, &now) == PRESENT_OURS || is_there(etc_fd, DNS_ASIDE_NAME) ||
		is_there(etc_fd, NEW_NAME) || is_there(etc_fd, WRITING_NAME));
}
