// SPDX-License-Identifier: GPL-2.0-or-later
/* sockets for a program in a box; everything that binds does so in a child with a network of its own */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../cmd/listen.h"
#include "wgns/caps.h"
#include "wgns/fd.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NO_NETWORK 77 /* of a child: there is no right to make namespaces here */

static void test_listen_parse_takes_addresses(void **state)
{
	(void)state;
	static const struct {
		const char *text, *host;
		unsigned port;
		bool is_loopback;
	} rows[] = {
		{ "8080", "127.0.0.1", 8080, true },
		{ "1", "127.0.0.1", 1, true },
		{ "65535", "127.0.0.1", 65535, true },
		{ "127.0.0.1:8080", "127.0.0.1", 8080, true },
		{ "127.255.0.9:80", "127.255.0.9", 80, true },
		{ "128.0.0.1:80", "128.0.0.1", 80, false },
		{ "0.0.0.0:80", "0.0.0.0", 80, false },
		{ "192.0.2.7:443", "192.0.2.7", 443, false },
		{ "[::1]:8080", "::1", 8080, true },
		{ "[::]:8080", "::", 8080, false },
		{ "[2001:db8::7]:443", "2001:db8::7", 443, false },
		{ "[fe80::7%lo]:443", "fe80::7", 443, false },
		{ "[2001:db8:1111:2222:3333:4444:5555:6666]:65535",
		  "2001:db8:1111:2222:3333:4444:5555:6666", 65535, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char host[INET6_ADDRSTRLEN];
		struct listen_address a;
		struct err e = { 0 };

		print_message("%s\n", rows[i].text);
		assert_int_equal(listen_parse(rows[i].text, &a, &e), 0);
		assert_int_equal(e.code, 0);
		if (a.sa.sa_family == AF_INET) {
			assert_int_equal(a.len, sizeof(a.v4));
			assert_non_null(inet_ntop(AF_INET, &a.v4.sin_addr, host, sizeof(host)));
			assert_int_equal(ntohs(a.v4.sin_port), rows[i].port);
		} else {
			assert_int_equal(a.len, sizeof(a.v6));
			assert_non_null(inet_ntop(AF_INET6, &a.v6.sin6_addr, host, sizeof(host)));
			assert_int_equal(ntohs(a.v6.sin6_port), rows[i].port);
			assert_int_equal(a.v6.sin6_scope_id,
					 strchr(rows[i].text, '%') ? if_nametoindex("lo") : 0);
		}
		assert_string_equal(host, rows[i].host);
		assert_int_equal(listen_is_loopback(&a), rows[i].is_loopback);
	}
}

static void test_listen_parse_says_what_is_wrong(void **state)
{
	(void)state;
	static const char port[] = "a port is a number from 1 to 65535",
			  shape[] = "expected is ADDRESS:PORT, or PORT for 127.0.0.1",
			  name[] = "an address in numbers is expected, not a name",
			  brackets[] = "an IPv6 address stands in brackets",
			  in_brackets[] = "an IPv6 address is expected in the brackets",
			  shape6[] = "expected is [ADDRESS]:PORT";
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", port },
		{ "0", "port 0 would be another one each time" },
		{ "127.0.0.1:0", "port 0 would be another one each time" },
		{ "[::1]:00", "port 0 would be another one each time" },
		{ "65536", port },
		{ "99999999999999999999999999", port },
		{ "127.0.0.1:65536", port },
		{ "127.0.0.1:", port },
		{ "127.0.0.1:http", port },
		{ "127.0.0.1:-1", port },
		{ "127.0.0.1:+1", port },
		{ "127.0.0.1: 80", port },
		{ "127.0.0.1:80 ", port },
		{ "-1", shape },
		{ "127.0.0.1", shape },
		{ "localhost", shape },
		{ "localhost:80", name },
		{ "*:80", name },
		{ "127.1:80", name },
		{ "127.0.0.256:80", name },
		{ "0x7f.0.0.1:80", name },
		{ "127.0.0.1%lo:80", name },
		{ " 127.0.0.1:80", name },
		{ ":80", "on which address?" },
		{ "::1:80", brackets },
		{ "::1", brackets },
		{ ":::80", brackets },
		{ "[::1]", shape6 },
		{ "[::1]80", shape6 },
		{ "[::1", shape6 },
		{ "[", shape6 },
		{ "[]:80", in_brackets },
		{ "[localhost]:80", in_brackets },
		{ "[127.0.0.1]:80", in_brackets },
		{ "[[::1]]:80", shape6 },
		{ "[::1]:80:80", port },
		{ "[::ffff:127.0.0.1]:80", "write an IPv4 address without brackets" },
		{ "[fe80::7]:80", "a link-local address needs its device: [fe80::1%eth0]:80" },
		{ "[fe80::7%]:80", "there is no device  here" },
		{ "[fe80::7%wgnsnone]:80", "there is no device wgnsnone here" },
		{ "[::1%lo]:80", "only a link-local address (fe80::) takes a device" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct listen_address a = { .len = 7 };
		struct err e = { 0 };
		char start[128];

		print_message("\"%s\"\n", rows[i].text);
		assert_int_equal(listen_parse(rows[i].text, &a, &e), -EINVAL);
		assert_int_equal(e.code, EINVAL);
		assert_int_equal(e.kind, ERR_KIND_USAGE);
		(void)snprintf(start, sizeof(start), "--listen %s: ", rows[i].text);
		assert_int_equal(strncmp(e.text, start, strlen(start)), 0);
		assert_non_null(strstr(e.text + strlen(start), rows[i].why));
		assert_int_equal(a.len, 7); /* untouched */
	}
}

static void test_listen_parse_bears_what_is_long(void **state)
{
	(void)state;
	char text[5000];
	struct listen_address a;

	for (size_t len = 1; len < sizeof(text) - 8; len += 13) {
		static const char *const shapes[] = { "%0*d", "%0*d:80", "[%0*d]:80",
						      "[fe80::1%%%0*d]:80" };
		for (size_t i = 0; i < COUNT(shapes); i++) {
			struct err e = { 0 };

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			(void)snprintf(text, sizeof(text), shapes[i], (int)len, 0);
#pragma GCC diagnostic pop
			assert_int_equal(listen_parse(text, &a, &e), -EINVAL);
			assert_int_equal(e.kind, ERR_KIND_USAGE);
		}
	}
}

/* in a child: say which line it was, and end */
#define NEED(is_so) need(is_so, #is_so, __LINE__)
static void need(bool is_so, const char *what, int line)
{
	if (is_so)
		return;
	(void)fprintf(stderr, "line %d: %s (errno %d)\n", line, what, errno);
	_exit(1);
}

static void make_network(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		_exit(NO_NETWORK);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	NEED(fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &lo) == 0 && close(fd) == 0);
}

