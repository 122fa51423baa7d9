#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: 6.1
# up in the physical layout: what it makes of a tunnel
# shellcheck disable=SC2016 # the text of a hook or a file is not for this shell to expand
# shellcheck disable=SC2154 # run sets status, output and stderr
# shellcheck disable=SC2317 # functions are called by name

load change

setup() { lab_up; }
teardown() { lab_down; }

@test "up -n prints the steps, changes nothing, and up does exactly these" {
	remember
	up -n wg0 >"$BATS_TEST_TMPDIR/plan"
	unchanged
	grep -qx 'link.move eth0 -> physical' "$BATS_TEST_TMPDIR/plan"
	grep -qx 'route.add wg0: 0.0.0.0/0, ::/0' "$BATS_TEST_TMPDIR/plan"
	up wg0
	journal_steps wg0 | diff "$BATS_TEST_TMPDIR/plan" -
}

# not in the VM
@test "up -v prints the plan's lines while it does them, and nothing on standard output" {
	up -n wg0 >"$BATS_TEST_TMPDIR/plan"
	run --separate-stderr up -v wg0
	[ "$status" = 0 ]
	[ -z "$output" ]
	n=$(wc -l <"$BATS_TEST_TMPDIR/plan")
	diff "$BATS_TEST_TMPDIR/plan" - < <(head -n "$n" <<<"$stderr")
	[[ $(tail -n +"$((n + 1))" <<<"$stderr") = 'wg0 is up'* ]]
}

# not in the VM
@test "up -n --json is the same plan as JSON with a schema" {
	up -n wg0 >"$BATS_TEST_TMPDIR/plan"
	up -n --json wg0 >"$BATS_TEST_TMPDIR/json"
	jq -e '.schema == 1 and .tunnel == "wg0"' "$BATS_TEST_TMPDIR/json"
	jq -r '.steps[]' "$BATS_TEST_TMPDIR/json" | diff "$BATS_TEST_TMPDIR/plan" -
}

@test "home reaches what is behind the tunnel in both families, and physical does not" {
	up wg0
	[ "$(get 10.77.0.80/)" = "behind the tunnel" ]
	[ "$(get 10.77.0.80/cgi-bin/who)" = 10.9.0.2 ]
	[ "$(get '[fd00:77::80]/cgi-bin/who')" = fd00:9::2 ]
	[ "$(get intra.inside.test/)" = "behind the tunnel" ]
	lab_run ping -qc 1 -W 5 10.77.0.80
	lab_run ping -qc 1 -W 5 fd00:77::80
	run ! in_physical ping -qc 1 -W 1 10.77.0.80
	run ! in_physical ping -qc 1 -W 1 fd00:77::80
	[ "$(in_physical curl -sm 5 http://203.0.113.80/cgi-bin/who)" = 192.0.2.10 ]
	[ "$(in_physical curl -sgm 5 'http://[2001:db8:80::80]/cgi-bin/who')" = 2001:db8:1::10 ]
}

@test "only WireGuard leaves the uplink from home" {
	lab_capture_start
	up wg0
	get intra.inside.test/
	# the public web by name and by number: both asked through the tunnel
	[ "$(get 203.0.113.80/cgi-bin/who)" = 198.51.100.2 ]
	lab_run ping -qc 2 -i 0.2 -W 5 10.77.0.80
	lab_run ping -qc 1 -W 1 192.0.2.1 || :
	lab_wait_handshake wg0
	lab_capture_stop
	[ "$(lab_capture_count "$LAB_FROM_HOME and udp port 51820")" -ge 5 ]
	# beside it only what physical itself says: its neighbours, and the endpoint's name
	lab_capture_show "$LAB_FROM_HOME and not arp and not udp port 51820 and not (icmp6 and ip6[40] >= 130) \
		and not ip6 proto 0 and not (dst host 192.0.2.1 and udp port 53)" >"$BATS_TEST_TMPDIR/leaks"
	diff /dev/null "$BATS_TEST_TMPDIR/leaks"
	lab_dns_asked isp vpn.example.test
	run ! lab_dns_asked isp intra.inside.test
}

