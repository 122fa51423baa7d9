// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/wgnsconf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "keyfile.h"
#include "trust.h"
#include "wgns/fd.h"
#include "wgns/ini.h"
#include "wgns/str.h"

#define N_UPLINKS_MAX 256

static bool is_interface(struct ini_span word)
{
	/* dev_valid_name() of the kernel */
	if (word.len == 0 || word.len >= IFNAMSIZ || (word.len == 1 && word.s[0] == '.') ||
	    (word.len == 2 && memcmp(word.s, "..", 2) == 0))
		return false;
	for (size_t i = 0; i < word.len; i++) {
		if (word.s[i] == '/' || word.s[i] == ':' || word.s[i] <= ' ' || word.s[i] == 0x7f)
			return false;
	}
	return true;
}

static int take_uplinks(void *ctx, struct ini_span value)
{
	struct wgnsconf *conf = ctx;
	struct ini_span word;

	str_list_free(&conf->uplinks, &conf->n_uplinks);
	conf->has_uplinks = false;
	if (ini_is(value, "auto"))
		return 0;
	while (ini_word(&value, ",", &word)) {
		if (!is_interface(word) || ini_is(word, "auto") || conf->n_uplinks == N_UPLINKS_MAX)
			return -EINVAL;
		if (str_list_add(&conf->uplinks, &conf->n_uplinks, word.s, word.len) < 0)
			return -ENOMEM;
	}
	conf->has_uplinks = true;
	return conf->n_uplinks ? 0 : -EINVAL;
}

static int take_backend(void *ctx, struct ini_span value)
{
	struct wgnsconf *conf = ctx;
	static const char *const names[] = { "auto", "kernel", "userspace" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (ini_is(value, names[i])) {
			(void)snprintf(conf->backend, sizeof(conf->backend), "%s", names[i]);
			return 0;
		}
	}
	return -EINVAL;
}

static int take_daemon(void *ctx, struct ini_span value)
{
	struct wgnsconf *conf = ctx;

	if (value.len < 2 || value.s[0] != '/' || value.s[value.len - 1] == '/')
		return -EINVAL;
	return ini_copy(conf->daemon, sizeof(conf->daemon), value);
}

/* Return: 0 or -EINVAL */
static int take_yes_no(struct ini_span value, bool *out)
{
	*out = ini_is(value, "yes");
	return *out || ini_is(value, "no") ? 0 : -EINVAL;
}

static int take_lan(void *ctx, struct ini_span value)
{
	struct wgnsconf *conf = ctx;

	return take_yes_no(value, &conf->has_lan);
}

static int take_watch(void *ctx, struct ini_span value)
{
	struct wgnsconf *conf = ctx;

	return take_yes_no(value, &conf->should_watch);
}

static bool is_agent(struct ini_span word)
{
	static const char unit[] = "systemd:";
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+.-";
	bool is_unit = word.len > sizeof(unit) - 1 && memcmp(word.s, unit, sizeof(unit) - 1) == 0;

	if (is_unit)
		word = (struct ini_span){ word.s + sizeof(unit) - 1, word.len - sizeof(unit) + 1 };
	/* as names of profiles, and as systemd.unit(5) has it */
	if (word.len > (is_unit ? 255 : 64) || word.s[0] == '.' || word.s[0] == '-')
		return false;
	for (size_t i = 0; i < word.len; i++) {
		if (!memchr(allowed, word.s[i], sizeof(allowed) - 1) &&
		    !(is_unit && memchr(":@\\", word.s[i], 3)))
			return false;
	}
	return true;
}

