#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: none
# Lan = yes: the uplink's own network is reached from home, and nothing else by that way
# shellcheck disable=SC2016 # the text of a hook or a file is not for this shell to expand
# shellcheck disable=SC2154 # run sets status, output and stderr
# shellcheck disable=SC2317 # functions are called by name

load change

# in the uplink's network, beside the ISP's router: printers and the like
NAS4=192.0.2.60 NAS6=2001:db8:1::60

setup() {
	lab_up
	lan yes
	host_on_segment nas 0 $NAS4/26 $NAS6/64
}
teardown() { lab_down; }

lan() { lab_run sh -c "printf '[Physical]\nLan = $1\n' >/etc/wgns/wgns.conf"; }

# host_on_segment NAME UPLINK-NUMBER ADDRESS...: a machine that hangs on the ISP's end of an uplink. Its resolver writes down
# who asked, its web server says it.
host_on_segment() {
	local name=$1 n=$2 address
	shift 2
	lab_in isp ip -batch - <<-E
		netns add $name
		link add $name link isp$n type macvlan mode bridge
		link set $name netns $name
	E
	for address; do
		lab_in isp ip -n "$name" addr add "$address" dev "$name"
	done
	# nobody has to wait for duplicate address detection
	lab_in isp ip netns exec "$name" sh -c "echo 0 >/proc/sys/net/ipv6/conf/$name/accept_dad"
	lab_in isp ip -n "$name" link set lo up
	lab_in isp ip -n "$name" link set "$name" up
	lab_in isp ip netns exec "$name" busybox httpd -p 80 -h /run/world/www
	lab_in isp ip netns exec "$name" dnsmasq --no-resolv --no-hosts --user=root --conf-file=/dev/null --pid-file= \
		--log-queries "--log-facility=/run/world/dns.$name" --address=/lan.test/$NAS4 --address=/lan.test/$NAS6
	lab_wait lab_in isp ip netns exec "$name" sh -c 'grep -q ":0050 " /proc/net/tcp6 && grep -q ":0035 " /proc/net/udp'
}
in_nas() { lab_in isp ip netns exec nas "$@"; }
who() { get "$1/cgi-bin/who" "${2:-10}"; }
# netns exec hides what the lab has in /sys; the namespace alone is enough
physical() { lab_run nsenter --net=/run/netns/physical "$@"; }
lan_routes() { lab_run sh -c 'ip route show dev wgns-lan proto 119; ip -6 route show dev wgns-lan proto 119' | cut -d ' ' -f 1; }
dropped() { physical nft list chain inet wgns-lan "$1" | sed -nE 's/.*counter packets ([0-9]+) .* drop/\1/p'; }
has_dropped() { [ "$(dropped "$1")" -ge "$2" ]; }

@test "home reaches the uplink's network by TCP and UDP, IPv4 and IPv6, under physical's address" {
	remember
	up wg0
	lab_wait_handshake wg0
	[ "$(who $NAS4)" = 192.0.2.10 ]
	[ "$(who "[$NAS6]")" = 2001:db8:1::10 ]
	lab_run busybox nslookup v4.lan.test $NAS4
	lab_run busybox nslookup v6.lan.test $NAS6
	lab_in isp grep -q 'query\[A\] v4.lan.test from 192.0.2.10$' /run/world/dns.nas
	lab_in isp grep -q 'query\[A\] v6.lan.test from 2001:db8:1::10$' /run/world/dns.nas
	down wg0
	unchanged
}

@test "the tunnel stays the way to everything else, and home's names go through it" {
	up wg0
	lab_wait_handshake wg0
	[ "$(get 10.77.0.80/)" = 'behind the tunnel' ]
	[ "$(get '[fd00:77::80]/')" = 'behind the tunnel' ]
	[ "$(get intra.inside.test/)" = 'behind the tunnel' ]
	[[ $(lab_run ip route get 203.0.113.80) = *' dev wg0 '* ]]
	[[ $(lab_run ip route get 192.0.2.64) = *' dev wg0 '* ]]
	[[ $(lab_run ip route get 2001:db8:80::80) = *' dev wg0 '* ]]
	[ "$(lan_routes)" = $'192.0.2.0/26\n2001:db8:1::/64' ]
}

