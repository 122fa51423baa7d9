// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/follow.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wgns/agentfile.h"
#include "wgns/agentpublish.h"
#include "wgns/clock.h"
#include "wgns/fd.h"
#include "wgns/keep.h"
#include "wgns/leasetext.h"
#include "wgns/signals.h"
#include "wgns/state.h"
#include "wgns/units.h"

#define NM_DIR STATE_DIR "/box/physical/" UNITS_BOX_NM
#define NM_FILE "resolv.conf"
#define LINKS_DIR STATE_DIR "/box/physical/" UNITS_BOX_NETIF "/links"
#define LINKS_MAX 256
#define AGAIN_FIRST_MS 500
#define AGAIN_MAX_MS 60000
#define LIVED_MS 60000 /* one that lived so long was no failure */

struct follow {
	const struct follow_options *options;
	bool is_networkd;
	const char *dir;
	int run_fd, signal_fd, inotify_fd;
};

/* DNS=192.0.2.53 [2001:db8::53]:5353%eth0#name: the address, which is all that resolv.conf(5) can say */
static void add_server(const char *word, struct strbuf *out)
{
	char address[64];
	bool has_port = word[0] == '[';
	size_t len = strcspn(word + has_port, has_port ? "]" : "%#");

	if (!len || len >= sizeof(address))
		return;
	memcpy(address, word + has_port, len);
	address[len] = '\0';
	/* 192.0.2.53:5353 */
	const char *colon = strchr(address, ':');
	if (!has_port && colon && !strchr(colon + 1, ':'))
		address[colon - address] = '\0';
	strbuf_addf(out, "nameserver %s\n", address);
}

void follow_read_link(const char *text, struct strbuf *out)
{
	AUTO_FREE char *copy = strdup(text);
	char *rest = copy;

	for (char *line = copy ? strsep(&rest, "\n") : NULL; line; line = strsep(&rest, "\n")) {
		if (strncmp(line, "DNS=", 4) == 0) {
			char *words = line + 4;
			for (char *word = strsep(&words, " "); word; word = strsep(&words, " "))
				add_server(word, out);
		} else if (strncmp(line, "DOMAINS=", 8) == 0 && line[8]) {
			strbuf_addf(out, "search %s\n", line + 8);
		}
	}
}

static void say(const struct follow *f, const struct err *why)
{
	f->options->log(f->options->ctx, why->text);
}

static void read_links(int dir_fd, struct strbuf *out)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	size_t n = 0;

	if (!dir) {
		fd_close_indirect(&fd);
		return;
	}
	for (entry = readdir(dir); entry && n < LINKS_MAX; entry = readdir(dir)) {
		AUTO_FREE char *text = NULL;
		struct err ignored; /* it is gone again */
		size_t len;

		if (strspn(entry->d_name, "0123456789") != strlen(entry->d_name))
			continue;
		n++;
		if (fd_read_file_at(dir_fd, entry->d_name, LEASETEXT_MAX, &text, &len, &ignored) ==
		    0)
			follow_read_link(text, out);
	}
	(void)closedir(dir); /* it was only read */
}

static void look(const struct follow *f)
{
	AUTO_STRBUF struct strbuf out = { 0 };
	struct err why;
	size_t len;

	AUTO_FD int dir_fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir_fd < 0)
		return; /* the manager makes it when it starts */
	if (f->is_networkd) {
		read_links(dir_fd, &out);
	} else {
		AUTO_FREE char *text = NULL;
		if (fd_read_file_at(dir_fd, NM_FILE, LEASETEXT_MAX, &text, &len, &why) < 0)
			return; /* it writes none while it knows no server */
		strbuf_add(&out, text, len);
	}
	if (out.is_failed)
		(void)err_set(&why, ENOMEM, "read %s", f->dir);
	else if (agentpublish_resolv(f->run_fd, f->options->name, out.len ? out.s : "", out.len,
				     &why) == 0)
		return;
	say(f, &why);
}

/* Return: somebody wants an end */
static bool read_signals(const struct follow *f)
{
	struct signalfd_siginfo info;

	while (read(f->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGHUP)
			return true;
	}
	return false;
}

/* a manager that is started again may make its folder anew, and a watch is of the folder and not of its name */
static void watch_dir(const struct follow *f)
{
	(void)inotify_add_watch(f->inotify_fd, f->dir,
				IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF |
					IN_ONLYDIR | IN_DONT_FOLLOW);
}

