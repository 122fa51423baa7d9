#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: none
# doctor: a good machine is all yes; each thing that is broken by hand is named, with what mends it
# shellcheck disable=SC2016 # the text of a hint is not for this shell to expand
# shellcheck disable=SC2154 # run sets status, output and stderr
# shellcheck disable=SC2317 # functions are called by name

load change

setup_file() {
	export FAULTY=${WGNS_FAULTY:-$BATS_FILE_TMPDIR/faults/wgns}
	[ -n "${WGNS_FAULTY-}" ] ||
		make -s -C "$BATS_TEST_DIRNAME/../.." O="$BATS_FILE_TMPDIR/faults" FAULTS=1 "$FAULTY" >&2
}
setup() {
	lab_up
	lab_install
}
teardown() { lab_down; }

# finds STATUS TEXT...: doctor's exit status, every TEXT in a line of its own, and nothing is changed by asking
finds() {
	local want=$1 text
	shift
	remember
	run lab_wgns doctor
	[ "$status" = "$want" ] || { echo "status $status, not $want: $output" >&2; return 1; }
	for text; do
		grep -qxF -- "${text}" <(sed 's/^ *//' <<<"$output") || { echo "no line '$text' in: $output" >&2; return 1; }
	done
	unchanged
}
# notes and forbids: a note leaves the exit status 0; what forbids `up` makes it 5
notes() { finds 0 "$@"; }
forbids() { finds 5 "$@"; }

# says_not TEXT: the doctor that was asked last did not say it
says_not() { [[ $output != *"$1"* ]] || { echo "'$1' in: $output" >&2; return 1; }; }

# same_reason: up ends with 5, and doctor says the same sentence and the same hint in lines of their own
same_reason() {
	local reason hint
	run lab_wgns up wg0
	[ "$status" = 5 ] || { echo "up: $status: $output" >&2; return 1; }
	reason=$(sed -n 's/^wgns: up wg0: //p' <<<"$output")
	hint=$(sed -n 's/^  hint: //p' <<<"$output")
	[[ -n $reason && -n $hint ]]
	# shellcheck disable=SC2016 # the hint has these quotes
	if [[ $hint = '`wgns doctor` says more' ]]; then
		forbids "$reason"
	else
		forbids "$reason" "hint: $hint"
	fi
}

# settings TEXT: /etc/wgns/wgns.conf
settings() { printf "$1" | lab_run sh -c 'cat >/etc/wgns/wgns.conf'; }

# daemon NAME CMD...: in home, in the background, until the lab ends; NAME is what is waited for
daemon() {
	local name=$1
	shift
	lab_run setsid -f "$@" </dev/null >/dev/null 2>&1
	lab_wait lab_run pgrep -x "$name"
}

