// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * enter - into a box, give up everything, become the program
 *
 * Straight line: no configuration, no environment, no allocation, libc alone. The first surprise ends the process with
 * status 125, and the program was not started. The user's own processes may stop this one, lower its limits or end it at
 * any point: therefore every return value is looked at.
 */
#include "enter.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "wgns/caps.h"
#include "wgns/seal.h"

enum { EXIT_REFUSED = 125, EXIT_NOEXEC = 126, EXIT_NOTFOUND = 127 }; /* as env(1) */

_Noreturn void enter_die(const char *on, const char *what, const char *reason)
{
	(void)dprintf(STDERR_FILENO, "wgns: exec: %s%s%s: %s\n", on, *on ? ": " : "", what, reason);
	_exit(EXIT_REFUSED);
}

void enter_box(const char *box, unsigned options, uid_t uid)
{
	char dir[sizeof("/" SEAL_BOX_DIR "/") + SEAL_NAME_MAX];
	const char *what;

	if (!caps_has_sys_admin())
		enter_die(box, "enter the box", caps_why_not());
	int ns_fd = seal_open_box(box);
	if (ns_fd < 0)
		enter_die(box, "open the box", strerror(-ns_fd));
	(void)snprintf(dir, sizeof(dir), "/" SEAL_BOX_DIR "/%s", box); /* a checked name fits */
	int rc = seal_enter(ns_fd, dir, options, uid, &what);
	if (rc < 0)
		enter_die(box, what, strerror(-rc));
}

void enter_drop(void)
{
	const char *what;
	int rc = caps_drop_all(&what);

	if (rc < 0)
		enter_die("", what, strerror(-rc));
}

void enter_close(unsigned n_sockets)
{
	if (syscall(SYS_close_range, STDERR_FILENO + 1 + n_sockets, ~0U, 0U) < 0) /* Linux 5.9 */
		enter_die("", "close descriptors", strerror(errno));
}

void enter_cwd(void)
{
	static char cwd[PATH_MAX];

	if (!getcwd(cwd, sizeof(cwd)) || chdir(cwd) < 0)
		enter_die("", "go to the working directory again, as the program (try another one)",
			  strerror(errno));
}

_Noreturn void enter_program(const struct compiled *c, char **argv)
{
	int rc = compiled_load(c);
	if (rc < 0)
		enter_die("", "load the filter of system calls", strerror(-rc));
	(void)execvp(argv[0], argv); /* when it returns it failed */
	int code = errno;
	(void)dprintf(STDERR_FILENO, "wgns: exec: %s: %s\n", argv[0], strerror(code));
	_exit(code == ENOENT ? EXIT_NOTFOUND : EXIT_NOEXEC);
}
