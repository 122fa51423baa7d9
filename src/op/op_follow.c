// SPDX-License-Identifier: GPL-2.0-or-later
/* who hands on the resolvers of a manager in physical: started when it is there, ended first */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "op_internal.h"
#include "wgns/agentfile.h"
#include "wgns/systemd.h"

#define END_MS 5000

/* "unit.follow NetworkManager.service" is NetworkManager.all */
static int name_of(const struct step *step, struct agentfile *a, char name[AGENTFILE_NAME_MAX],
		   struct err *e)
{
	if (!systemd_is_unit(step->words[1]))
		return err_say(e, EINVAL, "'%s' is no name of a unit", step->words[1]);
	size_t len = strcspn(step->words[1], ".");
	if (len >= sizeof(a->program))
		return err_say(e, EINVAL, "nobody follows %s", step->words[1]);
	memcpy(a->program, step->words[1], len);
	(void)snprintf(a->device, sizeof(a->device), AGENTFILE_ALL);
	agentfile_name(a->program, a->device, name);
	return 0;
}

int unit_follow_run(struct op_env *env, const struct step *step, struct err *e)
{
	char name[AGENTFILE_NAME_MAX];
	struct agentfile a = { 0 };

	int rc = name_of(step, &a, name, e);
	/* makes the folder, too */
	if (rc == 0)
		rc = agentfile_write(env->run_fd, ".run", &a, e);
	return rc < 0 ? rc : op_agent_spawn(env, name, true, e);
}

int unit_follow_undo(struct op_env *env, const struct step *step, struct err *e)
{
	char name[AGENTFILE_NAME_MAX];
	struct agentfile a = { 0 };

	int rc = name_of(step, &a, name, e);
	if (rc == 0)
		rc = op_agent_end_keeper(env, name, END_MS, e);
	return rc < 0 ? rc : op_agent_forget(env, name, e);
}
