// SPDX-License-Identifier: GPL-2.0-or-later
/* from what the user wrote to the bytes of the file */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trust.h"
#include "wgns/fd.h"
#include "wgns/str.h"
#include "wgns/wgquick.h"

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_=+.-"

static bool is_name(const char *s, size_t len)
{
	return len >= 1 && len < IFNAMSIZ && strspn(s, NAME_CHARS) >= len;
}

/* the kernel's own rules come on top: dev_valid_name(), sysctl_dev_name_is_allowed() */
static int check_name(const char *s, size_t len, struct err *e)
{
	static const char *const reserved[] = { ".", "..", "all", "default" };

	if (len == 0)
		return err_say(e, EINVAL, "there is no interface name before `.conf'");
	if (len >= IFNAMSIZ)
		return err_say(
			e, EINVAL,
			"the interface name `%.*s' has %zu characters, at most %d are allowed",
			len < 64 ? (int)len : 64, s, len, IFNAMSIZ - 1);
	if (!is_name(s, len))
		return err_say(e, EINVAL,
			       "the interface name `%.*s' may only have letters, digits and _=+.-",
			       (int)len, s);
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		if (strlen(reserved[i]) == len && memcmp(reserved[i], s, len) == 0)
			return err_say(e, EINVAL, "the kernel takes no interface called `%s'",
				       reserved[i]);
	}
	return 0;
}

int wgquick_resolve_path(const char *arg, const char *dir, char **path, char name[IFNAMSIZ],
			 struct err *e)
{
	AUTO_STRBUF struct strbuf b = { 0 };
	const char *slash = strrchr(arg, '/');
	const char *base = slash ? slash + 1 : arg;
	size_t len = strlen(base);

	if (!slash && is_name(base, len)) {
		strbuf_addf(&b, "%s/%s.conf", dir, arg);
	} else {
		if (len < 5 || strcmp(base + len - 5, ".conf") != 0) {
			int rc = err_say(e, EINVAL, "%s: neither a tunnel's name nor a FILE.conf",
					 arg);
			if (!slash && len >= IFNAMSIZ && strspn(base, NAME_CHARS) == len)
				err_hint(e, "a name has at most %d characters, this has %zu",
					 IFNAMSIZ - 1, len);
			return rc;
		}
		len -= 5;
		strbuf_addf(&b, "%s", arg);
	}
	int rc = check_name(base, len, e);
	if (rc < 0)
		return err_context(e, "%s", arg);
	char *owned = strbuf_finish(&b);
	if (!owned)
		return err_set(e, ENOMEM, "%s", arg);
	memcpy(name, base, len);
	name[len] = '\0';
	*path = owned;
	return 0;
}

static const char *kind_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "a folder";
	case S_IFIFO:
		return "a FIFO";
	case S_IFSOCK:
		return "a socket";
	case S_IFCHR:
	case S_IFBLK:
		return "a device";
	}
	return "not a regular file";
}

static void warn_exposed(const struct stat *st, const struct stat *parent, struct diag_list *diags)
{
	bool can_pass = !parent->st_mode || (parent->st_mode & S_IXOTH);
	bool can_group_pass = can_pass || (parent->st_mode & S_IXGRP);

	if (st->st_mode & S_IROTH && can_pass)
		diag_add(
			diags, DIAG_WARNING, 0, 0,
			"the file is world-readable and may hold keys: chmod go= makes it private");
	else if (st->st_mode & S_IRGRP && can_group_pass)
		diag_add(
			diags, DIAG_WARNING, 0, 0,
			"the file is group-readable and may hold keys: chmod go= makes it private");
	if (st->st_mode & S_IWOTH && can_pass)
		diag_add(diags, DIAG_WARNING, 0, 0, "the file is world-writable");
	else if (st->st_mode & S_IWGRP && can_group_pass)
		diag_add(diags, DIAG_WARNING, 0, 0, "the file is group-writable");
}

static int fail_open(const char *path, int code, struct err *e)
{
	size_t len = strlen(path);
	int rc = err_set(e, code, "open %s", path);

	if (code == ENOENT && len > 10 && strcmp(path + len - 10, ".conf.conf") == 0)
		err_hint(e,
			 "a name without a slash means a file of %.*s; ./NAME.conf means one that "
			 "is here",
			 (int)(strrchr(path, '/') ? strrchr(path, '/') - path : 0), path);
	else if (code == EACCES)
		err_hint(e, "only root may read it");
	return rc;
}

int wgquick_read(const char *path, struct wgquick_file *out, struct diag_list *diags, struct err *e)
{
	struct wgquick_file file = { 0 };
	struct stat st, parent;

	/* O_NONBLOCK: the other end of a FIFO is not waited for (open(2)) */
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return fail_open(path, errno, e);
	if (fstat(fd, &st) < 0)
		return err_set(e, errno, "stat %s", path);
	if (!S_ISREG(st.st_mode))
		return err_say(e, S_ISDIR(st.st_mode) ? EISDIR : EINVAL, "%s is %s, not a file",
			       path, kind_of(st.st_mode));
	file.is_trusted = trust_check(fd, &st, &parent, file.untrusted, sizeof(file.untrusted));
	file.dev = st.st_dev;
	file.ino = st.st_ino;
	int rc = fd_read_all(fd, WGQUICK_FILE_MAX, &file.text, &file.len, path, e);
	if (rc < 0)
		return rc;
	warn_exposed(&st, &parent, diags);
	*out = file;
	return 0;
}

void wgquick_file_free(struct wgquick_file *file)
{
	if (file->text)
		str_wipe(file->text, file->len);
	free(file->text);
	*file = (struct wgquick_file){ 0 };
}
