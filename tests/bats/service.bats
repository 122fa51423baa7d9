#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: none
# what the unit wgns@.service calls: `wgns watch --up`, and with how little it can do that
# shellcheck disable=SC2016 # the text is for the shell in the lab
# shellcheck disable=SC2154 # run sets status, output and stderr
# shellcheck disable=SC2317 # functions are called by name

load change

units=$BATS_TEST_DIRNAME/../../scripts

setup() {
	lab_up
	lab_run sh -c "echo '[Tunnel]
Backend = $(lab_backend)' >/etc/wgns/wgns.conf"
}
teardown() {
	[[ -z ${main-} ]] || kill "$main" 2>/dev/null || :
	lab_down
}

lacks() { ! "$@" >/dev/null 2>&1; }
watcher() { lab_run cut -d ' ' -f 1 /run/wgns/tunnel/home:wg0/watch; }
is_watched() { lab_run test -e /run/wgns/tunnel/home:wg0/watch; }
lives() { lab_run test -e "/proc/$1"; }
said() { grep -qF -- "$1" "$BATS_TEST_TMPDIR/log"; }
# serve [CMD...]: as the unit starts it, with CMD in front; what it says is in the log
serve() {
	lab_run env NOTIFY_SOCKET=/run/notify.sock WATCHDOG_USEC=4000000 "$@" "$WGNS" watch --up wg0 \
		>"$BATS_TEST_TMPDIR/log" 2>&1 &
	main=$!
}
# ends STATUS: how serve's program ended
ends() {
	local was=0
	wait "$main" || was=$?
	main=
	[ "$was" = "$1" ] || { cat "$BATS_TEST_TMPDIR/log" >&2; return 1; }
}
# listen: what systemd would hear
listen() {
	lab_run timeout 100 perl -MSocket -e '
		$| = 1;
		socket(S, PF_UNIX, SOCK_DGRAM, 0) or die;
		bind(S, pack_sockaddr_un("/run/notify.sock")) or die;
		do { recv(S, $text, 4096, 0) // die; print "$text\n" } until $text eq "STOPPING=1"' >"$BATS_TEST_TMPDIR/told" &
	listener=$!
	lab_wait lab_run test -S /run/notify.sock
}
told() { grep -qx -- "$1" "$BATS_TEST_TMPDIR/told"; }
# installed FILE...: the units as `make install` writes them, where a wgns is
installed() {
	local f
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	cp "$WGNS" "$BATS_TEST_TMPDIR/bin/wgns"
	for f; do
		sed "s,@BINDIR@,$BATS_TEST_TMPDIR/bin,g" "$units/$f" >"$BATS_TEST_TMPDIR/$f"
	done
}
# given: the capabilities that the unit leaves, as setpriv(1) names them
given() { sed -n 's/^CapabilityBoundingSet=//p' "$units/wgns@.service" | tr 'A-Z ' 'a-z\n' | sed 's/^cap_//'; }
# with_only CAPABILITY...: setpriv as the unit does it
with_only() {
	local set=-all c
	for c; do set+=,+$c; done
	privileges=(setpriv --bounding-set "$set" --inh-caps -all --no-new-privs)
}
# bounds CMD...: the bounding set of what it runs; is_bounded_as CAPABILITY...: of the watch that serve starts, when it is ready
bounds() { lab_run "$@" sed -n 's/^CapBnd:\t//p' /proc/self/status; }
is_bounded_as() {
	local was
	listen
	serve "${privileges[@]}"
	lab_wait told READY=1
	was=$(lab_run sed -n 's/^CapBnd:\t//p' "/proc/$(watcher)/status")
	with_only "$@"
	down wg0
	ends 0
	wait $listener
	lab_run rm /run/notify.sock
	[ "$was" = "$(bounds "${privileges[@]}")" ] || { echo "it has $was" >&2; return 1; }
}

@test "it brings the tunnel up and watches it in one process, and tells systemd each step, that it is ready and that it lives" {
	remember
	listen
	serve
	lab_wait told READY=1
	pid=$(watcher)
	[[ $(lab_run cat "/proc/$pid/cmdline" | tr '\0' ' ') = *'wgns watch --up wg0 ' ]]
	told 'STATUS=up wg0: guard.set home: lo'
	told 'STATUS=up'
	# every second half of the time that systemd gives it, although its samples come more rarely
	lab_wait eval '[ "$(grep -cx WATCHDOG=1 "$BATS_TEST_TMPDIR/told")" -ge 3 ]'
	[ "$(get 10.77.0.80/)" = 'behind the tunnel' ]
	run lab_run grep -c '^I .* watch.start' /run/wgns/tunnel/home:wg0/journal
	says 1
	down wg0
	ends 0
	wait $listener
	said 'the tunnel goes down'
	lab_run rm /run/notify.sock
	unchanged
}

@test "SIGTERM ends it, the tunnel stays, and the next one takes it over" {
	remember
	serve
	lab_wait is_watched
	lab_run kill "$(watcher)"
	ends 0
	[ "$(get 10.77.0.80/)" = 'behind the tunnel' ]
	serve
	lab_wait is_watched
	run -1 said 'is up ('
	# one that is killed is taken over, too
	lab_run kill -KILL "$(watcher)"
	ends 137
	serve
	lab_wait eval 'lab_run "$WGNS" status wg0 | grep -q "watched by"'
	down wg0
	ends 0
	unchanged
}

@test "a watch that up started, or somebody by hand, ends for it" {
	lab_run sh -c 'echo Watch = yes >>/etc/wgns/wgns.conf'
	remember
	up wg0
	old=$(watcher)
	serve
	lab_wait eval '[ "$(watcher)" != "$old" ]'
	lab_wait lacks lives "$old"
	said "process $old watched it until now"
	down wg0
	ends 0
	unchanged
}

@test "what a crash left is undone first" {
	remember
	for n in 8 20 27; do
		run lab_run env WGNS_FAULT="kill-after:$n" "$WGNS_FAULTY" up --backend "$(lab_backend)" wg0
		[ "$status" = 137 ]
		serve
		lab_wait is_watched
		said undone:
		[ "$(get 10.77.0.80/)" = 'behind the tunnel' ]
		down wg0
		ends 0
		unchanged
	done
}

@test "a layout that outlived its tunnel and its namespace is undone first" {
	remember
	up wg0
	# as systemctl soft-reboot leaves it: no tunnel, no mounts, no programs, the card at home, and /run as it was
	lab_run sh -c 'ip link del wg0; ip -n physical link set eth0 netns $$; pkill wireguard-go; rm -r /run/wgns/tunnel/home:wg0
		umount /run/netns/physical; umount /run/wgns/box/physical/netns'
	serve
	lab_wait is_watched || { cat "$BATS_TEST_TMPDIR/log" >&2; false; }
	said undone:
	[ "$(get 10.77.0.80/)" = 'behind the tunnel' ]
	down wg0
	ends 0
	unchanged
}

@test "an up that fails is undone, and its exit status says what it was" {
	interface wg0 'PostUp = false'
	remember
	listen
	serve
	ends 1
	wait $listener
	said 'everything was undone'
	run -1 told READY=1
	lab_run rm /run/notify.sock
	unchanged
	echo nonsense | conf wg0
	serve
	ends 1
	said 'nothing was touched'
	run lab_wgns watch --up
	says 2 'name one tunnel'
	run lab_wgns watch --up ./no/such.conf
	says 1
}

@test "SIGTERM while it brings the tunnel up takes everything back" {
	interface wg0 'PreUp = touch /run/began; sleep 1000'
	remember
	serve
	lab_wait lab_run test -e /run/began
	lab_run pkill -TERM -xf '.*wgns watch --up wg0'
	lab_run pkill -xf 'sleep 1000'
	ends 1
	lab_run rm /run/began
	unchanged
}

@test "the unit's capabilities are enough, and none is too many" {
	mapfile -t all < <(given)
	((${#all[@]} >= 2))
	lab_as mallory true
	remember
	cycle() {
		serve "${privileges[@]}"
		lab_wait eval 'is_watched || ! kill -0 $main 2>/dev/null'
		is_watched || { ends 1; return 1; }
		lab_run setsid -f ip netns exec physical setpriv --reuid 65534 --clear-groups sleep 1000
		lab_wait lab_run pgrep -xf 'sleep 1000'
		lab_run "${privileges[@]}" "$WGNS" down --kill wg0 >>"$BATS_TEST_TMPDIR/log" 2>&1 || {
			lab_wgns down --kill wg0
			ends 0
			return 1
		}
		ends 0
	}
	with_only "${all[@]}"
	cycle
	# what it needs until the end, and no more: who may enter a box was for `up`
	is_bounded_as "${all[@]/#chown/kill}"
	unchanged
	for one in "${all[@]}"; do
		case $one in
		net_raw | dac_override) continue ;; # agents want them, see below
		setpcap)
			# nothing stops without it, and daemons keep what they should lose
			with_only "${all[@]/#setpcap/net_admin}"
			is_bounded_as "${all[@]/#setpcap/net_admin}"
			continue
			;;
		esac
		with_only "${all[@]/#"$one"/net_bind_service}"
		[[ $one != net_bind_service ]] || with_only "${all[@]/#$one/chown}"
		echo "without $one"
		run -1 cycle
	done
	unchanged
	# what the profiles of agents may ask for is in it
	for one in $(sed -n 's/^Capabilities = //p' "$units"/../profiles/{dhcp,supplicant}.profile); do
		given | grep -qx "$one"
	done
}

@test "a DHCP client can do with the unit's capabilities, and not without those that are for it" {
	mapfile -t all < <(given)
	lab_down
	lab_up --bare
	lab_install
	lab_run sh -c "printf '[Physical]\nUplinks = eth0\nAgent = dhcp\n[Tunnel]\nBackend = %s\n' $(lab_backend) >/etc/wgns/wgns.conf"
	lab_run ip link set eth0 up
	remember
	for one in net_raw dac_override; do
		with_only "${all[@]/#"$one"/net_bind_service}"
		serve "${privileges[@]}"
		ends 1
		said 'agent.start dhclient for eth0'
		unchanged
	done
	with_only "${all[@]}"
	serve "${privileges[@]}"
	lab_wait eval 'is_watched || ! kill -0 $main 2>/dev/null'
	is_watched || { cat "$BATS_TEST_TMPDIR/log" >&2; return 1; }
	in_physical ip -4 addr show dev eth0 | grep -q 'inet 192\.0\.2\.'
	[ "$(get 10.77.0.80/)" = 'behind the tunnel' ]
	lab_run "${privileges[@]}" "$WGNS" down --kill wg0
	ends 0
	lab_run test ! -e /run/wgns
}

@test "systemd finds nothing wrong with the units, and none of their options makes a mount namespace" {
	[[ $(command -v systemd-analyze) ]] || skip_or_fail 'there is no systemd-analyze'
	installed wgns@.service wgns-guard.service
	cd "$BATS_TEST_TMPDIR"
	run -0 systemd-analyze verify --man=no ./wgns@.service ./wgns-guard.service
	[ -z "$output" ]
	# it would say so
	sed -i 's/^NoNewPrivileges/NoNewPrivilege/' wgns-guard.service
	run systemd-analyze verify --man=no ./wgns-guard.service
	[[ $output = *NoNewPrivilege* ]]
	run grep -E '^(Private|ProtectSystem|ProtectHome|ProtectKernel|ProtectControl|ProtectProc|ProcSubset|ReadWrite|ReadOnly|Inaccessible|NoExecPaths|ExecPaths|TemporaryFileSystem|Bind|RootDir|RootImage|DynamicUser|Mount|StateDir|RuntimeDir|LogsDir|CacheDir|ConfigurationDir)' \
		"$units"/wgns{@,-guard}.service
	[ "$status" = 1 ]
	# nor does one take openat2(2) away
	run grep -E '^RestrictSUIDSGID' "$units"/wgns{@,-guard}.service
	[ "$status" = 1 ]
}

@test "how exposed the units are, by systemd-analyze security" {
	[[ $(command -v systemd-analyze) ]] || skip_or_fail 'there is no systemd-analyze'
	installed wgns@.service wgns-guard.service
	cd "$BATS_TEST_TMPDIR"
	# 10 is worst; each line of the unit that is lost makes it more
	run -0 systemd-analyze security --offline=true --threshold=63 ./wgns@.service
	echo "# wgns@.service: ${lines[-1]#*: }" >&3
	run -0 systemd-analyze security --offline=true --threshold=37 ./wgns-guard.service
	echo "# wgns-guard.service: ${lines[-1]#*: }" >&3
}