@test "home keeps no route over anything but the tunnel and lo" {
	up wg0
	[ -z "$(lab_run ip -o link show eth0 2>/dev/null)" ]
	lab_run sh -c 'ip route show table all; ip -6 route show table all' >"$BATS_TEST_TMPDIR/routes"
	grep -q ' dev wg0' "$BATS_TEST_TMPDIR/routes"
	run ! grep -v -e ' dev wg0' -e ' dev lo' "$BATS_TEST_TMPDIR/routes"
}

@test "wg shows the tunnel by its name in home, with its peer and handshake" {
	up wg0
	get 10.77.0.80/
	lab_wait_handshake wg0
	[[ " $(lab_run wg show interfaces) " = *' wg0 '* ]]
	[[ "$(lab_run wg show wg0 endpoints)" = *']:51820' || "$(lab_run wg show wg0 endpoints)" = *198.51.100.2:51820 ]]
	[ "$(lab_run wg show wg0 allowed-ips | cut -f 2)" = '0.0.0.0/0 ::/0' ]
	[ "$(lab_run wg show wg0 private-key)" = "$(lab_run sed -n 's/^PrivateKey = //p' /etc/wireguard/wg0.conf)" ]
}

@test "the namespace is there for ip netns, with lo up and ping for everybody as in home" {
	lab_run sh -c 'echo "0 4242" >/proc/sys/net/ipv4/ping_group_range'
	lab_run sh -c 'echo 80 >/proc/sys/net/ipv4/ip_unprivileged_port_start'
	up wg0
	[[ "$(lab_run ip netns list)" = physical* ]]
	in_physical ping -qc 1 -W 5 127.0.0.1
	in_physical ping -qc 1 -W 5 ::1
	[ "$(in_physical cat /proc/sys/net/ipv4/ping_group_range | xargs)" = '0 4242' ]
	[ "$(in_physical cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" = 80 ]
	[ "$(stat -Lc %i "/proc/$LAB_HOME/root/run/netns/physical")" = \
		"$(stat -Lc %i "/proc/$LAB_HOME/root/run/wgns/box/physical/netns")" ]
}

@test "physical does not forward although home does" {
	lab_run sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
	lab_run sh -c 'echo 1 >/proc/sys/net/ipv4/conf/eth0/forwarding'
	remember
	up wg0
	for f in ipv4/ip_forward ipv4/conf/eth0/forwarding ipv6/conf/all/forwarding ipv6/conf/eth0/forwarding \
		ipv4/conf/default/forwarding ipv6/conf/default/forwarding; do
		[ "$(in_physical cat "/proc/sys/net/$f")" = 0 ]
	done
	down wg0
	unchanged
}

# not in the VM
@test "the state is root's alone, and keys are only in the copy of the configuration" {
	up wg0
	key=$(lab_run sed -n 's/^PrivateKey = //p' /etc/wireguard/wg0.conf)
	[ "$(lab_run grep -rlF "$key" /run/wgns)" = /run/wgns/tunnel/home:wg0/config ]
	[ "$(lab_run stat -c '%a %U' /run/wgns/tunnel/home:wg0)" = '700 root' ]
	[ "$(lab_run stat -c '%a %U' /run/wgns/tunnel/home:wg0/config)" = '600 root' ]
	[ "$(lab_run stat -c '%a %U' /run/wgns)" = '755 root' ]
	[ "$(lab_run stat -c '%a %U' /run/wgns/box/physical/fresh)" = '755 root' ]
	run ! lab_run grep -lF "$key" -r /proc/*/cmdline /proc/*/environ
}

