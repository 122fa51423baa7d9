// SPDX-License-Identifier: GPL-2.0-or-later
/* browser - which ones there are, what their arguments mean, and whether one that runs is in the box */
#include "browser.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "browser_internal.h"
#include "wgns/fd.h"

#define MOZILLA ".mozilla/firefox", "mozilla/firefox"
#define BRAVE "BraveSoftware/Brave-Browser"

static const struct browser_product products[] = {
	{ "chromium", BROWSER_CHROMIUM, { "chromium" } },
	{ "chromium-browser", BROWSER_CHROMIUM, { "chromium" } },
	{ "ungoogled-chromium", BROWSER_CHROMIUM, { "chromium" } },
	{ "chrome", BROWSER_CHROMIUM, { "google-chrome" } },
	{ "google-chrome", BROWSER_CHROMIUM, { "google-chrome" } },
	{ "google-chrome-stable", BROWSER_CHROMIUM, { "google-chrome" } },
	{ "google-chrome-beta", BROWSER_CHROMIUM, { "google-chrome-beta" } },
	{ "google-chrome-unstable", BROWSER_CHROMIUM, { "google-chrome-unstable" } },
	{ "google-chrome-canary", BROWSER_CHROMIUM, { "google-chrome-canary" } },
	{ "brave", BROWSER_CHROMIUM, { BRAVE } },
	{ "brave-browser", BROWSER_CHROMIUM, { BRAVE } },
	{ "brave-browser-stable", BROWSER_CHROMIUM, { BRAVE } },
	{ "brave-browser-beta", BROWSER_CHROMIUM, { BRAVE "-Beta" } },
	{ "brave-browser-nightly", BROWSER_CHROMIUM, { BRAVE "-Nightly" } },
	{ "microsoft-edge", BROWSER_CHROMIUM, { "microsoft-edge" } },
	{ "microsoft-edge-stable", BROWSER_CHROMIUM, { "microsoft-edge" } },
	{ "microsoft-edge-beta", BROWSER_CHROMIUM, { "microsoft-edge-beta" } },
	{ "microsoft-edge-dev", BROWSER_CHROMIUM, { "microsoft-edge-dev" } },
	{ "vivaldi", BROWSER_CHROMIUM, { "vivaldi" } },
	{ "vivaldi-stable", BROWSER_CHROMIUM, { "vivaldi" } },
	{ "vivaldi-snapshot", BROWSER_CHROMIUM, { "vivaldi-snapshot" } },
	{ "opera", BROWSER_CHROMIUM, { "opera" } },
	{ "opera-stable", BROWSER_CHROMIUM, { "opera" } },
	{ "opera-beta", BROWSER_CHROMIUM, { "opera-beta" } },
	{ "opera-developer", BROWSER_CHROMIUM, { "opera-developer" } },
	/* since version 147 in the folder of settings, unless there is something in the old place */
	{ "firefox", BROWSER_FIREFOX, { MOZILLA } },
	{ "firefox-bin", BROWSER_FIREFOX, { MOZILLA } },
	{ "firefox-esr", BROWSER_FIREFOX, { MOZILLA } },
	{ "firefox-beta", BROWSER_FIREFOX, { MOZILLA } },
	{ "firefox-nightly", BROWSER_FIREFOX, { MOZILLA } },
	{ "firefox-devedition", BROWSER_FIREFOX, { MOZILLA } },
	{ "firefox-developer-edition", BROWSER_FIREFOX, { MOZILLA } },
	{ "librewolf", BROWSER_FIREFOX, { ".librewolf", "librewolf/librewolf", "librewolf" } },
	{ "waterfox", BROWSER_FIREFOX, { ".waterfox", "waterfox/waterfox", "waterfox" } },
	{ "floorp", BROWSER_FIREFOX, { ".floorp", "floorp/floorp", "floorp" } },
	{ "zen", BROWSER_FIREFOX, { ".zen", "zen" } },
	{ "zen-browser", BROWSER_FIREFOX, { ".zen", "zen" } },
	/* no browser, but made of the same, and it opens links */
	{ "thunderbird", BROWSER_FIREFOX, { ".thunderbird", "thunderbird" } },
};

const struct browser_product *browser_find_product(const char *program)
{
	const char *slash = strrchr(program, '/'), *name = slash ? slash + 1 : program;

	for (size_t i = 0; i < sizeof(products) / sizeof(products[0]); i++) {
		if (strcmp(name, products[i].name) == 0)
			return &products[i];
	}
	return NULL;
}

enum browser browser_kind(const char *program)
{
	const struct browser_product *product = browser_find_product(program);

	return product ? product->kind : BROWSER_NONE;
}

const char *browser_option(enum browser kind, const char *arg, const char *name)
{
	size_t len = strlen(name);

	if (arg[0] != '-')
		return NULL;
	arg += arg[1] == '-' ? 2 : 1;
	int differs =
		kind == BROWSER_FIREFOX ? strncasecmp(arg, name, len) : strncmp(arg, name, len);
	if (differs || (arg[len] != '\0' && arg[len] != '='))
		return NULL;
	return arg + len;
}

bool browser_dir(const struct browser_start *s, const char *dir, char out[PATH_MAX])
{
	const char *config = NULL;
	int len;

	if (s->product->kind == BROWSER_CHROMIUM)
		config = getenv("CHROME_CONFIG_HOME");
	if (!config || !config[0])
		config = getenv("XDG_CONFIG_HOME");
	if (dir[0] == '.')
		len = snprintf(out, PATH_MAX, "%s/%s", s->home, dir);
	else if (config && config[0])
		len = snprintf(out, PATH_MAX, "%s/%s", config, dir);
	else
		len = snprintf(out, PATH_MAX, "%s/.config/%s", s->home, dir);
	return len >= 0 && len < PATH_MAX;
}

