// SPDX-License-Identifier: GPL-2.0-or-later
/* numbers that may be given as names */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/fd.h"
#include "wgquick_internal.h"

#define RT_TABLES_MAX (1u << 20)
#define N_FILES_MAX 1000

int wgq_number(const char *text, uint32_t *out)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	unsigned long value = strtoul(text, &end, 0);
	if (*end)
		return -EINVAL;
	if (errno || value > UINT32_MAX)
		return -ERANGE;
	*out = (uint32_t)value;
	return 0;
}

int wgq_port(const char *text, uint16_t *out)
{
	const char *digits = text[0] == '+' ? text + 1 : text; /* getaddrinfo(3) uses strtoul(3) */
	struct servent entry, *found = NULL;
	unsigned long long number;
	char buf[2048];

	int rc = str_to_u64(digits, UINT16_MAX, &number);
	if (rc == 0) {
		*out = (uint16_t)number;
		return 0;
	}
	if (rc == -ERANGE || text[0] == '-' || text[0] == '+' || !text[0])
		return rc;
	if (getservbyname_r(text, "udp", &entry, buf, sizeof(buf), &found) != 0 || !found)
		return -EINVAL;
	*out = ntohs((uint16_t)found->s_port);
	return 0;
}

/* "NUMBER NAME" per line, decimal or 0x hexadecimal, # comments: rtnl_rttable of iproute2 */
static int find_in_text(const char *text, size_t len, const char *name, uint32_t *out)
{
	struct ini_span number, word;
	struct ini_line line;
	struct ini ini;
	char buf[16];

	ini_begin(&ini, text, len);
	while (ini_next(&ini, &line)) {
		struct ini_span rest = line.text;
		if (!ini_word(&rest, "", &number) || !ini_word(&rest, "", &word) ||
		    word.len != strlen(name) || memcmp(word.s, name, word.len) != 0)
			continue;
		if (wgq_squeeze(number, buf, sizeof(buf)) == 0 && wgq_number(buf, out) == 0)
			return 0;
	}
	return -ENOENT;
}

static int find_in_file(int dir_fd, const char *file, const char *name, uint32_t *out)
{
	AUTO_FD int fd = openat(dir_fd, file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	AUTO_FREE char *text = NULL;
	struct err ignored;
	size_t len;

	/* a file that cannot be read knows no names */
	if (fd < 0 || fd_read_all(fd, RT_TABLES_MAX, &text, &len, file, &ignored) < 0)
		return -ENOENT;
	return find_in_text(text, len, name, out);
}

static int find_in_dir(int parent_fd, const char *name, uint32_t *out)
{
	AUTO_FD int fd = openat(parent_fd, "rt_tables.d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = -ENOENT;

	if (fd < 0)
		return -ENOENT;
	DIR *dir = fdopendir(fd);
	if (!dir)
		return -ENOENT;
	(void)fd_take(&fd); /* closedir() closes it */
	for (unsigned i = 0; i < N_FILES_MAX && rc < 0; i++) {
		const struct dirent *entry = readdir(dir);
		if (!entry)
			break;
		size_t len = strlen(entry->d_name);
		if (len > 5 && strcmp(entry->d_name + len - 5, ".conf") == 0)
			rc = find_in_file(dirfd(dir), entry->d_name, name, out);
	}
	(void)closedir(dir); /* nothing was written */
	return rc;
}

int wgquick_table_by_name(const char *const *dirs, size_t n_dirs, const char *name, uint32_t *out)
{
	static const struct {
		const char *name;
		uint32_t number;
	} builtin[] = { { "default", 253 }, { "main", 254 }, { "local", 255 } };

	for (size_t i = 0; i < sizeof(builtin) / sizeof(builtin[0]); i++) {
		if (strcmp(name, builtin[i].name) == 0) {
			*out = builtin[i].number;
			return 0;
		}
	}
	for (size_t i = 0; i < n_dirs; i++) {
		AUTO_FD int fd = open(dirs[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (find_in_file(fd, "rt_tables", name, out) == 0 ||
		    find_in_dir(fd, name, out) == 0)
			return 0;
	}
	return -ENOENT;
}
