#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: none
# save: the live configuration over the tunnel's file, and never over what the user has written since
# shellcheck disable=SC2154 # run sets status, output and stderr
# shellcheck disable=SC2317 # functions are called by name

load change

setup() { lab_up; }
teardown() { lab_down; }

save() { lab_wgns save "$@"; }
file() { lab_run cat "${1:-/etc/wireguard/wg0.conf}"; }
has_lines() {
	local line
	for line; do
		file | grep -qxF -- "$line" || { file >&2; echo "no line '$line'" >&2; return 1; }
	done
}

@test "save writes what is live, and what was configured and is not live" {
	interface wg0 'PreUp = true # all of it'
	interface wg0 'PostDown = touch /run/%i'
	interface wg0 'MTU = 1333'
	interface wg0 'Table = 77'
	up wg0
	key=$(wg genkey | wg pubkey) psk=$(wg genpsk)
	lab_run sh -c 'cat >/run/psk; wg set wg0 peer "$1" preshared-key /run/psk allowed-ips 10.3.0.0/16 persistent-keepalive 17
		ip addr add 10.9.0.77/32 dev wg0' - "$key" <<<"$psk"
	run save wg0
	says 0 'wg0 is saved to /etc/wireguard/wg0.conf'
	[[ $output != *"$psk"* ]]
	has_lines "PublicKey = $key" "PresharedKey = $psk" 'AllowedIPs = 10.3.0.0/16' 'PersistentKeepalive = 17' 'MTU = 1333' \
		'Table = 77' 'PreUp = true # all of it' 'PostDown = touch /run/%i' 'DNS = 10.77.0.80' 'DNS = inside.test' \
		"ListenPort = $(lab_run wg show wg0 listen-port)"
	file | grep -q '^Address = .*10.9.0.77/32'
	run ! grep SaveConfig <(file)
	[ "$(lab_run stat -c '%a %u:%g' /etc/wireguard/wg0.conf)" = '600 0:0' ]
	# nothing of it lies about
	[ "$(lab_run ls -A /etc/wireguard)" = 'wg0.conf
wg1.conf' ]
}

@test "what was saved brings up the same tunnel" {
	up wg0
	lab_run ip addr add 10.9.0.77/32 dev wg0
	save wg0
	file >"$BATS_TEST_TMPDIR/saved"
	down wg0
	up wg0
	[[ $(lab_run ip -o addr show dev wg0) = *10.9.0.77/32* ]]
	[ "$(get 10.77.0.80/)" = 'behind the tunnel' ]
	save wg0
	file | diff "$BATS_TEST_TMPDIR/saved" -
}

@test "what was saved is what reload compares with, and save can be called again" {
	up wg0
	lab_run wg set wg0 peer "$(wg genkey | wg pubkey)" allowed-ips 10.3.0.0/16
	save wg0
	# the peer came by hand, without its route
	run --separate-stderr lab_wgns reload -n wg0
	[ "$output" = 'route.add wg0 10.3.0.0/16' ]
	lab_wgns reload wg0
	[ -z "$(lab_wgns reload -n wg0)" ]
	save wg0
	save /etc/wireguard/wg0.conf
	down wg0
}

@test "save keeps what the user has written since, unless it is forced" {
	up wg0
	interface wg0 '# a comment of mine'
	remember
	run save wg0
	says 3 'has changed since it was read' 'wgns reload wg0' '--force'
	unchanged
	# taken over by reload it may be saved
	lab_wgns reload wg0
	save wg0
	interface wg0 '# another one'
	save --force wg0
	run ! grep 'another one' <(file)
	down wg0
}

@test "save refuses a file that is not the one that was read" {
	lab_run cp -a /etc/wireguard/wg0.conf /run/wg0.conf
	up wg0
	remember
	run save /run/wg0.conf
	says 3 'wg0 was read from /etc/wireguard/wg0.conf, not from /run/wg0.conf'
	unchanged
	lab_run wg set wg0 fwmark 9
	before=$(file)
	save --force /run/wg0.conf
	file /run/wg0.conf | grep -qx 'FwMark = 0x9'
	[ "$(file)" = "$before" ]
	# and the tunnel's own file can be saved as before
	save wg0
	has_lines 'FwMark = 0x9'
}

@test "save when the file is gone" {
	up wg0
	lab_run rm /etc/wireguard/wg0.conf
	run save wg0
	says 3 'has changed since'
	save --force wg0
	has_lines 'DNS = 10.77.0.80'
}

@test "save follows the link that up followed, and none that came since" {
	lab_run sh -c 'mkdir /run/vpn; mv /etc/wireguard/wg0.conf /run/vpn/; ln -s /run/vpn/wg0.conf /etc/wireguard/wg0.conf'
	up wg0
	lab_run wg set wg0 fwmark 9
	save wg0
	lab_run test -L /etc/wireguard/wg0.conf
	has_lines 'FwMark = 0x9'
	# a folder that is a link by now leads elsewhere
	lab_run sh -c 'mkdir /run/elsewhere; cp /run/vpn/wg0.conf /run/elsewhere/; mv /run/vpn /run/was; ln -s elsewhere /run/vpn'
	before=$(file /run/elsewhere/wg0.conf)
	run save wg0
	says 3 'not from /run/elsewhere/wg0.conf'
	[ "$(file /run/elsewhere/wg0.conf)" = "$before" ]
}

@test "a file system that is full keeps the file" {
	lab_run sh -c 'mkdir /run/small; mount -t tmpfs -o size=8k tmpfs /run/small; cp /etc/wireguard/wg0.conf /run/small/wg0.conf; chmod 600 /run/small/wg0.conf'
	up /run/small/wg0.conf
	before=$(file /run/small/wg0.conf)
	lab_run sh -c 'cat /dev/zero >/run/small/full 2>/dev/null || :'
	run save /run/small/wg0.conf
	says 1 'No space left'
	[ "$(file /run/small/wg0.conf)" = "$before" ]
	[ "$(lab_run ls -A /run/small)" = 'full
wg0.conf' ]
}

@test "save of a tunnel that is not up, or whose device is gone" {
	remember
	run save wg0
	says 3 'wg0 is not up'
	unchanged
	up wg0
	before=$(file)
	run save wg1
	says 3 'wg1 is not up'
	lab_run ip link del wg0
	run save wg0
	[ "$status" = 1 ]
	[ "$(file)" = "$before" ]
}

@test "save needs root" {
	lab_install
	up wg0
	run lab_as alice wgns save wg0
	says 1 'only root can do this'
}
