// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Chromium and its kin: who answers on SingletonSocket?
 *
 * A second start with the same --user-data-dir connects to SingletonSocket in it, sends its arguments and ends. It is a symlink
 * to a socket in /tmp, and SingletonCookie in both folders has to be the same. Path sockets do not know of network
 * namespaces. SingletonLock -> HOST-PID outlives a crash, so the socket is asked and not the lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "browser_internal.h"
#include "wgns/fd.h"
#include "wgns/str.h"

#define SOCKET "SingletonSocket"
#define COOKIE "SingletonCookie"
#define LOCK "SingletonLock"

static bool read_link(int dir_fd, const char *name, char *out, size_t cap)
{
	ssize_t len = readlinkat(dir_fd, name, out, cap - 1);

	if (len <= 0)
		return false;
	out[len] = '\0';
	return true;
}

/*
 * The socket that Chromium would take, as a descriptor that touches nothing (O_PATH). The cookie is what keeps another user's
 * socket out, whose name in /tmp may be that of one from before a reboot. Return: negative when there is none
 */
static int open_socket(int dir_fd)
{
	char target[PATH_MAX], ours[64], theirs[64];

	if (!read_link(dir_fd, SOCKET, target, sizeof(target))) /* old ones have it here */
		return openat(dir_fd, SOCKET, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char *slash = strrchr(target, '/');
	if (!slash || slash == target)
		return -1;
	*slash = '\0';
	AUTO_FD int there = open(target, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (there < 0 || !read_link(dir_fd, COOKIE, ours, sizeof(ours)) ||
	    !read_link(there, COOKIE, theirs, sizeof(theirs)) || strcmp(ours, theirs) != 0)
		return -1;
	return openat(there, slash + 1, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

/* the number in HOST-PID; 0 for none */
static pid_t lock_pid(int dir_fd)
{
	char text[512];
	unsigned long long pid;

	if (!read_link(dir_fd, LOCK, text, sizeof(text)))
		return 0;
	const char *dash = strrchr(text, '-');
	return dash && str_to_u64(dash + 1, INT_MAX, &pid) == 0 ? (pid_t)pid : 0;
}

/*
 * Connect and hang up: Chromium notes "Invalid socket message" in its log and nothing else happens. The descriptor is the
 * address, so that it is exactly this socket, however long its name. Return: 1 when somebody listens, 0, -errno
 */
static int ask(int dir_fd, int socket_fd, pid_t *pid)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct ucred peer;
	socklen_t len = sizeof(peer);

	AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d",
		       socket_fd); /* fits */
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		if (errno == ECONNREFUSED || errno == EPROTOTYPE || errno == EACCES)
			return 0; /* nobody listens, or not to the user */
		if (errno != EAGAIN)
			return -errno;
		*pid = lock_pid(dir_fd); /* it is stopped, and its queue is full */
		return 1;
	}
	/* who called listen(2), which the browser's main process does */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return -errno;
	*pid = peer.pid;
	return 1;
}

static int check_dir(const struct browser_start *s, const char *dir, struct err *e)
{
	struct stat st;
	pid_t pid = 0;

	AUTO_FD int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0 && browser_is_absent(errno))
		return 0;
	if (dir_fd < 0)
		return err_set(e, errno, "look for a running %s: open %s", s->product->name, dir);
	AUTO_FD int socket_fd = open_socket(dir_fd);
	if (socket_fd < 0 || fstat(socket_fd, &st) < 0 || !S_ISSOCK(st.st_mode))
		return 0;
	int rc = ask(dir_fd, socket_fd, &pid);
	if (rc < 0)
		return err_set(e, -rc, "look for a running %s: connect to %s/" SOCKET,
			       s->product->name, dir);
	return rc == 0 ? 0 : browser_judge(s, pid, e);
}

int browser_check_chromium(const struct browser_start *s, struct err *e)
{
	const char *from_env = getenv("CHROME_USER_DATA_DIR");
	bool is_named = false, is_headless = false, is_over = false;
	char dir[PATH_MAX];

	/* --user-data-dir=DIR; in two words it means nothing, and DIR is a page to open */
	for (char *const *arg = s->args; *arg; arg++) {
		const char *value = browser_option(BROWSER_CHROMIUM, *arg, "user-data-dir");
		is_over = is_over || strcmp(*arg, "--") == 0;
		is_headless = is_headless ||
			      (!is_over && browser_option(BROWSER_CHROMIUM, *arg, "headless"));
		if (!value || !value[0] || !value[1])
			continue;
		/* behind "--" it is one for Debian's launcher only, which drops the "--" */
		is_named = is_named || !is_over;
		int rc = check_dir(s, value + 1, e);
		if (rc < 0)
			return rc;
	}
	if (is_named)
		return 0;
	if (from_env && from_env[0])
		return check_dir(s, from_env, e);
	if (is_headless) /* it makes a profile of its own */
		return 0;
	if (!browser_dir(s, s->product->dirs[0], dir))
		return 0;
	return check_dir(s, dir, e);
}
