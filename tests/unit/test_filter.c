// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Filters are compiled and loaded, and system calls are made under them, each in a child of its own
 *
 * Which of all calls is allowed is asked without making one: a filter more, SECCOMP_RET_TRACE without a tracer, lets every
 * call that the filters under test allow fail with ENOSYS. It is the milder answer, so that what they deny fails as they
 * say (seccomp(2)).
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "wgns/filter.h"
#include "wgns/str.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define N_CALLS 600 /* more than any kernel has */
#define N_SEEN 8192
#define UPPER (1ull << 32)

static struct compiled code;
static struct err e;
/* what a child saw, shared with it */
static int *seen;

/* enough for a program of the C library to start and to end, to start others and to wait for them; without clone3 */
static const char usual[] =
	"access arch_prctl brk clock_nanosleep clone close dup dup2 execve exit "
	"exit_group faccessat faccessat2 fcntl fork fstat futex getdents64 getegid "
	"geteuid getgid getpid getrandom gettid getuid ioctl lseek madvise mmap mmap2 "
	"mprotect munmap newfstatat openat pipe2 pread64 prlimit64 read readlink "
	"readlinkat rseq rt_sigaction rt_sigprocmask rt_sigreturn sched_getaffinity "
	"set_robust_list set_tid_address sigaltstack sigreturn socket statx sysinfo "
	"uname vfork wait4 write";

/* struct filter_rules with names in one text, separated by blanks */
struct rules {
	const char *allow, *deny;
	const int *families;
	size_t n_families;
	bool has_families;
};

static void split(const char *text, char ***names, size_t *n)
{
	for (const char *word = text; word && *word; word += strspn(word, " ")) {
		size_t len = strcspn(word, " ");
		assert_int_equal(str_list_add(names, n, word, len), 0);
		word += len;
	}
}

static int try_compile(const struct rules *r)
{
	char **allow = NULL, **deny = NULL;
	size_t n_allow = 0, n_deny = 0;

	split(r->allow, &allow, &n_allow);
	split(r->deny, &deny, &n_deny);
	const struct filter_rules rules = {
		.allow = allow,
		.n_allow = n_allow,
		.deny = deny,
		.n_deny = n_deny,
		.families = r->families,
		.n_families = r->n_families,
		.has_families = r->has_families,
	};
	int rc = filter_compile(&rules, &code, &e);
	str_list_free(&allow, &n_allow);
	str_list_free(&deny, &n_deny);
	return rc;
}

static void compile(const struct rules *rules)
{
	memset(&code, 0xff, sizeof(code));
	if (try_compile(rules) != 0)
		fail_msg("%s", e.text);
}

/* the C library's own is not to be called: a sanitizer makes system calls of its own before that */
static void leave(int status)
{
	(void)syscall(SYS_exit_group, status); /* nobody is here to look at an error */
}

