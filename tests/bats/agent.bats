#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: none
# who configures the uplinks moves along: real DHCP clients under a keeper in physical, their resolvers in the box only
# shellcheck disable=SC2016 # text for another shell
# shellcheck disable=SC2154 # run sets status, output and stderr

load change

setup() { begin; }
teardown() { lab_down; }

# begin [LAB-OPTION]...: home is asked by DHCP, wgns is installed, and the ISP says what a lease has
begin() {
	lab_up --bare "$@"
	lab_install
	lab_run ip link set eth0 up
}

# lease_option TEXT...: what the ISP's leases say from now on, see dnsmasq(8), --dhcp-optsfile
lease_option() {
	printf '%s\n' "$@" >"$LAB_DIR/dhcp.opts"
	lab_in isp pkill -HUP -xf 'dnsmasq .*--dhcp-optsfile.*'
}
# silent: the ISP's server hears nothing any more; answering: it does again
silent() { lab_in isp nft 'add table inet silent; add chain inet silent in { type filter hook prerouting priority -300; }; add rule inet silent in udp dport 67 drop'; }
answering() { lab_in isp nft delete table inet silent; }

# in the background of home, as its own start scripts would do it
client() {
	case $1 in
	udhcpc) lab_run busybox udhcpc -i eth0 -b -S -s "$LAB_HERE/udhcpc-script" -p /run/udhcpc.pid ;;
	dhclient) lab_run dhclient -4 -v -pf /run/dhclient.eth0.pid -lf /run/dhclient.leases eth0 ;;
	dhcpcd) lab_run dhcpcd -4 eth0 ;;
	esac >"$LAB_DIR/client" 2>&1 || { cat "$LAB_DIR/client" >&2; return 1; }
	lab_wait has_address home
}
# has_address home|physical: eth0 has one of a lease there
has_address() {
	if [ "$1" = home ]; then lab_run ip -4 addr show dev eth0; else in_physical ip -4 addr show dev eth0; fi | grep -q 'inet 192\.0\.2\.'
}
address() { in_physical ip -j -4 addr show dev eth0 | jq -r '.[].addr_info[].local'; }

# processes of the client: their arguments, one a line; runs_in NAMESPACE CLIENT: does one live there?
processes() {
	lab_run bash -c 'for p in /proc/[0-9]*; do
		[[ $(readlink $p/ns/net) = "$(stat -Lc "net:[%i]" "$1")" ]] && tr "\0" " " <$p/cmdline 2>/dev/null | sed "s/ *$//" && echo
	done' - "$1" | grep -E '^(busybox udhcpc|dhclient|dhcpcd)' || :
}
in_home() { processes /proc/1/ns/net; }
in_box() { processes /run/netns/physical; }
pid_of() { lab_run pgrep -f "$1"; }
resolv() { lab_run cat /run/wgns/box/physical/etc/resolv.conf; }

# takes_over CLIENT: the whole way there and back
takes_over() {
	client "$1"
	in_home >"$BATS_TEST_TMPDIR/argv"
	lab_run cat /etc/resolv.conf >"$BATS_TEST_TMPDIR/resolv"
	lease_option 'option:dns-server,192.0.2.1,198.51.100.7' 'option:domain-search,isp.test' \
		'114,https://portal.example/login?a=1'
	run -0 up wg0
	[ "$(in_home)" = "" ]
	[[ $(in_box) = *"${1#dhc}"* ]]
	# the network works, and the lease is a new one: its resolvers are in the box, and nowhere else
	[ "$(get 10.77.0.80/)" = 'behind the tunnel' ]
	lab_wait resolv_has 'nameserver 198.51.100.7'
	resolv | grep -qE '^search isp\.test\.?$'
	[[ $(lab_run cat /etc/resolv.conf) != *198.51.100.7* ]]
	lab_run grep -qx 'captive-portal https://portal.example/login?a=1' /run/wgns/box/physical/lease/eth0
	run -0 lab_wgns verify --json
	jq -e '[.findings[] | select(.id | IN("programs.names", "programs.privileges"))] |
		length == 2 and all(.answer == "yes" and (.details | length) == 0)' <<<"$output"
	run -0 lab_wgns exec --user root --physical cat /etc/resolv.conf
	[[ $output = *'nameserver 198.51.100.7'* ]]
	# everybody who may enter the box may read the lease
	[ "$(lab_as alice cat /run/wgns/box/physical/lease/eth0 | head -n 1)" = "address $(address)" ]
	run -1 lab_as mallory cat /run/wgns/box/physical/lease/eth0
	lease_option
	run -0 down wg0
	lab_wait same_again
	lab_run test ! -e /run/wgns
}
resolv_has() { resolv | grep -qxF "$1"; }
same_again() { diff "$BATS_TEST_TMPDIR/argv" <(in_home); }

