// SPDX-License-Identifier: GPL-2.0-or-later
/* the meta files of tunnels and boxes: KEY=VALUE lines, values escaped so that a line stays a line */
#include "wgns/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wgns/fd.h"
#include "wgns/str.h"

#define META_MAX 16384

void state_tunnel_path(const char *place, const char *name, char *buf, size_t cap)
{
	(void)snprintf(buf, cap, "tunnel/%s:%s", place, name);
}

bool state_tunnel_is_half(const struct state_tunnel *t)
{
	return !t->since || t->is_ending;
}

/* only a file's path may hold odd bytes, so it alone is written in hexadecimal */
int state_tunnel_write(int run_fd, const struct state_tunnel *t, struct err *e)
{
	AUTO_STRBUF struct strbuf b = { 0 };
	char path[STATE_PLACE_MAX + IFNAMSIZ + 16];

	strbuf_addf(&b, "version=1\nplace=%s\nname=%s\nlayout=%s\nbirthplace=%s\nbackend=%s\n",
		    t->place, t->device.name, t->layout, t->birthplace, t->backend);
	strbuf_addf(&b, "birth_name=%s\nifindex=%d\ndaemon=%s\npid=%d\nstart_time=%llu\nlog=%s\n",
		    t->device.birth_name, t->device.ifindex, t->device.daemon, (int)t->device.pid,
		    t->device.start_time, t->device.log_path);
	strbuf_addf(&b,
		    "dns=%s\nport=%u\nhooks=%u\nsince=%" PRId64 "\nhome=%" PRIu64 ":%" PRIu64
		    "\nbirth=%" PRIu64 ":%" PRIu64 "\nending=%d\nfile=",
		    t->dns, t->port, t->hooks_run, t->since, t->home.dev, t->home.ino, t->birth.dev,
		    t->birth.ino, t->is_ending);
	/* the last line says that none is missing */
	strbuf_add_hex(&b, t->file, strlen(t->file));
	strbuf_add(&b, "\n", 1);
	if (b.is_failed)
		return err_set(e, ENOMEM, "record the tunnel");

	state_tunnel_path(t->place, t->device.name, path, sizeof(path));
	AUTO_FD int dir_fd = state_openat(run_fd, path, O_RDONLY | O_DIRECTORY, e);
	if (dir_fd < 0)
		return dir_fd;
	return fd_replace_file_at(dir_fd, "meta", b.s, b.len, 0600, e);
}

static bool take_text(const char *value, char *out, size_t cap)
{
	return (size_t)snprintf(out, cap, "%s", value) < cap;
}

static bool take_id(const char *value, struct netns_id *id)
{
	return sscanf(value, "%" SCNu64 ":%" SCNu64, &id->dev, &id->ino) == 2;
}

static bool take_u64(const char *value, unsigned long long max, unsigned long long *out)
{
	return str_to_u64(value, max, out) == 0;
}

static bool take_file(const char *value, char *out, size_t cap)
{
	long len = str_hex_decode(value, strlen(value), out, cap - 1);

	if (len < 0)
		return false;
	out[len] = '\0';
	return true;
}

