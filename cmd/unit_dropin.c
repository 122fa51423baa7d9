// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * unit-dropin - what makes a systemd service run in a box
 *
 * One file, systemd's own directives and mount(8). The text is the same for every unit: %n, the unit's name, is put in
 * by systemd.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "wgns/fd.h"
#include "wgns/seal.h"
#include "wgns/str.h"

#define SYSTEM_DIR "/etc/systemd/system"
#define FILE_NAME "50-wgns.conf"
#define ETC_DIR                                                                                    \
	"/run/wgns-etc" /* mount points, one a unit; not below /run/wgns, which `down` removes */
#define BOX_DIR "/" SEAL_BOX_DIR
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define SUFFIX ".service"
#define UNIT_MAX 250 /* with ".d" it is a file name */

enum action { ACTION_PRINT, ACTION_INSTALL, ACTION_REMOVE };

struct request {
	enum action action;
	const char *box; /* borrowed; NULL for ACTION_REMOVE */
	char unit[UNIT_MAX + 1]; /* ends in .service */
};

static bool ends_in(const char *s, const char *end)
{
	size_t len = strlen(s), end_len = strlen(end);

	return len >= end_len && strcmp(s + len - end_len, end) == 0;
}

static int check_type(const char *name, struct err *e)
{
	static const char *const others[] = {
		".automount", ".device", ".mount", ".path",   ".scope",
		".slice",     ".swap",	 ".timer", ".target",
	};

	if (ends_in(name, ".socket"))
		return err_say(e, EINVAL,
			       "%s: only a service has programs; give the socket itself "
			       "NetworkNamespacePath= in its [Socket]",
			       name);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (ends_in(name, others[i]))
			return err_say(e, EINVAL, "%s: only a service can run in a box, not a %s",
				       name, others[i] + 1);
	}
	return 0;
}

/*
 * systemd's own rule (systemd.unit(5)), without names that mean several units: the folder of "foo-.service" is for all
 * whose name begins with foo-.
 */
static int check_unit(const char *name, struct err *e)
{
	size_t len = strlen(name), prefix = strcspn(name, "@");

	if (len == 0 || len > UNIT_MAX - strlen(SUFFIX))
		return err_say(e, EINVAL, "a unit's name has 1 to %zu characters",
			       UNIT_MAX - strlen(SUFFIX));
	if (strspn(name, LETTERS ":-_.\\@") != len)
		return err_say(e, EINVAL, "a unit's name is made of a-z A-Z 0-9 : - _ . \\ @");
	if (strchr(".-@", name[0]))
		return err_say(e, EINVAL, "%s: no unit's name begins so", name);
	if (prefix == len && ends_in(name, SUFFIX))
		prefix -= strlen(SUFFIX);
	if (prefix > 0 && name[prefix - 1] == '-')
		return err_say(e, EINVAL, "%s: that would be for every unit that begins with %.*s",
			       name, (int)prefix, name);
	return prefix > 0 ? check_type(name, e) : err_say(e, EINVAL, "which unit?");
}

static int take_unit(struct request *r, const char *name, struct err *e)
{
	int rc = check_unit(name, e);

	if (rc == 0)
		(void)snprintf(r->unit, sizeof(r->unit), "%s%s", name,
			       ends_in(name, SUFFIX) ? "" : SUFFIX); /* checked: it fits */
	return rc;
}

static int take_box(struct request *r, const char *box, struct err *e)
{
	if (!seal_is_box_name(box))
		return err_say(
			e, EINVAL,
			"a box is named with 1 to 64 of a-z A-Z 0-9 _ . + -, and not . or ..");
	if (strcmp(box, "home") == 0)
		return err_say(e, EINVAL, "home is where services run without a drop-in");
	r->box = box;
	return 0;
}

static int parse(struct request *r, int argc, char **argv, struct err *e)
{
	static const struct option options[] = {
		{ "install", no_argument, NULL, ACTION_INSTALL },
		{ "remove", no_argument, NULL, ACTION_REMOVE },
		{ NULL, 0, NULL, 0 },
	};

	opterr = 0;
	for (int opt = getopt_long(argc, argv, "+", options, NULL); opt != -1;
	     opt = getopt_long(argc, argv, "+", options, NULL)) {
		if (opt != ACTION_INSTALL && opt != ACTION_REMOVE)
			return err_say(e, EINVAL, "%s: no such option", argv[optind - 1]);
		if (r->action != ACTION_PRINT)
			return err_say(e, EINVAL, "give one of --install and --remove");
		r->action = (enum action)opt;
	}
	int n_wanted = r->action == ACTION_REMOVE ? 1 : 2;
	if (argc - optind != n_wanted)
		return err_say(e, EINVAL,
			       n_wanted == 1 ? "one unit is expected"
					     : "a box and a unit are expected");
	if (n_wanted == 2 && take_box(r, argv[optind], e) < 0)
		return -EINVAL;
	return take_unit(r, argv[argc - 1], e);
}

