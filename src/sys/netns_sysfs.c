// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wgns/netns.h"

/* which namespace's devices a sysfs shows is decided by who mounts it (sysfs(5)): a child goes there and does it */
int netns_mount_sysfs(int ns_fd, const char *path, struct err *e)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return err_set(e, errno, "make a child");
	if (pid == 0) {
		if (setns(ns_fd, CLONE_NEWNET) < 0 ||
		    mount("wgns", path, "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
			_exit(errno < 256 ? errno : EIO);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return err_set(e, errno, "wait for a child");
	}
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
	return code ? err_set(e, code, "mount the sysfs of the namespace on %s", path) : 0;
}