@test "Lan is off by default: no pair, no forwarding, and the uplink's network is behind the tunnel" {
	for setting in '' '[Physical]\nLan = no\n'; do
		lab_run sh -c "printf '$setting' >/etc/wgns/wgns.conf"
		run up -n wg0
		[[ $output != *lan* ]]
		up wg0
		lab_wait_handshake wg0
		lab_run sh -c '! ip link show dev wgns-lan' 2>/dev/null
		physical sh -c '! ip link show dev wgns-lan' 2>/dev/null
		physical sh -c '! grep -h 1 /proc/sys/net/ipv[46]/conf/*/forwarding'
		physical sh -c '! nft list table inet wgns-lan' 2>/dev/null
		run who $NAS4 2
		[ "$output" = '' ]
		down wg0
	done
}

# beyond WHAT...: home tries to reach what is not in the uplink's network by the pair, by every means that root has
beyond() {
	local to bind='--interface wgns-lan'
	for to in 198.51.100.2 203.0.113.80 192.0.2.64 '[2001:db8:80::80]' '[2001:db8:100::2]'; do
		# shellcheck disable=SC2086 # two words
		lab_run curl -sgm 1 $bind "http://$to/" && return 1
		lab_run curl -sgm 1 "http://$to/" && return 1
	done
	for to in 203.0.113.80 2001:db8:80::80; do
		lab_run ping -c 2 -i 0.2 -W 1 -I wgns-lan "$to" && return 1
		lab_run bash -c "echo hello >/dev/udp/$to/53"
	done
	lab_run ping -c 1 -W 1 -t 1 -I wgns-lan 203.0.113.80 && return 1
	true
}

@test "nothing but the uplink's network is reached by the pair, whatever routes home has" {
	up wg0
	lab_wait_handshake wg0
	lab_capture_start
	# the control: what is allowed is seen here
	[ "$(who $NAS4)" = 192.0.2.10 ]
	lab_run ip route replace default via 169.254.255.3 dev wgns-lan
	lab_run ip -6 route replace default via fd4e:8a1c:b0d7::3 dev wgns-lan metric 1
	lab_run ip route add 192.0.2.64/26 dev wgns-lan
	lab_run ip route add 198.51.100.2/32 via 169.254.255.3 dev wgns-lan
	beyond
	# as a router of its own: other source addresses, a raw frame to the pair's other end
	lab_run ip addr add 192.0.2.10/32 dev lo
	lab_run ip addr add 10.99.0.1/32 dev lo
	run lab_run curl -sm 1 --interface 192.0.2.10 http://203.0.113.80/
	run lab_run curl -sm 1 --interface 10.99.0.1 http://203.0.113.80/
	lab_capture_stop
	# packets did come to the pair, and there they ended
	dropped forward
	[ "$(dropped forward)" -gt 10 ]
	[ "$(lab_capture_count "$LAB_FROM_HOME and host $NAS4 and tcp")" -gt 3 ]
	# with a hop-by-hop header icmp6 is another expression: reports of multicast groups
	others="$LAB_FROM_HOME and not arp and not icmp6 and not (ip6[6] == 0 and ip6[40] == 58) and not udp port 51820 and not host $NAS4"
	lab_capture_show "$others"
	[ "$(lab_capture_count "$others")" = 0 ]
	lab_capture_show "$LAB_FROM_HOME and icmp6"
	[ "$(lab_capture_count "$LAB_FROM_HOME and icmp6 and ip6[40] = 128")" = 0 ]
	[ "$(lab_capture_count "$LAB_FROM_HOME and (host 203.0.113.80 or host 2001:db8:80::80 or net 192.0.2.64/26)")" = 0 ]
	# no packet of home's leaves with an address of the pair, of home or of the tunnel
	[ "$(lab_capture_count 'net 169.254.0.0/16 or net fd4e:8a1c:b0d7::/64 or net 10.0.0.0/8')" = 0 ]
}

