#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: none
# who looks after a tunnel: new cards, names, MTU, a daemon that dies, silence
# shellcheck disable=SC2016 # the text is for the shell in the lab
# shellcheck disable=SC2154 # run sets status, output and stderr
# shellcheck disable=SC2317 # functions are called by name

load change

setup() {
	lab_up
	lab_run sh -c 'printf "[Physical]\nUplinks = eth0 usb0\n[Tunnel]\nWatch = yes\n" >/etc/wgns/wgns.conf'
}
teardown() {
	[[ -z ${names_pid-} ]] || kill "$names_pid" 2>/dev/null || :
	lab_down
}

# watcher: the process that watches wg0; it says what it does in its log
watcher() { lab_run cut -d ' ' -f 1 /run/wgns/tunnel/home:wg0/watch; }
lives() { lab_run test -e "/proc/$1"; }
said() { lab_run grep -qF -- "$1" /run/wgns/tunnel/home:wg0/watch.log; }
state_of() { lab_wgns status --json "$1" | jq -r '.tunnels[0].state'; }
is_state() { [ "$(state_of wg0)" = "$1" ]; }
device_of() { lab_run "$WGNS" status --json wg0 | jq -r "$1"; }
endpoint() { lab_run wg show wg0 endpoints | cut -f 2; }
is_endpoint() { [ "$(endpoint)" = "$1" ]; }
mtu_is() { [ "$(lab_run cat "/sys/class/net/$1/mtu")" = "$2" ]; }
has() { "$@" >/dev/null 2>&1; }
lacks() { ! "$@" >/dev/null 2>&1; }
# changed_route: something changes in physical
changed_route() { in_physical ip route add 10.99.0.0/24 via 192.0.2.1; }

# plug NAME [NUMBER]: a card comes to home, always with the same number and address
plug() {
	local n=${2:-77}
	lab_in isp ip link add "isp$n" index "1$n" address "02:77:67:01:00:$n" type veth \
		peer name "$1" index "$n" address "02:77:67:02:00:$n" netns home
}
unplug() { lab_in isp ip link del "isp${1:-77}"; }

# traffic: something is sent through the tunnel all the time
traffic() { lab_run ping -qi 0.2 10.77.0.80 >/dev/null 2>&1 & }

# names ADDRESS...: what vpn.example.test is from now on; home asks 198.51.100.1
names() {
	local args=() a
	for a; do args+=("--address=/vpn.example.test/$a"); done
	if [[ -n ${names_pid-} ]]; then
		kill "$names_pid"
		wait "$names_pid" 2>/dev/null || : # its status is that of the signal
	fi
	(
		lab_close_fds
		exec nsenter -t "$LAB_WORLD" -m -n -r -- dnsmasq --keep-in-foreground --no-resolv --no-hosts --user=root \
			--conf-file=/dev/null --pid-file= --listen-address=198.51.100.1 --bind-interfaces "${args[@]}"
	) </dev/null >/dev/null 2>&1 &
	names_pid=$!
	lab_wait eval 'lab_in isp grep -q "^ *[0-9]*: 016433C6:0035 " /proc/1/net/udp'
}

@test "up with Watch = yes starts who watches, and down ends it" {
	remember
	up wg0
	pid=$(watcher)
	lives "$pid"
	[[ $(lab_run cat "/proc/$pid/cmdline" | tr '\0' ' ') = 'wgns watch '*' wg0 ' ]]
	[ "$(lab_run stat -c %i -L "/proc/$pid/ns/net")" = "$(lab_run stat -c %i -L /proc/1/ns/net)" ]
	[[ $(lab_wgns status wg0) = *"watched by      process $pid"* ]]
	down wg0
	run lives "$pid"
	[ "$status" != 0 ]
	unchanged
}

@test "what it does not need it gives up" {
	up wg0
	pid=$(watcher)
	# net_admin, net_raw, net_bind_service, sys_admin, sys_ptrace, setpcap, kill, dac_override: capability.h has the numbers
	[ "$(lab_run sed -n 's/^CapPrm:\t//p' "/proc/$pid/status")" = 0000000000283522 ]
	[ "$(lab_run sed -n 's/^CapBnd:\t//p' "/proc/$pid/status")" = 0000000000283522 ]
	down wg0
}

