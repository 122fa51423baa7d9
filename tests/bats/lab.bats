#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: 6.12
# The lab itself, with wg(8) and ip(8) alone: what the other files rely on

load ../lab/lab

bats_require_minimum_version 1.5.0

setup() { lab_up; }
teardown() { lab_down; }

# a tunnel by hand in home: what wg-quick would do with wg1.conf, without a shell script of its own
tunnel_by_hand() {
	lab_run ip link add wg1 type wireguard 2>/dev/null || lab_run wireguard-go wg1 >/dev/null 2>&1
	# wg setconf does not know wg-quick's Address
	lab_run sed '/^Address/d' /etc/wireguard/wg1.conf >"$BATS_TEST_TMPDIR/wg1.conf"
	lab_run wg setconf wg1 "$BATS_TEST_TMPDIR/wg1.conf"
	lab_run ip -batch - <<-E
		addr add 10.9.1.2/32 dev wg1
		addr add fd00:9:1::2/128 dev wg1 nodad
		link set wg1 up
		route add 10.78.0.0/24 dev wg1
		route add fd00:78::/64 dev wg1
	E
}

get() { lab_run curl -sgm "${2:-10}" "http://$1"; }

@test "home reaches the public web by name in both families" {
	[ "$(get www.example.test/)" = "the public web" ]
	[ "$(get 203.0.113.80/cgi-bin/who)" = 192.0.2.10 ]
	[ "$(get '[2001:db8:80::80]/cgi-bin/who')" = 2001:db8:1::10 ]
	lab_dns_asked isp www.example.test
	run ! lab_dns_asked web www.example.test
}

@test "the web behind the tunnel is out of reach without a tunnel" {
	for address in 10.77.0.80 10.78.0.80 '[fd00:77::80]' '[fd00:78::80]'; do
		run get "$address/" 3
		[ "$status" -ne 0 ]
	done
}

@test "a tunnel made by hand reaches the web in both families, and its port is all that leaves home" {
	lab_capture_start
	tunnel_by_hand
	[ "$(get 10.78.0.80/)" = "behind the tunnel" ]
	[ "$(get 10.78.0.80/cgi-bin/who)" = 10.9.1.2 ]
	[ "$(get '[fd00:78::80]/cgi-bin/who')" = fd00:9:1::2 ]
	lab_wait_handshake wg1
	lab_capture_stop
	[ "$(lab_capture_count "$LAB_FROM_HOME and dst host 198.51.100.2 and udp port 51820")" -ge 3 ]
	[ "$(lab_capture_count "net 10.0.0.0/8 or net fd00::/8 or tcp")" = 0 ]
}

@test "the capture has every packet that was sent before it stopped" {
	lab_capture_start
	lab_run ping -qc 20 -i 0.002 192.0.2.1
	lab_capture_stop
	[ "$(lab_capture_count "$LAB_FROM_HOME and icmp[icmptype] = icmp-echo")" = 20 ]
	[ "$(lab_capture_count "icmp[icmptype] = icmp-echoreply")" = 20 ]
}

@test "names behind the tunnel are known behind the tunnel only" {
	lab_in web grep -q . /proc/net/udp
	# busybox nslookup asks the server it is told
	[[ "$(lab_in server busybox nslookup intra.inside.test 10.77.0.80)" = *10.77.0.80* ]]
	lab_dns_asked web intra.inside.test
	run lab_run busybox nslookup intra.inside.test 192.0.2.1
	[ "$status" -ne 0 ]
}

@test "the ISP leases an address to a DHCP client" {
	lab_down
	lab_up --bare --uplink wan7
	lab_run ip link set wan7 up
	lab_run busybox udhcpc -i wan7 -n -q -f -s /bin/true
	grep -q 'DHCPACK(isp0) 192.0.2.[2-5][0-9] 02:77:67:00:00:02' "$LAB_DIR/dns.isp"
}

@test "router advertisements come when they are asked for" {
	lab_down
	lab_up --bare --ra
	lab_run ip link set eth0 up
	has_ra() { [[ -n $(lab_run ip -6 route show default proto ra) ]]; }
	lab_wait has_ra
}

