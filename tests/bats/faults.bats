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
	n_faults=0 n_compared=0 settle=:
	burden
	remember
	mapfile -t steps < <(up -n wg0)
	((${#steps[@]} > 15))
}
# figures: what at_each_step did, for whoever reads the run
figures() { echo "# $1: $n_faults faults, $n_compared states compared, 0 failures" >&3; }

burden() {
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
}
teardown() { lab_down; }

# faulty FAULTS up|down [ARG]...: prints and keeps what it says
faulty() {
	local faults=$1
	shift
	status=0
	n_faults=$((n_faults + 1))
	output=$(lab_run env WGNS_FAULT="$faults" "$FAULTY" "$@" 2>&1) || status=$?
}
up_at() { faulty "$1" up --backend "$(lab_backend)" wg0; }

# as_before: home is what it was, or it is said after which fault it was not
as_before() {
	n_compared=$((n_compared + 1))
	$settle
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

# The same faults in other circumstances. In CI some of them, at those steps that the plain plan does not have; WGNS_FAULTS_LONG: all.
# A variant is a function that changes the lab, and a line that names it.

# fault N TEXT: everything that can happen at a step; what was killed is finished by recover
fault() {
	local n=$1 text=$2 kind
	for kind in ${WGNS_FAULTS_LONG:+before} after; do
		up_at "$kind:$n"
		says 1 "$text: injected fault" 'everything was undone' || return
		as_before "$kind:$n" || return
	done
	if [[ -n ${WGNS_FAULTS_LONG-} ]]; then
		up_at "undo:$n,after:${#steps[@]}"
		says 4 "cannot undo $text" || return
		finish "undo:$n of a roll-back" || return
	fi
	for kind in ${WGNS_FAULTS_LONG:+kill-before:$n} kill-after:$n ${WGNS_FAULTS_LONG:+"after:${#steps[@]},kill-undo:$n"}; do
		up_at "$kind"
		[ "$status" = 137 ] || return
		finish "$kind" || return
	done
	up wg0 || return
	faulty "undo:$n" down wg0
	says 4 "cannot undo $text" || return
	finish "undo:$n of a down" || return
	for kind in kill-undo ${WGNS_FAULTS_LONG:+kill-undone}; do
		up wg0 || return
		faulty "$kind:$n" down wg0
		[ "$status" = 137 ] || return
		finish "$kind:$n of a down" || return
	done
}
finish() {
	run lab_wgns recover
	says 0 || return
	as_before "$1, and recover"
}

# variant FUNCTION
variant() {
	local plain n
	plain=$'\n'$(printf '%s\n' "${steps[@]}")$'\n'
	"variant_$1"
	remember
	mapfile -t steps < <(up -n wg0)
	((${#steps[@]} > 5))
	for ((n = 1; n <= ${#steps[@]}; n++)); do
		[[ -n ${WGNS_FAULTS_LONG-} || $n = "${only-}" || $plain != *$'\n'${steps[n - 1]}$'\n'* ]] || continue
		fault $n "${steps[n - 1]}" || { echo "at step $n, ${steps[n - 1]}: $output" >&2; return 1; }
	done
	figures "$1"
}

fresh() {
	lab_down
	lab_up "$@"
	burden
}
variant_plain() { :; }
variant_uplinks() { fresh --uplink eth0 --uplink wlan9; }
variant_vlan() {
	lab_run ip link add link eth0 name eth0.7 type vlan id 7 || skip_or_fail 'this kernel has no VLANs'
	lab_run ip -batch - <<-E
		link set eth0.7 up
		addr add 10.50.0.1/24 dev eth0.7
		route add 10.52.0.0/16 via 10.50.0.2
	E
}
variant_second() { up wg1; }
settings() { lab_run sh -c 'mkdir -p /etc/wgns; printf "[%s]\n%s\n" "$@" >/etc/wgns/wgns.conf' - "$@"; }
variant_lan() { settings Physical 'Lan = yes'; }
variant_no_guard() { settings Guard 'KillSwitch = no'; }
variant_boot() {
	settings Guard 'KillSwitch = boot'
	lab_wgns guard on
}
variant_ipv4() { conf wg0 's/, *[0-9a-f:]*::[0-9a-f:]*\/[0-9]*//g'; }
variant_no_dns() { conf wg0 '/^DNS/d'; }
# over: programs of the lab's own that stand in front of the machine's; standard input is a shell script
over() {
	lab_run sh -c 'mkdir -p /run/over /run/names && cat >"/run/over/$1" && chmod 755 "/run/over/$1"' - "$1"
	lab_run sh -c 'mountpoint -q /usr/sbin || mount -t overlay -o lowerdir=/run/over:/usr/sbin over /usr/sbin'
}
# as Debian's, in short: a record a name, and the last one counts
variant_resolvconf() {
	over resolvconf <<-'E'
		#!/bin/sh
		set -e
		[ -e /run/names/base ] || cp /etc/resolv.conf /run/names/base
		case $1 in
		-a) cat >"/run/names/if.$2" ;;
		-d) rm -f "/run/names/if.$2" ;;
		esac
		cat /run/names/if.* /run/names/base 2>/dev/null | head -1 >/run/names/new || :
		cat /run/names/new >/etc/resolv.conf
	E
	lab_run resolvconf -u
}
variant_resolved() {
	lab_run sh -c 'mkdir -p /run/systemd/resolve && cp /etc/resolv.conf /run/systemd/resolve/stub-resolv.conf &&
		ln -sf /run/systemd/resolve/stub-resolv.conf /etc/resolv.conf'
	over resolvectl <<-'E'
		#!/bin/sh
		set -e
		case $1 in
		status) ;;
		revert) rm -f /run/names/*."$2" ;;
		*) echo "$@" >"/run/names/$1.$2" ;;
		esac
		# what it knows of a link goes with the link
		for f in /run/names/*.*; do
			[ ! -e "$f" ] || ip link show "${f##*.}" >/dev/null 2>&1 || rm -f "$f"
		done
	E
	settle='lab_run resolvectl status'
}

@test "every fault, several uplinks" { variant uplinks; }
@test "every fault, a VLAN on the uplink" { variant vlan; }
@test "every fault, a second tunnel" { variant second; }
@test "every fault, Lan = yes" { variant lan; }
@test "every fault, KillSwitch = no" { variant no_guard; }
@test "every fault, KillSwitch = boot" { variant boot; }
@test "every fault, IPv4 only" { variant ipv4; }
@test "every fault, no DNS" { variant no_dns; }
@test "every fault, DNS by resolvconf" { variant resolvconf; }
@test "every fault, DNS by systemd-resolved" { variant resolved; }
@test "every fault, and recover after it" {
	only=${#steps[@]}
	variant plain
}

@test "with Lan = yes, the second tunnel's step fails without harm to what the first left to the LAN" {
	conf wg1 's/^AllowedIPs.*/&, 192.0.2.32\/27/'
	variant_lan
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
	mapfile -t lan_steps < <(printf '%s\n' "${steps[@]}" | grep -n '^lan\.')
	((${#lan_steps[@]} > 0))
	at "${lan_steps[0]%%:*}" "${lan_steps[0]#*:}"
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
