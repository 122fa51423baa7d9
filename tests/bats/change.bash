# SPDX-License-Identifier: GPL-2.0-or-later
# change - what the tests of `up` and `down` share: one fresh lab a test, and the whole state compared
# shellcheck shell=bash

load ../lab/lab

bats_require_minimum_version 1.5.0

WGNS=$(realpath -m "${WGNS:-${BATS_TEST_DIRNAME:-.}/../../build/wgns}")
export WGNS

# up ARG..., down ARG...: the program, over the backend that is tested here
up() { lab_wgns up --backend "$(lab_backend)" "$@"; }
down() { lab_wgns down "$@"; }

# remember: the whole state of home; unchanged: it is the same now
#
# The kernel's own local routes of IPv6 addresses (type 2 and 4 in table 255) come when duplicate address detection
# is done, a second after the lab is there: they say no more than the addresses do. A device that is down has the queueing
# discipline of its last life. The state of a VLAN, and of a device without carrier, is unknown until the kernel has
# looked at it, up to a second later (linkwatch): it is asked again.
state() {
	lab_wait state_settled && cat "$BATS_TEST_TMPDIR/state"
}
state_settled() {
	lab_snapshot | sed -E '/^route6 [24] .* table 255 proto 2 /d; /^link .* state DOWN /s/ qdisc noqueue / qdisc noop /' \
		>"$BATS_TEST_TMPDIR/state"
	! grep -qE '^link .*(LOWER_UP.* state UNKNOWN .* vlan protocol |[<,]UP> .* state UNKNOWN )' "$BATS_TEST_TMPDIR/state"
}
remember() {
	state >"$BATS_TEST_TMPDIR/before"
	grep -q '^link lo:' "$BATS_TEST_TMPDIR/before"
}
# the kernel looks at the carrier of most devices once a second (linkwatch): until then operstate is the old one
is_unchanged() {
	state >"$BATS_TEST_TMPDIR/after"
	cmp -s "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
}
unchanged() { lab_wait is_unchanged || diff "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"; }

# up_and_down ARG...: home is as before
up_and_down() {
	remember
	up "$@" wg0
	down wg0
	unchanged
}

# in_physical CMD...: as anybody does it
in_physical() { lab_run ip netns exec physical "$@"; }

# conf NAME [SED-SCRIPT]: /etc/wireguard/NAME.conf of standard input, or changed in place
conf() {
	if (($# > 1)); then
		lab_run sed -i "$2" "/etc/wireguard/$1.conf"
	else
		lab_run sh -c "umask 077; cat >/etc/wireguard/$1.conf"
	fi
}
# interface NAME LINE: one more line for [Interface]
interface() { conf "$1" "/^\[Interface\]/a $2"; }

get() { lab_run curl -sgm "${2:-10}" "http://$1"; }

# says STATUS TEXT...: what the `run` before gave: the exit status, and every TEXT in the output
says() {
	[ "$status" = "$1" ] || { echo "status $status, not $1: $output" >&2; return 1; }
	shift
	local text
	for text; do
		[[ $output = *"$text"* ]] || { echo "no '$text' in: $output" >&2; return 1; }
	done
}

# refused STATUS TEXT... -- UP-ARG...: up fails so, by itself and with -n, and nothing was touched
refused() {
	local want=()
	while [[ $1 != -- ]]; do want+=("$1"); shift; done
	shift
	remember
	run up "$@"
	says "${want[@]}"
	run up -n "$@"
	says "${want[@]}"
	unchanged
}

# the journals of a tunnel and of the layout: the texts of all steps, in order
journal_steps() {
	lab_run sh -c "cat /run/wgns/box/physical/journal '/run/wgns/tunnel/home:$1/journal'" |
		tr -d '\0' | sed -n 's/^I [0-9]* //p'
}

# skip_or_fail WHY [may]: WGNS_MUST_RUN forbids a skip where the kernel is a whole one, which has WireGuard; where it has none
# the same tests run in the test machine. "may": the run over the other backend has the test.
skip_or_fail() {
	if [[ -n ${WGNS_MUST_RUN-} && $LAB_KERNEL = yes && ${2-} != may ]]; then
		echo "must run, and does not: $1" >&2
		return 1
	fi
	skip "$1"
}
