#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: 6.1
# down: from the journal alone, and who may stand in its way
# shellcheck disable=SC2016 # the text of a hook or a file is not for this shell to expand
# shellcheck disable=SC2154 # run sets status, output and stderr
# shellcheck disable=SC2317 # functions are called by name

load change

setup() { lab_up; }
teardown() { lab_down; }

# a program in physical: its pid in home
runs_in_physical() {
	lab_run sh -c 'ip netns exec physical "$@" >/dev/null 2>&1 & echo $! >/run/runs' - "$@"
	inside() { [[ $(lab_run stat -Lc %i "/proc/$(lab_run cat /run/runs)/ns/net") = $(lab_run stat -Lc %i /run/netns/physical) ]]; }
	lab_wait inside
	lab_run sh -c 'cat /run/runs; rm /run/runs'
}

# not in the VM
@test "down of what is not up" {
	remember
	for name in wg0 wg1 nonesuch; do
		run down $name
		says 3 "$name is not up"
	done
	unchanged
	up wg0
	run down wg1
	says 3 'wg1 is not up'
	[ "$(get 10.77.0.80/)" = "behind the tunnel" ]
	down wg0
	run down wg0
	says 3 'wg0 is not up'
	unchanged
}

# not in the VM
@test "down needs no configuration" {
	lab_run cp -a /etc/wireguard/wg0.conf /run/kept
	remember
	up wg0
	lab_run rm /etc/wireguard/wg0.conf
	down wg0
	lab_run cp -a /run/kept /etc/wireguard/wg0.conf
	unchanged
}

@test "down takes what up made, not what the file says by now" {
	lab_run cp -a /etc/wireguard/wg0.conf /run/kept
	remember
	up wg0
	conf wg0 's/^Address.*/garbage = 1/; s/^DNS.*/Table = off/'
	down wg0
	lab_run cp -a /run/kept /etc/wireguard/wg0.conf
	unchanged
}

@test "a program in physical refuses down, which lists it and touches nothing" {
	up wg0
	pid=$(runs_in_physical sleep 1234)
	remember
	run down wg0
	says 3 "sleep ($pid)" '--kill'
	unchanged
	[ "$(get 10.77.0.80/)" = "behind the tunnel" ]
	lab_run kill "$pid"
}

# not in the VM
@test "a program in physical does not refuse down while another tunnel stays" {
	up wg0
	up wg1
	pid=$(runs_in_physical sleep 1234)
	down wg0
	lab_run kill -0 "$pid"
	run down wg1
	says 3 "sleep ($pid)"
}

@test "down --kill ends the programs in physical" {
	remember
	up wg0
	runs_in_physical sleep 1234
	runs_in_physical sh -c 'trap "" TERM; read -r _ </dev/zero; while :; do sleep 100; done'
	down --kill wg0
	unchanged
}

@test "down --force leaves the programs in physical, without a network" {
	remember
	up wg0
	pid=$(runs_in_physical sleep 1234)
	down --force wg0
	lab_run kill -0 "$pid"
	[ "$(lab_run nsenter -t "$pid" -n ip -br link | wc -l)" = 1 ]
	run lab_run ip netns list
	[ -z "$output" ]
	lab_run kill "$pid"
	gone() { ! lab_run test -e "/proc/$pid"; }
	lab_wait gone
	# what hid the host's resolvers from the program has stayed for it
	lab_run umount /run/nscd /run/systemd/resolve /run/dbus
	lab_run rmdir /run/nscd /run/systemd/resolve /run/systemd /run/dbus
	unchanged
}

@test "down when the tunnel's device was deleted by hand" {
	remember
	up wg0
	lab_run ip link del wg0
	down wg0
	unchanged
}

# not in the VM
@test "down when the daemon was killed" {
	[ "$(lab_backend)" = userspace ] || skip_or_fail 'the kernel does the encryption here' may
	remember
	up wg0
	pid=$(lab_run sed -n 's/^pid=//p' /run/wgns/tunnel/home:wg0/meta)
	lab_run kill -9 "$pid"
	down wg0
	unchanged
}

