#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: 6.12
# what up refuses, with which exit status, and that nothing was touched then
# shellcheck disable=SC2016 # the text of a hook or a file is not for this shell to expand
# shellcheck disable=SC2154 # run sets status, output and stderr
# shellcheck disable=SC2317 # functions are called by name

load change

setup() { lab_up; }
teardown() { lab_down; }

# somewhere for a device that must be up: a second pair, both ends in home
pair() { lab_run ip link add "$1" type veth peer name "$2"; }

@test "a tunnel that is up already" {
	up wg0
	refused 3 'wg0 is already up' 'wgns down wg0' -- wg0
	[ "$(get 10.77.0.80/)" = "behind the tunnel" ]
}

@test "a device of the tunnel's name that wgns did not make" {
	pair wg0 other
	refused 3 'a device called wg0 exists, and wgns did not make it' -- wg0
}

# not in the VM
@test "a namespace called physical that wgns did not make" {
	lab_run ip netns add physical
	refused 3 'a namespace called physical exists, and wgns did not make it' -- wg0
}

@test "a WireGuard device that was made in home" {
	lab_run ip link add office type wireguard 2>/dev/null || lab_run wireguard-go office >/dev/null 2>&1
	lab_wait lab_run wg show office
	refused 3 office 'made in home' -- wg0
}

# not in the VM
@test "no uplink" {
	lab_run ip route del default
	lab_run ip -6 route del default
	refused 5 'no uplink' '--uplink' -- wg0
}

# not in the VM
@test "an uplink that is not there" {
	refused 5 nonesuch -- --uplink nonesuch wg0
	refused 5 nonesuch -- --uplink eth0 --uplink nonesuch wg0
}

# not in the VM
@test "lo as an uplink" {
	refused 5 'lo cannot move to physical' loopback -- --uplink lo wg0
}

@test "a tunnel as an uplink" {
	lab_run ip link add office type wireguard 2>/dev/null || lab_run wireguard-go office >/dev/null 2>&1
	lab_wait lab_run wg show office
	remember
	run up --uplink office wg0
	[ "$status" = 3 ] || [ "$status" = 5 ]
	[[ $output = *office* ]]
	unchanged
}

@test "a bridge as an uplink, with the kernel's words" {
	lab_run ip link add br0 type bridge
	lab_run ip link set br0 up
	refused 5 'br0 cannot move to physical' '(kernel: "' -- --uplink br0 wg0
}

@test "a bridge that carries the default route" {
	lab_run ip link add br0 type bridge
	lab_run ip link set br0 up
	lab_run ip route replace default via 192.0.2.1 dev br0 onlink metric 7
	refused 5 br0 -- wg0
}

@test "an uplink that is a bridge port" {
	lab_run ip link add br0 type bridge
	lab_run ip link set eth0 master br0
	refused 5 eth0 br0 -- wg0
	refused 5 eth0 'bridge br0' -- --uplink eth0 wg0
}

@test "an uplink in a VRF" {
	lab_run ip link add red type vrf table 77 || skip_or_fail 'this kernel has no VRF'
	lab_run ip link set eth0 master red
	refused 5 eth0 red -- --uplink eth0 wg0
}

child_refused() {
	lab_run ip link add child0 link eth0 type "$1" || skip_or_fail "this kernel has no $1"
	refused 5 eth0 "$1 child0" -- wg0
}
@test "an uplink with a macvlan on it" { child_refused macvlan; }
@test "an uplink with a macvtap on it" { child_refused macvtap; }
@test "an uplink with an ipvlan on it" { child_refused ipvlan; }
@test "an uplink with an ipvtap on it" { child_refused ipvtap; }

@test "an uplink with a macvlan in another namespace" {
	lab_run ip netns add guest
	lab_run ip link add child0 link eth0 netns guest type macvlan
	refused 5 eth0 'macvlan child0' guest -- wg0
}

@test "an uplink with a macvlan in a namespace that only a process holds" {
	lab_run sh -c 'unshare -n sleep 1000 >/dev/null 2>&1 & echo $! >/run/holder'
	pid=$(lab_run cat /run/holder)
	other() { [[ $(lab_run readlink "/proc/$pid/ns/net") != $(lab_run readlink /proc/1/ns/net) ]]; }
	lab_wait other
	lab_run ip link add child0 link eth0 netns "$pid" type macvlan
	refused 5 eth0 'macvlan child0' -- wg0
	lab_run kill "$pid"
}

@test "an uplink whose VLAN is in another namespace" {
	lab_run ip netns add guest
	lab_run ip link add link eth0 name eth0.7 type vlan id 7 || skip_or_fail 'this kernel has no VLANs'
	lab_run ip link set eth0.7 netns guest
	refused 5 eth0 'vlan eth0.7' guest -- wg0
}

@test "an uplink with a macvlan on its VLAN" {
	lab_run ip link add link eth0 name eth0.7 type vlan id 7 || skip_or_fail 'this kernel has no VLANs'
	lab_run ip link add child0 link eth0.7 type macvlan
	refused 5 eth0.7 'macvlan child0' -- wg0
}

@test "an uplink with nexthop objects" {
	lab_run ip nexthop add id 7 via 192.0.2.1 dev eth0
	refused 5 eth0 nexthop -- wg0
}

# not in the VM
@test "a daemon that is not there" {
	lab_run sh -c 'printf "[Tunnel]\nDaemon = /nowhere/wireguard-go\n" >/etc/wgns/wgns.conf'
	remember
	run lab_wgns up --backend userspace wg0
	says 5 /nowhere/wireguard-go
	unchanged
}

