// SPDX-License-Identifier: GPL-2.0-or-later
#include "portal_probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd.h"
#include "installed.h"
#include "wgns/clock.h"
#include "wgns/fd.h"
#include "wgns/seal.h"
#include "wgns/str.h"

#define BOX "physical"
#define LEASES "/" SEAL_BOX_DIR "/" BOX "/lease"
#define LEASES_MAX 256 /* files that are looked at */
#define LEASE_MAX 65536
#define PROBE_MS 25000 /* the probe itself gives up after 20 s */
#define NOBODY "nobody"

/* one lease. A network that is hostile may send anything: what is wrong is said, and is no end */
static void read_lease(struct portal_probe *p, int dir_fd, const char *name)
{
	char url[PORTAL_LEASE_URL_MAX + 1], *text = NULL;
	size_t len;
	struct err ignored;

	if (fd_read_file_at(dir_fd, name, LEASE_MAX, &text, &len, &ignored) < 0)
		return;
	int rc = portal_read_lease(text, len, url);
	free(text);
	if (rc == -EINVAL)
		cmd_warn("the lease of %s names a captive portal in a way that cannot be used",
			 name);
	if (rc < 0 || !url[0])
		return;
	if (!portal_is_https(url))
		cmd_warn("the lease of %s names a captive portal without https: which proves "
			 "nothing (RFC 8908)",
			 name);
	else if (p->api[0] && strcmp(p->api, url) != 0)
		cmd_warn("the leases name several captive portals: %s is asked", p->api);
	else
		(void)snprintf(p->api, sizeof(p->api), "%s", url); /* fits */
}