@test "a new card that is named moves, another one stays, and down brings the first back as it came" {
	plug usb0
	remember
	unplug
	up wg0
	plug usb1 78
	plug usb0
	lab_wait has in_physical ip link show usb0
	lab_run ip link show usb1
	run lab_run ip link show usb0
	[ "$status" != 0 ]
	said 'usb0 is an uplink now'
	[ "$(journal_steps wg0 | grep -c '^link.move usb0 -> physical$')" = 1 ]
	unplug 78
	down wg0
	unchanged
}

@test "a new card moves with what it has, and has it again after down" {
	up wg0
	plug() {
		lab_in isp ip link add isp77 index 177 type veth peer name usb0 index 77 address 02:77:67:02:00:77 netns home
		lab_in isp ip link set isp77 up
		lab_run ip link set usb0 up alias stick
		lab_run ip addr add 10.50.0.2/24 dev usb0
		lab_run ip route add 10.51.0.0/16 via 10.50.0.1
		lab_run sh -c 'echo 2 >/proc/sys/net/ipv4/conf/usb0/rp_filter'
	}
	down wg0
	plug
	remember
	unplug
	up wg0
	exec {lock}<>"/proc/$LAB_HOME/root/run/wgns/lock"
	flock "$lock"
	plug
	exec {lock}>&-
	lab_wait has in_physical ip link show usb0
	lab_wait eval 'in_physical ip route | grep -q "^10.51.0.0/16 via 10.50.0.1 dev usb0"'
	in_physical ip addr show usb0 | grep -q 10.50.0.2/24
	down wg0
	unchanged
}

@test "a card that is removed is forgotten, and moves again when it is back" {
	plug usb0
	remember
	unplug
	up wg0
	plug usb0
	lab_wait has in_physical ip link show usb0
	unplug
	lab_wait said 'usb0 is gone'
	plug usb0
	lab_wait has in_physical ip link show usb0
	down wg0
	unchanged
}

@test "a card that came later comes back, too, when the layout's journal is damaged" {
	remember
	up wg0
	plug usb0
	lab_wait said 'usb0 is an uplink now'
	lab_run sh -c 'printf X | dd of=/run/wgns/box/physical/journal conv=notrunc 2>/dev/null'
	run down wg0
	says 0 'the journal is damaged at line 1' 'wg0 is down'
	lab_run ip link show usb0
	unplug
	unchanged
}

@test "a card that was removed for good does not stop down" {
	remember
	up wg0
	plug usb0
	lab_wait has in_physical ip link show usb0
	unplug
	run down wg0
	says 0
	unchanged
}

@test "a card that gets the name of an uplink moves under another one" {
	up wg0
	plug eth0
	lab_wait said 'eth1 is an uplink now'
	in_physical ip link show eth1
	in_physical ip -br addr show eth0 | grep -q 192.0.2.10/26
	down wg0
	lab_run ip -br addr show eth0 | grep -q 192.0.2.10/26
	lab_run ip link show eth1
}

@test "a card that cannot move is said once and stays" {
	up wg0
	lab_run ip link add br0 type bridge
	exec {lock}<>"/proc/$LAB_HOME/root/run/wgns/lock"
	flock "$lock"
	plug usb0
	lab_run ip link set usb0 master br0
	exec {lock}>&-
	lab_wait said 'usb0 cannot move to physical: it belongs to bridge br0'
	for alias in one two three; do lab_run ip link set usb0 alias $alias; done
	plug usb1 78
	lab_run ip link show usb0
	[ "$(lab_run grep -c 'cannot move' /run/wgns/tunnel/home:wg0/watch.log)" = 1 ]
	down wg0
	lab_run ip link show usb0
}

@test "a name that has another address after a change of network is followed" {
	lab_run sh -c 'echo nameserver 198.51.100.1 >/etc/resolv.conf'
	names 198.51.100.2
	up wg0
	traffic
	lab_wait_handshake wg0
	is_endpoint 198.51.100.2:51820
	lab_in server ip addr del 198.51.100.2/24 dev wan
	lab_in server ip addr add 198.51.100.3/24 dev wan
	lab_in server ip route replace default via 198.51.100.1
	names 198.51.100.3
	changed_route
	lab_wait is_endpoint 198.51.100.3:51820
	[ "$(get 10.77.0.80/)" = 'behind the tunnel' ]
	down wg0
}

@test "of a dead AAAA and a live A the one that answers is found" {
	lab_run sh -c 'echo nameserver 198.51.100.1 >/etc/resolv.conf'
	names 198.51.100.2 2001:db8:100::dead
	up wg0
	[ "$(endpoint)" = '[2001:db8:100::dead]:51820' ]
	traffic
	changed_route
	LAB_DEADLINE=40 lab_wait_handshake wg0
	is_endpoint 198.51.100.2:51820
	[ "$(get 10.77.0.80/)" = 'behind the tunnel' ]
	down wg0
}

