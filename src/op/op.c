// SPDX-License-Identifier: GPL-2.0-or-later

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "op_internal.h"
#include "wgns/fd.h"

static const struct op ops[] = {
	{ "dir.create", dir_create_run, dir_create_undo },
	{ "mask.pin", mask_pin_run, mask_pin_undo },
	{ "profile.compile", profile_compile_run, profile_compile_undo },
	{ "resolv.write", resolv_write_run, NULL }, /* goes with the box's folder */
	{ "netns.create", netns_create_run, netns_create_undo },
	{ "netns.share", netns_share_run, netns_share_undo },
	{ "netns.name", netns_name_run, netns_name_undo },
	{ "netns.prepare", netns_prepare_run, NULL }, /* goes with the namespace */
	{ "netns.sysfs", netns_sysfs_run, netns_sysfs_undo },
	{ "guard.set", guard_set_run, guard_set_undo }, /* physical's goes with the namespace */
	{ "guard.allow", guard_allow_run, guard_allow_undo },
	{ "guard.port", guard_port_run, guard_port_undo },
	{ "unit.stop", unit_stop_run, unit_stop_undo },
	{ "unit.dropin", unit_dropin_run, unit_dropin_undo },
	{ "sysctl.save", sysctl_save_run, sysctl_save_undo },
	{ "uplinks.save", uplinks_save_run,
	  uplinks_save_undo }, /* its undo configures home again */
	{ "link.move", link_move_run, link_move_undo },
	{ "phy.move", phy_move_run, phy_move_undo },
	/* what a device gets in physical is dropped by the kernel when it moves back */
	{ "link.restore", link_restore_run, NULL },
	{ "addr.restore", addr_restore_run, NULL },
	{ "neigh.restore", neigh_restore_run, NULL },
	{ "rule.restore", rule_restore_run, NULL },
	/* its undo takes the present state of the uplinks, for uplinks.save to give back */
	{ "route.restore", route_restore_run, route_restore_undo },
	/* both go with the namespace */
	{ "lan.guard", lan_guard_run, NULL },
	{ "lan.forward", lan_forward_run, NULL },
	{ "lan.create", lan_create_run, lan_create_undo },
	{ "lan.addr", lan_addr_run, NULL }, /* goes with the pair, as do the routes of lan.sync */
	{ "lan.sync", lan_sync_run, NULL },
	{ "lan.yield", lan_sync_run, lan_yield_undo },
	{ "agent.stop", agent_stop_run, agent_stop_undo },
	{ "agent.start", agent_start_run, agent_start_undo },
	{ "agent.wait", agent_wait_run, NULL },
	{ "unit.start", unit_start_run, unit_start_undo },
	{ "unit.wait", unit_wait_run, NULL }, /* it changes nothing */
	{ "unit.follow", unit_follow_run, unit_follow_undo },
	{ "tunnel.create", tunnel_create_run, tunnel_create_undo },
	/* what the tunnel has goes with the tunnel */
	{ "tunnel.move", tunnel_move_run, NULL },
	{ "socket.name", socket_name_run, socket_name_undo },
	{ "wg.set", wg_set_run, NULL },
	{ "addr.add", addr_add_run, NULL },
	{ "link.up", link_up_run, NULL },
	{ "route.add", route_add_run, NULL },
	{ "dns.set", dns_set_run, dns_set_undo },
	/* its keepalive is back before it ends, or goes with the tunnel */
	{ "handshake.wait", handshake_wait_run, NULL },
	/* the socket of one that was killed goes with the tunnel's folder */
	{ "confirm.wait", confirm_wait_run, NULL },
	{ "hook.run", hook_run_run, NULL }, /* undone by the user's own PreDown and PostDown */
	{ "watch.start", watch_start_run, watch_start_undo },
};

const struct op *op_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (strcmp(ops[i].name, name) == 0)
			return &ops[i];
	}
	return NULL;
}

int step_parse(const char *text, struct step *out)
{
	int rc = step_split(text, out);

	if (rc < 0)
		return rc;
	out->op = op_by_name(out->words[0]);
	if (!out->op) {
		step_free(out);
		return -EINVAL;
	}
	return 0;
}

void op_env_init(struct op_env *env)
{
	*env = (struct op_env){ .has_programs_left = -1,
				.home_fd = -1,
				.physical_fd = -1,
				.confirmed_fd = -1,
				.home_dirs = { -1, -1 },
				.physical_dirs = { -1, -1 } };
}

void op_env_close(struct op_env *env)
{
	nl_close(&env->home_nl);
	nl_close(&env->physical_nl);
	sysctl_close_dirs(&env->home_dirs);
	sysctl_close_dirs(&env->physical_dirs);
	fd_close_indirect(&env->home_fd);
	fd_close_indirect(&env->physical_fd);
	fd_close_indirect(&env->confirmed_fd);
	if (env->has_snap)
		snapshot_free(&env->snap);
	env->has_snap = false;
	if (env->has_present)
		snapshot_free(&env->present);
	env->has_present = false;
}

void op_env_note(const struct op_env *env, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (!env->note)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	env->note(env->note_ctx, text);
}

int op_env_nl_home(struct op_env *env, struct nl **out, struct err *e)
{
	if (!env->home_nl) {
		int rc = nl_open_in(NETLINK_ROUTE, env->home_fd, &env->home_nl, e);
		if (rc < 0)
			return rc;
	}
	*out = env->home_nl;
	return 0;
}

int op_env_nl_physical(struct op_env *env, struct nl **out, struct err *e)
{
	if (env->physical_fd < 0)
		return err_say(e, ENOENT, "the namespace physical is gone");
	if (!env->physical_nl) {
		int rc = nl_open_in(NETLINK_ROUTE, env->physical_fd, &env->physical_nl, e);
		if (rc < 0)
			return rc;
	}
	*out = env->physical_nl;
	return 0;
}

static int open_dirs(int ns_fd, struct sysctl_dirs *dirs, const struct sysctl_dirs **out,
		     struct err *e)
{
	int rc = dirs->ipv4_fd < 0 ? sysctl_open_dirs(ns_fd, dirs, e) : 0;

	if (rc == 0)
		*out = dirs;
	return rc;
}

int op_env_dirs_home(struct op_env *env, const struct sysctl_dirs **out, struct err *e)
{
	return open_dirs(env->home_fd, &env->home_dirs, out, e);
}

int op_env_dirs_physical(struct op_env *env, const struct sysctl_dirs **out, struct err *e)
{
	return open_dirs(env->physical_fd, &env->physical_dirs, out, e);
}

int op_env_snapshot(struct op_env *env, const struct snapshot **out, struct err *e)
{
	if (!env->has_snap) {
		AUTO_FD int dir_fd =
			state_openat(env->run_fd, OP_BOX_PATH, O_RDONLY | O_DIRECTORY, e);
		if (dir_fd < 0)
			return dir_fd;
		int rc = snapshot_read(dir_fd, "snapshot", &env->snap, e);
		if (rc < 0)
			return rc == -ENOENT ? rc : err_context(e, STATE_DIR "/" OP_BOX_PATH);
		env->has_snap = true;
	}
	*out = &env->snap;
	return 0;
}