/* @check in a process of its own with nothing but 0, 1, 2 open, in a network of its own */
static void in_child(void (*check)(void))
{
	int status;

	pid_t pid = fork();
	assert_return_code(pid, errno);
	if (pid == 0) {
		make_network();
		NEED(close_range(3, ~0U, 0) == 0);
		check();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NO_NETWORK) {
		print_message("no right to make a network namespace\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

static struct listen_address parsed(const char *text)
{
	struct listen_address a = { .len = 0 };
	struct err e = { 0 };

	NEED(listen_parse(text, &a, &e) == 0);
	return a;
}

/* port 8000, 8001, ... */
static void many(struct listen_address *list, size_t n)
{
	char text[32];

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(text, sizeof(text), "%zu", 8000 + i);
		list[i] = parsed(text);
	}
}

static bool is_listening(int fd, const struct listen_address *a)
{
	struct sockaddr_in6 got = { 0 };
	socklen_t len = sizeof(got), one = sizeof(int);
	int accepts = 0, reuses = 0;

	return getsockname(fd, (struct sockaddr *)&got, &len) == 0 && len == a->len &&
	       memcmp(&got, &a->sa, len) == 0 &&
	       getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &one) == 0 && accepts == 1 &&
	       getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuses, &one) == 0 && reuses == 1 &&
	       fcntl(fd, F_GETFD) == 0 && !(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static bool env_is(const char *name, long value)
{
	const char *text = getenv(name);
	char wanted[24];

	(void)snprintf(wanted, sizeof(wanted), "%ld", value);
	return text && strcmp(text, wanted) == 0;
}

/* a connection to each of them arrives at it */
static bool is_reachable(int fd, const struct listen_address *a)
{
	struct sockaddr_in6 from = { 0 }, mine = { 0 };
	socklen_t from_len = sizeof(from), mine_len = sizeof(mine);

	AUTO_FD int client = socket(a->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client < 0 || connect(client, &a->sa, a->len) < 0)
		return false;
	AUTO_FD int server = accept4(fd, (struct sockaddr *)&from, &from_len, SOCK_CLOEXEC);
	return server >= 0 && getsockname(client, (struct sockaddr *)&mine, &mine_len) == 0 &&
	       mine_len == from_len && memcmp(&mine, &from, mine_len) == 0;
}

static void check_three(void)
{
	struct listen_address list[] = { parsed("8080"), parsed("[::1]:8080"),
					 parsed("127.0.0.2:8080") };
	int is_v6only = 0;
	socklen_t len = sizeof(is_v6only);
	struct err e = { 0 };

	NEED(setenv("LISTEN_FDNAMES", "a:b", 1) == 0 && setenv("LISTEN_PIDFDID", "1", 1) == 0);
	NEED(listen_open(list, COUNT(list), &e) == 0 && e.code == 0);
	for (int i = 0; i < (int)COUNT(list); i++)
		NEED(is_listening(3 + i, &list[i]) && is_reachable(3 + i, &list[i]));
	NEED(getsockopt(4, IPPROTO_IPV6, IPV6_V6ONLY, &is_v6only, &len) == 0 && is_v6only == 1);
	NEED(fcntl(6, F_GETFD) < 0 && errno == EBADF);
	NEED(env_is("LISTEN_FDS", 3) && env_is("LISTEN_PID", getpid()));
	NEED(!getenv("LISTEN_FDNAMES") && !getenv("LISTEN_PIDFDID"));
}

static void test_listen_open_hands_over_as_systemd_does(void **state)
{
	(void)state;
	in_child(check_three);
}

/* both families on all addresses and one port do not disturb each other */
static void check_wildcards(void)
{
	struct listen_address list[] = { parsed("[::]:8080"), parsed("0.0.0.0:8080") };
	struct err e = { 0 };

	NEED(listen_open(list, COUNT(list), &e) == 0);
	NEED(is_listening(3, &list[0]) && is_listening(4, &list[1]));
}

static void test_listen_open_keeps_the_families_apart(void **state)
{
	(void)state;
	in_child(check_wildcards);
}

/* 3 to 8 and 20 lead somewhere else: nothing of that is left on 3 to 8, and no socket is lost */
static void check_occupied(void)
{
	struct listen_address list[6];
	struct err e = { 0 };
	int pipes[2];

	NEED(pipe(pipes) == 0 && pipes[0] == 3 && pipes[1] == 4);
	for (int fd = 5; fd <= 8; fd++)
		NEED(dup2(STDIN_FILENO, fd) == fd);
	NEED(dup2(pipes[1], 20) == 20);
	many(list, COUNT(list));
	NEED(listen_open(list, COUNT(list), &e) == 0);
	for (int i = 0; i < (int)COUNT(list); i++)
		NEED(is_listening(3 + i, &list[i]) && is_reachable(3 + i, &list[i]));
	NEED(fcntl(9, F_GETFD) < 0 && fcntl(20, F_GETFD) == 0); /* what is higher is not ours */
}

static void test_listen_open_closes_what_stood_there(void **state)
{
	(void)state;
	in_child(check_occupied);
}

/* every pattern of free and taken descriptors from 0 to 6, as a caller may have left them */
static void check_pattern(unsigned taken)
{
	struct listen_address list[3];
	struct err e = { 0 };

	for (int fd = 0; fd <= 6; fd++) {
		if (taken & 1U << fd)
			NEED(fd <= 2 || dup2(2, fd) == fd);
		else if (fd != 2)
			(void)close(fd); /* it may be closed already */
	}
	many(list, COUNT(list));
	NEED(listen_open(list, COUNT(list), &e) == 0);
	for (int fd = 0; fd <= 6; fd++) {
		bool is_open = fcntl(fd, F_GETFD) >= 0, was_open = taken & 1U << fd;

		if (fd >= 3 && fd <= 5)
			NEED(is_listening(fd, &list[fd - 3]));
		else
			NEED(is_open == was_open);
	}
}

static void check_patterns(void)
{
	for (unsigned taken = 0; taken < 128; taken++) {
		int status;

		if (!(taken & 4))
			continue; /* what fails is said on 2 */
		pid_t pid = fork();
		if (pid == 0) {
			check_pattern(taken);
			_exit(0);
		}
		NEED(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
	}
}

static void test_listen_open_does_not_lose_a_socket_however_descriptors_lie(void **state)
{
	(void)state;
	in_child(check_patterns);
}

static void check_most(void)
{
	struct listen_address list[LISTEN_MAX];
	struct err e = { 0 };

	many(list, LISTEN_MAX);
	NEED(listen_open(list, LISTEN_MAX, &e) == 0);
	for (int i = 0; i < LISTEN_MAX; i++)
		NEED(is_listening(3 + i, &list[i]));
	NEED(fcntl(3 + LISTEN_MAX, F_GETFD) < 0 && env_is("LISTEN_FDS", LISTEN_MAX));
}

static void check_one_too_many(void)
{
	struct listen_address list[LISTEN_MAX + 1];
	struct err e = { 0 };

	many(list, LISTEN_MAX + 1);
	NEED(dup2(STDIN_FILENO, 3) == 3);
	NEED(listen_open(list, LISTEN_MAX + 1, &e) == -EINVAL && e.kind == ERR_KIND_USAGE);
	NEED(strcmp(e.text, "--listen: 64 addresses are the most, and these are 65") == 0);
	NEED(fcntl(3, F_GETFD) == 0 && !getenv("LISTEN_FDS"));
}

static void test_listen_open_takes_64_and_refuses_65(void **state)
{
	(void)state;
	in_child(check_most);
	in_child(check_one_too_many);
}

static void check_twice(void)
{
	struct listen_address list[] = { parsed("8080"), parsed("8081"), parsed("127.0.0.1:8080") };
	struct err e = { 0 };

	NEED(listen_open(list, COUNT(list), &e) == -EINVAL && e.kind == ERR_KIND_USAGE);
	NEED(strcmp(e.text, "--listen 127.0.0.1:8080: it is named twice") == 0);
	NEED(fcntl(3, F_GETFD) < 0 && !getenv("LISTEN_FDS"));
}

static void test_listen_open_refuses_the_same_address_twice(void **state)
{
	(void)state;
	in_child(check_twice);
}

/* the last of three is taken: the first two do not stay, and nothing is announced */
static void check_taken(void)
{
	struct listen_address list[] = { parsed("8080"), parsed("8081"), parsed("[::1]:8082") };
	struct err e = { 0 };

	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	NEED(fd >= 0 && bind(fd, &list[2].sa, list[2].len) == 0 && listen(fd, 1) == 0);
	NEED(dup2(fd, 30) == 30);
	NEED(listen_open(list, COUNT(list), &e) == -EADDRINUSE && e.kind == ERR_KIND_FAILED);
	NEED(strcmp(e.text, "--listen [::1]:8082: Address already in use") == 0);
	NEED(strcmp(e.hint, "`ss -ltnp sport = :8082` shows who has the port") == 0);
	for (int i = 3; i < 30; i++)
		NEED(fcntl(i, F_GETFD) < 0);
	NEED(!getenv("LISTEN_FDS") && !getenv("LISTEN_PID"));
}

static void test_listen_open_says_which_address_is_taken(void **state)
{
	(void)state;
	in_child(check_taken);
}

static void check_privileged(void)
{
	struct listen_address list[] = { parsed("8080"), parsed("127.0.0.1:80") };
	struct err e = { 0 };
	const char *what;

	NEED(caps_drop_all(&what) == 0);
	NEED(listen_open(list, COUNT(list), &e) == -EACCES && e.kind == ERR_KIND_FAILED);
	NEED(strcmp(e.text, "--listen 127.0.0.1:80: Permission denied") == 0);
	NEED(strstr(e.hint, "low ports are for root"));
}

static void check_absent(void)
{
	struct listen_address list[] = { parsed("192.0.2.1:8080") };
	struct err e = { 0 };

	NEED(listen_open(list, COUNT(list), &e) == -EADDRNOTAVAIL);
	NEED(strcmp(e.text, "--listen 192.0.2.1:8080: Cannot assign requested address") == 0);
	NEED(strstr(e.hint, "ip address"));
}

static void test_listen_open_says_why_it_cannot_be(void **state)
{
	(void)state;
	in_child(check_privileged);
	in_child(check_absent);
}

/* exactly enough is enough; one less is said before anything is closed */
static void check_limit(void)
{
	struct listen_address list[4];
	struct rlimit six = { 6, 6 }, seven = { 7, 7 };
	struct err e = { 0 };

	many(list, COUNT(list));
	for (int fd = 3; fd <= 6; fd++)
		NEED(dup2(STDIN_FILENO, fd) == fd);
	pid_t pid = fork();
	if (pid == 0) {
		NEED(setrlimit(RLIMIT_NOFILE, &seven) == 0);
		NEED(listen_open(list, COUNT(list), &e) == 0);
		_exit(is_listening(6, &list[3]) ? 0 : 1);
	}
	int status;
	NEED(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
	NEED(setrlimit(RLIMIT_NOFILE, &six) == 0);
	NEED(listen_open(list, COUNT(list), &e) == -EMFILE && e.kind == ERR_KIND_FAILED);
	NEED(strcmp(e.text, "--listen: 4 sockets need 7 descriptors, and the limit is 6") == 0);
	NEED(fcntl(3, F_GETFD) == 0 && fcntl(4, F_GETFD) == 0 && !getenv("LISTEN_FDS"));
}

static void test_listen_open_needs_descriptors(void **state)
{
	(void)state;
	in_child(check_limit);
}

/* what a socket-activated caller got is not announced to the program */
static void check_none(void)
{
	struct err e = { 0 };

	NEED(setenv("LISTEN_FDS", "2", 1) == 0 && setenv("LISTEN_PID", "1", 1) == 0);
	NEED(dup2(STDIN_FILENO, 3) == 3);
	NEED(listen_open(NULL, 0, &e) == 0);
	NEED(!getenv("LISTEN_FDS") && !getenv("LISTEN_PID") && fcntl(3, F_GETFD) == 0);
}

static void test_listen_open_of_nothing_announces_nothing(void **state)
{
	(void)state;
	in_child(check_none);
}

/* the program itself: sh sees the variables and its descriptors, and a connection after setns would come in */
static void check_program(void)
{
	struct listen_address list[] = { parsed("8080"), parsed("8081") };
	struct err e = { 0 };

	NEED(listen_open(list, COUNT(list), &e) == 0);
	NEED(unshare(CLONE_NEWNET) == 0);
	(void)execl("/bin/sh", "sh", "-c",
		    "[ $LISTEN_PID = $$ ] && [ $LISTEN_FDS = 2 ] && cd /proc/$$/fd && "
		    "for f in 3 4; do case $(readlink $f) in socket:*) ;; *) exit 2 ;; esac; done; "
		    "[ ! -e 5 ]",
		    (char *)NULL);
	_exit(3);
}

static void test_listen_open_survives_execve(void **state)
{
	(void)state;
	in_child(check_program);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listen_parse_takes_addresses),
		cmocka_unit_test(test_listen_parse_says_what_is_wrong),
		cmocka_unit_test(test_listen_parse_bears_what_is_long),
		cmocka_unit_test(test_listen_open_hands_over_as_systemd_does),
		cmocka_unit_test(test_listen_open_keeps_the_families_apart),
		cmocka_unit_test(test_listen_open_closes_what_stood_there),
		cmocka_unit_test(test_listen_open_does_not_lose_a_socket_however_descriptors_lie),
		cmocka_unit_test(test_listen_open_takes_64_and_refuses_65),
		cmocka_unit_test(test_listen_open_refuses_the_same_address_twice),
		cmocka_unit_test(test_listen_open_says_which_address_is_taken),
		cmocka_unit_test(test_listen_open_says_why_it_cannot_be),
		cmocka_unit_test(test_listen_open_needs_descriptors),
		cmocka_unit_test(test_listen_open_of_nothing_announces_nothing),
		cmocka_unit_test(test_listen_open_survives_execve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