@test "udhcpc configures the uplink in physical, and afterwards in home again" {
	takes_over udhcpc
}

@test "dhclient configures the uplink in physical, and afterwards in home again" {
	[[ $(command -v dhclient) ]] || skip_or_fail 'there is no dhclient'
	takes_over dhclient
}

@test "dhcpcd configures the uplink in physical, and afterwards in home again" {
	[[ $(command -v dhcpcd) ]] || skip_or_fail 'there is no dhcpcd'
	# its helpers come and go
	in_home() { processes /proc/1/ns/net | grep '^dhcpcd: eth0'; }
	in_box() { processes /run/netns/physical | grep '^dhcpcd: eth0'; }
	takes_over dhcpcd
}

@test "without DNS= home's resolv.conf does not learn the uplink's servers either" {
	conf wg0 '/^DNS/d'
	client dhclient
	lease_option 'option:dns-server,192.0.2.1,198.51.100.7'
	lab_run cat /etc/resolv.conf >"$BATS_TEST_TMPDIR/resolv"
	up wg0
	lab_wait resolv_has 'nameserver 198.51.100.7'
	lab_run cat /etc/resolv.conf | diff "$BATS_TEST_TMPDIR/resolv" -
	down wg0
}

@test "the lease is renewed while the tunnel is up" {
	lease_option 'option:T1,4s' 'option:T2,100s'
	client dhclient
	up wg0
	before=$(grep -c DHCPACK "$LAB_DIR/dns.isp")
	renewed() { (($(grep -c DHCPACK "$LAB_DIR/dns.isp") > before)); }
	lab_wait renewed
	[ "$(get 10.77.0.80/)" = 'behind the tunnel' ]
}

@test "an agent that is killed is started again, and status says so" {
	client udhcpc
	up wg0
	old=$(pid_of 'udhcpc -f')
	lab_run kill -KILL "$old"
	another() { now=$(pid_of 'udhcpc -f') && [ "$now" != "$old" ]; }
	lab_wait another
	run -0 lab_wgns status
	[[ $output = *'udhcpc for eth0'* ]]
}

@test "with its keeper an agent dies, and down tidies up all the same" {
	client udhcpc
	up wg0
	lab_run kill -KILL "$(pid_of 'wgns agent')"
	nobody() { [ "$(in_box)" = '' ]; }
	lab_wait nobody
	run -0 lab_wgns status
	says 0 'udhcpc for eth0' 'dead'
	down wg0
	lab_wait client_is_back
}
@test "a keeper that is killed is started again by the watch, and so is its agent" {
	lab_run sh -c 'printf "[Tunnel]\nWatch = yes\n" >>/etc/wgns/wgns.conf'
	client udhcpc
	up wg0
	old=$(pid_of 'wgns agent')
	lab_run kill -KILL "$old"
	# a child of it that has not become its program yet is called so, too
	runs_again() { now=$(pid_of 'wgns agent') && [[ $now != "$old" && $now != *$'\n'* && $(in_box) = *udhcpc* ]]; }
	LAB_DEADLINE=60 lab_wait runs_again
	lab_run grep -q 'had died: started again' /run/wgns/tunnel/home:wg0/watch.log
	run -0 lab_wgns status
	[[ $output = *'udhcpc for eth0'* && $output != *dead* ]]
	# its lease is a lease still
	lab_wait lab_run test -e /run/wgns/box/physical/lease/eth0
	# one that the watch itself has started is its child
	old=$now
	lab_run kill -KILL "$old"
	LAB_DEADLINE=60 lab_wait runs_again
	down wg0
	lab_wait client_is_back
	[ "$(in_box)" = '' ]
}
client_is_back() { [[ $(in_home) = *udhcpc* ]]; }