static int take_agent(void *ctx, struct ini_span value)
{
	struct wgnsconf *conf = ctx;
	struct ini_span word;

	str_list_free(&conf->agents, &conf->n_agents);
	conf->agent = ini_is(value, "none") ? AGENT_NONE : AGENT_AUTO;
	if (ini_is(value, "auto") || ini_is(value, "none"))
		return 0;
	conf->agent = AGENT_NAMED;
	while (ini_word(&value, ",", &word)) {
		if (!is_agent(word) || ini_is(word, "auto") || ini_is(word, "none") ||
		    conf->n_agents == WGNSCONF_AGENTS_MAX)
			return -EINVAL;
		if (str_list_add(&conf->agents, &conf->n_agents, word.s, word.len) < 0)
			return -ENOMEM;
	}
	return conf->n_agents ? 0 : -EINVAL;
}

static int take_kill_switch(void *ctx, struct ini_span value)
{
	struct wgnsconf *conf = ctx;

	if (ini_is(value, "up"))
		conf->kill_switch = KILL_SWITCH_UP;
	else if (ini_is(value, "boot"))
		conf->kill_switch = KILL_SWITCH_BOOT;
	else if (ini_is(value, "no"))
		conf->kill_switch = KILL_SWITCH_NO;
	else
		return -EINVAL;
	return 0;
}

static int take_hooks(void *ctx, struct ini_span value)
{
	struct wgnsconf *conf = ctx;

	return take_yes_no(value, &conf->should_trust_hooks);
}

static int take_group(void *ctx, struct ini_span value)
{
	struct wgnsconf *conf = ctx;
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

	if (ini_copy(conf->group, sizeof(conf->group), value) < 0 || conf->group[0] == '-' ||
	    strspn(conf->group, allowed) != value.len)
		return -EINVAL;
	return 0;
}

/* by http: nobody can answer in the place of a server that proves who it is */
static int take_portal_url(void *ctx, struct ini_span value)
{
	struct wgnsconf *conf = ctx;

	if (!portal_is_url(value.s, value.len, PORTAL_LEASE_URL_MAX) ||
	    ini_copy(conf->portal_url, sizeof(conf->portal_url), value) < 0 ||
	    portal_is_https(conf->portal_url))
		return -EINVAL;
	if (!conf->has_portal_expect)
		conf->portal_expect[0] = '\0'; /* that was the default URL's */
	return 0;
}

static bool is_printable(struct ini_span value)
{
	for (size_t i = 0; i < value.len; i++) {
		if (value.s[i] < ' ' || value.s[i] == 0x7f)
			return false;
	}
	return true;
}

static int take_portal_expect(void *ctx, struct ini_span value)
{
	struct wgnsconf *conf = ctx;

	if (!is_printable(value) ||
	    ini_copy(conf->portal_expect, sizeof(conf->portal_expect), value) < 0)
		return -EINVAL;
	if (ini_is(value, "204"))
		conf->portal_expect[0] = '\0';
	conf->has_portal_expect = true;
	return 0;
}

static int take_portal_browser(void *ctx, struct ini_span value)
{
	struct wgnsconf *conf = ctx;

	return is_printable(value)
		       ? ini_copy(conf->portal_browser, sizeof(conf->portal_browser), value)
		       : -EINVAL;
}

static const struct keyfile_entry entries[] = {
	{ "[Physical]", "Uplinks", "auto, or names of interfaces", take_uplinks, false },
	{ "[Physical]", "Lan", "yes or no", take_lan, false },
	{ "[Physical]", "Agent", "auto, none, or names of profiles and systemd:UNIT", take_agent,
	  false },
	{ "[Guard]", "KillSwitch", "up, boot or no", take_kill_switch, false },
	{ "[Tunnel]", "Watch", "yes or no", take_watch, false },
	{ "[Tunnel]", "Backend", "auto, kernel or userspace", take_backend, false },
	{ "[Tunnel]", "Daemon", "the absolute path of a program", take_daemon, false },
	{ "[Tunnel]", "Hooks", "yes or no", take_hooks, false },
	{ "[Box]", "Group", "the name of a group", take_group, false },
	{ "[Portal]", "Url", "a URL of http:", take_portal_url, false },
	{ "[Portal]", "Expect", "204, or the text of the page, in ASCII", take_portal_expect,
	  false },
	{ "[Portal]", "Browser", "a command", take_portal_browser, false },
};
_Static_assert(sizeof(entries) / sizeof(entries[0]) <= KEYFILE_ENTRIES_MAX, "room for every key");

