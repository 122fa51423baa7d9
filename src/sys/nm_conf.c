// SPDX-License-Identifier: GPL-2.0-or-later
/* what NetworkManager is told of resolvers: by files, and in the end */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/fd.h"
#include "wgns/ini.h"
#include "wgns/nm.h"
#include "wgns/str.h"
#include "wgns/tool.h"

#define ETC "/etc/NetworkManager"
#define FILE_MAX 65536
#define FILES_MAX 256
#define PRINT_WAIT_MS 20000
#define PRINT_MAX (1u << 20)

/* as the file of op_dropin.c sets them */
static const struct {
	const char *key, *value;
} wanted[] = { { "dns", "default" },
	       { "rc-manager", "unmanaged" },
	       { "systemd-resolved", "false" } };
#define N_WANTED (sizeof(wanted) / sizeof(wanted[0]))

bool nm_parse_config(const char *text, const char *key, char *out, size_t cap)
{
	bool is_main = false, is_found = false;

	/* a keyfile of GLib: blanks around the sign do not count, and a `#` behind it is part of the value */
	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");
		struct ini_span span = ini_trim((struct ini_span){ line, len });
		const char *sign = memchr(span.s, '=', span.len);

		if (span.len && *span.s == '[') {
			is_main = span.len == 6 && strncmp(span.s, "[main]", 6) == 0;
		} else if (is_main && sign) {
			size_t key_len = (size_t)(sign - span.s);
			struct ini_span name = ini_trim((struct ini_span){ span.s, key_len });
			struct ini_span value =
				ini_trim((struct ini_span){ sign + 1, span.len - key_len - 1 });
			if (name.len == strlen(key) && memcmp(name.s, key, name.len) == 0 &&
			    value.len < cap) {
				(void)snprintf(out, cap, "%.*s", (int)value.len, value.s);
				is_found = true;
			}
		}
		line += len + (line[len] == '\n');
	}
	return is_found;
}

static int print_config(char **text, struct err *e)
{
	char program[PATH_MAX];

	if (tool_find("NetworkManager", program) < 0)
		return err_say(e, ENOENT, "there is no program NetworkManager");
	const struct tool tool = { .argv = (const char *[]){ program, "--print-config", NULL },
				   .wait_ms = PRINT_WAIT_MS,
				   .output_max = PRINT_MAX };
	int rc = tool_run(&tool, text, e);
	return rc < 0 ? err_context(e, "ask NetworkManager for its configuration") : 0;
}

/* the last file that sets a key counts */
static void take_file(const char *path, struct nm_conflict found[N_WANTED])
{
	AUTO_FREE char *text = NULL;
	struct err
		ignored; /* NetworkManager may not read it either; what it makes of it is looked at later */
	size_t len;

	if (fd_read_file_at(AT_FDCWD, path, FILE_MAX, &text, &len, &ignored) < 0)
		return;
	for (size_t i = 0; i < N_WANTED; i++) {
		if (nm_parse_config(text, wanted[i].key, found[i].value, sizeof(found[i].value)))
			(void)snprintf(found[i].file, sizeof(found[i].file), "%s", path);
	}
}

static int is_conf(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".conf") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* NetworkManager.conf(5): the file first, then the folder in the order of names */
static void take_files(struct nm_conflict found[N_WANTED])
{
	struct dirent **entries = NULL;
	char path[PATH_MAX];

	take_file(ETC "/NetworkManager.conf", found);
	int n = scandir(ETC "/conf.d", &entries, is_conf, by_name);
	for (int i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), ETC "/conf.d/%s", entries[i]->d_name);
		if (i < FILES_MAX)
			take_file(path, found);
		free(entries[i]);
	}
	free(entries);
}

bool nm_find_conflict(struct nm_conflict *out)
{
	struct nm_conflict found[N_WANTED] = { 0 };
	AUTO_FREE char *text = NULL;
	struct err ignored; /* then the files have to do */
	char value[sizeof(out->value)];

	take_files(found);
	for (size_t i = 0; i < N_WANTED; i++) {
		if (!found[i].file[0] || strcmp(found[i].value, wanted[i].value) == 0)
			continue;
		/* it may have left the file out, by a condition in it ([.config]) */
		if ((text || print_config(&text, &ignored) == 0) &&
		    (!nm_parse_config(text, wanted[i].key, value, sizeof(value)) ||
		     strcmp(value, found[i].value) != 0))
			continue;
		*out = found[i];
		out->key = wanted[i].key;
		out->wanted = wanted[i].value;
		return true;
	}
	return false;
}

int nm_check_names(struct err *e)
{
	AUTO_FREE char *text = NULL;
	char value[64];

	int rc = print_config(&text, e);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < N_WANTED; i++) {
		bool is_set = nm_parse_config(text, wanted[i].key, value, sizeof(value));
		if (is_set && strcmp(value, wanted[i].value) == 0)
			continue;
		(void)err_say(e, EBUSY,
			      "NetworkManager would give the uplink's resolvers to home: %s is "
			      "'%.40s' and not '%s'",
			      wanted[i].key, is_set ? value : "", wanted[i].value);
		err_hint(e, "`NetworkManager --print-config` says which files it reads");
		return -EBUSY;
	}
	return 0;
}