# not in the VM
@test "the group of the box is wgns, or the one in wgns.conf, however long its entry is" {
	lab_run sh -c 'sed -i /^wgns:/d /etc/group; echo wgns:x:4711: >>/etc/group'
	up wg0
	[ "$(lab_run stat -c '%a %u %g' /run/wgns/box/physical)" = '750 0 4711' ]
	down wg0
	lab_run sh -c 'printf "[Box]\nGroup = people\n" >/etc/wgns/wgns.conf
		echo "people:x:4712:$(seq -s , -f user%.0f 2000)" >>/etc/group'
	up wg0
	[ "$(lab_run stat -c '%a %u %g' /run/wgns/box/physical)" = '750 0 4712' ]
}

# not in the VM
@test "a group that does not exist is named before and by up, once a layout" {
	lab_run sed -i /^wgns:/d /etc/group
	for args in '-n wg0' 'wg0'; do
		# shellcheck disable=SC2086
		run up $args
		says 0 'warning: group wgns does not exist: only root can use exec; after `groupadd --system wgns` the layout has to go down and up again'
	done
	[ "$(lab_run stat -c '%a %u %g' /run/wgns/box/physical)" = '750 0 0' ]
	run up wg1
	[ "$status" = 0 ]
	[[ $output != *'group wgns'* ]]
}

@test "two tunnels are up side by side, and the last that goes gives the uplink back" {
	remember
	for last in wg0 wg1; do
		first=wg0
		[ "$last" = wg1 ] || first=wg1
		up wg0
		up -n wg1 >"$BATS_TEST_TMPDIR/plan"
		run ! grep -e '^link.move' -e '^netns' "$BATS_TEST_TMPDIR/plan"
		up wg1
		[ "$(get 10.77.0.80/cgi-bin/who)" = 10.9.0.2 ]
		[ "$(get 10.78.0.80/cgi-bin/who)" = 10.9.1.2 ]
		down "$first"
		lab_run ip -n physical link show eth0
		address=10.78.0.80
		[ "$last" = wg1 ] || address=10.77.0.80
		[ "$(get $address/)" = "behind the tunnel" ]
		down "$last"
		unchanged
	done
}

@test "the second tunnel up first and the first one again after" {
	remember
	up wg1
	up wg0
	down wg1
	up wg1
	[ "$(get '[fd00:78::80]/cgi-bin/who')" = fd00:9:1::2 ]
	down wg0
	down wg1
	unchanged
}

# not in the VM
@test "a file anywhere is a tunnel by its own name" {
	lab_run sh -c 'mkdir -m 700 /etc/tunnels; mv /etc/wireguard/wg1.conf /etc/tunnels/office.conf'
	remember
	up /etc/tunnels/office.conf
	[ "$(get 10.78.0.80/)" = "behind the tunnel" ]
	lab_run wg show office
	down /etc/tunnels/office.conf
	unchanged
}

# mtu: what the tunnel has
mtu() { lab_run cat /sys/class/net/wg0/mtu; }

@test "the tunnel's MTU is the uplink's less 80" {
	lab_run ip link set eth0 mtu 1400
	up wg0
	[ "$(mtu)" = 1320 ]
}

@test "the tunnel's MTU is that of the route to the endpoint less 80" {
	lab_run ip route add 198.51.100.2 via 192.0.2.1 mtu 1370
	conf wg0 's/vpn.example.test/198.51.100.2/'
	up wg0
	[ "$(mtu)" = 1290 ]
}

# not in the VM
@test "the tunnel's MTU is the smallest of those towards several endpoints" {
	lab_run ip route add 198.51.100.0/24 via 192.0.2.1 mtu 1420
	lab_run ip -6 route add 2001:db8:100::/64 via 2001:db8:1::1 mtu 1390
	conf wg0 's/vpn.example.test/198.51.100.2/'
	for i in 1 2; do
		lab_run sh -c "printf '[Peer]\nPublicKey = %s\nEndpoint = [2001:db8:100::$i]:99\n' \$(wg genkey | wg pubkey) \
			>>/etc/wireguard/wg0.conf"
	done
	up wg0
	[ "$(mtu)" = 1310 ]
}

