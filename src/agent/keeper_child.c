// SPDX-License-Identifier: GPL-2.0-or-later
/* the agent's processes: as little as possible of the keeper's rights, and none of its files */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper_internal.h"
#include "wgns/clock.h"
#include "wgns/fd.h"
#include "wgns/keep.h"
#include "wgns/netns.h"
#include "wgns/signals.h"

#define GRACE_MS 5000
#define ENV_MAX 64

/* what went wrong in the child, for the keeper */
struct failure {
	int code;
	char what[200];
};

static _Noreturn void fail(int fd, int code, const char *what)
{
	struct failure f = { .code = code };

	(void)snprintf(f.what, sizeof(f.what), "%s", what);
	_exit(write(fd, &f, sizeof(f)) == sizeof(f) ? 127 : 126);
}

/* in the child; nothing is allocated that has to be freed */
static _Noreturn void become(const struct keeper *k, char **argv, int failed_fd, pid_t keeper)
{
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	static char locale[] = "LC_ALL=C";
	char *envp[ENV_MAX + 3] = { path, locale };
	const struct profile *p = &k->profile;
	struct err e;

	for (size_t i = 0; i < p->n_env && i < ENV_MAX; i++)
		envp[i + 2] = p->env[i];
	signals_reset();
	(void)umask(022);
	/* 0 to 2 are /dev/null and the log; the end of the pipe goes with execve(2), the rest now */
	int fd = dup3(failed_fd, 3, O_CLOEXEC);
	if (fd < 0 || syscall(SYS_close_range, 4U, ~0U, 0U) < 0)
		_exit(126);
	if (setsid() < 0 || chdir("/") < 0)
		fail(fd, errno, "prepare the process");
	if (keep_capabilities(0, p->capabilities, p->has_no_new_privs, &e) < 0)
		fail(fd, e.code, e.text);
	/* who kills the keeper does not have the agent go on alone; a change of credentials would forget it */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != keeper)
		fail(fd, ESRCH, "stay with the keeper");
	int rc = compiled_load(&k->compiled);
	if (rc < 0)
		fail(fd, -rc, "load the filter of system calls");
	(void)execvpe(argv[0], argv, envp);
	fail(fd, errno, "start the program");
}

static int read_failure(int fd, struct failure *out)
{
	ssize_t got;

	do { /* the end of file comes with execve(2), which closes the child's side */
		got = read(fd, out, sizeof(*out));
	} while (got < 0 && errno == EINTR);
	out->what[sizeof(out->what) - 1] = '\0';
	return got == sizeof(*out) && out->code > 0;
}

int keeper_start(const struct keeper *k, struct child *child, struct err *e)
{
	char **argv = calloc(child->argv.argc + 1, sizeof(*argv));
	struct failure f = { 0 };
	int ends[2];

	if (!argv)
		return err_set(e, ENOMEM, "start %s", k->run.program);
	memcpy(argv, child->argv.argv, child->argv.argc * sizeof(*argv));
	if (pipe2(ends, O_CLOEXEC) < 0) {
		int rc = err_set(e, errno, "start %s", k->run.program);
		free(argv);
		return rc;
	}
	pid_t keeper = getpid(), pid = fork();
	int code = errno;
	if (pid == 0)
		become(k, argv, ends[1], keeper);
	free(argv);
	(void)close(ends[1]);
	AUTO_FD int read_fd = ends[0];
	if (pid < 0)
		return err_set(e, code, "start %s", k->run.program);
	if (read_failure(read_fd, &f)) {
		(void)waitpid(pid, NULL, 0); /* it ends at once */
		return err_set(e, f.code, "start %s: %s", k->run.program, f.what);
	}
	child->pid = pid;
	child->started_ms = clock_monotonic_ms();
	return 0;
}

void keeper_end(struct keeper *k)
{
	int64_t end = clock_monotonic_ms() + GRACE_MS;
	bool is_left = false;

	for (size_t i = 0; i < k->n; i++) {
		if (k->children[i].pid)
			(void)kill(k->children[i].pid, SIGTERM); /* ours, and not reaped yet */
	}
	for (size_t i = 0; i < k->n; i++) {
		struct child *child = &k->children[i];
		AUTO_FD int fd = child->pid ? (int)syscall(SYS_pidfd_open, child->pid, 0U) : -1;
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = end - clock_monotonic_ms();
		if (child->pid && poll(&p, 1, left > 0 ? (int)left : 0) <= 0)
			is_left = true;
		child->pid = 0;
		child->again_ms = 0;
	}
	if (is_left)
		keeper_log(k, "%s does not end, and is killed", k->run.program);
	proc_kill_children();
}
