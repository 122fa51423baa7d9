#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The machine's own managers move to physical with the uplinks, and come back
# only in the VM: 6.12 systemd
# shellcheck disable=SC2317 # functions are called by name
#
# Home is the machine's own namespace. In another one, world, is what the uplinks lead to: a DHCP server for each, a
# VPN server at 198.51.100.1, two access points. Each manager has an uplink: NetworkManager eth0, and by wpa_supplicant wlan1;
# systemd-networkd net0; dhcpcd dhc0. (Of all veth pairs NetworkManager's udev rules leave it those that are called eth*.)

load ../lab/lab

export LAB_DEADLINE=120

world() { ip netns exec world "$@"; }
in_physical() { ip netns exec physical "$@"; }
wgns() { "$WGNS" "$@"; }

# cable NAME NUMBER: an uplink with a DHCP server at its other end
cable() {
	ip link add "$1" index "1$2" address "02:77:67:00:00:$2" type veth peer name "isp$2" netns world
	ip -n world addr add "192.0.$2.1/24" dev "isp$2"
	ip -n world link set "isp$2" up
	serve "isp$2" "$2"
}
serve() {
	world setsid dnsmasq --conf-file=/dev/null --pid-file= --port=0 --user=root --interface="$1" --bind-interfaces \
		--dhcp-range="192.0.$2.50,192.0.$2.99,10m" --dhcp-option="3,192.0.$2.1" --dhcp-option="6,192.0.$2.53" \
		--dhcp-leasefile="$BATS_FILE_TMPDIR/leases.$2" >"$BATS_FILE_TMPDIR/dhcp.$2" 2>&1 3>&- &
}

setup_file() {
	export WGNS
	cd "$BATS_FILE_TMPDIR" || return
	umask 022
	groupadd --system wgns
	systemctl start systemd-resolved
	mkdir -p /etc/{wireguard,wgns,iwd,systemd/network,NetworkManager/conf.d}
	printf '[keyfile]\nunmanaged-devices=interface-name:net*;interface-name:dhc*;interface-name:sta*;interface-name:iwd*\n' \
		>/etc/NetworkManager/conf.d/others.conf
	printf '[Match]\nName=net0\n[Network]\nDHCP=ipv4\n' >/etc/systemd/network/net0.network
	printf 'allowinterfaces dhc0\nnoipv4ll\n' >/etc/dhcpcd.conf
	# a hook where nobody looks for one: it tells the machine, in every way that there is, of servers that it hears of
	cat >/etc/dhcpcd.exit-hook <<-'E'
		[ "$(readlink /proc/self/ns/net)" = "$(readlink /proc/1/ns/net)" ] || {
			echo ran >>/run/dhcpcd/hooks
			echo "nameserver 192.0.12.54" >/etc/resolv.conf
			echo "nameserver 192.0.12.54" >/etc/resolv.new && mv /etc/resolv.new /etc/resolv.conf
			rm /etc/resolv.conf
			resolvectl dns lo 192.0.12.54
		} 2>/dev/null
	E
	ip netns add world
	ip -n world link set lo up
	ip -n world addr add 198.51.100.1/32 dev lo
	wg genkey | (umask 077 && tee server | wg pubkey >server.pub)
	wg genkey | (umask 077 && tee laptop | wg pubkey >laptop.pub)
	ip -n world link add wgs type wireguard
	world wg set wgs listen-port 51820 private-key server peer "$(<laptop.pub)" allowed-ips 10.9.0.2/32
	ip -n world addr add 10.9.0.1/24 dev wgs
	ip -n world link set wgs up
	cat >/etc/wireguard/wg0.conf <<-E
		[Interface]
		PrivateKey = $(<laptop)
		Address = 10.9.0.2/24
		[Peer]
		PublicKey = $(<server.pub)
		Endpoint = 198.51.100.1:51820
		AllowedIPs = 10.9.0.0/24
		PersistentKeepalive = 1
	E
	cable eth0 10
	air
}
teardown_file() {
	ip netns pids world | xargs -r kill
	ip netns del world
}

# air: two networks in the air, lab and cafe, and a card for the laptop
air() {
	local ssid radio=0
	modprobe mac80211_hwsim radios=3
	for ssid in lab cafe; do
		iw phy "phy$radio" set netns name world
		ip -n world addr add "192.0.$((20 + radio)).1/24" dev "wlan$radio"
		printf 'interface=wlan%d\nssid=%s\nchannel=1\nhw_mode=g\nwpa=2\nwpa_key_mgmt=WPA-PSK\nrsn_pairwise=CCMP\nwpa_passphrase=%s\n' \
			$radio $ssid "not a secret" >"ap.$ssid"
		world setsid hostapd "ap.$ssid" >"ap.$ssid.log" 2>&1 3>&- &
		lab_wait grep -q AP-ENABLED "ap.$ssid.log"
		serve "wlan$radio" $((20 + radio))
		radio=$((radio + 1))
	done
}

