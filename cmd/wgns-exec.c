// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * wgns-exec - the helper of wgns exec
 *
 * usage: wgns-exec BOX UID PROGRAM [ARG...]
 *
 * wgns(8) calls it with exactly this list; cmd/enter.c says what the words mean and does the work.
 */
#include <stdio.h>
#include <unistd.h>

#include "enter.h"

int main(int argc, char **argv)
{
	if (argc < 4) {
		(void)dprintf(STDERR_FILENO, "usage: wgns-exec BOX UID PROGRAM [ARG...]\n");
		return 125;
	}
	enter(argv[1], argv[2], argv + 3);
}
