/* SPDX-License-Identifier: GPL-2.0-or-later */
/* enter - into a box, give up everything, become the program; see cmd/enter.c */
#ifndef WGNS_ENTER_H
#define WGNS_ENTER_H

/**
 * enter - never returns: this process becomes the program, or ends with 125, 126 or 127 after a
 * message on stderr
 * @box:  a name below /run/wgns/box, or "home": then nothing is entered, only dropped
 * @uid:  decimal, for root only; "-" for who we are. The groups already are those of the program.
 * @argv: the program and its arguments
 */
_Noreturn void enter(const char *box, const char *uid, char **argv);

#endif
