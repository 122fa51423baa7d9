// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "profile_internal.h"
#include "trust.h"
#include "wgns/fd.h"
#include "wgns/str.h"

/* a list stays until the profile is parsed */
struct list_file {
	char *path, *text;
};

/* where the files of one profile come from */
struct library {
	const char *const *dirs;
	size_t n_dirs;
	uint64_t stamp; /* FNV-1a, 64 bits, of the texts */
	struct list_file lists[2 * PROF_LISTS_MAX]; /* Allow and Deny read for themselves */
	size_t n_lists;
	struct diag_list *diags;
	struct err *e;
	int rc; /* of the first list that is there and cannot be read: it is in @e */
};

/*
 * Return: an owned descriptor; -ENOENT when the folder has no such file; -errno
 *
 * The folder is looked at on its own: who can write to it decides which file is found, also when it is a symlink.
 */
static int open_in(const char *dir, const char *path, struct diag_list *diags, struct err *e)
{
	const char *name = path + strlen(dir) + 1;
	struct stat st;

	AUTO_FD int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (dir_fd < 0)
		return err_set(e, errno, "open %s", dir);
	if (fstat(dir_fd, &st) < 0)
		return err_set(e, errno, "stat %s", dir);
	int rc = trust_require(dir_fd, &st, dir, diags, e);
	if (rc < 0)
		return rc;
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0)
		return fd;
	if (errno != ENOENT)
		return err_set(e, errno, "open %s", path);
	/* the file of a later folder must not take the place of one that was lost here */
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return err_say(e, EINVAL, "%s is a symlink to nothing", path);
	return -ENOENT;
}

/* a change of any of the files is to be noticed, and none of them is an attacker's: root alone writes them */
static void stamp(uint64_t *hash, const char *text, size_t len)
{
	for (size_t i = 0; i <= len; i++) /* with the NUL, which ends each of them */
		*hash = (*hash ^ (unsigned char)text[i]) * 0x100000001b3;
}

/* all of one file that is root's alone; it is called as @diags says */
static int read_file(int fd, struct diag_list *diags, char **text, size_t *len, struct err *e)
{
	const char *path = diags->file;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(e, errno, "stat %s", path);
	/* as systemd has it for units: somebody has taken it away on purpose */
	if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
		return err_say(e, ENODEV, "%s leads to /dev/null: it is taken away", path);
	if (!S_ISREG(st.st_mode))
		return err_say(e, EINVAL, "%s is not a regular file", path);
	int rc = trust_require(fd, &st, path, diags, e);
	return rc < 0 ? rc : fd_read_all(fd, PROFILE_FILE_MAX, text, len, path, e);
}

/*
 * the file @name from the first folder that has it; @out receives what is owned, on success only
 * Return: 0; -ENOENT when no folder has it, then @e is untouched; -errno
 */
static int read_first(struct library *lib, const char *name, struct list_file *out, size_t *len,
		      struct err *e)
{
	for (size_t i = 0; i < lib->n_dirs; i++) {
		AUTO_FREE char *path = NULL;
		AUTO_FREE char *text = NULL;
		if (asprintf(&path, "%s/%s", lib->dirs[i], name) < 0) {
			path = NULL; /* asprintf(3): undefined on failure */
			return err_set(e, ENOMEM, "read %s", name);
		}
		struct diag_list own = { .file = path };
		AUTO_FD int fd = open_in(lib->dirs[i], path, &own, e);
		if (fd == -ENOENT)
			continue;
		int rc = fd < 0 ? fd : read_file(fd, &own, &text, len, e);
		diag_move(lib->diags, &own);
		if (rc < 0)
			return rc;
		stamp(&lib->stamp, text, *len);
		*out = (struct list_file){ .path = str_take(&path), .text = str_take(&text) };
		return 0;
	}
	return -ENOENT;
}

static int give_list(void *ctx, const char *name, const char **file, const char **text, size_t *len)
{
	char file_name[PROFILE_NAME_MAX + sizeof(PROFILE_LIST_SUFFIX)];
	struct library *lib = ctx;
	struct err own = { 0 };

	if (lib->n_lists == 2 * PROF_LISTS_MAX)
		return -E2BIG;
	(void)snprintf(file_name, sizeof(file_name), "%s" PROFILE_LIST_SUFFIX, name); /* fits */
	struct list_file *list = &lib->lists[lib->n_lists];
	int rc = read_first(lib, file_name, list, len, &own);
	if (rc < 0) {
		if (rc != -ENOENT && lib->rc == 0) {
			*lib->e = own;
			lib->rc = rc;
		}
		return rc;
	}
	lib->n_lists++;
	*file = list->path;
	*text = list->text;
	return 0;
}

