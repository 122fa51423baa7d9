// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "wgns/backend.h"
#include "wgns/clock.h"
#include "wgns/fd.h"
#include "wgns/str.h"
#include "wgns/uapi.h"

#include "wg_internal.h"

#define READY_MS 10000 /* from fork to the first answer */
#define IDLE_MS 10000 /* silence of a daemon that runs */
/*
 * How often a daemon that starts is asked. inotify would tell when its socket appears, but closing a watch waits 10 ms
 * for the kernel's SRCU, which is more than all the questions together.
 */
#define ASK_MS 1

static const char get_request[] = "get=1\n\n";

static const char *called(const struct backend_device *dev)
{
	return dev->name[0] ? dev->name : dev->birth_name;
}

static int check_tun(struct err *e)
{
	AUTO_FD int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return 0;
	(void)err_set(e, errno, "open /dev/net/tun");
	if (e->code == ENOENT)
		err_hint(e, "modprobe tun, or: mkdir -p /dev/net && mknod -m 600 /dev/net/tun c 10 "
			    "200");
	else if (e->code == ENODEV || e->code == ENXIO)
		err_hint(e, "modprobe tun; the kernel needs CONFIG_TUN");
	else
		err_hint(e,
			 "a container needs the device: --device /dev/net/tun --cap-add NET_ADMIN");
	return err_as(e, ERR_KIND_MACHINE);
}

static int userspace_usable(const struct backend_device *dev, struct err *e)
{
	struct stat st;

	if (stat(dev->daemon, &st) < 0 || access(dev->daemon, X_OK) < 0)
		(void)err_set(e, errno, "userspace WireGuard: %s", dev->daemon);
	else if (!S_ISREG(st.st_mode))
		(void)err_say(e, EACCES, "userspace WireGuard: %s is not a program", dev->daemon);
	else
		return check_tun(e);
	err_hint(e, "apt install wireguard-go, or name another daemon in wgns.conf(5)");
	return err_as(e, ERR_KIND_MACHINE);
}

/* the log is opened here, where an error can be said, and appended to: `up` may try more than once */
static int open_log(const struct backend_device *dev, off_t *end, struct err *e)
{
	struct stat st;

	AUTO_FD int fd =
		open(dev->log_path,
		     O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(e, errno, "open the daemon's log %s", dev->log_path);
	if (!S_ISREG(st.st_mode))
		return err_say(e, EINVAL, "the daemon's log %s is not a file", dev->log_path);
	*end = st.st_size;
	return fd_take(&fd);
}

/* a socket of that name is a live daemon's, or swept */
static int claim_name(const struct backend_device *dev, struct err *e)
{
	struct err refused;
	AUTO_FD int fd = uapi_socket_connect(dev->birth_name, NULL, &refused);

	if (fd == -ENOENT)
		return 0;
	if (fd == -ECONNREFUSED)
		return uapi_socket_sweep(dev->birth_name, e);
	if (fd < 0) {
		*e = refused;
		return fd;
	}
	(void)err_say(e, EEXIST, "a daemon serves %s already", dev->birth_name);
	return err_as(e, ERR_KIND_STATE);
}

/* Return: 0 it answers, -ENOENT or -ECONNREFUSED not yet, another -errno */
static int try_get(const struct backend_device *dev, int left_ms, struct err *e)
{
	AUTO_FREE char *answer = NULL;
	size_t len = 0;
	int rc = uapi_socket_talk(dev, get_request, left_ms, &answer, &len, e);

	if (answer)
		str_wipe(answer, len);
	return rc;
}

static int wait_ready(const struct backend_device *dev, int pidfd, struct err *e)
{
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };
	const long long end = clock_monotonic_ms() + READY_MS;
	struct err not_yet;

	for (;;) {
		int left = (int)(end - clock_monotonic_ms());
		int rc = left > 0 ? try_get(dev, left, &not_yet) : -ETIMEDOUT;

		if (rc == -ETIMEDOUT)
			return err_say(e, ETIMEDOUT, "%s does not answer within %d s", dev->daemon,
				       READY_MS / 1000);
		if (rc == 0)
			return 0;
		if (rc != -ENOENT && rc != -ECONNREFUSED) {
			*e = not_yet;
			return rc;
		}
		if (poll(&ended, 1, ASK_MS) < 0 && errno != EINTR)
			return err_set(e, errno, "wait for %s", dev->daemon);
		if (ended.revents)
			return err_say(e, ECHILD, "%s ended at once", dev->daemon);
	}
}

/* nothing is left, and the error says what the daemon said; @e is filled already */
static int abandon(struct backend_device *dev, int pidfd, off_t log_from, struct err *e)
{
	char words[512], how[64];
	struct err ignored; /* the error that matters is in @e */

	wg_daemon_abandon(pidfd, how, sizeof(how));
	(void)uapi_socket_sweep(dev->birth_name, &ignored);
	wg_daemon_last_words(dev->log_path, log_from, words, sizeof(words));
	dev->pid = 0;
	dev->start_time = 0;

	size_t len = strlen(e->text);
	if (e->code == ECHILD && how[0])
		len += (size_t)snprintf(e->text + len, sizeof(e->text) - len, " (%s)", how);
	if (words[0] && len < sizeof(e->text))
		(void)snprintf(e->text + len, sizeof(e->text) - len, ": %s", words);
	return -e->code;
}

