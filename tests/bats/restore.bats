#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: 6.1
# what an uplink has: the same in physical, and the same in home when it is back
# shellcheck disable=SC2016 # the text of a hook or a file is not for this shell to expand
# shellcheck disable=SC2154 # run sets status, output and stderr
# shellcheck disable=SC2317 # functions are called by name

load change

setup() { lab_up; }
teardown() { lab_down; }

sysctl_set() { lab_run sh -c "echo '$2' >/proc/sys/net/$1"; }

# same_there COMMAND...: what ip says of the uplink in home it says in physical while wg0 is up; and then all is as before.
# Lifetimes and numbers go by themselves.
same_there() {
	norm() {
		sed -E 's/(valid_lft|preferred_lft|expires) [0-9]+sec/\1 LIMITED/g; s/ (tentative|linkdown)//g; s/^[0-9]+: //; s/@if[0-9]+//;
			s/ +$//; s/link-netnsid [0-9]+//' | grep -v -e '^fe80::/64 .*proto kernel' | LC_ALL=C sort
	}
	remember
	lab_run "$@" | norm >"$BATS_TEST_TMPDIR/home"
	[ -s "$BATS_TEST_TMPDIR/home" ]
	up wg0
	in_physical "$@" | norm | diff "$BATS_TEST_TMPDIR/home" -
	down wg0
	unchanged
}

@test "the state of a plain uplink comes back, local routes and all" {
	settled() { [[ -z $(lab_run ip -6 addr show tentative) ]]; }
	lab_wait settled
	lab_snapshot >"$BATS_TEST_TMPDIR/before"
	up wg0
	down wg0
	lab_snapshot | diff "$BATS_TEST_TMPDIR/before" -
	[ "$(get '[2001:db8:80::80]/cgi-bin/who')" = 2001:db8:1::10 ]
}

@test "the uplink's number comes back" {
	number=$(lab_run cat /sys/class/net/eth0/ifindex)
	up wg0
	up wg1
	down wg1
	down wg0
	[ "$(lab_run cat /sys/class/net/eth0/ifindex)" = "$number" ]
}

@test "MTU, queue length, alias, group, alternative names and hardware address" {
	lab_run ip link set eth0 mtu 1404 txqueuelen 77 alias 'my "uplink" ü' group 42
	lab_run ip link property add dev eth0 altname lan-a altname lan-b
	lab_run ip link set eth0 address 02:77:67:00:00:99
	same_there ip -d link show eth0
}

@test "promiscuity and other flags" {
	lab_run ip link set eth0 promisc on
	lab_run ip link set eth0 allmulticast on
	same_there ip -d link show eth0
}

@test "IPv4 addresses with label, scope, peer, broadcast, metric and flags" {
	lab_run ip -batch - <<-E
		addr add 192.0.2.11/26 brd 192.0.2.62 dev eth0 label eth0:one
		addr add 10.1.1.1 peer 10.1.1.2/32 dev eth0
		addr add 10.1.2.1/24 dev eth0 scope link metric 77
		addr add 10.1.3.1/24 dev eth0 noprefixroute
		addr add 10.1.4.1/32 dev eth0 scope host
		addr add 192.0.2.12/26 dev eth0
	E
	same_there ip -4 addr show dev eth0
}

@test "IPv6 addresses with peer, metric and flags" {
	lab_run ip -batch - <<-E
		addr add 2001:db8:1::11/64 dev eth0 nodad home
		addr add 2001:db8:5::1 peer 2001:db8:5::2/128 dev eth0 nodad
		addr add 2001:db8:6::1/64 dev eth0 nodad metric 77
		addr add 2001:db8:7::1/64 dev eth0 nodad noprefixroute
		addr add 2001:db8:8::1/64 dev eth0 nodad preferred_lft 0
	E
	same_there ip -6 addr show dev eth0
}

