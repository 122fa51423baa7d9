// SPDX-License-Identifier: GPL-2.0-or-later
/* what configures devices now: reads /proc and profiles, changes nothing */
#include "wgns/host_agents.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wgns/agents_argv.h"
#include "wgns/fd.h"
#include "wgns/netns.h"
#include "wgns/profile.h"
#include "wgns/str.h"

#define ARGS_MAX 65536

void host_agents_free(struct host_agents *agents)
{
	free(agents->items);
	free(agents->profiles);
	*agents = (struct host_agents){ 0 };
}

static int compare(const void *a, const void *b)
{
	const struct host_agent *x = a, *y = b;
	int by_device = strcmp(x->device, y->device);
	int by_program = by_device ? by_device : strcmp(x->program->name, y->program->name);

	return by_program ? by_program : (x->pid > y->pid) - (x->pid < y->pid);
}

/* a small file of a process; NULL: gone, or not to be looked at */
static char *read_file(int dir_fd, const char *name, size_t *len)
{
	struct err ignored; /* NULL says it */
	char *text = NULL;

	return fd_read_file_at(dir_fd, name, ARGS_MAX, &text, len, &ignored) < 0 ? NULL : text;
}

/* real, effective, saved and that of files: who is root only by half is somebody else's program */
static bool is_roots(int dir_fd)
{
	unsigned uid[4];
	size_t len;
	AUTO_FREE char *text = read_file(dir_fd, "status", &len);
	const char *line = text ? strstr(text, "\nUid:") : NULL; /* newlines in Name: are escaped */

	return line &&
	       sscanf(line, "\nUid: %u %u %u %u", &uid[0], &uid[1], &uid[2], &uid[3]) == 4 &&
	       !(uid[0] | uid[1] | uid[2] | uid[3]);
}

