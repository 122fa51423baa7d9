#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: none
# `wgns verify`: all yes when nothing is broken, and each invariant that is broken by hand is named
# shellcheck disable=SC2154 # run sets status and output
# shellcheck disable=SC2016 # the scripts are for the shell in the lab

load change

# one lab and one `up` for most tests: each breaks one thing and mends it
setup_file() {
	lab_up
	lab_install
	up wg0 2>"$BATS_FILE_TMPDIR/up"
	lab_wait_handshake wg0
	export WGNS LAB_BUILT
}
teardown_file() {
	down wg0
	lab_down
}
setup() {
	mended
}

# verify [ARG]...: as root, its answers in $json
verify() {
	run --separate-stderr lab_wgns verify --json "$@"
	json=$output
	jq -e '.schema == 1' <<<"$json" >/dev/null || { echo "no JSON: $output $stderr" >&2; return 1; }
}

# whole: every answer is yes
whole() {
	verify "$@"
	[ "$status" = 0 ] && jq -e '.answer == "yes" and all(.findings[]; .answer == "yes")' <<<"$json" >/dev/null ||
		{ jq '.findings[] | select(.answer != "yes")' <<<"$json" >&2; return 1; }
}
mended() { lab_wait whole; }

# broken ID TEXT...: exit 1, and the finding is a no with every text in one of its details
broken() {
	local id=$1 text
	shift
	verify
	[ "$status" = 1 ] || { echo "status $status, not 1: $json" >&2; return 1; }
	for text; do
		jq -e --arg id "$id" --arg text "$text" \
			'.findings[] | select(.id == $id) | .answer == "no" and
			any(.details[]; .weight == "breaks" and (.text | contains($text)))' <<<"$json" >/dev/null || {
			echo "$id is not broken by '$text':" >&2
			jq '.findings[] | select(.answer != "yes")' <<<"$json" >&2
			return 1
		}
	done
	run lab_wgns verify
	[ "$status" = 1 ]
	[[ $output = *"broken by: "*"${1-}"* ]]
}
# warned ID TEXT: the answer is yes, with a warning
warned() {
	verify
	jq -e --arg id "$1" --arg text "$2" '.findings[] | select(.id == $id) | .answer == "yes" and
		any(.details[]; .weight == "warning" and (.text | contains($text)))' <<<"$json" >/dev/null ||
		{ echo "$1 does not warn of '$2': $json" >&2; return 1; }
}

# what root holds here, as verify puts it
every_capability() {
	lab_run setpriv --dump | sed -n 's/^Capability bounding set: //p' | tr ',' '\n' | wc -l
}

# background CMD...: it is there when the function returns; its pid in home is in $child, and here in $job
background() {
	local marker=$BATS_TEST_TMPDIR/child
	rm -f "$marker"
	"$@" >"$marker" 2>"$marker.err" 3>&- &
	job=$!
	has_started() { [[ -s $marker ]]; }
	lab_wait has_started || { cat "$marker.err" >&2; return 1; }
	read -r child <"$marker"
}
ended() {
	lab_run kill -9 "$child"
	wait "$job" || [ $? = 137 ]
}

@test "the untouched layout is all yes, as text, with ticks on request of nobody and without colour in a pipe" {
	run lab_wgns verify
	[ "$status" = 0 ]
	[[ $output != *NO* && $output != *'???'* && $output != *$'\e'* ]]
	run lab_wgns verify wg0
	[ "$status" = 0 ]
	whole wg0
}