/* Return: false when the value cannot be what wgns wrote; unknown keys are of a newer version and passed over */
static bool take_pair(struct state_tunnel *t, const char *key, const char *value)
{
	unsigned long long n;
	const struct {
		const char *key;
		char *out;
		size_t cap;
	} texts[] = {
		{ "place", t->place, sizeof(t->place) },
		{ "name", t->device.name, sizeof(t->device.name) },
		{ "layout", t->layout, sizeof(t->layout) },
		{ "birthplace", t->birthplace, sizeof(t->birthplace) },
		{ "backend", t->backend, sizeof(t->backend) },
		{ "birth_name", t->device.birth_name, sizeof(t->device.birth_name) },
		{ "daemon", t->device.daemon, sizeof(t->device.daemon) },
		{ "log", t->device.log_path, sizeof(t->device.log_path) },
		{ "dns", t->dns, sizeof(t->dns) },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strcmp(key, texts[i].key) == 0)
			return take_text(value, texts[i].out, texts[i].cap);
	}
	if (strcmp(key, "file") == 0)
		return take_file(value, t->file, sizeof(t->file));
	if (strcmp(key, "home") == 0)
		return take_id(value, &t->home);
	if (strcmp(key, "birth") == 0)
		return take_id(value, &t->birth);
	if (strcmp(key, "pid") == 0) {
		if (!take_u64(value, INT32_MAX, &n))
			return false;
		t->device.pid = (pid_t)n;
	} else if (strcmp(key, "ifindex") == 0) {
		if (!take_u64(value, INT32_MAX, &n))
			return false;
		t->device.ifindex = (int)n;
	} else if (strcmp(key, "start_time") == 0) {
		return take_u64(value, UINT64_MAX, &t->device.start_time);
	} else if (strcmp(key, "hooks") == 0) {
		if (!take_u64(value, UINT32_MAX, &n))
			return false;
		t->hooks_run = (unsigned)n;
	} else if (strcmp(key, "ending") == 0) {
		if (!take_u64(value, 1, &n))
			return false;
		t->is_ending = n == 1;
	} else if (strcmp(key, "port") == 0) {
		if (!take_u64(value, UINT16_MAX, &n))
			return false;
		t->port = (uint16_t)n;
	} else if (strcmp(key, "since") == 0) {
		if (!take_u64(value, INT64_MAX, &n))
			return false;
		t->since = (int64_t)n;
	}
	return true;
}

int state_tunnel_read(int run_fd, const char *place, const char *name, struct state_tunnel *out,
		      struct err *e)
{
	char path[STATE_PLACE_MAX + IFNAMSIZ + 32];
	AUTO_FREE char *text = NULL;
	struct state_tunnel t = { 0 };
	size_t len;

	(void)snprintf(path, sizeof(path), "tunnel/%s:%s/meta", place, name);
	AUTO_FD int fd = state_openat(run_fd, path, O_RDONLY, e);
	if (fd < 0)
		return fd;
	int rc = fd_read_all(fd, META_MAX, &text, &len, path, e);
	if (rc < 0)
		return rc;

	char *rest = text;
	unsigned n_line = 0;
	bool is_whole = false, has_nul = memchr(text, '\0', len) != NULL;
	/* what stands behind the last newline, or behind a NUL, is not a line that wgns wrote */
	for (char *line = strsep(&rest, "\n"); rest; line = strsep(&rest, "\n")) {
		char *value = strchr(line, '=');
		n_line++;
		if (value)
			*value++ = '\0';
		if (!value || !take_pair(&t, line, value))
			return err_say(e, EINVAL, "%s/%s is damaged at line %u", STATE_DIR, path,
				       n_line);
		is_whole = strcmp(line, "file") == 0;
	}
	if (!is_whole || has_nul)
		return err_say(e, EINVAL, "%s/%s is damaged: it ends at line %u", STATE_DIR, path,
			       n_line);
	if (strcmp(t.place, place) != 0 || strcmp(t.device.name, name) != 0)
		return err_say(e, EINVAL, "%s/%s is damaged: it is not of this tunnel", STATE_DIR,
			       path);
	*out = t;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const char *const *left = a, *const *right = b;

	return strcmp(*left, *right);
}

/* the names in a folder, sorted; an absent folder has none */
static int list_names(int run_fd, const char *path, char ***names, size_t *n, struct err *e)
{
	struct err why;
	const struct dirent *entry;
	int fd = state_openat(run_fd, path, O_RDONLY | O_DIRECTORY, &why);

	if (fd == -ENOENT)
		return 0;
	if (fd < 0) {
		*e = why;
		return fd;
	}
	DIR *dir = fdopendir(fd);
	if (!dir) {
		(void)close(fd); /* nothing was written */
		return err_set(e, ENOMEM, "list %s/%s", STATE_DIR, path);
	}
	int rc = 0;
	while (rc == 0) {
		errno = 0;
		entry = readdir(dir);
		if (!entry) {
			rc = -errno;
			break;
		}
		if (entry->d_name[0] != '.')
			rc = str_list_add(names, n, entry->d_name, strlen(entry->d_name));
	}
	(void)closedir(dir); /* it was only read */
	if (rc < 0)
		return err_set(e, -rc, "list %s/%s", STATE_DIR, path);
	if (*n)
		qsort(*names, *n, sizeof(**names), by_name);
	return 0;
}