@test "the order of addresses, which decides on the source address" {
	lab_run ip addr add 192.0.2.9/26 dev eth0
	lab_run ip addr add 192.0.2.8/26 dev eth0
	addresses() { "$@" ip -4 -o addr show dev eth0 | awk '{ print $4 }' | xargs; }
	order=$(addresses lab_run)
	[ "$order" = '192.0.2.10/26 192.0.2.9/26 192.0.2.8/26' ]
	up wg0
	[ "$(addresses in_physical)" = "$order" ]
	down wg0
	[ "$(addresses lab_run)" = "$order" ]
}

# left FAMILY ADDRESS WORD: seconds
left() { "${@:4}" ip "-$1" -o addr show to "$2" dev eth0 | sed -n "s/.* $3 \([0-9]*\)sec.*/\1/p"; }

@test "lifetimes go on where they were" {
	lab_run ip addr add 192.0.2.13/26 dev eth0 valid_lft 3000 preferred_lft 2000
	lab_run ip addr add 2001:db8:1::13/64 dev eth0 valid_lft 3000 preferred_lft 2000 nodad
	remember
	up wg0
	for where in in_physical lab_run; do
		for a in '4 192.0.2.13' '6 2001:db8:1::13'; do
			# shellcheck disable=SC2086
			valid=$(left $a valid_lft $where) preferred=$(left $a preferred_lft $where)
			((valid > 2900 && valid <= 3000 && preferred > 1900 && preferred <= 2000))
		done
		[ $where = lab_run ] || down wg0
	done
	unchanged
}

@test "IPv4 routes of all tables: metrics, sources, types, on-link gateways, MTU and the like" {
	lab_run ip -batch - <<-E
		route add 10.2.0.0/16 via 192.0.2.1 dev eth0 table 77 metric 5 proto static
		route add 10.2.0.0/16 via 192.0.2.2 dev eth0 table 77 metric 6
		route add 10.3.0.0/16 dev eth0 src 192.0.2.10 scope link mtu 1300 advmss 1200 window 1000
		route add 10.4.0.0/16 via 172.16.0.1 dev eth0 onlink proto 42
		route add 10.5.0.0/16 nexthop via 192.0.2.1 dev eth0 weight 3 nexthop via 192.0.2.2 dev eth0 weight 1
		route add 10.6.0.0/16 via inet6 2001:db8:1::1 dev eth0
		route add 10.7.0.0/16 via 192.0.2.1 dev eth0 tos 0x10
		route add 10.8.0.0/16 via 192.0.2.1 dev eth0 mtu lock 1200 initcwnd 20 rto_min 50ms congctl reno
		route add default via 192.0.2.3 dev eth0 metric 900 table 78
		route add 172.20.0.0/16 dev eth0
		route add 172.21.0.0/16 via 172.20.0.1
		route add local 10.9.9.9/32 dev eth0 table 79
	E
	same_there ip -4 -d route show table all
}

@test "IPv6 routes of all tables" {
	lab_run ip -6 -batch - <<-E
		route add 2001:db8:a::/48 via 2001:db8:1::1 dev eth0 table 77 metric 5 proto static
		route add 2001:db8:b::/48 dev eth0 src 2001:db8:1::10 mtu 1300
		route add 2001:db8:c::/48 via fe80::1 dev eth0 pref high
		route add 2001:db8:d::/48 nexthop via fe80::1 dev eth0 weight 2 nexthop via fe80::2 dev eth0 weight 1
		route add 2001:db8:e::/48 via 2001:db8:99::1 dev eth0 onlink
		route add default via fe80::5 dev eth0 metric 900 table 78
		route add 2001:db8:f::/48 from 2001:db8:1::/64 via fe80::1 dev eth0
	E
	same_there ip -6 -d route show table all
}

