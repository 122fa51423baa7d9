// SPDX-License-Identifier: GPL-2.0-or-later
/* sd_notify(3) without its library: a datagram to the socket that NOTIFY_SOCKET names */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "watch_internal.h"
#include "wgns/clock.h"
#include "wgns/fd.h"

#define PATIENCE_S 5

int watch_notify_address(const char *text, struct sockaddr_un *out, socklen_t *len)
{
	size_t n = strlen(text);

	if ((text[0] != '/' && text[0] != '@') || n < 2 || n >= sizeof(out->sun_path))
		return -EINVAL;
	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(out->sun_path, text, n);
	if (text[0] == '@')
		out->sun_path[0] = '\0'; /* abstract: as long as it is, without NUL (unix(7)) */
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (text[0] == '/'));
	return 0;
}

void watch_tell(const char *notify_socket, const char *text)
{
	struct sockaddr_un to;
	socklen_t len;

	if (!notify_socket || watch_notify_address(notify_socket, &to, &len) < 0)
		return;
	AUTO_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	/*
	 * A queue of ten (net.unix.max_dgram_qlen) is soon full, and who does not hear READY=1 ends the service. Who does not
	 * listen at all is not told: the tunnel is looked after all the same.
	 */
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0)
		(void)!sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&to,
			      len);
}

void watch_notify(const struct watch *w, const char *text)
{
	watch_tell(w->options->notify_socket, text);
}

/*
 * The samples wake the loop often enough while the device is up: a timer of its own is only set for later than the next of
 * them would come, and has to wake nobody then.
 */
void watch_alive(struct watch *w)
{
	int64_t period = w->options->watchdog_ms, now = clock_monotonic_ms();

	if (!period || (w->alive_ms && now - w->alive_ms < period / 4))
		return;
	w->alive_ms = now;
	watch_notify(w, "WATCHDOG=1");
	w->work[WORK_ALIVE] = now + period / 2;
	watch_arm(w);
}
