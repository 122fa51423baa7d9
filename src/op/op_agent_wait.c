// SPDX-License-Identifier: GPL-2.0-or-later
/* agent.wait: is there an address? */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "op_internal.h"
#include "wgns/agentfile.h"
#include "wgns/clock.h"
#include "wgns/str.h"

#define PAUSE_MS 100
/* when an uplink has an address it works: its client only gets the time that a server takes to answer */
#define SHORT_MS 5000

/* Where an agent stands. */
enum standing { STANDING_DONE, STANDING_NO_CARRIER, STANDING_WAITING };

struct waiting {
	struct op_env *env;
	char **names; /* of agents */
	size_t n;
	struct agentfile *agents; /* the same, read */
	struct rtnl_links links; /* of physical, at the last look */
	struct rtnl_list addrs;
};

static void forget_look(struct waiting *w)
{
	rtnl_links_free(&w->links);
	rtnl_list_free(&w->addrs);
}

static int look(struct waiting *w, struct err *e)
{
	struct nl *nl;
	int rc = op_env_nl_physical(w->env, &nl, e);

	forget_look(w);
	if (rc == 0)
		rc = rtnl_dump_links(nl, &w->links, e);
	return rc < 0 ? rc : rtnl_dump(nl, RTNL_ADDR, AF_UNSPEC, &w->addrs, e);
}

/* an address that others than neighbours know; "" for none */
static void find_address(const struct waiting *w, const char *device, char out[ADDR_TEXT_MAX])
{
	const struct rtnl_link *link = rtnl_links_by_name(&w->links, device);
	struct rtnl_addr addr;

	out[0] = '\0';
	for (size_t i = 0; link && !out[0] && i < w->addrs.n; i++) {
		if (rtnl_parse_addr(w->addrs.items[i].msg, &addr) == 0 &&
		    addr.ifindex == link->ifindex && addr.scope == RT_SCOPE_UNIVERSE)
			addr_format_prefix(&addr.local, out);
	}
}

static bool has_address(const struct waiting *w)
{
	const struct plan *plan = w->env->plan;
	char text[ADDR_TEXT_MAX] = "";

	for (size_t i = 0; plan && !text[0] && i < plan->n_uplinks; i++)
		find_address(w, plan->uplinks[i], text);
	return text[0];
}

static bool has_lease(const struct waiting *w, const char *device)
{
	char path[sizeof(AGENTFILE_LEASES) + IFNAMSIZ + 1];

	(void)snprintf(path, sizeof(path), AGENTFILE_LEASES "/%.15s", device);
	return faccessat(w->env->run_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* one that takes all devices: the best of any uplink counts */
static enum standing standing_of(const struct waiting *w, const struct agentfile *agent,
				 const char *device)
{
	const struct agents_program *program = agents_program_find(agent->program);
	const struct rtnl_link *link = rtnl_links_by_name(&w->links, device);

	if (!program)
		return STANDING_DONE; /* it tells nobody of its leases */
	if (!link || !link->has_carrier)
		return STANDING_NO_CARRIER;
	return program->task == AGENTS_AIR || has_lease(w, device) ? STANDING_DONE
								   : STANDING_WAITING;
}

static enum standing standing(const struct waiting *w, const struct agentfile *agent)
{
	const struct plan *plan = w->env->plan;
	enum standing best = STANDING_NO_CARRIER;
	bool is_waiting = false;

	if (strcmp(agent->device, AGENTFILE_ALL) != 0)
		return standing_of(w, agent, agent->device);
	for (size_t i = 0; plan && i < plan->n_uplinks; i++) {
		enum standing one = standing_of(w, agent, plan->uplinks[i]);
		is_waiting = is_waiting || one == STANDING_WAITING;
		if (one == STANDING_DONE)
			best = STANDING_DONE;
	}
	return is_waiting && best != STANDING_DONE ? STANDING_WAITING : best;
}

/* Wi-Fi has no carrier before it is associated, and somebody is about to do that */
static bool is_associating(const struct waiting *w)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct agents_program *p = agents_program_find(w->agents[i].program);
		if (p && p->task == AGENTS_AIR && standing(w, &w->agents[i]) != STANDING_DONE)
			return true;
	}
	return false;
}

static size_t count(const struct waiting *w, enum standing wanted)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++)
		n += standing(w, &w->agents[i]) == wanted;
	return n;
}

