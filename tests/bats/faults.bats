#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: 6.12
# every step of the plan fails, its undo fails, wgns is killed at it: the plan itself says which steps there are
# shellcheck disable=SC2016 # the text of a hook or a file is not for this shell to expand
# shellcheck disable=SC2154 # run sets status, output and stderr
# shellcheck disable=SC2317 # functions are called by name

load change

setup_file() {
	export FAULTY=${WGNS_FAULTY:-$BATS_FILE_TMPDIR/faults/wgns}
	[ -n "${WGNS_FAULTY-}" ] ||
		make -s -C "$BATS_TEST_DIRNAME/../.." O="$BATS_FILE_TMPDIR/faults" FAULTS=1 "$FAULTY" >&2
}

setup() {
	lab_up
	interface wg0 'PreUp = true'
	interface wg0 'PostUp = true'
	# all kinds of state that a move loses
	lab_run ip -batch - <<-E
		link set eth0 mtu 1400 alias uplink
		addr add 192.0.2.11/26 dev eth0 label eth0:one
		route add 10.2.0.0/16 via 192.0.2.1 dev eth0 table 77
		rule add iif eth0 lookup 77
		neigh add 192.0.2.5 lladdr 02:00:00:00:00:05 dev eth0 nud permanent
		link add lan0 type veth peer name lan1
		link set lan0 up
		addr add 10.40.0.1/24 dev lan0
		route add 10.41.0.0/16 via 10.40.0.2 dev lan0 src 192.0.2.10
	E
	lab_run sh -c 'echo 2 >/proc/sys/net/ipv4/conf/eth0/rp_filter'
	remember
	mapfile -t steps < <(up -n wg0)
	((${#steps[@]} > 15))
}
teardown() { lab_down; }

# faulty FAULTS up|down [ARG]...: prints and keeps what it says
faulty() {
	local faults=$1
	shift
	status=0
	output=$(lab_run env WGNS_FAULT="$faults" "$FAULTY" "$@" 2>&1) || status=$?
}
up_at() { faulty "$1" up --backend "$(lab_backend)" wg0; }

# as_before: home is what it was, or it is said after which fault it was not
as_before() {
	unchanged || { echo "after $1: $output" >&2; return 1; }
}

# at_each_step FUNCTION: with the number of each step and its text
at_each_step() {
	local n
	for ((n = 1; n <= ${#steps[@]}; n++)); do
		"$1" $n "${steps[n - 1]}" || { echo "at step $n, ${steps[n - 1]}: $output" >&2; return 1; }
	done
}

@test "a step that fails before it did anything undoes those before it" {
	at() {
		up_at "before:$1"
		says 1 "step $1/${#steps[@]} $2: injected fault" 'everything was undone' || return
		as_before "before:$1"
	}
	at_each_step at
}

@test "a step that fails when it has done its work is undone with those before it" {
	at() {
		up_at "after:$1"
		says 1 "step $1/${#steps[@]} $2: injected fault" 'everything was undone' || return
		as_before "after:$1"
	}
	at_each_step at
}

@test "a roll-back whose undo of a step fails names it, and down does the rest" {
	at() {
		up_at "undo:$1,after:${#steps[@]}"
		says 4 "cannot undo $2" 'wgns down wg0' || return
		run up wg0
		says 3 'half up' || return
		run down wg0
		says 0 || return
		as_before "undo:$1"
	}
	at_each_step at
}

@test "a down whose undo of a step fails names it, and the next down does the rest" {
	at() {
		up wg0 || return
		faulty "undo:$1" down wg0
		says 4 "cannot undo $2" 'wgns down wg0' || return
		run down wg0
		says 0 || return
		as_before "down with undo:$1"
	}
	at_each_step at
}

@test "killed before a step, down brings everything back" {
	at() {
		up_at "kill-before:$1"
		[ "$status" = 137 ] || return
		run up wg0
		says 3 'half up' 'wgns recover' || return
		run down wg0
		says 0 || return
		as_before "kill-before:$1"
	}
	at_each_step at
}

@test "killed after a step, down brings everything back" {
	at() {
		up_at "kill-after:$1"
		[ "$status" = 137 ] || return
		run down wg0
		says 0 || return
		as_before "kill-after:$1"
	}
	at_each_step at
}

@test "down killed before or after the undo of a step is finished by the next down" {
	at() {
		local fault
		for fault in kill-undo kill-undone; do
			up wg0 || return
			faulty "$fault:$1" down wg0
			[ "$status" = 137 ] || return
			run down wg0
			says 0 || return
			as_before "down with $fault:$1" || return
		done
	}
	at_each_step at
}

@test "a roll-back killed at the undo of a step is finished by down" {
	at() {
		up_at "after:${#steps[@]},kill-undo:$1"
		[ "$status" = 137 ] || return
		run down wg0
		says 0 || return
		as_before "roll-back with kill-undo:$1"
	}
	at_each_step at
}

@test "the second tunnel's steps fail without harm to the first" {
	up wg1
	[ "$(get 10.78.0.80/)" = "behind the tunnel" ]
	remember
	mapfile -t steps < <(up -n wg0)
	at() {
		up_at "after:$1"
		says 1 "step $1/${#steps[@]} $2: injected fault" 'everything was undone' || return
		as_before "after:$1 of the second tunnel"
	}
	at_each_step at
	[ "$(get 10.78.0.80/)" = "behind the tunnel" ]
}

# with_lan: the layout has Lan = yes; and of the plan only its steps are looked at
with_lan() {
	lab_run sh -c 'printf "[Physical]\nLan = yes\n" >/etc/wgns/wgns.conf'
	remember
	mapfile -t steps < <(up -n "$1")
}
at_each_lan_step() {
	local n seen=0
	for ((n = 1; n <= ${#steps[@]}; n++)); do
		[[ ${steps[n - 1]} = *lan* ]] || continue
		seen=$((seen + 1))
		"$1" $n "${steps[n - 1]}" || { echo "at step $n, ${steps[n - 1]}: $output" >&2; return 1; }
	done
	((seen >= $2))
}

@test "with Lan = yes, a step that fails or is killed leaves no trace of the pair" {
	with_lan wg0
	at() {
		local fault
		for fault in before after; do
			up_at "$fault:$1"
			says 1 "step $1/${#steps[@]} $2: injected fault" 'everything was undone' || return
			as_before "$fault:$1" || return
		done
		for fault in kill-before kill-after; do
			up_at "$fault:$1"
			[ "$status" = 137 ] || return
			run down wg0
			says 0 || return
			as_before "$fault:$1" || return
		done
	}
	at_each_lan_step at 7
}

@test "with Lan = yes, an undo that fails or is killed is finished by the next down" {
	with_lan wg0
	at() {
		local fault
		up_at "undo:$1,after:${#steps[@]}"
		says 4 "cannot undo $2" 'wgns down wg0' || return
		run down wg0
		says 0 || return
		as_before "undo:$1" || return
		up wg0 || return
		faulty "undo:$1" down wg0
		says 4 "cannot undo $2" 'wgns down wg0' || return
		run down wg0
		says 0 || return
		as_before "down with undo:$1" || return
		for fault in kill-undo kill-undone; do
			up wg0 || return
			faulty "$fault:$1" down wg0
			[ "$status" = 137 ] || return
			run down wg0
			says 0 || return
			as_before "down with $fault:$1" || return
		done
	}
	at_each_lan_step at 7
}

@test "with Lan = yes, the second tunnel's step fails without harm to what the first left to the LAN" {
	conf wg1 's/^AllowedIPs.*/&, 192.0.2.32\/27/'
	with_lan wg0
	up wg0
	remember
	mapfile -t steps < <(up -n wg1)
	at() {
		faulty "after:$1" up --backend "$(lab_backend)" wg1
		says 1 "step $1/${#steps[@]} $2: injected fault" 'everything was undone' || return
		as_before "after:$1 of the second tunnel" || return
		faulty "kill-after:$1" up --backend "$(lab_backend)" wg1
		[ "$status" = 137 ] || return
		run down wg1
		says 0 || return
		as_before "kill-after:$1 of the second tunnel"
	}
	at_each_lan_step at 1
}

# renameat: what is known is written down; mount and umount2: namespaces get and lose their names, folders are pinned;
# unlinkat: folders and files go
# killed_at SYSCALL up|down ARG...: one test run for each call that wgns makes of it; how often there was one is in $n_killed
killed_at() {
	local call=$1 n
	shift
	for ((n = 1; n < 100; n++)); do
		[ "$1" = up ] || up wg0
		status=0
		output=$(lab_run strace -o /dev/null -e trace="$call" -e inject="$call:signal=SIGKILL:when=$n" -- "$WGNS" "$@" 2>&1) ||
			status=$?
		if [ "$status" != 137 ]; then
			[ "$1" = down ] || down wg0
			return
		fi
		n_killed=$((n_killed + 1))
		run down wg0
		# 3: it died before it had made anything
		[ "$status" = 0 ] || [ "$status" = 3 ] || { echo "$call $n of $1: $output" >&2; return 1; }
		as_before "killed at $call $n of $1"
	done
}

@test "killed inside of a step, down brings everything back" {
	[[ $(command -v strace) ]] || skip_or_fail 'there is no strace'
	n_killed=0
	for call in mkdirat mount umount2 renameat rmdir unlinkat; do
		killed_at $call up --backend "$(lab_backend)" wg0
		killed_at $call down wg0
	done
	((n_killed > 10))
}
