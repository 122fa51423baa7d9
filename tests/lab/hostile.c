// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hostile - what the tests of the helper do to it, and a look at what came out
 *
 * Linked statically: it has to run where no library can be opened.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wgns/compiled.h"

#define FD_LAST 4095
#define STACK_SIZE (1 << 20)

static int n_open;

static void must(int is_so, const char *what)
{
	if (is_so)
		return;
	(void)dprintf(STDOUT_FILENO, "OPEN: %s\n", what);
	n_open++;
}

static int has_no_capability(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, sets) < 0)
		return 0;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		if (sets[i].effective | sets[i].permitted | sets[i].inheritable)
			return 0;
	}
	for (unsigned cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) != 0)
			return 0;
	}
	return 1;
}

static int is_one_user(void)
{
	uid_t uids[3];
	gid_t gids[3];

	return getresuid(&uids[0], &uids[1], &uids[2]) == 0 && uids[0] && uids[0] == uids[1] &&
	       uids[1] == uids[2] && getresgid(&gids[0], &gids[1], &gids[2]) == 0 && gids[0] &&
	       gids[0] == gids[1] && gids[1] == gids[2];
}

/* a file system of this type, read-only, lies there */
static int is_covered(const char *path, long type)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == type && fs.f_flags & ST_RDONLY;
}

static int is_in(const char *netns)
{
	char text[64], want[64];
	ssize_t len = readlink("/proc/self/ns/net", text, sizeof(text) - 1);

	if (len < 0)
		return 0;
	text[len] = '\0';
	(void)snprintf(want, sizeof(want), "net:[%s]", netns);
	return strcmp(text, want) == 0;
}

static int has_standard_descriptors_alone(void)
{
	for (int fd = STDERR_FILENO + 1; fd <= FD_LAST; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			return 0;
	}
	return 1;
}

/* "sealed", or what is not; without opening or allocating anything */
static int witness(char **argv)
{
	must(has_no_capability(), "it has a capability");
	must(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, "no_new_privs is not set");
	must(is_one_user(), "it is root, or two users at once");
	must(is_in(argv[0]), "it is in another network namespace");
	must(is_covered("/etc", OVERLAYFS_SUPER_MAGIC), "/etc is the host's");
	must(is_covered("/run/nscd", TMPFS_MAGIC), "/run/nscd is the host's");
	must(is_covered("/run/systemd/resolve", TMPFS_MAGIC), "/run/systemd/resolve is the host's");
	must(access("/sys/class/net/inbox", F_OK) == 0, "/sys is the host's");
	must(has_standard_descriptors_alone(), "it has more than three descriptors");
	if (!n_open)
		(void)dprintf(STDOUT_FILENO, "sealed\n");
	return n_open != 0;
}

/* into the file argv[0]: what stands on 0, 1 and 2 */
static int standard(char **argv)
{
	char path[32], found[3][256];

	for (int fd = 0; fd < 3; fd++) {
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		ssize_t len = readlink(path, found[fd], sizeof(found[fd]) - 1);
		found[fd][len > 0 ? len : 0] = '\0';
	}
	int out = open(argv[0], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	return out < 0 || dprintf(out, "%s;%s;%s\n", found[0], found[1], found[2]) < 0;
}

static int no_arguments(char **argv)
{
	char *none[] = { NULL };

	(void)execv(argv[0], none);
	return errno;
}

static int start(void *argv)
{
	(void)execvp(*(char **)argv, argv);
	return errno;
}

/* the program shares root and working directory with this process, which could change them meanwhile */
static int sharing(char **argv)
{
	static char stack[STACK_SIZE];
	int status;

	pid_t pid = clone(start, stack + STACK_SIZE, CLONE_FS | SIGCHLD, argv);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return errno;
	return WEXITSTATUS(status);
}

static int put_at(int fd, int place)
{
	return fd >= 0 && dup2(fd, place) == place;
}

/* with sockets and folders of the outside on descriptors from 3 */
static int descriptors(char **argv)
{
	struct rlimit limit = { .rlim_cur = 2048, .rlim_max = 2048 };

	if (setrlimit(RLIMIT_NOFILE, &limit) < 0 ||
	    !put_at(socket(AF_INET, SOCK_STREAM, 0), 1000) ||
	    !put_at(socket(AF_NETLINK, SOCK_RAW, 0), 9) ||
	    !put_at(open("/proc/sys/net", O_RDONLY), 10) ||
	    !put_at(open("/run/systemd/resolve", O_RDONLY), 11) ||
	    !put_at(socket(AF_INET, SOCK_DGRAM, 0), 2047) ||
	    !put_at(socket(AF_INET6, SOCK_STREAM, 0), 3))
		return errno;
	return start(argv);
}

/* with no descriptor but the first three */
static int clean(char **argv)
{
	if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0U) < 0)
		return errno;
	return start(argv);
}

/* OPTIONS LEN LEN [CODE]...: what the helper reads of a profile, with instructions of these codes, each returning "allow" */
static int compiled(char **argv)
{
	static struct compiled c;
	size_t n = 0;

	memcpy(c.magic, COMPILED_MAGIC, sizeof(c.magic));
	c.options = (uint32_t)strtoul(argv[0], NULL, 0);
	c.len[0] = (uint32_t)strtoul(argv[1], NULL, 0);
	c.len[1] = (uint32_t)strtoul(argv[2], NULL, 0);
	for (argv += 3; *argv && n < COMPILED_CODE_MAX; argv++)
		c.code[n++] = (struct sock_filter){ .code = (uint16_t)strtoul(*argv, NULL, 0),
						    .k = 0x7fff0000 };
	size_t len = COMPILED_HEAD + n * sizeof(c.code[0]);
	return write(STDOUT_FILENO, &c, len) != (ssize_t)len;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(char **argv);
		int n_args; /* at least */
	} parts[] = {
		{ "witness", witness, 1 },
		{ "standard", standard, 1 },
		{ "no-arguments", no_arguments, 1 },
		{ "sharing", sharing, 1 },
		{ "descriptors", descriptors, 1 },
		{ "compiled", compiled, 3 },
		{ "clean", clean, 1 },
	};

	for (size_t i = 0; argc > 1 && i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (strcmp(argv[1], parts[i].name) == 0 && argc >= 2 + parts[i].n_args)
			return parts[i].run(argv + 2);
	}
	(void)dprintf(STDERR_FILENO, "hostile: no such part, or too few arguments\n");
	return 2;
}
