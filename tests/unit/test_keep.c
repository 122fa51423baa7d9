// SPDX-License-Identifier: GPL-2.0-or-later
/* Becoming a user with a few capabilities, each time in a child; what the kernel says of it is in /proc/self/status */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wgns/keep.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(cap) (1ull << (cap))
#define NOBODY 65534
#define NETWORK (BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW) | BIT(CAP_NET_BIND_SERVICE))
#define EVERY UINT64_MAX

/* what a child leaves in memory that is shared with it */
struct seen {
	int rc;
	struct err e;
};
static struct seen *seen;

static bool is_root(void)
{
	if (geteuid() == 0 && prctl(PR_CAPBSET_READ, CAP_SETPCAP, 0, 0, 0) == 1)
		return true;
	print_message("skipped: it needs root with all capabilities\n");
	return false;
}

/* root of a container may have less than all that the kernel knows */
static uint64_t own(void)
{
	uint64_t permitted = 0;
	char line[256];
	FILE *f = fopen("/proc/self/status", "re");

	assert_non_null(f);
	while (permitted == 0 && fgets(line, sizeof(line), f))
		(void)sscanf(line, "CapPrm: %" SCNx64, &permitted); /* another line */
	assert_int_equal(fclose(f), 0);
	assert_true(permitted != 0);
	return permitted;
}

struct wanted {
	uid_t uid;
	uint64_t capabilities;
	bool has_no_new_privs;
};

static void __attribute__((format(printf, 2, 3)))
expect_line(const char *status, const char *format, ...)
{
	char line[128];
	va_list ap;

	va_start(ap, format);
	assert_true(vsnprintf(line, sizeof(line), format, ap) > 0);
	va_end(ap);
	if (!strstr(status, line))
		fail_msg("not there: %s in: %s", line, status);
}

static void expect_status(const char *status, const struct wanted *w)
{
	static const char *const sets[] = { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" };
	unsigned uid = w->uid;

	expect_line(status, "\nUid:\t%u\t%u\t%u\t%u\n", uid, uid, uid, uid);
	for (size_t i = 0; i < N(sets); i++)
		expect_line(status, "\n%s:\t%016" PRIx64 "\n", sets[i],
			    w->capabilities == EVERY ? own() : w->capabilities);
	expect_line(status, "\nNoNewPrivs:\t%d\n", w->has_no_new_privs);
}

static void print_status(void)
{
	char text[8192];
	FILE *f = fopen("/proc/self/status", "re");
	size_t n = f ? fread(text, 1, sizeof(text), f) : 0;

	if (n == 0 || write(STDOUT_FILENO, text, n) != (ssize_t)n)
		_exit(101);
	_exit(0);
}

/* what a child prints that has become what is wanted, by itself or as another program */
static void read_status(const struct wanted *w, bool is_another, char *out, size_t cap)
{
	int ends[2], status;
	size_t len = 0;
	ssize_t got;

	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct err e;
		if (dup2(ends[1], STDOUT_FILENO) < 0)
			_exit(100);
		if (keep_capabilities(w->uid, w->capabilities, w->has_no_new_privs, &e) != 0) {
			(void)dprintf(STDERR_FILENO, "%s\n", e.text);
			_exit(102);
		}
		if (!is_another)
			print_status();
		(void)execl("/bin/cat", "cat", "/proc/self/status", (char *)NULL);
		_exit(103);
	}
	assert_int_equal(close(ends[1]), 0);
	do {
		got = read(ends[0], out + len, cap - 1 - len);
		assert_true(got >= 0);
		len += (size_t)got;
	} while (got > 0);
	out[len] = '\0';
	assert_int_equal(close(ends[0]), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_capabilities_are_kept_and_no_other(void **state)
{
	static const struct wanted rows[] = {
		{ NOBODY, 0, true },	    { NOBODY, BIT(CAP_NET_ADMIN), true },
		{ NOBODY, NETWORK, false }, { NOBODY, EVERY, true },
		{ NOBODY, EVERY, false },   { 0, 0, true },
		{ 0, NETWORK, true },	    { 0, BIT(CAP_WAKE_ALARM), false },
		{ 0, EVERY, false },
	};
	char status[8192];

	(void)state;
	if (!is_root())
		skip();
	for (size_t i = 0; i < N(rows); i++) {
		read_status(&rows[i], false, status, sizeof(status));
		expect_status(status, &rows[i]);
	}
}

static void test_an_executed_program_has_them_and_no_other(void **state)
{
	static const struct wanted rows[] = {
		{ NOBODY, 0, false },	   { NOBODY, BIT(CAP_NET_RAW), false },
		{ NOBODY, NETWORK, true }, { NOBODY, EVERY, false },
		{ 0, 0, false },	   { 0, NETWORK, false },
		{ 0, NETWORK, true },	   { 0, EVERY, false },
	};
	char status[8192];

	(void)state;
	if (!is_root())
		skip();
	for (size_t i = 0; i < N(rows); i++) {
		read_status(&rows[i], true, status, sizeof(status));
		expect_status(status, &rows[i]);
	}
}

/* a child that prepares itself and then wants to become nobody with @capabilities */
static void try_after(void (*prepare)(long), long arg, uint64_t capabilities)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prepare(arg);
		seen->rc = keep_capabilities(NOBODY, capabilities, true, &seen->e);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void lose(long cap)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct word[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, word) < 0)
		_exit(110);
	word[CAP_TO_INDEX(cap)].effective &= ~CAP_TO_MASK(cap);
	word[CAP_TO_INDEX(cap)].permitted &= ~CAP_TO_MASK(cap);
	if (syscall(SYS_capset, &header, word) < 0)
		_exit(111);
}