@test "a name that cannot be looked up changes nothing" {
	lab_run sh -c 'echo nameserver 198.51.100.1 >/etc/resolv.conf'
	names 198.51.100.2
	up wg0
	traffic
	lab_wait_handshake wg0
	kill "$names_pid"
	changed_route
	lab_wait said 'cannot be looked up'
	is_endpoint 198.51.100.2:51820
	[ "$(get 10.77.0.80/)" = 'behind the tunnel' ]
	down wg0
}

@test "an automatic MTU follows the uplink, and one of the file does not" {
	interface wg1 'MTU = 1333'
	up wg0
	up wg1
	mtu_is wg0 1420
	in_physical ip link set eth0 mtu 1400
	lab_wait mtu_is wg0 1320
	in_physical ip link set eth0 mtu 1450
	lab_wait mtu_is wg0 1370
	mtu_is wg1 1333
	down wg1
	down wg0
}

@test "a daemon that is killed comes back with the same key and port, and traffic flows" {
	[ "$(lab_backend)" = userspace ] || skip 'the kernel does the encryption here'
	remember
	up wg0
	lab_run ping -qc 1 -w 10 10.77.0.80
	port=$(lab_run wg show wg0 listen-port) key=$(lab_run wg show wg0 public-key)
	pid=$(device_of '.tunnels[0].daemon_pid')
	lab_run kill -9 "$pid"
	lab_wait eval '[ "$(device_of ".tunnels[0].daemon_pid")" != "$pid" ] && has lab_run wg show wg0 listen-port'
	lab_wait said 'is made again, by process'
	[ "$(lab_run wg show wg0 listen-port)" = "$port" ]
	[ "$(lab_run wg show wg0 public-key)" = "$key" ]
	[ "$(get 10.77.0.80/)" = 'behind the tunnel' ]
	[ "$(lab_run curl -sm 10 http://intra.inside.test/)" = 'behind the tunnel' ]
	lab_run kill -9 "$(device_of '.tunnels[0].daemon_pid')"
	LAB_DEADLINE=30 lab_wait eval '[ "$(lab_run grep -c "is made again, by process" /run/wgns/tunnel/home:wg0/watch.log)" = 2 ]'
	down wg0
	unchanged
}

@test "a daemon that is killed after a reload comes back with the port that the guard lets in" {
	[ "$(lab_backend)" = userspace ] || skip 'the kernel does the encryption here'
	is_revived() { [ "$(lab_run wg show wg0 listen-port)" = 40404 ]; }
	up wg0
	interface wg0 'ListenPort = 40404'
	lab_wgns reload wg0
	lab_run pkill -9 wireguard-go
	lab_wait said 'is made again, by process'
	is_revived
	[[ $(in_physical nft list set inet wgns ports) = *'{ 40404 }'* ]]
	down wg0
}

@test "a peer that does not answer makes the tunnel stale, and up again when it does" {
	up wg0
	lab_run ping -qc 1 -w 10 10.77.0.80
	is_state up
	traffic
	lab_in isp nft -f - <<-E
		table inet hole {
			chain forward {
				type filter hook forward priority 0; policy accept
				udp dport 51820 drop
				udp sport 51820 drop
			}
		}
	E
	LAB_DEADLINE=32 lab_wait is_state stale
	[[ $(lab_wgns status wg0) = *'stale, last handshake'*'what is sent is not answered'* ]]
	lab_in isp nft delete table inet hole
	LAB_DEADLINE=40 lab_wait is_state up
	down wg0
}

@test "nothing but its timer wakes it while nothing happens" {
	[[ $(command -v strace) ]] || skip_or_fail 'there is no strace'
	lab_run sh -c 'printf "[Tunnel]\nWatch = yes\n" >/etc/wgns/wgns.conf'
	up wg1
	pid=$(lab_run cut -d ' ' -f 1 /run/wgns/tunnel/home:wg1/watch)
	lab_run timeout 60 strace -qq -p "$pid" -e trace=epoll_wait,epoll_pwait -o /run/wakeups &
	lab_wait lab_run test -e /run/wakeups
	LAB_DEADLINE=50 lab_wait eval '[ "$(lab_run grep -c "= [0-9]*$" /run/wakeups)" -ge 4 ]'
	# the sample's timer is source 5
	lab_run cat /run/wakeups >&2
	# the network of a fresh physical settles for a moment: what counts is the last two
	[ "$(lab_run grep '= [0-9]*$' /run/wakeups | tail -n 2 | grep -c 'u32=5,.*= 1$')" = 2 ]
	down wg1
}

