#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: none
# reload: a changed file for a tunnel that is up; only the differences, and sessions survive
# shellcheck disable=SC2016 # the text of a hook or a file is not for this shell to expand
# shellcheck disable=SC2154 # run sets status, output and stderr
# shellcheck disable=SC2317 # functions are called by name

load change

setup_file() {
	export FAULTY=${WGNS_FAULTY:-$BATS_FILE_TMPDIR/faults/wgns}
	[ -n "${WGNS_FAULTY-}" ] ||
		make -s -C "$BATS_TEST_DIRNAME/../.." O="$BATS_FILE_TMPDIR/faults" FAULTS=1 "$FAULTY" >&2
}
setup() {
	lab_up
	# by number: the packets of one session are told from others by it
	conf wg0 's/^Endpoint.*/Endpoint = 198.51.100.2:51820/'
	lab_run cp -a /etc/wireguard/wg0.conf /run/first.conf
}
teardown() { lab_down; }

reload() { lab_wgns reload "$@"; }
server_key() { lab_in server wg show wg public-key; }

# second_peer: another WireGuard device of the server, 10.99.0.1 behind port 51821; the text of its [Peer]
second_peer() {
	local key
	key=$(wg genkey)
	if [ "$(lab_backend)" = kernel ]; then
		lab_in server ip link add second type wireguard
	else
		lab_in server wireguard-go second >/dev/null 2>&1
	fi
	lab_in server sh -euc '
		umask 077
		echo "$1" >/run/world/second
		wg set second listen-port 51821 private-key /run/world/second peer "$2" allowed-ips 10.9.0.2/32,10.9.0.3/32
		ip addr add 10.99.0.1/24 dev second
		ip link set second up
		ip route add 10.9.0.3/32 dev second' - "$key" "$(lab_run wg show wg0 public-key)" >&2
	printf '%s\n' '' '[Peer]' "PublicKey = $(wg pubkey <<<"$key")" 'Endpoint = 198.51.100.2:51821'
}
# append NAME: standard input to the file
append() { lab_run sh -c "cat >>/etc/wireguard/$1.conf"; }

# the kernel makes the local route of an IPv6 address by itself, a moment later
settled() {
	[ "$(lab_run ip -6 -o addr show dev wg0 | wc -l)" = "$(lab_run ip -6 route show table local dev wg0 | grep -c '^local')" ] &&
		[ -z "$(lab_run ip -6 -o addr show dev wg0 tentative)" ]
}
# tunnel: what a reload may change, without counters
tunnel() {
	lab_wait settled
	lab_run sh -c 'for s in "addr show" "route show table all" "-6 route show table all"; do
			ip $s dev wg0; done | sed "s/[0-9]*sec//g" | grep -v "inet6 fe80\|^ff00\|anycast\|^local fe80\|fe80::/64"
		ip -o link show wg0 | grep -o "mtu [0-9]*"
		for what in listen-port fwmark private-key preshared-keys endpoints persistent-keepalive; do
			wg show wg0 $what | sed "s/^/$what /" | sort
		done
		wg show wg0 allowed-ips | awk "{ for (i = 2; i <= NF; i++) print \$1, \$i }" | sort
		cat /etc/resolv.conf'
}
handshake() { lab_run wg show wg0 latest-handshakes | sed -n "s,^$(server_key)\t,,p"; }

# initiations PORT: handshakes that home began towards that port of the server, in the capture (whitepaper 5.4.2)
initiations() { lab_capture_count "dst host 198.51.100.2 and udp dst port $1 and udp[4:2] = 156 and udp[8:4] = 0x01000000"; }

# the daemon's log goes on
eval "whole_$(declare -f state)"
state() { whole_state | grep -v 'daemon\.log'; }

faulty() {
	local faults=$1
	shift
	status=0
	output=$(lab_run env WGNS_FAULT="$faults" "$FAULTY" "$@" 2>&1) || status=$?
}

# everything: a change of every kind, in wg0.conf
everything() {
	conf wg0 's,^Address.*,Address = 10.9.0.3/32\, fd00:9::2/64\nMTU = 1300\nListenPort = 4444\nFwMark = 7,
		s/^DNS.*/DNS = 10.77.0.81/
		s,^AllowedIPs.*,AllowedIPs = 0.0.0.0/0\, 10.201.0.0/16\nPersistentKeepalive = 25,'
	printf '%s\n' '[Peer]' "PublicKey = $(wg genkey | wg pubkey)" 'AllowedIPs = 10.202.0.0/16' | append wg0
}

