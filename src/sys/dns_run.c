// SPDX-License-Identifier: GPL-2.0-or-later
/* the programs that manage names on other people's behalf: resolvconf(8), resolvectl(1) */
#include "dns_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wgns/fd.h"
#include "wgns/signals.h"
#include "wgns/str.h"

#define RUN_WAIT_MS 60000 /* resolvconf restarts daemons in its hooks; a minute is a hang */
#define RUN_STDERR_MAX 65536

int dns_find_program(const char *name, char path[PATH_MAX])
{
	static const char *const dirs[] = { "/usr/sbin", "/sbin", "/usr/bin", "/bin" };
	struct stat st;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		(void)snprintf(path, PATH_MAX, "%s/%s", dirs[i], name);
		if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0)
			return 0;
	}
	return -ENOENT;
}

/* Files in memory and not pipes: neither side can block, and a daemon that a hook leaves behind with our
 * stderr in its hand cannot keep us waiting for its end. */
static int memory_file(const char *content, struct err *e)
{
	AUTO_FD int fd = memfd_create("wgns-dns", MFD_CLOEXEC);

	if (fd < 0)
		return err_set(e, errno, "memfd_create");
	size_t len = content ? strlen(content) : 0;
	int rc = fd_write_all(fd, content, len, "memfd", e);
	if (rc < 0)
		return rc;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_set(e, errno, "lseek");
	return fd_take(&fd);
}

/* end as @pid does */
_Noreturn static void pass_end(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			_exit(127);
	}
	if (WIFSIGNALED(status))
		(void)raise(WTERMSIG(status));
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 127);
}

/* never returns; argv and environ of execve(2) are not const for historical reasons only */
_Noreturn static void become(const char *const *argv, int in_fd, int err_fd)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", locale[] = "LC_ALL=C";
	char *env[] = { path, locale, NULL };
	char *args[DNS_ARGS_MAX + 1] = { NULL };

	for (size_t i = 0; i < DNS_ARGS_MAX && argv[i]; i++)
		memcpy(&args[i], &argv[i], sizeof(args[i]));
	signals_unblock();
	int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null_fd < 0 || dup2(in_fd, 0) < 0 || dup2(null_fd, 1) < 0 || dup2(err_fd, 2) < 0 ||
	    chdir("/") < 0)
		_exit(127);
	/*
	 * A manager of names is not to be stopped half-way, nor to work beside the next change: when wgns is killed, this process
	 * still holds its lock, until the manager has ended.
	 */
	pid_t pid = fork();
	if (pid > 0)
		pass_end(pid);
	/* a wait that took too long kills its child: then this goes, too */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (pid == 0)
		execve(args[0], args, env);
	dprintf(2, "%s\n", strerror(errno));
	_exit(127);
}

/* Return: 0 and the status of waitpid(2), or -ETIMEDOUT after killing it */
static int wait_for(pid_t pid, int *status)
{
	/* a child that was not waited for keeps its pid, so the number cannot be someone else's */
	AUTO_FD int pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { .fd = pid_fd, .events = POLLIN };
	int rc = 0;

	if (pid_fd >= 0 && poll(&p, 1, RUN_WAIT_MS) == 0) {
		(void)kill(pid, SIGKILL); /* our own child, alive or a zombie */
		rc = -ETIMEDOUT;
	}
	while (waitpid(pid, status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return rc;
}

/* the last line that is not blank, printable; "" when there is none */
static void last_line(int fd, char *out, size_t cap)
{
	AUTO_FREE char *text = NULL;
	struct err ignored; /* without its words the exit status has to do */
	size_t len, n = 0;

	out[0] = '\0';
	if (lseek(fd, 0, SEEK_SET) < 0 ||
	    fd_read_all(fd, RUN_STDERR_MAX, &text, &len, "stderr", &ignored) < 0)
		return;
	while (len && strchr(" \t\r\n", text[len - 1]))
		text[--len] = '\0';
	const char *newline = strrchr(text, '\n');
	for (const char *c = newline ? newline + 1 : text; *c && n + 1 < cap; c++)
		out[n++] = (*c >= 0x20 && *c < 0x7f) ? *c : '?';
	out[n] = '\0';
}

int dns_run(const char *const *argv, const char *input, struct err *e)
{
	char said[256];
	int status = 0;
	int fd = memory_file(input, e);

	if (fd < 0)
		return fd;
	AUTO_FD int in_fd = fd;
	fd = memory_file(NULL, e);
	if (fd < 0)
		return fd;
	AUTO_FD int err_fd = fd;

	pid_t pid = fork();
	if (pid < 0)
		return err_set(e, errno, "start %s", argv[0]);
	if (pid == 0)
		become(argv, in_fd, err_fd);

	int rc = wait_for(pid, &status);
	if (rc < 0)
		return err_set(e, -rc, "wait for %s", argv[0]);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	last_line(err_fd, said, sizeof(said));
	if (said[0])
		return err_say(e, EIO, "%s: %s", argv[0], said);
	if (WIFSIGNALED(status))
		return err_say(e, EIO, "%s was killed by signal %d", argv[0], WTERMSIG(status));
	return err_say(e, EIO, "%s ended with status %d", argv[0], WEXITSTATUS(status));
}