/* as systemd-escape --path --suffix=mount: the unit that systemd makes of a mount point by itself */
static void add_mount_unit(struct strbuf *b, const char *path)
{
	for (path++; *path; path++) {
		if (*path == '/')
			strbuf_add(b, "-", 1);
		else if (strchr(LETTERS ":_.", *path))
			strbuf_add(b, path, 1);
		else
			strbuf_addf(b, "\\x%02x", (unsigned char)*path);
	}
	strbuf_addf(b, ".mount");
}

/*
 * BindsTo= would need a unit file for the mount: systemd-analyze verify calls it missing, and what a missing one leads to
 * is "not found". PropagatesStopTo=, the other side of StopPropagatedFrom=, ends the service as well when the mount goes by
 * umount(2) (tried with systemd 252), and the assertion gives a reason.
 */
static void add_unit_section(struct strbuf *b, const char *ns)
{
	strbuf_addf(b,
		    "\n"
		    "[Unit]\n"
		    "# no start without the box\n"
		    "AssertPathIsMountPoint=%s\n"
		    "# when the box goes the service ends\n"
		    "StopPropagatedFrom=",
		    ns);
	add_mount_unit(b, ns);
	strbuf_addf(b,
		    "\n"
		    "# on shutdown the service ends before them\n"
		    "RequiresMountsFor=%s " ETC_DIR "/%%n\n",
		    ns);
}

/*
 * systemd gives BindReadOnlyPaths= to commands with a + as well, so that the command that makes the source of one has to
 * reach out of its own mount namespace (mount -N 1) and has to start while the source is not there yet (the minus).
 * ExecCondition= comes before every ExecStartPre=, while one more ExecStartPre= would come last; of its exit statuses
 * only 255 fails the start, all others skip it in silence. A bound file would be lost as soon as it is replaced on the host
 * (tests/platform/etc_rename.c); a bound folder stays. An overlay remembers files that it has shown, hence a new one each time.
 */
static void add_service_section(struct strbuf *b, const char *box, const char *ns)
{
	strbuf_addf(
		b,
		"\n"
		"[Service]\n"
		"NetworkNamespacePath=%s\n"
		"# /etc with the box's resolv.conf on top of the host's files, new at each start\n"
		"ExecCondition=+/bin/sh -c 'mount -N 1 -t overlay -o "
		"ro,nosuid,nodev,X-mount.mkdir,lowerdir=" BOX_DIR "/%s/etc:/etc "
		"wgns \"$$1\" || exit 255' sh " ETC_DIR "/%%n\n"
		"BindReadOnlyPaths=-" ETC_DIR "/%%n:/etc\n"
		"ExecStopPost=+-/bin/umount -N 1 -l " ETC_DIR "/%%n\n"
		"# nscd and systemd-resolved would ask from home\n"
		"InaccessiblePaths=/run/nscd /run/systemd/resolve\n",
		ns, box);
}

/* Return: an owned text, or NULL when memory ran out */
static char *build(const struct request *r)
{
	AUTO_STRBUF struct strbuf b = { 0 };
	char ns[sizeof(BOX_DIR "//netns") + SEAL_NAME_MAX];

	(void)snprintf(ns, sizeof(ns), BOX_DIR "/%s/netns", r->box); /* a checked name fits */
	strbuf_addf(
		&b,
		"# %s runs in %s: wgns unit-dropin %s %s\n"
		"# If a socket unit opens its sockets, they stay in home, unless the socket unit\n"
		"# has the line NetworkNamespacePath= as well, in its [Socket].\n",
		r->unit, r->box, r->box, r->unit);
	add_unit_section(&b, ns);
	add_service_section(&b, r->box, ns);
	return strbuf_finish(&b);
}

