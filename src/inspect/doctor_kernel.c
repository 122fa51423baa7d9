// SPDX-License-Identifier: GPL-2.0-or-later
/* the kernel: its release, and what of it is there, is a module, or is not there */
#include "doctor_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/wireguard.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "wgns/backend.h"
#include "wgns/doctor.h"
#include "wgns/fd.h"
#include "wgns/str.h"
#include "wgns/wgnl.h"

#define MODULES_MAX (1u << 23) /* modules.dep of Debian has 700 KiB */

/* @text must not change; Return: the end of the line that begins at @line */
static const char *end_of_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end ? end : line + strlen(line);
}

bool doctor_has_module(const char *text, const char *name)
{
	size_t name_len = strlen(name);

	for (const char *line = text; *line;) {
		const char *end = end_of_line(line);
		const char *colon = memchr(line, ':', (size_t)(end - line));
		const char *slash = memrchr(line, '/', (size_t)((colon ? colon : end) - line));
		const char *base = slash ? slash + 1 : line;
		if ((size_t)(end - base) >= name_len + 3 && memcmp(base, name, name_len) == 0 &&
		    memcmp(base + name_len, ".ko", 3) == 0)
			return true;
		line = *end ? end + 1 : end;
	}
	return false;
}

/* Return: true when modules.dep or modules.builtin of the running kernel has it */
static bool is_in_list(const char *list, const char *name)
{
	struct utsname u;
	AUTO_FREE char *text = NULL;
	char path[sizeof(u.release) + 64];
	struct err ignored; /* no list, no modules: a kernel that has all built in */
	size_t len;

	if (uname(&u) < 0)
		return false;
	(void)snprintf(path, sizeof(path), "/lib/modules/%s/%s", u.release, list);
	return fd_read_file_at(AT_FDCWD, path, MODULES_MAX, &text, &len, &ignored) == 0 &&
	       doctor_has_module(text, name);
}

enum doctor_have doctor_find_module(const char *name)
{
	if (is_in_list("modules.builtin", name))
		return DOCTOR_THERE;
	return is_in_list("modules.dep", name) ? DOCTOR_LOADABLE : DOCTOR_ABSENT;
}

/* proc_filesystems(5): "nodev\toverlay" */
static enum doctor_have find_overlay(void)
{
	AUTO_FREE char *text = NULL;
	struct err ignored;
	size_t len;

	if (fd_read_file_at(AT_FDCWD, "/proc/filesystems", MODULES_MAX, &text, &len, &ignored) < 0)
		return DOCTOR_UNSURE;
	return strstr(text, "\toverlay\n") ? DOCTOR_THERE : doctor_find_module("overlay");
}

void doctor_build_tables(struct nl_msg *m)
{
	struct nfgenmsg *nfg = nl_msg_begin(m, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE,
					    NLM_F_DUMP, sizeof(*nfg));

	nfg->nfgen_family = NFPROTO_INET;
}

static int ignore(const struct nlmsghdr *reply, void *ctx, struct err *e)
{
	(void)reply;
	(void)ctx;
	(void)e;
	return 0; /* any answer will do */
}

/*
 * Asking nfnetlink for a subsystem loads the module where there is one (nfnetlink_rcv_msg() of Linux); therefore the lists are
 * asked first. It answers to CAP_NET_ADMIN only.
 */
static enum doctor_have find_nf_tables(void)
{
	AUTO_NL struct nl *nl = NULL;
	struct nl_msg m;
	struct err e;

	if (access("/sys/module/nf_tables", F_OK) == 0)
		return DOCTOR_THERE;
	enum doctor_have have = doctor_find_module("nf_tables");
	if (have != DOCTOR_ABSENT)
		return have;
	if (nl_open_in(NETLINK_NETFILTER, -1, &nl, &e) < 0)
		return e.code == EPROTONOSUPPORT ? DOCTOR_ABSENT : DOCTOR_UNSURE;
	doctor_build_tables(&m);
	int rc = nl_dump(nl, &m, ignore, NULL, NULL, &e);
	if (rc == -EPERM)
		return DOCTOR_UNSURE;
	return rc == 0 ? DOCTOR_THERE : DOCTOR_ABSENT;
}

void doctor_read_kernel(const struct wgnsconf *settings, struct doctor_kernel *out)
{
	struct utsname u = { 0 };

	(void)uname(&u); /* fails only for a wrong address */
	*out = (struct doctor_kernel){ .overlay = find_overlay(),
				       .nf_tables = find_nf_tables(),
				       .has_guard = settings->kill_switch != KILL_SWITCH_NO };
	(void)snprintf(out->release, sizeof(out->release), "%.64s", u.release);
}

/* a list of the families is asked for, and the list of modules: looking one up by name would load it */
static enum doctor_have find_wireguard(void)
{
	AUTO_NL struct nl *genl = NULL;
	struct err ignored;

	if (nl_open_in(NETLINK_GENERIC, -1, &genl, &ignored) == 0 &&
	    genl_is_registered(genl, WG_GENL_NAME, &ignored) > 0)
		return DOCTOR_THERE;
	return doctor_find_module("wireguard");
}

void doctor_read_tunnel(const struct wgnsconf *settings, struct doctor_tunnel *out)
{
	const struct backend *backend;
	struct backend_device dev = { 0 };

	*out = (struct doctor_tunnel){ .kernel = find_wireguard(), .is_root = geteuid() == 0 };
	(void)snprintf(dev.daemon, sizeof(dev.daemon), "%s", settings->daemon);
	if (out->kernel == DOCTOR_LOADABLE && strcmp(settings->backend, "userspace") != 0) {
		out->can = true;
		(void)snprintf(out->why, sizeof(out->why), "kernel WireGuard; up loads its module");
		return;
	}
	out->can = backend_choose(settings->backend, &dev, &backend, out->why, &out->refusal) == 0;
}