static int parse(struct library *lib, const struct list_file *file, size_t len, struct profile *p)
{
	const struct profile_source source = { .list = give_list, .ctx = lib };
	struct diag_list own = { .file = file->path };

	int rc = profile_parse(file->text, len, &source, p, &own);
	if (rc == -ENOMEM)
		(void)err_set(lib->e, ENOMEM, "read %s", file->path); /* rc says it */
	else if (rc < 0 && lib->rc < 0)
		rc = lib->rc;
	else if (rc < 0)
		diag_first(&own, lib->e);
	diag_move(lib->diags, &own);
	for (size_t i = 0; i < lib->n_lists; i++) {
		free(lib->lists[i].path);
		free(lib->lists[i].text);
	}
	return rc;
}

static int say_missing(const struct library *lib, const char *name, struct err *e)
{
	AUTO_STRBUF struct strbuf dirs = { 0 };

	for (size_t i = 0; i < lib->n_dirs; i++)
		strbuf_addf(&dirs, "%s%s", i ? ", " : "", lib->dirs[i]);
	AUTO_FREE char *text = strbuf_finish(&dirs);
	return err_say(e, ENOENT,
		       "there is no profile %s: no "
		       "%s" PROFILE_SUFFIX " in %s",
		       name, name, text ? text : "its folders");
}

int profile_read(const char *const *dirs, size_t n_dirs, const char *name, struct profile *out,
		 struct diag_list *diags, struct err *e)
{
	struct library lib = {
		.dirs = dirs, .n_dirs = n_dirs, .stamp = 0xcbf29ce484222325, .diags = diags, .e = e
	};
	char file_name[PROFILE_NAME_MAX + sizeof(PROFILE_SUFFIX)], shown[INI_SHOW_MAX];
	const struct ini_span span = { name, strlen(name) };
	struct list_file file;
	struct profile p;
	size_t len;

	if (!prof_is_name(span))
		return err_say(e, EINVAL, "%s is not the name of a profile", ini_show(span, shown));
	(void)snprintf(file_name, sizeof(file_name), "%s" PROFILE_SUFFIX, name); /* fits */
	int rc = read_first(&lib, file_name, &file, &len, e);
	if (rc == -ENOENT)
		return say_missing(&lib, name, e);
	if (rc < 0)
		return rc;
	profile_init(&p);
	rc = parse(&lib, &file, len, &p);
	free(file.text);
	p.path = file.path;
	if (rc < 0) {
		profile_free(&p);
		return rc;
	}
	(void)snprintf(p.name, sizeof(p.name), "%s", name); /* fits */
	p.stamp =
		(int64_t)(lib.stamp &
			  INT64_MAX >> 3); /* it becomes a time, before 2038: see profile_store.h */
	*out = p;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* the NAME of NAME.profile; false: it is no profile */
static bool is_profile(const char *file_name, struct ini_span *name)
{
	const size_t suffix = sizeof(PROFILE_SUFFIX) - 1;
	size_t len = strlen(file_name);

	if (len <= suffix || strcmp(file_name + len - suffix, PROFILE_SUFFIX) != 0)
		return false;
	*name = (struct ini_span){ file_name, len - suffix };
	return prof_is_name(*name);
}

/* those of one folder, in any order */
static int add_names(const char *dir, char ***names, size_t *n, struct err *e)
{
	struct ini_span name;
	DIR *d = opendir(dir);
	int rc = 0;

	if (!d && errno == ENOENT)
		return 0;
	if (!d)
		return err_set(e, errno, "open %s", dir);
	while (rc == 0) {
		errno = 0; /* readdir(3): how an error is told from the end */
		const struct dirent *entry = readdir(d);
		if (!entry) {
			rc = -errno;
			break;
		}
		if (is_profile(entry->d_name, &name))
			rc = str_list_add(names, n, name.s, name.len);
	}
	(void)closedir(d); /* it was only read */
	return rc < 0 ? err_set(e, -rc, "read %s", dir) : 0;
}

int profile_names(const char *const *dirs, size_t n_dirs, char ***names, size_t *n, struct err *e)
{
	char **all = NULL;
	size_t n_all = 0, kept = 0;

	for (size_t i = 0; i < n_dirs; i++) {
		int rc = add_names(dirs[i], &all, &n_all, e);
		if (rc < 0) {
			str_list_free(&all, &n_all);
			return rc;
		}
	}
	if (n_all)
		qsort(all, n_all, sizeof(*all), compare);
	for (size_t i = 0; i < n_all; i++) {
		if (kept && strcmp(all[i], all[kept - 1]) == 0)
			free(all[i]);
		else
			all[kept++] = all[i];
	}
	*names = all;
	*n = kept;
	return 0;
}
