// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "wgns/clock.h"
#include "wgns/fd.h"
#include "wgns/str.h"

#include "wg_internal.h"

#define ANSWER_MAX (64u << 20) /* bytes; 10,000 peers are about 4 MiB */

int uapi_socket_name(const char *ifname, char out[UAPI_SOCKET_NAME_MAX], struct err *e)
{
	size_t len = strnlen(ifname, IFNAMSIZ);

	if (len == 0 || len >= IFNAMSIZ || strchr(ifname, '/') || ifname[0] == '.')
		return err_say(e, EINVAL, "\"%.*s\" cannot be the name of a socket", (int)len,
			       ifname);
	(void)snprintf(out, UAPI_SOCKET_NAME_MAX, "%s.sock", ifname); /* fits: IFNAMSIZ + 5 */
	return 0;
}

int uapi_socket_open_dir(bool should_create, struct err *e)
{
	struct stat st;

	if (should_create && mkdir(UAPI_SOCKET_DIR, 0755) < 0 && errno != EEXIST)
		return err_set(e, errno, "create " UAPI_SOCKET_DIR);
	AUTO_FD int fd = open(UAPI_SOCKET_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && !should_create)
		return -ENOENT;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(e, errno, "open " UAPI_SOCKET_DIR);
	if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH))) {
		(void)err_say(e, EPERM, UAPI_SOCKET_DIR " can be written by others than root");
		err_hint(e, "private keys pass through it: chown root " UAPI_SOCKET_DIR
			    " && chmod 755 " UAPI_SOCKET_DIR);
		return -EPERM;
	}
	return fd_take(&fd);
}

int uapi_socket_connect(const char *ifname, pid_t *pid, struct err *e)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	char name[UAPI_SOCKET_NAME_MAX];
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);

	if (uapi_socket_name(ifname, name, e) < 0)
		return -e->code;
	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), UAPI_SOCKET_DIR "/%s", name); /* fits */
	AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(e, errno, "open a unix socket");
	if (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0)
		return err_set(e, errno, "connect to %s", sa.sun_path);
	/* unix(7): the credentials of a listening socket are those at the time of listen(2) */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return err_set(e, errno, "ask who listens on %s", sa.sun_path);
	if (peer.uid != geteuid())
		return err_say(e, EPERM, "%s belongs to user %u", sa.sun_path, peer.uid);
	if (pid)
		*pid = peer.pid;
	return fd_take(&fd);
}

static int wait_for(int fd, short events, int idle_ms, struct err *e)
{
	struct pollfd p = { .fd = fd, .events = events };
	long long end = clock_monotonic_ms() + idle_ms;

	for (;;) {
		long long left = end - clock_monotonic_ms();
		int n = poll(&p, 1, left > 0 ? (int)left : 0);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return err_set(e, errno, "wait for the daemon");
		if (left <= 0)
			return err_say(e, ETIMEDOUT, "the daemon does not answer");
	}
}

/* A daemon that refuses a line closes before it has read the rest: its answer says why, so that is no error here. */
static int send_request(int fd, const char *request, int idle_ms, struct err *e)
{
	size_t left = strlen(request);

	while (left) {
		ssize_t n = send(fd, request, left, MSG_NOSIGNAL);
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return 0;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return err_set(e, errno, "send to the daemon");
		if (n < 0 && errno == EAGAIN && wait_for(fd, POLLOUT, idle_ms, e) < 0)
			return -e->code;
		if (n > 0) {
			request += n;
			left -= (size_t)n;
		}
	}
	return 0;
}

/* an empty line ends every answer */
static bool is_complete(const struct strbuf *b)
{
	return b->len >= 2 && memcmp(b->s + b->len - 2, "\n\n", 2) == 0;
}

static int receive_answer(int fd, int idle_ms, struct strbuf *b, struct err *e)
{
	char chunk[16384];
	int rc = 0;

	while (rc == 0 && !is_complete(b)) {
		ssize_t n = recv(fd, chunk, sizeof(chunk), 0);
		if (n > 0 && b->len + (size_t)n > ANSWER_MAX)
			rc = err_set(e, EFBIG, "read the daemon's answer");
		else if (n > 0)
			strbuf_add(b, chunk, (size_t)n);
		else if (n == 0 || errno == ECONNRESET)
			rc = err_say(e, ECONNRESET, "the daemon hung up");
		else if (errno == EAGAIN)
			rc = wait_for(fd, POLLIN, idle_ms, e);
		else if (errno != EINTR)
			rc = err_set(e, errno, "read the daemon's answer");
		if (rc == 0 && b->is_failed)
			rc = err_set(e, ENOMEM, "read the daemon's answer");
	}
	str_wipe(chunk, sizeof(chunk));
	return rc;
}

int uapi_socket_talk(const struct backend_device *dev, const char *request, int idle_ms,
		     char **answer, size_t *len, struct err *e)
{
	AUTO_STRBUF struct strbuf b = { 0 };
	pid_t pid = 0;
	AUTO_FD int fd = uapi_socket_connect(dev->birth_name, &pid, e);

	if (fd < 0)
		return fd;
	if (dev->pid && pid && pid != dev->pid)
		return err_say(e, EPERM,
			       "process %d answers on the socket of %s, not the daemon %d",
			       (int)pid, dev->birth_name, (int)dev->pid);
	int rc = send_request(fd, request, idle_ms, e);
	if (rc == 0)
		rc = receive_answer(fd, idle_ms, &b, e);
	if (rc < 0)
		return rc;
	*len = b.len;
	*answer = strbuf_finish(&b);
	return *answer ? 0 : err_set(e, ENOMEM, "read the daemon's answer");
}

int uapi_socket_sweep(const char *ifname, struct err *e)
{
	char name[UAPI_SOCKET_NAME_MAX];

	if (uapi_socket_name(ifname, name, e) < 0)
		return -e->code;
	AUTO_FD int dir_fd = uapi_socket_open_dir(false, e);
	if (dir_fd < 0)
		return dir_fd == -ENOENT ? 0 : dir_fd;
	if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
		return err_set(e, errno, "remove " UAPI_SOCKET_DIR "/%s", name);
	return 0;
}
