#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: none
# a service in physical that is reached from home, by a socket of home and no device
# shellcheck disable=SC2154 # run sets status, output and stderr
# shellcheck disable=SC2016 # the scripts are for the shell in the lab

load change

setup_file() {
	# shellcheck disable=SC2086 # it may have options
	${CC:-cc} -std=gnu17 -D_GNU_SOURCE -O1 -Wall -o "$BATS_FILE_TMPDIR/inside" "$BATS_TEST_DIRNAME/../lab/inside.c"
}

setup() {
	lab_up
	lab_install
	lab_run install -m 755 "$BATS_FILE_TMPDIR/inside" /run/bin/inside
	lab_run install -d -m 1777 /run/open
	up wg0 2>/dev/null
	physical=net:[$(lab_run stat -Lc %i /run/wgns/box/physical/netns)]
}
teardown() { lab_down; }

alice() { lab_as alice wgns exec --physical "$@"; }
# not by sudo, whoever runs the tests
root() { lab_run env -C / -u SUDO_UID -u SUDO_GID -u SUDO_USER PATH="/run/bin:$PATH" /run/bin/wgns exec --physical "$@"; }

# start CMD...: in the background; a connection waits where the program has not come to it yet
start() { "$@" >/dev/null 2>&1 3>&- & }
# listeners home|physical PORT: what listens there
listeners() {
	local there=()
	[ "$1" = home ] || there=(ip netns exec physical)
	lab_run "${there[@]}" ss -Hltn "sport = :$2" | awk '{ print $4 }' | xargs
}
has_listener() { [ -n "$(listeners home "$1")" ]; }
page() { lab_run curl -sgm 5 "http://$1"; }

# refuses TEXT ARG...: exec with these, and a program to start, ends with 125 after TEXT, and starts nothing
refuses() {
	local text=$1
	shift
	run -125 alice "$@" touch /run/open/ran
	[[ $output = *"wgns: exec: $text"* ]] || { echo "not '$text' but: $output" >&2; return 1; }
	run ! lab_run test -e /run/open/ran
}

@test "a service in physical is reached from home, and physical has its uplink and lo, and nothing else" {
	start alice --listen 127.0.0.1:8080 inside serve
	lab_wait has_listener 8080
	[ "$(page 127.0.0.1:8080)" = "3 4801 $physical" ]
	[ "$(page 127.0.0.1:8080)" = "3 4801 $physical" ]
	[ "$(lab_run ip -n physical -j link | jq -r '.[].ifname' | sort | xargs)" = 'eth0 lo' ]
	[ "$(lab_run ip -j link | jq -r '.[].ifname' | sort | xargs)" = 'lo wg0' ]
	lab_run ip -n physical -o link | awk 'END { exit NR != 2 }'
}

@test "the socket is one of home and none of physical" {
	start alice --listen 8080 --listen '[::1]:8080' inside serve
	lab_wait has_listener 8080
	[ "$(listeners home 8080)" = '127.0.0.1:8080 [::1]:8080' ]
	[ "$(listeners physical 8080)" = '' ]
	run -7 alice curl -sm 5 http://127.0.0.1:8080/
	# there the same port is free
	start alice busybox httpd -f -p 127.0.0.1:8080 -h /run/open
	is_there() { [ "$(listeners physical 8080)" = 127.0.0.1:8080 ]; }
	lab_wait is_there
	[ "$(listeners home 8080)" = '127.0.0.1:8080 [::1]:8080' ]
	[ "$(page 127.0.0.1:8080)" = "3 4801 $physical" ]
	[ "$(page '[::1]:8080')" = "4 4801 $physical" ]
}

@test "sockets are handed over in the order of the command line, from 3, and nothing else is" {
	local list=(--listen 127.0.0.1:8081 --listen '[::1]:8082' --listen 8083 --listen 127.7.7.7:8084)
	want='3 127.0.0.1:8081
4 [::1]:8082
5 127.0.0.1:8083
6 127.7.7.7:8084
4 sockets'
	for who in alice root; do
		run -0 $who "${list[@]}" inside sockets
		[ "$output" = "$want" ]
	done
	# whatever stands on the caller's descriptors, and where some of the first three are closed
	run -0 lab_as alice bash -c 'exec 3</dev/null 4<&3 6<&3 9</etc/passwd 50</etc; exec "$@"' - wgns exec --physical "${list[@]}" inside sockets
	[ "$output" = "$want" ]
	for closed in '<&-' '2>&-' '<&- 2>&-'; do
		run -0 lab_as alice bash -c "exec \"\$@\" $closed" - wgns exec --physical "${list[@]}" inside sockets
		[ "$output" = "$want" ]
	done
	[ "$(alice inside sockets)" = '0 sockets' ]
}

