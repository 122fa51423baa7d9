#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: none
# what a crash left, and what somebody damaged: recover gives everything back, or says exactly what it cannot
# shellcheck disable=SC2016 # the text of a hook or a file is not for this shell to expand
# shellcheck disable=SC2154 # run sets status, output and stderr
# shellcheck disable=SC2317 # functions are called by name

load change

setup_file() {
	export FAULTY=${WGNS_FAULTY:-$BATS_FILE_TMPDIR/faults/wgns}
	[ -n "${WGNS_FAULTY-}" ] ||
		make -s -C "$BATS_TEST_DIRNAME/../.." O="$BATS_FILE_TMPDIR/faults" FAULTS=1 "$FAULTY" >&2
}
setup() { lab_up; }
teardown() { lab_down; }

# shellcheck disable=SC2120 # "run" passes them
recover() { lab_wgns recover "$@"; }
# faulty FAULTS ARG...: killed there
killed() {
	local faults=$1
	shift
	run lab_run env WGNS_FAULT="$faults" "$FAULTY" "$@"
	[ "$status" = 137 ] || { echo "not killed at $faults: $output" >&2; return 1; }
}
up_killed() { killed "$1" up --backend "$(lab_backend)" wg0; }
# the number of the step that begins so
step() { up -n wg0 | grep -n "^$1" | head -1 | cut -d: -f1; }
# nothing_left: home is as before, and so it stays
nothing_left() {
	unchanged || { echo "after $1: $output" >&2; return 1; }
	run recover
	says 0 'nothing to recover' || { echo "after $1" >&2; return 1; }
}
box=/run/wgns/box/physical
own=/run/wgns/tunnel/home:wg0

@test "where nothing was left there is nothing to recover" {
	remember
	run recover
	says 0 'nothing to recover'
	unchanged
	run lab_wgns recover wg0
	says 2 'usage'
	run lab_wgns recover --what
	says 2 '--what: no such option'
}

@test "a tunnel that is up is not touched" {
	up wg0
	state >"$BATS_TEST_TMPDIR/up"
	run recover -v --kill
	says 0 'nothing to recover'
	state | diff "$BATS_TEST_TMPDIR/up" -
	[ "$(get 10.77.0.80/)" = "behind the tunnel" ]
	down wg0
}

@test "an up that was killed is undone, and recover says so" {
	remember
	up_killed "kill-after:$(step route.restore)"
	run up wg0
	says 3 'wg0 is half up' 'wgns recover'
	run recover -v
	says 0 'undo link.move eth0' 'undone: wg0: its `up` was interrupted' 'undone: the layout physical'
	nothing_left up
}

@test "the second tunnel's killed up leaves the first one as it was" {
	up wg1
	remember
	up_killed "kill-before:3"
	run recover
	says 0 'undone: wg0'
	nothing_left up
	[ "$(get 10.78.0.80/)" = "behind the tunnel" ]
}

@test "a down that was killed is finished, and its hooks do not run twice" {
	interface wg0 'PreDown = echo pre >>/run/hooks'
	interface wg0 'PostDown = echo post >>/run/hooks'
	remember
	up wg0
	killed "kill-undone:$(up -n wg1 >/dev/null; journal_steps wg0 | grep -n '^tunnel.create' | cut -d: -f1)" down wg0
	lab_run grep -qx ending=1 "$own/meta"
	run up wg0
	says 3 'wg0 is half down' 'wgns recover'
	run recover
	says 0 'undone: wg0: its `down` was interrupted'
	[ "$(lab_run cat /run/hooks)" = $'pre\npost' ]
	lab_run rm /run/hooks
	nothing_left down
}

@test "a meta of the version before, without the word ending, is read" {
	remember
	up wg0
	lab_run sed -i /^ending=/d "$own/meta"
	run recover
	says 0 'nothing to recover'
	down wg0
	unchanged
}

@test "programs in physical refuse recover; --kill and --force say what becomes of them" {
	remember
	up_killed "kill-after:$(step route.restore)"
	lab_run bash -c 'exec ip netns exec physical sleep 1000' 3>&- 4>&- &
	lab_wait lab_run ip netns pids physical
	lab_wait lab_run pgrep -x sleep
	run recover
	says 3 'programs still run in physical: sleep' 'wgns recover --kill'
	run recover --kill
	says 0 'undone: the layout physical'
	nothing_left kill
	up_killed "kill-after:$(step route.restore)"
	lab_run bash -c 'exec ip netns exec physical sleep 1000' 3>&- 4>&- &
	lab_wait lab_run pgrep -x sleep
	run recover --force
	says 0 'what hides nscd and systemd-resolved from them stays'
	lab_run pkill -x sleep
	lab_wait eval '! lab_run pgrep -x sleep'
	run recover
	[ "$status" = 0 ]
	# that a folder was made only for this is known to the journal, which is gone
	lab_run sh -c 'rmdir /run/nscd /run/systemd/resolve /run/systemd /run/dbus 2>/dev/null; :'
	unchanged
}

