// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/nm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/str.h"
#include "wgns/tool.h"

#define ASK_WAIT_MS 20000
#define ANSWER_MAX (1u << 20)
#define FIELDS_MAX 3
#define LINE_MAX_BYTES 1024

/*
 * One line of nmcli -t: fields between colons; in a field a colon and a backslash have a backslash in front.
 * Return: how many there are, cut out of @line in place; 0 when the line is not of that form
 */
static size_t split(char *line, char *fields[FIELDS_MAX])
{
	char *from = line, *to = line;
	size_t n = 1;

	fields[0] = line;
	for (; *from; from++) {
		if (*from == ':') {
			if (n == FIELDS_MAX)
				return 0;
			*to++ = '\0';
			fields[n++] = to;
			continue;
		}
		if (*from == '\\' && !*++from)
			return 0;
		*to++ = *from;
	}
	*to = '\0';
	return n;
}

static bool is_device(const char *name)
{
	size_t len = strlen(name);

	if (!len || len >= IFNAMSIZ || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)name[i] <= ' ' || name[i] == 0x7f || name[i] == '/')
			return false;
	}
	return true;
}

/* nmcli's words for NMDeviceState: "connected", "connecting (getting IP configuration)", "connected (externally)" */
static void read_state(const char *text, struct nm_device *d)
{
	static const char *const unmanaged[] = { "unmanaged", "unknown", "connected (externally)" };

	(void)snprintf(d->state, sizeof(d->state), "%.63s", text);
	for (char *c = d->state; *c; c++) {
		if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
			*c = '?';
	}
	d->is_managed = true;
	for (size_t i = 0; i < sizeof(unmanaged) / sizeof(unmanaged[0]); i++)
		d->is_managed = d->is_managed && strcmp(text, unmanaged[i]) != 0;
	/* "(local only)", "(site only)": how far it reaches is not its matter */
	d->is_connected = d->is_managed &&
			  (strcmp(text, "connected") == 0 || strncmp(text, "connected (", 11) == 0);
}

int nm_parse_devices(const char *text, struct nm_device **out, size_t *n)
{
	AUTO_FREE char *copy = strdup(text);
	char *fields[FIELDS_MAX], *rest = copy;
	struct nm_device *list = copy ? calloc(NM_DEVICES_MAX, sizeof(*list)) : NULL;
	size_t found = 0;

	if (!list)
		return -ENOMEM;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		if (!*line)
			continue;
		if (split(line, fields) != 2 || found == NM_DEVICES_MAX) {
			free(list);
			return -EINVAL;
		}
		/* bluetooth and modems have names of another kind */
		if (!is_device(fields[0]) || strchr(fields[0], ':'))
			continue;
		(void)snprintf(list[found].name, IFNAMSIZ, "%s", fields[0]);
		read_state(fields[1], &list[found++]);
	}
	*out = list;
	*n = found;
	return 0;
}

static int ask(const char *const *argv, unsigned wait_ms, char **out, struct err *e)
{
	const char *with[TOOL_ARGS_MAX + 1] = { NULL };
	char program[PATH_MAX];
	size_t used = 0;

	if (tool_find("nmcli", program) < 0)
		return err_say(e, ENOENT, "there is no nmcli");
	with[used++] = program;
	for (size_t i = 0; argv[i] && used < TOOL_ARGS_MAX; i++)
		with[used++] = argv[i];
	const struct tool tool = { .argv = with, .wait_ms = wait_ms, .output_max = ANSWER_MAX };
	return tool_run(&tool, out, e);
}

int nm_devices(struct nm_device **out, size_t *n, struct err *e)
{
	AUTO_FREE char *text = NULL;
	int rc = ask((const char *[]){ "-t", "-f", "DEVICE,STATE", "device", NULL }, ASK_WAIT_MS,
		     &text, e);

	if (rc < 0)
		return err_context(e, "ask NetworkManager for its devices");
	rc = nm_parse_devices(text, out, n);
	return rc < 0 ? err_set(e, -rc, "read what NetworkManager says of its devices") : 0;
}

bool nm_is_uuid(const char *text)
{
	for (size_t i = 0; i < NM_UUID_MAX - 1; i++) {
		bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (is_dash ? text[i] != '-'
			    : !text[i] || !strchr("0123456789abcdefABCDEF", text[i]))
			return false;
	}
	return text[NM_UUID_MAX - 1] == '\0';
}

long nm_parse_choices(const char *text, struct nm_choice *out, size_t cap)
{
	AUTO_FREE char *copy = strdup(text);
	char *fields[FIELDS_MAX], *rest = copy;
	size_t n = 0;

	if (!copy)
		return -ENOMEM;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		if (!*line)
			continue;
		if (split(line, fields) != 3 || !nm_is_uuid(fields[0]))
			return -EINVAL;
		/* a VPN has no device of its own */
		if (strcmp(fields[2], "no") != 0 || !is_device(fields[1]) || n == cap)
			continue;
		(void)snprintf(out[n].uuid, sizeof(out[n].uuid), "%s", fields[0]);
		(void)snprintf(out[n].device, sizeof(out[n].device), "%s", fields[1]);
		n++;
	}
	return (long)n;
}

long nm_choices(struct nm_choice *out, size_t cap, struct err *e)
{
	AUTO_FREE char *text = NULL;
	int rc = ask((const char *[]){ "-t", "-f", "UUID,DEVICE,AUTOCONNECT", "connection", "show",
				       "--active", NULL },
		     ASK_WAIT_MS, &text, e);

	if (rc < 0)
		return err_context(e, "ask NetworkManager for its connections");
	long n = nm_parse_choices(text, out, cap);
	return n < 0 ? err_set(e, (int)-n, "read what NetworkManager says of its connections") : n;
}

int nm_bring_up(const struct nm_choice *choice, unsigned wait_s, struct err *e)
{
	char seconds[16];

	(void)snprintf(seconds, sizeof(seconds), "%u", wait_s);
	int rc = ask((const char *[]){ "--wait", seconds, "connection", "up", "uuid", choice->uuid,
				       "ifname", choice->device, NULL },
		     (wait_s + 10) * 1000, NULL, e);
	return rc < 0 ? err_context(e, "bring up the connection of %s again", choice->device) : 0;
}
