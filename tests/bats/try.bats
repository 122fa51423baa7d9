#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: none
# trying it safely: up --wait, up --confirm with confirm, and who is about to cut his own SSH connection
# shellcheck disable=SC2086 # options are words
# shellcheck disable=SC2016 # the text of a hook or a file is not for this shell to expand
# shellcheck disable=SC2154 # run sets status, output and stderr
# shellcheck disable=SC2317 # functions are called by name

load change

setup() { lab_up; }
teardown() { lab_down; }

# the endpoint of wg0 is where nobody answers and nobody says so
blackhole() {
	lab_in isp ip route add blackhole 198.51.100.77
	conf wg0 's/^Endpoint.*/Endpoint = 198.51.100.77:51820/'
}

# starts COMMAND...: in the background, from here on; what it says is in $said, and ends STATUS waits for it
starts() {
	said=$BATS_TEST_TMPDIR/said
	(
		lab_close_fds
		exec nsenter -t "$LAB_HOME" -m -n -p -r --wdns="$PWD" -- "$@"
	) </dev/null >"$said" 2>&1 &
	started=$!
}
ends() {
	status=0
	wait "$started" || status=$?
	output=$(<"$said")
	says "$@"
}
tries() { starts "$WGNS" up --backend "$(lab_backend)" "$@"; }
is_asking() { lab_run test -S /run/wgns/tunnel/home:wg0/confirm; }
asks() { lab_wait is_asking; }

# sends SIGNAL PROGRAM: to the oldest process of that name in home; who starts it there hands no signal on
sends() { lab_run kill "-$1" "$(lab_run pgrep -xo "$2")"; }

keepalive() { lab_run wg show wg0 persistent-keepalive | cut -f 2; }

@test "up --wait is done when the handshake is, although nothing has been sent through the tunnel" {
	remember
	up --wait 15 wg0
	lab_has_handshake wg0
	[ "$(keepalive)" = off ]
	[ "$(get 10.77.0.80/)" = "behind the tunnel" ]
	down wg0
	unchanged
}

@test "up --wait leaves the keepalive of the file" {
	conf wg0 '/^Endpoint/a PersistentKeepalive = 21'
	up --wait 15 wg0
	lab_has_handshake wg0
	[ "$(keepalive)" = 21 ]
}

@test "up --wait is content with one of several peers" {
	conf wg0 '$a [Peer]\nPublicKey = '"$(wg genkey | wg pubkey)"'\nEndpoint = 198.51.100.77:51820\nAllowedIPs = 10.200.0.0/16'
	lab_in isp ip route add blackhole 198.51.100.77
	up --wait 15 wg0
	[ "$(lab_run wg show wg0 latest-handshakes | awk '$2 { n++ } END { print n }')" = 1 ]
}

@test "up --wait comes before PostUp, which finds a tunnel that works" {
	interface wg0 'PostUp = wg show %i latest-handshakes >/run/seen'
	up --wait 15 wg0
	[ "$(lab_run awk '{ print ($2 > 0) }' /run/seen)" = 1 ]
}

@test "up --wait comes after a PostUp that sets the key" {
	lab_run sh -c 'umask 077; sed -n "s/^PrivateKey = //p" /etc/wireguard/wg0.conf >/run/key'
	conf wg0 '/^PrivateKey/d'
	interface wg0 'PostUp = wg set %i private-key /run/key'
	run up -n --wait 15 wg0
	[ "${lines[-1]}" = 'handshake.wait wg0 15 s' ]
	up --wait 15 wg0
	lab_has_handshake wg0
}

@test "up --wait undoes everything when nobody answers, and says what was tried" {
	blackhole
	remember
	run up --wait 1 wg0
	says 1 'handshake.wait wg0 1 s: no handshake with 198.51.100.77:51820 in 1 s' 'bytes went out, none came back' \
		'wgns exec --physical' 'everything was undone'
	unchanged
}

@test "up --wait says so when nothing could be sent" {
	conf wg0 's/^Endpoint.*/Endpoint = 203.0.113.99:51820/'
	lab_run ip route add unreachable 203.0.113.99 metric 1
	lab_run ip route add 203.0.113.99 via 192.0.2.1 dev eth0
	interface wg0 'PreUp = ip -n physical route del 203.0.113.99; ip -n physical route add prohibit 203.0.113.99'
	remember
	run up --wait 1 wg0
	says 1 'nothing could be sent' 'everything was undone'
	unchanged
}

@test "up --wait without anybody to call is refused" {
	conf wg0 '/^Endpoint/d'
	refused 2 'no peer of wg0 has an Endpoint' -- --wait 5 wg0
}

