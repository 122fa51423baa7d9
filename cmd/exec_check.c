// SPDX-License-Identifier: GPL-2.0-or-later
/* what can be said of an exec before anything is done: is there such a box, may the caller enter, would the program escape */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "browser.h"
#include "cmd.h"
#include "exec.h"
#include "wgns/fd.h"
#include "wgns/netns.h"
#include "wgns/seal.h"

static bool is_member(const char *const *members, const char *user)
{
	for (; *members; members++) {
		if (strcmp(*members, user) == 0)
			return true;
	}
	return false;
}

/* the box is there, and the caller's groups do not let him in */
static int refuse_entry(const char *box, struct err *e)
{
	char path[sizeof("/" SEAL_BOX_DIR "/") + SEAL_NAME_MAX], user[256];
	struct stat st;

	(void)snprintf(path, sizeof(path), "/" SEAL_BOX_DIR "/%s", box); /* a checked name fits */
	if (stat(path, &st) < 0)
		return err_set(e, errno, "examine the box %s", box);
	if (st.st_gid == 0) {
		(void)err_say(e, EACCES, "permission denied: only root may enter %s", box);
		err_hint(e, "its group did not exist: sudo groupadd --system wgns, sudo usermod "
			    "-aG wgns USER, "
			    "and `wgns down` and `up`");
		return -EACCES;
	}
	const struct group *group = getgrgid(st.st_gid);
	if (!group)
		return err_say(e, EACCES, "permission denied: group %u may enter %s",
			       (unsigned)st.st_gid, box);
	(void)err_say(e, EACCES, "permission denied: group %s may enter %s", group->gr_name, box);
	const struct passwd *self = getpwuid(getuid());
	(void)snprintf(user, sizeof(user), "%s", self ? self->pw_name : "USER");
	if (is_member((const char *const *)group->gr_mem, user))
		err_hint(e, "%s was added after this login: log out and in again", user);
	else
		err_hint(e, "sudo usermod -aG %s %s, and log in again", group->gr_name, user);
	return -EACCES;
}

int exec_check_box(const char *box, struct err *e)
{
	char path[sizeof("/" SEAL_BOX_DIR "//netns") + SEAL_NAME_MAX];
	struct stat st;

	(void)snprintf(path, sizeof(path), "/" SEAL_BOX_DIR "/%s/netns", box); /* as above */
	if (lstat(path, &st) == 0)
		return 0; /* what else may be wrong with it the helper says */
	if (errno == EACCES)
		return refuse_entry(box, e);
	if (errno != ENOENT && errno != ENOTDIR)
		return 0;
	(void)err_say(e, ENOENT, "%s is not up", box);
	if (strcmp(box, "physical") == 0)
		err_hint(e, "sudo wgns up TUNNEL");
	else
		err_hint(e, "this version has one box: physical");
	return -ENOENT;
}

/* through sudo(8) root looks at what belongs to the user: with the user's rights, then links lead nowhere else */
static int check_running(const struct exec_request *rq, const char *home, uid_t uid, struct err *e)
{
	struct netns_id target;
	AUTO_FD int ns_fd = seal_open_box(rq->box);

	if (ns_fd < 0)
		return err_set(e, -ns_fd, "open the box %s", rq->box);
	int rc = netns_identify(ns_fd, &target, e);
	if (rc < 0)
		return rc;
	uid_t own = geteuid();
	if (uid != own && seteuid(uid) < 0)
		return err_set(e, errno, "look at the files of user %u", (unsigned)uid);
	rc = browser_check_running(rq->argv, home, &target, e);
	if (uid != own && seteuid(own) < 0)
		return err_set(e, errno, "become root again");
	return rc;
}

int exec_check_program(const struct exec_request *rq, uid_t uid, struct err *e)
{
	const char *home = getenv("HOME"), *program = rq->argv[0];
	enum browser kind = browser_kind(program);
	char why[256];

	int rc = rq->profile.has_no_new_privs ? browser_check_snap(program, getenv("PATH"), e) : 0;
	if (rc < 0 || strcmp(rq->box, "home") == 0 || kind == BROWSER_NONE)
		return rc;
	if (!browser_check_display(getenv("DISPLAY"), why, sizeof(why)))
		cmd_warn("%s", why);
	return rq->profile.is_fresh || !home ? 0 : check_running(rq, home, uid, e);
}
