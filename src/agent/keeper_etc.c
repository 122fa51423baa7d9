// SPDX-License-Identifier: GPL-2.0-or-later
/* the agent's own /etc: hooks are written into it, and what the agent writes is read */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keeper_internal.h"
#include "wgns/agentpublish.h"
#include "wgns/fd.h"
#include "wgns/leasetext.h"

#define HOOK_MAX (1u << 20)
#define LEASE_PREFIX "wgns.lease."

/* behind what is there already */
static int append(const char *path, const char *text, size_t len, struct err *e)
{
	AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0)
		return err_set(e, errno, "write the agent's %s", path);
	return fd_write_all(fd, text, len, path, e);
}

static int append_hook(const struct keeper *k, const char *name, const char *path, struct err *e)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	AUTO_FD int dir_fd = open(k->options->script_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return err_set(e, errno, "open %s", k->options->script_dir);
	int rc = fd_read_file_at(dir_fd, name, HOOK_MAX, &text, &len, e);
	return rc < 0 ? err_context(e, "%s/%s", k->options->script_dir, name)
		      : append(path, text, len, e);
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* What asks for the option of RFC 8910, and where. */
struct portal {
	const char *option; /* that names the configuration; the last one counts */
	const char *conf; /* without it */
	const char *first, *last; /* in front of what is there, and behind it */
};
/* the last `request` of dhclient.conf(5) counts; the end of dhcpcd.conf(5) may belong to one device */
static const struct portal for_dhclient = { "-cf", "/etc/dhcp/dhclient.conf", "",
					    "\noption wgns-portal code 114 = text;\n"
					    "also request wgns-portal;\n" };
static const struct portal for_dhcpcd = { "-f", "/etc/dhcpcd.conf",
					  "define 114 string wgns_portal\noption wgns_portal\n",
					  "" };

/* a configuration outside of /etc stays as it is */
static int ask_for_portal(const struct child *child, const struct portal *portal, struct err *e)
{
	const char *conf = portal->conf;
	AUTO_STRBUF struct strbuf all = { 0 };
	AUTO_FREE char *old = NULL;
	struct err ignored; /* there is none */
	size_t len;

	for (size_t i = 0; i + 1 < child->argv.argc; i++) {
		if (strcmp(child->argv.argv[i], portal->option) == 0)
			conf = child->argv.argv[i + 1];
	}
	if (strncmp(conf, "/etc/", 5) != 0 || strstr(conf, "/../"))
		return 0;
	strbuf_addf(&all, "%s", portal->first);
	if (fd_read_file_at(AT_FDCWD, conf, HOOK_MAX, &old, &len, &ignored) == 0)
		strbuf_add(&all, old, len);
	strbuf_addf(&all, "%s", portal->last);
	if (all.is_failed)
		return err_set(e, ENOMEM, "write the agent's %s", conf);
	const char *name = strrchr(conf, '/') + 1;
	char folder[PATH_MAX];
	(void)snprintf(folder, sizeof(folder), "%.*s", (int)(name - conf), conf);
	AUTO_FD int dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return err_set(e, errno, "open the agent's %s", folder);
	return fd_replace_file_at(dir_fd, name, all.s, all.len, 0644, e);
}

static int write_dhclient(const struct keeper *k, struct err *e)
{
	static const char folder[] = "/etc/dhcp/dhclient-enter-hooks.d";
	int rc = 0;

	if (!is_folder("/etc/dhcp") && mkdir("/etc/dhcp", 0755) < 0)
		return err_set(e, errno, "make the agent's /etc/dhcp");
	/* Debian has a folder, whose last hook has the last word */
	if (is_folder(folder))
		rc = append_hook(k, "dhclient-enter", "/etc/dhcp/dhclient-enter-hooks.d/zz-wgns",
				 e);
	else
		rc = append_hook(k, "dhclient-enter", "/etc/dhcp/dhclient-enter-hooks", e);
	if (rc == 0)
		rc = append_hook(k, "dhclient-exit", "/etc/dhcp/dhclient-exit-hooks", e);
	for (size_t i = 0; rc == 0 && i < k->n; i++)
		rc = ask_for_portal(&k->children[i], &for_dhclient, e);
	return rc;
}

int keeper_write_hooks(const struct keeper *k, struct err *e)
{
	if (strcmp(k->run.program, "dhclient") == 0)
		return write_dhclient(k, e);
	if (strcmp(k->run.program, "dhcpcd") != 0)
		return 0;
	int rc = append_hook(k, "dhcpcd-enter", "/etc/dhcpcd.enter-hook", e);
	if (rc == 0)
		rc = append_hook(k, "dhcpcd-exit", "/etc/dhcpcd.exit-hook", e);
	for (size_t i = 0; rc == 0 && i < k->n; i++)
		rc = ask_for_portal(&k->children[i], &for_dhcpcd, e);
	return rc;
}

/* Return: 1 and the text, 0 when there is none; a longer file is none */
static int read_own(const char *path, char **text, size_t *len)
{
	struct err ignored; /* there is nothing to read */
	struct stat st;

	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	return fd_read_all(fd, LEASETEXT_MAX, text, len, path, &ignored) == 0;
}

static void read_resolv(struct keeper *k)
{
	AUTO_FREE char *text = NULL;
	struct err why;
	size_t len;

	if (!read_own("/etc/resolv.conf", &text, &len))
		keeper_log(k, "the agent's resolv.conf is too long or no file: it is left out");
	else if (agentpublish_resolv(k->run_fd, k->options->name, text, len, &why) < 0)
		keeper_log(k, "%s", why.text);
}

static bool is_device_name(const char *name)
{
	return *name && strlen(name) < IFNAMSIZ && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0 && !strpbrk(name, "/: \t\r\n");
}

static void read_lease(struct keeper *k, const char *device)
{
	char path[sizeof("/etc/" LEASE_PREFIX) + IFNAMSIZ];
	AUTO_FREE char *text = NULL;
	struct leasetext lease;
	struct err why;
	size_t len;

	/* an agent of one device has nothing to say of another one */
	if (!is_device_name(device) || (!k->is_all && strcmp(device, k->run.device) != 0))
		return;
	(void)snprintf(path, sizeof(path), "/etc/" LEASE_PREFIX "%s", device);
	bool has_lease = read_own(path, &text, &len);
	if (agentpublish_lease(k->run_fd, device, has_lease ? text : NULL, has_lease ? len : 0,
			       &why) < 0)
		keeper_log(k, "%s", why.text);
	if (!has_lease)
		return;
	leasetext_read(text, len, &lease);
	if (lease.address[0])
		keeper_drop_carried(k, lease.address);
}

void keeper_forget_lease(struct keeper *k)
{
	char path[sizeof("/etc/" LEASE_PREFIX) + IFNAMSIZ];
	struct err why;

	/* the hooks look whether there is one */
	(void)snprintf(path, sizeof(path), "/etc/" LEASE_PREFIX "%s", k->run.device);
	if (unlink(path) < 0 && errno != ENOENT)
		keeper_log(k, "%s cannot be removed", path);
	if (agentpublish_lease(k->run_fd, k->run.device, NULL, 0, &why) < 0)
		keeper_log(k, "%s", why.text);
	if (agentpublish_resolv(k->run_fd, k->options->name, "", 0, &why) < 0)
		keeper_log(k, "%s", why.text);
}

void keeper_read_etc(struct keeper *k, const char *name)
{
	if (!k->is_device_there)
		return; /* said before it had gone */
	if (strcmp(name, "resolv.conf") == 0)
		read_resolv(k);
	else if (strncmp(name, LEASE_PREFIX, sizeof(LEASE_PREFIX) - 1) == 0)
		read_lease(k, name + sizeof(LEASE_PREFIX) - 1);
}
