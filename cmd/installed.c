// SPDX-License-Identifier: GPL-2.0-or-later
#include "installed.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef WGNS_LIBEXECDIR
#define WGNS_LIBEXECDIR "/usr/local/libexec/wgns"
#endif
#ifndef WGNS_DATADIR
#define WGNS_DATADIR "/usr/local/share/wgns"
#endif
#define HELPER "/wgns-exec"
#define PROBE "/wgns-portal"
#define PROFILES "/profiles"
#define SCRIPTS "/agents"
#define LONGEST_NAME sizeof(PROBE)

static bool is_roots_alone(const char *path, mode_t type)
{
	struct stat st;

	return lstat(path, &st) == 0 && (st.st_mode & S_IFMT) == type && st.st_uid == 0 &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/* the folder of this program, with room for a name behind it; 0 when it cannot be told */
static size_t own_folder(char path[PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - LONGEST_NAME);

	if (len <= 0)
		return 0;
	path[len] = '\0';
	char *slash = strrchr(path, '/');
	if (!slash)
		return 0;
	*slash = '\0';
	return (size_t)(slash - path);
}

/* @name: with a slash in front */
static void find_part(const char *name, char out[PATH_MAX])
{
	size_t len = own_folder(out);

	if (len && is_roots_alone(out, S_IFDIR)) {
		memcpy(out + len, name, strlen(name) + 1);
		if (is_roots_alone(out, S_IFREG))
			return;
	}
	(void)snprintf(out, PATH_MAX, "%s%s", WGNS_LIBEXECDIR, name); /* fits */
}

void installed_helper(char out[PATH_MAX])
{
	find_part(HELPER, out);
}

void installed_probe(char out[PATH_MAX])
{
	find_part(PROBE, out);
}

/* profiles grant rights when root uses them: every folder up to / has to be root's alone, as for wgns.conf(5) */
static bool is_path_roots_alone(const char *path)
{
	char part[PATH_MAX];

	for (const char *end = strchr(path + 1, '/'); end; end = strchr(end + 1, '/')) {
		(void)snprintf(part, sizeof(part), "%.*s", (int)(end - path),
			       path); /* a part of it */
		if (!is_roots_alone(part, S_IFDIR))
			return false;
	}
	return is_roots_alone("/", S_IFDIR) && is_roots_alone(path, S_IFDIR);
}

void installed_scripts(char out[PATH_MAX])
{
	size_t len = own_folder(out);

	if (len)
		memcpy(out + len, SCRIPTS, sizeof(SCRIPTS));
	if (!len || !is_path_roots_alone(out))
		(void)snprintf(out, PATH_MAX, "%s", WGNS_LIBEXECDIR SCRIPTS); /* fits */
}

void installed_profiles(char shipped[PATH_MAX], const char *dirs[INSTALLED_PROFILE_DIRS])
{
	size_t len = own_folder(shipped);

	if (len)
		memcpy(shipped + len, PROFILES, sizeof(PROFILES));
	if (!len || !is_path_roots_alone(shipped))
		(void)snprintf(shipped, PATH_MAX, "%s", WGNS_DATADIR PROFILES); /* fits */
	dirs[0] = INSTALLED_OWN_PROFILES;
	dirs[1] = shipped;
}
