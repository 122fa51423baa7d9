// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mask_pinned - why `up` binds /run/nscd, /run/systemd/resolve and /run/dbus onto themselves, and how `down` knows them
 *
 * A folder that is a mount point only in another mount namespace can be removed, and what is mounted on it there is
 * lost (Linux 3.18). A mount point of one's own namespace is busy.
 *
 * A copy of the parent's mount, without those on it, shows what lies below a mount (open_tree, Linux 5.2): the same folder,
 * when it is bound onto itself, and another one below somebody else's mount.
 * Exit status: 0 as expected, 1 not, 77 not root.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DIR "/tmp/nscd"
/* linux/mount.h and glibc's sys/mount.h cannot be included together before glibc 2.37 */
#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif

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

/* is what is mounted on DIR the folder below it? */
static bool is_own(void)
{
	struct statx top, below;

	int copy = (int)syscall(SYS_open_tree, AT_FDCWD, "/tmp", OPEN_TREE_CLONE);
	need(copy >= 0, "open_tree");
	need(statx(AT_FDCWD, DIR, AT_SYMLINK_NOFOLLOW, STATX_INO, &top) == 0 &&
		     statx(copy, "nscd", AT_SYMLINK_NOFOLLOW, STATX_INO, &below) == 0 &&
		     close(copy) == 0,
	     "statx");
	/* Linux 5.8 */
	need((top.stx_attributes & STATX_ATTR_MOUNT_ROOT) &&
		     !(below.stx_attributes & STATX_ATTR_MOUNT_ROOT),
	     "a mount point above, and none below");
	return top.stx_dev_major == below.stx_dev_major &&
	       top.stx_dev_minor == below.stx_dev_minor && top.stx_ino == below.stx_ino;
}

static void check_own(void)
{
	need(is_own(), "the bind is the folder itself");
	need(umount2(DIR, MNT_DETACH) == 0 && mkdir("/tmp/other", 0755) == 0 &&
		     mount("/tmp/other", DIR, NULL, MS_BIND, NULL) == 0,
	     "another folder of the same file system");
	need(!is_own(), "it is another one");
	need(umount2(DIR, MNT_DETACH) == 0 && mount("t", DIR, "tmpfs", 0, NULL) == 0,
	     "another file system");
	need(!is_own(), "it is another one");
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
	check_own();
	puts("mask_pinned: a bind onto itself can be told from other mounts");
	return plain == 2 && pinned == 0 ? 0 : 1;
}