@test "an orphan of an agent whose keeper was killed does not outlive down" {
	client udhcpc
	up wg0
	agent=$(pid_of 'udhcpc -f')
	# among the mounts of the keeper, as a script of the agent is
	lab_run nsenter -t "$agent" -n -m setsid -f sleep 7777
	lab_run kill -KILL "$(pid_of 'wgns agent')"
	down wg0
	run -1 pid_of 'sleep 7777'
}

@test "a server that is silent leaves the address that was carried over, with a warning" {
	client udhcpc
	silent
	run -0 up wg0
	[[ $output = *'no DHCP server has answered on eth0 yet: it keeps 192.0.2.'*' and udhcpc goes on trying'* ]]
	[ "$(get 10.77.0.80/)" = 'behind the tunnel' ]
	answering
	has_lease() { lab_run test -e /run/wgns/box/physical/lease/eth0; }
	lab_wait has_lease
	down wg0
}

@test "no address and a server that is silent: up gives up, and home is as before" {
	agent 'dhcp'
	silent
	remember
	run up --uplink eth0 wg0
	says 1 'no DHCP server has answered' 'on eth0 in 30 s' 'everything was undone'
	unchanged
}
agent() { lab_run sh -c 'printf "[Physical]\nAgent = %s\n" "$1" >/etc/wgns/wgns.conf' - "$1"; }

@test "Agent = dhcp gets an uplink its first address" {
	agent 'dhcp'
	run -0 up --uplink eth0 wg0
	[ "$(get 10.77.0.80/)" = 'behind the tunnel' ]
	[[ $(in_box) = dhclient* ]]
	down wg0
	[ "$(in_home)" = '' ]
}

@test "an uplink without a cable does not keep up waiting, and works when the cable comes" {
	lab_down
	begin --uplink eth0 --uplink eth1
	agent 'dhcp'
	lab_run ip link set eth1 up
	lab_in isp ip link set isp1 down
	run -0 up --uplink eth0 --uplink eth1 wg0
	[[ $output = *'eth1 has no carrier'* ]]
	lab_in isp ip link set isp1 up
	second() { in_physical ip -4 addr show dev eth1 | grep -q 'inet 192\.0\.2\.'; }
	lab_wait second
	down wg0
}

@test "the server gives another address: the old one goes, and the tunnel goes on" {
	client udhcpc
	old=$(lab_run ip -j -4 addr show dev eth0 | jq -r '.[].addr_info[].local')
	reserve 192.0.2.55
	up wg0
	lab_wait address_is 192.0.2.55
	[ "$old" != 192.0.2.55 ]
	[ "$(get 10.77.0.80/)" = 'behind the tunnel' ]
	down wg0
}

@test "the lease changes while the tunnel is up: the old address goes, and the tunnel goes on" {
	lease_option 'option:T1,4s' 'option:T2,100s'
	client dhclient
	up wg0
	[ "$(get 10.77.0.80/)" = 'behind the tunnel' ]
	reserve 192.0.2.56
	lab_wait address_is 192.0.2.56
	goes_on() { [ "$(get 10.77.0.80/ 2)" = 'behind the tunnel' ]; }
	lab_wait goes_on
	down wg0
}
# reserve ADDRESS: that is what home gets from now on
reserve() {
	echo "02:77:67:00:00:02,$1" >"$LAB_DIR/dhcp.hosts"
	lab_in isp pkill -HUP -xf 'dnsmasq .*--dhcp-optsfile.*'
}
address_is() { [ "$(address)" = "$1" ]; }

@test "Agent = none leaves the client in home, and warns of the lease's end" {
	agent none
	client dhclient
	run -0 up wg0
	[[ $output = *'is leased for '*' more seconds, and nothing renews it in physical'* ]]
	[[ $(in_home) = dhclient* ]]
	down wg0
}

