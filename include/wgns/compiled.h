/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compiled - what the helper needs of a profile, written by root: /run/wgns/profile/NAME.bpf
 *
 * The file is the head of struct compiled and len[0] + len[1] instructions, in the machine's own byte order. The helper
 * links this file, so it uses libc alone: no struct err, no allocation.
 */
#ifndef WGNS_COMPILED_H
#define WGNS_COMPILED_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#define COMPILED_DIR "run/wgns/profile" /* below / */
#define COMPILED_SUFFIX ".bpf"
#define COMPILED_MAGIC "wgnsprf1" /* 8 bytes, without the NUL */
/* all of them are loaded, and the strictest answer counts: seccomp(2) */
#define COMPILED_PROGRAMS 2
/* instructions of all programs together; the kernel has the same limit for each, BPF_MAXINSNS */
#define COMPILED_CODE_MAX 4096

enum {
	/* D-Bus system bus: an empty folder over /run/dbus */
	COMPILED_HIDE_BUS = 1,
	/* an empty file system of the user's own, which goes with the last program: SEAL_FRESH_NAME */
	COMPILED_FRESH = 2,
};

struct compiled {
	char magic[8];
	uint32_t options; /* COMPILED_... */
	uint32_t len[COMPILED_PROGRAMS]; /* instructions; 0: no such program */
	struct sock_filter code[COMPILED_CODE_MAX + 1]; /* a longer file is seen by the last one */
};
#define COMPILED_HEAD offsetof(struct compiled, code)

/**
 * compiled_read - open /run/wgns/profile/NAME.bpf with the caller's own rights, and read it
 *
 * Return: 0; -EINVAL for a bad name, -EBADMSG for a file that is no such thing, -errno (-EACCES: not in the group of the
 * profile); @out is then undefined
 */
int compiled_read(const char *name, struct compiled *out);

/**
 * compiled_load - let the programs filter every later system call of this thread and of what it becomes
 *
 * no_new_privs must be set, or CAP_SYS_ADMIN held. Return: 0 or -errno
 */
int compiled_load(const struct compiled *c);

#endif