int browser_open_file(int dir_fd, const char *path, int flags)
{
	char self[32];
	struct stat st;

	/* O_PATH touches nothing; what was looked at is what is opened then */
	AUTO_FD int seen = openat(dir_fd, path, O_PATH | O_CLOEXEC | flags);
	if (seen < 0 || fstat(seen, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISLNK(st.st_mode) ? -EMLINK : -EINVAL; /* O_NOFOLLOW */
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", seen); /* fits */
	int fd = open(self, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

bool browser_is_absent(int code)
{
	return code == ENOENT || code == ENOTDIR || code == ELOOP || code == EACCES ||
	       code == ENAMETOOLONG;
}

/* Return: 1 for @target, 0 for elsewhere; -errno when it cannot be known, -ESRCH when there is no such process */
static int is_in(pid_t pid, const struct netns_id *target, struct err *why)
{
	char path[32];
	struct netns_id theirs;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid); /* fits */
	AUTO_FD int fd = netns_open_at(AT_FDCWD, path, why);
	/* with hidepid (proc(5)) the processes of others look as if they were not there */
	if (fd == -ENOENT && kill(pid, 0) < 0 && errno == ESRCH)
		return -ESRCH;
	int rc = fd < 0 ? fd : netns_identify(fd, &theirs, why);
	return rc < 0 ? rc : netns_same(&theirs, target);
}

int browser_judge(const struct browser_start *s, pid_t pid, struct err *e)
{
	const char *name = s->product->name;
	struct err why = { 0 };

	if (pid <= 0) {
		(void)err_say(e, EBUSY,
			      "%s already runs as a process that cannot be seen from here: it may "
			      "be outside of the box and open this there",
			      name);
	} else {
		int rc = is_in(pid, s->target, &why);
		if (rc == 1 || rc == -ESRCH)
			return 0;
		if (rc == 0)
			(void)err_say(e, EBUSY,
				      "%s already runs outside of the box (pid %d): it would open "
				      "this there",
				      name, (int)pid);
		else
			(void)err_say(e, EBUSY,
				      "%s already runs (pid %d) and may be outside of the box: %s",
				      name, (int)pid, why.text);
	}
	err_hint(e, "close it, or use --profile browser, which starts a fresh one");
	return -EBUSY;
}

/* such a start says something and ends */
static bool is_question(const struct browser_start *s)
{
	for (char *const *arg = s->args; *arg && strcmp(*arg, "--") != 0; arg++) {
		if (strcmp(*arg, "--version") == 0 || strcmp(*arg, "--help") == 0)
			return true;
	}
	return false;
}

int browser_check_running(char *const *argv, const char *home, const struct netns_id *target,
			  struct err *e)
{
	struct browser_start s = {
		.product = browser_find_product(argv[0]),
		.home = home,
		.target = target,
	};

	if (!s.product)
		return 0;
	s.args = argv + 1;
	if (is_question(&s))
		return 0;
	switch (s.product->kind) {
	case BROWSER_CHROMIUM:
		return browser_check_chromium(&s, e);
	case BROWSER_FIREFOX:
		return browser_check_firefox(&s, e);
	case BROWSER_NONE:
		break; /* no product has it */
	}
	return 0;
}

/* the option by which @args name a profile themselves, or NULL */
static const char *own_profile(const struct browser_product *product, char *const *args)
{
	static const char *const chromium[] = { "user-data-dir", NULL };
	static const char *const firefox[] = { "profile", "P", "ProfileManager", "CreateProfile",
					       NULL };
	const char *const *names = product->kind == BROWSER_CHROMIUM ? chromium : firefox;

	for (; *args; args++) {
		for (size_t i = 0; names[i]; i++) {
			if (browser_option(product->kind, *args, names[i]))
				return names[i];
		}
	}
	return NULL;
}

struct words {
	char *buf, **args;
	size_t used;
	int n;
};

__attribute__((format(printf, 2, 3))) static void add(struct words *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int len = vsnprintf(w->buf + w->used, BROWSER_ARGS_CAP - w->used, fmt, ap);
	va_end(ap);
	w->args[w->n++] = w->buf + w->used;
	w->used += (size_t)len + 1;
}

int browser_fresh_args(char *const *argv, const char *dir, char buf[BROWSER_ARGS_CAP],
		       char *args[BROWSER_ARGS_MAX], struct err *e)
{
	const struct browser_product *product = browser_find_product(argv[0]);
	struct words w = { .buf = buf, .args = args };

	if (!product)
		return err_say(
			e, EINVAL,
			"%s is no browser that wgns knows: it cannot be given a fresh profile",
			argv[0]);
	const char *own = own_profile(product, argv + 1);
	if (own) {
		(void)err_say(e, EINVAL, "%s would get a fresh profile, and %s%s names another",
			      product->name, own[1] ? "--" : "-", own);
		err_hint(e, "leave one of the two away");
		return -EINVAL;
	}
	if (strlen(dir) > BROWSER_ARGS_CAP / 2)
		return err_set(e, ENAMETOOLONG, "give %s a fresh profile", product->name);
	if (product->kind == BROWSER_CHROMIUM) {
		add(&w, "--user-data-dir=%s", dir);
		add(&w, "--no-first-run");
		add(&w, "--no-default-browser-check");
		add(&w, "--password-store=basic"); /* nothing is left in the desktop's keyring */
	} else {
		add(&w, "--profile");
		add(&w, "%s", dir);
		add(&w, "--new-instance");
		/* what --new-instance was before version 131, and without effect since */
		add(&w, "--no-remote");
	}
	return w.n;
}
