// SPDX-License-Identifier: GPL-2.0-or-later
/* processes of physical, and who holds packet sockets in home */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verify_internal.h"
#include "wgns/agentfile.h"
#include "wgns/fd.h"
#include "wgns/programs.h"
#include "wgns/str.h"

#define MOUNTINFO_MAX (1u << 24)
#define FDS_MAX (1u << 20) /* of one process: the kernel's own limit is fs.nr_open */

static void close_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir); /* it was only read */
}
#define AUTO_DIR __attribute__((cleanup(close_dir)))

static char *read_proc(pid_t pid, const char *name, size_t max)
{
	char path[48], *text = NULL;
	struct err ignored; /* it has ended, or it is not ours to look at */
	size_t len;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return fd_read_file_at(AT_FDCWD, path, max, &text, &len, &ignored) < 0 ? NULL : text;
}

static void examine(const struct gather *g, struct verify_proc *p)
{
	for (size_t i = 0; i < g->f->n_all; i++) {
		const struct backend_device *dev = &g->f->all[i].device;
		p->is_daemon = p->is_daemon ||
			       (dev->pid == p->proc.pid && dev->start_time == p->proc.start_time);
	}
	p->is_agent = p->proc.uid == 0 && agentfile_is_agents(p->proc.pid, NULL);
	p->is_manager = programs_is_manager(p->proc.pid);
	AUTO_FREE char *status = read_proc(p->proc.pid, "status", VERIFY_TEXT_MAX);
	AUTO_FREE char *mounts = read_proc(p->proc.pid, "mountinfo", MOUNTINFO_MAX);
	if (status)
		p->caps = verify_parse_status(status);
	if (mounts)
		p->mounts = verify_parse_mounts(mounts, VERIFY_BOX_DIR);
}

static int gather_programs(struct gather *g, struct err *e)
{
	struct verify_facts *f = g->f;
	struct netns_proc *found = calloc(VERIFY_PROCS_MAX, sizeof(*found));

	f->procs = calloc(VERIFY_PROCS_MAX, sizeof(*f->procs));
	if (!found || !f->procs) {
		free(found);
		return err_set(e, ENOMEM, "list the processes");
	}
	long n = netns_procs(&f->physical.id, found, VERIFY_PROCS_MAX, e);
	for (long i = 0; i < n && i < VERIFY_PROCS_MAX; i++) {
		if (found[i].pid == getpid())
			continue; /* somebody looks from inside */
		struct verify_proc *p = &f->procs[f->n_procs++];
		p->proc = found[i];
		examine(g, p);
	}
	f->n_procs_all = n < 0 ? 0 : (size_t)n;
	free(found);
	return n < 0 ? (int)n : 0;
}

static int list_sockets(struct gather *g, struct err *e)
{
	struct verify_facts *f = g->f;
	AUTO_FREE char *text = NULL;
	size_t len;

	/* entering takes rights that an ordinary user has not; who is in home need not enter */
	const char *path = "/proc/thread-self/net/packet";
	AUTO_FD int fd = f->is_root ? netns_open_file(g->home_fd, path, e)
				    : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return f->is_root ? fd : err_set(e, errno, "open %s", path);
	int rc = fd_read_all(fd, VERIFY_TEXT_MAX, &text, &len, path, e);
	if (rc < 0)
		return rc;
	char *rest = text;
	for (char *line = strsep(&rest, "\n"); line && f->n_sockets < VERIFY_SOCKETS_MAX;
	     line = strsep(&rest, "\n")) {
		if (verify_parse_packet(line, &f->sockets[f->n_sockets]) == 0)
			f->n_sockets++;
	}
	return 0;
}

static void name_holder(struct verify_socket *s, pid_t pid)
{
	AUTO_FREE char *comm = read_proc(pid, "comm", 64);

	s->pid = pid;
	(void)snprintf(s->comm, sizeof(s->comm), "%.*s", comm ? (int)strcspn(comm, "\n") : 1,
		       comm ? comm : "?");
}

/* "socket:[12345]" */
static void match_links(struct verify_facts *f, pid_t pid, int fds_fd, DIR *dir)
{
	unsigned n = 0;

	for (const struct dirent *d = readdir(dir); d && n < FDS_MAX; d = readdir(dir), n++) {
		char target[64];
		unsigned long long inode;
		ssize_t len = readlinkat(fds_fd, d->d_name, target, sizeof(target) - 1);
		if (len <= 0)
			continue;
		target[len] = '\0';
		if (sscanf(target, "socket:[%llu]", &inode) != 1)
			continue;
		for (size_t i = 0; i < f->n_sockets; i++) {
			if (f->sockets[i].inode == inode && !f->sockets[i].pid)
				name_holder(&f->sockets[i], pid);
		}
	}
}

static void find_holders(struct verify_facts *f)
{
	AUTO_DIR DIR *proc = opendir("/proc");

	if (!proc)
		return;
	for (const struct dirent *d = readdir(proc); d; d = readdir(proc)) {
		char path[300];
		if (!isdigit((unsigned char)d->d_name[0]))
			continue;
		(void)snprintf(path, sizeof(path), "%s/fd", d->d_name);
		int fd = openat(dirfd(proc), path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		AUTO_DIR DIR *dir = fd < 0 ? NULL : fdopendir(fd);
		if (dir)
			match_links(f, (pid_t)strtol(d->d_name, NULL, 10), dirfd(dir), dir);
		else if (fd >= 0)
			(void)close(fd); /* it was only read */
	}
}

int verify_gather_procs(struct gather *g, struct err *e)
{
	struct verify_facts *f = g->f;
	struct err why;

	f->sockets = calloc(VERIFY_SOCKETS_MAX, sizeof(*f->sockets));
	if (!f->sockets)
		return err_set(e, ENOMEM, "list the packet sockets");
	if (list_sockets(g, &why) < 0)
		verify_problem(f->sockets_problem, &why);
	if (f->n_sockets)
		find_holders(f);
	/* another user's processes are not for everyone to look at (ptrace(2)): that list would not be true */
	if (!f->is_root)
		return 0;
	if (g->physical_fd < 0)
		(void)snprintf(f->procs_problem, sizeof(f->procs_problem),
			       "nothing leads to physical");
	else if (gather_programs(g, &why) < 0)
		verify_problem(f->procs_problem, &why);
	return 0;
}