@test "without a kill switch the pair lets no more through" {
	lab_run sh -c 'printf "[Guard]\nKillSwitch = no\n[Physical]\nLan = yes\n" >/etc/wgns/wgns.conf'
	remember
	up wg0
	lab_wait_handshake wg0
	lab_run sh -c '! nft list table inet wgns' 2>/dev/null
	lab_capture_start
	[ "$(who $NAS4)" = 192.0.2.10 ]
	run lab_run curl -sgm 1 --interface wgns-lan http://203.0.113.80/
	[ "$status" != 0 ]
	run lab_run curl -sgm 1 --interface wgns-lan 'http://[2001:db8:80::80]/'
	[ "$status" != 0 ]
	lab_capture_stop
	[ "$(lab_capture_count "$LAB_FROM_HOME and (host 203.0.113.80 or host 2001:db8:80::80)")" = 0 ]
	[ "$(lab_capture_count "$LAB_FROM_HOME and host $NAS4 and tcp")" -gt 3 ]
	down wg0
	unchanged
}

@test "home reaches nothing of physical itself by the pair, and physical nothing of home" {
	up wg0
	lab_run busybox httpd -p 8080 -h /run
	physical busybox httpd -p 8081 -h /run
	lab_wait lab_run sh -c 'grep -q ":1F90 " /proc/net/tcp6'
	lab_wait physical sh -c 'grep -q ":1F91 " /proc/thread-self/net/tcp6'
	before=$(dropped input)
	for to in 169.254.255.3 192.0.2.10 '[fd4e:8a1c:b0d7::3]' '[2001:db8:1::10]'; do
		run get "$to:8081/" 1
		[ "$status" = 28 ]
	done
	[ "$(dropped input)" -gt "$before" ]
	before=$(dropped output)
	for to in 169.254.255.2 '[fd4e:8a1c:b0d7::2]'; do
		run physical curl -sgm 1 "http://$to:8080/"
		[ "$status" = 28 ]
	done
	[ "$(dropped output)" -gt "$before" ]
}

@test "a host of the uplink's network reaches neither home nor, through physical, anything else" {
	lab_down
	lab_up --uplink eth0 --uplink eth1
	lan yes
	host_on_segment nas 0 $NAS4/26 $NAS6/64
	host_on_segment other 1 192.0.2.124/26 2001:db8:2::60/64
	up wg1
	lab_run busybox httpd -p 8080 -h /run
	lab_wait lab_run sh -c 'grep -q ":1F90 " /proc/net/tcp6'
	# home reaches both
	[ "$(who $NAS4)" = 192.0.2.10 ]
	[ "$(who 192.0.2.124)" = 192.0.2.74 ]
	[ "$(who '[2001:db8:2::60]')" = 2001:db8:2::10 ]
	# the hosts send to the machine what is not for it
	in_nas ip route add default via 192.0.2.10
	in_nas ip -6 route add default via 2001:db8:1::10
	lab_in isp ip -n other route add 192.0.2.0/26 via 192.0.2.74
	lab_in isp ip -n other -6 route add 2001:db8:1::/64 via 2001:db8:2::10
	for to in 169.254.255.2:8080 '[fd4e:8a1c:b0d7::2]:8080' 192.0.2.124 '[2001:db8:2::60]' 198.51.100.1; do
		run in_nas curl -sgm 1 "http://$to/"
		[ "$status" != 0 ]
	done
	# the control: the machine is there
	in_nas ping -c 1 -W 5 192.0.2.10
	in_nas ping -c 1 -W 5 2001:db8:1::10
	lab_in isp ip netns exec other ping -c 1 -W 5 192.0.2.74
}

@test "the uplinks stay hosts: they take router advertisements, and their settings are home's" {
	lab_down
	lab_up --ra
	lan yes
	lab_run ip -6 route del default
	has_ra() { "$@" ip -6 route show default | grep -q 'proto ra'; }
	lab_run ip link set eth0 down
	lab_run ip link set eth0 up
	lab_wait has_ra lab_run
	settings() { "$@" sh -c 'cd /proc/sys/net/ipv6/conf/eth0 && grep . accept_ra forwarding accept_redirects router_solicitations'; }
	home=$(settings lab_run)
	remember
	up wg1
	has_ra physical
	[ "$(settings physical)" = "$home" ]
	# and the next one
	physical ip -6 route del default
	physical ip link set eth0 down
	physical ip link set eth0 up
	lab_wait has_ra physical
	down wg1
	[ "$(settings lab_run)" = "$home" ]
	has_ra lab_run
}

