// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * runner - run commands in turn, round after round, and say how long each took from fork to wait
 *
 * runner ROUNDS PAUSE_MS [UID GID...] <LIST   a line is LABEL<TAB>PROGRAM<TAB>ARG...; what is labelled - is run and not
 * counted; what is labelled @... is run by a second runner, which is that user.
 * It prints LABEL N MIN MEDIAN P90, in microseconds, in the order of the list. The first round warms up and is not counted.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 4096
#define ARGS_MAX 32
#define COMMANDS_MAX 32
#define ROUNDS_MAX 10000
#define GROUPS_MAX 16

extern char **environ;

struct command {
	char text[LINE_BYTES];
	char *argv[ARGS_MAX + 1];
	const char *label;
	uint64_t *samples;
};

static int read_commands(struct command *list, size_t *n)
{
	for (*n = 0; *n < COMMANDS_MAX && fgets(list[*n].text, LINE_BYTES, stdin); (*n)++) {
		struct command *c = &list[*n];
		char *rest = c->text;
		size_t n_args = 0;

		c->text[strcspn(c->text, "\n")] = '\0';
		c->label = strsep(&rest, "\t");
		while (rest && n_args < ARGS_MAX)
			c->argv[n_args++] = strsep(&rest, "\t");
		if (!n_args)
			return -EINVAL;
	}
	return feof(stdin) || !fgets((char[2]){ 0 }, 2, stdin) ? 0 : -E2BIG;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail with a clock that exists */
	return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

/* standard output is this program's; errors go where the caller wants them */
static int run_once(const struct command *c, posix_spawn_file_actions_t *actions, uint64_t *took)
{
	pid_t pid;
	int status;
	uint64_t begin = now_ns();
	int rc = posix_spawnp(&pid, c->argv[0], actions, NULL, c->argv, environ);

	if (rc)
		return -rc;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	*took = now_ns() - begin;
	return status;
}

/* what the kernel does after a command, such as clearing a namespace away, must not be the next one's time */
static void settle(long pause_ms)
{
	struct timespec ts = { .tv_sec = pause_ms / 1000, .tv_nsec = pause_ms % 1000 * 1000000 };

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}

struct answer {
	int rc;
	uint64_t took;
};

/* runs what it is told the index of, until nobody tells it any more */
static void serve(const struct command *list, posix_spawn_file_actions_t *actions, int fd)
{
	size_t i;

	while (read(fd, &i, sizeof(i)) == sizeof(i)) {
		struct answer a = { 0 };

		a.rc = run_once(&list[i], actions, &a.took);
		if (write(fd, &a, sizeof(a)) != sizeof(a))
			return;
	}
}

/* Return: a descriptor to talk to it, or -errno */
static int start_user(const struct command *list, posix_spawn_file_actions_t *actions, int argc,
		      char **argv)
{
	gid_t groups[GROUPS_MAX];
	size_t n_groups = 0;
	int fds[2];

	for (int i = 1; i < argc && n_groups < GROUPS_MAX; i++)
		groups[n_groups++] = (gid_t)strtoul(argv[i], NULL, 10);
	if (!n_groups || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -EINVAL;
	pid_t pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		uid_t uid = (uid_t)strtoul(argv[0], NULL, 10);

		(void)close(fds[0]); /* nothing was written */
		if (setgroups(n_groups, groups) < 0 ||
		    setresgid(groups[0], groups[0], groups[0]) < 0 || setresuid(uid, uid, uid) < 0)
			_exit(1);
		serve(list, actions, fds[1]);
		_exit(0);
	}
	(void)close(fds[1]); /* as above */
	return fds[0];
}

static int ask_user(int fd, size_t i, uint64_t *took)
{
	struct answer a;

	if (fd < 0 || write(fd, &i, sizeof(i)) != sizeof(i) || read(fd, &a, sizeof(a)) != sizeof(a))
		return -EPIPE;
	*took = a.took;
	return a.rc;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double us(uint64_t ns)
{
	return (double)ns / 1000.0;
}

static void print(struct command *c, size_t n)
{
	if (strcmp(c->label, "-") == 0)
		return;
	qsort(c->samples, n, sizeof(*c->samples), by_value);
	uint64_t middle = (c->samples[(n - 1) / 2] + c->samples[n / 2]) / 2;
	printf("%s\t%zu\t%.1f\t%.1f\t%.1f\n", c->label + (c->label[0] == '@'), n, us(c->samples[0]),
	       us(middle), us(c->samples[n * 9 / 10 < n ? n * 9 / 10 : n - 1]));
}

static int run_rounds(struct command *list, size_t n, size_t n_rounds, long pause_ms, int argc,
		      char **user)
{
	posix_spawn_file_actions_t actions;
	int user_fd = -1;

	if (posix_spawn_file_actions_init(&actions) ||
	    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0) ||
	    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0))
		return -ENOMEM;
	if (argc)
		user_fd = start_user(list, &actions, argc, user);
	for (size_t round = 0; round <= n_rounds; round++) {
		for (size_t i = 0; i < n; i++) {
			uint64_t took = 0;
			int rc = list[i].label[0] == '@' ? ask_user(user_fd, i, &took)
							 : run_once(&list[i], &actions, &took);
			if (rc != 0) {
				fprintf(stderr, "runner: round %zu: %s (%s): %s %d\n", round,
					list[i].label, list[i].argv[0], rc < 0 ? "error" : "status",
					rc < 0 ? -rc : rc);
				return -ECHILD;
			}
			if (round)
				list[i].samples[round - 1] = took;
			settle(pause_ms);
		}
	}
	(void)posix_spawn_file_actions_destroy(&actions); /* it holds memory only */
	return 0;
}

int main(int argc, char **argv)
{
	static struct command list[COMMANDS_MAX];
	size_t n = 0;
	long n_rounds = argc == 3 || argc > 4 ? strtol(argv[1], NULL, 10) : 0;

	if (n_rounds < 1 || n_rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: runner ROUNDS PAUSE_MS [UID GID...] <LIST\n");
		return 2;
	}
	if (read_commands(list, &n) < 0) {
		fprintf(stderr, "runner: the list has an empty line or too many\n");
		return 2;
	}
	for (size_t i = 0; i < n; i++) {
		list[i].samples = calloc((size_t)n_rounds, sizeof(*list[i].samples));
		if (!list[i].samples)
			return 1;
	}
	if (run_rounds(list, n, (size_t)n_rounds, strtol(argv[2], NULL, 10),
		       argc > 4 ? argc - 3 : 0, argv + 3) < 0)
		return 1;
	for (size_t i = 0; i < n; i++) {
		print(&list[i], (size_t)n_rounds);
		free(list[i].samples);
	}
	return 0;
}