@test "an IPv6 route with a source address, while duplicate address detection is on" {
	sysctl_set ipv6/conf/eth0/accept_dad 2
	lab_run ip addr add 2001:db8:1::77/64 dev eth0
	has_address() { [[ -z $(lab_run ip -6 addr show dev eth0 tentative) ]]; }
	lab_wait has_address
	lab_run ip -6 route add 2001:db8:b::/48 via 2001:db8:1::1 dev eth0 src 2001:db8:1::77
	same_there ip -6 -d route show table all
	[ "$(lab_run cat /proc/sys/net/ipv6/conf/eth0/accept_dad)" = 2 ]
}

@test "the default route of a router advertisement, with its expiry" {
	lab_down
	lab_up --ra
	has_ra() { [[ -n $(lab_run ip -6 route show default proto ra) ]]; }
	lab_wait has_ra
	settled() { [[ -z $(lab_run ip -6 addr show tentative) ]]; }
	lab_wait settled
	up wg0
	[[ "$(in_physical ip -6 route show default proto ra)" = *'expires '* ]]
	down wg0
	[[ "$(lab_run ip -6 route show default proto ra)" = *'expires '* ]]
	# one, not two: the next advertisement adopts it
	[ "$(lab_run ip -6 route show default proto ra | wc -l)" = 1 ]
}

@test "routes elsewhere that say blackhole, unreachable or prohibit stay in home" {
	lab_run ip route add blackhole 10.66.0.0/16
	lab_run ip route add unreachable 10.67.0.0/16 table 77
	lab_run ip -6 route add prohibit 2001:db8:66::/48
	remember
	up wg0
	[[ "$(lab_run ip route show type blackhole)" = *10.66.0.0/16* ]]
	down wg0
	unchanged
}

# a second device in home with an address and without anybody behind it
other_device() {
	lab_run ip link add lan0 type veth peer name lan1
	lab_run ip link set lan0 up
	lab_run ip link set lan1 up
	lab_run ip addr add 10.40.0.1/24 dev lan0
}

@test "a route over another device with the uplink's address as its source" {
	other_device
	lab_run ip route add 10.41.0.0/16 via 10.40.0.2 dev lan0 src 192.0.2.10
	up_and_down
}

@test "a multipath route over the uplink and another device" {
	other_device
	lab_run ip route add 10.42.0.0/16 nexthop via 10.40.0.2 dev lan0 nexthop via 192.0.2.1 dev eth0
	up_and_down
}

# not in the VM
@test "a route over another device with a source that the uplink has lost meanwhile does not hold down up" {
	other_device
	lab_run ip route add 10.41.0.0/16 via 10.40.0.2 dev lan0 src 192.0.2.10
	up wg0
	in_physical ip addr del 192.0.2.10/26 dev eth0
	in_physical ip addr add 192.0.2.33/26 dev eth0
	down wg0
	[[ "$(lab_run ip -4 -br addr show eth0)" = *192.0.2.33/26* ]]
	lab_run test ! -e /run/wgns
}

@test "a device of home that is no uplink keeps all it has" {
	other_device
	lab_run ip route add 10.43.0.0/16 via 10.40.0.2
	lab_run ip neigh add 10.40.0.2 lladdr 02:00:00:00:00:02 dev lan0 nud permanent
	remember
	up wg1
	[[ "$(lab_run ip route show 10.43.0.0/16)" = *lan0* ]]
	down wg1
	unchanged
}

@test "rules that name the uplink or its tables" {
	lab_run ip rule add iif eth0 lookup 77 prio 100
	lab_run ip rule add oif eth0 lookup 78 prio 101
	lab_run ip -6 rule add iif eth0 lookup 77 prio 100
	lab_run ip route add default via 192.0.2.1 dev eth0 table 79
	lab_run ip rule add from 192.0.2.10 lookup 79 prio 102
	lab_run ip rule add fwmark 5 lookup 12345 prio 103
	remember
	up wg0
	for rule in 'iif eth0 lookup 77' 'oif eth0 lookup 78' 'from 192.0.2.10 lookup 79'; do
		[ "$(in_physical ip rule show | grep -c "$rule")" = 1 ]
		[ "$(lab_run ip rule show | grep -c "${rule% lookup*}")" = 1 ]
	done
	[ "$(in_physical ip -6 rule show | grep -c 'iif eth0 lookup 77')" = 1 ]
	run ! grep -q 12345 <(in_physical ip rule show)
	run ! grep -q detached <(in_physical ip rule show)
	down wg0
	unchanged
}

