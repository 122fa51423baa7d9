// SPDX-License-Identifier: GPL-2.0-or-later
/* whose SSH connections are found, and what is no connection */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../cmd/ssh.h"

static void test_ssh_parse_takes_what_sshd_writes(void **state)
{
	static const struct {
		const char *text, *addr, *zone;
	} rows[] = {
		{ "192.0.2.7 50000 192.0.2.10 22", "192.0.2.7", "" },
		{ "2001:db8::7 50000 2001:db8::10 22", "2001:db8::7", "" },
		{ "::ffff:192.0.2.7 50000 ::ffff:192.0.2.10 22", "192.0.2.7", "" },
		{ "fe80::7%eth0 50000 fe80::10%eth0 22", "fe80::7", "eth0" },
		{ "fe80::7%abcdefghijklmno 1 fe80::10%x 22", "fe80::7", "abcdefghijklmno" },
		{ "::1 50000 ::1 22", "::1", "" },
	};
	struct change_client client;
	char text[ADDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(ssh_parse(rows[i].text, strlen(rows[i].text), &client));
		addr_format(&client.addr, text);
		assert_string_equal(text, rows[i].addr);
		assert_string_equal(client.zone, rows[i].zone);
	}
}

static void test_ssh_parse_takes_nothing_else(void **state)
{
	static const char *const rows[] = {
		"",
		" ",
		"   ",
		"192.0.2.7",
		"192.0.2.7 1 2",
		"192.0.2.7 1 2 3 4",
		" 192.0.2.7 1 2 3",
		"192.0.2.7 1 2 ",
		"192.0.2.7  1 2 3",
		"192.0.2.777 1 2 3",
		"UNKNOWN 65535 UNKNOWN 65535",
		"fe80::7% 1 2 3",
		"fe80::7%abcdefghijklmnop 1 2 3",
		"%eth0 1 2 3",
		"host.example 1 2 3",
	};
	char big[4096];
	struct change_client client;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_false(ssh_parse(rows[i], strlen(rows[i]), &client));
	memset(big, '1', sizeof(big));
	memcpy(big, "::1 2 3 ", 8);
	assert_false(ssh_parse(big, sizeof(big), &client));
	/* what is behind its end is none of its business */
	assert_false(ssh_parse("192.0.2.7 1 2 3", 13, &client));
	assert_true(ssh_parse("192.0.2.7 1 2 3 4", 15, &client));
}

/* a process with @value in its environment starts one without, which looks; Return: how many it found */
static int found_below(const char *value)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		char exe[] = "/proc/self/exe", mode[] = "below", text[512];
		char *argv[] = { exe, mode, NULL }, *envp[] = { text, NULL };
		(void)snprintf(text, sizeof(text), "SSH_CONNECTION=%s", value);
		(void)execve(exe, argv, envp);
		_exit(99);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_ssh_find_looks_above(void **state)
{
	(void)state;
	int before = found_below("nonsense");
	assert_int_equal(found_below("203.0.113.217 1 2 3"), before + 1);
}

static int look(void)
{
	struct change_client clients[8];

	(void)unsetenv("SSH_CONNECTION");
	return (int)ssh_find(clients, 8);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ssh_parse_takes_what_sshd_writes),
		cmocka_unit_test(test_ssh_parse_takes_nothing_else),
		cmocka_unit_test(test_ssh_find_looks_above),
	};

	if (argc == 2 && strcmp(argv[1], "below") == 0) {
		int status;
		pid_t pid = fork();
		if (pid == 0)
			_exit(look());
		return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status)
									    : 98;
	}
	return cmocka_run_group_tests_name("ssh", tests, NULL, NULL);
}