setup() { cd "$BATS_FILE_TMPDIR" || return; }
# what failed does not make the next ones fail, too
teardown() { [ ! -e /run/wgns/tunnel ] || wgns down --kill wg0; }

is_managed() { nmcli -t -f DEVICE,STATE device | grep -qx "$1:connected"; }
has_address() { ip ${3:+-n "$3"} -4 -o addr show dev "$1" | grep -q "inet 192.0.$2."; }
netns_of() { readlink "/proc/$(systemctl show -p MainPID --value "$1")/ns/net"; }
is_in() { [ "$(netns_of "$1")" = "net:[$(stat -Lc %i "$2")]" ]; }
has_handshake() { (($(wg show wg0 latest-handshakes | cut -f 2))); }
box_says() { grep -qx "$1" /run/wgns/box/physical/etc/resolv.conf; }
# resolved_knows NETWORK...: has home's resolver servers there, for whichever device?
resolved_knows() { resolvectl dns | grep -E "^Link.* 192\.0\.($1)\."; }
# nothing_left: of wgns in what systemd and NetworkManager read
nothing_left() {
	[ ! -e /run/wgns ]
	[ "$(grep -rlE 'wgns|physical' /run/systemd/system /run/NetworkManager/conf.d 2>/dev/null)" = "" ]
	[ "$(findmnt -rno TARGET | grep -E 'wgns|netns/physical')" = "" ]
	[ "$(systemctl show -p NetworkNamespacePath --value NetworkManager systemd-networkd.socket | tr -d '\n')" = "" ]
}

@test "every manager moves with its uplink, is of use there, and comes back" {
	cable net0 11
	cable dhc0 12
	# nobody manages this one
	cable sta0 14
	ip addr add 192.0.14.2/24 dev sta0
	ip link set sta0 up
	# a link that NetworkManager goes on filling, wherever it runs
	cp -P /etc/resolv.conf resolv.link
	ln -sfn /run/NetworkManager/resolv.conf /etc/resolv.conf
	systemctl start NetworkManager
	lab_wait test -e /etc/resolv.conf
	systemctl start systemd-networkd dhcpcd
	lab_wait is_managed eth0
	nmcli device wifi connect lab password 'not a secret' 2>/dev/null || lab_wait nmcli device wifi connect lab password 'not a secret'
	nmcli connection modify lab connection.autoconnect no
	lab_wait has_address net0 11
	lab_wait has_address dhc0 12
	lab_wait has_address wlan2 20
	printf '[Physical]\nUplinks = eth0 net0 dhc0 sta0 wlan2 eth1\n[Tunnel]\nWatch = yes\n' >/etc/wgns/wgns.conf
	lab_wait grep -qx 'nameserver 192.0.10.53' /etc/resolv.conf

	run wgns doctor
	echo "$output"
	[[ $output = *"wlan2 is managed by NetworkManager.service, which moves to physical with it"* ]]
	run wgns up -n wg0
	echo "$output"
	[[ $output = *"unit.wait NetworkManager.service 60 s: wlan2 eth0"* ]]
	[[ $output != *"nothing renews it"* ]]
	wgns up wg0
	cp /etc/resolv.conf resolv.before
	is_managed eth0
	is_managed wlan2
	has_address eth0 10 physical
	has_address wlan2 20 physical
	has_address net0 11 physical
	lab_wait has_address dhc0 12 physical
	for unit in NetworkManager wpa_supplicant systemd-networkd dhcpcd; do
		is_in $unit /run/netns/physical
	done
	lab_wait has_handshake
	ping -c 1 -W 10 10.9.0.1
	[ "$(wgns status --json | jq -r '.boxes[] | select(.name == "physical").agents[] | select(.dead | not).program' |
		grep -v dispatcher | LC_ALL=C sort | xargs)" = "NetworkManager dhcpcd systemd-networkd wpa_supplicant" ]
	# their resolvers are the box's, and home never hears of them: not by /etc, and not by the number of a device
	lab_wait box_says 'nameserver 192.0.10.53'
	ip link add same index 110 type dummy
	ip link add same1 index 111 type dummy
	ip link add same4 index 114 type dummy
	ip addr add 10.1.1.1/24 dev same
	ip link set same up
	ip link set same1 up
	has_address sta0 14 physical
	diff resolv.before /etc/resolv.conf
	# the desktop's menu goes on working: a new network in the air
	nmcli device wifi connect cafe password 'not a secret' 2>/dev/null || lab_wait nmcli device wifi connect cafe password 'not a secret'
	lab_wait has_address wlan2 21 physical
	lab_wait box_says 'nameserver 192.0.21.53'
	# a new card is managed, and so is everything after a crash
	cable eth1 13
	lab_wait has_address eth1 13 physical
	lab_wait is_managed eth1
	kill -KILL "$(systemctl show -p MainPID --value NetworkManager)"
	lab_wait is_managed eth0
	# it had not written down yet what it had done to this one, and would leave it as it is
	nmcli device connect eth1
	is_in NetworkManager /run/netns/physical
	run resolved_knows '10|11|12|13|20|21'
	[ "$status" = 1 ]
	diff resolv.before /etc/resolv.conf
	[ "$(readlink /etc/resolv.conf)" = /run/NetworkManager/resolv.conf ]
	grep -q ran /run/dhcpcd/hooks

	wgns down wg0
	nothing_left
	# it has another number now, and its own address
	(($(cat /sys/class/net/sta0/ifindex) != 114))
	has_address sta0 14
	lab_wait grep -qx 'nameserver 192.0.21.53' /etc/resolv.conf
	rm /etc/resolv.conf
	cp -P resolv.link /etc/resolv.conf
	for device in same same1 same4; do ip link del $device; done
	lab_wait is_managed eth0
	lab_wait is_managed wlan2
	lab_wait has_address wlan2 21
	lab_wait has_address net0 11
	lab_wait has_address dhc0 12
	lab_wait is_managed eth1
	lab_wait has_address eth1 13
	for unit in NetworkManager wpa_supplicant systemd-networkd dhcpcd; do
		is_in $unit /proc/1/ns/net
	done
	systemctl stop systemd-networkd.socket systemd-networkd dhcpcd
	nmcli device disconnect wlan2
}

