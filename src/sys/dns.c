// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/dns.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wgns/fd.h"
#include "wgns/str.h"

#include "dns_internal.h"

#define INTERFACE_ORDER                                                                            \
	"/etc/resolvconf/interface-order" /* Debian's resolvconf, interface-order(5) */
#define RESOLVED_VARLINK "/run/systemd/resolve/io.systemd.Resolve"
#define RESOLVED_STUB "/run/systemd/resolve/stub-resolv.conf"

static const char *const manager_names[] = {
	[DNS_NONE] = "",
	[DNS_RESOLVCONF] = "resolvconf",
	[DNS_RESOLVED] = "resolved",
	[DNS_FILE] = "file",
};
#define N_MANAGERS (sizeof(manager_names) / sizeof(manager_names[0]))

const char *dns_manager_name(enum dns_manager m)
{
	return manager_names[m];
}

enum dns_manager dns_manager_by_name(const char *name)
{
	for (unsigned i = 0; i < N_MANAGERS; i++) {
		if (strcmp(manager_names[i], name) == 0)
			return (enum dns_manager)i;
	}
	return DNS_NONE;
}

static bool is_resolved_running(void)
{
	return access(RESOLVED_VARLINK, F_OK) == 0 || access(RESOLVED_STUB, F_OK) == 0;
}

/* does a line of @path begin with @word and hold @needle behind it? */
static bool has_line(const char *path, const char *word, const char *needle)
{
	AUTO_FREE char *text = NULL;
	struct err ignored; /* a file that cannot be read says nothing */
	size_t len;
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || fd_read_all(fd, DNS_TEXT_MAX, &text, &len, path, &ignored) < 0)
		return false;
	char *rest = text;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		line += strspn(line, " \t");
		if (strncmp(line, word, strlen(word)) == 0 && strstr(line + strlen(word), needle))
			return true;
	}
	return false;
}

/*
 * Do the programs of this machine ask systemd-resolved? One that runs beside a resolv.conf that names other servers
 * (systemd-resolved.service(8), the fourth mode) would be told of DNS= in vain, and names would go on leaking to those.
 */
static bool is_resolved_asked(void)
{
	AUTO_FREE char *target = realpath("/etc/resolv.conf", NULL);

	return (target && strncmp(target, "/run/systemd/resolve/", 21) == 0) ||
	       has_line("/etc/resolv.conf", "nameserver", "127.0.0.53") ||
	       has_line("/etc/resolv.conf", "nameserver", "127.0.0.54") ||
	       has_line("/etc/nsswitch.conf", "hosts:", "resolve");
}

/* systemd's resolvconf is a name of resolvectl, of no use while resolved does not run */
static bool is_resolvectl(const char *path)
{
	AUTO_FREE char *target = realpath(path, NULL);
	const char *slash = target ? strrchr(target, '/') : NULL;

	return slash && strcmp(slash + 1, "resolvectl") == 0;
}

enum dns_manager dns_detect(void)
{
	char path[PATH_MAX];
	bool can_resolved = is_resolved_running() && is_resolved_asked();

	if (dns_find_program("resolvconf", path) == 0 && (!is_resolvectl(path) || can_resolved))
		return DNS_RESOLVCONF;
	if (can_resolved && dns_find_program("resolvectl", path) == 0)
		return DNS_RESOLVED;
	return DNS_FILE;
}

/*
 * What Debian's resolvconf sorts by: the first line "NAME*" of interface-order gives the prefix "NAME.", so that the
 * tunnel's record stands where that kind of interface belongs ("tun.wg0"). Other implementations know no prefixes.
 */
static void resolvconf_record(const char *program, const char *ifname, char *out, size_t cap)
{
	AUTO_FREE char *text = NULL;
	struct err ignored; /* no file, no prefix */
	struct stat st;
	size_t len;

	(void)snprintf(out, cap, "%s", ifname);
	if (lstat(program, &st) < 0 || S_ISLNK(st.st_mode) ||
	    fd_read_file_at(AT_FDCWD, INTERFACE_ORDER, DNS_TEXT_MAX, &text, &len, &ignored) < 0)
		return;
	char *rest = text;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		line += strspn(line, " \t");
		size_t n = 0;
		while (isalnum((unsigned char)line[n]) || line[n] == '-')
			n++;
		size_t after = n + 1;
		if (n == 0 || line[n] != '*' || line[after + strspn(line + after, " \t\r")] != '\0')
			continue;
		(void)snprintf(out, cap, "%.*s.%s", (int)n, line, ifname);
		return;
	}
}

static int resolvconf_unset(const char *ifname, struct err *e)
{
	char program[PATH_MAX], record[300];

	if (dns_find_program("resolvconf", program) < 0)
		return 0; /* removed together with what it kept */
	resolvconf_record(program, ifname, record, sizeof(record));
	int rc = dns_run((const char *[]){ program, "-d", record, "-f", NULL }, NULL, e);
	/* systemd's says "No such device" of an interface that is gone, and what it kept went with it */
	if (rc < 0 && is_resolvectl(program) && if_nametoindex(ifname) == 0)
		return 0;
	return rc;
}

