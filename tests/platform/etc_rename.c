// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * etc_rename - why a box has an overlay over /etc and not a file bound over /etc/resolv.conf
 *
 * A file that is replaced by rename(2) in one mount namespace loses what is bound over it in all others (since Linux
 * 3.18, d_invalidate); an overlay's lower files are looked up again and the upper-most name wins.
 * Exit status: 0 as expected, 1 not, 77 not root.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DIR "/tmp/platform_etc"

static void need(bool is_so, const char *what)
{
	if (is_so)
		return;
	perror(what);
	exit(1);
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	need(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0,
	     path);
}

static bool holds(const char *path, const char *text)
{
	char got[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	need(fd >= 0 && read(fd, got, sizeof(got) - 1) >= 0 && close(fd) == 0, path);
	return strcmp(got, text) == 0;
}

/* in a mount namespace of its own: cover, let the outside rename, look */
static int inside(int to_parent, int from_parent, bool is_overlay)
{
	char byte = 0;

	need(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0,
	     "slave");
	if (is_overlay)
		need(mount("o", DIR "/etc", "overlay", MS_RDONLY,
			   "lowerdir=" DIR "/box:" DIR "/etc") == 0,
		     "overlay");
	else
		need(mount(DIR "/box/resolv.conf", DIR "/etc/resolv.conf", NULL, MS_BIND, NULL) ==
			     0,
		     "bind");
	need(holds(DIR "/etc/resolv.conf", "box"), "covered");
	need(write(to_parent, &byte, 1) == 1 && read(from_parent, &byte, 1) == 1, "handshake");
	return holds(DIR "/etc/resolv.conf", "box") ? 0 : 2;
}

/* Return: 0 when the box's file is still seen after the rename, 2 when the host's shows through */
static int seen_after_rename(bool is_overlay)
{
	int up[2], down[2], status = 0;
	char byte = 0;

	put(DIR "/box/resolv.conf", "box");
	put(DIR "/etc/resolv.conf", "host");
	put(DIR "/etc/new", "host, new");
	need(pipe(up) == 0 && pipe(down) == 0, "pipe");
	pid_t pid = fork();
	if (pid == 0)
		_exit(inside(up[1], down[0], is_overlay));
	(void)close(up[1]); /* so that the read ends when the child does */
	need(pid > 0 && read(up[0], &byte, 1) == 1, "child");
	need(rename(DIR "/etc/new", DIR "/etc/resolv.conf") == 0, "rename");
	need(write(down[1], &byte, 1) == 1 && waitpid(pid, &status, 0) == pid, "wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(void)
{
	if (geteuid() != 0) {
		puts("etc_rename: needs root");
		return 77;
	}
	need(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0,
	     "unshare");
	need(mount("t", "/tmp", "tmpfs", 0, NULL) == 0 && mkdir(DIR, 0755) == 0 &&
		     mkdir(DIR "/etc", 0755) == 0 && mkdir(DIR "/box", 0755) == 0,
	     "tmpfs");
	int bound = seen_after_rename(false), overlaid = seen_after_rename(true);
	printf("etc_rename: a bound file %s, an overlay %s\n", bound == 2 ? "is lost" : "stays",
	       overlaid == 0 ? "stays" : "is lost");
	return bound == 2 && overlaid == 0 ? 0 : 1;
}
