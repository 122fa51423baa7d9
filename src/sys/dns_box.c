// SPDX-License-Identifier: GPL-2.0-or-later
/* what a box resolves with, made of home's files */
#include "dns_internal.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wgns/fd.h"
#include "wgns/str.h"

#define WARNING_MAX 256
/* the servers that resolved itself asks; systemd-resolved.service(8) */
#define RESOLVED_UPSTREAM "/run/systemd/resolve/resolv.conf"

/* symlinks are followed: /etc/resolv.conf is often one; NULL when it cannot be read */
static char *read_text(const char *path)
{
	char *text = NULL;
	struct err ignored; /* the caller says what it means */
	size_t len;
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || fd_read_all(fd, DNS_TEXT_MAX, &text, &len, path, &ignored) < 0)
		return NULL;
	return text;
}

/* this machine itself: loopback, or "any", which the kernel takes for it */
static bool is_local_server(const char *server)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (inet_pton(AF_INET, server, &v4) == 1)
		return (ntohl(v4.s_addr) >> 24) == 127 || v4.s_addr == htonl(INADDR_ANY);
	if (inet_pton(AF_INET6, server, &v6) != 1)
		return false;
	return IN6_IS_ADDR_LOOPBACK(&v6) || IN6_IS_ADDR_UNSPECIFIED(&v6) ||
	       (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
}

static bool is_stub(const char *server)
{
	return strcmp(server, "127.0.0.53") == 0 || strcmp(server, "127.0.0.54") == 0;
}

struct filtered {
	struct strbuf out;
	size_t n_servers;
	bool has_stub;
	char passed_over[64]; /* the first server that is of no use in a box */
};

/* keep the servers that can be reached from elsewhere, and search, domain, options, sortlist */
static void filter(char *text, struct filtered *f)
{
	char *rest = text;

	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		char server[64];

		line += strspn(line, " \t");
		if (!*line || *line == '#' || *line == ';' || *line == '\r')
			continue;
		if (sscanf(line, "nameserver %63s", server) != 1) {
			strbuf_addf(&f->out, "%s\n", line);
			continue;
		}
		if (is_local_server(server)) {
			f->has_stub = f->has_stub || is_stub(server);
			if (!f->passed_over[0])
				(void)snprintf(f->passed_over, sizeof(f->passed_over), "%s",
					       server);
			continue;
		}
		f->n_servers++;
		strbuf_addf(&f->out, "nameserver %s\n", server);
	}
}

static void printable(char *s)
{
	for (; *s; s++) {
		if (*s < 0x20 || *s > 0x7e)
			*s = '?';
	}
}

char *dns_box_resolv_conf(char warning[WARNING_MAX])
{
	struct filtered f = { 0 };

	warning[0] = '\0';
	AUTO_FREE char *text = read_text(DNS_ETC "/" DNS_FILE_NAME);
	if (text && dns_file_is_ours(text)) {
		/* another tunnel's servers are behind that tunnel: the uplink's own are in the file put aside */
		free(text);
		text = read_text(DNS_ETC "/" DNS_ASIDE_NAME);
	}
	if (text)
		filter(text, &f);
	if (f.has_stub) {
		AUTO_FREE char *upstream = read_text(RESOLVED_UPSTREAM);
		if (upstream) {
			strbuf_free(&f.out);
			f.n_servers = 0;
			filter(upstream, &f);
		}
	}
	if (!f.n_servers && f.passed_over[0]) {
		printable(f.passed_over);
		(void)snprintf(
			warning, WARNING_MAX,
			"%s/%s names only this machine (%s): programs in a box find no names",
			DNS_ETC, DNS_FILE_NAME, f.passed_over);
	} else if (!f.n_servers) {
		(void)snprintf(warning, WARNING_MAX,
			       "%s/%s names no server: programs in a box find no names", DNS_ETC,
			       DNS_FILE_NAME);
	}
	return strbuf_finish(&f.out);
}

char *dns_box_nsswitch(void)
{
	AUTO_STRBUF struct strbuf out = { 0 };
	AUTO_FREE char *text = read_text(DNS_ETC "/nsswitch.conf");
	bool is_done = false;
	char *rest = text;

	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		bool is_last =
			!rest; /* what follows the last newline: nothing, or a line without one */
		const char *word = line + strspn(line, " \t");

		if (strncmp(word, "hosts", 5) == 0 && word[5 + strspn(word + 5, " \t")] == ':') {
			if (!is_done)
				strbuf_addf(&out, "hosts: files dns\n");
			is_done = true;
		} else if (*line || !is_last) {
			strbuf_addf(&out, "%s\n", line);
		}
	}
	if (!is_done)
		strbuf_addf(&out, "hosts: files dns\n");
	return strbuf_finish(&out);
}
