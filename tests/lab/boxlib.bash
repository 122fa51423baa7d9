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
in_box() {
	unshare --mount --pid --fork --kill-child --mount-proc --propagation private \
		bash -euc "$(declare -f box_make not); box_make; $1" </dev/null
}

# errexit passes over `! command`
not() {
	if "$@"; then return 1; fi
}

# user 4242 (boxer), group 4242, and supplementary groups 4300 and 4301
box_make() {
	local f
	mount -t tmpfs -o mode=755 run /run
	mkdir -p /run/etc /run/nscd /run/systemd/resolve /run/wgns/box/physical/etc
	for f in ld.so.cache ld.so.conf ld.so.conf.d alternatives localtime; do
		[[ ! -e /etc/$f ]] || cp -a "/etc/$f" /run/etc/
	done
	printf '%s\n' root:x:0:0:root:/root:/bin/bash boxer:x:4242:4242::/home/boxer:/bin/dash >/run/etc/passwd
	printf '%s\n' root:x:0: boxer:x:4242: radio:x:4300:boxer tape:x:4301:boxer >/run/etc/group
	printf '%s\n' 'passwd: files' 'group: files' 'hosts: files resolve dns' >/run/etc/nsswitch.conf
	echo 'nameserver 192.0.2.1' >/run/etc/resolv.conf
	mkdir -p /run/own-etc
	mount -t tmpfs -o mode=755 etc /run/own-etc
	cp -a /run/etc/. /run/own-etc/
	mount --move /run/own-etc /etc
	chmod 750 /run/wgns/box/physical
	echo 'nameserver 192.0.2.53' >/run/wgns/box/physical/etc/resolv.conf
	printf '%s\n' 'passwd: files' 'group: files' 'hosts: files dns' >/run/wgns/box/physical/etc/nsswitch.conf
	touch /run/nscd/socket /run/systemd/resolve/io.systemd.Resolve /run/wgns/box/physical/netns
	unshare --net sh -c 'ip link add inbox type veth peer name inbox2 &&
		mount --bind /proc/self/ns/net /run/wgns/box/physical/netns'
	mount --make-rshared /
	unset SUDO_UID SUDO_GID SUDO_USER SUDO_COMMAND
}
