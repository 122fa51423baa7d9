// SPDX-License-Identifier: GPL-2.0-or-later
#include "identity.h"

#include <errno.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "wgns/str.h"

static void set_user(struct identity *id, const struct passwd *pw)
{
	id->uid = pw->pw_uid;
	id->gid = pw->pw_gid;
	(void)snprintf(id->name, sizeof(id->name), "%s", pw->pw_name);
	(void)snprintf(id->home, sizeof(id->home), "%s", pw->pw_dir);
	/* an empty field means /bin/sh (passwd(5)) */
	(void)snprintf(id->shell, sizeof(id->shell), "%s",
		       *pw->pw_shell ? pw->pw_shell : "/bin/sh");
}

int identity_of_user(const char *user, struct identity *id, struct err *e)
{
	unsigned long long uid;
	const struct passwd *pw = getpwnam(user);

	if (!pw && str_to_u64(user, UINT_MAX - 1, &uid) == 0)
		pw = getpwuid((uid_t)uid);
	if (!pw)
		return err_say(e, EINVAL, "--user %s: no such user", user);
	set_user(id, pw);
	id->is_changed = true;
	id->is_named = true;
	return 0;
}

int identity_of_sudo(struct identity *id, struct err *e)
{
	const char *uid_text = getenv("SUDO_UID"), *gid_text = getenv("SUDO_GID");
	unsigned long long uid, gid;

	if (!uid_text || strcmp(uid_text, "0") == 0)
		return 0;
	if (str_to_u64(uid_text, UINT_MAX - 1, &uid) < 0)
		return err_say(e, EINVAL, "SUDO_UID is not a user id");
	if (gid_text && str_to_u64(gid_text, UINT_MAX - 1, &gid) < 0)
		return err_say(e, EINVAL, "SUDO_GID is not a group id");
	const struct passwd *pw = getpwuid((uid_t)uid);
	if (!pw && !gid_text)
		return err_say(e, EINVAL, "user %llu is unknown and SUDO_GID is not set", uid);
	if (pw)
		set_user(id, pw);
	id->uid = (uid_t)uid;
	if (gid_text)
		id->gid = (gid_t)gid;
	id->is_changed = true;
	return 0;
}

int identity_take_groups(const struct identity *id, struct err *e)
{
	AUTO_FREE gid_t *groups = calloc(NGROUPS_MAX, sizeof(*groups));
	int n = NGROUPS_MAX;

	if (!groups)
		return err_set(e, ENOMEM, "list the groups of the user");
	if (!id->name[0]) {
		groups[0] = id->gid;
		n = 1;
	} else if (getgrouplist(id->name, id->gid, groups, &n) < 0) {
		return err_say(e, EINVAL, "list the groups of %s: too many", id->name);
	}
	if (setgroups((size_t)n, groups) < 0)
		return err_set(e, errno, "take the groups of the user");
	if (setresgid(id->gid, id->gid, id->gid) < 0)
		return err_set(e, errno, "take group %u", (unsigned)id->gid);
	return 0;
}

/* set @name when it is unset, names root, or the user was named */
static int take(const struct identity *id, const char *name, const char *value, const char *roots,
		struct err *e)
{
	const char *now = getenv(name);

	if (now && strcmp(now, roots) != 0 && !id->is_named)
		return 0;
	return setenv(name, value, 1) < 0 ? err_set(e, errno, "set %s", name) : 0;
}

/* keys of root's session are not for the program: keyrings(7) */
static int leave_keyring(struct err *e)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS)
		return err_set(e, errno, "leave root's session keyring");
	return 0;
}

/* --user: as login(1) begins, with what a terminal needs */
static int begin_environment(struct err *e)
{
	static const char *const kept[] = { "COLORTERM", "LANG",	"LANGUAGE", "LC_ALL",
					    "LC_CTYPE",	 "LC_MESSAGES", "NO_COLOR", "PATH",
					    "TERM",	 "TZ" };
	char *values[sizeof(kept) / sizeof(kept[0])];
	int rc = 0;

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		const char *value = getenv(kept[i]);
		values[i] = value ? strdup(value) : NULL;
		if (value && !values[i])
			rc = -ENOMEM;
	}
	if (rc == 0 && clearenv())
		rc = -ENOMEM;
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		if (rc == 0 && values[i] && setenv(kept[i], values[i], 1) < 0)
			rc = -errno;
		free(values[i]);
	}
	return rc < 0 ? err_set(e, -rc, "begin a new environment") : 0;
}

/*
 * sudo leaves root's HOME: firefox refuses it, others would leave files in it. What `sudo -E` kept
 * stays.
 */
int identity_take_environment(const struct identity *id, struct err *e)
{
	static const char *const of_sudo[] = { "SUDO_UID", "SUDO_GID", "SUDO_USER",
					       "SUDO_COMMAND" };
	const struct passwd *root = getpwuid(0);
	char runtime[64];
	struct stat st;

	for (size_t i = 0; i < sizeof(of_sudo) / sizeof(of_sudo[0]); i++)
		(void)unsetenv(of_sudo[i]); /* the names are good: it cannot fail */
	int rc = id->is_named ? begin_environment(e) : 0;
	if (rc == 0 && id->is_named)
		rc = leave_keyring(e);
	if (rc < 0 || !id->name[0])
		return rc;

	rc = take(id, "HOME", id->home, root ? root->pw_dir : "/root", e);
	if (rc == 0)
		rc = take(id, "SHELL", id->shell, root ? root->pw_shell : "/bin/sh", e);
	if (rc == 0)
		rc = take(id, "USER", id->name, "root", e);
	if (rc == 0)
		rc = take(id, "LOGNAME", id->name, "root", e);
	const char *mail = getenv("MAIL");
	if (id->is_named || (mail && strcmp(mail, "/var/mail/root") == 0))
		(void)unsetenv("MAIL"); /* as above */

	/*
	 * a folder that pam_systemd(8) makes at login; there is none for a user who is not logged
	 * in
	 */
	(void)snprintf(runtime, sizeof(runtime), "/run/user/%u", (unsigned)id->uid);
	if (rc == 0 && lstat(runtime, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == id->uid)
		rc = take(id, "XDG_RUNTIME_DIR", runtime, "/run/user/0", e);
	return rc;
}