@test "a manager that does not come up in physical is back in home" {
	mkdir -p /etc/systemd/system/NetworkManager.service.d
	# init's sysfs has cgroups in it, and that of the namespace has none
	printf '[Service]\nExecStartPre=/bin/test -e /sys/fs/cgroup/cgroup.procs\n' \
		>/etc/systemd/system/NetworkManager.service.d/broken.conf
	systemctl daemon-reload
	lab_wait is_managed eth0
	run wgns up --uplink eth0 wg0
	[ "$status" = 1 ]
	[[ $output = *"unit.start NetworkManager.service"*"Job for NetworkManager.service failed"*"everything was undone"* ]]
	nothing_left
	rm /etc/systemd/system/NetworkManager.service.d/broken.conf
	systemctl daemon-reload
	lab_wait is_managed eth0
	has_address eth0 10
	is_in NetworkManager /proc/1/ns/net
}

@test "one of several uplinks whose DHCP server has fallen silent is warned of" {
	cable eth2 15
	lab_wait is_managed eth2
	pkill -f -- --interface=isp15
	run wgns up --uplink eth0 --uplink eth2 wg0
	echo "$output"
	[ "$status" = 0 ]
	[[ $output = *"warning: "*eth2*"NetworkManager.service goes on trying"* ]]
	wgns down wg0
	ip link del eth2
}

@test "what a killed up and a killed recover left is undone" {
	local n
	n=$(wgns up -n --uplink eth0 wg0 | grep -n '^unit.start' | cut -d: -f1)
	run env WGNS_FAULT="kill-before:$n" "$WGNS_FAULTY" up --uplink eth0 wg0
	[ "$status" = 137 ]
	[ -e /run/systemd/system/NetworkManager.service.d/wgns.conf ]
	# between the drop-ins and the start in home
	n=$(tr -d '\0' </run/wgns/box/physical/journal | sed -n 's/^I \([0-9]*\) unit.stop.*/\1/p')
	run env WGNS_FAULT="kill-undo:$n" "$WGNS_FAULTY" recover
	[ "$status" = 137 ]
	[ ! -e /run/systemd/system/NetworkManager.service.d/wgns.conf ]
	run systemctl is-active NetworkManager
	[ "$output" = inactive ]
	wgns recover
	nothing_left
	lab_wait is_managed eth0
	has_address eth0 10
	is_in NetworkManager /proc/1/ns/net
}

