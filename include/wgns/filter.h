/* SPDX-License-Identifier: GPL-2.0-or-later */
/* filter - readable lists of system calls to seccomp programs, with libseccomp; only root's side needs it */
#ifndef WGNS_FILTER_H
#define WGNS_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "wgns/compiled.h"
#include "wgns/err.h"

struct filter_rules {
	char *const *allow; /* names of system calls; none: everything but @deny */
	size_t n_allow;
	char *const *deny; /* wins over @allow */
	size_t n_deny;
	const int *families; /* AF_... that socket(2) may make */
	size_t n_families;
	bool has_families; /* false: any family */
};

/**
 * filter_compile - fill len[] and code[] of @out; the rest of it is left alone
 *
 * Every filter denies to push input into a terminal (ioctl TIOCSTI and TIOCLINUX), and system calls of another
 * architecture end the process. What is denied fails with EPERM; clone3, whose flags no filter can see, with ENOSYS, so
 * that the C library takes clone instead. With an empty @allow, @deny and no families there is no program.
 *
 * Return: 0; -EINVAL for an unknown system call; -E2BIG when there are too many instructions
 */
int filter_compile(const struct filter_rules *rules, struct compiled *out, struct err *e);

/**
 * filter_compile_terminal - as filter_compile(), a program that denies to push input into a terminal and nothing else
 *
 * For one that root starts as another user: what that user pushes into root's terminal root's shell would read. The other
 * architectures that the machine runs are covered, too, and go on working.
 */
int filter_compile_terminal(struct compiled *out, struct err *e);

#endif
