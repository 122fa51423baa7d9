// SPDX-License-Identifier: GPL-2.0-or-later
/* kernel, tunnel and names: what the facts mean; pure */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "doctor_internal.h"
#include "wgns/str.h"

/* what decides, and from which release on (uname(2)) */
#define OLDEST_MAJOR 5
#define OLDEST_MINOR 10

void doctor_add_refusal(struct findings *out, const struct err *e)
{
	findings_add(out, FINDING_BREAKS, "%s%s%s%s", e->text, e->kernel[0] ? " (kernel: \"" : "",
		     e->kernel, e->kernel[0] ? "\")" : "");
	if (e->hint[0])
		findings_hint(out, "%s", e->hint);
}

bool doctor_is_release(const char *release, unsigned major, unsigned minor)
{
	unsigned a, b;

	if (sscanf(release, "%u.%u", &a, &b) != 2)
		return false;
	return a > major || (a == major && b >= minor);
}

void doctor_judge_kernel(const struct doctor_kernel *k, struct findings *out)
{
	findings_begin(out, "kernel.release", "the kernel is new enough");
	findings_add(out, FINDING_NOTE, "Linux %s", k->release);
	if (!doctor_is_release(k->release, OLDEST_MAJOR, OLDEST_MINOR)) {
		findings_add(out, FINDING_BREAKS, "it is Linux %s, and wgns needs %d.%d",
			     k->release, OLDEST_MAJOR, OLDEST_MINOR);
		findings_hint(out,
			      "a newer kernel of the distribution: apt install linux-image-amd64");
	} else if (!doctor_is_release(k->release, 5, 13)) {
		findings_add(out, FINDING_NOTE,
			     "before Linux 5.13 devices may get other numbers by a move");
	}

	findings_begin(out, "kernel.overlay", "the kernel has overlayfs, for exec");
	if (k->overlay == DOCTOR_ABSENT) {
		findings_add(out, FINDING_WARNING,
			     "without it exec cannot give programs in a box names of their own, "
			     "and starts none");
		findings_hint(out, "a kernel with CONFIG_OVERLAY_FS");
	}

	findings_begin(out, "kernel.nftables", "the kernel has nf_tables, for the guard");
	if (k->nf_tables == DOCTOR_UNSURE) {
		findings_add(out, FINDING_OPEN, "only root can ask the kernel for it");
		findings_hint(out, DOCTOR_AS_ROOT);
	} else if (k->nf_tables == DOCTOR_ABSENT) {
		findings_add(out, k->has_guard ? FINDING_BREAKS : FINDING_WARNING,
			     "without nf_tables no guard keeps home from talking in clear");
		findings_hint(
			out,
			"a kernel with CONFIG_NF_TABLES_INET, or KillSwitch = no in wgns.conf(5)");
	}
	if (!doctor_is_release(k->release, 6, 9))
		findings_add(out, FINDING_NOTE,
			     "before Linux 6.9 a `flush ruleset` removes the guard");
}

void doctor_judge_tunnel(const struct doctor_tunnel *t, struct findings *out)
{
	findings_begin(out, "tunnel.backend", "WireGuard is there");
	if (t->can) {
		findings_add(out, FINDING_NOTE, "%s", t->why);
	} else if (!t->is_root && t->refusal.code == EACCES) {
		findings_add(out, FINDING_OPEN, "%s", t->refusal.text);
		findings_hint(out, DOCTOR_AS_ROOT);
	} else {
		doctor_add_refusal(out, &t->refusal);
	}
}

void doctor_hosts_line(const char *text, char *out, size_t cap)
{
	out[0] = '\0';
	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");
		const char *at = line + strspn(line, " \t");
		if (strncmp(at, "hosts:", 6) == 0) {
			at += 6 + strspn(at + 6, " \t");
			size_t used = at < line + len ? strcspn(at, "#\n") : 0;
			while (used && strchr(" \t\r", at[used - 1]))
				used--;
			(void)snprintf(out, cap, "%.*s", (int)(used < cap ? used : cap - 1), at);
			return;
		}
		line += len + (line[len] == '\n');
	}
}

