// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/agentfile.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wgns/fd.h"
#include "wgns/netns.h"
#include "wgns/state.h"
#include "wgns/str.h"

#define FILE_MAX (1u << 20)
#define MOUNTINFO_MAX (1u << 22)

void agentfile_free(struct agentfile *a)
{
	for (size_t i = 0; i < AGENTFILE_COMMANDS_MAX; i++) {
		free(a->commands[i].exe);
		str_list_free(&a->commands[i].argv, &a->commands[i].argc);
	}
	*a = (struct agentfile){ 0 };
}

void agentfile_name(const char *program, const char *device, char out[AGENTFILE_NAME_MAX])
{
	(void)snprintf(out, AGENTFILE_NAME_MAX, "%.31s.%.15s", program, device);
}

/* one word whatever an argument contains: %XX for what is no plain character */
static void add_word(struct strbuf *b, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c > 0x20 && c < 0x7f && c != '%')
			strbuf_add(b, text, 1);
		else
			strbuf_addf(b, "%%%02x", c);
	}
}

/* Return: 0 or -EINVAL; in place */
static int decode_word(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		unsigned char byte;
		if (*from != '%') {
			*to++ = *from;
			continue;
		}
		if (!from[1] || !from[2] || str_hex_decode(from + 1, 2, &byte, 1) != 1 || !byte)
			return -EINVAL;
		*to++ = (char)byte;
		from += 2;
	}
	*to = '\0';
	return 0;
}

static void file_name(const char *name, const char *suffix, char *out, size_t cap)
{
	(void)snprintf(out, cap, "%s%s", name, suffix);
}

static int open_dir(int run_fd, struct err *e)
{
	return state_openat(run_fd, AGENTFILE_DIR, O_RDONLY | O_DIRECTORY, e);
}

static int make_dir(int run_fd, struct err *e)
{
	struct err why;
	int rc = state_mkdir(run_fd, AGENTFILE_DIR, 0700, 0, &why);

	if (rc < 0 && rc != -EEXIST) {
		*e = why;
		return rc;
	}
	return open_dir(run_fd, e);
}

static int replace(int run_fd, const char *name, const char *suffix, const struct strbuf *text,
		   struct err *e)
{
	char file[AGENTFILE_NAME_MAX + 16];

	if (text->is_failed)
		return err_set(e, ENOMEM, "record %s%s", name, suffix);
	file_name(name, suffix, file, sizeof(file));
	AUTO_FD int dir_fd = make_dir(run_fd, e);
	return dir_fd < 0 ? dir_fd
			  : fd_replace_file_at(dir_fd, file, text->s ? text->s : "", text->len,
					       0600, e);
}

int agentfile_write(int run_fd, const char *suffix, const struct agentfile *a, struct err *e)
{
	AUTO_STRBUF struct strbuf b = { 0 };
	char name[AGENTFILE_NAME_MAX];

	strbuf_addf(&b, "program %s\ndevice %s\n", a->program, a->device);
	if (a->profile[0])
		strbuf_addf(&b, "profile %s\n", a->profile);
	for (size_t i = 0; i < a->n; i++) {
		const struct agentfile_command *c = &a->commands[i];
		strbuf_addf(&b, "process %d %llu\nexe ", (int)c->pid, c->start_time);
		add_word(&b, c->exe);
		for (size_t k = 0; k < c->argc; k++) {
			strbuf_addf(&b, "\narg ");
			add_word(&b, c->argv[k]);
		}
		strbuf_addf(&b, "\n");
	}
	agentfile_name(a->program, a->device, name);
	return replace(run_fd, name, suffix, &b, e);
}

/* Return: 0, -EINVAL, -ENOMEM */
static int take_line(char *line, struct agentfile *a)
{
	struct agentfile_command *c = a->n ? &a->commands[a->n - 1] : NULL;
	char *value = strchr(line, ' ');

	if (!value)
		return -EINVAL;
	*value++ = '\0';
	if (strcmp(line, "program") == 0)
		return (size_t)snprintf(a->program, sizeof(a->program), "%s", value) <
				       sizeof(a->program)
			       ? 0
			       : -EINVAL;
	if (strcmp(line, "device") == 0)
		return (size_t)snprintf(a->device, sizeof(a->device), "%s", value) <
				       sizeof(a->device)
			       ? 0
			       : -EINVAL;
	if (strcmp(line, "profile") == 0)
		return (size_t)snprintf(a->profile, sizeof(a->profile), "%s", value) <
				       sizeof(a->profile)
			       ? 0
			       : -EINVAL;
	if (strcmp(line, "process") == 0) {
		if (a->n == AGENTFILE_COMMANDS_MAX)
			return -EINVAL;
		c = &a->commands[a->n++];
		return sscanf(value, "%d %llu", &c->pid, &c->start_time) == 2 ? 0 : -EINVAL;
	}
	if (!c || decode_word(value) < 0)
		return -EINVAL;
	if (strcmp(line, "exe") == 0 && !c->exe) {
		c->exe = strdup(value);
		return c->exe ? 0 : -ENOMEM;
	}
	if (strcmp(line, "arg") != 0 || c->argc == AGENTFILE_ARGS_MAX)
		return -EINVAL;
	return str_list_add(&c->argv, &c->argc, value, strlen(value));
}

static bool is_whole(const struct agentfile *a)
{
	bool is_whole = a->program[0] && a->device[0] && !strchr(a->program, '/') &&
			!strchr(a->device, '/');

	for (size_t i = 0; i < a->n; i++)
		is_whole = is_whole && a->commands[i].exe && a->commands[i].argc;
	return is_whole;
}

