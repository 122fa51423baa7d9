#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: none
# shellcheck disable=SC2154 # $stderr is set by `run --separate-stderr`
# `wgns status` where nothing is up: needs no tunnel, no root and no network

bats_require_minimum_version 1.5.0

setup() {
	WGNS=${WGNS:-${BATS_TEST_DIRNAME}/../../build/wgns}
	[ -x "$WGNS" ] || {
		echo "no program at $WGNS: set WGNS or run make" >&2
		return 1
	}
	[ ! -e /run/wgns/tunnel ] || [ -n "${WGNS_MUST_RUN:-}" ] ||
		skip "tunnels may be up on this machine"
}

@test "status says that nothing is up and succeeds" {
	run "$WGNS" status
	[ "$status" -eq 0 ]
	[ "$output" = "nothing is up" ]
}

@test "status of a tunnel that is not up exits 3 and says so on stderr only" {
	run --separate-stderr "$WGNS" status nosuch0
	[ "$status" -eq 3 ]
	[ -z "$output" ]
	[[ "$stderr" = "wgns: status: nosuch0 is not up"$'\n'*"wgns status"* ]]
}

@test "status --json of a tunnel that is not up exits 3 and prints no JSON" {
	run --separate-stderr "$WGNS" status --json nosuch0
	[ "$status" -eq 3 ]
	[ -z "$output" ]
}

@test "status takes a file for the tunnel that it makes" {
	run --separate-stderr "$WGNS" status ./some/where/nosuch0.conf
	[ "$status" -eq 3 ]
	[[ "$stderr" = "wgns: status: nosuch0 is not up"$'\n'*"wgns status"* ]]
}

@test "status --json with nothing up is valid, has the schema and home with its devices" {
	run --separate-stderr "$WGNS" status --json
	[ "$status" -eq 0 ]
	jq -e '.schema == 1 and .tunnels == [] and .boxes[0].name == "home"' <<<"$output"
	jq -e '.boxes[0].links | map(.name) | index("lo") != null' <<<"$output"
	jq -e '.now | type == "number"' <<<"$output"
}

@test "status refuses an unknown option with its usage" {
	run --separate-stderr "$WGNS" status --nonsense
	[ "$status" -eq 2 ]
	[ -z "$output" ]
	[[ "$stderr" == *"--nonsense"* ]]
	[[ "$stderr" == *"usage: wgns status"* ]]
}

@test "status refuses two tunnels, an empty name and one that is too long" {
	run "$WGNS" status wg0 wg1
	[ "$status" -eq 2 ]
	run "$WGNS" status ""
	[ "$status" -eq 2 ]
	run "$WGNS" status abcdefghijklmnop
	[ "$status" -eq 2 ]
}

@test "status --watch needs a terminal, and does not go with --json" {
	run "$WGNS" status --watch
	[ "$status" -eq 2 ]
	[[ "$output" == *"needs a terminal"* ]]
	run "$WGNS" status --watch --json
	[ "$status" -eq 2 ]
}

@test "status escapes a name with odd bytes in its message" {
	run --separate-stderr "$WGNS" status $'\e[31m'
	[ "$status" -eq 3 ]
	[[ "$stderr" = 'wgns: status: \x1b[31m is not up'$'\n'* ]]
}

@test "status says that its output could not be written" {
	[ -w /dev/full ]
	run bash -c '"$1" status >/dev/full' - "$WGNS"
	[ "$status" -eq 1 ]
	[[ "$output" == *"No space left on device"* ]]
}

@test "status --help explains the states and exits 0" {
	run --separate-stderr "$WGNS" status --help
	[ "$status" -eq 0 ]
	[[ "$output" == *"no handshake"* ]]
	run --separate-stderr "$WGNS" status --json --help
	[ "$status" -eq 0 ]
}

@test "what --help says fits in 80 columns" {
	for command in '' $("$WGNS" --help | awk '/^  [a-z]/ { print $1 }'); do
		# shellcheck disable=SC2086 # none, or one
		[ -z "$("$WGNS" $command --help | awk -v c="$command" 'length > 80 { print c ": " $0 }' | tee /dev/stderr)" ]
	done
}