@test "what NetworkManager is told in /etc and cannot work is a refusal, and nothing was touched" {
	local pid
	pid=$(systemctl show -p MainPID --value NetworkManager)
	printf '[main]\n  dns = none\n' >/etc/NetworkManager/conf.d/names.conf
	systemctl reload NetworkManager
	run wgns up --uplink eth0 wg0
	echo "$output"
	[ "$status" = 5 ]
	[[ $output = *"/etc/NetworkManager/conf.d/names.conf has dns=none"*"set it to default there"* ]]
	[ "$(systemctl show -p MainPID --value NetworkManager)" = "$pid" ]
	nothing_left
	run wgns doctor
	[[ $output = *"/etc/NetworkManager/conf.d/names.conf has dns=none"* ]]
	# one that it does not read, because it is for another version
	printf '[.config]\nenable=nm-version:9.9\n[main]\ndns=none\n' >/etc/NetworkManager/conf.d/names.conf
	run wgns up -n --uplink eth0 wg0
	[ "$status" = 0 ]
	rm /etc/NetworkManager/conf.d/names.conf
	systemctl reload NetworkManager
}

@test "a manager that is named and does not run is a refusal, and nothing was touched" {
	printf '[Physical]\nAgent = systemd:iwd\n' >/etc/wgns/wgns.conf
	run wgns up --uplink eth0 wg0
	echo "$output"
	[ "$status" = 5 ]
	[[ $output = *"systemd:iwd: it is not running"* ]]
	nothing_left
	printf '[Physical]\nAgent = none\n' >/etc/wgns/wgns.conf
	run wgns up -n --uplink eth0 wg0
	[[ $output != *unit.* ]]
	is_managed eth0
}

@test "iwd configures its network by itself in physical, and tells home's resolver nothing" {
	rm /etc/wgns/wgns.conf
	systemctl stop NetworkManager wpa_supplicant
	printf '[General]\nEnableNetworkConfiguration=true\n' >/etc/iwd/main.conf
	mkdir -p /var/lib/iwd
	printf '[Security]\nPassphrase=not a secret\n' >/var/lib/iwd/lab.psk
	systemctl start iwd
	lab_wait has_iwd_address
	wgns up --uplink "$(iwd_device)" wg0
	is_in iwd /run/netns/physical
	has_iwd_address physical
	lab_wait has_handshake
	run resolved_knows 20
	[ "$status" = 1 ]
	wgns down wg0
	nothing_left
	lab_wait has_iwd_address
	is_in iwd /proc/1/ns/net
	systemctl stop iwd
}
iwd_device() { ip ${1:+-n "$1"} -o link show | sed -nE 's/^[0-9]+: (wlan[0-9]+):.*/\1/p'; }
has_iwd_address() { has_address "$(iwd_device "${1-}")" 20 "${1-}"; }

@test "a client that a unit without rights starts again in home has those that it had" {
	# root's alone, as what is installed
	mkdir /run/bin
	cp -r "$WGNS" "${WGNS%/*}/profiles" "${WGNS%/*}/agents" /run/bin/
	chmod -R go-w /run/bin
	WGNS=/run/bin/wgns
	systemctl stop NetworkManager systemd-networkd dhcpcd
	cable usb0 16
	ip link set usb0 up
	printf '[Physical]\nUplinks = usb0\n' >/etc/wgns/wgns.conf
	busybox udhcpc -i usb0 -b -S -s "$BATS_TEST_DIRNAME/../lab/udhcpc-script" >client 2>&1 3>&-
	lab_wait has_address usb0 16
	tr '\0' '\n' <"/proc/$(pgrep -f '^busybox udhcpc')/cmdline" >arguments
	grep -E '^(Uid|Cap...|NoNewPrivs|Seccomp):' /proc/self/status >rights
	wgns up wg0
	lab_wait has_address usb0 16 physical
	systemd-run --quiet --wait --unit=goes-down -p KillMode=process -p NoNewPrivileges=yes -p 'SystemCallFilter=@system-service @mount' \
		-p 'CapabilityBoundingSet=CAP_NET_ADMIN CAP_SYS_ADMIN CAP_SYS_PTRACE CAP_KILL' "$WGNS" down wg0
	client=$(pgrep -f '^[^ ]*busybox udhcpc')
	[ "$(readlink "/proc/$client/ns/net")" = "$(readlink /proc/self/ns/net)" ]
	grep -E '^(Uid|Cap...|NoNewPrivs|Seccomp):' "/proc/$client/status" | diff rights -
	tr '\0' '\n' <"/proc/$client/cmdline" | sed '1s,.*/,,' | diff arguments -
	[ "$(grep goes-down "/proc/$client/cgroup")" = "" ]
	# its unit goes with it
	unit=$(sed 's,.*/,,' "/proc/$client/cgroup")
	kill "$client"
	lab_wait sh -c "! systemctl status $unit"
	rm /etc/wgns/wgns.conf
	ip link del usb0
}