# not in the VM
@test "a daemon that ends at once undoes everything" {
	lab_run sh -c 'printf "[Tunnel]\nDaemon = /bin/false\n" >/etc/wgns/wgns.conf'
	remember
	run lab_wgns up --backend userspace wg0
	says 1 'tunnel.create wg0' /bin/false 'everything was undone'
	unchanged
}

# not in the VM
@test "the kernel's WireGuard where the kernel has none" {
	[ "$LAB_KERNEL" = no ] || skip_or_fail 'the kernel does the encryption here' may
	remember
	run lab_wgns up --backend kernel wg0
	says 5 kernel
	unchanged
}

# not in the VM
@test "a file with errors, all of which are named" {
	conf wg0 's/^PrivateKey.*/PrivateKey = short/; s/^Endpoint.*/Endpoint = nowhere/; s/^AllowedIPs.*/AllowedIPs = 10.0.0.0\/33/'
	refused 1 /etc/wireguard/wg0.conf:2: 'wg0.conf has 3 errors; nothing was touched' -- wg0
	run up wg0
	[ "$(grep -c '^/etc/wireguard/wg0.conf:[0-9]*:[0-9]*: ' <<<"$output")" = 3 ]
}

# not in the VM
@test "a file that is not there, a folder, a name that cannot be" {
	refused 1 wg7 -- wg7
	lab_run mkdir /etc/wireguard/wg8.conf
	refused 1 wg8 -- wg8
	refused 2 '' -- sixteen-letters-
	refused 2 '' -- ..
	refused 2 '' -- ''
}

# not in the VM
@test "a configuration of wgns with errors" {
	lab_run sh -c 'printf "[Tunnel]\nNonesuch = 1\n" >/etc/wgns/wgns.conf'
	remember
	run lab_wgns up wg0
	says 1 /etc/wgns/wgns.conf:2: Nonesuch
	unchanged
}

# not in the VM
@test "a command line that is wrong" {
	remember
	for args in '' 'wg0 wg1' '--nonesuch wg0' '--backend magic wg0' '--layout vrf wg0' '--uplink'; do
		# shellcheck disable=SC2086
		run lab_wgns up $args
		says 2 'wgns'
	done
	for args in '' 'wg0 wg1' '--nonesuch wg0'; do
		# shellcheck disable=SC2086
		run lab_wgns down $args
		says 2 'wgns'
	done
	unchanged
}

# not in the VM
@test "somebody who is not root" {
	remember
	run lab_run setpriv --reuid 4242 --regid 4242 --clear-groups "$WGNS" up wg0
	says 1 'only root' 'with sudo in front'
	run lab_run setpriv --reuid 4242 --regid 4242 --clear-groups "$WGNS" down wg0
	says 1 'only root'
	unchanged
}

# not in the VM
@test "a mount namespace of its own" {
	remember
	run lab_run unshare -m "$WGNS" up --backend "$(lab_backend)" wg0
	says 5 'mount namespace'
	unchanged
}

# not in the VM
@test "a folder of sockets that is a symlink or a file" {
	for path in /run/nscd /run/systemd /run/systemd/resolve /run/dbus; do
		lab_run sh -c "mkdir -p /run/elsewhere/resolve ${path%/*}; touch /run/elsewhere/kept; ln -s /run/elsewhere $path"
		refused 5 "$path is not a folder" -- wg0
		lab_run sh -c "rm $path; ln -s nonesuch $path"
		refused 5 "$path is not a folder" -- wg0
		lab_run sh -c "rm $path; touch $path"
		refused 5 "$path is not a folder" -- wg0
		lab_run rm "$path"
	done
}

# not in the VM
@test "a state folder that others may write to" {
	lab_run mkdir -m 777 /run/wgns
	refused 5 /run/wgns -- wg0
}

# not in the VM
@test "of two at once one wins, and the other waits and says that it is up already" {
	interface wg0 'PostUp = echo >/run/here; read -r _ </run/go'
	lab_run mkfifo /run/here /run/go
	up wg0 2>"$BATS_TEST_TMPDIR/first" 3>&- &
	first=$!
	lab_run timeout 20 cat /run/here
	up wg0 2>"$BATS_TEST_TMPDIR/second" 3>&- &
	second=$!
	lab_wait grep -q 'waiting for it' "$BATS_TEST_TMPDIR/second"
	lab_run sh -c 'echo >/run/go'
	wait "$first"
	second_status=0
	wait "$second" || second_status=$?
	[ "$second_status" = 3 ]
	grep -q 'wg0 is already up' "$BATS_TEST_TMPDIR/second"
}

# not in the VM
@test "up inside of physical" {
	up wg0
	remember
	run lab_run nsenter --net=/run/netns/physical "$WGNS" up wg1
	says 3 'this is physical itself' 'in home'
	unchanged
	down wg0
}

@test "a route that another tunnel has already, -n as well as up" {
	lab_run sh -c 'sed "s/^ListenPort.*//" /etc/wireguard/wg0.conf >/etc/wireguard/wg2.conf'
	up wg0
	refused 3 'the route 0.0.0.0/0 is taken by wg0 already' 'wgns down wg0' -- -n wg2
	refused 3 'the route 0.0.0.0/0 is taken by wg0 already' 'wgns down wg0' -- wg2
	down wg0
}
