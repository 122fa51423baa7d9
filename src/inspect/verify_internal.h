/* SPDX-License-Identifier: GPL-2.0-or-later */
/* what the gatherers share, and what the judges share */
#ifndef VERIFY_INTERNAL_H
#define VERIFY_INTERNAL_H

#include "wgns/verify.h"

#define VERIFY_BOX "physical"
#define VERIFY_BOX_DIR STATE_DIR "/box/" VERIFY_BOX
#define VERIFY_NETNS_PATH "/run/netns/" VERIFY_BOX
#define VERIFY_TEXT_MAX (1u << 20)

struct gather {
	const struct verify_request *rq;
	struct verify_facts *f;
	int run_fd, home_fd;
	int physical_fd; /* -1: nothing leads there */
};

/* verify_files.c: modes, names, pins */
void verify_gather_files(struct gather *g);
/** verify_read_file - owner and mode, without following a symlink; absent is no problem */
struct verify_file verify_read_file(int dir_fd, const char *path);
/** verify_problem - keep the words of an error */
void verify_problem(char out[VERIFY_PROBLEM_MAX], const struct err *e);
/* verify_tunnel.c: records and devices of the tunnels, and the layout's records */
void verify_gather_tunnels(struct gather *g);
/* verify_guard.c: the tables of nftables; records and namespaces are known */
void verify_gather_guards(struct gather *g);
/* verify_procs.c: who is in physical, who holds packet sockets in home */
int verify_gather_procs(struct gather *g, struct err *e);

/* the judges, each of one or more findings */
void verify_judge_home(const struct verify_facts *f, struct findings *out);
void verify_judge_guards(const struct verify_facts *f, struct findings *out);
void verify_judge_names(const struct verify_facts *f, struct findings *out);
void verify_judge_procs(const struct verify_facts *f, struct findings *out);
void verify_judge_state(const struct verify_facts *f, struct findings *out);
void verify_judge_tunnels(const struct verify_facts *f, struct findings *out);

/** verify_why_out - why packets that leave home by this device go past the tunnels; "" when they do not */
#define VERIFY_WHY_MAX 512
void verify_why_out(const struct verify_facts *f, const struct rtnl_link *link,
		    char out[VERIFY_WHY_MAX]);
/** verify_is_lan - home's end of the pair of `Lan = yes` */
bool verify_is_lan(const struct verify_facts *f, const struct rtnl_link *link);

/** verify_need_root - who could look: for findings that want root; adds the detail. Return: is the caller root? */
bool verify_need_root(const struct verify_facts *f, struct findings *out);

#endif
