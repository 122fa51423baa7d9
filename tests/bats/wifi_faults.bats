#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# only in the VM: 6.12
# faults at the steps of an uplink that moves with its phy, and a card that is pulled out there
# shellcheck disable=SC2034,SC2154 # of bats, and for what is loaded
# shellcheck disable=SC2317 # functions are called by name

load faults
load wifi

setup() {
	wifi_setup 1
	lab_run iw "$card" interface add mon0 type monitor
	lab_run ip -batch - <<-E
		link set wlan0 up
		addr add 192.0.2.40/26 dev wlan0
		route add default via 192.0.2.1 dev wlan0
	E
	n_faults=0 n_compared=0 settle=:
	remember
	mapfile -t steps < <(up -n wg1)
	((${#steps[@]} > 15))
}
teardown() { wifi_teardown; }

up_at() { faulty "$1" up --backend "$(lab_backend)" wg1; }

# the steps that know of the phy, and every third of the others: those are the same for every uplink, see faults.bats
at_steps() {
	local n
	for ((n = 1; n <= ${#steps[@]}; n++)); do
		[[ $((n % 3)) = "$2" || ${steps[n - 1]} =~ ^(phy|uplinks)\. ]] || continue
		"$1" $n "${steps[n - 1]}" || { echo "at step $n, ${steps[n - 1]}: $output" >&2; return 1; }
	done
}

@test "a step that fails undoes those before it, and its own work" {
	at() {
		up_at "before:$1"
		says 1 "step $1/${#steps[@]} $2: injected fault" 'everything was undone' || return
		as_before "before:$1" || return
		up_at "after:$1"
		says 1 'everything was undone' || return
		as_before "after:$1"
	}
	at_steps at 0
}

@test "an undo that fails is named, and the next down does the rest" {
	at() {
		up_at "undo:$1,after:${#steps[@]}"
		says 4 "cannot undo $2" 'wgns down wg1' || return
		run down wg1
		says 0 || return
		as_before "undo:$1" || return
	}
	at_steps at 1
}

@test "killed at a step, down or recover brings the phy home" {
	at() {
		up_at "kill-before:$1"
		[ "$status" = 137 ] || return
		run lab_wgns recover
		says 0 'undone: wg1' || return
		as_before "kill-before:$1" || return
		up_at "kill-after:$1"
		[ "$status" = 137 ] || return
		run down wg1
		says 0 || return
		as_before "kill-after:$1"
	}
	at_steps at 2
}

@test "down killed at the undo of a step is finished by the next down" {
	at() {
		local fault
		for fault in kill-undo kill-undone; do
			up wg1 || return
			faulty "$fault:$1" down wg1
			[ "$status" = 137 ] || return
			run down wg1
			says 0 || return
			as_before "down with $fault:$1" || return
		done
	}
	at_steps at 0
}

# step NAME: its number
step() { printf '%s\n' "${steps[@]}" | grep -n "^$1" | cut -d: -f1; }

@test "a card that is pulled out before, in or after its move leaves nothing behind" {
	local n fault
	n=$(step phy.move)
	for fault in "kill-before:$n" "kill-after:$n" "kill-after:$((n + 3))"; do
		up_at "$fault"
		[ "$status" = 137 ]
		modprobe -r mac80211_hwsim
		run down wg1
		says 0
		run ! lab_run test -e /run/wgns/box/physical
		modprobe mac80211_hwsim radios=1
		mapfile -t radios < <(cat /sys/class/ieee80211/phy*/index)
		wifi_give "${radios[0]}" wlan0
	done
}
