// SPDX-License-Identifier: GPL-2.0-or-later
/* who looks after a tunnel, and what it found: two small files in the tunnel's folder */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "wgns/fd.h"
#include "wgns/netns.h"
#include "wgns/state.h"
#include "wgns/str.h"

#define WATCHER_FILE "watch" /* "PID START-TIME" */
#define HEALTH_FILE "health" /* "up" or "stale" */
#define FILE_MAX 128

static int open_folder(int run_fd, const char *name, struct err *e)
{
	char path[STATE_PLACE_MAX + IFNAMSIZ + 16];

	state_tunnel_path("home", name, path, sizeof(path));
	return state_openat(run_fd, path, O_RDONLY | O_DIRECTORY, e);
}

static int read_small(int dir_fd, const char *file, char out[FILE_MAX + 1])
{
	AUTO_FREE char *text = NULL;
	struct err ignored;
	size_t len;

	int rc = fd_read_file_at(dir_fd, file, FILE_MAX, &text, &len, &ignored);
	if (rc == 0)
		(void)snprintf(out, FILE_MAX + 1, "%s", text);
	return rc;
}

int state_watcher_write(int run_fd, const char *name, const struct state_watcher *w, struct err *e)
{
	char text[FILE_MAX];
	int len = snprintf(text, sizeof(text), "%d %llu\n", (int)w->pid, w->start_time);
	AUTO_FD int dir_fd = open_folder(run_fd, name, e);

	return dir_fd < 0 ? dir_fd
			  : fd_replace_file_at(dir_fd, WATCHER_FILE, text, (size_t)len, 0600, e);
}

int state_watcher_read(int run_fd, const char *name, struct state_watcher *out)
{
	char text[FILE_MAX + 1], health[FILE_MAX + 1] = "";
	struct state_watcher w = { 0 };
	unsigned long long now;
	struct err ignored;
	AUTO_FD int dir_fd = open_folder(run_fd, name, &ignored);

	if (dir_fd < 0)
		return dir_fd;
	int rc = read_small(dir_fd, WATCHER_FILE, text);
	if (rc < 0)
		return rc;
	if (sscanf(text, "%d %llu", &w.pid, &w.start_time) != 2 || w.pid <= 1)
		return -EINVAL;
	if (proc_start_time(w.pid, &now) < 0 || now != w.start_time)
		return -ESRCH;
	if (read_small(dir_fd, HEALTH_FILE, health) == 0)
		w.is_stale = strcmp(health, "stale\n") == 0;
	*out = w;
	return 0;
}

int state_watcher_remove(int run_fd, const char *name, struct err *e)
{
	struct err why;
	AUTO_FD int dir_fd = open_folder(run_fd, name, &why);

	if (dir_fd == -ENOENT)
		return 0;
	if (dir_fd < 0) {
		*e = why;
		return dir_fd;
	}
	if ((unlinkat(dir_fd, WATCHER_FILE, 0) < 0 && errno != ENOENT) ||
	    (unlinkat(dir_fd, HEALTH_FILE, 0) < 0 && errno != ENOENT))
		return err_set(e, errno, "forget who watches %s", name);
	return 0;
}

int state_health_write(int run_fd, const char *name, bool is_stale, struct err *e)
{
	const char *text = is_stale ? "stale\n" : "up\n";
	AUTO_FD int dir_fd = open_folder(run_fd, name, e);

	return dir_fd < 0 ? dir_fd
			  : fd_replace_file_at(dir_fd, HEALTH_FILE, text, strlen(text), 0600, e);
}

int state_uplinks_write(int run_fd, char *const *names, size_t n, struct err *e)
{
	AUTO_STRBUF struct strbuf b = { 0 };

	for (size_t i = 0; i < n; i++)
		strbuf_addf(&b, "%s\n", names[i]);
	if (b.is_failed)
		return err_set(e, ENOMEM, "record the uplinks");
	AUTO_FD int dir_fd = state_openat(run_fd, "box/physical", O_RDONLY | O_DIRECTORY, e);
	return dir_fd < 0 ? dir_fd
			  : fd_replace_file_at(dir_fd, "uplinks", b.s ? b.s : "", b.len, 0600, e);
}

int state_uplinks_read(int run_fd, char ***names, size_t *n, struct err *e)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	AUTO_FD int dir_fd = state_openat(run_fd, "box/physical", O_RDONLY | O_DIRECTORY, e);
	if (dir_fd < 0)
		return dir_fd;
	int rc = fd_read_file_at(dir_fd, "uplinks", 65536, &text, &len, e);
	if (rc < 0)
		return rc;
	char *rest = text;
	for (char *line = strsep(&rest, "\n"); line && rc == 0; line = strsep(&rest, "\n")) {
		if (line[0] && strlen(line) < IFNAMSIZ)
			rc = str_list_add(names, n, line, strlen(line));
	}
	return rc < 0 ? err_set(e, ENOMEM, "read the uplinks") : 0;
}
