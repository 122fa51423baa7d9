#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: 6.1
# what the guard lets through, before, while and after a tunnel is up
# shellcheck disable=SC2016 # the text of a script is for the shell in home
# shellcheck disable=SC2154 # run sets status, output and stderr

load change

NEW_MAC=02:77:67:00:09:02

setup() { lab_up; }
teardown() { lab_down; }

faulty() {
	local faults=$1
	shift
	status=0
	output=$(lab_run env WGNS_FAULT="$faults" "${WGNS_FAULTY:?built with FAULTS=1}" "$@" 2>&1) || status=$?
}

wgns_conf() { lab_run sh -c 'mkdir -p /etc/wgns && cat >/etc/wgns/wgns.conf'; }

# may_send: the devices that home's guard lets send, in one line
may_send() { lab_wgns guard status --json | jq -r '.devices | sort | join(" ")'; }
dropped() { lab_wgns guard status --json | jq .dropped; }
# guard_is FORM: off, boot or up, and whole
guard_is() {
	lab_wgns guard status --json | jq -e --arg form "$1" '.guard == $form and .intact == ($form != "off")' >/dev/null ||
		{ lab_wgns guard status >&2; return 1; }
}

# new_nic [NAME]: a network card that appears in home, with an uplink of its own at the ISP (isp1), which routes for it
new_nic() {
	local name=${1:-usb0}
	lab_in isp ip -batch - <<-E
		link add isp1 address 02:77:67:00:09:01 type veth peer name $name address $NEW_MAC netns home
		addr add 192.0.2.129/26 dev isp1
		addr add 2001:db8:9::1/64 dev isp1 nodad
		link set isp1 up
		route add 224.0.0.101/32 dev isp1
	E
}
# configure_nic [NAME]: as an agent that still runs in home does it
configure_nic() {
	lab_run ip -batch - <<-E
		link set ${1:-usb0} up
		addr add 192.0.2.140/26 dev ${1:-usb0}
		addr add 2001:db8:9::10/64 dev ${1:-usb0} nodad
		route add default via 192.0.2.129 dev ${1:-usb0} metric 1
		route add default via 2001:db8:9::1 dev ${1:-usb0} metric 1
	E
}

# talk [CURL-OPTION]...: everything at once that programs send, at the public web server and the ISP's resolver
talk() {
	lab_run bash -c '
		for to in 203.0.113.80 2001:db8:80::80; do
			for port in 53 9; do
				for n in {1..20}; do echo leak >/dev/udp/$to/$port; done
			done
			curl -gsm 1 "$@" "http://$([[ $to = *:* ]] && echo "[$to]" || echo $to)/"
			ping -c 2 -i 0.02 -W 1 $to
		done' - "$@" >/dev/null 2>&1 || :
}
# talks_past: home reaches the public web server by no tunnel
talks_past() { [ "$(lab_run curl -gsm 2 http://203.0.113.80/)" ]; }

# leaked: frames of the new card other than ARP
leaked() { lab_capture_count "ether src $NEW_MAC and not arp"; }
nothing_leaked() {
	lab_capture_stop
	[ "$(leaked)" = 0 ] || { lab_capture_show "ether src $NEW_MAC and not arp" >&2; return 1; }
}

@test "a new network card sends everything when no tunnel is up, so that these tests can see a leak" {
	new_nic
	lab_capture_start 1
	configure_nic
	talk
	talks_past
	lab_capture_stop
	[ "$(leaked)" -gt 50 ]
	[ "$(lab_capture_count "ether src $NEW_MAC and ip6")" -gt 20 ]
}

@test "up guards home and physical, and down leaves nothing of it" {
	remember
	up wg0
	[ "$(may_send)" = "lo wg0" ]
	run lab_run nft -s list table inet wgns
	says 0 'set allowed' 'type filter hook postrouting priority 1000; policy drop;' 'oifname @allowed accept'
	run lab_run nft -s list table bridge wgns
	says 0 'elements = { "eth0" }' 'meta oifkind @kinds accept'
	run in_physical nft -s list table inet wgns
	says 0 'hook input priority filter; policy drop;' 'hook forward priority filter; policy drop;' 'udp dport @ports accept'
	run in_physical "$WGNS" guard status
	port=$(lab_run wg show wg0 listen-port)
	says 0 "physical: replies, ICMP and DHCP come in, and UDP to $port"
	lab_wait_handshake wg0
	[ "$(get 10.77.0.80/)" = "behind the tunnel" ]
	[ "$(get '[fd00:77::80]/')" = "behind the tunnel" ]
	down wg0
	guard_is off
	unchanged
}

