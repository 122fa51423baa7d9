// SPDX-License-Identifier: GPL-2.0-or-later
/* the order of things in `up`: pure */
#include "wgns/plan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan_internal.h"
#include "wgns/lan.h"
#include "wgns/str.h"

/* as many routes or addresses as a person reads; more are counted */
#define SHOWN_MAX 4

/* parents before what is in them */
const struct plan_folder plan_folders[PLAN_N_FOLDERS] = {
	{ "/run/nscd", false },
	{ "/run/systemd", true },
	{ "/run/systemd/resolve", false },
	{ "/run/dbus", false },
};

static int add_text(struct plan *plan, const char *text)
{
	struct step *grown = reallocarray(plan->steps, plan->n + 1, sizeof(*plan->steps));

	if (!grown)
		return -ENOMEM;
	plan->steps = grown;
	int rc = step_split(text, &grown[plan->n]);
	if (rc == 0)
		plan->n++;
	return rc;
}

/* one line whatever a name or a hook contains: the journal is read line by line, and -n is shown on a terminal */
static void make_one_line(char *text)
{
	for (char *c = text; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	}
}

static int add(struct plan *plan, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int add(struct plan *plan, struct err *e, const char *fmt, ...)
{
	AUTO_FREE char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	int len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0) {
		text = NULL;
		return err_set(e, ENOMEM, "plan");
	}
	make_one_line(text);
	int rc = add_text(plan, text);
	return rc < 0 ? err_set(e, -rc, "plan the step '%s'", text) : 0;
}

int plan_add(struct plan *plan, const char *text, struct err *e)
{
	return add(plan, e, "%s", text);
}

int plan_warn(struct plan *plan, const char *text, struct err *e)
{
	if (str_list_add(&plan->warnings, &plan->n_warnings, text, strlen(text)) < 0)
		return err_set(e, ENOMEM, "plan");
	return 0;
}

/* what the helper needs: folders that it can hide and nobody can remove, and profiles */
static int plan_helper(const struct host *host, struct plan *plan, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < PLAN_N_FOLDERS; i++) {
		if (host->folders[i] == HOST_FOLDER_ABSENT)
			rc = add(plan, e, "dir.create %s", plan_folders[i].path);
	}
	for (size_t i = 0; rc == 0 && i < PLAN_N_FOLDERS; i++) {
		if (!plan_folders[i].is_parent && host->folders[i] != HOST_FOLDER_MOUNTED)
			rc = add(plan, e, "mask.pin %s", plan_folders[i].path);
	}
	return rc < 0 ? rc : add(plan, e, "profile.compile physical");
}

static int warn_group(const char *group, struct plan *plan, struct err *e)
{
	char text[256];

	(void)snprintf(
		text, sizeof(text),
		"group %.64s does not exist: only root can use exec; after `groupadd --system "
		"%.64s` the layout has to go down and up again",
		group, group);
	return plan_warn(plan, text, e);
}

static int warn_etc_mount(const char *place, struct plan *plan, struct err *e)
{
	char text[256];

	(void)snprintf(text, sizeof(text),
		       "%.127s is a mount: programs in a box see what is under it instead", place);
	return plan_warn(plan, text, e);
}

static int plan_layout(const struct plan_request *rq, const struct host *host, struct plan *plan,
		       struct err *e)
{
	AUTO_STRBUF struct strbuf names = { 0 };
	struct plan_lan lan = { "", "" };
	int rc = plan_uplinks(rq, host, plan, e);

	if (rc == 0 && rq->has_lan)
		rc = plan_lan(rq, host, plan, &lan, e);