@test "reload of an unchanged file changes nothing and says so" {
	up wg0
	lab_wait_handshake
	remember
	tunnel >"$BATS_TEST_TMPDIR/tunnel"
	run reload -n wg0
	says 0 ''
	[ -z "$output" ]
	run reload wg0
	says 0 'wg0 is as the file says: nothing to change'
	unchanged
	tunnel | diff "$BATS_TEST_TMPDIR/tunnel" -
}

@test "a download survives a reload that adds an address, a peer and a route, without a new handshake" {
	lab_in web truncate -s 40M /run/world/intra/big
	up wg0
	lab_wait_handshake
	before=$(handshake)
	lab_capture_start
	lab_run curl -sf --limit-rate 10M -o /run/big http://10.77.0.80/big &
	download=$!
	begun() { [ "$(lab_run stat -c %s /run/big)" -gt 1000000 ]; }
	lab_wait begun
	{ second_peer; echo 'AllowedIPs = 10.99.0.0/24'; } | append wg0
	conf wg0 's,^Address.*,Address = 10.9.0.2/32\, fd00:9::2/128\, 10.9.0.3/32,'
	run reload -v wg0
	says 0 'addr.add wg0 10.9.0.3/32' 'peer.add' 'route.add wg0 10.99.0.0/24' 'wg0 is reloaded'
	kill -0 $download # it is running
	lab_run ping -qc 3 -i 0.2 -W 5 -I 10.9.0.3 10.99.0.1
	wait $download
	lab_capture_stop
	[ "$(lab_run stat -c %s /run/big)" = $((40 << 20)) ]
	[ "$(handshake)" = "$before" ]
	[ "$(initiations 51820)" = 0 ]
	[ "$(initiations 51821)" -ge 1 ]
}

@test "no packet is lost while AllowedIPs, peers, addresses and routes come and go" {
	conf wg0 's,^AllowedIPs.*,AllowedIPs = 0.0.0.0/0\, ::/0\, 10.77.0.0/24,'
	up wg0
	lab_wait_handshake
	lab_run cp -a /etc/wireguard/wg0.conf /run/a.conf
	conf wg0 's,^AllowedIPs.*,AllowedIPs = 10.77.0.0/24\, 10.201.0.0/16,; s,^Address.*,Address = 10.9.0.2/32\, 10.9.0.4/32,'
	printf '%s\n' '[Peer]' "PublicKey = $(wg genkey | wg pubkey)" 'AllowedIPs = 0.0.0.0/0, 10.0.0.0/8' | append wg0
	lab_run cp -a /etc/wireguard/wg0.conf /run/b.conf
	lab_run sh -c 'ping -q -c 1500 -i 0.004 10.77.0.80 >/run/ping 2>&1' &
	pings=$!
	n=0
	while kill -0 $pings 2>/dev/null; do
		for file in b a; do
			lab_run cp -a /run/$file.conf /etc/wireguard/wg0.conf
			reload wg0 2>/dev/null
			n=$((n + 1))
		done
	done
	wait $pings
	lab_run cat /run/ping >&2
	lab_run grep -q '1500 packets transmitted, 1500 received' /run/ping
	((n >= 10))
}

@test "a peer keeps the endpoint that it roamed to while the file says the same" {
	up wg0
	lab_wait_handshake
	lab_run wg set wg0 peer "$(server_key)" endpoint 203.0.113.77:7
	interface wg0 'MTU = 1400'
	reload wg0
	[[ $(lab_run wg show wg0 endpoints) = *203.0.113.77:7 ]]
	# the file says something new
	conf wg0 's/^Endpoint.*/Endpoint = vpn.example.test:51820/'
	run reload -v wg0
	says 0 'endpoint vpn.example.test port 51820'
	[[ $(lab_run wg show wg0 endpoints) = *:51820 ]]
	[ "$(get 10.77.0.80/)" = 'behind the tunnel' ]
}