@test "a device of the pair's name is refused before anything is touched" {
	lab_run ip link add wgns-lan type bridge
	refused 3 'a device called wgns-lan exists' 'ip link del wgns-lan' -- wg0
	lab_run ip link set wgns-lan name other
	lab_run ip link property add dev other altname wgns-lan
	refused 3 'other is also called wgns-lan' 'ip link property del' -- wg0
	lab_run ip link property del dev other altname wgns-lan
	up_and_down
}

@test "the pair's addresses go out of the way of those that are there" {
	lab_run ip link add d0 type bridge
	lab_run ip link set d0 up
	lab_run ip addr add 169.254.255.2/32 dev d0
	lab_run ip -6 route add fd4e:8a1c:b0d7::2/128 dev d0
	lab_run ip route add 169.254.255.4/30 dev d0
	# zeroconf is not in the way: it never gives these away
	lab_run ip addr add 169.254.7.7/16 dev d0
	run up -n wg0
	says 0 'lan.addr wgns-lan 169.254.255.8/31 fd4e:8a1c:b0d7::4/127'
	remember
	up wg0
	[ "$(who $NAS4)" = 192.0.2.10 ]
	[ "$(who "[$NAS6]")" = 2001:db8:1::10 ]
	down wg0
	unchanged
	lab_run ip addr add 169.254.255.1/24 dev d0
	refused 3 'two addresses of 169.254.255.0/24' -- wg0
}

# left_out PREFIX WHY: up says so, has no route to it over the pair, and nothing passes to it
left_out() {
	run up wg0
	says 0 "leaves out $1 of eth0: $2"
	lan_routes | grep -qxF "$1" && return 1
	run physical nft list chain inet wgns-lan forward
	says 0 policy
	[[ $output != *"daddr $1"* ]]
	down wg0
}

@test "a prefix that the tunnel names, equally or more specifically, is the tunnel's" {
	remember
	cp_conf=$(lab_run cat /etc/wireguard/wg0.conf)
	local line
	for line in 's/^AllowedIPs.*/&, 192.0.2.0\/26/' 's/^AllowedIPs.*/&, 192.0.2.60\/32/' \
		's/^Address.*/Address = 192.0.2.33\/27/' 's/^DNS.*/DNS = 192.0.2.1/'; do
		conf wg0 <<<"$cp_conf"
		conf wg0 "$line"
		left_out 192.0.2.0/26 'the tunnel has addresses of it'
		unchanged_but_conf
	done
	conf wg0 <<<"$cp_conf"
	conf wg0 's/^AllowedIPs.*/&, 2001:db8:1:0:1::\/80/'
	left_out 2001:db8:1::/64 'the tunnel has addresses of it'
	# what is larger than the prefix is not: a default route is one, too
	conf wg0 <<<"$cp_conf"
	conf wg0 's/^AllowedIPs.*/AllowedIPs = 192.0.0.0\/16, 2001:db8::\/32/'
	up wg0
	[ "$(lan_routes)" = $'192.0.2.0/26\n2001:db8:1::/64' ]
}
unchanged_but_conf() {
	state | grep -v '/etc/wireguard' >"$BATS_TEST_TMPDIR/after"
	grep -v '/etc/wireguard' "$BATS_TEST_TMPDIR/before" | diff - "$BATS_TEST_TMPDIR/after"
}

@test "a prefix that home has, or a part of what it has, is home's" {
	lab_run ip link add br7 type bridge
	lab_run ip link set br7 up
	lab_run ip addr add 192.0.2.33/24 dev br7
	left_out 192.0.2.0/26 'home has a route of its own'
}

@test "a prefix of public addresses is left out: any network can call them its own" {
	lab_run ip addr add 9.9.9.1/24 dev eth0
	lab_run ip addr add 2620:fe::1/64 dev eth0 nodad
	left_out 9.9.9.0/24 'its addresses are public'
	left_out 2620:fe::/64 'its addresses are public'
	up wg0
	[ "$(lan_routes)" = $'192.0.2.0/26\n2001:db8:1::/64' ]
	[[ $(lab_run ip route get 9.9.9.9) = *' dev wg0 '* ]]
}

