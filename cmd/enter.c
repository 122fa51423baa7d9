// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * enter - into a box, give up everything, become the program
 *
 * The helper wgns-exec is this and a main(); wgns itself calls it when it runs as root. Straight
 * line: no configuration, no environment, no allocation, libc alone. The first surprise ends the
 * process with status 125 and the program was not started.
 */
#include "enter.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "wgns/caps.h"
#include "wgns/seal.h"

enum { EXIT_REFUSED = 125, EXIT_NOEXEC = 126, EXIT_NOTFOUND = 127 }; /* as env(1) */

static _Noreturn void die(const char *on, const char *what, const char *reason)
{
	(void)dprintf(STDERR_FILENO, "wgns: exec: %s%s%s: %s\n", on, *on ? ": " : "", what, reason);
	_exit(EXIT_REFUSED);
}

static void enter_box(const char *box)
{
	char etc_dir[sizeof("//etc") + sizeof(SEAL_BOX_DIR) + SEAL_NAME_MAX + 1];
	const char *what = "open the box";

	if (!caps_has_sys_admin())
		die(box, "enter the box", "needs root: sudo wgns exec ...");
	int ns_fd = seal_open_box(box);
	if (ns_fd < 0)
		die(box, what, strerror(-ns_fd));
	(void)snprintf(etc_dir, sizeof(etc_dir), "/" SEAL_BOX_DIR "/%s/etc",
		       box); /* a checked name fits */
	int rc = seal_enter(ns_fd, etc_dir, &what);
	if (rc < 0)
		die(box, what, strerror(-rc));
}

static uid_t read_uid(const char *text)
{
	char *end;

	if (strcmp(text, "-") == 0)
		return getuid();
	errno = 0;
	unsigned long uid = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || uid >= UINT_MAX)
		die("", text, "not a user id");
	return (uid_t)uid;
}

static void become(uid_t uid)
{
	const char *what;
	uid_t real, effective, saved;

	if (setresuid(uid, uid, uid) < 0)
		die("", "become the user", strerror(errno));
	if (getresuid(&real, &effective, &saved) < 0 || real != uid || effective != uid ||
	    saved != uid)
		die("", "become the user", "another user id remained");
	int rc = caps_drop_all(&what);
	if (rc < 0)
		die("", what, strerror(-rc));
}

/*
 * a working directory below what was covered still is the outside's: walk to it again, as the user
 */
static void return_to_cwd(void)
{
	char cwd[PATH_MAX];

	if (!getcwd(cwd, sizeof(cwd)))
		return; /* removed or out of sight: it stays as it is */
	bool is_covered = strncmp(cwd, "/etc", 4) == 0 || strncmp(cwd, "/sys", 4) == 0;
	if (is_covered && chdir(cwd) < 0 && chdir("/") < 0)
		die(cwd, "change the working directory", strerror(errno));
}

void enter(const char *box, const char *uid_text, char **argv)
{
	uid_t uid = read_uid(uid_text);
	bool is_home = strcmp(box, "home") == 0;

	if (getuid() != geteuid() || getgid() != getegid())
		die("", "start",
		    "real and effective ids differ: nothing here may be setuid or setgid");

	/*
	 * We hold CAP_SYS_ADMIN, to enter and to mount; as root all others, to become somebody.
	 * Until become().
	 */
	if (!is_home)
		enter_box(box);
	become(uid);

	if (!is_home)
		return_to_cwd();
	/* a socket of the namespace that was left would be a way back; Linux 5.9 */
	if (syscall(SYS_close_range, 3U, ~0U, 0U) < 0)
		die("", "close descriptors", strerror(errno));
	(void)execvp(argv[0], argv); /* when it returns it failed */
	int code = errno;
	(void)dprintf(STDERR_FILENO, "wgns: exec: %s: %s\n", argv[0], strerror(code));
	_exit(code == ENOENT ? EXIT_NOTFOUND : EXIT_NOEXEC);
}