@test "a name that nobody knows touches nothing" {
	up wg0
	tunnel >"$BATS_TEST_TMPDIR/tunnel"
	remember
	conf wg0 's/^Endpoint.*/Endpoint = nonesuch.example.test:51820/; s,^Address.*,Address = 10.9.0.3/32,'
	run lab_run env WG_ENDPOINT_RESOLUTION_RETRIES=0 "$WGNS" reload wg0
	says 1 'nonesuch.example.test' 'nothing was touched'
	lab_run cp -a /run/first.conf /etc/wireguard/wg0.conf
	unchanged
	tunnel | diff "$BATS_TEST_TMPDIR/tunnel" -
}

@test "a peer that goes takes its routes along, and others keep theirs" {
	printf '%s\n' '[Peer]' "PublicKey = $(wg genkey | wg pubkey)" 'AllowedIPs = 10.201.0.0/16, fd00:201::/32' | append wg0
	up wg0
	lab_run ip route add 10.203.0.0/16 dev wg0
	[ "$(lab_run wg show wg0 peers | wc -l)" = 2 ]
	lab_run cp -a /run/first.conf /etc/wireguard/wg0.conf
	run reload -v wg0
	says 0 'route.del wg0 10.201.0.0/16' 'route.del wg0 fd00:201::/32' 'peer.remove'
	[ "$(lab_run wg show wg0 peers)" = "$(server_key)" ]
	[ -z "$(lab_run ip route show 10.201.0.0/16)$(lab_run ip -6 route show fd00:201::/32)" ]
	[ -n "$(lab_run ip route show 10.203.0.0/16)" ] # somebody's own
	[[ $(lab_run ip route show default) = *wg0* ]]
}

@test "preshared key and keepalive that the file has no more are cleared" {
	psk=$(wg genpsk)
	append wg0 <<<"PresharedKey = $psk
PersistentKeepalive = 25"
	up wg0
	[[ $(lab_run wg show wg0 preshared-keys) = *"$psk" ]]
	lab_run cp -a /run/first.conf /etc/wireguard/wg0.conf
	run reload -v wg0
	says 0 'preshared key cleared, keepalive off'
	[[ $output != *"$psk"* ]]
	[[ $(lab_run wg show wg0 preshared-keys) = *'(none)' ]]
	[[ $(lab_run wg show wg0 persistent-keepalive) = *off ]]
	lab_wait_handshake
}

@test "key, port and mark are taken over, and the tunnel works" {
	up wg0
	lab_wait_handshake
	key=$(wg genkey)
	conf wg0 "s,^PrivateKey.*,PrivateKey = $key\nListenPort = 4444\nFwMark = 0x7,"
	lab_in server wg set wg peer "$(wg pubkey <<<"$key")" allowed-ips 10.9.0.2/32,fd00:9::2/128
	run reload -v wg0
	says 0 'wg.set wg0: private key, port' '-> 4444, mark 0x0 -> 0x7'
	[[ $output != *"$key"* ]]
	[ "$(lab_run wg show wg0 listen-port)" = 4444 ]
	[ "$(lab_run wg show wg0 fwmark)" = 0x7 ]
	[ "$(get 10.77.0.80/)" = 'behind the tunnel' ]
	# physical's guard lets strangers send to the new port, and to no other
	[[ $(in_physical nft list set inet wgns ports | xargs) = *'elements = { 4444 }'* ]]
}

@test "MTU is taken over, and is found out again when the file has none" {
	up wg0
	mtu() { lab_run cat /sys/class/net/wg0/mtu; }
	auto=$(mtu)
	interface wg0 'MTU = 1333'
	reload wg0
	[ "$(mtu)" = 1333 ]
	lab_run cp -a /run/first.conf /etc/wireguard/wg0.conf
	reload wg0
	[ "$(mtu)" = "$auto" ]
}

@test "names go to the new server at once, and home gets its own resolver back with down" {
	remember
	up wg0
	[ "$(lab_run getent ahostsv4 intra.inside.test | awk 'NR == 1 { print $1 }')" = 10.77.0.80 ]
	conf wg0 's/^DNS.*/DNS = 10.78.0.80/'
	reload wg0
	[[ $(lab_run cat /etc/resolv.conf) = *'nameserver 10.78.0.80'* ]]
	[ "$(lab_run getent ahostsv4 intra.inside.test | awk 'NR == 1 { print $1 }')" = 10.77.0.80 ]
	lab_run cp -a /run/first.conf /etc/wireguard/wg0.conf
	down wg0
	unchanged
}

