/* SPDX-License-Identifier: GPL-2.0-or-later */
/* confine - a program that reads what strangers send gives up what it does not need */
#ifndef WGNS_CONFINE_H
#define WGNS_CONFINE_H

#include <stddef.h>

#include "wgns/err.h"

struct confine {
	const char *const *
		readable; /* folders and files that may be read; those that are absent are passed over */
	size_t n_readable;
	unsigned long memory; /* bytes of address space */
	unsigned cpu_s; /* seconds of computing, then SIGXCPU */
};

/**
 * confine_self - limits (setrlimit(2)), no core dump, and no file but @readable: nothing is written, made, removed or executed
 *
 * no_new_privs is set. Files are Landlock's (Linux 5.13); where the kernel has none only the limits count: no file can grow.
 * Return: 0, or -errno
 */
int confine_self(const struct confine *c, struct err *e);

#endif