@test "the tunnel's port is the one of the file where it has one, and each tunnel has its own" {
	interface wg0 'ListenPort = 50123'
	up wg0
	up wg1
	other=$(lab_run wg show wg1 listen-port)
	[ "$(in_physical "$WGNS" guard status --json | jq -c '.ports | sort')" = "$(jq -nc "[50123, $other] | sort")" ]
	[ "$(may_send)" = "lo wg0 wg1" ]
	down wg0
	[ "$(in_physical "$WGNS" guard status --json | jq -c .ports)" = "[$other]" ]
	[ "$(may_send)" = "lo wg1" ]
	[ "$(get 10.78.0.80/)" = "behind the tunnel" ]
}

@test "home is guarded from before the first device moves until the last is back and configured" {
	remember
	mapfile -t steps < <(up -n wg0)
	for ((n = 1; n <= ${#steps[@]}; n++)); do
		case ${steps[n - 1]} in
		'guard.set home'*) at_guard=$n ;;
		'uplinks.save'*) at_save=$n ;;
		'link.move'*) at_move=$n ;;
		esac
	done
	faulty "kill-before:$at_guard" up --backend "$(lab_backend)" wg0
	guard_is off
	down wg0
	unchanged
	faulty "kill-before:$at_move" up --backend "$(lab_backend)" wg0
	[ "$(may_send)" = lo ]
	lab_run ip link show eth0
	down wg0
	unchanged
	# every uplink is back, and the step that gives it its addresses has not begun; then it has ended
	up wg0
	faulty "kill-undo:$at_save" down wg0
	[ "$(may_send)" = lo ]
	lab_run ip link show eth0
	down wg0
	unchanged
	up wg0
	faulty "kill-undone:$at_save" down wg0
	[ "$(may_send)" = lo ]
	lab_run ip addr show eth0 | grep -q 192.0.2.10/26
	run talks_past
	[ "$status" != 0 ]
	down wg0
	talks_past
	unchanged
}

@test "a network card that appears and is configured in home sends nothing past the tunnel" {
	up wg0
	lab_wait_handshake wg0
	new_nic
	lab_capture_start 1
	configure_nic
	talk
	# bound to the device, by address and by SO_BINDTODEVICE
	talk --interface usb0
	talk --interface 192.0.2.140
	run lab_run curl -gsm 2 --interface usb0 http://203.0.113.80/
	[ "$status" != 0 ]
	lab_run ping -c 2 -i 0.02 -W 1 -I usb0 192.0.2.129 >/dev/null || :
	nothing_leaked
	[ "$(dropped)" -gt 50 ]
	# by routes that are more specific the tunnel goes on
	[ "$(lab_run curl -sm 10 --interface wg0 http://10.77.0.80/)" = "behind the tunnel" ]
}

@test "IPv6 does not go past a tunnel that has IPv4 only" {
	conf wg0 's/^Address.*/Address = 10.9.0.2\/32/; s/^AllowedIPs.*/AllowedIPs = 0.0.0.0\/0/'
	up wg0
	new_nic
	lab_capture_start 1
	lab_run ip -batch - <<-E
		link set usb0 up
		addr add 2001:db8:9::10/64 dev usb0 nodad
		route add default via 2001:db8:9::1 dev usb0
	E
	talk
	[ "$(get 10.77.0.80/)" = "behind the tunnel" ]
	nothing_leaked
}

@test "a chain that marks packets for another route does not lead past the tunnel" {
	up wg0
	new_nic
	lab_capture_start 1
	configure_nic
	lab_run sh -c 'ip route del default dev usb0; ip -6 route del default dev usb0
		ip route add default via 192.0.2.129 dev usb0 table 77
		ip rule add fwmark 7 lookup 77
		nft "table inet m {
			chain o { type route hook output priority mangle; ip daddr 203.0.113.80 counter meta mark set 7; }
		}"'
	talk
	nothing_leaked
	[[ $(lab_run nft list table inet m) =~ packets\ ([0-9]+) ]]
	[ "${BASH_REMATCH[1]}" -gt 20 ]
	lab_run nft delete table inet m
}