@test "recover from another namespace touches nothing and says where" {
	up_killed "kill-after:$(step route.restore)"
	state >"$BATS_TEST_TMPDIR/half"
	run lab_run unshare --net "$WGNS" recover
	says 4 'another network namespace'
	state | diff "$BATS_TEST_TMPDIR/half" -
	recover
}

@test "a tunnel's folder that was removed by hand: the layout and the device are given back" {
	remember
	up wg0
	lab_run rm -r "$own"
	run up wg1
	says 3 'a layout without a tunnel' 'wgns recover'
	run recover
	says 0 'without a record' 'undone: the layout physical'
	nothing_left rm
}

@test "a tunnel that died before it had written anything" {
	remember
	lab_run mkdir -p "$own"
	run recover
	says 0 'undone: wg0'
	nothing_left empty
}

@test "everything under /run/wgns removed by hand but the layout's mount: recover finds it by name" {
	remember
	up wg0
	lab_run sh -c "rm -r $own; find $box -type f ! -name netns ! -name snapshot -delete"
	run recover
	echo "$output"
	[ "$status" = 0 ]
	lab_run sh -c 'rmdir /run/nscd /run/systemd/resolve /run/systemd /run/dbus /run/netns 2>/dev/null; :'
	is_unchanged || lab_run umount /run/netns
	[[ $(lab_run ip route show default) = *eth0* ]]
}

# cut FILE STRIDE BEGIN COMMAND...: for each length of the file that BEGIN leaves, a cut there, then COMMAND; all is as before
cut_at() {
	local file=$1 stride=$2 begin=$3 size n
	shift 3
	"$begin"
	size=$(lab_run sh -c "tr -d '\\0' <$file | wc -c")
	((size > 100))
	for ((n = 0; n < size; n += stride)); do
		((n == 0)) || "$begin" || return
		lab_run truncate -s "$n" "$file"
		run lab_wgns "$@"
		[ "$status" = 0 ] || { echo "$file cut at $n: $output" >&2; return 1; }
		unchanged || { echo "$file cut at $n: $output" >&2; return 1; }
		n_cut=$((n_cut + 1))
	done
}
up_now() { up wg0; }
up_half() { up_killed "kill-after:$half"; }

# WGNS_FAULTS_LONG: at every byte
@test "a journal cut at any byte: down and recover give everything back" {
	remember
	n_cut=0
	stride=${WGNS_FAULTS_LONG:+1}
	half=$(up -n wg0 | wc -l)
	cut_at $box/journal "${stride:-397}" up_now down wg0
	cut_at $own/journal "${stride:-131}" up_now down wg0
	cut_at $box/journal "${stride:-411}" up_half recover
	cut_at $own/journal "${stride:-137}" up_half recover
	echo "# journals: $n_cut cuts, $n_cut states compared, 0 failures" >&3
}

@test "a meta cut at any byte: down says where, and recover gives everything back" {
	remember
	n_cut=0
	stride=${WGNS_FAULTS_LONG:+1}
	cut_at $own/meta "${stride:-97}" up_now recover
	up wg0
	lab_run truncate -s 60 $own/meta
	run lab_wgns down wg0
	says 1 'tunnel/home:wg0/meta is damaged' 'line 4' 'wgns recover'
	recover
	unchanged
	echo "# meta: $n_cut cuts, $n_cut states compared, 0 failures" >&3
}

@test "a journal of garbage: down goes by the plan and names file and line" {
	remember
	for file in $box/journal $own/journal; do
		up wg0
		lab_run sh -c "printf 'I 1 a\nnonsense\n' >$file"
		run lab_wgns down wg0
		says 0 "${file%/journal}: the journal is damaged at line 2"
		unchanged
		up wg0
		lab_run sh -c "head -c 3000 /dev/urandom >$file"
		run lab_wgns down wg0
		says 0
		unchanged
	done
}

