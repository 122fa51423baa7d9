/* SPDX-License-Identifier: GPL-2.0-or-later */
/* op - the operations; each file of op_*.c holds those of one noun */
#ifndef WGNS_OP_H
#define WGNS_OP_H

#include <net/if.h>
#include <stdbool.h>

#include "wgns/engine.h"

typedef int op_fn(struct op_env *env, const struct step *step, struct err *e);

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
/* op_tunnel.c: the WireGuard device */
op_fn tunnel_create_run, tunnel_create_undo, tunnel_move_run, socket_name_run, socket_name_undo,
	wg_set_run, addr_add_run, link_up_run, route_add_run;
/** op_tunnel_is_ours - is this link the tunnel's? by alias or number: its name is the user's to change */
bool op_tunnel_is_ours(const struct op_env *env, const struct rtnl_link *link);
/** op_tunnel_resolve - endpoints that have a name and no address, in the birthplace; as resolve_endpoints() */
int op_tunnel_resolve(struct op_env *env, struct wg_device *dev, struct err *e);
/** op_tunnel_mtu - the automatic MTU for the endpoints of @dev */
int op_tunnel_mtu(struct op_env *env, const struct wg_device *dev, uint32_t *out, struct err *e);
/* op_wait.c: waiting until the tunnel works */
op_fn handshake_wait_run;
/* confirm.c: waiting until somebody says that it does */
op_fn confirm_wait_run;
/* op_watch.c: who looks after the tunnel */
op_fn watch_start_run, watch_start_undo;
/* op_agent.c: who configures the uplinks */
op_fn agent_stop_run, agent_stop_undo, agent_start_run, agent_start_undo;
/* op_agent_wait.c */
op_fn agent_wait_run;
/* op_adopt.c */
/** op_restore_absent - what @snap has of devices that @present has not, where @r puts things back; an unplugged one is no error */
int op_restore_absent(const struct restore *r, const struct snapshot *snap,
		      const struct snapshot *present, struct err *e);
/* op_guard.c: what may leave home and come into physical */
op_fn guard_set_run, guard_set_undo, guard_allow_run, guard_allow_undo, guard_port_run,
	guard_port_undo;
/* op_lan.c: the uplinks' own networks, for home */
op_fn lan_guard_run, lan_forward_run, lan_create_run, lan_create_undo, lan_addr_run, lan_sync_run,
	lan_yield_undo;
/* op_unit_place.c, op_unit.c, op_dropin.c, op_unit_wait.c, op_follow.c: the machine's own managers */
op_fn netns_sysfs_run, netns_sysfs_undo, unit_stop_run, unit_stop_undo, unit_dropin_run,
	unit_dropin_undo, unit_start_run, unit_start_undo, unit_wait_run, unit_follow_run,
	unit_follow_undo;
/* op_home.c: names and hooks */
op_fn dns_set_run, dns_set_undo, hook_run_run;

#define OP_PHYSICAL "physical"
#define OP_BOX_PATH "box/physical"
#define SNAPSHOT_HOME "snapshot" /* the uplinks as they were in home */
#define SNAPSHOT_PHYSICAL "snapshot.physical" /* as they were when `down` began */
#define OP_NETNS_DIR "/run/netns"
#define OP_NETNS_PATH OP_NETNS_DIR "/physical"

#endif
