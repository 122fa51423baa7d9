// SPDX-License-Identifier: GPL-2.0-or-later
/* programs that matter, by what /proc says of the processes; no service is asked, and no bus */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wgns/doctor.h"
#include "wgns/fd.h"
#include "wgns/netns.h"

#define COMM_MAX 15 /* TASK_COMM_LEN of Linux without its NUL */

static const struct {
	enum doctor_program program;
	const char *name; /* of the file; comm(5) has 15 characters of it */
} programs[] = {
	{ DOCTOR_NETWORKMANAGER, "NetworkManager" },
	{ DOCTOR_NETWORKD, "systemd-networkd" },
	{ DOCTOR_DHCPCD, "dhcpcd" },
	{ DOCTOR_DHCLIENT, "dhclient" },
	{ DOCTOR_UDHCPC, "udhcpc" },
	{ DOCTOR_IWD, "iwd" },
	{ DOCTOR_WPA_SUPPLICANT, "wpa_supplicant" },
	{ DOCTOR_CONNMAN, "connmand" },
	{ DOCTOR_NSCD, "nscd" },
	{ DOCTOR_RESOLVED, "systemd-resolved" },
	{ DOCTOR_FIREWALLD, "firewalld" },
};
#define N_PROGRAMS (sizeof(programs) / sizeof(programs[0]))

const char *doctor_program_name(enum doctor_program program)
{
	for (size_t i = 0; i < N_PROGRAMS; i++) {
		if (programs[i].program == program)
			return programs[i].name;
	}
	return "";
}

/* one of the arguments; NULL at the end */
static const char *argument(const char *args, size_t len, size_t wanted)
{
	size_t n = 0;

	for (size_t at = 0; at < len; at += strnlen(args + at, len - at) + 1, n++) {
		if (n == wanted)
			/* the last one may have been cut and then has no end */
			return strnlen(args + at, len - at) < len - at ? args + at : NULL;
	}
	return NULL;
}

enum doctor_program doctor_program_of(const char *comm, const char *args, size_t len)
{
	char name[COMM_MAX + 1];

	(void)snprintf(name, sizeof(name), "%s", comm);
	if (strcmp(name, "busybox") == 0) {
		const char *applet = argument(args, len, 1);
		(void)snprintf(name, sizeof(name), "%s", applet ? applet : "");
	}
	for (size_t i = 0; i < N_PROGRAMS; i++) {
		if (name[0] && strncmp(programs[i].name, name, COMM_MAX) == 0)
			return programs[i].program;
	}
	return DOCTOR_NO_PROGRAM;
}

bool doctor_names_device(const char *args, size_t len, const char *device)
{
	const char *arg = argument(args, len, 1);

	for (size_t n = 1; arg; arg = argument(args, len, ++n)) {
		if (strcmp(arg, device) == 0 ||
		    (strncmp(arg, "-i", 2) == 0 && strcmp(arg + 2, device) == 0))
			return true;
	}
	return false;
}

const struct doctor_process *doctor_find(const struct doctor_processes *p,
					 enum doctor_program program)
{
	for (size_t i = 0; i < p->n; i++) {
		if (p->items[i].program == program)
			return &p->items[i];
	}
	return NULL;
}

void doctor_processes_free(struct doctor_processes *p)
{
	free(p->items);
	*p = (struct doctor_processes){ 0 };
}

static size_t read_small(int proc_fd, const char *pid, const char *name, char *out, size_t cap)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/%s", pid, name);
	AUTO_FD int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, out, cap - 1);

	out[len > 0 ? len : 0] = '\0';
	return len > 0 ? (size_t)len : 0;
}

/* in another namespace it manages other devices, and a user's own program of such a name manages none */
static bool is_elsewhere(int proc_fd, const char *pid, const struct netns_id *self)
{
	char path[300];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/ns/net", pid);
	if (fstatat(proc_fd, path, &st, 0) == 0 &&
	    !netns_same(self, &(struct netns_id){ .dev = st.st_dev, .ino = st.st_ino }))
		return true;
	(void)snprintf(path, sizeof(path), "%s/exe", pid);
	return fstatat(proc_fd, path, &st, 0) == 0 && st.st_uid != 0;
}

/* path sockets know no namespaces: these two are asked from everywhere */
static bool is_everywhere(enum doctor_program program)
{
	return program == DOCTOR_NSCD || program == DOCTOR_RESOLVED;
}

static void take(int proc_fd, const char *pid, const struct netns_id *self,
		 struct doctor_processes *out)
{
	struct doctor_process *p = &out->items[out->n];
	char comm[64];

	*p = (struct doctor_process){ .pid = (pid_t)strtol(pid, NULL, 10) };
	size_t len = read_small(proc_fd, pid, "comm", comm, sizeof(comm));
	if (!len || p->pid == getpid())
		return;
	comm[strcspn(comm, "\n")] = '\0';
	p->args_len = read_small(proc_fd, pid, "cmdline", p->args, sizeof(p->args));
	p->program = doctor_program_of(comm, p->args, p->args_len);
	if (p->program != DOCTOR_NO_PROGRAM &&
	    (is_everywhere(p->program) || !is_elsewhere(proc_fd, pid, self)))
		out->n++;
}

int doctor_read_processes(struct doctor_processes *out, struct err *e)
{
	struct netns_id self;

	*out = (struct doctor_processes){ 0 };
	AUTO_FD int self_fd = netns_open_self(e);
	if (self_fd < 0 || netns_identify(self_fd, &self, e) < 0)
		return -e->code;
	DIR *dir = opendir("/proc");
	if (!dir)
		return err_set(e, errno, "list the processes in /proc");
	out->items = calloc(DOCTOR_PROCESSES_MAX + 1, sizeof(*out->items));
	const struct dirent *d = out->items ? readdir(dir) : NULL;
	for (; d && out->n < DOCTOR_PROCESSES_MAX; d = readdir(dir)) {
		if (isdigit((unsigned char)d->d_name[0]))
			take(dirfd(dir), d->d_name, &self, out);
	}
	(void)closedir(dir); /* it was only read */
	return out->items ? 0 : err_set(e, ENOMEM, "list the processes");
}