@test "journal and plan of garbage: down touches nothing and says which, recover goes by snapshot and names" {
	remember
	for folder in $box $own; do
		up wg0
		state >"$BATS_TEST_TMPDIR/up"
		lab_run sh -c "tee $folder/plan <$folder/journal >/dev/null; cp $folder/journal /run/kept; printf X | dd of=$folder/journal conv=notrunc 2>/dev/null"
		run lab_wgns down wg0
		says 1 "$folder: the journal is damaged at line 1" 'wgns recover'
		[ "$(get 10.77.0.80/)" = "behind the tunnel" ]
		lab_run sed -i /^since=/d $own/meta
		run recover
		echo "$output"
		says 0 "$folder: the journal is damaged at line 1"
		lab_run rm /run/kept
		# that it made these folders, only the journal knew
		lab_run sh -c 'rmdir /run/nscd /run/systemd/resolve /run/systemd /run/dbus 2>/dev/null; umount /run/netns && rmdir /run/netns; :'
		unchanged
	done
}

@test "journal and plan of nothing but garbage: the guard goes with the layout, and with the tunnel its name" {
	up wg0
	up wg1
	lab_run sh -c "for f in journal plan; do echo garbage >/run/wgns/tunnel/home:wg1/\$f; done"
	lab_run sed -i /^since=/d /run/wgns/tunnel/home:wg1/meta
	run recover
	says 0 'home:wg1: the journal is damaged at line 1'
	[ "$(lab_wgns guard status --json | jq -c '.devices | sort')" = '["lo","wg0"]' ]
	lab_run sh -c "for f in journal plan; do echo garbage >$box/\$f; echo garbage >$own/\$f; done"
	lab_run sed -i /^since=/d $own/meta
	run recover
	says 0 "$box: the journal is damaged at line 1" 'wgns guard on'
	[ "$(lab_wgns guard status --json | jq -r .guard)" = off ]
}

@test "a damaged snapshot: recover says the command for each uplink, and then does the rest" {
	up_killed "kill-after:$(step route.restore)"
	lab_run sed -i '3s/^/x/' $box/snapshot
	run recover
	says 4 'box/physical' 'the snapshot is damaged at line 3' 'ip -n physical link set eth0 netns 1'
	lab_run ip -n physical link show eth0
	lab_run ip -n physical link set eth0 netns 1
	run recover
	says 0 'the snapshot is damaged at line 3' 'undone: the layout physical'
	lab_run ip link show eth0
	run recover
	says 0 'nothing to recover'
}

@test "devices, sockets and files that no record has are swept" {
	lab_run mkdir -p /run/wireguard
	remember
	lab_run sh -c 'ip tuntap add wgns0123abcd mode tun; ip tuntap add mine mode tun; ip link set mine alias wgns:wgnsfedcba98
		ip link add wgns11111111 type veth peer name veth1; ip tuntap add wgnsxyz mode tun
		python3 -c "import socket; socket.socket(socket.AF_UNIX).bind(\"/run/wireguard/wgns22222222.sock\")"
		ln -s wgns22222222.sock /run/wireguard/wg7.sock; ln -s wgns33333333.sock /run/wireguard/.wg0.sock.99
		ln -s elsewhere.sock /run/wireguard/other.sock
		mkdir -p /run/wgns/box/physical; touch /run/wgns/box/physical/.snapshot.77'
	run recover
	says 0 wgns0123abcd wgnsfedcba98 wgns22222222 wgns33333333 'the layout physical'
	# not ours: another kind of device, another name, another's link
	lab_run sh -c 'ip link del wgns11111111 && ip link del wgnsxyz && rm /run/wireguard/other.sock'
	nothing_left sweep
}

@test "a temporary file beside the record of a tunnel that is up goes, and the tunnel stays" {
	up wg0
	lab_run touch $own/.meta.4711 $box/.snapshot.4712 $box/etc/.resolv.conf.1
	run recover
	says 0 '.meta.4711' '.snapshot.4712' '.resolv.conf.1'
	[ "$(get 10.77.0.80/)" = "behind the tunnel" ]
	down wg0
}

@test "a pin that nobody knows of is released" {
	lab_run mkdir -p /run/nscd
	remember
	lab_run mount --bind /run/nscd /run/nscd
	run recover
	says 0 '/run/nscd was bound onto itself'
	nothing_left pin
}

