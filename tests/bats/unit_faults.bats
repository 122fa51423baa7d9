#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# A manager that moves is in home again whatever fails, is killed, or does not answer
# only in the VM: 6.12 systemd
#
# The manager is a unit of its own that starts and stops at once. Between wgns and systemctl is a script that fails as told.

load ../lab/lab
bats_require_minimum_version 1.5.0

export LAB_DEADLINE=60

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	umask 022
	mkdir -p /etc/wireguard /etc/wgns /run/fake
	printf '[Service]\nExecStart=sleep infinity\n' >/etc/systemd/system/manager.service
	cp "$(readlink -f /usr/bin/systemctl)" /run/fake/systemctl
	cat >script <<-'E'
		#!/bin/sh
		# /run/fake/fail: a verb, or "all", and how often
		if [ -e /run/fake/fail ]; then
			read -r verb n </run/fake/fail
			case " $* " in
			*SystemState*) ;; # is the machine going down? who gets no answer takes it for none
			*" $verb "*)
				if [ "$n" -gt 1 ]; then echo "$verb $((n - 1))" >/run/fake/fail; else rm /run/fake/fail; fi
				echo "no $verb today" >&2
				exit 1
				;;
			esac
		fi
		exec /run/fake/systemctl "$@"
	E
	chmod 755 script
	mount --bind script /usr/bin/systemctl
	ip link add up0 address 02:77:67:00:00:01 type veth peer name isp0
	ip addr add 192.0.2.2/24 dev up0
	ip link set up0 up
	ip link set isp0 up
	printf '[Interface]\nPrivateKey = %s\nAddress = 10.9.0.2/24\n' "$(wg genkey)" |
		(umask 077 && cat >/etc/wireguard/wg0.conf)
	printf '[Physical]\nUplinks = up0\nAgent = systemd:manager\n' >/etc/wgns/wgns.conf
}
teardown_file() {
	umount /usr/bin/systemctl
	rm -r /run/fake /etc/systemd/system/manager.service /etc/wgns/wgns.conf
	systemctl daemon-reload
	systemctl stop manager
	ip link del up0
}
setup() {
	cd "$BATS_FILE_TMPDIR" || return
	systemctl daemon-reload
	systemctl start manager
}
teardown() {
	rm -f /run/fake/fail
	chmod 755 script
	[ ! -e /run/wgns/tunnel ] || "$WGNS" recover --kill
}

fails() { printf '%s\n' "$1" >/run/fake/fail; }
manager_ns() { readlink "/proc/$(systemctl show -p MainPID --value manager)/ns/net"; }
in_home() { [ "$(manager_ns)" = "$(readlink /proc/self/ns/net)" ]; }
in_physical() { [ "$(manager_ns)" = "net:[$(stat -Lc %i /run/netns/physical)]" ]; }
# as_before: the manager runs in home, and nothing of wgns is left, also not in systemd's memory
as_before() {
	[ "$(systemctl is-active manager)" = active ]
	in_home
	[ ! -e /run/wgns/tunnel ]
	[ ! -e /run/wgns/box ]
	[ ! -e /run/netns/physical ]
	[ ! -e /run/systemd/system/manager.service.d ]
	[ "$(systemctl show -p NetworkNamespacePath --value manager)" = "" ]
}
# down_at_last: what one `down` left the next one does
down_at_last() {
	if [ -e /run/wgns/tunnel ]; then "$WGNS" down wg0; fi
	as_before
}
bring_up() {
	"$WGNS" up wg0
	in_physical
}

@test "an end in physical that failed is made up for, and the next down does not end the manager in home" {
	for n in 1 99; do
		bring_up
		fails "stop $n"
		run "$WGNS" down wg0
		echo "$output"
		[ "$status" = "$((n == 1 ? 0 : 4))" ]
		rm -f /run/fake/fail
		[ $n = 99 ] || in_home
		down_at_last
	done
}

@test "a manager that did not end in physical is not said to be in home" {
	bring_up
	fails 'stop 99'
	run "$WGNS" down wg0
	[ "$status" = 4 ]
	[[ $output = *"unit.start manager.service"*"unit.stop manager.service"* ]]
	run ! in_home
	rm /run/fake/fail
	run "$WGNS" recover
	echo "$output"
	as_before
}

@test "while systemctl fails, says nothing or is missing nothing is called undone" {
	local fault
	for fault in 'show 1' 'start 99' missing; do
		bring_up
		if [ "$fault" = missing ]; then chmod 644 script; else fails "$fault"; fi
		run "$WGNS" down wg0
		echo "$fault: $output"
		[ "$status" = 4 ]
		chmod 755 script
		rm -f /run/fake/fail
		down_at_last
	done
}

# steps_of_units: the numbers of those that change something
steps_of_units() { "$WGNS" up -n wg0 | grep -nE '^unit\.(stop|dropin|start) ' | cut -d: -f1; }

@test "killed or failed at any step of the units up has the manager in home at last" {
	local n fault=after
	for n in $(steps_of_units); do
		# the first fails, the others are killed: what is undone is the same
		run env "WGNS_FAULT=$fault:$n" "$WGNS_FAULTY" up wg0
		echo "$fault at $n: $output"
		[ "$status" = "$([[ $fault = kill-* ]] && echo 137 || echo 1)" ]
		down_at_last
		fault=kill-after
	done
}

@test "killed or failed at any step of the units down has the manager in home at last" {
	local n fault
	for n in $(steps_of_units); do
		# what is killed before an undo was killed behind the one before
		for fault in undo kill-undone; do
			bring_up
			run env "WGNS_FAULT=$fault:$n" "$WGNS_FAULTY" down wg0
			echo "$fault at $n: $output"
			[ "$status" = "$([[ $fault = kill-* ]] && echo 137 || echo 4)" ]
			down_at_last
		done
	done
}

@test "settings that systemd still has are no reason to be in physical" {
	bring_up
	fails 'daemon-reload 99'
	run "$WGNS" down wg0
	echo "$output"
	[ "$status" = 4 ]
	run ! in_physical
	rm -f /run/fake/fail
	down_at_last
}

@test "a folder in what networkd leaves, whosever it is, is removed with it" {
	bring_up
	mkdir -p /run/wgns/box/physical/netif/links/a/b
	touch /run/wgns/box/physical/netif/links/a/b/c
	chown -R systemd-network: /run/wgns/box/physical/netif
	run setpriv --bounding-set -dac_override,-dac_read_search --inh-caps -dac_override,-dac_read_search "$WGNS" down wg0
	echo "$output"
	[ "$status" = 0 ]
	as_before
}
