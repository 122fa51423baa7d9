/* SPDX-License-Identifier: GPL-2.0-or-later */
/* what the parts of doctor share */
#ifndef WGNS_DOCTOR_INTERNAL_H
#define WGNS_DOCTOR_INTERNAL_H

#include "wgns/doctor.h"

#define DOCTOR_AS_ROOT "sudo wgns doctor" /* the hint for what only root can look at */

/** doctor_find_module - in the lists of modules that came with the running kernel; nothing is loaded */
enum doctor_have doctor_find_module(const char *name);

/** doctor_build_tables - the request for all nftables tables of family inet (linux/netfilter/nf_tables.h) */
void doctor_build_tables(struct nl_msg *m);

/** doctor_read_text - a small file, symlinks followed; owned, or NULL when it cannot be read */
char *doctor_read_text(const char *path);

/** doctor_add_refusal - what `up` would say, in its words, with its hint */
void doctor_add_refusal(struct findings *out, const struct err *e);

/* of struct doctor_state */
int doctor_read_files(const struct doctor_request *rq, struct doctor_state *s, struct err *e);
/** doctor_read_left - what no tunnel explains; @run_fd: /run/wgns or -1 */
int doctor_read_left(const struct doctor_request *rq, int run_fd, const struct host *host,
		     struct doctor_state *s, struct err *e);
/** doctor_add_left - one more thing that is left; Return: 0 or -ENOMEM in @e */
int doctor_add_left(struct doctor_state *s, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
