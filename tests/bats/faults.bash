# SPDX-License-Identifier: GPL-2.0-or-later
# faults - a lab with all kinds of state, a build that fails on purpose, and what faults.bats and variants.bats share
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # of bats, and for its files

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
		# ten times as slow in an emulated machine: there every sixth, and what its kernel may do in another way
		[[ -z ${CHECK_IN_VM-} || $((n % 6)) = 1 || ${steps[n - 1]} =~ ^(tunnel|wg|link)\. ]] || continue
		"$1" $n "${steps[n - 1]}" || { echo "at step $n, ${steps[n - 1]}: $output" >&2; return 1; }
	done
}
