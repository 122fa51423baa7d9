// SPDX-License-Identifier: GPL-2.0-or-later
/* an agent that was ended in home is started there again */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "op_internal.h"
#include "wgns/agentfile.h"
#include "wgns/fd.h"
#include "wgns/signals.h"
#include "wgns/str.h"
#include "wgns/systemd.h"
#include "wgns/tool.h"

#define RUN_WAIT_MS 30000

static bool is_same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* what process 1 starts is in its namespaces: is that home? */
static bool is_home_of_systemd(void)
{
	return systemd_is_booted() && is_same_file("/proc/1/ns/net", "/proc/thread-self/ns/net") &&
	       is_same_file("/proc/1/ns/mnt", "/proc/thread-self/ns/mnt");
}

/* "$" begins a variable in a command of systemd's, "$$" is one of them: systemd.service(5) */
static int add_word(char ***argv, size_t *n, const char *word)
{
	AUTO_STRBUF struct strbuf b = { 0 };

	for (; *word; word++)
		strbuf_addf(&b, *word == '$' ? "$$" : "%c", *word);
	return b.is_failed ? -ENOMEM : str_list_add(argv, n, b.s ? b.s : "", b.len);
}

/* the program by the name that it had, as far as that leads to the same file: busybox looks at it */
static int add_program(char ***argv, size_t *n, const struct agentfile_command *c)
{
	const char *slash = strrchr(c->argv[0], '/'), *name = slash ? slash + 1 : c->argv[0];
	const char *exe_slash = strrchr(c->exe, '/');
	char path[PATH_MAX];

	if (c->argv[0][0] == '/' && is_same_file(c->argv[0], c->exe))
		return add_word(argv, n, c->argv[0]);
	if (tool_find(name, path) == 0 && is_same_file(path, c->exe))
		return add_word(argv, n, path);
	int rc = add_word(argv, n, c->exe);
	if (rc == 0 && strcmp(exe_slash ? exe_slash + 1 : c->exe, "busybox") == 0 &&
	    strcmp(name, "busybox") != 0)
		rc = add_word(argv, n, name);
	return rc;
}

/*
 * As a unit of its own, which is there as long as one of its processes. Who calls `down` may be a unit itself, with few
 * capabilities and a filter (wgns@.service), or a session that ends: what was there before had neither.
 */
static int start_by_systemd(const struct agentfile_command *c, struct err *e)
{
	static const char *const options[] = { "--quiet",
					       "--collect",
					       "--no-ask-password",
					       "--service-type=exec",
					       "--property=ExitType=cgroup",
					       "--" };
	char program[PATH_MAX], **argv = NULL;
	size_t n = 0;

	if (tool_find("systemd-run", program) < 0)
		return err_say(e, ENOENT, "there is no systemd-run");
	int rc = str_list_add(&argv, &n, program, strlen(program));
	for (size_t i = 0; rc == 0 && i < sizeof(options) / sizeof(options[0]); i++)
		rc = str_list_add(&argv, &n, options[i], strlen(options[i]));
	if (rc == 0)
		rc = add_program(&argv, &n, c);
	for (size_t i = 1; rc == 0 && i < c->argc; i++)
		rc = add_word(&argv, &n, c->argv[i]);
	const char *words[TOOL_ARGS_MAX + 1] = { NULL };
	if (rc < 0 || n > TOOL_ARGS_MAX) {
		rc = err_set(e, rc < 0 ? ENOMEM : E2BIG, "start %s again", c->exe);
	} else {
		memcpy(words, argv, n * sizeof(*words));
		const struct tool tool = { .argv = words, .wait_ms = RUN_WAIT_MS };
		rc = tool_run(&tool, NULL, e);
	}
	str_list_free(&argv, &n);
	return rc;
}

/* in the child of a child: nobody's but init's */
static _Noreturn void become(const struct agentfile_command *c, char **argv, int failed_fd)
{
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char *envp[] = { path, NULL };
	int code;

	signals_reset();
	(void)umask(022);
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int fd = fcntl(failed_fd, F_DUPFD_CLOEXEC, 10);
	/* the end of the pipe is close-on-exec, and the rest is closed here */
	if (null_fd >= 0 && fd >= 0 && setsid() >= 0 && chdir("/") == 0 && dup2(null_fd, 0) == 0 &&
	    dup2(null_fd, 1) == 1 && dup2(null_fd, 2) == 2 && dup3(fd, 3, O_CLOEXEC) == 3 &&
	    syscall(SYS_close_range, 4U, ~0U, 0U) == 0)
		(void)execve(c->exe, argv, envp);
	code = errno;
	_exit(write(3, &code, sizeof(code)) == sizeof(code) ? 127 : 126);
}

static int start_as_child(const struct agentfile_command *c, struct err *e)
{
	int ends[2], code = 0;
	char **argv = calloc(c->argc + 1, sizeof(*argv));

	if (!argv)
		return err_set(e, ENOMEM, "start %s again", c->exe);
	memcpy(argv, c->argv, c->argc * sizeof(*argv));
	if (pipe2(ends, O_CLOEXEC) < 0) {
		int rc = err_set(e, errno, "start %s again", c->exe);
		free(argv);
		return rc;
	}
	pid_t pid = fork();
	if (pid == 0) {
		(void)close(ends[0]);
		pid = fork();
		if (pid == 0)
			become(c, argv, ends[1]);
		_exit(pid < 0);
	}
	int forked = errno;
	free(argv);
	(void)close(ends[1]);
	AUTO_FD int read_fd = ends[0];
	if (pid < 0)
		return err_set(e, forked, "start %s again", c->exe);
	(void)waitpid(pid, NULL, 0); /* it ends at once */
	if (read(read_fd, &code, sizeof(code)) == sizeof(code))
		return err_set(e, code, "start %s again in home", c->exe);
	return 0;
}

/* it goes its own way: nobody waits for a lease here */
int op_agent_start_in_home(const struct op_env *env, const struct agentfile_command *c,
			   struct err *e)
{
	struct err why;

	if (!is_home_of_systemd())
		return start_as_child(c, e);
	if (start_by_systemd(c, &why) == 0)
		return 0;
	op_env_note(env, "%s is started again without systemd: %s", c->exe, why.text);
	return start_as_child(c, e);
}
