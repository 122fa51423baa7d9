// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wgns/fd.h"
#include "wgns/signals.h"
#include "wgns/str.h"

#include "hook_internal.h"

#define REPORT_FD 3

char *hook_expand(const char *command, const char *ifname)
{
	AUTO_STRBUF struct strbuf b = { 0 };

	for (;;) {
		const char *at = strstr(command, "%i");
		if (!at)
			break;
		strbuf_add(&b, command, (size_t)(at - command));
		strbuf_add(&b, ifname, strlen(ifname));
		command = at + 2;
	}
	strbuf_add(&b, command, strlen(command));
	return strbuf_finish(&b);
}

static bool prepare(int ns_fd, const char **what)
{
	*what = "enter the network namespace";
	if (ns_fd >= 0 && setns(ns_fd, CLONE_NEWNET) < 0)
		return false;
	*what = "change to /";
	if (chdir("/") < 0)
		return false;
	*what = "open /dev/null";
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 ||
	    (null == STDIN_FILENO ? fcntl(null, F_SETFD, 0) : dup2(null, STDIN_FILENO)) < 0)
		return false;
	/* standard output is for the answers of wgns */
	*what = "join standard output and error";
	if (fcntl(STDERR_FILENO, F_GETFD) >= 0 && dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		return false;
	*what = "close descriptors";
	return syscall(SYS_close_range, REPORT_FD + 1U, ~0U, 0U) == 0;
}

void hook_become(char *command, int ns_fd, int report_fd)
{
	char bash[] = "/bin/bash", sh[] = "/bin/sh", enable[] = "-O", extglob[] = "extglob",
	     flags[] = "-e", o[] = "-o", pipefail[] = "pipefail", c[] = "-c";
	char *bash_argv[] = { bash, enable, extglob, flags, o, pipefail, c, command, NULL };
	char *sh_argv[] = { sh, flags, c, command, NULL };
	char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	     home[] = "HOME=/root", locale[] = "LC_ALL=C", mark[] = HOOK_ENV "=1";
	char *env[] = { path, home, locale, mark, NULL };
	struct hook_failure f = { 0 };
	const char *what;

	/* where the caller's 0 to 2 are closed both may be among them */
	int moved_fd = fcntl(ns_fd, F_DUPFD_CLOEXEC, REPORT_FD + 1);
	if (moved_fd >= 0) /* else setns(2) fails below, if there is anything to enter */
		ns_fd = moved_fd;
	if (report_fd != REPORT_FD && dup3(report_fd, REPORT_FD, O_CLOEXEC) < 0)
		_exit(127);
	signals_reset();
	if (prepare(ns_fd, &what)) {
		what = "start a shell";
		(void)execve(bash, bash_argv, env); /* returns when there is none */
		if (errno == ENOENT)
			(void)execve(sh, sh_argv, env);
	}
	f.code = errno;
	strncpy(f.what, what, sizeof(f.what) - 1);
	ssize_t put = write(REPORT_FD, &f, sizeof(f));
	_exit(put == sizeof(f) ? 0 : 127);
}

static int judge(const char *command, int status, struct err *e)
{
	if (WIFSIGNALED(status))
		return err_say(e, ECHILD, "hook \"%s\": killed by signal %d (%s)", command,
			       WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status))
		return err_say(e, ECHILD, "hook \"%s\": exit status %d", command,
			       WEXITSTATUS(status));
	return 0;
}

int hook_run(const char *command, const char *ifname, int ns_fd, struct err *e)
{
	AUTO_FREE char *text = hook_expand(command, ifname);
	struct hook_end end;

	if (!text)
		return err_set(e, ENOMEM, "run hook \"%s\"", command);
	int rc = hook_keep(text, ns_fd, &end, e);
	if (rc < 0)
		return err_context(e, "run hook \"%s\"", text);
	if (end.failure.code)
		return err_set(e, end.failure.code, "run hook \"%s\": %s", text, end.failure.what);
	return judge(text, end.status, e);
}
