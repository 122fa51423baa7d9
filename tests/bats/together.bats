#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# a day with wgns: up, exec, status and down on one tunnel
# shellcheck disable=SC2016 # the text is for the shell in the lab
# shellcheck disable=SC2154 # run sets status, output and stderr

load change

setup() { lab_up; }
teardown() { lab_down; }

# field FILTER: of `status --json`
field() { lab_run "$WGNS" status --json | jq -r "$1"; }

@test "exec in physical after up sees the uplink, home the tunnel, each with its own resolver" {
	up wg0
	run -0 lab_run "$WGNS" exec --physical ip -br addr show eth0
	[[ $output = *192.0.2.10/26* ]]
	run -0 lab_run "$WGNS" exec --physical cat /etc/resolv.conf
	[[ $output = *'nameserver 192.0.2.1'* ]]
	[[ $(lab_run cat /etc/resolv.conf) = *'nameserver 10.77.0.80'* ]]
	[ "$(lab_run "$WGNS" exec --physical curl -sm 5 http://203.0.113.80/)" = "$(lab_in isp curl -sm 5 http://203.0.113.80/)" ]
	run lab_run "$WGNS" exec --physical curl -sm 2 http://10.77.0.80/
	[ "$status" != 0 ]
	down wg0
}

@test "exec through sudo is the user who called sudo, on the uplink's side" {
	up wg0
	run -0 lab_run env -C / SUDO_UID=4242 SUDO_GID=4242 "$WGNS" exec --physical sh -c 'id -u; ip -br link show eth0'
	[ "${lines[0]}" = 4242 ]
	[[ ${lines[1]} = eth0* ]]
	down wg0
}

@test "status tells no handshake, up and broken as they come" {
	up wg1
	[ "$(field '.tunnels[0].state')" = 'no handshake' ]
	lab_run ping -c 1 -w 10 10.78.0.80 >&2
	lab_wait_handshake wg1
	[ "$(field '.tunnels[0].state')" = up ]
	[ "$(field '.tunnels[0] | .inside + .birthplace')" = homephysical ]
	[ "$(field '.tunnels[0].peers[0].rx_bytes > 0')" = true ]
	lab_run ip link del wg1
	[ "$(field '.tunnels[0].state')" = broken ]
	down wg1
}

@test "status names the programs of a box and the devices of both sides" {
	up wg0
	lab_run "$WGNS" exec --physical sleep 1000 &
	lab_wait eval '[ "$(field ".boxes[] | select(.name == \"physical\") | .processes[] | select(.command == \"sleep\") | .command")" = sleep ]'
	[ "$(field '.boxes[] | select(.name == "home") | [.links[].name] | sort | join(" ")')" = 'lo wg0' ]
	[ "$(field '.boxes[] | select(.name == "physical") | [.links[].name] | sort | join(" ")')" = 'eth0 lo' ]
	down --kill wg0
}

# not in the VM
@test "status draws the picture on a terminal of 80 columns and none on a narrow one" {
	up wg0
	run lab_run script -qec "stty cols 80; $WGNS status" /dev/null
	[[ $output = *physical*'straight out'* ]]
	run lab_run script -qec "stty cols 60; $WGNS status" /dev/null
	[[ $output != *'straight out'* ]]
	[[ $output = *'wg0:'* ]]
	down wg0
}
