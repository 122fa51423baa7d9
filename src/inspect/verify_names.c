// SPDX-License-Identifier: GPL-2.0-or-later
/* invariant 3: each side asks its own resolvers. Pure */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "verify_internal.h"
#include "wgns/dns.h"

static bool is_in(const struct addr *server, const struct addr *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (addr_equal(server, &list[i]))
			return true;
	}
	return false;
}

static bool is_of_tunnel(const struct verify_facts *f, const struct addr *server)
{
	for (size_t i = 0; i < f->n_tunnels; i++) {
		if (is_in(server, f->tunnels[i].dns, f->tunnels[i].n_dns))
			return true;
	}
	return false;
}

static bool is_loopback(const struct addr *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	return a->family == AF_INET ? a->bytes[0] == 127 : memcmp(a->bytes, one, 16) == 0;
}

/* has wgns written resolv.conf itself? Then it holds what DNS= says and nothing else */
static bool is_file_ours(const struct verify_facts *f)
{
	for (size_t i = 0; i < f->n_all; i++) {
		if (dns_manager_by_name(f->all[i].dns) == DNS_FILE)
			return true;
	}
	return false;
}

static void judge_server(const struct verify_facts *f, const struct addr *server,
			 struct findings *out)
{
	char text[ADDR_TEXT_MAX];

	addr_format(server, text);
	if (is_of_tunnel(f, server) || (is_loopback(server) && !is_file_ours(f)))
		return;
	if (is_in(server, f->box_resolv.servers, f->box_resolv.n_servers)) {
		findings_add(out, FINDING_BREAKS,
			     "/etc/resolv.conf names %s, the resolver of the uplink", text);
		findings_hint(out, "`wgns down` and `up` of the tunnel with DNS= set it anew");
	} else if (is_file_ours(f)) {
		findings_add(out, FINDING_BREAKS,
			     "/etc/resolv.conf names %s, which no tunnel's DNS= does", text);
		findings_hint(out, "`wgns down` and `up` of the tunnel with DNS= set it anew");
	} else {
		findings_add(out, FINDING_WARNING,
			     "/etc/resolv.conf names %s, which no tunnel's DNS= does", text);
	}
}

static void judge_home(const struct verify_facts *f, struct findings *out)
{
	bool has_dns = false;

	findings_begin(out, "names.home", "home resolves by what the tunnels' DNS= says");
	for (size_t i = 0; i < f->n_all; i++)
		has_dns = has_dns || f->all[i].dns[0];
	if (f->n_tunnels < f->n_all && f->is_root) {
		findings_add(out, FINDING_NOTE,
			     "all tunnels together are asked for this: `wgns "
			     "verify` without a name");
		return;
	}
	if (!verify_need_root(f, out))
		return;
	if (!has_dns) {
		findings_add(out, FINDING_NOTE,
			     "no tunnel has DNS=: home has no resolver but what "
			     "the tunnels reach");
		return;
	}
	if (f->home_resolv.problem[0])
		findings_add(out, FINDING_OPEN, "%s", f->home_resolv.problem);
	else if (!f->home_resolv.is_there)
		findings_add(out, FINDING_BREAKS, "/etc/resolv.conf is gone");
	else if (!f->home_resolv.n_servers)
		findings_add(out, FINDING_BREAKS, "/etc/resolv.conf names no server");
	for (size_t i = 0; i < f->home_resolv.n_servers; i++)
		judge_server(f, &f->home_resolv.servers[i], out);
}

static void judge_box(const struct verify_facts *f, struct findings *out)
{
	char text[ADDR_TEXT_MAX];

	findings_begin(out, "names.box", "programs in physical resolve by the uplink's servers");
	if (f->box_resolv.problem[0]) {
		findings_add(out, FINDING_OPEN, "%s", f->box_resolv.problem);
		return;
	}
	if (!f->box_resolv.is_there) {
		findings_add(out, FINDING_BREAKS, VERIFY_BOX_DIR "/etc/resolv.conf is gone");
		findings_hint(out, "`wgns down` and `up` make it anew");
	} else if (!f->box_resolv.n_servers) {
		findings_add(out, FINDING_WARNING,
			     VERIFY_BOX_DIR "/etc/resolv.conf names no server: no names there");
	}
	for (size_t i = 0; i < f->box_resolv.n_servers; i++) {
		const struct addr *server = &f->box_resolv.servers[i];
		if (!is_loopback(server))
			continue;
		addr_format(server, text);
		findings_add(out, FINDING_BREAKS,
			     VERIFY_BOX_DIR "/etc/resolv.conf names %s, which is physical itself",
			     text);
	}
	if (!f->has_box_nsswitch)
		findings_add(out, FINDING_BREAKS, VERIFY_BOX_DIR "/etc/nsswitch.conf is gone");
	else if (!f->is_box_nsswitch_right)
		findings_add(out, FINDING_BREAKS,
			     VERIFY_BOX_DIR "/etc/nsswitch.conf does not say \"hosts: files dns\"");
}

static void judge_pins(const struct verify_facts *f, struct findings *out)
{
	findings_begin(out, "names.pins",
		       "folders of resolvers' sockets cannot be removed under what hides them");
	for (size_t i = 0; i < PLAN_N_FOLDERS; i++) {
		if (f->is_folder_pinned[i])
			continue;
		findings_add(out, FINDING_BREAKS, "%s is no mount any more", plan_folders[i].path);
		findings_hint(out, "`mkdir -p %s && mount --bind %s %s`", plan_folders[i].path,
			      plan_folders[i].path, plan_folders[i].path);
	}
}

void verify_judge_names(const struct verify_facts *f, struct findings *out)
{
	judge_home(f, out);
	judge_box(f, out);
	judge_pins(f, out);
}
