#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: none
# nothing in clear on the wire, whatever happens: floods in home, and what the ISP's end of the uplink saw
#
# CYCLES is how many times `up` and `down` run (10; 100 under make check-faults), STRIDE at which steps wgns is killed (5; 1). "figures" lines are what README quotes.
# shellcheck disable=SC2016 # the text of a hook or a file is not for this shell to expand
# shellcheck disable=SC2154 # run sets status, output and stderr
# shellcheck disable=SC2317 # functions are called by name

load change

setup_file() {
	export FAULTY=${WGNS_FAULTY:-$BATS_FILE_TMPDIR/faults/wgns}
	[ -n "${WGNS_FAULTY-}" ] ||
		make -s -C "$BATS_TEST_DIRNAME/../.." O="$BATS_FILE_TMPDIR/faults" FAULTS=1 "$FAULTY" >&2
	${CC:-cc} -std=gnu17 -D_GNU_SOURCE -O2 -Wall -o "$BATS_FILE_TMPDIR/flood" "$BATS_TEST_DIRNAME/../lab/flood.c"
}
setup() {
	lab_up --uplink eth0 --uplink usb0
	lab_run sh -c 'mkdir -p /etc/wgns; printf "[Physical]\nUplinks = eth0\n" >/etc/wgns/wgns.conf'
	# its other uplink is a device that comes later
	lab_run ip link set usb0 down
	lab_run ip addr flush dev usb0
	lab_run ip link set usb0 name later0
	n_cycles=${CYCLES:-10}
}
teardown() { lab_down; }

kill_switch() { lab_run sh -c "printf '[Guard]\nKillSwitch = $1\n' >>/etc/wgns/wgns.conf"; }

# flood_start: in home, until flood_stop, which prints how many packets the kernel took
flood_start() {
	mkfifo "$BATS_TEST_TMPDIR/flood"
	(lab_close_fds; lab_run "$BATS_FILE_TMPDIR/flood" eth0 new0 wg0 >"$BATS_TEST_TMPDIR/flood" 2>/dev/null) &
	exec {flood_fd}<"$BATS_TEST_TMPDIR/flood"
	local line
	read -r line <&"$flood_fd"
	[ "$line" = started ]
}
flood_stop() {
	local n rest
	lab_run pkill -TERM -x flood
	read -r n rest <&"$flood_fd"
	exec {flood_fd}<&-
	((n > 100)) || { echo "the flood sent only $n $rest" >&2; return 1; }
	n_flooded=$n
}

# clear [FILTER]: what home sent on the wire beside WireGuard to its endpoint, ARP, neighbour discovery with its multicast
# reports, and the question for the endpoint's name, which physical asks
clear() {
	lab_capture_show "${1:-$LAB_FROM_HOME} and not arp and not (udp port 51820 and (host 198.51.100.2 or host 2001:db8:100::2))
		and not (icmp6 and ip6[40] >= 133 and ip6[40] <= 136) and not (ip6[6] == 0 and ip6[40] == 58 and ip6[48] == 143)" |
		grep -vE '(A|AAAA)\? vpn\.example\.test\.' || [ $? = 1 ]
}
# nothing_in_clear [FILTER]: ends the capture
nothing_in_clear() {
	lab_capture_stop
	clear "$@" >"$BATS_TEST_TMPDIR/clear"
	n_frames=$(lab_capture_count "${1:-$LAB_FROM_HOME}")
	[ ! -s "$BATS_TEST_TMPDIR/clear" ] || { echo "$(wc -l <"$BATS_TEST_TMPDIR/clear") in clear:" >&2; head -n 20 "$BATS_TEST_TMPDIR/clear" >&2; return 1; }
}
figures() { echo "# figures: $*" >&3; }

@test "the capture sees a flood when there is nothing that stops it" {
	lab_capture_start
	flood_start
	seen() { [ "$(lab_capture_count "$LAB_FROM_HOME and udp port 53")" -gt 10 ]; }
	lab_wait seen
	flood_stop
	lab_capture_stop
	for what in 'ip and udp port 7' 'ip6 and udp port 7' 'ip and tcp port 80' 'ip6 and tcp port 80' 'ip and udp port 53' \
		'ip6 and udp port 53' 'udp port 5353'; do
		[ "$(clear "$LAB_FROM_HOME and $what" | wc -l)" -gt 0 ] || { echo "nothing of $what" >&2; return 1; }
	done
}