static void load_probe(void)
{
	struct sock_filter all[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { N(all), all };

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		leave(101);
}

/* Return: how a child ended that ran @body under the filters; 100 and above: it did not come to that */
static int run(bool is_probed, int (*body)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		/* SIGSYS leaves a core otherwise */
		if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
		    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
			leave(100);
		if (is_probed)
			load_probe();
		if (compiled_load(&code) < 0)
			leave(102);
		leave(body());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static int error_of(long rc)
{
	return rc < 0 ? errno : 0;
}

/*
 * exit_group ends the child, as it should. uretprobe (Linux 6.11) and uprobe are made by the kernel's own code in a process,
 * pass every filter, and end the process when they are made elsewhere.
 */
static bool is_left_out(int nr)
{
	return nr == 335 || nr == 336 || nr == SYS_exit_group;
}

static int ask_every_call(void)
{
	for (int nr = 0; nr < N_CALLS; nr++) {
		if (!is_left_out(nr))
			seen[nr] = error_of(syscall(nr, -1, 0, -1, -1, -1, -1));
	}
	return 0;
}

/* these answer so, and all others so */
static void expect_calls(const int *these, size_t n_these, int error, int others)
{
	assert_int_equal(run(true, ask_every_call), 0);
	for (int nr = 0; nr < N_CALLS; nr++) {
		int want = others;
		for (size_t i = 0; i < n_these; i++)
			want = these[i] == nr ? error : want;
		if (nr == SYS_prctl && want == ENOSYS)
			want = EINVAL; /* the probe makes it */
		if (!is_left_out(nr) && seen[nr] != want)
			fail_msg("call %d: %s instead of %s", nr, strerror(seen[nr]),
				 strerror(want));
	}
}

static void test_nothing_asked_is_no_program(void **state)
{
	const struct rules rules = { 0 };

	(void)state;
	compile(&rules);
	assert_int_equal(code.len[0], 0);
	assert_int_equal(code.len[1], 0);
	assert_int_equal(code.options, 0xffffffff); /* not its to change */
	assert_int_equal(code.magic[0], (char)0xff);
}

static void test_deny_denies_these_and_no_other(void **state)
{
	const int numbers[] = { SYS_ptrace, SYS_getppid, SYS_mount, SYS_add_key };
	/* one of them twice, one that no machine has which runs this */
	const struct rules rules = { .deny = "ptrace getppid mount getppid s390_sthyi add_key" };

	(void)state;
	compile(&rules);
	assert_true(code.len[0] > 0);
	assert_int_equal(code.len[1], 0);
	expect_calls(numbers, N(numbers), EPERM, ENOSYS);
}

static void test_allow_allows_these_and_no_other(void **state)
{
	const int numbers[] = { SYS_execve, SYS_exit_group, SYS_read, SYS_clone3,
				SYS_getpid, SYS_openat2,    SYS_ioctl };
	const struct rules rules = {
		.allow = "execve exit_group read clone3 getpid openat2 read ioctl s390_sthyi"
	};

	(void)state;
	compile(&rules);
	assert_true(code.len[0] > 0);
	assert_true(code.len[1] > 0);
	expect_calls(numbers, N(numbers), ENOSYS, EPERM);
}

static void test_deny_wins(void **state)
{
	const int numbers[] = { SYS_execve, SYS_exit_group, SYS_getpid, SYS_clone3 };
	const struct rules rules = { .allow = "execve exit_group getpid prctl getppid",
				     .deny = "getppid prctl" /* prctl(2) loads filters */ };

	(void)state;
	compile(&rules);
	expect_calls(numbers, N(numbers), ENOSYS, EPERM);
}

static double now_ms(void)
{
	struct timespec ts;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* three of every four calls that there are: the tree of comparisons has all its depth */
static void test_long_list_allows_these_and_no_other(void **state)
{
	AUTO_STRBUF struct strbuf allow = { 0 };
	int numbers[N_CALLS + 1] = { SYS_clone3 };
	size_t n = 0;

	(void)state;
	for (int nr = 0; nr < N_CALLS; nr++) {
		AUTO_FREE char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, nr);
		if (!name || (nr % 4 == 3 && nr != SYS_exit_group && nr != SYS_prctl))
			continue;
		strbuf_addf(&allow, "%s ", name);
		numbers[++n] = nr;
	}
	AUTO_FREE char *text = strbuf_finish(&allow);
	const struct rules rules = { .allow = text };
	double start = now_ms();
	compile(&rules);
	print_message("%zu names: %u and %u instructions, compiled in %.2f ms\n", n, code.len[0],
		      code.len[1], now_ms() - start);
	expect_calls(numbers, n + 1, ENOSYS, EPERM);
}

static int make_calls(void)
{
	seen[0] = getpid() <= 0;
	seen[1] = error_of(syscall(SYS_getppid));
	seen[2] = error_of(syscall(SYS_clone3, NULL, 0));
	return 0;
}

static void test_calls_are_made_or_fail(void **state)
{
	static const struct {
		struct rules rules;
		int getppid, clone3;
	} rows[] = {
		{ { 0 }, 0, EINVAL }, /* the kernel's own answer to no arguments */
		{ { .allow = "execve exit_group getpid" }, EPERM, ENOSYS },
		{ { .allow = "execve exit_group getpid getppid clone3" }, 0, EINVAL },
		{ { .allow = "execve exit_group getpid getppid clone3", .deny = "clone3" },
		  0,
		  ENOSYS },
		{ { .deny = "clone3" }, 0, ENOSYS },
		{ { .deny = "unshare" }, 0, ENOSYS },
		{ { .deny = "ptrace" }, 0, EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		compile(&rows[i].rules);
		assert_int_equal(run(false, make_calls), 0);
		if (seen[0] != 0 || seen[1] != rows[i].getppid || seen[2] != rows[i].clone3)
			fail_msg("row %zu: %s, %s, %s", i, strerror(seen[0]), strerror(seen[1]),
				 strerror(seen[2]));
	}
}

static void test_unknown_name_is_said(void **state)
{
	static const struct rules rows[] = {
		{ .allow = "read no_such_call write" },
		{ .deny = "read no_such_call write" },
		{ .allow = "read", .deny = "read no_such_call" },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		code.len[0] = code.len[1] = 4711;
		assert_int_equal(try_compile(&rows[i]), -EINVAL);
		assert_non_null(strstr(e.text, "\"no_such_call\""));
		assert_int_equal(code.len[0], 4711);
		assert_int_equal(code.len[1], 4711);
	}
}

static void test_too_many_instructions(void **state)
{
	static int families[200];
	const struct rules rules = { .families = families,
				     .n_families = N(families),
				     .has_families = true };

	(void)state;
	for (size_t i = 0; i < N(families); i++)
		families[i] = (int)((uint32_t)i * 0x9e3779b1u); /* far from each other */
	assert_int_equal(try_compile(&rules), -E2BIG);
	assert_non_null(strstr(e.text, "4096"));
}

static const unsigned long long uppers[] = { 0, UPPER, 0xffffffffull << 32, 1ull << 63 };
static const unsigned long pushes[] = { TIOCSTI, TIOCLINUX };
static const unsigned long others[] = { TIOCGWINSZ, TIOCSTI ^ 1, TIOCSTI ^ 1ul << 31,
					TIOCLINUX ^ 2 };

/* the filters come before the descriptor is looked at */
static int ask_ioctls(void)
{
	int *out = seen;

	for (size_t u = 0; u < N(uppers); u++) {
		for (size_t i = 0; i < N(pushes); i++)
			*out++ = error_of(syscall(SYS_ioctl, -1L, uppers[u] | pushes[i], ""));
	}
	for (size_t u = 0; u < N(uppers); u++) {
		for (size_t i = 0; i < N(others); i++)
			*out++ = error_of(syscall(SYS_ioctl, -1L, uppers[u] | others[i], ""));
	}
	return 0;
}

static void test_terminal_input_is_denied_whatever_the_upper_bits(void **state)
{
	static const int inet = AF_INET;
	static const struct {
		struct rules rules;
		int push, other;
	} rows[] = {
		{ { 0 }, EBADF, EBADF },
		{ { .allow = "execve exit_group ioctl" }, EPERM, EBADF },
		{ { .deny = "ptrace" }, EPERM, EBADF },
		{ { .families = &inet, .n_families = 1, .has_families = true }, EPERM, EBADF },
		{ { .deny = "ioctl" }, EPERM, EPERM },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		compile(&rows[i].rules);
		assert_int_equal(run(false, ask_ioctls), 0);
		for (size_t k = 0; k < N(uppers) * (N(pushes) + N(others)); k++) {
			int want = k < N(uppers) * N(pushes) ? rows[i].push : rows[i].other;
			if (seen[k] != want)
				fail_msg("row %zu, request %zu: %s", i, k, strerror(seen[k]));
		}
	}
}

static unsigned long long asked[N_SEEN];
static size_t n_asked;

static int ask_families(void)
{
	for (size_t i = 0; i < n_asked; i++)
		seen[i] = error_of(syscall(SYS_socket, asked[i], SOCK_DGRAM, 0));
	return 0;
}

static void ask_with_uppers(uint32_t family)
{
	for (size_t u = 0; u < N(uppers); u++) {
		assert_true(n_asked < N_SEEN);
		asked[n_asked++] = uppers[u] | family;
	}
}

static void choose_asked(const struct rules *rules)
{
	n_asked = 0;
	for (uint32_t i = 0; i < 300; i++)
		ask_with_uppers(i);
	for (size_t i = 0; i < rules->n_families; i++) {
		for (int bit = 0; bit < 32; bit++)
			ask_with_uppers((uint32_t)rules->families[i] ^ 1u << bit);
	}
	for (int bit = 0; bit < 32; bit++)
		ask_with_uppers(~0u << bit);
}

static void test_families_are_allowed_and_no_other(void **state)
{
	static const int every[] = { AF_UNIX,	   AF_INET,  AF_INET6, AF_NETLINK, AF_PACKET,
				     AF_BLUETOOTH, AF_VSOCK, AF_ALG,   AF_CAN };
	static const int row[] = { 0, 1, 2, 3, 4, 5, 6, 7, 1, 2 };
	static const struct {
		const int *families;
		size_t n;
	} sets[] = {
		{ NULL, 0 },	     { every, 1 },     { every + 1, 2 }, { every, 5 },
		{ every, N(every) }, { every + 8, 1 }, { row, 1 },	 { row, N(row) },
	};

	(void)state;
	for (size_t i = 0; i < N(sets); i++) {
		const struct rules rules = { .families = sets[i].families,
					     .n_families = sets[i].n,
					     .has_families = true };
		compile(&rules);
		choose_asked(&rules);
		assert_int_equal(run(true, ask_families), 0);
		for (size_t k = 0; k < n_asked; k++) {
			int want = EPERM;
			for (size_t f = 0; f < sets[i].n; f++)
				want = (uint32_t)asked[k] == (uint32_t)sets[i].families[f] ? ENOSYS
											   : want;
			if (seen[k] != want)
				fail_msg("set %zu, family %#llx: %s", i, asked[k],
					 strerror(seen[k]));
		}
	}
}

static int make_sockets(void)
{
	int pair[2];

	seen[0] = error_of(socket(AF_UNIX, SOCK_STREAM, 0));
	seen[1] = error_of(syscall(SYS_socket, UPPER | AF_UNIX, SOCK_STREAM, 0));
	seen[2] = error_of(socket(AF_NETLINK, SOCK_RAW, 0));
	seen[3] = error_of(syscall(SYS_socket, UPPER | AF_NETLINK, SOCK_RAW, 0));
	seen[4] = error_of(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	return 0;
}

static void test_sockets_of_allowed_families_are_made(void **state)
{
	static const int families[] = { AF_INET6, AF_UNIX };
	struct rules rules = { .families = families, .n_families = 2, .has_families = true };

	(void)state;
	for (int has_allow = 0; has_allow < 2; has_allow++) {
		rules.allow = has_allow ? "execve exit_group socket socketpair" : NULL;
		compile(&rules);
		assert_int_equal(run(false, make_sockets), 0);
		assert_int_equal(seen[0], 0);
		assert_int_equal(seen[1], 0); /* the kernel takes it for AF_UNIX, too */
		assert_int_equal(seen[2], EPERM);
		assert_int_equal(seen[3], EPERM);
		assert_int_equal(seen[4], 0);
	}
}

static int ask_clone(void)
{
	for (int bit = 0; bit < 64; bit++)
		seen[bit] = error_of(syscall(SYS_clone, 1ULL << bit, 0, 0, 0, 0));
	seen[64] = error_of(syscall(SYS_clone, UPPER | CLONE_NEWUSER | CLONE_VM, 0, 0, 0, 0));
	return 0;
}

static void test_clone_makes_no_namespace_where_unshare_is_denied(void **state)
{
	const unsigned long namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
					 CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
	static const struct {
		struct rules rules;
		bool is_denied;
	} rows[] = {
		{ { .allow = "execve exit_group clone" }, true },
		{ { .allow = "execve exit_group clone unshare", .deny = "unshare" }, true },
		{ { .deny = "unshare" }, true },
		{ { .allow = "execve exit_group clone unshare" }, false },
		{ { .deny = "ptrace" }, false },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		compile(&rows[i].rules);
		assert_int_equal(run(true, ask_clone), 0);
		for (int bit = 0; bit < 64; bit++) {
			bool is_namespace = bit < 32 && namespaces >> bit & 1;
			int want = is_namespace && rows[i].is_denied ? EPERM : ENOSYS;
			if (seen[bit] != want)
				fail_msg("row %zu, bit %d: %s", i, bit, strerror(seen[bit]));
		}
		assert_int_equal(seen[64], rows[i].is_denied ? EPERM : ENOSYS);
	}
}

static int become_true(void)
{
	(void)execl("/bin/true", "true", (char *)NULL);
	return errno;
}

static int fork_true(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		leave(become_true());
	return pid < 0 || waitpid(pid, &status, 0) != pid ? 99 : status;
}

/* glibc tries clone3 first, and takes clone when there is no such call */
static int spawn_true(void)
{
	char name[] = "true", *argv[] = { name, NULL }, *envp[] = { NULL };
	int status;
	pid_t pid;
	int rc = posix_spawn(&pid, "/bin/true", NULL, NULL, argv, envp);

	return rc ? rc : waitpid(pid, &status, 0) != pid ? 99 : status;
}

static void test_programs_start_under_a_usual_list(void **state)
{
	const struct rules rules = { .allow = usual };

	(void)state;
	compile(&rules);
	assert_int_equal(run(false, become_true), 0);
	assert_int_equal(run(false, fork_true), 0);
	assert_int_equal(run(false, spawn_true), 0);
}

#ifdef __x86_64__
#define X32_BIT 0x40000000L

static void *call_i386(void *unused)
{
	long rc = 20; /* getpid there, writev here */

	__asm__ volatile("int $0x80" : "+a"(rc) : : "memory");
	seen[0] = rc > 0;
	return unused;
}

static void *call_x32(void *unused)
{
	seen[0] = error_of(syscall(X32_BIT | SYS_getpid));
	return unused;
}

/* in a thread: the whole process has to end, not the thread alone */
static int run_thread(void *(*body)(void *))
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, body, NULL) != 0)
		return 99;
	return pthread_join(thread, NULL) == 0 ? 7 : 98;
}

static int thread_i386(void)
{
	return run_thread(call_i386);
}

static int thread_x32(void)
{
	return run_thread(call_x32);
}

static void test_calls_of_another_architecture_end_the_process(void **state)
{
	static const int inet = AF_INET;
	const struct rules none = { 0 };
	const struct rules rows[] = {
		{ .deny = "ptrace" },
		{ .families = &inet, .n_families = 1, .has_families = true },
		{ .allow = usual },
	};

	(void)state;
	compile(&none);
	assert_true(WIFEXITED(run(false, thread_x32)));
	int status = run(false, thread_i386);
	bool has_i386 = WIFEXITED(status) && seen[0] == 1;
	for (size_t i = 0; i < N(rows); i++) {
		compile(&rows[i]);
		status = run(false, thread_x32);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
		status = has_i386 ? run(false, thread_i386) : status;
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	}
	if (has_i386)
		return;
	print_message("skipped: this kernel has no system calls of i386\n");
	skip();
}
#endif

static int share(void **state)
{
	(void)state;
	seen = mmap(NULL, N_SEEN * sizeof(*seen), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return seen == MAP_FAILED;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_asked_is_no_program),
		cmocka_unit_test(test_deny_denies_these_and_no_other),
		cmocka_unit_test(test_allow_allows_these_and_no_other),
		cmocka_unit_test(test_deny_wins),
		cmocka_unit_test(test_long_list_allows_these_and_no_other),
		cmocka_unit_test(test_calls_are_made_or_fail),
		cmocka_unit_test(test_unknown_name_is_said),
		cmocka_unit_test(test_too_many_instructions),
		cmocka_unit_test(test_terminal_input_is_denied_whatever_the_upper_bits),
		cmocka_unit_test(test_families_are_allowed_and_no_other),
		cmocka_unit_test(test_sockets_of_allowed_families_are_made),
		cmocka_unit_test(test_clone_makes_no_namespace_where_unshare_is_denied),
		cmocka_unit_test(test_programs_start_under_a_usual_list),
#ifdef __x86_64__
		cmocka_unit_test(test_calls_of_another_architecture_end_the_process),
#endif
	};

	return cmocka_run_group_tests_name("filter", tests, share, NULL);
}
