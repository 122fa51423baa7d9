// SPDX-License-Identifier: GPL-2.0-or-later
/* units that still start in physical, found by their drop-ins */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "wgns/fd.h"
#include "wgns/folder.h"
#include "wgns/str.h"
#include "wgns/units_moved.h"

#define ENTRIES_MAX 4096

int units_moved(char ***names, size_t *n, struct err *e)
{
	struct err why;
	int fd = folder_open(UNITS_DROPINS, O_RDONLY, &why);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	char name[SYSTEMD_UNIT_MAX];
	int rc = 0;

	*names = NULL;
	*n = 0;
	if (!dir) {
		fd_close_indirect(&fd);
		return 0; /* no systemd */
	}
	entry = readdir(dir);
	for (size_t i = 0; rc == 0 && entry && i < ENTRIES_MAX; i++, entry = readdir(dir)) {
		size_t len = strlen(entry->d_name);

		if (len < 3 || len >= sizeof(name) || strcmp(entry->d_name + len - 2, ".d") != 0)
			continue;
		(void)snprintf(name, sizeof(name), "%.*s", (int)len - 2, entry->d_name);
		if (units_is_moved(name))
			rc = str_list_add(names, n, name, strlen(name));
	}
	(void)closedir(dir); /* it was only read */
	if (rc < 0)
		str_list_free(names, n);
	return rc < 0 ? err_set(e, ENOMEM, "list the units") : 0;
}

int units_left(struct strbuf *out, struct err *e)
{
	char **names = NULL;
	size_t n = 0;
	int rc = units_moved(&names, &n, e);

	for (size_t i = 0; rc == 0 && i < n && i < SYSTEMD_UNITS_MAX; i++)
		strbuf_addf(out, units_is_on_demand(names[i]) ? " (%s)" : " %s", names[i]);
	str_list_free(&names, &n);
	return rc == 0 && out->is_failed ? err_set(e, ENOMEM, "list the units") : rc;
}