static void run(struct follow *f)
{
	struct pollfd fds[2] = { { .fd = f->signal_fd, .events = POLLIN },
				 { .fd = f->inotify_fd, .events = POLLIN } };
	_Alignas(struct inotify_event) char events[4096];

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return;
		if (read_signals(f))
			return;
		while (read(f->inotify_fd, events, sizeof(events)) > 0)
			; /* which one it was does not matter */
		watch_dir(f);
		look(f);
	}
}

/* until @fd becomes readable, -1: nothing does, or @ms have passed; Return: somebody wants an end */
static bool wait_for(const struct follow *f, int fd, int ms)
{
	struct pollfd fds[2] = { { .fd = f->signal_fd, .events = POLLIN },
				 { .fd = fd, .events = POLLIN } };

	do {
		if (poll(fds, 2, ms) < 0 && errno != EINTR)
			return true;
		if (read_signals(f))
			return true;
	} while (fd >= 0 && !fds[1].revents); /* SIGHUP */
	return false;
}

/* Return: somebody wants an end; false: the child is gone, or there was none */
static bool follow_in_child(struct follow *f)
{
	pid_t keeper = getpid(), pid = fork();
	struct err why;

	if (pid == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == keeper) {
			watch_dir(f);
			look(f);
			run(f);
		}
		_exit(0);
	}
	AUTO_FD int pidfd = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0U);
	if (pidfd < 0) {
		(void)err_set(&why, errno, "start who reads %s", f->dir);
		say(f, &why);
	}
	bool is_over = pidfd >= 0 && wait_for(f, pidfd, -1);
	if (pid > 0) {
		(void)kill(pid, SIGKILL); /* it only reads and replaces files whole */
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	return is_over;
}

/*
 * What managers write is read by a child, and whatever ends it, another one begins: without one the box would keep the
 * servers of a network that is gone.
 */
static void keep(struct follow *f)
{
	int pause_ms = AGAIN_FIRST_MS;
	int64_t since = clock_monotonic_ms();

	while (!follow_in_child(f)) {
		if (clock_monotonic_ms() - since >= LIVED_MS)
			pause_ms = AGAIN_FIRST_MS;
		if (wait_for(f, -1, pause_ms))
			return;
		pause_ms = pause_ms < AGAIN_MAX_MS / 2 ? pause_ms * 2 : AGAIN_MAX_MS;
		since = clock_monotonic_ms();
	}
}

static int begin(struct follow *f, struct err *e)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	const char *name = f->options->name;

	f->is_networkd = strcmp(name, FOLLOW_NETWORKD "." AGENTFILE_ALL) == 0;
	if (!f->is_networkd && strcmp(name, FOLLOW_NETWORKMANAGER "." AGENTFILE_ALL) != 0)
		return err_say(e, EINVAL, "%s is nobody who could be followed", name);
	f->dir = f->is_networkd ? LINKS_DIR : NM_DIR;
	f->run_fd = state_open(false, e);
	if (f->run_fd < 0)
		return f->run_fd;
	f->signal_fd = signals_open(signals, sizeof(signals) / sizeof(signals[0]), e);
	if (f->signal_fd < 0)
		return f->signal_fd;
	f->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (f->inotify_fd < 0)
		return err_set(e, errno, "watch %s", f->dir);
	/* the files of the box are root's, and so are those that are read, or everybody's to read */
	return keep_capabilities(0, 0, true, e);
}

int follow_run(const struct follow_options *options, struct err *e)
{
	struct follow f = { .options = options, .run_fd = -1, .signal_fd = -1, .inotify_fd = -1 };

	int rc = begin(&f, e);
	if (rc == 0) {
		watch_dir(&f);
		look(&f);
		if (options->ready_fd >= 0)
			rc = fd_write_all(options->ready_fd, "\n", 1, "the starter", e);
	}
	if (rc == 0) {
		if (options->ready_fd >= 0)
			(void)close(options->ready_fd); /* it was written */
		keep(&f);
	}
	fd_close_indirect(&f.run_fd);
	fd_close_indirect(&f.signal_fd);
	fd_close_indirect(&f.inotify_fd);
	return rc;
}