static int read_file(int run_fd, const char *name, const char *suffix, char **text, size_t *len,
		     struct err *e)
{
	char file[AGENTFILE_NAME_MAX + 16];
	AUTO_FD int dir_fd = open_dir(run_fd, e);

	file_name(name, suffix, file, sizeof(file));
	return dir_fd < 0 ? dir_fd : fd_read_file_at(dir_fd, file, FILE_MAX, text, len, e);
}

int agentfile_read(int run_fd, const char *name, const char *suffix, struct agentfile *out,
		   struct err *e)
{
	struct agentfile a = { 0 };
	AUTO_FREE char *text = NULL;
	size_t len;

	int rc = read_file(run_fd, name, suffix, &text, &len, e);
	if (rc < 0)
		return rc;
	char *rest = text;
	for (char *line = strsep(&rest, "\n"); line && rc == 0; line = strsep(&rest, "\n")) {
		if (*line)
			rc = take_line(line, &a);
	}
	if (rc == 0 && !is_whole(&a))
		rc = -EINVAL;
	if (rc < 0) {
		agentfile_free(&a);
		return err_set(e, -rc, "read " STATE_DIR "/" AGENTFILE_DIR "/%s%s", name, suffix);
	}
	*out = a;
	return 0;
}

int agentfile_remove(int run_fd, const char *name, const char *suffix, struct err *e)
{
	char file[AGENTFILE_NAME_MAX + 16];
	struct err why;
	AUTO_FD int dir_fd = open_dir(run_fd, &why);

	if (dir_fd == -ENOENT)
		return 0;
	if (dir_fd < 0) {
		*e = why;
		return dir_fd;
	}
	file_name(name, suffix, file, sizeof(file));
	if (unlinkat(dir_fd, file, 0) < 0 && errno != ENOENT)
		return err_set(e, errno, "remove " STATE_DIR "/" AGENTFILE_DIR "/%s", file);
	return 0;
}

int agentfile_text(int run_fd, const char *name, const char *suffix, char *out, size_t cap)
{
	AUTO_FREE char *text = NULL;
	struct err ignored; /* rc says it */
	size_t len;
	int rc = read_file(run_fd, name, suffix, &text, &len, &ignored);

	if (rc < 0)
		return rc;
	(void)snprintf(out, cap, "%.*s", (int)strcspn(text, "\n"), text);
	for (char *c = out; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	}
	return 0;
}

int agentfile_write_keeper(int run_fd, const char *name, const struct agentfile_keeper *k,
			   struct err *e)
{
	AUTO_STRBUF struct strbuf b = { 0 };

	strbuf_addf(&b, "%d %llu\n", (int)k->pid, k->start_time);
	return replace(run_fd, name, ".keeper", &b, e);
}

int agentfile_read_keeper(int run_fd, const char *name, struct agentfile_keeper *out)
{
	struct agentfile_keeper k;
	unsigned long long now;
	char text[64];
	int rc = agentfile_text(run_fd, name, ".keeper", text, sizeof(text));

	if (rc < 0)
		return rc;
	if (sscanf(text, "%d %llu", &k.pid, &k.start_time) != 2 || k.pid <= 1)
		return -EINVAL;
	*out = k;
	return proc_start_time(k.pid, &now) < 0 || now != k.start_time ? -ESRCH : 0;
}

static int compare(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

int agentfile_names(int run_fd, const char *suffix, char ***names, size_t *n, struct err *e)
{
	const size_t suffix_len = strlen(suffix);
	struct err why;
	int fd = open_dir(run_fd, &why), rc = 0;

	if (fd == -ENOENT)
		return 0;
	if (fd < 0) {
		*e = why;
		return fd;
	}
	DIR *dir = fdopendir(fd);
	if (!dir) {
		(void)close(fd);
		return err_set(e, ENOMEM, "list the agents");
	}
	for (const struct dirent *d = readdir(dir); d && rc == 0; d = readdir(dir)) {
		size_t len = strlen(d->d_name);
		if (len > suffix_len && len - suffix_len < AGENTFILE_NAME_MAX &&
		    strcmp(d->d_name + len - suffix_len, suffix) == 0)
			rc = str_list_add(names, n, d->d_name, len - suffix_len);
	}
	(void)closedir(dir); /* it was only read */
	if (*n)
		qsort(*names, *n, sizeof(**names), compare);
	return rc < 0 ? err_set(e, ENOMEM, "list the agents") : 0;
}

void agentfile_mount(const char *name, char out[AGENTFILE_MOUNT_MAX])
{
	AUTO_STRBUF struct strbuf hex = { 0 };

	/* no blank, no comma, nothing that mountinfo would write in another way */
	strbuf_add_hex(&hex, name, strnlen(name, AGENTFILE_NAME_MAX));
	(void)snprintf(out, AGENTFILE_MOUNT_MAX, AGENTFILE_MOUNT ":%s", hex.s ? hex.s : "");
}

bool agentfile_is_agents(pid_t pid, const char *name)
{
	/* "36 35 0:30 / /etc rw - overlay wgns-agent:... rw,...": only who has CAP_SYS_ADMIN chooses the source of a mount */
	char marker[AGENTFILE_MOUNT_MAX + 16] = " - overlay " AGENTFILE_MOUNT ":", path[48];
	char mount[AGENTFILE_MOUNT_MAX];
	AUTO_FREE char *text = NULL;
	struct err ignored; /* gone, or nobody's business */
	size_t len;

	if (name) {
		agentfile_mount(name, mount);
		(void)snprintf(marker, sizeof(marker), " - overlay %s ", mount);
	}
	(void)snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	if (fd_read_file_at(AT_FDCWD, path, MOUNTINFO_MAX, &text, &len, &ignored) < 0)
		return false;
	return strstr(text, marker) != NULL;
}