static bool is_same_file(int dir_fd, const char *name, int other_fd, const char *other)
{
	struct stat theirs, ours;

	return fstatat(dir_fd, name, &theirs, 0) == 0 && fstatat(other_fd, other, &ours, 0) == 0 &&
	       theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

/* in another namespace it manages other devices; among other mounts its files are not those that are here */
static bool is_in_our_namespaces(int dir_fd)
{
	return is_same_file(dir_fd, "ns/net", AT_FDCWD, "/proc/thread-self/ns/net") &&
	       is_same_file(dir_fd, "ns/mnt", AT_FDCWD, "/proc/thread-self/ns/mnt");
}

/* what it runs is root's to choose: a path of somebody else's is never executed by us */
static bool is_roots_file(int dir_fd, const char *path)
{
	struct stat st;

	return fstatat(dir_fd, path, &st, 0) == 0 && S_ISREG(st.st_mode) && st.st_uid == 0 &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/* proc_pid_cgroup(5): the last part of the path that is a service or a scope */
static void read_unit(int dir_fd, char out[AGENTS_UNIT_MAX])
{
	size_t len;
	AUTO_FREE char *text = read_file(dir_fd, "cgroup", &len);
	char *rest = text;

	out[0] = '\0';
	for (char *line = text ? strsep(&rest, "\n") : NULL; line; line = strsep(&rest, "\n")) {
		if (strncmp(line, "0::/", 4) != 0 && !strstr(line, ":name=systemd:/"))
			continue;
		char *path = strchr(line, '/');
		for (char *part = strsep(&path, "/"); part; part = strsep(&path, "/")) {
			size_t n = strlen(part);
			if (n < AGENTS_UNIT_MAX && n > 8 && strcmp(part + n - 8, ".service") == 0)
				(void)snprintf(out, AGENTS_UNIT_MAX, "%s", part);
		}
	}
}

static int read_argv(int dir_fd, struct agents_argv *out)
{
	size_t len;
	AUTO_FREE char *text = read_file(dir_fd, "cmdline", &len);
	int rc = 0;

	for (size_t at = 0; text && rc == 0 && at < len && out->argc < AGENTFILE_ARGS_MAX;
	     at += strlen(text + at) + 1)
		rc = str_list_add(&out->argv, &out->argc, text + at, strlen(text + at));
	/* what was written over them ends in NULs that are no arguments */
	while (out->argc > 1 && !out->argv[out->argc - 1][0])
		free(out->argv[--out->argc]);
	return rc;
}

static pid_t parent_of(int dir_fd)
{
	size_t len;
	AUTO_FREE char *text = read_file(dir_fd, "stat", &len);
	const char *end = text ? strrchr(text, ')') : NULL;
	int parent = 0;

	/* proc_pid_stat(5): the name is in parentheses and may hold anything */
	return end && sscanf(end + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

/*
 * dhcpcd gives up root and keeps a child that is root's: the child says whose the parent is. Then the parent is meant, and
 * what it calls itself. It is no process of root's any more: it has to be the child's own program.
 */
static int look_at_parent(int proc_fd, int dir_fd, struct host_agent *out, struct agents_argv *argv)
{
	char path[16], comm[32] = "";
	size_t len;
	pid_t parent = parent_of(dir_fd);

	(void)snprintf(path, sizeof(path), "%d", (int)parent);
	AUTO_FD int parent_fd = openat(proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_FREE char *text = parent_fd < 0 ? NULL : read_file(parent_fd, "comm", &len);
	(void)snprintf(comm, sizeof(comm), "%s", text ? text : "");
	agents_argv_free(argv);
	if (strcmp(comm, "dhcpcd\n") != 0 || !is_same_file(parent_fd, "exe", dir_fd, "exe") ||
	    !is_in_our_namespaces(parent_fd))
		return 0;
	out->pid = parent;
	int rc = read_argv(parent_fd, argv);
	if (rc == 0 && !agents_has_title(argv->argv, argv->argc))
		agents_argv_free(argv);
	return rc;
}

/* Return: 1: it is one of them, and @out; 0; -ENOMEM */
static int look_at(int proc_fd, const char *pid, struct host_agent *out, struct agents_argv *argv)
{
	size_t len;
	AUTO_FD int dir_fd = openat(proc_fd, pid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_FREE char *comm = dir_fd < 0 ? NULL : read_file(dir_fd, "comm", &len);

	if (!comm)
		return 0;
	comm[strcspn(comm, "\n")] = '\0';
	if (!agents_program_find(comm) && strcmp(comm, "busybox") != 0)
		return 0;
	int rc = read_argv(dir_fd, argv);
	const char *name = rc == 0 ? agents_program_of(comm, argv->argv, argv->argc) : NULL;
	*out = (struct host_agent){ .pid = (pid_t)strtol(pid, NULL, 10),
				    .program = name ? agents_program_find(name) : NULL };
	if (!out->program || !argv->argc || !is_roots(dir_fd) || !is_roots_file(dir_fd, "exe") ||
	    !is_in_our_namespaces(dir_fd) ||
	    (agents_is_helper(argv->argv, argv->argc) && !agents_is_proxy(argv->argv, argv->argc)))
		return rc;
	if (agents_is_proxy(argv->argv, argv->argc))
		rc = look_at_parent(proc_fd, dir_fd, out, argv);
	if (rc < 0 || !argv->argc || proc_start_time(out->pid, &out->start_time) < 0)
		return rc;
	agents_device_of(name, argv->argv, argv->argc, out->device);
	read_unit(dir_fd, out->unit);
	return 1;
}

/* a child of another one of them is no agent of its own: dhcpcd has several */
static bool is_child(int proc_fd, pid_t pid, const struct host_agents *all)
{
	char path[16];

	(void)snprintf(path, sizeof(path), "%d", (int)pid);
	AUTO_FD int dir_fd = openat(proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t parent = dir_fd < 0 ? 0 : parent_of(dir_fd);
	for (size_t i = 0; parent && i < all->n; i++) {
		if (all->items[i].pid == parent)
			return true;
	}
	return false;
}

static void drop_children(int proc_fd, struct host_agents *all)
{
	bool is_dropped[AGENTS_FOUND_MAX];
	size_t kept = 0;

	for (size_t i = 0; i < all->n; i++)
		is_dropped[i] = is_child(proc_fd, all->items[i].pid, all);
	for (size_t i = 0; i < all->n; i++) {
		if (!is_dropped[i])
			all->items[kept++] = all->items[i];
	}
	all->n = kept;
}

static int read_processes(struct host_agents *out, struct err *e)
{
	DIR *dir = opendir("/proc");
	int rc = 0;

	if (!dir)
		return err_set(e, errno, "list the processes in /proc");
	out->items = calloc(AGENTS_FOUND_MAX, sizeof(*out->items));
	const struct dirent *d = out->items ? readdir(dir) : NULL;
	for (; d && rc >= 0 && out->n < AGENTS_FOUND_MAX; d = readdir(dir)) {
		struct agents_argv argv = { 0 };
		if (!isdigit((unsigned char)d->d_name[0]))
			continue;
		rc = look_at(dirfd(dir), d->d_name, &out->items[out->n], &argv);
		out->n += rc == 1;
		agents_argv_free(&argv);
	}
	if (out->items && rc >= 0)
		drop_children(dirfd(dir), out);
	(void)closedir(dir); /* it was only read */
	if (!out->items || rc < 0)
		return err_set(e, ENOMEM, "find what configures the devices");
	qsort(out->items, out->n, sizeof(*out->items), compare);
	return 0;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* what it was when it was found it need not be now; of one that has given up root only the title counts */
static bool is_genuine(const struct host_agent *agent, int dir_fd, const char *exe,
		       const struct agents_argv *argv)
{
	return is_roots_file(AT_FDCWD, exe) &&
	       (is_roots(dir_fd) || (agents_has_title(argv->argv, argv->argc) &&
				     strcmp(base_name(exe), agent->program->name) == 0));
}

int host_agent_command(const struct host_agent *agent, struct agentfile_command *out, struct err *e)
{
	struct agents_argv argv = { 0 }, own = { 0 };
	char path[32], exe[PATH_MAX];

	(void)snprintf(path, sizeof(path), "/proc/%d", (int)agent->pid);
	AUTO_FD int dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ssize_t len = dir_fd < 0 ? -1 : readlinkat(dir_fd, "exe", exe, sizeof(exe) - 1);
	if (len <= 0)
		return err_say(e, ESRCH, "%s (process %d) is gone", agent->program->name,
			       (int)agent->pid);
	exe[len] = '\0';
	/* an upgrade has replaced the file: what is there now takes its place */
	char *deleted = strstr(exe, " (deleted)");
	if (deleted && !deleted[sizeof(" (deleted)") - 1])
		*deleted = '\0';
	int rc = read_argv(dir_fd, &argv);
	if (rc == 0 && !is_genuine(agent, dir_fd, exe, &argv))
		rc = -EINVAL;
	if (rc == 0)
		rc = agents_argv_in_home(argv.argv, argv.argc, &own);
	char *copy = rc == 0 ? strdup(exe) : NULL;
	agents_argv_free(&argv);
	if (!copy || !own.argc) {
		free(copy);
		agents_argv_free(&own);
		if (rc == -EINVAL)
			return err_say(e, EPERM,
				       "%s (process %d) is not what it says that it is, or %s is "
				       "not root's",
				       agent->program->name, (int)agent->pid, exe);
		return err_set(e, ENOMEM, "record how %s was started", agent->program->name);
	}
	*out = (struct agentfile_command){ .pid = agent->pid,
					   .start_time = agent->start_time,
					   .exe = copy,
					   .argv = own.argv,
					   .argc = own.argc };
	return 0;
}

bool host_agents_has(const char *program)
{
	static const char *const dirs[] = { "/usr/sbin", "/usr/bin", "/sbin", "/bin" };
	char path[PATH_MAX];

	if (program[0] == '/')
		return access(program, X_OK) == 0;
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dirs[i], program);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

const struct profile_command *host_agents_choose(const struct profile *p)
{
	for (size_t i = 0; i < p->n_agents; i++) {
		if (host_agents_has(p->agents[i].argv[0]))
			return &p->agents[i];
	}
	return NULL;
}

void host_agents_program(const struct profile_command *c, char out[AGENTS_PROGRAM_MAX])
{
	const char *name = base_name(c->argv[0]);

	if (strcmp(name, "busybox") == 0 && c->argc > 1)
		name = base_name(c->argv[1]);
	(void)snprintf(out, AGENTS_PROGRAM_MAX, "%.31s", name);
}

/* "wpa_supplicant is not installed", "none of dhclient, dhcpcd, udhcpc is installed" */
static void say_missing(const struct profile *p, struct host_agent_profile *out)
{
	AUTO_STRBUF struct strbuf list = { 0 };
	char program[AGENTS_PROGRAM_MAX], last[AGENTS_PROGRAM_MAX] = "";
	size_t n = 0;

	for (size_t i = 0; i < p->n_agents; i++) {
		host_agents_program(&p->agents[i], program);
		if (strcmp(program, last) == 0)
			continue; /* "udhcpc", "busybox udhcpc" */
		strbuf_addf(&list, "%s%s", n++ ? ", " : "", program);
		(void)snprintf(last, sizeof(last), "%s", program);
	}
	(void)snprintf(out->why, sizeof(out->why),
		       n == 1 ? "%.200s is not installed" : "none of %.200s is installed",
		       list.is_failed || !list.s ? "its programs" : list.s);
}

static void read_profile(const char *name, const char *const *dirs, size_t n_dirs,
			 struct host_agent_profile *out)
{
	struct diag_list diags = { 0 };
	struct profile p;
	struct err why;

	*out = (struct host_agent_profile){ 0 };
	(void)snprintf(out->name, sizeof(out->name), "%.71s", name);
	int rc = profile_read(dirs, n_dirs, name, &p, &diags, &why);
	diag_free(&diags);
	out->is_absent = rc < 0 || !p.n_agents;
	if (rc < 0) {
		(void)snprintf(out->why, sizeof(out->why), "%.255s", why.text);
		return;
	}
	if (!p.n_agents)
		(void)snprintf(out->why, sizeof(out->why),
			       "the profile %.64s has no Command in a section [Agent]", name);
	out->task = p.is_for_air ? AGENTS_AIR : AGENTS_ADDRESS;
	const struct profile_command *c = host_agents_choose(&p);
	if (c)
		host_agents_program(c, out->program);
	else if (p.n_agents)
		say_missing(&p, out);
	profile_free(&p);
}

int host_read_agents(char *const *names, size_t n_names, const char *const *dirs, size_t n_dirs,
		     struct host_agents *out, struct err *e)
{
	struct host_agents found = { 0 };
	int rc = read_processes(&found, e);

	if (rc == 0 && n_names) {
		found.profiles = calloc(n_names, sizeof(*found.profiles));
		if (!found.profiles)
			rc = err_set(e, ENOMEM, "read the profiles of agents");
	}
	for (size_t i = 0; rc == 0 && i < n_names; i++) {
		if (strncmp(names[i], AGENTS_UNIT, sizeof(AGENTS_UNIT) - 1) != 0)
			read_profile(names[i], dirs, n_dirs, &found.profiles[found.n_profiles++]);
	}
	if (rc < 0) {
		host_agents_free(&found);
		return rc;
	}
	*out = found;
	return 0;
}
