// SPDX-License-Identifier: GPL-2.0-or-later
/* what comes before the agent: its command and profile, the way into physical, the rights that are given up */
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "keeper_internal.h"
#include "wgns/agentseal.h"
#include "wgns/fd.h"
#include "wgns/host_agents.h"
#include "wgns/keep.h"
#include "wgns/profile_store.h"
#include "wgns/state.h"
#include "wgns/str.h"

#define BOX "/run/wgns/box/physical"

static int add_command(struct keeper *k, char *const *argv, size_t argc, struct err *e)
{
	char script[PATH_MAX];

	(void)snprintf(script, sizeof(script), "%s/udhcpc-script", k->options->script_dir);
	struct child *child = &k->children[k->n++];
	int rc = agents_argv_for(k->run.program, argv, argc, script, &child->argv);
	return rc < 0 ? err_set(e, -rc, "prepare %s", k->run.program) : 0;
}

/* a profile's own command, %i being the device */
static int add_profiles(struct keeper *k, struct err *e)
{
	const struct profile_command *c = host_agents_choose(&k->profile);
	struct agents_argv argv = { 0 };
	int rc = 0;

	if (!c)
		return err_say(e, ENOENT, "no program is installed that the profile %s names",
			       k->profile.name);
	for (size_t i = 0; rc == 0 && i < c->argc; i++) {
		AUTO_STRBUF struct strbuf word = { 0 };
		for (const char *at = c->argv[i]; *at; at++) {
			bool is_device = at[0] == '%' && at[1] == 'i';
			if (is_device)
				strbuf_addf(&word, "%s", k->is_all ? "" : k->run.device);
			else
				strbuf_add(&word, at, 1);
			at += is_device;
		}
		rc = word.is_failed || !word.s
			     ? -ENOMEM
			     : str_list_add(&argv.argv, &argv.argc, word.s, word.len);
	}
	if (rc < 0)
		rc = err_set(e, -rc, "prepare %s", k->run.program);
	else if (agents_program_find(k->run.program))
		rc = add_command(k, argv.argv, argv.argc, e);
	else
		k->children[k->n++].argv = argv;
	if (agents_program_find(k->run.program) || rc < 0)
		agents_argv_free(&argv);
	return rc;
}

int keeper_prepare(struct keeper *k, struct err *e)
{
	const struct keeper_options *o = k->options;
	struct diag_list diags = { 0 };

	int rc = agentfile_read(k->run_fd, o->name, ".run", &k->run, e);
	if (rc < 0)
		return rc;
	k->is_all = strcmp(k->run.device, AGENTFILE_ALL) == 0;
	rc = profile_read(o->profile_dirs, o->n_profile_dirs, k->run.profile, &k->profile, &diags,
			  e);
	diag_free(&diags);
	if (rc == 0)
		rc = profile_store_compile(&k->profile, &k->compiled, e);
	for (size_t i = 0; rc == 0 && i < k->run.n; i++) {
		struct agentfile_command *c = &k->run.commands[i];
		rc = add_command(k, c->argv, c->argc, e);
	}
	if (rc == 0 && !k->run.n)
		rc = add_profiles(k, e);
	return rc;
}

int keeper_enter(struct keeper *k, struct err *e)
{
	char source[AGENTFILE_MOUNT_MAX];
	const char *what = "";

	AUTO_FD int ns_fd = state_box_open_netns(k->run_fd, "physical", e);
	if (ns_fd < 0)
		return ns_fd;
	agentfile_mount(k->options->name, source);
	int rc = agentseal_enter(ns_fd, BOX, k->compiled.options, source, &what);
	return rc < 0 ? err_set(e, -rc, "enter physical: %s", what) : 0;
}

/*
 * What is kept, until the end, beside what the agent gets:
 *   NET_ADMIN      an address that was carried over
 *   SETPCAP        the agent loses the rest
 *   KILL           an agent that has become another user
 *   DAC_OVERRIDE   nothing of root's is closed to it where /run has an odd owner, as in a container
 *   SYS_ADMIN      only for a profile without no_new_privs: its filter needs it
 */
int keeper_drop_privileges(const struct keeper *k, struct err *e)
{
	uint64_t kept = k->profile.capabilities | UINT64_C(1) << CAP_NET_ADMIN |
			UINT64_C(1) << CAP_SETPCAP | UINT64_C(1) << CAP_KILL |
			UINT64_C(1) << CAP_DAC_OVERRIDE;

	if (!k->profile.has_no_new_privs)
		kept |= UINT64_C(1) << CAP_SYS_ADMIN;
	int rc = keep_capabilities(0, kept, false, e);
	return rc < 0 ? err_context(e, "give up capabilities") : 0;
}
