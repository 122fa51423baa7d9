#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: none
# shellcheck disable=SC2016 # the scripts are for the shell in the box

bats_require_minimum_version 1.5.0

# installing compiles anew what knows PREFIX: in a copy, because other tests run what is in the build folder
setup_file() {
	load ../lab/boxlib.bash
	box_require
	local f from=${WGNS%/*}
	export BATS_NO_PARALLELIZE_WITHIN_FILE=true
	export SOURCE BUILD=$BATS_FILE_TMPDIR/build SANITIZED
	SOURCE=$(realpath "$BATS_TEST_DIRNAME/../..")
	mkdir "$BUILD"
	for f in flags version installdirs libwgns.a wgns wgns-exec wgns-portal cmd src profiles; do
		[[ ! -e $from/$f ]] || cp -a "$from/$f" "$BUILD/"
	done
	SANITIZED=$(grep -o -- '-f[a-z-]*sanitize[^ ]*' "$BUILD/flags" | awk '!seen[$0]++' | paste -sd ' ')
}

setup() {
	load ../lab/boxlib.bash
	box_require
}

# as_built TARGET [VARIABLE=VALUE]...: make with the flags of the build, whatever this one was called with
as_built() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u DESTDIR make -C "$SOURCE" --no-print-directory O="$BUILD" -o "$BUILD/flags" \
		SANITIZE="$SANITIZED" "$@"
}

# in_new SCRIPT: where no group wgns is and /run/prefix is for installing; /etc belongs to the test
in_new() {
	in_box "$(declare -f as_built)
		sed -i /^wgns:/d /etc/group
		mkdir /run/prefix
		$1"
}

# what make install has to put below a PREFIX
parts() {
	local f
	cd "$SOURCE" || return
	echo 755 bin/wgns
	echo 755 libexec/wgns/wgns-exec
	echo 755 libexec/wgns/wgns-portal
	for f in dhclient-enter dhclient-exit dhcpcd-enter dhcpcd-exit; do
		echo "644 libexec/wgns/agents/$f"
	done
	echo 755 libexec/wgns/agents/udhcpc-script
	echo 644 lib/sysusers.d/wgns.conf
	echo 644 lib/systemd/system/wgns-guard.service
	echo 644 lib/systemd/system/wgns@.service
	for f in man/*.[1-9]; do
		echo "644 share/man/man${f##*.}/${f##*/}"
	done
	for f in profiles/*.{profile,list}; do
		[[ ! -e $f ]] || echo "644 share/wgns/$f"
	done
}

@test "make install puts every part below DESTDIR, without a capability and without a set-id bit" {
	run -0 in_new "$(declare -f parts)"'
		as_built install PREFIX=/usr DESTDIR=/run/stage
		{
			find /run/stage/usr ! -type d -printf "%m %P\n" | sort -k 2
			find /run/stage ! -type d ! -path "/run/stage/usr/*"
			find /run/stage -perm /6022
			getcap -r /run/stage
		} >/run/seen
		parts | sort -k 2 | diff - /run/seen
		[ -d /run/stage/etc/wgns ]'
	[[ $output == *'the package has to give the helper its capability'* ]]
}

@test "make install below DESTDIR makes no group" {
	run -0 in_new '
		as_built install PREFIX=/usr DESTDIR=/run/stage
		not getent group wgns'
}

@test "make install gives the helper cap_sys_admin and nothing else, and makes the group" {
	run -0 in_new '
		as_built install PREFIX=/run/prefix
		cp /run/prefix/libexec/wgns/wgns-exec /run/copy
		{
			getcap -r /run/prefix
			stat -c "%a %U:%G" /run/prefix/libexec/wgns/wgns-exec /run/prefix/libexec/wgns
			find /run/prefix -perm /6022 ! -type l
			getent group wgns | cut -d: -f1,2,4
		} >/run/seen
		cat /run/seen >&2
		diff /run/seen - <<-E
			/run/prefix/libexec/wgns/wgns-exec cap_sys_admin=ep
			755 root:root
			755 root:root
			wgns:x:
		E'
	[[ $output == *'usermod -aG wgns USER'* ]]
}

@test "make install leaves a group wgns that is there as it is" {
	run -0 in_new '
		echo wgns:x:4299:boxer >>/etc/group
		cp /etc/group /run/before
		as_built install PREFIX=/run/prefix
		cmp /run/before /etc/group'
}

@test "make install can be repeated, and the helper keeps its capability" {
	run -0 in_new '
		as_built install PREFIX=/run/prefix
		as_built install PREFIX=/run/prefix
		[ "$(getcap -r /run/prefix)" = "/run/prefix/libexec/wgns/wgns-exec cap_sys_admin=ep" ]'
}

@test "what make install put there works for an ordinary user, once usermod added him" {
	run -0 in_new '
		as_built install PREFIX=/run/prefix
		chgrp wgns /run/wgns/box/physical
		wgns=/run/prefix/bin/wgns
		refused=0
		as boxer $wgns exec --physical true 2>/run/err || refused=$?
		[ $refused = 125 ]
		grep -q "usermod -aG wgns boxer" /run/err
		usermod -aG wgns boxer
		[ "$(as boxer $wgns exec --physical readlink /proc/self/ns/net)" = "net:[$(stat -Lc %i /run/wgns/box/physical/netns)]" ]
		[ "$(as boxer $wgns exec --physical grep -c "^Cap[^B].*0000000000000000$" /proc/self/status)" = 4 ]'
}

@test "wgns finds the helper and the profiles where make install put them" {
	run -0 in_new '
		as_built install PREFIX=/run/prefix
		echo wgns:x:4299:boxer >>/etc/group
		wgns=/run/prefix/bin/wgns
		printf "[Profile]\nEnvironment = FROM=prefix\n" >/run/prefix/share/wgns/profiles/mark.profile
		[ "$($wgns exec --physical --profile mark printenv FROM)" = prefix ]
		[ "$(as boxer $wgns exec --physical --profile mark printenv FROM)" = prefix ]
		mv /run/prefix/libexec/wgns/wgns-exec /run/elsewhere
		missing=0
		as boxer $wgns exec --physical true 2>/run/err || missing=$?
		[ $missing = 125 ]
		grep -q "start the helper /run/prefix/libexec/wgns/wgns-exec: No such file" /run/err'
}

@test "make install fails where the file system keeps no capability" {
	run -2 in_new '
		mount -t ramfs none /run/prefix
		as_built install PREFIX=/run/prefix'
	[[ $output == *'setcap: /run/prefix/libexec/wgns/wgns-exec has no capability: '* ]]
}

@test "make install fails where the file system is mounted nosuid" {
	run -2 in_new '
		mount -t tmpfs -o nosuid none /run/prefix
		as_built install PREFIX=/run/prefix'
	[[ $output == *'setcap: /run/prefix/libexec/wgns/wgns-exec is on a file system that is mounted nosuid'* ]]
}

@test "make install and make setcap fail with the name of the package where setcap is missing" {
	local target
	for target in install setcap; do
		run -2 in_new "
			mount --bind /dev/null \$(PATH=\$PATH:/usr/sbin:/sbin command -v setcap)
			as_built $target PREFIX=/run/prefix"
		[[ $output == *'setcap: setcap(8) is missing; Debian has it in the package libcap2-bin'* ]]
	done
}

@test "make setcap fails where nothing is installed" {
	run -2 in_new 'as_built setcap PREFIX=/run/prefix'
	[[ $output == *'setcap: /run/prefix/libexec/wgns/wgns-exec is not there: make install'* ]]
}

@test "make setcap with DESTDIR gives the staged helper its capability" {
	run -0 in_new '
		as_built install PREFIX=/usr DESTDIR=/run/stage
		as_built setcap PREFIX=/usr DESTDIR=/run/stage
		[ "$(getcap -r /run/stage)" = "/run/stage/usr/libexec/wgns/wgns-exec cap_sys_admin=ep" ]'
}

@test "make uninstall leaves nothing" {
	run -0 in_new '
		as_built install PREFIX=/run/prefix
		as_built uninstall PREFIX=/run/prefix
		find /run/prefix ! -type d >/run/left
		find /run/prefix /etc -name "*wgns*" >>/run/left
		cat /run/left >&2
		[ ! -s /run/left ]'
}

@test "make uninstall leaves the configuration and the profiles of the administrator" {
	run -0 in_new '
		as_built install PREFIX=/run/prefix
		mkdir /etc/wgns/profiles
		touch /etc/wgns/wgns.conf /etc/wgns/profiles/own.profile
		as_built uninstall PREFIX=/run/prefix
		[ -e /etc/wgns/wgns.conf ] && [ -e /etc/wgns/profiles/own.profile ]'
}

@test "every program that make install puts there is neither set-user-ID nor set-group-ID, with umask 0 too" {
	run -0 in_new '
		umask 0
		as_built install PREFIX=/run/prefix
		[ -z "$(find /run/prefix -mindepth 1 -perm /6022 ! -type l)" ]'
}
