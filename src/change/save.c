// SPDX-License-Identifier: GPL-2.0-or-later
/* the live configuration, written over the file as wg-quick does it: SaveConfig, and `save` */
#include "wgns/save.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "change_internal.h"
#include "wgns/fd.h"
#include "wgns/folder.h"
#include "wgns/op.h"
#include "wgns/str.h"

/* a text with keys in it */
struct save_text {
	char *s; /* owned */
	size_t len;
};

static int live_addresses(struct op_env *env, struct addr **out, size_t *n, struct err *e)
{
	struct rtnl_list all = { 0 };
	struct rtnl_link link;
	struct rtnl_addr addr;
	struct nl *nl;
	int rc = op_env_nl_home(env, &nl, e);

	if (rc == 0)
		rc = rtnl_get_link(nl, 0, env->tunnel.device.name, &link, e);
	if (rc == 0)
		rc = rtnl_dump(nl, RTNL_ADDR, AF_UNSPEC, &all, e);
	if (rc < 0)
		return rc;
	struct addr *list = calloc(all.n + 1, sizeof(*list));
	size_t n_found = 0;
	for (size_t i = 0; list && i < all.n; i++) {
		if (rtnl_parse_addr(all.items[i].msg, &addr) == 0 && addr.ifindex == link.ifindex &&
		    !(addr.family == AF_INET6 && addr.scope == RT_SCOPE_LINK))
			list[n_found++] = addr.local;
	}
	rtnl_list_free(&all);
	if (!list)
		return err_set(e, ENOMEM, "read the addresses");
	*out = list;
	*n = n_found;
	return 0;
}

static void wipe(struct save_text *text)
{
	if (text->s)
		str_wipe(text->s, text->len);
	free(text->s);
	*text = (struct save_text){ 0 };
}

/* the folder of @path, and the name in it. No path here has had a symlink in it; a folder of the user's may have one by now */
static int open_folder(const char *path, const char **name, struct err *e)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');

	if (!slash)
		return err_say(e, EINVAL, "the file was not recorded");
	*name = slash + 1;
	(void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
	return folder_open(slash == path ? "/" : folder, O_RDONLY, e);
}

static int print_live(struct op_env *env, const struct wgquick *conf, struct save_text *out,
		      struct err *e)
{
	struct wg_device dev = { 0 };
	struct addr *addresses = NULL;
	size_t n = 0;

	int rc = env->backend->get(&env->tunnel.device, env->home_fd, &dev, e);
	if (rc == 0)
		rc = live_addresses(env, &addresses, &n, e);
	if (rc == 0) {
		out->s = wgquick_print_saved(conf, addresses, n, &dev);
		out->len = out->s ? strlen(out->s) : 0;
		if (!out->s)
			rc = err_set(e, ENOMEM, "write the configuration");
	}
	free(addresses);
	wg_device_free(&dev);
	return rc;
}

static int write_text(const char *path, const struct save_text *text, struct err *e)
{
	const char *name;

	AUTO_FD int dir_fd = open_folder(path, &name, e);
	if (dir_fd < 0)
		return dir_fd;
	return fd_replace_file_at(dir_fd, name, text->s, text->len, 0600, e);
}

int change_save_live(struct op_env *env, struct err *e)
{
	struct save_text text = { 0 };
	int rc = print_live(env, env->conf, &text, e);

	if (rc == 0)
		rc = write_text(env->tunnel.file, &text, e);
	wipe(&text);
	return rc;
}

/* Return: 1 when the file at @path says what the copy says, 0 when not, or when it is gone */
static int is_unchanged(int dir_fd, const char *path, struct err *e)
{
	struct save_text copy = { 0 }, file = { 0 };
	struct err why;
	const char *name;

	AUTO_FD int folder_fd = open_folder(path, &name, e);
	if (folder_fd < 0)
		return folder_fd;
	int rc = fd_read_file_at(dir_fd, CHANGE_COPY, WGQUICK_FILE_MAX, &copy.s, &copy.len, e);
	if (rc == 0) {
		rc = fd_read_file_at(folder_fd, name, WGQUICK_FILE_MAX, &file.s, &file.len, &why);
		if (rc < 0 && rc != -ENOENT)
			*e = why;
		else
			rc = rc == 0 && file.len == copy.len &&
			     memcmp(file.s, copy.s, copy.len) == 0;
	}
	wipe(&copy);
	wipe(&file);
	return rc;
}