@test "on a terminal a yes is green, unless NO_COLOR is set, and a name with odd bytes changes nothing there" {
	terminal() { lab_run env "$@" LC_ALL=C.UTF-8 script -qec "$WGNS verify" /dev/null </dev/null; }
	run terminal TERM=xterm
	[ "$status" = 0 ]
	[[ $output = *$'\e[32m✓ yes \e[0mhome holds'* ]]
	run terminal TERM=xterm NO_COLOR=1
	[[ $output = *'✓ yes home holds'* && $output != *$'\e'* ]]
	run terminal TERM=dumb
	[[ $output = *'✓ yes home holds'* && $output != *$'\e'* ]]
	lab_run sh -euc 'ip link add "x$(printf "\033")[31m" type veth peer name leak1; ip link set leak1 up
		ip link set "x$(printf "\033")[31m" up; ip route add 0.0.0.0/1 dev "x$(printf "\033")[31m"'
	run terminal TERM=dumb
	lab_run ip link del leak1
	[ "$status" = 1 ]
	[[ $output = *'✗ NO  home holds'*'broken by: x\x1b[31m carries a default route'* && $output != *$'\e'* ]]
}

@test "nothing up, or not that tunnel, is exit 3; a wrong option is exit 2" {
	run lab_wgns verify nosuch
	says 3 'verify: nosuch is not up'
	run lab_wgns verify --nonsense
	says 2 'usage: wgns verify'
	run lab_wgns verify wg0 wg1
	says 2 'one tunnel at most'
	(
		lab_up
		run lab_run "$LAB_BUILT" verify
		lab_down
		says 3 'verify: nothing is up'
	)
}

@test "an ordinary user learns what can be seen, and that the rest is not known: exit 5, and 1 when something is broken" {
	run lab_as mallory wgns verify --json
	[ "$status" = 5 ]
	jq -e '.answer == "unknown" and
		(.findings[] | select(.id == "home.routes") | .answer == "yes") and
		(.findings[] | select(.id == "keys") | .answer == "unknown")' <<<"$output"
	run lab_as mallory wgns verify
	says 5 'only root can look at it' 'root sees the rest'
	lab_run ip link add leak0 type veth peer name leak1
	lab_run ip link set leak0 up
	lab_run ip route add default dev leak0 metric 4000
	run lab_as mallory wgns verify
	lab_run ip link del leak0
	says 1 'leak0 carries a default route'
}

@test "a device with a default route in home is named, and so are the route, its table and a rule that leads there" {
	lab_run sh -euc 'ip link add leak0 type veth peer name leak1; ip link set leak0 up; ip link set leak1 up'
	whole
	lab_run ip route add default dev leak0 table 100
	broken home.devices 'leak0 carries a default route'
	broken home.routes 'table 100'
	lab_run ip rule add from all lookup 100 pref 77
	broken home.rules 'lookup 100'
	lab_run ip route flush table 100
	verify
	warned home.rules 'lookup 100'
	lab_run ip rule del pref 77
	lab_run ip -6 route add ::/1 dev leak0
	broken home.routes '::/1'
	lab_run ip -6 route del ::/1 dev leak0
	lab_run ip route add 203.0.113.0/24 dev leak0
	whole
	lab_run ip link del leak0
}

@test "an uplink that was moved back to home by hand is named on both sides" {
	in_physical ip link set eth0 netns 1
	broken home.devices 'eth0 is an uplink and belongs in physical'
	broken physical.uplinks 'eth0 is in home'
	lab_run ip link set eth0 up
	lab_run ip addr add 192.0.2.10/26 dev eth0
	broken home.routes '192.0.2.0/26 dev eth0'
	lab_run ip link set eth0 netns physical
	in_physical sh -euc 'ip link set eth0 up; ip addr add 192.0.2.10/26 dev eth0; ip route add default via 192.0.2.1
		ip addr add 2001:db8:1::10/64 dev eth0 nodad; ip route add default via 2001:db8:1::1'
}

@test "what hangs on a device of physical, or has one below it, is named with what it hangs on" {
	in_physical ip link add mac0 link eth0 type macvlan || skip 'this kernel has no macvlan'
	in_physical ip link set mac0 netns 1
	broken home.devices 'mac0 (macvlan) hangs on a device of physical'
	lab_run sh -euc 'ip link add br0 type bridge; ip link set mac0 master br0'
	broken home.devices 'br0 (bridge) is on it'
	lab_run sh -euc 'ip link del br0; ip link del mac0'
	in_physical ip link add way0 type veth peer name way1
	in_physical ip link set way0 netns 1
	broken home.devices 'way0 (veth) hangs on a device of physical'
	lab_run ip link del way0
}

