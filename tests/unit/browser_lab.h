/* SPDX-License-Identifier: GPL-2.0-or-later */
/* a HOME of the test's own, and processes that listen and hold locks as browsers do */
#ifndef BROWSER_LAB_H
#define BROWSER_LAB_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../cmd/browser.h"
#include "wgns/fd.h"
#include "wgns/netns.h"

#define HINT "close it, or use --profile browser, which starts a fresh one"

struct lab {
	char home[64];
	struct netns_id here, elsewhere; /* where the tests run, and no namespace at all */
	pid_t children[8];
	size_t n_children;
};

static int lab_setup(void **state)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct err e = { 0 };

	assert_non_null(lab);
	(void)snprintf(lab->home, sizeof(lab->home), "/tmp/test_browser.XXXXXX");
	assert_non_null(mkdtemp(lab->home));
	assert_return_code(chmod(lab->home, 0755), errno);
	for (const char *const *name =
		     (const char *const[]){ "XDG_CONFIG_HOME", "CHROME_CONFIG_HOME",
					    "CHROME_USER_DATA_DIR", "XRE_PROFILE_PATH", NULL };
	     *name; name++)
		assert_return_code(unsetenv(*name), errno);
	AUTO_FD int self = netns_open_self(&e);
	assert_return_code(self, -self);
	assert_int_equal(netns_identify(self, &lab->here, &e), 0);
	lab->elsewhere = (struct netns_id){ .dev = lab->here.dev, .ino = lab->here.ino + 1 };
	*state = lab;
	return 0;
}

static int lab_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int lab_teardown(void **state)
{
	struct lab *lab = *state;

	for (size_t i = 0; i < lab->n_children; i++) {
		(void)kill(lab->children[i], SIGKILL);
		(void)waitpid(lab->children[i], NULL, 0);
	}
	assert_int_equal(nftw(lab->home, lab_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
	free(lab);
	return 0;
}

static inline void lab_require_root(void)
{
	if (geteuid() == 0)
		return;
	print_message("needs root: other namespaces and other users\n");
	skip();
}

/* PATH in HOME, with all folders on the way; its whole name is in a buffer of the next eight calls */
static inline const char *lab_path(const struct lab *lab, const char *path)
{
	static char buf[8][4096];
	static unsigned n;
	char *out = buf[n++ % 8];

	(void)snprintf(out, sizeof(buf[0]), "%s/%s", lab->home, path);
	for (char *slash = strchr(out + strlen(lab->home) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(mkdir(out, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	return out;
}

static inline void lab_file(const struct lab *lab, const char *path, const void *text, size_t len)
{
	AUTO_FD int fd = open(lab_path(lab, path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	struct err e = { 0 };

	assert_return_code(fd, errno);
	assert_int_equal(fd_write_all(fd, text, len, path, &e), 0);
}

static inline void lab_link(const struct lab *lab, const char *target, const char *path)
{
	assert_return_code(symlink(target, lab_path(lab, path)), errno);
}

/* what a child does before it waits; a descriptor that stays open, or -1 */
typedef int lab_work(const char *path);

/* @ns_fd: where it lives, or -1 for here; @uid: who it is, or 0 */
static inline pid_t lab_start(struct lab *lab, int ns_fd, uid_t uid, lab_work *work,
			      const char *path)
{
	int ready[2];
	char byte;

	assert_return_code(pipe2(ready, O_CLOEXEC), errno);
	pid_t pid = fork();
	assert_return_code(pid, errno);
	if (pid == 0) {
		if ((ns_fd >= 0 && setns(ns_fd, CLONE_NEWNET) < 0) ||
		    (uid && setresuid(uid, uid, uid) < 0))
			_exit(1);
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)prctl(PR_SET_DUMPABLE, 1); /* as after execve(2) */
		if (work(path) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	(void)close(ready[1]);
	assert_in_range(lab->n_children, 0, 7);
	lab->children[lab->n_children++] = pid;
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	return pid;
}

/* the check, with the arguments in @line, cut at blanks */
static inline int lab_check(const struct lab *lab, const char *line, const struct netns_id *target,
			    struct err *e)
{
	char words[8192], *argv[16], *rest = NULL;
	size_t n = 0;

	(void)snprintf(words, sizeof(words), "%s", line);
	for (char *w = strtok_r(words, " ", &rest); w; w = strtok_r(NULL, " ", &rest)) {
		assert_in_range(n, 0, 14);
		argv[n++] = w;
	}
	argv[n] = NULL;
	*e = (struct err){ 0 };
	return browser_check_running(argv, lab->home, target, e);
}

/* it is free to start, whatever the box is */
static inline void lab_assert_free(const struct lab *lab, const char *line)
{
	struct err e;

	int rc = lab_check(lab, line, &lab->elsewhere, &e);
	if (rc != 0)
		fail_msg("%s: %s", line, e.text);
	assert_int_equal(e.code, 0);
}

/* @pid would take it over, unless the box is where that one is */
static inline void lab_assert_taken(const struct lab *lab, const char *line, const char *name,
				    pid_t pid)
{
	char text[256];
	struct err e;

	(void)snprintf(text, sizeof(text),
		       "%s already runs outside of the box (pid %d): it would open this there",
		       name, (int)pid);
	if (lab_check(lab, line, &lab->elsewhere, &e) != -EBUSY)
		fail_msg("%s: it is not refused: %s", line, e.text);
	assert_string_equal(e.text, text);
	assert_string_equal(e.hint, HINT);
	assert_int_equal(lab_check(lab, line, &lab->here, &e), 0);
	assert_int_equal(e.code, 0);
}

/* the check as another user, in a child; its first words go to @text */
static inline int lab_check_as(const struct lab *lab, uid_t uid, bool has_own_pids,
			       const char *line, char *text, size_t cap)
{
	int out[2], status;

	assert_return_code(pipe2(out, O_CLOEXEC), errno);
	pid_t pid = fork();
	assert_return_code(pid, errno);
	if (pid == 0) {
		struct err e;
		if (has_own_pids) { /* the child's child is the first to live there */
			if (unshare(CLONE_NEWPID) < 0)
				_exit(250);
			pid = fork();
			if (pid > 0)
				_exit(waitpid(pid, &status, 0) == pid ? WEXITSTATUS(status) : 251);
		}
		if (pid < 0 || (uid && setresuid(uid, uid, uid) < 0))
			_exit(252);
		int rc = lab_check(lab, line, &lab->elsewhere, &e);
		_exit(write(out[1], e.text, strlen(e.text)) < 0 ? 253 : -rc);
	}
	(void)close(out[1]);
	ssize_t len = read(out[0], text, cap - 1);
	assert_return_code(len, errno);
	text[len] = '\0';
	(void)close(out[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

#endif
