// SPDX-License-Identifier: GPL-2.0-or-later
/* who may do what: root, the helper, the group, and the place where state is kept */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "doctor_internal.h"
#include "wgns/change.h"
#include "wgns/fd.h"
#include "wgns/state.h"

#define CAPABILITY_XATTR "security.capability"

static void read_helper(const char *path, struct doctor_helper *out)
{
	struct stat st;
	struct statvfs fs;

	*out = (struct doctor_helper){ .path = path };
	if (lstat(path, &st) < 0) {
		out->code = errno;
		return;
	}
	out->is_file = S_ISREG(st.st_mode);
	out->uid = st.st_uid;
	out->mode = st.st_mode & 07777;
	out->is_nosuid = statvfs(path, &fs) == 0 && (fs.f_flag & ST_NOSUID);
	ssize_t len = lgetxattr(path, CAPABILITY_XATTR, out->capability, sizeof(out->capability));
	out->capability_len = len > 0 ? (size_t)len : 0;
}

static void read_group(const struct doctor_request *rq, struct doctor_privilege *out)
{
	const struct passwd *user = getpwuid(rq->user);
	gid_t own = user ? user->pw_gid : (gid_t)-1;
	size_t used = 0;

	(void)snprintf(out->user, sizeof(out->user), "%.63s", user ? user->pw_name : "USER");
	out->is_user_root = rq->user == 0;
	const struct group *group = getgrnam(out->group);
	if (!group)
		return;
	out->has_group = true;
	out->is_member = own == group->gr_gid;
	for (char *const *m = group->gr_mem; *m; m++) {
		out->is_member = out->is_member || strcmp(*m, out->user) == 0;
		size_t len = strlen(*m);
		if (used + len + 2 < sizeof(out->members))
			used += (size_t)snprintf(out->members + used, sizeof(out->members) - used,
						 "%s%s", used ? " " : "", *m);
	}
}

void doctor_read_privilege(const struct doctor_request *rq, struct doctor_privilege *out)
{
	struct statvfs fs;
	struct err e;

	*out = (struct doctor_privilege){ .is_root = geteuid() == 0, .group = rq->settings->group };
	read_helper(rq->helper, &out->helper);
	read_group(rq, out);
	(void)change_check_mounts(&out->mounts); /* the answer is in it */
	AUTO_FD int fd = state_open(false, &e);
	if (fd < 0 && fd != -ENOENT)
		out->run = e;
	if (statvfs("/run", &fs) == 0) {
		out->is_run_read_only = (fs.f_flag & ST_RDONLY) != 0;
		out->run_free = (uint64_t)fs.f_bavail * fs.f_frsize;
	}
}