@test "a profile that is not there, or none of whose programs is installed: exit 5 before anything is touched" {
	agent nosuch
	refused 5 'Agent = nosuch' 'there is no profile nosuch' -- --uplink eth0 wg0
	lab_run sh -c 'mkdir -p /etc/wgns/profiles; printf "[Profile]\nBox = physical\n[Agent]\nCommand = nosuchclient %%i\n" >/etc/wgns/profiles/mine.profile'
	agent 'dhcp systemd:NetworkManager'
	refused 5 'systemd:NetworkManager: systemd is not process 1 here' -- --uplink eth0 wg0
	agent mine
	refused 5 'Agent = mine: nosuchclient is not installed' -- --uplink eth0 wg0
	lab_run sh -c 'printf "Command = /nosuch/wpa_supplicant -i %%i\n" >>/etc/wgns/profiles/mine.profile'
	refused 5 'none of nosuchclient, wpa_supplicant is installed' -- --uplink eth0 wg0
}

@test "an agent whose program somebody else could write to is left alone" {
	client udhcpc
	planned() { [[ $(up -n wg0) = *'agent.stop udhcpc of eth0'* ]]; }
	planned
	# the same process, and somebody else could write its file
	lab_run kill "$(pid_of 'busybox udhcpc')"
	lab_wait eval '[ "$(in_home)" = "" ]'
	lab_run sh -c 'mkdir /run/own; cp "$(command -v busybox)" /run/own/; chown 4801 /run/own/busybox'
	lab_run sh -c '/run/own/busybox udhcpc -i eth0 -b -S -s "$1"' - "$LAB_HERE/udhcpc-script" >&2
	run ! planned
}

@test "what only calls itself root's part of a dhcpcd makes nobody an agent" {
	# its parent is not root's, and another program
	lab_run sh -c 'mkdir /run/own; cp "$(command -v sleep)" /run/own/dhcpcd'
	lab_run setsid -f perl -e '
		if (!fork) { exec { "/run/own/dhcpcd" } "dhcpcd: [privileged proxy] eth0", "1000" }
		$0 = "dhcpcd: eth0 [ip4]"; open(F, ">/proc/self/comm"); print F "dhcpcd"; close(F);
		($<, $>) = (4801, 4801); sleep 1000;' >/dev/null 2>&1
	lab_wait eval '[[ $(pid_of "^dhcpcd: eth0") && $(pid_of "^dhcpcd: .privileged") ]]'
	run -0 up -n --uplink eth0 wg0
	[[ $output != *'agent.stop dhcpcd'* ]]
}

@test "what a hostile server says of names and portals stays out" {
	lease_option 'option:domain-name,$(touch /run/owned)' 'option:domain-search,`touch /run/owned`' \
		'114,javascript:alert(1)' 'option:dns-server,127.0.0.1,192.0.2.1'
	lab_run mkdir -p /etc/wgns/profiles
	for client in udhcpc dhclient; do
		lab_run sh -c 'printf "[Profile]\nBox = physical\nCapabilities = net_admin net_raw net_bind_service\n[Agent]\nCommand = %s\n" "$1" \
			>/etc/wgns/profiles/one.profile' - "$([ $client = udhcpc ] && echo 'busybox udhcpc -f -i %i' || echo 'dhclient -d %i')"
		agent one
		up --uplink eth0 wg0
		resolv_has 'nameserver 192.0.2.1'
		[[ $(resolv) != *127.0.0.1* && $(resolv) != *touch* ]]
		[[ $(lab_run cat /run/wgns/box/physical/lease/eth0) != *javascript* ]]
		lab_run test ! -e /run/owned
		down wg0
		lab_run test ! -e /run/owned
	done
}

@test "a card that comes later gets its client, and gives it back" {
	agent dhcp
	conf_watch() { lab_run sh -c 'printf "[Tunnel]\nWatch = yes\n" >>/etc/wgns/wgns.conf'; }
	conf_watch
	up --uplink eth0 --uplink eth7 wg0
	lab_in isp ip link add isp7 index 177 type veth peer name eth7 index 77 address 02:77:67:00:07:02
	lab_in isp sh -c 'ip addr add 192.0.2.193/26 dev isp7; ip link set isp7 up; ip link set eth7 netns /run/netns/home'
	seventh() { [[ $(lab_run cat /run/wgns/box/physical/agent/dhclient.eth7.state) = running ]]; }
	lab_wait seventh
	down wg0
	lab_run ip link show eth7
	[ "$(in_home)" = '' ]
}

