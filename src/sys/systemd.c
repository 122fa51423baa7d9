// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/systemd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wgns/fd.h"
#include "wgns/str.h"
#include "wgns/tool.h"

#define SHOW_WAIT_MS 20000
#define SHOW_MAX 65536
#define RELOAD_WAIT_MS 90000 /* a machine with a thousand units reads for seconds */
#define CGROUP_MAX 65536
#define OPTIONS_MAX 8

bool systemd_is_booted(void)
{
	struct stat st;

	return lstat("/run/systemd/system", &st) == 0 && S_ISDIR(st.st_mode);
}

static bool ends(const char *text, size_t len, const char *with)
{
	size_t with_len = strlen(with);

	return len > with_len && memcmp(text + len - with_len, with, with_len) == 0;
}

bool systemd_is_unit(const char *name)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.@-";
	size_t len = strlen(name);

	return len < SYSTEMD_UNIT_MAX && strspn(name, allowed) == len && name[0] != '-' &&
	       name[0] != '.' && name[0] != '@' &&
	       (ends(name, len, ".service") || ends(name, len, ".socket"));
}

/* "/system.slice/NAME", or one slice deeper for an instance: "/system.slice/system-NAME.slice/NAME@X.service" */
static void unit_of_path(const char *path, char out[SYSTEMD_UNIT_MAX])
{
	static const char top[] = "/system.slice/";

	if (strncmp(path, top, sizeof(top) - 1) != 0)
		return;
	path += sizeof(top) - 1;
	size_t len = strcspn(path, "/");
	if (ends(path, len, ".slice") && path[len] == '/') {
		path += len + 1;
		len = strcspn(path, "/");
	}
	/* what is below belongs to the unit, too (Delegate=) */
	if (len >= SYSTEMD_UNIT_MAX || !ends(path, len, ".service"))
		return;
	memcpy(out, path, len);
	out[len] = '\0';
	if (!systemd_is_unit(out))
		out[0] = '\0';
}

void systemd_unit_of(const char *cgroup, char out[SYSTEMD_UNIT_MAX])
{
	AUTO_FREE char *copy = strdup(cgroup);
	char *rest = copy;

	out[0] = '\0';
	/* cgroups(7): "0::PATH", and with version 1 "N:name=systemd:PATH" */
	for (char *line = copy ? strsep(&rest, "\n") : NULL; line && !out[0];
	     line = strsep(&rest, "\n")) {
		char *path = strstr(line, ":name=systemd:");

		if (strncmp(line, "0::", 3) == 0)
			unit_of_path(line + 3, out);
		else if (path && path == line + strspn(line, "0123456789"))
			unit_of_path(path + strlen(":name=systemd:"), out);
	}
}

void systemd_unit_of_process(pid_t pid, char out[SYSTEMD_UNIT_MAX])
{
	AUTO_FREE char *text = NULL;
	struct err ignored; /* it has ended */
	char path[48];
	size_t len;

	out[0] = '\0';
	(void)snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	if (fd_read_file_at(AT_FDCWD, path, CGROUP_MAX, &text, &len, &ignored) == 0)
		systemd_unit_of(text, out);
}

static bool take(const char *line, const char *key, const char **value)
{
	size_t len = strlen(key);

	if (strncmp(line, key, len) != 0 || line[len] != '=')
		return false;
	*value = line + len + 1;
	return true;
}

static int parse_line(const char *line, struct systemd_unit *u)
{
	unsigned long long pid;
	const char *value;

	if (take(line, "LoadState", &value)) {
		u->is_loaded = strcmp(value, "loaded") == 0;
	} else if (take(line, "ActiveState", &value)) {
		u->is_active = strcmp(value, "active") == 0 || strcmp(value, "reloading") == 0 ||
			       strcmp(value, "activating") == 0;
	} else if (take(line, "MainPID", &value)) {
		if (str_to_u64(value, INT_MAX, &pid) < 0)
			return -EINVAL;
		u->pid = (pid_t)pid;
	} else if (take(line, "NetworkNamespacePath", &value)) {
		(void)snprintf(u->netns_path, sizeof(u->netns_path), "%s", value);
	} else {
		return -EINVAL;
	}
	return 0;
}

/* a block of lines for each unit, in the order in which they were named, and an empty line between */
int systemd_parse_show(const char *text, struct systemd_unit *units, size_t n)
{
	AUTO_FREE char *copy = strdup(text);
	char *rest = copy;
	bool is_begun = false;
	size_t i = 0;

	if (!copy)
		return -ENOMEM;
	for (size_t k = 0; k < n; k++) {
		units[k].is_loaded = units[k].is_active = false;
		units[k].pid = 0;
		units[k].netns_path[0] = '\0';
	}
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		if (!*line) {
			i += is_begun;
			is_begun = false;
			continue;
		}
		is_begun = true;
		if (i >= n || parse_line(line, &units[i]) < 0)
			return -EINVAL;
	}
	return i + is_begun == n ? 0 : -EINVAL;
}