@test "without an endpoint the default route decides on the MTU" {
	conf wg0 /^Endpoint/d
	lab_run ip route replace default via 192.0.2.1 dev eth0 metric 100 mtu 1390
	up wg0
	[ "$(mtu)" = 1310 ]
}

# not in the VM
@test "MTU= is taken as it is" {
	interface wg0 'MTU = 1287'
	up wg0
	[ "$(mtu)" = 1287 ]
	[ "$(get 10.77.0.80/)" = "behind the tunnel" ]
}

# not in the VM
@test "Table = off adds no route" {
	interface wg0 'Table = off'
	up wg0
	[ -z "$(lab_run ip route show default)$(lab_run ip -6 route show default)" ]
	run ! get 10.77.0.80/ 1
}

@test "Table = number puts the routes into that table" {
	interface wg0 'Table = 4242'
	rules=$(lab_run ip rule show)
	up wg0
	[ -z "$(lab_run ip route show default)" ]
	[[ "$(lab_run ip route show table 4242)" = 'default dev wg0'* ]]
	[[ "$(lab_run ip -6 route show table 4242)" = 'default dev wg0'* ]]
	[ "$(lab_run ip rule show)" = "$rules" ]
	down wg0
	[ -z "$(lab_run ip route show table 4242 2>/dev/null)" ]
}

@test "routes inside an address of the tunnel are left out, and the same twice is added once" {
	conf wg0 's,^Address.*,Address = 10.9.0.2/16,; s,^AllowedIPs.*,AllowedIPs = 10.9.5.0/24\, 10.77.0.0/24\, 10.77.0.0/24,'
	conf wg0 '$a [Peer]'
	conf wg0 "\$a PublicKey = $(wg genkey | wg pubkey)"
	conf wg0 '$a AllowedIPs = 10.77.0.0/25'
	remember
	up wg0
	diff - <(lab_run ip -4 route show | sed 's/ *$//') <<-R
		10.9.0.0/16 dev wg0 proto kernel scope link src 10.9.0.2
		10.77.0.0/25 dev wg0 scope link
		10.77.0.0/24 dev wg0 scope link
	R
	down wg0
	unchanged
}

@test "home resolves by DNS= only, and physical by the uplink's resolver only" {
	up wg0
	[ "$(lab_run grep -v '^#' /etc/resolv.conf)" = "$(printf 'nameserver 10.77.0.80\nsearch inside.test')" ] ||
		[ "$(lab_run grep -v '^#' /etc/resolv.conf)" = "$(printf 'search inside.test\nnameserver 10.77.0.80')" ]
	[ "$(lab_run cat /run/wgns/box/physical/etc/resolv.conf)" = 'nameserver 192.0.2.1' ]
	[ "$(get intra/)" = "behind the tunnel" ]
	lab_dns_asked web intra.inside.test
	run ! lab_dns_asked isp intra.inside.test
	down wg0
	[ "$(lab_run cat /etc/resolv.conf)" = 'nameserver 192.0.2.1' ]
}

# not in the VM
@test "a tunnel without DNS= warns that the uplink's resolver is out of reach" {
	run up wg1
	says 0 'warning: the file has no DNS='
	[ "$(lab_run cat /etc/resolv.conf)" = 'nameserver 192.0.2.1' ]
}

@test "an endpoint's name is resolved in physical by the uplink's resolver" {
	up wg1
	[ "$(get 10.78.0.80/)" = "behind the tunnel" ]
	[[ "$(lab_run ip route get 192.0.2.1 2>&1)" = *unreachable* ]]
	up wg0
	[[ "$(lab_run wg show wg0 endpoints)" = *:51820 ]]
	lab_dns_asked isp vpn.example.test
	run ! lab_dns_asked web vpn.example.test
}