@test "the guard is put back when somebody flushes or changes it, in home and in physical" {
	up wg0
	lab_run nft list table inet wgns >"$BATS_TEST_TMPDIR/guard"
	in_physical nft list table inet wgns >"$BATS_TEST_TMPDIR/guard.physical"
	as_home() { lab_run nft list table inet wgns | grep -v counter | diff - <(grep -v counter "$BATS_TEST_TMPDIR/guard"); }
	as_physical() {
		in_physical nft list table inet wgns | grep -v counter | diff - <(grep -v counter "$BATS_TEST_TMPDIR/guard.physical")
	}
	lab_run nft flush ruleset
	lab_wait as_home
	lab_wait said 'the guard'
	lab_run nft delete table inet wgns
	lab_wait as_home
	in_physical nft flush ruleset
	lab_wait as_physical
	lab_run nft add rule inet wgns postrouting accept
	lab_wait as_home
	[ "$(get 10.77.0.80/)" = 'behind the tunnel' ]
	down wg0
}

@test "what Lan = yes lets home reach follows the addresses of the uplinks" {
	lab_run sh -c 'printf "[Physical]\nLan = yes\n[Tunnel]\nWatch = yes\n" >/etc/wgns/wgns.conf'
	remember
	up wg0
	in_physical ip addr add 10.60.0.2/24 dev eth0
	lab_wait eval 'lab_run ip route show 10.60.0.0/24 | grep -q wgns-lan'
	in_physical ip addr del 10.60.0.2/24 dev eth0
	lab_wait eval '[ -z "$(lab_run ip route show 10.60.0.0/24)" ]'
	down wg0
	unchanged
}

@test "a file that is missing when the guard has to be put back does not end the watch" {
	up wg0
	pid=$(watcher)
	is_guarded() { lab_run nft list table inet wgns >/dev/null 2>&1; }
	lab_run mv /run/wgns/box/physical/snapshot /run/kept
	lab_run nft flush ruleset
	lab_wait said 'No such file or directory'
	lab_run mv /run/kept /run/wgns/box/physical/snapshot
	lives "$pid"
	lab_run nft flush ruleset
	lab_run nft add table inet other
	lab_wait is_guarded
	down wg0
	lab_wait eval "! lives $pid"
}

@test "one that is started by hand ends when the tunnel goes down" {
	lab_run sh -c 'echo >/etc/wgns/wgns.conf'
	remember
	up wg0
	lab_wgns watch wg0 2>"$BATS_TEST_TMPDIR/log" &
	hand=$!
	lab_wait lab_run test -e /run/wgns/tunnel/home:wg0/watch
	run lab_wgns watch wg0
	says 3 'is watched already'
	down wg0
	wait $hand
	grep -q 'goes down' "$BATS_TEST_TMPDIR/log"
	unchanged
}

@test "without a tunnel there is nothing to watch" {
	run lab_wgns watch wg0
	says 3 'wg0 is not up'
}

@test "systemd is told when it is ready, and when it stops, on a path and on an abstract socket" {
	lab_run sh -c 'echo >/etc/wgns/wgns.conf'
	up wg0
	for socket in /run/notify.sock @wgns-notify; do
		lab_run perl -MSocket -e '
			$| = 1;
			socket(S, PF_UNIX, SOCK_DGRAM, 0) or die;
			bind(S, pack_sockaddr_un($ARGV[0] =~ s/^@/\0/r)) or die;
			do { recv(S, $text, 4096, 0) // die; print "$text\n" } until $text eq "STOPPING=1"' \
			"$socket" >"$BATS_TEST_TMPDIR/told" &
		listener=$!
		lab_wait eval 'lab_run grep -q "${socket#/run/}" /proc/net/unix'
		lab_run env NOTIFY_SOCKET="$socket" "$WGNS" watch wg0 2>/dev/null &
		lab_wait grep -q READY=1 "$BATS_TEST_TMPDIR/told"
		lab_run kill "$(watcher)"
		wait $listener
		grep -q '^STATUS=' "$BATS_TEST_TMPDIR/told"
		lab_wait lacks lab_run test -e /run/wgns/tunnel/home:wg0/watch
	done
	down wg0
}