/* @options: up to OPTIONS_MAX words in front of the units, then NULL */
static int run(const char *const *options, char *const *units, size_t n, unsigned wait_ms,
	       char **output, struct err *e)
{
	const char *argv[TOOL_ARGS_MAX + 1] = { NULL };
	char program[PATH_MAX];
	size_t used = 0;

	if (tool_find("systemctl", program) < 0)
		return err_say(e, ENOENT, "there is no systemctl");
	if (n > SYSTEMD_UNITS_MAX)
		return err_say(e, E2BIG, "%zu units are too many", n);
	argv[used++] = program;
	argv[used++] = "--no-ask-password";
	argv[used++] = "--no-pager";
	for (size_t i = 0; i < OPTIONS_MAX && options[i]; i++)
		argv[used++] = options[i];
	argv[used++] = "--";
	for (size_t i = 0; i < n; i++)
		argv[used++] = units[i];
	/* "Job for x.service failed because ..." comes before where to read more */
	const struct tool tool = {
		.argv = argv, .wait_ms = wait_ms, .is_reason_first = true, .output_max = SHOW_MAX
	};
	return tool_run(&tool, output, e);
}

int systemd_show(struct systemd_unit *units, size_t n, struct err *e)
{
	AUTO_FREE char *text = NULL;
	char *names[SYSTEMD_UNITS_MAX];

	if (n > SYSTEMD_UNITS_MAX)
		return err_say(e, E2BIG, "%zu units are too many", n);
	for (size_t i = 0; i < n; i++)
		names[i] = units[i].name;
	int rc = run(
		(const char *[]){
			"show",
			"--property=LoadState,ActiveState,MainPID,NetworkNamespacePath",
			NULL,
		},
		names, n, SHOW_WAIT_MS, &text, e);
	if (rc < 0)
		return err_context(e, "ask systemd for its units");
	rc = systemd_parse_show(text, units, n);
	return rc < 0 ? err_set(e, -rc, "ask systemd for its units: read its answer") : 0;
}

size_t systemd_parse_ids(const char *text, struct systemd_unit out[SYSTEMD_UNITS_MAX])
{
	size_t n = 0;

	for (const char *line = text; *line && n < SYSTEMD_UNITS_MAX;) {
		size_t len = strcspn(line, "\n");

		if (len > 3 && len - 3 < SYSTEMD_UNIT_MAX && memcmp(line, "Id=", 3) == 0) {
			(void)snprintf(out[n].name, SYSTEMD_UNIT_MAX, "%.*s", (int)len - 3,
				       line + 3);
			n += systemd_is_unit(out[n].name);
		}
		line += len + (line[len] == '\n');
	}
	return n;
}

int systemd_find(const char *const *patterns, size_t n_patterns,
		 struct systemd_unit out[SYSTEMD_UNITS_MAX], size_t *n, struct err *e)
{
	char copies[SYSTEMD_UNITS_MAX][SYSTEMD_UNIT_MAX];
	AUTO_FREE char *text = NULL;
	char *names[SYSTEMD_UNITS_MAX];

	if (n_patterns > SYSTEMD_UNITS_MAX)
		return err_say(e, E2BIG, "%zu units are too many", n_patterns);
	for (size_t i = 0; i < n_patterns; i++) {
		(void)snprintf(copies[i], sizeof(copies[i]), "%s", patterns[i]);
		names[i] = copies[i];
	}
	int rc = run((const char *[]){ "show", "--property=Id", NULL }, names, n_patterns,
		     SHOW_WAIT_MS, &text, e);
	if (rc < 0)
		return err_context(e, "ask systemd for its units");
	*n = systemd_parse_ids(text, out);
	return 0;
}

/* the manager itself: "stopping" from the moment on at which shutdown.target has a job (systemctl(1), is-system-running) */
bool systemd_is_stopping(void)
{
	AUTO_FREE char *text = NULL;
	struct err ignored; /* one that does not answer is not going down in an orderly way */

	return systemd_is_booted() &&
	       run((const char *[]){ "show", "--property=SystemState", NULL }, NULL, 0,
		   SHOW_WAIT_MS, &text, &ignored) == 0 &&
	       strncmp(text, "SystemState=stopping\n", 21) == 0;
}

static int check_stays(struct err *e)
{
	return systemd_is_stopping() ? err_say(e, ESHUTDOWN, "the machine is going down") : 0;
}

int systemd_start(char *const *units, size_t n, unsigned wait_s, struct err *e)
{
	struct err ignored; /* those that never failed have nothing to forget */

	if (check_stays(e) < 0)
		return err_context(e, "start %s", n ? units[0] : "nothing");
	/* who goes up and down often would else run into StartLimitBurst=, as after so many crashes */
	(void)run((const char *[]){ "reset-failed", NULL }, units, n, SHOW_WAIT_MS, NULL, &ignored);
	int rc = run((const char *[]){ "start", NULL }, units, n, wait_s * 1000, NULL, e);

	return rc < 0 ? err_context(e, "start %s", n ? units[0] : "nothing") : 0;
}

int systemd_stop(char *const *units, size_t n, unsigned wait_s, struct err *e)
{
	int rc = check_stays(e);

	if (rc == 0)
		rc = run((const char *[]){ "stop", NULL }, units, n, wait_s * 1000, NULL, e);
	return rc < 0 ? err_context(e, "stop %s", n ? units[0] : "nothing") : 0;
}

int systemd_reload(struct err *e)
{
	int rc = run((const char *[]){ "daemon-reload", NULL }, NULL, 0, RELOAD_WAIT_MS, NULL, e);

	return rc < 0 ? err_context(e, "make systemd read its files again") : 0;
}
