/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * op - what the operations have for whoever changes something without their steps, or knows their steps' texts
 *
 * The operations themselves are in src/op/op_*.c, and called by their names: op_by_name() in engine.h.
 */
#ifndef WGNS_OP_H
#define WGNS_OP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

#include "wgns/engine.h"

#define OP_PHYSICAL "physical"
#define OP_BOX_PATH "box/physical"
#define SNAPSHOT_HOME "snapshot" /* the uplinks as they were in home */
#define SNAPSHOT_PHYSICAL "snapshot.physical" /* as they were when `down` began */
#define OP_NETNS_DIR "/run/netns"
#define OP_NETNS_PATH OP_NETNS_DIR "/physical"

/* The steps of a tunnel, for whoever makes it again. */
typedef int op_fn(struct op_env *env, const struct step *step, struct err *e);
op_fn tunnel_create_run, tunnel_create_undo, tunnel_move_run, socket_name_run, addr_add_run,
	link_up_run, route_add_run, dns_set_run;

/** op_tunnel_is_ours - is this link the tunnel's? by alias or number: its name is the user's to change */
bool op_tunnel_is_ours(const struct op_env *env, const struct rtnl_link *link);
/** op_tunnel_resolve - endpoints that have a name and no address, in the birthplace; as resolve_endpoints() */
int op_tunnel_resolve(struct op_env *env, struct wg_device *dev, struct err *e);
/** op_tunnel_mtu - the automatic MTU for the endpoints of @dev */
int op_tunnel_mtu(struct op_env *env, const struct wg_device *dev, uint32_t *out, struct err *e);

/** op_agents_again - keepers of agents that died are started again, with what they had; Return: how many, or -errno */
int op_agents_again(struct op_env *env, struct err *e);
/** op_units_remember - before an undo of the layout begins: what NetworkManager manages then, if it has moved */
void op_units_remember(struct op_env *env);
/** op_phy_index - the number of the phy in the text of a step; false when it is no phy.move */
bool op_phy_index(const char *text, uint32_t *out);
/** op_save_wdevs - which of home's links in @snap are wireless */
int op_save_wdevs(struct op_env *env, struct snapshot *snap, struct err *e);
/** op_restore_absent - what @snap has of devices that @present has not, where @r puts things back; an unplugged one is no error */
int op_restore_absent(const struct restore *r, const struct snapshot *snap,
		      const struct snapshot *present, struct err *e);

/** op_guard_is_home - is it the text of a step that sets home's guard? */
bool op_guard_is_home(const char *text);
/** op_guard_boot - the guard of KillSwitch = boot: nothing leaves home */
int op_guard_boot(struct nl *nl, struct err *e);

/** op_confirm_open - the folder of a tunnel in which its confirm.wait listens; an owned descriptor or -errno */
int op_confirm_open(int run_fd, const char *place, const char *name, struct err *e);
/** op_confirm_socket - the address of its socket */
struct sockaddr_un op_confirm_socket(int dir_fd);

#endif
