// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * confirm.wait
 *
 * The step listens on a socket in the tunnel's folder, which only root can enter. To connect is to confirm; the answer is one
 * byte, sent when the tunnel is recorded as up, or the end of the connection. So whoever confirms knows whether it was in time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "op_internal.h"
#include "wgns/fd.h"
#include "wgns/str.h"

#define SOCKET_NAME "confirm"
#define BACKLOG 8

int op_confirm_open(int run_fd, const char *place, const char *name, struct err *e)
{
	char path[STATE_PLACE_MAX + IFNAMSIZ + 16];

	state_tunnel_path(place, name, path, sizeof(path));
	return state_openat(run_fd, path, O_RDONLY | O_DIRECTORY, e);
}

/* by the folder's descriptor: nothing on the way there is followed (unix(7) has no bindat) */
struct sockaddr_un op_confirm_socket(int dir_fd)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "/proc/self/fd/%d/" SOCKET_NAME, dir_fd);
	return sun;
}

static int listen_in(int dir_fd, struct err *e)
{
	const struct sockaddr_un sun = op_confirm_socket(dir_fd);
	AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return err_set(e, errno, "listen for `wgns confirm`");
	return fd_take(&fd);
}

static int judge(struct op_env *env, enum op_answer answer, int told_fd, unsigned seconds,
		 struct err *e)
{
	switch (answer) {
	case OP_CONFIRMED:
		/* none when it was confirmed on the terminal */
		env->confirmed_fd = accept4(told_fd, NULL, NULL, SOCK_CLOEXEC);
		return 0;
	case OP_TIMED_OUT:
		return err_say(e, ETIMEDOUT, "nobody confirmed it in %u s", seconds);
	case OP_INTERRUPTED:
		return err_say(e, EINTR, "interrupted");
	}
	return err_say(e, EINVAL, "no answer");
}

/* "confirm.wait wg0 60 s" */
int confirm_wait_run(struct op_env *env, const struct step *step, struct err *e)
{
	unsigned long long seconds;

	if (!env->ask || str_to_u64(step->words[2], UINT32_MAX, &seconds) < 0)
		return err_say(e, EINVAL, "nobody to ask");
	AUTO_FD int dir_fd =
		op_confirm_open(env->run_fd, env->tunnel.place, env->tunnel.device.name, e);
	AUTO_FD int told_fd = dir_fd < 0 ? -1 : listen_in(dir_fd, e);
	if (told_fd < 0)
		return -e->code;
	env->has_asked = true;
	enum op_answer answer = env->ask(env->note_ctx, told_fd, (unsigned)seconds);
	/* who comes from here on finds nobody; the file goes with the folder when it cannot be removed */
	(void)unlinkat(dir_fd, SOCKET_NAME, 0);
	return judge(env, answer, told_fd, (unsigned)seconds, e);
}
