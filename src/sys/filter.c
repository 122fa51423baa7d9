// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two programs: the first allows what it does not know and denies by argument, the second denies what it does not know
 * and allows by name. One alone would have to say for which arguments a call is allowed, "any but these", and libseccomp
 * has no such rule. The kernel runs both, and the strictest answer counts (seccomp(2)).
 *
 * With a list of what is allowed, denied names are left out of that and are no rules of the first program: a first
 * program that denies prctl(2) would keep the second from being loaded.
 */
#include "wgns/filter.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wgns/fd.h"

#define DENIED SCMP_ACT_ERRNO(EPERM)
#define ABSENT SCMP_ACT_ERRNO(ENOSYS)

/*
 * libseccomp has numbers below this for calls that the architecture lacks. The negative ones above it are calls that
 * also are parts of socketcall(2) and ipc(2), and it makes rules for both ways of them.
 */
#define LACKING (-10000)

/* The kernel takes an int of an argument and passes over the rest of the register: CVE-2019-10063 */
#define INT_MASK 0xffffffffu
#define INT_BITS 32

/* clone(2): the order of the arguments differs there */
#ifdef __s390__
#define CLONE_FLAGS_ARG 1
#else
#define CLONE_FLAGS_ARG 0
#endif

#define AUTO_CTX __attribute__((cleanup(release)))
static void release(scmp_filter_ctx *ctx)
{
	if (*ctx)
		seccomp_release(*ctx);
}

/* A rule that is there already is no failure: lists may say a thing twice */
static int add(scmp_filter_ctx ctx, uint32_t action, int call, const struct scmp_arg_cmp *arg)
{
	int rc = seccomp_rule_add_array(ctx, action, call, arg ? 1 : 0, arg);

	return rc == -EEXIST ? 0 : rc;
}

static int add_call(scmp_filter_ctx ctx, uint32_t action, int call, struct err *e)
{
	int rc = call < LACKING ? 0 : add(ctx, action, call, NULL);

	return rc < 0 ? err_set(e, -rc, "make a rule for system call %d", call) : 0;
}

/* system calls as libseccomp numbers them */
struct calls {
	int *items; /* owned */
	size_t n;
};
#define AUTO_CALLS __attribute__((cleanup(free_calls)))
static void free_calls(struct calls *calls)
{
	free(calls->items);
}

static bool has_call(const struct calls *calls, int call)
{
	for (size_t i = 0; i < calls->n; i++) {
		if (calls->items[i] == call)
			return true;
	}
	return false;
}

static int resolve(struct calls *calls, char *const *names, size_t n, struct err *e)
{
	calls->items = calloc(n + 1, sizeof(*calls->items)); /* never of size 0 */
	if (!calls->items)
		return err_set(e, ENOMEM, "look up system calls");
	for (calls->n = 0; calls->n < n; calls->n++) {
		const char *name = names[calls->n];
		int call = seccomp_syscall_resolve_name(name);
		if (call == __NR_SCMP_ERROR)
			return err_say(e, EINVAL, "there is no system call \"%s\"", name);
		calls->items[calls->n] = call;
	}
	return 0;
}

