/* SPDX-License-Identifier: GPL-2.0-or-later */
/* what the parts of dns share */
#ifndef DNS_INTERNAL_H
#define DNS_INTERNAL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "wgns/dns.h"
#include "wgns/tool.h"

#define DNS_ETC "/etc"
#define DNS_FILE_NAME "resolv.conf"
#define DNS_ASIDE_NAME ".resolv.conf.wgns" /* what was there before the first tunnel */
#define DNS_TEXT_MAX 65536 /* glibc reads no line longer than BUFSIZ; no real file comes near */

#define DNS_ARGS_MAX TOOL_ARGS_MAX /* of a program that dns_run() starts */

/** dns_find_program - an executable file of that name in the directories of the system; Return: 0 or -ENOENT */
int dns_find_program(const char *name, char path[PATH_MAX]);
/**
 * dns_run - run a program with a fixed environment and wait for it
 * @argv: argv[0] is an absolute path; at most DNS_ARGS_MAX, and NULL
 * @input: what it reads from its standard input, or NULL
 *
 * Return: 0; -EIO with the last line of its stderr when its status is not 0; -ETIMEDOUT; -errno
 */
int dns_run(const char *const *argv, const char *input, struct err *e);

int dns_file_set(int state_fd, const struct dns_conf *conf, struct err *e);
int dns_file_unset(int state_fd, struct err *e);
/** dns_file_text - the text of resolv.conf(5) for @conf, marked as ours; owned, or NULL */
char *dns_file_text(const struct dns_conf *conf);
/**
 * dns_file_settle - make /etc/resolv.conf what it should be, whatever it is now
 * @text: what should be in force; NULL for the original
 * @can_begin: replace a file that is not ours; else that one stays
 */
int dns_file_settle(const char *text, bool can_begin, struct err *e);
/** dns_file_is_ours - did wgns write this text, and is it unchanged? */
bool dns_file_is_ours(const char *text);

#endif
