// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct sets {
	struct __user_cap_data_struct word[_LINUX_CAPABILITY_U32S_3];
};

static int get(struct sets *out)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return (int)syscall(SYS_capget, &header, out->word);
}

static int set(const struct sets *in)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return (int)syscall(SYS_capset, &header, in->word);
}

static bool has_effective(const struct sets *s, unsigned cap)
{
	return s->word[CAP_TO_INDEX(cap)].effective & CAP_TO_MASK(cap);
}

bool caps_has_sys_admin(void)
{
	struct sets s = { 0 };

	return get(&s) == 0 && has_effective(&s, CAP_SYS_ADMIN);
}

int caps_drop_all(const char **what)
{
	const struct sets none = { 0 };
	struct sets left = { 0 };
	uint32_t any = 0;

	*what = "clear ambient capabilities";
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	*what = "drop capabilities";
	if (set(&none) < 0)
		return -errno;
	*what = "set no_new_privs";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;

	*what = "read capabilities back";
	if (get(&left) < 0)
		return -errno;
	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		any |= left.word[i].effective | left.word[i].permitted | left.word[i].inheritable;
	*what = "drop capabilities: some remained"; /* ambient ones are permitted */
	if (any || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return -ENOTRECOVERABLE;
	return 0;
}
