// SPDX-License-Identifier: GPL-2.0-or-later
/* small changes to a tunnel that is up */
#include <errno.h>
#include <stdio.h>

#include "change_internal.h"
#include "wgns/lan.h"
#include "wgns/lan_sync.h"
#include "wgns/op.h"

static int check_settled(const struct state_tunnel *t, struct err *e)
{
	if (t->since && !t->hooks_run)
		return 0;
	err_say(e, ESHUTDOWN, "%s is %s", t->device.name,
		t->since ? "going down" : "not up yet, or was never finished");
	return err_as(e, ERR_KIND_STATE);
}

int change_tend_begin(const char *name, const struct change_talk *talk, struct tend *out,
		      struct err *e)
{
	struct tend t = { .run_fd = -1, .lock_fd = -1 };

	op_env_init(&t.env);
	int rc = state_enter(false, 0, &t.run_fd, &t.lock_fd, e);
	if (rc < 0)
		return rc;
	state_tunnel_path(CHANGE_PLACE, name, t.folder, sizeof(t.folder));
	rc = change_env(t.run_fd, talk, &t.env, e);
	if (rc == 0)
		rc = state_tunnel_read(t.run_fd, CHANGE_PLACE, name, &t.env.tunnel, e);
	if (rc == 0)
		rc = check_settled(&t.env.tunnel, e);
	t.env.backend = rc == 0 ? backend_by_name(t.env.tunnel.backend) : NULL;
	if (rc == 0 && !t.env.backend)
		rc = err_say(e, EINVAL, "%s was made by an unknown backend", name);
	if (rc == 0 && t.env.physical_fd < 0)
		rc = err_say(e, ENOENT, "the namespace physical is gone");
	if (rc < 0) {
		change_tend_end(&t);
		return rc;
	}
	*out = t;
	return 0;
}

void change_tend_end(struct tend *t)
{
	op_env_close(&t->env);
	state_leave(&t->run_fd, &t->lock_fd);
}

int change_endpoints(const char *name, const struct wg_device *dev, const struct change_talk *talk,
		     struct err *e)
{
	struct tend t;
	int rc = change_tend_begin(name, talk, &t, e);

	if (rc < 0)
		return rc;
	rc = t.env.backend->set(&t.env.tunnel.device, t.env.home_fd, dev, false, e);
	change_tend_end(&t);
	return rc;
}

static int follow_mtu(struct op_env *env, uint32_t *mtu, struct err *e)
{
	struct wg_device dev = { 0 };
	struct rtnl_link link = { 0 };
	uint32_t wanted = 0;
	struct nl_msg m;
	struct nl *nl;

	int rc = op_env_nl_home(env, &nl, e);
	if (rc == 0)
		rc = rtnl_get_link(nl, 0, env->tunnel.device.name, &link, e);
	if (rc == 0)
		rc = env->backend->get(&env->tunnel.device, env->home_fd, &dev, e);
	if (rc == 0)
		rc = op_tunnel_mtu(env, &dev, &wanted, e);
	wg_device_free(&dev);
	if (rc < 0 || wanted == link.mtu || link.mtu != *mtu)
		return rc;
	rtnl_build_link_set(&m, link.ifindex, 0, 0);
	if (!rtnl_put_link_mtu(&m, wanted))
		return err_set(e, EMSGSIZE, "set the MTU of %s", link.name);
	rc = nl_talk(nl, &m, e);
	if (rc < 0)
		return err_context(e, "set the MTU of %s to %u", link.name, wanted);
	*mtu = wanted;
	return 1;
}

int change_mtu(const char *name, uint32_t *mtu, const struct change_talk *talk, struct err *e)
{
	struct tend t;
	int rc = change_tend_begin(name, talk, &t, e);

	if (rc < 0)
		return rc;
	rc = follow_mtu(&t.env, mtu, e);
	change_tend_end(&t);
	return rc;
}

int change_lan(const char *name, const struct change_talk *talk, struct err *e)
{
	struct tend t;
	int rc = change_tend_begin(name, talk, &t, e);

	if (rc < 0)
		return rc;
	rc = lan_sync(&t.env, NULL, e);
	change_tend_end(&t);
	return rc;
}

int change_agents(const char *name, const struct change_talk *talk, struct err *e)
{
	struct tend t;
	int rc = change_tend_begin(name, talk, &t, e);

	if (rc < 0)
		return rc;
	rc = op_agents_again(&t.env, e);
	change_tend_end(&t);
	return rc;
}
