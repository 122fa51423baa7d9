/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wgnsconf - wgns.conf(5): /etc/wgns/wgns.conf, and /etc/wgns/TUNNEL.conf over it */
#ifndef WGNS_WGNSCONF_H
#define WGNS_WGNSCONF_H

#include <stdbool.h>
#include <stddef.h>

#include "wgns/diag.h"
#include "wgns/err.h"
#include "wgns/portal.h"
#include "wgns/wgquick.h"

#define WGNSCONF_DIR "/etc/wgns"
#define WGNSCONF_FILE_MAX (1u << 20)

enum kill_switch {
	KILL_SWITCH_UP, /* from before the first device moves until after the last is back */
	KILL_SWITCH_BOOT, /* also before the first `up` and after the last `down` */
	KILL_SWITCH_NO,
};

/* [Physical] Agent: who configures the uplinks in physical */
enum agent_choice {
	AGENT_AUTO, /* what configures them now */
	AGENT_NONE,
	AGENT_NAMED,
};
#define WGNSCONF_AGENTS_MAX 16

struct wgnsconf {
	char **uplinks; /* [Physical] Uplinks */
	size_t n_uplinks;
	bool has_uplinks; /* false: auto */
	bool has_lan; /* [Physical] Lan = yes: home reaches the uplinks' own networks */
	enum agent_choice agent; /* [Physical] Agent */
	char **agents; /* AGENT_NAMED: names of profiles, and systemd:UNIT, in their order */
	size_t n_agents;
	enum kill_switch kill_switch; /* [Guard] KillSwitch */
	bool should_watch; /* [Tunnel] Watch = yes: `up` starts `wgns watch` */
	char backend[16]; /* [Tunnel] Backend: auto, kernel, userspace */
	char daemon[256]; /* [Tunnel] Daemon: absolute path */
	bool should_trust_hooks; /* [Tunnel] Hooks = yes: whoever owns the tunnel's file */
	char group[64]; /* [Box] Group */
	char portal_url[PORTAL_LEASE_URL_MAX +
			1]; /* [Portal] Url: what is asked whether the way is free */
	char portal_expect[PORTAL_EXPECT_MAX + 1]; /* [Portal] Expect: its text; "": status 204 */
	bool has_portal_expect; /* false: the default of portal_url */
	char portal_browser[256]; /* [Portal] Browser: words of a command; "": one that is found */
};

/** wgnsconf_init - the defaults */
void wgnsconf_init(struct wgnsconf *conf);
/**
 * wgnsconf_read - the defaults, then wgns.conf, then the tunnel's file
 * @dir: normally WGNSCONF_DIR
 * @tunnel_or_null: the tunnel whose own file counts too, see wgnsconf_is_system_tunnel()
 * @diags: receives every problem with the name of its file
 *
 * A file that is not there says nothing. One that somebody else than root could have written is an error, because
 * it grants rights.
 *
 * Return: 0, or -errno; @e then holds the first problem
 */
int wgnsconf_read(const char *dir, const char *tunnel_or_null, struct wgnsconf *out,
		  struct diag_list *diags, struct err *e);
/**
 * wgnsconf_parse - one file over what is in @conf, as a pure function
 * Return: 0, -EINVAL when there is an error among @diags, or -ENOMEM; @conf is then half changed
 */
int wgnsconf_parse(const char *text, size_t len, struct wgnsconf *conf, struct diag_list *diags);
void wgnsconf_free(struct wgnsconf *conf);

/**
 * wgnsconf_is_system_tunnel - is the file that was read WIREGUARD_DIR/NAME.conf itself?
 *
 * A file elsewhere that has the same name inherits no rights from it.
 */
bool wgnsconf_is_system_tunnel(const char *wireguard_dir, const char *name,
			       const struct wgquick_file *file);

#endif
