// SPDX-License-Identifier: GPL-2.0-or-later
/* texts of proc(5) and files: pure */
#include <ctype.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/key.h"
#include "wgns/verify.h"

#define NAMED_MAX 8 /* capabilities that a person reads one by one; more are counted */

/* "sk RefCnt Type Proto Iface R Rmem User Inode", net/packet/af_packet.c */
int verify_parse_packet(const char *line, struct verify_socket *out)
{
	struct verify_socket s = { 0 };

	if (sscanf(line, "%*s %*d %*d %*x %d %*d %*u %*u %llu", &s.ifindex, &s.inode) != 2)
		return -EINVAL;
	*out = s;
	return 0;
}

static bool take_hex(const char *text, const char *key, uint64_t *out)
{
	const char *line = strstr(text, key);
	unsigned long long value;

	if (!line || sscanf(line + strlen(key), " %llx", &value) != 1)
		return false;
	*out = value;
	return true;
}

struct verify_caps verify_parse_status(const char *text)
{
	struct verify_caps c = { 0 };
	uint64_t no_new_privs = 0;

	/* newlines in Name: are escaped, so that a key stands at the beginning of its line */
	c.is_known = take_hex(text, "\nCapInh:", &c.inheritable) &&
		     take_hex(text, "\nCapPrm:", &c.permitted) &&
		     take_hex(text, "\nCapEff:", &c.effective) &&
		     take_hex(text, "\nCapAmb:", &c.ambient) &&
		     take_hex(text, "\nNoNewPrivs:", &no_new_privs);
	c.has_no_new_privs = no_new_privs == 1;
	return c;
}

/* "ID PARENT MAJOR:MINOR ROOT MOUNT-POINT OPTIONS [TAG]... - TYPE SOURCE SUPER-OPTIONS"; the words are cut in place */
struct mount_line {
	const char *root, *place, *flags, *type, *options;
};

static bool split_mount(char *line, struct mount_line *out)
{
	char *words[6], *separator = strstr(line, " - ");

	if (!separator)
		return false;
	*separator = '\0';
	char *rest = separator + 3;
	out->type = strsep(&rest, " ");
	(void)strsep(&rest, " "); /* the source is anybody's word */
	out->options = rest ? rest : "";
	rest = line;
	for (size_t i = 0; i < 6; i++) {
		words[i] = strsep(&rest, " ");
		if (!words[i])
			return false;
	}
	out->root = words[3];
	out->place = words[4];
	out->flags = words[5];
	return true;
}

/* "...,lowerdir=/run/wgns/box/physical/etc:/etc" or, by the newer way to mount, "lowerdir+=/run/wgns/box/physical/etc" */
static bool is_overlay_of(const struct mount_line *m, const char *box)
{
	size_t len = strlen(box);

	if (strcmp(m->type, "overlay") != 0)
		return false;
	const char *lower = strstr(m->options, "lowerdir");
	if (!lower)
		return false;
	lower += strlen("lowerdir");
	lower += *lower == '+';
	return *lower == '=' && strncmp(lower + 1, box, len) == 0 &&
	       strncmp(lower + 1 + len, "/etc", 4) == 0 && strchr(":,", lower[1 + len + 4]);
}

/*
 * An empty file system of the helper's, or what systemd's InaccessiblePaths= binds there. The host's own folder is bound onto
 * itself, which is neither.
 */
static bool is_mask(const struct mount_line *m)
{
	if (strstr(m->root, "/systemd/inaccessible/"))
		return true;
	return strcmp(m->type, "tmpfs") == 0 && strcmp(m->root, "/") == 0 &&
	       strncmp(m->flags, "ro", 2) == 0;
}

struct verify_mounts verify_parse_mounts(char *text, const char *box)
{
	struct verify_mounts found = { .is_known = true };
	struct mount_line m;
	char *rest = text;

	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		if (!split_mount(line, &m))
			continue;
		if (strcmp(m.place, "/etc") == 0)
			found.has_etc = is_overlay_of(&m, box);
		else if (strcmp(m.place, "/run/nscd") == 0)
			found.has_nscd = is_mask(&m);
		else if (strcmp(m.place, "/run/systemd/resolve") == 0)
			found.has_resolve = is_mask(&m);
	}
	return found;
}

