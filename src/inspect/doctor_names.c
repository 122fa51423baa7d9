// SPDX-License-Identifier: GPL-2.0-or-later
/* who tells programs of names */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "doctor_internal.h"
#include "wgns/dns.h"
#include "wgns/str.h"

#define RESOLV_CONF "/etc/resolv.conf"

/* proc_pid_mountinfo(5), field 5 */
static bool is_mounted(const char *wanted)
{
	AUTO_FREE char *text = doctor_read_text("/proc/self/mountinfo");
	char place[PATH_MAX], *rest = text;

	for (char *line = text ? strsep(&rest, "\n") : NULL; line; line = strsep(&rest, "\n")) {
		if (sscanf(line, "%*s %*s %*s %*s %4095s", place) == 1 &&
		    strcmp(place, wanted) == 0)
			return true;
	}
	return false;
}

void doctor_read_names(struct doctor_names *out)
{
	struct stat st;
	struct statvfs fs;
	struct statx stx;
	AUTO_FREE char *nsswitch = doctor_read_text("/etc/nsswitch.conf");

	*out = (struct doctor_names){
		.manager = dns_manager_name(dns_detect()),
		.is_resolv_conf_there = stat(RESOLV_CONF, &st) == 0,
		.is_resolv_conf_mounted = is_mounted(RESOLV_CONF),
		.is_resolv_conf_immutable =
			statx(AT_FDCWD, RESOLV_CONF, 0, STATX_BASIC_STATS, &stx) == 0 &&
			(stx.stx_attributes & STATX_ATTR_IMMUTABLE),
		.is_etc_read_only = statvfs("/etc", &fs) == 0 && (fs.f_flag & ST_RDONLY),
	};
	ssize_t len = readlink(RESOLV_CONF, out->resolv_conf, sizeof(out->resolv_conf) - 1);
	out->resolv_conf[len > 0 ? len : 0] = '\0';
	if (nsswitch)
		doctor_hosts_line(nsswitch, out->hosts, sizeof(out->hosts));
}
