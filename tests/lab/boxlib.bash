# SPDX-License-Identifier: GPL-2.0-or-later
# boxlib - a box named physical, made by hand in mount and pid namespaces of the test's own
#
# WGNS and WGNS_HELPER name the programs under test; a program of that folder is used when they are not set.
# shellcheck shell=bash

WGNS=${WGNS:-${BATS_TEST_DIRNAME:-.}/../../build/wgns}
WGNS=$(realpath -m "$WGNS")
WGNS_HELPER=${WGNS_HELPER:-${WGNS%/*}/wgns-exec}
export WGNS WGNS_HELPER

box_require() {
	local why=
	[[ $EUID -eq 0 ]] || why='needs root: makes namespaces'
	[[ -x $WGNS && -x $WGNS_HELPER ]] || why="not built: $WGNS"
	[[ -z $why ]] && return
	[[ -z ${WGNS_MUST_RUN:-} ]] || { echo "$why" >&2; return 1; }
	skip "$why"
}

# in_box SCRIPT: run it by bash -eu where /run/wgns/box/physical is up. /run and /etc are its own, and so is what it mounts.
# The working directory is /, which every user can reach. $WGNS and $WGNS_HELPER are copies in /run/bin there, the helper with its capability, the profiles beside them.
in_box() {
	unshare --mount --pid --fork --kill-child --mount-proc --propagation private \
		bash -euc "$(declare -f box_make box_etc box_programs as not); box_make; cd /; $1" </dev/null
}

# errexit passes over `! command`
not() {
	if "$@"; then return 1; fi
}

# as USER CMD [ARG]...: boxer (4242, groups 4300, 4301 and wgns, 4299, which may enter) or stranger (4343, who may not)
as() {
	local user=$1
	shift
	setpriv --reuid "$user" --regid "$user" --init-groups "$@"
}

box_make() {
	# the users could not search every folder of root's
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	mount -t tmpfs -o mode=755 run /run
	box_etc
	box_programs
	# as `up` does: the folders of nscd, systemd-resolved and D-Bus cannot be removed
	local dir
	for dir in /run/nscd /run/systemd/resolve /run/dbus; do
		mkdir -p $dir
		mount --bind $dir $dir
	done
	touch /run/nscd/socket /run/systemd/resolve/io.systemd.Resolve /run/dbus/system_bus_socket
	mkdir -p /run/wgns/box/physical/{etc,fresh} /run/wgns/profile
	chmod 750 /run/wgns/box/physical
	chown :4299 /run/wgns/box/physical
	echo 'nameserver 192.0.2.53' >/run/wgns/box/physical/etc/resolv.conf
	printf '%s\n' 'passwd: files' 'group: files' 'hosts: files dns' >/run/wgns/box/physical/etc/nsswitch.conf
	touch /run/wgns/box/physical/netns
	unshare --net sh -c 'ip link add inbox type veth peer name inbox2 && ip link set lo up &&
		mount --bind /proc/self/ns/net /run/wgns/box/physical/netns'
	mount --make-rshared /
	unset SUDO_UID SUDO_GID SUDO_USER SUDO_COMMAND
}

box_etc() {
	local f
	mkdir -p /run/etc /run/own-etc
	for f in ld.so.cache ld.so.conf ld.so.conf.d alternatives localtime; do
		[[ ! -e /etc/$f ]] || cp -a "/etc/$f" /run/etc/
	done
	printf '%s\n' root:x:0:0:root:/root:/bin/bash boxer:x:4242:4242::/home/boxer:/bin/dash \
		stranger:x:4343:4343::/nonexistent:/bin/sh >/run/etc/passwd
	printf '%s\n' root:x:0: boxer:x:4242: stranger:x:4343: wgns:x:4299:boxer radio:x:4300:boxer tape:x:4301:boxer \
		>/run/etc/group
	printf '%s\n' 'passwd: files' 'group: files' 'hosts: files resolve dns' >/run/etc/nsswitch.conf
	echo 'nameserver 192.0.2.1' >/run/etc/resolv.conf
	mount -t tmpfs -o mode=755 etc /run/own-etc
	cp -a /run/etc/. /run/own-etc/
	mount --move /run/own-etc /etc
}

box_programs() {
	mkdir -m 755 /run/bin
	cp "$WGNS" "$WGNS_HELPER" /run/bin/
	[[ ! -d ${WGNS%/*}/profiles ]] || cp -r "${WGNS%/*}/profiles" /run/bin/
	chown -R root:root /run/bin
	chmod -R go-w /run/bin
	export WGNS=/run/bin/wgns WGNS_HELPER=/run/bin/wgns-exec
	setcap cap_sys_admin+ep "$WGNS_HELPER"
}