static int open_system_dir(struct err *e)
{
	int fd = open(SYSTEM_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	int rc = err_set(e, errno, "open " SYSTEM_DIR);
	if (rc == -ENOENT)
		err_hint(e, "without systemd: wgns exec --in BOX PROGRAM");
	return rc;
}

/* Return: an owned descriptor of UNIT.d, or -errno */
static int open_dropin_dir(int system_fd, const char *dir, bool should_create, struct err *e)
{
	bool is_new = should_create && mkdirat(system_fd, dir, 0755) == 0;

	if (should_create && !is_new && errno != EEXIST)
		return err_set(e, errno, "create " SYSTEM_DIR "/%s", dir);
	int fd = openat(system_fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, errno, "open " SYSTEM_DIR "/%s", dir);
	if (is_new && fchmod(fd, 0755) < 0) { /* whatever the umask is */
		int rc = err_set(e, errno, "set the mode of " SYSTEM_DIR "/%s", dir);
		(void)close(fd); /* a folder */
		return rc;
	}
	return fd;
}

static int install(const struct request *r, const char *text, struct err *e)
{
	char dir[sizeof(r->unit) + 2];

	(void)snprintf(dir, sizeof(dir), "%s.d", r->unit); /* it fits */
	AUTO_FD int system_fd = open_system_dir(e);
	if (system_fd < 0)
		return system_fd;
	AUTO_FD int fd = open_dropin_dir(system_fd, dir, true, e);
	if (fd < 0)
		return fd;
	int rc = fd_replace_file_at(fd, FILE_NAME, text, strlen(text), 0644, e);
	if (rc < 0) {
		(void)unlinkat(system_fd, dir, AT_REMOVEDIR); /* it may have been there before */
		return err_context(e, SYSTEM_DIR "/%s", dir);
	}
	printf(SYSTEM_DIR "/%s/" FILE_NAME " is written\n"
			  "next: systemctl daemon-reload && systemctl restart %s\n",
	       dir, r->unit);
	return 0;
}

static int remove_dropin(const struct request *r, struct err *e)
{
	char dir[sizeof(r->unit) + 2];

	(void)snprintf(dir, sizeof(dir), "%s.d", r->unit); /* it fits */
	AUTO_FD int system_fd = open_system_dir(e);
	if (system_fd < 0)
		return system_fd;
	AUTO_FD int fd = open_dropin_dir(system_fd, dir, false, e);
	if (fd < 0 && fd != -ENOENT)
		return fd;
	int code = fd < 0 ? ENOENT : 0;
	if (code == 0 && unlinkat(fd, FILE_NAME, 0) < 0)
		code = errno;
	if (code == ENOENT) {
		(void)err_say(e, ENOENT, "%s has no drop-in of wgns", r->unit);
		return err_as(e, ERR_KIND_STATE);
	}
	if (code)
		return err_set(e, code, "remove " SYSTEM_DIR "/%s/" FILE_NAME, dir);
	(void)unlinkat(system_fd, dir, AT_REMOVEDIR); /* another drop-in may be there */
	printf(SYSTEM_DIR "/%s/" FILE_NAME " is removed\n"
			  "next: systemctl daemon-reload && systemctl restart %s\n",
	       dir, r->unit);
	return 0;
}

static int act(const struct request *r, struct err *e)
{
	if (r->action != ACTION_PRINT && geteuid() != 0) {
		(void)err_say(e, EPERM, "only root may write to " SYSTEM_DIR);
		err_hint(e, "sudo wgns unit-dropin ...");
		return -EPERM;
	}
	if (r->action == ACTION_REMOVE)
		return remove_dropin(r, e);
	AUTO_FREE char *text = build(r);
	if (!text)
		return err_set(e, ENOMEM, "write the drop-in");
	if (r->action == ACTION_INSTALL)
		return install(r, text, e);
	fputs(text, stdout); /* cmd_flush() sees a failure */
	return 0;
}

static int run(int argc, char **argv)
{
	struct request r = { 0 };
	struct err e = { 0 };

	if (parse(&r, argc, argv, &e) < 0)
		return cmd_usage(&cmd_unit_dropin, "%s", e.text);
	if (act(&r, &e) < 0)
		return cmd_fail(&e, "unit-dropin");
	return cmd_flush(EXIT_DONE);
}

const struct cmd cmd_unit_dropin = {
	.name = "unit-dropin",
	.usage = "[--install] BOX UNIT | --remove UNIT",
	.summary = "make a systemd service run in a box",
	.help = "Prints a drop-in for the service UNIT, which then runs in the network of BOX,\n"
		"with its name resolution. The service cannot start while the box is not up, and\n"
		"ends when the box goes. It sees a read-only /etc. An ExecCondition= of its own\n"
		"comes before that /etc is there, and is not sealed.\n"
		"\n"
		"  --install   write it to " SYSTEM_DIR "/UNIT.d/" FILE_NAME "\n"
		"              (root only); systemctl daemon-reload is yours to do\n"
		"  --remove    take that file away (root only)\n"
		"\n"
		"It needs systemd 249 or later. Stop the service before the last wgns down, which\n"
		"does not take a box away from running programs.\n"
		"\n"
		"  sudo wgns unit-dropin --install physical chrony\n"
		"  wgns unit-dropin physical transmission-daemon.service\n",
	.run = run,
};