	for (size_t i = 0; i < plan->n_uplinks; i++)
		strbuf_addf(&names, " %s", plan->uplinks[i]);
	if (rc == 0 && names.is_failed)
		rc = err_set(e, ENOMEM, "plan");
	/* what seals names comes first: the door of the box is opened last and, when all is undone, closed first */
	if (rc == 0)
		rc = plan_helper(host, plan, e);
	if (rc == 0)
		rc = add(plan, e, "resolv.write physical");
	if (rc == 0)
		rc = add(plan, e, "netns.create physical");
	if (rc == 0 && !rq->has_group)
		rc = warn_group(rq->group, plan, e);
	if (rc == 0 && host->etc_mount[0])
		rc = warn_etc_mount(host->etc_mount, plan, e);
	if (rc == 0 && !host->is_netns_dir_shared)
		rc = add(plan, e, "netns.share /run/netns");
	if (rc == 0)
		rc = add(plan, e, "netns.name physical as /run/netns/physical");
	if (rc == 0)
		rc = add(plan, e, "netns.prepare physical");
	if (rc == 0)
		rc = plan_units_prepare(rq, host, plan, e);
	if (rc == 0)
		rc = plan_guard_physical(rq, host, plan, e);
	if (rc == 0 && rq->has_lan)
		rc = plan_lan_before(plan, e);
	if (rc == 0)
		rc = plan_agents_stop(rq, host, plan, e);
	if (rc == 0)
		rc = plan_units_stop(rq, host, plan, e);
	if (rc == 0)
		rc = add(plan, e, "sysctl.save home");
	/* in front of what configures home again when it is undone */
	if (rc == 0)
		rc = plan_guard_home(rq, host, plan, e);
	if (rc == 0)
		rc = add(plan, e, "uplinks.save home%s", names.s);
	if (rc == 0)
		rc = plan_moves(host, plan, e);
	for (size_t i = 0; rc == 0 && i < plan->n_uplinks; i++)
		rc = add(plan, e, "link.restore %s in physical", plan->uplinks[i]);
	if (rc == 0)
		rc = add(plan, e, "addr.restore physical");
	if (rc == 0)
		rc = add(plan, e, "neigh.restore physical");
	if (rc == 0)
		rc = add(plan, e, "rule.restore physical");
	if (rc == 0)
		rc = add(plan, e, "route.restore physical");
	if (rc == 0 && rq->has_lan)
		rc = plan_lan_after(rq, host, &lan, plan, e);
	/* last, so that backwards they end while the devices are still there */
	if (rc == 0)
		rc = plan_agents_start(rq, host, plan, e);
	if (rc == 0)
		rc = plan_units_start(rq, host, plan, e);
	plan->n_layout = plan->n;
	return rc;
}

static int plan_hooks(const struct wgquick *conf, enum wgquick_hook kind, const char *word,
		      struct plan *plan, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < conf->n_hooks[kind]; i++)
		rc = add(plan, e, "hook.run %s %zu: %.400s", word, i + 1, conf->hooks[kind][i]);
	return rc;
}

/* "10.0.0.1/24, fd00::1/64", or their number */
static void list_addrs(struct strbuf *b, const struct addr *list, size_t n)
{
	char text[ADDR_TEXT_MAX];

	if (n > SHOWN_MAX) {
		strbuf_addf(b, "%zu prefixes", n);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		addr_format_prefix(&list[i], text);
		strbuf_addf(b, "%s%s", i ? ", " : "", text);
	}
}

static int plan_addresses(const struct wgquick *conf, struct plan *plan, struct err *e)
{
	AUTO_STRBUF struct strbuf list = { 0 };

	if (!conf->n_addresses)
		return 0;
	list_addrs(&list, conf->addresses, conf->n_addresses);
	if (list.is_failed)
		return err_set(e, ENOMEM, "plan");
	return add(plan, e, "addr.add %s: %s", conf->name, list.s);
}

static int plan_route_step(const struct wgquick *conf, struct plan *plan, struct err *e)
{
	AUTO_STRBUF struct strbuf list = { 0 };
	struct addr *routes = NULL;
	size_t n = 0;

	if (conf->table == WGQUICK_TABLE_OFF)
		return 0;
	if (plan_routes(conf, &routes, &n) < 0)
		return err_set(e, ENOMEM, "plan");
	list_addrs(&list, routes, n);
	free(routes);
	if (list.is_failed)
		return err_set(e, ENOMEM, "plan");
	if (!n)
		return 0;
	if (conf->table == WGQUICK_TABLE_NUMBER)
		return add(plan, e, "route.add %s table %u: %s", conf->name, conf->table_number,
			   list.s);
	return add(plan, e, "route.add %s: %s", conf->name, list.s);
}