@test "a macvlan on a network card that appears sends nothing past the tunnel" {
	up wg0
	new_nic
	lab_capture_start 1
	lab_run ip -batch - <<-E
		link set usb0 up
		link add mv0 link usb0 address $NEW_MAC type macvlan mode private
	E
	lab_run ip link set usb0 address 02:77:67:00:09:03
	configure_nic mv0
	talk
	talk --interface mv0
	lab_capture_stop
	[ "$(lab_capture_count 'not ether src 02:77:67:00:09:01 and not arp')" = 0 ]
	[ "$(dropped)" -gt 50 ]
}

# a bridge that home uses, with a container on it that answers
bridge_of_home() {
	lab_run ip -batch - <<-E
		link add br0 type bridge
		addr add 10.50.0.1/24 dev br0
		addr add 192.0.2.140/26 dev br0
		link set br0 up
	E
	lab_run sh -c 'ip netns add box || unshare --net=/run/netns/box true
		ip link add vbox master br0 type veth peer name eth0 netns box
		ip link set vbox up
		ip -n box addr add 10.50.0.2/24 dev eth0
		ip -n box link set eth0 up'
}

@test "a bridge that home uses sends to its containers, and not by an uplink's name or what hangs on a card" {
	bridge_of_home
	up --uplink eth0 wg0
	[ "$(may_send)" = "br0 lo vbox wg0" ]
	lab_run ping -c 1 -W 5 10.50.0.2
	# the uplink is plugged in anew: the same name, and somebody puts it into the bridge
	new_nic eth0
	lab_capture_start 1
	lab_run sh -c 'ip link set eth0 master br0 && ip link set eth0 up'
	lab_run ping -c 3 -i 0.02 -W 1 192.0.2.129 || :
	lab_run ip netns exec box sh -c 'ip addr add 192.0.2.141/26 dev eth0; ping -c 3 -i 0.02 -W 1 192.0.2.129' || :
	# and by a device of a kind that hangs on hardware
	lab_run sh -c 'ip link set eth0 nomaster && ip link add mv0 link eth0 type macvlan mode passthru &&
		ip link set mv0 master br0 && ip link set mv0 up'
	lab_run ping -c 3 -i 0.02 -W 1 192.0.2.129 || :
	lab_run ip netns exec box ping -c 3 -i 0.02 -W 1 192.0.2.129 || :
	lab_capture_stop
	# not even a question for an address; the ISP's own frames are not counted
	[ "$(lab_capture_count 'not ether src 02:77:67:00:09:01')" = 0 ] ||
		{ lab_capture_show 'not ether src 02:77:67:00:09:01' >&2; false; }
	[ "$(dropped)" -gt 5 ]
	lab_run ping -c 1 -W 5 10.50.0.2
	lab_run ip netns exec box ip addr del 192.0.2.141/26 dev eth0
}

@test "a bridge with an uplink that stays in it is not let send, and up says so" {
	new_nic usb0
	lab_run ip -batch - <<-E
		link add br0 type bridge
		link add mv0 link usb0 type macvlan mode passthru
		link set mv0 master br0
		link set br0 up
		link set usb0 up
		route add default dev usb0 metric 7777
	E
	run -0 up -n --uplink eth0 wg0
	says 0 'guard.set home: lo' 'usb0 stays in home, and the guard stops what goes over it' \
		'the guard stops what goes over br0: it may lead out of the machine'
	[[ $output != *'guard.set home: lo '* ]]
}

@test "a device without a kind, as hardware is, matches no rule that asks for one" {
	lab_run nft 'table inet k {
		chain o { type filter hook output priority 0;
			oifname lo meta oifkind "veth" counter
			oifname lo meta oifkind != "veth" counter
			oifname lo counter; }
		}'
	lab_run ping -c 3 -i 0.02 127.0.0.1
	mapfile -t counters < <(lab_run nft list chain inet k o | sed -n 's/.*packets \([0-9]*\).*/\1/p')
	[ "${counters[0]}" = 0 ]
	[ "${counters[1]}" = 0 ]
	[ "${counters[2]}" -ge 3 ]
	lab_run nft delete table inet k
}

