/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host_agents - agents as processes and as commands of profiles; what the facts of agents.h are made of */
#ifndef WGNS_HOST_AGENTS_H
#define WGNS_HOST_AGENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "wgns/agentfile.h"
#include "wgns/agents.h"
#include "wgns/profile.h"

/**
 * host_read_agents - what configures devices in the caller's namespace now, and what the profiles that @names has would start
 * @dirs: where profiles are, the first has precedence
 * Names that begin with AGENTS_UNIT are no profiles. Changes nothing. Return: 0 or -errno
 */
int host_read_agents(char *const *names, size_t n_names, const char *const *dirs, size_t n_dirs,
		     struct host_agents *out, struct err *e);
void host_agents_free(struct host_agents *agents);

/** host_agent_command - how this process was started, owned by @out; Return: 0, -ESRCH: it is gone; -ENOMEM */
int host_agent_command(const struct host_agent *agent, struct agentfile_command *out,
		       struct err *e);

/** host_agents_has - is this program installed? a path, or a name in the folders for those of root */
bool host_agents_has(const char *program);
/** host_agents_choose - the first command whose program is installed, or NULL */
const struct profile_command *host_agents_choose(const struct profile *p);
/** host_agents_program - what a command is called: "busybox udhcpc" is udhcpc */
void host_agents_program(const struct profile_command *c, char out[AGENTS_PROGRAM_MAX]);

#endif