static int begin(scmp_filter_ctx *ctx, uint32_t action, struct err *e)
{
	*ctx = seccomp_init(action);
	if (!*ctx)
		return err_set(e, ENOMEM, "begin a filter of system calls");
	/* other architectures number their calls differently: i386's and x32's would get around every rule */
	int rc = seccomp_attr_set(*ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* a binary tree: before it takes a program, Linux 5.11 runs it for every number to see what can be cached */
	if (rc == 0)
		rc = seccomp_attr_set(*ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	return rc < 0 ? err_set(e, -rc, "begin a filter of system calls") : 0;
}

/* the program of @ctx to the end of @out, which has @n instructions */
static int finish(scmp_filter_ctx ctx, struct compiled *out, uint32_t n, uint32_t *len,
		  struct err *e)
{
	static const char attempt[] = "compile a filter of system calls";
	AUTO_FD int fd = memfd_create("wgns-filter", MFD_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return err_set(e, errno, attempt);
	int rc = seccomp_export_bpf(ctx, fd);
	if (rc < 0)
		return err_set(e, -rc, attempt);
	if (fstat(fd, &st) < 0)
		return err_set(e, errno, attempt);
	if ((size_t)st.st_size > (COMPILED_CODE_MAX - n) * sizeof(out->code[0]))
		return err_say(e, E2BIG, "%s: more than %d instructions", attempt,
			       COMPILED_CODE_MAX);
	ssize_t got = pread(fd, out->code + n, (size_t)st.st_size, 0);
	if (got < 0)
		return err_set(e, errno, attempt);
	if (got != st.st_size)
		return err_set(e, EIO, attempt);
	*len = (uint32_t)((size_t)got / sizeof(out->code[0]));
	return 0;
}

/* what is pushed into a terminal is read by the shell outside after the program has ended */
static int deny_terminal_input(scmp_filter_ctx ctx)
{
	const unsigned long requests[] = { TIOCSTI, TIOCLINUX };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(requests) / sizeof(requests[0]); i++) {
		const struct scmp_arg_cmp arg = SCMP_A1(SCMP_CMP_MASKED_EQ, INT_MASK, requests[i]);
		rc = add(ctx, DENIED, SCMP_SYS(ioctl), &arg);
	}
	return rc;
}

/*
 * A namespace of the program's own is a way to capabilities inside it. Who denies unshare(2) means this one too; clone3, whose flags
 * no filter can see, is not allowed then unless a list says so. CLONE_NEWTIME is for unshare alone.
 */
static int deny_namespaces(scmp_filter_ctx ctx)
{
	static const unsigned long flags[] = { CLONE_NEWNS,  CLONE_NEWCGROUP, CLONE_NEWUTS,
					       CLONE_NEWIPC, CLONE_NEWUSER,   CLONE_NEWPID,
					       CLONE_NEWNET };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(flags) / sizeof(flags[0]); i++) {
		const struct scmp_arg_cmp arg =
			SCMP_CMP(CLONE_FLAGS_ARG, SCMP_CMP_MASKED_EQ, flags[i], flags[i]);
		rc = add(ctx, DENIED, SCMP_SYS(clone), &arg);
	}
	return rc;
}

/* does one of the first @n families begin with @prefix, as written in binary with @bit digits left out at the end? */
static bool has_prefix(const struct filter_rules *r, size_t n, int bit, uint32_t prefix)
{
	for (size_t i = 0; i < n; i++) {
		if ((uint32_t)r->families[i] >> bit == prefix)
			return true;
	}
	return false;
}

/*
 * "Everything but these" without comparing for more or less, which would look at the upper half of the register: around
 * each number lie 32 blocks of which a mask and a value tell everything, the one that differs in its lowest bit alone
 * (one number), the one that differs in its second (two numbers) and so on. Those without an allowed family are denied.
 */
static int deny_families(scmp_filter_ctx ctx, const struct filter_rules *r)
{
	int rc = r->n_families ? 0 : add(ctx, DENIED, SCMP_SYS(socket), NULL);

	for (size_t i = 0; i < r->n_families; i++) {
		for (int bit = 0; rc == 0 && bit < INT_BITS; bit++) {
			uint32_t prefix = (uint32_t)r->families[i] >> bit;
			/* an allowed one is in the block, or the block was met around an earlier family */
			if (has_prefix(r, r->n_families, bit, prefix ^ 1) ||
			    has_prefix(r, i, bit, prefix))
				continue;
			const struct scmp_arg_cmp arg =
				SCMP_A0(SCMP_CMP_MASKED_EQ, INT_MASK << bit, (prefix ^ 1) << bit);
			rc = add(ctx, DENIED, SCMP_SYS(socket), &arg);
		}
	}
	return rc;
}

static bool is_denied(const struct calls *allow, const struct calls *deny, int call)
{
	return has_call(deny, call) || (allow->n && !has_call(allow, call));
}

/* what is denied by argument, and @deny when it is all there is */
static int compile_first(const struct filter_rules *r, const struct calls *allow,
			 const struct calls *deny, struct compiled *out, uint32_t *len,
			 struct err *e)
{
	const int clone3 = seccomp_syscall_resolve_name("clone3");
	AUTO_CTX scmp_filter_ctx ctx = NULL;
	int rc = begin(&ctx, SCMP_ACT_ALLOW, e);

	for (size_t i = 0; rc == 0 && !allow->n && i < deny->n; i++)
		rc = add_call(ctx, deny->items[i] == clone3 ? ABSENT : DENIED, deny->items[i], e);
	if (rc == 0 && !allow->n && !has_call(deny, clone3) && has_call(deny, SCMP_SYS(unshare)))
		rc = add_call(ctx, ABSENT, clone3, e);
	if (rc < 0)
		return rc;
	rc = deny_terminal_input(ctx);
	if (rc == 0 && is_denied(allow, deny, SCMP_SYS(unshare)))
		rc = deny_namespaces(ctx);
	if (rc == 0 && r->has_families)
		rc = deny_families(ctx, r);
	if (rc < 0)
		return err_set(e, -rc, "make a rule for arguments of system calls");
	return finish(ctx, out, 0, len, e);
}

/* @allow without @deny, behind the first program */
static int compile_second(const struct calls *allow, const struct calls *deny, struct compiled *out,
			  uint32_t *len, struct err *e)
{
	const int clone3 = seccomp_syscall_resolve_name("clone3");
	AUTO_CTX scmp_filter_ctx ctx = NULL;
	int rc = begin(&ctx, DENIED, e);

	for (size_t i = 0; rc == 0 && i < allow->n; i++) {
		if (!has_call(deny, allow->items[i]))
			rc = add_call(ctx, SCMP_ACT_ALLOW, allow->items[i], e);
	}
	if (rc == 0 && is_denied(allow, deny, clone3))
		rc = add_call(ctx, ABSENT, clone3, e);
	return rc < 0 ? rc : finish(ctx, out, len[0], &len[1], e);
}

/* the architectures whose programs run beside those of the native one */
static int add_compatible(scmp_filter_ctx ctx)
{
	static const struct {
		uint32_t native, other;
	} pairs[] = {
		{ SCMP_ARCH_X86_64, SCMP_ARCH_X86 },
		{ SCMP_ARCH_X86_64, SCMP_ARCH_X32 },
		{ SCMP_ARCH_AARCH64, SCMP_ARCH_ARM },
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (pairs[i].native == seccomp_arch_native())
			rc = seccomp_arch_add(ctx, pairs[i].other);
	}
	return rc;
}

int filter_compile_terminal(struct compiled *out, struct err *e)
{
	AUTO_CTX scmp_filter_ctx ctx = NULL;
	uint32_t len;
	int rc = begin(&ctx, SCMP_ACT_ALLOW, e);

	if (rc < 0)
		return rc;
	rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW);
	if (rc == 0)
		rc = add_compatible(ctx);
	if (rc == 0)
		rc = deny_terminal_input(ctx);
	if (rc < 0)
		return err_set(e, -rc, "make a rule for the terminal");
	rc = finish(ctx, out, 0, &len, e);
	if (rc < 0)
		return rc;
	out->len[0] = len;
	out->len[1] = 0;
	return 0;
}

int filter_compile(const struct filter_rules *rules, struct compiled *out, struct err *e)
{
	AUTO_CALLS struct calls allow = { 0 };
	AUTO_CALLS struct calls deny = { 0 };
	uint32_t len[COMPILED_PROGRAMS] = { 0 };

	int rc = resolve(&allow, rules->allow, rules->n_allow, e);
	if (rc == 0)
		rc = resolve(&deny, rules->deny, rules->n_deny, e);
	if (rc == 0 && (allow.n || deny.n || rules->has_families))
		rc = compile_first(rules, &allow, &deny, out, &len[0], e);
	if (rc == 0 && allow.n)
		rc = compile_second(&allow, &deny, out, len, e);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < COMPILED_PROGRAMS; i++)
		out->len[i] = len[i];
	return 0;
}