/* "home:wg0"; a name cannot hold a colon, a place may */
static bool split_folder_name(const char *folder, struct state_tunnel *t)
{
	const char *colon = strrchr(folder, ':');

	if (!colon || (size_t)(colon - folder) >= sizeof(t->place) ||
	    strlen(colon + 1) >= sizeof(t->device.name))
		return false;
	(void)snprintf(t->place, sizeof(t->place), "%.*s", (int)(colon - folder), folder);
	(void)snprintf(t->device.name, sizeof(t->device.name), "%s", colon + 1);
	return true;
}

int state_tunnels(int run_fd, struct state_tunnel **out, size_t *n, struct err *e)
{
	char **names = NULL;
	size_t n_names = 0, n_found = 0;

	int rc = list_names(run_fd, "tunnel", &names, &n_names, e);
	struct state_tunnel *found = rc == 0 ? calloc(n_names + 1, sizeof(*found)) : NULL;
	if (rc == 0 && !found)
		rc = err_set(e, ENOMEM, "list the tunnels");
	for (size_t i = 0; rc == 0 && i < n_names; i++) {
		struct state_tunnel *t = &found[n_found];
		struct err ignored; /* a damaged one is still listed, by its folder's name */

		if (!split_folder_name(names[i], t))
			continue;
		n_found++;
		struct state_tunnel full;
		if (state_tunnel_read(run_fd, t->place, t->device.name, &full, &ignored) == 0)
			*t = full;
	}
	str_list_free(&names, &n_names);
	if (rc < 0)
		return rc;
	*out = found;
	*n = n_found;
	return 0;
}

static void box_group(int run_fd, const char *name, char *group, size_t cap)
{
	char path[STATE_PLACE_MAX + 16], buf[4096];
	struct group entry, *found = NULL;
	struct stat st;

	(void)snprintf(path, sizeof(path), "box/%s", name);
	if (fstatat(run_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (getgrgid_r(st.st_gid, &entry, buf, sizeof(buf), &found) == 0 && found)
		(void)snprintf(group, cap, "%s", found->gr_name);
	else
		(void)snprintf(group, cap, "%u", st.st_gid);
}

int state_boxes(int run_fd, struct state_box **out, size_t *n, struct err *e)
{
	char **names = NULL;
	size_t n_names = 0, n_found = 0;

	int rc = list_names(run_fd, "box", &names, &n_names, e);
	struct state_box *found = rc == 0 ? calloc(n_names + 1, sizeof(*found)) : NULL;
	if (rc == 0 && !found)
		rc = err_set(e, ENOMEM, "list the boxes");
	for (size_t i = 0; rc == 0 && i < n_names; i++) {
		struct state_box *box = &found[n_found];
		struct err
			ignored; /* a box that cannot be opened is still listed, without identity */

		if (strlen(names[i]) >= sizeof(box->name))
			continue;
		n_found++;
		(void)snprintf(box->name, sizeof(box->name), "%s", names[i]);
		box_group(run_fd, box->name, box->group, sizeof(box->group));
		AUTO_FD int ns_fd = state_box_open_netns(run_fd, box->name, &ignored);
		if (ns_fd >= 0)
			(void)netns_identify(ns_fd, &box->ns, &ignored);
	}
	str_list_free(&names, &n_names);
	if (rc < 0)
		return rc;
	*out = found;
	*n = n_found;
	return 0;
}