@test "what others did to the guard is named, and down leaves nothing" {
	remember
	up wg0
	lab_run nft add rule inet wgns postrouting accept
	run -0 lab_wgns guard status
	says 0 'it was changed: rule 3 in chain postrouting of table inet wgns is not the guard'
	lab_run nft delete table inet wgns
	guard_is off
	[ "$(lab_run nft list tables | grep -c wgns)" = 1 ]
	down wg0
	unchanged

	up wg0
	lab_run nft flush ruleset
	in_physical nft flush ruleset
	guard_is off
	[ "$(get 10.77.0.80/)" = "behind the tunnel" ]
	# the second tunnel says that nothing guards home, and comes up without
	run -0 up wg1
	says 0 'the layout is up without a guard in home'
	down wg1
	down wg0
	unchanged
}

@test "a program in physical is not reached from outside, and answers to what it asked come in" {
	up wg0
	lab_wait_handshake wg0
	port=$(lab_run wg show wg0 listen-port)
	in_physical sh -c 'exec busybox nc -l -p 8080 -e /bin/echo reached' </dev/null >/dev/null 2>&1 3>&- &
	listener=$!
	lab_wait in_physical sh -c 'ss -Hltn | grep -q :8080'
	# from itself it is
	[ "$(in_physical busybox nc -w 5 127.0.0.1 8080 </dev/null)" = reached ]
	wait $listener || :
	in_physical sh -c 'exec busybox nc -l -p 8080 -e /bin/echo reached' </dev/null >/dev/null 2>&1 3>&- &
	listener=$!
	lab_wait in_physical sh -c 'ss -Hltn | grep -q :8080'
	before=$(in_physical "$WGNS" guard status --json | jq .dropped)
	run lab_in isp busybox nc -w 1 192.0.2.10 8080 </dev/null
	[[ $output != *reached* ]]
	[ "$(in_physical "$WGNS" guard status --json | jq .dropped)" -gt "$before" ]
	in_physical busybox nc -w 5 127.0.0.1 8080 </dev/null
	wait $listener || :
	# ping, and neighbours, in both families
	lab_in isp ping -c 1 -W 5 192.0.2.10
	lab_in isp ip neigh flush dev isp0
	lab_in isp ping -c 1 -W 5 2001:db8:1::10
	# a stranger's datagram to the tunnel's port comes in, and to the next one it does not
	before=$(in_physical "$WGNS" guard status --json | jq .dropped)
	lab_in isp bash -c "echo >/dev/udp/192.0.2.10/$port; echo >/dev/udp/2001:db8:1::10/$port"
	[ "$(in_physical "$WGNS" guard status --json | jq .dropped)" = "$before" ]
	lab_in isp bash -c "echo >/dev/udp/192.0.2.10/$((port ^ 1))"
	lab_wait bash -c "$(declare -f in_physical lab_run); [ \$(in_physical $WGNS guard status --json | jq .dropped) -gt $before ]"
	# what physical asks is answered
	[ "$(in_physical curl -sm 10 http://203.0.113.80/)" ]
	[ "$(in_physical curl -gsm 10 'http://[2001:db8:80::80]/')" ]
}

@test "a new lease from the DHCP server reaches a client in physical" {
	up wg0
	run -0 in_physical busybox udhcpc -i eth0 -n -q -f -t 5 -s /bin/true
	says 0 'lease of 192.0.2.'
}

# not in the VM
@test "KillSwitch = no leaves home without a guard, and says what that means" {
	echo $'[Guard]\nKillSwitch = no' | wgns_conf
	remember
	run -0 up wg0
	says 0 'KillSwitch = no: a device that appears in home while the tunnel is up sends past it'
	guard_is off
	in_physical nft list table inet wgns >/dev/null
	run -0 up wg1
	[[ $output != *guard* ]]
	down wg1
	down wg0
	unchanged
}