static void lock_ambient(long bits)
{
	if (prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) < 0)
		_exit(112);
}

static void test_what_the_kernel_refuses_is_an_error(void **state)
{
	static const struct {
		void (*prepare)(long);
		long arg;
		const char *says;
	} rows[] = {
		{ lose, CAP_NET_RAW, "keep capabilities" },
		{ lose, CAP_SETUID, "become user 65534" },
		{ lose, CAP_SETPCAP, "bounding set" },
		{ lock_ambient, SECBIT_NO_CAP_AMBIENT_RAISE, "ambient" },
		{ lock_ambient, SECBIT_KEEP_CAPS_LOCKED, "keep capabilities while" },
	};

	(void)state;
	if (!is_root())
		skip();
	for (size_t i = 0; i < N(rows); i++) {
		try_after(rows[i].prepare, rows[i].arg, NETWORK);
		if (seen->rc != -EPERM || !strstr(seen->e.text, rows[i].says))
			fail_msg("row %zu: %d, %s", i, seen->rc, seen->rc ? seen->e.text : "");
	}
}

/* system calls that say they did it and have done nothing */
static const struct {
	int call;
	unsigned long first, second; /* arguments; 0: any */
	uint64_t capabilities;
	const char *says;
} lies[] = {
	{ SCMP_SYS(setresuid), 0, 0, NETWORK, "another one remained" },
	{ SCMP_SYS(capset), 0, 0, 0, "remained" },
	{ SCMP_SYS(prctl), PR_CAPBSET_DROP, 0, NETWORK, "remained" },
	{ SCMP_SYS(prctl), PR_CAPBSET_DROP, CAP_SYS_ADMIN, NETWORK, "sys_admin remained" },
	{ SCMP_SYS(prctl), PR_SET_NO_NEW_PRIVS, 0, NETWORK, "no_new_privs" },
	{ SCMP_SYS(prctl), PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, NETWORK, "was not kept" },
};

static void lie(long i)
{
	const struct scmp_arg_cmp args[] = { SCMP_A0(SCMP_CMP_EQ, lies[i].first, 0),
					     SCMP_A1(SCMP_CMP_EQ, lies[i].second, 0) };
	unsigned n = lies[i].second ? 2 : lies[i].first ? 1 : 0;
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

	if (!ctx || seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0) < 0 ||
	    seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO(0), lies[i].call, n, args) < 0 ||
	    seccomp_load(ctx) < 0)
		_exit(113);
	seccomp_release(ctx);
}

static void test_what_was_not_done_is_noticed(void **state)
{
	(void)state;
	if (!is_root())
		skip();
	for (size_t i = 0; i < N(lies); i++) {
		try_after(lie, (long)i, lies[i].capabilities);
		if (seen->rc != -ENOTRECOVERABLE || !strstr(seen->e.text, lies[i].says))
			fail_msg("row %zu: %d, %s", i, seen->rc, seen->rc ? seen->e.text : "");
	}
}

static void inherit(long cap)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct word[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, word) < 0)
		_exit(114);
	word[CAP_TO_INDEX(cap)].inheritable |= CAP_TO_MASK(cap);
	if (syscall(SYS_capset, &header, word) < 0 ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
		_exit(115);
}

/* 0 means that every set was read back and is as it should be */
static void test_what_the_caller_inherited_goes(void **state)
{
	(void)state;
	if (!is_root())
		skip();
	try_after(inherit, CAP_SYS_PTRACE, NETWORK);
	if (seen->rc != 0)
		fail_msg("%s", seen->e.text);
}

static void test_every_bit_is_all_that_the_caller_has(void **state)
{
	(void)state;
	if (!is_root())
		skip();
	try_after(lose, CAP_NET_RAW, EVERY);
	if (seen->rc != 0)
		fail_msg("%s", seen->e.text);
	try_after(lose, CAP_NET_RAW, EVERY & ~BIT(CAP_CHOWN)); /* not every one: exactly these */
	assert_int_equal(seen->rc, -EPERM);
}

static void test_bits_that_the_kernel_does_not_know_are_passed_over(void **state)
{
	(void)state;
	if (!is_root())
		skip();
	try_after(lose, CAP_SYS_BOOT, NETWORK | BIT(63));
	if (seen->rc != 0)
		fail_msg("%s", seen->e.text);
}

static int share(void **state)
{
	(void)state;
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return seen == MAP_FAILED;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_capabilities_are_kept_and_no_other),
		cmocka_unit_test(test_an_executed_program_has_them_and_no_other),
		cmocka_unit_test(test_what_the_kernel_refuses_is_an_error),
		cmocka_unit_test(test_what_was_not_done_is_noticed),
		cmocka_unit_test(test_what_the_caller_inherited_goes),
		cmocka_unit_test(test_every_bit_is_all_that_the_caller_has),
		cmocka_unit_test(test_bits_that_the_kernel_does_not_know_are_passed_over),
	};

	return cmocka_run_group_tests_name("keep", tests, share, NULL);
}