static int userspace_create_recorded(struct backend_device *dev, int birth_fd,
				     const struct backend_record *record, struct err *e)
{
	off_t log_from = 0;
	AUTO_FD int log_fd = -1;
	AUTO_FD int dir_fd = uapi_socket_open_dir(true, e);

	if (dir_fd < 0 || claim_name(dev, e) < 0)
		return -e->code;
	if (dev->log_path[0]) {
		log_fd = open_log(dev, &log_from, e);
		if (log_fd < 0)
			return log_fd;
	}
	const struct wg_daemon_where where = { .birth_fd = birth_fd, .log_fd = log_fd };
	AUTO_FD int pidfd = wg_daemon_spawn(dev, &where, record, e);
	if (pidfd < 0)
		return pidfd;
	if (wait_ready(dev, pidfd, e) < 0)
		return abandon(dev, pidfd, log_from, e);
	return 0;
}

static int userspace_create(struct backend_device *dev, int birth_fd, struct err *e)
{
	return userspace_create_recorded(dev, birth_fd, NULL, e);
}

/* "connection refused" helps nobody when what happened is that the daemon has died */
static int explain(const struct backend_device *dev, const char *attempt, struct err *e)
{
	AUTO_FD int pidfd = wg_daemon_open(dev->pid, dev->start_time);

	if (dev->pid && pidfd < 0) {
		(void)err_say(e, ESRCH, "the daemon %s (process %d) is gone", dev->daemon,
			      (int)dev->pid);
		err_hint(e, "its last words may be in %s; take the tunnel down and up again",
			 dev->log_path[0] ? dev->log_path : "no log");
	}
	return err_context(e, "%s WireGuard device %s", attempt, called(dev));
}

static int userspace_set(const struct backend_device *dev, int inside_fd,
			 const struct wg_device *conf, bool should_replace_peers, struct err *e)
{
	AUTO_FREE char *answer = NULL;
	struct wg_device nothing = { 0 };
	size_t len = 0;
	AUTO_FREE char *request = uapi_build_set(conf, should_replace_peers);

	(void)inside_fd; /* the socket is a path: the same from every namespace */
	if (!request)
		return err_set(e, ENOMEM, "configure WireGuard device %s", called(dev));
	int rc = uapi_socket_talk(dev, request, IDLE_MS, &answer, &len, e);
	str_wipe(request, strlen(request));
	if (rc < 0)
		return explain(dev, "configure", e);
	if (uapi_parse_get(answer, len, &nothing, e) < 0)
		return err_context(e, "configure WireGuard device %s", called(dev));
	wg_device_free(&nothing);
	return 0;
}

static int userspace_get(const struct backend_device *dev, int inside_fd, struct wg_device *out,
			 struct err *e)
{
	AUTO_FREE char *answer = NULL;
	struct wg_device found = { 0 };
	size_t len = 0;

	(void)inside_fd; /* as above */
	if (uapi_socket_talk(dev, get_request, IDLE_MS, &answer, &len, e) < 0)
		return explain(dev, "read", e);
	int rc = uapi_parse_get(answer, len, &found, e);
	str_wipe(answer, len);
	if (rc < 0)
		return err_context(e, "read WireGuard device %s", called(dev));
	memcpy(found.name, called(dev), sizeof(found.name));
	*out = found;
	str_wipe(&found, sizeof(found));
	return 0;
}

/*
 * A crash may have come between the start and the record of the pid. Birth names are random, so who listens
 * on the socket is ours; asked again after pidfd_open(2), because a socket that still answers proves that
 * its process has not been replaced.
 */
static int find_by_socket(const struct backend_device *dev)
{
	struct err ignored;
	pid_t pid = 0, again = 0;
	AUTO_FD int first_fd = uapi_socket_connect(dev->birth_name, &pid, &ignored);

	if (first_fd < 0 || pid <= 0)
		return -ESRCH;
	AUTO_FD int pidfd = (int)syscall(SYS_pidfd_open, pid, 0U);
	if (pidfd < 0 && errno != ESRCH)
		return -errno;
	AUTO_FD int second_fd = uapi_socket_connect(dev->birth_name, &again, &ignored);
	if (pidfd < 0 || second_fd < 0 || again != pid)
		return -ESRCH;
	return fd_take(&pidfd);
}

static int userspace_destroy(const struct backend_device *dev, int birth_fd, int inside_fd,
			     struct err *e)
{
	AUTO_FD int pidfd =
		dev->pid ? wg_daemon_open(dev->pid, dev->start_time) : find_by_socket(dev);
	bool was_alive = pidfd >= 0;

	if (pidfd < 0 && pidfd != -ESRCH)
		return err_set(e, -pidfd, "watch the daemon of %s", called(dev));

	if (was_alive && wg_daemon_end(pidfd, e) < 0)
		return err_context(e, "take WireGuard device %s away", called(dev));
	if (dev->name[0] && backend_unlink_socket(dev, e) < 0)
		return -e->code;
	int rc = uapi_socket_sweep(dev->birth_name, e);
	if (rc < 0)
		return rc;
	rc = wg_link_delete(birth_fd, dev->birth_name, "tun", e);
	if (rc == 0)
		rc = wg_link_delete(inside_fd, dev->birth_name, "tun", e);
	/*
	 * A TUN goes with its daemon. One that stayed was made persistent, by this daemon if it lived until
	 * now; otherwise the name may be somebody else's today.
	 */
	if (rc == 0 && was_alive)
		rc = wg_link_delete(inside_fd, dev->name, "tun", e);
	return rc < 0 ? rc : 0;
}

const struct backend backend_userspace = {
	.name = "userspace",
	.usable = userspace_usable,
	.create = userspace_create,
	.create_recorded = userspace_create_recorded,
	.set = userspace_set,
	.get = userspace_get,
	.destroy = userspace_destroy,
};
