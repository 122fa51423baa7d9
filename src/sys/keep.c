// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/keep.h"

#include <cap-ng.h>
#include <errno.h>
#include <sys/prctl.h>
#include <unistd.h>

#define THREAD_SETS (CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE | CAPNG_AMBIENT)

static bool has(uint64_t capabilities, unsigned cap)
{
	return capabilities >> cap & 1;
}

/* how many capabilities the running kernel knows; the header that this was built with may know fewer or more */
static unsigned count_known(void)
{
	unsigned n = 0;

	while (n < 64 && prctl(PR_CAPBSET_READ, n, 0, 0, 0) >= 0)
		n++;
	return n;
}

/* what this process can keep: root of a container may lack some */
static int get_own(unsigned n_known, uint64_t *out)
{
	uint64_t own = 0;

	if (capng_get_caps_process() < 0)
		return -EPERM;
	for (unsigned cap = 0; cap < n_known; cap++) {
		if (capng_have_capability(CAPNG_PERMITTED, cap) == 1 &&
		    prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1)
			own |= (uint64_t)1 << cap;
	}
	*out = own;
	return 0;
}

/* what libcap-ng is to apply; nothing of the process changes */
static int choose(uint64_t capabilities, unsigned n_known)
{
	capng_clear(CAPNG_SELECT_ALL);
	for (unsigned cap = 0; cap < n_known; cap++) {
		if (has(capabilities, cap) && capng_update(CAPNG_ADD, THREAD_SETS, cap) < 0)
			return -EINVAL;
	}
	return 0;
}

/* libcap-ng says only that the kernel refused */
static int apply(capng_select_t sets, const char *attempt, struct err *e)
{
	return capng_apply(sets) < 0 ? err_set(e, EPERM, "%s", attempt) : 0;
}

/* not by libcap-ng: without CAP_SETPCAP it drops nothing and is content */
static int bound(uint64_t capabilities, unsigned n_known, struct err *e)
{
	for (unsigned cap = 0; cap < n_known; cap++) {
		if (has(capabilities, cap) || prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 0)
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return err_set(e, errno, "drop capability %s from the bounding set",
				       capng_capability_to_name(cap));
	}
	return 0;
}

static int become(uid_t uid, struct err *e)
{
	/* the permitted set outlives the change from root to a user, the effective and ambient ones do not */
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_set(e, errno, "keep capabilities while the user changes");
	if (setresuid(uid, uid, uid) < 0)
		return err_set(e, errno, "become user %u", uid);
	if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
		return err_set(e, errno, "keep capabilities while the user changes");
	return 0;
}

/* @is_kept: in every set, else in none */
static bool is_so(unsigned cap, bool is_kept)
{
	return capng_have_capability(CAPNG_EFFECTIVE, cap) == is_kept &&
	       capng_have_capability(CAPNG_PERMITTED, cap) == is_kept &&
	       capng_have_capability(CAPNG_INHERITABLE, cap) == is_kept &&
	       prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == is_kept &&
	       prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == is_kept;
}

static int verify(uid_t uid, uint64_t capabilities, unsigned n_known, struct err *e)
{
	uid_t real, effective, saved;

	if (getresuid(&real, &effective, &saved) < 0)
		return err_set(e, errno, "read the user back");
	if (real != uid || effective != uid || saved != uid)
		return err_say(e, ENOTRECOVERABLE, "become user %u: another one remained", uid);
	if (capng_get_caps_process() < 0)
		return err_say(e, ENOTRECOVERABLE, "capabilities cannot be read back");
	for (unsigned cap = 0; cap < n_known; cap++) {
		if (!is_so(cap, has(capabilities, cap)))
			return err_say(e, ENOTRECOVERABLE, "capability %s %s",
				       capng_capability_to_name(cap),
				       has(capabilities, cap) ? "was not kept" : "remained");
	}
	return 0;
}

int keep_capabilities(uid_t uid, uint64_t capabilities, bool has_no_new_privs, struct err *e)
{
	unsigned n_known = count_known();
	const uint64_t every = n_known < 64 ? ((uint64_t)1 << n_known) - 1 : UINT64_MAX;

	capabilities &= every;
	if (capabilities == every && get_own(n_known, &capabilities) < 0)
		return err_say(e, EPERM, "the own capabilities cannot be read");
	if (choose(capabilities, n_known) < 0)
		return err_say(e, EINVAL, "libcap-ng does not know the kernel's capabilities");
	/* needs CAP_SETPCAP, so it comes first; what is not in there execve(2) gives to nobody, root included */
	int rc = bound(capabilities, n_known, e);
	if (rc == 0)
		rc = become(uid, e);
	if (rc == 0)
		rc = apply(CAPNG_SELECT_CAPS, "keep capabilities", e);
	/* last, because an ambient one has to be permitted and inheritable */
	if (rc == 0)
		rc = apply(CAPNG_SELECT_AMBIENT, "keep ambient capabilities", e);
	if (rc < 0)
		return rc;
	if (has_no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(e, errno, "set no_new_privs");

	if (has_no_new_privs && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return err_say(e, ENOTRECOVERABLE, "no_new_privs was not set");
	return verify(uid, capabilities, n_known, e);
}
