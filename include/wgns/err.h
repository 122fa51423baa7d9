/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * err - one error, on the caller's stack
 *
 * Every function of the library that can fail returns 0 or -errno and takes a
 * struct err as its last argument. On success the struct is untouched. Nothing
 * here allocates: an error can always be reported.
 */
#ifndef WGNS_ERR_H
#define WGNS_ERR_H

#include <stdbool.h>

/* The exit status that an error leads to; see EXIT STATUS in wgns(8). */
enum err_kind {
	ERR_KIND_FAILED = 1, /* failed, and what was begun was undone */
	ERR_KIND_USAGE = 2, /* the command line is wrong */
	ERR_KIND_STATE = 3, /* already up, not up, busy */
	ERR_KIND_REMAINS = 4, /* failed, and the undo is incomplete */
	ERR_KIND_MACHINE = 5, /* this machine cannot do it; nothing was touched */
};

struct err {
	int code; /* positive errno; 0 while nothing was set */
	enum err_kind kind;
	char text[1024]; /* what was attempted, on what, and why it failed */
	char kernel[256]; /* the kernel's own words (extended ack), or "" */
	char hint[512]; /* what the user can do about it, or "" */
};

/**
 * err_set - record that a system call or a check failed
 * @e:    filled in; kind becomes ERR_KIND_FAILED
 * @code: positive errno; its text is appended after ": "
 * @fmt:  what was attempted, on what
 *
 * Return: -@code
 */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/**
 * err_say - like err_set(), but the text stands alone, without strerror
 *
 * Return: -@code
 */
int err_say(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/**
 * err_context - put "text: " in front of what is there
 *
 * Return: -(e->code), so that a caller can `return err_context(...)`.
 */
int err_context(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** err_hint - say what the user can do about it; replaces an earlier hint */
void err_hint(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** err_kernel - keep the kernel's extended ack; control characters become '?' */
void err_kernel(struct err *e, const char *text);

/**
 * err_as - choose the exit status
 *
 * Return: -(e->code)
 */
int err_as(struct err *e, enum err_kind kind);

/**
 * err_print_to - the error as the user sees it: one line, and "  hint: ..." when there is one
 * @buf: at least ERR_LINE_MAX bytes, receives at most @cap - 1 of them and a NUL; ends without newline
 */
#define ERR_LINE_MAX 2048
void err_print_to(const struct err *e, char *buf, unsigned long cap);

#endif