@test "a packet socket in home is named with its program: a warning, and a no once there is an uplink to send by" {
	background lab_run python3 -uc 'import os, socket, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
print(os.getpid()); time.sleep(1000)'
	warned home.sockets "python3 (pid $child) has a packet socket on every device"
	in_physical ip link add way0 type veth peer name way1
	in_physical ip link set way0 netns 1
	broken home.sockets "python3 (pid $child)"
	lab_run ip link del way0
	ended
}

# open_chain WHERE CHAIN: it lets everything pass, until close_chain
open_chain() { "$1" nft insert rule inet wgns "$2" accept; }
close_chain() {
	"$1" nft delete rule inet wgns "$2" handle "$("$1" nft -a list chain inet wgns "$2" | sed -n 's/^\t\taccept # handle //p')"
}

@test "a guard that was flushed, changed or lets more send is named" {
	lab_run ip link add leak0 type veth peer name leak1
	lab_run nft add element inet wgns allowed '{ leak0 }'
	whole # a device that hangs on no uplink
	lab_run nft add element inet wgns allowed '{ eth0 }'
	broken guard.home 'it lets eth0 send, an uplink'
	lab_run sh -c "$(jq -r '.findings[] | select(.id == "guard.home") | .details[] | .hint // empty | gsub("`"; "")' <<<"$json")"
	lab_run ip link del leak0
	broken guard.home 'it lets leak0 send: `up` did not name it'
	lab_run nft delete element inet wgns allowed '{ leak0 }'
	whole
	open_chain lab_run postrouting
	broken guard.home 'it was changed'
	close_chain lab_run postrouting
	whole
	in_physical nft add element inet wgns ports '{ 22 }'
	broken guard.physical 'it lets in port 22'
	in_physical nft delete element inet wgns ports '{ 22 }'
	open_chain in_physical input
	broken guard.physical 'it was changed'
	close_chain in_physical input
}

@test "a resolver of the uplink in home's resolv.conf is named, and a file that is gone" {
	lab_run cp -a /etc/resolv.conf /etc/resolv.conf.kept
	lab_run sh -c 'echo "nameserver 192.0.2.1" >/etc/resolv.conf'
	broken names.home '/etc/resolv.conf names 192.0.2.1, the resolver of the uplink'
	lab_run sh -c 'echo "nameserver 203.0.113.7" >/etc/resolv.conf'
	broken names.home '203.0.113.7, which no tunnel'
	lab_run rm /etc/resolv.conf
	broken names.home '/etc/resolv.conf is gone'
	lab_run mv /etc/resolv.conf.kept /etc/resolv.conf
}

@test "the box's resolv.conf and nsswitch.conf are looked at" {
	lab_run cp -a /run/wgns/box/physical/etc /run/kept
	lab_run sh -c 'echo "nameserver 127.0.0.53" >/run/wgns/box/physical/etc/resolv.conf'
	broken names.box 'names 127.0.0.53'
	lab_run rm /run/wgns/box/physical/etc/resolv.conf
	broken names.box 'resolv.conf is gone'
	lab_run sed -i 's/^hosts:.*/hosts: resolve files dns/' /run/wgns/box/physical/etc/nsswitch.conf
	broken names.box 'nsswitch.conf does not say'
	lab_run cp -a /run/kept/. /run/wgns/box/physical/etc/
	lab_run rm -r /run/kept
}

@test "a folder that is pinned no more is named, with the command that pins it" {
	lab_run umount /run/nscd
	broken names.pins '/run/nscd is no mount any more'
	lab_run sh -c "$(jq -r '.findings[] | select(.id == "names.pins") | .details[0].hint | gsub("`"; "")' <<<"$json")"
	whole
}

