/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor - can this machine do it? Asked before anything is touched
 *
 * Facts are read into values (doctor_read_*()), and pure functions make findings of them (doctor_judge_*()). What `up` refuses
 * is asked of the functions that `up` calls, so that both say it in the same words. Nothing here changes anything: no
 * module is loaded; only systemd and NetworkManager are asked, for some seconds at most, what they manage. An ordinary user
 * learns what root could have looked at.
 *
 * A finding is no when something forbids `up`, and unknown when only root could look; a warning is worth knowing, and `up`
 * works all the same. The first word of an id ("uplinks.move") is the group in which it is shown.
 */
#ifndef WGNS_DOCTOR_H
#define WGNS_DOCTOR_H

#include <limits.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "wgns/err.h"
#include "wgns/finding.h"
#include "wgns/nl80211.h"
#include "wgns/plan.h"
#include "wgns/wgnsconf.h"

struct doctor_request {
	const struct wgnsconf *settings; /* wgns.conf; its defaults when it is damaged */
	const char *settings_problem; /* the first problem of wgns.conf, or NULL */
	const char *wireguard_dir; /* /etc/wireguard */
	const char *helper; /* path of wgns-exec */
	const char *const *profile_dirs; /* the first has precedence */
	size_t n_profile_dirs;
	uid_t user; /* who would use exec: the caller, or who called sudo */
};

/**
 * doctor_examine - everything, in the order in which it is shown
 * Return: 0; -ENOMEM; what cannot be read is a finding
 */
int doctor_examine(const struct doctor_request *rq, struct findings *out, struct err *e);

/* ---- kernel ---- */
enum doctor_have {
	DOCTOR_UNSURE,
	DOCTOR_ABSENT,
	DOCTOR_LOADABLE, /* a module that is loaded when it is needed */
	DOCTOR_THERE,
};

struct doctor_kernel {
	char release[65]; /* utsname(7) */
	enum doctor_have overlay; /* the file system of which boxes have their /etc */
	enum doctor_have nf_tables; /* the guard's */
	bool has_guard; /* it is wanted: KillSwitch is not no */
};
void doctor_read_kernel(const struct wgnsconf *settings, struct doctor_kernel *out);
void doctor_judge_kernel(const struct doctor_kernel *k, struct findings *out);
/** doctor_is_release - is @release ("6.1.0-18-amd64") at least @major.@minor? false for what is no release */
bool doctor_is_release(const char *release, unsigned major, unsigned minor);
/** doctor_has_module - in the text of modules.dep or modules.builtin (depmod(8)): "kernel/net/NAME.ko.xz: ..." */
bool doctor_has_module(const char *text, const char *name);

/* ---- tunnel: who does the encryption ---- */
struct doctor_tunnel {
	enum doctor_have kernel; /* the kernel's WireGuard */
	bool is_root;
	bool can; /* what backend_choose() says; true unasked where it would load a module */
	char why[256]; /* which, and why */
	struct err refusal; /* why not */
};
void doctor_read_tunnel(const struct wgnsconf *settings, struct doctor_tunnel *out);
void doctor_judge_tunnel(const struct doctor_tunnel *t, struct findings *out);

/* ---- programs that matter, found among the processes ---- */
enum doctor_program {
	DOCTOR_NO_PROGRAM,
	DOCTOR_NETWORKMANAGER,
	DOCTOR_NETWORKD,
	DOCTOR_DHCPCD,
	DOCTOR_DHCLIENT,
	DOCTOR_UDHCPC,
	DOCTOR_IWD,
	DOCTOR_WPA_SUPPLICANT,
	DOCTOR_CONNMAN,
	/* those above manage uplinks */
	DOCTOR_NSCD,
	DOCTOR_RESOLVED,
	DOCTOR_FIREWALLD,
};
#define DOCTOR_ARGS_MAX 4096
#define DOCTOR_PROCESSES_MAX 64

struct doctor_process {
	enum doctor_program program;
	pid_t pid;
	char args[DOCTOR_ARGS_MAX]; /* each ends with a NUL (proc_pid_cmdline(5)) */
	size_t args_len;
};
struct doctor_processes {
	struct doctor_process *
		items; /* owned; those of this network namespace, or of one that may not be looked at */
	size_t n;
};
int doctor_read_processes(struct doctor_processes *out, struct err *e);
void doctor_processes_free(struct doctor_processes *p);
/** doctor_program_of - by comm (15 characters of it) and arguments: "busybox udhcpc" is udhcpc */
enum doctor_program doctor_program_of(const char *comm, const char *args, size_t len);
const char *doctor_program_name(enum doctor_program program);
/** doctor_names_device - is @device one of the arguments, alone or behind "-i"? */
bool doctor_names_device(const char *args, size_t len, const char *device);
/** doctor_find - the first of a program, or NULL */
const struct doctor_process *doctor_find(const struct doctor_processes *p,
					 enum doctor_program program);

/* ---- uplinks ---- */
enum doctor_managed { DOCTOR_NOT_TOLD, DOCTOR_UNMANAGED, DOCTOR_MANAGED };

