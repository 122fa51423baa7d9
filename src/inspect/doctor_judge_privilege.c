// SPDX-License-Identifier: GPL-2.0-or-later
/* privilege: what the facts mean; pure */
#include <endian.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "doctor_internal.h"

#define NEEDED                                                                                     \
	(64u << 10) /* bytes in /run: a journal, a snapshot and a copy of the configuration */
#define COMFORTABLE (1u << 20)

/* struct vfs_cap_data and vfs_ns_cap_data of linux/capability.h: little-endian words */
bool doctor_is_sys_admin_alone(const uint8_t *bytes, size_t len)
{
	uint32_t words[6] = { 0 };

	if (len > sizeof(words) || len % sizeof(*words))
		return false;
	memcpy(words, bytes, len);
	uint32_t magic = le32toh(words[0]), revision = magic & VFS_CAP_REVISION_MASK;
	bool is_sized = (revision == VFS_CAP_REVISION_2 && len == XATTR_CAPS_SZ_2) ||
			(revision == VFS_CAP_REVISION_3 && len == XATTR_CAPS_SZ_3);

	/* effective; permitted below and above 32; inheritable below and above 32; the namespace's root */
	return is_sized && (magic & VFS_CAP_FLAGS_EFFECTIVE) &&
	       le32toh(words[1]) == 1u << CAP_SYS_ADMIN && !words[2] && !words[3] && !words[4] &&
	       !words[5];
}

static void judge_helper(const struct doctor_helper *h, struct findings *out)
{
	findings_begin(out, "privilege.helper",
		       "ordinary users can use exec: the helper is installed");
	if (h->code) {
		findings_add(out, FINDING_WARNING, "%s: %s: only root can use exec", h->path,
			     strerror(h->code));
		findings_hint(out, "sudo make install, or the package's wgns-exec");
		return;
	}
	if (!h->is_file || h->uid != 0 || (h->mode & (S_IWGRP | S_IWOTH))) {
		findings_add(out, FINDING_WARNING,
			     "%s is not a file of root's alone (owner %u, mode %04o)", h->path,
			     (unsigned)h->uid, (unsigned)h->mode);
		findings_hint(out, "install it again: sudo make install");
		return;
	}
	if (h->mode & (S_ISUID | S_ISGID)) {
		findings_add(out, FINDING_WARNING,
			     "%s is set-user-ID or set-group-ID, and refuses to work so", h->path);
		findings_hint(out, "sudo chmod 755 %s", h->path);
	}
	if (!(h->mode & S_IXOTH)) {
		findings_add(out, FINDING_WARNING, "%s cannot be executed by ordinary users",
			     h->path);
		findings_hint(out, "sudo chmod 755 %s", h->path);
	}
	if (!doctor_is_sys_admin_alone(h->capability, h->capability_len)) {
		findings_add(out, FINDING_WARNING, "%s has %s: only root can use exec", h->path,
			     h->capability_len ? "other capabilities than cap_sys_admin=ep"
					       : "no capability");
		findings_hint(out, "sudo setcap cap_sys_admin=ep %s", h->path);
	}
	if (h->is_nosuid) {
		findings_add(out, FINDING_WARNING,
			     "%s is on a file system mounted nosuid, where its capability does not "
			     "count",
			     h->path);
		findings_hint(out, "install it elsewhere: sudo make install PREFIX=/usr/local");
	}
}

static void judge_group(const struct doctor_privilege *p, struct findings *out)
{
	findings_begin(out, "privilege.group", "somebody may enter a box without sudo");
	if (!p->has_group) {
		findings_add(out, FINDING_WARNING,
			     "group %s does not exist: only root can use exec", p->group);
		findings_hint(out, "sudo groupadd --system %s && sudo usermod -aG %s %s", p->group,
			      p->group, p->is_user_root ? "USER" : p->user);
		return;
	}
	findings_add(out, FINDING_NOTE, "group %s: %s", p->group,
		     p->members[0] ? p->members : "nobody is in it");
	if (p->is_user_root ? p->members[0] != '\0' : p->is_member)
		return;
	if (p->is_user_root)
		findings_add(out, FINDING_WARNING, "nobody but root may use exec");
	else
		findings_add(out, FINDING_WARNING, "%s is not in group %s", p->user, p->group);
	findings_hint(out, "sudo usermod -aG %s %s, and log in again", p->group,
		      p->is_user_root ? "USER" : p->user);
}

static void judge_run(const struct doctor_privilege *p, struct findings *out)
{
	findings_begin(out, "privilege.run", "/run takes what wgns has to keep");
	if (p->run.code)
		doctor_add_refusal(out, &p->run);
	if (p->run.code && !p->run.hint[0])
		findings_hint(out, "chown root: /run/wgns && chmod 755 /run/wgns, after a look at "
				   "who made it");
	if (p->is_run_read_only) {
		findings_add(out, FINDING_BREAKS, "/run is mounted read-only");
		findings_hint(out, "mount -o remount,rw /run");
	} else if (p->run_free < COMFORTABLE) {
		findings_add(out, p->run_free < NEEDED ? FINDING_BREAKS : FINDING_WARNING,
			     "/run has only %llu KiB left", (unsigned long long)p->run_free >> 10);
		findings_hint(out, "du -xsh /run/* | sort -h shows what fills it");
	}
}

void doctor_judge_privilege(const struct doctor_privilege *p, struct findings *out)
{
	judge_helper(&p->helper, out);
	judge_group(p, out);
	findings_begin(out, "privilege.mounts", "what is pinned here is seen by everyone");
	if (p->mounts.code == EACCES) {
		findings_add(out, FINDING_OPEN, "only root sees the mount namespace of process 1");
		findings_hint(out, DOCTOR_AS_ROOT);
	} else if (p->mounts.code) {
		doctor_add_refusal(out, &p->mounts);
	}
	judge_run(p, out);
}
