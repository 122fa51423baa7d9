/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host_agents - agents as processes and as commands of profiles; what the facts of agents.h are made of */
#ifndef WGNS_HOST_AGENTS_H
#define WGNS_HOST_AGENTS_H

#include <stdbool.h>

#include "wgns/agentfile.h"
#include "wgns/agents.h"
#include "wgns/profile.h"

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
