#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# only in the VM: 6.1 6.12
# wireless uplinks: they move with their phy, and come home with it
# shellcheck disable=SC2154 # run sets status, output and stderr

load wifi

setup() { wifi_setup; }
teardown() { wifi_teardown; }

# what a card may have: another device on its phy, names, addresses
dress() {
	lab_run iw "$card" interface add mon0 type monitor
	lab_run ip -batch - <<-E
		link set wlan0 mtu 1400 alias roof
		link property add dev wlan0 altname wlp3s0
		link set wlan0 up
		addr add 192.0.2.40/26 dev wlan0
		addr add 2001:db8:1::40/64 dev wlan0 nodad
		route add default via 192.0.2.1 dev wlan0 metric 600
		neigh add 192.0.2.1 lladdr 02:77:67:00:00:01 dev wlan0 nud permanent
	E
	lab_run sh -c 'echo 2 >/proc/sys/net/ipv4/conf/wlan0/rp_filter'
}

@test "a card moves with everything on its phy, and comes home with what it had" {
	dress
	remember
	run -0 up -n wg1
	# in the order of their numbers, which depends on what was in home before
	[[ $output = *"phy.move phy${card#phy#} -> physical: $card with "@("wlan0, mon0"|"mon0, wlan0")$'\n'* ]]
	[[ $output = *"link.restore wlan0 in physical"* ]]
	[[ $output = *"link.restore mon0 in physical"* ]]
	[[ $output != *link.move* ]]
	unchanged
	up wg1
	[ "$(devices home)" = "" ]
	[ "$(devices physical)" = "$card mon0"$'\n'"$card wlan0" ]
	in_physical ip -j addr show wlan0 | jq -e '.[0] | .mtu == 1400 and (.altnames | index("wlp3s0"))
		and (.flags | index("UP")) and ([.addr_info[].local] | index("192.0.2.40") and index("2001:db8:1::40"))'
	in_physical ip route show default | grep -q 'via 192.0.2.1 dev wlan0'
	run -0 lab_wgns verify wg1
	down wg1
	unchanged
}

@test "with Agent = none its user has it join the network, in physical and in home again" {
	access_point "${radios[1]}"
	lab_install
	lab_run sh -c 'printf "[Physical]\nAgent = none\n" >/etc/wgns/wgns.conf'
	join_in_home
	run -0 up -n wg1
	[[ $output = *'wlan0 leaves its wireless network by the move'*'--profile supplicant'* ]]
	leave home
	up wg1
	lab_capture_start
	join_in_physical
	lab_wait_handshake wg1
	[ "$(get 10.78.0.80/)" = "behind the tunnel" ]
	# the air, and the network that carries the tunnel, are physical's
	lab_run env -u SUDO_UID "$WGNS" exec --physical iw dev wlan0 scan dump | grep -q 'SSID: lab'
	[ "$(lab_run env -u SUDO_UID "$WGNS" exec --physical curl -sm 10 http://203.0.113.80/)" = 'the public web' ]
	run lab_run iw dev wlan0 link
	[ "$status" != 0 ]
	[ "$(devices home)" = "" ]
	lab_capture_stop
	[ "$(lab_capture_count 'ether src 02:00:00:00:00:00 and host 198.51.100.2 and udp port 51820')" -gt 0 ]
	[ "$(lab_capture_count 'host 10.78.0.80')" = 0 ]
	run -3 down wg1
	[[ $output = *'programs still run in physical: wpa_supplicant'* ]]
	down --kill wg1
	[ "$(devices home)" = "$card wlan0" ]
	# what it had last it has still, and the network is there as soon as somebody joins it
	lab_run ip -4 addr show wlan0 | grep -q 'inet 192.0.2.'
	join_in_home
	[ "$(lab_run curl -sm 10 http://203.0.113.80/)" = 'the public web' ]
}

# runs_in home|physical: what configures wlan0 there, as "udhcpc wpa_supplicant"
runs_in() {
	local net=/proc/1/ns/net
	[ "$1" = home ] || net=/run/netns/physical
	lab_run bash -c 'for p in $(pgrep "^(wpa_supplicant|dhclient|busybox)$"); do
		[ "$(readlink /proc/"$p"/ns/net)" != "$(stat -Lc "net:[%i]" "$1")" ] || cat /proc/"$p"/comm
	done' - "$net" | sort | xargs
}
runs() { [ "$(runs_in "$1")" = "$2" ]; }

# over_the_air: the tunnel is up over Wi-Fi, and nobody said so but the agents
over_the_air() {
	lab_wait_handshake wg1
	[ "$(get 10.78.0.80/)" = "behind the tunnel" ]
	lab_run env -u SUDO_UID "$WGNS" exec --physical iw dev wlan0 scan dump | grep -q 'SSID: lab'
	lab_run grep -qx 'nameserver 192.0.2.1' /run/wgns/box/physical/etc/resolv.conf
	lab_run grep -q '^address 192\.0\.2\.' /run/wgns/box/physical/lease/wlan0
}