@test "permanent neighbours" {
	lab_run ip neigh add 192.0.2.5 lladdr 02:00:00:00:00:05 dev eth0 nud permanent
	lab_run ip neigh add 2001:db8:1::5 lladdr 02:00:00:00:00:05 dev eth0 nud permanent router
	same_there ip neigh show nud permanent dev eth0
}

@test "proxy neighbours" {
	lab_run ip neigh add proxy 192.0.2.6 dev eth0
	lab_run ip neigh add proxy 2001:db8:1::6 dev eth0
	same_there ip neigh show proxy
}

@test "per-device sysctls of both families" {
	sysctl_set ipv4/conf/eth0/rp_filter 2
	sysctl_set ipv4/conf/eth0/arp_ignore 1
	sysctl_set ipv4/conf/eth0/proxy_arp 1
	sysctl_set ipv4/neigh/eth0/gc_stale_time 77
	sysctl_set ipv4/neigh/eth0/base_reachable_time_ms 12345
	sysctl_set ipv6/conf/eth0/accept_ra 2
	sysctl_set ipv6/conf/eth0/use_tempaddr 2
	sysctl_set ipv6/conf/eth0/hop_limit 55
	sysctl_set ipv6/conf/eth0/mtu 1400
	sysctl_set ipv6/conf/eth0/dad_transmits 3
	sysctl_set ipv6/neigh/eth0/retrans_time_ms 777
	# shellcheck disable=SC2016
	same_there sh -c 'grep -rs "" /proc/sys/net/ipv[46]/*/eth0 | grep -v -e forwarding'
}

@test "an uplink's own forwarding is off in physical and back in home" {
	sysctl_set ipv4/conf/eth0/forwarding 1
	sysctl_set ipv6/conf/eth0/forwarding 1
	remember
	up wg0
	[ "$(in_physical cat /proc/sys/net/ipv4/conf/eth0/forwarding)" = 0 ]
	[ "$(in_physical cat /proc/sys/net/ipv6/conf/eth0/forwarding)" = 0 ]
	down wg0
	unchanged
}

@test "an uplink without IPv6" {
	sysctl_set ipv6/conf/eth0/disable_ipv6 1
	conf wg0 's/vpn.example.test/198.51.100.2/'
	same_there ip addr show dev eth0
	[ "$(lab_run cat /proc/sys/net/ipv6/conf/eth0/disable_ipv6)" = 1 ]
}

@test "no link-local address where its mode is none, and a stable one where it is stable" {
	lab_run ip link set eth0 down
	lab_run ip link set eth0 addrgenmode none
	lab_run ip link set eth0 up
	lab_run ip addr add 2001:db8:1::10/64 dev eth0 nodad
	lab_run ip -6 route add default via 2001:db8:1::1 dev eth0 metric 100
	lab_run ip route replace default via 192.0.2.1 dev eth0 metric 100
	same_there ip -6 addr show dev eth0
	lab_run ip link set eth0 down
	sysctl_set ipv6/conf/eth0/stable_secret 2001:db8::1234
	lab_run ip link set eth0 up
	lab_run ip addr add 2001:db8:1::10/64 dev eth0 nodad
	lab_run ip -6 route add default via 2001:db8:1::1 dev eth0 metric 100
	lab_run ip route replace default via 192.0.2.1 dev eth0 metric 100
	same_there ip -6 addr show dev eth0
}