static const char *device_of(const struct agentfile *agent)
{
	return strcmp(agent->device, AGENTFILE_ALL) == 0 ? "any uplink" : agent->device;
}

static void show(const struct waiting *w, long long left_ms)
{
	char text[160] = "waiting for the association of Wi-Fi";

	if (!w->env->progress)
		return;
	for (size_t i = 0; i < w->n; i++) {
		if (standing(w, &w->agents[i]) == STANDING_WAITING)
			(void)snprintf(text, sizeof(text),
				       "waiting for an address from %s on %s: %lld s left",
				       w->agents[i].program, device_of(&w->agents[i]),
				       (left_ms + 999) / 1000);
	}
	w->env->progress(w->env->note_ctx, text);
}

/* what did not come and is no reason to give up */
static void note(const struct waiting *w)
{
	char address[ADDR_TEXT_MAX];

	for (size_t i = 0; i < w->n; i++) {
		const struct agentfile *a = &w->agents[i];
		enum standing s = standing(w, a);

		find_address(w, a->device, address);
		if (s == STANDING_NO_CARRIER)
			op_env_note(w->env, "%s has no carrier: %s configures it when it has one",
				    device_of(a), a->program);
		else if (s == STANDING_WAITING && address[0])
			op_env_note(w->env,
				    "no DHCP server has answered on %s yet: it keeps %s, and %s "
				    "goes on trying",
				    device_of(a), address, a->program);
		else if (s == STANDING_WAITING)
			op_env_note(w->env,
				    "no DHCP server has answered on %s yet; %s goes on trying",
				    device_of(a), a->program);
	}
}

static int give_up(const struct waiting *w, unsigned seconds, struct err *e)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct agentfile *a = &w->agents[i];
		if (standing(w, a) != STANDING_WAITING)
			continue;
		err_say(e, ETIMEDOUT,
			"no DHCP server has answered %s on %s in %u s, and no uplink has an "
			"address",
			a->program, device_of(a), seconds);
		err_hint(e,
			 "is the network one with DHCP? An address that is set by hand in home is "
			 "carried over");
		return -e->code;
	}
	return 0;
}

static int wait_address(struct waiting *w, unsigned seconds, struct err *e)
{
	const long long end = clock_monotonic_ms() + (long long)seconds * 1000;
	long long usable_ms = 0; /* since when one of them works */

	for (;;) {
		int rc = look(w, e);
		if (rc < 0)
			return rc;
		bool is_open = count(w, STANDING_WAITING) || is_associating(w);
		bool is_usable = has_address(w);
		if (is_usable && !usable_ms)
			usable_ms = clock_monotonic_ms();
		long long left =
			(is_usable && usable_ms + SHORT_MS < end ? usable_ms + SHORT_MS : end) -
			clock_monotonic_ms();
		if (!is_open || left <= 0) {
			note(w);
			return is_usable ? 0 : give_up(w, seconds, e);
		}
		if (w->env->should_stop && w->env->should_stop(w->env->note_ctx))
			return err_say(e, EINTR, "interrupted");
		show(w, left);
		(void)poll(NULL, 0, PAUSE_MS); /* no signal comes: they are blocked */
	}
}

/* "agent.wait physical 30 s" */
int agent_wait_run(struct op_env *env, const struct step *step, struct err *e)
{
	struct waiting w = { .env = env };
	unsigned long long seconds;

	if (str_to_u64(step->words[2], UINT32_MAX, &seconds) < 0)
		return err_say(e, EINVAL, "no number of seconds: %s", step->words[2]);
	int rc = agentfile_names(env->run_fd, ".run", &w.names, &w.n, e);
	if (rc == 0) {
		w.agents = calloc(w.n + 1, sizeof(*w.agents));
		if (!w.agents)
			rc = err_set(e, ENOMEM, "wait for the agents");
	}
	for (size_t i = 0; rc == 0 && i < w.n; i++)
		rc = agentfile_read(env->run_fd, w.names[i], ".run", &w.agents[i], e);
	if (rc == 0)
		rc = wait_address(&w, (unsigned)seconds, e);
	if (env->progress)
		env->progress(env->note_ctx, NULL);
	for (size_t i = 0; w.agents && i < w.n; i++)
		agentfile_free(&w.agents[i]);
	free(w.agents);
	str_list_free(&w.names, &w.n);
	forget_look(&w);
	return rc;
}
