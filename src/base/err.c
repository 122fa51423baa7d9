// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* a message that is too long is cut: the beginning says what was attempted */
static void __attribute__((format(printf, 3, 0)))
fill(char *buf, size_t cap, const char *fmt, va_list ap)
{
	if (vsnprintf(buf, cap, fmt, ap) < 0)
		buf[0] = '\0';
}

static void __attribute__((format(printf, 3, 0)))
begin(struct err *e, int code, const char *fmt, va_list ap)
{
	*e = (struct err){ .code = code ? code : EIO, .kind = ERR_KIND_FAILED };
	fill(e->text, sizeof(e->text), fmt, ap);
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	begin(e, code, fmt, ap);
	va_end(ap);

	size_t len = strlen(e->text);
	(void)snprintf(e->text + len, sizeof(e->text) - len, ": %s", strerror(e->code));
	return -e->code;
}

int err_say(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	begin(e, code, fmt, ap);
	va_end(ap);
	return -e->code;
}

int err_context(struct err *e, const char *fmt, ...)
{
	char old[sizeof(e->text)];
	va_list ap;

	memcpy(old, e->text, sizeof(old));
	va_start(ap, fmt);
	fill(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);

	size_t len = strlen(e->text);
	(void)snprintf(e->text + len, sizeof(e->text) - len, ": %s", old);
	return -e->code;
}

void err_hint(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(e->hint, sizeof(e->hint), fmt, ap);
	va_end(ap);
}

void err_kernel(struct err *e, const char *text)
{
	(void)snprintf(e->kernel, sizeof(e->kernel), "%s", text);
	for (char *c = e->kernel; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	}
}

int err_as(struct err *e, enum err_kind kind)
{
	e->kind = kind;
	return -e->code;
}

void err_print_to(const struct err *e, char *buf, unsigned long cap)
{
	(void)snprintf(buf, cap, "%s%s%s%s%s%s", e->text, e->kernel[0] ? " (kernel: \"" : "",
		       e->kernel, e->kernel[0] ? "\")" : "", e->hint[0] ? "\n  hint: " : "",
		       e->hint);
}