# kill_during PATTERN: wgns up wg0, and SIGKILL while a process of that command line runs
kill_during() {
	local pid
	lab_run "$WGNS" up --backend "$(lab_backend)" wg0 >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- 4>&- &
	lab_wait lab_run pgrep -f "$1"
	pid=$(lab_run pgrep -o -x wgns)
	lab_run kill -KILL "$pid"
	wait $! || :
}

@test "a hook does not outlive the up that was killed, nor does what it began" {
	interface wg0 'PostUp = (setsid sleep 1111 & sleep 2222 & wait); true'
	remember
	kill_during 'sleep 2222'
	run recover
	says 0 'undone: wg0'
	run lab_run pgrep -f 'sleep (1111|2222)'
	[ "$status" = 1 ]
	nothing_left hook
}

@test "what a hook that ended left in the background lives on" {
	interface wg0 'PreUp = sleep 3333 </dev/null >/dev/null 2>&1 &'
	up wg0
	lab_run pkill -fx 'sleep 3333'
	down wg0
}

# at_once "ARG..." "ARG...": both, at the same time; their exit statuses in $first and $second
at_once() {
	local one two
	# shellcheck disable=SC2086 # several words
	lab_run "$WGNS" $1 >"$BATS_TEST_TMPDIR/one" 2>&1 3>&- 4>&- &
	one=$!
	# shellcheck disable=SC2086 # several words
	lab_run "$WGNS" $2 >"$BATS_TEST_TMPDIR/two" 2>&1 3>&- 4>&- &
	two=$!
	first=0 second=0
	wait "$one" || first=$?
	wait "$two" || second=$?
}

@test "two ups, and up against down, at once: one after the other" {
	remember
	local up
	up="up --backend $(lab_backend)"
	# shellcheck disable=SC2034 # as often
	for round in 1 ${WGNS_FAULTS_LONG:+2 3 4 5}; do
		at_once "$up wg0" "$up wg1"
		[ "$first $second" = '0 0' ] || { cat "$BATS_TEST_TMPDIR/one" "$BATS_TEST_TMPDIR/two" >&2; return 1; }
		at_once 'down wg0' 'down wg1'
		[ "$first $second" = '0 0' ]
		unchanged
		up wg0
		at_once 'down wg0' "$up wg0"
		# 3: it came before the down, and was up already
		[ "$first $second" = '0 0' ] || [ "$first $second" = '0 3' ]
		run lab_wgns down wg0
		at_once "$up wg0" 'down wg0'
		# 3: it came before the up
		[ "$first $second" = '0 0' ] || [ "$first $second" = '0 3' ]
		run lab_wgns down wg0
		unchanged
	done
}

# disk KB: /run/wgns is a small disk of its own
disk() { lab_run sh -c "mkdir -m 755 /run/wgns && mount -t tmpfs -o size=$1k,mode=755 disk /run/wgns"; }
undisk() { lab_run sh -c 'umount /run/wgns && rmdir /run/wgns'; }

@test "a disk that is full: up undoes everything, at whatever it was" {
	remember
	for size in 4 16 ${WGNS_FAULTS_LONG:+8 12 20 24} 28 ${WGNS_FAULTS_LONG:+32 36 40 44 48 52 56} 60; do
		disk $size
		run up wg0
		if [ "$status" = 0 ]; then
			down wg0
		else
			says 1 'No space left on device' || return
		fi
		undisk
		unchanged || { echo "with $size KiB: $output" >&2; return 1; }
	done
}

@test "a disk that fills up later: down and recover need none of it" {
	remember
	disk 4000
	up wg0
	lab_run sh -c 'cat /dev/zero >/run/wgns/full 2>/dev/null || :'
	run lab_wgns down wg0
	says 0
	lab_run rm /run/wgns/full
	undisk
	unchanged
	disk 4000
	up_killed "kill-after:$(step route.restore)"
	lab_run sh -c 'cat /dev/zero >/run/wgns/full 2>/dev/null || :'
	run recover
	says 0 'undone: wg0'
	lab_run rm /run/wgns/full
	undisk
	unchanged
}

# a file system with a daemon's log open for writing cannot be made read-only; what down does then is in denied.bats
@test "a disk that is read-only: up touches nothing" {
	remember
	disk 4000
	lab_run mount -o remount,ro /run/wgns
	run up wg0
	says 1 'Read-only file system'
	undisk
	unchanged
}

@test "killed at random moments of up and down, twenty times" {
	run "$BATS_TEST_DIRNAME/../faults/kill-run" 20 "${KILL_SEED-}"
	echo "$output"
	[ "$status" = 0 ]
	echo "# ${lines[-1]}" >&3
}
