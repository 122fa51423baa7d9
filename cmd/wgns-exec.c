// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * wgns-exec - the helper of wgns exec: a file with the capability cap_sys_admin, for ordinary users
 *
 * usage: wgns-exec BOX PROFILE SOCKETS PROGRAM [ARG...]
 *
 * wgns(8) calls it with exactly this list: a name below /run/wgns/box, one below /run/wgns/profile or "-", and how many
 * descriptors from 3 the program gets. Who may enter which box and use which profile is decided by open(2), with the rights of the
 * caller: the capability does not include any over files. Nothing is allocated, no environment or configuration is read.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "enter.h"

int main(int argc, char **argv)
{
	static struct compiled profile;

	if (argc < 5 || !*argv[3] || strlen(argv[3]) > 2 ||
	    strspn(argv[3], "0123456789") != strlen(argv[3]))
		enter_die("", "usage", "wgns-exec BOX PROFILE SOCKETS PROGRAM [ARG...]");
	if (getuid() != geteuid() || getgid() != getegid())
		enter_die("", "start",
			  "real and effective ids differ: nothing here may be setuid or setgid");
	if (strcmp(argv[2], "-") != 0) {
		int rc = compiled_read(argv[2], &profile);
		if (rc < 0)
			enter_die(argv[2], "read the profile", strerror(-rc));
	}

	/* we hold CAP_SYS_ADMIN, to enter and to mount, until enter_drop() */
	enter_box(argv[1], profile.options, getuid());
	enter_drop();
	enter_close((unsigned)strtoul(argv[3], NULL, 10));
	enter_cwd();
	enter_program(&profile, argv + 4);
}