@test "an uplink that is down stays down" {
	lab_down
	lab_up --uplink eth0 --uplink spare
	lab_run ip link set spare down
	lab_run ip addr add 10.60.0.1/24 dev spare
	remember
	up --uplink eth0 --uplink spare wg0
	[[ "$(in_physical cat /sys/class/net/spare/operstate 2>/dev/null || in_physical ip -br link show spare)" = *[Dd][Oo][Ww][Nn]* ]]
	down wg0
	unchanged
}

@test "an uplink without carrier" {
	lab_down
	lab_up --uplink eth0 --uplink spare
	lab_in isp ip link set isp1 down
	no_carrier() { [[ "$(lab_run ip link show spare)" = *NO-CARRIER* ]]; }
	lab_wait no_carrier
	remember
	up --uplink eth0 --uplink spare wg0
	[[ "$(in_physical ip -4 -br addr show spare)" = *192.0.2.74/26* ]]
	down wg0
	unchanged
}

are_vlans_up() { [ "$(lab_run cat /sys/class/net/eth0.7/operstate /sys/class/net/qinq/operstate | sort -u)" = up ]; }

@test "VLANs on an uplink, and VLANs on those" {
	lab_run ip -batch - <<-E || skip_or_fail 'this kernel has no VLANs'
		link add link eth0 name eth0.7 type vlan id 7 ingress-qos-map 1:2 egress-qos-map 3:4
		link add link eth0.7 name qinq type vlan proto 802.1ad id 8
		link set eth0.7 up
		link set qinq up mtu 1400
		addr add 10.50.0.1/24 dev eth0.7
		addr add 10.51.0.1/24 dev qinq
		addr add 2001:db8:51::1/64 dev qinq nodad
		route add 10.52.0.0/16 via 10.51.0.2
	E
	lab_wait are_vlans_up
	remember
	up wg0
	[ -z "$(lab_run ip -o link show type vlan)" ]
	[[ "$(in_physical ip -br -4 addr show qinq)" = *10.51.0.1/24* ]]
	[[ "$(in_physical ip route get 10.52.0.1)" = *'dev qinq'* ]]
	[[ "$(in_physical ip -d link show eth0.7)" = *'eth0.7@eth0:'*'vlan protocol 802.1Q id 7'* ]]
	down wg0
	unchanged
}

@test "the default route over a VLAN moves what is below it" {
	lab_run ip link add link eth0 name eth0.7 type vlan id 7 || skip_or_fail 'this kernel has no VLANs'
	lab_run ip link set eth0.7 up
	lab_run ip addr add 10.50.0.1/24 dev eth0.7
	lab_run ip route del default
	lab_run ip -6 route del default
	lab_run ip route add default via 10.50.0.2 dev eth0.7
	remember
	up -n wg1 >"$BATS_TEST_TMPDIR/plan"
	grep '^link.move' "$BATS_TEST_TMPDIR/plan" | diff - <(printf 'link.move %s -> physical\n' eth0 eth0.7)
	up wg1
	down wg1
	unchanged
}

@test "several uplinks" {
	lab_down
	lab_up --uplink eth0 --uplink wlan9
	remember
	up wg0
	[[ "$(in_physical ip -br addr show wlan9)" = *192.0.2.74/26*2001:db8:2::10/64* ]]
	in_physical ping -qc 1 -W 5 -I wlan9 192.0.2.65
	[ "$(get 10.77.0.80/)" = "behind the tunnel" ]
	down wg0
	unchanged
}

# not in the VM
@test "--uplink leaves the others in home" {
	lab_down
	lab_up --uplink eth0 --uplink wlan9
	remember
	up --uplink wlan9 wg1
	[[ "$(lab_run ip -br addr show eth0)" = *192.0.2.10/26* ]]
	[[ "$(in_physical ip -br addr show wlan9)" = *192.0.2.74/26* ]]
	down wg1
	unchanged
}

