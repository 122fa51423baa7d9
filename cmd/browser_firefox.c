// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Firefox and its kin: who holds the lock of the profile?
 *
 * A second start with the same profile sends its arguments to the first by D-Bus or X, and ends; neither knows of network
 * namespaces. Who runs with a profile holds a lock of fcntl(2) on .parentlock in it; the symlink `lock` beside it outlives a
 * crash. --no-remote prevents nothing since version 131, --new-instance does.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "browser_internal.h"
#include "wgns/fd.h"
#include "wgns/ini.h"
#include "wgns/str.h"

#define INI_MAX (1u << 20)
#define ENTRIES_MAX 100000

static void close_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

/* as root for somebody else, no link of that user is followed to a file that only root may read */
static int follow_flag(void)
{
	return geteuid() == 0 ? O_NOFOLLOW : 0;
}

/* the profile @dir below @at: is it in use by a process that is not in the box? */
static int check_profile(const struct browser_start *s, int at, const char *dir, struct err *e)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/.parentlock", dir) >= sizeof(path))
		return 0; /* too long for Firefox, too */
	AUTO_FD int fd = browser_open_file(at, path, follow_flag());
	if (fd == -EINVAL || (fd < 0 && browser_is_absent(-fd)))
		return 0;
	if (fd == -EMLINK)
		return err_say(e, ELOOP,
			       "look for a running %s: root does not follow the symlink %s",
			       s->product->name, path);
	if (fd < 0)
		return err_set(e, -fd, "look for a running %s: open %s", s->product->name, path);
	if (fcntl(fd, F_GETLK, &lock) < 0)
		return err_set(e, errno, "look for a running %s: ask for the lock of %s",
			       s->product->name, path);
	if (lock.l_type == F_UNLCK)
		return 0;
	/* not positive: of a process in another pid namespace, or on another machine */
	return browser_judge(s, lock.l_pid > 0 ? lock.l_pid : 0, e);
}

/* every folder in @base, whether profiles.ini has it or not: groups of profiles are kept elsewhere */
static int check_folders(const struct browser_start *s, const char *base, struct err *e)
{
	AUTO_FD int fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && browser_is_absent(errno))
		return 0;
	__attribute__((cleanup(close_dir))) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return err_set(e, errno, "look for a running %s: open %s", s->product->name, base);
	fd = -1; /* it is the stream's now */

	for (int n = 0; n < ENTRIES_MAX; n++) {
		errno = 0;
		const struct dirent *d = readdir(dir);
		if (!d && errno)
			return err_set(e, errno, "look for a running %s: list %s", s->product->name,
				       base);
		if (!d)
			return 0;
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		int rc = check_profile(s, dirfd(dir), d->d_name, e);
		if (rc < 0)
			return rc;
	}
	return err_say(e, E2BIG, "look for a running %s: more than %d entries in %s",
		       s->product->name, ENTRIES_MAX, base);
}

struct listed {
	bool is_profile;
	struct ini_span name, path;
};

/* a section of profiles.ini is over. @name: the profile that is looked for, or NULL for all */
static int check_listed(const struct browser_start *s, const char *base, const char *name,
			const struct listed *l, struct err *e)
{
	char path[PATH_MAX];
	size_t len;

	if (!l->is_profile || !l->path.len)
		return 0;
	if (name && (l->name.len != strlen(name) || memcmp(l->name.s, name, l->name.len) != 0))
		return 0;
	if (l->path.len >= sizeof(path))
		return 0; /* as above */
	int n = (int)l->path.len;
	if (l->path.s[0] == '/')
		len = (size_t)snprintf(path, sizeof(path), "%.*s", n, l->path.s);
	else
		len = (size_t)snprintf(path, sizeof(path), "%s/%.*s", base, n, l->path.s);
	int rc = len < sizeof(path) ? check_profile(s, AT_FDCWD, path, e) : 0;
	return rc < 0 ? rc : 1;
}

/* Return: whether one was found, or -errno */
static int check_ini(const struct browser_start *s, const char *base, const char *name,
		     struct err *e)
{
	AUTO_FREE char *text = NULL;
	struct listed l = { 0 };
	struct ini_line line;
	struct ini ini;
	char path[PATH_MAX];
	size_t len;
	int is_found = 0;

	if ((size_t)snprintf(path, sizeof(path), "%s/profiles.ini", base) >= sizeof(path))
		return 0;
	AUTO_FD int fd = browser_open_file(AT_FDCWD, path, follow_flag());
	if (fd < 0) /* the folders are looked at all the same */
		return 0;
	if (fd_read_all(fd, INI_MAX, &text, &len, path, e) < 0)
		return err_context(e, "look for a running %s", s->product->name);
	ini_begin(&ini, text, len);
	for (bool is_last = false; !is_last;) {
		is_last = !ini_next(&ini, &line);
		if (is_last || line.is_section) {
			int rc = check_listed(s, base, name, &l, e);
			if (rc < 0)
				return rc;
			is_found |= rc;
			l = (struct listed){ 0 };
		}
		if (is_last)
			break;
		if (line.is_section)
			l.is_profile =
				line.key.len > 8 && strncasecmp(line.key.s, "[Profile", 8) == 0;
		else if (ini_is(line.key, "Name"))
			l.name = line.whole;
		else if (ini_is(line.key, "Path"))
			l.path = line.whole;
	}
	return is_found;
}

/* all folders in which a profile may be; with @name those of that name. Return: whether it was found, or -errno */
static int check_all(const struct browser_start *s, const char *name, struct err *e)
{
	const char *const *dirs = s->product->dirs;
	char base[PATH_MAX];
	int is_found = 0;

	for (size_t i = 0; i < sizeof(s->product->dirs) / sizeof(dirs[0]) && dirs[i]; i++) {
		if (!browser_dir(s, dirs[i], base))
			continue;
		int rc = name ? 0 : check_folders(s, base, e);
		if (rc == 0)
			rc = check_ini(s, base, name, e);
		if (rc < 0)
			return rc;
		is_found |= rc;
	}
	return is_found;
}

/* the value of --NAME VALUE, or --NAME=VALUE; NULL when there is none */
static const char *value_of(const struct browser_start *s, const char *name)
{
	for (char *const *arg = s->args; *arg; arg++) {
		const char *value = browser_option(BROWSER_FIREFOX, *arg, name);
		if (!value)
			continue;
		if (value[0])
			return value + 1;
		return arg[1] && arg[1][0] != '-' ? arg[1] : NULL;
	}
	return NULL;
}

static bool has_flag(const struct browser_start *s, const char *name)
{
	for (char *const *arg = s->args; *arg; arg++) {
		const char *rest = browser_option(BROWSER_FIREFOX, *arg, name);
		if (rest && !rest[0])
			return true;
	}
	return false;
}

int browser_check_firefox(const struct browser_start *s, struct err *e)
{
	/* which it sets for itself when it restarts, and which is stronger than --profile */
	const char *dir = getenv("XRE_PROFILE_PATH"), *name;
	int rc = 0;

	if (has_flag(s, "new-instance"))
		return 0; /* whose profile is in use says so and ends */
	if (!dir || !dir[0])
		dir = value_of(s, "profile");
	if (dir)
		return check_profile(s, AT_FDCWD, dir, e);
	name = value_of(s, "P");
	if (name)
		rc = check_all(s, name, e);
	if (rc == 0) /* which one it would take is not known, or the user chooses */
		rc = check_all(s, NULL, e);
	return rc < 0 ? rc : 0;
}