@test "down leaves a foreign device alone that has taken the tunnel's name" {
	up wg0
	lab_run ip link del wg0
	gone() { ! lab_run ip link show wg0; }
	lab_wait gone
	lab_run ip link add wg0 type veth peer name other
	down wg0
	lab_run ip link show other
	lab_run ip link show eth0
	run ! lab_run ip netns exec physical true
}

@test "down when the namespace's name was deleted by hand" {
	remember
	up wg0
	lab_run ip netns del physical
	down wg0
	unchanged
}

@test "down when another namespace has taken the name leaves that alone" {
	up wg0
	lab_run ip netns del physical
	lab_run ip netns add physical
	theirs=$(lab_run stat -Lc %i /run/netns/physical)
	down wg0
	[ "$(lab_run stat -Lc %i /run/netns/physical)" = "$theirs" ]
	lab_run ip link show eth0
	lab_run ip netns del physical
}

# not in the VM
@test "down leaves somebody else's resolv.conf in place" {
	up wg0
	lab_run sh -c 'echo nameserver 192.0.2.9 >/etc/resolv.conf.new; mv /etc/resolv.conf.new /etc/resolv.conf'
	down wg0
	[ "$(lab_run cat /etc/resolv.conf)" = 'nameserver 192.0.2.9' ]
}

@test "names of others under /run/netns stay, and so does the folder's mount" {
	up wg0
	lab_run ip netns add mine
	down wg0
	lab_run ip netns exec mine true
	remember
	up wg1
	down wg1
	unchanged
}

# not in the VM
@test "an interrupt does not stop down half way" {
	interface wg0 'PreDown = p=$(ps -o ppid= -p $PPID); kill -INT $p; kill -TERM $p; kill -HUP $p'
	remember
	up wg0
	down wg0
	unchanged
}

# not in the VM
@test "down from another namespace is refused" {
	up wg0
	run lab_run ip netns exec physical "$WGNS" down wg0
	[ "$status" = 3 ]
	[ "$(get 10.77.0.80/)" = "behind the tunnel" ]
}

@test "up and down twenty times leave nothing behind" {
	remember
	for _ in {1..20}; do
		up wg0 2>/dev/null
		down wg0 2>/dev/null
	done
	unchanged
	[ "$(get 203.0.113.80/cgi-bin/who)" = 192.0.2.10 ]
}

@test "down finds its device although a hook gave it another alias and somebody another name" {
	remember
	up wg0
	lab_run ip link set wg0 alias my-vpn
	lab_run sh -c 'ip link set wg0 down; ip link set wg0 name vpn7; ip link set vpn7 up'
	down wg0
	unchanged
}

# not in the VM
@test "down --kill ends more programs than fit into one look" {
	up wg0
	lab_run nsenter --net=/run/netns/physical sh -c 'i=0; while [ $i -lt 300 ]; do sleep 1000 & i=$((i + 1)); done' >&2
	down --kill wg0
}

@test "down gives back the rest when one route cannot be had in home" {
	up wg0
	lab_run ip -n physical nexthop add id 7 via 192.0.2.1 dev eth0
	lab_run ip -n physical route add 198.18.0.0/24 nhid 7
	run lab_run "$WGNS" down wg0
	says 0 'cannot be given back' '198.18.0.0/24'
	[[ $(lab_run ip route show default) = *eth0* ]]
}

@test "after a reboot in the middle, down and the next up give /etc/resolv.conf back" {
	for command in 'down wg0' 'up wg1'; do
		up wg0
		lab_run sh -c 'mkdir /run/kept; cp -dp /etc/resolv.conf /etc/.resolv.conf.wgns /run/kept/'
		down wg0
		# a reboot empties /run and leaves /etc
		lab_run sh -c 'cp -dp /run/kept/resolv.conf /run/kept/.resolv.conf.wgns /etc/; rm -r /run/kept'
		# shellcheck disable=SC2086 # two words
		run lab_run "$WGNS" $command
		[[ $(lab_run cat /etc/resolv.conf) = *192.0.2.1* ]]
	done
	down wg1
	lab_run sh -c '! ls /etc/.resolv.conf* 2>/dev/null'
}
