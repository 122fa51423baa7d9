// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/tool.h"

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
#include "wgns/str.h"

#define STDERR_MAX 65536

int tool_find(const char *name, char path[PATH_MAX])
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
	AUTO_FD int fd = memfd_create("wgns-tool", MFD_CLOEXEC);

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
_Noreturn static void become(const char *const *argv, const int fds[3])
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", locale[] = "LC_ALL=C";
	char *env[] = { path, locale, NULL };
	char *args[TOOL_ARGS_MAX + 1] = { NULL };
	sigset_t none;

	for (size_t i = 0; i < TOOL_ARGS_MAX && argv[i]; i++)
		memcpy(&args[i], &argv[i], sizeof(args[i]));
	sigemptyset(&none);
	/* a session of its own: Ctrl-C is for wgns, which comes to an end in good order */
	if (setsid() < 0 || dup2(fds[0], 0) < 0 || dup2(fds[1], 1) < 0 || dup2(fds[2], 2) < 0 ||
	    chdir("/") < 0 || sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		_exit(127);
	/*
	 * A manager is not to be stopped half-way, nor to work beside the next change: when wgns is killed, this process
	 * still holds its lock, until the manager has ended.
	 */
	pid_t pid = fork();
	if (pid > 0)
		pass_end(pid);
	/* a wait that took too long kills its child: then this goes, too */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (pid == 0 && syscall(SYS_close_range, 3U, ~0U, 0U) == 0)
		execve(args[0], args, env);
	dprintf(2, "%s\n", strerror(errno));
	_exit(127);
}

/* Return: 0 and the status of waitpid(2), or -ETIMEDOUT after killing it */
static int wait_for(pid_t pid, unsigned wait_ms, int *status)
{
	/* a child that was not waited for keeps its pid, so the number cannot be someone else's */
	AUTO_FD int pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { .fd = pid_fd, .events = POLLIN };
	int rc = 0;

	if (pid_fd >= 0 && poll(&p, 1, (int)wait_ms) == 0) {
		(void)kill(pid, SIGKILL); /* our own child, alive or a zombie */
		rc = -ETIMEDOUT;
	}
	while (waitpid(pid, status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return rc;
}

/* the first or last line that is not blank, printable; "" when there is none */
static void one_line(int fd, bool is_first, char *out, size_t cap)
{
	AUTO_FREE char *text = NULL;
	struct err ignored; /* without its words the exit status has to do */
	size_t len, n = 0;

	out[0] = '\0';
	if (lseek(fd, 0, SEEK_SET) < 0 ||
	    fd_read_all(fd, STDERR_MAX, &text, &len, "stderr", &ignored) < 0)
		return;
	while (len && strchr(" \t\r\n", text[len - 1]))
		text[--len] = '\0';
	const char *newline = is_first ? NULL : strrchr(text, '\n');
	for (const char *c = newline ? newline + 1 : text; *c && *c != '\n' && n + 1 < cap; c++)
		out[n++] = (*c >= 0x20 && *c < 0x7f) ? *c : '?';
	out[n] = '\0';
}

static int judge(const struct tool *tool, int status, int err_fd, struct err *e)
{
	const char *program = tool->argv[0];
	char said[256];

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	one_line(err_fd, tool->is_reason_first, said, sizeof(said));
	if (said[0])
		return err_say(e, EIO, "%s: %s", program, said);
	if (WIFSIGNALED(status))
		return err_say(e, EIO, "%s was killed by signal %d", program, WTERMSIG(status));
	return err_say(e, EIO, "%s ended with status %d", program, WEXITSTATUS(status));
}

/* never one of 0 to 2, which the caller may have closed: dup2(2) in the child would lose one */
static int high_fd(int fd, struct err *e)
{
	AUTO_FD int low_fd = fd;

	if (low_fd < 0)
		return low_fd;
	int high = fcntl(low_fd, F_DUPFD_CLOEXEC, 3);
	return high < 0 ? err_set(e, errno, "duplicate a descriptor") : high;
}

int tool_run(const struct tool *tool, char **output, struct err *e)
{
	int status = 0;
	size_t len;

	AUTO_FD int in_fd = high_fd(memory_file(tool->input, e), e);
	if (in_fd < 0)
		return in_fd;
	AUTO_FD int out_fd = high_fd(memory_file(NULL, e), e);
	if (out_fd < 0)
		return out_fd;
	AUTO_FD int err_fd = high_fd(memory_file(NULL, e), e);
	if (err_fd < 0)
		return err_fd;

	pid_t pid = fork();
	if (pid < 0)
		return err_set(e, errno, "start %s", tool->argv[0]);
	if (pid == 0)
		become(tool->argv, (int[]){ in_fd, out_fd, err_fd });

	int rc = wait_for(pid, tool->wait_ms, &status);
	if (rc < 0)
		return err_set(e, -rc, "wait for %s", tool->argv[0]);
	rc = judge(tool, status, err_fd, e);
	if (rc < 0 || !output)
		return rc;
	if (lseek(out_fd, 0, SEEK_SET) < 0)
		return err_set(e, errno, "lseek");
	return fd_read_all(out_fd, tool->output_max, output, &len, tool->argv[0], e);
}
