# SPDX-License-Identifier: GPL-2.0-or-later
# wifi - home's only uplink is wireless: simulated radios, an access point, and what a laptop runs to join it
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # of bats, and for its files
#
#   home                           cafe (an access point)        ISP
#   wlan0 ~~~~~~ WPA2 "lab" ~~~~~~ ap0 + eth0 in br0 ─────────── isp0 192.0.2.1, DHCP, DNS
#
# mac80211_hwsim makes radios that hear each other in whatever namespace they are; all fall back to the caller's when
# their namespace goes. That is an emulated machine: nobody else has a radio there.

load change

wifi_setup() {
	modprobe mac80211_hwsim radios="${1:-2}"
	lab_up --bare
	# phys in the order in which they were made; their numbers grow as long as the machine runs
	mapfile -t radios < <(cat /sys/class/ieee80211/phy*/index | sort -n)
	card="phy#${radios[0]}"
	wifi_give "${radios[0]}" wlan0
}
wifi_teardown() {
	lab_down
	modprobe -r mac80211_hwsim
}

# wifi_give RADIO NAME: the radio is plugged into home, with one device of that name
wifi_give() {
	local name
	name=$(basename /sys/class/ieee80211/phy"$1"/device/net/*)
	[ "$name" = "$2" ] || ip link set "$name" name "$2"
	iw "phy#$1" set netns "$LAB_HOME"
}

# access_point RADIO: the other end of home's cable is on the air from now on
access_point() {
	local name
	name=$(basename /sys/class/ieee80211/phy"$1"/device/net/*)
	ip link set "$name" name ap0
	iw "phy#$1" set netns "$LAB_WORLD"
	lab_in isp ip netns add cafe
	lab_in isp iw "phy#$1" set netns name cafe
	lab_in isp ip -n home link set eth0 netns cafe
	lab_in isp ip -n cafe -batch - <<-E
		link add br0 type bridge
		link set eth0 master br0
		link set eth0 up
		link set br0 up
	E
	lab_in isp sh -c 'cat >/run/world/hostapd.conf' <<-E
		interface=ap0
		bridge=br0
		driver=nl80211
		ssid=lab
		hw_mode=g
		channel=1
		wpa=2
		wpa_key_mgmt=WPA-PSK
		rsn_pairwise=CCMP
		wpa_passphrase=as secret as can be
	E
	lab_in isp ip netns exec cafe hostapd -B -f /run/world/hostapd.log /run/world/hostapd.conf
	lab_run sh -c 'umask 077; cat >/run/wpa.conf' <<-E
		network={
			ssid="lab"
			psk="as secret as can be"
			scan_freq=2412
		}
	E
}

# a supplicant, and when it has joined the network a DHCP client
supplicant=(wpa_supplicant -D nl80211 -i wlan0 -c /run/wpa.conf -P /run/wpa.pid -B)
client=(busybox udhcpc -i wlan0 -n -q -f -s "$BATS_TEST_DIRNAME/../lab/udhcpc-script")
join_in_home() {
	lab_run "${supplicant[@]}" >&2
	lab_wait joined home
	lab_run "${client[@]}" >&2
}
join_in_physical() {
	lab_run env -u SUDO_UID "$WGNS" exec --user root --profile supplicant --physical "${supplicant[@]}" >&2
	lab_wait joined physical
	lab_run env -u SUDO_UID "$WGNS" exec --user root --profile dhcp --physical "${client[@]}" >&2
}
# in_place home|physical COMMAND...
in_place() {
	local net=self
	[ "$1" = home ] || net=/run/netns/physical
	shift
	if [ "$net" = self ]; then lab_run "$@"; else in_physical "$@"; fi
}
joined() { in_place "$1" iw dev wlan0 link | grep -q "SSID: lab" && in_place "$1" ip link show wlan0 up | grep -q LOWER_UP; }
# leave: the supplicant ends, and the device is down
leave() {
	lab_run sh -c 'kill "$(cat /run/wpa.pid)"'
	lab_wait left "$1"
	in_place "$1" ip addr flush dev wlan0
}
left() { ! lab_run test -e /run/wpa.pid && ! in_place "$1" ip link show wlan0 up | grep -q wlan0; }

# devices home|physical: which wireless ones are there, as "phy#3 wlan0"
devices() { in_place "$1" iw dev | awk '/^phy#/ { phy = $1 } $1 == "Interface" { print phy, $2 }' | sort; }
