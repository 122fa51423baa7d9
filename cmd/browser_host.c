// SPDX-License-Identifier: GPL-2.0-or-later
/* what of the machine is out of reach in a box: the start of snaps, and X servers that have no path socket */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "browser_internal.h"
#include "wgns/fd.h"

#define SNAP "/usr/bin/snap"
#define SCRIPT_MAX 4096
#define X_SOCKET "/tmp/.X11-unix/X"

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}

/* as execvp(3) does it: the first that could be executed */
bool browser_find_program(const char *program, const char *path, char out[PATH_MAX])
{
	char usual[256];

	if (strchr(program, '/')) {
		int len = snprintf(out, PATH_MAX, "%s", program);
		return len < PATH_MAX && is_program(out);
	}
	if (!path) {
		if (confstr(_CS_PATH, usual, sizeof(usual)) == 0)
			return false;
		path = usual;
	}
	for (bool is_last = false; !is_last;) {
		size_t len = strcspn(path, ":");
		is_last = path[len] == '\0';
		/* an empty part is the working directory */
		int n = len < PATH_MAX ? snprintf(out, PATH_MAX, "%.*s%s%s", (int)len, path,
						  len ? "/" : "./", program)
				       : PATH_MAX;
		if (n < PATH_MAX && is_program(out))
			return true;
		path += len + 1;
	}
	return false;
}

static bool is_below(const char *path, const char *dir)
{
	return strncmp(path, dir, strlen(dir)) == 0;
}

/* as in Ubuntu's /usr/bin/firefox, whose package is only that */
static bool is_script_of_snap(const char *path)
{
	char text[SCRIPT_MAX];

	AUTO_FD int fd = browser_open_file(AT_FDCWD, path, O_NOFOLLOW);
	if (fd < 0)
		return false;
	ssize_t len = read(fd, text, sizeof(text));
	return len > 2 && text[0] == '#' && text[1] == '!' &&
	       memmem(text, (size_t)len, "/snap/bin/", strlen("/snap/bin/"));
}

int browser_check_snap(const char *program, const char *path_or_null, struct err *e)
{
	char found[PATH_MAX], real[PATH_MAX];

	if (!browser_find_program(program, path_or_null, found) || !realpath(found, real))
		return 0; /* who starts it says what is wrong */
	if (strcmp(real, SNAP) != 0 && !is_below(real, "/snap/") &&
	    !is_below(real, "/var/lib/snapd/snap/") && !is_script_of_snap(real))
		return 0;
	(void)err_say(e, EPERM,
		      "%s is a snap: its set-user-ID start-up cannot work under no_new_privs",
		      program);
	err_hint(e, "take another package of it: the distribution's own, or a flatpak");
	return -EPERM;
}

/* [PROTOCOL/][HOST]:N, as libxcb takes it apart. @host_len: up to the colon */
static bool is_tcp(const char *display, size_t host_len)
{
	const char *slash = memrchr(display, '/', host_len);
	size_t protocol_len = slash ? (size_t)(slash - display) : 0;
	const char *host = slash ? slash + 1 : display;
	size_t len = host_len - (size_t)(host - display);

	if (protocol_len == 4 && strncmp(display, "unix", 4) == 0)
		return false;
	return len != 0 && !(len == 4 && strncmp(host, "unix", 4) == 0);
}

bool browser_check_display(const char *display, char *why, size_t cap)
{
	const char *colon = display ? strrchr(display, ':') : NULL;
	char path[sizeof(X_SOCKET) + 24];
	struct stat st;

	/* none, the path of a socket, or nothing that X would understand */
	if (!colon || !isdigit((unsigned char)colon[1]) || display[0] == '/' ||
	    strncmp(display, "unix:/", 6) == 0)
		return true;
	if (is_tcp(display, (size_t)(colon - display))) {
		(void)snprintf(why, cap,
			       "DISPLAY names an X server by TCP, as ssh -X does: it cannot be "
			       "reached from a box");
		return false;
	}
	(void)snprintf(path, sizeof(path), X_SOCKET "%lu", strtoul(colon + 1, NULL, 10)); /* fits */
	if (stat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		return true;
	(void)snprintf(why, cap,
		       "the X server of DISPLAY has no socket %s: an abstract one cannot be "
		       "reached from a box",
		       path);
	return false;
}
