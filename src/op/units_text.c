// SPDX-License-Identifier: GPL-2.0-or-later
/* the files that move a manager: pure, but for whether they are there */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "op_internal.h"
#include "wgns/fd.h"
#include "wgns/str.h"
#include "wgns/units.h"
#include "wgns/units_moved.h"

#define BOX STATE_DIR "/" OP_BOX_PATH
#define CONF_DIR UNITS_NM "/conf.d"
#define FILE_MAX 4096

/*
 * dhcpcd writes the uplink's servers into home's /etc/resolv.conf, itself or by resolvconf(8), from hooks that each
 * distribution has elsewhere, and whose administrator may add some. So it is not the hooks that are looked for: /etc cannot be
 * written, with what its unit says may be, and nobody who looks after home's names can be reached. What is not there is
 * passed over ("-"), and what is made inaccessible is an empty file or folder.
 */
#define DHCPCD                                                                                     \
	"ReadOnlyPaths=/etc -/etc/resolv.conf -/etc/dhcpcd.conf -/etc/wpa_supplicant\n"            \
	"InaccessiblePaths=-/run/resolvconf -/run/systemd/resolve -/run/dbus "                     \
	"-/run/NetworkManager\n"                                                                   \
	"InaccessiblePaths=-/sbin/resolvconf -/usr/sbin/resolvconf -/usr/bin/resolvconf\n"

static bool ends(const char *text, const char *with)
{
	size_t len = strlen(text), with_len = strlen(with);

	return len > with_len && strcmp(text + len - with_len, with) == 0;
}

/*
 * With init's sysfs a manager waits for ever for udev to be done with devices that udev cannot see; with the namespace's,
 * read-only, it knows that there is no udev. systemd 252 does not mount it by itself, and 257 mounts it writable.
 */
static void write_service(const char *unit, char text[UNITS_TEXT_MAX])
{
	char more[512] = "";

	if (strcmp(unit, UNITS_NETWORKD) == 0)
		/* systemd-resolved of home reads the other one, and knows links by number only */
		(void)snprintf(more, sizeof(more), "BindPaths=%s/%s:%s\n", BOX, UNITS_BOX_NETIF,
			       UNITS_NETIF);
	else if (strcmp(unit, UNITS_NETWORKMANAGER) == 0)
		/* home's /etc/resolv.conf may lead to the other one; the rest is what it knows of devices and of networks */
		(void)snprintf(more, sizeof(more),
			       "BindPaths=%s/%s:%s\n"
			       "BindPaths=-%s/devices:%s/devices\n"
			       "BindPaths=-%s/system-connections:%s/system-connections\n"
			       "BindReadOnlyPaths=-%s:%s\n",
			       BOX, UNITS_BOX_NM, UNITS_NM, UNITS_NM, UNITS_NM, UNITS_NM, UNITS_NM,
			       CONF_DIR, CONF_DIR);
	else if (strcmp(unit, UNITS_IWD) == 0)
		(void)snprintf(more, sizeof(more), "BindReadOnlyPaths=-%s/%s:/etc/iwd/main.conf\n",
			       BOX, UNITS_BOX_IWD);
	else if (strncmp(unit, "dhcpcd", 6) == 0)
		(void)snprintf(more, sizeof(more), "%s", DHCPCD);
	(void)snprintf(text, UNITS_TEXT_MAX,
		       UNITS_MARK "[Service]\n"
				  "NetworkNamespacePath=%s\n"
				  "BindReadOnlyPaths=%s/%s:/sys:norbind\n%s",
		       OP_NETNS_PATH, BOX, UNITS_SYS, more);
}

size_t units_files(const char *unit, struct units_file out[UNITS_FILES_MAX])
{
	(void)snprintf(out[0].dir, sizeof(out[0].dir), UNITS_DROPINS "/%.127s.d", unit);
	out[0].name = "wgns.conf";
	if (ends(unit, ".socket"))
		/* a service gets its sockets from process 1, which makes them where the socket unit says */
		(void)snprintf(out[0].text, UNITS_TEXT_MAX,
			       UNITS_MARK "[Socket]\nNetworkNamespacePath=%s\n", OP_NETNS_PATH);
	else
		write_service(unit, out[0].text);
	if (strcmp(unit, UNITS_NETWORKMANAGER) != 0)
		return 1;
	/* it would write the uplink's servers into home's /etc/resolv.conf, or tell home's systemd-resolved */
	(void)snprintf(out[1].dir, sizeof(out[1].dir), CONF_DIR);
	out[1].name = "zz-wgns.conf";
	(void)snprintf(out[1].text, UNITS_TEXT_MAX,
		       UNITS_MARK "[main]\n"
				  "dns=default\n"
				  "rc-manager=unmanaged\n"
				  "systemd-resolved=false\n");
	return 2;
}

bool units_is_moved(const char *unit)
{
	struct units_file files[UNITS_FILES_MAX];
	char path[sizeof(files[0].dir) + 16];
	struct err ignored; /* not there: not moved */
	size_t len;

	if (!systemd_is_unit(unit))
		return false;
	AUTO_FREE char *text = NULL;
	(void)units_files(unit, files);
	(void)snprintf(path, sizeof(path), "%s/%s", files[0].dir, files[0].name);
	return fd_read_file_at(AT_FDCWD, path, FILE_MAX, &text, &len, &ignored) == 0 &&
	       strcmp(text, files[0].text) == 0;
}
