#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: none
# one system call, or one kind of netlink message, is refused for the whole of an up or a down; which ones there are is counted
# WGNS_FAULTS_LONG: every system call and more errors; else those that change something
# shellcheck disable=SC2154 # run sets status, output and stderr

load change

DENY=$(realpath -m "${O:-${BATS_TEST_DIRNAME:-.}/../../build}/tests/faults/deny")
# what changes the machine or a file, or makes a process
changing='clone connect fallocate fchmod fchown flock fsync linkat mkdir mkdirat mount openat openat2 pwrite64 renameat rmdir
	sendto setns socket symlinkat umount2 unlink unlinkat unshare utimensat wait4 waitid write'
# without these no program begins or ends
never='arch_prctl brk execve exit exit_group mmap mprotect rseq set_robust_list set_tid_address'

setup_file() {
	[ -x "$DENY" ] || make -s -C "$BATS_TEST_DIRNAME/../.." O="${DENY%/tests/faults/deny}" "$DENY" >&2
}
setup() {
	lab_up
	interface wg0 'PreUp = true'
	interface wg0 'PostDown = true'
	remember
	n_denied=0 n_compared=0 n_bad=0
}
teardown() { lab_down; }

# denied OPTION WHAT ERRNO ARG...: 124 when it takes too long
denied() {
	local option=$1 what=$2 code=$3
	shift 3
	n_denied=$((n_denied + 1))
	status=0
	# into a file: what is left of it when it took too long must not hold a pipe
	nsenter -t "$LAB_HOME" -m -n -p -r -- env WG_ENDPOINT_RESOLUTION_RETRIES=1 timeout -k 5 60 "$DENY" "-$option" "$what" -e "$code" "$WGNS" "$@" \
		>"$BATS_TEST_TMPDIR/said" 2>&1 3>&- || status=$?
	output=$(<"$BATS_TEST_TMPDIR/said")
}
# what is used: used syscall|netlink ARG...
used() {
	local kind=$1
	shift
	lab_run "$DENY" -c /run/count "$WGNS" "$@" 2>/dev/null
	lab_run sed -n "s/^$kind \([^ ]*\) .*/\1/p" /run/count
	lab_run rm /run/count
}
bad() {
	n_bad=$((n_bad + 1))
	printf '%s\n' "$1: status $status: $output" >&2
	[ -z "${2-}" ] || printf '%s\n' "$2" >&2
}
no_supervisor() { ! lab_run pgrep -x deny; }
same() {
	lab_wait no_supervisor
	unchanged 2>&1
}

up_without() {
	local what="up without $2 ($3)" said diff
	denied "$1" "$2" "$3" up --backend "$(lab_backend)" wg0
	said="$status: $output"
	case $status in
	0) down wg0 2>/dev/null || bad "$what, then down" "$said" ;;
	4)
		run lab_wgns recover
		[ "$status" = 0 ] || bad "$what, then recover" "$said"
		;;
	124 | 137)
		bad "$what took too long"
		restart
		return
		;;
	esac
	n_compared=$((n_compared + 1))
	diff=$(same) || {
		bad "$what" "$said
$diff"
		restart
	}
}

down_without() {
	local what="down without $2 ($3)" said diff
	up wg0 2>/dev/null
	denied "$1" "$2" "$3" down wg0
	said="$status: $output"
	case $status in
	0) ;;
	124 | 137)
		bad "$what took too long"
		restart
		return
		;;
	*)
		run lab_wgns recover
		[ "$status" = 0 ] || bad "$what, then recover" "$said"
		run lab_wgns down wg0
		[ "$status" = 0 ] || [ "$status" = 3 ] || bad "$what, then down" "$said"
		;;
	esac
	n_compared=$((n_compared + 1))
	diff=$(same) || {
		bad "$what" "$said
$diff"
		restart
	}
}

# after a failure the others are tried in a lab of their own
restart() {
	lab_down
	lab_up
	interface wg0 'PreUp = true'
	interface wg0 'PostDown = true'
	remember
}

figures() {
	echo "# $1: $n_denied denials, $n_compared states compared, $n_bad failures" >&3
	[ "$n_bad" = 0 ]
}

@test "up without a kind of netlink message succeeds, or leaves nothing" {
	mapfile -t kinds < <(used netlink up --backend "$(lab_backend)" wg0)
	down wg0
	lab_wait no_supervisor
	((${#kinds[@]} > 5))
	for kind in "${kinds[@]}"; do
		for code in EPERM ${WGNS_FAULTS_LONG:+ENOBUFS}; do
			up_without n "$kind" "$code"
		done
	done
	figures 'netlink, up'
}

@test "down without a kind of netlink message is finished by recover or down" {
	up wg0
	mapfile -t kinds < <(used netlink down wg0)
	((${#kinds[@]} > 3))
	for kind in "${kinds[@]}"; do
		for code in ENOBUFS ${WGNS_FAULTS_LONG:+EPERM}; do
			down_without n "$kind" "$code"
		done
	done
	figures 'netlink, down'
}

# chosen CALL: is it tried?
chosen() {
	[[ " $(echo $never) " != *" $1 "* ]] || return 1
	[[ -n ${WGNS_FAULTS_LONG-} || " $(echo $changing) " = *" $1 "* ]]
}

@test "up without a system call succeeds, or leaves nothing" {
	mapfile -t calls < <(used syscall up --backend "$(lab_backend)" wg0)
	down wg0
	lab_wait no_supervisor
	((${#calls[@]} > 30))
	for call in "${calls[@]}"; do
		chosen "$call" || continue
		for code in EPERM ${WGNS_FAULTS_LONG:+ENOMEM EIO}; do
			up_without s "$call" "$code"
		done
	done
	figures 'system calls, up'
}

@test "down without a system call is finished by recover or down" {
	up wg0
	mapfile -t calls < <(used syscall down wg0)
	((${#calls[@]} > 30))
	for call in "${calls[@]}"; do
		chosen "$call" || continue
		for code in EPERM ${WGNS_FAULTS_LONG:+ENOMEM EROFS}; do
			down_without s "$call" "$code"
		done
	done
	figures 'system calls, down'
}