struct doctor_uplink {
	char name[IFNAMSIZ];
	struct err refusal; /* code 0: it can move */
	bool is_wireless;
	bool is_followed; /* by what gives it its addresses, as `up` would have it: plan_agents_cover() */
	struct nl80211_phy phy; /* is_there false when it could not be asked */
	enum doctor_managed networkmanager,
		networkd; /* as they say themselves in /run, by number of the device */
	bool is_in_interfaces; /* interfaces(5) of ifupdown */
	char moving[SYSTEMD_UNIT_MAX]; /* the unit that configures it, and moves along; "" */
};
struct doctor_uplinks {
	bool is_root;
	bool is_layout_up; /* then the uplinks are in physical, and nothing below is known */
	struct err refusal; /* code 0; or why there is no list of uplinks */
	struct doctor_uplink *items; /* owned */
	size_t n;
	char **warnings; /* plan_warn_uplink() */
	size_t n_warnings;
};
int doctor_read_uplinks(const struct wgnsconf *settings, const struct host *host,
			struct doctor_uplinks *out, struct err *e);
void doctor_uplinks_free(struct doctor_uplinks *u);
void doctor_judge_uplinks(const struct doctor_uplinks *u, const struct doctor_processes *processes,
			  struct findings *out);
/** doctor_has_value - does a line of @text say KEY=VALUE, with one of the two values? NULL for no second one */
bool doctor_has_value(const char *text, const char *key, const char *value, const char *other);

/* ---- names ---- */
struct doctor_names {
	const char *manager; /* dns_manager_name() of who gets DNS= */
	char resolv_conf[PATH_MAX]; /* where /etc/resolv.conf leads as a symlink; "" for a file */
	bool is_resolv_conf_there;
	bool is_resolv_conf_mounted; /* then it is written in place */
	bool is_resolv_conf_immutable; /* chattr +i: statx(2), STATX_ATTR_IMMUTABLE */
	bool is_etc_read_only;
	char hosts[256]; /* of nsswitch.conf(5); "" for none */
};
void doctor_read_names(struct doctor_names *out);
void doctor_judge_names(const struct doctor_names *n, const struct doctor_processes *processes,
			struct findings *out);
/** doctor_hosts_line - what `hosts:` says in the text of nsswitch.conf(5), without comment and blanks around it; cut to @cap */
void doctor_hosts_line(const char *text, char *out, size_t cap);

/* ---- privilege ---- */
#define DOCTOR_CAPABILITY_MAX 32 /* XATTR_CAPS_SZ of Linux is 24 */
struct doctor_helper {
	const char *path;
	int code; /* positive errno of lstat(2), 0: it is there */
	bool is_file;
	uid_t uid;
	mode_t mode;
	uint8_t capability[DOCTOR_CAPABILITY_MAX]; /* security.capability as xattr(7) gives it */
	size_t capability_len; /* 0: none */
	bool is_nosuid; /* its file system: capabilities of files do not count there */
};
struct doctor_privilege {
	bool is_root;
	struct doctor_helper helper;
	const char *group; /* who may enter a box */
	bool has_group;
	char members[512]; /* "alice bob"; "" for none */
	bool is_user_root; /* nobody but root asks */
	char user[64]; /* who would use exec */
	bool is_member;
	struct err mounts; /* code 0; or change_check_mounts() */
	struct err run; /* code 0; or why /run/wgns is refused */
	bool is_run_read_only;
	uint64_t run_free; /* bytes in /run */
};
void doctor_read_privilege(const struct doctor_request *rq, struct doctor_privilege *out);
void doctor_judge_privilege(const struct doctor_privilege *p, struct findings *out);
/** doctor_is_sys_admin_alone - does security.capability (linux/capability.h, VFS_CAP_REVISION_2 and 3) mean cap_sys_admin=ep exactly? */
bool doctor_is_sys_admin_alone(const uint8_t *bytes, size_t len);

/* ---- state: what is left, and what files say ---- */
struct doctor_file {
	char *path; /* owned */
	size_t n_errors;
	char *problem; /* the first error or else warning; owned, or NULL when all is well */
};
struct doctor_state {
	bool is_known; /* false: the facts could not be read */
	bool is_root;
	bool is_changing; /* another wgns is at work */
	bool has_tunnels; /* some are up: then nothing is left over */
	struct err refusals[5]; /* plan_check_...(); code 0 where there is none */
	size_t n_refusals;
	char **interrupted; /* tunnels whose `down` did not end */
	size_t n_interrupted;
	char **left; /* what no tunnel explains: "the device wgns0123abcd" */
	size_t n_left;
	char **others; /* all WireGuard devices that were made in home */
	size_t n_others;
	struct doctor_file *files; /* of /etc/wireguard, and profiles; owned */
	size_t n_files;
	size_t n_tunnel_files;
	char dir_problem[256]; /* why /etc/wireguard could not be listed */
	bool has_nftables_service; /* systemd starts it: its reload flushes the rule set */
};
int doctor_read_state(const struct doctor_request *rq, int run_fd, const struct host *host,
		      struct doctor_state *out, struct err *e);
void doctor_state_free(struct doctor_state *s);
void doctor_judge_state(const struct doctor_state *s, const struct doctor_processes *processes,
			const char *release, const char *settings_problem, struct findings *out);

#endif