@test "the name and the pin of physical are looked at, and the hint brings each back" {
	mend() { lab_run sh -euc "$(jq -r '.findings[] | select(.id == "physical.pins") | .details[0].hint' <<<"$json" |
		sed 's/^`//; s/`.*//')"; }
	lab_run ip netns del physical
	broken physical.pins '/run/netns/physical leads to no namespace'
	mend
	whole
	lab_run umount /run/wgns/box/physical/netns
	broken physical.pins '/run/wgns/box/physical/netns leads to no namespace'
	mend
	whole
	lab_run sh -euc 'ip netns del physical; ip netns add physical'
	broken physical.pins 'is another namespace than the box'
	mend
	broken physical.pins '/run/netns/physical leads to no namespace'
	mend
}

@test "a set-user-ID bit on the helper is named, and a capability more or fewer" {
	lab_run chmod u+s /run/bin/wgns-exec
	broken helper 'wgns-exec is set-user-ID'
	lab_run chmod u-s /run/bin/wgns-exec
	lab_run setcap cap_sys_admin,cap_net_admin+ep /run/bin/wgns-exec
	broken helper 'not cap_sys_admin alone: cap_net_admin'
	lab_run setcap cap_sys_admin+eip /run/bin/wgns-exec
	broken helper 'it is inheritable'
	lab_run setcap cap_sys_admin+ep /run/bin/wgns-exec
	lab_run chmod u+s /run/bin/wgns
	broken helper 'wgns is set-user-ID'
	lab_run chmod u-s /run/bin/wgns
}

@test "a program that wgns exec started is all right; a shell of root's by a profile is named and allowed" {
	background lab_as alice wgns exec --physical bash -c 'echo $$; exec sleep 1000'
	whole
	ended
	background lab_run env -u SUDO_UID -u SUDO_GID -u SUDO_USER /run/bin/wgns exec --physical --user root --profile shell \
		bash -c 'echo $$; exec sleep 1000'
	warned programs.privileges "sleep (pid $child, uid 0) holds $(every_capability) capabilities, cap_sys_admin among them, and can gain privileges"
	ended
}

@test "a program that came by ip netns exec is named: its names are home's, and it has capabilities" {
	background in_physical bash -c 'echo $$; exec sleep 1000'
	broken programs.names "sleep (pid $child, uid 0) resolves names by home's /etc"
	broken programs.privileges "sleep (pid $child, uid 0) holds $(every_capability) capabilities, cap_sys_admin among them, and can gain privileges"
	ended
	background in_physical setpriv --reuid 4801 --regid 4801 --clear-groups --no-new-privs bash -c 'echo $$; exec sleep 1000'
	broken programs.names "sleep (pid $child, uid 4801) resolves names by home's /etc"
	jq -e '.findings[] | select(.id == "programs.privileges") | .answer == "yes"' <<<"$json"
	ended
}

@test "a program that saw the overlay once and hid it, or lost a mask, is named" {
	background lab_run env -u SUDO_UID -u SUDO_GID -u SUDO_USER /run/bin/wgns exec --physical --user root --profile shell \
		bash -c 'umount /run/nscd; echo $$; exec sleep 1000'
	broken programs.names "sleep (pid $child, uid 0) reaches home's nscd"
	ended
}

@test "a file that others can read is named: the tunnel's, the copy, the folder" {
	lab_run chmod 644 /etc/wireguard/wg0.conf
	broken keys 'the file of wg0 can be read by others'
	lab_run chmod 600 /etc/wireguard/wg0.conf
	lab_run chmod 640 /run/wgns/tunnel/home:wg0/config
	broken keys 'the copy of the file of wg0 can be read by others'
	lab_run chmod 600 /run/wgns/tunnel/home:wg0/config
	lab_run chmod 755 /run/wgns/tunnel/home:wg0
	broken keys 'the folder in /run/wgns of wg0'
	lab_run chmod 700 /run/wgns/tunnel/home:wg0
}