int portal_probe_begin(struct portal_probe *p, const struct wgnsconf *conf, struct err *e)
{
	struct dirent **names = NULL;

	*p = (struct portal_probe){ .conf = conf };
	AUTO_FD int dir_fd = open(LEASES, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir_fd < 0)
		return 0; /* nobody has a lease, or nobody keeps it */
	int n = scandirat(dir_fd, ".", &names, NULL, alphasort);
	if (n < 0)
		return err_set(e, errno, "list " LEASES);
	for (int i = 0; i < n; i++) {
		if (i < LEASES_MAX && names[i]->d_name[0] != '.')
			read_lease(p, dir_fd, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return 0;
}

void portal_probe_copy(const char *text, size_t len, char *out, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n + 2 < cap; i++)
		out[n++] = (text[i] >= ' ' && text[i] < 0x7f) || text[i] == '\n' ? text[i] : '?';
	if (n && out[n - 1] != '\n')
		out[n++] = '\n';
	out[n] = '\0';
}

/* what wgns exec said when it did not start the probe: its own words, without its name */
static int exec_failed(const struct portal_child *probe, struct err *e)
{
	static const char prefix[] = "wgns: exec: ", hint[] = "\n  hint: ";
	char text[sizeof(e->text)];

	portal_probe_copy(probe->out, probe->len, text, sizeof(text));
	size_t len = strlen(text);
	if (len)
		text[len - 1] = '\0'; /* the last newline */
	char *said = strncmp(text, prefix, strlen(prefix)) == 0 ? text + strlen(prefix) : text;
	char *mend = strstr(said, hint);
	if (mend)
		*mend = '\0';
	(void)err_say(e, EIO, "%s", said[0] ? said : "the probe did not start");
	if (mend)
		err_hint(e, "%s", mend + strlen(hint));
	return -EIO;
}

static int judge(const struct portal_child *probe, struct portal_verdict *out, struct err *e)
{
	int code = WIFEXITED(probe->status) ? WEXITSTATUS(probe->status) : -1;

	if (code >= EXIT_EXEC_FAILED && code <= EXIT_EXEC_NOTFOUND)
		return exec_failed(probe, e);
	/* it was ended by its own clock, or the network made it stumble */
	if (code != 0 || portal_parse(probe->out, probe->len, out) < 0)
		*out = (struct portal_verdict){ .state = PORTAL_NONSENSE };
	return 0;
}

/* @args: of wgns-portal; NULL ends them */
static int ask(struct portal_session *s, char *const *args, struct portal_verdict *out,
	       struct err *e)
{
	static char exec[] = "exec", profile[] = "--profile", strict[] = "strict",
		    physical[] = "--physical", user[] = "--user", nobody[] = NOBODY, end[] = "--";
	char *argv[16] = { exec, profile, strict, physical }, program[PATH_MAX];
	size_t n = 4;

	/* root's would be user 0 still, who owns every file */
	if (geteuid() == 0) {
		argv[n++] = user;
		argv[n++] = nobody;
	}
	installed_probe(program);
	argv[n++] = end;
	argv[n++] = program;
	for (; *args; args++)
		argv[n++] = *args;
	int rc = portal_session_start(s, &s->probe, argv, false, e);
	int64_t deadline = clock_boot_ms() + PROBE_MS;
	while (rc == 0 && (s->probe.pid || s->probe.out_fd >= 0)) {
		if (clock_boot_ms() > deadline) {
			*out = (struct portal_verdict){ .state = PORTAL_TIMEOUT };
			return 0; /* it ends by itself, and portal_session_stop() knows it */
		}
		rc = portal_session_step(s, 1000);
	}
	return rc < 0 ? rc : judge(&s->probe, out, e);
}

static int ask_api(struct portal_probe *p, struct portal_session *s, struct portal_verdict *out,
		   struct err *e)
{
	static char api[] = "api";
	char *args[] = { api, p->api, NULL };
	struct err why;

	int rc = ask(s, args, out, e);
	if (rc < 0 || out->state == PORTAL_FREE || out->state == PORTAL_CAPTIVE)
		return rc;
	(void)portal_probe_explain(p, out->state, &why);
	cmd_warn("the captive portal that the lease names cannot be asked: %s", why.text);
	p->api[0] = '\0';
	return 0;
}

int portal_probe_run(struct portal_probe *p, struct portal_session *s, struct portal_verdict *out,
		     struct err *e)
{
	static char http[] = "http";
	char url[sizeof(p->conf->portal_url)], expect[sizeof(p->conf->portal_expect)];
	char *args[] = { http, url, expect, NULL };
	struct portal_verdict by_http;
	bool is_asked = p->api[0] != '\0';

	int rc = is_asked ? ask_api(p, s, out, e) : 0;
	is_asked = p->api[0] != '\0'; /* it may be of no use */
	if (rc < 0 || (is_asked && (out->state == PORTAL_FREE || out->page[0])))
		return rc;
	(void)snprintf(url, sizeof(url), "%s", p->conf->portal_url); /* fits */
	(void)snprintf(expect, sizeof(expect), "%s", p->conf->portal_expect); /* fits */
	rc = ask(s, args, &by_http, e);
	if (rc < 0)
		return rc;
	/* an API that says "captive" and no page: the probe is answered with it */
	*out = by_http;
	if (is_asked)
		out->state = PORTAL_CAPTIVE;
	if (out->state == PORTAL_CAPTIVE && !out->page[0])
		(void)snprintf(out->page, sizeof(out->page), "%s", url); /* fits */
	return 0;
}

int portal_probe_explain(const struct portal_probe *p, enum portal_state state, struct err *e)
{
	const char *url = p->conf->portal_url;

	switch (state) {
	case PORTAL_NO_DEVICE:
		return err_say(e, ENODEV, "there is no uplink in physical");
	case PORTAL_NO_CARRIER:
		(void)err_say(e, ENETDOWN, "no uplink has a carrier");
		err_hint(e, "plug the cable in, or join the Wi-Fi network first");
		return -ENETDOWN;
	case PORTAL_NO_ADDRESS:
		(void)err_say(e, EADDRNOTAVAIL,
			      "no uplink has an address: the network gave none yet");
		err_hint(e, "`sudo wgns status` shows them");
		return -EADDRNOTAVAIL;
	case PORTAL_NO_RESOLVER:
		return err_say(e, ENOENT, "physical has no name server: the network named none");
	case PORTAL_NO_NAME:
		return err_say(e, EHOSTUNREACH,
			       "the network's name servers do not answer, or do not know the name");
	case PORTAL_NO_ROUTE:
		return err_say(e, EHOSTUNREACH, "nobody can be reached: no route, or refused");
	case PORTAL_TIMEOUT:
		return err_say(e, ETIMEDOUT,
			       "the network takes packets, and no answer came in time");
	case PORTAL_NO_TLS:
		return err_say(e, EPERM, "the server could not prove who it is");
	case PORTAL_ODD:
		return err_say(e, EPROTO, "%s answers neither as expected nor as a portal would",
			       url);
	case PORTAL_MOVED:
		(void)err_say(e, EPROTO, "the server of %s sends to https: itself", url);
		err_hint(e, "[Portal] Url in wgns.conf(5) needs one that does not");
		return -EPROTO;
	case PORTAL_NONSENSE:
	case PORTAL_FREE:
	case PORTAL_CAPTIVE:
		break; /* the last two are no failures */
	}
	return err_say(e, EPROTO, "the answer was none that can be understood");
}