@test "DNS that comes with a reload is undone by down, and DNS that goes is gone at once" {
	conf wg0 '/^DNS/d'
	lab_run cp -a /etc/wireguard/wg0.conf /run/first.conf
	remember
	original=$(lab_run cat /etc/resolv.conf)
	up wg0
	interface wg0 'DNS = 10.77.0.80'
	reload wg0
	[[ $(lab_run cat /etc/resolv.conf) = *'nameserver 10.77.0.80'* ]]
	lab_run cp -a /run/first.conf /etc/wireguard/wg0.conf
	run reload wg0
	says 0 'no DNS= any more'
	[ "$(lab_run cat /etc/resolv.conf)" = "$original" ]
	interface wg0 'DNS = 10.77.0.80'
	reload wg0
	[[ $(lab_run cat /etc/resolv.conf) = *'nameserver 10.77.0.80'* ]]
	lab_run cp -a /run/first.conf /etc/wireguard/wg0.conf
	down wg0
	unchanged
}

@test "an address changes its prefix" {
	up wg0
	conf wg0 's,^Address.*,Address = 10.9.0.2/24\, fd00:9::2/64,'
	reload wg0
	[[ $(lab_run ip -o addr show dev wg0) = *10.9.0.2/24*fd00:9::2/64* ]]
	[ "$(lab_run ip -o addr show dev wg0 scope global | wc -l)" = 2 ]
	lab_run cp -a /run/first.conf /etc/wireguard/wg0.conf
	reload wg0
	[[ $(lab_run ip -o addr show dev wg0) = *10.9.0.2/32*fd00:9::2/128* ]]
	[ "$(get 10.77.0.80/)" = 'behind the tunnel' ]
}

@test "what the kernel takes away with an address and the file still has is put back" {
	conf wg0 's,^Address.*,Address = 10.9.0.2/24\, 10.9.0.5/24,'
	up wg0
	# the first is the primary one, and the second goes with it
	conf wg0 's,^Address.*,Address = 10.9.0.5/24,'
	reload wg0
	[ "$(lab_run ip -4 -o addr show dev wg0 | awk '{ print $4 }')" = 10.9.0.5/24 ]
	# without any IPv4 address the kernel forgets all IPv4 routes of the device
	conf wg0 's,^Address.*,Address = fd00:9::2/128,'
	reload wg0
	[ -z "$(lab_run ip -4 -o addr show dev wg0)" ]
	[[ $(lab_run ip route show default) = *wg0* ]]
}

@test "routes move to another table, and go when Table is off" {
	up wg0
	interface wg0 'Table = 77'
	reload wg0
	[[ $(lab_run ip route show table 77) = *default* ]]
	[ -z "$(lab_run ip route show default dev wg0)" ]
	conf wg0 's/^Table.*/Table = off/'
	reload wg0
	[ -z "$(lab_run ip route show table 77)" ]
}

@test "an address that the kernel refuses puts everything back" {
	up wg0
	lab_wait_handshake
	before=$(handshake)
	# IPv6 has an address only once on a device, and this one is somebody's
	lab_run ip addr add fd00:9::7/128 dev wg0
	tunnel >"$BATS_TEST_TMPDIR/tunnel"
	remember
	everything
	conf wg0 's,^Address.*,Address = 10.9.0.3/32\, fd00:9::7/64,'
	run reload wg0
	says 1 'add the address fd00:9::7/64' 'everything was put back'
	lab_run cp -a /run/first.conf /etc/wireguard/wg0.conf
	unchanged
	tunnel | diff "$BATS_TEST_TMPDIR/tunnel" -
	[ "$(handshake)" = "$before" ]
	[ "$(get 10.77.0.80/)" = 'behind the tunnel' ]
}

