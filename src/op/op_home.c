// SPDX-License-Identifier: GPL-2.0-or-later
/* what home gets beside the device: names and the user's hooks */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "op_internal.h"
#include "wgns/dns.h"
#include "wgns/fd.h"
#include "wgns/hook.h"

static int open_tunnel(const struct op_env *env, struct err *e)
{
	char path[STATE_PLACE_MAX + IFNAMSIZ + 16];

	state_tunnel_path(env->tunnel.place, env->tunnel.device.name, path, sizeof(path));
	return state_openat(env->run_fd, path, O_RDONLY | O_DIRECTORY, e);
}

int dns_set_run(struct op_env *env, const struct step *step, struct err *e)
{
	const struct dns_conf conf = {
		.ifname = env->tunnel.device.name,
		.servers = env->conf->dns,
		.n_servers = env->conf->n_dns,
		.search = env->conf->search,
		.n_search = env->conf->n_search,
	};

	(void)step;
	AUTO_FD int dir_fd = open_tunnel(env, e);
	if (dir_fd < 0)
		return dir_fd;
	return dns_set(dns_manager_by_name(env->tunnel.dns), dir_fd, &conf, e);
}

int dns_set_undo(struct op_env *env, const struct step *step, struct err *e)
{
	char manager[sizeof(env->tunnel.dns)];

	/* "dns.set wg0 by file: 1 server", where the tunnel's own file is damaged */
	(void)snprintf(manager, sizeof(manager), "%.*s", (int)strcspn(step->words[3], ":"),
		       step->words[3]);
	if (env->tunnel.dns[0])
		memcpy(manager, env->tunnel.dns, sizeof(manager));
	AUTO_FD int dir_fd = open_tunnel(env, e);
	if (dir_fd < 0)
		return dir_fd;
	return dns_unset(dns_manager_by_name(manager), dir_fd, env->tunnel.device.name, e);
}

/* "hook.run PreUp 2: iptables ...": the command is taken from the configuration, the words say which */
int hook_run_run(struct op_env *env, const struct step *step, struct err *e)
{
	enum wgquick_hook kind =
		strcmp(step->words[1], "PreUp") == 0 ? WGQUICK_PRE_UP : WGQUICK_POST_UP;
	unsigned long n = strtoul(step->words[2], NULL, 10);

	if (n == 0 || n > env->conf->n_hooks[kind])
		return err_say(e, EINVAL, "no hook %s %s", step->words[1], step->words[2]);
	return hook_run(env->conf->hooks[kind][n - 1], env->tunnel.device.name, env->home_fd, e);
}