@test "LISTEN_PID is the number of the program also behind a profile's variables and command" {
	lab_run install -d -m 755 /etc/wgns/profiles
	lab_run install -m 644 /dev/stdin /etc/wgns/profiles/long.profile <<-"E"
		[Profile]
		SystemBus = no
		Environment = A=1
		Unset = B
		Command = /usr/bin/nice -n 3
	E
	root --profile long true
	for who in alice root; do
		run -0 $who --profile long -E C=2 --listen 8080 --listen 8081 inside sockets
		[ "$output" = $'3 127.0.0.1:8080\n4 127.0.0.1:8081\n2 sockets' ]
	done
}

@test "what a caller was given as sockets is not announced to the program" {
	given=(LISTEN_FDS=2 LISTEN_PID=1 LISTEN_FDNAMES=a:b LISTEN_PIDFDID=7 NOTHING=0)
	for who in 'lab_as alice env' 'lab_run env -u SUDO_UID'; do
		run -0 $who "${given[@]}" /run/bin/wgns exec --physical env
		[ "$(grep -e ^LISTEN_ -e ^NOTHING <<<"$output")" = NOTHING=0 ]
		run -0 $who "${given[@]}" /run/bin/wgns exec --physical --listen 8080 sh -c 'echo "pid $$"; env'
		[ "$(grep -e ^LISTEN_ -e ^NOTHING <<<"$output" | sort)" = "LISTEN_FDS=1
LISTEN_PID=$(sed -n 's/^pid //p' <<<"$output")
NOTHING=0" ]
	done
}

@test "systemd-socket-proxyd in physical shows home a page of the uplink's side" {
	local proxyd=/lib/systemd/systemd-socket-proxyd
	[ -x $proxyd ] || skip_or_fail 'systemd-socket-proxyd is not installed'
	lab_wait_handshake wg0
	start alice --listen 127.0.0.1:8080 --listen '[::1]:8080' $proxyd 203.0.113.80:80
	start alice --listen 8081 $proxyd www.example.test:80
	lab_wait has_listener 8080
	lab_wait has_listener 8081
	[ "$(page 127.0.0.1:8080)" = 'the public web' ]
	[ "$(page '[::1]:8080')" = 'the public web' ]
	[ "$(page 127.0.0.1:8080/cgi-bin/who)" = 192.0.2.10 ]
	# the box's resolver finds the name
	[ "$(page 127.0.0.1:8081)" = 'the public web' ]
	# the tunnel's side is another one
	[ "$(page 203.0.113.80/cgi-bin/who)" = 198.51.100.2 ]
}

@test "systemd-socket-proxyd in physical leads home to a server that takes no sockets" {
	local proxyd=/lib/systemd/systemd-socket-proxyd
	[ -x $proxyd ] || skip_or_fail 'systemd-socket-proxyd is not installed'
	lab_as alice sh -c 'cd && mkdir www && echo "a page of alice" >www/index.html'
	start alice busybox httpd -f -p 127.0.0.1:8099 -h /run/user/4801/www
	start alice --listen 8080 $proxyd 127.0.0.1:8099
	is_there() { [ -n "$(listeners physical 8099)" ]; }
	lab_wait is_there
	lab_wait has_listener 8080
	[ "$(page 127.0.0.1:8080)" = 'a page of alice' ]
	[ "$(listeners home 8099)" = '' ]
	run -7 page 127.0.0.1:8099
}

@test "an address that others can reach is said to be one, and they can" {
	warning="wgns: warning: --listen: others than this machine can reach the program through home"
	for address in 0.0.0.0 '[::]' 10.9.0.2 '[fd00:9::2]'; do
		run -0 --separate-stderr alice --listen "$address:8080" inside sockets
		[ "$output" = "3 $address:8080"$'\n1 sockets' ]
		[ "$stderr" = "$warning" ]
	done
	for address in '' 127.0.0.1: 127.1.2.3: '[::1]:'; do
		run -0 --separate-stderr alice --listen "${address}8080" true
		[ -z "$stderr" ]
	done
	# [::] leaves IPv4 to the other one
	start alice --listen '[::]:8080' --listen 0.0.0.0:8080 inside serve
	lab_wait has_listener 8080
	lab_wait_handshake wg0
	[ "$(page '[::1]:8080')" = "3 4801 $physical" ]
	[ "$(page 127.0.0.1:8080)" = "4 4801 $physical" ]
	[ "$(lab_in web curl -sm 5 http://10.9.0.2:8080/)" = "4 4801 $physical" ]
	[ "$(lab_in web curl -sgm 5 'http://[fd00:9::2]:8080/')" = "3 4801 $physical" ]
	# the uplink's address is not home's any more
	# and physical's guard takes nothing in: not even a refusal comes back
	run -28 lab_in isp curl -sm 2 http://192.0.2.10:8080/
}

@test "a port that is taken is refused, with how to find who has it, and none of the others stays" {
	start alice --listen 8080 inside serve
	lab_wait has_listener 8080
	for who in alice root; do
		run -125 $who --listen 8081 --listen 127.0.0.1:8080 touch /run/open/ran
		[ "$output" = "wgns: exec: --listen 127.0.0.1:8080: Address already in use
  hint: \`ss -ltnp sport = :8080\` shows who has the port" ]
	done
	run ! lab_run test -e /run/open/ran
	[ "$(listeners home 8081)" = '' ]
	run -0 alice --listen 127.0.0.2:8080 inside sockets
}

@test "a port is free as soon as the program has ended, also when it was not found" {
	for _ in 1 2 3; do
		start alice --listen 8080 inside serve
		pid=$!
		lab_wait has_listener 8080
		[ "$(page 127.0.0.1:8080)" = "3 4801 $physical" ]
		# connections of this life are left in TIME_WAIT where the server closes first
		lab_run pkill -x inside
		wait $pid || :
	done
	run -127 alice --listen 8080 nonesuch
	run -0 alice --listen 8080 inside sockets
}

@test "low ports are root's, and the user's who calls sudo" {
	for port in 80 1023; do
		refuses "--listen 127.0.0.1:$port: Permission denied
  hint: low ports are for root: take one from 1024 on (sysctl net.ipv4.ip_unprivileged_port_start is the limit)" --listen $port
	done
	start root --listen 80 inside serve
	start lab_run env -C / SUDO_UID=4801 SUDO_GID=4801 /run/bin/wgns exec --physical --listen 81 /run/bin/inside serve
	lab_wait has_listener 80
	lab_wait has_listener 81
	[ "$(page 127.0.0.1:80)" = "3 0 $physical" ]
	[ "$(page 127.0.0.1:81)" = "3 4801 $physical" ]
	lab_run sh -c 'echo 80 >/proc/sys/net/ipv4/ip_unprivileged_port_start'
	run -0 alice --listen 82 inside sockets
}

@test "an address of another machine, or of physical, is refused" {
	for address in 203.0.113.80 192.0.2.10 '[2001:db8:1::10]'; do
		refuses "--listen $address:8080: Cannot assign requested address
  hint: it has to be an address of this machine: \`ip address\` lists them" --listen "$address:8080"
	done
	refuses '--listen [fe80::1%eth0]:8080: there is no device eth0 here' --listen '[fe80::1%eth0]:8080'
}

@test "what is no address and port is refused" {
	while IFS='|' read -r address why; do
		refuses "--listen $address: $why"$'\nusage: wgns exec ' --listen "$address"
	done <<-"E"
		0|port 0 would be another one each time; name one from 1 to 65535
		127.0.0.1:0|port 0 would be another one each time; name one from 1 to 65535
		65536|a port is a number from 1 to 65535
		127.0.0.1:|a port is a number from 1 to 65535
		127.0.0.1:http|a port is a number from 1 to 65535
		localhost:8080|an address in numbers is expected, not a name: 127.0.0.1:80
		www.example.test:8080|an address in numbers is expected, not a name: 127.0.0.1:80
		127.0.0.1|expected is ADDRESS:PORT, or PORT for 127.0.0.1
		:8080|on which address? 127.0.0.1:PORT is this machine alone, 0.0.0.0:PORT everybody
		::1:8080|an IPv6 address stands in brackets: [::1]:80
		[::1]|expected is [ADDRESS]:PORT
		[127.0.0.1]:8080|an IPv6 address is expected in the brackets
		[::ffff:127.0.0.1]:8080|write an IPv4 address without brackets: 127.0.0.1:80
		[fe80::1]:8080|a link-local address needs its device: [fe80::1%eth0]:80
	E
	refuses '--listen 127.0.0.1:8080: it is named twice' --listen 8080 --listen 127.0.0.1:8080
}

@test "64 sockets are the most, and the limit of open files counts" {
	local list=()
	for port in {8001..8064}; do
		list+=(--listen "$port")
	done
	run -0 alice "${list[@]}" inside sockets
	[ "${#lines[@]}" = 65 ]
	[ "${lines[0]}" = '3 127.0.0.1:8001' ]
	[ "${lines[63]}" = '66 127.0.0.1:8064' ]
	[ "${lines[64]}" = '64 sockets' ]
	refuses '--listen can be given 64 times' "${list[@]}" --listen 8065
	run -125 lab_as alice prlimit --nofile=20 wgns exec --physical "${list[@]}" true
	[[ $output = *'--listen: 64 sockets need 67 descriptors, and the limit is 20'*'ulimit -n raises it' ]]
}

@test "a profile that does not offer it gets no socket, and opens no port" {
	for name in strict dhcp supplicant; do
		refuses "the profile $name does not offer --listen" --profile $name --listen 8080
		run -125 root --user root --profile $name --listen 8080 inside sockets
		[ "$output" = "wgns: exec: the profile $name does not offer --listen" ]
	done
}
