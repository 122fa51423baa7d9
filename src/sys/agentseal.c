// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/agentseal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wgns/compiled.h"
#include "wgns/seal.h"

/* what an agent writes to /etc: a resolv.conf, perhaps a configuration */
#define UPPER_OPTIONS "mode=0755,size=4m,nr_inodes=1024"

static int cover(const char *path, const char *options)
{
	return mount("wgns", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) < 0 ? -errno
											   : 0;
}

static int make_etc(const char *dir, const char *source)
{
	char upper[PATH_MAX], options[3 * PATH_MAX];

	if ((size_t)snprintf(upper, sizeof(upper), "%s/" SEAL_FRESH_NAME, dir) >=
		    sizeof(upper) - 8 ||
	    (size_t)snprintf(options, sizeof(options),
			     "lowerdir=%s/etc:/etc,upperdir=%s/etc,workdir=%s/work", dir, upper,
			     upper) >= sizeof(options))
		return -ENAMETOOLONG;
	int rc = cover(upper, UPPER_OPTIONS);
	if (rc < 0)
		return rc;
	(void)strcat(upper, "/etc"); /* there is room for it */
	if (mkdir(upper, 0755) < 0)
		return -errno;
	(void)strcpy(upper + strlen(upper) - strlen("etc"), "work");
	if (mkdir(upper, 0700) < 0)
		return -errno;
	/* without the overlay of seal_enter(): the kernel stacks only two (FILESYSTEM_MAX_STACK_DEPTH) */
	if (umount2("/etc", 0) < 0)
		return -errno;
	return mount(source, "/etc", "overlay", MS_NOSUID | MS_NODEV, options) < 0 ? -errno : 0;
}

/* a folder that is not there needs no cover, nor does one that somebody made a link to what is covered already */
static int cover_folder(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	return S_ISDIR(st.st_mode) ? cover(path, "mode=0755,size=1m,nr_inodes=256") : 0;
}

int agentseal_enter(int ns_fd, const char *dir, unsigned options, const char *source,
		    const char **what)
{
	int rc = seal_enter(ns_fd, dir, options, 0, what);

	if (rc < 0)
		return rc;
	*what = "mount a writable overlay on /etc";
	rc = make_etc(dir, source);
	if (rc < 0)
		return rc;
	*what = "hide home's resolvconf";
	rc = cover_folder("/run/resolvconf");
	if (rc < 0 || !(options & COMPILED_HIDE_BUS))
		return rc;
	*what = "hide /run/systemd";
	return cover_folder("/run/systemd");
}
