/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agentfile - what is recorded of agents: files PROGRAM.DEVICE.* in /run/wgns/box/physical/agent/
 *
 *   .stopped  what was ended in home, for the undo to start it again
 *   .run      what its keeper is to run
 *   .keeper   the keeper: pid and start time
 *   .state    what the keeper says of it
 *   .resolv   the resolvers that it found, checked
 *   .log      what keeper and agent say
 *
 * and what a lease says in /run/wgns/box/physical/lease/DEVICE. Everything is text, one fact a line.
 */
#ifndef WGNS_AGENTFILE_H
#define WGNS_AGENTFILE_H

#include <limits.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "wgns/err.h"

#define AGENTFILE_DIR "box/physical/agent" /* below /run/wgns */
#define AGENTFILE_LEASES "box/physical/lease"
#define AGENTFILE_ALL "all" /* in place of a device: the agent takes all of them */
#define AGENTFILE_PROGRAM_MAX 32
#define AGENTFILE_NAME_MAX (AGENTFILE_PROGRAM_MAX + IFNAMSIZ)
#define AGENTFILE_COMMANDS_MAX 4 /* dhclient -4 and dhclient -6 of one device, for example */
#define AGENTFILE_ARGS_MAX 256

/* A process that was found, or is to be made. */
struct agentfile_command {
	pid_t pid; /* when it was found */
	unsigned long long start_time;
	char *exe; /* owned; the program's file */
	char **argv; /* owned list, argv[0] is what it calls itself */
	size_t argc;
};

struct agentfile {
	char program[AGENTFILE_PROGRAM_MAX];
	char device[IFNAMSIZ]; /* or AGENTFILE_ALL */
	char profile[72]; /* of .run */
	struct agentfile_command commands[AGENTFILE_COMMANDS_MAX];
	size_t n; /* of .run: none means the profile's own command */
};
void agentfile_free(struct agentfile *a);

/** agentfile_name - "PROGRAM.DEVICE", in which neither has a slash */
void agentfile_name(const char *program, const char *device, char out[AGENTFILE_NAME_MAX]);

/** agentfile_write - NAME@suffix, atomically, and the folder when it is absent; @suffix: ".stopped", ".run" */
int agentfile_write(int run_fd, const char *suffix, const struct agentfile *a, struct err *e);
/** agentfile_read - Return: 0; -ENOENT; -EINVAL for a damaged one; -errno */
int agentfile_read(int run_fd, const char *name, const char *suffix, struct agentfile *out,
		   struct err *e);
/** agentfile_remove - one file; absent is success */
int agentfile_remove(int run_fd, const char *name, const char *suffix, struct err *e);
/** agentfile_text - NAME@suffix as it is, one line of at most @cap - 1 bytes, printable; Return: 0 or -errno */
int agentfile_text(int run_fd, const char *name, const char *suffix, char *out, size_t cap);

/* Who keeps an agent. */
struct agentfile_keeper {
	pid_t pid;
	unsigned long long start_time;
};
int agentfile_write_keeper(int run_fd, const char *name, const struct agentfile_keeper *k,
			   struct err *e);
/** agentfile_read_keeper - Return: 0 and a process that lives; -ESRCH for one that is dead, and who it was; -ENOENT; -errno */
int agentfile_read_keeper(int run_fd, const char *name, struct agentfile_keeper *out);

/** agentfile_names - of all that has @suffix, sorted; an owned list; no folder: none */
int agentfile_names(int run_fd, const char *suffix, char ***names, size_t *n, struct err *e);

/*
 * The mounts of a keeper are called so, and nobody else's: proc_pid_mountinfo(5) of its agent's processes shows it, also when
 * the keeper was killed and they were not.
 */
#define AGENTFILE_MOUNT "wgns-agent"
#define AGENTFILE_MOUNT_MAX (sizeof(AGENTFILE_MOUNT) + 2 * AGENTFILE_NAME_MAX + 2)
/** agentfile_mount - what those of one agent's keeper are called */
void agentfile_mount(const char *name, char out[AGENTFILE_MOUNT_MAX]);
/** agentfile_is_agents - does this process live among the mounts of a keeper? @name: of that one; NULL: of any */
bool agentfile_is_agents(pid_t pid, const char *name);

#endif