@test "who joined the network in home joins it in physical, and in home again" {
	access_point "${radios[1]}"
	lab_install
	lab_run "${supplicant[@]}" >&2
	lab_wait joined home
	lab_run busybox udhcpc -i wlan0 -b -S -s "$BATS_TEST_DIRNAME/../lab/udhcpc-script" >"$LAB_DIR/client" 2>&1
	[ "$(runs_in home)" = 'busybox wpa_supplicant' ]
	run -0 up wg1
	[[ $output != *'leaves its wireless network'* ]]
	runs home ''
	runs physical 'busybox wpa_supplicant'
	over_the_air
	run -0 down wg1
	[ "$(devices home)" = "$card wlan0" ]
	lab_wait runs home 'busybox wpa_supplicant'
	lab_wait joined home
	[ "$(lab_run curl -sm 20 http://203.0.113.80/)" = 'the public web' ]
}

@test "Agent = supplicant dhcp joins a network that home was not in" {
	access_point "${radios[1]}"
	lab_install
	lab_run sh -c 'mkdir -p /etc/wpa_supplicant; cp /run/wpa.conf /etc/wpa_supplicant/wpa_supplicant-wlan0.conf
		printf "[Physical]\nAgent = supplicant dhcp\n" >/etc/wgns/wgns.conf'
	run -0 up -n wg1
	[[ $output = *'agent.start wpa_supplicant for wlan0 in physical by supplicant'*'agent.start dhclient for wlan0 in physical by dhcp'* ]]
	up wg1
	runs physical 'dhclient wpa_supplicant'
	over_the_air
	down wg1
	[ "$(devices home)" = "$card wlan0" ]
	runs home ''
}

@test "a radio that is off moves all the same, and up says how it is switched on" {
	rfkill block wlan
	remember
	run lab_wgns doctor
	[[ $output = *'the radio of phy'*' is off: `rfkill unblock wlan` switches it on'* ]]
	run -0 up wg1
	[[ $output = *'the radio of phy'*' is off: `rfkill unblock wlan` switches it on'* ]]
	down wg1
	unchanged
	# switched off while it is away
	rfkill unblock wlan
	lab_run ip link set wlan0 up
	up wg1
	rfkill block wlan
	run -0 down wg1
	rfkill unblock wlan
	[ "$(devices home)" = "$card wlan0" ]
}

@test "devices come home under their names, and beside others that took them" {
	lab_run iw "$card" interface add mon0 type monitor
	lab_run ip link property add dev wlan0 altname roof
	remember
	up wg1
	in_physical ip -batch - <<-E
		link set wlan0 name x
		link set mon0 name wlan0
		link set x name mon0
	E
	down wg1
	unchanged
	# somebody has one of their names now
	up wg1
	lab_run ip link add other type dummy
	lab_run ip link property add dev other altname roof
	run down wg1
	says 4 'cannot undo phy.move' 'move wlan0 to home: a device there is called roof by now' 'wgns down wg1'
	[ "$(devices home)" = "" ]
	lab_run ip link property del dev other altname roof
	lab_run ip link set other name wlan0
	run down wg1
	says 0 'home has another device called wlan0 by now: the uplink comes back as wlan0-1'
	[ "$(devices home)" = "$card mon0"$'\n'"$card wlan0-1" ]
	lab_run ip link del wlan0
	lab_run ip link set wlan0-1 name wlan0
	unchanged
}

@test "a card that is reset or plugged in while the layout is up goes to physical with its phy" {
	lab_run sh -c 'printf "[Tunnel]\nWatch = yes\n" >/etc/wgns/wgns.conf'
	up wg1
	# the driver makes its cards anew: other numbers, the same addresses
	modprobe -r mac80211_hwsim
	lab_wait eval '[ -z "$(devices physical)" ]'
	modprobe mac80211_hwsim radios=2
	mapfile -t radios < <(cat /sys/class/ieee80211/phy*/index | sort -n)
	wifi_give "${radios[0]}" wlan0
	lab_wait eval '[ "$(devices physical)" = "phy#${radios[0]} wlan0" ]'
	# another one has the name that the first had when it came
	wifi_give "${radios[1]}" wlan0
	lab_wait eval '[ "$(devices physical)" = "phy#${radios[0]} wlan0"$'"'\n'"'"phy#${radios[1]} wlan1" ]'
	run -0 lab_wgns verify wg1
	down wg1
	[ "$(devices home)" = "phy#${radios[0]} wlan0"$'\n'"phy#${radios[1]} wlan1" ]
}

# a phy's number is in the journal, in the plan and in the snapshot: one of them is enough
@test "a phy comes home whatever file is damaged" {
	local box=/run/wgns/box/physical
	up wg1
	lab_run sed -i '3s/^/x/' $box/snapshot
	run down wg1
	says 4 'the snapshot is damaged at line 3' 'wgns down wg1'
	[ "$(devices home)" = "$card wlan0" ]
	run -0 down wg1
	up wg1
	lab_run sh -c "for f in journal plan; do echo garbage >$box/\$f; done"
	run down wg1
	says 1 'the journal is damaged' 'wgns recover'
	lab_run sed -i /^since=/d /run/wgns/tunnel/home:wg1/meta
	run lab_wgns recover
	says 0 'the journal is damaged at line 1'
	[ "$(devices home)" = "$card wlan0" ]
}