static int resolvconf_set(const struct dns_conf *conf, struct err *e)
{
	AUTO_STRBUF struct strbuf input = { 0 };
	char program[PATH_MAX], record[300], server[ADDR_TEXT_MAX];
	struct err ignored; /* the first error is the one to tell */

	if (dns_find_program("resolvconf", program) < 0)
		return err_say(e, ENOENT, "resolvconf is not there any more");
	resolvconf_record(program, conf->ifname, record, sizeof(record));
	for (size_t i = 0; i < conf->n_servers; i++) {
		addr_format(&conf->servers[i], server);
		strbuf_addf(&input, "nameserver %s\n", server);
	}
	for (size_t i = 0; i < conf->n_search; i++)
		strbuf_addf(&input, "%s%s%s", i ? " " : "search ", conf->search[i],
			    i + 1 == conf->n_search ? "\n" : "");
	if (input.is_failed)
		return err_set(e, ENOMEM, "resolvconf");
	/* metric 0 and exclusive, as wg-quick(8) */
	int rc = dns_run((const char *[]){ program, "-a", record, "-m", "0", "-x", NULL }, input.s,
			 e);
	/* it records first and fails in a hook later, as with a resolver that does not restart */
	if (rc < 0)
		(void)resolvconf_unset(conf->ifname, &ignored);
	return rc;
}

/* one call of resolvectl(1): VERB IF VALUE... */
static int resolvectl(const char *program, const char *verb, const char *ifname,
		      char *const *values, size_t n, struct err *e)
{
	const char *argv[DNS_ARGS_MAX + 1] = { program, verb, ifname };
	size_t used = 3;

	if (n > DNS_ARGS_MAX - used)
		return err_say(e, E2BIG, "resolvectl %s: at most %zu values, not %zu", verb,
			       DNS_ARGS_MAX - used, n);
	for (size_t i = 0; i < n; i++)
		argv[used++] = values[i];
	return dns_run(argv, NULL, e);
}

static int resolved_unset(const char *ifname, struct err *e)
{
	char program[PATH_MAX];

	/* resolved forgets what it knew of a link when the link goes, and everything when it ends */
	if (if_nametoindex(ifname) == 0 || !is_resolved_running() ||
	    dns_find_program("resolvectl", program) < 0)
		return 0;
	return resolvectl(program, "revert", ifname, NULL, 0, e);
}

static int resolved_set(const struct dns_conf *conf, struct err *e)
{
	char program[PATH_MAX], server[ADDR_TEXT_MAX], yes[] = "yes", *const on[] = { yes };
	char **servers = NULL, **domains = NULL;
	size_t n_servers = 0, n_domains = 0;
	struct err ignored; /* the first error is the one to tell */
	int rc = 0;

	if (dns_find_program("resolvectl", program) < 0)
		return err_say(e, ENOENT, "resolvectl is not there any more");
	for (size_t i = 0; rc == 0 && i < conf->n_servers; i++) {
		addr_format(&conf->servers[i], server);
		rc = str_list_add(&servers, &n_servers, server, strlen(server));
	}
	/* the routing domain of everything: every name goes to these servers and to no other link's */
	if (rc == 0)
		rc = str_list_add(&domains, &n_domains, "~.", 2);
	for (size_t i = 0; rc == 0 && i < conf->n_search; i++)
		rc = str_list_add(&domains, &n_domains, conf->search[i], strlen(conf->search[i]));
	if (rc < 0)
		err_set(e, ENOMEM, "resolvectl");
	if (rc == 0)
		rc = resolvectl(program, "dns", conf->ifname, servers, n_servers, e);
	if (rc == 0)
		rc = resolvectl(program, "domain", conf->ifname, domains, n_domains, e);
	if (rc == 0)
		rc = resolvectl(program, "default-route", conf->ifname, on, 1, e);
	if (rc < 0)
		(void)resolved_unset(conf->ifname, &ignored);
	str_list_free(&servers, &n_servers);
	str_list_free(&domains, &n_domains);
	return rc;
}

int dns_set(enum dns_manager m, int state_fd, const struct dns_conf *conf, struct err *e)
{
	switch (m) {
	case DNS_NONE:
		return 0;
	case DNS_RESOLVCONF:
		return resolvconf_set(conf, e);
	case DNS_RESOLVED:
		return resolved_set(conf, e);
	case DNS_FILE:
		return dns_file_set(state_fd, conf, e);
	}
	return err_say(e, EINVAL, "unknown manager of names");
}

int dns_unset(enum dns_manager m, int state_fd, const char *ifname, struct err *e)
{
	switch (m) {
	case DNS_NONE:
		return 0;
	case DNS_RESOLVCONF:
		return resolvconf_unset(ifname, e);
	case DNS_RESOLVED:
		return resolved_unset(ifname, e);
	case DNS_FILE:
		return dns_file_unset(state_fd, e);
	}
	return err_say(e, EINVAL, "unknown manager of names");
}
