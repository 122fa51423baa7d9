// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#define USER_NS_INIT 0xEFFFFFFDU /* PROC_USER_INIT_INO of linux/proc_ns.h */

#define N_WORDS _LINUX_CAPABILITY_U32S_3

static int call_kernel(long number, struct __user_cap_data_struct sets[N_WORDS])
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return (int)syscall(number, &header, sets);
}

bool caps_has_sys_admin(void)
{
	struct __user_cap_data_struct sets[N_WORDS] = { 0 };

	return call_kernel(SYS_capget, sets) == 0 &&
	       sets[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN);
}

const char *caps_why_not(void)
{
	struct statvfs fs;
	struct stat ns;

	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return "no_new_privs is set: this is in a box already, or in another sandbox";
	if (prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) == 0)
		return "CAP_SYS_ADMIN is not in the bounding set, as in a container";
	if (stat("/proc/self/ns/user", &ns) == 0 && ns.st_ino != USER_NS_INIT)
		return "this is a user namespace, in which a file's capabilities do not count";
	if (getxattr("/proc/self/exe", "security.capability", NULL, 0) < 0)
		return "the helper has no file capability; `make setcap` or setcap(8) gives it: "
		       "cap_sys_admin+ep";
	if (statvfs("/proc/self/exe", &fs) == 0 && fs.f_flag & ST_NOSUID)
		return "the helper is on a file system that is mounted nosuid";
	return "another process traces this one, or the helper lacks cap_sys_admin+ep";
}

int caps_drop_all(const char **what)
{
	struct __user_cap_data_struct sets[N_WORDS] = { 0 };
	uint32_t left = 0;

	*what = "clear ambient capabilities";
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	*what = "drop capabilities";
	if (call_kernel(SYS_capset, sets) < 0)
		return -errno;
	*what = "set no_new_privs";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;

	*what = "read capabilities back";
	(void)memset(sets, 0xff, sizeof(sets)); /* what is not read counts as kept */
	if (call_kernel(SYS_capget, sets) < 0)
		return -errno;
	for (unsigned i = 0; i < N_WORDS; i++)
		left |= sets[i].effective | sets[i].permitted | sets[i].inheritable;
	*what = "drop capabilities: some remained"; /* ambient ones are permitted */
	return left || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 ? -ENOTRECOVERABLE : 0;
}
