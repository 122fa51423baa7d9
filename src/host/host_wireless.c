// SPDX-License-Identifier: GPL-2.0-or-later
/* wireless devices and their phys, from nl80211, and whether their radios are on, from sysfs */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host_internal.h"
#include "wgns/fd.h"
#include "wgns/nl80211.h"
#include "wgns/str.h"

static bool is_set(int dir_fd, const char *switch_name, const char *file)
{
	AUTO_FREE char *text = NULL;
	char path[300];
	struct err ignored; /* it went in this moment, and says nothing */
	size_t len;

	(void)snprintf(path, sizeof(path), "%s/%s", switch_name, file);
	return fd_read_file_at(dir_fd, path, 16, &text, &len, &ignored) == 0 && text[0] == '1';
}

/*
 * /sys/class/ieee80211/phy0/rfkill3/{soft,hard} (Documentation/ABI/stable/sysfs-class-rfkill); /dev/rfkill is for those who
 * sit in front of the machine. The caller's /sys shows the caller's namespace.
 */
static void read_radio(struct host_device *dev)
{
	const struct dirent *entry;
	char path[128];

	/* the kernel names a folder so; there is no way from it to another one */
	if (strchr(dev->phy.name, '/'))
		return;
	(void)snprintf(path, sizeof(path), "/sys/class/ieee80211/%s", dev->phy.name);
	DIR *dir = opendir(path);
	if (!dir)
		return; /* no sysfs here: the radio is not told of */
	for (entry = readdir(dir); entry; entry = readdir(dir)) {
		if (strncmp(entry->d_name, "rfkill", 6) != 0)
			continue;
		dev->is_radio_off = dev->is_radio_off || is_set(dirfd(dir), entry->d_name, "soft");
		dev->is_radio_locked =
			dev->is_radio_locked || is_set(dirfd(dir), entry->d_name, "hard");
	}
	(void)closedir(dir); /* it was only read */
}

/* another device of the same phy has been looked at already */
static const struct host_device *find_same_phy(const struct host *host, size_t end, uint32_t phy)
{
	for (size_t i = 0; i < end; i++) {
		if (host->devices[i].phy.is_there && host->devices[i].phy.index == phy)
			return &host->devices[i];
	}
	return NULL;
}

static int read_phy(struct nl *genl, const struct host *host, size_t at, uint32_t phy,
		    struct err *e)
{
	const struct host_device *same = find_same_phy(host, at, phy);
	struct host_device *dev = &host->devices[at];

	if (same) {
		dev->phy = same->phy;
		dev->is_radio_off = same->is_radio_off;
		dev->is_radio_locked = same->is_radio_locked;
		return 0;
	}
	int rc = nl80211_find_phy(genl, phy, &dev->phy, e);
	if (rc == 0)
		read_radio(dev);
	return rc == -ENODEV ? 0 : rc; /* unplugged in this moment */
}

int host_read_wireless(struct host *host, struct err *e)
{
	struct nl80211_wdevs wdevs = { 0 };
	AUTO_NL struct nl *genl = NULL;

	int rc = nl_open_in(NETLINK_GENERIC, -1, &genl, e);
	if (rc == 0)
		rc = nl80211_get_wdevs(genl, &wdevs, e);
	for (size_t i = 0; rc == 0 && i < host->links.n; i++) {
		const struct nl80211_wdev *wdev =
			nl80211_wdevs_find(&wdevs, host->links.items[i].ifindex);
		if (!wdev)
			continue;
		host->devices[i].is_wireless = true;
		host->devices[i].wireless_type = wdev->type;
		rc = read_phy(genl, host, i, wdev->phy, e);
	}
	nl80211_wdevs_free(&wdevs);
	return rc;
}