@test "an address that was changed in physical is what the uplink keeps" {
	up wg0
	in_physical ip addr del 192.0.2.10/26 dev eth0
	in_physical ip addr add 192.0.2.44/26 dev eth0
	in_physical ip route replace default via 192.0.2.1 dev eth0 metric 55
	in_physical ip route add 10.70.0.0/16 via 192.0.2.1
	down wg0
	[ "$(lab_run ip -4 -br addr show eth0 | awk '{ print $3, $4 }' | xargs)" = 192.0.2.44/26 ]
	[[ "$(lab_run ip route show default)" = 'default via 192.0.2.1 dev eth0 metric 55'* ]]
	[[ "$(lab_run ip route show 10.70.0.0/16)" = *192.0.2.1* ]]
	[ "$(get 203.0.113.80/cgi-bin/who)" = 192.0.2.44 ]
}

# not in the VM
@test "an uplink that was renamed in physical comes back under its old name" {
	index=$(lab_run cat /sys/class/net/eth0/ifindex)
	up wg0
	in_physical ip link set eth0 down # Linux 6.2 renames a device that is up; older ones do not
	in_physical ip link set eth0 name lan7
	in_physical ip link set lan7 up
	down wg0
	[ "$(lab_run ip -4 -br addr show eth0 | awk '{ print $3 }')" = 192.0.2.10/26 ]
	[ "$(lab_run cat /sys/class/net/eth0/ifindex)" = "$index" ]
	lab_run test ! -e /sys/class/net/lan7
}

@test "an uplink that was deleted is forgotten" {
	lab_down
	lab_up --uplink eth0 --uplink usb0
	up wg0
	in_physical ip link del usb0
	down wg0
	[[ "$(lab_run ip -br addr show eth0)" = *192.0.2.10/26* ]]
	lab_run test ! -e /run/wgns
	up wg0
	down wg0
}

# not in the VM
@test "all uplinks deleted" {
	up wg0
	in_physical ip link del eth0
	down wg0
	lab_run test ! -e /run/wgns
	lab_run test ! -e /run/netns/physical
}

@test "an uplink whose name somebody has taken in home comes back under another, and that is said" {
	up wg0
	lab_run ip link add eth0 type veth peer name eth1
	run down wg0
	says 0 'another device called eth0' 'comes back as eth0-1'
	[[ "$(lab_run ip -br addr show eth0-1)" = *192.0.2.10/26* ]]
	lab_run ip link del eth0
	[ "$(get 203.0.113.80/cgi-bin/who)" = 192.0.2.10 ]
}

@test "an uplink whose alternative name somebody has taken in home stays where it is, and down says why" {
	lab_run ip link property add dev eth0 altname lan-a
	remember
	up wg0
	lab_run ip link add lan-a type veth peer name eth1
	run down wg0
	says 4 'cannot undo link.move eth0' lan-a 'wgns down wg0'
	in_physical ip link show eth0
	lab_run ip link del lan-a
	down wg0
	unchanged
}

# not in the VM
@test "a queueing discipline that is lost is named before" {
	lab_run tc qdisc add dev eth0 root handle 7: tbf rate 100mbit burst 64kb latency 50ms || skip_or_fail 'this kernel has no tbf'
	run up -n wg0
	says 0 'warning: the queueing discipline of eth0 (tbf' 'is lost'
	run up wg0
	says 0 'warning: the queueing discipline of eth0 (tbf' 'is lost'
}

@test "a default stable secret of home holds up nothing" {
	lab_run sh -c 'echo 2001:db8::5ec >/proc/sys/net/ipv6/conf/default/stable_secret; ip link set eth0 addrgenmode stable_secret'
	before=$(lab_run ip -o -6 addr show dev eth0 scope global)
	up wg0
	[ "$(in_physical cat /proc/sys/net/ipv6/conf/default/stable_secret)" = 2001:0db8:0000:0000:0000:0000:0000:05ec ]
	down wg0
	# the kernel gives the device the default as its own when it comes back, and knows no way to take it away again
	[ "$(lab_run ip -o -6 addr show dev eth0 scope global)" = "$before" ]
}
