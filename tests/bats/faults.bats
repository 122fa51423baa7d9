#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: 6.12
# every step of the plan fails, its undo fails, wgns is killed at it: the plan itself says which steps there are
# shellcheck disable=SC2016 # the text of a hook or a file is not for this shell to expand
# shellcheck disable=SC2154 # run sets status, output and stderr
# shellcheck disable=SC2317 # functions are called by name

load faults

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

@test "killed before a step, recover brings everything back" {
	at() {
		up_at "kill-before:$1"
		[ "$status" = 137 ] || return
		run up wg0
		says 3 'half up' 'wgns recover' || return
		run lab_wgns recover
		says 0 'undone: wg0' || return
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
