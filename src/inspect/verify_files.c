// SPDX-License-Identifier: GPL-2.0-or-later
/* files, modes, pins: what is on disk and in /run */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "verify_internal.h"
#include "wgns/fd.h"
#include "wgns/str.h"

#define FILE_CAPS_MAX 64 /* linux/capability.h: 24 bytes today */

struct verify_file verify_read_file(int dir_fd, const char *path)
{
	struct verify_file file = { 0 };
	struct stat st;
	struct err why;

	if (fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) == 0) {
		file.is_there = true;
		file.mode = st.st_mode & 07777;
		file.uid = st.st_uid;
	} else if (errno != ENOENT && errno != ENOTDIR) {
		err_set(&why, errno, "examine %s", path);
		verify_problem(file.problem, &why);
	}
	return file;
}

/* symlinks are followed: resolv.conf is often one; O_NONBLOCK: it may have become a FIFO */
static char *read_text(int dir_fd, const char *path, struct err *e)
{
	char *text = NULL;
	size_t len;
	AUTO_FD int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		err_set(e, errno, "open %s", path);
	else if (fd_read_all(fd, VERIFY_TEXT_MAX, &text, &len, path, e) < 0)
		text = NULL;
	return text;
}

static void gather_resolv(int dir_fd, const char *path, struct verify_resolv *out)
{
	struct err why;
	AUTO_FREE char *text = read_text(dir_fd, path, &why);

	if (text)
		verify_parse_resolv(text, out);
	else if (why.code != ENOENT)
		verify_problem(out->problem, &why);
}

/* exactly one line for hosts, and it asks files and DNS alone */
static bool is_nsswitch_right(char *text)
{
	size_t n_hosts = 0, n_right = 0;
	char *rest = text;

	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		line += strspn(line, " \t");
		if (strncmp(line, "hosts", 5) != 0 || line[5 + strspn(line + 5, " \t")] != ':')
			continue;
		n_hosts++;
		n_right += strcmp(line, "hosts: files dns") == 0;
	}
	return n_hosts == 1 && n_right == 1;
}

/* the box's folder is for root and its group */
static void gather_box_names(struct gather *g)
{
	struct verify_facts *f = g->f;
	struct err why;
	AUTO_FD int dir_fd =
		state_openat(g->run_fd, "box/" VERIFY_BOX "/etc", O_RDONLY | O_DIRECTORY, &why);

	if (dir_fd < 0) {
		if (why.code != ENOENT)
			verify_problem(f->box_resolv.problem, &why);
		return;
	}
	gather_resolv(dir_fd, "resolv.conf", &f->box_resolv);
	AUTO_FREE char *text = read_text(dir_fd, "nsswitch.conf", &why);
	f->has_box_nsswitch = text != NULL;
	f->is_box_nsswitch_right = text && is_nsswitch_right(text);
}

/* a mount on it keeps it from being removed; STATX_ATTR_MOUNT_ROOT is of Linux 5.8 */
static bool is_mount(const char *path)
{
	struct statx st;

	return statx(AT_FDCWD, path, AT_NO_AUTOMOUNT | AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st) == 0 &&
	       S_ISDIR(st.stx_mode) && st.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

static void gather_pins(struct gather *g)
{
	struct verify_facts *f = g->f;
	struct err ignored; /* absent, or no namespace any more: not pinned */

	AUTO_FD int pin_fd = state_box_open_netns(g->run_fd, VERIFY_BOX, &ignored);
	f->is_pinned = pin_fd >= 0 && netns_check(pin_fd, "the pin", &ignored) == 0 &&
		       netns_identify(pin_fd, &f->pin, &ignored) == 0;
	AUTO_FD int name_fd = netns_open_at(AT_FDCWD, VERIFY_NETNS_PATH, &ignored);
	f->is_named = name_fd >= 0 && netns_identify(name_fd, &f->name, &ignored) == 0;
	for (size_t i = 0; i < PLAN_N_FOLDERS; i++)
		f->is_folder_pinned[i] =
			plan_folders[i].is_parent || is_mount(plan_folders[i].path);
}

static void gather_programs(struct gather *g)
{
	uint8_t caps[FILE_CAPS_MAX];
	char path[PATH_MAX];

	g->f->helper = verify_read_file(AT_FDCWD, g->rq->helper);
	ssize_t len = lgetxattr(g->rq->helper, "security.capability", caps, sizeof(caps));
	if (len >= 0)
		g->f->helper_caps = verify_parse_file_caps(caps, (size_t)len);
	len = readlink("/proc/self/exe", path, sizeof(path) - 1);
	path[len > 0 ? len : 0] = '\0';
	g->f->program = verify_read_file(AT_FDCWD, path);
}

void verify_gather_files(struct gather *g)
{
	gather_pins(g);
	gather_box_names(g);
	gather_resolv(AT_FDCWD, "/etc/resolv.conf", &g->f->home_resolv);
	gather_programs(g);
}
