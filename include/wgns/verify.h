/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verify - is it sealed now? The invariants of the layout `physical`, each with yes or no and what breaks it
 *
 * verify_gather() looks and changes nothing; verify_judge() is pure and is tested with values. What could not be looked
 * at, for want of rights or because it is broken, is said as such in the facts and becomes an unknown or a no, never
 * a yes.
 */
#ifndef WGNS_VERIFY_H
#define WGNS_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "wgns/addr.h"
#include "wgns/err.h"
#include "wgns/finding.h"
#include "wgns/guard.h"
#include "wgns/lan.h"
#include "wgns/netns.h"
#include "wgns/plan.h"
#include "wgns/rtnl.h"
#include "wgns/snapshot.h"
#include "wgns/state.h"
#include "wgns/wg.h"

#define VERIFY_PROBLEM_MAX 256 /* why something could not be read; "" when it was */
#define VERIFY_PROCS_MAX 256
#define VERIFY_SOCKETS_MAX 256
#define VERIFY_SERVERS_MAX 32

/* one side's network */
struct verify_space {
	char problem[VERIFY_PROBLEM_MAX];
	struct netns_id id;
	struct rtnl_links links;
	struct rtnl_list addrs, routes, rules;
};

/* a packet(7) socket */
struct verify_socket {
	int ifindex; /* 0: every device */
	unsigned long long inode;
	pid_t pid; /* of a process that holds it; 0: nobody was found */
	char comm[32];
};

struct verify_caps {
	bool is_known;
	uint64_t inheritable, permitted, effective, ambient;
	bool has_no_new_privs;
};

/* what a mount namespace shows of the files that names are resolved with */
struct verify_mounts {
	bool is_known;
	bool has_etc; /* the box's overlay lies over /etc */
	bool has_nscd, has_resolve; /* something else than the host's folder lies there */
};

/* a process in physical */
struct verify_proc {
	struct netns_proc proc;
	bool is_daemon; /* of a tunnel */
	bool is_agent; /* of a keeper, or that keeper: as a profile has it */
	bool is_manager; /* a service of the machine that moved along, which systemd confines */
	struct verify_caps caps;
	struct verify_mounts mounts;
};

/* a file or folder by its mode */
struct verify_file {
	bool is_there;
	unsigned mode; /* permission and set-ID bits */
	uid_t uid;
	char problem[VERIFY_PROBLEM_MAX];
};

/* a resolv.conf(5) */
struct verify_resolv {
	bool is_there;
	char problem[VERIFY_PROBLEM_MAX];
	struct addr servers[VERIFY_SERVERS_MAX];
	size_t n_servers;
};

/* a journal, as far as it tells of what is unfinished */
struct verify_journal {
	char problem[VERIFY_PROBLEM_MAX];
	char open
		[VERIFY_PROBLEM_MAX]; /* the last step that was begun and neither done nor undone; "" */
	size_t n_undone; /* a `down` stopped half-way */
	bool has_guard_home, has_guard_physical, has_lan; /* such steps were done */
	char *guard_home; /* owned; the step that names what home may send by, NULL when there is none */
};

struct verify_tunnel {
	struct state_tunnel meta;
	struct verify_journal journal;
	struct verify_file folder, config,
		file; /* in /run/wgns; the copy; the one that was named */
	struct addr dns[VERIFY_SERVERS_MAX]; /* DNS= */
	size_t n_dns;
	/* the device, as the backend says it */
	char device_problem[VERIFY_PROBLEM_MAX];
	struct wg_device device; /* keys are wiped */
	bool is_port_known, is_port_in_physical; /* the UDP port of its socket */
	/* the daemon, when it has one */
	bool is_daemon_alive;
	bool has_daemon_ns;
	struct netns_id daemon_ns;
	bool has_key_in_words; /* its arguments or environment hold something like a key */
};

/* what the file capability of a program says, capabilities(7) */
struct verify_file_caps {
	bool is_there;
	bool is_damaged;
	bool is_effective;
	uint64_t permitted, inheritable;
};

struct verify_guard {
	char problem[VERIFY_PROBLEM_MAX];
	struct guard_seen seen;
	bool can_bridge; /* the kernel can have the table of bridges */
};