@test "a WireGuard device in home that wgns did not make is named" {
	[[ $LAB_KERNEL = yes ]] || skip 'this kernel has no WireGuard'
	lab_run ip link add other type wireguard
	broken home.devices 'other is a WireGuard device that wgns did not make'
	lab_run ip link del other
}

# heard CMD...: what it sends is in $json; CMD begins with $talk
readonly talk='echo $$; exec >/dev/null 2>&1'
heard() {
	background "$@"
	verify --capture 2
	ended
}

@test "--capture counts WireGuard and what agents need, and sees nothing in clear while home talks through the tunnel" {
	heard lab_run bash -c "$talk; while :; do curl -sm 5 http://10.77.0.80/; done"
	[ "$status" = 0 ]
	jq -e '.capture | .seconds == 2 and .devices == ["eth0"] and .dropped == 0 and
		.frames.wireguard.out > 10 and .frames.wireguard.in > 10 and .frames.other.out == 0' <<<"$json"
	jq -e '.findings[] | select(.id == "capture") | .answer == "yes" and
		any(.details[]; .text | startswith("wireguard: "))' <<<"$json"
}

@test "--capture names a program under exec that talks in clear, and what it says to whom" {
	heard lab_as alice wgns exec --physical bash -c "$talk; while :; do curl -sm 5 http://203.0.113.80/; done"
	[ "$status" = 0 ]
	jq -e '.findings[] | select(.id == "capture") | .answer == "yes" and
		any(.details[]; .text | test("^in clear on eth0: tcp 192.0.2.10:[0-9]+ -> 203.0.113.80:80")) and
		any(.details[]; .text | test("^possible origin: (curl|bash) \\(pid [0-9]+, uid 4801\\)"))' <<<"$json"
}

@test "--capture tells questions to the uplink's resolver, and those to another one are in clear" {
	heard lab_as alice wgns exec --physical bash -c "$talk; while :; do getent ahosts www.example.test; done"
	jq -e '.capture.frames | .dns.out > 0 and .dns.in > 0 and .other.out == 0' <<<"$json"
	heard lab_as alice wgns exec --physical bash -c "$talk; while :; do echo x >/dev/udp/203.0.113.80/53; sleep 0.01; done"
	jq -e '.capture.frames.other.out > 0' <<<"$json"
}

@test "--capture says no when something goes out in clear that no program in physical has sent" {
	# a way past the tunnel and both guards that somebody made: home routed through physical
	open_chain lab_run postrouting
	open_chain in_physical forward
	in_physical sh -euc 'ip link add way0 type veth peer name way1; ip link set way0 netns 1; ip addr add 10.99.0.1/24 dev way1
		ip link set way1 up; echo 1 >/proc/sys/net/ipv4/conf/way1/forwarding; echo 1 >/proc/sys/net/ipv4/conf/eth0/forwarding'
	lab_run sh -euc 'ip link set way0 up; ip addr add 10.99.0.2/24 dev way0; ip route add 203.0.113.80/32 via 10.99.0.1'
	heard lab_run bash -c "$talk; while :; do echo x >/dev/udp/203.0.113.80/9; sleep 0.01; done"
	lab_run ip link del way0
	close_chain lab_run postrouting
	close_chain in_physical forward
	[ "$status" = 1 ]
	jq -e '.findings[] | select(.id == "capture") | .answer == "no" and
		any(.details[]; .text | test("^in clear on eth0: udp 10.99.0.2:[0-9]+ -> 203.0.113.80:9 "))' <<<"$json"
	jq -e '.findings[] | select(.id == "home.routes") | .answer == "no"' <<<"$json"
}

@test "--capture wants root and a number" {
	run lab_as alice wgns verify --capture 1
	says 5 'only root can listen on the uplinks'
	for n in 0 x '' -1 86401; do
		run lab_wgns verify --capture "$n"
		says 2 '--capture wants'
	done
	run lab_wgns verify --capture
	says 2 '--capture wants'
}

# ---- these change what cannot be mended: a lab each ----