@test "a card that vanishes ends its client, which is there again when the card is" {
	lab_down
	begin --uplink eth0 --uplink eth1
	agent dhcp
	lab_run sh -c 'printf "[Tunnel]\nWatch = yes\n" >>/etc/wgns/wgns.conf'
	lab_run ip link set eth1 up
	up --uplink eth0 --uplink eth1 wg0
	state() { [[ $(lab_run cat /run/wgns/box/physical/agent/dhclient.eth1.state) = "$1" ]]; }
	lab_wait state running
	# a server of each uplink
	lab_wait resolv_has 'nameserver 192.0.2.65'
	resolv_has 'nameserver 192.0.2.1'
	in_physical ip link del eth1
	lab_wait state 'waits for eth1'
	run ! pid_of '^dhclient.*eth1'
	# and nobody asks its servers any more
	lab_run test ! -e /run/wgns/box/physical/lease/eth1
	[[ $(resolv) != *'nameserver 192.0.2.65'* ]]
	lab_in isp ip link add isp1 index 171 type veth peer name eth1 index 71 address 02:77:67:00:01:02
	lab_in isp sh -c 'ip link set isp1 up; ip link set eth1 netns /run/netns/home'
	lab_wait state running
	down wg0
}

@test "without a journal that can be read recover ends the agents, and has the client in home again" {
	client udhcpc
	for lost in journal 'journal plan'; do
		up wg0
		lab_run bash -c 'cd /run/wgns && for f in $1; do for d in box/physical tunnel/home:wg0; do echo garbage >$d/$f; done; done
			sed -i /^since=/d tunnel/home:wg0/meta' - "$lost"
		run -0 lab_wgns recover
		lab_wait client_is_back
		[ "$(in_box)" = '' ]
		run -1 pid_of 'wgns agent'
	done
}

# is_alone: one client in home; for a moment there is another, which is about to be its script
is_alone() { [ "$(in_home | wc -l)" = 1 ]; }

@test "killed at any step of the agents, down has the client in home again" {
	client udhcpc
	faulty=${WGNS_FAULTY:?the program that fails on purpose}
	lab_run install "$faulty" /run/bin/wgns-faulty
	mapfile -t steps < <(up -n wg0)
	for ((n = 1; n <= ${#steps[@]}; n++)); do
		[[ ${steps[n - 1]} = agent.* ]] || continue
		for fault in kill-before kill-after; do
			run lab_run env "WGNS_FAULT=$fault:$n" /run/bin/wgns-faulty up --backend "$(lab_backend)" wg0
			[ "$status" = 137 ]
			run -0 down wg0
			lab_wait client_is_back
			lab_wait is_alone
			lab_run test ! -e /run/wgns
		done
	done
}

# child_of PROCESS: its only one
child_of() { lab_run pgrep -P "$1"; }

@test "who hands on a manager's resolvers is started again when it dies" {
	client udhcpc
	up wg0
	lab_run sh -c 'mkdir /run/wgns/box/physical/nm; echo nameserver 192.0.2.61 >/run/wgns/box/physical/nm/resolv.conf'
	lab_run "$WGNS" agent --follow NetworkManager.all >"$BATS_TEST_TMPDIR/log" 2>&1 &
	lab_wait resolv_has 'nameserver 192.0.2.61'
	keeper=$(pid_of 'wgns agent --follow NetworkManager.all' | head -n 1)
	old=$(child_of "$keeper")
	lab_run kill -KILL "$old"
	lab_run sh -c 'echo nameserver 192.0.2.62 >/run/wgns/box/physical/nm/resolv.conf'
	lab_wait resolv_has 'nameserver 192.0.2.62'
	new=$(child_of "$keeper")
	[ "$new" != "$old" ]
	# it does not outlive its keeper
	lab_run kill -KILL "$keeper"
	lab_wait lab_run test ! -e "/proc/$new"
	lab_run rm -r /run/wgns/box/physical/nm
	down wg0
}
