// SPDX-License-Identifier: GPL-2.0-or-later
/* the guard: what home may send by, and what physical takes in */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "op_internal.h"
#include "wgns/netns.h"
#include "wgns/str.h"

int op_guard_boot(struct nl *nl, struct err *e)
{
	static const char *const lo[] = { "lo" };
	const struct guard_home boot = { .names = lo, .n_names = 1 };

	return guard_set_home(nl, &boot, e);
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

bool op_guard_is_home(const char *text)
{
	return begins(text, GUARD_HOME ":") || begins(text, GUARD_HOME " (");
}

/* the names behind ": ", which are cut off in @text */
static int split_names(char *text, const char ***out, size_t *n, struct err *e)
{
	char *rest = strstr(text, ": ");
	size_t n_max = 1, found = 0;

	for (const char *c = text; *c; c++)
		n_max += *c == ' ';
	const char **names = calloc(n_max, sizeof(*names));
	if (!names)
		return err_set(e, ENOMEM, "set the guard");
	rest = rest ? rest + 2 : NULL;
	for (char *name = strsep(&rest, " "); name; name = strsep(&rest, " ")) {
		if (*name)
			names[found++] = name;
	}
	*out = names;
	*n = found;
	return 0;
}

int op_guard_set(struct nl *nl, const char *text, char *const *uplinks, size_t n_uplinks,
		 struct err *e)
{
	AUTO_FREE char *copy = strdup(text);
	AUTO_FREE const char **names = NULL;
	AUTO_FREE const char **ports = calloc(n_uplinks + 1, sizeof(*ports));
	struct guard_home home = { .n_uplinks = n_uplinks };

	if (!copy || !ports)
		return err_set(e, ENOMEM, "set the guard");
	for (size_t i = 0; i < n_uplinks; i++)
		ports[i] = uplinks[i];
	int rc = split_names(copy, &names, &home.n_names, e);
	home.names = names;
	home.uplinks = ports;
	return rc < 0 ? rc : guard_set_home(nl, &home, e);
}

/* "guard.set home: lo docker0", "guard.set home (boot): lo docker0", "guard.set physical", "guard.set physical with lan" */
int guard_set_run(struct op_env *env, const struct step *step, struct err *e)
{
	AUTO_NL struct nl *nl = NULL;
	const struct guard_physical physical = { .has_lan = strcmp(step->text,
								   GUARD_PHYSICAL_LAN) == 0 };
	bool is_home = op_guard_is_home(step->text);
	int rc = guard_open_in(is_home ? env->home_fd : env->physical_fd, &nl, e);

	if (rc == 0 && is_home)
		rc = op_guard_set(nl, step->text, env->plan->uplinks, env->plan->n_uplinks, e);
	else if (rc == 0)
		rc = guard_set_physical(nl, &physical, e);
	return rc;
}

/* the last uplink is home, and configured: what was there before `up` comes back */
int guard_set_undo(struct op_env *env, const struct step *step, struct err *e)
{
	AUTO_NL struct nl *nl = NULL;

	if (!op_guard_is_home(step->text))
		return 0; /* goes with the namespace */
	int rc = guard_open_in(env->home_fd, &nl, e);
	if (rc < 0)
		return rc;
	bool was_boot = begins(step->text, GUARD_HOME_WAS_BOOT);
	/* an `up` that nobody confirmed has failed, too: who could not confirm it may have nothing else to come back by */
	bool will_boot =
		begins(step->text, GUARD_HOME_WILL_BOOT) && !env->is_rollback && !env->has_asked;
	if (will_boot)
		op_env_note(env,
			    "KillSwitch = boot: nothing leaves home until the next `up`; `wgns "
			    "guard off` opens it");
	return was_boot || will_boot ? op_guard_boot(nl, e) : guard_clear(nl, e);
}

int guard_allow_run(struct op_env *env, const struct step *step, struct err *e)
{
	AUTO_NL struct nl *nl = NULL;
	int rc = guard_open_in(env->home_fd, &nl, e);

	return rc < 0 ? rc : guard_allow(nl, step->words[1], e);
}

int guard_allow_undo(struct op_env *env, const struct step *step, struct err *e)
{
	AUTO_NL struct nl *nl = NULL;
	int rc = guard_open_in(env->home_fd, &nl, e);

	return rc < 0 ? rc : guard_forbid(nl, step->words[1], e);
}

/*
 * The port that strangers may send to has to be known before the device comes up, and a daemon looks only once a second
 * whether it did: where neither the file nor PreUp names a port, one is chosen here as the kernel would have chosen it.
 */
int guard_port_run(struct op_env *env, const struct step *step, struct err *e)
{
	AUTO_NL struct nl *nl = NULL;
	struct wg_device *conf = &env->conf->device;
	struct wg_device now = { 0 };
	uint16_t port = conf->has_listen_port ? conf->listen_port : 0;
	int rc = 0;

	(void)step;
	if (!port) {
		rc = env->backend->get(&env->tunnel.device, env->home_fd, &now, e);
		port = rc == 0 ? now.listen_port : 0;
		wg_device_free(&now);
	}
	if (rc == 0 && !port)
		rc = netns_free_port(env->physical_fd, &port, e);
	if (rc < 0)
		return rc;
	conf->has_listen_port = true;
	conf->listen_port = port;
	env->tunnel.port = port;
	rc = state_tunnel_write(env->run_fd, &env->tunnel, e);
	if (rc == 0)
		rc = guard_open_in(env->physical_fd, &nl, e);
	return rc < 0 ? rc : guard_open_port(nl, port, e);
}

int guard_port_undo(struct op_env *env, const struct step *step, struct err *e)
{
	AUTO_NL struct nl *nl = NULL;

	(void)step;
	/* written down before it was opened */
	if (env->physical_fd < 0 || !env->tunnel.port)
		return 0;
	int rc = guard_open_in(env->physical_fd, &nl, e);
	return rc < 0 ? rc : guard_close_port(nl, env->tunnel.port, e);
}