own_lab() {
	lab_up
	lab_install
	up wg0 2>&1
	lab_wait_handshake wg0
	whole
}

@test "a daemon that was killed is named, and its device that went with it" {
	(
		own_lab
		[[ $(lab_backend) = userspace ]] || { lab_down; skip 'the kernel does the encryption here'; }
		pid=$(lab_wgns status --json | jq '.tunnels[0].daemon_pid')
		lab_run kill -9 "$pid"
		is_broken() { broken tunnels "(pid $pid) has ended" 'the device wg0 is gone from home'; }
		lab_wait is_broken
		lab_down
	)
}

@test "guards that are gone are named, one by one" {
	(
		own_lab
		if lab_run nft delete table bridge wgns; then
			broken guard.home 'table bridge wgns is gone'
		fi
		lab_run nft flush ruleset
		broken guard.home 'table inet wgns is gone'
		in_physical nft delete table inet wgns
		broken guard.physical 'table inet wgns is gone'
		lab_down
	)
}

@test "without a guard the answer is yes, and it is said that nothing stops what comes later" {
	(
		lab_up
		lab_install
		lab_run sh -c 'printf "[Guard]\nKillSwitch = no\n" >/etc/wgns/wgns.conf'
		up wg0 2>&1
		lab_wait_handshake wg0
		warned guard.home 'there is none: `up` made none (KillSwitch = no)'
		[ "$status" = 0 ]
		lab_down
	)
}

@test "with Lan = yes the way to the uplinks' own networks is known, and a route or a rule more is named" {
	(
		lab_up
		lab_install
		lab_run sh -c 'printf "[Physical]\nLan = yes\n" >/etc/wgns/wgns.conf'
		up wg0 2>&1
		lab_wait_handshake wg0
		whole
		jq -e '.findings[] | select(.id == "lan")' <<<"$json"
		heard lab_run bash -c "$talk; while :; do echo x >/dev/udp/192.0.2.1/9; sleep 0.01; done"
		[ "$status" = 0 ]
		jq -e '.capture.frames | .lan.out > 0 and .other.out == 0' <<<"$json"
		lab_run ip route add 203.0.113.0/24 dev wgns-lan
		broken home.routes "wgns-lan leads to the uplinks' own networks and nowhere else"
		lab_run ip route del 203.0.113.0/24 dev wgns-lan
		in_physical nft insert rule inet wgns-lan forward accept
		broken lan 'what passes is not what home has routes for'
		lab_down
	)
}

@test "a device that took the tunnel's place is named" {
	(
		own_lab
		lab_run sh -euc 'ip link set wg0 name was0; ip link add wg0 type veth peer name peer0'
		broken tunnels 'wg0 is another device than the one that wgns made'
		lab_down
	)
}

@test "a journal that is damaged, half written or half undone is named" {
	(
		own_lab
		# what an `up` leaves that was killed: the intent without its end, and no time
		lab_run sed -i 's/^since=.*/since=0/' /run/wgns/tunnel/home:wg0/meta
		broken state.records 'the `up` of wg0 was interrupted'
		lab_run sh -c 'printf "garbage\n" >/run/wgns/tunnel/home:wg0/journal'
		broken state.records 'the journal of wg0'
		lab_run sed -i 's/^layout=.*/pid=x/' /run/wgns/tunnel/home:wg0/meta
		broken state.records 'the record of wg0 is damaged'
		lab_down
	)
}

@test "an up and a down that were killed half-way are named, with what undoes them" {
	[[ -x ${WGNS_FAULTY-} ]] || skip_or_fail 'no program with faults: make faulty'
	(
		lab_up
		WGNS=$LAB_BUILT
		run lab_run env WGNS_FAULT=kill-after:12 "$WGNS_FAULTY" up --backend "$(lab_backend)" wg0
		verify
		[ "$status" = 1 ]
		jq -e '.findings[] | select(.id == "state.records") | .answer == "no"' <<<"$json"
		lab_down
	)
}
