#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The emulated machine's radios: what tests of Wi-Fi rely on
# only in the VM: 6.1 6.12

load ../lab/lab

setup() {
	modprobe mac80211_hwsim radios=2
	ip netns add ap
	iw phy phy0 set netns name ap
}
teardown() {
	ip netns pids ap | xargs -r kill
	[[ -z ${supplicant-} ]] || kill "$supplicant"
	lab_wait sh -c '! pidof hostapd wpa_supplicant'
	ip netns del ap
	modprobe -r mac80211_hwsim
}

associated() { [[ $(iw dev wlan1 link) = "Connected to 02:00:00:00:00:00"* ]]; }

@test "a supplicant comes into an access point's WPA2 network" {
	cat >"$BATS_TEST_TMPDIR/ap" <<-E
		interface=wlan0
		ssid=lab
		channel=1
		hw_mode=g
		wpa=2
		wpa_key_mgmt=WPA-PSK
		wpa_passphrase=not a secret
	E
	wpa_passphrase lab 'not a secret' >"$BATS_TEST_TMPDIR/laptop"
	ip netns exec ap hostapd "$BATS_TEST_TMPDIR/ap" >"$BATS_TEST_TMPDIR/ap.log" 2>&1 3>&- &
	wpa_supplicant -i wlan1 -c "$BATS_TEST_TMPDIR/laptop" >"$BATS_TEST_TMPDIR/laptop.log" 2>&1 3>&- &
	supplicant=$!
	lab_wait associated
}
