// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A snapshot as text: a line an object, netlink messages in hexadecimal
 *
 *   wgns-snapshot 1
 *   link HEX | addr HEX | neigh HEX | rule HEX | route HEX | orphan HEX
 *   sysctl DEV PATH VALUE
 *   wdev DEV PHY ID
 *   end
 */
#include "wgns/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wgns/fd.h"
#include "wgns/str.h"

#define SNAPSHOT_FILE_MAX (64u << 20)
#define SNAPSHOT_FIRST "wgns-snapshot 1"

static void add_list(struct strbuf *b, const char *word, const struct rtnl_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct nlmsghdr *msg = list->items[i].msg;

		strbuf_addf(b, "%s ", word);
		strbuf_add_hex(b, msg, msg->nlmsg_len);
		strbuf_add(b, "\n", 1);
	}
}

int snapshot_write(const struct snapshot *s, int dir_fd, const char *file, struct err *e)
{
	AUTO_STRBUF struct strbuf b = { 0 };

	strbuf_addf(&b, SNAPSHOT_FIRST "\n");
	add_list(&b, "link", &s->raw_links);
	add_list(&b, "addr", &s->addrs);
	add_list(&b, "neigh", &s->neighs);
	add_list(&b, "rule", &s->rules);
	add_list(&b, "route", &s->routes);
	add_list(&b, "orphan", &s->orphans);
	for (size_t i = 0; i < s->n_sysctls; i++)
		strbuf_addf(&b, "sysctl %s %s %s\n", s->sysctls[i].dev, s->sysctls[i].path,
			    s->sysctls[i].value);
	for (size_t i = 0; i < s->n_wdevs; i++)
		strbuf_addf(&b, "wdev %s %" PRIu32 " %" PRIx64 "\n", s->wdevs[i].dev,
			    s->wdevs[i].phy, s->wdevs[i].id);
	strbuf_addf(&b, "end\n");
	if (b.is_failed)
		return err_set(e, ENOMEM, "write the snapshot");
	return fd_replace_file_at(dir_fd, file, b.s, b.len, 0600, e);
}

static int take_message(struct rtnl_list *list, const char *hex)
{
	size_t hex_len = strlen(hex);
	AUTO_FREE char *bytes = malloc(hex_len / 2 + 1);

	if (!bytes)
		return -ENOMEM;
	long len = str_hex_decode(hex, hex_len, bytes, hex_len / 2);
	if (len < (long)sizeof(struct nlmsghdr))
		return -EINVAL;
	struct nlmsghdr head;
	memcpy(&head, bytes, sizeof(head));
	if (head.nlmsg_len != (size_t)len)
		return -EINVAL;
	/* the copy that the list makes is aligned by malloc(3), as this one is */
	return rtnl_list_add(list, (const struct nlmsghdr *)(const void *)bytes);
}

static int take_link(struct snapshot *s, const char *hex)
{
	struct rtnl_link *grown =
		reallocarray(s->links.items, s->links.n + 1, sizeof(*s->links.items));

	if (!grown)
		return -ENOMEM;
	s->links.items = grown;
	int rc = take_message(&s->raw_links, hex);
	if (rc < 0)
		return rc;
	rc = rtnl_parse_link(s->raw_links.items[s->raw_links.n - 1].msg, &grown[s->links.n]);
	if (rc < 0)
		return rc;
	s->links.n++;
	return 0;
}

static int take_sysctl(struct snapshot *s, char *rest)
{
	char *dev = strsep(&rest, " "), *path = strsep(&rest, " ");
	struct snapshot_sysctl entry = { 0 };

	if (!dev || !path || !rest || strlen(dev) >= sizeof(entry.dev) ||
	    strlen(path) >= sizeof(entry.path) || strstr(path, "..") || path[0] == '/')
		return -EINVAL;
	struct snapshot_sysctl *grown = reallocarray(s->sysctls, s->n_sysctls + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	s->sysctls = grown;
	memcpy(entry.dev, dev, strlen(dev));
	memcpy(entry.path, path, strlen(path));
	entry.value = strdup(rest);
	if (!entry.value)
		return -ENOMEM;
	grown[s->n_sysctls++] = entry;
	return 0;
}

static int take_wdev(struct snapshot *s, const char *rest)
{
	struct snapshot_wdev entry = { 0 };
	int end = -1;

	/* a name has 15 characters at most, and a number that is too large is cut to another one */
	if (sscanf(rest, "%15s %10" SCNu32 " %16" SCNx64 "%n", entry.dev, &entry.phy, &entry.id,
		   &end) != 3 ||
	    end < 0 || rest[end])
		return -EINVAL;
	return snapshot_add_wdev(s, &entry);
}

static int take_line(struct snapshot *s, char *line)
{
	char *rest = line, *word = strsep(&rest, " ");
	const struct {
		const char *word;
		struct rtnl_list *list;
	} lists[] = {
		{ "addr", &s->addrs },	 { "neigh", &s->neighs },   { "rule", &s->rules },
		{ "route", &s->routes }, { "orphan", &s->orphans },
	};

	if (!rest)
		return -EINVAL;
	if (strcmp(word, "link") == 0)
		return take_link(s, rest);
	if (strcmp(word, "sysctl") == 0)
		return take_sysctl(s, rest);
	if (strcmp(word, "wdev") == 0)
		return take_wdev(s, rest);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		if (strcmp(word, lists[i].word) == 0)
			return take_message(lists[i].list, rest);
	}
	return -EINVAL;
}

int snapshot_parse(const char *text, size_t len, struct snapshot *out, struct err *e)
{
	AUTO_FREE char *copy = strndup(text, len);
	struct snapshot s = { 0 };
	unsigned n_line = 1;
	bool is_whole = false;
	int rc = 0;

	if (!copy)
		return err_set(e, ENOMEM, "read the snapshot");
	char *rest = copy, *line = strsep(&rest, "\n");
	if (strcmp(line, SNAPSHOT_FIRST) != 0)
		return err_say(e, EINVAL, "the snapshot is damaged at line 1");
	for (line = strsep(&rest, "\n"); line && rc == 0 && !is_whole; line = strsep(&rest, "\n")) {
		n_line++;
		is_whole = strcmp(line, "end") == 0;
		if (!is_whole)
			rc = take_line(&s, line);
	}
	if (rc == 0 && !is_whole)
		rc = -EINVAL;
	if (rc < 0) {
		snapshot_free(&s);
		return err_say(e, -rc, "the snapshot is damaged at line %u", n_line);
	}
	*out = s;
	return 0;
}

int snapshot_read(int dir_fd, const char *file, struct snapshot *out, struct err *e)
{
	AUTO_FREE char *text = NULL;
	size_t len;
	int rc = fd_read_file_at(dir_fd, file, SNAPSHOT_FILE_MAX, &text, &len, e);

	return rc < 0 ? rc : snapshot_parse(text, len, out, e);
}