@test "up and down again and again under floods, with KillSwitch = boot: not one frame in clear" {
	kill_switch boot
	lab_wgns guard on
	lab_capture_start
	flood_start
	for ((i = 0; i < n_cycles; i++)); do
		up wg0
		down wg0
	done
	flood_stop
	nothing_in_clear
	figures "$n_cycles cycles of up and down, $n_flooded packets sent by the flood, $n_frames frames of home on the wire, 0 in clear"
}

@test "from before the first device moves until after the last is back: not one frame in clear" {
	mapfile -t steps < <(up -n wg0)
	for ((guard = 0; guard < ${#steps[@]}; guard++)); do
		[[ ${steps[guard]} != 'guard.set home'* ]] || break
	done
	((guard < ${#steps[@]}))
	for ((i = 0; i < (n_cycles + 4) / 5; i++)); do
		# the first run stops at the step behind the guard: from here on nothing may leave
		flood_start
		up wg0
		# its own marker is the first packet of the capture
		lab_capture_start
		run lab_run env WGNS_FAULT="undo:$((guard + 1))" "$FAULTY" down wg0
		says 4 'cannot undo guard.set home'
		lab_run ip link show eth0 # it is back, and configured, and the guard still stands
		[ "$(lab_run ip -4 -br addr show eth0 | awk '{ print $3 }')" = 192.0.2.10/26 ]
		nothing_in_clear
		flood_stop
		rm "$BATS_TEST_TMPDIR/flood"
		down wg0
		[ "$(get 203.0.113.80/)" = 'the public web' ]
	done
}

@test "killed at any step of up or down, and recovered, under floods: not one frame in clear" {
	kill_switch boot
	lab_wgns guard on
	mapfile -t steps < <(up -n wg0)
	lab_capture_start
	flood_start
	n=0
	for ((i = 1; i <= ${#steps[@]}; i += ${STRIDE:-5})); do
		run lab_run env WGNS_FAULT="kill-after:$i" "$FAULTY" up --backend "$(lab_backend)" wg0
		[ "$status" = 137 ]
		lab_wgns recover
		up wg0
		run lab_run env WGNS_FAULT="kill-undone:$i" "$FAULTY" down wg0
		[ "$status" = 137 ]
		lab_wgns recover
		n=$((n + 2))
	done
	flood_stop
	nothing_in_clear
	figures "killed $n times, $n_flooded packets sent by the flood, $n_frames frames of home on the wire, 0 in clear"
}

@test "the daemon is killed, names and tables are taken away by hand, under floods: not one frame in clear" {
	kill_switch boot
	lab_wgns guard on
	lab_capture_start
	flood_start
	up wg0
	lab_run nft flush ruleset
	lab_run ip netns del physical
	[ "$(lab_backend)" = kernel ] || lab_run pkill -KILL -x wireguard-go
	lab_run sh -c 'ip link add mv0 link wg0 type macvlan 2>/dev/null; ip route add default via 192.0.2.1 2>/dev/null; true'
	lab_run nft -f - <<-'N'
		table inet theirs {
			chain again {
				type route hook output priority mangle; policy accept
				meta l4proto { tcp, udp } meta mark set 7
			}
		}
	N
	lab_run ip rule add fwmark 7 lookup 77
	down wg0
	flood_stop
	nothing_in_clear
}

@test "a device that comes later is configured by a DHCP client and given to programs: not one frame in clear" {
	kill_switch up
	later='(ether src 02:77:67:00:01:02 or ether src 02:77:67:00:01:22) and not (udp port 67 and udp port 68)'
	up wg0
	# under this name it was not there at `up`; bridges are in guard.bats
	lab_run ip link set later0 name new0
	lab_capture_start 1
	flood_start
	lab_run ip link set new0 up
	lab_run busybox udhcpc -n -q -i new0 -s "$BATS_TEST_DIRNAME/../lab/udhcpc-script" >&2
	[ -n "$(lab_run ip -4 -br addr show new0 | awk '{ print $3 }')" ]
	[ -n "$(lab_run ip route show default dev new0)" ]
	run lab_run curl -sm 2 --interface new0 http://192.0.2.65/
	[ "$status" != 0 ]
	lab_run ip link add mv0 link new0 address 02:77:67:00:01:22 type macvlan mode bridge
	lab_run ip link set mv0 up
	lab_run ip addr add 192.0.2.98/26 dev mv0
	run lab_run curl -sm 2 --interface mv0 http://192.0.2.65/
	[ "$status" != 0 ]
	flood_stop
	nothing_in_clear "$later"
	[ "$(lab_capture_count 'ether src 02:77:67:00:01:02')" -gt 0 ] # the capture saw what is allowed
}