/* modules of nsswitch.conf(5) that ask somebody by a path socket, or the link itself: a box is asked by none of them */
static const char *const leaving[] = { "resolve",      "mymachines",	"wins",
				       "libvirt",      "libvirt_guest", "sss",
				       "mdns",	       "mdns4",		"mdns6",
				       "mdns_minimal", "mdns4_minimal", "mdns6_minimal" };

static bool is_leaving(const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof(leaving) / sizeof(leaving[0]); i++) {
		if (strlen(leaving[i]) == len && memcmp(word, leaving[i], len) == 0)
			return true;
	}
	return false;
}

static void judge_hosts(const char *hosts, struct findings *out)
{
	char found[256] = "";
	size_t used = 0;

	findings_begin(out, "names.nsswitch", "programs in a box ask what programs in home ask");
	for (const char *word = hosts; *word;) {
		size_t len = strcspn(word, " \t[");
		if (len && is_leaving(word, len) && used + len + 2 < sizeof(found))
			used += (size_t)snprintf(found + used, sizeof(found) - used, "%s%.*s",
						 used ? " " : "", (int)len, word);
		word += len;
		word += *word == '[' ? strcspn(word, "]") + (strchr(word, ']') != NULL)
				     : strspn(word, " \t");
	}
	if (!found[0])
		return;
	findings_add(out, FINDING_WARNING,
		     "hosts: in /etc/nsswitch.conf has %s, which would lead out of a box: there it "
		     "is `files dns`",
		     found);
	findings_hint(out,
		      "nothing has to be done; names that only these know are unknown in a box");
}

static const char *manager_text(const char *manager)
{
	if (strcmp(manager, "resolvconf") == 0)
		return "DNS= goes to resolvconf(8)";
	if (strcmp(manager, "resolved") == 0)
		return "DNS= goes to systemd-resolved";
	return "DNS= goes into /etc/resolv.conf, which comes back afterwards";
}

static void judge_resolver(const struct doctor_names *n, bool has_resolved, struct findings *out)
{
	bool is_file = strcmp(n->manager, "file") == 0;

	findings_begin(out, "names.resolver", "somebody takes the servers of DNS=");
	findings_add(out, FINDING_NOTE, "%s", manager_text(n->manager));
	if (!n->is_resolv_conf_there)
		findings_add(out, FINDING_WARNING, "there is no /etc/resolv.conf");
	if (n->resolv_conf[0])
		findings_add(out, FINDING_NOTE, "/etc/resolv.conf is a symlink to %s",
			     n->resolv_conf);
	if (is_file && n->is_resolv_conf_mounted)
		findings_add(out, FINDING_NOTE,
			     "/etc/resolv.conf is a mount, and is written in place");
	if (is_file && n->is_resolv_conf_immutable) {
		findings_add(out, FINDING_WARNING,
			     "/etc/resolv.conf is immutable: up fails for a file with DNS=");
		findings_hint(out, "chattr -i /etc/resolv.conf");
	}
	if (is_file && n->is_etc_read_only && !n->is_resolv_conf_mounted) {
		findings_add(out, FINDING_WARNING,
			     "/etc is mounted read-only: up fails for a file with DNS=");
		findings_hint(out, "install resolvconf: apt install openresolv");
	}
	if (is_file && has_resolved) {
		findings_add(out, FINDING_WARNING,
			     "systemd-resolved runs, and programs do not ask it: it is not told of "
			     "DNS=");
		findings_hint(out, "ln -sf ../run/systemd/resolve/stub-resolv.conf "
				   "/etc/resolv.conf makes them ask it");
	}
}

void doctor_judge_names(const struct doctor_names *n, const struct doctor_processes *processes,
			struct findings *out)
{
	const struct doctor_process *nscd = doctor_find(processes, DOCTOR_NSCD);

	judge_resolver(n, doctor_find(processes, DOCTOR_RESOLVED) != NULL, out);
	judge_hosts(n->hosts, out);
	findings_begin(out, "names.cache", "no nscd remembers names across a change");
	if (!nscd)
		return;
	findings_add(out, FINDING_WARNING,
		     "nscd (process %d) runs: home may get names from before `up` for a while; "
		     "boxes do not see it",
		     (int)nscd->pid);
	findings_hint(out, "nscd -i hosts after up and down, or: systemctl disable --now nscd");
}