@test "a phase that fails before or after it did anything puts everything back" {
	up wg0
	lab_wait_handshake
	tunnel >"$BATS_TEST_TMPDIR/tunnel"
	everything
	lab_run cp -a /etc/wireguard/wg0.conf /run/next.conf
	lab_run cp -a /run/first.conf /etc/wireguard/wg0.conf
	remember
	for point in before after; do
		for ((n = 1; n < 20; n++)); do
			lab_run cp -a /run/next.conf /etc/wireguard/wg0.conf
			faulty "$point:$n" reload wg0
			((status)) || break
			says 1 'injected fault' 'everything was put back'
			lab_run cp -a /run/first.conf /etc/wireguard/wg0.conf
			unchanged || { echo "after $point:$n" >&2; return 1; }
			tunnel | diff "$BATS_TEST_TMPDIR/tunnel" - || { echo "after $point:$n" >&2; return 1; }
		done
		((n > 8))
		lab_run cp -a /run/first.conf /etc/wireguard/wg0.conf
		reload wg0
		tunnel | sed /^listen-port/d >"$BATS_TEST_TMPDIR/now"
		sed /^listen-port/d "$BATS_TEST_TMPDIR/tunnel" | diff - "$BATS_TEST_TMPDIR/now"
		# the port is another random one: what was there is what is there now
		tunnel >"$BATS_TEST_TMPDIR/tunnel"
		remember
	done
}

@test "a put-back that fails says what to do, and the next reload does the rest" {
	up wg0
	everything
	lab_run cp -a /etc/wireguard/wg0.conf /run/next.conf
	reload wg0
	tunnel >"$BATS_TEST_TMPDIR/next"
	for ((n = 1; n < 20; n++)); do
		lab_run cp -a /run/first.conf /etc/wireguard/wg0.conf
		reload wg0
		lab_run cp -a /run/next.conf /etc/wireguard/wg0.conf
		faulty "after:$n,undo:1" reload wg0
		((status)) || break
		says 4 'cannot undo' 'wgns reload wg0' 'wgns down wg0'
		reload wg0
		tunnel | diff "$BATS_TEST_TMPDIR/next" - || { echo "after $n" >&2; return 1; }
	done
	((n > 8))
}

@test "killed at any phase: reload goes on, forwards or back, and down leaves nothing" {
	remember
	up wg0
	everything
	lab_run cp -a /etc/wireguard/wg0.conf /run/next.conf
	reload wg0
	tunnel >"$BATS_TEST_TMPDIR/next"
	lab_run cp -a /run/first.conf /etc/wireguard/wg0.conf
	reload wg0
	tunnel | sed /^listen-port/d >"$BATS_TEST_TMPDIR/first"
	for point in kill-before kill-after; do
		for ((n = 1; n < 20; n++)); do
			lab_run cp -a /run/next.conf /etc/wireguard/wg0.conf
			faulty "$point:$n" reload wg0
			((status)) || break
			[ "$status" = 137 ]
			reload wg0
			tunnel | diff "$BATS_TEST_TMPDIR/next" - || { echo "forwards after $point:$n" >&2; return 1; }
			lab_run cp -a /run/first.conf /etc/wireguard/wg0.conf
			reload wg0
			lab_run cp -a /run/next.conf /etc/wireguard/wg0.conf
			faulty "$point:$n" reload wg0
			[ "$status" = 137 ]
			lab_run cp -a /run/first.conf /etc/wireguard/wg0.conf
			reload wg0
			tunnel | sed /^listen-port/d | diff "$BATS_TEST_TMPDIR/first" - || { echo "back after $point:$n" >&2; return 1; }
		done
		((n > 8))
		lab_run cp -a /run/first.conf /etc/wireguard/wg0.conf
		reload wg0
	done
	for n in 1 5 9; do
		lab_run cp -a /run/next.conf /etc/wireguard/wg0.conf
		faulty "kill-after:$n" reload wg0
		lab_run cp -a /run/first.conf /etc/wireguard/wg0.conf
		down wg0
		up wg0
	done
	down wg0
	lab_run rm /run/next.conf
	unchanged
}

@test "an error in the file is shown with its place, and nothing is touched" {
	up wg0
	tunnel >"$BATS_TEST_TMPDIR/tunnel"
	remember
	conf wg0 's/^Address.*/Address = 10.9.0.300\/24/'
	for option in '' -n; do
		# shellcheck disable=SC2086 # no option at all
		run reload $option wg0
		says 1 '/etc/wireguard/wg0.conf:3:11: '
	done
	lab_run cp -a /run/first.conf /etc/wireguard/wg0.conf
	unchanged
	tunnel | diff "$BATS_TEST_TMPDIR/tunnel" -
}

