// SPDX-License-Identifier: GPL-2.0-or-later
/* `wgns confirm`, which ends confirm.wait (op_confirm.c), and what `up` does when nobody has confirmed */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "change_internal.h"
#include "wgns/fd.h"
#include "wgns/op.h"

#define HOOKS_MS 10000

/*
 * Whoever should have confirmed is cut off, it may be, and nobody is there to end a hook that waits for a network: the uplinks
 * must not wait for it. Therefore a child runs them, which can be ended with all that it has started.
 */
void confirm_run_hooks(struct op_env *env, enum wgquick_hook kind, const char *word,
		       const struct change_talk *talk)
{
	if (!env->conf->n_hooks[kind])
		return;
	pid_t pid = fork();
	if (pid == 0) {
		(void)setpgid(0, 0); /* cannot fail for a process that has just begun */
		_exit(!change_run_hooks(env, kind, word, talk));
	}
	AUTO_FD int pidfd = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0U);
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };
	/* the signals that could cut it short are blocked */
	if (pidfd < 0 || poll(&ended, 1, HOOKS_MS) <= 0) {
		op_env_note(env, "%s did not end, and the rest is undone without it", word);
		if (pid > 0)
			(void)(kill(-pid, SIGKILL) < 0 &&
			       kill(pid, SIGKILL)); /* before it has a group */
	}
	if (pid < 0)
		return;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

void confirm_answer(struct op_env *env)
{
	if (env->confirmed_fd >= 0) /* who does not wait for the answer gets none */
		(void)send(env->confirmed_fd, "1", 1, MSG_NOSIGNAL);
	fd_close_indirect(&env->confirmed_fd);
}

/* A socket of another type is refused and confirms nothing; without a process behind it (it was killed) the reason differs */
static bool is_listening(int dir_fd)
{
	const struct sockaddr_un sun = op_confirm_socket(dir_fd);
	AUTO_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0 &&
	       errno == EPROTOTYPE;
}

bool change_is_awaited(char name[IFNAMSIZ])
{
	struct state_tunnel *tunnels = NULL;
	bool is_found = false;
	struct err ignored; /* then it is not said */
	size_t n = 0;

	AUTO_FD int run_fd = state_open(false, &ignored);
	if (run_fd < 0 || state_tunnels(run_fd, &tunnels, &n, &ignored) < 0)
		return false;
	for (size_t i = 0; i < n && !is_found; i++) {
		AUTO_FD int dir_fd =
			op_confirm_open(run_fd, tunnels[i].place, tunnels[i].device.name, &ignored);
		is_found = dir_fd >= 0 && is_listening(dir_fd);
		if (is_found)
			memcpy(name, tunnels[i].device.name, IFNAMSIZ);
	}
	free(tunnels);
	return is_found;
}

/* Return: 0 confirmed; -ENOENT nobody waits there; -EPIPE it was too late; another -errno */
static int tell(int run_fd, const struct state_tunnel *t, struct err *e)
{
	struct err ignored; /* it has gone since it was listed */
	char byte;
	ssize_t got;

	AUTO_FD int dir_fd = op_confirm_open(run_fd, t->place, t->device.name, &ignored);
	if (dir_fd < 0)
		return -ENOENT;
	const struct sockaddr_un sun = op_confirm_socket(dir_fd);
	AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(e, errno, "make a socket");
	if (connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0)
		/* refused: the `up` that listened there was killed */
		return errno == ENOENT || errno == ECONNREFUSED
			       ? -ENOENT
			       : err_set(e, errno, "reach the `wgns up` of %s", t->device.name);
	do { /* ends with its process at the latest */
		got = recv(fd, &byte, 1, 0);
	} while (got < 0 && errno == EINTR);
	if (got == 1)
		return 0;
	err_say(e, EPIPE, "too late: %s is being undone", t->device.name);
	(void)err_as(e, ERR_KIND_STATE);
	return -EPIPE;
}

static int say_nobody(const char *name, const struct state_tunnel *found, struct err *e)
{
	if (!name)
		err_say(e, ENOENT, "nothing waits to be confirmed");
	else if (!found)
		err_say(e, ENOENT, "%s is not up", name);
	else if (found->since)
		err_say(e, ENOENT, "%s is up, and does not wait to be confirmed", name);
	else
		err_say(e, ENOENT, "%s does not wait to be confirmed: it is half up", name);
	if (found && !found->since)
		err_hint(e, "when its `wgns up` is gone, `wgns down %s` undoes what it did", name);
	return err_as(e, ERR_KIND_STATE);
}

int change_confirm(const char *name, char confirmed[IFNAMSIZ], struct err *e)
{
	const struct state_tunnel *found = NULL;
	struct state_tunnel *tunnels = NULL;
	struct err why;
	size_t n = 0;
	int rc = -ENOENT;

	AUTO_FD int run_fd = state_open(false, &why);
	if (run_fd == -ENOENT)
		return say_nobody(name, NULL, e);
	if (run_fd < 0) {
		*e = why;
		return run_fd;
	}
	if (state_tunnels(run_fd, &tunnels, &n, e) < 0)
		return -e->code;
	for (size_t i = 0; i < n && rc == -ENOENT; i++) {
		if (name && (strcmp(tunnels[i].place, CHANGE_PLACE) != 0 ||
			     strcmp(tunnels[i].device.name, name) != 0))
			continue;
		found = &tunnels[i];
		rc = tell(run_fd, found, e);
	}
	if (rc == 0)
		memcpy(confirmed, found->device.name, IFNAMSIZ);
	else if (rc == -ENOENT)
		rc = say_nobody(name, name ? found : NULL, e);
	free(tunnels);
	return rc;
}
