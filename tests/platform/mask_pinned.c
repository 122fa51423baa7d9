// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mask_pinned - why `up` binds /run/nscd and /run/systemd/resolve onto themselves
 *
 * A folder that is a mount point only in another mount namespace can be removed, and what is mounted on it there is
 * lost (Linux 3.18). A mount point of one's own namespace is busy.
 * Exit status: 0 as expected, 1 not, 77 not root.
 */
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DIR "/tmp/nscd"

static void need(bool is_so, const char *what)
{
	if (is_so)
		return;
	perror(what);
	exit(1);
}

/* in a mount namespace of its own: mask, let the outside remove and make it again; is the mask still there? */
static int inside(int to_parent, int from_parent)
{
	struct stat st;
	char byte = 0;

	need(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0,
	     "slave");
	need(mount("m", DIR, "tmpfs", MS_RDONLY, "mode=0700") == 0, "mask");
	need(write(to_parent, &byte, 1) == 1 && read(from_parent, &byte, 1) == 1, "handshake");
	need(stat(DIR, &st) == 0, "look");
	return (st.st_mode & 0777) == 0700 ? 0 : 2;
}

/* Return: 0 when the mask stays, 2 when it is lost */
static int mask_after_removal(int expected_errno)
{
	int up[2], down[2], status = 0;
	char byte = 0;

	need(pipe(up) == 0 && pipe(down) == 0, "pipe");
	pid_t pid = fork();
	if (pid == 0)
		_exit(inside(up[1], down[0]));
	(void)close(up[1]); /* so that the read ends when the child does */
	need(pid > 0 && read(up[0], &byte, 1) == 1, "child");
	int rc = rmdir(DIR);
	need(expected_errno ? rc < 0 && errno == expected_errno : rc == 0, "rmdir");
	if (rc == 0)
		need(mkdir(DIR, 0755) == 0, "make it again");
	need(write(down[1], &byte, 1) == 1 && waitpid(pid, &status, 0) == pid, "wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(void)
{
	if (geteuid() != 0) {
		puts("mask_pinned: needs root");
		return 77;
	}
	need(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0,
	     "unshare");
	need(mount("t", "/tmp", "tmpfs", 0, NULL) == 0 && mkdir(DIR, 0755) == 0, "tmpfs");
	int plain = mask_after_removal(0);
	need(mount(DIR, DIR, NULL, MS_BIND, NULL) == 0, "bind");
	int pinned = mask_after_removal(EBUSY);
	printf("mask_pinned: over a plain folder the mask %s, over one bound onto itself it %s\n",
	       plain == 2 ? "is lost" : "stays", pinned == 0 ? "stays" : "is lost");
	return plain == 2 && pinned == 0 ? 0 : 1;
}
