// SPDX-License-Identifier: GPL-2.0-or-later
/* the files that up and exec would read: /etc/wireguard, and profiles. No key is kept, and none is shown */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor_internal.h"
#include "wgns/diag.h"
#include "wgns/profile.h"
#include "wgns/str.h"
#include "wgns/wgquick.h"

#define FILES_MAX 1000

static int add_file(struct doctor_state *s, const char *path, const struct diag_list *diags,
		    const struct err *failed, struct err *e)
{
	struct doctor_file *grown = reallocarray(s->files, s->n_files + 1, sizeof(*grown));
	char line[1024] = "";

	if (!grown)
		return err_set(e, ENOMEM, "read %s", path);
	s->files = grown;
	struct doctor_file *f = &grown[s->n_files++];
	*f = (struct doctor_file){ .path = strdup(path), .n_errors = diags->n_errors };
	for (size_t i = 0; i < diags->n_items && !line[0]; i++) {
		if (!diags->n_errors || diags->items[i].level == DIAG_ERROR)
			diag_format(diags, &diags->items[i], line, sizeof(line));
	}
	if (failed && !f->n_errors) { /* no line of it is wrong: it could not be read */
		f->n_errors = 1;
		(void)snprintf(line, sizeof(line), "%.1000s", failed->text);
	}
	if (line[0])
		f->problem = strdup(line);
	return f->path && (f->problem || !line[0]) ? 0 : err_set(e, ENOMEM, "read %s", path);
}

static int read_tunnel_file(const char *path, struct doctor_state *s, struct err *e)
{
	struct diag_list diags = { .file = path };
	struct wgquick_file file = { 0 };
	char name[IFNAMSIZ];
	char *resolved = NULL;
	struct wgquick conf;
	struct err why = { 0 };

	int rc = wgquick_resolve_path(path, "", &resolved, name, &why);
	if (rc == 0)
		rc = wgquick_read(path, &file, &diags, &why);
	if (rc == 0) {
		rc = wgquick_parse(file.text, file.len, name, &conf, &diags);
		if (rc == 0)
			wgquick_free(&conf);
		else if (!diags.n_errors)
			(void)err_set(&why, -rc, "read %s", path); /* its code is known */
		wgquick_file_free(&file);
	}
	diag_sort(&diags);
	rc = add_file(s, path, &diags, rc < 0 ? &why : NULL, e);
	diag_free(&diags);
	free(resolved);
	return rc;
}

static int is_conf(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return len > 5 && strcmp(d->d_name + len - 5, ".conf") == 0;
}

static int read_tunnel_files(const char *dir, struct doctor_state *s, struct err *e)
{
	struct dirent **entries = NULL;
	char path[PATH_MAX];
	int rc = 0;

	int n = scandir(dir, &entries, is_conf, alphasort);
	if (n < 0 && errno != ENOENT)
		(void)snprintf(s->dir_problem, sizeof(s->dir_problem), "%.200s: %s", dir,
			       strerror(errno));
	for (int i = 0; i < n; i++) {
		if (rc == 0 && i < FILES_MAX &&
		    snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name) <
			    (int)sizeof(path))
			rc = read_tunnel_file(path, s, e);
		free(entries[i]);
	}
	free(entries);
	s->n_tunnel_files = s->n_files;
	return rc;
}

static int read_profiles(const struct doctor_request *rq, struct doctor_state *s, struct err *e)
{
	char **names = NULL;
	size_t n = 0;
	struct err why;

	/* a folder that cannot be listed has no profiles for this user */
	if (profile_names(rq->profile_dirs, rq->n_profile_dirs, &names, &n, &why) < 0)
		return 0;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct diag_list diags = { .file = names[i] };
		struct profile p;
		int read = profile_read(rq->profile_dirs, rq->n_profile_dirs, names[i], &p, &diags,
					&why);
		if (read == 0)
			profile_free(&p);
		else if (read != -ENODEV) /* a link to /dev/null: switched off on purpose */
			rc = add_file(s, names[i], &diags, &why, e);
		diag_free(&diags);
	}
	str_list_free(&names, &n);
	return rc;
}

int doctor_read_files(const struct doctor_request *rq, struct doctor_state *s, struct err *e)
{
	int rc = read_tunnel_files(rq->wireguard_dir, s, e);

	return rc < 0 ? rc : read_profiles(rq, s, e);
}