void verify_parse_resolv(char *text, struct verify_resolv *out)
{
	char *rest = text;

	out->is_there = true;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		char server[ADDR_TEXT_MAX];

		line += strspn(line, " \t");
		if (sscanf(line, "nameserver %63s", server) != 1 ||
		    out->n_servers == VERIFY_SERVERS_MAX)
			continue;
		/* a scope, "fe80::1%eth0", is no part of the address */
		if (addr_parse(server, strcspn(server, "%"), &out->servers[out->n_servers]) == 0)
			out->n_servers++;
	}
}

static uint32_t read_le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

struct verify_file_caps verify_parse_file_caps(const uint8_t *bytes, size_t len)
{
	struct verify_file_caps c = { .is_there = true };
	uint32_t magic = len >= 4 ? read_le32(bytes) : 0;
	uint32_t revision = magic & VFS_CAP_REVISION_MASK;

	/* revision 1 is of Linux before 2.6.25 */
	if ((revision == VFS_CAP_REVISION_2 && len == XATTR_CAPS_SZ_2) ||
	    (revision == VFS_CAP_REVISION_3 && len == XATTR_CAPS_SZ_3)) {
		c.is_effective = magic & VFS_CAP_FLAGS_EFFECTIVE;
		c.permitted = read_le32(bytes + 4) | (uint64_t)read_le32(bytes + 12) << 32;
		c.inheritable = read_le32(bytes + 8) | (uint64_t)read_le32(bytes + 16) << 32;
	} else {
		c.is_damaged = true;
	}
	return c;
}

static bool is_digit64(char c)
{
	return isalnum((unsigned char)c) || c == '+' || c == '/';
}

bool verify_has_key(const char *bytes, size_t len)
{
	size_t run = 0;

	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '=' && run == KEY_BASE64_LEN - 1 &&
		    (i + 1 == len || (bytes[i + 1] != '=' && !is_digit64(bytes[i + 1]))))
			return true;
		run = is_digit64(bytes[i]) ? run + 1 : 0;
	}
	return false;
}

/* "sl local_address rem_address st ...": "3: 00000000:CA6C ..."; proc_net_tcp */
bool verify_has_udp_port(char *text, uint16_t port)
{
	char *rest = text;
	unsigned found;

	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x", &found) == 1 && found == port)
			return true;
	}
	return false;
}

void verify_cap_names(uint64_t caps, char *out, size_t cap)
{
	static const char *const names[] = {
		"chown",
		"dac_override",
		"dac_read_search",
		"fowner",
		"fsetid",
		"kill",
		"setgid",
		"setuid",
		"setpcap",
		"linux_immutable",
		"net_bind_service",
		"net_broadcast",
		"net_admin",
		"net_raw",
		"ipc_lock",
		"ipc_owner",
		"sys_module",
		"sys_rawio",
		"sys_chroot",
		"sys_ptrace",
		"sys_pacct",
		"sys_admin",
		"sys_boot",
		"sys_nice",
		"sys_resource",
		"sys_time",
		"sys_tty_config",
		"mknod",
		"lease",
		"audit_write",
		"audit_control",
		"setfcap",
		"mac_override",
		"mac_admin",
		"syslog",
		"wake_alarm",
		"block_suspend",
		"audit_read",
		"perfmon",
		"bpf",
		"checkpoint_restore",
	};
	const size_t n_names = sizeof(names) / sizeof(names[0]);
	size_t used = 0;

	out[0] = '\0';
	int n_caps = __builtin_popcountll(caps);
	if (n_caps > NAMED_MAX) {
		(void)snprintf(out, cap, "%d capabilities%s", n_caps,
			       caps >> CAP_SYS_ADMIN & 1 ? ", cap_sys_admin among them" : "");
		return;
	}
	for (unsigned i = 0; i < 64; i++) {
		char number[16];
		if (!(caps >> i & 1))
			continue;
		(void)snprintf(number, sizeof(number), "%u", i);
		int n = snprintf(out + used, cap - used, "%scap_%s", used ? ", " : "",
				 i < n_names ? names[i] : number);
		if (n < 0 || (size_t)n >= cap - used)
			return; /* cut */
		used += (size_t)n;
	}
}