@test "KillSwitch = boot guards home before the first up and after the last down" {
	echo $'[Guard]\nKillSwitch = boot' | wgns_conf
	remember
	lab_wgns guard on --if-configured
	guard_is boot
	run -0 lab_wgns guard status
	says 0 'boot: nothing leaves this namespace'
	run talks_past
	[ "$status" != 0 ]
	[ "$(lab_run ping -c 1 -W 5 127.0.0.1 | grep -c '1 received')" = 1 ]
	run lab_wgns guard on
	says 0 'wgns guard off'
	run lab_wgns status
	says 0 'nothing is up' 'wgns guard off'
	guard_is boot
	up wg0
	guard_is up
	# the layout's guard stays: on changes nothing, off is refused
	lab_wgns guard on
	[ "$(may_send)" = "lo wg0" ]
	run lab_wgns guard off
	says 3 'a tunnel is up' 'wgns down'
	lab_wait_handshake wg0
	[ "$(get 10.77.0.80/)" = "behind the tunnel" ]
	run down wg0
	says 0 'wg0 is down' 'wgns guard off'
	guard_is boot
	run talks_past
	[ "$status" != 0 ]
	lab_wgns guard off
	lab_wgns guard off
	guard_is off
	talks_past
	unchanged
}

# not in the VM
@test "KillSwitch = boot and an up that fails: the guard is as it was before" {
	echo $'[Guard]\nKillSwitch = boot' | wgns_conf
	interface wg0 'PostUp = false'
	run up wg0
	says 1 'everything was undone'
	guard_is off
	lab_wgns guard on
	run up wg0
	says 1 'everything was undone'
	guard_is boot
	# with KillSwitch = no too: what is there stays
	echo $'[Guard]\nKillSwitch = no' | wgns_conf
	run up wg0
	says 1 'everything was undone'
	guard_is boot
	conf wg0 /PostUp/d
	# whoever turned it off gets it back by down, because the file says so
	lab_wgns guard off
	echo $'[Guard]\nKillSwitch = boot' | wgns_conf
	up wg0
	down wg0
	guard_is boot
}

# not in the VM
@test "guard on --if-configured does nothing without KillSwitch = boot, and says what is wrong with the file" {
	lab_wgns guard on --if-configured
	guard_is off
	echo $'[Guard]\nKillSwitch = up' | wgns_conf
	lab_wgns guard on --if-configured
	guard_is off
	echo $'[Guard]\nKillSwitch = sometimes' | wgns_conf
	run lab_wgns guard on --if-configured
	says 1 'wgns.conf:2:'
	[ "$(grep -c 'wgns.conf:2:' <<<"$output")" = 1 ]
	guard_is off
}

# not in the VM
@test "guard is told what is wrong with its command line" {
	for args in '' sometimes 'on off' 'on --json' 'off --if-configured' --no; do
		# shellcheck disable=SC2086 # several words
		run lab_wgns guard $args
		says 2 'usage: wgns guard'
	done
	run lab_run setpriv --reuid 65534 --clear-groups "$WGNS" guard status
	says 1 'only root'
}

@test "the unit's capability is enough for wgns guard on" {
	lab_run setpriv --bounding-set -all,+net_admin --inh-caps -all --no-new-privs "$WGNS" guard on
	guard_is boot
	lab_wgns guard off
}

# not in the VM
@test "systemd finds nothing wrong with the unit, and none of its options makes a mount namespace" {
	[[ $(command -v systemd-analyze) ]] || skip_or_fail 'there is no systemd-analyze'
	sed "s,@BINDIR@/wgns,$(command -v true)," "$BATS_TEST_DIRNAME/../../scripts/wgns-guard.service" |
		sed 's,@BINDIR@,/usr/bin,' >"$BATS_TEST_TMPDIR/wgns-guard.service"
	run -0 systemd-analyze verify --man=no "$BATS_TEST_TMPDIR/wgns-guard.service"
	[ -z "$output" ]
	run grep -E '^(Private|ProtectSystem|ProtectHome|ProtectKernel|ProtectControl|ProtectProc|ProcSubset|ReadWrite|ReadOnly|Inaccessible|Bind|RootDir|DynamicUser|Mount)' \
		"$BATS_TEST_TMPDIR/wgns-guard.service"
	[ "$status" = 1 ]
	# nor takes openat2(2) away, by which paths below /run/wgns are opened
	run grep -E '^RestrictSUIDSGID' "$BATS_TEST_TMPDIR/wgns-guard.service"
	[ "$status" = 1 ]
}
