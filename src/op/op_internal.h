/* SPDX-License-Identifier: GPL-2.0-or-later */
/* the operations; each file of op_*.c holds those of one noun */
#ifndef WGNS_OP_INTERNAL_H
#define WGNS_OP_INTERNAL_H

#include <net/if.h>
#include <stdbool.h>

#include "wgns/op.h"

struct agentfile_command; /* agentfile.h */

/* op_netns.c: the namespace `physical` */
op_fn netns_create_run, netns_create_undo, netns_share_run, netns_share_undo, netns_name_run,
	netns_name_undo, netns_prepare_run, resolv_write_run, sysctl_save_run, sysctl_save_undo;
/* op_uplink.c: devices that move, and what they had */
op_fn uplinks_save_run, uplinks_save_undo, link_move_run, link_move_undo, link_restore_run,
	addr_restore_run, neigh_restore_run, rule_restore_run, route_restore_run,
	route_restore_undo;
/** op_uplinks_left - an error when an uplink of the snapshot is still in physical; nothing saved: nothing has moved */
int op_uplinks_left(struct op_env *env, struct err *e);
/** op_uplink_free_name - a name that is free there: "eth0-1", because somebody took "eth0" meanwhile */
void op_uplink_free_name(const struct rtnl_links *there, const char *name, char out[IFNAMSIZ]);
/** op_uplink_taken_altname - an alternative name of the uplink that another device of home has by now, or NULL */
const char *op_uplink_taken_altname(const struct rtnl_links *home, const struct rtnl_link *link);
/* op_phy.c: wireless devices, which move with their phy */
op_fn phy_move_run, phy_move_undo;
/** op_phys_left - an error when a phy is in physical, whether it has devices or not */
int op_phys_left(struct op_env *env, struct err *e);
/**
 * op_uplink_check_gone - when nobody knows any more which device an uplink was
 * @why: the error of the snapshot
 * Return: 0 when none of that @name is in physical; else an error with the command that moves it, for it stays where it is
 */
int op_uplink_check_gone(const struct rtnl_links *physical, const char *name, const struct err *why,
			 struct err *e);
/* op_helper.c: what the helper needs in home */
op_fn dir_create_run, dir_create_undo, mask_pin_run, mask_pin_undo, profile_compile_run,
	profile_compile_undo;
/* op_tunnel.c: the WireGuard device; the other ones are in op.h */
op_fn socket_name_undo, wg_set_run;
/* op_wait.c: waiting until the tunnel works */
op_fn handshake_wait_run;
/* op_confirm.c: waiting until somebody says that it does */
op_fn confirm_wait_run;
/* op_watch.c: who looks after the tunnel */
op_fn watch_start_run, watch_start_undo;
/* op_agent.c: who configures the uplinks */
op_fn agent_stop_run, agent_stop_undo, agent_start_run, agent_start_undo;
/** op_agent_spawn - the keeper of "PROGRAM.DEVICE", whose .run is written, or who follows a manager; recorded as .keeper */
int op_agent_spawn(struct op_env *env, const char *name, bool is_follower, struct err *e);
/** op_agent_end_keeper - SIGTERM, and SIGKILL after @grace_ms; none is success */
int op_agent_end_keeper(const struct op_env *env, const char *name, int grace_ms, struct err *e);
/** op_agent_forget - the files of a keeper that has ended */
int op_agent_forget(const struct op_env *env, const char *name, struct err *e);
/** op_agent_kill_left - what lived on when its keeper was killed: told by its mounts */
int op_agent_kill_left(const struct op_env *env, const char *name, struct err *e);
/** op_agent_start_in_home - by systemd where that is home's, with the rights that it gives to everybody */
int op_agent_start_in_home(const struct op_env *env, const struct agentfile_command *c,
			   struct err *e);
/* op_agent_wait.c */
op_fn agent_wait_run;
/* op_guard.c: what may leave home and come into physical */
op_fn guard_set_run, guard_set_undo, guard_allow_run, guard_allow_undo, guard_port_run,
	guard_port_undo;
/** op_guard_set - home's guard as the step's text says it
 * @uplinks: that moved */
int op_guard_set(struct nl *nl, const char *text, char *const *uplinks, size_t n_uplinks,
		 struct err *e);
/* op_lan.c: the uplinks' own networks, for home */
op_fn lan_guard_run, lan_forward_run, lan_create_run, lan_create_undo, lan_addr_run, lan_sync_run,
	lan_yield_undo;
/* op_unit_place.c, op_unit.c, op_dropin.c, op_unit_wait.c, op_follow.c: the machine's own managers */
op_fn netns_sysfs_run, netns_sysfs_undo, unit_stop_run, unit_stop_undo, unit_dropin_run,
	unit_dropin_undo, unit_start_run, unit_start_undo, unit_wait_run, unit_follow_run,
	unit_follow_undo;
/* op_home.c: names and hooks; dns_set_run() is in op.h */
op_fn dns_set_undo, hook_run_run;

#endif
