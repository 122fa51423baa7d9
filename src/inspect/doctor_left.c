// SPDX-License-Identifier: GPL-2.0-or-later
/* things of ours that no tunnel explains */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "doctor_internal.h"
#include "wgns/backend.h"
#include "wgns/fd.h"
#include "wgns/state.h"
#include "wgns/str.h"

#define SOCKET_DIR "/run/wireguard"
#define TABLE "wgns"

int doctor_add_left(struct doctor_state *s, struct err *e, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* cut where it is too long */
	va_end(ap);
	if (str_list_add(&s->left, &s->n_left, text, strlen(text)) < 0)
		return err_set(e, ENOMEM, "look for what is left");
	return 0;
}

/* a device that was never renamed: its tunnel's `up` died between two steps */
static int find_devices(const struct host *host, struct doctor_state *s, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < host->links.n; i++) {
		const struct rtnl_link *link = &host->links.items[i];
		bool is_tunnel =
			strcmp(link->kind, "tun") == 0 || strcmp(link->kind, "wireguard") == 0;
		if (is_tunnel && backend_is_birth_name(link->name))
			rc = doctor_add_left(s, e, "the device %s", link->name);
	}
	return rc;
}

static int find_boxes(int run_fd, struct doctor_state *s, struct err *e)
{
	struct err ignored; /* there is none */
	AUTO_FD int fd = run_fd < 0 ? -1 : state_openat(run_fd, "box/physical", O_PATH, &ignored);

	if (fd < 0)
		return 0;
	return doctor_add_left(s, e, "the folder " STATE_DIR "/box/physical");
}

/* proc_pid_mountinfo(5): a pin of `up` is the folder mounted onto itself, so that root and place have the same end */
static bool is_pin(const char *root, const char *place)
{
	size_t root_len = strlen(root), place_len = strlen(place);

	for (size_t i = 0; i < PLAN_N_FOLDERS; i++) {
		if (!plan_folders[i].is_parent && strcmp(plan_folders[i].path, place) == 0)
			return root_len > 1 && root_len <= place_len &&
			       strcmp(place + place_len - root_len, root) == 0;
	}
	return strncmp(place, STATE_DIR "/", sizeof(STATE_DIR)) == 0;
}

static int find_mounts(struct doctor_state *s, struct err *e)
{
	AUTO_FREE char *text = doctor_read_text("/proc/self/mountinfo");
	char root[512], place[512], *rest = text;
	int rc = 0;

	for (char *line = text ? strsep(&rest, "\n") : NULL; rc == 0 && line;
	     line = strsep(&rest, "\n")) {
		if (sscanf(line, "%*s %*s %*s %511s %511s", root, place) == 2 &&
		    is_pin(root, place))
			rc = doctor_add_left(s, e, "the mount on %s", place);
	}
	return rc;
}

static int look_at_table(const struct nlmsghdr *reply, void *ctx, struct err *e)
{
	const struct nlattr *tb[NFTA_TABLE_NAME + 1];
	char name[64];

	(void)e; /* a table without a name is not ours */
	if (nl_attr_table(reply, sizeof(struct nfgenmsg), tb, NFTA_TABLE_NAME) == 0 &&
	    nl_attr_text(tb[NFTA_TABLE_NAME], name, sizeof(name)) && strcmp(name, TABLE) == 0)
		*(bool *)ctx = true;
	return 0;
}

/* KillSwitch = boot keeps it on purpose; asked for only where that loads no module */
static int find_table(const struct doctor_request *rq, struct doctor_state *s, struct err *e)
{
	AUTO_NL struct nl *nl = NULL;
	bool is_there = false;
	struct err ignored; /* no nf_tables, no table */
	struct nl_msg m;

	if (rq->settings->kill_switch == KILL_SWITCH_BOOT ||
	    (access("/sys/module/nf_tables", F_OK) < 0 &&
	     doctor_find_module("nf_tables") == DOCTOR_LOADABLE) ||
	    nl_open_in(NETLINK_NETFILTER, -1, &nl, &ignored) < 0)
		return 0;
	doctor_build_tables(&m);
	if (nl_dump(nl, &m, look_at_table, NULL, &is_there, &ignored) < 0 || !is_there)
		return 0;
	return doctor_add_left(s, e, "the nftables table inet " TABLE);
}

int doctor_read_left(const struct doctor_request *rq, int run_fd, const struct host *host,
		     struct doctor_state *s, struct err *e)
{
	int rc = find_devices(host, s, e);

	/* a tunnel that is there, in whatever state, has all of these, and `down` knows them */
	if (rc == 0 && !s->has_tunnels)
		rc = find_boxes(run_fd, s, e);
	if (rc == 0 && !s->has_tunnels)
		rc = find_mounts(s, e);
	if (rc == 0 && !s->has_tunnels)
		rc = find_table(rq, s, e);
	return rc;
}