@test "a route without a gateway is no prefix of the uplink unless it has an address in it" {
	lab_run ip -batch - <<-E
		route add 10.50.0.0/16 dev eth0
		route add 10.51.0.0/16 via 192.0.2.1
		route add 10.52.0.1/32 dev eth0
		addr add 10.53.0.1/24 dev eth0 noprefixroute
		addr add 10.54.0.1/32 dev eth0
		addr add 10.55.0.1/24 dev eth0
	E
	up_and_down
	up wg0
	[ "$(lan_routes)" = $'10.55.0.0/24\n192.0.2.0/26\n2001:db8:1::/64' ]
}

@test "what the tunnel names does not go to the LAN in clear when its daemon dies" {
	[ "$(lab_backend)" = userspace ] || skip 'the kernel does the encryption here'
	conf wg0 "s/^AllowedIPs.*/&, $NAS4\/32/"
	up wg0
	lab_wait_handshake wg0
	lab_capture_start
	lab_run pkill -x wireguard-go
	lab_wait lab_run sh -c '! ip link show dev wg0'
	run who $NAS4 2
	[ "$status" != 0 ]
	[ "$(who "[$NAS6]")" = 2001:db8:1::10 ]
	lab_capture_stop
	[ "$(lab_capture_count "host $NAS4 and tcp")" = 0 ]
	[ "$(lab_capture_count "host $NAS6 and tcp")" -gt 3 ]
	down wg0
}

@test "a tunnel that joins takes what it names, and gives it back" {
	up wg0
	[ "$(lan_routes)" = $'192.0.2.0/26\n2001:db8:1::/64' ]
	conf wg1 's/^AllowedIPs.*/&, 192.0.2.32\/27/'
	up wg1
	[ "$(lan_routes)" = 2001:db8:1::/64 ]
	[[ $(physical nft list chain inet wgns-lan forward) != *192.0.2* ]]
	down wg1
	[ "$(lan_routes)" = $'192.0.2.0/26\n2001:db8:1::/64' ]
	[ "$(who $NAS4)" = 192.0.2.10 ]
}

@test "a tunnel that joins a layout without LAN is told that Lan changes nothing" {
	lan no
	up wg0
	lan yes
	run up wg1
	says 0 'Lan = yes changes nothing now'
	lab_run sh -c '! ip link show dev wgns-lan' 2>/dev/null
}

@test "routes and what passes follow the uplink's addresses, and the user's own routes stay" {
	up wg0
	lab_run ip route add 10.60.0.0/16 via 169.254.255.3 dev wgns-lan
	physical ip addr flush dev eth0 scope global
	physical ip addr add 10.61.0.5/24 dev eth0
	physical ip addr add 2001:db8:1::10/64 dev eth0 nodad
	physical ip route add default via 10.61.0.1
	# every tunnel that joins looks anew
	up wg1
	[ "$(lan_routes)" = $'10.61.0.0/24\n2001:db8:1::/64' ]
	lab_run ip route show 10.60.0.0/16 | grep -q wgns-lan
	physical nft list chain inet wgns-lan forward | grep -q 'daddr 10.61.0.0/24 accept'
	[[ $(physical nft list chain inet wgns-lan forward) != *192.0.2* ]]
}

@test "with IPv6 switched off in home there is a LAN of IPv4" {
	lab_run sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
	conf wg1 's/, fd00:[^,]*$//'
	remember
	up wg1
	[ "$(lan_routes)" = 192.0.2.0/26 ]
	[ "$(who $NAS4)" = 192.0.2.10 ]
	down wg1
	unchanged
}

@test "status shows both ends of the pair" {
	up wg0
	run lab_wgns status
	says 0 'wgns-lan        up  169.254.255.2/31' 'wgns-lan        up  169.254.255.3/31'
	[ "$(lab_wgns status --json | jq '[.boxes[].links[] | select(.name == "wgns-lan" and .is_up)] | length')" = 2 ]
}

@test "a pair that somebody renamed or removed holds up no down" {
	remember
	up wg0
	lab_run ip link set wgns-lan name printers
	down wg0
	unchanged
	up wg0
	physical ip link set wgns-lan name home
	down wg0
	unchanged
	up wg0
	lab_run ip link del wgns-lan
	down wg0
	unchanged
	# somebody else's device that has the name by now stays
	up wg0
	lab_run ip link del wgns-lan
	lab_run ip link add wgns-lan type veth peer name wgns-peer
	down wg0
	lab_run ip link del wgns-lan
	unchanged
}