static int plan_dns(const struct plan_request *rq, struct plan *plan, struct err *e)
{
	const struct wgquick *conf = rq->conf;

	if (conf->n_dns)
		return add(plan, e, "dns.set %s by %s: %zu server%s", conf->name, rq->dns,
			   conf->n_dns, conf->n_dns == 1 ? "" : "s");
	if (conf->n_search)
		return 0; /* the parser has warned: wg-quick ignores search domains without a server */
	return plan_warn(plan,
			 "the file has no DNS=: no names resolve in home, because the uplink's "
			 "resolver is out of reach from there",
			 e);
}

static int plan_tunnel(const struct plan_request *rq, const struct host *host, struct plan *plan,
		       struct err *e)
{
	const struct wgquick *conf = rq->conf;
	const char *name = conf->name;

	int rc = add(plan, e, "tunnel.create %s in physical by %s", name, rq->backend);
	if (rc == 0)
		rc = plan_guard_allow(rq, host, plan, e);
	if (rc == 0)
		rc = add(plan, e, "tunnel.move %s physical -> home", name);
	if (rc == 0 && strcmp(rq->backend, "userspace") == 0)
		rc = add(plan, e, "socket.name %s as /run/wireguard/%s.sock", name, name);
	if (rc == 0)
		rc = plan_hooks(conf, WGQUICK_PRE_UP, "PreUp", plan, e);
	if (rc == 0)
		rc = plan_guard_port(rq, host, plan, e);
	if (rc == 0)
		rc = add(plan, e, "wg.set %s: %zu peer%s", name, conf->device.n_peers,
			 conf->device.n_peers == 1 ? "" : "s");
	if (rc == 0)
		rc = plan_addresses(conf, plan, e);
	if (rc == 0 && conf->mtu)
		rc = add(plan, e, "link.up %s mtu %u", name, conf->mtu);
	else if (rc == 0)
		rc = add(plan, e, "link.up %s mtu auto", name);
	if (rc == 0)
		rc = plan_dns(rq, plan, e);
	if (rc == 0)
		rc = plan_route_step(conf, plan, e);
	/*
	 * PostUp may need a tunnel that works, and what it has done nobody undoes when the handshake does not come. But where
	 * the file has no key, PostUp is where wg-quick(8) says to set it.
	 */
	bool is_key_late = !conf->device.has_private_key;
	if (rc == 0 && rq->wait_s && !is_key_late)
		rc = add(plan, e, "handshake.wait %s %u s", name, rq->wait_s);
	if (rc == 0)
		rc = plan_hooks(conf, WGQUICK_POST_UP, "PostUp", plan, e);
	if (rc == 0 && rq->wait_s && is_key_late)
		rc = add(plan, e, "handshake.wait %s %u s", name, rq->wait_s);
	if (rc == 0 && rq->should_watch)
		rc = add(plan, e, "watch.start %s", name);
	return rc;
}

/* the layout is up, and its uplinks are those of its first tunnel */
static int warn_left(const struct plan_request *rq, const struct host *host, struct plan *plan,
		     struct err *e)
{
	char text[160];

	for (size_t i = 0; i < rq->n_uplinks; i++) {
		if (!rtnl_links_by_name(&host->links, rq->uplinks[i]))
			continue;
		(void)snprintf(text, sizeof(text),
			       "%.15s stays in home: the layout is up already, and only its first "
			       "tunnel moves uplinks",
			       rq->uplinks[i]);
		int rc = plan_warn(plan, text, e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int plan_up(const struct plan_request *rq, const struct host *host, struct plan *out, struct err *e)
{
	struct plan plan = { 0 };
	int rc = plan_check(rq, host, e);

	if (rc == 0 && !host->is_layout_up)
		rc = plan_layout(rq, host, &plan, e);
	else if (rc == 0)
		rc = warn_left(rq, host, &plan, e);
	if (rc == 0)
		rc = plan_check_routes(rq, host, &plan, e);
	if (rc == 0 && host->is_layout_up)
		rc = plan_lan_yield(rq, host, &plan, e);
	if (rc == 0)
		rc = plan_check_sessions(rq, host, &plan, e);
	if (rc == 0)
		rc = plan_tunnel(rq, host, &plan, e);
	/* the last step of all: what is confirmed is everything */
	if (rc == 0 && rq->confirm_s)
		rc = add(&plan, e, "confirm.wait %s %u s", rq->conf->name, rq->confirm_s);
	if (rc < 0) {
		plan_free(&plan);
		return rc;
	}
	plan.backend = rq->backend;
	*out = plan;
	return 0;
}
