// SPDX-License-Identifier: GPL-2.0-or-later
#include "wgns/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor_internal.h"
#include "wgns/fd.h"
#include "wgns/host.h"
#include "wgns/host_agents.h"
#include "wgns/state.h"

/* an ordinary user may look at nothing below /run/wgns but its box folders' names */
static void look_from_outside(struct host *host)
{
	struct stat st;

	host->is_layout_up = lstat(STATE_DIR "/box/physical", &st) == 0;
	host->has_foreign_physical = false;
}

static int read_host(const struct doctor_request *rq, int run_fd, struct host *host, struct err *e)
{
	const struct wgnsconf *settings = rq->settings;
	struct err ignored;
	int rc = host_read(run_fd, settings->uplinks, settings->n_uplinks, host, e);

	if (rc == 0)
		rc = host_read_agents(settings->agents, settings->n_agents, rq->profile_dirs,
				      rq->n_profile_dirs, &host->agents, e);
	/* what does not answer is no reason to tell nothing else */
	if (rc == 0 && host_read_units(settings->agent, settings->agents, settings->n_agents, host,
				       &ignored) < 0)
		host_units_free(&host->units);
	if (rc == 0 && geteuid() != 0)
		look_from_outside(host);
	return rc;
}

/* everything that hangs on the facts of the host */
static int examine_host(const struct doctor_request *rq, const struct doctor_processes *processes,
			const char *release, struct findings *out, struct err *e)
{
	struct doctor_privilege privilege;
	struct doctor_uplinks uplinks = { 0 };
	struct doctor_state state = { 0 };
	struct doctor_names names;
	struct host host = { 0 };
	struct err ignored; /* that it is refused is a finding of privilege.run */
	struct err why;
	int rc = 0;
	AUTO_FD int run_fd = geteuid() == 0 ? state_open(false, &ignored) : -1;

	if (read_host(rq, run_fd < 0 ? -1 : run_fd, &host, &why) == 0) {
		rc = doctor_read_uplinks(rq->settings, &host, &uplinks, e);
		if (rc == 0)
			rc = doctor_read_state(rq, run_fd < 0 ? -1 : run_fd, &host, &state, e);
		doctor_judge_uplinks(&uplinks, processes, out);
	} else { /* `up` would say the same; the rest is worth knowing all the same */
		findings_begin(out, "uplinks.facts", "the devices and the state can be read");
		doctor_add_refusal(out, &why);
	}
	doctor_read_names(&names);
	doctor_judge_names(&names, processes, out);
	doctor_read_privilege(rq, &privilege);
	doctor_judge_privilege(&privilege, out);
	doctor_judge_state(&state, processes, release, rq->settings_problem, out);
	doctor_uplinks_free(&uplinks);
	doctor_state_free(&state);
	host_free(&host);
	return rc;
}

int doctor_examine(const struct doctor_request *rq, struct findings *out, struct err *e)
{
	struct doctor_processes processes;
	struct doctor_kernel kernel;
	struct doctor_tunnel tunnel;

	doctor_read_kernel(rq->settings, &kernel);
	doctor_judge_kernel(&kernel, out);
	doctor_read_tunnel(rq->settings, &tunnel);
	doctor_judge_tunnel(&tunnel, out);
	int rc = doctor_read_processes(&processes, e);
	if (rc == 0)
		rc = examine_host(rq, &processes, kernel.release, out, e);
	doctor_processes_free(&processes);
	if (rc == 0 && out->is_failed)
		rc = err_set(e, ENOMEM, "examine the machine");
	return rc;
}