@test "a good machine is all yes, on one screen, and nothing is changed by asking" {
	notes '`wgns up` works here'
	says_not NO
	says_not note
	says_not '?'
	((${#lines[@]} <= 26))
	[ "$(grep -c '^  yes ' <<<"$output")" = "$(grep -c '^  ' <<<"$output")" ]
	[ "$(grep -v '^ ' <<<"$output" | head -6 | tr '\n' ' ')" = 'kernel tunnel uplinks names privilege state ' ]
	up wg0
	[ "$(get 10.77.0.80/)" = 'behind the tunnel' ]
}

@test "with a tunnel up it is still all yes, and nothing of the tunnel is taken for left over" {
	up wg0
	notes '`wgns up` works here'
	says_not 'no tunnel is there'
	says_not note
	[[ $output = *'they are there: a tunnel is up'* ]]
	down wg0
	notes '`wgns up` works here'
	says_not note
}

@test "JSON has the schema, the answer, and every finding with its details" {
	run -0 --separate-stderr lab_wgns doctor --json
	[ -z "$stderr" ]
	jq -e '.schema == 1 and .answer == "yes" and .can_up' <<<"$output"
	jq -e '[.findings[].id | split(".")[0]] | unique == ["kernel", "names", "privilege", "state", "tunnel", "uplinks"]' <<<"$output"
	lab_run ip link add br0 type bridge
	lab_run ip link set eth0 master br0
	run -5 --separate-stderr lab_wgns doctor --json
	jq -e '.answer == "no" and (.can_up | not)' <<<"$output"
	jq -e '.findings[] | select(.id == "uplinks.move") | .answer == "no" and
		(.details[] | select(.weight == "breaks") | (.text | test("bridge br0")) and (.hint | test("nomaster")))' <<<"$output"
}

@test "an argument and an unknown option are refused" {
	run -2 --separate-stderr lab_wgns doctor wg0
	[[ $stderr = *'usage: wgns doctor [--json]'* ]]
	run -2 --separate-stderr lab_wgns doctor --nonsense
	[ -z "$output" ]
}

@test "colour is for a terminal, and not when NO_COLOR is set" {
	lab_run script -qec "TERM=xterm $WGNS doctor" /dev/null </dev/null | grep -q $'\033\\[32m'
	run ! grep -q $'\033' <(lab_run script -qec "NO_COLOR=1 TERM=xterm $WGNS doctor" /dev/null </dev/null)
	run ! grep -q $'\033' <(lab_run env TERM=xterm "$WGNS" doctor)
}

@test "the same sentence as up: no daemon, and no WireGuard in the kernel" {
	settings '[Tunnel]\nBackend = userspace\nDaemon = /usr/bin/nonesuch\n'
	same_reason
	[[ $output = *'/usr/bin/nonesuch: No such file or directory'* ]]
	[[ $LAB_KERNEL = no ]] || return 0
	settings '[Tunnel]\nDaemon = /usr/bin/nonesuch\n'
	same_reason
	[[ $output = *'this kernel has no WireGuard'* ]]
}

@test "the same sentence as up: a daemon that is no program" {
	settings '[Tunnel]\nBackend = userspace\nDaemon = /etc/passwd\n'
	same_reason
}

@test "the same sentence as up: an uplink in a bridge" {
	lab_run ip link add br0 type bridge
	lab_run ip link set eth0 master br0
	same_reason
	[[ $output = *'eth0 cannot move to physical: it belongs to bridge br0'* ]]
}

@test "the same sentence as up: a macvlan on an uplink, in another namespace" {
	lab_run ip netns add guest
	lab_run ip link add child0 link eth0 netns guest type macvlan
	same_reason
}

@test "the same sentence as up: no uplink" {
	lab_run ip route del default
	lab_run ip -6 route del default
	same_reason
}

@test "the same sentence as up: a device in wgns.conf that is not there" {
	settings '[Physical]\nUplinks = nonesuch\n'
	same_reason
}

@test "the same sentence as up: a folder that is a link" {
	lab_run ln -s /run/user /run/nscd
	same_reason
}

@test "the same sentence as up: /run/wgns is somebody else's" {
	lab_run install -d -o alice /run/wgns
	same_reason
	[[ $output = *"/run/wgns is not root's alone (owner 4801"* ]]
}

@test "the same sentence as up: a mount namespace of its own" {
	run lab_run unshare -m "$WGNS" up wg0
	[ "$status" = 5 ]
	reason=$(sed -n 's/^wgns: up wg0: //p' <<<"$output")
	[ -n "$reason" ]
	run lab_run unshare -m "$WGNS" doctor
	[ "$status" = 5 ]
	grep -qF "        $reason" <<<"$output"
}

@test "two uplinks that cannot move are both named" {
	lab_down
	lab_up --uplink eth0 --uplink eth1
	lab_install
	lab_run ip link add br0 type bridge
	settings '[Physical]\nUplinks = eth0 eth1\n'
	lab_run ip link set eth0 master br0
	lab_run ip link add child0 link eth1 type macvlan
	forbids 'eth0 cannot move to physical: it belongs to bridge br0' \
		'eth1 cannot move to physical: the macvlan child0 is on it and would go on sending in clear' \
		'`wgns up` does not work here: 1 thing forbids it'
}

@test "the real udhcpc that manages an uplink is named, with the end of the lease" {
	lab_run ip addr add 192.0.2.20/26 dev eth0 valid_lft 600 preferred_lft 600
	daemon busybox busybox udhcpc -i eth0 -f -s /bin/true
	run -0 lab_wgns doctor
	[[ $output =~ 'eth0 is managed by udhcpc (process '[0-9]+'), which moves to physical with it' ]]
	says_not 'is leased for'
	settings '[Physical]\nAgent = none\n'
	notes 'hint: its addresses are carried over, and a lease is not renewed; see Agent in wgns.conf(5)'
	[[ $output =~ 'eth0 is managed by udhcpc (process '[0-9]+'), which stays in home' ]]
	[[ $output =~ 'the address 192.0.2.20/26 of eth0 is leased for '[0-9]+' more seconds' ]]
}

@test "a DHCP client counts for the device that it was given, and in this namespace only" {
	lab_run cp "$(command -v bash)" /run/dhclient
	daemon dhclient /run/dhclient -c 'read -rt 1000 <> <(:)' lan0
	notes
	says_not dhclient
	lab_run pkill -x dhclient
	lab_run ip netns add guest
	daemon dhclient ip netns exec guest /run/dhclient -c 'read -rt 1000 <> <(:)' eth0
	notes
	says_not dhclient
	lab_run pkill -x dhclient
	daemon dhclient /run/dhclient -c 'read -rt 1000 <> <(:)' eth0
	run -0 lab_wgns doctor
	[[ $output = *'eth0 is managed by dhclient (process '* ]]
}

@test "NetworkManager and networkd are believed as to which devices are theirs" {
	index=$(lab_run cat /sys/class/net/eth0/ifindex)
	lab_run cp "$(command -v bash)" /run/NetworkManager0
	lab_run mv /run/NetworkManager0 /run/user/NetworkManager
	lab_run mkdir -p /run/NetworkManager/devices /run/systemd/netif/links
	lab_run sh -c "printf '[device]\nmanaged=false\n' >/run/NetworkManager/devices/$index"
	daemon NetworkManager /run/user/NetworkManager -c 'read -rt 1000 <> <(:)'
	notes
	says_not NetworkManager
	lab_run sh -c "printf '[device]\nmanaged=true\n' >/run/NetworkManager/devices/$index"
	notes
	[[ $output = *'eth0 is managed by NetworkManager (process '* ]]
	lab_run pkill -x NetworkManager
	lab_run cp "$(command -v bash)" /run/user/systemd-networkd
	lab_run sh -c "printf 'ADMIN_STATE=configured\nOPER_STATE=routable\n' >/run/systemd/netif/links/$index"
	daemon systemd-network /run/user/systemd-networkd -c 'read -rt 1000 <> <(:)'
	notes
	[[ $output = *'eth0 is managed by systemd-networkd (process '* ]]
}

@test "a queueing discipline that the move loses is named" {
	lab_run tc qdisc add dev eth0 root tbf rate 1mbit burst 32k latency 400ms || skip_or_fail 'this kernel has no tbf'
	notes 'the queueing discipline of eth0 (tbf) is lost by the move and does not come back'
}

@test "nscd that runs is named" {
	command -v nscd >/dev/null || skip_or_fail 'there is no nscd'
	lab_run mkdir -p /run/nscd /var/run/nscd
	lab_run sh -c 'printf "enable-cache hosts yes\n" >/etc/nscd.conf'
	daemon nscd nscd -d
	notes 'hint: nscd -i hosts after up and down, or: systemctl disable --now nscd'
	[[ $output =~ 'nscd (process '[0-9]+') runs: home may get names from before' ]]
}

@test "modules of nsswitch.conf that lead out of a box are named, and files and dns are not" {
	lab_run sed -i 's/^hosts:.*/hosts: files mymachines resolve [!UNAVAIL=return] dns mdns4_minimal # libvirt/' /etc/nsswitch.conf
	notes 'hosts: in /etc/nsswitch.conf has mymachines resolve mdns4_minimal, which would lead out of a box: there it is `files dns`'
}

@test "a resolv.conf that is a symlink is told with its target" {
	lab_run sh -c 'mv /etc/resolv.conf /run/their.conf && ln -s ../run/their.conf /etc/resolv.conf'
	notes '/etc/resolv.conf is a symlink to ../run/their.conf'
	says_not note
}

@test "a resolv.conf that is a mount is told, and one that up cannot change is named" {
	lab_run sh -c 'cp /etc/resolv.conf /run/their.conf && mount --bind /run/their.conf /etc/resolv.conf'
	notes '/etc/resolv.conf is a mount, and is written in place'
	says_not note
	lab_run umount /etc/resolv.conf
	lab_run chattr +i /etc/resolv.conf || skip_or_fail 'this kernel has no immutable files on tmpfs'
	notes '/etc/resolv.conf is immutable: up fails for a file with DNS=' 'hint: chattr -i /etc/resolv.conf'
	run up wg0
	says 1 'chattr -i'
	lab_run chattr -i /etc/resolv.conf
	lab_run mount -o remount,ro /etc
	notes '/etc is mounted read-only: up fails for a file with DNS='
	run up wg0
	says 1 'is read-only'
}

@test "a helper that is missing, without capability, with another, or set-user-ID is named with what mends it" {
	helper=/run/bin/wgns-exec
	lab_run setcap -r $helper
	notes "$helper has no capability: only root can use exec" "hint: sudo setcap cap_sys_admin=ep $helper"
	lab_run setcap cap_sys_admin,cap_net_admin+ep $helper
	notes "$helper has other capabilities than cap_sys_admin=ep: only root can use exec"
	lab_run setcap cap_sys_admin+eip $helper
	notes "$helper has other capabilities than cap_sys_admin=ep: only root can use exec"
	lab_run setcap cap_sys_admin=ep $helper
	notes '`wgns up` works here'
	lab_run chmod 4755 $helper
	lab_run setcap cap_sys_admin=ep $helper
	notes "$helper is set-user-ID or set-group-ID, and refuses to work so"
	lab_run chmod 700 $helper
	notes "$helper cannot be executed by ordinary users" "hint: sudo chmod 755 $helper"
	lab_run chown alice $helper
	notes
	[[ $output = *wgns-exec* && $output != *'yes   ordinary users can use exec'* ]]
	lab_run rm $helper
	notes
	[[ $output = *'No such file or directory: only root can use exec'* ]]
}

@test "a helper on a file system mounted nosuid is named" {
	lab_run mount -o remount,nosuid /run
	notes '/run/bin/wgns-exec is on a file system mounted nosuid, where its capability does not count'
}

@test "a group that is missing or empty is named, and so is who called sudo and is not in it" {
	run -0 lab_run env SUDO_UID=4801 "$WGNS" doctor
	says_not note
	run -0 lab_run env SUDO_UID=4802 "$WGNS" doctor
	[[ $output = *'mallory is not in group wgns'*'hint: sudo usermod -aG wgns mallory, and log in again'* ]]
	lab_run sed -i 's/^wgns:.*/wgns:x:4800:/' /etc/group
	notes 'nobody but root may use exec' 'hint: sudo usermod -aG wgns USER, and log in again'
	lab_run sed -i '/^wgns:/d' /etc/group
	notes 'group wgns does not exist: only root can use exec' 'hint: sudo groupadd --system wgns && sudo usermod -aG wgns USER'
}

@test "an up that was killed at any step is named, with what undoes it, and recover makes all well" {
	mapfile -t steps < <(up -n wg0)
	for n in 1 $((${#steps[@]} / 2)) ${#steps[@]}; do
		run lab_run env WGNS_FAULT="kill-after:$n" "$FAULTY" up --backend "$(lab_backend)" wg0
		[ "$status" = 137 ]
		forbids 'wg0 is half up: an earlier wgns was interrupted' 'hint: `wgns recover` undoes what it did'
		lab_wgns recover
		notes '`wgns up` works here'
		says_not note
	done
}

@test "a down that was killed is named, with what does the rest" {
	up wg0
	run lab_run env WGNS_FAULT=kill-undo:3 "$FAULTY" down wg0
	[ "$status" = 137 ]
	forbids 'wg0 is half down: its `down` was interrupted' 'hint: `wgns down wg0` does the rest'
	down wg0
	notes '`wgns up` works here'
}

@test "what no tunnel explains is named, and recover removes it: a birth name, a pin, a box, a table" {
	lab_run ip tuntap add mode tun name wgns0123abcd
	lab_run mkdir -p /run/nscd /run/wgns/box/physical
	lab_run mount --bind /run/nscd /run/nscd
	lab_run nft add table inet wgns
	left() { echo "$1 is left, and no tunnel is there to which it belongs"; }
	forbids 'a layout without a tunnel is left of an earlier wgns' "$(left 'the device wgns0123abcd')" \
		"$(left 'the mount on /run/nscd')" "$(left 'the nftables table inet wgns')" 'hint: `wgns recover` removes it'
	lab_wgns recover
	notes '`wgns up` works here'
	says_not note
	run lab_run nft list ruleset
	[ -z "$output" ]
}

@test "a table that KillSwitch = boot keeps is not left over, and another table is nobody's business" {
	lab_run nft add table inet other
	notes '`wgns up` works here'
	says_not 'no tunnel is there'
	settings '[Guard]\nKillSwitch = boot\n'
	lab_run nft add table inet wgns
	notes '`wgns up` works here'
	says_not 'no tunnel is there'
}

@test "a namespace called physical that wgns did not make is named, in up's words" {
	lab_run ip netns add physical
	run up wg0
	says 3 'a namespace called physical exists'
	reason=$(sed -n 's/^wgns: up wg0: //p' <<<"$output")
	forbids "$reason" 'hint: `ip netns del physical` removes it when nothing lives there any more'
}

@test "WireGuard devices that were made in home are named, all of them" {
	for dev in office lab; do
		lab_run ip link add $dev type wireguard 2>/dev/null || lab_run wireguard-go $dev >/dev/null 2>&1
		lab_wait lab_run wg show $dev
	done
	forbids 'the WireGuard device office was made in home, and its packets would go through the new tunnel' \
		'hint: take it down first (`wg-quick down office`)' 'so was lab'
}

@test "a bad file, one that others can read, and a bad profile are named; no key is shown" {
	key=$(lab_run sed -n 's/^PrivateKey = //p' /etc/wireguard/wg1.conf)
	lab_run sh -c "printf '[Interface]\nPrivateKey = ${key%?}\nAdress = 10.0.0.2\n' >/etc/wireguard/bad.conf"
	lab_run chmod 600 /etc/wireguard/bad.conf
	lab_run chmod 755 /etc/wireguard
	lab_run chmod 644 /etc/wireguard/wg1.conf
	lab_run mkdir /etc/wgns/profiles
	lab_run sh -c 'echo nonsense >/etc/wgns/profiles/mine.profile'
	notes 'hint: wgns check /etc/wireguard/bad.conf' 'hint: see wgns-profile(5); up leaves it out'
	[[ $output = *'2 of 3 files in /etc/wireguard are good'* ]]
	[[ $output = *'/etc/wireguard/bad.conf:2:14: PrivateKey'*', and 1 more error'* ]]
	[[ $output = *'/etc/wireguard/wg1.conf: warning: the file is world-readable'* ]]
	[[ $output = *mine.profile:1* ]]
	says_not "${key:0:20}"
}

@test "a wgns.conf that is wrong forbids up" {
	settings '[Tunnel]\nBackend = magic\n'
	forbids 'hint: see wgns.conf(5)'
	[[ $output = *wgns.conf:2:* ]]
}

@test "/run that is full or read-only forbids up" {
	lab_run mount -o remount,ro /run
	run lab_wgns doctor
	says 5 '/run is mounted read-only' 'hint: mount -o remount,rw /run'
	lab_run mount -o remount,rw,size=16m /run
	lab_run sh -c 'cat /dev/zero >/run/full 2>/dev/null || :'
	run lab_wgns doctor
	says 5 '/run has only 0 KiB left'
}

@test "state that cannot be read forbids up, and everything else is told all the same" {
	lab_run install -d -m 755 /run/wgns
	lab_run touch /run/wgns/tunnel
	run up wg0
	[ "$status" != 0 ]
	run lab_wgns doctor
	says 5 '/run/wgns/tunnel' 'NO    the devices and the state can be read' 'yes   /run takes what wgns has to keep'
}

@test "a change that goes on is no leftover" {
	lab_run mkdir -m 755 -p /run/wgns
	daemon flock flock /run/wgns/lock sleep 1000
	notes 'another wgns is changing the network just now: ask again when it is done'
}

@test "an ordinary user is told what root could have looked at, and nothing wrong" {
	up wg0
	down wg0
	run -0 lab_as alice wgns doctor
	[[ $output = *"could not be looked at: sudo wgns doctor sees all" ]]
	says_not NO
	for text in 'only root sees what is in /run/wgns' '/etc/wireguard: Permission denied' \
		'only root sees the mount namespace of process 1' 'only root can ask the kernel for it'; do
		[[ $output = *"$text"* ]] || { echo "no '$text' in $output" >&2; return 1; }
	done
	up wg0
	run -0 lab_as alice wgns doctor
	says_not NO
	[[ $output = *'they are there: a tunnel is up'* ]]
	run lab_as alice wgns doctor --json
	jq -e '.answer == "unknown" and .can_up' <<<"$output"
	run -0 lab_as mallory wgns doctor
	[[ $output = *'mallory is not in group wgns'* ]]
}

@test "a name on a terminal is escaped" {
	lab_run sed -i 's/^wgns:.*/wgns:x:4800:a\x1b[31mb/' /etc/group
	run -0 lab_wgns doctor
	says_not $'\033'
	[[ $output = *'a\x1b[31mb'* ]]
}