int wgnsconf_parse(const char *text, size_t len, struct wgnsconf *conf, struct diag_list *diags)
{
	struct keyfile file = {
		.entries = entries,
		.n_entries = sizeof(entries) / sizeof(entries[0]),
		.ctx = conf,
		.diags = diags,
	};
	size_t n_errors = diags->n_errors;
	int rc = keyfile_read(&file, text, len);

	if (rc < 0)
		return rc;
	return diags->n_errors == n_errors ? 0 : -EINVAL;
}

void wgnsconf_init(struct wgnsconf *conf)
{
	*conf = (struct wgnsconf){
		.backend = "auto",
		.daemon = "/usr/bin/wireguard-go",
		.group = "wgns",
		.portal_url = PORTAL_DEFAULT_URL,
		.portal_expect = PORTAL_DEFAULT_EXPECT,
	};
}

void wgnsconf_free(struct wgnsconf *conf)
{
	str_list_free(&conf->uplinks, &conf->n_uplinks);
	str_list_free(&conf->agents, &conf->n_agents);
	wgnsconf_init(conf);
}

static int read_one(const char *path, struct wgnsconf *conf, struct diag_list *diags, struct err *e)
{
	struct stat st;
	AUTO_FREE char *text = NULL;
	size_t len;

	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_set(e, errno, "open %s", path);
	if (fstat(fd, &st) < 0)
		return err_set(e, errno, "stat %s", path);
	if (!S_ISREG(st.st_mode))
		return err_say(e, EINVAL, "%s is not a regular file", path);
	int rc = trust_require(fd, &st, path, diags, e);
	if (rc == 0)
		rc = fd_read_all(fd, WGNSCONF_FILE_MAX, &text, &len, path, e);
	if (rc < 0)
		return rc;
	rc = wgnsconf_parse(text, len, conf, diags);
	if (rc == -ENOMEM)
		return err_set(e, ENOMEM, "read %s", path);
	if (rc < 0)
		diag_first(diags, e);
	return rc;
}

/* each file's problems carry its own name */
static int read_named(const char *dir, const char *name, struct wgnsconf *conf,
		      struct diag_list *diags, struct err *e)
{
	AUTO_FREE char *path = NULL;

	if (asprintf(&path, "%s/%s.conf", dir, name) < 0) {
		path = NULL; /* asprintf(3): undefined on failure */
		return err_set(e, ENOMEM, "read %s.conf", name);
	}
	struct diag_list own = { .file = path };
	int rc = read_one(path, conf, &own, e);
	diag_move(diags, &own);
	return rc;
}

int wgnsconf_read(const char *dir, const char *tunnel_or_null, struct wgnsconf *out,
		  struct diag_list *diags, struct err *e)
{
	struct wgnsconf conf;

	wgnsconf_init(&conf);
	int rc = read_named(dir, "wgns", &conf, diags, e);
	/* a tunnel called wgns would read the same file twice */
	if (rc == 0 && tunnel_or_null && strcmp(tunnel_or_null, "wgns") != 0)
		rc = read_named(dir, tunnel_or_null, &conf, diags, e);
	if (rc < 0) {
		wgnsconf_free(&conf);
		return rc;
	}
	*out = conf;
	return 0;
}

bool wgnsconf_is_system_tunnel(const char *wireguard_dir, const char *name,
			       const struct wgquick_file *file)
{
	AUTO_FREE char *path = NULL;
	struct stat st;

	if (asprintf(&path, "%s/%s.conf", wireguard_dir, name) < 0) {
		path = NULL; /* asprintf(3): undefined on failure */
		return false;
	}
	return stat(path, &st) == 0 && st.st_dev == file->dev && st.st_ino == file->ino;
}
