// SPDX-License-Identifier: GPL-2.0-or-later
/* the pair between home and physical by which home reaches the uplinks' own networks */
#include <errno.h>
#include <string.h>

#include "op_internal.h"
#include "wgns/guard.h"
#include "wgns/lan.h"
#include "wgns/lan_guard.h"
#include "wgns/lan_sync.h"
#include "wgns/snapshot.h"

/* before anything can be forwarded, and before there is anything between which it could be */
int lan_guard_run(struct op_env *env, const struct step *step, struct err *e)
{
	const struct lan_guard want = { .device = LAN_DEVICE };
	AUTO_NL struct nl *nl = NULL;

	(void)step;
	int rc = guard_open_in(env->physical_fd, &nl, e);
	return rc < 0 ? rc : lan_guard_set(nl, &want, e);
}

int lan_forward_run(struct op_env *env, const struct step *step, struct err *e)
{
	const struct sysctl_dirs *dirs;

	(void)step;
	int rc = op_env_dirs_physical(env, &dirs, e);
	return rc < 0 ? rc : sysctl_forward_netns(dirs, e);
}

int lan_create_run(struct op_env *env, const struct step *step, struct err *e)
{
	struct nl_msg m;
	struct nl *nl;

	(void)step;
	int rc = op_env_nl_home(env, &nl, e);
	if (rc < 0)
		return rc;
	rtnl_build_veth(&m, LAN_DEVICE, LAN_DEVICE, env->physical_fd);
	return nl_talk(nl, &m, e);
}

/* with it go its addresses and home's routes over it; with the namespace it goes by itself */
int lan_create_undo(struct op_env *env, const struct step *step, struct err *e)
{
	struct rtnl_link home, physical;
	struct nl_msg m;
	struct err why;
	struct nl *nl;

	(void)step;
	int rc = lan_find(env, &home, &physical, e);
	if (rc == 1)
		rc = op_env_nl_home(env, &nl, e) < 0 ? -e->code : 1;
	if (rc <= 0)
		return rc;
	rtnl_build_link_delete(&m, home.ifindex);
	rc = nl_talk(nl, &m, &why);
	if (rc < 0 && rc != -ENODEV) {
		*e = why;
		return err_context(e, "delete " LAN_DEVICE);
	}
	return 0;
}

/* one end: nobody tells it by a router advertisement where the Internet is, and its addresses are there at once */
static int configure_end(struct nl *nl, const struct sysctl_dirs *dirs, const struct lan_pair *pair,
			 const struct rtnl_link *link, struct err *e)
{
	struct nl_msg m;
	struct err why;

	int rc = sysctl_set_device(dirs, "ipv6/conf", link->name, "accept_ra", "0", e);
	if (rc < 0)
		return rc;
	rtnl_build_addr_add(&m, link->ifindex, &pair->v4);
	rc = nl_talk(nl, &m, e);
	if (rc < 0)
		return err_context(e, "give " LAN_DEVICE " its IPv4 address");
	rtnl_build_addr_add(&m, link->ifindex, &pair->v6);
	if (!rtnl_put_addr_flags(&m, IFA_F_NODAD))
		return err_set(e, EMSGSIZE, "give " LAN_DEVICE " its IPv6 address");
	rc = nl_talk(nl, &m, &why);
	/* IPv6 is switched off on new devices here, or the kernel has none: then there is a LAN of IPv4 only */
	if (rc < 0 && rc != -EACCES && rc != -EOPNOTSUPP && rc != -EAFNOSUPPORT) {
		*e = why;
		return err_context(e, "give " LAN_DEVICE " its IPv6 address");
	}
	rtnl_build_link_flags(&m, link->ifindex, IFF_UP, IFF_UP);
	rc = nl_talk(nl, &m, e);
	return rc < 0 ? err_context(e, "set " LAN_DEVICE " up") : 0;
}

static int read_pair(const struct step *step, struct lan_pair *home, struct lan_pair *physical,
		     struct err *e)
{
	if (addr_parse_prefix(step->words[2], strlen(step->words[2]), &home->v4) < 0 ||
	    addr_parse_prefix(step->words[3], strlen(step->words[3]), &home->v6) < 0)
		return err_say(e, EINVAL, "no addresses for " LAN_DEVICE);
	physical->v4 = lan_other_end(&home->v4);
	physical->v6 = lan_other_end(&home->v6);
	return 0;
}

int lan_addr_run(struct op_env *env, const struct step *step, struct err *e)
{
	const struct sysctl_dirs *home_dirs, *physical_dirs;
	struct nl *home_nl, *physical_nl;
	struct lan_pair home, physical;
	struct rtnl_link home_end, physical_end;

	int rc = read_pair(step, &home, &physical, e);
	if (rc == 0)
		rc = lan_find(env, &home_end, &physical_end, e);
	if (rc == 0)
		return err_set(e, ENODEV, "find " LAN_DEVICE);
	if (rc == 1)
		rc = op_env_dirs_home(env, &home_dirs, e);
	if (rc == 0)
		rc = op_env_dirs_physical(env, &physical_dirs, e);
	if (rc == 0)
		rc = op_env_nl_home(env, &home_nl, e);
	if (rc == 0)
		rc = op_env_nl_physical(env, &physical_nl, e);
	if (rc == 0)
		rc = configure_end(physical_nl, physical_dirs, &physical, &physical_end, e);
	return rc < 0 ? rc : configure_end(home_nl, home_dirs, &home, &home_end, e);
}

int lan_sync_run(struct op_env *env, const struct step *step, struct err *e)
{
	(void)step;
	return lan_sync(env, NULL, e);
}

/*
 * What the tunnel took is the LAN's again; the tunnel's folder is still there. When it cannot be given back, home reaches less
 * than it might, and that is no reason to keep the tunnel.
 */
int lan_yield_undo(struct op_env *env, const struct step *step, struct err *e)
{
	const struct lan_change change = { .without = step->words[1] };
	struct err why;

	(void)e;
	if (lan_sync(env, &change, &why) < 0)
		op_env_note(env, "what %s took from the LAN is not given back: %s", step->words[1],
			    why.text);
	return 0;
}
