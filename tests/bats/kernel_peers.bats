#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What only a kernel with WireGuard and VRFs shows: thousands of peers through genetlink, one backend after the other
# only in the VM: 6.1 6.12

load change

setup() { lab_up; }
teardown() { lab_down; }

# peers N KEY: a profile of them: one in ten has a secret more and an address of IPv6, one in a hundred an endpoint
peers() {
	awk -v n="$1" -v key="$2" 'BEGIN {
		printf "[Interface]\nPrivateKey = %s\nListenPort = 51999\nTable = off\n", key
		for (i = 0; i < n; i++) {
			printf "[Peer]\nPublicKey = %042dA=\n", i # any 32 bytes are a public key
			if (i % 10 == 0) printf "PresharedKey = %042dE=\n", i
			printf "AllowedIPs = 10.%d.%d.%d/32%s\n", int(i / 65536), int(i / 256) % 256, i % 256,
				i % 10 ? "" : sprintf(", fd00:%x::/64", i + 1)
			if (i % 100 == 0) printf "Endpoint = 198.51.100.2:%d\nPersistentKeepalive = 600\n", 1 + i
		}
	}'
}

# dump_of FILE: what wg(8) will say of its peers when the kernel has understood the profile
dump_of() {
	awk -F ' = ' '
		function say() { if (key) print key, secret, endpoint, ips, 0, keepalive }
		BEGIN { OFS = "\t" }
		$1 == "[Peer]" { say(); secret = "(none)"; endpoint = "(none)"; keepalive = "off" }
		$1 == "PublicKey" { key = $2 }
		$1 == "PresharedKey" { secret = $2 }
		$1 == "AllowedIPs" { ips = $2; gsub(", ", ",", ips) }
		$1 == "Endpoint" { endpoint = $2 }
		$1 == "PersistentKeepalive" { keepalive = $2 }
		END { say() }' "$1" | LC_ALL=C sort
}

# without what has passed, and IPv6 after IPv4
dump() {
	lab_run wg show "$1" dump | awk -F '\t' -v OFS='\t' 'NR > 1 {
		if ($4 ~ /^fd00.*,10\./) { split($4, ips, ","); $4 = ips[2] "," ips[1] }
		print $1, $2, $3, $4, $5, $8 }' | LC_ALL=C sort
}

@test "ten thousand peers are in the kernel as in the file, after few messages" {
	peers 10000 "$(wg genkey)" >"$BATS_TEST_TMPDIR/many.conf"
	conf many <"$BATS_TEST_TMPDIR/many.conf"
	remember
	lab_run strace -f --seccomp-bpf -qq -o /run/trace -e trace=sendto,sendmsg,sendmmsg "$WGNS" up --backend kernel many
	# a peer takes 64 bytes and its allowed IP 40: some hundred in what the kernel takes at once
	sent=$(lab_run grep -c . /run/trace)
	echo "10,000 peers and all else in $sent messages"
	[ "$sent" -lt 1000 ]
	lab_run rm /run/trace
	dump_of "$BATS_TEST_TMPDIR/many.conf" >"$BATS_TEST_TMPDIR/wanted"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/wanted")" = 10000 ]
	dump many >"$BATS_TEST_TMPDIR/got"
	diff "$BATS_TEST_TMPDIR/wanted" "$BATS_TEST_TMPDIR/got" >"$BATS_TEST_TMPDIR/differ" || {
		head -20 "$BATS_TEST_TMPDIR/differ" && false
	}
	[ "$(lab_run wg show many listen-port)" = 51999 ]
	down many
	unchanged
}

# facts BACKEND: all of a tunnel that is up, but what it is made of
facts() {
	up --backend "$1" wg0
	lab_run "$WGNS" status wg0 | grep -w "$1" >&2
	lab_wait_handshake wg0
	[ "$(get 10.77.0.80/)" = 'behind the tunnel' ]
	# the kernel's device has no link-local address and forbids redirects
	state | grep -vE -e '^(link|process|file|content) ' -e '^addr wg0 inet6 fe80:' -e '^route6 1 fe80::/64 dev wg0 ' \
		-e '^sysctl ipv4/conf/(all|wg0)/send_redirects:' -e '^sysctl ipv6/conf/wg0/(addr_gen_mode|stable_secret):'
	dump wg0 | sed 's/\t[0-9]*\(\t[^\t]*\)$/\1/'
	lab_run wg show wg0 private-key
	lab_run ip -o link show wg0 | grep -oE ' mtu [0-9]+'
	down wg0
	unchanged
}

@test "a tunnel goes from one backend to the other and back, and is the same" {
	remember
	for backend in kernel userspace; do
		facts $backend >"$BATS_TEST_TMPDIR/$backend"
		facts $backend >"$BATS_TEST_TMPDIR/$backend-again"
	done
	facts kernel >"$BATS_TEST_TMPDIR/back"
	diff "$BATS_TEST_TMPDIR/kernel" "$BATS_TEST_TMPDIR/userspace"
	diff "$BATS_TEST_TMPDIR/kernel" "$BATS_TEST_TMPDIR/back"
}

@test "a VRF beside the uplink keeps its routes, and what its table has of the uplink comes back" {
	lab_run ip -batch - <<-E
		link add red type vrf table 77
		link set red up
		link add guest type veth peer name far
		link set guest master red up
		link set far up
		addr add 10.60.0.1/24 dev guest
		addr add fd00:60::1/64 dev guest nodad
		route add 10.63.0.0/16 via 10.60.0.2 dev guest table 77
		route add 10.61.0.0/16 via 10.60.0.3 vrf red metric 7
		route add fd00:61::/64 via fd00:60::2 vrf red
		route add 10.62.0.0/16 via 192.0.2.1 dev eth0 table 77
		route add unreachable 0.0.0.0/0 table 77 metric 9999
	E
	lab_run ip route add default via 10.60.0.2 vrf red
	refused 5 guest 'vrf red' -- wg0
	lab_run ip route del default via 10.60.0.2 vrf red
	remember
	vrf_routes() { lab_run sh -c 'ip route show vrf red; ip -6 route show vrf red; ip rule'; }
	vrf_routes | grep -v 'dev eth0' >"$BATS_TEST_TMPDIR/routes"
	grep l3mdev "$BATS_TEST_TMPDIR/routes"
	up wg0
	vrf_routes | diff "$BATS_TEST_TMPDIR/routes" -
	[ "$(in_physical ip route show table 77)" = '10.62.0.0/16 via 192.0.2.1 dev eth0 ' ]
	[ "$(get 10.77.0.80/)" = 'behind the tunnel' ]
	down wg0
	unchanged
}