@test "-n prints what reload does, and does nothing" {
	up wg0
	everything
	tunnel >"$BATS_TEST_TMPDIR/tunnel"
	remember
	reload -n wg0 >"$BATS_TEST_TMPDIR/plan"
	unchanged
	tunnel | diff "$BATS_TEST_TMPDIR/tunnel" -
	reload -v wg0 2>"$BATS_TEST_TMPDIR/done"
	grep -v 'wg0 is reloaded' "$BATS_TEST_TMPDIR/done" | diff "$BATS_TEST_TMPDIR/plan" -
	[ -z "$(reload -n wg0)" ]
}

@test "reload of a tunnel that is not up, or whose file is called otherwise now" {
	remember
	run reload wg0
	says 3 'wg0 is not up'
	unchanged
	up wg0
	run reload wg1
	says 3 'wg1 is not up'
	lab_run mv /etc/wireguard/wg0.conf /etc/wireguard/wg9.conf
	run reload wg9
	says 3 'wg9 is not up' 'a tunnel is called by its file'
	lab_run mv /etc/wireguard/wg9.conf /etc/wireguard/wg0.conf
	run lab_run ip netns exec physical "$WGNS" reload wg0
	says 3 'another network namespace'
	lab_run ip link del wg0
	run reload wg0
	says 3 'is gone' 'wgns down wg0'
}

@test "hooks do not run, and those of down are the new file's afterwards" {
	interface wg0 'PreDown = echo old >>/run/hooks'
	up wg0
	conf wg0 's,old,new,; s,^Address,PostUp = echo up >>/run/hooks\nAddress,'
	run reload wg0
	says 0 'PostUp have changed' 'PreDown and PostDown have changed'
	lab_run test ! -e /run/hooks
	down wg0
	[ "$(lab_run cat /run/hooks)" = new ]
}

@test "hooks of a file that others can write are refused, also those of down" {
	up wg0
	interface wg0 'PostDown = touch /run/pwned'
	lab_run chmod 666 /etc/wireguard/wg0.conf
	run reload wg0
	says 1 'hooks, and they do not run' 'nothing was touched'
	down wg0
	lab_run test ! -e /run/pwned
}

@test "a route that another device has is refused before anything is touched" {
	up wg0
	lab_run sh -c 'ip link add lan0 type veth peer name lan1; ip link set lan0 up; ip link set lan1 up
		ip route add 10.201.0.0/16 dev lan0'
	remember
	conf wg0 's,^AllowedIPs.*,AllowedIPs = 0.0.0.0/0\, 10.201.0.0/16,; s,^Address.*,Address = 10.9.0.3/32,'
	run reload wg0
	says 3 'the route 10.201.0.0/16 is taken by lan0'
	lab_run cp -a /run/first.conf /etc/wireguard/wg0.conf
	unchanged
}

@test "reload waits for no hook of its own" {
	interface wg0 'PostUp = ! wgns=$(WGNS reload wg0 2>\&1) \&\& echo "$wgns" >/run/said'
	conf wg0 "s,WGNS,$WGNS,"
	up wg0
	lab_run grep -q 'it would wait for itself' /run/said
}

@test "a thousand peers are taken over, and a thousand go" {
	n=1000
	[ -z "${CHECK_IN_VM-}" ] || n=100
	up wg0
	for ((i = 0; i < n; i++)); do
		printf '[Peer]\nPublicKey = %s\nAllowedIPs = 10.%d.%d.0/24\n' \
			"$(printf '%032d' $((i + 1)) | base64)" $((100 + i / 250)) $((i % 250))
	done | append wg0
	run reload wg0
	says 0 'wg0 is reloaded'
	[ "$(lab_run wg show wg0 peers | wc -l)" = $((n + 1)) ]
	[ "$(lab_run ip route show | grep -c '/24')" = "$n" ]
	lab_run cp -a /run/first.conf /etc/wireguard/wg0.conf
	reload wg0
	[ "$(lab_run wg show wg0 peers)" = "$(server_key)" ]
	[ "$(lab_run ip route show | grep -c '/24')" = 0 ]
}