/* `Lan = yes` */
struct verify_lan {
	char problem[VERIFY_PROBLEM_MAX];
	struct lan_prefixes on_link; /* the uplinks' own networks */
	char why[VERIFY_PROBLEM_MAX]; /* what passes between home and physical is not what home's routes want */
};

struct verify_facts {
	bool is_root;
	bool has_tunnels; /* the list could be read; else only root sees it */
	bool is_busy; /* somebody was changing the network meanwhile */
	struct verify_space home, physical;
	bool has_physical_nsid; /* home has a number for physical */
	int32_t physical_nsid;
	struct verify_tunnel *tunnels; /* those that were asked for; @n_all are up */
	size_t n_tunnels;
	struct state_tunnel *all;
	size_t n_all;
	/* the layout's records */
	bool has_box;
	struct verify_journal layout;
	struct rtnl_links uplinks; /* that were moved, as they were */
	struct snapshot_wdev *wdevs; /* of those that are wireless; owned */
	size_t n_wdevs;
	char uplinks_problem[VERIFY_PROBLEM_MAX];
	/* guards, where the layout has them or somebody else made some */
	struct verify_guard guard_home, guard_physical;
	struct verify_lan lan;
	/* pins of physical, by identity */
	bool is_pinned, is_named;
	struct netns_id pin, name;
	/* names */
	struct verify_resolv home_resolv, box_resolv;
	bool has_box_nsswitch, is_box_nsswitch_right;
	bool is_folder_pinned[PLAN_N_FOLDERS]; /* of plan_folders */
	/* processes */
	char procs_problem[VERIFY_PROBLEM_MAX];
	struct verify_proc *procs;
	size_t n_procs;
	size_t n_procs_all; /* may be more */
	char sockets_problem[VERIFY_PROBLEM_MAX];
	struct verify_socket *sockets; /* packet sockets of home */
	size_t n_sockets;
	/* programs of wgns */
	struct verify_file helper, program;
	struct verify_file_caps helper_caps;
};

struct verify_request {
	const char *only; /* this tunnel; NULL: all */
	const char *helper; /* the path of wgns-exec */
};

/**
 * verify_gather - everything that the judges want to know
 * Return: 0; -ENOENT (kind STATE) when nothing is up, or not @only; -errno
 */
int verify_gather(const struct verify_request *rq, struct verify_facts *out, struct err *e);
void verify_facts_free(struct verify_facts *f);

/** verify_judge - every invariant, a finding each; pure */
void verify_judge(const struct verify_facts *f, struct findings *out);

/** verify_open_physical - the namespace, by whatever still leads to it: its pin, its name, a daemon; fd or -errno */
int verify_open_physical(int run_fd, const struct state_tunnel *tunnels, size_t n, struct err *e);

/* ---- parsers of what proc(5) and files say: pure, and nothing is trusted ---- */
/** verify_parse_packet - one line of /proc/net/packet; Return: 0, or -EINVAL (the headline, too) */
int verify_parse_packet(const char *line, struct verify_socket *out);
/** verify_parse_status - /proc/PID/status */
struct verify_caps verify_parse_status(const char *text);
/** verify_parse_mounts - /proc/PID/mountinfo; @box: the box's folder, absolute; @text is cut into lines */
struct verify_mounts verify_parse_mounts(char *text, const char *box);
/** verify_parse_resolv - the servers of a resolv.conf(5); @text is cut into lines */
void verify_parse_resolv(char *text, struct verify_resolv *out);
/** verify_parse_file_caps - the extended attribute security.capability, linux/capability.h */
struct verify_file_caps verify_parse_file_caps(const uint8_t *bytes, size_t len);
/** verify_has_key - is there something in the form of a WireGuard key? 43 digits of base64 and '=' between others */
bool verify_has_key(const char *bytes, size_t len);
/** verify_has_udp_port - a socket with that local port in /proc/net/udp or udp6; @text is cut into lines */
bool verify_has_udp_port(char *text, uint16_t port);
/** verify_cap_names - "cap_net_raw, cap_net_admin", "38 capabilities, cap_sys_admin among them"; "" for none */
void verify_cap_names(uint64_t caps, char *out, size_t cap);

#endif
