// SPDX-License-Identifier: GPL-2.0-or-later
/* what no journal knows of, and what marks it as ours */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "change_internal.h"
#include "wgns/fd.h"
#include "wgns/folder.h"
#include "wgns/guard.h"
#include "wgns/op.h"
#include "wgns/str.h"

#define MOUNTINFO_MAX (1u << 26)

static bool is_recorded(const struct state_tunnel *tunnels, size_t n, const char *birth)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(tunnels[i].device.birth_name, birth) == 0)
			return true;
	}
	return false;
}

void sweep_births(struct recovery *r)
{
	const struct op_env *env = r->env;
	struct state_tunnel *tunnels = NULL;
	char **births = NULL;
	size_t n = 0, n_births = 0;
	struct err why;

	int rc = state_tunnels(env->run_fd, &tunnels, &n, &why);
	if (rc == 0)
		rc = backend_find_births(env->physical_fd, env->home_fd, &births, &n_births, &why);
	if (rc < 0)
		recovery_left(r, "devices and sockets without a record", &why);
	for (size_t i = 0; rc == 0 && i < n_births; i++) {
		if (is_recorded(tunnels, n, births[i]))
			continue;
		if (backend_end_birth(births[i], env->physical_fd, env->home_fd, &why) < 0)
			recovery_left(r, births[i], &why);
		else
			recovery_done(r, "%s: a device, daemon or socket without a record",
				      births[i]);
	}
	str_list_free(&births, &n_births);
	free(tunnels);
}

/* ".meta.1234": see fd_replace_file_at(). The lock is ours, so nobody is writing it. */
static bool is_unfinished(const char *name)
{
	const char *dot = strrchr(name, '.');

	return name[0] == '.' && dot != name && isdigit((unsigned char)dot[1]) &&
	       dot[1 + strspn(dot + 1, "0123456789")] == '\0';
}

static void sweep_folder(struct recovery *r, const char *path)
{
	const struct dirent *entry;
	struct err why;
	int fd = state_openat(r->env->run_fd, path, O_RDONLY | O_DIRECTORY, &why);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		fd_close_indirect(&fd);
		return; /* not there */
	}
	for (entry = readdir(dir); entry; entry = readdir(dir)) {
		if (!is_unfinished(entry->d_name))
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) == 0) {
			recovery_done(r, "%s/%s/%s", STATE_DIR, path, entry->d_name);
		} else {
			(void)err_set(&why, errno, "remove it");
			recovery_left(r, entry->d_name, &why);
		}
	}
	(void)closedir(dir); /* it was only read */
}

void sweep_files(struct recovery *r)
{
	static const char *const folders[] = { OP_BOX_PATH, OP_BOX_PATH "/etc", "profile" };
	struct state_tunnel *tunnels = NULL;
	char path[STATE_PLACE_MAX + IFNAMSIZ + 16];
	struct err why;
	size_t n = 0;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		sweep_folder(r, folders[i]);
	if (state_tunnels(r->env->run_fd, &tunnels, &n, &why) < 0)
		recovery_left(r, "unfinished files", &why);
	for (size_t i = 0; i < n; i++) {
		state_tunnel_path(tunnels[i].place, tunnels[i].device.name, path, sizeof(path));
		sweep_folder(r, path);
	}
	free(tunnels);
	int n_links = backend_sweep_links(&why);
	if (n_links < 0)
		recovery_left(r, "unfinished links to sockets", &why);
	for (int i = 0; i < n_links; i++)
		recovery_done(r, "an unfinished link to a socket");
}

/* proc_pid_mountinfo(5): "... ROOT MOUNT-POINT ... - TYPE SOURCE ...": an empty file system of the helper's on @path? */
static bool has_mask(char *mountinfo, const char *path)
{
	char root[8], place[128], type[8];
	char *rest = mountinfo;

	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		const char *end = strstr(line, " - ");
		if (end && sscanf(line, "%*s %*s %*s %7s %127s", root, place) == 2 &&
		    sscanf(end + 3, "%7s", type) == 1 && strcmp(root, "/") == 0 &&
		    strcmp(place, path) == 0 && strcmp(type, "tmpfs") == 0)
			return true;
	}
	return false;
}

/* a program that `down --force` left behind, in a mount namespace of its own, has a mask on it */
static bool is_relied_on(const char *path)
{
	DIR *dir = opendir("/proc");
	const struct dirent *entry;
	bool is_used = false;

	if (!dir)
		return true;
	for (entry = readdir(dir); entry && !is_used; entry = readdir(dir)) {
		AUTO_FREE char *text = NULL;
		struct err ignored; /* it has ended meanwhile */
		char file[300];
		size_t len;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		(void)snprintf(file, sizeof(file), "/proc/%s/mountinfo", entry->d_name);
		if (fd_read_file_at(AT_FDCWD, file, MOUNTINFO_MAX, &text, &len, &ignored) == 0)
			is_used = has_mask(text, path);
	}
	(void)closedir(dir); /* it was only read */
	return is_used;
}

void sweep_pins(struct recovery *r)
{
	struct op_env *env = r->env;
	char text[64];
	struct err why;

	/* the journal of a layout knows its own */
	if (faccessat(env->run_fd, OP_BOX_PATH, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
	    env->has_programs_left > 0)
		return;
	for (size_t i = 0; i < PLAN_N_FOLDERS; i++) {
		const char *path = plan_folders[i].path;
		struct step step;

		if (plan_folders[i].is_parent || folder_is_pinned(path, &why) <= 0 ||
		    is_relied_on(path))
			continue;
		(void)snprintf(text, sizeof(text), "mask.pin %s", path);
		if (step_parse(text, &step) < 0)
			return; /* no memory */
		if (step.op->undo(env, &step, &why) < 0)
			recovery_left(r, text, &why);
		else
			recovery_done(r, "%s was bound onto itself", path);
		step_free(&step);
	}
}

/* home could send by nothing but tunnels that are gone; that of KillSwitch = boot is meant to be there */
void sweep_guard(struct recovery *r)
{
	struct guard_seen seen = { 0 };
	AUTO_NL struct nl *nl = NULL;
	struct err why;

	if (faccessat(r->env->run_fd, OP_BOX_PATH, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return; /* the journal of a layout knows its own */
	/* a kernel without nf_tables has none either */
	if (guard_open_in(r->env->home_fd, &nl, &why) < 0 || guard_read(nl, &seen, &why) < 0)
		return;
	bool is_left = seen.is_there && !seen.is_physical && !guard_is_boot(&seen);
	guard_seen_free(&seen);
	if (!is_left)
		return;
	if (guard_clear(nl, &why) < 0)
		recovery_left(r, "the guard of home", &why);
	else
		recovery_done(r, "home was guarded for a layout that is gone");
}
