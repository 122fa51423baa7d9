// SPDX-License-Identifier: GPL-2.0-or-later
#include "ssh.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wgns/fd.h"
#include "wgns/netns.h"
#include "wgns/str.h"

#define VARIABLE "SSH_CONNECTION="
#define VARIABLE_LEN (sizeof(VARIABLE) - 1)
#define VALUE_MAX 256 /* two addresses with zones and two ports */
#define ANCESTORS_MAX 64
#define ENVIRON_MAX                                                                                \
	(8u << 20) /* a quarter of the stack's limit is what execve(2) takes; 2 MiB as a rule */

static void unmap(struct addr *a)
{
	static const uint8_t mapped[12] = {
		[10] = 0xff, [11] = 0xff
	}; /* RFC 4291, section 2.5.5.2 */
	struct addr v4 = { .family = AF_INET, .bits = 32 };

	if (a->family != AF_INET6 || memcmp(a->bytes, mapped, sizeof(mapped)) != 0)
		return;
	memcpy(v4.bytes, a->bytes + sizeof(mapped), 4);
	*a = v4;
}

/* exactly three blanks, none of them at an end */
static bool has_four_words(const char *text, size_t len)
{
	size_t n_blanks = 0;

	for (size_t i = 0; i < len; i++) {
		bool is_edge = i == 0 || i + 1 == len || text[i - 1] == ' ';
		if (text[i] == ' ' && is_edge)
			return false;
		n_blanks += text[i] == ' ';
	}
	return n_blanks == 3;
}

bool ssh_parse(const char *text, size_t len, struct change_client *out)
{
	struct change_client client = { 0 };

	if (len > VALUE_MAX || !has_four_words(text, len))
		return false;
	size_t addr_len = (size_t)((const char *)memchr(text, ' ', len) - text);
	const char *zone = memchr(text, '%', addr_len);
	if (zone) {
		size_t zone_len = addr_len - (size_t)(zone - text) - 1;
		if (!zone_len || zone_len >= sizeof(client.zone))
			return false;
		memcpy(client.zone, zone + 1, zone_len);
		addr_len = (size_t)(zone - text);
	}
	if (addr_parse(text, addr_len, &client.addr) < 0)
		return false;
	unmap(&client.addr);
	*out = client;
	return true;
}

static void add(struct change_client *out, size_t cap, size_t *n, const char *value, size_t len)
{
	struct change_client client;

	if (*n >= cap || !ssh_parse(value, len, &client))
		return;
	for (size_t i = 0; i < *n; i++) {
		if (addr_equal(&out[i].addr, &client.addr) && strcmp(out[i].zone, client.zone) == 0)
			return;
	}
	out[(*n)++] = client;
}

/* a file of /proc/PID, or NULL: the process has ended, or is none of ours to look at (a container's root) */
static char *read_proc(pid_t pid, const char *name, size_t max, size_t *len)
{
	char path[64], *text = NULL;
	struct err ignored;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return fd_read_file_at(AT_FDCWD, path, max, &text, len, &ignored) < 0 ? NULL : text;
}

/* environ(7) as it was at execve(2): strings, each with a NUL */
static void add_of(pid_t pid, struct change_client *out, size_t cap, size_t *n)
{
	size_t len = 0;
	char *text = read_proc(pid, "environ", ENVIRON_MAX, &len);

	for (size_t at = 0; text && at < len;) {
		size_t one = strnlen(text + at, len - at);
		if (one > VARIABLE_LEN && memcmp(text + at, VARIABLE, VARIABLE_LEN) == 0)
			add(out, cap, n, text + at + VARIABLE_LEN, one - VARIABLE_LEN);
		at += one + 1;
	}
	if (text)
		str_wipe(text, len); /* people keep passwords there */
	free(text);
}

size_t ssh_find(struct change_client *out, size_t cap)
{
	const char *own = getenv("SSH_CONNECTION");
	pid_t pid = getppid();
	size_t n = 0;

	if (own)
		add(out, cap, &n, own, strnlen(own, VALUE_MAX + 1));
	for (int i = 0; pid > 0 && i < ANCESTORS_MAX; i++) {
		add_of(pid, out, cap, &n);
		pid = proc_parent(pid);
	}
	return n;
}
