// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/compiled.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "wgns/seal.h"

int compiled_read(const char *name, struct compiled *out)
{
	char path[sizeof("/" COMPILED_DIR "/" COMPILED_SUFFIX) + SEAL_NAME_MAX];

	if (!seal_is_box_name(name))
		return -EINVAL;
	(void)snprintf(path, sizeof(path), COMPILED_DIR "/%s" COMPILED_SUFFIX, name); /* fits */
	int fd = seal_open(path);
	if (fd < 0)
		return fd;
	ssize_t len = read(fd, out, sizeof(*out));
	int code = errno;
	(void)close(fd); /* nothing was written */
	if (len < 0)
		return -code;
	if ((size_t)len < COMPILED_HEAD || (size_t)len == sizeof(*out) ||
	    memcmp(out->magic, COMPILED_MAGIC, sizeof(out->magic)) != 0 ||
	    out->len[0] > COMPILED_CODE_MAX || out->len[1] > COMPILED_CODE_MAX ||
	    (size_t)len != COMPILED_HEAD + sizeof(out->code[0]) * (out->len[0] + out->len[1]))
		return -EBADMSG;
	return 0;
}

int compiled_load(const struct compiled *c)
{
	struct sock_fprog program = { .filter = (struct sock_filter *)(uintptr_t)c->code };

	/* SECCOMP_MODE_FILTER copies the program and changes nothing of it: seccomp(2) */
	for (size_t i = 0; i < COMPILED_PROGRAMS; i++) {
		program.len = (unsigned short)c->len[i];
		if (program.len && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
			return -errno;
		program.filter += program.len;
	}
	return 0;
}