@test "up --wait and --confirm take whole seconds" {
	for option in --wait --confirm; do
		for value in 0 -1 1s 86401 99999999999999999999 ''; do
			run up $option "$value" wg0
			says 2 "$option takes a number of seconds"
		done
	done
}

@test "up --wait shows the seconds on a terminal, and nothing elsewhere" {
	blackhole
	run up --wait 1 wg0
	[[ $output != *'left'* ]]
	run lab_run script -qec "$WGNS up --backend $(lab_backend) --wait 1 wg0" /dev/null
	[[ $output = *'waiting for a handshake with 198.51.100.77:51820: 1 s left'* ]]
}

@test "an interrupt ends up --wait and undoes everything" {
	blackhole
	remember
	tries -v --wait 3000 wg0
	lab_wait grep -q '^handshake.wait' "$said"
	sends INT wgns
	ends 1 'interrupted' 'everything was undone'
	unchanged
}

@test "handshake.wait and confirm.wait fail, are killed and are undone like every step" {
	faulty=${WGNS_FAULTY:-$BATS_TEST_TMPDIR/faults/wgns}
	[ -n "${WGNS_FAULTY-}" ] || make -s -C "$BATS_TEST_DIRNAME/../.." O="$BATS_TEST_TMPDIR/faults" FAULTS=1 "$faulty" >&2
	remember
	mapfile -t steps < <(up -n --wait 20 --confirm 20 wg0)
	[ "${steps[-1]}" = 'confirm.wait wg0 20 s' ]
	n=${#steps[@]}
	at() { run lab_run env WGNS_FAULT="$1" "$faulty" up --backend "$(lab_backend)" --wait 20 --confirm 20 wg0; }
	for i in $((n - 1)) $n; do
		at "before:$i"
		says 1 "step $i/$n ${steps[i - 1]}: injected fault" 'everything was undone'
		unchanged
		at "before:$i,undo:$i"
		says 4 "cannot undo ${steps[i - 1]}"
		down wg0
		unchanged
		at "kill-before:$i"
		[ "$status" = 137 ]
		down wg0
		unchanged
	done
	at "after:$((n - 1))"
	says 1 'injected fault' 'everything was undone'
	unchanged
}

@test "up --confirm, confirmed by wgns confirm" {
	remember
	tries --confirm 3000 wg0
	asks
	[ "$(get 10.77.0.80/)" = "behind the tunnel" ]
	run lab_wgns status
	says 0 'wg0: unfinished: it waits to be confirmed; `wgns confirm wg0` keeps it'
	run lab_wgns confirm
	says 0 'wg0 is confirmed'
	ends 0 'wg0 is up'
	[ "$(lab_wgns status --json | jq -r '.tunnels[0].state')" = up ]
	run lab_wgns confirm wg0
	says 3 'does not wait to be confirmed'
	down wg0
	unchanged
}

@test "up --confirm --wait --json tells that it was confirmed" {
	tries --wait 15 --confirm 3000 --json wg0
	asks
	lab_has_handshake wg0
	lab_wgns confirm wg0
	ends 0
	[ "$(grep -o '{.*}' "$said" | jq -c '[.schema, .tunnel, .state, .confirmed]')" = '[1,"wg0","up",true]' ]
	down wg0
	run --separate-stderr up --json wg0
	[ "$(jq .confirmed <<<"$output")" = false ]
}

@test "up --confirm rolls back by itself" {
	remember
	run up --confirm 1 wg0
	says 1 'confirm.wait wg0 1 s: nobody confirmed it in 1 s' 'everything was undone'
	unchanged
}

@test "up --confirm with KillSwitch = boot rolls back to a home that was not guarded" {
	lab_run sh -c 'mkdir -p /etc/wgns; printf "[Guard]\nKillSwitch = boot\n" >/etc/wgns/wgns.conf'
	remember
	run up --confirm 1 wg0
	says 1 'nobody confirmed it in 1 s' 'everything was undone'
	[ "$(lab_wgns guard status --json | jq -r .guard)" = off ]
	unchanged
	# one that was there stands again
	lab_wgns guard on
	run up --confirm 1 wg0
	says 1 'everything was undone'
	[ "$(lab_wgns guard status --json | jq -r .guard)" = boot ]
}

@test "an up that nobody confirms runs PreDown and PostDown, and waits for none of them for ever" {
	interface wg0 'PostUp = ip rule add prohibit from 10.99.0.0/16'
	interface wg0 'PreDown = wg show %i >/dev/null; ip rule del prohibit from 10.99.0.0/16'
	interface wg0 'PostDown = ! ip link show %i 2>/dev/null; sleep 1000'
	remember
	run up --confirm 1 wg0
	says 1 'PostUp' 'PreDown 1' 'PostDown 1' 'PostDown did not end' 'nobody confirmed it' 'everything was undone'
	run ! lab_run pgrep -x sleep
	unchanged
}

@test "up --confirm rolls back at once on each signal" {
	for signal in INT TERM HUP QUIT; do
		remember
		starts env --default-signal=HUP "$WGNS" up --backend "$(lab_backend)" --confirm 3000 wg0
		asks
		sends $signal wgns
		ends 1 'interrupted' 'everything was undone'
		unchanged
	done
}

@test "up --confirm under nohup outlives the session" {
	starts env --ignore-signal=HUP "$WGNS" up --backend "$(lab_backend)" --confirm 3000 wg0
	asks
	sends HUP wgns
	lab_wgns confirm wg0
	ends 0 'wg0 is up'
}

@test "up --confirm that is killed leaves what down undoes" {
	remember
	tries --confirm 3000 wg0
	asks
	sends KILL wgns
	ends 137
	run lab_wgns status
	says 0 'was interrupted: `wgns recover`'
	run lab_wgns confirm
	says 3 'nothing waits to be confirmed'
	run lab_wgns confirm wg0
	says 3 'half up' 'wgns down wg0'
	[ "$(lab_wgns status --json | jq -r '.tunnels[0].state')" = unfinished ]
	down wg0
	unchanged
}

@test "while it waits status and exec work, and another change waits for it" {
	tries --confirm 3000 wg0
	asks
	[ "$(lab_wgns status --json | jq -r '.tunnels[0].device // .tunnels[0].name')" != null ]
	lab_wgns exec --physical true
	first=$started first_said=$said
	said=$BATS_TEST_TMPDIR/second
	(
		lab_close_fds
		exec nsenter -t "$LAB_HOME" -m -n -p -r -- "$WGNS" up --backend "$(lab_backend)" wg1
	) </dev/null >"$said" 2>&1 &
	second=$!
	lab_wait grep -q 'wg0 waits to be confirmed (`wgns confirm wg0`)' "$said"
	lab_wgns confirm
	wait "$first"
	wait "$second"
	grep -q 'wg0 is up' "$first_said"
	[ "$(lab_wgns status --json | jq -r '[.tunnels[].name] | join(" ")')" = 'wg0 wg1' ]
}

@test "confirm when nothing is there to be confirmed" {
	remember
	run lab_wgns confirm
	says 3 'nothing waits to be confirmed'
	run lab_wgns confirm wg0
	says 3 'wg0 is not up'
	run lab_wgns confirm wg0 wg1
	says 2
	run lab_wgns confirm --all
	says 2 'no such option'
	unchanged
	up wg0
	run lab_wgns confirm
	says 3 'nothing waits to be confirmed'
	run lab_wgns confirm wg1
	says 3 'wg1 is not up'
}

@test "confirm is for root" {
	run lab_as alice "$WGNS" confirm
	says 1 'only root'
}

# types_on_terminal ARG...: up with a terminal; what is written to $keys is typed there, what it shows is in /run/shown
on_terminal() {
	keys=$BATS_TEST_TMPDIR/keys
	mkfifo "$keys"
	(
		lab_close_fds
		exec nsenter -t "$LAB_HOME" -m -n -p -r -- script -qefc "stty cols 100; exec $WGNS up --backend $(lab_backend) $*" /run/shown
	) <>"$keys" >/dev/null 2>&1 &
	started=$! said=/dev/null
}
shows() { lab_wait lab_run grep -q "$1" /run/shown; }

@test "up --confirm on a terminal counts down and takes Enter" {
	on_terminal --confirm 3000 wg0
	shows 'Enter or `wgns confirm wg0` keeps it; undone in 3000 s'
	shows 'undone in 299[0-9] s'
	echo >"$keys"
	ends 0
	lab_run grep -q 'wg0 is up (' /run/shown
	down wg0
}

@test "up --confirm on a terminal takes nothing else for an answer" {
	remember
	on_terminal --confirm 3000 wg0
	shows 'keeps it'
	echo 'wgns status' >"$keys"
	printf '\x04\x1a' >"$keys"
	shows 'undone in 299[0-9] s'
	is_asking
	printf '\x03' >"$keys"
	ends 1
	lab_run grep -q 'everything was undone' /run/shown
	lab_run rm /run/shown
	unchanged
}

@test "up --confirm rolls back when its terminal goes" {
	remember
	on_terminal --confirm 3000 wg0
	shows 'keeps it'
	sends KILL script
	ends 137
	gone() { ! lab_run test -e /run/wgns; }
	lab_wait gone
	lab_run rm /run/shown
	unchanged
}

@test "up --confirm rolls back although its terminal has been stopped" {
	remember
	on_terminal -v --confirm 2 wg0
	shows 'keeps it'
	printf '\x13' >"$keys"
	gone() { ! lab_run test -e /run/wgns; }
	lab_wait gone
	printf '\x11' >"$keys"
	ends 1
	lab_run rm /run/shown
	unchanged
}

# ssh CONNECTION COMMAND...: as in a shell that sshd has started
ssh_from() { lab_run env SSH_CONNECTION="$1" "${@:2}"; }

@test "up that would cut the caller's SSH connection is refused, and says what to do" {
	for client in '203.0.113.80 50000 192.0.2.10 22' '192.0.2.1 50000 192.0.2.10 22' \
		'::ffff:203.0.113.80 50000 ::ffff:192.0.2.10 22' '2001:db8:80::80 50000 2001:db8:1::10 22' \
		'fe80::1%eth0 50000 fe80::2%eth0 22'; do
		address=${client%% *}
		remember
		for dry in '' -n; do
			run ssh_from "$client" "$WGNS" up $dry --backend "$(lab_backend)" wg0
			says 3 "your SSH connection from ${address#::ffff:} runs over eth0" '--confirm 60 wg0' '--wait' '--force'
		done
		unchanged
	done
}

@test "an SSH connection is seen in the environment of a process above, as below sudo" {
	remember
	run ssh_from '203.0.113.80 50000 192.0.2.10 22' \
		sh -c 'sh -c "env -u SSH_CONNECTION \"\$@\"; exit \$?" - "$@"; exit $?' - "$WGNS" up --backend "$(lab_backend)" wg0
	says 3 'your SSH connection from 203.0.113.80 runs over eth0'
	unchanged
}

@test "up over the caller's own SSH connection with --wait, --confirm or --force says so and goes on" {
	client='203.0.113.80 50000 192.0.2.10 22'
	for option in '--wait 15' --force; do
		run ssh_from "$client" "$WGNS" up --backend "$(lab_backend)" $option wg0
		says 0 'warning: your SSH connection from 203.0.113.80 runs over eth0'
		down wg0
	done
	run ssh_from "$client" "$WGNS" up --backend "$(lab_backend)" --confirm 1 wg0
	says 1 'warning: your SSH connection' 'nobody confirmed it'
}

@test "an SSH connection over a device on an uplink is one over the uplink" {
	lab_run ip link add vlan7 link eth0 type vlan id 7 || skip_or_fail 'this kernel has no VLANs'
	lab_run ip addr add 10.7.0.1/24 dev vlan7
	lab_run ip link set vlan7 up
	remember
	run ssh_from '10.7.0.9 50000 10.7.0.1 22' "$WGNS" up --backend "$(lab_backend)" wg0
	says 3 'runs over vlan7'
	unchanged
}

@test "an SSH connection over a device that stays is none of up's business" {
	lab_run ip link add lan0 type veth peer name lan1
	lab_run ip addr add 10.40.0.1/24 dev lan0
	lab_run ip link set lan0 up
	lab_run ip link set lan1 up
	for client in '10.40.0.9 5 10.40.0.1 22' '127.0.0.1 5 127.0.0.1 22' '::1 5 ::1 22' '192.0.2.10 5 192.0.2.10 22' \
		'fe80::9%lan0 5 fe80::1%lan0 22'; do
		run ssh_from "$client" "$WGNS" up -n --backend "$(lab_backend)" wg0
		says 0
		[[ $output != *SSH* ]]
	done
	up wg1
	# the layout is up: nothing moves any more
	run ssh_from '10.78.0.80 5 10.9.1.2 22' "$WGNS" up -n --backend "$(lab_backend)" wg0
	says 0
}

@test "garbage in SSH_CONNECTION is ignored" {
	long=$(head -c 5000 /dev/zero | tr '\0' 1)
	for client in '' ' ' '203.0.113.80' '203.0.113.80 1 2' '203.0.113.80  1 2 3' '203.0.113.80 1 2 3 4' 'UNKNOWN 65535 UNKNOWN 65535' \
		'203.0.113.800 1 2 3' "$long 1 2 3" '%eth0 1 2 3' 'fe80::1% 1 2 3' '$(id) 1 2 3'; do
		run ssh_from "$client" "$WGNS" up -n --backend "$(lab_backend)" wg0
		says 0
		[[ $output != *SSH* ]]
	done
}
