#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: none
# shellcheck disable=SC2016 # the scripts are for the shell in the box

bats_require_minimum_version 1.5.0

setup() {
	load ../lab/boxlib.bash
	box_require
}

# What systemd does with the drop-in's lines (tried with a running systemd 252), for the shell in the box; there as in a
# machine process 1 is in the mount namespace of everybody.
systemd='
	mkdir -p /etc/systemd/system
	value() { sed -n "s/^$2=//p" /etc/systemd/system/$1.d/50-wgns.conf | sed "s/%n/$1/g"; }
	# the command of a line: + and - in front of it are options, and $$ is a dollar
	command_of() { value "$1" "$2" | sed "s/^[+-]*//; s/\\$\\$/$/g"; }
	# every command has mounts of its own, and the binds before anything runs: also those with a +
	in_unit() {
		local unit=$1 bind from
		bind=$(value $unit BindReadOnlyPaths)
		from=${bind%:*}
		[[ $from == -* || -e $from ]] || return 226
		WITH_BIND=$([[ ! -e ${from#-} ]] || echo ${from#-}) TO=${bind##*:} NET=$(value $unit NetworkNamespacePath) \
			unshare --mount --propagation slave bash -euc "
			[[ -z \$WITH_BIND ]] || mount --bind -o ro \$WITH_BIND \$TO
			$3 exec nsenter --net=\$NET bash -euc \"\$1\"" - "$2"
	}
	start() { in_unit $1 "$(command_of $1 ExecCondition)" ""; }
	stop() { in_unit $1 "$(command_of $1 ExecStopPost)" ""; }
	program() {
		in_unit $1 "$2" "for p in $(value $1 InaccessiblePaths); do mount -t tmpfs -o ro,mode=0 none \$p; done;"
	}
	install() { umask 022; $WGNS unit-dropin --install physical $1 >/dev/null; }
'

# Debian has both in its package systemd
need_systemd() {
	command -v systemd-analyze systemd-escape >/dev/null || skip "needs systemd-analyze and systemd-escape"
}

@test "unit-dropin prints a drop-in, and needs neither root nor the box" {
	run -0 setpriv --reuid 65534 --regid 65534 --clear-groups "$WGNS" unit-dropin 'a-b+c' chrony
	diff - <(echo "$output") <<-'E'
		# chrony.service runs in a-b+c: wgns unit-dropin a-b+c chrony.service
		# If a socket unit opens its sockets, they stay in home, unless the socket unit
		# has the line NetworkNamespacePath= as well, in its [Socket].

		[Unit]
		# no start without the box
		AssertPathIsMountPoint=/run/wgns/box/a-b+c/netns
		# when the box goes the service ends
		StopPropagatedFrom=run-wgns-box-a\x2db\x2bc-netns.mount
		# on shutdown the service ends before them
		RequiresMountsFor=/run/wgns/box/a-b+c/netns /run/wgns-etc/%n

		[Service]
		NetworkNamespacePath=/run/wgns/box/a-b+c/netns
		# /etc with the box's resolv.conf on top of the host's files, new at each start
		ExecCondition=+/bin/sh -c 'mount -N 1 -t overlay -o ro,nosuid,nodev,X-mount.mkdir,lowerdir=/run/wgns/box/a-b+c/etc:/etc wgns "$$1" || exit 255' sh /run/wgns-etc/%n
		BindReadOnlyPaths=-/run/wgns-etc/%n:/etc
		ExecStopPost=+-/bin/umount -N 1 -l /run/wgns-etc/%n
		# nscd and systemd-resolved would ask from home
		InaccessiblePaths=/run/nscd /run/systemd/resolve
	E
	run -0 "$WGNS" unit-dropin --help
	[[ $output == 'usage: wgns unit-dropin [--install] BOX UNIT | --remove UNIT'* ]]
}

@test "unit-dropin names the unit that systemd makes of the box's mount" {
	local box
	need_systemd
	for box in physical a a-b .a a.b ..a -a a+ A_9.+- "$(printf 'x%.0s' {1..64})"; do
		"$WGNS" unit-dropin -- "$box" foo | grep -xF \
			"StopPropagatedFrom=$(systemd-escape --path --suffix=mount "/run/wgns/box/$box/netns")"
	done
}

@test "unit-dropin takes every name of a service" {
	local unit
	for unit in a foo foo.service foo.bar foo@.service foo@bar foo@bar.service 'foo@a-b\x2dc:d.service' foo-bar_9 \
		service socket "$(printf 'x%.0s' {1..242})"; do
		run -0 "$WGNS" unit-dropin physical "$unit"
		[[ ${lines[0]} == "# ${unit%.service}.service runs in physical: "* ]]
	done
}

@test "unit-dropin refuses other units with the reason" {
	local type
	for type in automount device mount path scope slice swap timer target; do
		run -2 "$WGNS" unit-dropin physical "foo.$type"
		[ "${lines[0]}" = "wgns: unit-dropin: foo.$type: only a service can run in a box, not a $type" ]
	done
	run -2 "$WGNS" unit-dropin physical foo.socket
	[[ ${lines[0]} == *'give the socket itself NetworkNamespacePath= in its [Socket]' ]]
}

@test "unit-dropin refuses names that are no unit's, or several units'" {
	local unit
	for unit in '' . .. .service @ @a .a ../a a/b /a a/ 'a b' ' a' $'a\nb' $'a\n' 'a%n' 'a$b' 'a;b' 'a"b' "a'b" 'a,b' 'a*' ä \
		foo- foo-.service foo-@ foo-@a.service "$(printf 'x%.0s' {1..243})"; do
		run -2 "$WGNS" unit-dropin -- physical "$unit"
		[[ ${lines[0]} == 'wgns: unit-dropin: '* && ${lines[0]} != *expected* ]]
	done
}

@test "unit-dropin refuses what is no box, and home" {
	local box
	for box in '' . .. a/b ../a 'a b' 'a,b' 'a:b' $'a\nb' 'a%n' "$(printf 'x%.0s' {1..65})"; do
		run -2 "$WGNS" unit-dropin -- "$box" foo
		[[ ${lines[0]} == 'wgns: unit-dropin: a box is named with '* ]]
	done
	run -2 "$WGNS" unit-dropin home foo
	[ "${lines[0]}" = 'wgns: unit-dropin: home is where services run without a drop-in' ]
}

@test "unit-dropin says 2 for a command line that is wrong" {
	local args
	for args in '' physical 'physical foo bar' --install '--install physical' --remove '--remove physical foo' \
		'--install --remove foo' '--nonesuch physical foo' '-x physical foo' '--install=x physical foo'; do
		# shellcheck disable=SC2086 # several words
		run -2 "$WGNS" unit-dropin $args
		[[ ${lines[0]} == 'wgns: unit-dropin: '* && ${lines[1]} == 'usage: '* ]]
	done
}

@test "unit-dropin --install writes what it prints, for everybody to read, and says what is next" {
	run -0 in_box "$systemd"'
		umask 077
		mkdir /etc/systemd/system/foo.service.d
		echo old >/etc/systemd/system/foo.service.d/50-wgns.conf
		for unit in foo bar@1; do
			$WGNS unit-dropin --install physical $unit
			cd /etc/systemd/system/$unit.service.d
			$WGNS unit-dropin physical $unit | diff - 50-wgns.conf
			[ "$(stat -c "%a %U %G" 50-wgns.conf)" = "644 root root" ]
			[ "$(ls -A)" = 50-wgns.conf ]
		done
		[ "$(stat -c %a .)" = 755 ]'
	[ "${lines[0]}" = '/etc/systemd/system/foo.service.d/50-wgns.conf is written' ]
	[ "${lines[1]}" = 'next: systemctl daemon-reload && systemctl restart foo.service' ]
}

@test "unit-dropin --install that fails leaves nothing" {
	run -0 in_box "$systemd"'
		not setpriv --reuid 65534 --regid 65534 --clear-groups $WGNS unit-dropin --install physical foo
		not setpriv --reuid 65534 --regid 65534 --clear-groups $WGNS unit-dropin --remove foo
		mkdir -p /etc/systemd/system/foo.service.d/50-wgns.conf
		not $WGNS unit-dropin --install physical foo
		touch /etc/systemd/system/bar.service.d
		not $WGNS unit-dropin --install physical bar
		[ "$(cd /etc/systemd/system && find . | sort | tr "\n" " ")" = \
			". ./bar.service.d ./foo.service.d ./foo.service.d/50-wgns.conf " ]
		rm -r /etc/systemd
		not $WGNS unit-dropin --install physical foo
		[ ! -e /etc/systemd ]'
	[ "${lines[0]}" = 'wgns: unit-dropin: only root may write to /etc/systemd/system' ]
	[[ $output == *'hint: without systemd: wgns exec --in BOX PROGRAM' ]]
}

@test "unit-dropin --remove takes away its own file alone" {
	run -0 in_box "$systemd"'
		install foo; install bar
		touch /etc/systemd/system/bar.service.d/mine.conf
		$WGNS unit-dropin --remove foo
		$WGNS unit-dropin --remove bar.service
		[ "$(cd /etc/systemd/system && find . -type f)" = ./bar.service.d/mine.conf ]
		[ ! -e /etc/systemd/system/foo.service.d ]
		for unit in foo bar; do
			status=0; $WGNS unit-dropin --remove $unit || status=$?
			[ $status = 3 ]
		done'
	[ "${lines[0]}" = '/etc/systemd/system/foo.service.d/50-wgns.conf is removed' ]
	[ "${lines[1]}" = 'next: systemctl daemon-reload && systemctl restart foo.service' ]
	[ "${lines[4]}" = 'wgns: unit-dropin: foo.service has no drop-in of wgns' ]
}

@test "systemd-analyze verify finds nothing in a drop-in" {
	need_systemd
	run -0 in_box "$systemd"'
		cd /etc/systemd/system
		for unit in foo bar@ "$(systemd-escape --template=baz@.service "a b/c-d")"; do
			$WGNS unit-dropin --install physical "$unit" >/dev/null
		done
		for unit in foo bar@ baz@; do
			printf "%s\n" "[Unit]" Description=x "[Service]" "ExecStart=/bin/sleep 9" >$unit.service
		done
		for unit in foo.service bar@.service bar@1.service; do
			systemd-analyze verify --man=no ./$unit
		done
		rm bar@.service.d/* foo.service.d/*
		# it would say so
		$WGNS unit-dropin physical foo | sed s/StopProp/stopProp/ >foo.service.d/x.conf
		systemd-analyze verify --man=no ./foo.service || :'
	[[ ${#lines[@]} = 1 && $output == */foo.service.d/x.conf:*"'stopPropagatedFrom'"* ]]
}

@test "a service with the drop-in is in the box and sees its resolv.conf, read-only, with the host's other files" {
	run -0 in_box "$systemd"'
		install foo
		start foo.service
		program foo.service "
			ip -o link show inbox
			cat /etc/resolv.conf /etc/nsswitch.conf
			getent passwd boxer
			not() { if \"\$@\"; then return 1; fi; }
			not touch /etc/new
			not touch /etc/resolv.conf
			[ -z \"\$(ls -A /run/nscd /run/systemd/resolve | grep -v :)\" ]"
		not ip link show inbox
		stop foo.service
		not grep wgns-etc /proc/self/mountinfo'
	[[ $output == *inbox* && $output == *'nameserver 192.0.2.53'* && $output == *boxer:x:4242* ]]
	[[ $output == *'hosts: files dns'* && $output != *192.0.2.1$'\n'* ]]
}

@test "a service keeps the box's resolv.conf when the host's is replaced, and sees new files after the next start" {
	run -0 in_box "$systemd"'
		install foo
		echo first >/etc/marker
		start foo.service
		mkfifo /run/go
		program foo.service "
			head -1 /etc/resolv.conf /etc/marker; read -r </run/go; head -1 /etc/resolv.conf" >/run/said &
		exec 8<>/run/go
		for f in resolv.conf marker; do echo second >/etc/.new; mv /etc/.new /etc/$f; done
		echo >&8
		wait $!
		[ "$(grep -c "nameserver 192.0.2.53" /run/said)" = 2 ]
		[ "$(grep -cE "first|second" /run/said)" = 1 ]
		program foo.service "grep -x \"nameserver 192.0.2.53\" /etc/resolv.conf"
		stop foo.service
		start foo.service
		program foo.service "grep -x second /etc/marker; grep -x \"nameserver 192.0.2.53\" /etc/resolv.conf"
		stop foo.service'
}

@test "two services have an /etc each, and one that ends leaves the other's alone" {
	run -0 in_box "$systemd"'
		install foo; install bar@1
		start foo.service; start bar@1.service
		[ "$(grep -c wgns-etc /proc/self/mountinfo)" = 2 ]
		stop foo.service
		program bar@1.service "grep -x \"nameserver 192.0.2.53\" /etc/resolv.conf"
		stop bar@1.service
		not grep wgns-etc /proc/self/mountinfo
		# and nothing of the host is seen where it ended
		not program foo.service "cat /etc/passwd"'
}

@test "a start without the overlay fails with the only status that systemd does not take for a skip" {
	run -0 in_box "$systemd"'
		install foo
		mv /run/wgns/box/physical/etc /run/away
		status=0; start foo.service || status=$?
		[ $status = 255 ]
		not grep wgns-etc /proc/self/mountinfo'
}