/* a save must not take away what the user has written since */
static int check_file(const struct op_env *env, int dir_fd, const struct change_save *save,
		      const char *path, struct err *e)
{
	const char *name = save->name;

	if (strcmp(path, env->tunnel.file) != 0) {
		err_say(e, EINVAL, "%s was read from %s, not from %s", name, env->tunnel.file,
			path);
		err_hint(e, "name that file, or `wgns save --force` overwrites this one");
		return err_as(e, ERR_KIND_STATE);
	}
	int rc = is_unchanged(dir_fd, path, e);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	err_say(e, ESTALE, "%s has changed since it was read, and what changed would be lost",
		path);
	err_hint(e, "`wgns reload %s` takes the changes over; `wgns save --force %s` loses them",
		 name, name);
	return err_as(e, ERR_KIND_STATE);
}

/* absolute and without symlinks; the file itself may be gone */
static int resolve(const char *path, char out[PATH_MAX], struct err *e)
{
	char folder[PATH_MAX], absolute[PATH_MAX];
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (realpath(path, out))
		return 0;
	if (errno != ENOENT || strlen(path) >= sizeof(folder))
		return err_set(e, errno, "find %s", path);
	(void)snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 1,
		       slash ? path : ".");
	if (!realpath(folder, absolute))
		return err_set(e, errno, "find %s", folder);
	int len =
		snprintf(out, PATH_MAX, "%s/%s", strcmp(absolute, "/") == 0 ? "" : absolute, name);
	return len < PATH_MAX ? 0 : err_set(e, ENAMETOOLONG, "find %s", path);
}

static int read_tunnel(struct op_env *env, const char *name, struct err *e)
{
	struct err why;
	int rc = state_tunnel_read(env->run_fd, CHANGE_PLACE, name, &env->tunnel, &why);

	if (rc == -ENOENT)
		return change_not_up(name, e);
	if (rc < 0) {
		*e = why;
		return rc;
	}
	return env->tunnel.since ? change_use_tunnel(env, e) : change_half_up(name, e);
}

static int save_locked(struct op_env *env, const struct change_save *save, struct err *e)
{
	char folder[STATE_PLACE_MAX + IFNAMSIZ + 16], path[PATH_MAX];
	struct save_text text = { 0 };
	struct wgquick conf = { 0 };

	int rc = read_tunnel(env, save->name, e);
	if (rc == 0)
		rc = resolve(save->path, path, e);
	if (rc < 0)
		return rc;
	state_tunnel_path(CHANGE_PLACE, save->name, folder, sizeof(folder));
	AUTO_FD int dir_fd = state_openat(env->run_fd, folder, O_RDONLY | O_DIRECTORY, e);
	if (dir_fd < 0)
		return dir_fd;
	if (!save->should_force)
		rc = check_file(env, dir_fd, save, path, e);
	if (rc == 0)
		rc = change_read_copy(dir_fd, CHANGE_COPY, save->name, &conf, e);
	if (rc < 0)
		return rc;
	rc = print_live(env, &conf, &text, e);
	if (rc == 0)
		rc = write_text(path, &text, e);
	/* the file is what the tunnel was made of, from now on: so is the copy, for the next save and reload */
	if (rc == 0 && strcmp(path, env->tunnel.file) == 0)
		rc = fd_replace_file_at(dir_fd, CHANGE_COPY, text.s, text.len, 0600, e);
	wipe(&text);
	wgquick_free(&conf);
	return rc;
}

int change_save(const struct change_save *save, const struct change_talk *talk, struct err *e)
{
	int run_fd, lock_fd;
	struct op_env env;
	struct err why;

	int rc = change_enter(false, talk, &run_fd, &lock_fd, &why);
	if (rc == -ENOENT)
		return change_not_up(save->name, e);
	if (rc < 0) {
		*e = why;
		return rc;
	}
	rc = change_env(run_fd, talk, &env, e);
	if (rc == 0)
		rc = save_locked(&env, save, e);
	op_env_close(&env);
	state_leave(&run_fd, &lock_fd);
	return rc;
}
