#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: none
# the faults of faults.bats in other circumstances: uplinks, tunnels, names, settings
# shellcheck disable=SC2016 # the text of a hook or a file is not for this shell to expand
# shellcheck disable=SC2154 # run sets status, output and stderr
# shellcheck disable=SC2317 # functions are called by name

load faults

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
# a client at work in home: it comes and goes with its steps, and is there again at the end, whatever happened
variant_agent() {
	lab_down
	lab_up --bare
	lab_install
	lab_run install "$FAULTY" /run/bin/wgns-faulty
	FAULTY=/run/bin/wgns-faulty
	interface wg0 'PostUp = true'
	lab_run ip link set eth0 up
	lab_run dhclient -4 -pf /run/client.pid -lf /run/client.leases eth0 >&2
	settle='lab_wait client_is_bound'
	$settle
}
# it writes its number down when it has a lease and leaves its script behind
client_is_bound() {
	[ "$(lab_run pgrep -x dhclient)" = "$(lab_run cat /run/client.pid)" ] && ! lab_run pgrep -f dhclient-script
}
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
	# shellcheck disable=SC2034 # for as_before
	settle='lab_run resolvectl status'
}

@test "every fault, several uplinks" { variant uplinks; }
@test "every fault, a VLAN on the uplink" { variant vlan; }
@test "every fault, a second tunnel" { variant second; }
@test "every fault, a DHCP client" { variant agent; }
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
