// SPDX-License-Identifier: GPL-2.0-or-later
/* which browser opens a portal's page */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "browser.h"
#include "browser_internal.h"
#include "portal.h"

#define DEFAULT_BROWSER "x-www-browser" /* Debian's alternatives */

static int split(const char *command, struct portal_words *out, struct err *e)
{
	char *rest = NULL;

	if (strlen(command) >= sizeof(out->buf))
		return err_say(e, EINVAL, "the browser's command is too long");
	(void)snprintf(out->buf, sizeof(out->buf), "%s", command); /* fits */
	out->n = 0;
	for (char *word = strtok_r(out->buf, " \t", &rest); word;
	     word = strtok_r(NULL, " \t", &rest)) {
		if (out->n == PORTAL_WORDS_MAX)
			return err_say(e, EINVAL, "the browser's command has more than %d words",
				       PORTAL_WORDS_MAX);
		out->words[out->n++] = word;
	}
	return out->n ? 0 : err_say(e, EINVAL, "the browser's command is empty");
}

/* one that can be given a throw-away profile and can start in a box; its path as it is then called, or false */
static bool is_usable(const char *program, bool is_link, char path[PATH_MAX])
{
	char found[PATH_MAX];
	struct err ignored;

	if (!browser_find_program(program, getenv("PATH"), found) ||
	    browser_check_snap(program, getenv("PATH"), &ignored) < 0)
		return false;
	if (is_link && !realpath(found, path))
		return false;
	if (!is_link)
		(void)snprintf(path, PATH_MAX, "%s", found); /* fits */
	return browser_kind(path) != BROWSER_NONE;
}

int portal_browser_choose(const char *command, struct portal_words *out, struct err *e)
{
	static const char *const names[] = { "firefox-esr",   "firefox",	  "chromium",
					     "google-chrome", "chromium-browser", "brave-browser",
					     "librewolf",     "vivaldi-stable",	  "microsoft-edge",
					     "opera" };
	char path[PATH_MAX];

	if (command)
		return split(command, out, e);
	bool is_found = is_usable(DEFAULT_BROWSER, true, path);
	for (size_t i = 0; !is_found && i < sizeof(names) / sizeof(names[0]); i++)
		is_found = is_usable(names[i], false, path);
	if (!is_found || strlen(path) >= sizeof(out->buf)) {
		(void)err_say(e, ENOENT,
			      "no browser was found that can be given a profile of its own");
		err_hint(e, "--browser names one, and so does [Portal] Browser in wgns.conf(5)");
		return -ENOENT;
	}
	(void)snprintf(out->buf, sizeof(out->buf), "%s", path); /* fits */
	out->words[0] = out->buf;
	out->n = 1;
	return 0;
}