@test "home can have several uplinks" {
	lab_down
	lab_up --uplink eth0 --uplink wlan9
	lab_run ping -qc 1 -W 5 -I wlan9 192.0.2.65
	lab_run ping -qc 1 -W 5 -I wlan9 2001:db8:2::1
	lab_capture_start 1
	lab_run ping -qc 1 -W 5 -I wlan9 192.0.2.65
	lab_capture_stop
	[ "$(lab_capture_count icmp)" = 2 ]
}

@test "two labs at once do not see each other" {
	first=$LAB_DIR
	lab_run ip link add name mine type veth peer name other
	lab_run touch /run/mine /etc/wireguard/mine
	lab_up
	second=$LAB_DIR
	run ! lab_run ip link show mine
	run ! lab_run ls /run/mine
	run ! lab_run ls /etc/wireguard/mine
	# the same address, two machines: keys tell them apart
	theirs=$(lab_in server wg show wg public-key)
	lab_use "$first"
	[ "$(lab_in server wg show wg public-key)" != "$theirs" ]
	lab_use "$second"
	lab_down
	lab_use "$first"
	lab_run ip link show mine
}

@test "a snapshot is the same twice, and shows a change of every kind" {
	lab_snapshot >"$BATS_TEST_TMPDIR/before"
	lab_snapshot | diff "$BATS_TEST_TMPDIR/before" -
	lab_run sh -eu <<-"E"
		ip link set eth0 mtu 1400
		ip addr add 192.0.2.11/32 dev eth0 valid_lft 900 preferred_lft 900
		ip route add 10.1.2.0/24 dev eth0 table 77
		ip route add 2001:db8:9::/64 dev eth0
		ip rule add from 10.1.2.0/24 lookup 77
		ip -6 rule add from fd00::/16 lookup 78
		ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev eth0 nud permanent
		echo 33 >/proc/sys/net/ipv6/conf/eth0/hop_limit
		nft add table inet mine
		mount -t tmpfs mine /mnt
		touch /run/mine
		echo x >/etc/wireguard/wg9.conf
		echo nameserver 192.0.2.99 >/etc/resolv.conf
		setsid sleep 12345 >/dev/null 2>&1 &
	E
	lab_snapshot | diff "$BATS_TEST_TMPDIR/before" - >"$BATS_TEST_TMPDIR/changes" || :
	while read -r line; do
		grep -q "^[<>] $line" "$BATS_TEST_TMPDIR/changes" || { echo "not shown: $line" && false; }
	done <<-"E"
		link .* mtu 1400 
		addr .*192.0.2.11
		route4 .* table 77 
		route6 .*2001:db8:9::
		rule4 .* lookup 77
		rule6 .* lookup 78
		neigh4 .*192.0.2.9
		sysctl ipv6/conf/eth0/hop_limit
		nft table inet mine
		mount /mnt
		file /run/mine
		content .*wg9.conf
		resolv.conf nameserver 192.0.2.99
		process root sleep 12345
	E
}

@test "teardown leaves no process, namespace, mount or folder, whatever runs inside" {
	tunnel_by_hand
	lab_run unshare --net --mount --fork sh -c 'sleep 1000 >/dev/null 2>&1 & exec setsid sleep 1001 >/dev/null 2>&1 &'
	dir=$LAB_DIR
	cp "$LAB_DIR/namespaces" "$BATS_TEST_TMPDIR/"
	[ "$(sort -u "$BATS_TEST_TMPDIR/namespaces" | wc -l)" = 8 ]
	run ! lab_is_gone "$BATS_TEST_TMPDIR/namespaces"
	lab_down
	lab_is_gone "$BATS_TEST_TMPDIR/namespaces"
	[ ! -e "$dir" ]
	run ! grep -F "$dir" /proc/self/mountinfo
}

@test "a lab dies with the shell that made it" {
	# shellcheck disable=SC2016
	bash -c '. "$1/lab.bash"; lab_up; cp "$LAB_DIR/namespaces" "$2"; echo "$LAB_DIR" >"$2.dir"; kill -9 $$' - \
		"$LAB_HERE" "$BATS_TEST_TMPDIR/ns" || [ $? = 137 ]
	lab_wait lab_is_gone "$BATS_TEST_TMPDIR/ns"
	rm -rf "$(<"$BATS_TEST_TMPDIR/ns.dir")"
}

@test "the caller's own network stays as it was" {
	here=$(ip -br addr)
	lab_down
	lab_up
	[ "$(ip -br addr)" = "$here" ]
	run ! grep -q '^02:77:67' /sys/class/net/*/address
}