@test "an endpoint that nobody knows undoes everything" {
	conf wg0 's/vpn.example.test/nonesuch.example.test/'
	lab_run sed -i 's/$/\noptions timeout:1 attempts:1/' /etc/resolv.conf
	remember
	run lab_run env WG_ENDPOINT_RESOLUTION_RETRIES=0 "$WGNS" up --backend "$(lab_backend)" wg0
	says 1 'wg.set wg0' nonesuch.example.test 'everything was undone'
	unchanged
}

@test "an address that the kernel does not take undoes everything, with the kernel's words" {
	lab_run sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
	remember
	run up wg0
	# before Linux 6.3 the kernel has no words for it
	case $(lab_run uname -r) in 6.[012].* | 5.*) words='' ;; *) words='(kernel: "' ;; esac
	says 1 'step ' ' addr.add wg0' 'address fd00:9::2/128: Permission denied' "$words" 'everything was undone'
	unchanged
}

# not in the VM
@test "thousands of peers with a route each come up and go down" {
	n=10000
	# emulation takes three minutes for as many; test_backend sets and reads 10,000 there, too
	[ -z "${CHECK_IN_VM-}" ] || n=1000
	lab_run sh -c "rm /etc/wireguard/wg1.conf; umask 077; cat >/etc/wireguard/many.conf" < <(
		printf '[Interface]\nPrivateKey = %s\nAddress = 10.9.1.2/32\n' "$(wg genkey)"
		# any 32 bytes are a public key
		# shellcheck disable=SC2046,SC2183 # four words a peer
		printf '[Peer]\nPublicKey = %042dA=\nAllowedIPs = 10.%d.%d.0/24\nEndpoint = 198.51.100.2:%d\n' \
			$(for ((i = 0; i < n; i++)); do echo $i $((100 + i / 256)) $((i % 256)) $((1 + i)); done)
	)
	remember
	up many
	[ "$(lab_run wg show many peers | wc -l)" = "$n" ]
	[ "$(lab_run ip route show dev many | grep -c '^10\.')" = "$n" ]
	down many
	unchanged
}

# not in the VM
@test "an interrupt rolls back" {
	interface wg0 'PreUp = kill -INT $(ps -o ppid= -p $PPID)' # between a hook and wgns is its keeper
	remember
	run up wg0
	says 1 'interrupted' 'everything was undone'
	unchanged
}

# not in the VM
@test "the terminal's Ctrl-C while a hook runs rolls back" {
	# the terminal tells the whole foreground group: wgns, and the hook's shell
	interface wg0 'PostUp = kill -INT 0; read -r _ </dev/tty'
	remember
	run lab_run setsid -w "$WGNS" up --backend "$(lab_backend)" wg0
	says 1 'everything was undone'
	unchanged
}

# not in the VM
@test "an interrupt while a name is resolved rolls back" {
	lab_run sed -i 's/$/\noptions timeout:1 attempts:1/' /etc/resolv.conf
	conf wg0 's/vpn.example.test/nonesuch.example.test/'
	remember
	WG_ENDPOINT_RESOLUTION_RETRIES=4 up wg0 2>"$BATS_TEST_TMPDIR/said" 3>&- &
	pid=$!
	lab_wait grep -q 'trying again' "$BATS_TEST_TMPDIR/said"
	# the first is wgns itself, the second its resolver
	lab_run pkill -INT -o -x wgns
	status=0
	wait $pid || status=$?
	[ "$status" = 1 ]
	grep -q 'everything was undone' "$BATS_TEST_TMPDIR/said"
	# the others are not waited for
	[ "$(grep -c 'trying again' "$BATS_TEST_TMPDIR/said")" -le 2 ]
	unchanged
}

# not in the VM
@test "a tunnel without a default route says what home will not reach" {
	run up -n wg1
	says 0 'AllowedIPs has no default route'
	run up -n wg0
	[ "$status" = 0 ]
	[[ $output != *'no default route'* ]]
}
